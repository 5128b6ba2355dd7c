/* A service's XML. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_form.h"
#include "fw_service.h"

static fw_services *all;

void fuzz_setup(apr_pool_t *pool)
{
    const fw_err *err = fw_services_load(&all, "conf/services", "conf/services/service.rng", pool);

    fuzz_want(!err, err ? fw_err_text(err, pool) : "");
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const fw_service *s = NULL;
    json_t *empty;
    const fw_err *err = fw_service_parse(all, &s, (const char *)data, n, "fuzz", pool);

    if (err) {
        fuzz_want(err->code == FW_E_CONFIG && strstr(err->msg, "fuzz"), "the error names the file");
        return;
    }
    empty = json_object();
    fuzz_want(s->code && *s->code && s->n_fields > 0, "it has a code and fields");
    for (int i = 0; i < s->n_fields; i++) {
        fuzz_want(fw_service_field(s, s->fields[i].name) == &s->fields[i], "names are unique");
        fw_form_asked(s, &s->fields[i], empty); /* conditions come to an end */
    }
    json_decref(empty);
}
