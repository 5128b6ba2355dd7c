#include "exposition.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_LABELS 2

/* What a sample's value is made of. */
typedef enum value_e {
    COUNT,  /* an integer */
    MOMENT, /* a time, as seconds since 1970 */
    AGE,    /* a time, as seconds before the report's own */
    STATES  /* a word: one sample for each word that it may be, 1 or 0 */
} value_e;

/* One family: of each object in the array `list` (NULL: of the object `list_of_one`, or the report itself) the member `from`. */
typedef struct family {
    const char *name, *type, *help;
    const char *list, *one;
    const char *labels[MOST_LABELS]; /* members that become labels */
    const char *from;
    value_e value;
} family;

#define PART  .list = "parts", .labels = {"name"}
#define LINK  .list = "links", .labels = {"plugin", "port"}
#define QUEUE .list = "queues", .labels = {"port"}
#define DISK  .list = "disk", .labels = {"name"}
#define STOCK .list = "stock", .labels = {"store"}
#define AUDIT .one = "audit"

static const family families[] = {
    {"fwpermit_report_timestamp_seconds", "gauge", "When this report was made.", .from = "at",
     .value = MOMENT},
    {"fwpermit_part_state", "gauge", "1 for the state that a part of the platform is in.", PART,
     .from = "state", .value = STATES},
    {"fwpermit_part_since_timestamp_seconds", "gauge", "When the part came into its state.", PART,
     .from = "since", .value = MOMENT},
    {"fwpermit_link_state", "gauge", "1 for the state that the link to another system is in.", LINK,
     .from = "state", .value = STATES},
    {"fwpermit_link_since_timestamp_seconds", "gauge", "When the link came into its state.", LINK,
     .from = "since", .value = MOMENT},
    {"fwpermit_link_last_success_timestamp_seconds", "gauge", "When the link last did its work.",
     LINK, .from = "last_ok", .value = MOMENT},
    {"fwpermit_link_failures", "gauge", "Failures in a row.", LINK, .from = "failures"},
    {"fwpermit_link_waiting", "gauge", "Deliveries that wait behind the link.", LINK,
     .from = "waiting"},
    {"fwpermit_link_waiting_cases", "gauge", "Cases with a delivery behind the link.", LINK,
     .from = "cases"},
    {"fwpermit_link_oldest_age_seconds", "gauge", "Age of the oldest delivery behind the link.",
     LINK, .from = "oldest", .value = AGE},
    {"fwpermit_link_dead_letters", "gauge", "Deliveries that were given up.", LINK, .from = "dead"},
    {"fwpermit_queue_waiting", "gauge", "Deliveries that wait, by port.", QUEUE, .from = "waiting"},
    {"fwpermit_queue_oldest_age_seconds", "gauge", "Age of the oldest delivery that waits.", QUEUE,
     .from = "oldest_s"},
    {"fwpermit_queue_dead_letters", "gauge", "Deliveries that were given up, by port.", QUEUE,
     .from = "dead"},
    {"fwpermit_audit_unsealed_records", "gauge", "Audit records without a seal.", AUDIT,
     .from = "unsealed"},
    {"fwpermit_audit_oldest_unsealed_age_seconds", "gauge", "Age of the oldest of them.", AUDIT,
     .from = "oldest_unsealed_s"},
    {"fwpermit_audit_seals_total", "counter", "Seals of the audit trail.", AUDIT,
     .from = "last_seal"},
    {"fwpermit_cases", "gauge", "Cases by state.", .list = "cases", .labels = {"state"},
     .from = "n"},
    {"fwpermit_late_cases", "gauge", "Open cases beyond their due time.", .from = "late"},
    {"fwpermit_certificate_expiry_timestamp_seconds", "gauge", "When a certificate ends.",
     .list = "certificates", .labels = {"name"}, .from = "expires", .value = MOMENT},
    {"fwpermit_card_blanks_free", "gauge", "Blank cards that no job has reserved.", STOCK,
     .from = "free"},
    {"fwpermit_card_blanks_low_at", "gauge", "Fewer free blank cards than this are few.", STOCK,
     .from = "low_at"},
    {"fwpermit_disk_free_bytes", "gauge", "Free room where data lie.", DISK, .from = "free_bytes"},
    {"fwpermit_disk_size_bytes", "gauge", "All room where data lie.", DISK, .from = "total_bytes"},
};

/* The words of STATES, whichever of them a family knows: a state that is not there is 0, so that an alert sees it end. */
static const char *const part_states[] = {"up", "degraded", "down", NULL};
static const char *const link_states[] = {"up", "failing", "down", "paused", "unused", NULL};

/* ---- values ---- */

static bool read_time(const json_t *text, int64_t *out)
{
    struct tm t = {0};
    const char *s = json_string_value(text);
    int last = 0;

    if (!s || sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
                     &t.tm_min, &t.tm_sec, &last) != 6)
        return false;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    *out = (int64_t)timegm(&t);
    return last > 0;
}

/* False: there is none to tell. */
static bool value_of(const json_t *state, const json_t *o, const family *f, int64_t *out)
{
    const json_t *v = json_object_get(o, f->from);
    int64_t at = 0;

    if (f->value == COUNT) {
        *out = (int64_t)json_integer_value(v);
        return json_is_integer(v);
    }
    if (!read_time(v, out))
        return false;
    if (f->value == MOMENT)
        return true;
    if (!read_time(json_object_get(state, "at"), &at))
        return false;
    *out = at > *out ? at - *out : 0;
    return true;
}

/* ---- samples ---- */

static void write_quoted(FILE *out, const char *value)
{
    for (const char *p = value; *p; p++) {
        if (*p == '\\' || *p == '"')
            fputc('\\', out);
        if (*p == '\n')
            fputs("\\n", out);
        else
            fputc(*p, out);
    }
}

/* {plugin="ecpay",port="payment",state="up"}; `word` is the state of STATES, or NULL. */
static void write_labels(FILE *out, const json_t *o, const family *f, const char *word)
{
    const char *before = "{";

    for (int i = 0; i < MOST_LABELS && f->labels[i]; i++) {
        const char *value = json_string_value(json_object_get(o, f->labels[i]));

        fprintf(out, "%s%s=\"", before, f->labels[i]);
        write_quoted(out, value ? value : "");
        fputc('"', out);
        before = ",";
    }
    if (word)
        fprintf(out, "%sstate=\"%s\"", before, word);
    if (word || f->labels[0])
        fputc('}', out);
}

static void write_states(FILE *out, const json_t *o, const family *f)
{
    const char *state = json_string_value(json_object_get(o, f->from));
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): who has states is in a list */
    const char *const *words = strcmp(f->list, "parts") == 0 ? part_states : link_states;

    for (; state && *words; words++) {
        fputs(f->name, out);
        write_labels(out, o, f, *words);
        fprintf(out, " %d\n", strcmp(state, *words) == 0);
    }
}

static void write_sample(FILE *out, const json_t *state, const json_t *o, const family *f)
{
    int64_t value = 0;

    if (f->value == STATES) {
        write_states(out, o, f);
        return;
    }
    if (!value_of(state, o, f, &value))
        return;
    fputs(f->name, out);
    write_labels(out, o, f, NULL);
    fprintf(out, " %" PRId64 "\n", value);
}

static void write_family(FILE *out, const json_t *state, const family *f)
{
    const json_t *list = f->list ? json_object_get(state, f->list) : NULL;

    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
    if (!f->list)
        write_sample(out, state, f->one ? json_object_get(state, f->one) : state, f);
    for (size_t i = 0; i < json_array_size(list); i++)
        write_sample(out, state, json_array_get(list, i), f);
}

char *exposition_make(const json_t *state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    if (!out)
        return NULL;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        write_family(out, state, &families[i]);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
