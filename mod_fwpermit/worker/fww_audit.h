#ifndef FWW_AUDIT_H
#define FWW_AUDIT_H

#include "fw_settings.h"
#include "fw_store_audit.h"

/* The audit trail's way out of the house (port "audit"): the sealer makes a delivery for each seal, the pump's lane carries
 * them out one after another (fww_audit_records in fww_pump_int.h). */

/* Whether a plugin of the settings takes the trail. While there is none, nothing is made; then all, from the first seal. */
bool fww_audit_is_wanted(const fw_settings *site);
/* Whether there are seals without a delivery, and room among those that wait. Reads only. */
const fw_err *fww_audit_is_due(fw_db *db, bool *due, apr_pool_t *pool);
/* Makes deliveries for the next seals, in a transaction of its own. The caller has the sealer's lease. */
const fw_err *fww_audit_enqueue(fw_db *db, apr_pool_t *pool);

#endif
