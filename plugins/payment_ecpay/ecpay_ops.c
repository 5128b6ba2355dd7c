#include "ecpay.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#define ITEM_BYTES       200
#define BACK_OFF_MS      1800000u /* after 403: the gateway wants half an hour of rest */
#define RETRY_MS         60000u
#define MESSAGE_BYTES    ECPAY_FORM_MAX
#define QUIET_FROM       (20 * 3600 + 15 * 60) /* daily capture, Taipei: no refund meanwhile */
#define QUIET_TO         (20 * 3600 + 30 * 60)
#define DAY_SECONDS      86400
#define TAIPEI_SECONDS   28800
#define CODE_ATM         "2"
#define CODE_CVS         "10100073"
#define CODE_PAID        "1"
#define CODE_UNCONFIRMED "10300066" /* card: the outcome is not known yet */
#define STATUS_UNKNOWN   "10200095"

static bool same(fwp_str s, const char *text)
{
    return s.p && s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static bool is_line(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

static const char *number_text(fwp_instance *self, fwp_call *call, int64_t v)
{
    char *s = self->host->alloc(call, 24);
    snprintf(s, 24, "%lld", (long long)v);
    return s;
}

/* Adds the CheckMacValue as the form's last field. */
static bool sign(fwp_instance *self, fwp_call *call, ecpay_form *form)
{
    char *mac = self->host->alloc(call, ECPAY_MAC_CHARS + 1);

    if (!ecpay_mac_make(&self->key, form->fields, form->n, mac))
        return false;
    ecpay_form_add(form, "CheckMacValue", mac);
    return true;
}

/* ---- begin ---- */

/* How long a code lives: until the request's `expires`, or as the settings say. 0: out of bounds. */
static int64_t code_life(const json_t *r, int64_t from, int64_t unit, int64_t most, int otherwise)
{
    const char *text = ecpay_text(r, "expires");
    int64_t until, n;

    if (!text)
        return otherwise;
    if (!ecpay_iso_read(text, &until) || until <= from)
        return 0;
    n = (until - from) / unit;
    return n >= 1 && n <= most ? n : 0;
}

/* The fields of the method. NULL, or what is wrong. */
static const char *add_method(fwp_instance *self, fwp_call *call, ecpay_form *form, const json_t *r,
                              int64_t from)
{
    const char *method = ecpay_text(r, "method");
    int64_t life;

    if (method && strcmp(method, "card") == 0) {
        ecpay_form_add(form, "ChoosePayment", "Credit");
        return NULL;
    }
    if (!method || (strcmp(method, "atm") != 0 && strcmp(method, "cvs") != 0))
        return "method is card, atm or cvs";
    ecpay_form_add(form, "PaymentInfoURL", self->info_url);
    if (strcmp(method, "atm") == 0) {
        ecpay_form_add(form, "ChoosePayment", "ATM");
        life = code_life(r, from, DAY_SECONDS, 60, self->atm_days);
        ecpay_form_add(form, "ExpireDate", number_text(self, call, life));
    } else {
        ecpay_form_add(form, "ChoosePayment", "CVS");
        life = code_life(r, from, 60, 43200, self->cvs_minutes);
        ecpay_form_add(form, "StoreExpireDate", number_text(self, call, life));
    }
    return life ? NULL : "expires is not a time in the gateway's bounds";
}

/* The order's form out of the request. NULL, or what is wrong with the request. */
static const char *make_order(fwp_instance *self, fwp_call *call, const json_t *r, ecpay_form *form)
{
    const char *order = ecpay_text(r, "order_no");
    const char *item = ecpay_text(r, "item");
    const char *back = ecpay_text(r, "back_url");
    const char *created = ecpay_text(r, "created");
    const char *lang = ecpay_text(r, "lang");
    int64_t amount = json_integer_value(json_object_get(r, "amount"));
    char *date = self->host->alloc(call, 20);
    int64_t at;

    if (!order || !ecpay_is_number(order, strlen(order)))
        return "order_no is 1 to 20 of A-Z a-z 0-9";
    if (amount < 1 || amount > ECPAY_AMOUNT_MAX)
        return "amount is a number of TWD from 1";
    if (!item || !*item || strlen(item) > ITEM_BYTES || !is_line(item))
        return "item is one line of 1 to 200 bytes";
    if (back && (strlen(back) > 200 || !is_line(back) || strncmp(back, "http", 4) != 0))
        return "back_url is an address of at most 200 bytes";
    if (!ecpay_iso_read(created, &at))
        return "created is a time, ISO 8601, UTC, to the second";
    ecpay_time_write(at, date);
    ecpay_form_add(form, "MerchantID", self->merchant_id);
    ecpay_form_add(form, "MerchantTradeNo", order);
    ecpay_form_add(form, "MerchantTradeDate", date);
    ecpay_form_add(form, "PaymentType", "aio");
    ecpay_form_add(form, "TotalAmount", number_text(self, call, amount));
    ecpay_form_add(form, "TradeDesc", self->trade_desc);
    ecpay_form_add(form, "ItemName", item);
    ecpay_form_add(form, "ReturnURL", self->return_url);
    ecpay_form_add(form, "ClientBackURL", back ? back : self->back_url);
    ecpay_form_add(form, "EncryptType", "1");
    if (lang && strncmp(lang, "en", 2) == 0)
        ecpay_form_add(form, "Language", "ENG");
    return add_method(self, call, form, r, at);
}

static json_t *redirect_to(fwp_instance *self, fwp_call *call, const ecpay_form *form)
{
    size_t n = strlen(self->browser_url) + 40;
    char *action = self->host->alloc(call, n);
    json_t *fields = json_array();

    snprintf(action, n, "%s/Cashier/AioCheckOut/V5", self->browser_url);
    for (size_t i = 0; i < form->n; i++)
        json_array_append_new(fields,
                              json_pack("[s, s]", form->fields[i].key.p, form->fields[i].value.p));
    return json_pack("{s:{s:s, s:s, s:o}}", "redirect", "action", action, "method", "post",
                     "fields", fields);
}

fwp_rc ecpay_begin(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = ecpay_request(request);
    ecpay_form form = {.n = 0};
    const char *why = make_order(self, call, r, &form);
    fwp_rc rc;

    if (why)
        rc = ecpay_refuse(reply, FWP_PERMFAIL, why);
    else if (!sign(self, call, &form))
        rc = ecpay_refuse(reply, FWP_TEMPFAIL, "no digest could be made");
    else
        rc = ecpay_answer(self->host, call, reply, FWP_OK, redirect_to(self, call, &form));
    json_decref(r);
    return rc;
}

/* ---- message ---- */

/* The bytes of body_base64. False: there are none, or too many, or it is not base64. */
static bool message_bytes(fwp_instance *self, fwp_call *call, const json_t *r, fwp_str *out)
{
    const json_t *v = json_object_get(r, "body_base64");
    size_t n = json_string_length(v);
    const char *text = json_string_value(v);
    unsigned char *to;
    int got;

    if (!text || n == 0 || n % 4 != 0 || n > (MESSAGE_BYTES + 2) / 3 * 4)
        return false;
    to = self->host->alloc(call, n);
    got = EVP_DecodeBlock(to, (const unsigned char *)text, (int)n);
    if (got < 0)
        return false;
    got -= (text[n - 1] == '=') + (text[n - 2] == '=');
    *out = (fwp_str){(const char *)to, (size_t)got};
    return true;
}

static void set_str(json_t *o, const char *name, fwp_str s)
{
    json_t *v = json_stringn(s.p ? s.p : "", s.n);
    json_object_set_new(o, name, v ? v : json_string(""));
}

static void set_time(json_t *o, const char *name, fwp_str text)
{
    char iso[21];
    int64_t t;

    if (ecpay_time_read(text, &t)) {
        ecpay_iso_write(t, iso);
        json_object_set_new(o, name, json_string(iso));
    }
}

static fwp_str get(const ecpay_form *f, const char *name)
{
    return ecpay_find(f->fields, f->n, name);
}

static void set_code(json_t *fact, const ecpay_form *f, bool atm)
{
    json_t *code = json_object();

    if (atm) {
        set_str(code, "bank", get(f, "BankCode"));
        set_str(code, "account", get(f, "vAccount"));
    } else {
        set_str(code, "payment_no", get(f, "PaymentNo"));
    }
    set_time(code, "expires", get(f, "ExpireDate"));
    json_object_set_new(fact, "code", code);
}

/* A code counts when all that the payer needs is there. */
static bool code_is_whole(const ecpay_form *f, bool atm)
{
    int64_t t;

    if (!ecpay_time_read(get(f, "ExpireDate"), &t))
        return false;
    if (atm)
        return get(f, "BankCode").n == 3 && get(f, "vAccount").n > 0 && get(f, "vAccount").n <= 16;
    return get(f, "PaymentNo").n > 0 && get(f, "PaymentNo").n <= 14;
}

/* What the callback says; NULL: it does not belong on that channel, or lacks what it must have. */
static const char *fact_of(const ecpay_form *f, bool paid_channel, const char *method)
{
    fwp_str code = get(f, "RtnCode");
    int64_t t;

    if (!paid_channel) {
        if (same(code, CODE_ATM))
            return strcmp(method, "atm") == 0 && code_is_whole(f, true) ? "code_issued" : NULL;
        if (same(code, CODE_CVS))
            return strcmp(method, "cvs") == 0 && code_is_whole(f, false) ? "code_issued" : NULL;
        return same(code, CODE_PAID) ? NULL : "failed";
    }
    if (same(code, CODE_ATM) || same(code, CODE_CVS))
        return NULL;
    if (same(code, CODE_UNCONFIRMED))
        return "ignored";
    if (!same(code, CODE_PAID))
        return "failed";
    if (!ecpay_time_read(get(f, "PaymentDate"), &t))
        return NULL;
    return get(f, "SimulatePaid").p && !same(get(f, "SimulatePaid"), "0") ? "simulated" : "paid";
}

static json_t *make_fact(const ecpay_form *f, const char *fact, const char *method, int64_t amount)
{
    json_t *o =
        json_pack("{s:s, s:s, s:I}", "fact", fact, "method", method, "amount", (json_int_t)amount);

    set_str(o, "order_no", get(f, "MerchantTradeNo"));
    set_str(o, "gateway_no", get(f, "TradeNo"));
    set_str(o, "gateway_code", get(f, "RtnCode"));
    if (strcmp(fact, "paid") == 0 || strcmp(fact, "simulated") == 0)
        set_time(o, "paid_at", get(f, "PaymentDate"));
    if (strcmp(fact, "code_issued") == 0)
        set_code(o, f, strcmp(method, "atm") == 0);
    return o;
}

static fwp_rc judge_message(fwp_instance *self, fwp_call *call, const ecpay_form *f,
                            bool paid_channel, fwp_reply *reply)
{
    fwp_str order = get(f, "MerchantTradeNo");
    fwp_str gateway = get(f, "TradeNo");
    int64_t amount = ecpay_amount(get(f, "TradeAmt"));
    const char *method = ecpay_method(get(f, "PaymentType"));
    const char *fact;

    if (!get(f, "CheckMacValue").p)
        return ecpay_refuse(reply, FWP_REJECTED, "no CheckMacValue");
    if (!ecpay_mac_right(&self->key, f->fields, f->n))
        return ecpay_refuse(reply, FWP_REJECTED, "wrong CheckMacValue");
    if (!same(get(f, "MerchantID"), self->merchant_id))
        return ecpay_refuse(reply, FWP_REJECTED, "another merchant's message");
    if (!ecpay_is_number(order.p, order.n) || (gateway.n && !ecpay_is_number(gateway.p, gateway.n)))
        return ecpay_refuse(reply, FWP_REJECTED, "malformed: MerchantTradeNo or TradeNo");
    if (amount < 0)
        return ecpay_refuse(reply, FWP_REJECTED, "malformed: TradeAmt");
    fact = fact_of(f, paid_channel, method);
    if (!fact)
        return ecpay_refuse(reply, FWP_REJECTED,
                            "malformed: what RtnCode says does not fit the rest");
    if (strcmp(fact, "paid") == 0 && gateway.n == 0)
        return ecpay_refuse(reply, FWP_REJECTED, "malformed: paid without TradeNo");
    return ecpay_answer(self->host, call, reply, FWP_OK, make_fact(f, fact, method, amount));
}

fwp_rc ecpay_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = ecpay_request(request);
    const char *channel = ecpay_text(r, "channel");
    bool paid = channel && strcmp(channel, "paid") == 0;
    ecpay_form *form = self->host->alloc(call, sizeof(*form));
    const char *why = NULL;
    fwp_str raw;
    fwp_rc rc;

    if (!channel || (!paid && strcmp(channel, "info") != 0))
        rc = ecpay_refuse(reply, FWP_PERMFAIL, "channel is paid or info");
    else if (!message_bytes(self, call, r, &raw))
        rc = ecpay_refuse(reply, FWP_REJECTED, "malformed: empty or too long");
    else {
        why = ecpay_form_parse(form, raw, self->host->alloc(call, raw.n + 1));
        rc = why ? ecpay_refuse(reply, FWP_REJECTED, why)
                 : judge_message(self, call, form, paid, reply);
    }
    json_decref(r);
    return rc;
}

/* ---- speaking with the gateway ---- */

/* Posts the signed form; on FWP_OK the reply's form is in *out. `lost` is the answer for an exchange of which
 * nobody knows whether the gateway acted. */
static fwp_rc ask(fwp_instance *self, fwp_call *call, const char *path, ecpay_form *form,
                  ecpay_form *out, fwp_rc lost, fwp_reply *reply)
{
    static const fwp_kv type = {{"Content-Type", 12}, {"application/x-www-form-urlencoded", 33}, 0};
    fwp_http_request q = {.size = sizeof(q),
                          .method = "POST",
                          .headers = &type,
                          .n_headers = 1,
                          .max_response = ECPAY_FORM_MAX};
    fwp_http_response a = {.size = sizeof(a)};
    size_t n = strlen(self->api_url) + strlen(path) + 1;
    char *url = self->host->alloc(call, n);
    int sent;

    if (self->host->remaining_ms(call) < 2)
        return ecpay_refuse(reply, FWP_CANCELLED, "no time left");
    if (!sign(self, call, form))
        return ecpay_refuse(reply, FWP_TEMPFAIL, "no digest could be made");
    snprintf(url, n, "%s%s", self->api_url, path);
    q.url = url;
    q.body = ecpay_form_encode(form, self->host, call);
    reply->retry_after_ms = RETRY_MS;
    sent = self->host->http(call, &q, &a);
    if (sent == FWP_HTTP_REFUSED)
        return ecpay_refuse(reply, FWP_MISCONFIGURED, a.error);
    if (sent != FWP_HTTP_OK)
        return ecpay_refuse(reply, sent == FWP_HTTP_LOST ? lost : FWP_TEMPFAIL, a.error);
    if (a.status == 403) {
        reply->retry_after_ms = BACK_OFF_MS;
        return ecpay_refuse(reply, FWP_TEMPFAIL, "403: the gateway was asked too often");
    }
    if (a.status != 200)
        return ecpay_refuse(reply, a.status >= 500 ? lost : FWP_TEMPFAIL,
                            number_text(self, call, a.status));
    if (ecpay_form_parse(out, a.body, self->host->alloc(call, a.body.n + 1)))
        return ecpay_refuse(reply, lost, "the gateway's answer is not a form");
    reply->retry_after_ms = 0;
    return FWP_OK;
}

/* ---- query ---- */

static fwp_rc judge_state(fwp_instance *self, fwp_call *call, const ecpay_form *f,
                          const char *order, fwp_reply *reply)
{
    fwp_str status = get(f, "TradeStatus");
    int64_t amount = ecpay_amount(get(f, "TradeAmt"));
    const char *state = "unpaid";
    json_t *o;

    reply->retry_after_ms = RETRY_MS;
    if (!ecpay_mac_right(&self->key, f->fields, f->n))
        return ecpay_refuse(reply, FWP_TEMPFAIL, "wrong CheckMacValue in the gateway's answer");
    if (!same(get(f, "MerchantTradeNo"), order) || !same(get(f, "MerchantID"), self->merchant_id))
        return ecpay_refuse(reply, FWP_TEMPFAIL, "the gateway's answer is about another order");
    if (same(status, STATUS_UNKNOWN))
        state = "unknown_order";
    else if (same(status, "1"))
        state = "paid";
    if (strcmp(state, "paid") == 0 && (amount < 1 || !get(f, "TradeNo").n))
        return ecpay_refuse(reply, FWP_TEMPFAIL, "the gateway's answer lacks TradeAmt or TradeNo");
    reply->retry_after_ms = 0;
    o = json_pack("{s:s, s:s}", "state", state, "order_no", order);
    set_str(o, "gateway_code", status);
    if (amount >= 0 && strcmp(state, "unknown_order") != 0) {
        json_object_set_new(o, "amount", json_integer(amount));
        set_str(o, "gateway_no", get(f, "TradeNo"));
        json_object_set_new(o, "method", json_string(ecpay_method(get(f, "PaymentType"))));
    }
    if (strcmp(state, "paid") == 0)
        set_time(o, "paid_at", get(f, "PaymentDate"));
    return ecpay_answer(self->host, call, reply, FWP_OK, o);
}

fwp_rc ecpay_query(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = ecpay_request(request);
    const char *order = ecpay_text(r, "order_no");
    ecpay_form form = {.n = 0};
    ecpay_form *answer = self->host->alloc(call, sizeof(*answer));
    fwp_rc rc;

    if (!order || !ecpay_is_number(order, strlen(order))) {
        rc = ecpay_refuse(reply, FWP_PERMFAIL, "order_no is 1 to 20 of A-Z a-z 0-9");
    } else {
        ecpay_form_add(&form, "MerchantID", self->merchant_id);
        ecpay_form_add(&form, "MerchantTradeNo", order);
        ecpay_form_add(&form, "TimeStamp", number_text(self, call, self->host->now(call)));
        rc = ask(self, call, "/Cashier/QueryTradeInfo/V5", &form, answer, FWP_TEMPFAIL, reply);
        if (rc == FWP_OK)
            rc = judge_state(self, call, answer, order, reply);
    }
    json_decref(r);
    return rc;
}

/* ---- refund ---- */

/* Milliseconds until the daily capture is over; 0 outside it. */
static uint32_t quiet_ms(int64_t now)
{
    int64_t second = (now + TAIPEI_SECONDS) % DAY_SECONDS;
    if (second < QUIET_FROM || second >= QUIET_TO)
        return 0;
    return (uint32_t)(QUIET_TO - second) * 1000u;
}

/* NULL, or what is wrong with the request. */
static const char *make_refund(fwp_instance *self, fwp_call *call, const json_t *r,
                               ecpay_form *form)
{
    const char *order = ecpay_text(r, "order_no");
    const char *gateway = ecpay_text(r, "gateway_no");
    int64_t amount = json_integer_value(json_object_get(r, "amount"));

    if (!order || !ecpay_is_number(order, strlen(order)) || !gateway ||
        !ecpay_is_number(gateway, strlen(gateway)))
        return "order_no and gateway_no are 1 to 20 of A-Z a-z 0-9";
    if (amount < 1 || amount > ECPAY_AMOUNT_MAX)
        return "amount is a number of TWD from 1";
    ecpay_form_add(form, "MerchantID", self->merchant_id);
    ecpay_form_add(form, "MerchantTradeNo", order);
    ecpay_form_add(form, "TradeNo", gateway);
    ecpay_form_add(form, "Action", "R");
    ecpay_form_add(form, "TotalAmount", number_text(self, call, amount));
    return NULL;
}

static fwp_rc judge_refund(fwp_instance *self, fwp_call *call, const ecpay_form *f,
                           fwp_reply *reply)
{
    fwp_str code = get(f, "RtnCode");
    json_t *o;

    if (!code.p)
        return ecpay_refuse(reply, FWP_UNKNOWN, "the gateway's answer has no RtnCode");
    if (!same(code, "1"))
        return ecpay_refuse(reply, FWP_REJECTED, ecpay_copy(self->host, call, code.p, code.n));
    o = json_object();
    set_str(o, "gateway_no", get(f, "TradeNo"));
    return ecpay_answer(self->host, call, reply, FWP_OK, o);
}

fwp_rc ecpay_refund(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = ecpay_request(request);
    const char *method = ecpay_text(r, "method");
    ecpay_form form = {.n = 0};
    ecpay_form *answer = self->host->alloc(call, sizeof(*answer));
    const char *why = make_refund(self, call, r, &form);
    uint32_t quiet = quiet_ms(self->host->now(call));
    fwp_rc rc;

    if (why)
        rc = ecpay_refuse(reply, FWP_PERMFAIL, why);
    else if (!method || strcmp(method, "card") != 0)
        rc = ecpay_refuse(reply, FWP_REJECTED, "the gateway pays back cards only");
    else if (quiet) {
        reply->retry_after_ms = quiet;
        rc = ecpay_refuse(reply, FWP_TEMPFAIL, "the gateway's daily capture, 20:15 to 20:30");
    } else {
        rc = ask(self, call, "/CreditDetail/DoAction", &form, answer, FWP_UNKNOWN, reply);
        if (rc == FWP_OK)
            rc = judge_refund(self, call, answer, reply);
    }
    json_decref(r);
    return rc;
}
