/* A callback of the gateway, as it comes from the network. */
#include "fw_config.h"
#include "fuzz.h"

#include "../../plugins/payment_ecpay/ecpay_form.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const ecpay_key key = {{"pwFHCqoQZGmho4w6", 16}, {"EkRm7iFT261dpevs", 16}};
    char *room = malloc(n + 1);
    ecpay_form form;
    char mac[ECPAY_MAC_CHARS + 1];
    int64_t t;

    if (!ecpay_form_parse(&form, (fwp_str){(const char *)data, n}, room)) {
        fuzz_want(form.n > 0 && form.n <= ECPAY_FIELDS_MAX, "the limit holds");
        for (size_t i = 0; i < form.n; i++) {
            fwp_kv f = form.fields[i];
            fwp_str found = ecpay_find(form.fields, form.n, apr_pstrmemdup(pool, f.key.p, f.key.n));

            fuzz_want(f.key.n > 0 && !memchr(f.key.p, 0, f.key.n), "a name");
            fuzz_want(found.p == f.value.p && found.n == f.value.n, "each name once");
            ecpay_time_read(f.value, &t);
        }
        ecpay_mac_right(&key, form.fields, form.n);
        ecpay_mac_make(&key, form.fields, form.n, mac);
    }
    free(room);
}
