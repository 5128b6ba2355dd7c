#ifndef FW_STORE_QUESTION_H
#define FW_STORE_QUESTION_H

#include "fw_db.h"
#include "fw_model.h"

/* Questions to the labour agency. Lists are of fw_question; all live in `pool`. */

/* FW_E_NOTFOUND: there is none. */
const fw_err *fw_question_load(fw_db *db, fw_id id, fw_question **out, apr_pool_t *pool);
/* The last about that letter for that worker; *out is NULL where nobody has asked. */
const fw_err *fw_question_newest(fw_db *db, fw_id worker, const char *letter_no, fw_question **out,
                                 apr_pool_t *pool);
/* The newest first. */
const fw_err *fw_question_of_worker(fw_db *db, fw_id worker, int limit, apr_array_header_t **out,
                                    apr_pool_t *pool);
/* How many that account has asked since. */
const fw_err *fw_question_count(fw_db *db, fw_id account, apr_time_t since, int *n,
                                apr_pool_t *pool);

/* Inserts or updates; FW_E_CONFLICT where another was faster, or where one about that letter waits already. */
const fw_err *fw_question_put(fw_db *db, fw_question *q, apr_pool_t *pool);

#endif
