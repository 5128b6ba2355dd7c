#include "fw_config.h"
#include "fw_show_system.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_letter.h"
#include "fw_show_card.h"
#include "fw_status.h"
#include "fw_store_link.h"

#define REFRESH_S 15
#define SOON      apr_time_from_sec(30 * 86400) /* a certificate ends */
#define GIGABYTE  1073741824.0
#define DAY_S     86400
#define HOUR_S    3600
#define MINUTE_S  60

/* ---- the status ---- */

/* {code, label, tone}: the label tells, the tone and a mark of its own shape help. */
static fw_value status_of(const fw_show *s, fw_value o)
{
    static const struct {
        const char *code, *tone;
    } tones[] = {{"up", "green"},        {"down", "red"},      {"failing", "yellow"},
                 {"degraded", "yellow"}, {"paused", "purple"}, {"unused", "grey"}};
    const char *code = fw_chars(fw_get(o, "state"));
    fw_value state = fw_show_state(s, "status", code);

    for (size_t i = 0; i < sizeof(tones) / sizeof(tones[0]); i++) {
        if (strcmp(tones[i].code, code) == 0)
            fw_set(state, "tone", fw_text(tones[i].tone));
    }
    return state;
}

static apr_time_t time_of(fw_value o, const char *name)
{
    const char *iso = fw_chars(fw_get(o, name));

    return iso ? fw_time_parse(iso) : 0;
}

static fw_value when(fw_value o, const char *name)
{
    return fw_time(time_of(o, name));
}

static fw_value advice_of(const fw_show *s, fw_value o)
{
    const char *key = fw_chars(fw_get(o, "advice"));

    return key ? fw_text(fw_show_text(s, apr_pstrcat(s->pool, "advice.", key, NULL))) : fw_null();
}

static fw_value member(fw_value o, const char *name)
{
    fw_value v = fw_get(o, name);

    return fw_is(v) ? v : fw_null();
}

/* "plugin-ecpay" is the process of the plugin ecpay. */
static const char *part_label(const fw_show *s, const char *name)
{
    if (strncmp(name, "plugin-", 7) == 0)
        return apr_pstrcat(s->pool, fw_show_text(s, "part.plugin"), " ", name + 7, NULL);
    return fw_show_text(s, apr_pstrcat(s->pool, "part.", name, NULL));
}

static const char *port_label(const fw_show *s, const char *port)
{
    return fw_show_text(s, apr_pstrcat(s->pool, "port.", port, NULL));
}

static fw_value show_parts(const fw_show *s, fw_value snapshot)
{
    fw_value list = fw_list(s->pool), part;

    fw_each(fw_get(snapshot, "parts"), i, part)
    {
        const char *name = fw_chars(fw_get(part, "name"));

        fw_add(list, fw_pack(s->pool, "{s:s, s:s, s:o, s:o, s:o, s:o}", "name", name, "label",
                             part_label(s, name), "state", status_of(s, part), "since",
                             when(part, "since"), "error", member(part, "error"), "advice",
                             advice_of(s, part)));
    }
    return list;
}

static fw_value show_pause(const fw_show *s, const apr_array_header_t *pauses, const char *plugin)
{
    for (int i = 0; i < pauses->nelts; i++) {
        const fw_pause *p = &APR_ARRAY_IDX(pauses, i, fw_pause);

        if (strcmp(p->plugin, plugin) == 0)
            return fw_pack(s->pool, "{s:s?, s:s?}", "actor", p->actor, "reason", p->reason);
    }
    return fw_null();
}

static fw_value show_link(const fw_show *s, fw_value link, const apr_array_header_t *pauses)
{
    static const char *const as_they_are[] = {"plugin",  "port",  "failures", "error",
                                              "waiting", "cases", "dead"};
    const char *plugin = fw_chars(fw_get(link, "plugin"));
    bool paused = strcmp(fw_chars(fw_get(link, "state")), "paused") == 0;
    fw_value o = fw_object(s->pool);

    for (size_t i = 0; i < sizeof(as_they_are) / sizeof(as_they_are[0]); i++)
        fw_set(o, as_they_are[i], member(link, as_they_are[i]));
    fw_set(o, "port_label", fw_text(port_label(s, fw_chars(fw_get(link, "port")))));
    fw_set(o, "state", status_of(s, link));
    fw_set(o, "since", when(link, "since"));
    fw_set(o, "last_ok", when(link, "last_ok"));
    fw_set(o, "oldest", when(link, "oldest"));
    fw_set(o, "advice", advice_of(s, link));
    fw_set(o, "pause", show_pause(s, pauses, plugin));
    fw_set(o, paused ? "pause_action" : "resume_action", fw_null());
    fw_show_set(o, s, paused ? "resume_action" : "pause_action", "/admin/plugins/%s/%s", plugin,
                paused ? "resume" : "pause");
    return o;
}

/* "3 d", "2 h", "5 min", "12 s" */
static const char *age_text(const fw_show *s, int64_t seconds)
{
    const char *key = seconds >= 2 * DAY_S      ? "age.days"
                      : seconds >= 2 * HOUR_S   ? "age.hours"
                      : seconds >= 2 * MINUTE_S ? "age.minutes"
                                                : "age.seconds";
    int64_t per = seconds >= 2 * DAY_S      ? DAY_S
                  : seconds >= 2 * HOUR_S   ? HOUR_S
                  : seconds >= 2 * MINUTE_S ? MINUTE_S
                                            : 1;
    fw_value args = fw_pack(s->pool, "{s:I}", "n", (int64_t)(seconds / per));

    return fw_locale_format(s->desk->locale, s->lang, key, args, s->pool);
}

static fw_value show_queues(const fw_show *s, fw_value snapshot)
{
    fw_value list = fw_list(s->pool), q;

    fw_each(fw_get(snapshot, "queues"), i, q)
    {
        fw_value age = fw_get(q, "oldest_s");

        fw_add(list, fw_pack(s->pool, "{s:o, s:s, s:o, s:o, s:s?}", "port", fw_get(q, "port"),
                             "label", port_label(s, fw_chars(fw_get(q, "port"))), "waiting",
                             fw_get(q, "waiting"), "dead", fw_get(q, "dead"), "age",
                             fw_is(age) ? age_text(s, age.as.number) : NULL));
    }
    return list;
}

static fw_value show_audit(const fw_show *s, fw_value snapshot)
{
    fw_value audit = fw_get(snapshot, "audit");
    int64_t age = fw_get(audit, "oldest_unsealed_s").as.number;

    if (!fw_is(audit))
        return fw_null();
    return fw_pack(s->pool, "{s:o, s:o, s:s}", "unsealed", fw_get(audit, "unsealed"), "last_seal",
                   fw_get(audit, "last_seal"), "age", age_text(s, age));
}

static fw_value show_cases(const fw_show *s, fw_value snapshot)
{
    fw_value list = fw_list(s->pool), n;

    fw_each(fw_get(snapshot, "cases"), i, n)
        fw_add(list, fw_pack(s->pool, "{s:o, s:o}", "state",
                             fw_show_state(s, "state", fw_chars(fw_get(n, "state"))), "n",
                             fw_get(n, "n")));
    return list;
}

static fw_value show_certificates(const fw_show *s, fw_value snapshot)
{
    fw_value list = fw_list(s->pool), c;

    fw_each(fw_get(snapshot, "certificates"), i, c)
        fw_add(list, fw_pack(s->pool, "{s:o, s:o, s:b}", "name", fw_get(c, "name"), "expires",
                             when(c, "expires"), "soon", time_of(c, "expires") < s->now + SOON));
    return list;
}

static fw_value show_disks(const fw_show *s, fw_value snapshot)
{
    fw_value list = fw_list(s->pool), d;

    fw_each(fw_get(snapshot, "disk"), i, d)
    {
        int64_t free_bytes = fw_get(d, "free_bytes").as.number;
        int64_t total = fw_get(d, "total_bytes").as.number;
        const char *name = fw_chars(fw_get(d, "name"));

        fw_add(list, fw_pack(s->pool, "{s:s, s:s, s:s, s:s, s:i}", "name", name, "label",
                             fw_show_text(s, apr_pstrcat(s->pool, "disk.", name, NULL)), "free",
                             apr_psprintf(s->pool, "%.1f GB", (double)free_bytes / GIGABYTE),
                             "total", apr_psprintf(s->pool, "%.1f GB", (double)total / GIGABYTE),
                             "free_percent", total > 0 ? (int)(free_bytes * 100 / total) : 0));
    }
    return list;
}

static fw_value collect(const fw_show *s)
{
    json_t *before = fw_status_last(s->desk, s->pool), *snapshot;
    fw_status_ask ask = {.desk = s->desk, .db = s->db, .before = before};
    fw_value v;

    snapshot = fw_status_collect(&ask, s->pool);
    v = fw_of_json(snapshot, s->pool);
    json_decref(before);
    json_decref(snapshot);
    return v;
}

const fw_err *fw_show_system(const fw_show *s, fw_value *model)
{
    fw_value snapshot, links = fw_list(s->pool), link, o = fw_object(s->pool), part = {0};
    apr_array_header_t *pauses = NULL;

    *model = o;
    FW_TRY(fw_link_pauses(s->db, &pauses, s->pool));
    snapshot = collect(s);
    fw_each(fw_get(snapshot, "links"), i, link) fw_add(links, show_link(s, link, pauses));
    fw_set(o, "at", when(snapshot, "at"));
    fw_set(o, "node", member(snapshot, "node"));
    fw_set(o, "refresh_s", fw_number(REFRESH_S));
    fw_set(o, "parts", show_parts(s, snapshot));
    fw_set(o, "links", links);
    fw_set(o, "queues", show_queues(s, snapshot));
    fw_set(o, "audit", show_audit(s, snapshot));
    fw_set(o, "cases", show_cases(s, snapshot));
    fw_set(o, "late", member(snapshot, "late"));
    fw_set(o, "certificates", show_certificates(s, snapshot));
    fw_set(o, "disk", show_disks(s, snapshot));
    FW_TRY(fw_show_stock(s, &part));
    fw_set(o, "stock", part);
    return NULL;
}

/* ---- dead letters ---- */

static fw_value letter_line(const fw_show *s, const fw_letter *l)
{
    fw_value o = fw_pack(s->pool, "{s:o, s:s, s:s, s:s, s:o, s:o, s:i, s:s?}", "id",
                         fw_show_id(s, l->id), "port", l->port, "port_label",
                         port_label(s, l->port), "op", l->op, "created", fw_time(l->created),
                         "ended", fw_time(l->ended), "attempts", l->attempts, "reason", l->reason);

    fw_show_set(o, s, "href", "/admin/deadletters/%" APR_INT64_T_FMT, l->id);
    fw_show_set(o, s, "action", "/admin/deadletters/%" APR_INT64_T_FMT "/replay", l->id);
    return o;
}

static fw_value message_line(const fw_show *s, const fw_dead_message *m)
{
    fw_value o =
        fw_pack(s->pool, "{s:o, s:s, s:s?, s:s, s:s, s:o, s:o, s:i, s:s?}", "id",
                fw_show_id(s, m->id), "plugin", m->plugin, "channel", m->channel, "hash", m->hash,
                "size", fw_show_size(s, m->size), "received", fw_time(m->received), "ended",
                fw_time(m->ended), "attempts", m->attempts, "reason", m->reason);

    fw_show_set(o, s, "action", "/admin/messages/%" APR_INT64_T_FMT "/replay", m->id);
    return o;
}

const fw_err *fw_show_dead(const fw_show *s, int most, fw_value *letters, fw_value *messages)
{
    apr_array_header_t *list = NULL;

    *letters = fw_list(s->pool);
    *messages = fw_list(s->pool);
    FW_TRY(fw_letter_list(s->db, most, &list, s->pool));
    for (int i = 0; i < list->nelts; i++)
        fw_add(*letters, letter_line(s, &APR_ARRAY_IDX(list, i, fw_letter)));
    FW_TRY(fw_message_list(s->db, most, &list, s->pool));
    for (int i = 0; i < list->nelts; i++)
        fw_add(*messages, message_line(s, &APR_ARRAY_IDX(list, i, fw_dead_message)));
    return NULL;
}

static fw_value show_members(const fw_show *s, const char *payload)
{
    const apr_array_header_t *members = fw_letter_members(payload, s->pool);
    fw_value list = fw_list(s->pool);

    for (int i = 0; i < members->nelts; i++) {
        const fw_member *m = &APR_ARRAY_IDX(members, i, fw_member);

        fw_add(list, fw_pack(s->pool, "{s:s, s:s, s:b}", "name", m->name, "value", m->shown,
                             "is_masked", m->is_masked));
    }
    return list;
}

static const fw_err *show_cases_of(const fw_show *s, const fw_letter *l, fw_value *out)
{
    apr_array_header_t *list = NULL;

    *out = fw_list(s->pool);
    FW_TRY(fw_letter_cases(s->db, l->aggregate_id, &list, s->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_letter_case *c = &APR_ARRAY_IDX(list, i, fw_letter_case);
        fw_value o =
            fw_pack(s->pool, "{s:o, s:s?}", "id", fw_show_id(s, c->id), "case_no", c->case_no);

        fw_show_set(o, s, "href", "/review/%" APR_INT64_T_FMT, c->id);
        fw_add(*out, o);
    }
    return NULL;
}

const fw_err *fw_show_letter(const fw_show *s, fw_id id, fw_value *model)
{
    fw_letter *l = NULL;
    fw_value cases = {0}, o;

    FW_TRY(fw_letter_load(s->db, id, &l, s->pool));
    FW_TRY(show_cases_of(s, l, &cases));
    o = letter_line(s, l);
    fw_set(o, "key", fw_text(l->key));
    fw_set(o, "cases", cases);
    fw_set(o, "payload",
           fw_of_json(fw_json_keep(fw_letter_masked(l->payload, s->pool), s->pool), s->pool));
    fw_set(o, "members", show_members(s, l->payload));
    fw_show_set(o, s, "mend_action", "/admin/deadletters/%" APR_INT64_T_FMT "/mend", id);
    fw_show_set(o, s, "drop_action", "/admin/deadletters/%" APR_INT64_T_FMT "/drop", id);
    *model = o;
    return NULL;
}

/* ---- what an applicant is told ---- */

/* "10:42" of today, else day and time. */
static const char *since_text(const fw_show *s, apr_time_t since)
{
    const char *text = fw_time_taipei(since, s->pool);

    return fw_date_compare(fw_date_of(since), fw_date_of(s->now)) == 0
               ? text + strlen("2026-11-24 ")
               : text;
}

const fw_err *fw_show_link(const fw_show *s, fw_value model, const char *port, bool waits)
{
    const fw_plugin_conf *plugin = waits ? fw_settings_plugin_of(s->desk->settings, port) : NULL;
    const char *state = NULL, *name;
    apr_time_t since = 0;
    fw_value args;

    fw_set(model, "link", fw_null());
    if (!plugin)
        return NULL;
    FW_TRY(fw_link_outage(s->db, plugin->name, &state, &since, s->pool));
    if (!state)
        return NULL;
    name = port_label(s, port);
    args = fw_pack(s->pool, "{s:s, s:s}", "port", name, "since", since_text(s, since));
    fw_set(
        model, "link",
        fw_pack(s->pool, "{s:s, s:s, s:s, s:o, s:s}", "port", port, "name", name, "state", state,
                "since", fw_time(since), "text",
                fw_locale_format(s->desk->locale, s->lang,
                                 apr_pstrcat(s->pool, "link.told.", state, NULL), args, s->pool)));
    return NULL;
}
