/* A form's body or a query: what decodes is the same after encoding it anew. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_urlencoded.h"
#include "fw_utf8.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    apr_array_header_t *pairs = NULL, *again = NULL;
    const char *text = "";
    const fw_err *err = fw_urlencoded_parse(&pairs, (const char *)data, n, 50, pool);

    if (err)
        return;
    fuzz_want(pairs->nelts <= 50, "the limit holds");
    for (int i = 0; i < pairs->nelts; i++) {
        fw_pair p = APR_ARRAY_IDX(pairs, i, fw_pair);

        fuzz_want(fw_utf8_valid(p.name) && fw_utf8_valid(p.value), "all is UTF-8");
        fuzz_want(!strchr(p.value, '\r'), "line ends are \\n");
        text = apr_pstrcat(pool, text, i ? "&" : "", fw_urlencode(p.name, pool), "=",
                           fw_urlencode(p.value, pool), NULL);
    }
    fuzz_want(!fw_urlencoded_parse(&again, text, strlen(text), 50, pool), "it decodes again");
    fuzz_want(again->nelts == pairs->nelts, "so many pairs");
    for (int i = 0; i < pairs->nelts; i++) {
        fw_pair p = APR_ARRAY_IDX(pairs, i, fw_pair), q = APR_ARRAY_IDX(again, i, fw_pair);

        fuzz_want(strcmp(p.name, q.name) == 0 && strcmp(p.value, q.value) == 0, "the same pairs");
    }
}
