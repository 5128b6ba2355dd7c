#ifndef FWW_CMS_H
#define FWW_CMS_H

#include "fww_key.h"

/* The two kinds of signature that the platform makes. */

/* A detached CMS SignedData over the bytes, baseline B of CAdES and PAdES: SHA-256, the signer's
 * certificate and chain within, signed attributes contentType, messageDigest and
 * signingCertificateV2. FW_E_CONFIG: the key has no certificate, or one not valid now. */
const fw_err *fww_cms_sign(const fww_key *k, const void *bytes, size_t n, const char **der,
                           size_t *n_der, apr_pool_t *pool);

/* A raw signature: ECDSA (DER), or RSA-PSS with a salt of the digest's length; over SHA-256. */
const fw_err *fww_key_sign(const fww_key *k, const void *bytes, size_t n, const char **signature,
                           size_t *n_signature, apr_pool_t *pool);

#endif
