#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_store_account.h"
#include "fw_store_case.h"
#include "fw_store_payment.h"
#include "fwpermit_plugin.h"

#define ITEM_BYTES 200 /* of the gateway's name for what is paid */

static const fw_err *load(fww_turn *t, const fw_delivery *d, fw_payment **out)
{
    return fw_payment_load(t->db, fww_payload_id(t, d, "payment"), out, t->pool);
}

/* Cut at a letter's border. */
static const char *cut(const fww_turn *t, const char *text, apr_size_t most)
{
    apr_size_t n = strlen(text);

    if (n <= most)
        return text;
    n = most;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return apr_pstrndup(t->pool, text, n);
}

/* ---- begin ---- */

/* "Electronic residence permit x 3": what the payer reads at the gateway. */
static const fw_err *item_of(fww_turn *t, const fw_payment *p, const char *lang, const char **out)
{
    const fw_service *service = NULL;
    fw_case *kase = NULL;

    FW_TRY(fw_case_load(t->db, p->cases[0], &kase, t->pool));
    FW_TRY(fw_desk_service(t->pump->desk, t->db, kase->service, kase->service_hash, &service,
                           t->pool));
    *out = cut(t, fw_label_text(&service->title, lang), ITEM_BYTES - 16);
    if (p->n_cases > 1)
        *out = apr_psprintf(t->pool, "%s x %d", *out, p->n_cases);
    return NULL;
}

static const fw_err *make_order(fww_turn *t, const fw_payment *p, json_t **request)
{
    fw_account *payer = NULL;
    const char *item = NULL, *back;

    FW_TRY(fw_account_load(t->db, p->payer_id, &payer, t->pool));
    FW_TRY(item_of(t, p, payer->lang, &item));
    back = apr_psprintf(t->pool, "%s/payments/%" APR_INT64_T_FMT, t->pump->desk->base_url, p->id);
    *request = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s}", "order_no", p->order_no, "amount",
                         (json_int_t)p->amount, "item", item, "method", p->method, "created",
                         fw_time_iso(p->created, t->pool), "back_url", back, "lang", payer->lang);
    return *request ? NULL : FW_ERR(t->pool, FW_E_INPUT, 0, "an order that is not UTF-8");
}

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* The code at once: nobody is sent anywhere. An account that another payment waits at is none. */
static const fw_err *take_code_at_once(fww_turn *t, const fw_payment *p, const json_t *reply,
                                       fww_end *end)
{
    const json_t *code = json_object_get(reply, "code");
    fw_command cmd = {.kind = FW_CMD_PAYMENT_CODE,
                      .target = p->id,
                      .code = fww_dump(t, code),
                      .gateway_no = text_of(reply, "gateway_no"),
                      .at = fw_time_parse(text_of(code, "expires"))};
    fw_payment *other = NULL;
    fw_id id = 0;

    FW_TRY(fw_payment_by_gateway(t->db, cmd.gateway_no, &id, t->pool));
    if (id && id != p->id)
        FW_TRY(fw_payment_load(t->db, id, &other, t->pool));
    if (other && other->state == FW_PAY_CODE) {
        fww_end_set(end, FWW_END_DEAD, "another payment waits at that account");
        return NULL;
    }
    return fww_perform(t, &cmd, &end->reason);
}

static const fw_err *take_redirect(fww_turn *t, const fw_payment *p, const fww_answer *a,
                                   fww_end *end)
{
    const json_t *redirect = json_object_get(a->reply, "redirect");
    fw_command cmd = {.kind = FW_CMD_PAYMENT_BEGUN, .target = p->id};

    if (json_object_get(a->reply, "code"))
        return take_code_at_once(t, p, a->reply, end);
    if (!json_is_object(redirect)) {
        fww_end_set(end, FWW_END_DEAD, "the plugin gave no redirect");
        return NULL;
    }
    cmd.redirect = fww_dump(t, redirect);
    return fww_perform(t, &cmd, &end->reason);
}

const fw_err *fww_pay_begin(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    const char *plugin = t->pump->desk->payment_plugin;
    fww_ask ask = {
        .op = d->op, .key = d->key, .attempt = d->attempt, .deadline_ms = fww_deadline_ms(d->op)};
    fw_payment *p = NULL;
    fww_answer answer;

    FW_TRY(load(t, d, &p));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (p->state != FW_PAY_WANTED)
        return NULL;
    if (!plugin) {
        fww_end_set(end, FWW_END_DEAD, "no payment plugin is configured");
        return NULL;
    }
    FW_TRY(make_order(t, p, &ask.request));
    fww_port_ask(t, plugin, &ask, &answer);
    fww_port_end(&answer, end);
    return answer.rc == FWP_OK ? take_redirect(t, p, &answer, end) : NULL;
}

/* The payer may try anew instead of waiting for ever. */
const fw_err *fww_pay_give_up(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fw_command cmd = {.kind = FW_CMD_PAYMENT_FAIL,
                      .target = fww_payload_id(t, d, "payment"),
                      .reason = "not_begun"};

    (void)end;
    return fww_perform(t, &cmd, NULL);
}

/* ---- what the gateway tells ---- */

static const fw_err *settle(fww_turn *t, const fw_payment *p, const json_t *told, fww_end *end)
{
    const char *refused = NULL;
    fw_command cmd = {.kind = FW_CMD_PAYMENT_SETTLE,
                      .target = p->id,
                      .amount = json_integer_value(json_object_get(told, "amount")),
                      .gateway_no = text_of(told, "gateway_no"),
                      .at = fw_time_parse(text_of(told, "paid_at"))};

    FW_TRY(fww_perform(t, &cmd, &refused));
    if (!refused)
        return NULL;
    fww_end_set(end, FWW_END_REFUSED, refused);
    if (cmd.amount != p->amount)
        t->pump->env->log(FWW_ERROR,
                          FWW_N_AMOUNT " order %s: %" APR_INT64_T_FMT
                                       " TWD came and %" APR_INT64_T_FMT
                                       " are owed; nothing is paid",
                          p->order_no, cmd.amount, p->amount);
    return NULL;
}

static const fw_err *take_code(fww_turn *t, const fw_payment *p, const json_t *told, fww_end *end)
{
    const json_t *code = json_object_get(told, "code");
    fw_command cmd = {.kind = FW_CMD_PAYMENT_CODE,
                      .target = p->id,
                      .code = fww_dump(t, code),
                      .gateway_no = text_of(told, "gateway_no"),
                      .at = fw_time_parse(text_of(code, "expires"))};

    if (!json_is_object(code) || json_integer_value(json_object_get(told, "amount")) != p->amount) {
        fww_end_set(end, FWW_END_REFUSED, "a code of another amount, or none");
        t->pump->env->log(FWW_ERROR, FWW_N_AMOUNT " order %s: a code of another amount",
                          p->order_no);
        return NULL;
    }
    return fww_perform(t, &cmd, &end->reason);
}

static const fw_err *fail(fww_turn *t, const fw_payment *p, const json_t *told, fww_end *end)
{
    const char *code = text_of(told, "gateway_code");
    fw_command cmd = {.kind = FW_CMD_PAYMENT_FAIL,
                      .target = p->id,
                      .gateway_no = text_of(told, "gateway_no"),
                      .reason = apr_pstrcat(t->pool, "gateway:", code ? code : "", NULL)};

    return fww_perform(t, &cmd, &end->reason);
}

static const fw_err *act_on(fww_turn *t, const fw_payment *p, const json_t *fact, fww_end *end)
{
    const char *what = text_of(fact, "fact");

    if (what && strcmp(what, "paid") == 0)
        return settle(t, p, fact, end);
    if (what && strcmp(what, "code_issued") == 0)
        return take_code(t, p, fact, end);
    if (what && strcmp(what, "failed") == 0)
        return fail(t, p, fact, end);
    if (what && strcmp(what, "simulated") == 0)
        t->pump->env->log(FWW_WARNING, FWW_N_SIMULATED " order %s: simulated, nothing is paid",
                          p->order_no);
    else
        t->pump->env->log(FWW_INFO, "order %s: %s", p->order_no, what ? what : "nothing told");
    end->reason = what ? apr_pstrdup(t->pool, what) : "nothing told";
    return NULL;
}

const fw_err *fww_pay_fact(fww_turn *t, const json_t *fact, fww_end *end)
{
    const char *order = text_of(fact, "order_no");
    fw_payment *p = NULL;
    fw_id id = 0;

    fww_end_set(end, FWW_END_DONE, NULL);
    if (order)
        FW_TRY(fw_payment_by_order(t->db, order, &id, t->pool));
    else if (text_of(fact, "gateway_no"))
        FW_TRY(fw_payment_by_gateway(t->db, text_of(fact, "gateway_no"), &id, t->pool));
    if (!id) {
        fww_end_set(end, FWW_END_REFUSED, "payment.unknown");
        t->pump->env->log(FWW_WARNING, FWW_N_ORDER " order %s is none of ours", order ? order : "");
        return NULL;
    }
    FW_TRY(fw_payment_load(t->db, id, &p, t->pool));
    return act_on(t, p, fact, end);
}

/* ---- query ---- */

const fw_err *fww_pay_query(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    const char *plugin = t->pump->desk->payment_plugin, *state;
    fww_ask ask = {
        .op = d->op, .key = d->key, .attempt = d->attempt, .deadline_ms = fww_deadline_ms(d->op)};
    fw_payment *p = NULL;
    fww_answer answer;

    FW_TRY(load(t, d, &p));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (p->state == FW_PAY_PAID || !plugin)
        return NULL;
    ask.request = json_pack("{s:s}", "order_no", p->order_no);
    fww_port_ask(t, plugin, &ask, &answer);
    fww_port_end(&answer, end);
    if (answer.rc != FWP_OK)
        return NULL;
    state = text_of(answer.reply, "state");
    end->reason = state;
    if (state && strcmp(state, "paid") == 0)
        FW_TRY(settle(t, p, answer.reply, end));
    if (end->what == FWW_END_REFUSED)
        end->what = FWW_END_DEAD; /* money that does not fit is for a person to see */
    return NULL;
}
