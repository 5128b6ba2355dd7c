#include "fw_config.h"
#include "fw_show.h"

#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"

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
    fw_value args = fw_of_json(fw_json_parse(r->args, s->pool), s->pool);
    const char *text;

    /* A rule of a service brings its own words. */
    if (strcmp(r->key, "field.rule") != 0 || !fw_is(args))
        return fw_locale_format(s->desk->locale, s->lang, r->key, args, s->pool);
    text = fw_chars(fw_get(args, is_english(s) ? "en" : "zh"));
    return text ? text : "";
}

fw_value fw_show_state(const fw_show *s, const char *kind, const char *code)
{
    static const struct {
        const char *code, *tone;
    } tones[] = {
        {"draft", "grey"},         {"submitted", "blue"},    {"initial_review", "blue"},
        {"second_review", "blue"}, {"returned", "yellow"},   {"awaiting_payment", "yellow"},
        {"paid", "blue"},          {"producing", "blue"},    {"issued", "green"},
        {"valid", "green"},        {"rejected", "red"},      {"revoked", "red"},
        {"failed", "red"},         {"superseded", "purple"}, {"wanted", "blue"},
        {"held", "yellow"},        {"open", "yellow"},       {"begun", "yellow"},
        {"code", "yellow"},        {"waiting", "blue"},      {"collected", "green"},
        {"ordered", "blue"},       {"accepted", "blue"},     {"made", "blue"},
        {"spoiled", "yellow"},     {"sent", "blue"},         {"arrived", "green"},
        {"cancelled", "red"},      {"due", "yellow"},        {"asked", "blue"},
        {"unknown", "blue"},       {"manual", "yellow"},     {"done", "green"},
        {"lost", "red"},           {"even", "green"},        {"differs", "red"}};
    const char *tone = "grey";
    fw_value o = fw_object(s->pool);

    for (size_t i = 0; i < sizeof(tones) / sizeof(tones[0]); i++) {
        if (strcmp(tones[i].code, code) == 0)
            tone = tones[i].tone;
    }
    if (strcmp(kind, "state") != 0 && strcmp(code, "paid") == 0)
        tone = "green";
    fw_set(o, "code", fw_text(code));
    fw_set(o, "label", fw_text(fw_show_text(s, apr_pstrcat(s->pool, kind, ".", code, NULL))));
    fw_set(o, "tone", fw_text(tone));
    return o;
}

const char *fw_show_mark_reason(const fw_show *s, const json_t *mark)
{
    const char *key = json_string_value(json_object_get(mark, "key"));
    const char *name = json_string_value(json_object_get(mark, "name"));

    if (!key)
        return json_string_value(json_object_get(mark, "reason"));
    return fw_locale_format(s->desk->locale, s->lang, key,
                            fw_pack(s->pool, "{s:s}", "name", name ? name : ""), s->pool);
}

const char *fw_show_id_text(const fw_show *s, fw_id id)
{
    return apr_psprintf(s->pool, "%" APR_INT64_T_FMT, id);
}

fw_value fw_show_id(const fw_show *s, fw_id id)
{
    return fw_text(fw_show_id_text(s, id));
}

void fw_show_set(fw_value o, const fw_show *s, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fw_set(o, name, fw_text(apr_pvsprintf(s->pool, fmt, ap)));
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
