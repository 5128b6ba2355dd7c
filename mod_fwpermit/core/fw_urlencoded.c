#include "fw_config.h"
#include "fw_urlencoded.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_utf8.h"

static int hex_value(char c)
{
    if (apr_isdigit(c))
        return c - '0';
    c = (char)apr_tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes; NULL: a broken escape, a NUL, or no UTF-8. */
static char *decode(const char *s, const char *end, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)(end - s) + 1), *o = text;

    while (s < end) {
        char c = *s++;

        if (c == '+')
            c = ' ';
        if (c == '%') {
            int high = end - s >= 2 ? hex_value(s[0]) : -1, low = high >= 0 ? hex_value(s[1]) : -1;

            if (low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            s += 2;
        }
        if (!c)
            return NULL;
        *o++ = c;
    }
    *o = '\0';
    return fw_utf8_valid(text) ? text : NULL;
}

/* CR LF and a lone CR become "\n", in place. */
static char *fold_line_ends(char *text)
{
    char *o = text;

    for (const char *p = text; *p; p++) {
        bool cr = *p == '\r';

        *o++ = cr ? '\n' : *p;
        p += cr && p[1] == '\n';
    }
    *o = '\0';
    return text;
}

static const fw_err *take_pair(apr_array_header_t *pairs, const char *s, const char *end,
                               apr_pool_t *pool)
{
    const char *equals = memchr(s, '=', (size_t)(end - s));
    const char *name = decode(s, equals ? equals : end, pool);
    char *value = equals ? decode(equals + 1, end, pool) : apr_pstrdup(pool, "");

    if (!name || !value)
        return fw_err_told(pool, FW_E_INPUT, name, "body.malformed");
    APR_ARRAY_PUSH(pairs, fw_pair) = (fw_pair){name, fold_line_ends(value)};
    return NULL;
}

const fw_err *fw_urlencoded_parse(apr_array_header_t **out, const char *text, apr_size_t n,
                                  int most, apr_pool_t *pool)
{
    apr_array_header_t *pairs = apr_array_make(pool, 16, sizeof(fw_pair));
    const char *end = text + n;

    while (text < end) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        const char *stop = amp ? amp : end;

        if (stop > text) {
            if (pairs->nelts == most)
                return fw_err_told(pool, FW_E_LIMIT, NULL, "body.too_many_fields");
            FW_TRY(take_pair(pairs, text, stop, pool));
        }
        text = stop + 1;
    }
    *out = pairs;
    return NULL;
}

const char *fw_urlencode(const char *text, apr_pool_t *pool)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, strlen(text) * 3 + 1), *o = out;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (apr_isalnum(c) || strchr("-._~", c)) {
            *o++ = (char)c;
            continue;
        }
        *o++ = '%';
        *o++ = hex[c >> 4];
        *o++ = hex[c & 15];
    }
    *o = '\0';
    return out;
}
