#include "ecpay_form.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TAIPEI_SECONDS 28800

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One character at p[*i], which moves on; -1: a bad escape, or a NUL. */
static int decode_char(const char *p, size_t n, size_t *i)
{
    char c = p[(*i)++];
    int high, low;

    if (c == '+')
        return ' ';
    if (c != '%')
        return c ? (unsigned char)c : -1;
    if (n - *i < 2)
        return -1;
    high = hex_digit(p[*i]);
    low = hex_digit(p[*i + 1]);
    *i += 2;
    if (high < 0 || low < 0 || high + low == 0)
        return -1;
    return high * 16 + low;
}

static bool decode(const char *p, size_t n, char **room, fwp_str *out)
{
    out->p = *room;
    for (size_t i = 0; i < n;) {
        int c = decode_char(p, n, &i);
        if (c < 0)
            return false;
        *(*room)++ = (char)c;
    }
    out->n = (size_t)(*room - out->p);
    return true;
}

static const char *take_field(ecpay_form *out, const char *p, size_t n, char **room)
{
    const char *eq = memchr(p, '=', n);
    ecpay_field f = {{NULL, 0}, {NULL, 0}, 0};

    if (!eq || eq == p)
        return "a field without a name or without a value";
    if (!decode(p, (size_t)(eq - p), room, &f.key) ||
        !decode(eq + 1, n - (size_t)(eq - p) - 1, room, &f.value))
        return "a bad escape or a NUL";
    for (size_t i = 0; i < out->n; i++)
        if (out->fields[i].key.n == f.key.n && memcmp(out->fields[i].key.p, f.key.p, f.key.n) == 0)
            return "a field stands twice";
    if (out->n == ECPAY_FIELDS_MAX)
        return "too many fields";
    out->fields[out->n++] = f;
    return NULL;
}

const char *ecpay_form_parse(ecpay_form *out, fwp_str raw, char *room)
{
    const char *end = raw.p + raw.n;

    out->n = 0;
    if (raw.n == 0 || raw.n > ECPAY_FORM_MAX)
        return raw.n ? "the form is too long" : "the form is empty";
    for (const char *p = raw.p; p <= end;) {
        const char *amp = p < end ? memchr(p, '&', (size_t)(end - p)) : NULL;
        const char *stop = amp ? amp : end;
        const char *why = take_field(out, p, (size_t)(stop - p), &room);
        if (why)
            return why;
        p = stop + 1;
    }
    return NULL;
}

void ecpay_form_add(ecpay_form *form, const char *name, const char *value)
{
    ecpay_field *f = &form->fields[form->n++];
    f->key = (fwp_str){name, strlen(name)};
    f->value = (fwp_str){value, strlen(value)};
    f->flags = 0;
}

static char *encode(char *to, fwp_str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || c == '-' || c == '_' || c == '.') {
            *to++ = (char)c;
            continue;
        }
        *to++ = '%';
        *to++ = hex[c >> 4];
        *to++ = hex[c & 15];
    }
    return to;
}

fwp_str ecpay_form_encode(const ecpay_form *form, const fwp_host *host, fwp_call *call)
{
    size_t most = 1;
    char *start, *to;

    for (size_t i = 0; i < form->n; i++)
        most += 3 * (form->fields[i].key.n + form->fields[i].value.n) + 2;
    start = host->alloc(call, most);
    to = start;
    for (size_t i = 0; i < form->n; i++) {
        if (i > 0)
            *to++ = '&';
        to = encode(to, form->fields[i].key);
        *to++ = '=';
        to = encode(to, form->fields[i].value);
    }
    return (fwp_str){start, (size_t)(to - start)};
}

void ecpay_time_write(int64_t t, char out[20])
{
    time_t local = (time_t)(t + TAIPEI_SECONDS);
    struct tm tm;

    gmtime_r(&local, &tm);
    strftime(out, 20, "%Y/%m/%d %H:%M:%S", &tm);
}

void ecpay_iso_write(int64_t t, char out[21])
{
    time_t utc = (time_t)t;
    struct tm tm;

    gmtime_r(&utc, &tm);
    strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Whether `text` has digits where `shape` has 9, and the shape's own characters elsewhere. */
static bool has_shape(fwp_str text, const char *shape)
{
    if (text.n != strlen(shape))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        bool digit = text.p[i] >= '0' && text.p[i] <= '9';
        if (shape[i] == '9' ? !digit : text.p[i] != shape[i])
            return false;
    }
    return true;
}

static int number_at(const char *p, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++)
        v = v * 10 + (p[i] - '0');
    return v;
}

/* The time whose parts stand at fixed places; false if there is no such day or hour. */
static bool read_parts(const char *p, bool clock, int64_t *t)
{
    struct tm tm = {.tm_year = number_at(p, 4) - 1900,
                    .tm_mon = number_at(p + 5, 2) - 1,
                    .tm_mday = number_at(p + 8, 2),
                    .tm_hour = clock ? number_at(p + 11, 2) : 23,
                    .tm_min = clock ? number_at(p + 14, 2) : 59,
                    .tm_sec = clock ? number_at(p + 17, 2) : 59};
    struct tm same = tm;

    *t = (int64_t)timegm(&same);
    return same.tm_year == tm.tm_year && same.tm_mon == tm.tm_mon && same.tm_mday == tm.tm_mday &&
           same.tm_hour == tm.tm_hour && same.tm_min == tm.tm_min && same.tm_sec == tm.tm_sec;
}

bool ecpay_time_read(fwp_str text, int64_t *t)
{
    bool clock = has_shape(text, "9999/99/99 99:99:99");

    if (!clock && !has_shape(text, "9999/99/99"))
        return false;
    if (!read_parts(text.p, clock, t))
        return false;
    *t -= TAIPEI_SECONDS;
    return true;
}

bool ecpay_iso_read(const char *text, int64_t *t)
{
    fwp_str s = {text, text ? strlen(text) : 0};
    return has_shape(s, "9999-99-99T99:99:99Z") && read_parts(text, true, t);
}
