/* A contract on the first line, and behind it a value for its first schema. What compiles must judge any value, twice
 * alike. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_schema.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

/* The name of the first schema. */
static const char *first_of(const char *path, apr_pool_t *pool)
{
    json_t *doc = json_load_file(path, 0, NULL);
    const char *name = json_object_iter_key(json_object_iter(json_object_get(doc, "$defs")));
    const char *copy = name ? apr_pstrdup(pool, name) : NULL;

    json_decref(doc);
    return copy;
}

static void judge(const fw_schema *s, const char *name, const char *text, size_t n,
                  apr_pool_t *pool)
{
    json_t *v = json_loadb(text, n, JSON_DECODE_ANY, NULL);
    const fw_err *a, *b;

    if (!v)
        return;
    a = fw_schema_check(s, name, v, pool);
    b = fw_schema_check(s, name, v, pool);
    fuzz_want(!a == !b && (!a || strcmp(a->msg, b->msg) == 0), "the same value, the same judgement");
    fuzz_want(!a || a->code == FW_E_INPUT || a->code == FW_E_LIMIT, "what is wrong is the value");
    json_decref(v);
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const char *end = memchr(data, '\n', n);
    size_t head = end ? (size_t)(end - (const char *)data) : n;
    const char *path = fuzz_file(data, head, pool);
    fw_schema *s = NULL;
    const fw_err *err = fw_schema_load(&s, path, pool);
    const char *name;

    if (err) {
        fuzz_want(err->code == FW_E_CONFIG && strstr(err->msg, path), "the error names the file");
        return;
    }
    name = first_of(path, pool);
    if (name && end)
        judge(s, name, end + 1, n - head - 1, pool);
}
