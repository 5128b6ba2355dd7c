#include "fw_config.h"
#include "fwc_cert.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "fw_signing.h"

#define SERIAL_BYTES 16
#define BRIEF_BYTES  4
#define DAY_S        86400
#define BEFORE_S     86400 /* for a clock that is behind ours, or is set back */

static const fw_err *fail(const char *what, apr_pool_t *pool)
{
    unsigned long code = ERR_peek_last_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return FW_ERR(pool, FW_E_CONFIG, 0, "%s%s%s", what, why ? ": " : "", why ? why : "");
}

static apr_status_t free_pair(void *data)
{
    fwc_pair *pair = data;

    EVP_PKEY_free(pair->key);
    X509_free(pair->cert);
    return APR_SUCCESS;
}

static fwc_pair *new_pair(apr_pool_t *pool)
{
    fwc_pair *pair = apr_pcalloc(pool, sizeof(*pair));

    apr_pool_cleanup_register(pool, pair, free_pair, apr_pool_cleanup_null);
    return pair;
}

const fw_err *fwc_pair_make(fwc_pair **out, apr_pool_t *pool)
{
    *out = new_pair(pool);
    (*out)->key = EVP_EC_gen("P-256");
    return (*out)->key ? NULL : fail("no key could be made", pool);
}

static int no_password(char *buf, int size, int writing, void *data)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)data;
    return 0;
}

static const fw_err *read_cert(fwc_pair *pair, const char *pem, apr_pool_t *pool)
{
    BIO *in = BIO_new_mem_buf(pem, -1);

    pair->cert = PEM_read_bio_X509(in, NULL, no_password, NULL);
    BIO_free(in);
    return pair->cert ? NULL : fail("no certificate", pool);
}

const fw_err *fwc_cert_read(X509 **out, const char *pem, apr_pool_t *pool)
{
    fwc_pair *pair = new_pair(pool);

    FW_TRY(read_cert(pair, pem, pool));
    *out = pair->cert;
    return NULL;
}

const fw_err *fwc_pair_read(fwc_pair **out, const char *key, const char *cert, apr_pool_t *pool)
{
    BIO *in = BIO_new_mem_buf(key, -1);

    *out = new_pair(pool);
    (*out)->key = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
    BIO_free(in);
    if (!(*out)->key)
        return fail("no private key", pool);
    if (!cert)
        return NULL;
    FW_TRY(read_cert(*out, cert, pool));
    if (X509_check_private_key((*out)->cert, (*out)->key) != 1)
        return fail("the certificate is not the key's", pool);
    return NULL;
}

/* ---- certificates ---- */

static bool add_name(X509_NAME *name, const char *what, const char *value)
{
    return !value || X509_NAME_add_entry_by_txt(name, what, MBSTRING_UTF8,
                                                (const unsigned char *)value, -1, -1, 0);
}

static bool set_name(X509_NAME *name, const fwc_subject *s)
{
    return add_name(name, "C", s->country) && add_name(name, "O", s->org) &&
           add_name(name, "CN", s->name);
}

static bool set_serial(X509 *cert, bool brief)
{
    int bytes = brief ? BRIEF_BYTES : SERIAL_BYTES;
    BIGNUM *n = BN_new();
    bool ok = n != NULL;

    do
        ok = ok && BN_rand(n, 8 * bytes - 1, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1;
    while (ok && BN_num_bits(n) <= 8 * bytes - 4);
    ok = ok && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    return ok;
}

static bool add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    bool ok = e && X509_add_ext(cert, e, -1);

    X509_EXTENSION_free(e);
    return ok;
}

static bool add_extensions(X509 *cert, X509 *issuer)
{
    bool root = cert == issuer;
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    return add_extension(cert, &ctx, NID_basic_constraints,
                         root ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           add_extension(cert, &ctx, NID_key_usage,
                         root ? "critical,keyCertSign,cRLSign"
                              : "critical,digitalSignature,nonRepudiation") &&
           add_extension(cert, &ctx, NID_subject_key_identifier, "hash") &&
           add_extension(cert, &ctx, NID_authority_key_identifier, "keyid:always");
}

const fw_err *fwc_certify(fwc_pair *pair, const fwc_pair *issuer, const fwc_subject *subject,
                          int days, apr_pool_t *pool)
{
    X509 *cert = X509_new();
    X509 *by = pair == issuer ? cert : issuer->cert;
    bool ok;

    X509_free(pair->cert);
    pair->cert = cert;
    ok = cert && X509_set_version(cert, X509_VERSION_3) &&
         set_serial(cert, subject->short_serial) &&
         X509_gmtime_adj(X509_getm_notBefore(cert), -BEFORE_S) &&
         X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY_S) &&
         X509_set_pubkey(cert, pair->key) && set_name(X509_get_subject_name(cert), subject) &&
         X509_set_issuer_name(cert, X509_get_subject_name(by)) && add_extensions(cert, by) &&
         X509_sign(cert, issuer->key, EVP_sha256());
    return ok ? NULL : fail("no certificate could be made", pool);
}

/* ---- PEM ---- */

static const fw_err *take_text(BIO *out, bool ok, const char **pem, apr_pool_t *pool)
{
    char *bytes = NULL;
    long n = out ? BIO_get_mem_data(out, &bytes) : 0;

    if (ok && n > 0)
        *pem = apr_pstrmemdup(pool, bytes, (apr_size_t)n);
    BIO_free(out);
    return ok && n > 0 ? NULL : fail("it cannot be written as PEM", pool);
}

const fw_err *fwc_key_pem(const fwc_pair *pair, const char **pem, apr_pool_t *pool)
{
    BIO *out = BIO_new(BIO_s_mem());
    bool ok = out && PEM_write_bio_PrivateKey(out, pair->key, NULL, NULL, 0, NULL, NULL);

    return take_text(out, ok, pem, pool);
}

const fw_err *fwc_cert_pem(const fwc_pair *pair, const char **pem, apr_pool_t *pool)
{
    BIO *out = BIO_new(BIO_s_mem());
    bool ok = out && PEM_write_bio_X509(out, pair->cert);

    return take_text(out, ok, pem, pool);
}

const fw_err *fwc_csr_pem(const fwc_pair *pair, const fwc_subject *subject, const char **pem,
                          apr_pool_t *pool)
{
    X509_REQ *csr = X509_REQ_new();
    BIO *out = BIO_new(BIO_s_mem());
    bool ok = csr && out && X509_REQ_set_version(csr, X509_REQ_VERSION_1) &&
              X509_REQ_set_pubkey(csr, pair->key) &&
              set_name(X509_REQ_get_subject_name(csr), subject) &&
              X509_REQ_sign(csr, pair->key, EVP_sha256()) && PEM_write_bio_X509_REQ(out, csr);

    X509_REQ_free(csr);
    return take_text(out, ok, pem, pool);
}
