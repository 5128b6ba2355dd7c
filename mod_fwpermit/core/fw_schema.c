#include "fw_config.h"
#include "fw_schema_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_file.h"
#include "fw_json.h"

#define REF_PREFIX "#/$defs/"

/* One schema on its way from JSON to a node. */
typedef struct draft {
    fw_schema *s;
    fw_node *node;
    const char *place; /* JSON pointer */
    int depth;
} draft;

static const fw_err *compile(fw_schema *s, fw_node *node, const json_t *from, const char *place,
                             int depth);

static const fw_err *fault(const draft *d, const char *word, const char *why)
{
    return FW_ERR(d->s->pool, FW_E_CONFIG, 0, "%s: %s/%s: %s", d->s->path, d->place, word, why);
}

static const fw_err *new_node(const draft *d, const char *word, fw_node **out)
{
    if (d->s->n_nodes >= FW_SCHEMA_NODES_MAX)
        return fault(d, word, "too many schemas");
    d->s->n_nodes++;
    *out = apr_pcalloc(d->s->pool, sizeof(**out));
    return NULL;
}

/* A schema within a schema, at `word`. */
static const fw_err *inner(const draft *d, const char *word, const json_t *from, fw_node **out)
{
    FW_TRY(new_node(d, word, out));
    return compile(d->s, *out, from, apr_pstrcat(d->s->pool, d->place, "/", word, NULL),
                   d->depth + 1);
}

static const fw_err *inner_list(const draft *d, const char *word, const json_t *from,
                                fw_node_list *out)
{
    size_t n = json_array_size(from);

    if (n == 0)
        return fault(d, word, "is no list of schemas");
    out->at = apr_pcalloc(d->s->pool, n * sizeof(fw_node *));
    for (out->n = 0; out->n < n; out->n++)
        FW_TRY(inner(d, apr_psprintf(d->s->pool, "%s/%" APR_SIZE_T_FMT, word, out->n),
                     json_array_get(from, out->n), &out->at[out->n]));
    return NULL;
}

/* ---- one function for each keyword ---- */

static const fw_err *take_ref(const draft *d, const char *word, const json_t *v)
{
    const char *to = json_string_value(v);
    const size_t n = sizeof(REF_PREFIX) - 1;

    if (!to || strncmp(to, REF_PREFIX, n) != 0)
        return fault(d, word, "is not #/$defs/NAME");
    d->node->ref = fw_schema_find(d->s, to + n);
    return d->node->ref ? NULL : fault(d, word, apr_pstrcat(d->s->pool, to, " is not there", NULL));
}

static unsigned type_bit(const char *name)
{
    static const char *const names[] = {"null",   "boolean", "integer", "number",
                                        "string", "array",   "object"};

    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return 1U << i;
    return 0;
}

static const fw_err *take_type(const draft *d, const char *word, const json_t *v)
{
    size_t i;
    json_t *one;

    d->node->types = type_bit(json_string_value(v));
    json_array_foreach(v, i, one)
    {
        if (!type_bit(json_string_value(one)))
            return fault(d, word, "is not known");
        d->node->types |= type_bit(json_string_value(one));
    }
    return d->node->types ? NULL : fault(d, word, "is not known");
}

static const fw_err *take_enum(const draft *d, const char *word, const json_t *v)
{
    d->node->one_of_values = v;
    return json_array_size(v) > 0 ? NULL : fault(d, word, "is no list of values");
}

static const fw_err *take_const(const draft *d, const char *word, const json_t *v)
{
    (void)word;
    d->node->value = v;
    return NULL;
}

static const fw_err *take_required(const draft *d, const char *word, const json_t *v)
{
    size_t i;
    json_t *one;

    if (!json_is_array(v))
        return fault(d, word, "is no list of names");
    json_array_foreach(v, i, one)
    {
        if (!json_is_string(one))
            return fault(d, word, "is no list of names");
    }
    d->node->required = v;
    return NULL;
}

static const fw_err *take_properties(const draft *d, const char *word, const json_t *v)
{
    const char *name;
    json_t *from;
    size_t i = 0;

    if (!json_is_object(v))
        return fault(d, word, "is no object");
    d->node->names = v;
    d->node->properties = apr_pcalloc(d->s->pool, (json_object_size(v) + 1) * sizeof(fw_node *));
    json_object_foreach((json_t *)v, name, from)
    {
        const char *at = apr_pstrcat(d->s->pool, word, "/", name, NULL);

        FW_TRY(inner(d, at, from, &d->node->properties[i]));
        i++;
    }
    return NULL;
}

static const fw_err *take_others(const draft *d, const char *word, const json_t *v)
{
    return inner(d, word, v, &d->node->others);
}

static const fw_err *take_items(const draft *d, const char *word, const json_t *v)
{
    return inner(d, word, v, &d->node->items);
}

static const fw_err *take_first(const draft *d, const char *word, const json_t *v)
{
    return inner_list(d, word, v, &d->node->first);
}

static const fw_err *take_unique(const draft *d, const char *word, const json_t *v)
{
    d->node->unique = json_is_true(v);
    return json_is_boolean(v) ? NULL : fault(d, word, "is neither true nor false");
}

static const fw_err *take_least(const draft *d, const char *word, const json_t *v, fw_range *r)
{
    r->has_least = true;
    r->least = json_integer_value(v);
    return json_is_integer(v) ? NULL : fault(d, word, "is no integer");
}

static const fw_err *take_most(const draft *d, const char *word, const json_t *v, fw_range *r)
{
    r->has_most = true;
    r->most = json_integer_value(v);
    return json_is_integer(v) ? NULL : fault(d, word, "is no integer");
}

static const fw_err *take_min_items(const draft *d, const char *word, const json_t *v)
{
    return take_least(d, word, v, &d->node->n_items);
}

static const fw_err *take_max_items(const draft *d, const char *word, const json_t *v)
{
    return take_most(d, word, v, &d->node->n_items);
}

static const fw_err *take_min_length(const draft *d, const char *word, const json_t *v)
{
    return take_least(d, word, v, &d->node->length);
}

static const fw_err *take_max_length(const draft *d, const char *word, const json_t *v)
{
    return take_most(d, word, v, &d->node->length);
}

static const fw_err *take_minimum(const draft *d, const char *word, const json_t *v)
{
    return take_least(d, word, v, &d->node->number);
}

static const fw_err *take_maximum(const draft *d, const char *word, const json_t *v)
{
    return take_most(d, word, v, &d->node->number);
}

static apr_status_t free_pattern(void *code)
{
    pcre2_code_free(code);
    return APR_SUCCESS;
}

static const fw_err *take_pattern(const draft *d, const char *word, const json_t *v)
{
    const uint32_t options =
        PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    PCRE2_UCHAR why[128] = "";
    PCRE2_SIZE at = 0;
    int code = 0;

    if (!json_is_string(v))
        return fault(d, word, "is no text");
    d->node->pattern = pcre2_compile((PCRE2_SPTR)json_string_value(v), json_string_length(v),
                                     options, &code, &at, NULL);
    if (!d->node->pattern) {
        pcre2_get_error_message(code, why, sizeof(why));
        return fault(d, word, apr_psprintf(d->s->pool, "character %d: %s", (int)at, (char *)why));
    }
    apr_pool_cleanup_register(d->s->pool, d->node->pattern, free_pattern, apr_pool_cleanup_null);
    return NULL;
}

static const fw_err *take_any(const draft *d, const char *word, const json_t *v)
{
    return inner_list(d, word, v, &d->node->any);
}

static const fw_err *take_one(const draft *d, const char *word, const json_t *v)
{
    return inner_list(d, word, v, &d->node->one);
}

static const fw_err *take_all(const draft *d, const char *word, const json_t *v)
{
    return inner_list(d, word, v, &d->node->all);
}

static const fw_err *take_if(const draft *d, const char *word, const json_t *v)
{
    return inner(d, word, v, &d->node->condition);
}

static const fw_err *take_then(const draft *d, const char *word, const json_t *v)
{
    return inner(d, word, v, &d->node->then);
}

static const fw_err *take_else(const draft *d, const char *word, const json_t *v)
{
    return inner(d, word, v, &d->node->otherwise);
}

/* NULL: a word for people. */
static const struct {
    const char *word;
    const fw_err *(*take)(const draft *d, const char *word, const json_t *v);
} keywords[] = {
    {"$ref", take_ref},
    {"type", take_type},
    {"enum", take_enum},
    {"const", take_const},
    {"required", take_required},
    {"properties", take_properties},
    {"additionalProperties", take_others},
    {"items", take_items},
    {"prefixItems", take_first},
    {"minItems", take_min_items},
    {"maxItems", take_max_items},
    {"uniqueItems", take_unique},
    {"minLength", take_min_length},
    {"maxLength", take_max_length},
    {"minimum", take_minimum},
    {"maximum", take_maximum},
    {"pattern", take_pattern},
    {"anyOf", take_any},
    {"oneOf", take_one},
    {"allOf", take_all},
    {"if", take_if},
    {"then", take_then},
    {"else", take_else},
    {"description", NULL},
    {"examples", NULL},
};

static const fw_err *take_word(const draft *d, const char *word, const json_t *v)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strcmp(keywords[i].word, word) == 0)
            return keywords[i].take ? keywords[i].take(d, word, v) : NULL;
    }
    return fault(d, word, "the keyword is not known");
}

static const fw_err *compile(fw_schema *s, fw_node *node, const json_t *from, const char *place,
                             int depth)
{
    draft d = {.s = s, .node = node, .place = place, .depth = depth};
    const char *word;
    json_t *value;

    if (depth > FW_SCHEMA_DEPTH_MAX)
        return FW_ERR(s->pool, FW_E_CONFIG, 0, "%s: %s: schemas too deep", s->path, place);
    node->never = json_is_false(from);
    if (json_is_boolean(from))
        return NULL;
    if (!json_is_object(from))
        return FW_ERR(s->pool, FW_E_CONFIG, 0, "%s: %s: is no schema", s->path, place);
    json_object_foreach((json_t *)from, word, value) FW_TRY(take_word(&d, word, value));
    return NULL;
}

/* ---- circles ---- */

static bool list_is_straight(const fw_node_list *list, int depth);

/* Whether no way through references leads back to the node, or too far. */
static bool is_straight(fw_node *n, int depth)
{
    bool good;

    if (!n || n->done)
        return true;
    if (n->seen || depth > FW_SCHEMA_DEPTH_MAX)
        return false;
    n->seen = true;
    good = is_straight(n->ref, depth + 1) && is_straight(n->others, depth + 1) &&
           is_straight(n->items, depth + 1) && is_straight(n->condition, depth + 1) &&
           is_straight(n->then, depth + 1) && is_straight(n->otherwise, depth + 1) &&
           list_is_straight(&n->first, depth) && list_is_straight(&n->any, depth) &&
           list_is_straight(&n->one, depth) && list_is_straight(&n->all, depth);
    for (size_t i = 0; good && i < json_object_size(n->names); i++)
        good = is_straight(n->properties[i], depth + 1);
    n->seen = false;
    n->done = good;
    return good;
}

static bool list_is_straight(const fw_node_list *list, int depth)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!is_straight(list->at[i], depth + 1))
            return false;
    }
    return true;
}

/* ---- the file ---- */

fw_node *fw_schema_find(const fw_schema *s, const char *name)
{
    const char *key;
    json_t *value;
    size_t i = 0;

    json_object_foreach((json_t *)s->defs, key, value)
    {
        if (strcmp(key, name) == 0)
            return s->nodes[i];
        i++;
    }
    return NULL;
}

static const fw_err *check_top(const fw_schema *s)
{
    static const char *const known[] = {"$schema", "$id", "title", "description", "$defs"};
    const char *word;
    json_t *value;

    json_object_foreach(s->doc, word, value)
    {
        bool good = false;

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            good = good || strcmp(word, known[i]) == 0;
        if (!good)
            return FW_ERR(s->pool, FW_E_CONFIG, 0, "%s: /%s: is not known there", s->path, word);
    }
    if (!json_is_object(s->defs))
        return FW_ERR(s->pool, FW_E_CONFIG, 0, "%s: /$defs: is missing", s->path);
    return NULL;
}

static const fw_err *compile_all(fw_schema *s)
{
    size_t n = json_object_size(s->defs), i = 0;
    const char *name;
    json_t *from;

    s->nodes = apr_pcalloc(s->pool, (n + 1) * sizeof(fw_node *));
    s->n_nodes = n;
    for (i = 0; i < n; i++)
        s->nodes[i] = apr_pcalloc(s->pool, sizeof(fw_node));
    i = 0;
    json_object_foreach((json_t *)s->defs, name, from)
    {
        const char *place = apr_pstrcat(s->pool, "/$defs/", name, NULL);

        FW_TRY(compile(s, s->nodes[i], from, place, 0));
        i++;
    }
    for (i = 0; i < n; i++) {
        if (!is_straight(s->nodes[i], 0))
            return FW_ERR(s->pool, FW_E_CONFIG, 0,
                          "%s: /$defs: references go in a circle or too deep", s->path);
    }
    return NULL;
}

const fw_err *fw_schema_load(fw_schema **out, const char *path, apr_pool_t *pool)
{
    fw_schema *s = apr_pcalloc(pool, sizeof(*s));
    json_error_t why;
    apr_size_t n;
    char *text;

    s->path = apr_pstrdup(pool, path);
    s->pool = pool;
    FW_TRY(fw_file_read(&text, &n, path, FW_SCHEMA_FILE_MAX, pool));
    s->doc = fw_json_keep(json_loadb(text, n, JSON_REJECT_DUPLICATES, &why), pool);
    if (!s->doc)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:%d: %s", path, why.line, why.text);
    s->defs = json_object_get(s->doc, "$defs");
    FW_TRY(check_top(s));
    FW_TRY(compile_all(s));
    *out = s;
    return NULL;
}
