#ifndef FW_SHA256_H
#define FW_SHA256_H

#include <openssl/evp.h>

#include "fw_config.h"

/* SHA-256 as 64 lower-case hex digits. */

#define FW_SHA256_CHARS 64

const char *fw_sha256_hex(const void *bytes, apr_size_t n, apr_pool_t *pool);

/* Of what `ctx` has taken in since EVP_DigestInit_ex(ctx, EVP_sha256(), NULL). The context stays the caller's. */
const char *fw_sha256_end(EVP_MD_CTX *ctx, apr_pool_t *pool);

#endif
