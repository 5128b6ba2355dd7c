#ifndef FW_STORE_FINE_H
#define FW_STORE_FINE_H

#include "fw_db.h"
#include "fw_model.h"

/* Fines, and what the fines system knows of a case. Stale: FW_E_CONFLICT. */

/* *out is NULL where nothing is known. */
const fw_err *fw_penalty_load(fw_db *db, fw_id case_id, fw_penalty **out, apr_pool_t *pool);
const fw_err *fw_penalty_put(fw_db *db, fw_penalty *p, apr_pool_t *pool);

/* Of a case, the oldest first: fw_fine. */
const fw_err *fw_fine_list(fw_db *db, fw_id case_id, apr_array_header_t **out, apr_pool_t *pool);
/* *out is NULL where there is none. */
const fw_err *fw_fine_by_no(fw_db *db, const char *fine_no, fw_fine **out, apr_pool_t *pool);
const fw_err *fw_fine_put(fw_db *db, fw_fine *f, apr_pool_t *pool);

/* 0 where no case has that number. */
const fw_err *fw_case_of_number(fw_db *db, const char *case_no, fw_id *out, apr_pool_t *pool);

#endif
