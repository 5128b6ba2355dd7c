#ifndef FW_PERFORM_INT_H
#define FW_PERFORM_INT_H

#include <jansson.h>

#include "fw_perform.h"

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
    apr_pool_t *pool;
} fw_performing;

/* Loads the view that the command declares. What is not there stays NULL. */
const fw_err *fw_perform_load(fw_performing *p);
const fw_err *fw_perform_officers(fw_performing *p, const char *station);
/* Sets view.taken where another worker of the employer has that passport. */
const fw_err *fw_perform_worker_taken(fw_performing *p);

/* The document after the command, what it touches, the form's problems, the terms. */
const fw_err *fw_perform_form(fw_performing *p);

/* Whether the actor may: true, or false and the refusal's code. */
bool fw_perform_allowed(const fw_performing *p, fw_code_e *why);

/* Writes what was decided: state, events, files, documents, outbox rows, audit record, drawn numbers. */
const fw_err *fw_perform_keep(fw_performing *p);

#endif
