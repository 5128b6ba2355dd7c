#ifndef FWW_SIGNER_H
#define FWW_SIGNER_H

#include "fww_role.h"

/* The role "signer": the only process that has private keys. It serves <run_dir>/signer.sock for
 * processes of its own user, one request in a frame (fww_plugin_frame.h, blobs up to
 * FWW_SIGNER_BLOB_MAX):
 *   {"op": "cms", "key": "permit"} + bytes -> {"ok": true} + detached CMS SignedData, DER
 *   {"op": "sign", "key": "audit"} + bytes -> {"ok": true} + raw ECDSA or RSA-PSS over SHA-256
 *   {"op": "cert", "key": "permit"}        -> {"ok": true} + the certificate and its chain, PEM
 *   {"op": "certs"}                        -> {"ok": true} + all certificates, see fww_keyring_certs()
 * or {"ok": false, "error": "…", "away": true | false}; away: trying again later may help. */

#define FWW_SIGNER_SOCKET   "signer.sock"
#define FWW_SIGNER_BLOB_MAX 16777216u /* bytes */
#define FWW_SIGNER_CLIENTS  16        /* at once; who comes later waits */

/* Settings: what fw_signing_files() gives. A key that cannot be had is logged and answered as away; the others serve.
 * Ends with 0 after SIGTERM, with 1 if no key is told or the socket cannot be had. */
int fww_signer_main(const fww_role_env *env);

#endif
