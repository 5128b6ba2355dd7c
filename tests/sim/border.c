#include "sim_pump.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_store_payment.h"

/* The border's own book of permits. It is connected when some are in force already. */

#define CONNECTED 20 /* of a thousand rounds of the clock: it is, from then on */

typedef struct sim_entry {
    fw_id permit;
    int64_t version;
    const char *state;
} sim_entry;

static apr_array_header_t *entries; /* sim_entry * */

static sim_entry *entry_of(fw_id permit)
{
    for (int i = 0; entries && i < entries->nelts; i++) {
        if (APR_ARRAY_IDX(entries, i, sim_entry *)->permit == permit)
            return APR_ARRAY_IDX(entries, i, sim_entry *);
    }
    return NULL;
}

static sim_entry *enter(fw_id permit)
{
    sim_entry *e = apr_pcalloc(sim.pool, sizeof(*e));

    if (!entries)
        entries = apr_array_make(sim.pool, 64, sizeof(sim_entry *));
    e->permit = permit;
    APR_ARRAY_PUSH(entries, sim_entry *) = e;
    return e;
}

ending_e sim_border_permit(const fw_delivery *d)
{
    const json_t *told = fw_json_parse(d->payload, sim.act);
    const char *state = json_string_value(json_object_get(told, "state"));
    int64_t version = json_integer_value(json_object_get(told, "version"));
    fw_id permit = sim_payload_id(d, "permit");
    sim_entry *e = entry_of(permit);

    if (e && e->version == version && strcmp(e->state, state) != 0)
        sim_fail("a permit's version is told twice, with other states");
    e = e ? e : enter(permit);
    if (version > e->version) {
        e->version = version;
        e->state = apr_pstrdup(sim.pool, state);
    }
    return END_DONE;
}

static apr_array_header_t *untold(int limit)
{
    apr_array_header_t *ids = NULL;

    SIM_OK(fw_permit_to_tell(sim.db, fw_date_text(fw_date_of(sim.now), sim.act), limit, &ids,
                             sim.act));
    return ids;
}

const apr_array_header_t *sim_border_round(int limit)
{
    if (!sim.desk->border_plugin && (sim.calm || sim_chance(CONNECTED)))
        sim.desk->border_plugin = "border";
    return sim.desk->border_plugin ? untold(limit) : apr_array_make(sim.act, 1, sizeof(fw_id));
}

/* What was given up may be missing. */
static bool is_given_up(fw_id kase)
{
    return sim_counts("SELECT count(*) FROM outbox WHERE op = 'border.permit' AND "
                      "state IN ('dead', 'dropped') AND aggregate_id = ?",
                      kase) > 0;
}

void sim_compare_permits(bool all)
{
    if (all && untold(1)->nelts > 0)
        sim_fail("the border was not told of a permit");
    for (int i = 0; entries && i < entries->nelts; i++) {
        const sim_entry *e = APR_ARRAY_IDX(entries, i, sim_entry *);
        fw_permit *p = NULL;

        SIM_OK(fw_permit_load(sim.db, e->permit, &p, sim.act));
        if (e->version > p->version)
            sim_fail("the border knows a permit as it never was");
        if (all && strcmp(e->state, p->told) != 0 && !is_given_up(p->case_id))
            sim_fail("the border has permit %s as %s, and was told %s", p->permit_no, e->state,
                     p->told);
    }
    sim.checks++;
}
