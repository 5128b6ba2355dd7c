#include "fw_config.h"
#include "fw_verify_int.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/cms.h>
#include <openssl/err.h>

/* The certificate of the only signer, as the CMS carries it; NULL: none, or several signers. */
static X509 *find_signer(CMS_ContentInfo *cms, STACK_OF(X509) * certs)
{
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);

    if (sk_CMS_SignerInfo_num(infos) != 1)
        return NULL;
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);

        if (CMS_SignerInfo_cert_cmp(sk_CMS_SignerInfo_value(infos, 0), cert) == 0)
            return cert;
    }
    return NULL;
}

/* CMS_verify of OpenSSL 3.0 loses memory over a digest that it does not know. */
static bool knows_digests(CMS_ContentInfo *cms)
{
    BIO *nowhere = BIO_new(BIO_s_null());
    BIO *chain = nowhere ? CMS_dataInit(cms, nowhere) : NULL;

    BIO_free_all(chain ? chain : nowhere);
    return chain != NULL;
}

/* The bytes are as they were signed, and the certificate is the one that the signature names (signingCertificateV2). Its chain
 * was looked at before. */
static bool holds(CMS_ContentInfo *cms, const fw_signed *s, const fw_trust *trust, apr_pool_t *pool)
{
    size_t n = s->n - (s->hole_end - s->hole);
    char *content = apr_palloc(pool, n);
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(trust->roots);
    BIO *in;
    bool ok;

    memcpy(content, s->bytes, s->hole);
    memcpy(content + s->hole, s->bytes + s->hole_end, s->n - s->hole_end);
    X509_VERIFY_PARAM_set_time(param, (time_t)apr_time_sec(s->at));
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
    in = BIO_new_mem_buf(content, (int)n);
    ok = in && CMS_verify(cms, NULL, trust->roots, in, NULL, CMS_BINARY | CMS_CADES) == 1;
    BIO_free(in);
    ERR_clear_error();
    return ok;
}

static const fw_signer *judge(fw_proof *out, CMS_ContentInfo *cms, STACK_OF(X509) * certs,
                              const fw_signed *s, const fw_trust *trust, apr_pool_t *pool)
{
    X509 *cert = find_signer(cms, certs);
    const fw_signer *signer = cert ? fw_trust_signer(trust, cert) : NULL;

    if (!cert) {
        fw_proof_end(out, FW_PAPER_ALTERED, "its signature names no signer, or several");
        return NULL;
    }
    out->signer = fw_trust_name(cert, pool);
    if (!signer || strcmp(signer->use, "seal") == 0) {
        fw_proof_end(out, FW_PAPER_UNKNOWN_SIGNER, "its signer is not in the trust list");
        return NULL;
    }
    if (!fw_trust_chains(trust, cert, certs, s->at)) {
        fw_proof_end(out, FW_PAPER_UNKNOWN_SIGNER,
                     "its signer's certificate did not lead to a root when it was signed");
        return NULL;
    }
    if (!knows_digests(cms) || !holds(cms, s, trust, pool)) {
        fw_proof_end(out, FW_PAPER_ALTERED, "its bytes are not those that were signed");
        return NULL;
    }
    return signer;
}

const fw_signer *fw_verify_cms(fw_proof *out, const fw_signed *s, const fw_trust *trust,
                               apr_pool_t *pool)
{
    const unsigned char *at = s->der;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)s->n_der);
    STACK_OF(X509) *certs = NULL;
    const fw_signer *signer = NULL;
    bool whole = cms != NULL;

    for (const unsigned char *p = at; whole && p < s->der + s->n_der; p++)
        whole = *p == 0;
    if (whole)
        certs = CMS_get1_certs(cms);
    if (certs)
        signer = judge(out, cms, certs, s, trust, pool);
    else
        fw_proof_end(out, FW_PAPER_ALTERED, "its signature cannot be read");
    sk_X509_pop_free(certs, X509_free);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return signer;
}
