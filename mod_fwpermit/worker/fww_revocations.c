#include "fw_config.h"
#include "fww_publish.h"

#include <stdlib.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "fw_es256.h"
#include "fw_json.h"
#include "fw_signing.h"
#include "fw_store_payment.h"
#include "fww_signer_client.h"

#define FORMAT "fwpermit-revocations/1"
#define TYPE   "fwpermit-revocations"
#define KEY    "permit"
#define LIFE   apr_time_from_sec(86400) /* until the next list must be there */
#define PAGE   1000                     /* rows of one query */
#define MOST   2000000                  /* permits of a list */
#define CHAIN  8                        /* certificates */

/* ---- base64url, RFC 7515 ---- */

static const char *encode(const void *bytes, size_t n, apr_pool_t *pool)
{
    return apr_pencode_base64_binary(pool, bytes, (apr_ssize_t)n,
                                     APR_ENCODE_URL | APR_ENCODE_NOPADDING, NULL);
}

/* Takes `o` over. */
static const char *encode_json(json_t *o, apr_pool_t *pool)
{
    const char *text = fw_json_text(o, JSON_COMPACT, pool);

    json_decref(o);
    return text ? encode(text, strlen(text), pool) : NULL;
}

/* ---- the list ---- */

static int by_number(const void *a, const void *b)
{
    const fw_permit *const *x = a, *const *y = b;

    return strcmp((*x)->permit_no, (*y)->permit_no);
}

static const fw_err *collect(const fww_turn *t, const char *today, apr_array_header_t *all)
{
    const char *to = today, *no = "";
    apr_array_header_t *page = NULL;

    do {
        FW_TRY(fw_permit_ended_list(t->db, to, no, PAGE, &page, t->pool));
        for (int i = 0; i < page->nelts; i++) {
            const fw_permit *p = &APR_ARRAY_IDX(page, i, fw_permit);

            APR_ARRAY_PUSH(all, const fw_permit *) = p;
            to = p->valid_to;
            no = p->permit_no;
        }
        if (all->nelts > MOST)
            return FW_ERR(t->pool, FW_E_LIMIT, 0, "more than %d permits ended early", MOST);
    } while (page->nelts == PAGE);
    qsort(all->elts, (size_t)all->nelts, sizeof(const fw_permit *), by_number);
    return NULL;
}

static json_t *entries(const apr_array_header_t *all, apr_pool_t *pool)
{
    json_t *list = json_array();

    for (int i = 0; i < all->nelts; i++) {
        const fw_permit *p = APR_ARRAY_IDX(all, i, const fw_permit *);

        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "no", p->permit_no, "state", p->state,
                                        "since", fw_date_text(fw_date_of(p->ended), pool)));
    }
    return list;
}

static const fw_err *make_payload(const fww_turn *t, apr_time_t now, const char **out)
{
    apr_array_header_t *all = apr_array_make(t->pool, 64, sizeof(const fw_permit *));

    FW_TRY(collect(t, fw_date_text(fw_date_of(now), t->pool), all));
    *out =
        encode_json(json_pack("{s:s, s:s, s:s, s:s, s:o}", "format", FORMAT, "issuer",
                              t->pump->desk->settings->agency_en, "issued",
                              fw_time_iso(now, t->pool), "next_update",
                              fw_time_iso(now + LIFE, t->pool), "permits", entries(all, t->pool)),
                    t->pool);
    return *out ? NULL : FW_ERR(t->pool, FW_E_INTERNAL, 0, "the revocation list is no JSON");
}

/* ---- who signs ---- */

static json_t *der_text(const X509 *cert, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    int n = i2d_X509(cert, &der);
    json_t *text =
        n > 0 ? json_string(apr_pencode_base64_binary(pool, der, n, APR_ENCODE_NONE, NULL)) : NULL;

    OPENSSL_free(der);
    return text;
}

/* The header: the certificate with those above it. */
static const fw_err *make_header(const fww_turn *t, const char **out)
{
    char kid[FW_SIGNING_KID_CHARS + 1] = "";
    const char *pem = NULL;
    size_t n = 0;
    BIO *in;
    X509 *cert;
    json_t *chain;

    FW_TRY(fww_signer_cert(t->pump->desk->run_dir, KEY, &pem, &n, t->pool));
    chain = json_array();
    in = BIO_new_mem_buf(pem, (int)n);
    for (int i = 0; i < CHAIN; i++) {
        cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (!cert)
            break;
        if (i == 0)
            fw_signing_kid(cert, kid);
        json_array_append_new(chain, der_text(cert, t->pool));
        X509_free(cert);
    }
    BIO_free(in);
    ERR_clear_error();
    *out = encode_json(
        json_pack("{s:s, s:s, s:s, s:o}", "alg", "ES256", "kid", kid, "typ", TYPE, "x5c", chain),
        t->pool);
    return *kid ? NULL : FW_ERR(t->pool, FW_E_CONFIG, 0, "the key permit has no certificate");
}

static const fw_err *sign(const fww_turn *t, const char *text, const char **out)
{
    unsigned char raw[FW_ES256_BYTES];
    const char *der = NULL;
    size_t n = 0;

    FW_TRY(fww_signer_sign(t->pump->desk->run_dir, KEY, text, strlen(text), &der, &n, t->pool));
    if (!fw_es256_raw(der, n, raw))
        return FW_ERR(t->pool, FW_E_CONFIG, 0, "the key permit is not on P-256");
    *out = encode(raw, sizeof(raw), t->pool);
    return NULL;
}

const fw_err *fww_revocations_make(const fww_turn *t, apr_time_t now, const char **jws)
{
    const char *header = NULL, *payload = NULL, *text, *signature = NULL;

    FW_TRY(make_header(t, &header));
    FW_TRY(make_payload(t, now, &payload));
    text = apr_pstrcat(t->pool, header, ".", payload, NULL);
    FW_TRY(sign(t, text, &signature));
    *jws = apr_pstrcat(t->pool, text, ".", signature, NULL);
    return NULL;
}
