#ifndef FWW_SIGNER_CLIENT_H
#define FWW_SIGNER_CLIENT_H

#include "fw_err.h"

#include <jansson.h>

/* What other processes ask of the signer; each call connects, asks once and waits 10 s at most
 * for each step. FW_E_UNAVAILABLE: the signer, or the key's token, is away; FW_E_CONFIG: it refuses, with its reason. */

#define FWW_SIGNER_WAIT_S 10

/* A detached CMS over the bytes by the key of that name. */
const fw_err *fww_signer_cms(const char *run_dir, const char *key, const void *bytes, size_t n,
                             const char **der, size_t *n_der, apr_pool_t *pool);

/* A raw signature over the bytes. */
const fw_err *fww_signer_sign(const char *run_dir, const char *key, const void *bytes, size_t n,
                              const char **signature, size_t *n_signature, apr_pool_t *pool);

/* The key's certificate and chain, PEM. */
const fw_err *fww_signer_cert(const char *run_dir, const char *key, const char **pem, size_t *n_pem,
                              apr_pool_t *pool);

/* All certificates, current and retired, as fww_keyring_certs() tells. *out is new. */
const fw_err *fww_signer_certs(const char *run_dir, json_t **out, apr_pool_t *pool);

#endif
