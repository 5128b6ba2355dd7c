#ifndef FWW_SEAL_H
#define FWW_SEAL_H

#include "fw_mrz.h"
#include "fw_seal.h"

/* The visible digital seal of a permit. Its layout, byte by byte, is in docs/integrators/seal.md. */

#define FWW_SEAL_KEY   "seal"
#define FWW_SEAL_BYTES 64 /* of the signature */

typedef struct fww_seal {
    const char *signer;      /* as FwPermitSealSigner has it */
    const fw_mrz *holder;    /* NULL: the seal has no MRZ */
    const char *passport_no; /* NULL or "": nor that */
    const char *permit_no;
    fw_date issued, valid_from, valid_to;
} fww_seal;

/* Builds the seal and has it signed by the signer's key "seal". FW_E_CONFIG: there is no such key, it is not on P-256, or
 * its certificate's subject is not the signer's country and agency; FW_E_UNAVAILABLE: the signer is away; FW_E_INPUT:
 * something that no seal can say. */
const fw_err *fww_seal_make(const fww_seal *s, const char *run_dir, const unsigned char **bytes,
                            size_t *n, apr_pool_t *pool);

#endif
