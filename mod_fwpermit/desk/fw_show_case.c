#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"
#include "fw_store_payment.h"

/* The page of a case, as its applicant sees it. */

/* ---- documents, permit ---- */

const fw_err *fw_show_may_read(const fw_show *s, const fw_case *kase, const fw_document *doc,
                               bool *may)
{
    bool receipt = strcmp(doc->kind, "receipt") == 0;
    fw_payment *p = NULL;

    *may =
        receipt || fw_show_may_see(s, kase, "page.case") || fw_show_may_see(s, kase, "page.review");
    if (!*may || !doc->payment_id || (s->actor->roles & FW_ROLES_OFFICER))
        return NULL;
    FW_TRY(fw_payment_load(s->db, doc->payment_id, &p, s->pool));
    *may = p->n_cases == 1 || p->org_id == s->actor->org_id;
    return NULL;
}

const fw_err *fw_show_documents(const fw_show *s, const fw_case *kase, const char *at, json_t **out)
{
    apr_array_header_t *list = NULL;

    FW_TRY(fw_document_list(s->db, kase->id, kase->payment_id, &list, s->pool));
    *out = json_array();
    for (int i = 0; i < list->nelts; i++) {
        const fw_document *doc = &APR_ARRAY_IDX(list, i, fw_document);
        bool may;
        json_t *o;

        FW_TRY(fw_show_may_read(s, kase, doc, &may));
        if (!may)
            continue;
        o = json_pack("{s:s, s:s, s:s, s:o, s:s}", "kind", doc->kind, "label",
                      fw_show_text(s, apr_pstrcat(s->pool, "document.", doc->kind, NULL)), "number",
                      doc->number, "when", fw_show_time(s, doc->created), "size",
                      fw_show_size(s, doc->size));
        json_object_set_new(o, "id", fw_show_id(doc->id));
        fw_show_set(o, s, "href", "%s/documents/%" APR_INT64_T_FMT, at, doc->id);
        json_array_append_new(*out, o);
    }
    return NULL;
}

const fw_err *fw_show_permit(const fw_show *s, fw_id id, json_t **out)
{
    fw_permit *p = NULL;
    bool expired;
    const char *state;

    *out = json_null();
    if (!id)
        return NULL;
    FW_TRY(fw_permit_load(s->db, id, &p, s->pool));
    expired = strcmp(fw_date_text(fw_date_of(s->now), s->pool), p->valid_to) > 0;
    state = strcmp(p->state, "valid") == 0 && expired ? "expired" : p->state;
    *out = json_pack("{s:s, s:s, s:o, s:s, s:s}", "permit_no", p->permit_no, "code", p->code,
                     "state", fw_show_state(s, "permit", state), "valid_from", p->valid_from,
                     "valid_to", p->valid_to);
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

static json_t *steps_of(const fw_show *s, const fw_dossier *d)
{
    static const struct {
        const char *key, *kind;
    } steps[] = {{"step.filed", "case.submit"},
                 {"step.reviewed", "case.confirm"},
                 {"step.paid", "payment.settle"},
                 {"step.issued", "permit.issue"}};
    fw_turn_e turn = fw_lifecycle_turn(d->kase->state);
    bool now = turn != FW_TURN_NONE || d->kase->state == FW_STATE_DRAFT;
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        apr_time_t when = i == 0 ? d->kase->submitted : when_of(d, steps[i].kind);

        json_array_append_new(list,
                              json_pack("{s:s, s:b, s:b, s:o}", "label",
                                        fw_show_text(s, steps[i].key), "is_done", when != 0,
                                        "is_now", when == 0 && now, "when", fw_show_time(s, when)));
        if (!when)
            now = false;
    }
    return list;
}

static const fw_err *payments_of(const fw_show *s, const fw_case *c, json_t **out)
{
    fw_payment *p = NULL;
    json_t *o;

    *out = json_array();
    if (!c->payment_id)
        return NULL;
    FW_TRY(fw_payment_load(s->db, c->payment_id, &p, s->pool));
    if (p->org_id != s->actor->org_id)
        return NULL; /* its page is the payer's alone */
    o = json_pack("{s:I, s:s, s:o, s:o}", "amount", (json_int_t)p->amount, "method",
                  fw_show_text(s, apr_pstrcat(s->pool, "method.", p->method, NULL)), "state",
                  fw_show_state(s, "pay", fw_pay_state_name(p->state)), "when",
                  fw_show_time(s, p->paid ? p->paid : p->created));
    json_object_set_new(o, "id", fw_show_id(p->id));
    fw_show_set(o, s, "href", "/payments/%" APR_INT64_T_FMT, p->id);
    json_array_append_new(*out, o);
    return NULL;
}

static int whole_days(int64_t us)
{
    return (int)(us / (24 * FW_SHOW_HOUR));
}

static void set_clock(const fw_show *s, json_t *head, const fw_case *c)
{
    fw_turn_e turn = fw_lifecycle_turn(c->state);
    int64_t open = c->turn_since && s->now > c->turn_since ? s->now - c->turn_since : 0;
    int64_t office = c->office_us + (turn == FW_TURN_OFFICE ? open : 0);
    int64_t applicant = c->applicant_us + (turn == FW_TURN_APPLICANT ? open : 0);

    json_object_set_new(head, "clock_runs", json_boolean(turn == FW_TURN_OFFICE));
    json_object_set_new(head, "office_days", json_integer(whole_days(office)));
    json_object_set_new(head, "office_hours", json_integer(office / FW_SHOW_HOUR));
    json_object_set_new(head, "applicant_days", json_integer(whole_days(applicant)));
    json_object_set_new(head, "applicant_hours", json_integer(applicant / FW_SHOW_HOUR));
}

static bool can_withdraw(const fw_show *s, const fw_case *c)
{
    return fw_lifecycle_find(c->state, FW_CMD_CASE_WITHDRAW) != NULL &&
           (s->actor->roles & FW_ROLES_APPLICANT);
}

const fw_err *fw_show_case(const fw_show *s, const fw_dossier *d, json_t **model)
{
    const fw_case *c = d->kase;
    const char *at = apr_psprintf(s->pool, "/cases/%" APR_INT64_T_FMT, c->id);
    json_t *o = json_object(), *head = NULL, *list = NULL;

    *model = o;
    FW_TRY(fw_show_case_head(s, c, false, &head));
    set_clock(s, head, c);
    json_object_set_new(o, "case", head);
    json_object_set_new(o, "steps", steps_of(s, d));
    json_object_set_new(o, "todo", fw_show_todo(s, c));
    json_object_set_new(o, "marks", fw_show_marks(s, d->service, d->marks));
    json_object_set_new(o, "reason",
                        fw_show_string(c->state == FW_STATE_REJECTED ? c->reason : NULL));
    json_object_set_new(o, "data", fw_show_sections(s, d->service, d->data, NULL));
    json_object_set_new(o, "files",
                        fw_show_files(s, d->service, d->files, d->n_files,
                                      apr_pstrcat(s->pool, at, "/files", NULL)));
    FW_TRY(fw_show_documents(s, c, at, &list));
    json_object_set_new(o, "documents", list);
    FW_TRY(fw_show_permit(s, c->permit_id, &list));
    json_object_set_new(o, "permit", list);
    FW_TRY(payments_of(s, c, &list));
    json_object_set_new(o, "payments", list);
    json_object_set_new(o, "history", fw_show_history(s, d));
    json_object_set_new(o, "withdraw",
                        can_withdraw(s, c) ? json_pack("{s:s+}", "action", at, "/withdraw")
                                           : json_null());
    return NULL;
}
