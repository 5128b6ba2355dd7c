#include "fw_config.h"
#include "fw_rules.h"

#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#define US_PER_HOUR ((apr_time_t)3600 * APR_USEC_PER_SEC)
#define US_PER_DAY  (24 * US_PER_HOUR)
#define YEARS_MOST  100

typedef struct version {
    fw_date from;
    fw_rule_set set;
} version;

struct fw_rules {
    version *versions; /* by date */
    int n;
};

static bool read_number(const json_t *o, const char *name, int *out)
{
    json_int_t v = json_integer_value(json_object_get(o, name));

    *out = (int)v;
    return v > 0 && v < 1000;
}

static bool read_late_fine(const json_t *o, fw_rule_set *set)
{
    json_int_t least = json_integer_value(json_object_get(o, "late_fine_least"));
    json_int_t most = json_integer_value(json_object_get(o, "late_fine_most"));

    set->late_fine_least = (int)least;
    set->late_fine_most = (int)most;
    return least > 0 && least <= most && most <= FW_FINE_MOST;
}

static const fw_err *read_version(version *v, const json_t *o, const char *file, apr_pool_t *pool)
{
    const char *from = json_string_value(json_object_get(o, "from"));

    if (!from || !fw_date_parse(from, &v->from))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: a version without its date \"from\"", file);
    if (!read_number(o, "draft_days", &v->set.draft_days) ||
        !read_number(o, "supplement_days", &v->set.supplement_days) ||
        !read_number(o, "supplement_abroad_months", &v->set.supplement_abroad_months) ||
        !read_number(o, "payment_working_days", &v->set.payment_working_days) ||
        !read_number(o, "arrival_days", &v->set.arrival_days) ||
        !read_number(o, "remind_days", &v->set.remind_days))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: the version of %s lacks a number from 1 to 999",
                      file, from);
    if (!read_late_fine(o, &v->set))
        return FW_ERR(
            pool, FW_E_CONFIG, 0,
            "%s: the version of %s: late_fine_least to late_fine_most is no span of fines", file,
            from);
    return NULL;
}

const fw_err *fw_rules_load(fw_rules **out, const char *file, apr_pool_t *pool)
{
    json_error_t e;
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &e);
    const json_t *list = json_object_get(root, "versions");
    size_t n = json_array_size(list);
    fw_rules *rules = apr_pcalloc(pool, sizeof(*rules));
    const fw_err *err = NULL;

    if (!root)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:%d: %s", file, e.line, e.text);
    rules->versions = apr_pcalloc(pool, sizeof(version) * (n + 1));
    rules->n = (int)n;
    if (n == 0)
        err = FW_ERR(pool, FW_E_CONFIG, 0, "%s: no versions", file);
    for (size_t i = 0; i < n && !err; i++) {
        err = read_version(&rules->versions[i], json_array_get(list, i), file, pool);
        if (!err && i > 0 &&
            fw_date_days(rules->versions[i].from) <= fw_date_days(rules->versions[i - 1].from))
            err = FW_ERR(pool, FW_E_CONFIG, 0, "%s: the versions are not in order of date", file);
    }
    json_decref(root);
    *out = rules;
    return err;
}

const fw_rule_set *fw_rules_at(const fw_rules *rules, fw_date day)
{
    const fw_rule_set *set = &rules->versions[0].set;

    for (int i = 1; i < rules->n; i++) {
        if (fw_date_days(rules->versions[i].from) <= fw_date_days(day))
            set = &rules->versions[i].set;
    }
    return set;
}

apr_time_t fw_terms_arrival(const fw_rules *rules, const fw_calendar *calendar, fw_date entered)
{
    int days = fw_rules_at(rules, entered)->arrival_days;

    return fw_date_end(fw_calendar_legal_last_day(calendar, entered, days));
}

/* The last day of a term that begins with `from`: the eve of the same day so many months later; where that month
 * has no such day, its last one (Civil Code art. 121). */
static fw_date term_end(fw_date from, int months)
{
    fw_date end = fw_date_add_months(from, months);

    return end.d == from.d ? fw_date_from_days(fw_date_days(end) - 1) : end;
}

int64_t fw_fee_reckon(const fw_service *service, fw_date from, fw_date to)
{
    int years = 1;

    if (!service->fee_per_year)
        return service->fee;
    while (years < YEARS_MOST && fw_date_compare(term_end(from, 12 * years), to) < 0)
        years++;
    return service->fee * years;
}

/* The office's clock: hours run on, and the hours of days off are not counted. */
static apr_time_t due_time(const fw_calendar *calendar, apr_time_t now, int hours)
{
    fw_date today = fw_date_of(now);
    bool open = fw_calendar_works(calendar, today);
    apr_time_t due = (open ? now : fw_date_end(today) + 1) + hours * US_PER_HOUR;

    for (long day = fw_date_days(today) + 1; day <= fw_date_days(fw_date_of(due)); day++) {
        if (!fw_calendar_works(calendar, fw_date_from_days(day)))
            due += US_PER_DAY;
    }
    return due;
}

static void reckon_validity(fw_terms *out, const fw_service *service, const char *data,
                            fw_date today, apr_pool_t *pool)
{
    json_t *doc = data && service->until_field ? json_loads(data, 0, NULL) : NULL;
    const char *until = doc ? json_string_value(json_object_get(doc, service->until_field)) : NULL;
    fw_date from = fw_date_from_days(fw_date_days(today) + 1);
    fw_date to = term_end(from, service->max_months);
    fw_date end;

    if (until && fw_date_parse(until, &end) && fw_date_days(end) < fw_date_days(to))
        to = end;
    json_decref(doc);
    out->valid_from = fw_date_text(from, pool);
    out->valid_to = fw_date_text(to, pool);
    out->fee = fw_fee_reckon(service, from, to);
}

void fw_terms_reckon(fw_terms *out, const fw_rules *rules, const fw_calendar *calendar,
                     const fw_service *service, const char *data, apr_time_t now, apr_pool_t *pool)
{
    fw_date today = fw_date_of(now);
    const fw_rule_set *set = fw_rules_at(rules, today);
    fw_date tomorrow = fw_date_from_days(fw_date_days(today) + 1);
    fw_date abroad = term_end(tomorrow, set->supplement_abroad_months);
    int abroad_days = (int)(fw_date_days(abroad) - fw_date_days(today));

    *out = (fw_terms){0};
    out->draft_until = fw_date_end(fw_date_from_days(fw_date_days(today) + set->draft_days));
    out->supplement_until =
        fw_date_end(fw_calendar_legal_last_day(calendar, today, set->supplement_days));
    out->supplement_abroad_until =
        fw_date_end(fw_calendar_legal_last_day(calendar, today, abroad_days));
    out->payment_until =
        fw_date_end(fw_calendar_add_working_days(calendar, today, set->payment_working_days));
    if (!service)
        return;
    out->due = due_time(calendar, now, service->clock_hours);
    out->kind = service->kind;
    reckon_validity(out, service, data, today, pool);
}
