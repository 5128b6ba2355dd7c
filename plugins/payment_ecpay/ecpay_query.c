#include "ecpay.h"

#include <string.h>

/* What the gateway knows of an order, and of the card that paid it. */

#define STATUS_UNKNOWN "10200095"
#define DETAIL_MAX     65536 /* bytes of a card's detail */

/* ---- the order ---- */

static fwp_rc judge_trade(fwp_instance *self, const char *order, ecpay_trade *t, fwp_reply *reply)
{
    const ecpay_form *f = &t->form;

    reply->retry_after_ms = ECPAY_RETRY_MS;
    if (!ecpay_mac_right(&self->key, f->fields, f->n))
        return ecpay_refuse(reply, FWP_TEMPFAIL, "wrong CheckMacValue in the gateway's answer");
    if (!ecpay_same(ecpay_get(f, "MerchantTradeNo"), order) ||
        !ecpay_same(ecpay_get(f, "MerchantID"), self->merchant_id))
        return ecpay_refuse(reply, FWP_TEMPFAIL, "the gateway's answer is about another order");
    t->status = ecpay_get(f, "TradeStatus");
    t->amount = ecpay_amount(ecpay_get(f, "TradeAmt"));
    t->method = ecpay_method(ecpay_get(f, "PaymentType"));
    t->is_paid = ecpay_same(t->status, "1");
    if (t->is_paid && (t->amount < 1 || !ecpay_get(f, "TradeNo").n))
        return ecpay_refuse(reply, FWP_TEMPFAIL, "the gateway's answer lacks TradeAmt or TradeNo");
    reply->retry_after_ms = 0;
    return FWP_OK;
}

fwp_rc ecpay_trade_ask(fwp_instance *self, fwp_call *call, const char *order, ecpay_trade *t,
                       fwp_reply *reply)
{
    ecpay_form form = {.n = 0};
    fwp_rc rc;

    ecpay_form_add(&form, "MerchantID", self->merchant_id);
    ecpay_form_add(&form, "MerchantTradeNo", order);
    ecpay_form_add(&form, "TimeStamp", ecpay_number_text(self, call, self->host->now(call)));
    rc = ecpay_ask(self, call, "/Cashier/QueryTradeInfo/V5", &form, &t->form, FWP_TEMPFAIL, reply);
    return rc == FWP_OK ? judge_trade(self, order, t, reply) : rc;
}

/* ---- the card ---- */

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

/* A number, which the gateway writes as one or as text. */
static int64_t number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    const char *s = json_string_value(v);
    bool minus = s && *s == '-';
    int64_t n;

    if (json_is_integer(v))
        return json_integer_value(v);
    s = s && minus ? s + 1 : s;
    n = ecpay_amount((fwp_str){s, s ? strlen(s) : 0});
    return minus ? -n : n;
}

/* What was closed: a capture is above nothing, a refund below. */
static void take_close(const json_t *line, ecpay_card *card)
{
    const char *status = text(line, "status");
    int64_t amount = number(line, "amount");

    if (strcmp(status, "已取消") == 0 || strcmp(status, "操作取消") == 0)
        return;
    if (amount < 0)
        card->refunded -= amount;
    else if (strcmp(status, "已關帳") == 0)
        card->state = ECPAY_CAPTURED;
    else if (strcmp(status, "要關帳") == 0 && card->state != ECPAY_CAPTURED)
        card->state = ECPAY_TO_CAPTURE;
}

static bool take_card(const json_t *value, int64_t amount, ecpay_card *card)
{
    const json_t *closed = json_object_get(value, "close_data"), *line;
    const char *status = text(value, "status");
    size_t i;

    *card = (ecpay_card){.state = ECPAY_AUTHORISED};
    if (!json_is_object(value) || number(value, "amount") != amount)
        return false;
    json_array_foreach((json_t *)(uintptr_t)closed, i, line)
    {
        take_close(line, card);
    }
    if (strcmp(status, "已取消") == 0) {
        card->state = ECPAY_GONE;
        card->refunded = amount;
    }
    return strcmp(status, "未授權") != 0 && card->refunded <= amount;
}

fwp_rc ecpay_card_ask(fwp_instance *self, fwp_call *call, const ecpay_trade *t, ecpay_card *card,
                      fwp_reply *reply)
{
    ecpay_form form = {.n = 0};
    fwp_str body = {NULL, 0}, gwsr = ecpay_get(&t->form, "gwsr");
    json_t *o;
    bool good;
    fwp_rc rc;

    ecpay_form_add(&form, "MerchantID", self->merchant_id);
    ecpay_form_add(&form, "CreditRefundId", ecpay_copy(self->host, call, gwsr.p, gwsr.n));
    ecpay_form_add(&form, "CreditAmount", ecpay_number_text(self, call, t->amount));
    ecpay_form_add(&form, "CreditCheckCode", self->credit_check_code);
    rc = ecpay_post(self, call, self->api_url, "/CreditDetail/QueryTrade/V2", &form, DETAIL_MAX,
                    &body, FWP_TEMPFAIL, reply);
    if (rc != FWP_OK)
        return rc;
    o = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    good = *text(o, "RtnMsg") == '\0' && take_card(json_object_get(o, "RtnValue"), t->amount, card);
    json_decref(o);
    if (good)
        return FWP_OK;
    reply->retry_after_ms = ECPAY_RETRY_MS;
    return ecpay_refuse(reply, FWP_TEMPFAIL, "the gateway's detail of the card is not to be read");
}

bool ecpay_has_detail(const fwp_instance *self, const ecpay_trade *t)
{
    fwp_str gwsr = ecpay_get(&t->form, "gwsr");

    return self->credit_check_code && t->is_paid && strcmp(t->method, "card") == 0 && gwsr.n > 0 &&
           ecpay_amount(gwsr) > 0;
}

/* ---- the operation ---- */

static json_t *state_of(const ecpay_trade *t, const char *order)
{
    bool unknown = ecpay_same(t->status, STATUS_UNKNOWN);
    json_t *o = json_pack("{s:s, s:s}", "state",
                          t->is_paid ? "paid"
                          : unknown  ? "unknown_order"
                                     : "unpaid",
                          "order_no", order);

    ecpay_set_str(o, "gateway_code", t->status);
    if (t->amount >= 0 && !unknown) {
        json_object_set_new(o, "amount", json_integer(t->amount));
        ecpay_set_str(o, "gateway_no", ecpay_get(&t->form, "TradeNo"));
        json_object_set_new(o, "method", json_string(t->method));
    }
    if (t->is_paid)
        ecpay_set_time(o, "paid_at", ecpay_get(&t->form, "PaymentDate"));
    return o;
}

static fwp_rc query(fwp_instance *self, fwp_call *call, const char *order, bool refunds,
                    fwp_reply *reply)
{
    ecpay_trade *t = self->host->alloc(call, sizeof(*t));
    ecpay_card card = {.refunded = 0};
    bool detail = false;
    json_t *o;
    fwp_rc rc = ecpay_trade_ask(self, call, order, t, reply);

    if (rc == FWP_OK && refunds && ecpay_has_detail(self, t)) {
        detail = true;
        rc = ecpay_card_ask(self, call, t, &card, reply);
    }
    if (rc != FWP_OK)
        return rc;
    o = state_of(t, order);
    if (detail)
        json_object_set_new(o, "refunded", json_integer(card.refunded));
    return ecpay_answer(self->host, call, reply, FWP_OK, o);
}

fwp_rc ecpay_query(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = ecpay_request(request);
    const char *order = ecpay_text(r, "order_no");
    fwp_rc rc;

    if (!order || !ecpay_is_number(order, strlen(order)))
        rc = ecpay_refuse(reply, FWP_PERMFAIL, "order_no is 1 to 20 of A-Z a-z 0-9");
    else
        rc = query(self, call, order, json_is_true(json_object_get(r, "refunds")), reply);
    json_decref(r);
    return rc;
}
