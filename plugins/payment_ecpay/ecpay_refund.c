#include "ecpay.h"

#include <string.h>

/* Money back by DoAction, a step at a time by what the card's detail says: authorised and all of it: N (abandon);
 * to be captured and all of it: E (no capture), then N; a part of what is only authorised: C (capture), then R;
 * else R (refund). The gateway knows no key of ours: what was sent and not answered is unknown. */

#define QUIET_FROM     (20 * 3600 + 15 * 60) /* daily capture, Taipei: no refund meanwhile */
#define QUIET_TO       (20 * 3600 + 30 * 60)
#define DAY_SECONDS    86400
#define TAIPEI_SECONDS 28800

typedef struct wish {
    const char *order, *gateway;
    int64_t amount;
} wish;

/* Milliseconds until the daily capture is over; 0 outside it. */
static uint32_t quiet_ms(int64_t now)
{
    int64_t second = (now + TAIPEI_SECONDS) % DAY_SECONDS;
    if (second < QUIET_FROM || second >= QUIET_TO)
        return 0;
    return (uint32_t)(QUIET_TO - second) * 1000u;
}

/* NULL, or what is wrong with the request. */
static const char *read_wish(const json_t *r, wish *w)
{
    w->order = ecpay_text(r, "order_no");
    w->gateway = ecpay_text(r, "gateway_no");
    w->amount = json_integer_value(json_object_get(r, "amount"));
    if (!w->order || !ecpay_is_number(w->order, strlen(w->order)) || !w->gateway ||
        !ecpay_is_number(w->gateway, strlen(w->gateway)))
        return "order_no and gateway_no are 1 to 20 of A-Z a-z 0-9";
    if (w->amount < 1 || w->amount > ECPAY_AMOUNT_MAX)
        return "amount is a number of TWD from 1";
    return NULL;
}

/* ---- one step ---- */

/* `refused` is the answer where the gateway says no. */
static fwp_rc act(fwp_instance *self, fwp_call *call, const wish *w, const char *action,
                  int64_t amount, fwp_rc refused, fwp_reply *reply)
{
    ecpay_form form = {.n = 0};
    ecpay_form *answer = self->host->alloc(call, sizeof(*answer));
    fwp_str code;
    fwp_rc rc;

    ecpay_form_add(&form, "MerchantID", self->merchant_id);
    ecpay_form_add(&form, "MerchantTradeNo", w->order);
    ecpay_form_add(&form, "TradeNo", w->gateway);
    ecpay_form_add(&form, "Action", action);
    ecpay_form_add(&form, "TotalAmount", ecpay_number_text(self, call, amount));
    rc = ecpay_ask(self, call, "/CreditDetail/DoAction", &form, answer, FWP_UNKNOWN, reply);
    if (rc != FWP_OK)
        return rc;
    code = ecpay_get(answer, "RtnCode");
    if (!code.p)
        return ecpay_refuse(reply, FWP_UNKNOWN, "the gateway's answer has no RtnCode");
    if (!ecpay_same(code, "1"))
        return ecpay_refuse(reply, refused, ecpay_copy(self->host, call, code.p, code.n));
    return FWP_OK;
}

/* Where the second step is refused the first one stands: what is to be done next is for the card's detail to say. */
static fwp_rc act_twice(fwp_instance *self, fwp_call *call, const wish *w, const char *first,
                        const char *second, int64_t whole, fwp_reply *reply)
{
    fwp_rc rc = act(self, call, w, first, whole, FWP_REJECTED, reply);

    return rc == FWP_OK ? act(self, call, w, second, w->amount, FWP_UNKNOWN, reply) : rc;
}

/* ---- by the card's state ---- */

static fwp_rc pay_back(fwp_instance *self, fwp_call *call, const wish *w, const ecpay_trade *t,
                       const ecpay_card *card, fwp_reply *reply)
{
    bool all = w->amount == t->amount;

    if (card->state == ECPAY_GONE || w->amount > t->amount - card->refunded)
        return ecpay_refuse(reply, FWP_REJECTED, "less than that is left of the payment");
    if (card->state == ECPAY_AUTHORISED && all)
        return act(self, call, w, "N", w->amount, FWP_REJECTED, reply);
    if (card->state == ECPAY_AUTHORISED)
        return act_twice(self, call, w, "C", "R", t->amount, reply);
    if (card->state == ECPAY_TO_CAPTURE && all)
        return act_twice(self, call, w, "E", "N", t->amount, reply);
    return act(self, call, w, "R", w->amount, FWP_REJECTED, reply);
}

/* What comes before the first step changes nothing there. */
static fwp_rc refund(fwp_instance *self, fwp_call *call, const wish *w, fwp_reply *reply)
{
    ecpay_trade *t = self->host->alloc(call, sizeof(*t));
    ecpay_card card = {.refunded = 0};
    fwp_rc rc;

    if (!self->credit_check_code)
        return act(self, call, w, "R", w->amount, FWP_REJECTED, reply);
    rc = ecpay_trade_ask(self, call, w->order, t, reply);
    if (rc != FWP_OK)
        return rc;
    if (!ecpay_same(ecpay_get(&t->form, "TradeNo"), w->gateway) || !t->is_paid)
        return ecpay_refuse(reply, FWP_REJECTED, "the gateway knows no such payment");
    if (!ecpay_has_detail(self, t))
        return act(self, call, w, "R", w->amount, FWP_REJECTED, reply);
    rc = ecpay_card_ask(self, call, t, &card, reply);
    return rc == FWP_OK ? pay_back(self, call, w, t, &card, reply) : rc;
}

fwp_rc ecpay_refund(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = ecpay_request(request);
    const char *method = ecpay_text(r, "method");
    uint32_t quiet = quiet_ms(self->host->now(call));
    wish w = {NULL, NULL, 0};
    const char *why = read_wish(r, &w);
    fwp_rc rc;

    if (why)
        rc = ecpay_refuse(reply, FWP_PERMFAIL, why);
    else if (!method || strcmp(method, "card") != 0)
        rc = ecpay_refuse(reply, FWP_REJECTED, "the gateway pays back cards only");
    else if (quiet) {
        reply->retry_after_ms = quiet;
        rc = ecpay_refuse(reply, FWP_TEMPFAIL, "the gateway's daily capture, 20:15 to 20:30");
    } else
        rc = refund(self, call, &w, reply);
    if (rc == FWP_OK)
        rc = ecpay_answer(self->host, call, reply, FWP_OK,
                          json_pack("{s:s}", "gateway_no", w.gateway));
    json_decref(r);
    return rc;
}
