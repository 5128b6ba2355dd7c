#include "fw_config.h"
#include "fw_show.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_access.h"
#include "fw_template.h"

static const char *text_in(const json_t *o, const char *name)
{
    const char *v = json_string_value(json_object_get(o, name));

    return v ? v : "";
}

static const char *error_of(const fw_show *s, const fw_show_form *form, const char *name)
{
    for (int i = 0; i < form->n_problems; i++) {
        if (form->problems[i].field && strcmp(form->problems[i].field, name) == 0)
            return fw_show_reason(s, &form->problems[i]);
    }
    return NULL;
}

static const char *mark_of(const fw_show *s, const json_t *marks, const char *name)
{
    size_t i;
    json_t *m;

    json_array_foreach((json_t *)(uintptr_t)marks, i, m)
    {
        const char *reason = fw_show_mark_reason(s, m);

        if (strcmp(text_in(m, "item"), name) == 0)
            return reason ? reason : "";
    }
    return NULL;
}

/* ---- options ---- */

static void add_option(const fw_show *s, fw_value list, const char *value, const char *label,
                       const char *chosen)
{
    fw_add(list, fw_pack(s->pool, "{s:s, s:s, s:b}", "value", value, "label", label, "selected",
                         strcmp(value, chosen) == 0));
}

static fw_value country_options(const fw_show *s, const char *chosen)
{
    bool english = strncmp(s->lang, "en", 2) == 0;
    fw_value list = fw_list(s->pool);
    int n = 0;
    const fw_country *all = fw_codes_countries(s->desk->codes, &n);

    for (int i = 0; i < n; i++) {
        if (!all[i].special || strcmp(all[i].code, chosen) == 0)
            add_option(s, list, all[i].code, english ? all[i].en : all[i].zh, chosen);
    }
    return list;
}

static fw_value sex_options(const fw_show *s, const char *chosen)
{
    fw_value list = fw_list(s->pool);

    add_option(s, list, "F", fw_show_text(s, "sex.F"), chosen);
    add_option(s, list, "M", fw_show_text(s, "sex.M"), chosen);
    add_option(s, list, "X", fw_show_text(s, "sex.X"), chosen);
    return list;
}

static fw_value choice_options(const fw_show *s, const fw_field *f, const char *chosen)
{
    fw_value list = fw_list(s->pool);

    for (int i = 0; i < f->n_choices; i++)
        add_option(s, list, f->choices[i].value, fw_label_text(&f->choices[i].label, s->lang),
                   chosen);
    return list;
}

/* ---- files ---- */

static fw_value one_file(const fw_show *s, const fw_file *f, const char *at)
{
    fw_value o = fw_object(s->pool);

    fw_set(o, "id", fw_show_id(s, f->id));
    fw_set(o, "name", fw_text(f->name));
    fw_set(o, "size", fw_text(fw_show_size(s, f->size)));
    fw_set(o, "mime", fw_text(f->mime));
    if (fw_access_file(s->actor, f))
        fw_show_set(o, s, "href", "%s/%" APR_INT64_T_FMT, at, f->id);
    else
        fw_set(o, "href", fw_null());
    fw_set(o, "taken",
           f->taken_from ? fw_text(fw_date_text(fw_date_of(f->created), s->pool)) : fw_null());
    fw_set(o, "scan", fw_text(fw_scan_name(f->scan)));
    fw_set(o, "is_pending", fw_bool(f->scan == FW_SCAN_PENDING));
    fw_set(o, "is_infected", fw_bool(f->scan == FW_SCAN_INFECTED));
    fw_show_set(o, s, "remove", "%s/%" APR_INT64_T_FMT "/remove", at, f->id);
    fw_set(o, "is_image", fw_bool(strncmp(f->mime, "image/", 6) == 0));
    return o;
}

static fw_value files_of(const fw_show *s, const fw_show_form *form, const char *slot)
{
    fw_value list = fw_list(s->pool);

    for (int i = 0; i < form->n_files; i++) {
        if (form->files[i].current && strcmp(form->files[i].slot, slot) == 0)
            fw_add(list, one_file(s, &form->files[i], form->files_at));
    }
    return list;
}

fw_value fw_show_files(const fw_show *s, const fw_service *service, const fw_file *files, int n,
                       const char *files_at)
{
    fw_value list = fw_list(s->pool);

    for (int i = 0; i < n; i++) {
        const fw_field *f = fw_service_field(service, files[i].slot);
        fw_value o;

        if (!files[i].current || !f)
            continue;
        o = one_file(s, &files[i], files_at);
        fw_set(o, "slot", fw_text(f->name));
        fw_set(o, "label", fw_text(fw_label_text(&f->label, s->lang)));
        fw_add(list, o);
    }
    return list;
}

/* ---- fields ---- */

#define CHOICES_AS_RADIOS 6
#define LINE_OF_TEXT      200

/* What kind of control the field is. */
static const char *flag_of(const fw_field *f)
{
    static const char *const flags[FW_FIELDS] = {
        [FW_FIELD_DATE] = "is_date",       [FW_FIELD_MRZ] = "is_mrz",
        [FW_FIELD_COUNTRY] = "is_select",  [FW_FIELD_SEX] = "is_radio",
        [FW_FIELD_CONFIRM] = "is_confirm", [FW_FIELD_FILE] = "is_file",
        [FW_FIELD_PHOTO] = "is_photo"};

    if (f->type == FW_FIELD_CHOICE)
        return f->n_choices > CHOICES_AS_RADIOS ? "is_select" : "is_radio";
    if (f->type == FW_FIELD_TEXT && f->max > LINE_OF_TEXT)
        return "is_area";
    return flags[f->type] ? flags[f->type] : "is_text";
}

static const char *inputmode_of(const fw_field *f)
{
    switch ((int)f->type) {
    case FW_FIELD_NUMBER:
    case FW_FIELD_BAN:
        return "numeric";
    case FW_FIELD_PHONE:
        return "tel";
    case FW_FIELD_EMAIL:
        return "email";
    default:
        return NULL;
    }
}

static void set_options(const fw_show *s, fw_value o, const fw_field *f, const char *value)
{
    switch ((int)f->type) {
    case FW_FIELD_COUNTRY:
        fw_set(o, "options", country_options(s, value));
        break;
    case FW_FIELD_SEX:
        fw_set(o, "options", sex_options(s, value));
        break;
    case FW_FIELD_CHOICE:
        fw_set(o, "options", choice_options(s, f, value));
        break;
    default:
        break;
    }
}

static void set_conditions(const fw_show *s, fw_value o, const fw_field *f)
{
    static const char *const ops[] = {
#define X(id, name) name,
        FW_OPS(X)
#undef X
    };
    const char *json = NULL;
    apr_size_t n;
    fw_value list;

    if (f->n_conditions == 0) {
        fw_set(o, "when", fw_null());
        return;
    }
    list = fw_list(s->pool);
    for (int i = 0; i < f->n_conditions; i++)
        fw_add(list, fw_pack(s->pool, "{s:s, s:s, s:s?}", "field", f->conditions[i].field, "op",
                             ops[f->conditions[i].op], "value", f->conditions[i].value));
    if (!fw_value_json(list, &json, &n, s->pool))
        fw_set(o, "when", fw_text(json));
}

static void set_upload(const fw_show *s, fw_value o, const fw_show_form *form, const fw_field *f)
{
    if (!fw_field_is_file(f))
        return;
    fw_set(o, "is_filelike", fw_bool(true));
    fw_show_set(o, s, "upload", "%s/%s", form->files_at ? form->files_at : "", f->name);
    fw_set(o, "accept", fw_text(f->accept));
    fw_set(o, "max_bytes", fw_number(f->max_bytes));
    fw_set(o, "max_files", fw_number(f->max_files));
    fw_set(o, "files", files_of(s, form, f->name));
}

fw_value fw_show_field(const fw_show *s, const fw_show_form *form, const fw_field *f)
{
    const char *value = text_in(form->data, f->name);
    const char *mark = form->marks ? mark_of(s, form->marks, f->name) : NULL;
    fw_value o = fw_object(s->pool);

    fw_set(o, "name", fw_text(f->name));
    fw_show_set(o, s, "id", "f-%s", f->name);
    fw_set(o, "label", fw_text(fw_label_text(&f->label, s->lang)));
    fw_set(o, "hint", fw_text(fw_label_text(&f->hint, s->lang)));
    fw_set(o, "required", fw_bool(f->required));
    fw_set(o, "value", fw_text(value));
    fw_set(o, "error", fw_text(error_of(s, form, f->name)));
    fw_set(o, "max", fw_number(f->max));
    fw_set(o, "mark", fw_text(mark));
    fw_set(o, "locked", fw_bool(form->only_marked && !mark));
    fw_set(o, "hidden", fw_bool(!fw_form_asked(form->service, f, form->data)));
    fw_set(o, "inputmode", fw_text(inputmode_of(f)));
    fw_set(o, "autocomplete", fw_text("off"));
    fw_set(o, flag_of(f), fw_bool(true));
    if (f->type == FW_FIELD_CONFIRM)
        fw_set(o, "checked", fw_bool(strcmp(value, "yes") == 0));
    fw_set(o, "letter",
           f->type == FW_FIELD_PERMIT_LETTER && fw_is(form->letter) ? form->letter : fw_null());
    set_conditions(s, o, f);
    set_options(s, o, f, value);
    set_upload(s, o, form, f);
    return o;
}

fw_value fw_show_form_model(const fw_show *s, const fw_show_form *form)
{
    fw_value sections = fw_list(s->pool);

    for (int i = 0; i < form->service->n_sections; i++) {
        const fw_section *section = &form->service->sections[i];
        fw_value fields = fw_list(s->pool);

        for (int k = section->first; k < section->first + section->n; k++)
            fw_add(fields, fw_show_field(s, form, &form->service->fields[k]));
        fw_add(sections, fw_pack(s->pool, "{s:s, s:s, s:s, s:o}", "name", section->name, "title",
                                 fw_label_text(&section->title, s->lang), "hint",
                                 fw_label_text(&section->hint, s->lang), "fields", fields));
    }
    return fw_pack(s->pool, "{s:i, s:o}", "version", form->version, "sections", sections);
}

fw_value fw_show_sections(const fw_show *s, const fw_service *service, const json_t *data,
                          const char *edit)
{
    fw_value sections = fw_list(s->pool);

    for (int i = 0; i < service->n_sections; i++) {
        const fw_section *section = &service->sections[i];
        fw_value rows = fw_list(s->pool), o;

        for (int k = section->first; k < section->first + section->n; k++) {
            const fw_field *f = &service->fields[k];
            const char *value = text_in(data, f->name);

            if (!*value || !fw_form_asked(service, f, data))
                continue;
            fw_add(rows, fw_pack(s->pool, "{s:s, s:s, s:s, s:b}", "name", f->name, "label",
                                 fw_label_text(&f->label, s->lang), "value",
                                 fw_show_value(s, f, value), "is_mrz", f->type == FW_FIELD_MRZ));
        }
        if (fw_size(rows) == 0)
            continue;
        o = fw_pack(s->pool, "{s:s, s:o}", "title", fw_label_text(&section->title, s->lang), "rows",
                    rows);
        if (edit)
            fw_show_set(o, s, "href", "%s#s-%s", edit, section->name);
        fw_add(sections, o);
    }
    return sections;
}

fw_value fw_show_problems(const fw_show *s, const fw_service *service, const fw_refusal *problems,
                          int n, const char *edit)
{
    fw_value list = fw_list(s->pool);

    for (int i = 0; i < n; i++) {
        const fw_refusal *r = &problems[i];
        const fw_field *f = r->field ? fw_service_field(service, r->field) : NULL;
        fw_value o =
            fw_pack(s->pool, "{s:s?, s:s, s:s, s:s}", "field", r->field, "key", r->key, "label",
                    f ? fw_label_text(&f->label, s->lang) : "", "reason", fw_show_reason(s, r));

        if (edit && f)
            fw_show_set(o, s, "href", "%s#f-%s", edit, f->name);
        fw_add(list, o);
    }
    return list;
}
