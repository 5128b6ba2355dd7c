#ifndef FW_STORE_IDEM_H
#define FW_STORE_IDEM_H

#include "fw_db.h"

/* Answers to idempotency keys, kept for 30 days for each actor. */

/* *answer is NULL where the key is new. The same key with another body: FW_E_INPUT with user_key
 * "idempotency.reused". */
const fw_err *fw_idem_get(fw_db *db, fw_id actor, const char *request_id, const char *body_hash,
                          const char **answer, apr_pool_t *pool);
const fw_err *fw_idem_put(fw_db *db, fw_id actor, const char *request_id, const char *body_hash,
                          const char *answer, apr_time_t now, apr_pool_t *pool);

#endif
