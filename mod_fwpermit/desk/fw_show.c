#include "fw_config.h"
#include "fw_show.h"

#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

const char *fw_show_text(const fw_show *s, const char *key)
{
    return fw_locale_text(s->desk->locale, s->lang, key);
}

static bool is_english(const fw_show *s)
{
    return strncmp(s->lang, "en", 2) == 0;
}

const char *fw_show_reason(const fw_show *s, const fw_refusal *r)
{
    json_t *args = r->args ? json_loads(r->args, 0, NULL) : NULL;
    const char *text;

    /* A rule of a service brings its own words. */
    if (strcmp(r->key, "field.rule") == 0 && args) {
        text = json_string_value(json_object_get(args, is_english(s) ? "en" : "zh"));
        text = apr_pstrdup(s->pool, text ? text : "");
    } else {
        text = fw_locale_format(s->desk->locale, s->lang, r->key, args, s->pool);
    }
    json_decref(args);
    return text;
}

json_t *fw_show_time(const fw_show *s, apr_time_t t)
{
    json_t *o;

    if (!t)
        return json_null();
    o = json_object();
    json_object_set_new_nocheck(o, "iso", json_string_nocheck(fw_time_iso(t, s->pool)));
    json_object_set_new_nocheck(o, "text", json_string_nocheck(fw_time_taipei(t, s->pool)));
    return o;
}

json_t *fw_show_state(const fw_show *s, const char *kind, const char *code)
{
    static const struct {
        const char *code, *tone;
    } tones[] = {
        {"draft", "grey"},         {"submitted", "blue"},    {"initial_review", "blue"},
        {"second_review", "blue"}, {"returned", "yellow"},   {"awaiting_payment", "yellow"},
        {"paid", "blue"},          {"producing", "blue"},    {"issued", "green"},
        {"valid", "green"},        {"rejected", "red"},      {"revoked", "red"},
        {"failed", "red"},         {"superseded", "purple"}, {"wanted", "blue"},
        {"begun", "yellow"},       {"code", "yellow"}};
    const char *tone = "grey";

    for (size_t i = 0; i < sizeof(tones) / sizeof(tones[0]); i++) {
        if (strcmp(tones[i].code, code) == 0)
            tone = tones[i].tone;
    }
    if (strcmp(kind, "pay") == 0 && strcmp(code, "paid") == 0)
        tone = "green";
    return json_pack("{s:s, s:s, s:s}", "code", code, "label",
                     fw_show_text(s, apr_pstrcat(s->pool, kind, ".", code, NULL)), "tone", tone);
}

json_t *fw_show_string(const char *text)
{
    return text ? json_string(text) : json_null();
}

const char *fw_show_id_text(const fw_show *s, fw_id id)
{
    return apr_psprintf(s->pool, "%" APR_INT64_T_FMT, id);
}

json_t *fw_show_id(fw_id id)
{
    char text[24];

    apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, id);
    return json_string_nocheck(text);
}

void fw_show_set(json_t *o, const fw_show *s, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    json_object_set_new(o, name, json_string(apr_pvsprintf(s->pool, fmt, ap)));
    va_end(ap);
}

const char *fw_show_org(const fw_show *s, const char *zh, const char *en)
{
    const char *first = is_english(s) ? en : zh, *other = is_english(s) ? zh : en;

    if (first && *first)
        return first;
    return other ? other : "";
}

const char *fw_show_size(const fw_show *s, int64_t bytes)
{
    if (bytes < 1024)
        return apr_psprintf(s->pool, "%d B", (int)bytes);
    if (bytes < 1048576)
        return apr_psprintf(s->pool, "%d KB", (int)((bytes + 512) / 1024));
    return apr_psprintf(s->pool, "%d.%d MB", (int)(bytes / 1048576),
                        (int)(bytes % 1048576 * 10 / 1048576));
}

const char *fw_show_value(const fw_show *s, const fw_field *f, const char *value)
{
    const fw_country *country;

    if (!value || !*value)
        return "";
    switch ((int)f->type) {
    case FW_FIELD_COUNTRY:
        country = fw_codes_country(s->desk->codes, value);
        if (!country)
            return value;
        return apr_psprintf(s->pool, "%s (%s)", is_english(s) ? country->en : country->zh, value);
    case FW_FIELD_SEX:
        return fw_show_text(s, apr_pstrcat(s->pool, "sex.", value, NULL));
    case FW_FIELD_CONFIRM:
        return fw_show_text(s, "confirm.yes");
    case FW_FIELD_CHOICE:
        for (int i = 0; i < f->n_choices; i++) {
            if (strcmp(f->choices[i].value, value) == 0)
                return fw_label_text(&f->choices[i].label, s->lang);
        }
        return value;
    default:
        return value;
    }
}
