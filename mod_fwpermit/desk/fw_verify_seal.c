#include "fw_config.h"
#include "fw_verify_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_es256.h"
#include "fw_json.h"
#include "fw_seal.h"

static json_t *state(const fw_seal_data *s, apr_pool_t *pool)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "no", s->permit_no, "valid_from",
                     fw_date_text(s->valid_from, pool), "valid_to", fw_date_text(s->valid_to, pool),
                     "passport_no", s->passport_no, "mrz", s->mrz, "issued",
                     fw_date_text(s->vds.issued, pool), "seal_id", fw_vds_id(&s->vds, pool));
}

/* A seal tells the day alone: some part of it must be within the certificate's time. */
static bool was_valid(const fw_trust *trust, const fw_signer *signer, fw_date day)
{
    return fw_trust_chains(trust, signer->cert, NULL, fw_date_end(day)) ||
           fw_trust_chains(trust, signer->cert, NULL, fw_date_start(day));
}

void fw_verify_seal(fw_proof *out, const void *bytes, size_t n, const fw_trust *trust,
                    apr_pool_t *pool)
{
    const fw_signer *signer;
    fw_seal_data seal;
    const fw_err *err = fw_seal_read(&seal, bytes, n, pool);

    *out = (fw_proof){.verdict = FW_PAPER_VALID, .kind = "seal"};
    if (err) {
        fw_proof_end(out, FW_PAPER_UNREADABLE, err->msg);
        return;
    }
    signer = fw_trust_seal(trust, fw_vds_id(&seal.vds, pool));
    out->signed_at = fw_date_start(seal.vds.signed_on);
    if (!signer || !was_valid(trust, signer, seal.vds.signed_on)) {
        fw_proof_end(out, FW_PAPER_UNKNOWN_SIGNER,
                     apr_psprintf(pool, "%s is not in the trust list, or not for that day",
                                  fw_vds_id(&seal.vds, pool)));
        return;
    }
    out->signer = fw_trust_name(signer->cert, pool);
    if (!fw_es256_holds(signer->cert, bytes, seal.vds.n_signed, seal.vds.signature,
                        seal.vds.n_signature)) {
        fw_proof_end(out, FW_PAPER_ALTERED, "its bytes are not those that were signed");
        return;
    }
    out->statement = fw_json_keep(state(&seal, pool), pool);
}
