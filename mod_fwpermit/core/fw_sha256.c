#include "fw_config.h"
#include "fw_sha256.h"

#include <apr_escape.h>

static const char *hex_of(const unsigned char *digest, apr_pool_t *pool)
{
    return apr_pescape_hex(pool, digest, FW_SHA256_CHARS / 2, 0);
}

const char *fw_sha256_hex(const void *bytes, apr_size_t n, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    EVP_Digest(bytes, n, digest, NULL, EVP_sha256(), NULL);
    return hex_of(digest, pool);
}

const char *fw_sha256_end(EVP_MD_CTX *ctx, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    EVP_DigestFinal_ex(ctx, digest, NULL);
    return hex_of(digest, pool);
}
