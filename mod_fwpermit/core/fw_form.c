#include "fw_config.h"
#include "fw_form.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_form_int.h"
#include "fw_json.h"

bool fw_form_asked(const fw_service *service, const fw_field *field, const json_t *data)
{
    for (int i = 0; i < field->n_conditions; i++) {
        const fw_condition *c = &field->conditions[i];
        const fw_field *on = fw_service_field(service, c->field);
        const char *value = json_string_value(json_object_get(data, c->field));

        if (!fw_form_holds(c->op, value, c->value) || !fw_form_asked(service, on, data))
            return false;
    }
    return true;
}

/* "manufacturing|fishery" has "fishery". */
static bool listed(const char *list, const char *value)
{
    size_t n = strlen(value);

    for (const char *p = list; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        if (strncmp(p, value, n) == 0 && (p[n] == '|' || p[n] == '\0'))
            return true;
    }
    return false;
}

bool fw_form_holds(fw_op_e op, const char *value, const char *wanted)
{
    bool there = value && *value;

    switch ((int)op) {
    case FW_OP_EQ:
        return there && strcmp(value, wanted) == 0;
    case FW_OP_NE:
        return there && strcmp(value, wanted) != 0;
    case FW_OP_IN:
        return there && listed(wanted, value);
    case FW_OP_PRESENT:
        return there;
    case FW_OP_ABSENT:
        return !there;
    default:
        return false;
    }
}

/* ---- rules between fields ---- */

static bool rule_date(const fw_form_env *env, const fw_cross_rule *rule, const json_t *data,
                      fw_date *out)
{
    const char *other;

    if (strcmp(rule->other, "today") == 0) {
        *out = env->today;
    } else {
        other = json_string_value(json_object_get(data, rule->other));
        if (!other || !fw_date_parse(other, out))
            return false;
    }
    *out = fw_date_add_years(*out, rule->years);
    *out = fw_date_add_months(*out, rule->months);
    *out = fw_date_from_days(fw_date_days(*out) + rule->days);
    return true;
}

static bool dates_hold(const fw_form_env *env, const fw_cross_rule *rule, const char *value,
                       const json_t *data)
{
    fw_date mine, other;
    long apart;

    if (!fw_date_parse(value, &mine) || !rule_date(env, rule, data, &other))
        return true; /* the field's own problem is told already */
    apart = fw_date_days(mine) - fw_date_days(other);
    switch ((int)rule->op) {
    case FW_OP_BEFORE:
        return apart < 0;
    case FW_OP_NOT_BEFORE:
        return apart >= 0;
    case FW_OP_AFTER:
        return apart > 0;
    default:
        return apart <= 0;
    }
}

static bool matches_mrz(const fw_form_env *env, const char *name, const char *value,
                        const char *text)
{
    fw_mrz mrz = {0};

    if (!text || !*text || fw_mrz_parse(text, env->today, &mrz, env->pool))
        return true;
    if (strcmp(name, "name_latin") == 0)
        return fw_name_matches_mrz(value, mrz.surname, mrz.given);
    if (strcmp(name, "passport_no") == 0)
        return strcmp(value, mrz.number) == 0;
    if (strcmp(name, "birth") == 0) /* parts may be unknown there */
        return strncmp(value, mrz.birth, strlen(mrz.birth)) == 0;
    if (strcmp(name, "passport_expiry") == 0)
        return strcmp(value, mrz.expiry) == 0;
    if (strcmp(name, "nationality") == 0)
        return strcmp(value, mrz.nationality) == 0;
    if (strcmp(name, "sex") == 0)
        return mrz.sex == 'X' || *value == mrz.sex;
    return true;
}

static bool rule_holds(const fw_form_env *env, const fw_cross_rule *rule, const json_t *data)
{
    const char *value = json_string_value(json_object_get(data, rule->field));
    const char *other = rule->other ? json_string_value(json_object_get(data, rule->other)) : NULL;

    if (rule->op == FW_OP_PRESENT || rule->op == FW_OP_ABSENT)
        return fw_form_holds(rule->op, value, NULL);
    if (!value || !*value)
        return true; /* whether it must be there is not this rule's matter */
    if (rule->op < FW_OP_PRESENT)
        return fw_form_holds(rule->op, value, rule->value);
    if (rule->op == FW_OP_SAME)
        return other && strcmp(value, other) == 0;
    if (rule->op == FW_OP_DIFFERENT)
        return !other || strcmp(value, other) != 0;
    if (rule->op == FW_OP_MATCHES_MRZ)
        return matches_mrz(env, rule->field, value, other);
    return dates_hold(env, rule, value, data);
}

static const char *message_args(const fw_label *message, apr_pool_t *pool)
{
    json_t *o = json_pack("{s:s, s:s}", "zh", fw_label_text(message, "zh-Hant"), "en",
                          fw_label_text(message, "en"));
    const char *text = fw_json_text(o, JSON_COMPACT, pool);

    json_decref(o);
    return text;
}

/* ---- the whole form ---- */

static void add(apr_array_header_t *problems, const char *field, const char *key, const char *args)
{
    fw_refusal *r = apr_array_push(problems);

    *r = (fw_refusal){field, key, args};
}

static const char *name_args(const fw_file *file, apr_pool_t *pool)
{
    json_t *args = json_pack("{s:s}", "name", file->name);
    const char *text = fw_json_text(args, JSON_COMPACT, pool);

    json_decref(args);
    return text;
}

/* What is infected must go, asked for or not; what a scanner has yet to judge may be filed. */
static void check_files(const fw_form_env *env, apr_array_header_t *problems, const fw_field *f,
                        bool asked, const fw_file *files, int n_files)
{
    int n = 0;

    for (int i = 0; i < n_files; i++) {
        if (!files[i].current || strcmp(files[i].slot, f->name) != 0)
            continue;
        n++;
        if (files[i].scan == FW_SCAN_INFECTED)
            add(problems, f->name, "file.infected", name_args(&files[i], env->pool));
    }
    if (asked && f->required && n == 0)
        add(problems, f->name, "field.file_missing", NULL);
}

static bool told(const apr_array_header_t *problems, const char *field)
{
    for (int i = 0; i < problems->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(problems, i, fw_refusal).field, field) == 0)
            return true;
    }
    return false;
}

static bool rule_applies(const fw_service *service, const fw_cross_rule *rule, const json_t *data)
{
    const fw_field *f = fw_service_field(service, rule->field);
    const fw_field *o = rule->other ? fw_service_field(service, rule->other) : NULL;

    return fw_form_asked(service, f, data) && (!o || fw_form_asked(service, o, data));
}

/* One problem for each field: what is wrong by itself comes before what does not fit the rest. */
static void check_rules(const fw_form_env *env, const fw_service *service, const json_t *data,
                        apr_array_header_t *problems)
{
    for (int i = 0; i < service->n_rules; i++) {
        const fw_cross_rule *rule = &service->rules[i];

        if (!told(problems, rule->field) && rule_applies(service, rule, data) &&
            !rule_holds(env, rule, data))
            add(problems, rule->field, "field.rule", message_args(&rule->message, env->pool));
    }
}

apr_array_header_t *fw_form_problems(const fw_form_env *env, const fw_service *service,
                                     const json_t *data, const fw_file *files, int n_files)
{
    apr_array_header_t *problems = apr_array_make(env->pool, 8, sizeof(fw_refusal));

    for (int i = 0; i < service->n_fields; i++) {
        const fw_field *f = &service->fields[i];
        const char *value = json_string_value(json_object_get(data, f->name));
        bool asked = fw_form_asked(service, f, data);
        const fw_refusal *why;

        if (fw_field_is_file(f))
            check_files(env, problems, f, asked, files, n_files);
        if (!asked || fw_field_is_file(f))
            continue;
        if (!value || !*value) {
            if (f->required)
                add(problems, f->name,
                    f->type == FW_FIELD_CONFIRM ? "field.confirm" : "field.required", NULL);
            continue;
        }
        why = fw_form_check_value(env, f, value);
        if (why)
            add(problems, f->name, why->key, why->args);
    }
    check_rules(env, service, data, problems);
    return problems;
}

/* ---- what is taken over ---- */

static bool say_same(const char *names, const json_t *was, const json_t *now, apr_pool_t *pool)
{
    char *rest = names ? apr_pstrdup(pool, names) : NULL, *last = NULL;

    for (char *name = rest ? apr_strtok(rest, " ", &last) : NULL; name;
         name = apr_strtok(NULL, " ", &last)) {
        const char *a = json_string_value(json_object_get(was, name));
        const char *b = json_string_value(json_object_get(now, name));

        if (strcmp(a ? a : "", b ? b : "") != 0)
            return false;
    }
    return true;
}

bool fw_form_file_good(const fw_form_env *env, const fw_field *field, const fw_file *file,
                       const json_t *was, const json_t *now)
{
    fw_date until = fw_date_add_months(fw_date_of(file->created), field->fresh_months);

    if (field->fresh_months && fw_date_compare(env->today, until) > 0)
        return false;
    return was && say_same(field->same, was, now, env->pool);
}

void fw_form_check_taken(const fw_form_env *env, const fw_service *service, const json_t *data,
                         const fw_file *files, int n_files, apr_array_header_t *problems)
{
    for (int i = 0; i < n_files; i++) {
        const fw_field *f = fw_service_field(service, files[i].slot);

        if (files[i].taken_from && f && !told(problems, f->name) &&
            !fw_form_file_good(env, f, &files[i], fw_json_parse(files[i].taken_data, env->pool),
                               data))
            add(problems, f->name, "file.not_good", NULL);
    }
}

void fw_form_take(const fw_form_env *env, const fw_service *service, json_t *data,
                  const json_t *fields, apr_array_header_t *problems, apr_array_header_t *touched,
                  json_t *before)
{
    const char *name;
    json_t *given;

    json_object_foreach((json_t *)(uintptr_t)fields, name, given)
    {
        const fw_field *f = fw_service_field(service, name);
        const char *old = json_string_value(json_object_get(data, name)), *value;

        if (!f || fw_field_is_file(f) || !json_is_string(given)) {
            add(problems, apr_pstrdup(env->pool, name), "field.unknown", NULL);
            continue;
        }
        if (json_string_length(given) > FW_FORM_VALUE_MAX) {
            add(problems, f->name, "field.too_long", NULL);
            continue;
        }
        if (strlen(json_string_value(given)) != json_string_length(given)) {
            add(problems, f->name, "field.control", NULL);
            continue;
        }
        value = fw_form_normalise(env, f, json_string_value(given));
        if (strcmp(value, old ? old : "") == 0)
            continue;
        APR_ARRAY_PUSH(touched, const char *) = f->name;
        if (before)
            json_object_set_new(before, f->name, json_string(old ? old : ""));
        if (*value)
            json_object_set_new(data, f->name, json_string(value));
        else
            json_object_del(data, f->name);
    }
}
