#include "fw_config.h"
#include "fw_status_int.h"

#include <string.h>

#include "fw_lifecycle.h"
#include "fw_store_card.h"
#include "fw_store_link.h"

#define MINUTE apr_time_from_sec(60)

static const fw_link_count *find(const apr_array_header_t *list, const char *name)
{
    for (int i = 0; i < list->nelts; i++) {
        const fw_link_count *c = &APR_ARRAY_IDX(list, i, fw_link_count);

        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static int seconds(const fw_collecting *c, apr_time_t since)
{
    return since && since < c->now ? (int)apr_time_sec(c->now - since) : 0;
}

/* ---- queues ---- */

static void add_queue(fw_collecting *c, const char *port, const fw_link_count *waiting, int dead)
{
    json_t *o = json_pack("{s:s, s:i, s:i}", "port", port, "waiting", waiting ? waiting->n : 0,
                          "dead", dead);

    if (waiting)
        json_object_set_new(o, "oldest_s", json_integer(seconds(c, waiting->oldest)));
    json_array_append_new(json_object_get(c->out, "queues"), o);
}

static void add_queues(fw_collecting *c, const apr_array_header_t *waiting,
                       const apr_array_header_t *dead)
{
    for (int i = 0; i < waiting->nelts; i++) {
        const fw_link_count *w = &APR_ARRAY_IDX(waiting, i, fw_link_count);
        const fw_link_count *d = find(dead, w->name);

        add_queue(c, w->name, w, d ? d->n : 0);
    }
    for (int i = 0; i < dead->nelts; i++) {
        const fw_link_count *d = &APR_ARRAY_IDX(dead, i, fw_link_count);

        if (!find(waiting, d->name))
            add_queue(c, d->name, NULL, d->n);
    }
}

/* ---- links ---- */

typedef struct linking {
    apr_array_header_t *links, *pauses, *waiting, *dead, *messages;
} linking;

static const fw_link *link_of(const linking *l, const char *plugin)
{
    for (int i = 0; i < l->links->nelts; i++) {
        const fw_link *one = &APR_ARRAY_IDX(l->links, i, fw_link);

        if (strcmp(one->plugin, plugin) == 0)
            return one;
    }
    return NULL;
}

static const fw_pause *pause_of(const linking *l, const char *plugin)
{
    for (int i = 0; i < l->pauses->nelts; i++) {
        const fw_pause *one = &APR_ARRAY_IDX(l->pauses, i, fw_pause);

        if (strcmp(one->plugin, plugin) == 0)
            return one;
    }
    return NULL;
}

static const char *state_of(const fw_link *link, const fw_pause *pause, const char *fault)
{
    if (pause)
        return "paused";
    if (fault)
        return "down";
    return link ? link->state : "unused";
}

static const char *advice_of(const char *state, const char *fault, int dead)
{
    if (strcmp(state, "paused") == 0)
        return "link.paused";
    if (strcmp(state, "down") == 0)
        return fault ? "plugin.broken" : "link.down";
    if (strcmp(state, "failing") == 0)
        return "link.failing";
    return dead ? "link.dead" : NULL;
}

/* What goes out on a port goes through the first plugin of the settings that serves it. */
static void add_link(fw_collecting *c, const linking *l, const fw_plugin_conf *p, bool first)
{
    const fw_link *link = link_of(l, p->name);
    const fw_pause *pause = pause_of(l, p->name);
    const fw_link_count *w = first ? find(l->waiting, p->port) : NULL;
    const fw_link_count *d = first ? find(l->dead, p->port) : NULL;
    const fw_link_count *m = find(l->messages, p->name);
    const char *fault = fw_status_fault(c, p->name);
    const char *state = state_of(link, pause, fault);
    int dead = (d ? d->n : 0) + (m ? m->n : 0);

    json_array_append_new(json_object_get(c->out, "links"),
                          json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:o, s:i, s:i, s:o, s:i, s:s?}",
                                    "plugin", p->name, "port", p->port, "state", state, "since",
                                    fw_status_iso(pause  ? pause->since
                                                  : link ? link->since
                                                         : 0,
                                                  c->pool),
                                    "failures", link ? link->failures : 0, "last_ok",
                                    fw_status_iso(link ? link->last_ok : 0, c->pool), "error",
                                    fw_status_short(fault  ? fault
                                                    : link ? link->error
                                                           : NULL),
                                    "waiting", w ? w->n : 0, "cases", w ? w->cases : 0, "oldest",
                                    fw_status_iso(w ? w->oldest : 0, c->pool), "dead", dead,
                                    "advice", advice_of(state, fault, dead)));
}

static const fw_err *add_links(fw_collecting *c)
{
    const fw_settings *site = c->ask->desk->settings;
    const char *node = fw_status_node(c->ask->desk->run_dir, c->pool);
    fw_db *db = c->ask->db;
    linking l = {0};

    FW_TRY(fw_link_list(db, node, &l.links, c->pool));
    FW_TRY(fw_link_pauses(db, &l.pauses, c->pool));
    FW_TRY(fw_link_waiting(db, &l.waiting, c->pool));
    FW_TRY(fw_link_dead(db, &l.dead, c->pool));
    FW_TRY(fw_link_dead_messages(db, &l.messages, c->pool));
    for (int i = 0; i < site->plugins->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(site->plugins, i, fw_plugin_conf);

        add_link(c, &l, p, fw_settings_plugin_of(site, p->port) == p);
    }
    add_queues(c, l.waiting, l.dead);
    return NULL;
}

/* ---- audit, cases ---- */

static const fw_err *add_audit(fw_collecting *c)
{
    fw_audit_count n;

    FW_TRY(fw_status_audit(c->ask->db, &n, c->pool));
    json_object_set_new(c->out, "audit",
                        json_pack("{s:i, s:i, s:I}", "unsealed", n.unsealed, "oldest_unsealed_s",
                                  seconds(c, n.oldest), "last_seal", (json_int_t)n.last_seal));
    return NULL;
}

static const fw_err *count_cases(fw_collecting *c)
{
    apr_array_header_t *list = NULL;
    json_t *cases = json_array();
    int late = 0;

    json_object_set_new(c->out, "cases", cases);
    FW_TRY(fw_status_cases(c->ask->db, c->now, &list, c->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_state_count *n = &APR_ARRAY_IDX(list, i, fw_state_count);

        if (fw_lifecycle_turn(n->state) == FW_TURN_OFFICE)
            late += n->overdue;
        json_array_append_new(cases,
                              json_pack("{s:s, s:i}", "state", fw_state_name(n->state), "n", n->n));
    }
    json_object_set_new(c->out, "late", json_integer(late));
    return NULL;
}

/* The pump counts once a minute, and pages show what it counted while that is there. */
static bool is_counted(const fw_collecting *c)
{
    apr_time_t at = fw_status_time(c->ask->before, "at");

    return c->ask->of_pump ? at / MINUTE == c->now / MINUTE : c->now - at < 2 * MINUTE;
}

/* All cases are counted: once a minute is enough. */
static const fw_err *add_cases(fw_collecting *c)
{
    json_t *cases = json_object_get(c->ask->before, "cases");
    json_t *late = json_object_get(c->ask->before, "late");

    if (!cases || !late || !is_counted(c))
        return count_cases(c);
    json_object_set(c->out, "cases", cases);
    json_object_set(c->out, "late", late);
    return NULL;
}

/* Blank cards, where somebody makes any. */
static const fw_err *add_stock(fw_collecting *c)
{
    apr_array_header_t *shelves = NULL;
    json_t *stock;
    fw_blanks ours;

    if (!fw_settings_plugin_of(c->ask->desk->settings, "card"))
        return NULL;
    stock = json_array();
    json_object_set_new(c->out, "stock", stock);
    FW_TRY(fw_stock_list(c->ask->db, &ours, &shelves, c->pool));
    for (int i = 0; i < shelves->nelts; i++) {
        const fw_shelf *s = &APR_ARRAY_IDX(shelves, i, fw_shelf);
        int64_t left = s->blanks > s->reserved ? s->blanks - s->reserved : 0;

        json_array_append_new(stock, json_pack("{s:s, s:I, s:I}", "store", s->store, "free",
                                               (json_int_t)left, "low_at", (json_int_t)s->low_at));
    }
    return NULL;
}

const fw_err *fw_status_numbers(fw_collecting *c)
{
    FW_TRY(add_links(c));
    FW_TRY(add_audit(c));
    FW_TRY(add_stock(c));
    return add_cases(c);
}
