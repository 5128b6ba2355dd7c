#include "fw_config.h"
#include "fw_fields.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_urlencoded.h"

typedef struct into {
    json_t *fields;
    const char *lists;
    apr_pool_t *pool;
} into;

/* `name` may go before the error does. */
static const fw_err *wrong(const into *t, const char *name, const char *key)
{
    return fw_err_told(t->pool, FW_E_INPUT, apr_pstrdup(t->pool, name), key);
}

static bool may_repeat(const into *t, const char *name)
{
    return t->lists && !strchr(name, ',') &&
           strstr(t->lists, apr_pstrcat(t->pool, ",", name, ",", NULL));
}

static const fw_err *put_text(const into *t, const char *name, const char *value)
{
    json_t *have = json_object_get(t->fields, name);

    if (!may_repeat(t, name)) {
        if (have)
            return wrong(t, name, "body.repeated");
        json_object_set_new(t->fields, name, json_string(value));
        return NULL;
    }
    if (!have) {
        have = json_array();
        json_object_set_new(t->fields, name, have);
    }
    json_array_append_new(have, json_string(value));
    return NULL;
}

const fw_err *fw_fields_urlencoded(json_t *fields, const char *lists, const char *text,
                                   apr_size_t n, apr_pool_t *pool)
{
    const into t = {fields, lists, pool};
    apr_array_header_t *pairs = NULL;

    FW_TRY(fw_urlencoded_parse(&pairs, text, n, FW_PAIRS_MAX, pool));
    for (int i = 0; i < pairs->nelts; i++) {
        const fw_pair *p = &APR_ARRAY_IDX(pairs, i, fw_pair);

        FW_TRY(put_text(&t, p->name, p->value));
    }
    return NULL;
}

static const fw_err *put_json(const into *t, const char *name, json_t *v)
{
    json_t *one;
    size_t i;

    if (json_is_string(v))
        return put_text(t, name, json_string_value(v));
    if (json_is_integer(v))
        return put_text(
            t, name,
            apr_psprintf(t->pool, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(v)));
    if (json_is_boolean(v))
        return put_text(t, name, json_is_true(v) ? "yes" : "");
    if (!json_is_array(v) || !may_repeat(t, name))
        return wrong(t, name, "body.type");
    json_array_foreach(v, i, one)
    {
        if (!json_is_string(one))
            return wrong(t, name, "body.type");
        FW_TRY(put_text(t, name, json_string_value(one)));
    }
    return NULL;
}

const fw_err *fw_fields_json(json_t *fields, const char *lists, const char *text, apr_size_t n,
                             apr_pool_t *pool)
{
    const into t = {fields, lists, pool};
    json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL), *v;
    const fw_err *err = NULL;
    const char *name;

    if (!json_is_object(o)) {
        json_decref(o);
        return wrong(&t, NULL, "body.malformed");
    }
    json_object_foreach(o, name, v)
    {
        if (!err)
            err = put_json(&t, name, v);
    }
    json_decref(o);
    return err;
}
