/* A certificate in DER, put into a trust list as PEM. */
#include "fw_config.h"
#include "fuzz.h"

#include <apr_base64.h>
#include <jansson.h>

#include "fw_utf8.h"
#include "fw_verify_int.h"

static const char *pem_of(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)apr_base64_encode_len((int)n));

    apr_base64_encode_binary(text, data, (int)n);
    return apr_pstrcat(pool, "-----BEGIN CERTIFICATE-----\n", text, "\n-----END CERTIFICATE-----\n",
                       NULL);
}

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

static void judge(const fw_trust *t, apr_pool_t *pool)
{
    const fw_signer *s = &APR_ARRAY_IDX(t->signers, 0, fw_signer);

    fuzz_want(t->signers->nelts == 1 && strcmp(s->use, "permit") == 0, "the signer of the list");
    fuzz_want(fw_trust_signer(t, s->cert) == s, "it is found again");
    fuzz_want(!fw_trust_seal(t, "TWNI:1A2B"), "it signs no seals");
    fuzz_want(fw_utf8_valid(fw_trust_name(s->cert, pool)), "its name is a text");
    fw_trust_chains(t, s->cert, NULL, 0);
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const char *pem = pem_of(data, n, pool);
    json_t *o = json_pack("{s:s, s:[s], s:[{s:s, s:s}]}", "format", "fwpermit-trust/1", "roots",
                          pem, "signers", "use", "permit", "cert", pem);
    char *text = json_dumps(o, JSON_COMPACT);
    fw_trust *t = NULL;
    const fw_err *err = fw_trust_read(&t, text, pool);

    free(text);
    json_decref(o);
    fuzz_want(!err == !!t && (!err || err->code == FW_E_INPUT), "a list, or an error");
    if (t)
        judge(t, pool);
}
