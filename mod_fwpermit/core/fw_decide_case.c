#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"

static const char *payload_case(fw_deciding *d, const fw_case *kase)
{
    return apr_psprintf(d->pool, "{\"case\":\"%" APR_INT64_T_FMT "\"}", kase->id);
}

/* Ends the turn that was: its span is added to whose it was; while the applicant had it, the
 * office's due time moves on by as much. */
static void end_turn(fw_case *kase, fw_state_e from, apr_time_t now)
{
    apr_time_t span = kase->turn_since ? now - kase->turn_since : 0;
    fw_turn_e was = fw_lifecycle_turn(from);

    if (span < 0)
        span = 0;
    if (was == FW_TURN_OFFICE)
        kase->office_us += span;
    if (was == FW_TURN_APPLICANT) {
        kase->applicant_us += span;
        if (kase->due)
            kase->due += span;
    }
    kase->turn_since = now;
}

static void enter(fw_deciding *d, fw_case *kase, fw_state_e to)
{
    fw_state_e from = kase->state;

    if (to == from)
        return;
    if (fw_lifecycle_turn(from) != fw_lifecycle_turn(to))
        end_turn(kase, from, d->now);
    kase->state = to;
    kase->state_since = d->now;
}

void fw_decide_step(fw_deciding *d, fw_case *kase, fw_state_e to, const char *kind)
{
    fw_state_e from = kase->state;

    enter(d, kase, to);
    fw_decide_event(d, kase, kind, from, NULL);
}

static void produce(fw_deciding *d, fw_case *kase)
{
    if (fw_decide_hold(d, kase))
        return;
    fw_decide_step(d, kase, FW_STATE_PRODUCING, "case.producing");
    fw_decide_send(d, "press", "press.permit", kase->id, kase->id, payload_case(d, kase), false);
}

static void ask_fee(fw_deciding *d, fw_case *kase)
{
    kase->fee = d->terms->fee;
    if (kase->fee == 0) {
        produce(d, kase);
        return;
    }
    kase->deadline = d->terms->payment_until;
    fw_decide_step(d, kase, FW_STATE_AWAITING_PAYMENT, "case.fee_asked");
    fw_decide_notify(d, kase, "case.fee_asked");
}

static const fw_officer *least_loaded(const fw_view *view)
{
    const fw_officer *best = NULL;

    for (int i = 0; i < view->n_officers; i++) {
        const fw_officer *o = &view->officers[i];

        if (!best || o->open < best->open || (o->open == best->open && o->id < best->id))
            best = o;
    }
    return best;
}

static void give_to(fw_deciding *d, fw_case *kase, const fw_officer *officer)
{
    kase->first_reviewer = officer->id;
    fw_decide_step(d, kase, FW_STATE_INITIAL_REVIEW, "case.assign");
    d->out->events[d->out->n_events - 1].data =
        apr_psprintf(d->pool, "{\"officer\":\"%" APR_INT64_T_FMT "\"}", officer->id);
}

bool fw_decide_assign_ready(fw_deciding *d, fw_case *kase)
{
    const fw_officer *officer = least_loaded(d->view);

    if (kase->state != FW_STATE_SUBMITTED || d->view->n_unchecked > 0 || !officer)
        return false;
    give_to(d, kase, officer);
    return true;
}

/* What history and notice call it: what the system returns is returned. */
static const char *name_of(fw_cmd_e cmd)
{
    return fw_cmd_name(cmd == FW_CMD_FILE_JUDGE ? FW_CMD_CASE_RETURN : cmd);
}

static void apply_effects(fw_deciding *d, fw_case *kase, const fw_transition *t)
{
    if (t->effects & FW_FX_START_CLOCK) {
        kase->submitted = d->now;
        kase->due = d->terms->due;
        kase->deadline = 0;
        d->out->draw |= FW_DRAW_CASE_NO;
    }
    if (t->effects & FW_FX_SUPPLEMENT)
        kase->deadline =
            d->cmd->abroad ? d->terms->supplement_abroad_until : d->terms->supplement_until;
    if (t->effects & FW_FX_CLEAR_MARKS) {
        kase->marks = NULL;
        kase->deadline = 0;
    }
    if (t->effects & FW_FX_NOTIFY)
        fw_decide_notify(d, kase, name_of(t->cmd));
    if (t->effects & FW_FX_PRESS_FILING)
        fw_decide_send(d, "press", "press.filing", kase->id, kase->id, payload_case(d, kase),
                       false);
    if (t->effects & FW_FX_ASSIGN)
        fw_decide_assign_ready(d, kase);
    if (t->effects & FW_FX_ASK_FEE)
        ask_fee(d, kase);
    if (t->effects & FW_FX_TELL_FEE)
        fw_decide_tell_fee(d, kase);
    if (t->effects & FW_FX_PRODUCE)
        produce(d, kase);
}

void fw_decide_move(fw_deciding *d, fw_case *kase, fw_cmd_e cmd, const char *data)
{
    const fw_transition *t = fw_lifecycle_find(kase->state, cmd);
    fw_state_e from = kase->state;

    enter(d, kase, t->to == FW_TO_REVIEWER ? kase->return_to : t->to);
    d->out->changed |= FW_CH_CASE;
    fw_decide_event(d, kase, name_of(cmd), from, data);
    apply_effects(d, kase, t);
}

/* What the service needs is not there: nothing new is begun or filed. What was filed before goes on. */
static bool refuse_offer(fw_deciding *d)
{
    const fw_case *kase = d->view->kase;

    if (!d->view->not_offered || (kase && kase->submitted))
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.not_offered");
    return true;
}

/* The same file once more: as old as it is, and sent by whoever has it filled in now. */
static void take_over(fw_deciding *d, const fw_case *kase, fw_file *file)
{
    file->id = fw_decide_id(d);
    file->case_id = kase->id;
    file->by = d->cmd->actor->account_id;
    file->by_org = d->cmd->actor->org_id;
    if (file->scan == FW_SCAN_NONE)
        fw_decide_scan(d, file);
}

void fw_decide_case_open(fw_deciding *d)
{
    fw_case *kase = d->view->kase;
    const fw_worker *w = d->view->worker;

    if (!w) {
        fw_decide_refuse(d, FW_E_NOTFOUND, "worker", "worker.unknown");
        return;
    }
    if (refuse_offer(d))
        return;
    kase->id = fw_decide_id(d);
    kase->version = 0;
    kase->state = FW_STATE_DRAFT;
    kase->state_since = kase->created = kase->turn_since = d->now;
    kase->worker_id = w->id;
    kase->employer_id = w->employer_id;
    kase->agency_id = d->cmd->actor->org_id == w->employer_id ? 0 : d->cmd->actor->org_id;
    kase->filer_id = d->cmd->actor->account_id;
    kase->deadline = d->terms->draft_until;
    kase->data = d->view->data;
    kase->county = d->view->county;
    kase->station = d->view->station;
    for (int i = 0; i < d->view->n_taken_over; i++)
        take_over(d, kase, &d->view->taken_over[i]);
    d->out->changed |= FW_CH_CASE;
    d->out->answer = kase->id;
    fw_decide_event(d, kase, "case.open", FW_STATE_DRAFT, NULL);
}

static bool listed(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* While returned, only what was marked may change. */
static bool refuse_unmarked(fw_deciding *d)
{
    const fw_view *v = d->view;

    if (v->kase->state != FW_STATE_RETURNED)
        return false;
    for (int i = 0; i < v->n_touched; i++) {
        if (!listed(v->marked, v->n_marked, v->touched[i]))
            fw_decide_refuse(d, FW_E_CONFLICT, v->touched[i], "case.not_marked");
    }
    return d->out->verdict == FW_REFUSED;
}

static bool refuse_stale(fw_deciding *d, const fw_case *kase)
{
    if (!d->cmd->version || d->cmd->version == kase->version)
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.stale");
    return true;
}

static bool refuse_state(fw_deciding *d, const fw_case *kase)
{
    if (fw_lifecycle_find(kase->state, d->cmd->kind))
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.state");
    return true;
}

static bool is_editor(const fw_case *kase, fw_id officer, apr_pool_t *pool)
{
    const char *needle = apr_psprintf(pool, ",%" APR_INT64_T_FMT ",", officer);

    return kase->editors && strstr(kase->editors, needle);
}

/* Until the initial reviewer has proposed something the case lies on that one desk: others wait, or reassign it. */
static bool refuse_other_desk(fw_deciding *d, const fw_case *kase)
{
    if (kase->state != FW_STATE_INITIAL_REVIEW || d->cmd->kind == FW_CMD_CASE_ASSIGN ||
        (d->cmd->actor->roles & FW_ROLE_SYSTEM) ||
        d->cmd->actor->account_id == kase->first_reviewer)
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.other_desk");
    return true;
}

/* The second review belongs to another person than the first. */
static bool refuse_same_eyes(fw_deciding *d, const fw_case *kase)
{
    fw_id who = d->cmd->actor->account_id;

    if (kase->state != FW_STATE_SECOND_REVIEW || (d->cmd->actor->roles & FW_ROLE_SYSTEM))
        return false;
    if (who != kase->first_reviewer &&
        !(d->cmd->kind == FW_CMD_CASE_CONFIRM && is_editor(kase, who, d->pool)))
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.four_eyes");
    return true;
}

static bool refuse_case(fw_deciding *d)
{
    const fw_case *kase = d->view->kase;

    if (!kase) {
        fw_decide_refuse(d, FW_E_NOTFOUND, NULL, "case.unknown");
        return true;
    }
    return refuse_stale(d, kase) || refuse_state(d, kase) || refuse_other_desk(d, kase) ||
           refuse_same_eyes(d, kase);
}

static void attach(fw_deciding *d, fw_case *kase)
{
    fw_file *f = &d->out->file_added;

    *f = *d->cmd->file;
    f->id = fw_decide_id(d);
    f->case_id = kase->id;
    f->created = d->now;
    f->by = d->cmd->actor->account_id;
    f->by_org = d->cmd->actor->org_id;
    f->current = true;
    fw_decide_scan(d, f);
    d->out->slot_cleared = d->view->file ? f->slot : NULL;
    d->out->answer = f->id;
}

static void note_editor(fw_deciding *d, fw_case *kase)
{
    fw_id who = d->cmd->actor->account_id;

    if (is_editor(kase, who, d->pool))
        return;
    kase->editors =
        apr_psprintf(d->pool, "%s%" APR_INT64_T_FMT ",", kase->editors ? kase->editors : ",", who);
}

static void keep_data(fw_deciding *d, fw_case *kase)
{
    kase->data = d->view->data;
    if (d->view->station) {
        kase->county = d->view->county;
        if (kase->state == FW_STATE_DRAFT)
            kase->station = d->view->station;
    }
}

void fw_decide_case_edit(fw_deciding *d)
{
    fw_case *kase = d->view->kase;
    fw_cmd_e cmd = d->cmd->kind;

    if (refuse_case(d) || refuse_unmarked(d))
        return;
    if (fw_decide_refuse_problems(d))
        return;
    if (cmd == FW_CMD_CASE_DETACH && !d->view->file) {
        fw_decide_refuse(d, FW_E_NOTFOUND, NULL, "file.unknown");
        return;
    }
    if (cmd == FW_CMD_CASE_SAVE || cmd == FW_CMD_CASE_CORRECT) {
        keep_data(d, kase);
        fw_decide_letter_given(d);
    }
    if (cmd == FW_CMD_CASE_ATTACH)
        attach(d, kase);
    if (cmd == FW_CMD_CASE_DETACH)
        d->out->file_dropped = *d->view->file;
    if (cmd == FW_CMD_CASE_CORRECT)
        note_editor(d, kase);
    d->out->changed |= FW_CH_CASE;
    /* Typing in a draft is no history; what changes after filing is. */
    if (kase->state != FW_STATE_DRAFT)
        fw_decide_event(d, kase, fw_cmd_name(cmd), kase->state, d->view->detail);
}

static bool live(const fw_payment *p)
{
    return p && (p->state == FW_PAY_WANTED || p->state == FW_PAY_BEGUN || p->state == FW_PAY_CODE ||
                 p->state == FW_PAY_PAID);
}

/* While a payer may still pay: a code in the payer's hand outlives the case's own deadline. */
static bool refuse_live(fw_deciding *d)
{
    if (!d->view->priors || !live(d->view->priors[0]))
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.payment_live");
    return true;
}

/* A grant: not of what was proposed to be rejected, nor of a permit that would have ended before it begins. */
static bool refuse_grant(fw_deciding *d, const fw_case *kase)
{
    const char *key = NULL;

    if (kase->reason)
        key = "case.rejection_proposed";
    else if (fw_decide_no_term(d->terms->valid_from, d->terms->valid_to))
        key = "case.no_term";
    if (!key)
        return false;
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, key);
    return true;
}

static bool refuse_unmarkable(fw_deciding *d)
{
    if (fw_decide_refuse_problems(d))
        return true;
    if (d->cmd->marks && d->view->n_marked > 0)
        return false;
    fw_decide_refuse(d, FW_E_INPUT, "marks", "case.nothing_marked");
    return true;
}

static bool refuse_early(fw_deciding *d, const fw_case *kase)
{
    if (kase->deadline && d->now > kase->deadline)
        return refuse_live(d);
    fw_decide_refuse(d, FW_E_CONFLICT, NULL, "case.not_yet_due");
    return true;
}

static bool refuse_guard(fw_deciding *d, const fw_case *kase, fw_guard_e guard)
{
    switch (guard) {
    case FW_GUARD_NONE:
    case FW_GUARD_CLEAR:
    case FW_GUARD_OUT:
    case FW_GUARD_CARD:
    case FW_GUARD_INFECTED:
        break;
    case FW_GUARD_FOUR_EYES:
        return refuse_grant(d, kase) || fw_decide_refuse_unchecked(d);
    case FW_GUARD_COMPLETE:
        return fw_decide_refuse_problems(d);
    case FW_GUARD_CLEAN:
        return fw_decide_refuse_unchecked(d);
    case FW_GUARD_SOUND:
        return fw_decide_refuse_problems(d) || fw_decide_refuse_unchecked(d);
    case FW_GUARD_MARKS:
        return refuse_unmarkable(d);
    case FW_GUARD_REASON:
        if (d->cmd->reason && *d->cmd->reason)
            break;
        fw_decide_refuse(d, FW_E_INPUT, "reason", "case.reason_missing");
        return true;
    case FW_GUARD_DEADLINE:
        return refuse_early(d, kase);
    case FW_GUARD_UNMADE:
        return fw_decide_refuse_made(d, d->view->job);
    case FW_GUARD_UNPAID:
        return refuse_live(d);
    }
    return false;
}

void fw_decide_case_assign(fw_deciding *d)
{
    fw_case *kase = d->view->kase;
    const fw_officer *officer = NULL;

    if (refuse_case(d) ||
        refuse_guard(d, kase, fw_lifecycle_find(kase->state, d->cmd->kind)->guard))
        return;
    for (int i = 0; i < d->view->n_officers && d->cmd->officer_id; i++) {
        if (d->view->officers[i].id == d->cmd->officer_id)
            officer = &d->view->officers[i];
    }
    if (!d->cmd->officer_id)
        officer = least_loaded(d->view);
    if (!officer) {
        fw_decide_refuse(d, FW_E_INPUT, "officer", "case.no_officer");
        return;
    }
    give_to(d, kase, officer);
    d->out->changed |= FW_CH_CASE;
}

/* What the command itself writes into the case before it moves on. */
static void note_turn(fw_deciding *d, fw_case *kase)
{
    const fw_command *cmd = d->cmd;

    if (cmd->kind == FW_CMD_CASE_SUBMIT && kase->state == FW_STATE_DRAFT) {
        kase->station = d->view->station ? d->view->station : kase->station;
        kase->county = d->view->county ? d->view->county : kase->county;
    }
    if (cmd->kind == FW_CMD_CASE_RETURN) {
        kase->return_to = kase->state;
        kase->marks = cmd->marks;
    }
    if (cmd->kind == FW_CMD_CASE_CONFIRM)
        kase->second_reviewer = cmd->actor->account_id;
    if (cmd->kind == FW_CMD_CASE_REJECT)
        kase->reason = cmd->reason;
    /* No rejection is proposed any more. */
    if (cmd->kind == FW_CMD_CASE_APPROVE || cmd->kind == FW_CMD_CASE_SEND_BACK ||
        cmd->kind == FW_CMD_CASE_EXPIRE)
        kase->reason = NULL;
}

void fw_decide_case_turn(fw_deciding *d)
{
    fw_case *kase = d->view->kase;
    const fw_transition *t;

    if (refuse_case(d))
        return;
    t = fw_lifecycle_find(kase->state, d->cmd->kind);
    if (refuse_offer(d) || refuse_guard(d, kase, t->guard))
        return;
    note_turn(d, kase);
    if (t->from == FW_STATE_DRAFT ? d->cmd->kind == FW_CMD_CASE_SUBMIT : fw_lifecycle_final(t->to))
        fw_decide_duty(d, t->to);
    fw_decide_move(d, kase, d->cmd->kind, d->view->detail);
    if (t->from == FW_STATE_AWAITING_PAYMENT || t->to == FW_STATE_REJECTED)
        kase->deadline = 0;
    if (kase->state == FW_STATE_WITHDRAWAL_ASKED)
        fw_decide_card_stop(d, kase, d->view->job);
    fw_decide_give_back(d, kase, fw_cmd_name(d->cmd->kind));
}
