#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_payment.h"
#include "fw_store_refund.h"
#include "fww_plugin_judge.h"
#include "fwpermit_plugin.h"

/* A refund on its way to the gateway. Before it is sent it is noted as sent (refund.sent): whatever is killed from then on,
 * the next attempt finds it so, and asks the gateway what became of it before anything is sent once more. */

#define QUERY_MS  12000
#define UNTOLD    FW_REFUND_UNTOLD
#define CALM      apr_time_from_sec(60) /* after it was sent: until then the gateway may be at it */
#define CALM_DEMO apr_time_from_sec(2)

typedef struct refunding {
    fww_turn *t;
    const fw_delivery *d;
    fw_refund *r;
    fw_payment *p;
    const char *plugin;
    fww_end *end;
} refunding;

static const fw_err *tell(const refunding *w, fw_cmd_e kind, const char *reason)
{
    fw_command cmd = {.kind = kind, .target = w->r->id, .reason = reason};
    const char *refused = NULL;

    if (kind == FW_CMD_REFUND_DONE)
        cmd.gateway_no = reason;
    FW_TRY(fww_perform(w->t, &cmd, &refused));
    if (refused)
        fww_end_set(w->end, FWW_END_DEAD, refused);
    return NULL;
}

/* A cashier goes on from here. */
static const fw_err *by_hand(const refunding *w, const char *why)
{
    fww_end_set(w->end, FWW_END_DONE, why);
    w->t->pump->env->log(FWW_WARNING, FWW_N_REFUND " %s is left to a cashier: %s", w->d->key, why);
    return tell(w, FW_CMD_REFUND_FAIL, why);
}

static const fw_err *is_done(const refunding *w, const char *gateway_no)
{
    fww_end_set(w->end, FWW_END_DONE, NULL);
    return tell(w, FW_CMD_REFUND_DONE, gateway_no);
}

/* ---- what the gateway has paid back of the order ---- */

/* *back is UNTOLD where it does not say; *asked is false where it is to be asked again, as the end says. */
static const fw_err *look(const refunding *w, int64_t *back, bool *asked)
{
    fww_ask ask = {.op = "payment.query",
                   .key = apr_pstrcat(w->t->pool, w->d->key, ":look", NULL),
                   .attempt = w->d->attempt,
                   .deadline_ms = QUERY_MS};
    const json_t *told;
    fww_answer answer;

    *back = UNTOLD;
    ask.request = json_pack("{s:s, s:s*, s:s, s:b}", "order_no", w->p->order_no, "gateway_no",
                            w->p->gateway_no, "method", w->p->method, "refunds", 1);
    fww_port_ask(w->t, w->plugin, &ask, &answer);
    fww_port_end(&answer, w->end);
    *asked = w->end->what != FWW_END_AGAIN;
    told = answer.rc == FWP_OK ? json_object_get(answer.reply, "refunded") : NULL;
    if (json_is_integer(told))
        *back = json_integer_value(told);
    return NULL;
}

/* Whether what was sent just now may still be on its way to the gateway's books. */
static bool is_too_early(const refunding *w)
{
    apr_time_t since = w->t->pump->desk->now() - w->r->sent;
    apr_time_t calm = w->t->pump->env->site->demo ? CALM_DEMO : CALM;

    if (since < 0 || since >= calm)
        return false;
    *w->end = (fww_end){.what = FWW_END_AGAIN, .reason = "sent just now", .after = calm - since};
    return true;
}

/* It was sent, and nobody knows what became of it. Afterwards it is done, or asked for anew, or left to a cashier; or the
 * gateway is to be asked again. */
static const fw_err *find_out(const refunding *w)
{
    int64_t back = UNTOLD, before = w->r->before;
    bool asked = false;

    if (is_too_early(w))
        return NULL;
    FW_TRY(look(w, &back, &asked));
    if (!asked)
        return NULL;
    if (back == UNTOLD || before == UNTOLD)
        return by_hand(w, "not_known");
    if (back == before + w->r->amount)
        return is_done(w, w->p->gateway_no);
    if (back != before)
        return by_hand(w, "other_amount");
    FW_TRY(tell(w, FW_CMD_REFUND_BACK, NULL));
    w->r->state = FW_REFUND_ASKED;
    return NULL;
}

/* ---- sending ---- */

/* Nothing was done: it is as it was before. */
static const fw_err *not_done(const refunding *w, const fww_answer *answer)
{
    fww_port_end(answer, w->end);
    w->end->what = FWW_END_AGAIN;
    return tell(w, FW_CMD_REFUND_BACK, NULL);
}

/* A plugin that broke its contract may have acted all the same. */
static bool is_breach(const fww_answer *answer)
{
    return strncmp(answer->reason, FWW_BREACH, strlen(FWW_BREACH)) == 0;
}

/* It may have been done: the next attempt finds out. */
static const fw_err *not_known(const refunding *w, const fww_answer *answer)
{
    fww_port_end(answer, w->end);
    w->end->what = FWW_END_AGAIN;
    return NULL;
}

static const fw_err *act_on(const refunding *w, const fww_answer *answer)
{
    const char *no = json_string_value(json_object_get(answer->reply, "gateway_no"));

    switch (answer->rc) {
    case FWP_OK:
        return is_done(w, no && *no ? no : w->p->gateway_no);
    case FWP_REJECTED:
        return by_hand(w, apr_pstrcat(w->t->pool, "gateway:", answer->reason, NULL));
    case FWP_PERMFAIL:
        return is_breach(answer)
                   ? not_known(w, answer)
                   : by_hand(w, apr_pstrcat(w->t->pool, "plugin:", answer->reason, NULL));
    case FWP_TEMPFAIL:
    case FWP_MISCONFIGURED:
    case FWP_CANCELLED:
        return not_done(w, answer);
    default: /* unknown, pending, or the process went away */
        return not_known(w, answer);
    }
}

static const fw_err *note_sent(const refunding *w, int64_t back, bool *mine)
{
    fw_command cmd = {.kind = FW_CMD_REFUND_SENT, .target = w->r->id, .amount = back};
    const char *refused = NULL;

    FW_TRY(fww_perform(w->t, &cmd, &refused));
    *mine = !refused;
    w->r->before = back;
    w->r->sent = w->t->pump->desk->now();
    w->r->state = FW_REFUND_UNKNOWN;
    fww_end_set(w->end, FWW_END_DONE, refused);
    return NULL;
}

static const fw_err *pay_back(const refunding *w)
{
    fww_ask ask = {.op = w->d->op,
                   .key = w->d->key,
                   .attempt = w->d->attempt,
                   .deadline_ms = fww_deadline_ms(w->d->op)};
    int64_t back = UNTOLD;
    bool on = false;
    fww_answer answer;

    FW_TRY(look(w, &back, &on));
    if (!on)
        return NULL;
    if (back != UNTOLD && back + w->r->amount > w->p->amount)
        return by_hand(w, "paid_back_before");
    FW_TRY(note_sent(w, back, &on));
    if (!on)
        return NULL;
    ask.request = json_pack("{s:s, s:s, s:I, s:s}", "order_no", w->p->order_no, "gateway_no",
                            w->p->gateway_no ? w->p->gateway_no : "", "amount",
                            (json_int_t)w->r->amount, "method", w->p->method);
    fww_port_ask(w->t, w->plugin, &ask, &answer);
    return act_on(w, &answer);
}

const fw_err *fww_refund_send(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    refunding w = {.t = t, .d = d, .plugin = t->pump->desk->payment_plugin, .end = end};

    FW_TRY(fw_refund_load(t->db, fww_payload_id(t, d, "refund"), &w.r, t->pool));
    FW_TRY(fw_payment_load(t->db, w.r->payment_id, &w.p, t->pool));
    fww_end_set(end, FWW_END_DONE, NULL);
    if (w.r->state != FW_REFUND_ASKED && w.r->state != FW_REFUND_UNKNOWN)
        return NULL;
    if (!w.plugin)
        return by_hand(&w, "no_plugin");
    if (w.r->state == FW_REFUND_UNKNOWN)
        FW_TRY(find_out(&w));
    return w.r->state == FW_REFUND_ASKED && end->what == FWW_END_DONE ? pay_back(&w) : NULL;
}

const fw_err *fww_refund_give_up(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fw_command cmd = {.kind = FW_CMD_REFUND_FAIL,
                      .target = fww_payload_id(t, d, "refund"),
                      .reason = "not_known"};

    (void)end;
    return fww_perform(t, &cmd, NULL);
}
