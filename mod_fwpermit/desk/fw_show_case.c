#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"
#include "fw_show_card.h"
#include "fw_show_system.h"
#include "fw_store_payment.h"

/* The page of a case, as its applicant sees it. */

/* ---- documents, permit ---- */

/* Mostly a case's papers are of one payment: *known is that, or NULL at first. */
static const fw_err *know_payment(const fw_show *s, fw_id id, fw_payment **known)
{
    return *known && (*known)->id == id ? NULL : fw_payment_load(s->db, id, known, s->pool);
}

static const fw_err *may_read(const fw_show *s, const fw_case *kase, const fw_document *doc,
                              fw_payment **known, bool *may)
{
    bool receipt = strcmp(doc->kind, "receipt") == 0;

    *may =
        receipt || fw_show_may_see(s, kase, "page.case") || fw_show_may_see(s, kase, "page.review");
    if (!*may || !doc->payment_id || (s->actor->roles & FW_ROLES_OFFICER))
        return NULL;
    FW_TRY(know_payment(s, doc->payment_id, known));
    *may = (*known)->n_cases == 1 || (*known)->org_id == s->actor->org_id;
    return NULL;
}

const fw_err *fw_show_may_read(const fw_show *s, const fw_case *kase, const fw_document *doc,
                               bool *may)
{
    fw_payment *known = NULL;

    return may_read(s, kase, doc, &known, may);
}

const fw_err *fw_show_documents(const fw_show *s, const fw_case *kase, const char *at,
                                fw_payment **known, fw_value *out)
{
    apr_array_header_t *list = NULL;

    FW_TRY(fw_document_list(s->db, kase->id, kase->payment_id, &list, s->pool));
    *out = fw_list(s->pool);
    for (int i = 0; i < list->nelts; i++) {
        const fw_document *doc = &APR_ARRAY_IDX(list, i, fw_document);
        bool may;
        fw_value o;

        FW_TRY(may_read(s, kase, doc, known, &may));
        if (!may)
            continue;
        o = fw_pack(s->pool, "{s:s, s:s, s:s, s:o, s:s}", "kind", doc->kind, "label",
                    fw_show_text(s, apr_pstrcat(s->pool, "document.", doc->kind, NULL)), "number",
                    doc->number, "when", fw_time(doc->created), "size", fw_show_size(s, doc->size));
        fw_set(o, "is_void", fw_bool(doc->is_void));
        fw_set(o, "id", fw_show_id(s, doc->id));
        fw_show_set(o, s, "href", "%s/documents/%" APR_INT64_T_FMT, at, doc->id);
        fw_add(*out, o);
    }
    return NULL;
}

const fw_err *fw_show_permit(const fw_show *s, fw_id id, fw_value *out)
{
    fw_permit *p = NULL;
    bool expired;
    const char *state;

    *out = fw_null();
    if (!id)
        return NULL;
    FW_TRY(fw_permit_load(s->db, id, &p, s->pool));
    expired = strcmp(fw_date_text(fw_date_of(s->now), s->pool), p->valid_to) > 0;
    state = strcmp(p->state, "valid") == 0 && expired ? "expired" : p->state;
    *out = fw_pack(s->pool, "{s:s, s:s, s:o, s:s, s:s}", "permit_no", p->permit_no, "code", p->code,
                   "state", fw_show_state(s, "permit", state), "valid_from", p->valid_from,
                   "valid_to", p->valid_to);
    fw_set(*out, "is_card", fw_bool(strcmp(p->kind, "card") == 0));
    fw_show_set(*out, s, "verify_href", "/verify/%s/%s", p->permit_no, p->code);
    return NULL;
}

/* ---- the page of a case ---- */

static apr_time_t when_of(const fw_dossier *d, const char *kind)
{
    for (int i = d->n_events - 1; i >= 0; i--) {
        if (strcmp(d->events[i].kind, kind) == 0)
            return d->events[i].at;
    }
    return 0;
}

typedef struct way {
    const fw_show *s;
    fw_value steps;
    bool now; /* the next one that is not done is the one at hand */
} way;

static void add_step(way *w, const char *key, apr_time_t when)
{
    fw_add(w->steps,
           fw_pack(w->s->pool, "{s:s, s:b, s:b, s:o}", "label", fw_show_text(w->s, key), "is_done",
                   when != 0, "is_now", when == 0 && w->now, "when", fw_time(when)));
    if (!when)
        w->now = false;
}

/* A card that was made again may not be made any more. */
static void add_card_steps(way *w, const fw_job *job)
{
    static const fw_job none;
    const fw_job *j = job ? job : &none;

    add_step(w, "step.made", j->made ? j->made : j->sent ? j->sent : j->arrived);
    add_step(w, "step.sent", j->sent ? j->sent : j->arrived);
    add_step(w, "step.arrived", j->arrived);
    add_step(w, "step.collected", j->collected);
}

static fw_value steps_of(const fw_show *s, const fw_dossier *d, const fw_job *job)
{
    fw_turn_e turn = fw_lifecycle_turn(d->kase->state);
    bool waits = job && d->kase->state == FW_STATE_ISSUED;
    way w = {s, fw_list(s->pool),
             turn != FW_TURN_NONE || d->kase->state == FW_STATE_DRAFT || waits};

    add_step(&w, "step.filed", d->kase->submitted);
    add_step(&w, "step.reviewed", when_of(d, "case.confirm"));
    add_step(&w, "step.paid", when_of(d, "payment.settle"));
    if (fw_show_is_card(d->service))
        add_card_steps(&w, job);
    else
        add_step(&w, "step.issued", when_of(d, "permit.issue"));
    return w.steps;
}

static const fw_err *payments_of(const fw_show *s, const fw_case *c, fw_payment **known,
                                 fw_value *out)
{
    const fw_payment *p;
    fw_value o;

    *out = fw_list(s->pool);
    if (!c->payment_id)
        return NULL;
    FW_TRY(know_payment(s, c->payment_id, known));
    p = *known;
    if (p->org_id != s->actor->org_id)
        return NULL; /* its page is the payer's alone */
    o = fw_pack(s->pool, "{s:I, s:s, s:o, s:o}", "amount", (int64_t)p->amount, "method",
                fw_show_text(s, apr_pstrcat(s->pool, "method.", p->method, NULL)), "state",
                fw_show_state(s, "pay", fw_pay_state_name(p->state)), "when",
                fw_time(p->paid ? p->paid : p->created));
    fw_set(o, "id", fw_show_id(s, p->id));
    fw_show_set(o, s, "href", "/payments/%" APR_INT64_T_FMT, p->id);
    fw_add(*out, o);
    return NULL;
}

static int whole_days(int64_t us)
{
    return (int)(us / (24 * FW_SHOW_HOUR));
}

static void set_clock(const fw_show *s, fw_value head, const fw_case *c)
{
    fw_turn_e turn = fw_lifecycle_turn(c->state);
    int64_t open = c->turn_since && s->now > c->turn_since ? s->now - c->turn_since : 0;
    int64_t office = c->office_us + (turn == FW_TURN_OFFICE ? open : 0);
    int64_t applicant = c->applicant_us + (turn == FW_TURN_APPLICANT ? open : 0);

    fw_set(head, "clock_runs", fw_bool(turn == FW_TURN_OFFICE));
    fw_set(head, "office_days", fw_number(whole_days(office)));
    fw_set(head, "office_hours", fw_number(office / FW_SHOW_HOUR));
    fw_set(head, "applicant_days", fw_number(whole_days(applicant)));
    fw_set(head, "applicant_hours", fw_number(applicant / FW_SHOW_HOUR));
}

static const char *awaited_port(const fw_dossier *d)
{
    if (fw_dossier_unchecked(d))
        return "scan";
    if (d->kase->state == FW_STATE_AWAITING_PAYMENT)
        return "payment";
    return d->kase->state == FW_STATE_PRODUCING && fw_show_is_card(d->service) ? "card" : NULL;
}

const fw_err *fw_show_case_link(const fw_show *s, const fw_dossier *d, fw_value model)
{
    const char *port = awaited_port(d);

    return fw_show_link(s, model, port, port != NULL);
}

/* `asks`: the bureau says whether it comes in time. */
static fw_value withdraw_of(const fw_show *s, const fw_case *c, const fw_job *job, const char *at)
{
    const fw_transition *t = fw_lifecycle_find(c->state, FW_CMD_CASE_WITHDRAW);

    if (!t || !(s->actor->roles & FW_ROLES_APPLICANT) ||
        (t->guard == FW_GUARD_UNMADE && !fw_job_unmade(job)))
        return fw_null();
    return fw_pack(s->pool, "{s:s, s:b}", "action", apr_pstrcat(s->pool, at, "/withdraw", NULL),
                   "asks", t->to == FW_STATE_WITHDRAWAL_ASKED);
}

const fw_err *fw_show_case(const fw_show *s, const fw_dossier *d, fw_value *model)
{
    const fw_case *c = d->kase;
    const char *at = apr_psprintf(s->pool, "/cases/%" APR_INT64_T_FMT, c->id);
    fw_value o = fw_object(s->pool), head, list = {0};
    int unchecked = fw_dossier_unchecked(d);
    fw_payment *paid = NULL;
    fw_job *job = NULL;

    *model = o;
    FW_TRY(fw_show_card(s, d, &job, &list));
    fw_set(o, "card", list);
    head = fw_show_case_head(s, c, false);
    set_clock(s, head, c);
    fw_set(o, "case", head);
    fw_set(o, "steps", steps_of(s, d, job));
    fw_set(o, "todo", fw_show_todo(s, c));
    fw_set(o, "marks", fw_show_marks(s, d->service, d->marks));
    fw_set(o, "reason", fw_text(c->state == FW_STATE_REJECTED ? c->reason : NULL));
    fw_set(o, "data", fw_show_sections(s, d->service, d->data, NULL));
    fw_set(o, "files",
           fw_show_files(s, d->service, d->files, d->n_files,
                         apr_pstrcat(s->pool, at, "/files", NULL)));
    FW_TRY(fw_show_documents(s, c, at, &paid, &list));
    fw_set(o, "documents", list);
    FW_TRY(fw_show_permit(s, c->permit_id, &list));
    fw_set(o, "permit", list);
    FW_TRY(payments_of(s, c, &paid, &list));
    fw_set(o, "payments", list);
    FW_TRY(fw_show_penalty(s, c, &list));
    fw_set(o, "penalty", list);
    fw_set(o, "history", fw_show_history(s, d));
    fw_set(o, "unchecked", fw_number(unchecked));
    fw_set(o, "withdraw", withdraw_of(s, c, job, at));
    return fw_show_case_link(s, d, o);
}
