#include "fw_config.h"
#include "fw_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <apr_strings.h>

static apr_status_t release(void *o)
{
    json_decref(o);
    return APR_SUCCESS;
}

json_t *fw_json_keep(json_t *o, apr_pool_t *pool)
{
    if (o)
        apr_pool_cleanup_register(pool, o, release, apr_pool_cleanup_null);
    return o;
}

json_t *fw_json_parse(const char *text, apr_pool_t *pool)
{
    return text ? fw_json_keep(json_loads(text, JSON_REJECT_DUPLICATES, NULL), pool) : NULL;
}

const char *fw_json_text(const json_t *o, size_t flags, apr_pool_t *pool)
{
    char *text = o ? json_dumps(o, flags) : NULL;
    const char *copy = text ? apr_pstrdup(pool, text) : NULL;

    free(text);
    return copy;
}

const fw_err *fw_json_save(const char *path, const json_t *o, apr_pool_t *pool)
{
    const char *fresh = apr_pstrcat(pool, path, ".new", NULL);

    if (json_dump_file(o, fresh, JSON_COMPACT) != 0 || rename(fresh, path) != 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "%s cannot be written", path);
    return NULL;
}
