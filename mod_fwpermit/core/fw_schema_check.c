#include "fw_config.h"
#include "fw_schema_int.h"

#include <string.h>

#include <apr_strings.h>

#define NAME_BYTES    64 /* of a name that a message quotes */
#define MATCH_LIMIT   4000000
#define MATCH_HEAP_KB 32768

/* The way to where we are, innermost first. */
typedef struct step {
    const struct step *up;
    const char *name; /* NULL: an item */
    size_t index;
} step;

typedef struct check {
    apr_pool_t *pool;
    int steps;
    bool quiet; /* only whether, not why */
} check;

static const fw_err wrong = {.code = FW_E_INPUT, .msg = "wrong"};

static const fw_err *hold(check *c, const fw_node *n, const json_t *v, const step *at, int depth);

/* ---- what is said ---- */

/* A name from outside, fit for a line: cut, without controls, escaped for a JSON pointer. */
static const char *clean(const check *c, const char *name)
{
    char *out = apr_palloc(c->pool, 2 * NAME_BYTES + 1);
    size_t n = 0;

    for (size_t i = 0; name[i] && i < NAME_BYTES; i++) {
        unsigned char b = (unsigned char)name[i];

        if (b == '~' || b == '/')
            out[n++] = '~';
        out[n++] = (char)(b == '~' ? '0' : b == '/' ? '1' : b < 0x20 || b > 0x7e ? '?' : b);
    }
    out[n] = '\0';
    return out;
}

static const char *pointer(const check *c, const step *at)
{
    const char *out = "";

    for (; at; at = at->up)
        out = at->name ? apr_pstrcat(c->pool, "/", clean(c, at->name), out, NULL)
                       : apr_psprintf(c->pool, "/%" APR_SIZE_T_FMT "%s", at->index, out);
    return out;
}

static const fw_err *fail(const check *c, const step *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static const fw_err *fail(const check *c, const step *at, const char *fmt, ...)
{
    const char *where;
    fw_err *err;
    va_list args;

    if (c->quiet)
        return &wrong;
    where = pointer(c, at);
    va_start(args, fmt);
    err = apr_pmemdup(c->pool,
                      FW_ERR(c->pool, FW_E_INPUT, 0, "%s: %s", *where ? where : "/",
                             apr_pvsprintf(c->pool, fmt, args)),
                      sizeof(*err));
    va_end(args);
    err->field = where;
    return err;
}

/* ---- rules ---- */

static bool is_valid(check *c, const fw_node *n, const json_t *v, const step *at, int depth)
{
    bool before = c->quiet;
    const fw_err *err;

    c->quiet = true;
    err = hold(c, n, v, at, depth);
    c->quiet = before;
    return !err;
}

static unsigned type_of(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_NULL:
        return FW_T_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return FW_T_BOOLEAN;
    case JSON_INTEGER:
        return FW_T_INTEGER | FW_T_NUMBER;
    case JSON_REAL:
        return FW_T_NUMBER;
    case JSON_STRING:
        return FW_T_STRING;
    case JSON_ARRAY:
        return FW_T_ARRAY;
    case JSON_OBJECT:
        return FW_T_OBJECT;
    }
    return 0;
}

static bool holds_value(const json_t *list, const json_t *v)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (json_equal(one, v))
            return true;
    }
    return false;
}

static const fw_err *hold_range(const check *c, const fw_range *r, json_int_t n, const char *least,
                                const char *most, const step *at)
{
    if (r->has_least && n < r->least)
        return fail(c, at, "%s %" APR_INT64_T_FMT, least, (apr_int64_t)r->least);
    if (r->has_most && n > r->most)
        return fail(c, at, "%s %" APR_INT64_T_FMT, most, (apr_int64_t)r->most);
    return NULL;
}

static const fw_err *hold_number(const check *c, const fw_node *n, const json_t *v, const step *at)
{
    double x = json_number_value(v);

    if (json_is_integer(v))
        return hold_range(c, &n->number, json_integer_value(v), "minimum", "maximum", at);
    if (n->number.has_least && x < (double)n->number.least)
        return fail(c, at, "minimum");
    if (n->number.has_most && x > (double)n->number.most)
        return fail(c, at, "maximum");
    return NULL;
}

static bool matches(const fw_node *n, const json_t *v, bool *costly)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(n->pattern, NULL);
    int rc;

    pcre2_set_match_limit(limits, MATCH_LIMIT);
    pcre2_set_heap_limit(limits, MATCH_HEAP_KB);
    rc = pcre2_match(n->pattern, (PCRE2_SPTR)json_string_value(v), json_string_length(v), 0, 0,
                     data, limits);
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    *costly = rc < 0 && rc != PCRE2_ERROR_NOMATCH;
    return rc >= 0;
}

static json_int_t characters(const json_t *v)
{
    const char *text = json_string_value(v);
    json_int_t n = 0;

    for (size_t i = 0; i < json_string_length(v); i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

static const fw_err *hold_string(const check *c, const fw_node *n, const json_t *v, const step *at)
{
    bool costly = false;

    if (n->length.has_least || n->length.has_most)
        FW_TRY(hold_range(c, &n->length, characters(v), "minLength", "maxLength", at));
    if (!n->pattern || matches(n, v, &costly))
        return NULL;
    return fail(c, at, costly ? "pattern: too costly" : "pattern");
}

static const fw_err *hold_unique(check *c, const json_t *v, const step *at)
{
    for (size_t i = 0; i < json_array_size(v); i++) {
        for (size_t j = 0; j < i; j++) {
            if (++c->steps > FW_SCHEMA_STEPS_MAX)
                return fail(c, at, "too much work");
            if (json_equal(json_array_get(v, i), json_array_get(v, j)))
                return fail(c, at, "uniqueItems");
        }
    }
    return NULL;
}

static const fw_err *hold_array(check *c, const fw_node *n, const json_t *v, const step *at,
                                int depth)
{
    size_t i;
    json_t *one;

    FW_TRY(hold_range(c, &n->n_items, (json_int_t)json_array_size(v), "minItems", "maxItems", at));
    json_array_foreach(v, i, one)
    {
        step here = {.up = at, .index = i};
        const fw_node *rule = i < n->first.n ? n->first.at[i] : n->items;

        if (rule)
            FW_TRY(hold(c, rule, one, &here, depth + 1));
    }
    return n->unique ? hold_unique(c, v, at) : NULL;
}

static const fw_err *hold_others(check *c, const fw_node *n, const json_t *v, const step *at,
                                 int depth)
{
    const char *name;
    json_t *one;

    json_object_foreach((json_t *)v, name, one)
    {
        step here = {.up = at, .name = name};

        if (json_object_get(n->names, name))
            continue;
        if (n->others->never)
            return fail(c, &here, "additionalProperties");
        FW_TRY(hold(c, n->others, one, &here, depth + 1));
    }
    return NULL;
}

static const fw_err *hold_object(check *c, const fw_node *n, const json_t *v, const step *at,
                                 int depth)
{
    const char *name;
    json_t *one;
    size_t i = 0;

    json_array_foreach(n->required, i, one)
    {
        if (!json_object_get(v, json_string_value(one)))
            return fail(c, at, "required: %s", clean(c, json_string_value(one)));
    }
    i = 0;
    json_object_foreach((json_t *)n->names, name, one)
    {
        step here = {.up = at, .name = name};
        const json_t *member = json_object_get(v, name);

        if (member)
            FW_TRY(hold(c, n->properties[i], member, &here, depth + 1));
        i++;
    }
    return n->others ? hold_others(c, n, v, at, depth) : NULL;
}

/* ---- schemas in a schema ---- */

static size_t count_valid(check *c, const fw_node_list *list, const json_t *v, const step *at,
                          int depth)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++)
        n += is_valid(c, list->at[i], v, at, depth);
    return n;
}

static const fw_err *hold_lists(check *c, const fw_node *n, const json_t *v, const step *at,
                                int depth)
{
    for (size_t i = 0; i < n->all.n; i++)
        FW_TRY(hold(c, n->all.at[i], v, at, depth));
    if (n->any.n && count_valid(c, &n->any, v, at, depth) == 0)
        return fail(c, at, "anyOf");
    if (n->one.n && count_valid(c, &n->one, v, at, depth) != 1)
        return fail(c, at, "oneOf");
    return NULL;
}

static const fw_err *hold_condition(check *c, const fw_node *n, const json_t *v, const step *at,
                                    int depth)
{
    const fw_node *next = is_valid(c, n->condition, v, at, depth) ? n->then : n->otherwise;

    return next ? hold(c, next, v, at, depth) : NULL;
}

static const fw_err *hold_kind(check *c, const fw_node *n, const json_t *v, const step *at,
                               int depth)
{
    if (json_is_number(v))
        return hold_number(c, n, v, at);
    if (json_is_string(v))
        return hold_string(c, n, v, at);
    if (json_is_array(v))
        return hold_array(c, n, v, at, depth);
    return json_is_object(v) ? hold_object(c, n, v, at, depth) : NULL;
}

static const fw_err *hold(check *c, const fw_node *n, const json_t *v, const step *at, int depth)
{
    if (++c->steps > FW_SCHEMA_STEPS_MAX || depth > FW_SCHEMA_VALUE_MAX)
        return fail(c, at, "too much work");
    if (n->never)
        return fail(c, at, "false");
    if (n->types && !(n->types & type_of(v)))
        return fail(c, at, "type");
    if (n->one_of_values && !holds_value(n->one_of_values, v))
        return fail(c, at, "enum");
    if (n->value && !json_equal(n->value, v))
        return fail(c, at, "const");
    if (n->ref)
        FW_TRY(hold(c, n->ref, v, at, depth));
    FW_TRY(hold_kind(c, n, v, at, depth));
    FW_TRY(hold_lists(c, n, v, at, depth));
    return n->condition ? hold_condition(c, n, v, at, depth) : NULL;
}

const fw_err *fw_schema_check(const fw_schema *schema, const char *name, const json_t *value,
                              apr_pool_t *pool)
{
    check c = {.pool = pool};
    const fw_node *n = fw_schema_find(schema, name);
    const fw_err *err;

    if (!n)
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "%s has no %s", schema->path, name);
    err = hold(&c, n, value, NULL, 0);
    if (c.steps > FW_SCHEMA_STEPS_MAX)
        return FW_ERR(pool, FW_E_LIMIT, 0, "the value takes too much work");
    return err;
}
