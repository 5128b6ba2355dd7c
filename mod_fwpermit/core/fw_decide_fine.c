#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_lifecycle.h"

/* Fines 罰鍰: what the fines system is told of a case, and what it answers. An open fine, or a lateness that it has said nothing of
 * yet, holds the permit. */

#define A_DAY          ((apr_time_t)86400 * APR_USEC_PER_SEC)
#define DAYS_LATE_MOST 36500 /* the contract's */

/* ---- the case's row ---- */

static fw_penalty **place_of(const fw_deciding *d, const fw_case *kase)
{
    const fw_view *v = d->view;

    for (int i = 0; i < v->n_cases && v->penalties; i++) {
        if (v->cases[i] == kase)
            return &v->penalties[i];
    }
    return NULL;
}

static fw_penalty *penalty_of(const fw_deciding *d, const fw_case *kase)
{
    fw_penalty **place = place_of(d, kase);

    return place ? *place : NULL;
}

/* The row that is to be written. NULL: the command declared no need of it. */
static fw_penalty *written(fw_deciding *d, const fw_case *kase)
{
    fw_penalty **place = place_of(d, kase);

    if (!place)
        return NULL;
    if (!*place) {
        *place = apr_pcalloc(d->pool, sizeof(**place));
        (*place)->case_id = kase->id;
    }
    d->out->changed |= FW_CH_PENALTY;
    return *place;
}

void fw_decide_lateness(fw_deciding *d, const fw_case *kase, const fw_worker *worker)
{
    long days = fw_date_days(fw_date_of(d->now)) - fw_date_days(fw_date_of(worker->file_by));
    bool late = d->now > worker->file_by;
    fw_penalty *p = late || d->view->tells_penalty ? written(d, kase) : NULL;

    if (!p)
        return;
    p->entered = worker->entered;
    p->file_by = worker->file_by;
    p->days_late = !late ? 0 : days > DAYS_LATE_MOST ? DAYS_LATE_MOST : (int)days;
}

/* ---- what is told ---- */

/* The refund at hand gives back what the case itself was paid with, its whole fee. Of a part of what many cases were paid with nobody
 * can say whose it is. */
static bool is_refunded(const fw_deciding *d, const fw_case *kase)
{
    const fw_refund *r = d->view->refund;
    const fw_payment *p = d->view->payment;

    if (!r || r->state != FW_REFUND_DONE || !p || kase->payment_id != p->id)
        return false;
    return p->refunded >= p->amount || (r->n_cases == 1 && r->amount >= kase->fee);
}

static json_t *fee_of(const fw_deciding *d, const fw_case *kase)
{
    const fw_payment *payment = d->view->payment;

    if (is_refunded(d, kase))
        return json_pack("{s:s, s:I, s:s*}", "state", "refunded", "amount", (json_int_t)kase->fee,
                         "paid_at", payment->paid ? fw_time_iso(payment->paid, d->pool) : NULL);
    if (kase->state == FW_STATE_AWAITING_PAYMENT)
        return json_pack("{s:s, s:I}", "state", "unpaid", "amount", (json_int_t)kase->fee);
    if (kase->state == FW_STATE_PAID)
        return json_pack("{s:s, s:I, s:s*}", "state", "paid", "amount", (json_int_t)kase->fee,
                         "paid_at",
                         payment && payment->paid ? fw_time_iso(payment->paid, d->pool) : NULL);
    return json_pack("{s:s, s:i}", "state", "none", "amount", 0);
}

static const char *dump(fw_deciding *d, json_t *o)
{
    return fw_json_text(fw_json_keep(o, d->pool), JSON_COMPACT | JSON_SORT_KEYS, d->pool);
}

void fw_decide_tell_fee(fw_deciding *d, const fw_case *kase)
{
    fw_penalty *p = d->view->tells_penalty ? written(d, kase) : NULL;
    const char *id;

    if (!p)
        return;
    p->told++;
    id = apr_psprintf(d->pool, "%" APR_INT64_T_FMT, kase->id);
    fw_decide_send(d, "penalty", "penalty.put", kase->id, fw_decide_id(d),
                   dump(d, json_pack("{s:s, s:I, s:o}", "case", id, "version", (json_int_t)p->told,
                                     "fee", fee_of(d, kase))),
                   true);
}

void fw_decide_tell_refund(fw_deciding *d)
{
    for (int i = 0; i < d->view->n_cases; i++) {
        if (is_refunded(d, d->view->cases[i]))
            fw_decide_tell_fee(d, d->view->cases[i]);
    }
}

/* ---- holding ---- */

static bool is_clear(const fw_deciding *d, const fw_penalty *p)
{
    return !p || (p->open == 0 && !(p->days_late && !p->answered && d->view->tells_penalty));
}

bool fw_decide_hold(fw_deciding *d, fw_case *kase)
{
    const fw_penalty *p = penalty_of(d, kase);

    /* The row is written either way: a fine that is taken at this instant has it decided anew. The case's own version stays out of
     * it, so that what the fines system says makes nobody's open page stale. */
    if (p)
        written(d, kase);
    if (is_clear(d, p))
        return false;
    fw_decide_step(d, kase, FW_STATE_HELD, "case.held");
    fw_decide_notify(d, kase, "case.held");
    return true;
}

/* ---- fine.take ---- */

static bool is_open(const fw_fine *f)
{
    return strcmp(f->state, "open") == 0;
}

static const fw_fine *find(const fw_view *v, const char *fine_no)
{
    for (int i = 0; i < v->n_fines; i++) {
        if (strcmp(v->fines[i].fine_no, fine_no) == 0)
            return &v->fines[i];
    }
    return NULL;
}

static const char *absurdity_of(const fw_deciding *d, const fw_fine *f)
{
    const char *tomorrow = fw_date_text(fw_date_of(d->now + A_DAY), d->pool);

    if (f->amount > FW_FINE_MOST || (is_open(f) && f->amount <= 0))
        return "amount";
    if (strcmp(f->set_on, tomorrow) > 0)
        return "set";
    if (f->pay_by && strcmp(f->pay_by, f->set_on) < 0)
        return "pay_by";
    if (f->paid && (f->paid > d->now + A_DAY ||
                    strcmp(fw_date_text(fw_date_of(f->paid), d->pool), f->set_on) < 0))
        return "paid_at";
    return NULL;
}

static bool refuse_fine(fw_deciding *d, const fw_fine *f)
{
    const fw_fine *was = find(d->view, f->fine_no);
    const char *absurd = absurdity_of(d, f);

    if (absurd)
        fw_decide_refuse(d, FW_E_INPUT, absurd, apr_pstrcat(d->pool, "fine.", absurd, NULL));
    else if (was && was->case_id != d->view->kase->id)
        fw_decide_refuse(d, FW_E_CONFLICT, "case_no", "fine.other_case");
    return d->out->verdict == FW_REFUSED;
}

static bool refuse_take(fw_deciding *d)
{
    const fw_case *kase = d->view->kase;

    if (!kase || kase->state == FW_STATE_DRAFT) {
        fw_decide_refuse(d, FW_E_NOTFOUND, "case_no", "fine.case_unknown");
        return true;
    }
    if (d->cmd->n_fines > FW_FINES_MOST) {
        fw_decide_refuse(d, FW_E_INPUT, "fines", "fine.too_many");
        return true;
    }
    for (int i = 0; i < d->cmd->n_fines; i++) {
        if (refuse_fine(d, &d->cmd->fines[i]))
            return true;
    }
    return false;
}

static void tell_history(fw_deciding *d, const fw_fine *f)
{
    json_t *data = json_pack("{s:s, s:I}", "fine_no", f->fine_no, "amount", (json_int_t)f->amount);

    fw_decide_event(d, d->view->kase, apr_pstrcat(d->pool, "fine.", f->state, NULL),
                    d->view->kase->state, dump(d, data));
}

/* Takes it where it is newer than what is known; true: it holds from now on. */
static bool take_one(fw_deciding *d, const fw_fine *told)
{
    const fw_fine *was = find(d->view, told->fine_no);
    bool held = was && is_open(was);
    fw_fine *f;

    if (was && was->told >= told->told)
        return false;
    f = was ? (fw_fine *)(uintptr_t)was : &d->view->fines[d->view->n_fines++];
    *f = (fw_fine){.id = was ? was->id : fw_decide_id(d), .version = was ? was->version : 0};
    f->fine_no = told->fine_no;
    f->case_id = d->view->kase->id;
    f->told = told->told;
    f->state = told->state;
    f->reason = told->reason;
    f->amount = told->amount;
    f->set_on = told->set_on;
    f->pay_by = told->pay_by;
    f->paid = told->paid;
    f->rule = told->rule;
    f->pay_how = told->pay_how;
    f->heard = d->now;
    f->is_changed = true;
    d->out->changed |= FW_CH_FINES;
    tell_history(d, f);
    return is_open(f) && !held;
}

static int count_open(const fw_view *v)
{
    int n = 0;

    for (int i = 0; i < v->n_fines; i++)
        n += v->fines[i].case_id == v->kase->id && is_open(&v->fines[i]);
    return n;
}

static void take(fw_deciding *d)
{
    fw_case *kase = d->view->kase;
    bool fresh = false;
    fw_penalty *p;

    if (refuse_take(d))
        return;
    for (int i = 0; i < d->cmd->n_fines; i++)
        fresh = take_one(d, &d->cmd->fines[i]) || fresh;
    p = written(d, kase);
    if (!p)
        return;
    p->answered = p->answered ? p->answered : d->now;
    p->open = count_open(d->view);
    if (fresh)
        fw_decide_notify(d, kase, "fine.open");
    if (fw_lifecycle_find(kase->state, FW_CMD_FINE_TAKE) && is_clear(d, p))
        fw_decide_move(d, kase, FW_CMD_FINE_TAKE, NULL);
}

/* ---- fine.ask ---- */

static void ask(fw_deciding *d)
{
    const fw_case *kase = d->view->kase;

    if (!d->view->tells_penalty || kase->state == FW_STATE_DRAFT) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL,
                         d->view->tells_penalty ? "case.state" : "fine.no_system");
        return;
    }
    d->out->verdict = FW_ACCEPTED;
    fw_decide_send(d, "penalty", "penalty.find", kase->id, fw_decide_id(d),
                   apr_psprintf(d->pool, "{\"case\":\"%" APR_INT64_T_FMT "\"}", kase->id), false);
}

void fw_decide_fine(fw_deciding *d)
{
    if (d->cmd->kind == FW_CMD_FINE_ASK)
        ask(d);
    else
        take(d);
}
