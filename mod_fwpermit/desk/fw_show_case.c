#include "fw_config.h"
#include "fw_show.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_lifecycle.h"
#include "fw_store_payment.h"

#define EVENTS_SHOWN 1000
#define HOUR         APR_INT64_C(3600000000)

/* ---- what is to be done next ---- */

typedef struct next_step {
    fw_state_e state;
    const char *key;  /* of the text, and with ".button" of the button */
    const char *href; /* with the case's id for %s */
} next_step;

static const next_step next_steps[] = {
    {FW_STATE_DRAFT, "todo.draft", "/cases/%s/edit"},
    {FW_STATE_RETURNED, "todo.returned", "/cases/%s/edit"},
    {FW_STATE_AWAITING_PAYMENT, "todo.awaiting_payment", "/pay?case=%s"},
};

static const next_step *step_of(fw_state_e state)
{
    for (size_t i = 0; i < sizeof(next_steps) / sizeof(next_steps[0]); i++) {
        if (next_steps[i].state == state)
            return &next_steps[i];
    }
    return NULL;
}

static const char *step_href(const fw_show *s, const next_step *step, fw_id id)
{
    return apr_psprintf(s->pool, "%.*s%" APR_INT64_T_FMT "%s",
                        (int)(strstr(step->href, "%s") - step->href), step->href, id,
                        strstr(step->href, "%s") + 2);
}

/* ---- lines ---- */

static void set_time_left(const fw_show *s, json_t *o, fw_state_e state, apr_time_t due)
{
    bool office = fw_lifecycle_turn(state) == FW_TURN_OFFICE;
    apr_time_t left = due > s->now ? due - s->now : s->now - due;
    bool days = left >= 48 * HOUR, late = office && due && due < s->now;
    json_t *args;
    const char *key;

    json_object_set_new(o, "late", json_boolean(late));
    json_object_set_new(o, "soon", json_boolean(office && due && !late && left < 12 * HOUR));
    if (!office || !due)
        return;
    args = json_pack("{s:I}", "n", (json_int_t)(days ? left / (24 * HOUR) : left / HOUR));
    key =
        late ? (days ? "left.late_days" : "left.late_hours") : (days ? "left.days" : "left.hours");
    json_object_set_new(
        o, "left", json_string(fw_locale_format(s->desk->locale, s->lang, key, args, s->pool)));
    json_decref(args);
}

static void set_todo(const fw_show *s, json_t *o, fw_state_e state, fw_id id)
{
    const next_step *step = step_of(state);

    json_object_set_new(o, "todo", step ? json_string(fw_show_text(s, step->key)) : json_null());
    json_object_set_new(
        o, "todo_button",
        step ? json_string(fw_show_text(s, apr_pstrcat(s->pool, step->key, ".button", NULL)))
             : json_null());
    if (step)
        json_object_set_new(o, "todo_href", json_string(step_href(s, step, id)));
    json_object_set_new(o, "can_pay", json_boolean(state == FW_STATE_AWAITING_PAYMENT));
}

static const char *service_title(const fw_show *s, const char *code)
{
    const fw_service *service = fw_services_find(s->desk->services, code);

    return service ? fw_label_text(&service->title, s->lang) : code;
}

json_t *fw_show_case_line(const fw_show *s, const fw_case_line *l, bool office)
{
    json_t *o = json_object();

    json_object_set_new(o, "id", fw_show_id(l->id));
    fw_show_set(o, s, "href", "/%s/%" APR_INT64_T_FMT, office ? "review" : "cases", l->id);
    json_object_set_new(o, "case_no", fw_show_string(l->case_no));
    json_object_set_new(o, "service", json_string(service_title(s, l->service)));
    json_object_set_new(o, "state", fw_show_state(s, "state", fw_state_name(l->state)));
    json_object_set_new(o, "worker", json_string(l->name_latin ? l->name_latin : ""));
    json_object_set_new(o, "name_native", fw_show_string(l->name_native));
    json_object_set_new(o, "passport_no", fw_show_string(l->passport_no));
    json_object_set_new(o, "nationality", fw_show_string(l->nationality));
    json_object_set_new(o, "employer", json_string(fw_show_org(s, l->employer_zh, l->employer_en)));
    json_object_set_new(o, "created", fw_show_time(s, l->created));
    json_object_set_new(o, "submitted", fw_show_time(s, l->submitted));
    json_object_set_new(o, "due", fw_show_time(s, l->due));
    json_object_set_new(o, "deadline", fw_show_time(s, l->deadline));
    json_object_set_new(o, "fee", json_integer(l->fee));
    json_object_set_new(o, "version", json_integer(l->version));
    set_time_left(s, o, l->state, l->due);
    if (!office)
        set_todo(s, o, l->state, l->id);
    return o;
}

const fw_err *fw_show_case_lines(const fw_show *s, const fw_case_ask *ask, bool office,
                                 json_t **out, apr_time_t *last)
{
    apr_array_header_t *lines = NULL;

    FW_TRY(fw_case_list(s->db, ask, &lines, s->pool));
    *out = json_array();
    for (int i = 0; i < lines->nelts; i++) {
        const fw_case_line *l = &APR_ARRAY_IDX(lines, i, fw_case_line);

        json_array_append_new(*out, fw_show_case_line(s, l, office));
        if (last)
            *last = l->created;
    }
    return NULL;
}

const fw_err *fw_show_case_head(const fw_show *s, const fw_case *c, bool office, json_t **out)
{
    fw_org *employer = NULL;
    const fw_station *station = fw_codes_station_of(s->desk->codes, c->station ? c->station : "");
    fw_case_line line = {.id = c->id,
                         .case_no = c->case_no,
                         .service = c->service,
                         .state = c->state,
                         .worker_id = c->worker_id,
                         .name_latin = c->name_latin,
                         .name_native = c->name_native,
                         .passport_no = c->passport_no,
                         .nationality = c->nationality,
                         .created = c->created,
                         .submitted = c->submitted,
                         .due = c->due,
                         .deadline = c->deadline,
                         .fee = c->fee,
                         .version = c->version};
    json_t *o;

    FW_TRY(fw_org_load(s->db, c->employer_id, &employer, s->pool));
    line.employer_zh = employer->name_zh;
    line.employer_en = employer->name_en;
    o = fw_show_case_line(s, &line, office);
    if (station)
        json_object_set_new(o, "address_station",
                            json_string(fw_show_org(s, station->zh, station->en)));
    *out = o;
    return NULL;
}

/* Of a payment for many, some may have been taken away from the payer since. */
static bool may_see(const fw_show *s, const fw_case *c, const char *page)
{
    return fw_access_allowed(page, s->actor->roles,
                             fw_access_relations(s->actor, c->employer_id, c->agency_id, c->station,
                                                 c->first_reviewer, c->second_reviewer));
}

const fw_err *fw_show_lines_of(const fw_show *s, const fw_id *cases, int n, json_t **out)
{
    *out = json_array();
    for (int i = 0; i < n; i++) {
        fw_case *kase = NULL;
        json_t *line = NULL;

        FW_TRY(fw_case_load(s->db, cases[i], &kase, s->pool));
        if (!may_see(s, kase, "page.case"))
            continue;
        FW_TRY(fw_show_case_head(s, kase, false, &line));
        json_array_append_new(*out, line);
    }
    return NULL;
}

/* ---- the dossier ---- */

static apr_status_t free_json(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

static json_t *parse_kept(const char *text, apr_pool_t *pool)
{
    json_t *o = text ? json_loads(text, 0, NULL) : NULL;

    if (o)
        apr_pool_cleanup_register(pool, o, free_json, apr_pool_cleanup_null);
    return o;
}

const fw_err *fw_dossier_load(const fw_show *s, const fw_case *kase, bool history, fw_dossier *out)
{
    apr_array_header_t *list = NULL;

    *out = (fw_dossier){.kase = kase};
    FW_TRY(
        fw_desk_service(s->desk, s->db, kase->service, kase->service_hash, &out->service, s->pool));
    out->data = parse_kept(kase->data, s->pool);
    if (!out->data)
        out->data = parse_kept("{}", s->pool);
    out->marks = parse_kept(kase->marks, s->pool);
    FW_TRY(fw_file_list(s->db, kase->id, false, &list, s->pool));
    out->files = (const fw_file *)list->elts;
    out->n_files = list->nelts;
    if (!history)
        return NULL;
    FW_TRY(fw_event_list(s->db, kase->id, &list, s->pool));
    out->events = (const fw_event *)list->elts;
    out->n_events = list->nelts;
    return NULL;
}

int fw_dossier_missing(const fw_show *s, const fw_dossier *d, apr_array_header_t **problems)
{
    fw_form_env env = fw_desk_form_env(s->desk, s->now, s->pool);

    *problems = fw_form_problems(&env, d->service, d->data, d->files, d->n_files);
    return (*problems)->nelts;
}

/* ---- history ---- */

static const char *label_of(const fw_show *s, const fw_service *service, const char *name)
{
    const fw_field *f = fw_service_field(service, name);

    return f ? fw_label_text(&f->label, s->lang) : name;
}

static json_t *changes_of(const fw_show *s, const fw_service *service, const json_t *data)
{
    json_t *list = json_array(), *before = json_object_get(data, "before"), *old;
    json_t *after = json_object_get(data, "after");
    const char *name;

    json_object_foreach(before, name, old)
    {
        const fw_field *f = fw_service_field(service, name);
        const char *was = json_string_value(old);
        const char *is = json_string_value(json_object_get(after, name));

        if (f)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "label",
                                                  fw_label_text(&f->label, s->lang), "before",
                                                  fw_show_value(s, f, was), "after",
                                                  fw_show_value(s, f, is)));
    }
    return list;
}

static json_t *marks_of(const fw_show *s, const fw_service *service, const json_t *marks)
{
    json_t *list = json_array(), *m;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)marks, i, m)
    {
        const char *item = json_string_value(json_object_get(m, "item"));
        const char *reason = json_string_value(json_object_get(m, "reason"));

        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "item", item ? item : "", "label",
                                              item ? label_of(s, service, item) : "", "reason",
                                              reason ? reason : ""));
    }
    return list;
}

static bool is_applicant(const fw_show *s)
{
    return (s->actor->roles & FW_ROLES_APPLICANT) != 0;
}

/* What follows by itself from what somebody did. */
static bool follows(const fw_show *s, const fw_event *e)
{
    return strcmp(e->kind, "case.fee_asked") == 0 ||
           (strcmp(e->kind, "case.assign") == 0 && is_applicant(s) &&
            e->actor_id == s->actor->account_id);
}

static const char *who_did(const fw_show *s, const fw_event *e)
{
    if (!e->actor_id || follows(s, e))
        return fw_show_text(s, "who.system");
    /* Applicants read what an officer did, not which. */
    if (is_applicant(s) && e->actor_id != s->actor->account_id &&
        (strcmp(e->kind, "case.correct") == 0 || strcmp(e->kind, "case.return") == 0 ||
         strcmp(e->kind, "case.approve") == 0 || strcmp(e->kind, "case.confirm") == 0 ||
         strcmp(e->kind, "case.send_back") == 0 || strcmp(e->kind, "case.reject") == 0 ||
         strcmp(e->kind, "case.assign") == 0 || strcmp(e->kind, "permit.revoke") == 0))
        return fw_show_text(s, "who.officer");
    return e->actor_name ? e->actor_name : "";
}

static bool is_proposal(const fw_event *e)
{
    return e->to == FW_STATE_SECOND_REVIEW && strcmp(e->kind, "case.reject") == 0;
}

static json_t *one_event(const fw_show *s, const fw_dossier *d, const fw_event *e)
{
    json_t *data = e->data ? json_loads(e->data, 0, NULL) : NULL;
    bool inside = strcmp(e->kind, "case.send_back") == 0 && is_applicant(s);
    const char *reason = inside ? NULL : json_string_value(json_object_get(data, "reason"));
    const char *kind = is_proposal(e) ? "case.propose_reject" : e->kind;
    const char *what = fw_show_text(s, apr_pstrcat(s->pool, "event.", kind, NULL));
    json_t *o = json_pack("{s:o, s:s, s:s, s:s, s:s?}", "when", fw_show_time(s, e->at), "what",
                          what, "kind", e->kind, "who", who_did(s, e), "reason", reason);

    json_object_set_new(o, "changes", changes_of(s, d->service, data));
    json_object_set_new(o, "reasons", marks_of(s, d->service, json_object_get(data, "marks")));
    json_decref(data);
    return o;
}

json_t *fw_show_history(const fw_show *s, const fw_dossier *d)
{
    json_t *list = json_array();

    /* What officers propose and why they send back is between them. */
    for (int i = d->n_events - 1; i >= 0 && i > d->n_events - EVENTS_SHOWN; i--) {
        if (!is_applicant(s) || !is_proposal(&d->events[i]))
            json_array_append_new(list, one_event(s, d, &d->events[i]));
    }
    return list;
}

/* ---- documents, permit ---- */

const fw_err *fw_show_may_read(const fw_show *s, const fw_case *kase, const fw_document *doc,
                               bool *may)
{
    bool receipt = strcmp(doc->kind, "receipt") == 0;
    fw_payment *p = NULL;

    *may = receipt || may_see(s, kase, "page.case") || may_see(s, kase, "page.review");
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

static json_t *todo_of(const fw_show *s, const fw_case *c)
{
    const next_step *step = step_of(c->state);

    if (!step)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:b, s:o}", "text", fw_show_text(s, step->key), "href",
                     step_href(s, step, c->id), "button",
                     fw_show_text(s, apr_pstrcat(s->pool, step->key, ".button", NULL)), "is_post",
                     0, "deadline", fw_show_time(s, c->deadline));
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
    return (int)(us / (24 * HOUR));
}

static void set_clock(const fw_show *s, json_t *head, const fw_case *c)
{
    fw_turn_e turn = fw_lifecycle_turn(c->state);
    int64_t open = c->turn_since && s->now > c->turn_since ? s->now - c->turn_since : 0;
    int64_t office = c->office_us + (turn == FW_TURN_OFFICE ? open : 0);
    int64_t applicant = c->applicant_us + (turn == FW_TURN_APPLICANT ? open : 0);

    json_object_set_new(head, "clock_runs", json_boolean(turn == FW_TURN_OFFICE));
    json_object_set_new(head, "office_days", json_integer(whole_days(office)));
    json_object_set_new(head, "office_hours", json_integer(office / HOUR));
    json_object_set_new(head, "applicant_days", json_integer(whole_days(applicant)));
    json_object_set_new(head, "applicant_hours", json_integer(applicant / HOUR));
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
    json_object_set_new(o, "todo", todo_of(s, c));
    json_object_set_new(o, "marks", marks_of(s, d->service, d->marks));
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

/* ---- its form ---- */

static fw_show_form form_of(const fw_show *s, const fw_dossier *d, const json_t *data)
{
    return (fw_show_form){
        .service = d->service,
        .data = data,
        .files = d->files,
        .n_files = d->n_files,
        .marks = d->marks,
        .only_marked = d->kase->state == FW_STATE_RETURNED,
        .files_at = apr_psprintf(s->pool, "/cases/%" APR_INT64_T_FMT "/files", d->kase->id),
        .version = d->kase->version};
}

/* What is kept, with what was typed laid over it. */
static json_t *laid_over(const fw_show *s, const fw_dossier *d, const json_t *typed)
{
    json_t *data = json_copy(d->data), *v;
    const char *name;

    apr_pool_cleanup_register(s->pool, data, free_json, apr_pool_cleanup_null);
    json_object_foreach((json_t *)(uintptr_t)typed, name, v)
    {
        if (json_is_string(v))
            json_object_set(data, name, v);
    }
    return data;
}

static const char *case_at(const fw_show *s, const fw_dossier *d, const char *page)
{
    return apr_psprintf(s->pool, "/cases/%" APR_INT64_T_FMT "/%s", d->kase->id, page);
}

const fw_err *fw_show_case_edit(const fw_show *s, const fw_dossier *d, const json_t *typed,
                                const fw_refusal *problems, int n, json_t **model)
{
    json_t *data = typed ? laid_over(s, d, typed) : d->data, *head = NULL;
    apr_array_header_t *missing = NULL;
    fw_show_form form = form_of(s, d, data);
    json_t *o = json_object();

    *model = o;
    form.problems = problems;
    form.n_problems = n;
    FW_TRY(fw_show_case_head(s, d->kase, false, &head));
    json_object_set_new(o, "case", head);
    json_object_set_new(o, "form", fw_show_form_model(s, &form));
    json_object_set_new(o, "action", json_string(case_at(s, d, "edit")));
    json_object_set_new(o, "check_href", json_string(case_at(s, d, "check")));
    json_object_set_new(o, "missing_n", json_integer(fw_dossier_missing(s, d, &missing)));
    json_object_set_new(o, "is_returned", json_boolean(form.only_marked));
    json_object_set_new(o, "deadline", fw_show_time(s, d->kase->deadline));
    json_object_set_new(o, "marks", marks_of(s, d->service, d->marks));
    return NULL;
}

const fw_err *fw_show_case_check(const fw_show *s, const fw_dossier *d, json_t **model)
{
    const char *edit = case_at(s, d, "edit");
    apr_array_header_t *missing = NULL;
    int n = fw_dossier_missing(s, d, &missing);
    json_t *o = json_object(), *head = NULL;

    *model = o;
    FW_TRY(fw_show_case_head(s, d->kase, false, &head));
    json_object_set_new(o, "case", head);
    json_object_set_new(
        o, "missing", fw_show_problems(s, d->service, (const fw_refusal *)missing->elts, n, edit));
    json_object_set_new(o, "ready", json_boolean(n == 0));
    json_object_set_new(o, "sections", fw_show_sections(s, d->service, d->data, edit));
    json_object_set_new(o, "files",
                        fw_show_files(s, d->service, d->files, d->n_files, case_at(s, d, "files")));
    json_object_set_new(o, "submit_action", json_string(case_at(s, d, "submit")));
    json_object_set_new(o, "edit_href", json_string(edit));
    json_object_set_new(o, "is_returned", json_boolean(d->kase->state == FW_STATE_RETURNED));
    json_object_set_new(o, "deadline", fw_show_time(s, d->kase->deadline));
    return NULL;
}

const fw_err *fw_show_case_stale(const fw_show *s, const fw_dossier *d, const json_t *typed,
                                 json_t **model)
{
    json_t *o = json_object(), *head = NULL, *changed = json_array(), *v;
    fw_show_form form = form_of(s, d, laid_over(s, d, typed));
    const char *name;

    *model = o;
    json_object_set_new(o, "changed", changed);
    json_object_foreach((json_t *)(uintptr_t)typed, name, v)
    {
        const fw_field *f = fw_service_field(d->service, name);
        const char *yours = json_string_value(v);
        const char *now = json_string_value(json_object_get(d->data, name));

        if (f && strcmp(yours ? yours : "", now ? now : "") != 0)
            json_array_append_new(changed, json_pack("{s:s, s:s, s:s, s:s}", "field", f->name,
                                                     "label", fw_label_text(&f->label, s->lang),
                                                     "now", fw_show_value(s, f, now), "yours",
                                                     fw_show_value(s, f, yours)));
    }
    FW_TRY(fw_show_case_head(s, d->kase, false, &head));
    json_object_set_new(o, "case", head);
    json_object_set_new(o, "form", fw_show_form_model(s, &form));
    json_object_set_new(o, "edit_href", json_string(case_at(s, d, "edit")));
    json_object_set_new(o, "action", json_string(case_at(s, d, "edit")));
    return NULL;
}
