#include "fw_config.h"
#include "fw_show.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_lifecycle.h"
#include "fw_mrz.h"
#include "fw_name.h"

/* The reviewer's screen: each datum beside what the passport's lines say, documents, and what may be done. */

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
        json_t *data, *before;
        const char *was;

        if (strcmp(e->kind, "case.correct") != 0 || !e->data)
            continue;
        data = json_loads(e->data, 0, NULL);
        before = json_object_get(json_object_get(data, "before"), name);
        was = before ? apr_pstrdup(pool, json_string_value(before)) : NULL;
        json_decref(data);
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

static json_t *row_of(const fw_show *s, const fw_dossier *d, const fw_show_form *form,
                      const fw_field *f, const fw_mrz *mrz)
{
    const char *value = json_string_value(json_object_get(d->data, f->name));
    const char *says = mrz ? mrz_says(mrz, f->name, s->pool) : NULL;
    const char *filed = filed_value(d, f->name, s->pool);
    json_t *o = json_object(), *input = fw_show_field(s, form, f);
    bool is_file = fw_field_is_file(f);

    value = is_file ? file_names(d, f->name, s->pool) : value ? value : "";
    json_object_set_new(o, "name", json_string(f->name));
    json_object_set_new(o, "label", json_string(fw_label_text(&f->label, s->lang)));
    json_object_set_new(o, "value", json_string(fw_show_value(s, f, value)));
    json_object_set_new(o, "mrz", says ? json_string(fw_show_value(s, f, says)) : json_null());
    json_object_set_new(o, "differs", json_boolean(says && !mrz_agrees(mrz, f->name, value, says)));
    json_object_set_new(o, "agrees", json_boolean(says && mrz_agrees(mrz, f->name, value, says)));
    json_object_set_new(o, "corrected",
                        filed ? json_pack("{s:s}", "before", fw_show_value(s, f, filed))
                              : json_null());
    json_object_set(o, "mark", json_object_get(input, "mark"));
    json_object_set_new(o, "is_mrz", json_boolean(f->type == FW_FIELD_MRZ));
    json_object_set_new(o, "can_mark", json_true());
    json_object_set_new(o, "is_file", json_boolean(is_file));
    json_object_set(o, "input", is_file ? json_null() : input);
    json_decref(input);
    return o;
}

static json_t *sections_of(const fw_show *s, const fw_dossier *d, const fw_show_form *form)
{
    fw_mrz mrz = {0};
    bool has_mrz = read_mrz(s, d, &mrz);
    json_t *sections = json_array();

    for (int i = 0; i < d->service->n_sections; i++) {
        const fw_section *section = &d->service->sections[i];
        json_t *rows = json_array();

        for (int k = section->first; k < section->first + section->n; k++) {
            const fw_field *f = &d->service->fields[k];

            if (fw_form_asked(d->service, f, d->data))
                json_array_append_new(rows, row_of(s, d, form, f, has_mrz ? &mrz : NULL));
        }
        if (json_array_size(rows) > 0)
            json_array_append_new(sections,
                                  json_pack("{s:s, s:s, s:o}", "name", section->name, "title",
                                            fw_label_text(&section->title, s->lang), "rows", rows));
        else
            json_decref(rows);
    }
    return sections;
}

/* The reason that stands on an item now, or NULL. */
static const char *mark_on(const fw_dossier *d, const char *item)
{
    size_t i;
    json_t *m;

    json_array_foreach(d->marks, i, m)
    {
        const char *marked = json_string_value(json_object_get(m, "item"));

        if (marked && strcmp(marked, item) == 0)
            return json_string_value(json_object_get(m, "reason"));
    }
    return NULL;
}

static json_t *files_of(const fw_show *s, const fw_dossier *d, const char *at)
{
    json_t *list = fw_show_files(s, d->service, d->files, d->n_files, at), *o;
    size_t i;

    json_array_foreach(list, i, o)
    {
        const char *id = json_string_value(json_object_get(o, "id"));
        const char *mime = json_string_value(json_object_get(o, "mime"));
        bool pdf = strcmp(mime, "application/pdf") == 0;

        if (pdf || strncmp(mime, "image/", 6) == 0)
            fw_show_set(o, s, "view_href", "%s/%s/view/1", at, id);
        else
            json_object_set_new(o, "view_href", json_null());
        json_object_set_new(o, "is_pdf", json_boolean(pdf));
        json_object_set_new(
            o, "mark", fw_show_string(mark_on(d, json_string_value(json_object_get(o, "slot")))));
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

/* Why the actor may not decide on the case, or not confirm it: a key, or NULL. What is refused all the same is said by
 * decide(). */
typedef struct hindrance {
    const char *all, *confirm;
} hindrance;

static hindrance hindrance_of(const fw_show *s, const fw_case *c)
{
    bool second = c->state == FW_STATE_SECOND_REVIEW;
    bool mine = c->first_reviewer == s->actor->account_id;
    hindrance h = {NULL, NULL};

    if (!(s->actor->roles & (FW_ROLE_INITIAL | FW_ROLE_SECOND)))
        return h;
    if (c->state == FW_STATE_INITIAL_REVIEW && !mine)
        h.all = "case.other_desk";
    if (second && mine)
        h.all = "case.four_eyes";
    if (second && is_editor(s, c))
        h.confirm = "case.four_eyes";
    else if (second && c->reason)
        h.confirm = "case.rejection_proposed";
    return h;
}

static json_t *actions_of(const fw_show *s, const fw_case *c, const hindrance *h)
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
    json_t *o = json_object();

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        bool ok = may(s, c, rel, actions[i].cmd) && !h->all &&
                  !(h->confirm && actions[i].cmd == FW_CMD_CASE_CONFIRM);

        if (ok)
            fw_show_set(o, s, actions[i].name, "/review/%" APR_INT64_T_FMT "/%s", c->id,
                        actions[i].path);
        else
            json_object_set_new(o, actions[i].name, json_null());
    }
    return o;
}

/* Who may end the permit, while it is in force. */
static json_t *revoke_of(const fw_show *s, const json_t *permit)
{
    const char *no = json_string_value(json_object_get(permit, "permit_no"));
    const json_t *state = json_object_get(permit, "state");
    const char *code = json_string_value(json_object_get(state, "code"));

    if (!no || !code || strcmp(code, "valid") != 0 ||
        !fw_access_allowed("permit.revoke", s->actor->roles, FW_REL_ANY))
        return json_null();
    return json_pack("{s:s}", "action", apr_psprintf(s->pool, "/admin/permits/%s/revoke", no));
}

static const fw_err *next_href(const fw_show *s, const fw_case *c, json_t **out)
{
    bool second = c->state == FW_STATE_SECOND_REVIEW;
    apr_array_header_t *lines = NULL;
    fw_case_ask ask = {.list = second ? FW_LIST_STATION : FW_LIST_REVIEWER,
                       .id = s->actor->account_id,
                       .text = s->actor->station ? s->actor->station : "",
                       .state = second ? "second_review" : "initial_review",
                       .limit = 2};

    FW_TRY(fw_case_list(s->db, &ask, &lines, s->pool));
    *out = json_null();
    for (int i = 0; i < lines->nelts; i++) {
        const fw_case_line *l = &APR_ARRAY_IDX(lines, i, fw_case_line);

        if (l->id == c->id)
            continue;
        *out = json_string(apr_psprintf(s->pool, "/review/%" APR_INT64_T_FMT, l->id));
        break;
    }
    return NULL;
}

const fw_err *fw_show_review(const fw_show *s, const fw_dossier *d, json_t **model)
{
    const fw_case *c = d->kase;
    const char *at = apr_psprintf(s->pool, "/review/%" APR_INT64_T_FMT, c->id);
    hindrance h = hindrance_of(s, c);
    const char *why_not = h.all ? h.all : h.confirm;
    fw_show_form form = {
        .service = d->service, .data = d->data, .marks = d->marks, .version = c->version};
    json_t *o = json_object(), *part = NULL;

    *model = o;
    FW_TRY(fw_show_case_head(s, c, true, &part));
    json_object_set_new(o, "case", part);
    json_object_set_new(o, "sections", sections_of(s, d, &form));
    json_object_set_new(o, "files", files_of(s, d, apr_pstrcat(s->pool, at, "/files", NULL)));
    json_object_set_new(o, "may", actions_of(s, c, &h));
    json_object_set_new(o, "why_not", fw_show_string(why_not ? fw_show_text(s, why_not) : NULL));
    json_object_set_new(o, "reason", fw_show_string(c->reason));
    json_object_set_new(o, "history", fw_show_history(s, d));
    FW_TRY(fw_show_documents(s, c, at, &part));
    json_object_set_new(o, "documents", part);
    FW_TRY(fw_show_permit(s, c->permit_id, &part));
    json_object_set_new(o, "revoke", revoke_of(s, part));
    json_object_set_new(o, "permit", part);
    FW_TRY(next_href(s, c, &part));
    json_object_set_new(o, "next_href", part);
    return NULL;
}
