#ifndef FW_SETTLE_H
#define FW_SETTLE_H

#include <jansson.h>

#include "fw_desk.h"

/* The gateway's lines of a day beside ours. */

/* At most so many differences are listed; all are counted. */
#define FW_DIFFERENCES_LISTED 500

/* `lines`: as docs/contracts/payment.json says of settlement.reply. What came and what differs is in *out. */
const fw_err *fw_settle_compare(fw_db *db, const char *day, const json_t *lines, fw_settlement *out,
                                apr_pool_t *pool);

#endif
