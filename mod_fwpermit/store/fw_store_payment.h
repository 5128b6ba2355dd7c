#ifndef FW_STORE_PAYMENT_H
#define FW_STORE_PAYMENT_H

#include "fw_db.h"
#include "fw_model.h"

/* Payments, permits, documents, and the counters whose numbers have no gap. Missing: FW_E_NOTFOUND; stale:
 * FW_E_CONFLICT. */

const fw_err *fw_payment_load(fw_db *db, fw_id id, fw_payment **out, apr_pool_t *pool);
/* 0 where there is none. */
const fw_err *fw_payment_by_order(fw_db *db, const char *order_no, fw_id *out, apr_pool_t *pool);
const fw_err *fw_payment_put(fw_db *db, fw_payment *p, apr_pool_t *pool);
/* Begun before `before`, or whose code ended before it, and asked after fewer than `checks` times: fw_id. */
const fw_err *fw_payment_to_check(fw_db *db, apr_time_t before, int checks, int limit,
                                  apr_array_header_t **out, apr_pool_t *pool);
const fw_err *fw_payment_to_expire(fw_db *db, apr_time_t now, int limit, apr_array_header_t **out,
                                   apr_pool_t *pool);
/* The newest receipts: fw_payment without its cases. */
const fw_err *fw_payment_receipts(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool);

const fw_err *fw_permit_load(fw_db *db, fw_id id, fw_permit **out, apr_pool_t *pool);
const fw_err *fw_permit_by_no(fw_db *db, const char *permit_no, fw_permit **out, apr_pool_t *pool);
/* The one in force of a worker and kind; *out is NULL where there is none. */
const fw_err *fw_permit_live(fw_db *db, fw_id worker, const char *kind, fw_permit **out,
                             apr_pool_t *pool);
const fw_err *fw_permit_put(fw_db *db, fw_permit *p, apr_pool_t *pool);

const fw_err *fw_document_add(fw_db *db, const fw_document *d, apr_pool_t *pool);
const fw_err *fw_document_load(fw_db *db, fw_id id, fw_document **out, apr_pool_t *pool);
/* *out is NULL where there is none. */
const fw_err *fw_document_by_number(fw_db *db, const char *kind, const char *number,
                                    fw_document **out, apr_pool_t *pool);
/* Of a case and of the payment that paid it (or 0): fw_document. */
const fw_err *fw_document_list(fw_db *db, fw_id case_id, fw_id payment_id, apr_array_header_t **out,
                               apr_pool_t *pool);

/* The next number; `first` where the counter is new. Drawn last before the commit: a rollback gives it back. */
const fw_err *fw_counter_draw(fw_db *db, const char *name, int64_t first, int64_t *out,
                              apr_pool_t *pool);

#endif
