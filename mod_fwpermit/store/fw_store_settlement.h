#ifndef FW_STORE_SETTLEMENT_H
#define FW_STORE_SETTLEMENT_H

#include "fw_db.h"
#include "fw_model.h"

/* Settlements by day; and of a day what we say came and went back through the gateway. Missing: FW_E_NOTFOUND; stale: FW_E_CONFLICT. */

const fw_err *fw_settlement_load(fw_db *db, const char *day, fw_settlement **out, apr_pool_t *pool);
const fw_err *fw_settlement_put(fw_db *db, fw_settlement *s, apr_pool_t *pool);
/* The newest, without their differences: fw_settlement. */
const fw_err *fw_settlement_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool);

typedef struct fw_settled {
    fw_id payment;
    const char *order_no;
    int64_t amount;
} fw_settled;
/* Paid from one instant to the other, in any order; sent there and done within them by the gateway, what is by hand left out: fw_settled. */
const fw_err *fw_settled_payments(fw_db *db, apr_time_t from, apr_time_t to,
                                  apr_array_header_t **out, apr_pool_t *pool);
const fw_err *fw_settled_refunds(fw_db *db, apr_time_t from, apr_time_t to,
                                 apr_array_header_t **out, apr_pool_t *pool);
/* Whether the gateway has paid back that amount of the payment, whenever. */
const fw_err *fw_settled_refunded(fw_db *db, fw_id payment, int64_t amount, bool *out,
                                  apr_pool_t *pool);
/* Whether anything was paid before that instant. */
const fw_err *fw_settled_any(fw_db *db, apr_time_t before, bool *out, apr_pool_t *pool);

#endif
