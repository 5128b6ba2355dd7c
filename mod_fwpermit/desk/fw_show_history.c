#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"

#define EVENTS_SHOWN 1000

/* A case with what belongs to it, and its history. */

/* ---- the dossier ---- */

const fw_err *fw_dossier_load(const fw_show *s, const fw_case *kase, bool history, fw_dossier *out)
{
    apr_array_header_t *list = NULL;

    *out = (fw_dossier){.kase = kase};
    FW_TRY(
        fw_desk_service(s->desk, s->db, kase->service, kase->service_hash, &out->service, s->pool));
    out->data = fw_json_parse(kase->data, s->pool);
    if (!out->data)
        out->data = fw_json_parse("{}", s->pool);
    out->marks = fw_json_parse(kase->marks, s->pool);
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

int fw_dossier_unchecked(const fw_dossier *d)
{
    int n = 0;

    for (int i = 0; i < d->n_files; i++)
        n += d->files[i].scan == FW_SCAN_PENDING;
    return n;
}

int fw_dossier_missing(const fw_show *s, const fw_dossier *d, apr_array_header_t **problems)
{
    fw_form_env env = fw_desk_form_env(s->desk, s->now, s->pool);

    *problems = fw_form_problems(&env, d->service, d->data, d->files, d->n_files);
    if (d->kase->state == FW_STATE_DRAFT)
        fw_form_check_taken(&env, d->service, d->data, d->files, d->n_files, *problems);
    return (*problems)->nelts;
}

/* ---- history ---- */

static const char *label_of(const fw_show *s, const fw_service *service, const char *name)
{
    const fw_field *f = fw_service_field(service, name);

    return f ? fw_label_text(&f->label, s->lang) : name;
}

static fw_value changes_of(const fw_show *s, const fw_service *service, const json_t *data)
{
    fw_value list = fw_list(s->pool);
    json_t *before = json_object_get(data, "before"), *after = json_object_get(data, "after"), *old;
    const char *name;

    json_object_foreach(before, name, old)
    {
        const fw_field *f = fw_service_field(service, name);
        const char *was = json_string_value(old);
        const char *is = json_string_value(json_object_get(after, name));

        if (f)
            fw_add(list,
                   fw_pack(s->pool, "{s:s, s:s, s:s}", "label", fw_label_text(&f->label, s->lang),
                           "before", fw_show_value(s, f, was), "after", fw_show_value(s, f, is)));
    }
    return list;
}

fw_value fw_show_marks(const fw_show *s, const fw_service *service, const json_t *marks)
{
    fw_value list = fw_list(s->pool);
    json_t *m;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)marks, i, m)
    {
        const char *item = json_string_value(json_object_get(m, "item"));
        const char *reason = fw_show_mark_reason(s, m);

        fw_add(list,
               fw_pack(s->pool, "{s:s, s:s, s:s}", "item", item ? item : "", "label",
                       item ? label_of(s, service, item) : "", "reason", reason ? reason : ""));
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
         strcmp(e->kind, "case.assign") == 0 || strncmp(e->kind, "card.", 5) == 0 ||
         strcmp(e->kind, "permit.revoke") == 0 || strncmp(e->kind, "refund.", 7) == 0 ||
         strncmp(e->kind, "receipt.", 8) == 0))
        return fw_show_text(s, "who.officer");
    return e->actor_name ? e->actor_name : "";
}

static bool is_proposal(const fw_event *e)
{
    return e->to == FW_STATE_SECOND_REVIEW && strcmp(e->kind, "case.reject") == 0;
}

/* Of a fine: which, and how much. */
static const char *fine_text(const fw_show *s, const json_t *data)
{
    const char *no = json_string_value(json_object_get(data, "fine_no"));

    if (!no)
        return NULL;
    return apr_psprintf(s->pool, "%s: NT$ %" APR_INT64_T_FMT, no,
                        (int64_t)json_integer_value(json_object_get(data, "amount")));
}

/* What an event is about beside what changed: what was marked, or the file that was judged. */
static fw_value reasons_of(const fw_show *s, const fw_dossier *d, const fw_event *e,
                           const json_t *data)
{
    const char *slot = json_string_value(json_object_get(data, "slot"));
    const char *name = json_string_value(json_object_get(data, "name"));
    fw_value list;

    if (strncmp(e->kind, "file.", 5) != 0 || !slot || !name)
        return fw_show_marks(s, d->service, json_object_get(data, "marks"));
    list = fw_list(s->pool);
    fw_add(list, fw_pack(s->pool, "{s:s, s:s, s:s}", "item", slot, "label",
                         label_of(s, d->service, slot), "reason", name));
    return list;
}

static fw_value one_event(const fw_show *s, const fw_dossier *d, const fw_event *e)
{
    const json_t *data = fw_json_parse(e->data, s->pool);
    bool inside = strcmp(e->kind, "case.send_back") == 0 && is_applicant(s);
    const char *reason = inside ? NULL : json_string_value(json_object_get(data, "reason"));
    const char *kind = is_proposal(e) ? "case.propose_reject" : e->kind;
    const char *what = fw_show_text(s, apr_pstrcat(s->pool, "event.", kind, NULL));
    fw_value o =
        fw_pack(s->pool, "{s:o, s:s, s:s, s:s, s:s?}", "when", fw_time(e->at), "what", what, "kind",
                e->kind, "who", who_did(s, e), "reason", reason ? reason : fine_text(s, data));

    fw_set(o, "changes", changes_of(s, d->service, data));
    fw_set(o, "reasons", reasons_of(s, d, e, data));
    return o;
}

fw_value fw_show_history(const fw_show *s, const fw_dossier *d)
{
    fw_value list = fw_list(s->pool);

    /* What officers propose and why they send back is between them. */
    for (int i = d->n_events - 1; i >= 0 && i > d->n_events - EVENTS_SHOWN; i--) {
        if (!is_applicant(s) || !is_proposal(&d->events[i]))
            fw_add(list, one_event(s, d, &d->events[i]));
    }
    return list;
}
