/* Lists of whom to trust and of what ended: what is taken is whole, and signed by one whom the list names. */
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
    const char *text = apr_pstrmemdup(pool, (const char *)data, n);
    fw_trust *other = NULL;
    fw_ended *ended = NULL;
    fw_proof proof = {.verdict = FW_PAPER_VALID};

    fuzz_want(!fw_trust_read(&other, text, pool) == !!other, "a list, or an error");
    if (fw_ended_read(&ended, text, trust, pool))
        return;
    fuzz_want(ended->issued && ended->next_update && json_is_array(ended->permits),
              "it says when, and what");
    proof.statement = json_pack("{s:s, s:s, s:s}", "no", "EP1", "valid_from", "2026-01-01",
                                "valid_to", "2026-12-31");
    fw_verify_in_force(&proof, ended, (fw_date){2026, 11, 25}, 0, pool);
    fuzz_want(proof.verdict < FW_PAPERS, "the verdict has a name");
    json_decref(proof.statement);
}
