#ifndef FW_STORE_PAYMENT_H
#define FW_STORE_PAYMENT_H

#include "fw_db.h"
#include "fw_model.h"

/* Payments, permits, documents, and the counters whose numbers have no gap. Missing: FW_E_NOTFOUND; stale:
 * FW_E_CONFLICT. */

const fw_err *fw_payment_load(fw_db *db, fw_id id, fw_payment **out, apr_pool_t *pool);
/* 0 where there is none. */
const fw_err *fw_payment_by_order(fw_db *db, const char *order_no, fw_id *out, apr_pool_t *pool);
/* The newest that the gateway knows by that number; 0 where there is none. */
const fw_err *fw_payment_by_gateway(fw_db *db, const char *gateway_no, fw_id *out,
                                    apr_pool_t *pool);
const fw_err *fw_payment_put(fw_db *db, fw_payment *p, apr_pool_t *pool);
/* Begun before `before`, or whose code ended before it, and asked after fewer than `checks` times: fw_id. */
const fw_err *fw_payment_to_check(fw_db *db, apr_time_t before, int checks, int limit,
                                  apr_array_header_t **out, apr_pool_t *pool);
const fw_err *fw_payment_to_expire(fw_db *db, apr_time_t now, int limit, apr_array_header_t **out,
                                   apr_pool_t *pool);
/* A receipt: its payment without the cases, and the paper. */
typedef struct fw_receipt_line {
    fw_payment payment;
    fw_id document; /* 0: not drawn yet */
    fw_id kase;     /* that the paper hangs on */
    int64_t
        void_no; /* 0: it is the payment's own; else its number, and the payment has a newer one */
    const char *why; /* it is void */
} fw_receipt_line;
/* The newest by number, void ones among them: fw_receipt_line. */
const fw_err *fw_payment_receipts(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool);

/* A number that is void; FW_E_CONFLICT: it is already. */
const fw_err *fw_receipt_void_add(fw_db *db, const fw_receipt_void *v, apr_pool_t *pool);
/* Those of a payment, the newest first: fw_receipt_void. */
const fw_err *fw_receipt_voids(fw_db *db, fw_id payment, apr_array_header_t **out,
                               apr_pool_t *pool);

const fw_err *fw_permit_load(fw_db *db, fw_id id, fw_permit **out, apr_pool_t *pool);
const fw_err *fw_permit_by_no(fw_db *db, const char *permit_no, fw_permit **out, apr_pool_t *pool);
/* The one in force of a worker and kind; *out is NULL where there is none. */
const fw_err *fw_permit_live(fw_db *db, fw_id worker, const char *kind, fw_permit **out,
                             apr_pool_t *pool);
/* Those in force that a card of the worker replaces: fw_permit. */
const fw_err *fw_permit_lives(fw_db *db, fw_id worker, apr_array_header_t **out, apr_pool_t *pool);
/* The case on which the worker's newest permit in force was given, or NULL: its id, service, and form alone. */
const fw_err *fw_permit_form(fw_db *db, fw_id worker, const fw_case **out, apr_pool_t *pool);
/* How many were superseded or revoked after that instant. */
const fw_err *fw_permit_ended_since(fw_db *db, apr_time_t since, int64_t *n, apr_pool_t *pool);
/* Those that were, by the day until which they would have been valid, then by number; after (valid_to, permit_no): fw_permit. */
const fw_err *fw_permit_ended_list(fw_db *db, const char *valid_to, const char *permit_no,
                                   int limit, apr_array_header_t **out, apr_pool_t *pool);
/* Permits of which the border does not know how they stand on that day, in the columns' words: fw_id. */
const fw_err *fw_permit_to_tell(fw_db *db, const char *today, int limit, apr_array_header_t **out,
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
