#include "fw_config.h"
#include "fw_verify_int.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "fw_json.h"

#define FORMAT       "fwpermit-trust/1"
#define SIGNERS_MOST 1000
#define ROOTS_MOST   100

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

static apr_status_t free_store(void *store)
{
    X509_STORE_free(store);
    return APR_SUCCESS;
}

static const fw_err *bad(apr_pool_t *pool, const char *what)
{
    ERR_clear_error();
    return FW_ERR(pool, FW_E_INPUT, 0, "the trust list: %s", what);
}

static X509 *read_cert(const json_t *pem, apr_pool_t *pool)
{
    const char *text = json_string_value(pem);
    BIO *in = text ? BIO_new_mem_buf(text, -1) : NULL;
    X509 *cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

    BIO_free(in);
    if (cert)
        apr_pool_cleanup_register(pool, cert, free_cert, apr_pool_cleanup_null);
    return cert;
}

static const fw_err *read_roots(fw_trust *t, const json_t *list, apr_pool_t *pool)
{
    size_t n = json_array_size(list);

    if (n == 0 || n > ROOTS_MOST)
        return bad(pool, "no roots, or too many");
    for (size_t i = 0; i < n; i++) {
        X509 *cert = read_cert(json_array_get(list, i), pool);

        if (!cert || X509_STORE_add_cert(t->roots, cert) != 1)
            return bad(pool, "a root that is no certificate");
    }
    return NULL;
}

static const fw_err *read_signers(fw_trust *t, const json_t *list, apr_pool_t *pool)
{
    size_t n = json_array_size(list);

    if (n > SIGNERS_MOST)
        return bad(pool, "too many signers");
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        const char *use = json_string_value(json_object_get(one, "use"));
        const char *id = json_string_value(json_object_get(one, "seal_id"));
        X509 *cert = read_cert(json_object_get(one, "cert"), pool);

        if (!use || !cert)
            return bad(pool, "a signer without use or certificate");
        APR_ARRAY_PUSH(t->signers, fw_signer) =
            (fw_signer){apr_pstrdup(pool, use), id ? apr_pstrdup(pool, id) : NULL, cert};
    }
    return NULL;
}

const fw_err *fw_trust_read(fw_trust **out, const char *text, apr_pool_t *pool)
{
    json_t *o = fw_json_parse(text, pool);
    const char *format = json_string_value(json_object_get(o, "format"));
    fw_trust *t = apr_pcalloc(pool, sizeof(*t));

    if (!format || strcmp(format, FORMAT) != 0)
        return bad(pool, "it is not of the form " FORMAT);
    t->signers = apr_array_make(pool, 8, sizeof(fw_signer));
    t->roots = X509_STORE_new();
    if (!t->roots)
        return bad(pool, "no memory");
    apr_pool_cleanup_register(pool, t->roots, free_store, apr_pool_cleanup_null);
    FW_TRY(read_roots(t, json_object_get(o, "roots"), pool));
    FW_TRY(read_signers(t, json_object_get(o, "signers"), pool));
    *out = t;
    return NULL;
}

const fw_signer *fw_trust_signer(const fw_trust *trust, const X509 *cert)
{
    for (int i = 0; i < trust->signers->nelts; i++) {
        const fw_signer *s = &APR_ARRAY_IDX(trust->signers, i, fw_signer);

        if (X509_cmp(s->cert, cert) == 0)
            return s;
    }
    return NULL;
}

const fw_signer *fw_trust_seal(const fw_trust *trust, const char *seal_id)
{
    for (int i = 0; i < trust->signers->nelts; i++) {
        const fw_signer *s = &APR_ARRAY_IDX(trust->signers, i, fw_signer);

        if (s->seal_id && strcmp(s->use, "seal") == 0 && strcmp(s->seal_id, seal_id) == 0)
            return s;
    }
    return NULL;
}

bool fw_trust_chains(const fw_trust *trust, X509 *cert, STACK_OF(X509) * others, apr_time_t at)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = ctx && X509_STORE_CTX_init(ctx, trust->roots, cert, others) == 1;

    if (ok) {
        X509_STORE_CTX_set_time(ctx, 0, (time_t)apr_time_sec(at));
        ok = X509_verify_cert(ctx) == 1;
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

const char *fw_trust_name(const X509 *cert, apr_pool_t *pool)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;
    int n = at < 0 ? 0
                   : ASN1_STRING_to_UTF8(&text,
                                         X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    const char *out = n > 0 ? apr_pstrmemdup(pool, (const char *)text, (apr_size_t)n) : "";

    OPENSSL_free(text);
    return out;
}
