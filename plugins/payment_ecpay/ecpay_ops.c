#include "ecpay.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#define ITEM_BYTES       200
#define MESSAGE_BYTES    ECPAY_FORM_MAX
#define DAY_SECONDS      86400
#define CODE_ATM         "2"
#define CODE_CVS         "10100073"
#define CODE_PAID        "1"
#define CODE_UNCONFIRMED "10300066" /* card: the outcome is not known yet */

bool ecpay_same(fwp_str s, const char *text)
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

const char *ecpay_number_text(fwp_instance *self, fwp_call *call, int64_t v)
{
    char *s = self->host->alloc(call, 24);
    snprintf(s, 24, "%lld", (long long)v);
    return s;
}

/* Adds the CheckMacValue as the form's last field. */
bool ecpay_sign(fwp_instance *self, fwp_call *call, ecpay_form *form)
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
        /* gwsr, by which the card's detail is asked for */
        ecpay_form_add(form, "NeedExtraPaidInfo", "Y");
        return NULL;
    }
    if (!method || (strcmp(method, "atm") != 0 && strcmp(method, "cvs") != 0))
        return "method is card, atm or cvs";
    ecpay_form_add(form, "PaymentInfoURL", self->info_url);
    if (strcmp(method, "atm") == 0) {
        ecpay_form_add(form, "ChoosePayment", "ATM");
        life = code_life(r, from, DAY_SECONDS, 60, self->atm_days);
        ecpay_form_add(form, "ExpireDate", ecpay_number_text(self, call, life));
    } else {
        ecpay_form_add(form, "ChoosePayment", "CVS");
        life = code_life(r, from, 60, 43200, self->cvs_minutes);
        ecpay_form_add(form, "StoreExpireDate", ecpay_number_text(self, call, life));
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
    ecpay_form_add(form, "TotalAmount", ecpay_number_text(self, call, amount));
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
    else if (!ecpay_sign(self, call, &form))
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

void ecpay_set_str(json_t *o, const char *name, fwp_str s)
{
    json_t *v = json_stringn(s.p ? s.p : "", s.n);
    json_object_set_new(o, name, v ? v : json_string(""));
}

void ecpay_set_time(json_t *o, const char *name, fwp_str text)
{
    char iso[21];
    int64_t t;

    if (ecpay_time_read(text, &t)) {
        ecpay_iso_write(t, iso);
        json_object_set_new(o, name, json_string(iso));
    }
}

fwp_str ecpay_get(const ecpay_form *f, const char *name)
{
    return ecpay_find(f->fields, f->n, name);
}

static void set_code(json_t *fact, const ecpay_form *f, bool atm)
{
    json_t *code = json_object();

    if (atm) {
        ecpay_set_str(code, "bank", ecpay_get(f, "BankCode"));
        ecpay_set_str(code, "account", ecpay_get(f, "vAccount"));
    } else {
        ecpay_set_str(code, "payment_no", ecpay_get(f, "PaymentNo"));
    }
    ecpay_set_time(code, "expires", ecpay_get(f, "ExpireDate"));
    json_object_set_new(fact, "code", code);
}

/* A code counts when all that the payer needs is there. */
static bool code_is_whole(const ecpay_form *f, bool atm)
{
    int64_t t;

    if (!ecpay_time_read(ecpay_get(f, "ExpireDate"), &t))
        return false;
    if (atm)
        return ecpay_get(f, "BankCode").n == 3 && ecpay_get(f, "vAccount").n > 0 &&
               ecpay_get(f, "vAccount").n <= 16;
    return ecpay_get(f, "PaymentNo").n > 0 && ecpay_get(f, "PaymentNo").n <= 14;
}

/* What the callback says; NULL: it does not belong on that channel, or lacks what it must have. */
static const char *fact_of(const ecpay_form *f, bool paid_channel, const char *method)
{
    fwp_str code = ecpay_get(f, "RtnCode");
    int64_t t;

    if (!paid_channel) {
        if (ecpay_same(code, CODE_ATM))
            return strcmp(method, "atm") == 0 && code_is_whole(f, true) ? "code_issued" : NULL;
        if (ecpay_same(code, CODE_CVS))
            return strcmp(method, "cvs") == 0 && code_is_whole(f, false) ? "code_issued" : NULL;
        return ecpay_same(code, CODE_PAID) ? NULL : "failed";
    }
    if (ecpay_same(code, CODE_ATM) || ecpay_same(code, CODE_CVS))
        return NULL;
    if (ecpay_same(code, CODE_UNCONFIRMED))
        return "ignored";
    if (!ecpay_same(code, CODE_PAID))
        return "failed";
    if (!ecpay_time_read(ecpay_get(f, "PaymentDate"), &t))
        return NULL;
    return ecpay_get(f, "SimulatePaid").p && !ecpay_same(ecpay_get(f, "SimulatePaid"), "0")
               ? "simulated"
               : "paid";
}

static json_t *make_fact(const ecpay_form *f, const char *fact, const char *method, int64_t amount)
{
    json_t *o =
        json_pack("{s:s, s:s, s:I}", "fact", fact, "method", method, "amount", (json_int_t)amount);

    ecpay_set_str(o, "order_no", ecpay_get(f, "MerchantTradeNo"));
    ecpay_set_str(o, "gateway_no", ecpay_get(f, "TradeNo"));
    ecpay_set_str(o, "gateway_code", ecpay_get(f, "RtnCode"));
    if (strcmp(fact, "paid") == 0 || strcmp(fact, "simulated") == 0)
        ecpay_set_time(o, "paid_at", ecpay_get(f, "PaymentDate"));
    if (strcmp(fact, "code_issued") == 0)
        set_code(o, f, strcmp(method, "atm") == 0);
    return o;
}

static fwp_rc judge_message(fwp_instance *self, fwp_call *call, const ecpay_form *f,
                            bool paid_channel, fwp_reply *reply)
{
    fwp_str order = ecpay_get(f, "MerchantTradeNo");
    fwp_str gateway = ecpay_get(f, "TradeNo");
    int64_t amount = ecpay_amount(ecpay_get(f, "TradeAmt"));
    const char *method = ecpay_method(ecpay_get(f, "PaymentType"));
    const char *fact;

    if (!ecpay_get(f, "CheckMacValue").p)
        return ecpay_refuse(reply, FWP_REJECTED, "no CheckMacValue");
    if (!ecpay_mac_right(&self->key, f->fields, f->n))
        return ecpay_refuse(reply, FWP_REJECTED, "wrong CheckMacValue");
    if (!ecpay_same(ecpay_get(f, "MerchantID"), self->merchant_id))
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
