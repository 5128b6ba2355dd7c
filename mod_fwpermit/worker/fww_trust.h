#ifndef FWW_TRUST_H
#define FWW_TRUST_H

#include "fw_settings.h"

/* What readers of our papers trust, as /public/trust.json has it ("fwpermit-trust/1"): the roots, and the certificates of
 * the keys permit, receipt and seal, retired ones too. Asks the signer. *out is new. */
const fw_err *fww_trust_make(const char *run_dir, const fw_settings *settings, json_t **out,
                             apr_pool_t *pool);

#endif
