#ifndef FW_COOKIE_H
#define FW_COOKIE_H

#include <apr_pools.h>

/* The value of the first cookie of that name in a Cookie header (RFC 6265 5.4), or NULL. `header` may be NULL. */
const char *fw_cookie_find(const char *header, const char *name, apr_pool_t *pool);

#endif
