#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"

static const char *payload(fw_deciding *d, const fw_payment *p)
{
    return apr_psprintf(d->pool, "{\"payment\":\"%" APR_INT64_T_FMT "\"}", p->id);
}

static bool refuse_prior(fw_deciding *d, const fw_payment *prior)
{
    const char *key = NULL;

    if (!prior)
        return false;
    if (prior->state == FW_PAY_PAID)
        key = "payment.already_paid";
    else if (prior->state == FW_PAY_WANTED)
        key = "payment.being_begun";
    else if (prior->state == FW_PAY_CODE && strcmp(prior->method, d->cmd->method) == 0)
        key = "payment.code_is_live";
    if (!key)
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, key);
    return true;
}

/* An attempt that was begun and not paid gives way to a new one; money that still comes for it is
 * kept and marked for refund. */
static void replace_prior(fw_deciding *d, fw_payment *prior)
{
    if (!prior || (prior->state != FW_PAY_BEGUN && prior->state != FW_PAY_CODE))
        return;
    prior->state = FW_PAY_EXPIRED;
    prior->reason = "replaced";
    d->out->changed |= FW_CH_PRIORS;
}

static bool refuse_begin(fw_deciding *d)
{
    const fw_view *v = d->view;

    if (v->n_cases == 0) {
        fw_decide_refuse(d, FW_E_INPUT, "cases", "payment.no_case");
        return true;
    }
    if (v->n_cases > FW_MAX_CASES) {
        fw_decide_refuse(d, FW_E_INPUT, "cases", "payment.too_many");
        return true;
    }
    for (int i = 0; i < v->n_cases; i++) {
        if (refuse_prior(d, v->priors[i]))
            return true;
        if (v->cases[i]->state != FW_STATE_AWAITING_PAYMENT) {
            fw_decide_refuse(d, FW_E_CONFLICT, NULL, "payment.not_due");
            return true;
        }
    }
    return false;
}

static void begin(fw_deciding *d)
{
    fw_view *v = d->view;
    fw_payment *p = v->payment;
    fw_id *ids;

    if (refuse_begin(d))
        return;
    ids = apr_palloc(d->pool, (apr_size_t)v->n_cases * sizeof(*ids));
    *p = (fw_payment){0};
    p->id = fw_decide_id(d);
    for (int i = 0; i < v->n_cases; i++) {
        replace_prior(d, v->priors[i]);
        ids[i] = v->cases[i]->id;
        p->amount += v->cases[i]->fee;
        v->cases[i]->payment_id = p->id;
        fw_decide_event(d, v->cases[i], "payment.begin", v->cases[i]->state, NULL);
    }
    p->state = FW_PAY_WANTED;
    p->payer_id = d->cmd->actor->account_id;
    p->org_id = d->cmd->actor->org_id;
    p->method = d->cmd->method;
    p->order_no = apr_pstrdup(d->pool, d->ids->order);
    p->cases = ids;
    p->n_cases = v->n_cases;
    p->created = d->now;
    d->out->changed |= FW_CH_CASE | FW_CH_PAYMENT;
    d->out->answer = p->id;
    d->out->verdict = FW_ACCEPTED;
    fw_decide_send(d, "payment", "payment.begin", p->id, p->id, payload(d, p), false);
}

static void begun(fw_deciding *d, fw_payment *p)
{
    if (p->state != FW_PAY_WANTED)
        return;
    p->state = FW_PAY_BEGUN;
    p->redirect = d->cmd->redirect;
    d->out->changed |= FW_CH_PAYMENT;
}

static void code_issued(fw_deciding *d, fw_payment *p)
{
    if (p->state != FW_PAY_WANTED && p->state != FW_PAY_BEGUN)
        return;
    p->state = FW_PAY_CODE;
    p->code = d->cmd->code;
    p->gateway_no = d->cmd->gateway_no;
    p->expires = d->cmd->at;
    d->out->changed |= FW_CH_PAYMENT;
    for (int i = 0; i < d->view->n_cases; i++) {
        fw_decide_event(d, d->view->cases[i], "payment.code", d->view->cases[i]->state, NULL);
        fw_decide_notify(d, d->view->cases[i], "payment.code");
    }
}

/* Pays each case that still waits for it by this attempt. What is paid and not owed (withdrawn in
 * the meantime, paid by another attempt) goes back. */
static void pay_cases(fw_deciding *d, fw_payment *p)
{
    fw_id *back = apr_palloc(d->pool, sizeof(*back) * (apr_size_t)(d->view->n_cases + 1));
    int64_t sum = 0;
    int n = 0;

    for (int i = 0; i < d->view->n_cases; i++) {
        fw_case *kase = d->view->cases[i];

        if (kase->state == FW_STATE_AWAITING_PAYMENT) {
            kase->payment_id = p->id;
            kase->deadline = 0;
            fw_decide_move(d, kase, FW_CMD_PAYMENT_SETTLE, NULL);
        } else {
            p->reason = "refund_due";
            d->out->changed |= FW_CH_CASE;
            fw_decide_event(d, kase, "payment.refund_due", kase->state, NULL);
            back[n++] = kase->id;
            sum += kase->fee;
        }
    }
    if (n > 0)
        fw_decide_refund_open(d, p, back, n, sum, "not_owed");
}

static void settle(fw_deciding *d, fw_payment *p)
{
    if (p->state == FW_PAY_PAID)
        return;
    if (d->cmd->amount != p->amount) {
        fw_decide_refuse(d, FW_E_CONFLICT, "amount", "payment.wrong_amount");
        return;
    }
    p->state = FW_PAY_PAID;
    p->gateway_no = d->cmd->gateway_no;
    p->paid = d->cmd->at ? d->cmd->at : d->now;
    p->reason = NULL;
    d->out->changed |= FW_CH_PAYMENT;
    d->out->draw |= FW_DRAW_RECEIPT_NO;
    pay_cases(d, p);
    fw_decide_send(d, "press", "press.receipt", p->id, p->id, payload(d, p), false);
}

/* ---- another receipt ---- */

static bool refuse_renewal(fw_deciding *d, const fw_payment *p)
{
    if (p->state != FW_PAY_PAID || !p->receipt_no)
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "receipt.none");
    else if (d->cmd->version && d->cmd->version != p->version)
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "receipt.stale");
    else if (p->refunded == p->amount)
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "receipt.is_void");
    else if (!d->cmd->reason || !*d->cmd->reason)
        fw_decide_refuse(d, FW_E_INPUT, "reason", "case.reason_missing");
    return d->out->verdict == FW_REFUSED;
}

/* The number is void and stays taken; the next one is drawn, and a paper made of it. */
static void renew(fw_deciding *d, fw_payment *p)
{
    if (refuse_renewal(d, p))
        return;
    d->out->receipt_void = (fw_receipt_void){.number = p->receipt_no,
                                             .payment_id = p->id,
                                             .at = d->now,
                                             .by = d->cmd->actor->account_id,
                                             .reason = d->cmd->reason};
    d->out->changed |= FW_CH_PAYMENT;
    d->out->draw |= FW_DRAW_RECEIPT_NO;
    for (int i = 0; i < d->view->n_cases; i++)
        fw_decide_event(d, d->view->cases[i], "receipt.renew", d->view->cases[i]->state,
                        d->view->detail);
    if (d->view->kase)
        fw_decide_notify(d, d->view->kase, "receipt.renew");
    fw_decide_send(d, "press", "press.receipt", p->id, fw_decide_id(d), payload(d, p), false);
}

/* ---- what comes to nothing ---- */

/* A late "failed" never undoes "paid". */
static void end_unpaid(fw_deciding *d, fw_payment *p, fw_pay_state_e to, const char *kind)
{
    if (p->state == FW_PAY_PAID || p->state == FW_PAY_FAILED || p->state == FW_PAY_EXPIRED)
        return;
    p->state = to;
    p->reason = d->cmd->reason;
    d->out->changed |= FW_CH_PAYMENT;
    for (int i = 0; i < d->view->n_cases; i++) {
        fw_case *kase = d->view->cases[i];

        d->out->changed |= FW_CH_CASE;
        fw_decide_event(d, kase, kind, kase->state, NULL);
    }
}

static void check(fw_deciding *d, fw_payment *p)
{
    const char *op = "payment.query";

    if (p->state != FW_PAY_BEGUN && p->state != FW_PAY_CODE)
        return;
    p->checks++;
    d->out->changed |= FW_CH_PAYMENT;
    fw_decide_send(d, "payment", op, p->id, fw_decide_id(d), payload(d, p), true);
}

void fw_decide_payment(fw_deciding *d)
{
    fw_payment *p = d->view->payment;
    fw_cmd_e cmd = d->cmd->kind;

    if (cmd == FW_CMD_PAYMENT_BEGIN) {
        begin(d);
        return;
    }
    if (!p) {
        fw_decide_refuse(d, FW_E_NOTFOUND, NULL, "payment.unknown");
        return;
    }
    if (cmd == FW_CMD_PAYMENT_BEGUN)
        begun(d, p);
    else if (cmd == FW_CMD_PAYMENT_CODE)
        code_issued(d, p);
    else if (cmd == FW_CMD_PAYMENT_SETTLE)
        settle(d, p);
    else if (cmd == FW_CMD_RECEIPT_RENEW)
        renew(d, p);
    else if (cmd == FW_CMD_PAYMENT_FAIL)
        end_unpaid(d, p, FW_PAY_FAILED, "payment.fail");
    else if (cmd == FW_CMD_PAYMENT_EXPIRE)
        end_unpaid(d, p, FW_PAY_EXPIRED, "payment.expire");
    else
        check(d, p);
}
