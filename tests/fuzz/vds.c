/* Visible digital seals: what was taken apart is put together again as it was. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_vds.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

static void text_both_ways(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const unsigned char *bytes = NULL;
    const char *text = NULL;
    size_t n_bytes = 0;

    if (n > FW_VDS_MAX / 2 || fw_vds_text(data, n, &text, pool))
        return;
    fuzz_want(!fw_vds_c40(text, &bytes, &n_bytes, pool), "what is read can be written");
    fuzz_want(n_bytes == n && memcmp(bytes, data, n) == 0, "C40 has one form");
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const unsigned char *part = NULL, *whole = NULL;
    size_t n_part = 0, n_whole = 0;
    fw_vds seal;

    text_both_ways(data, n, pool);
    if (fw_vds_decode(&seal, data, n, pool))
        return;
    fuzz_want(seal.n_signed + seal.n_signature < n, "the parts lie within");
    fuzz_want(!fw_vds_encode(&seal, &part, &n_part, pool), "what is read can be written");
    fuzz_want(n_part == seal.n_signed && memcmp(part, data, n_part) == 0,
              "what is signed is the same");
    fuzz_want(
        !fw_vds_finish(part, n_part, seal.signature, seal.n_signature, &whole, &n_whole, pool),
        "there is room for the signature");
    fuzz_want(n_whole == n && memcmp(whole, data, n) == 0, "a seal has one form");
}
