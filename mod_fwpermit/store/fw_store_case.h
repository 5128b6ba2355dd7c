#ifndef FW_STORE_CASE_H
#define FW_STORE_CASE_H

#include "fw_db.h"
#include "fw_decide.h"

/* Cases, their files and their history. What is missing is FW_E_NOTFOUND; a version that is not the stored
 * one any more is FW_E_CONFLICT. Results live in `pool`. */

const fw_err *fw_case_load(fw_db *db, fw_id id, fw_case **out, apr_pool_t *pool);
/* Up to 1000 of them by one statement; out[i] is NULL where there is no case ids[i]. */
const fw_err *fw_case_load_some(fw_db *db, const fw_id *ids, int n, const fw_case **out,
                                apr_pool_t *pool);
/* Other transactions that hold the case wait until this one ends, and see then what it did. Within a transaction, before the case
 * is loaded. */
const fw_err *fw_case_hold(fw_db *db, fw_id id, apr_pool_t *pool);
/* Inserts where version is 0, else updates; counts the version on. Within a transaction. */
const fw_err *fw_case_put(fw_db *db, fw_case *kase, apr_pool_t *pool);

/* The initial reviewers of a station (NULL: of each) with their open cases: fw_officer. */
const fw_err *fw_case_officers(fw_db *db, const char *station, apr_array_header_t **out,
                               apr_pool_t *pool);

/* One line of a list of cases. */
typedef struct fw_case_line {
    fw_id id;
    const char *case_no;
    const char *service;
    fw_state_e state;
    const char *name_latin;
    const char *name_native;
    const char *passport_no;
    const char *nationality;
    apr_time_t created;
    apr_time_t submitted;
    apr_time_t due;
    apr_time_t deadline;
    int64_t fee;
    const char *employer_zh;
    const char *employer_en;
    int version;
} fw_case_line;

typedef enum fw_case_list_e {
    FW_LIST_EMPLOYER, /* of `id`, newest first */
    FW_LIST_AGENCY,   /* filed by `id`, whose delegations stand, newest first */
    FW_LIST_REVIEWER, /* on the desk of `id` in `state`, by due time */
    FW_LIST_STATION,  /* of `text` in `state`, not first reviewed by `id`, by due time */
    FW_LIST_STATE,    /* in `state` anywhere, by due time */
    FW_LIST_SEARCH,   /* whose number, passport or name is `text`, exactly */
    FW_LIST_WORKER    /* of worker `id`, without those of another agency than `agency` */
} fw_case_list_e;

typedef struct fw_case_ask {
    fw_case_list_e list;
    fw_id id;
    fw_id agency; /* 0: of all */
    const char *text;
    const char *state;    /* a state's name, or "" for all where the list allows it */
    apr_time_t before;    /* created before; 0: from the newest */
    apr_time_t after_due; /* by due time: after this time, or at it and after this case */
    fw_id after;
    int limit;
} fw_case_ask;

const fw_err *fw_case_list(fw_db *db, const fw_case_ask *ask, apr_array_header_t **out,
                           apr_pool_t *pool);

/* Ids of cases whose applicant's deadline has passed: fw_id. */
const fw_err *fw_case_overdue(fw_db *db, apr_time_t now, int limit, apr_array_header_t **out,
                              apr_pool_t *pool);

/* When an application of the worker's was filed that is not undone, the first at or after `since`; 0: none. */
const fw_err *fw_case_filed_since(fw_db *db, fw_id worker, apr_time_t since, apr_time_t *out,
                                  apr_pool_t *pool);

/* The current files of a case, or (history) all that ever were: fw_file. */
const fw_err *fw_file_list(fw_db *db, fw_id case_id, bool history, apr_array_header_t **out,
                           apr_pool_t *pool);
const fw_err *fw_file_load(fw_db *db, fw_id id, fw_file **out, apr_pool_t *pool);
const fw_err *fw_file_add(fw_db *db, const fw_file *file, apr_pool_t *pool);
const fw_err *fw_file_retire(fw_db *db, fw_id id, apr_pool_t *pool);
const fw_err *fw_file_retire_slot(fw_db *db, fw_id case_id, const char *slot, apr_pool_t *pool);

/* Keeps the verdict that is in it. FW_E_CONFLICT: it has one already. */
const fw_err *fw_file_judge(fw_db *db, const fw_file *file, apr_pool_t *pool);
/* How many current files of each of up to 1000 cases wait for the scanner, by one statement. */
const fw_err *fw_file_waits(fw_db *db, const fw_id *cases, int n, int *waits, apr_pool_t *pool);

const fw_err *fw_event_add(fw_db *db, const fw_event *event, apr_pool_t *pool);
/* In order: fw_event. */
const fw_err *fw_event_list(fw_db *db, fw_id case_id, apr_array_header_t **out, apr_pool_t *pool);

#endif
