#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"

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
    json_t *data = fw_json_keep(json_copy(d->data), s->pool), *v;
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
                                const fw_refusal *problems, int n, fw_value *model)
{
    json_t *data = typed ? laid_over(s, d, typed) : d->data;
    apr_array_header_t *missing = NULL;
    fw_show_form form = form_of(s, d, data);
    fw_value o = fw_object(s->pool);

    *model = o;
    FW_TRY(fw_show_case_letter(s, d, &form.letter));
    form.problems = problems;
    form.n_problems = n;
    fw_set(o, "case", fw_show_case_head(s, d->kase, false));
    fw_set(o, "form", fw_show_form_model(s, &form));
    fw_set(o, "action", fw_text(case_at(s, d, "edit")));
    fw_set(o, "check_href", fw_text(case_at(s, d, "check")));
    fw_set(o, "missing_n", fw_number(fw_dossier_missing(s, d, &missing)));
    fw_set(o, "is_returned", fw_bool(form.only_marked));
    fw_set(o, "deadline", fw_time(d->kase->deadline));
    fw_set(o, "marks", fw_show_marks(s, d->service, d->marks));
    return NULL;
}

const fw_err *fw_show_case_check(const fw_show *s, const fw_dossier *d, fw_value *model)
{
    const char *edit = case_at(s, d, "edit");
    apr_array_header_t *missing = NULL;
    int n = fw_dossier_missing(s, d, &missing);
    fw_value o = fw_object(s->pool);

    *model = o;
    fw_set(o, "case", fw_show_case_head(s, d->kase, false));
    fw_set(o, "missing",
           fw_show_problems(s, d->service, (const fw_refusal *)missing->elts, n, edit));
    fw_set(o, "ready", fw_bool(n == 0));
    fw_set(o, "sections", fw_show_sections(s, d->service, d->data, edit));
    fw_set(o, "files", fw_show_files(s, d->service, d->files, d->n_files, case_at(s, d, "files")));
    fw_set(o, "unchecked", fw_number(fw_dossier_unchecked(d)));
    fw_set(o, "submit_action", fw_text(case_at(s, d, "submit")));
    fw_set(o, "edit_href", fw_text(edit));
    fw_set(o, "is_returned", fw_bool(d->kase->state == FW_STATE_RETURNED));
    fw_set(o, "deadline", fw_time(d->kase->deadline));
    return NULL;
}

const fw_err *fw_show_case_stale(const fw_show *s, const fw_dossier *d, const json_t *typed,
                                 fw_value *model)
{
    fw_value o = fw_object(s->pool), changed = fw_list(s->pool);
    fw_show_form form = form_of(s, d, laid_over(s, d, typed));
    const char *name;
    json_t *v;

    *model = o;
    fw_set(o, "changed", changed);
    json_object_foreach((json_t *)(uintptr_t)typed, name, v)
    {
        const fw_field *f = fw_service_field(d->service, name);
        const char *yours = json_string_value(v);
        const char *now = json_string_value(json_object_get(d->data, name));

        if (f && strcmp(yours ? yours : "", now ? now : "") != 0)
            fw_add(changed, fw_pack(s->pool, "{s:s, s:s, s:s, s:s}", "field", f->name, "label",
                                    fw_label_text(&f->label, s->lang), "now",
                                    fw_show_value(s, f, now), "yours", fw_show_value(s, f, yours)));
    }
    fw_set(o, "case", fw_show_case_head(s, d->kase, false));
    fw_set(o, "form", fw_show_form_model(s, &form));
    fw_set(o, "edit_href", fw_text(case_at(s, d, "edit")));
    fw_set(o, "action", fw_text(case_at(s, d, "edit")));
    return NULL;
}
