#ifndef FW_STORE_CARD_H
#define FW_STORE_CARD_H

#include "fw_db.h"
#include "fw_decide.h"

/* Cards that are made and handed out, and the blanks that they are made of. Results live in `pool`. */

/* FW_E_NOTFOUND: there is none. */
const fw_err *fw_job_load(fw_db *db, fw_id id, fw_job **out, apr_pool_t *pool);
/* The newest of a case; *out is NULL where it has none. */
const fw_err *fw_job_of_case(fw_db *db, fw_id kase, fw_job **out, apr_pool_t *pool);
/* Those that the case had before: const fw_job *, the newest first. */
const fw_err *fw_job_before(fw_db *db, const fw_job *job, apr_array_header_t **out,
                            apr_pool_t *pool);
/* By the number that the bureau knows; 0: none of ours. */
const fw_err *fw_job_by_no(fw_db *db, const char *job_no, fw_id *out, apr_pool_t *pool);
/* Whether another job than `but` has that card. */
const fw_err *fw_job_has_card(fw_db *db, const char *card_no, fw_id but, bool *out,
                              apr_pool_t *pool);
/* Inserts where version is 0, else updates; FW_E_CONFLICT where another was faster. */
const fw_err *fw_job_put(fw_db *db, fw_job *job, apr_pool_t *pool);

/* A card that lies at a station, with its case. */
typedef struct fw_job_line {
    fw_id id;
    const char *card_no;
    apr_time_t arrived;
    fw_id case_id;
    const char *case_no;
    const char *service;
    fw_state_e state;
    const char *name_latin;
    const char *name_native;
    const char *passport_no;
    const char *nationality;
    int version;              /* of the case */
    apr_time_t ordered, sent; /* these of fw_job_out alone */
    const char *tracking, *station, *card_state;
} fw_job_line;

/* What lies at a station, the longest first: fw_job_line. After one that arrived then and has that id; 0, 0: from the first. */
const fw_err *fw_job_waiting(fw_db *db, const char *station, apr_time_t arrived, fw_id after,
                             int limit, apr_array_header_t **out, apr_pool_t *pool);
/* Those of one case. */
const fw_err *fw_job_waiting_of(fw_db *db, const char *station, const char *case_no,
                                apr_array_header_t **out, apr_pool_t *pool);
/* What is on its way to a station or lies there, the oldest order first; `station` NULL: to any. After one that was ordered then and
 * has that id; 0, 0: from the first. */
const fw_err *fw_job_out(fw_db *db, const char *station, apr_time_t ordered, fw_id after, int limit,
                         apr_array_header_t **out, apr_pool_t *pool);
/* Ids of jobs of which nothing was heard until `at`: fw_id. */
const fw_err *fw_job_to_ask(fw_db *db, apr_time_t at, int limit, apr_array_header_t **out,
                            apr_pool_t *pool);

/* Counts our blanks on. All writers meet in that row: last within a transaction. */
const fw_err *fw_stock_count(fw_db *db, const fw_blanks *by, apr_pool_t *pool);
/* *out is NULL where the bureau has not told of that store. */
const fw_err *fw_stock_load(fw_db *db, const char *store, fw_shelf **out, apr_pool_t *pool);
const fw_err *fw_stock_put(fw_db *db, const fw_shelf *shelf, apr_pool_t *pool);
/* Ours, and the bureau's by store: fw_shelf. */
const fw_err *fw_stock_list(fw_db *db, fw_blanks *ours, apr_array_header_t **theirs,
                            apr_pool_t *pool);

#endif
