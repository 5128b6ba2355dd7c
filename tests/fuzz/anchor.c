/* An anchor: the lines that are read, written again, are the file's own bytes from its first on. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_anchor.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

/* Of one line, cut off, or with a hole that did not reach the disk. */
static bool is_torn(const uint8_t *rest, size_t n)
{
    const uint8_t *end = memchr(rest, '\n', n);

    return !end || (end == rest + n - 1 && memchr(rest, '\0', n));
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    fw_anchor *anchor = NULL;
    fw_anchor_line line;
    const fw_err *err;
    size_t at = 0;
    int64_t last = 0;
    bool any = true;

    fuzz_want(!fw_anchor_open(&anchor, fuzz_file(data, n, pool), pool), "it opens");
    for (err = fw_anchor_next(anchor, &line, &any, pool); !err && any;
         err = fw_anchor_next(anchor, &line, &any, pool)) {
        const char *text = apr_psprintf(pool, "%" APR_INT64_T_FMT " %s %s\n", (apr_int64_t)line.n,
                                        line.hash, line.signature);
        size_t length = strlen(text);

        fuzz_want(line.n == ++last, "numbers follow");
        fuzz_want(length <= n - at && memcmp(data + at, text, length) == 0, "the file's own line");
        at += length;
    }
    fw_anchor_close(anchor);
    if (err)
        fuzz_want(err->code == FW_E_CORRUPT, "what is there is wrong");
    else
        fuzz_want(is_torn(data + at, n - at), "but for a line that is torn, all is read");
}
