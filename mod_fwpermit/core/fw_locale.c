#include "fw_config.h"
#include "fw_locale.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_file.h"
#include "fw_utf8.h"

#define FALLBACK   "en"
#define MAGIC      0x950412DEu
#define HEAD_BYTES 20
#define LANG_MAX   35 /* characters of a tag (RFC 5646 4.4.1) */
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789_."

typedef struct catalogue {
    const char *lang;
    apr_hash_t *texts; /* key → text */
} catalogue;

struct fw_locale {
    const char *langs[FW_LOCALE_LANGS_MAX];
    catalogue all[FW_LOCALE_LANGS_MAX];
    int n;
};

/* ---- GNU .mo files ---- */

typedef struct mo_file {
    const char *path;
    const unsigned char *bytes;
    apr_size_t n;
    bool swapped; /* written by a machine of the other byte order */
    apr_pool_t *pool;
} mo_file;

static const fw_err *fault(const mo_file *mo, const char *what)
{
    return FW_ERR(mo->pool, FW_E_CONFIG, 0, "%s: %s", mo->path, what);
}

/* The caller has made sure of four bytes. */
static uint32_t word(const mo_file *mo, apr_size_t at)
{
    uint32_t v;

    memcpy(&v, mo->bytes + at, sizeof(v));
    return mo->swapped ? __builtin_bswap32(v) : v;
}

/* The i-th text of the table at `table`, which the file holds whole; *length is told without the NUL. */
static const fw_err *mo_text(const mo_file *mo, uint32_t table, uint32_t i, const char **text)
{
    apr_size_t row = table + (apr_size_t)i * 8;
    apr_size_t length = word(mo, row), at = word(mo, row + 4);

    if (at >= mo->n || length >= mo->n - at || mo->bytes[at + length])
        return fault(mo, "a text lies outside the file");
    *text = (const char *)mo->bytes + at;
    if (strlen(*text) != length)
        return fault(mo, "plural forms are not known here");
    if (!fw_utf8_valid(*text))
        return fault(mo, "a text is not UTF-8");
    return NULL;
}

static const fw_err *mo_head(mo_file *mo, uint32_t *count, uint32_t *keys, uint32_t *texts)
{
    apr_size_t rows;

    if (mo->n < HEAD_BYTES)
        return fault(mo, "too short for a message catalogue");
    mo->swapped = word(mo, 0) == __builtin_bswap32(MAGIC);
    if (word(mo, 0) != MAGIC || word(mo, 4) >> 16 > 1)
        return fault(mo, "is no message catalogue that is known here");
    *count = word(mo, 8);
    *keys = word(mo, 12);
    *texts = word(mo, 16);
    rows = (apr_size_t)*count * 8;
    if (*keys > mo->n || rows > mo->n - *keys || *texts > mo->n || rows > mo->n - *texts)
        return fault(mo, "its tables lie outside the file");
    return NULL;
}

static const fw_err *mo_take(mo_file *mo, apr_hash_t *texts)
{
    uint32_t count = 0, key_table = 0, text_table = 0;
    const char *key, *text, *head;

    FW_TRY(mo_head(mo, &count, &key_table, &text_table));
    for (uint32_t i = 0; i < count; i++) {
        FW_TRY(mo_text(mo, key_table, i, &key));
        FW_TRY(mo_text(mo, text_table, i, &text));
        apr_hash_set(texts, key, APR_HASH_KEY_STRING, text);
    }
    head = apr_hash_get(texts, "", APR_HASH_KEY_STRING);
    if (!head || !strstr(head, "charset=UTF-8"))
        return fault(mo, "does not say charset=UTF-8");
    apr_hash_set(texts, "", APR_HASH_KEY_STRING, NULL);
    return NULL;
}

static const fw_err *mo_read(mo_file *mo)
{
    char *bytes = NULL;

    FW_TRY(fw_file_read(&bytes, &mo->n, mo->path, FW_LOCALE_BYTES_MAX, mo->pool));
    mo->bytes = (const unsigned char *)bytes;
    return NULL;
}

/* ---- the languages ---- */

static const catalogue *find(const fw_locale *locale, const char *lang, apr_size_t n)
{
    for (int i = 0; i < locale->n; i++) {
        if (strncasecmp(locale->langs[i], lang, n) == 0 && !locale->langs[i][n])
            return &locale->all[i];
    }
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Notes the languages of `dir`: the names of its files. */
static const fw_err *list(fw_locale *locale, const char *dir, apr_pool_t *pool)
{
    apr_dir_t *d;
    apr_finfo_t info;
    apr_status_t rv = apr_dir_open(&d, dir, pool);

    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be read", dir);
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        const char *end = strrchr(info.name, '.');

        if (!end || end == info.name || strcmp(end, ".mo") != 0)
            continue;
        if (locale->n == FW_LOCALE_LANGS_MAX || end - info.name > LANG_MAX)
            return FW_ERR(pool, FW_E_CONFIG, 0, "%s/%s: one language too many, or no tag", dir,
                          info.name);
        locale->langs[locale->n++] = apr_pstrndup(pool, info.name, (apr_size_t)(end - info.name));
    }
    apr_dir_close(d);
    qsort(locale->langs, (size_t)locale->n, sizeof(locale->langs[0]), by_name);
    return NULL;
}

const fw_err *fw_locale_load(fw_locale **out, const char *dir, apr_pool_t *pool)
{
    static const char *const wanted[] = {FW_LOCALE_DEFAULT, FALLBACK};
    fw_locale *locale = apr_pcalloc(pool, sizeof(*locale));

    FW_TRY(list(locale, dir, pool));
    for (int i = 0; i < locale->n; i++) {
        catalogue *c = &locale->all[i];
        mo_file mo = {.pool = pool};

        mo.path = apr_pstrcat(pool, dir, "/", locale->langs[i], ".mo", NULL);
        c->lang = locale->langs[i];
        c->texts = apr_hash_make(pool);
        FW_TRY(mo_read(&mo));
        FW_TRY(mo_take(&mo, c->texts));
    }
    for (int i = 0; i < 2; i++) {
        if (!fw_locale_has(locale, wanted[i]))
            return FW_ERR(pool, FW_E_CONFIG, 0, "%s/%s.mo is missing", dir, wanted[i]);
    }
    *out = locale;
    return NULL;
}

bool fw_locale_has(const fw_locale *locale, const char *lang)
{
    return find(locale, lang, strlen(lang)) != NULL;
}

const char *const *fw_locale_langs(const fw_locale *locale, int *n)
{
    *n = locale->n;
    return locale->langs;
}

/* ---- which language ---- */

/* Look-up by RFC 4647 3.4: the range, then ever less of it. */
static const char *look_up(const fw_locale *locale, const char *range, apr_size_t n)
{
    const catalogue *c;

    if (n == 1 && *range == '*')
        return FW_LOCALE_DEFAULT;
    while (n) {
        c = find(locale, range, n);
        if (!c && n == 2 && strncasecmp(range, "zh", 2) == 0)
            return FW_LOCALE_DEFAULT;
        if (c)
            return c->lang;
        while (n && range[--n] != '-')
            ;
    }
    return NULL;
}

/* The weight in thousandths: 1000 without one, 0 where it is none. */
static int weight(const char *p)
{
    int q = 0;

    p += strspn(p, "; \t");
    if (*p == ',' || !*p)
        return 1000;
    if (strncasecmp(p, "q=", 2) != 0)
        return 0;
    p += 2;
    if (*p == '1')
        return 1000;
    if (*p != '0' || p[1] != '.')
        return 0;
    p += 2;
    for (int place = 100; place && apr_isdigit(*p); place /= 10)
        q += (*p++ - '0') * place;
    return q;
}

const char *fw_locale_pick(const fw_locale *locale, const char *accept)
{
    const char *best = FW_LOCALE_DEFAULT;
    int best_q = 0;

    for (const char *p = accept; p && *p; p += *p == ',') {
        const char *range = p + strspn(p, " \t");
        apr_size_t n = strcspn(range, " \t;,");
        int q = weight(range + n);
        const char *lang = q > best_q ? look_up(locale, range, n) : NULL;

        if (lang) {
            best = lang;
            best_q = q;
        }
        p = range + strcspn(range, ",");
    }
    return best;
}

/* ---- texts ---- */

static const char *text_in(const fw_locale *locale, const char *lang, const char *key)
{
    const catalogue *c = find(locale, lang, strlen(lang));

    return c ? apr_hash_get(c->texts, key, APR_HASH_KEY_STRING) : NULL;
}

const char *fw_locale_text(const fw_locale *locale, const char *lang, const char *key)
{
    const char *text = text_in(locale, lang, key);

    if (!text)
        text = text_in(locale, FALLBACK, key);
    return text ? text : key;
}

/* NULL: there is none of that name, or it is no text and no number. */
static const char *arg_text(fw_value args, const char *name, apr_size_t n, apr_pool_t *pool)
{
    fw_value v = fw_get_tagged(args, name, n, fw_name_tag(name, n));

    if (v.kind == FW_NUMBER)
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)v.as.number);
    if (v.kind == FW_REAL)
        return apr_psprintf(pool, "%g", v.as.real);
    return fw_chars(v);
}

const char *fw_locale_format(const fw_locale *locale, const char *lang, const char *key,
                             fw_value args, apr_pool_t *pool)
{
    const char *text = fw_locale_text(locale, lang, key);
    const char *from = text;
    apr_array_header_t *parts = apr_array_make(pool, 8, sizeof(const char *));

    for (const char *open = strchr(text, '{'); open; open = strchr(open, '{')) {
        apr_size_t n = strspn(++open, NAME_CHARS);
        const char *value = n && open[n] == '}' ? arg_text(args, open, n, pool) : NULL;

        if (!value)
            continue;
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrndup(pool, from, (apr_size_t)(open - 1 - from));
        APR_ARRAY_PUSH(parts, const char *) = value;
        from = open + n + 1;
    }
    if (from == text)
        return text;
    APR_ARRAY_PUSH(parts, const char *) = from;
    return apr_array_pstrcat(pool, parts, '\0');
}
