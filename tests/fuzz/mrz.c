/* Machine-readable lines: what was understood is understood the same once more. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_mrz.h"

static const fw_date today = {2026, 11, 24};

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    fw_mrz a = {0}, b = {0};
    const fw_err *err = fw_mrz_parse(apr_pstrmemdup(pool, (const char *)data, n), today, &a, pool);

    if (!a.lines) {
        fuzz_want(err != NULL, "no lines, no success");
        return;
    }
    fuzz_want(a.state && a.number && a.nationality && a.birth && a.expiry && a.optional &&
                  a.optional2 && a.surname && a.given && a.code,
              "no text is NULL");
    fuzz_want(!fw_mrz_parse(a.lines, today, &b, pool) == !err, "the lines are understood the same");
    fuzz_want(b.lines && strcmp(a.lines, b.lines) == 0, "the lines stay the same");
    fuzz_want(strcmp(a.number, b.number) == 0 && strcmp(a.surname, b.surname) == 0 &&
                  a.failed == b.failed,
              "what they say stays the same");
}
