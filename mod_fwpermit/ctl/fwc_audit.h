#ifndef FWC_AUDIT_H
#define FWC_AUDIT_H

#include "fwc.h"

#include "fw_audit_verify.h"

/* Private to fwc_audit.c and fwc_restore*.c. */

/* The key of now and those that were before it, or those of --key. Before root's rights are given up. */
const fw_err *fwc_audit_keys(fwc *c, fw_audit_key **out);
/* Verifies, prints the verdict; a fault sets c->rc. */
const fw_err *fwc_audit_tell(fwc *c, const fw_audit_check *check);

#endif
