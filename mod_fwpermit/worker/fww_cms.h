#ifndef FWW_CMS_H
#define FWW_CMS_H

#include "fw_err.h"

#include <openssl/x509.h>

/* Keys, certificates, and the two kinds of signature that the platform makes with them. */

typedef struct fww_key {
    EVP_PKEY *key;          /* EC on P-256, P-384 or P-521, or RSA from 2048 bits on */
    X509 *cert;             /* or NULL: such a key makes raw signatures only */
    STACK_OF(X509) * chain; /* those between cert and its root; may be empty */
} fww_key;

/* Reads PEM files; `cert` and `chain` may be NULL. They live as long as `pool`, and so must *k. FW_E_CONFIG: a file
 * cannot be read, asks for a password, is open to others, or does not belong to the key. */
const fw_err *fww_key_load(fww_key *k, const char *key, const char *cert, const char *chain,
                           apr_pool_t *pool);

/* A detached CMS SignedData over the bytes, baseline B of CAdES and PAdES: SHA-256, the signer's
 * certificate and chain within, signed attributes contentType, messageDigest and
 * signingCertificateV2. FW_E_CONFIG: the key has no certificate, or one not valid now. */
const fw_err *fww_cms_sign(const fww_key *k, const void *bytes, size_t n, const char **der,
                           size_t *n_der, apr_pool_t *pool);

/* A raw signature: ECDSA (DER), or RSA-PSS with a salt of the digest's length; over SHA-256. */
const fw_err *fww_key_sign(const fww_key *k, const void *bytes, size_t n, const char **signature,
                           size_t *n_signature, apr_pool_t *pool);

#endif
