#ifndef FW_PERFORM_INT_H
#define FW_PERFORM_INT_H

#include <jansson.h>

#include "fw_perform.h"
#include "fw_said.h"

/* One command on its way through; private to fw_perform*.c. */
typedef struct fw_performing {
    const fw_desk *desk;
    fw_db *db;
    const fw_command *cmd;
    apr_time_t now;
    fw_view view;
    fw_terms terms;
    fw_ids ids;
    fw_outcome out;
    const fw_service *service; /* of the case, in the version that it was filed under */
    const fw_file *files;      /* of the case, current */
    int n_files;
    bool wants_officers;
    fw_said said;             /* case.open: what is known of the worker beside the registration */
    struct fw_letter *letter; /* a dead one that the command is about */
    bool is_there;            /* the link or dead letter that the command is about */
    bool adopts;              /* what was told of the worker's passport becomes the worker's */
    apr_pool_t *pool;
} fw_performing;

/* Loads the view that the command declares. What is not there stays NULL. */
const fw_err *fw_perform_load(fw_performing *p);
const fw_err *fw_perform_officers(fw_performing *p, const char *station);
/* Sets view.taken where another worker of the employer has that passport. */
const fw_err *fw_perform_worker_taken(fw_performing *p);

/* What another agency says, and the worker whom it is about. */
const fw_err *fw_perform_record_load(fw_performing *p);
/* Of a worker's passport, as it is after the command, what was told before anybody here knew it. */
const fw_err *fw_perform_record_find(fw_performing *p);

/* What letter.ask and letter.answer are about; and whether a letter whose number came into a form is known. */
const fw_err *fw_perform_letter_load(fw_performing *p);
const fw_err *fw_perform_letter_given(fw_performing *p);

/* What the fines system knows of the cases; and what changed of it. */
const fw_err *fw_perform_fines_load(fw_performing *p);
const fw_err *fw_perform_fines_keep(fw_performing *p);
/* Whether its target is a job; the job, and what else a command about cards needs. */
bool fw_perform_is_job(fw_cmd_e cmd);
const fw_err *fw_perform_job_load(fw_performing *p);
const fw_err *fw_perform_card_load(fw_performing *p);
/* The job, the shelf, and the permits that the card replaces. */
const fw_err *fw_perform_card_keep(fw_performing *p);

/* The three steps of commands about links and dead letters. */
bool fw_perform_is_link(fw_cmd_e cmd);
const fw_err *fw_perform_link_load(fw_performing *p);
void fw_perform_link_form(fw_performing *p);
const fw_err *fw_perform_link_keep(fw_performing *p);

/* The document after the command, what it touches, the form's problems, the terms. */
const fw_err *fw_perform_form(fw_performing *p);

/* Chooses what a new case, whose form is `now`, takes over from that of the permit in force; and keeps it. */
const fw_err *fw_perform_take_over(fw_performing *p, const json_t *now);
const fw_err *fw_perform_take_keep(fw_performing *p);

/* Whether the actor may: true, or false and the refusal's code. */
bool fw_perform_allowed(const fw_performing *p, fw_code_e *why);

/* Writes what was decided: state, events, files, documents, outbox rows, audit record, drawn numbers. */
const fw_err *fw_perform_keep(fw_performing *p);

#endif
