#ifndef FWC_CERT_H
#define FWC_CERT_H

#include "fw_err.h"

#include <openssl/x509.h>

/* Keys and certificates of the platform's signatures: EC P-256, X.509 v3. */

typedef struct fwc_pair {
    EVP_PKEY *key;
    X509 *cert; /* NULL: none yet */
} fwc_pair;

/* Freed with the pool. */
const fw_err *fwc_pair_make(fwc_pair **out, apr_pool_t *pool);
/* From PEM text; `cert` may be NULL. */
const fw_err *fwc_pair_read(fwc_pair **out, const char *key, const char *cert, apr_pool_t *pool);

/* A certificate alone, from PEM text; freed with the pool. */
const fw_err *fwc_cert_read(X509 **out, const char *pem, apr_pool_t *pool);

/* The subject of a certificate, and how its serial number is drawn. */
typedef struct fwc_subject {
    const char *country; /* two letters */
    const char *org;     /* NULL: none */
    const char *name;
    bool
        short_serial; /* 32 bits, the first hex digit not 0: a visible seal names its certificate by it */
} fwc_subject;

/* Certifies `pair` by `issuer` (itself: a root that may certify others). */
const fw_err *fwc_certify(fwc_pair *pair, const fwc_pair *issuer, const fwc_subject *subject,
                          int days, apr_pool_t *pool);

const fw_err *fwc_key_pem(const fwc_pair *pair, const char **pem, apr_pool_t *pool);
const fw_err *fwc_cert_pem(const fwc_pair *pair, const char **pem, apr_pool_t *pool);
const fw_err *fwc_csr_pem(const fwc_pair *pair, const fwc_subject *subject, const char **pem,
                          apr_pool_t *pool);

#endif
