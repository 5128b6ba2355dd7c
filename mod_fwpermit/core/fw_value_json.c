#include "fw_config.h"
#include "fw_template_int.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"

#define FIRST_ROOM 4096

/* How each byte is spelled that cannot stand for itself within a text (RFC 8259, section 7). */
static const char *const escapes[256] = {
    ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
    ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t"};

/* What ends or confuses a script stands in JSON only within texts, where it has another spelling. */
static const char *const html_escapes[256] = {
    ['<'] = "\\u003c", ['>'] = "\\u003e", ['&'] = "\\u0026"};

static const char *escape_of(unsigned char c, bool in_html, char code[8])
{
    if (escapes[c])
        return escapes[c];
    if (in_html && html_escapes[c])
        return html_escapes[c];
    if (c >= 0x20)
        return NULL;
    apr_snprintf(code, 8, "\\u%04x", c);
    return code;
}

static void put_text(fw_out *out, const char *text, size_t n, bool in_html)
{
    const char *from = text, *end = text + n;
    char code[8];

    fw_out_put(out, "\"", 1);
    for (const char *p = text; p < end; p++) {
        const char *escape = escape_of((unsigned char)*p, in_html, code);

        if (!escape)
            continue;
        fw_out_put(out, from, (apr_size_t)(p - from));
        fw_out_put(out, escape, strlen(escape));
        from = p + 1;
    }
    fw_out_put(out, from, (apr_size_t)(end - from));
    fw_out_put(out, "\"", 1);
}

static void put_object(fw_out *out, fw_value v, bool in_html)
{
    const char *name;
    fw_value one;

    fw_out_put(out, "{", 1);
    for (int i = 0; (name = fw_member_at(v, i, &one)) != NULL; i++) {
        if (i)
            fw_out_put(out, ",", 1);
        put_text(out, name, strlen(name), in_html);
        fw_out_put(out, ":", 1);
        fw_out_json(out, one, in_html);
    }
    fw_out_put(out, "}", 1);
}

static void put_list(fw_out *out, fw_value v, bool in_html)
{
    fw_out_put(out, "[", 1);
    for (int i = 0; i < fw_size(v); i++) {
        if (i)
            fw_out_put(out, ",", 1);
        fw_out_json(out, fw_at(v, i), in_html);
    }
    fw_out_put(out, "]", 1);
}

fw_value fw_time_part(fw_value t, const char *name, apr_pool_t *pool)
{
    if (strcmp(name, "text") == 0)
        return fw_text(fw_time_taipei(t.as.time, pool));
    if (strcmp(name, "iso") == 0)
        return fw_text(fw_time_iso(t.as.time, pool));
    return fw_kind(FW_ABSENT);
}

static void put_time(fw_out *out, fw_value v)
{
    const char *text =
        apr_pstrcat(out->pool, "{\"iso\":\"", fw_time_iso(v.as.time, out->pool), "\",\"text\":\"",
                    fw_time_taipei(v.as.time, out->pool), "\"}", NULL);

    fw_out_put(out, text, strlen(text));
}

static void put_real(fw_out *out, double real)
{
    char digits[32];

    snprintf(digits, sizeof(digits), "%.17g", real); /* APR's leaves out the 0 of 0.5 */
    fw_out_put(out, digits, strlen(digits));
}

void fw_out_json(fw_out *out, fw_value v, bool in_html)
{
    switch (v.kind) {
    case FW_TEXT:
        put_text(out, v.as.text, v.n, in_html);
        return;
    case FW_NUMBER:
        fw_out_int(out, v.as.number);
        return;
    case FW_REAL:
        put_real(out, v.as.real);
        return;
    case FW_TIME:
        put_time(out, v);
        return;
    case FW_OBJECT:
        put_object(out, v, in_html);
        return;
    case FW_LIST:
        put_list(out, v, in_html);
        return;
    case FW_TRUE:
        fw_out_put(out, "true", 4);
        return;
    case FW_FALSE:
        fw_out_put(out, "false", 5);
        return;
    case FW_ABSENT:
    case FW_NULL:
        fw_out_put(out, "null", 4);
        return;
    }
}

const fw_err *fw_value_json(fw_value v, const char **json, apr_size_t *n, apr_pool_t *pool)
{
    fw_out out;

    fw_out_make(&out, FIRST_ROOM, pool);
    fw_out_json(&out, v, false);
    if (out.full)
        return FW_ERR(pool, FW_E_LIMIT, 0, "the answer would be longer than %u bytes",
                      FW_TEMPLATE_OUT_MAX);
    out.text[out.n] = '\0';
    *json = out.text;
    *n = out.n;
    return NULL;
}
