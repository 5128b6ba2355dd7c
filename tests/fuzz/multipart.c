/* A multipart body: the header's value is the first line, the body the rest. However it is cut, the outcome is the same. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_multipart.h"

typedef struct told {
    char *text;
    size_t n;
    bool open;
} told;

static void tell(told *t, const char *s, size_t n)
{
    memcpy(t->text + t->n, s, n);
    t->n += n;
}

static void tell_text(told *t, const char *s)
{
    tell(t, s ? s : "-", strlen(s ? s : "-") + 1);
}

static const fw_err *begin(void *baton, const fw_part *part)
{
    told *t = baton;

    fuzz_want(!t->open && part->name && *part->name, "a part begins once and has a name");
    t->open = true;
    tell_text(t, part->name);
    tell_text(t, part->filename);
    tell_text(t, part->type);
    return NULL;
}

static const fw_err *data_of(void *baton, const char *s, apr_size_t n)
{
    told *t = baton;

    fuzz_want(t->open && n > 0, "content is within a part");
    tell(t, s, n);
    return NULL;
}

static const fw_err *end(void *baton)
{
    told *t = baton;

    fuzz_want(t->open, "a part ends once");
    t->open = false;
    tell(t, "\0;", 2);
    return NULL;
}

/* `cut`: 0 the whole, 1 byte by byte, else a seed of sizes. */
static const fw_err *feed(told *t, const char *type, const uint8_t *body, size_t n, unsigned cut,
                          apr_pool_t *pool)
{
    const fw_multipart_limits limits = {4, 256, 64, 2048};
    const fw_multipart_sink sink = {begin, data_of, end, t};
    fw_multipart *m = NULL;
    const fw_err *err = fw_multipart_make(&m, type, &limits, &sink, pool);

    for (size_t at = 0; !err && at < n;) {
        size_t piece = cut == 0   ? n
                       : cut == 1 ? 1
                                  : 1 + (cut = cut * 1103515245u + 12345u) / 65536 % 23;
        char *copy;

        piece = piece < n - at ? piece : n - at;
        copy = malloc(piece);
        memcpy(copy, body + at, piece);
        err = fw_multipart_feed(m, copy, piece);
        free(copy);
        at += piece;
    }
    return err ? err : fw_multipart_finish(m);
}

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const uint8_t *line = n ? memchr(data, '\n', n) : NULL;
    const char *type =
        line ? apr_pstrmemdup(pool, (const char *)data, (size_t)(line - data)) : NULL;
    const uint8_t *body = line ? line + 1 : data;
    told first = {0};
    const fw_err *wanted = NULL;

    n -= (size_t)(body - data);
    for (unsigned cut = 0; cut < 5; cut++) {
        told t = {malloc(4 * n + 4096), 0, false};
        const fw_err *err = feed(&t, type, body, n, cut, pool);

        if (cut == 0) {
            first = t;
            wanted = err;
            continue;
        }
        fuzz_want(!err == !wanted, "any cutting has the same outcome");
        if (err)
            fuzz_want(err->code == wanted->code && strcmp(err->user_key, wanted->user_key) == 0 &&
                          !err->field == !wanted->field,
                      "any cutting has the same error");
        else
            fuzz_want(t.n == first.n && memcmp(t.text, first.text, t.n) == 0,
                      "any cutting has the same content");
        free(t.text);
    }
    free(first.text);
}
