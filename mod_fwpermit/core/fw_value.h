#ifndef FW_VALUE_H
#define FW_VALUE_H

#include <stdint.h>
#include <string.h>

#include <apr_time.h>
#include <jansson.h>

#include "fw_err.h"

/* What a page shows: a tree whose parts lie in a pool and go with it, so that a page of a thousand values costs neither an allocation
 * nor a release for each. Texts and names are not copied: they live as long as the pool, or for ever. Of one thread. */

typedef enum fw_kind_e {
    FW_ABSENT, /* no value at all: all bytes 0 */
    FW_NULL,
    FW_FALSE,
    FW_TRUE,
    FW_NUMBER,
    FW_REAL,
    FW_TEXT,
    FW_TIME, /* an object of two: "iso" (UTC) and "text" (Taipei), written when they are shown */
    FW_OBJECT,
    FW_LIST
} fw_kind_e;

typedef struct fw_value {
    fw_kind_e kind;
    uint32_t n; /* bytes of a text */
    union {
        const char *text;
        int64_t number;
        double real;
        apr_time_t time;
        struct fw_members *members;
        struct fw_items *items;
    } as;
} fw_value;

fw_value fw_object(apr_pool_t *pool);
fw_value fw_list(apr_pool_t *pool);

static inline fw_value fw_kind(fw_kind_e kind)
{
    return (fw_value){.kind = kind};
}

static inline fw_value fw_null(void)
{
    return fw_kind(FW_NULL);
}

static inline fw_value fw_bool(bool is)
{
    return fw_kind(is ? FW_TRUE : FW_FALSE);
}

static inline fw_value fw_number(int64_t number)
{
    return (fw_value){.kind = FW_NUMBER, .as.number = number};
}

/* UTF-8; null for NULL. */
static inline fw_value fw_text(const char *text)
{
    if (!text)
        return fw_null();
    return (fw_value){.kind = FW_TEXT, .n = (uint32_t)strlen(text), .as.text = text};
}

/* Null for 0. */
static inline fw_value fw_time(apr_time_t t)
{
    if (!t)
        return fw_null();
    return (fw_value){.kind = FW_TIME, .as.time = t};
}

/* A copy of it. Absent for NULL. */
fw_value fw_of_json(const json_t *o, apr_pool_t *pool);

/* ---- objects: their members stay in the order in which they came ---- */

/* What a name is found by before it is compared. */
static inline uint32_t fw_name_tag(const char *name, size_t n)
{
    const unsigned char *c = (const unsigned char *)name;

    return n ? (uint32_t)(n & 255) | (uint32_t)c[0] << 8 | (uint32_t)c[n / 2] << 16 |
                   (uint32_t)c[n - 1] << 24
             : 0;
}
void fw_put(fw_value o, const char *name, size_t n, uint32_t tag, fw_value v);

/* An absent value is not set; one that is there already is replaced. */
static inline void fw_set(fw_value o, const char *name, fw_value v)
{
    size_t n = strlen(name); /* of a literal known to the compiler, as is its tag */

    fw_put(o, name, n, fw_name_tag(name, n), v);
}

void fw_unset(fw_value o, const char *name);
/* Absent where there is none of that name, or `o` is no object. */
fw_value fw_get(fw_value o, const char *name);
/* The i-th member's name, its value in *v; NULL behind the last. */
const char *fw_member_at(fw_value o, int i, fw_value *v);
/* An object by a format of members, "{s:s, s:o}": a name and a value each. s: const char *, s?: perhaps NULL, i: int, I: int64_t,
 * b: int as a truth, n: null with no value given, o: fw_value, {…}: an object within. */
fw_value fw_pack(apr_pool_t *pool, const char *format, ...);

/* fw_get() of `n` bytes whose tag is known. */
fw_value fw_get_tagged(fw_value o, const char *name, size_t n, uint32_t tag);

/* "iso" or "text" of a time. */
fw_value fw_time_part(fw_value t, const char *name, apr_pool_t *pool);

/* ---- lists ---- */

void fw_add(fw_value list, fw_value v);
int fw_size(fw_value list); /* 0 of what is no list */
fw_value fw_at(fw_value list, int i);
/* For each of a list: fw_each(list, i, one) … */
#define fw_each(list, i, one) \
    for (int i = 0; i < fw_size(list) && fw_is((one) = fw_at(list, i)); i++)

/* ---- reading ---- */

/* NULL of what is no text. */
static inline const char *fw_chars(fw_value v)
{
    return v.kind == FW_TEXT ? v.as.text : NULL;
}

static inline bool fw_is_true(fw_value v)
{
    return v.kind == FW_TRUE;
}

static inline bool fw_is(fw_value v) /* anything but absent */
{
    return v.kind != FW_ABSENT;
}

#endif
