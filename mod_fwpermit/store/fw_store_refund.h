#ifndef FW_STORE_REFUND_H
#define FW_STORE_REFUND_H

#include "fw_db.h"
#include "fw_model.h"

/* Money that goes back. Missing: FW_E_NOTFOUND; stale: FW_E_CONFLICT. */

const fw_err *fw_refund_load(fw_db *db, fw_id id, fw_refund **out, apr_pool_t *pool);
const fw_err *fw_refund_put(fw_db *db, fw_refund *r, apr_pool_t *pool);
/* All of a payment, oldest first: fw_refund. */
const fw_err *fw_refund_of_payment(fw_db *db, fw_id payment, int limit, apr_array_header_t **out,
                                   apr_pool_t *pool);

/* A refund with what a list shows of its payment. */
typedef struct fw_refund_line {
    fw_refund refund;
    const char *order_no, *method;
    int64_t receipt_no, paid;
} fw_refund_line;
/* Those under way, oldest first; or those that ended, newest first: fw_refund_line. */
const fw_err *fw_refund_list(fw_db *db, bool ended, int limit, apr_array_header_t **out,
                             apr_pool_t *pool);

#endif
