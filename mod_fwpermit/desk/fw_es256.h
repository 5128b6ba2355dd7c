#ifndef FW_ES256_H
#define FW_ES256_H

#include <openssl/x509.h>

#include "fw_config.h"

/* ES256: ECDSA with P-256 and SHA-256, r and s side by side (RFC 7518 section 3.4; VDS, ICAO Doc 9303 part 13). */

#define FW_ES256_BYTES 64

/* The same signature out of OpenSSL's DER. False: it is none on P-256. */
bool fw_es256_raw(const void *der, size_t n, unsigned char raw[FW_ES256_BYTES]);

/* Whether the certificate's key signed these bytes. */
bool fw_es256_holds(const X509 *cert, const void *bytes, size_t n, const unsigned char *raw,
                    size_t n_raw);

#endif
