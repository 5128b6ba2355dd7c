#include "fw_config.h"
#include "fw_show.h"

#include <string.h>

#include <apr_strings.h>

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

static const char *mark_of(const json_t *marks, const char *name)
{
    size_t i;
    json_t *m;

    json_array_foreach((json_t *)(uintptr_t)marks, i, m)
    {
        if (strcmp(text_in(m, "item"), name) == 0)
            return text_in(m, "reason");
    }
    return NULL;
}

/* ---- options ---- */

static void add_option(json_t *list, const char *value, const char *label, const char *chosen)
{
    json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "value", value, "label", label,
                                          "selected", strcmp(value, chosen) == 0));
}

static json_t *country_options(const fw_show *s, const char *chosen)
{
    bool english = strncmp(s->lang, "en", 2) == 0;
    json_t *list = json_array();
    int n = 0;
    const fw_country *all = fw_codes_countries(s->desk->codes, &n);

    for (int i = 0; i < n; i++) {
        if (!all[i].special || strcmp(all[i].code, chosen) == 0)
            add_option(list, all[i].code, english ? all[i].en : all[i].zh, chosen);
    }
    return list;
}

static json_t *sex_options(const fw_show *s, const char *chosen)
{
    json_t *list = json_array();

    add_option(list, "F", fw_show_text(s, "sex.F"), chosen);
    add_option(list, "M", fw_show_text(s, "sex.M"), chosen);
    add_option(list, "X", fw_show_text(s, "sex.X"), chosen);
    return list;
}

static json_t *choice_options(const fw_show *s, const fw_field *f, const char *chosen)
{
    json_t *list = json_array();

    for (int i = 0; i < f->n_choices; i++)
        add_option(list, f->choices[i].value, fw_label_text(&f->choices[i].label, s->lang), chosen);
    return list;
}

/* ---- files ---- */

static json_t *one_file(const fw_show *s, const fw_file *f, const char *at)
{
    json_t *o = json_object();

    json_object_set_new(o, "id", fw_show_id(f->id));
    json_object_set_new(o, "name", json_string(f->name));
    json_object_set_new(o, "size", json_string(fw_show_size(s, f->size)));
    json_object_set_new(o, "mime", json_string(f->mime));
    fw_show_set(o, s, "href", "%s/%" APR_INT64_T_FMT, at, f->id);
    fw_show_set(o, s, "remove", "%s/%" APR_INT64_T_FMT "/remove", at, f->id);
    json_object_set_new(o, "is_image", json_boolean(strncmp(f->mime, "image/", 6) == 0));
    return o;
}

static json_t *files_of(const fw_show *s, const fw_show_form *form, const char *slot)
{
    json_t *list = json_array();

    for (int i = 0; i < form->n_files; i++) {
        if (form->files[i].current && strcmp(form->files[i].slot, slot) == 0)
            json_array_append_new(list, one_file(s, &form->files[i], form->files_at));
    }
    return list;
}

json_t *fw_show_files(const fw_show *s, const fw_service *service, const fw_file *files, int n,
                      const char *files_at)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++) {
        const fw_field *f = fw_service_field(service, files[i].slot);
        json_t *o;

        if (!files[i].current || !f)
            continue;
        o = one_file(s, &files[i], files_at);
        json_object_set_new(o, "slot", json_string(f->name));
        json_object_set_new(o, "label", json_string(fw_label_text(&f->label, s->lang)));
        json_array_append_new(list, o);
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

static void set_options(const fw_show *s, json_t *o, const fw_field *f, const char *value)
{
    switch ((int)f->type) {
    case FW_FIELD_COUNTRY:
        json_object_set_new(o, "options", country_options(s, value));
        break;
    case FW_FIELD_SEX:
        json_object_set_new(o, "options", sex_options(s, value));
        break;
    case FW_FIELD_CHOICE:
        json_object_set_new(o, "options", choice_options(s, f, value));
        break;
    default:
        break;
    }
}

static void set_conditions(json_t *o, const fw_field *f, const fw_show *s)
{
    static const char *const ops[] = {
#define X(id, name) name,
        FW_OPS(X)
#undef X
    };
    json_t *list;
    char *text;

    if (f->n_conditions == 0) {
        json_object_set_new(o, "when", json_null());
        return;
    }
    list = json_array();
    for (int i = 0; i < f->n_conditions; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s?}", "field", f->conditions[i].field, "op",
                                        ops[f->conditions[i].op], "value", f->conditions[i].value));
    text = json_dumps(list, JSON_COMPACT);
    json_object_set_new(o, "when", json_string(apr_pstrdup(s->pool, text)));
    free(text);
    json_decref(list);
}

static void set_upload(const fw_show *s, json_t *o, const fw_show_form *form, const fw_field *f)
{
    if (!fw_field_is_file(f))
        return;
    json_object_set_new(o, "is_filelike", json_true());
    fw_show_set(o, s, "upload", "%s/%s", form->files_at ? form->files_at : "", f->name);
    json_object_set_new(o, "accept", fw_show_string(f->accept));
    json_object_set_new(o, "max_bytes", json_integer(f->max_bytes));
    json_object_set_new(o, "max_files", json_integer(f->max_files));
    json_object_set_new(o, "files", files_of(s, form, f->name));
}

json_t *fw_show_field(const fw_show *s, const fw_show_form *form, const fw_field *f)
{
    const char *value = text_in(form->data, f->name);
    const char *mark = form->marks ? mark_of(form->marks, f->name) : NULL;
    json_t *o = json_object();

    json_object_set_new(o, "name", json_string(f->name));
    fw_show_set(o, s, "id", "f-%s", f->name);
    json_object_set_new(o, "label", json_string(fw_label_text(&f->label, s->lang)));
    json_object_set_new(o, "hint", fw_show_string(fw_label_text(&f->hint, s->lang)));
    json_object_set_new(o, "required", json_boolean(f->required));
    json_object_set_new(o, "value", json_string(value));
    json_object_set_new(o, "error", fw_show_string(error_of(s, form, f->name)));
    json_object_set_new(o, "max", json_integer(f->max));
    json_object_set_new(o, "mark", fw_show_string(mark));
    json_object_set_new(o, "locked", json_boolean(form->only_marked && !mark));
    json_object_set_new(o, "hidden", json_boolean(!fw_form_asked(form->service, f, form->data)));
    json_object_set_new(o, "inputmode", fw_show_string(inputmode_of(f)));
    json_object_set_new(o, "autocomplete", json_string("off"));
    json_object_set_new(o, flag_of(f), json_true());
    if (f->type == FW_FIELD_CONFIRM)
        json_object_set_new(o, "checked", json_boolean(strcmp(value, "yes") == 0));
    set_conditions(o, f, s);
    set_options(s, o, f, value);
    set_upload(s, o, form, f);
    return o;
}

json_t *fw_show_form_model(const fw_show *s, const fw_show_form *form)
{
    json_t *sections = json_array();

    for (int i = 0; i < form->service->n_sections; i++) {
        const fw_section *section = &form->service->sections[i];
        json_t *fields = json_array();

        for (int k = section->first; k < section->first + section->n; k++)
            json_array_append_new(fields, fw_show_field(s, form, &form->service->fields[k]));
        json_array_append_new(sections,
                              json_pack("{s:s, s:s, s:s, s:o}", "name", section->name, "title",
                                        fw_label_text(&section->title, s->lang), "hint",
                                        fw_label_text(&section->hint, s->lang), "fields", fields));
    }
    return json_pack("{s:i, s:o}", "version", form->version, "sections", sections);
}

json_t *fw_show_sections(const fw_show *s, const fw_service *service, const json_t *data,
                         const char *edit)
{
    json_t *sections = json_array();

    for (int i = 0; i < service->n_sections; i++) {
        const fw_section *section = &service->sections[i];
        json_t *rows = json_array(), *o;

        for (int k = section->first; k < section->first + section->n; k++) {
            const fw_field *f = &service->fields[k];
            const char *value = text_in(data, f->name);

            if (!*value || !fw_form_asked(service, f, data))
                continue;
            json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:b}", "name", f->name, "label",
                                                  fw_label_text(&f->label, s->lang), "value",
                                                  fw_show_value(s, f, value), "is_mrz",
                                                  f->type == FW_FIELD_MRZ));
        }
        if (json_array_size(rows) == 0) {
            json_decref(rows);
            continue;
        }
        o = json_pack("{s:s, s:o}", "title", fw_label_text(&section->title, s->lang), "rows", rows);
        if (edit)
            fw_show_set(o, s, "href", "%s#s-%s", edit, section->name);
        json_array_append_new(sections, o);
    }
    return sections;
}

json_t *fw_show_problems(const fw_show *s, const fw_service *service, const fw_refusal *problems,
                         int n, const char *edit)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++) {
        const fw_refusal *r = &problems[i];
        const fw_field *f = r->field ? fw_service_field(service, r->field) : NULL;
        json_t *o =
            json_pack("{s:s?, s:s, s:s, s:s}", "field", r->field, "key", r->key, "label",
                      f ? fw_label_text(&f->label, s->lang) : "", "reason", fw_show_reason(s, r));

        if (edit && f)
            fw_show_set(o, s, "href", "%s#f-%s", edit, f->name);
        json_array_append_new(list, o);
    }
    return list;
}
