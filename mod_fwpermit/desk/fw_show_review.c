#include "fw_config.h"
#include "fw_show_card.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_json.h"
#include "fw_lifecycle.h"
#include "fw_mrz.h"
#include "fw_name.h"

/* The reviewer's screen: each datum beside what the passport's lines and other agencies say, documents, and what may be done. */

typedef struct review {
    const fw_show *s;
    const fw_dossier *d;
    const fw_show_form *form;
    const fw_mrz *mrz; /* or NULL */
    fw_said said;
} review;

/* What the lines say of a field, or NULL where they say nothing of it. */
static const char *mrz_says(const fw_mrz *m, const char *name, apr_pool_t *pool)
{
    if (strcmp(name, "name_latin") == 0)
        return apr_pstrcat(pool, m->surname, *m->given ? " " : "", m->given, NULL);
    if (strcmp(name, "passport_no") == 0)
        return m->number;
    if (strcmp(name, "nationality") == 0)
        return m->nationality;
    if (strcmp(name, "birth") == 0)
        return m->birth;
    if (strcmp(name, "passport_expiry") == 0)
        return m->expiry;
    if (strcmp(name, "sex") == 0)
        return m->sex == 'M' ? "M" : m->sex == 'F' ? "F" : "X";
    return NULL;
}

static bool mrz_agrees(const fw_mrz *m, const char *name, const char *value, const char *says)
{
    if (strcmp(name, "name_latin") == 0)
        return fw_name_matches_mrz(value, m->surname, m->given);
    return strcmp(value, says) == 0;
}

/* The lines of the case's passport; false where it has none that can be read. */
static bool read_mrz(const fw_show *s, const fw_dossier *d, fw_mrz *out)
{
    for (int i = 0; i < d->service->n_fields; i++) {
        const fw_field *f = &d->service->fields[i];
        const char *text = json_string_value(json_object_get(d->data, f->name));

        if (f->type == FW_FIELD_MRZ && text && *text)
            return fw_mrz_parse(text, fw_date_of(s->now), out, s->pool) == NULL;
    }
    return false;
}

/* What stood there before the first correction, or NULL. */
static const char *filed_value(const fw_dossier *d, const char *name, apr_pool_t *pool)
{
    for (int i = 0; i < d->n_events; i++) {
        const fw_event *e = &d->events[i];
        const json_t *before;
        const char *was;

        if (strcmp(e->kind, "case.correct") != 0 || !e->data)
            continue;
        before = json_object_get(fw_json_parse(e->data, pool), "before");
        was = json_string_value(json_object_get(before, name));
        if (was)
            return was;
    }
    return NULL;
}

/* What was sent for a file's slot. */
static const char *file_names(const fw_dossier *d, const char *slot, apr_pool_t *pool)
{
    const char *names = "";

    for (int i = 0; i < d->n_files; i++) {
        if (d->files[i].current && strcmp(d->files[i].slot, slot) == 0)
            names = apr_pstrcat(pool, names, *names ? ", " : "", d->files[i].name, NULL);
    }
    return names;
}

static bool any_differs(fw_value said)
{
    fw_value o;

    fw_each(said, i, o)
    {
        if (fw_is_true(fw_get(o, "differs")))
            return true;
    }
    return false;
}

static fw_value row_of(const review *r, const fw_field *f)
{
    const fw_show *s = r->s;
    const fw_dossier *d = r->d;
    const fw_mrz *mrz = r->mrz;
    const char *value = json_string_value(json_object_get(d->data, f->name));
    const char *says = mrz ? mrz_says(mrz, f->name, s->pool) : NULL;
    const char *filed = filed_value(d, f->name, s->pool);
    fw_value o = fw_object(s->pool), input = fw_show_field(s, r->form, f), said;
    bool is_file = fw_field_is_file(f), differs;

    value = is_file ? file_names(d, f->name, s->pool) : value ? value : "";
    fw_set(o, "name", fw_text(f->name));
    fw_set(o, "label", fw_text(fw_label_text(&f->label, s->lang)));
    fw_set(o, "value", fw_text(fw_show_value(s, f, value)));
    fw_set(o, "mrz", says ? fw_text(fw_show_value(s, f, says)) : fw_null());
    differs = says && !mrz_agrees(mrz, f->name, value, says);
    said = fw_show_said(s, &r->said, f, value);
    fw_set(o, "mrz_differs", fw_bool(differs));
    fw_set(o, "differs", fw_bool(differs || any_differs(said)));
    fw_set(o, "agrees", fw_bool(says && !differs));
    fw_set(o, "said", said);
    fw_set(o, "corrected",
           filed ? fw_pack(s->pool, "{s:s}", "before", fw_show_value(s, f, filed)) : fw_null());
    fw_set(o, "mark", fw_get(input, "mark"));
    fw_set(o, "is_mrz", fw_bool(f->type == FW_FIELD_MRZ));
    fw_set(o, "can_mark", fw_bool(true));
    fw_set(o, "is_file", fw_bool(is_file));
    fw_set(o, "input", is_file ? fw_null() : input);
    return o;
}

static fw_value sections_of(const review *r)
{
    const fw_show *s = r->s;
    const fw_dossier *d = r->d;
    fw_value sections = fw_list(s->pool);

    for (int i = 0; i < d->service->n_sections; i++) {
        const fw_section *section = &d->service->sections[i];
        fw_value rows = fw_list(s->pool);

        for (int k = section->first; k < section->first + section->n; k++) {
            const fw_field *f = &d->service->fields[k];

            if (fw_form_asked(d->service, f, d->data))
                fw_add(rows, row_of(r, f));
        }
        if (fw_size(rows) > 0)
            fw_add(sections, fw_pack(s->pool, "{s:s, s:s, s:o}", "name", section->name, "title",
                                     fw_label_text(&section->title, s->lang), "rows", rows));
    }
    return sections;
}

/* The reason that stands on an item now, or NULL. */
static const char *mark_on(const fw_show *s, const fw_dossier *d, const char *item)
{
    size_t i;
    json_t *m;

    json_array_foreach(d->marks, i, m)
    {
        const char *marked = json_string_value(json_object_get(m, "item"));

        if (marked && strcmp(marked, item) == 0)
            return fw_show_mark_reason(s, m);
    }
    return NULL;
}

static fw_value files_of(const fw_show *s, const fw_dossier *d, const char *at)
{
    fw_value list = fw_show_files(s, d->service, d->files, d->n_files, at), o;

    fw_each(list, i, o)
    {
        const char *id = fw_chars(fw_get(o, "id"));
        const char *mime = fw_chars(fw_get(o, "mime"));
        bool pdf = strcmp(mime, "application/pdf") == 0;

        if (fw_chars(fw_get(o, "href")) && (pdf || strncmp(mime, "image/", 6) == 0))
            fw_show_set(o, s, "view_href", "%s/%s/view/1", at, id);
        else
            fw_set(o, "view_href", fw_null());
        fw_set(o, "is_pdf", fw_bool(pdf));
        fw_set(o, "mark", fw_text(mark_on(s, d, fw_chars(fw_get(o, "slot")))));
    }
    return list;
}

/* ---- what may be done ---- */

static bool may(const fw_show *s, const fw_case *c, unsigned rel, fw_cmd_e cmd)
{
    return fw_lifecycle_find(c->state, cmd) != NULL &&
           fw_access_allowed(fw_cmd_name(cmd), s->actor->roles, rel);
}

static bool is_editor(const fw_show *s, const fw_case *c)
{
    return c->editors && strstr(c->editors, apr_psprintf(s->pool, ",%" APR_INT64_T_FMT ",",
                                                         s->actor->account_id));
}

/* Why the actor may not decide on the case, or not grant it (approve, confirm): a key, or NULL. What is refused all the same is said
 * by decide(). */
typedef struct hindrance {
    const char *all, *grant;
} hindrance;

static hindrance hindrance_of(const fw_show *s, const fw_dossier *d)
{
    const fw_case *c = d->kase;
    bool second = c->state == FW_STATE_SECOND_REVIEW;
    bool mine = c->first_reviewer == s->actor->account_id;
    hindrance h = {NULL, fw_dossier_unchecked(d) ? "case.files_unchecked" : NULL};

    if (!(s->actor->roles & (FW_ROLE_INITIAL | FW_ROLE_SECOND)))
        return h;
    if (c->state == FW_STATE_INITIAL_REVIEW && !mine)
        h.all = "case.other_desk";
    if (second && mine)
        h.all = "case.four_eyes";
    if (second && is_editor(s, c))
        h.grant = "case.four_eyes";
    else if (second && c->reason)
        h.grant = "case.rejection_proposed";
    return h;
}

static fw_value actions_of(const fw_show *s, const fw_case *c, const hindrance *h)
{
    static const struct {
        fw_cmd_e cmd;
        const char *name, *path;
    } actions[] = {{FW_CMD_CASE_CORRECT, "correct", "correct"},
                   {FW_CMD_CASE_RETURN, "return", "return"},
                   {FW_CMD_CASE_APPROVE, "approve", "approve"},
                   {FW_CMD_CASE_CONFIRM, "confirm", "confirm"},
                   {FW_CMD_CASE_SEND_BACK, "send_back", "send-back"},
                   {FW_CMD_CASE_REJECT, "reject", "reject"}};
    unsigned rel = fw_access_relations(s->actor, c->employer_id, c->agency_id, c->station,
                                       c->first_reviewer, c->second_reviewer);
    fw_value o = fw_object(s->pool);

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        bool grant = actions[i].cmd == FW_CMD_CASE_APPROVE || actions[i].cmd == FW_CMD_CASE_CONFIRM;
        bool ok = may(s, c, rel, actions[i].cmd) && !h->all && !(h->grant && grant);

        if (ok)
            fw_show_set(o, s, actions[i].name, "/review/%" APR_INT64_T_FMT "/%s", c->id,
                        actions[i].path);
        else
            fw_set(o, actions[i].name, fw_null());
    }
    return o;
}

/* Who may end the permit, while it is in force. */
static fw_value revoke_of(const fw_show *s, fw_value permit)
{
    const char *no = fw_chars(fw_get(permit, "permit_no"));
    const char *code = fw_chars(fw_get(fw_get(permit, "state"), "code"));

    if (!no || !code || (strcmp(code, "valid") != 0 && strcmp(code, "waiting") != 0) ||
        !fw_access_allowed("permit.revoke", s->actor->roles, FW_REL_ANY))
        return fw_null();
    return fw_pack(s->pool, "{s:s}", "action",
                   apr_psprintf(s->pool, "/admin/permits/%s/revoke", no));
}

/* Who may ask the fines system again, where there is one. */
static fw_value ask_of(const fw_show *s, const fw_case *c)
{
    unsigned rel = fw_access_relations(s->actor, c->employer_id, c->agency_id, c->station,
                                       c->first_reviewer, c->second_reviewer);

    if (!s->desk->penalty_plugin || !fw_access_allowed("fine.ask", s->actor->roles, rel))
        return fw_null();
    return fw_pack(s->pool, "{s:s}", "action",
                   apr_psprintf(s->pool, "/review/%" APR_INT64_T_FMT "/ask-fines", c->id));
}

/* Who may have a card made after all that the bureau cancelled. */
static fw_value again_of(const fw_show *s, const fw_case *c, const fw_job *job)
{
    bool cancelled = job && strcmp(job->state, "cancelled") == 0;

    if (!cancelled || !fw_lifecycle_find(c->state, FW_CMD_CARD_AGAIN) ||
        !fw_access_allowed("card.again", s->actor->roles, FW_REL_ANY))
        return fw_null();
    return fw_pack(s->pool, "{s:s}", "action",
                   apr_psprintf(s->pool, "/review/%" APR_INT64_T_FMT "/card-again", c->id));
}

/* Who may have a card left unmade. */
static fw_value cancel_of(const fw_show *s, const fw_case *c, const fw_job *job)
{
    if (!fw_job_unmade(job) || !fw_lifecycle_find(c->state, FW_CMD_CARD_CANCEL) ||
        !fw_access_allowed("card.cancel", s->actor->roles, FW_REL_ANY))
        return fw_null();
    return fw_pack(s->pool, "{s:s}", "action",
                   apr_psprintf(s->pool, "/review/%" APR_INT64_T_FMT "/card-cancel", c->id));
}

static const fw_err *next_href(const fw_show *s, const fw_case *c, fw_value *out)
{
    bool second = c->state == FW_STATE_SECOND_REVIEW;
    apr_array_header_t *lines = NULL;
    fw_case_ask ask = {.list = second ? FW_LIST_STATION : FW_LIST_REVIEWER,
                       .id = s->actor->account_id,
                       .text = s->actor->station ? s->actor->station : "",
                       .state = second ? "second_review" : "initial_review",
                       .limit = 2};

    FW_TRY(fw_case_list(s->db, &ask, &lines, s->pool));
    *out = fw_null();
    for (int i = 0; i < lines->nelts; i++) {
        const fw_case_line *l = &APR_ARRAY_IDX(lines, i, fw_case_line);

        if (l->id == c->id)
            continue;
        *out = fw_text(apr_psprintf(s->pool, "/review/%" APR_INT64_T_FMT, l->id));
        break;
    }
    return NULL;
}

const fw_err *fw_show_review(const fw_show *s, const fw_dossier *d, fw_value *model)
{
    const fw_case *c = d->kase;
    const char *at = apr_psprintf(s->pool, "/review/%" APR_INT64_T_FMT, c->id);
    hindrance h = hindrance_of(s, d);
    const char *why_not = h.all ? h.all : h.grant;
    fw_show_form form = {
        .service = d->service, .data = d->data, .marks = d->marks, .version = c->version};
    fw_mrz mrz = {0};
    review r = {.s = s, .d = d, .form = &form, .mrz = read_mrz(s, d, &mrz) ? &mrz : NULL};
    fw_payment *paid = NULL;
    fw_job *job = NULL;
    fw_value o = fw_object(s->pool), part = {0};

    *model = o;
    if (fw_said_wanted(d->service))
        FW_TRY(fw_said_agencies(&r.said, s->db, c->worker_id, s->pool));
    part = fw_show_case_head(s, c, true);
    fw_set(o, "case", part);
    fw_set(o, "sections", sections_of(&r));
    FW_TRY(fw_show_silent(s, &r.said, d->service, &part));
    fw_set(o, "silent", part);
    FW_TRY(fw_show_letter_of(s, c, &r.said, at, &part));
    fw_set(o, "letter", part);
    fw_set(o, "files", files_of(s, d, apr_pstrcat(s->pool, at, "/files", NULL)));
    fw_set(o, "unchecked", fw_number(fw_dossier_unchecked(d)));
    fw_set(o, "may", actions_of(s, c, &h));
    fw_set(o, "why_not", fw_text(why_not ? fw_show_text(s, why_not) : NULL));
    fw_set(o, "reason", fw_text(c->reason));
    fw_set(o, "history", fw_show_history(s, d));
    FW_TRY(fw_show_documents(s, c, at, &paid, &part));
    fw_set(o, "documents", part);
    FW_TRY(fw_show_card(s, d, &job, &part));
    fw_set(o, "card", part);
    fw_set(o, "again", again_of(s, c, job));
    fw_set(o, "cancel", cancel_of(s, c, job));
    FW_TRY(fw_show_permit(s, c->permit_id, &part));
    fw_set(o, "revoke", revoke_of(s, part));
    fw_set(o, "permit", part);
    FW_TRY(fw_show_identity(s, c->id, d->service, &part));
    fw_set(o, "identity", part);
    FW_TRY(fw_show_penalty(s, c, &part));
    fw_set(o, "penalty", part);
    fw_set(o, "ask_fines", ask_of(s, c));
    FW_TRY(next_href(s, c, &part));
    fw_set(o, "next_href", part);
    return fw_show_case_link(s, d, o);
}
