#include "fw_config.h"
#include "fw_argon2.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <apr_encode.h>
#include <apr_strings.h>
#include <argon2.h>

#define HASH_BYTES 32
#define BYTES_MAX  64 /* of a salt or hash in a string */
#define TEXT_MAX   88 /* in base 64 */
#define KIB_MAX    1048576u
#define PASSES_MAX 64u
#define LANES_MAX  16u

static int take(uint8_t **memory, size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *memory = p == MAP_FAILED ? NULL : p;
    return *memory ? ARGON2_OK : ARGON2_MEMORY_ALLOCATION_ERROR;
}

static void give(uint8_t *memory, size_t n)
{
    munmap(memory, n);
}

static argon2_context context_of(const char *password, uint8_t *out, uint32_t n_out)
{
    return (argon2_context){.out = out,
                            .outlen = n_out,
                            .pwd = (uint8_t *)(uintptr_t)password,
                            .pwdlen = (uint32_t)strlen(password),
                            .version = ARGON2_VERSION_13,
                            .allocate_cbk = take,
                            .free_cbk = give,
                            .flags = ARGON2_DEFAULT_FLAGS};
}

/* Base 64 without its padding. */
static const char *text_of(const unsigned char *bytes, uint32_t n, apr_pool_t *pool)
{
    const char *text =
        apr_pencode_base64_binary(pool, bytes, (apr_ssize_t)n, APR_ENCODE_NONE, NULL);

    return apr_pstrmemdup(pool, text, strcspn(text, "="));
}

const char *fw_argon2_hash(const char *password, uint32_t kib, uint32_t passes,
                           const unsigned char *salt, uint32_t n_salt, apr_pool_t *pool)
{
    uint8_t out[HASH_BYTES];
    argon2_context c = context_of(password, out, sizeof(out));

    c.salt = (uint8_t *)(uintptr_t)salt;
    c.saltlen = n_salt;
    c.t_cost = passes;
    c.m_cost = kib;
    c.lanes = c.threads = 1;
    if (argon2id_ctx(&c) != ARGON2_OK)
        return NULL;
    return apr_psprintf(pool, "$argon2id$v=%d$m=%u,t=%u,p=1$%s$%s", ARGON2_VERSION_13, kib, passes,
                        text_of(salt, n_salt, pool), text_of(out, sizeof(out), pool));
}

/* The bytes of a text in base 64; 0: it is none, or too long or short. */
static uint32_t bytes_of(const char *text, const unsigned char **out, apr_pool_t *pool)
{
    apr_size_t n = 0;

    *out = apr_pdecode_base64_binary(pool, text, APR_ENCODE_STRING, APR_ENCODE_NONE, &n);
    return *out && n >= 8 && n <= BYTES_MAX ? (uint32_t)n : 0;
}

static bool read_phc(argon2_context *c, const char *phc, const unsigned char **hash,
                     apr_pool_t *pool)
{
    char salt[TEXT_MAX + 1] = "", sum[TEXT_MAX + 1] = "";
    const unsigned char *bytes;
    int end = 0;

    if (sscanf(phc, "$argon2id$v=19$m=%7u,t=%2u,p=%2u$%88[A-Za-z0-9+/]$%88[A-Za-z0-9+/]%n",
               &c->m_cost, &c->t_cost, &c->lanes, salt, sum, &end) != 5 ||
        phc[end] != '\0')
        return false;
    c->threads = c->lanes;
    c->saltlen = bytes_of(salt, &bytes, pool);
    c->salt = (uint8_t *)(uintptr_t)bytes;
    c->outlen = bytes_of(sum, hash, pool);
    return c->saltlen && c->outlen && c->m_cost <= KIB_MAX && c->t_cost <= PASSES_MAX &&
           c->lanes <= LANES_MAX;
}

fw_argon2_e fw_argon2_check(const char *phc, const char *password, apr_pool_t *pool)
{
    uint8_t out[BYTES_MAX];
    argon2_context c = context_of(password, out, 0);
    const unsigned char *hash = NULL;
    int rc;

    if (!read_phc(&c, phc, &hash, pool))
        return FW_ARGON2_NO_HASH;
    rc = argon2id_verify_ctx(&c, (const char *)hash);
    if (rc == ARGON2_VERIFY_MISMATCH)
        return FW_ARGON2_WRONG;
    return rc == ARGON2_OK ? FW_ARGON2_RIGHT : FW_ARGON2_NO_HASH;
}
