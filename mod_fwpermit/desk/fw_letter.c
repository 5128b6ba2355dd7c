#include "fw_config.h"
#include "fw_letter.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_json.h"

#define HIDDEN   "***"
#define ID_LEAST 10 /* digits of an identity */
#define ID_MOST  19

typedef enum mask_e { MASK_NOT, MASK_SHORT, MASK_WHOLE } mask_e;

/* A leaf of the payload and where it hangs. */
typedef struct leaf {
    const char *name;
    json_t *value, *parent;
    const char *key; /* in an object; NULL: in a list, at index */
    size_t index;
    mask_e mask;
} leaf;

/* ---- what is masked ---- */

static bool has_any(const char *name, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasestr(name, parts[i]))
            return true;
    }
    return false;
}

/* "pin", "card_pin", "pin2"; not "shipping". */
static bool has_pin(const char *name)
{
    for (const char *at = strcasestr(name, "pin"); at; at = strcasestr(at + 3, "pin")) {
        if ((at == name || !apr_isalpha(at[-1])) && !apr_isalpha(at[3]))
            return true;
    }
    return false;
}

static mask_e mask_of(const char *name)
{
    static const char *const secret[] = {"password", "passwd",     "secret",        "token",
                                         "hash_key", "hashkey",    "hash_iv",       "hashiv",
                                         "api_key",  "credential", "authorization", "checkmac",
                                         "passport", "code",       "card",          "private"};
    static const char *const personal[] = {"name",  "mail",    "phone", "mobile",
                                           "birth", "address", "id_no", "national_id"};

    if (has_any(name, secret, sizeof(secret) / sizeof(secret[0])) || has_pin(name))
        return MASK_WHOLE;
    if (has_any(name, personal, sizeof(personal) / sizeof(personal[0])))
        return MASK_SHORT;
    return MASK_NOT;
}

static const char *first_char(const char *text, apr_pool_t *pool)
{
    apr_size_t n = 1;

    while (((unsigned char)text[n] & 0xc0) == 0x80)
        n++;
    return apr_pstrmemdup(pool, text, n);
}

/* "l***@e***" of an e-mail address, "陳***" of a name. */
static const char *shorten(const char *text, apr_pool_t *pool)
{
    const char *at = strchr(text, '@');

    if (!*text)
        return "";
    if (at && at > text && at[1])
        return apr_pstrcat(pool, first_char(text, pool), HIDDEN "@", first_char(at + 1, pool),
                           HIDDEN, NULL);
    return apr_pstrcat(pool, first_char(text, pool), HIDDEN, NULL);
}

static const char *text_of(const json_t *v, apr_pool_t *pool)
{
    const char *text;

    if (json_is_string(v))
        return apr_pstrdup(pool, json_string_value(v));
    if (json_is_null(v))
        return "";
    text = fw_json_text(v, JSON_ENCODE_ANY, pool);
    return text ? text : "";
}

static const char *shown(const leaf *l, apr_pool_t *pool)
{
    const char *text = text_of(l->value, pool);

    if (l->mask == MASK_NOT || !*text)
        return text;
    return l->mask == MASK_SHORT && json_is_string(l->value) ? shorten(text, pool) : HIDDEN;
}

/* ---- leaves ---- */

static const char *path_to(const char *path, const char *name, apr_pool_t *pool)
{
    return *path ? apr_pstrcat(pool, path, ".", name, NULL) : apr_pstrdup(pool, name);
}

/* What hangs under a masked name is masked, too. Depth is bounded by jansson's own limit. */
static void collect(apr_array_header_t *list, const leaf *here, apr_pool_t *pool)
{
    const char *key;
    json_t *member;
    size_t i;

    if (!json_is_object(here->value) && !json_is_array(here->value)) {
        APR_ARRAY_PUSH(list, leaf) = *here;
        return;
    }
    json_object_foreach(here->value, key, member)
    {
        mask_e own = mask_of(key);
        leaf l = {path_to(here->name, key, pool), member, here->value,
                  apr_pstrdup(pool, key),         0,      own > here->mask ? own : here->mask};

        collect(list, &l, pool);
    }
    json_array_foreach(here->value, i, member)
    {
        const char *n = apr_psprintf(pool, "%" APR_SIZE_T_FMT, i);
        leaf l = {path_to(here->name, n, pool), member, here->value, NULL, i, here->mask};

        collect(list, &l, pool);
    }
}

static apr_array_header_t *leaves_of(json_t *payload, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(leaf));
    leaf root = {.name = "", .value = payload};

    if (json_is_object(payload))
        collect(list, &root, pool);
    return list;
}

static void replace(const leaf *l, json_t *value)
{
    if (l->key)
        json_object_set_new(l->parent, l->key, value);
    else
        json_array_set_new(l->parent, l->index, value);
}

/* ---- showing ---- */

json_t *fw_letter_masked(const char *payload, apr_pool_t *pool)
{
    json_t *o = json_loads(payload, JSON_REJECT_DUPLICATES, NULL);
    const apr_array_header_t *leaves = leaves_of(o, pool);

    if (!json_is_object(o)) {
        json_decref(o);
        return json_null();
    }
    for (int i = 0; i < leaves->nelts; i++) {
        const leaf *l = &APR_ARRAY_IDX(leaves, i, leaf);

        if (l->mask != MASK_NOT && !json_is_null(l->value))
            replace(l, json_string(shown(l, pool)));
    }
    return o;
}

apr_array_header_t *fw_letter_members(const char *payload, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(fw_member));
    json_t *o = json_loads(payload, JSON_REJECT_DUPLICATES, NULL);
    const apr_array_header_t *leaves = leaves_of(o, pool);

    for (int i = 0; i < leaves->nelts && i < FW_LETTER_MEMBERS; i++) {
        const leaf *l = &APR_ARRAY_IDX(leaves, i, leaf);

        APR_ARRAY_PUSH(list, fw_member) = (fw_member){l->name, shown(l, pool), l->mask != MASK_NOT};
    }
    json_decref(o);
    return list;
}

/* ---- mending ---- */

static const leaf *find(const apr_array_header_t *leaves, const char *name)
{
    for (int i = 0; i < leaves->nelts && i < FW_LETTER_MEMBERS; i++) {
        if (strcmp(APR_ARRAY_IDX(leaves, i, leaf).name, name) == 0)
            return &APR_ARRAY_IDX(leaves, i, leaf);
    }
    return NULL;
}

/* A new value of the old one's type, or NULL. What was null may become a text. */
static json_t *typed(const json_t *old, const char *text)
{
    json_t *v;

    if (json_is_string(old) || json_is_null(old))
        return json_string(text);
    v = json_loads(text, JSON_DECODE_ANY, NULL);
    if (v &&
        ((json_is_integer(old) && json_is_integer(v)) || (json_is_real(old) && json_is_number(v)) ||
         (json_is_boolean(old) && json_is_boolean(v))))
        return v;
    json_decref(v);
    return NULL;
}

static void refuse(apr_array_header_t *problems, const char *name, const char *key,
                   apr_pool_t *pool)
{
    APR_ARRAY_PUSH(problems, fw_refusal) = (fw_refusal){apr_pstrdup(pool, name), key, NULL};
}

/* An identity of ours, which is nobody's secret. */
static bool is_id(const char *text)
{
    size_t n = strlen(text);

    return n >= ID_LEAST && n <= ID_MOST && strspn(text, "0123456789") == n;
}

/* What the trail is told of a change: the name alone, but of an identity, which says what the letter is about, also from
 * what to what. */
static const char *change(const leaf *l, const char *to, apr_pool_t *pool)
{
    const char *from = text_of(l->value, pool);

    if (l->mask != MASK_NOT || !is_id(from))
        return l->name;
    return apr_pstrcat(pool, l->name, ": ", from, " > ", is_id(to) ? to : "?", NULL);
}

void fw_letter_mended(const char *payload, const json_t *fields, const char **mended,
                      apr_array_header_t **names, apr_array_header_t **problems, apr_pool_t *pool)
{
    json_t *o = json_loads(payload, JSON_REJECT_DUPLICATES, NULL), *text;
    const apr_array_header_t *leaves = leaves_of(o, pool);
    const char *name;

    *names = apr_array_make(pool, 4, sizeof(const char *));
    *problems = apr_array_make(pool, 2, sizeof(fw_refusal));
    json_object_foreach((json_t *)(uintptr_t)fields, name, text)
    {
        const char *to = json_string_value(text);
        const leaf *l = find(leaves, name);
        json_t *value;

        if (!l || !to) {
            refuse(*problems, name, "letter.no_member", pool);
            continue;
        }
        if (strcmp(to, shown(l, pool)) == 0)
            continue;
        value = typed(l->value, to);
        if (!value) {
            refuse(*problems, name, "letter.other_type", pool);
            continue;
        }
        APR_ARRAY_PUSH(*names, const char *) = change(l, to, pool);
        replace(l, value);
    }
    *mended = (*problems)->nelts ? NULL : text_of(o, pool);
    json_decref(o);
}
