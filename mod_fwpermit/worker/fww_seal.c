#include "fw_config.h"
#include "fww_seal.h"
#include "fww_signer_client.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "fw_es256.h"
#include "fw_vds.h"

#define CURVE_BITS 256

/* ---- who signs ---- */

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

static const fw_err *read_cert(const char *run_dir, X509 **out, apr_pool_t *pool)
{
    const char *pem = NULL;
    size_t n = 0;
    BIO *in;

    FW_TRY(fww_signer_cert(run_dir, FWW_SEAL_KEY, &pem, &n, pool));
    in = BIO_new_mem_buf(pem, (int)n);
    *out = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    if (!*out)
        return FW_ERR(pool, FW_E_CONFIG, 0, "seal: the signer gave no certificate");
    apr_pool_cleanup_register(pool, *out, free_cert, apr_pool_cleanup_null);
    return NULL;
}

/* The two letters of a part of the subject, "" where they are not two. */
static const char *letters_of(const X509 *cert, int nid, apr_pool_t *pool)
{
    char text[8] = "";
    int n = X509_NAME_get_text_by_NID(X509_get_subject_name(cert), nid, text, sizeof(text));

    return n == 2 ? apr_pstrdup(pool, text) : "";
}

static const fw_err *check_signer(const fww_seal *s, const X509 *cert, apr_pool_t *pool)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    const char *subject = apr_pstrcat(pool, letters_of(cert, NID_countryName, pool),
                                      letters_of(cert, NID_commonName, pool), NULL);

    if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bits(key) != CURVE_BITS)
        return FW_ERR(pool, FW_E_CONFIG, 0, "seal: the key \"seal\" is not on P-256");
    if (X509_NAME_entry_count(X509_get_subject_name(cert)) != 2 || strcmp(subject, s->signer) != 0)
        return FW_ERR(pool, FW_E_CONFIG, 0,
                      "seal: FwPermitSealSigner is %s, the certificate's subject %s", s->signer,
                      *subject ? subject : "is not a country and two letters");
    return NULL;
}

/* The serial number in hex without leading zeros. */
static const fw_err *put_reference(fw_vds *v, X509 *cert, apr_pool_t *pool)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    const char *digits = hex ? hex + strspn(hex, "0") : "";
    bool fits = *digits && *digits != '-' && strlen(digits) < sizeof(v->reference);

    if (fits)
        apr_cpystrn(v->reference, digits, sizeof(v->reference));
    OPENSSL_free(hex);
    BN_free(number);
    return fits ? NULL : FW_ERR(pool, FW_E_CONFIG, 0, "seal: its certificate's number is none");
}

/* ---- what is signed ---- */

static const fw_err *add_text(fw_vds *v, fw_seal_tag_e tag, const char *text, apr_pool_t *pool)
{
    fw_vds_feature *f = &v->features[v->n_features++];

    f->tag = tag;
    return fw_vds_c40(text, &f->value, &f->n, pool);
}

static const fw_err *add_date(fw_vds *v, fw_seal_tag_e tag, fw_date date, apr_pool_t *pool)
{
    unsigned char *bytes = apr_palloc(pool, FW_VDS_DATE);

    v->features[v->n_features++] = (fw_vds_feature){tag, bytes, FW_VDS_DATE};
    return fw_vds_date_put(date, bytes, pool);
}

static const fw_err *write_part(const fww_seal *s, X509 *cert, const unsigned char **part,
                                size_t *n, apr_pool_t *pool)
{
    fw_vds v = {.version = 4,
                .country = "TWN",
                .issued = s->issued,
                .signed_on = fw_date_of(apr_time_now()),
                .type = FW_SEAL_TYPE};
    const char *lines = NULL;

    apr_cpystrn(v.signer, s->signer, sizeof(v.signer));
    FW_TRY(put_reference(&v, cert, pool));
    if (s->holder) {
        FW_TRY(fw_mrz_td2(s->holder, &lines, pool));
        FW_TRY(add_text(&v, FW_SEAL_MRZ, lines, pool));
    }
    if (s->passport_no && *s->passport_no)
        FW_TRY(add_text(&v, FW_SEAL_PASSPORT, s->passport_no, pool));
    FW_TRY(add_text(&v, FW_SEAL_PERMIT, s->permit_no, pool));
    FW_TRY(add_date(&v, FW_SEAL_FROM, s->valid_from, pool));
    FW_TRY(add_date(&v, FW_SEAL_TO, s->valid_to, pool));
    return fw_vds_encode(&v, part, n, pool);
}

const fw_err *fww_seal_make(const fww_seal *s, const char *run_dir, const unsigned char **bytes,
                            size_t *n, apr_pool_t *pool)
{
    unsigned char raw[FW_ES256_BYTES];
    const unsigned char *part = NULL;
    const char *der = NULL;
    size_t n_part = 0, n_der = 0;
    X509 *cert = NULL;

    FW_TRY(read_cert(run_dir, &cert, pool));
    FW_TRY(check_signer(s, cert, pool));
    FW_TRY(write_part(s, cert, &part, &n_part, pool));
    FW_TRY(fww_signer_sign(run_dir, FWW_SEAL_KEY, part, n_part, &der, &n_der, pool));
    /* Certificate and signature were asked for apart: between the two the key may have been changed. */
    if (!fw_es256_raw(der, n_der, raw) || !fw_es256_holds(cert, part, n_part, raw, sizeof(raw)))
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0,
                      "seal: the signature is not by the key of its certificate");
    return fw_vds_finish(part, n_part, raw, sizeof(raw), bytes, n, pool);
}
