#ifndef FWW_KEYRING_H
#define FWW_KEYRING_H

#include "fww_role.h"

#include "fww_key.h"

/* All keys and certificates of the signer, by name. */
typedef struct fww_keyring fww_keyring;

/* Reads what fw_signing_files() tells, as root. A key that cannot be had is logged, and missing from then on; its
 * certificates are there all the same. FW_E_CONFIG: no key at all is told. */
const fw_err *fww_keyring_load(fww_keyring **out, const fww_role_env *env);

/* Opens the tokens, as the user who will use them; what fails is logged and tried again when it is asked for. */
void fww_keyring_open(const fww_keyring *ring);
int fww_keyring_count(const fww_keyring *ring);

/* FW_E_NOTFOUND: there is none of that name. FW_E_UNAVAILABLE: it cannot be had, with the reason. */
const fw_err *fww_keyring_get(const fww_keyring *ring, const char *name, const fww_key **out,
                              apr_pool_t *pool);
/* The certificate and its chain, be the key to be had or not. */
const fw_err *fww_keyring_cert(const fww_keyring *ring, const char *name, const fww_cert **out,
                               apr_pool_t *pool);

/* After a signature by `k` failed: true if a token was let go of, so that another try is worth it. */
bool fww_keyring_reset(const fww_keyring *ring, const fww_key *k);

/* All certificates: {"certs": [{"use": NAME, "kid", "current": true | false, "ready": true | false (of a current one:
 * its key can be used), "cert": PEM, "chain": [PEM, …]}, …], "roots": [PEM, …]}. Roots are the self-signed ones of all
 * chains and of the CA for trials, and where a chain has none its last. New. */
json_t *fww_keyring_certs(const fww_keyring *ring);

#endif
