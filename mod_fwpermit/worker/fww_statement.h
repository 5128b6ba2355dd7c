#ifndef FWW_STATEMENT_H
#define FWW_STATEMENT_H

#include "fww_press.h"

/* What a paper says for programs: the attachment fwpermit.json of its PDF, signed with it. Compact JSON, keys sorted. Its
 * forms are in docs/integrators/verify.md. NULL: something in it is not UTF-8. */

const char *fww_statement_filing(const fww_subject *s);
const char *fww_statement_permit(const fww_subject *s, const fw_permit *permit, const char *seal);
/* `subjects`: the cases that were paid for. */
const char *fww_statement_receipt(const fww_subject *subjects, int n, const fw_payment *p);

/* The SHA-256 of the form's data as canonical JSON (RFC 8785: keys sorted, nothing between), 64 hex digits. */
const char *fww_data_hash(const fww_subject *s);

#endif
