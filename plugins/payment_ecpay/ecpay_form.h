#ifndef ECPAY_FORM_H
#define ECPAY_FORM_H

#include "ecpay_mac.h"

/* Forms as ECPay sends and takes them: application/x-www-form-urlencoded, UTF-8. */

#define ECPAY_FORM_MAX 16384 /* bytes of a form that comes in */

typedef struct ecpay_form {
    ecpay_field fields[ECPAY_FIELDS_MAX];
    size_t n;
} ecpay_form;

/* Takes `raw` apart; names and values are decoded into `room` (at least raw.n + 1 bytes), which must live as
 * long as `out`. Returns NULL, or why the form is no good: too long, too many fields, a bad escape, a
 * NUL or a name without "=", an empty name, a name that stands twice. */
const char *ecpay_form_parse(ecpay_form *out, fwp_str raw, char *room);

/* Adds a field; both texts are kept by pointer. At most ECPAY_FIELDS_MAX: the caller knows its form. */
void ecpay_form_add(ecpay_form *form, const char *name, const char *value);

/* The form encoded for a request; lives in the call. */
fwp_str ecpay_form_encode(const ecpay_form *form, const fwp_host *host, fwp_call *call);

/* Times of ECPay are Taipei's (UTC+8, no summer time): `yyyy/MM/dd HH:mm:ss`.
 * From seconds since 1970. */
void ecpay_time_write(int64_t t, char out[20]);

/* To seconds since 1970; a date alone is the last second of its day. False: not such a time. */
bool ecpay_time_read(fwp_str text, int64_t *t);

/* ISO 8601 UTC (`2026-01-01T04:05:00Z`), the platform's form. */
void ecpay_iso_write(int64_t t, char out[21]);
bool ecpay_iso_read(const char *text, int64_t *t);

#endif
