#ifndef FWW_PUBLISH_H
#define FWW_PUBLISH_H

#include "fww_pump_int.h"

/* What anyone may fetch, as files of FwPermitPublic, by each node for itself: trust.json, revocations.jws and verify.html, whose
 * forms are in docs/integrators/verify.md. Written each hour, and within a round of a permit's end. What hinders it
 * is logged and tried again. */

#define FWW_N_PUBLISH "FWP2130" /* what anyone may fetch cannot be written */

const fw_err *fww_publish_round(fww_turn *t);

/* The signed list of the permits that were superseded or revoked and would still be valid (fww_revocations.c). */
const fw_err *fww_revocations_make(const fww_turn *t, apr_time_t now, const char **jws);

#endif
