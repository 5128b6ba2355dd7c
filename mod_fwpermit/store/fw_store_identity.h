#ifndef FW_STORE_IDENTITY_H
#define FW_STORE_IDENTITY_H

#include "fw_db.h"
#include "fw_model.h"

/* The identity check 身分查核: what a case's person, number and files have in common with others. */

typedef enum fw_identity_e {
    FW_IDENTITY_PASSPORT, /* perhaps the same person under another passport: `names` are to be compared */
    FW_IDENTITY_OPEN,     /* another open case of that passport */
    FW_IDENTITY_FILE,     /* the same file in a case of another worker */
    FW_IDENTITY_LETTER,   /* a labour letter that is in force no more */
    FW_IDENTITY_MOVEMENT, /* what the border told of the worker: one arrival or departure */
    FW_IDENTITY_ARRIVAL,  /* one of nobody under another passport: `names` are to be compared */
    FW_IDENTITY_NAMED,    /* the letter that the case names, in force as far as was told */
    FW_IDENTITY_LATE,     /* filed `days` after the legal clock had ended */
    FW_IDENTITY_REVOKED   /* a permit of the worker that was revoked */
} fw_identity_e;

typedef struct fw_identity {
    fw_identity_e kind;
    fw_id case_id; /* the one that was asked about */
    fw_id other;   /* case or worker; 0: none */
    const char
        *text; /* the other's passport number or case number; the letter's or permit's number */
    const char *what; /* the other's state, the file's slot, the letter's state; or NULL */
    const char *name, *as_name; /* passport, arrival: the case's name and the other's */
    const char *passport_no;    /* movement: the case's */
    const char *data;           /* movement, arrival, named: as the port's contract has it */
    apr_time_t at;              /* movement, arrival */
    bool is_another_s;          /* named: it is for another worker */
    int days;
} fw_identity;

/* Of some cases at once: fw_identity, by kind. One statement for each kind, whatever their number. */
const fw_err *fw_identity_list(fw_db *db, const fw_id *cases, int n, apr_array_header_t **out,
                               apr_pool_t *pool);

#endif
