#ifndef FW_SHOW_REFUND_H
#define FW_SHOW_REFUND_H

#include "fw_show.h"
#include "fw_show_system.h"

/* What a cashier sees of money that goes back (docs/integrators/pages.md). */

/* Those under way, and the newest that ended. */
const fw_err *fw_show_refunds(const fw_show *s, fw_value *model);
/* Of one payment: what it brought, what went back, what may still go back. */
const fw_err *fw_show_payment_refunds(const fw_show *s, const fw_payment *p, fw_value *model);
/* Sets "refunded" (TWD or null), "refund_due" and "is_void" (all of it went back). */
void fw_show_refunded(fw_value o, const fw_payment *p);

#endif
