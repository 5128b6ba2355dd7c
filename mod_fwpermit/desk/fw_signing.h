#ifndef FW_SIGNING_H
#define FW_SIGNING_H

#include <openssl/x509.h>

#include "fw_settings.h"

/* The signing keys in FwPermitKeys: which there are, and in which files each lies.
 *   NAME.key, NAME.crt, NAME.chain   the current one; the key is PEM, or one line with the URI of a token's (RFC 7512)
 *   NAME.pin                         that token's PIN
 *   NAME.next.key, .crt, .chain      what a rotation is about to put in their place
 *   NAME-KID.crt, NAME-KID.chain     retired ones: what they signed is still verified
 *   ca.crt                           the root of certificates for trials */

#define FW_SIGNING_KEYS 4
extern const char *const fw_signing_names[FW_SIGNING_KEYS];

#define FW_SIGNING_KID_CHARS 16 /* the first hex digits of SHA-256 over the certificate's DER */

/* What the signer is told: {"keys": {NAME: {"key", "cert", "chain", "pin", "next": {"cert", "chain"}, "retired":
 * [{"cert", "chain"}, …]}, …}, "ca": [FILE, …]}, by those files that are there; "key" always. New. */
json_t *fw_signing_files(const char *dir, apr_pool_t *pool);

/* The KID of a certificate. */
void fw_signing_kid(const X509 *cert, char kid[FW_SIGNING_KID_CHARS + 1]);

/* Paths of NAME-*.crt where the star is a KID, sorted. */
apr_array_header_t *fw_signing_retired(const char *dir, const char *name, apr_pool_t *pool);

#endif
