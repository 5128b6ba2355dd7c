#include "fw_config.h"
#include "fww_cms.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>

/* An error with the newest reason that OpenSSL left, and none left behind. */
static const fw_err *fail(apr_pool_t *pool, fw_code_e code, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return FW_ERR(pool, code, 0, "%s%s%s", what, why ? ": " : "", why ? why : "");
}

/* ---- CMS ---- */

static bool add_ess(PKCS7_SIGNER_INFO *si, const fww_key *k)
{
    ESS_SIGNING_CERT_V2 *ess =
        OSSL_ESS_signing_cert_v2_new_init(EVP_sha256(), k->now.cert, NULL, 0);
    unsigned char *der = NULL;
    ASN1_STRING *value = NULL;
    int n = ess ? i2d_ESS_SIGNING_CERT_V2(ess, &der) : -1;
    bool ok = false;

    if (n > 0)
        value = ASN1_STRING_new();
    if (value && ASN1_STRING_set(value, der, n) == 1)
        ok = PKCS7_add_signed_attribute(si, NID_id_smime_aa_signingCertificateV2, V_ASN1_SEQUENCE,
                                        value) == 1;
    if (!ok)
        ASN1_STRING_free(value);
    OPENSSL_free(der);
    ESS_SIGNING_CERT_V2_free(ess);
    return ok;
}

static bool add_certs(PKCS7 *p7, const fww_key *k)
{
    if (PKCS7_add_certificate(p7, k->now.cert) != 1)
        return false;
    for (int i = 0; i < sk_X509_num(k->now.chain); i++)
        if (PKCS7_add_certificate(p7, sk_X509_value(k->now.chain, i)) != 1)
            return false;
    return true;
}

/* Fills and signs; without PKCS7_dataFinal, which would add the time of signing. */
static bool fill(PKCS7 *p7, const fww_key *k, const unsigned char *md, int n_md)
{
    PKCS7_SIGNER_INFO *si;

    if (PKCS7_set_type(p7, NID_pkcs7_signed) != 1 || PKCS7_content_new(p7, NID_pkcs7_data) != 1 ||
        PKCS7_set_detached(p7, 1) != 1)
        return false;
    si = PKCS7_add_signature(p7, k->now.cert, k->key, EVP_sha256());
    if (!si || !add_certs(p7, k))
        return false;
    return PKCS7_add_attrib_content_type(si, NULL) == 1 &&
           PKCS7_add1_attrib_digest(si, md, n_md) == 1 && add_ess(si, k) &&
           PKCS7_SIGNER_INFO_sign(si) == 1;
}

static const fw_err *write_der(PKCS7 *p7, const char **der, size_t *n_der, apr_pool_t *pool)
{
    unsigned char *bytes = NULL;
    int n = i2d_PKCS7(p7, &bytes);

    if (n <= 0)
        return fail(pool, FW_E_INTERNAL, "CMS cannot be written");
    *der = apr_pmemdup(pool, bytes, (size_t)n);
    *n_der = (size_t)n;
    OPENSSL_free(bytes);
    return NULL;
}

const fw_err *fww_cms_sign(const fww_key *k, const void *bytes, size_t n, const char **der,
                           size_t *n_der, apr_pool_t *pool)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n_md = 0;
    const fw_err *err;
    PKCS7 *p7;

    if (!k->now.cert)
        return FW_ERR(pool, FW_E_CONFIG, 0, "this key has no certificate");
    if (X509_cmp_current_time(X509_get0_notBefore(k->now.cert)) >= 0 ||
        X509_cmp_current_time(X509_get0_notAfter(k->now.cert)) <= 0)
        return FW_ERR(pool, FW_E_CONFIG, 0, "the certificate is not valid now");
    if (EVP_Digest(bytes, n, md, &n_md, EVP_sha256(), NULL) != 1)
        return fail(pool, FW_E_INTERNAL, "no SHA-256");
    p7 = PKCS7_new();
    if (p7 && fill(p7, k, md, (int)n_md))
        err = write_der(p7, der, n_der, pool);
    else
        err = fail(pool, FW_E_INTERNAL, "CMS cannot be made");
    PKCS7_free(p7);
    return err;
}

/* ---- raw ---- */

static bool start_raw(EVP_MD_CTX *ctx, const fww_key *k)
{
    EVP_PKEY_CTX *how = NULL;

    if (EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, k->key) != 1)
        return false;
    if (!EVP_PKEY_is_a(k->key, "RSA"))
        return true;
    return EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
}

const fw_err *fww_key_sign(const fww_key *k, const void *bytes, size_t n, const char **signature,
                           size_t *n_signature, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char *out = apr_palloc(pool, (size_t)EVP_PKEY_get_size(k->key));
    size_t room = (size_t)EVP_PKEY_get_size(k->key);
    bool ok = ctx && start_raw(ctx, k) && EVP_DigestSign(ctx, out, &room, bytes, n) == 1;

    EVP_MD_CTX_free(ctx);
    if (!ok)
        return fail(pool, FW_E_INTERNAL, "signature cannot be made");
    *signature = (const char *)out;
    *n_signature = room;
    return NULL;
}
