#ifndef ECPAY_H
#define ECPAY_H

#include "ecpay_form.h"

#include <jansson.h>

/* The plugin's instance and what its operations share. */

#define ECPAY_AMOUNT_MAX 199999999 /* TWD of one order */

struct fwp_instance {
    const fwp_host *host;
    ecpay_key key;
    const char *merchant_id;
    const char *api_url;     /* the platform speaks there; no slash at the end */
    const char *browser_url; /* the payer's browser is sent there */
    const char *return_url, *info_url, *back_url, *trade_desc;
    int atm_days, cvs_minutes;
};

/* Parses the request's object; NULL if it is none (the host sees to it that it is). */
json_t *ecpay_request(fwp_str request);

/* A member's text, or NULL. */
const char *ecpay_text(const json_t *object, const char *name);

/* Takes `object` over as the reply's body, and answers `rc`. */
fwp_rc ecpay_answer(const fwp_host *host, fwp_call *call, fwp_reply *reply, fwp_rc rc,
                    json_t *object);

/* Answers `rc` with a reason. */
fwp_rc ecpay_refuse(fwp_reply *reply, fwp_rc rc, const char *reason);

/* A copy in the call's memory, ended by NUL. */
char *ecpay_copy(const fwp_host *host, fwp_call *call, const char *p, size_t n);

/* Whether it is 1 to 20 of A-Z a-z 0-9: an order's number, theirs or ours. */
bool ecpay_is_number(const char *p, size_t n);

/* An amount: digits alone, 0 to ECPAY_AMOUNT_MAX. -1: it is none. */
int64_t ecpay_amount(fwp_str text);

/* "card", "atm", "cvs", "barcode" or "other", from the gateway's PaymentType. */
const char *ecpay_method(fwp_str payment_type);

/* The port's operations (docs/contracts/payment.json). */
fwp_rc ecpay_begin(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc ecpay_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc ecpay_query(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc ecpay_refund(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

#endif
