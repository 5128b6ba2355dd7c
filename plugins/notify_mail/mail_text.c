#include "mail_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

/* Of an encoded word, before base64: with "Subject: " before it the line stays under RFC 2047's 76. */
#define WORD_BYTES 39
#define LINE_BYTES 57 /* of a body's line, before base64: 76 characters */

bool mail_address_good(const char *a)
{
    static const char local[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-/=?^_`{|}~.";
    static const char domain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t n = strspn(a, local);
    const char *d = a + n + 1;

    if (n == 0 || n > 64 || a[n] != '@' || strlen(a) > MAIL_ADDRESS_BYTES)
        return false;
    if (a[0] == '.' || a[n - 1] == '.' || strstr(a, ".."))
        return false;
    if (!*d || strspn(d, domain) != strlen(d) || strpbrk(d, ".-") == d)
        return false;
    return d[strlen(d) - 1] != '.' && d[strlen(d) - 1] != '-';
}

bool mail_text_good(const char *text, bool one_line)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == 0x7f || (c < 0x20 && one_line))
            return false;
        if (c < 0x20 && c != '\n' && c != '\t' && !(c == '\r' && p[1] == '\n'))
            return false;
    }
    return true;
}

const char *mail_message_id(const fwp_host *host, fwp_call *call, const char *seed,
                            const char *from)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    const char *domain = strchr(from, '@');
    size_t n = 2 * sizeof(sum) + strlen(domain) + 1;
    char *id = host->alloc(call, n);
    size_t at = 0;

    EVP_Digest(seed, strlen(seed), sum, &len, EVP_sha256(), NULL);
    for (unsigned int i = 0; i < len; i++)
        at += (size_t)snprintf(id + at, n - at, "%02x", sum[i]);
    snprintf(id + at, n - at, "%s", domain);
    return id;
}

static char *put(char *to, const char *text)
{
    size_t n = strlen(text);
    memcpy(to, text, n);
    return to + n;
}

static char *put_base64(char *to, const char *p, size_t n)
{
    return to + EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)p, (int)n);
}

/* How many of the first `most` bytes end with a whole character. */
static size_t whole_chars(const char *p, size_t n, size_t most)
{
    size_t take = n < most ? n : most;
    while (take < n && take > 1 && ((unsigned char)p[take] & 0xc0) == 0x80)
        take--;
    return take;
}

/* A text for a header, as encoded words on lines of their own. */
static char *put_words(char *to, const char *text)
{
    size_t n = strlen(text);
    bool first = true;

    while (n > 0) {
        size_t take = whole_chars(text, n, WORD_BYTES);
        to = put(to, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        to = put_base64(to, text, take);
        to = put(to, "?=");
        text += take;
        n -= take;
        first = false;
    }
    return to;
}

/* The text with its lines ended by CR LF. */
static fwp_str canonical(const fwp_host *host, fwp_call *call, const char *text)
{
    char *start = host->alloc(call, 2 * strlen(text) + 3);
    char *to = start;

    for (const char *p = text; *p; p++) {
        if (*p == '\r')
            continue;
        if (*p == '\n')
            *to++ = '\r';
        *to++ = *p;
    }
    if (to == start || to[-1] != '\n')
        to = put(to, "\r\n");
    return (fwp_str){start, (size_t)(to - start)};
}

static char *put_body(char *to, fwp_str body)
{
    while (body.n > 0) {
        size_t take = body.n < LINE_BYTES ? body.n : LINE_BYTES;
        to = put_base64(to, body.p, take);
        to = put(to, "\r\n");
        body.p += take;
        body.n -= take;
    }
    return to;
}

static char *put_date(char *to, int64_t t)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t utc = (time_t)t;
    struct tm tm;
    char line[64];

    gmtime_r(&utc, &tm);
    snprintf(line, sizeof(line), "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return put(to, line);
}

static char *put_header(char *to, const char *before, const char *value, const char *after)
{
    to = put(to, before);
    to = put(to, value);
    return put(to, after);
}

static char *put_from(char *to, const mail_parts *m)
{
    to = put(to, "From: ");
    if (m->from_name) {
        to = put_words(to, m->from_name);
        to = put(to, "\r\n ");
    }
    return put_header(to, "<", m->from, ">\r\n");
}

fwp_str mail_compose(const fwp_host *host, fwp_call *call, const mail_parts *m)
{
    fwp_str body = canonical(host, call, m->text);
    size_t words = strlen(m->subject) + (m->from_name ? strlen(m->from_name) : 0);
    char *start = host->alloc(call, 4096 + 4 * words + 2 * body.n);
    char *to = put_date(start, m->date);

    to = put_from(to, m);
    if (m->reply_to)
        to = put_header(to, "Reply-To: <", m->reply_to, ">\r\n");
    to = put_header(to, "To: <", m->to, ">\r\n");
    to = put(to, "Subject: ");
    to = put(put_words(to, m->subject), "\r\n");
    to = put_header(to, "Message-ID: <", m->message_id, ">\r\n");
    if (m->lang)
        to = put_header(to, "Content-Language: ", m->lang, "\r\n");
    to = put(to, "Auto-Submitted: auto-generated\r\n"
                 "MIME-Version: 1.0\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n"
                 "Content-Transfer-Encoding: base64\r\n\r\n");
    to = put_body(to, body);
    return (fwp_str){start, (size_t)(to - start)};
}
