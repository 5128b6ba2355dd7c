#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#define EVENTS_SHOWN 1000

/* A case with what belongs to it, and its history. */

/* ---- the dossier ---- */

static apr_status_t free_json(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

json_t *fw_show_keep(json_t *o, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, o, free_json, apr_pool_cleanup_null);
    return o;
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

json_t *fw_show_marks(const fw_show *s, const fw_service *service, const json_t *marks)
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
    json_object_set_new(o, "reasons", fw_show_marks(s, d->service, json_object_get(data, "marks")));
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
