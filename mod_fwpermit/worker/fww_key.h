#ifndef FWW_KEY_H
#define FWW_KEY_H

#include "fw_err.h"

#include <stdbool.h>

#include <jansson.h>
#include <openssl/x509.h>

/* A signing key with its certificates, from files (desk/fw_signing.h names them) or in a token. */

typedef struct fww_token fww_token;

/* A certificate and those between it and its root; the chain may be empty. */
typedef struct fww_cert {
    X509 *cert; /* or NULL: such a key makes raw signatures only */
    STACK_OF(X509) * chain;
} fww_cert;

typedef struct fww_key {
    EVP_PKEY *
        key; /* EC on P-256, P-384 or P-521, or RSA from 2048 bits on; NULL: in a token that is not open */
    fww_cert now;
    fww_token *token; /* NULL: the key is a file's */
} fww_key;

/* Reads what fw_signing_files() says of one key: "key", and where they are there "cert", "chain", "pin", "next". They
 * live as long as `pool`, and so must *k. FW_E_CONFIG: a file cannot be read, asks for a password, is open to others,
 * or does not belong to the key; what could be read of the certificates is there nevertheless. A token is not asked yet. */
const fw_err *fww_key_load(fww_key *k, const json_t *files, apr_pool_t *pool);

/* Reads certificates alone; `chain` may be NULL. */
const fw_err *fww_cert_load(fww_cert *c, const char *cert, const char *chain, apr_pool_t *pool);

/* Opens the token of a key that lies in one, where it is not open. FW_E_UNAVAILABLE: module, token or key is not
 * there; the text names which. FW_E_CONFIG: trying again is no use; a wrong PIN above all is not tried again, since tokens
 * lock themselves. */
const fw_err *fww_key_open(fww_key *k, apr_pool_t *pool);
void fww_key_close(fww_key *k);

/* Private to fww_key.c and fww_token.c: an EC or RSA key that is long enough, and the certificate's. */
const fw_err *fww_key_check(const fww_key *k, const char *where, apr_pool_t *pool);

#endif
