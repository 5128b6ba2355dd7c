/* Signed papers, by a trust list of its own: what is called genuine has a statement, a signer, and not one byte after it. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_file.h"
#include "fw_verify.h"

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
    const char *bytes = apr_pmemdup(pool, data, n), *longer;
    fw_proof proof, again;

    fw_verify_pdf(&proof, bytes, n, trust, pool);
    fuzz_want(proof.verdict < FW_PAPERS && fw_paper_name(proof.verdict), "the verdict has a name");
    if (proof.verdict != FW_PAPER_VALID)
        return;
    fuzz_want(proof.kind && proof.statement && proof.signer && proof.signed_at,
              "it says who signed what, and when");
    fw_verify_in_force(&proof, NULL, (fw_date){2026, 11, 25}, 0, pool);
    fw_verify_file(&proof, "");
    longer = apr_pstrcat(pool, apr_pstrmemdup(pool, bytes, n), " ", NULL);
    if (strlen(longer) == n + 1) {
        fw_verify_pdf(&again, longer, n + 1, trust, pool);
        fuzz_want(again.verdict == FW_PAPER_ALTERED, "nothing can be appended");
    }
}
