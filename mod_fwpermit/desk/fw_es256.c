#include "fw_config.h"
#include "fw_es256.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#define HALF (FW_ES256_BYTES / 2)

bool fw_es256_raw(const void *der, size_t n, unsigned char raw[FW_ES256_BYTES])
{
    const unsigned char *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
    bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, HALF) == HALF &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + HALF, HALF) == HALF;

    ECDSA_SIG_free(sig);
    ERR_clear_error();
    return ok;
}

bool fw_es256_holds(const X509 *cert, const void *bytes, size_t n, const unsigned char *raw,
                    size_t n_raw)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = n_raw == FW_ES256_BYTES ? BN_bin2bn(raw, HALF, NULL) : NULL;
    BIGNUM *s = r ? BN_bin2bn(raw + HALF, HALF, NULL) : NULL;
    unsigned char *der = NULL;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int n_der = -1;
    bool ok = false;

    if (sig && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        n_der = i2d_ECDSA_SIG(sig, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ok = n_der > 0 && md &&
         EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, X509_get0_pubkey(cert)) == 1 &&
         EVP_DigestVerify(md, der, (size_t)n_der, bytes, n) == 1;
    EVP_MD_CTX_free(md);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    ERR_clear_error();
    return ok;
}
