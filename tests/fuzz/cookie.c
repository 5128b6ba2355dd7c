/* A Cookie header: a value is a piece of it, and what stands before and behind it changes nothing. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_cookie.h"

#define NAME "fwpermit"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

static void want_same(const char *header, const char *value, apr_pool_t *pool)
{
    const char *got = fw_cookie_find(header, NAME, pool);

    fuzz_want(!got == !value && (!got || strcmp(got, value) == 0), "the same value");
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const char *header = apr_pstrmemdup(pool, (const char *)data, n);
    const char *value = fw_cookie_find(header, NAME, pool);

    want_same(apr_pstrcat(pool, "fwpermit_lang=en; ", header, NULL), value, pool);
    want_same(apr_pstrcat(pool, "__Host-" NAME "=x; ;=;", header, NULL), value, pool);
    want_same(apr_pstrcat(pool, NAME "=first; ", header, NULL), "first", pool);
    if (!value)
        return;
    fuzz_want(!strpbrk(value, "; "), "it ends where it should");
    fuzz_want(strstr(header, apr_pstrcat(pool, NAME "=", value, NULL)) != NULL, "it stands there");
    want_same(apr_pstrcat(pool, header, "; " NAME "=last", NULL), value, pool);
}
