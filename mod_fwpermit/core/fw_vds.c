#include "fw_config.h"
#include "fw_vds.h"

#include <string.h>

#include <apr_strings.h>

#define MAGIC         0xDC
#define VERSION_3     0x02 /* the byte that says so */
#define VERSION_4     0x03
#define REFERENCE_3   5 /* characters of a reference in version 3, filled up by zeros at the left */
#define SIGNER        4
#define TAG_SIGNATURE 0xFF
#define C40_MOST      64000 /* of the last three characters */
#define C40_SINGLE    0xFE

static const fw_err *wrong(apr_pool_t *pool, const char *what)
{
    return FW_ERR(pool, FW_E_INPUT, 0, "seal: %s", what);
}

/* ---- C40 ---- */

static int c40_value(char c)
{
    if (c == ' ' || c == '<')
        return 3;
    if (c >= '0' && c <= '9')
        return c - '0' + 4;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 14 : -1;
}

/* 0: no character of ours has that value. */
static char c40_char(unsigned value)
{
    static const char chars[] = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return value >= 3 && value < 3 + sizeof(chars) - 1 ? chars[value - 3] : '\0';
}

static void put_pair(unsigned char *to, unsigned pair)
{
    to[0] = (unsigned char)(pair >> 8);
    to[1] = (unsigned char)(pair & 0xFF);
}

/* The single last character stands as itself, and there a filler is a space. */
static unsigned single(char c)
{
    return C40_SINGLE << 8 | (unsigned)((c == '<' ? ' ' : c) + 1);
}

const fw_err *fw_vds_c40(const char *text, const unsigned char **bytes, size_t *n, apr_pool_t *pool)
{
    size_t length = strlen(text);
    unsigned char *to;

    if (length > FW_VDS_MAX)
        return FW_ERR(pool, FW_E_LIMIT, 0, "seal: a text of %" APR_SIZE_T_FMT " characters",
                      length);
    *n = 2 * ((length + 2) / 3);
    to = apr_palloc(pool, *n + 1);
    *bytes = to;
    for (size_t i = 0; i < length; i += 3, to += 2) {
        int u[3] = {0, 0, 0};

        for (size_t k = 0; k < 3 && i + k < length; k++) {
            u[k] = c40_value(text[i + k]);
            if (u[k] < 0)
                return wrong(pool, "a character that C40 does not have");
        }
        put_pair(to, i + 1 == length ? single(text[i])
                                     : (unsigned)(1600 * u[0] + 40 * u[1] + u[2] + 1));
    }
    return NULL;
}

/* The characters of two bytes, 1 to 3; 0: there are none. */
static int take_pair(const unsigned char *from, bool last, char *to)
{
    unsigned pair = (unsigned)from[0] << 8 | from[1], rest = pair - 1;

    if (from[0] == C40_SINGLE) {
        to[0] = (char)(from[1] - 1);
        if (!last || to[0] == '<' || c40_value(to[0]) < 0)
            return 0;
        if (to[0] == ' ')
            to[0] = '<';
        return 1;
    }
    if (pair == 0 || pair > C40_MOST)
        return 0;
    to[0] = c40_char(rest / 1600);
    to[1] = c40_char(rest / 40 % 40);
    to[2] = c40_char(rest % 40);
    if (!to[0] || !to[1])
        return 0;
    return to[2] ? 3 : rest % 40 == 0 && last ? 2 : 0;
}

const fw_err *fw_vds_text(const unsigned char *bytes, size_t n, const char **text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, n / 2 * 3 + 1), *to = out;

    if (n % 2 != 0)
        return wrong(pool, "C40 of an odd number of bytes");
    for (size_t i = 0; i < n; i += 2) {
        int got = take_pair(bytes + i, i + 2 == n, to);

        if (got == 0)
            return wrong(pool, "bytes that are not C40");
        to += got;
    }
    *to = '\0';
    *text = out;
    return NULL;
}

/* ---- dates ---- */

const fw_err *fw_vds_date_put(fw_date date, unsigned char out[FW_VDS_DATE], apr_pool_t *pool)
{
    unsigned number;

    if (!fw_date_real(date))
        return wrong(pool, "a date that is no day");
    number = (unsigned)(date.m * 1000000 + date.d * 10000 + date.y);
    out[0] = (unsigned char)(number >> 16);
    put_pair(out + 1, number & 0xFFFF);
    return NULL;
}

const fw_err *fw_vds_date_get(const unsigned char *bytes, size_t n, fw_date *out, apr_pool_t *pool)
{
    int number;

    if (n != FW_VDS_DATE)
        return wrong(pool, "a date that is not 3 bytes long");
    number = bytes[0] << 16 | bytes[1] << 8 | bytes[2];
    *out = (fw_date){number % 10000, number / 1000000, number / 10000 % 100};
    return fw_date_real(*out) ? NULL : wrong(pool, "a date that is no day");
}

/* ---- decoding ---- */

typedef struct reader {
    const unsigned char *at, *end;
    apr_pool_t *pool;
} reader;

static const fw_err *take(reader *r, size_t n, const unsigned char **out)
{
    if (n > (size_t)(r->end - r->at))
        return wrong(r->pool, "cut short");
    *out = r->at;
    r->at += n;
    return NULL;
}

static const fw_err *take_text(reader *r, size_t chars, const char **text)
{
    const unsigned char *from = NULL;
    size_t n = 2 * ((chars + 2) / 3);

    FW_TRY(take(r, n, &from));
    FW_TRY(fw_vds_text(from, n, text, r->pool));
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): fw_vds_text() has set it */
    return strlen(*text) == chars ? NULL : wrong(r->pool, "a text of another length in its header");
}

static const fw_err *take_date(reader *r, fw_date *out)
{
    const unsigned char *from = NULL;

    FW_TRY(take(r, FW_VDS_DATE, &from));
    return fw_vds_date_get(from, FW_VDS_DATE, out, r->pool);
}

/* Length as DER has it, in the shortest form. */
static const fw_err *take_length(reader *r, size_t *n)
{
    const unsigned char *from = NULL;

    FW_TRY(take(r, 1, &from));
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): take() has set it */
    *n = from[0];
    if (*n < 0x80)
        return NULL;
    if (*n != 0x81 && *n != 0x82)
        return wrong(r->pool, "a length that no seal has");
    FW_TRY(take(r, *n - 0x80, &from));
    *n = *n == 0x81 ? from[0] : (size_t)from[0] << 8 | from[1];
    if (*n < 0x80 || (*n < 0x100 && from + 1 != r->at))
        return wrong(r->pool, "a length not in its shortest form");
    return *n <= (size_t)(r->end - r->at) ? NULL : wrong(r->pool, "a length beyond its end");
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool all_hex(const char *text)
{
    for (; *text; text++)
        if (hex_value(*text) < 0)
            return false;
    return true;
}

static bool is_state(const char *text, size_t letters)
{
    for (size_t i = 0; i < 3; i++)
        if (!(text[i] >= 'A' && text[i] <= 'Z') && (i < letters || text[i] != '<'))
            return false;
    return true;
}

static bool is_signer(const char *text)
{
    return strlen(text) == SIGNER && !strchr(text, '<') && text[0] >= 'A' && text[1] >= 'A';
}

/* Signer and reference of version 4: what says the reference's length stands between them. */
static const fw_err *take_signer_4(reader *r, fw_vds *v)
{
    const char *text = NULL;
    int high, low;

    FW_TRY(take_text(r, SIGNER + 2, &text));
    apr_cpystrn(v->signer, text, sizeof(v->signer));
    high = hex_value(text[SIGNER]);
    low = hex_value(text[SIGNER + 1]);
    if (high < 0 || low < 0 || high + low == 0)
        return wrong(r->pool, "no length of the certificate's reference");
    if (high * 16 + low > FW_VDS_REFERENCE_MAX)
        return FW_ERR(r->pool, FW_E_LIMIT, 0, "seal: a reference of %d characters",
                      high * 16 + low);
    FW_TRY(take_text(r, (size_t)(high * 16 + low), &text));
    apr_cpystrn(v->reference, text, sizeof(v->reference));
    return NULL;
}

static const fw_err *take_signer_3(reader *r, fw_vds *v)
{
    const char *text = NULL;

    FW_TRY(take_text(r, SIGNER + REFERENCE_3, &text));
    apr_cpystrn(v->signer, text, sizeof(v->signer));
    apr_cpystrn(v->reference, text + SIGNER, sizeof(v->reference));
    return NULL;
}

static const fw_err *take_header(reader *r, fw_vds *v)
{
    const unsigned char *from = NULL;
    const char *text = NULL;

    FW_TRY(take(r, 1, &from));
    if (from[0] != MAGIC)
        return wrong(r->pool, "it is none: its first byte is another");
    FW_TRY(take(r, 1, &from));
    if (from[0] != VERSION_3 && from[0] != VERSION_4)
        return wrong(r->pool, "a version that is not known");
    v->version = from[0] == VERSION_3 ? 3 : 4;
    FW_TRY(take_text(r, 3, &text));
    apr_cpystrn(v->country, text, sizeof(v->country));
    FW_TRY(v->version == 3 ? take_signer_3(r, v) : take_signer_4(r, v));
    if (!is_state(v->country, 1) || !is_signer(v->signer) || !all_hex(v->reference))
        return wrong(r->pool, "no country, signer or reference");
    FW_TRY(take_date(r, &v->issued));
    FW_TRY(take_date(r, &v->signed_on));
    FW_TRY(take(r, 2, &from));
    v->type = (unsigned)from[0] << 8 | from[1];
    return NULL;
}

static const fw_err *take_feature(reader *r, fw_vds *v, unsigned tag)
{
    fw_vds_feature *f = &v->features[v->n_features];

    if (v->n_features == FW_VDS_FEATURES_MAX)
        return FW_ERR(r->pool, FW_E_LIMIT, 0, "seal: more than %d features", FW_VDS_FEATURES_MAX);
    if (fw_vds_find(v, tag))
        return wrong(r->pool, "a tag twice");
    FW_TRY(take_length(r, &f->n));
    FW_TRY(take(r, f->n, &f->value));
    f->tag = tag;
    v->n_features++;
    return NULL;
}

static const fw_err *take_message(reader *r, fw_vds *v, const unsigned char *start)
{
    const unsigned char *tag = NULL;

    for (;;) {
        FW_TRY(take(r, 1, &tag));
        if (tag[0] == TAG_SIGNATURE)
            break;
        FW_TRY(take_feature(r, v, tag[0]));
    }
    v->n_signed = (size_t)(tag - start);
    FW_TRY(take_length(r, &v->n_signature));
    FW_TRY(take(r, v->n_signature, &v->signature));
    if (v->n_signature == 0 || v->n_signature % 2 != 0)
        return wrong(r->pool, "a signature that is not two numbers of one width");
    return r->at == r->end ? NULL : wrong(r->pool, "bytes behind its end");
}

const fw_err *fw_vds_decode(fw_vds *out, const void *bytes, size_t n, apr_pool_t *pool)
{
    reader r = {.at = bytes, .end = (const unsigned char *)bytes + n, .pool = pool};

    *out = (fw_vds){0};
    if (n > FW_VDS_MAX)
        return FW_ERR(pool, FW_E_LIMIT, 0, "seal: %" APR_SIZE_T_FMT " bytes", n);
    FW_TRY(take_header(&r, out));
    return take_message(&r, out, bytes);
}

const fw_vds_feature *fw_vds_find(const fw_vds *v, unsigned tag)
{
    for (int i = 0; i < v->n_features; i++)
        if (v->features[i].tag == tag)
            return &v->features[i];
    return NULL;
}

const char *fw_vds_id(const fw_vds *v, apr_pool_t *pool)
{
    return apr_pstrcat(pool, v->signer, ":", v->reference + strspn(v->reference, "0"), NULL);
}

/* ---- encoding ---- */

typedef struct writer {
    unsigned char *bytes;
    size_t n;
    apr_pool_t *pool;
} writer;

static const fw_err *put(writer *w, const void *bytes, size_t n)
{
    if (n > FW_VDS_MAX - w->n)
        return FW_ERR(w->pool, FW_E_LIMIT, 0, "seal: more than %d bytes", FW_VDS_MAX);
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): nobody puts what is not there */
    memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
    return NULL;
}

static const fw_err *put_byte(writer *w, unsigned byte)
{
    unsigned char c = (unsigned char)byte;

    return put(w, &c, 1);
}

static const fw_err *put_text(writer *w, const char *text)
{
    const unsigned char *bytes = NULL;
    size_t n = 0;

    FW_TRY(fw_vds_c40(text, &bytes, &n, w->pool));
    return put(w, bytes, n);
}

static const fw_err *put_date(writer *w, fw_date date)
{
    unsigned char bytes[FW_VDS_DATE];

    FW_TRY(fw_vds_date_put(date, bytes, w->pool));
    return put(w, bytes, sizeof(bytes));
}

static const fw_err *put_value(writer *w, unsigned tag, const void *value, size_t n)
{
    FW_TRY(put_byte(w, tag));
    if (n >= 0x100) {
        FW_TRY(put_byte(w, 0x82));
        FW_TRY(put_byte(w, (unsigned)(n >> 8) & 0xFF));
    } else if (n >= 0x80)
        FW_TRY(put_byte(w, 0x81));
    FW_TRY(put_byte(w, (unsigned)(n & 0xFF)));
    return put(w, value, n);
}

static const fw_err *put_signer(writer *w, const fw_vds *v)
{
    apr_size_t n = strlen(v->reference);

    if (v->version == 4) {
        FW_TRY(put_text(w, apr_psprintf(w->pool, "%s%02X", v->signer, (unsigned)n)));
        return put_text(w, v->reference);
    }
    if (n > REFERENCE_3)
        return wrong(w->pool, "a reference that version 3 has no room for");
    return put_text(w, apr_psprintf(w->pool, "%s%.*s%s", v->signer, (int)(REFERENCE_3 - n), "00000",
                                    v->reference));
}

static const fw_err *put_header(writer *w, const fw_vds *v)
{
    if (v->version != 3 && v->version != 4)
        return wrong(w->pool, "a version that is not known");
    if (strlen(v->country) != 3 || !is_state(v->country, 1) || !is_signer(v->signer) ||
        !*v->reference || !all_hex(v->reference) || v->type > 0xFFFF)
        return wrong(w->pool, "no country, signer, reference or type");
    FW_TRY(put_byte(w, MAGIC));
    FW_TRY(put_byte(w, v->version == 3 ? VERSION_3 : VERSION_4));
    FW_TRY(put_text(w, v->country));
    FW_TRY(put_signer(w, v));
    FW_TRY(put_date(w, v->issued));
    FW_TRY(put_date(w, v->signed_on));
    FW_TRY(put_byte(w, v->type >> 8));
    return put_byte(w, v->type & 0xFF);
}

const fw_err *fw_vds_encode(const fw_vds *v, const unsigned char **bytes, size_t *n,
                            apr_pool_t *pool)
{
    writer w = {.bytes = apr_palloc(pool, FW_VDS_MAX), .pool = pool};

    FW_TRY(put_header(&w, v));
    for (int i = 0; i < v->n_features; i++) {
        const fw_vds_feature *f = &v->features[i];

        if (f->tag >= TAG_SIGNATURE || fw_vds_find(v, f->tag) != f)
            return wrong(pool, "a tag that cannot be, or twice");
        FW_TRY(put_value(&w, f->tag, f->value, f->n));
    }
    *bytes = w.bytes;
    *n = w.n;
    return NULL;
}

const fw_err *fw_vds_finish(const unsigned char *part, size_t n_part, const void *signature,
                            size_t n_signature, const unsigned char **seal, size_t *n,
                            apr_pool_t *pool)
{
    writer w = {.bytes = apr_palloc(pool, FW_VDS_MAX), .pool = pool};

    if (n_signature == 0 || n_signature % 2 != 0)
        return wrong(pool, "a signature that is not two numbers of one width");
    FW_TRY(put(&w, part, n_part));
    FW_TRY(put_value(&w, TAG_SIGNATURE, signature, n_signature));
    *seal = w.bytes;
    *n = w.n;
    return NULL;
}
