#ifndef FW_STATUS_INT_H
#define FW_STATUS_INT_H

#include "fw_status.h"

/* Shared by fw_status*.c alone. */

typedef struct fw_collecting {
    const fw_status_ask *ask;
    apr_time_t now;
    json_t *out;
    apr_pool_t *pool;
} fw_collecting;

/* "links", "queues", "audit", "cases", "late": what the database knows. */
const fw_err *fw_status_numbers(fw_collecting *c);
/* "parts" but the database, "certificates", "disk". */
void fw_status_parts(fw_collecting *c);
/* One more part; since: when it came into that state, by the snapshot before. `error` NULL: it is up. */
void fw_status_part(fw_collecting *c, const char *name, const char *state, const char *error,
                    const char *advice);

/* Why that plugin cannot serve; NULL: it can, or does not run. */
const char *fw_status_fault(const fw_collecting *c, const char *plugin);

json_t *fw_status_iso(apr_time_t t, apr_pool_t *pool); /* null for 0 */
/* At most 500 bytes of it, whole characters; null for NULL. */
json_t *fw_status_short(const char *text);

#endif
