#ifndef ECPAY_H
#define ECPAY_H

#include "ecpay_form.h"

#include <jansson.h>

/* The plugin's instance and what its operations share. */

#define ECPAY_AMOUNT_MAX 199999999 /* TWD of one order */
#define ECPAY_RETRY_MS   60000u

struct fwp_instance {
    const fwp_host *host;
    ecpay_key key;
    const char *merchant_id;
    const char *api_url;     /* the platform speaks there; no slash at the end */
    const char *browser_url; /* the payer's browser is sent there */
    const char *return_url, *info_url, *back_url, *trade_desc;
    const char *credit_check_code; /* 商家檢查碼, or NULL: a card's detail cannot be asked for */
    int atm_days, cvs_minutes;
    const char *vendor_url; /* of the merchant's files, or NULL */
    json_t *settled;        /* lines of the day that was fetched last, for its next pages */
    char settled_day[11];
    int64_t rest_until; /* the gateway is left alone, after it said that it was asked too often */
};

/* An order as the gateway knows it; its check value is proved. */
typedef struct ecpay_trade {
    ecpay_form form;
    fwp_str status;
    int64_t amount;
    const char *method;
    bool is_paid;
} ecpay_trade;

/* A card's payment: what became of it since. */
typedef enum ecpay_card_state {
    ECPAY_AUTHORISED, /* 已授權 */
    ECPAY_TO_CAPTURE, /* 要關帳 */
    ECPAY_CAPTURED,   /* 已關帳 */
    ECPAY_GONE        /* 已取消 */
} ecpay_card_state;
typedef struct ecpay_card {
    ecpay_card_state state;
    int64_t refunded;
} ecpay_card;

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

bool ecpay_same(fwp_str s, const char *text);
const char *ecpay_number_text(fwp_instance *self, fwp_call *call, int64_t v);
fwp_str ecpay_get(const ecpay_form *f, const char *name);
/* A member of text; one of time, left out where `text` is none. */
void ecpay_set_str(json_t *o, const char *name, fwp_str s);
void ecpay_set_time(json_t *o, const char *name, fwp_str text);
/* Adds the CheckMacValue as the form's last field. */
bool ecpay_sign(fwp_instance *self, fwp_call *call, ecpay_form *form);

/* Posts the form, signed, to base and path; on FWP_OK *out is what came. `lost` is the answer for an exchange of which
 * nobody knows whether the gateway acted. */
fwp_rc ecpay_post(fwp_instance *self, fwp_call *call, const char *base, const char *path,
                  ecpay_form *form, size_t most, fwp_str *out, fwp_rc lost, fwp_reply *reply);
/* The same, where a form comes back. */
fwp_rc ecpay_ask(fwp_instance *self, fwp_call *call, const char *path, ecpay_form *form,
                 ecpay_form *out, fwp_rc lost, fwp_reply *reply);
/* QueryTradeInfo: FWP_OK, or FWP_TEMPFAIL and its like. */
fwp_rc ecpay_trade_ask(fwp_instance *self, fwp_call *call, const char *order, ecpay_trade *t,
                       fwp_reply *reply);
/* Whether the card's detail may be asked for; and the detail. */
bool ecpay_has_detail(const fwp_instance *self, const ecpay_trade *t);
fwp_rc ecpay_card_ask(fwp_instance *self, fwp_call *call, const ecpay_trade *t, ecpay_card *card,
                      fwp_reply *reply);

/* The port's operations (docs/contracts/payment.json). */
fwp_rc ecpay_begin(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc ecpay_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc ecpay_query(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc ecpay_refund(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

fwp_rc ecpay_settlement(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

/* Asks the gateway about an order that there never was: that shows address, merchant and keys, and alters nothing. */
fwp_rc ecpay_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

#endif
