#include "fw_config.h"
#include "fww_trust.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/pem.h>

#include "fw_date.h"
#include "fww_signer_client.h"

#define FORMAT "fwpermit-trust/1"
#define SEAL   "seal"

/* ---- how a visible seal names its certificate ---- */

static const char *part_of(const X509 *cert, int nid, apr_pool_t *pool)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    const ASN1_STRING *text =
        at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));

    if (!text)
        return "";
    return apr_pstrmemdup(pool, (const char *)ASN1_STRING_get0_data(text),
                          (apr_size_t)ASN1_STRING_length(text));
}

/* Upper-case, without leading zeros. */
static const char *serial_of(const X509 *cert, apr_pool_t *pool)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = n ? BN_bn2hex(n) : NULL;
    const char *out = hex ? apr_pstrdup(pool, hex + strspn(hex, "0")) : "";

    OPENSSL_free(hex);
    BN_free(n);
    return out;
}

static const fw_err *seal_id(const char *pem, const char **out, apr_pool_t *pool)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509 *cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

    BIO_free(in);
    if (!cert)
        return FW_ERR(pool, FW_E_INTERNAL, 0, "the signer's certificate cannot be read");
    *out = apr_pstrcat(pool, part_of(cert, NID_countryName, pool),
                       part_of(cert, NID_commonName, pool), ":", serial_of(cert, pool), NULL);
    X509_free(cert);
    return NULL;
}

/* ---- the list ---- */

static bool is_of_papers(const char *use)
{
    return use &&
           (strcmp(use, "permit") == 0 || strcmp(use, "receipt") == 0 || strcmp(use, SEAL) == 0);
}

static const fw_err *add_signers(json_t *signers, const json_t *certs, apr_pool_t *pool)
{
    const json_t *one;
    size_t i;

    json_array_foreach(certs, i, one)
    {
        const char *use = json_string_value(json_object_get(one, "use")), *id = NULL;
        const char *pem = json_string_value(json_object_get(one, "cert"));

        if (!is_of_papers(use) || !pem)
            continue;
        if (strcmp(use, SEAL) == 0)
            FW_TRY(seal_id(pem, &id, pool));
        json_array_append_new(signers, json_pack("{s:O, s:s, s:O, s:s, s:s*}", "kid",
                                                 json_object_get(one, "kid"), "use", use, "current",
                                                 json_object_get(one, "current"), "cert", pem,
                                                 "seal_id", id));
    }
    return NULL;
}

const fw_err *fww_trust_make(const char *run_dir, const fw_settings *settings, json_t **out,
                             apr_pool_t *pool)
{
    json_t *signers = json_array(), *told = NULL;
    const fw_err *err = fww_signer_certs(run_dir, &told, pool);

    if (!err)
        err = add_signers(signers, json_object_get(told, "certs"), pool);
    if (!err)
        *out = json_pack("{s:s, s:{s:s, s:s}, s:s, s:O, s:O}", "format", FORMAT, "agency", "zh",
                         settings->agency_zh, "en", settings->agency_en, "issued",
                         fw_time_iso(apr_time_now(), pool), "roots", json_object_get(told, "roots"),
                         "signers", signers);
    json_decref(signers);
    json_decref(told);
    return err;
}
