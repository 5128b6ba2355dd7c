#ifndef FW_STORE_RECORD_H
#define FW_STORE_RECORD_H

#include "fw_db.h"
#include "fw_model.h"

/* What other agencies say. Lists are of fw_record; all live in `pool`. */

/* FW_E_NOTFOUND: there is none. */
const fw_err *fw_record_load(fw_db *db, fw_id id, fw_record **out, apr_pool_t *pool);
/* *out is NULL where nobody has said anything of it. */
const fw_err *fw_record_by_name(fw_db *db, const char *kind, const char *name, fw_record **out,
                                apr_pool_t *pool);
/* Of a worker, the newest first. */
const fw_err *fw_record_of_worker(fw_db *db, fw_id worker, int limit, apr_array_header_t **out,
                                  apr_pool_t *pool);
/* Of a passport's holder, while nobody of ours is it; the newest first. */
const fw_err *fw_record_of_nobody(fw_db *db, const char *nationality, const char *passport,
                                  int limit, apr_array_header_t **out, apr_pool_t *pool);
/* Of a kind, about nobody of ours; the last heard first. */
const fw_err *fw_record_open(fw_db *db, const char *kind, int limit, apr_array_header_t **out,
                             apr_pool_t *pool);

/* Who of ours may be the person of an open record. */
typedef struct fw_record_near {
    fw_id record_id, worker_id;
    const char *name_latin, *passport_no, *birth, *employer_zh, *employer_en;
} fw_record_near;
/* fw_record_near, of the last heard first. */
const fw_err *fw_record_near_list(fw_db *db, const char *kind, apr_array_header_t **out,
                                  apr_pool_t *pool);

/* Inserts or updates; FW_E_CONFLICT where another was faster. */
const fw_err *fw_record_put(fw_db *db, fw_record *r, apr_pool_t *pool);
/* What is known of that passport's holder, born on that day, is from now on about this worker. */
const fw_err *fw_record_adopt(fw_db *db, const fw_worker *worker, apr_pool_t *pool);

#endif
