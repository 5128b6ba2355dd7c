#include "fw_config.h"
#include "fw_template_int.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

void fw_out_make(fw_out *out, apr_size_t room, apr_pool_t *pool)
{
    out->pool = pool;
    out->room = room;
    out->n = 0;
    out->full = false;
    out->text = apr_palloc(pool, room);
}

/* One byte more than `n`, for the NUL at the end. */
static bool make_room(fw_out *out, apr_size_t n)
{
    apr_size_t room = out->room;
    char *text;

    out->full = out->full || n > FW_TEMPLATE_OUT_MAX - out->n;
    if (out->full)
        return false;
    if (n < room - out->n)
        return true;
    while (n >= room - out->n)
        room *= 2;
    text = apr_palloc(out->pool, room);
    memcpy(text, out->text, out->n);
    out->text = text;
    out->room = room;
    return true;
}

void fw_out_put(fw_out *out, const char *text, apr_size_t n)
{
    if (!make_room(out, n))
        return;
    memcpy(out->text + out->n, text, n);
    out->n += n;
}

/* What stands for each byte that cannot stand for itself. */
static const char *const html_escapes[256] = {
    ['&'] = "&amp;",  ['<'] = "&lt;",   ['>'] = "&gt;",
    ['"'] = "&quot;", ['\''] = "&#39;", [0] = "\xEF\xBF\xBD"};

static void put_html(fw_out *out, const char *text, apr_size_t n)
{
    const char *from = text, *end = text + n;

    for (const char *p = text; p < end; p++) {
        const char *escape = html_escapes[(unsigned char)*p];

        if (!escape)
            continue;
        fw_out_put(out, from, (apr_size_t)(p - from));
        fw_out_put(out, escape, strlen(escape));
        from = p + 1;
    }
    fw_out_put(out, from, (apr_size_t)(end - from));
}

/* RFC 3986: all but the unreserved characters. */
static void put_component(fw_out *out, const char *text, apr_size_t n)
{
    static const char hex[] = "0123456789ABCDEF";

    if (!make_room(out, n * 3))
        return;
    for (apr_size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if (apr_isalnum(c) || (c && strchr("-._~", c))) {
            out->text[out->n++] = (char)c;
            continue;
        }
        out->text[out->n++] = '%';
        out->text[out->n++] = hex[c >> 4];
        out->text[out->n++] = hex[c & 15];
    }
}

/* Browsers drop tabs and line ends from a URL and read "\" as "/", so that none of them may stand in one. */
static bool good_url(const char *url, apr_size_t n)
{
    for (apr_size_t i = 0; i < n; i++) {
        if ((unsigned char)url[i] <= ' ' || url[i] == 0x7F || url[i] == '\\')
            return false;
    }
    if (n && url[0] == '#')
        return true;
    if (n && url[0] == '/')
        return n == 1 || url[1] != '/';
    return (n > 8 && strncasecmp(url, "https://", 8) == 0 && url[8] != '/') ||
           (n > 7 && strncasecmp(url, "http://", 7) == 0 && url[7] != '/');
}

void fw_out_escaped(fw_out *out, fw_escape_e escape, const char *text, apr_size_t n)
{
    switch (escape) {
    case FW_ESCAPE_HTML:
        put_html(out, text, n);
        return;
    case FW_ESCAPE_URL:
        if (good_url(text, n))
            put_html(out, text, n);
        else
            fw_out_put(out, "#", 1);
        return;
    case FW_ESCAPE_COMPONENT:
        put_component(out, text, n);
        return;
    }
}

void fw_out_int(fw_out *out, int64_t v)
{
    char digits[24];

    apr_snprintf(digits, sizeof(digits), "%" APR_INT64_T_FMT, v);
    fw_out_put(out, digits, strlen(digits));
}
