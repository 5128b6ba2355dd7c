/* The signature of a file, in DER: what is called signed has a signer of the trust list, and the bytes are those of the sample. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_file.h"
#include "fw_verify_int.h"

#define TRUST      "tests/fuzz/trust.json"
#define TRUST_MOST 65536

static fw_trust *trust;

void fuzz_setup(apr_pool_t *pool)
{
    char *text = NULL;

    fuzz_want(!fw_file_read(&text, NULL, TRUST, TRUST_MOST, pool), "there is a trust list");
    fuzz_want(!fw_trust_read(&trust, text, pool), "it can be read");
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    static const char file[] = "before<hole>after";
    const fw_signed s = {.bytes = file,
                         .hole = 6,
                         .hole_end = 12,
                         .n = sizeof(file) - 1,
                         .der = data,
                         .n_der = n,
                         .at = apr_time_from_sec(1795694400)};
    fw_proof proof = {.verdict = FW_PAPER_VALID};

    fuzz_want(!fw_verify_cms(&proof, &s, trust, pool), "nobody signed that file");
    fuzz_want(proof.verdict == FW_PAPER_ALTERED || proof.verdict == FW_PAPER_UNKNOWN_SIGNER,
              "the verdict says so");
    fuzz_want(proof.why != NULL, "and why");
}
