/* The file of master keys. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_vault.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    fw_vault_key *keys = NULL;
    int count = 0;
    const fw_err *err = fw_vault_keys_parse(
        &keys, &count, apr_pstrmemdup(pool, (const char *)data, n), "keys", pool);

    if (err) {
        fuzz_want(err->code == FW_E_CONFIG && strstr(err->msg, "keys"), "the error names the file");
        return;
    }
    fuzz_want(count > 0, "there is a key");
    for (int i = 0; i < count; i++) {
        size_t length = strlen(keys[i].id);

        fuzz_want(length >= 1 && length <= 16, "an id");
    }
}
