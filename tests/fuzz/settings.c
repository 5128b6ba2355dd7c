/* A configuration file, as fwpermitctl reads it; what it took survives the way to the workers. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_settings.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const char *path = fuzz_file(data, n, pool);
    fw_settings *s = NULL;
    json_t *a, *b;
    const fw_err *err = fw_settings_read(&s, path, pool);

    if (err) {
        fuzz_want(err->code == FW_E_CONFIG && strstr(err->msg, path), "the error names the file");
        return;
    }
    fuzz_want(!fw_settings_check(s, pool), "what was read holds together");
    a = fw_settings_json(s);
    fuzz_want(a != NULL, "it can be told to the workers");
    b = fw_settings_json(fw_settings_from_json(a, pool));
    fuzz_want(json_equal(a, b), "they understand it");
    json_decref(a);
    json_decref(b);
}
