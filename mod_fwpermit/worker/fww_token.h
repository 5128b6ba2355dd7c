#ifndef FWW_TOKEN_H
#define FWW_TOKEN_H

#include "fww_key.h"

/* A private key in a PKCS#11 token, by its URI of RFC 7512:
 *   pkcs11:token=LABEL;object=LABEL?module-path=/usr/lib/…/module.so
 * with "serial" beside or instead of "token", and "id" beside or instead of "object". */

/* Reads the URI; `pin` is the file with the PIN, read now. FW_E_CONFIG names what is wrong. */
const fw_err *fww_token_make(fww_token **out, const char *uri, const char *pin, apr_pool_t *pool);

/* As fww_key_open(); the key is the caller's to free. */
const fw_err *fww_token_open(fww_token *t, EVP_PKEY **key, apr_pool_t *pool);

/* Lets go of all modules, which tokens that open later load anew: how a module learns that a token came back. No key of
 * a token may be in use. */
void fww_token_unload(void);

#endif
