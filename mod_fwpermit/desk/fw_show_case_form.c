#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

/* The application's form: filled in, checked, overtaken. */

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
    json_t *data = fw_show_keep(json_copy(d->data), s->pool), *v;
    const char *name;

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
    json_object_set_new(o, "marks", fw_show_marks(s, d->service, d->marks));
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
