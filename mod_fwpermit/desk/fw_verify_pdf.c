#include "fw_config.h"
#include "fw_verify_int.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define RANGE      "/ByteRange"
#define CONTENTS   "/Contents "
#define DICTIONARY 4096 /* bytes before the range in which the signature's dictionary begins */

typedef struct span {
    const char *p, *end;
} span;

static const char *find(span in, const char *what)
{
    return in.p < in.end ? memmem(in.p, (size_t)(in.end - in.p), what, strlen(what)) : NULL;
}

static int count(span in, const char *what, const char **last)
{
    int n = 0;

    for (const char *at = find(in, what); at; at = find(in, what)) {
        *last = at;
        in.p = at + strlen(what);
        n++;
    }
    return n;
}

/* A number of at most 10 digits after spaces. */
static bool take_number(span *s, size_t *out)
{
    int digits = 0;

    while (s->p < s->end && *s->p == ' ')
        s->p++;
    for (*out = 0; s->p < s->end && apr_isdigit(*s->p) && digits < 10; s->p++, digits++)
        *out = *out * 10 + (size_t)(*s->p - '0');
    return digits > 0;
}

/* [0 a b c]: a is the hole's first byte, b the one behind it, c what follows to the end. */
static bool take_range(span s, size_t range[4])
{
    while (s.p < s.end && *s.p == ' ')
        s.p++;
    if (s.p == s.end || *s.p++ != '[')
        return false;
    for (int i = 0; i < 4; i++) {
        if (!take_number(&s, &range[i]))
            return false;
    }
    while (s.p < s.end && *s.p == ' ')
        s.p++;
    return s.p < s.end && *s.p == ']';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The hole is the hexadecimal text of /Contents, and nothing else. */
static bool take_hole(fw_signed *s, apr_pool_t *pool)
{
    size_t n = s->hole_end - s->hole - 2;
    unsigned char *der;

    if (s->bytes[s->hole] != '<' || s->bytes[s->hole_end - 1] != '>' || n == 0 || n % 2 ||
        s->hole < strlen(CONTENTS) ||
        memcmp(s->bytes + s->hole - strlen(CONTENTS), CONTENTS, strlen(CONTENTS)) != 0)
        return false;
    der = apr_palloc(pool, n / 2);
    for (size_t i = 0; i < n / 2; i++) {
        int high = nibble(s->bytes[s->hole + 1 + 2 * i]);
        int low = nibble(s->bytes[s->hole + 2 + 2 * i]);

        if (high < 0 || low < 0)
            return false;
        der[i] = (unsigned char)(high << 4 | low);
    }
    s->der = der;
    s->n_der = n / 2;
    return true;
}

/* /M (D:20261125143000+08'00'), before the range. */
static apr_time_t claimed_time(const char *bytes, const char *range)
{
    span s = {range - bytes > DICTIONARY ? range - DICTIONARY : bytes, range};
    const char *at = find(s, "/M (D:"), *more = at;
    apr_time_exp_t e = {.tm_gmtoff = 8 * 3600};
    apr_time_t out = 0;
    char text[15] = "";

    for (; more; more = find((span){more + 1, range}, "/M (D:"))
        at = more;
    if (!at || range - at < 28 || memcmp(at + 20, "+08'00')", 8) != 0)
        return 0;
    memcpy(text, at + 6, 14);
    if (strspn(text, "0123456789") != 14 ||
        sscanf(text, "%4d%2d%2d%2d%2d%2d", &e.tm_year, &e.tm_mon, &e.tm_mday, &e.tm_hour, &e.tm_min,
               &e.tm_sec) != 6)
        return 0;
    e.tm_year -= 1900;
    e.tm_mon -= 1;
    return apr_time_exp_gmt_get(&out, &e) == APR_SUCCESS ? out : 0;
}

/* Where the signature lies and what it covers. False: the verdict is there. */
static bool find_signature(fw_proof *out, fw_signed *s, apr_pool_t *pool)
{
    span all = {s->bytes, s->bytes + s->n};
    const char *at = NULL;
    size_t range[4] = {0};
    int n = count(all, RANGE, &at);

    if (n == 0) {
        fw_proof_end(out, FW_PAPER_UNSIGNED, NULL);
    } else if (n > 1) {
        fw_proof_end(out, FW_PAPER_SEVERAL, NULL);
    } else if (!take_range((span){at + strlen(RANGE), all.end}, range) || range[0] != 0 ||
               range[1] >= range[2] || range[2] > s->n || range[2] - range[1] < 4) {
        fw_proof_end(out, FW_PAPER_RESAVED, NULL);
    } else {
        s->hole = range[1];
        s->hole_end = range[2];
        if (!take_hole(s, pool))
            fw_proof_end(out, FW_PAPER_RESAVED, NULL);
        else if (range[3] < s->n - range[2])
            fw_proof_end(out, FW_PAPER_ALTERED,
                         apr_psprintf(pool, "%" APR_SIZE_T_FMT " bytes were appended",
                                      s->n - range[2] - range[3]));
        else if (range[3] > s->n - range[2])
            fw_proof_end(out, FW_PAPER_ALTERED, "its end is missing");
        else
            s->at = claimed_time(s->bytes, at);
    }
    return out->verdict == FW_PAPER_VALID;
}

void fw_verify_pdf(fw_proof *out, const char *bytes, size_t n, const fw_trust *trust,
                   apr_pool_t *pool)
{
    fw_signed s = {.bytes = bytes, .n = n};
    const fw_signer *signer;

    *out = (fw_proof){.verdict = FW_PAPER_VALID};
    if (n < 8 || n > FW_VERIFY_PDF_MAX || memcmp(bytes, "%PDF-", 5) != 0) {
        fw_proof_end(out, FW_PAPER_UNREADABLE, "it is no PDF, or too large");
        return;
    }
    if (!find_signature(out, &s, pool))
        return;
    signer = fw_verify_cms(out, &s, trust, pool);
    if (!signer)
        return;
    out->signed_at = s.at;
    fw_verify_statement(out, bytes, n, signer->use, pool);
}
