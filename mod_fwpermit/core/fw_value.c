#include "fw_config.h"
#include "fw_value.h"

#include <stdarg.h>

#include <apr_strings.h>

#define FIRST_ROOM 8

typedef struct member {
    const char *name;
    uint32_t n, tag;
    fw_value value;
} member;

struct fw_members {
    apr_pool_t *pool;
    int n, room;
    member *of;
};

struct fw_items {
    apr_pool_t *pool;
    int n, room;
    fw_value *of;
};

fw_value fw_object(apr_pool_t *pool)
{
    fw_value v = {.kind = FW_OBJECT};

    v.as.members = apr_pcalloc(pool, sizeof(*v.as.members));
    v.as.members->pool = pool;
    return v;
}

fw_value fw_list(apr_pool_t *pool)
{
    fw_value v = {.kind = FW_LIST};

    v.as.items = apr_pcalloc(pool, sizeof(*v.as.items));
    v.as.items->pool = pool;
    return v;
}

/* Room for one more of `size` bytes behind the `n` of `old`. */
static void *make_room(void *old, int n, int *room, size_t size, apr_pool_t *pool)
{
    void *more;

    if (n < *room)
        return old;
    *room = *room ? *room * 2 : FIRST_ROOM;
    more = apr_palloc(pool, size * (size_t)*room);
    if (n)
        memcpy(more, old, size * (size_t)n);
    return more;
}

/* ---- objects ---- */

static member *find(const struct fw_members *all, const char *name, size_t n, uint32_t tag)
{
    for (int i = 0; i < all->n; i++) {
        member *m = &all->of[i];

        if (m->tag == tag && m->n == n && memcmp(m->name, name, n) == 0)
            return m;
    }
    return NULL;
}

void fw_put(fw_value o, const char *name, size_t n, uint32_t tag, fw_value v)
{
    member *m;

    if (o.kind != FW_OBJECT || v.kind == FW_ABSENT)
        return;
    m = find(o.as.members, name, n, tag);
    if (!m) {
        struct fw_members *all = o.as.members;

        all->of = make_room(all->of, all->n, &all->room, sizeof(*m), all->pool);
        m = &all->of[all->n++];
        *m = (member){.name = name, .n = (uint32_t)n, .tag = tag};
    }
    m->value = v;
}

void fw_unset(fw_value o, const char *name)
{
    size_t n = strlen(name);
    struct fw_members *all = o.as.members;
    member *m = o.kind == FW_OBJECT ? find(all, name, n, fw_name_tag(name, n)) : NULL;

    if (!m)
        return;
    memmove(m, m + 1, sizeof(*m) * (size_t)(all->of + all->n - m - 1));
    all->n--;
}

fw_value fw_get_tagged(fw_value o, const char *name, size_t n, uint32_t tag)
{
    const member *m = o.kind == FW_OBJECT ? find(o.as.members, name, n, tag) : NULL;

    return m ? m->value : fw_kind(FW_ABSENT);
}

fw_value fw_get(fw_value o, const char *name)
{
    size_t n = strlen(name);

    return fw_get_tagged(o, name, n, fw_name_tag(name, n));
}

const char *fw_member_at(fw_value o, int i, fw_value *v)
{
    if (o.kind != FW_OBJECT || i >= o.as.members->n)
        return NULL;
    *v = o.as.members->of[i].value;
    return o.as.members->of[i].name;
}

static fw_value pack_members(apr_pool_t *pool, const char **format, va_list *ap)
{
    fw_value o = fw_object(pool);

    for ((*format)++; **format && **format != '}'; (*format)++) {
        const char *name;

        if (**format != 's')
            continue;
        name = va_arg(*ap, const char *);
        *format += strlen("s:");
        switch (**format) {
        case 's':
            fw_set(o, name, fw_text(va_arg(*ap, const char *)));
            break;
        case 'i':
            fw_set(o, name, fw_number(va_arg(*ap, int)));
            break;
        case 'I':
            fw_set(o, name, fw_number(va_arg(*ap, int64_t)));
            break;
        case 'b':
            fw_set(o, name, fw_bool(va_arg(*ap, int)));
            break;
        case 'n':
            fw_set(o, name, fw_null());
            break;
        case '{':
            fw_set(o, name, pack_members(pool, format, ap));
            break;
        default:
            fw_set(o, name, va_arg(*ap, fw_value));
            break;
        }
    }
    return o;
}

fw_value fw_pack(apr_pool_t *pool, const char *format, ...)
{
    fw_value o;
    va_list ap;

    va_start(ap, format);
    o = pack_members(pool, &format, &ap);
    va_end(ap);
    return o;
}

/* ---- lists ---- */

void fw_add(fw_value list, fw_value v)
{
    struct fw_items *all = list.as.items;

    if (list.kind != FW_LIST || v.kind == FW_ABSENT)
        return;
    all->of = make_room(all->of, all->n, &all->room, sizeof(*all->of), all->pool);
    all->of[all->n++] = v;
}

int fw_size(fw_value list)
{
    return list.kind == FW_LIST ? list.as.items->n : 0;
}

fw_value fw_at(fw_value list, int i)
{
    return i >= 0 && i < fw_size(list) ? list.as.items->of[i] : fw_kind(FW_ABSENT);
}

/* ---- from JSON ---- */

static fw_value text_of_json(const json_t *o, apr_pool_t *pool)
{
    size_t n = json_string_length(o);

    return (fw_value){.kind = FW_TEXT,
                      .n = (uint32_t)n,
                      .as.text = apr_pstrmemdup(pool, json_string_value(o), n)};
}

static fw_value object_of_json(const json_t *o, apr_pool_t *pool)
{
    fw_value v = fw_object(pool);
    const char *name;
    json_t *one;

    json_object_foreach((json_t *)(uintptr_t)o, name, one)
        fw_set(v, apr_pstrdup(pool, name), fw_of_json(one, pool));
    return v;
}

static fw_value list_of_json(const json_t *o, apr_pool_t *pool)
{
    fw_value v = fw_list(pool);

    for (size_t i = 0; i < json_array_size(o); i++)
        fw_add(v, fw_of_json(json_array_get(o, i), pool));
    return v;
}

fw_value fw_of_json(const json_t *o, apr_pool_t *pool)
{
    if (!o)
        return fw_kind(FW_ABSENT);
    switch (json_typeof(o)) {
    case JSON_OBJECT:
        return object_of_json(o, pool);
    case JSON_ARRAY:
        return list_of_json(o, pool);
    case JSON_STRING:
        return text_of_json(o, pool);
    case JSON_INTEGER:
        return fw_number(json_integer_value(o));
    case JSON_REAL:
        return (fw_value){.kind = FW_REAL, .as.real = json_real_value(o)};
    case JSON_TRUE:
    case JSON_FALSE:
        return fw_bool(json_is_true(o));
    case JSON_NULL:
        break;
    }
    return fw_null();
}
