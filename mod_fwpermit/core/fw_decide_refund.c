#include "fw_config.h"
#include "fw_decide_int.h"

#include <apr_strings.h>

#include "fw_lifecycle.h"

/* Money that goes back. Of a payment no more is ever promised than it brought, and what may have been sent is sent
 * once more only after it is certain that the gateway has not acted. */

static const char *payload(fw_deciding *d, const fw_refund *r)
{
    return apr_psprintf(d->pool, "{\"refund\":\"%" APR_INT64_T_FMT "\"}", r->id);
}

static void ask_gateway(fw_deciding *d, const fw_refund *r)
{
    fw_decide_send(d, "payment", "payment.refund", r->payment_id, fw_decide_id(d), payload(d, r),
                   true);
}

/* One notice to the payer, through the first of the cases. */
static void notify(fw_deciding *d, const fw_refund *r, const char *what)
{
    fw_id kase = r->n_cases > 0 ? r->cases[0] : 0;

    if (kase)
        fw_decide_send(d, "notify", "notify.send", kase, fw_decide_id(d),
                       apr_psprintf(d->pool,
                                    "{\"what\":\"%s\",\"case\":\"%" APR_INT64_T_FMT
                                    "\",\"refund\":\"%" APR_INT64_T_FMT "\"}",
                                    what, kase, r->id),
                       true);
}

static void tell_cases(fw_deciding *d, const char *kind, const char *data)
{
    for (int i = 0; i < d->view->n_cases; i++)
        fw_decide_event(d, d->view->cases[i], kind, d->view->cases[i]->state, data);
}

void fw_decide_refund_open(fw_deciding *d, fw_payment *p, const fw_id *cases, int n, int64_t amount,
                           const char *cause)
{
    fw_refund *r = apr_pcalloc(d->pool, sizeof(*r));

    if (amount > p->amount - p->promised)
        amount = p->amount - p->promised;
    if (amount <= 0)
        return;
    r->id = fw_decide_id(d);
    r->state = FW_REFUND_ASKED;
    r->payment_id = p->id;
    r->cases = cases;
    r->n_cases = n;
    r->amount = amount;
    r->cause = cause;
    r->before = FW_REFUND_UNTOLD;
    r->created = d->now;
    p->promised += amount;
    d->view->refund = r;
    d->out->changed |= FW_CH_REFUND;
    ask_gateway(d, r);
    notify(d, r, "refund.ask");
}

/* ---- what a cashier says ---- */

static bool refuse_ask(fw_deciding *d, const fw_payment *p)
{
    const fw_command *cmd = d->cmd;

    if (p->state != FW_PAY_PAID)
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "refund.not_paid");
    else if (cmd->amount < 1)
        fw_decide_refuse(d, FW_E_INPUT, "amount", "refund.amount");
    else if (cmd->amount > p->amount - p->promised)
        fw_decide_refuse(d, FW_E_CONFLICT, "amount", "refund.too_much");
    else if (!cmd->reason || !*cmd->reason)
        fw_decide_refuse(d, FW_E_INPUT, "reason", "case.reason_missing");
    return d->out->verdict == FW_REFUSED;
}

/* Whose whole payment goes back has no card made. */
static void stop_cards(fw_deciding *d, const fw_payment *p)
{
    for (int i = 0; i < d->view->n_cases && d->view->jobs && p->promised == p->amount; i++) {
        fw_case *kase = d->view->cases[i];
        fw_job *job = d->view->jobs[i];

        if (!fw_job_unmade(job) || !fw_lifecycle_find(kase->state, FW_CMD_CARD_CANCEL))
            continue;
        fw_decide_move(d, kase, FW_CMD_CARD_CANCEL, NULL);
        fw_decide_card_stop(d, kase, job);
    }
}

static void ask(fw_deciding *d)
{
    fw_payment *p = d->view->payment;

    if (refuse_ask(d, p))
        return;
    fw_decide_refund_open(d, p, p->cases, p->n_cases, d->cmd->amount, "cashier");
    d->view->refund->reason = d->cmd->reason;
    d->view->refund->asked_by = d->cmd->actor->account_id;
    d->out->changed |= FW_CH_PAYMENT;
    d->out->answer = d->view->refund->id;
    d->out->verdict = FW_ACCEPTED;
    tell_cases(d, "refund.ask", d->view->detail);
    stop_cards(d, p);
}

static bool refuse_stale(fw_deciding *d, const fw_refund *r)
{
    if (!d->cmd->version || d->cmd->version == r->version)
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "refund.stale");
    return true;
}

static bool refuse_not_by_hand(fw_deciding *d, const fw_refund *r)
{
    if (refuse_stale(d, r))
        return true;
    if (r->state == FW_REFUND_DUE || r->state == FW_REFUND_MANUAL)
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "refund.state");
    return true;
}

/* By the gateway, though it would not before, or because nobody has asked it yet. */
static void again(fw_deciding *d, fw_refund *r)
{
    if (refuse_not_by_hand(d, r))
        return;
    r->state = FW_REFUND_ASKED;
    r->trouble = NULL;
    r->asked_by = d->cmd->actor->account_id;
    d->out->changed |= FW_CH_REFUND;
    d->out->verdict = FW_ACCEPTED;
    ask_gateway(d, r);
    tell_cases(d, "refund.again", d->view->detail);
}

static void end(fw_deciding *d, fw_refund *r, const char *kind)
{
    r->state = FW_REFUND_DONE;
    r->trouble = NULL;
    r->ended = d->now;
    d->view->payment->refunded += r->amount;
    d->out->changed |= FW_CH_REFUND | FW_CH_PAYMENT;
    tell_cases(d, kind, d->view->detail);
    fw_decide_tell_refund(d);
    notify(d, r, "refund.done");
}

static void pay_out(fw_deciding *d, fw_refund *r)
{
    if (refuse_not_by_hand(d, r))
        return;
    if (!d->cmd->reference || !*d->cmd->reference) {
        fw_decide_refuse(d, FW_E_INPUT, "reference", "refund.reference");
        return;
    }
    r->reference = d->cmd->reference;
    end(d, r, "refund.pay_out");
}

/* ---- what became of it at the gateway ---- */

static void sent(fw_deciding *d, fw_refund *r)
{
    if (r->state != FW_REFUND_ASKED) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "refund.state");
        return;
    }
    r->state = FW_REFUND_UNKNOWN;
    r->before = d->cmd->amount;
    r->sent = d->now;
    d->out->changed |= FW_CH_REFUND;
}

static void back(fw_deciding *d, fw_refund *r)
{
    if (r->state != FW_REFUND_UNKNOWN)
        return;
    r->state = FW_REFUND_ASKED;
    d->out->changed |= FW_CH_REFUND;
}

static void done(fw_deciding *d, fw_refund *r)
{
    if (r->state != FW_REFUND_UNKNOWN)
        return;
    r->gateway_no = d->cmd->gateway_no;
    end(d, r, "refund.done");
}

static void fail(fw_deciding *d, fw_refund *r)
{
    if (r->state != FW_REFUND_UNKNOWN && r->state != FW_REFUND_ASKED)
        return;
    r->state = FW_REFUND_MANUAL;
    r->trouble = d->cmd->reason;
    d->out->changed |= FW_CH_REFUND;
    tell_cases(d, "refund.fail", NULL);
    notify(d, r, "refund.fail");
}

static void decide_one(fw_deciding *d, fw_refund *r)
{
    switch ((int)d->cmd->kind) {
    case FW_CMD_REFUND_AGAIN:
        again(d, r);
        break;
    case FW_CMD_REFUND_PAY_OUT:
        pay_out(d, r);
        break;
    case FW_CMD_REFUND_SENT:
        sent(d, r);
        break;
    case FW_CMD_REFUND_BACK:
        back(d, r);
        break;
    case FW_CMD_REFUND_DONE:
        done(d, r);
        break;
    default:
        fail(d, r);
        break;
    }
}

void fw_decide_refund(fw_deciding *d)
{
    if (d->cmd->kind == FW_CMD_REFUND_ASK)
        ask(d);
    else
        decide_one(d, d->view->refund);
}
