#include "fw_config.h"
#include "fww_pump_int.h"

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_settle.h"
#include "fw_store_settlement.h"
#include "fwpermit_plugin.h"

/* The settlement of a day: the gateway's lines, page by page, beside ours. */

#define PAGES_MOST 200
#define PAGE_MS    30000
#define SETTLE_AT \
    (3 * 3600)      /* seconds into the next day: until then the gateway may not have closed it */
#define DAYS_BACK 7 /* how many of the last days the clock looks after */

static const fw_err *fail(fww_turn *t, const char *day, const char *why, fww_end *end)
{
    fw_command cmd = {.kind = FW_CMD_SETTLEMENT_FAIL, .day = day, .reason = why};

    fww_end_set(end, FWW_END_DONE, why);
    return fww_perform(t, &cmd, NULL);
}

/* One page; its lines are added to `lines`, and *after is where the next begins, or NULL. */
static int take_page(fww_turn *t, const fw_delivery *d, const char *day, const char **after,
                     json_t *lines, fww_end *end)
{
    fww_ask ask = {.op = d->op,
                   .key = apr_pstrcat(t->pool, d->key, ":", *after ? *after : "", NULL),
                   .attempt = d->attempt,
                   .deadline_ms = PAGE_MS};
    fww_answer answer;

    ask.request = json_pack("{s:s, s:s*}", "day", day, "after", *after);
    fww_port_ask(t, t->pump->desk->payment_plugin, &ask, &answer);
    fww_port_end(&answer, end);
    *after = NULL;
    if (answer.rc != FWP_OK)
        return answer.rc;
    json_array_extend(lines, json_object_get(answer.reply, "lines"));
    *after = json_string_value(json_object_get(answer.reply, "next"));
    return FWP_OK;
}

static const fw_err *close_day(fww_turn *t, const char *day, const json_t *lines)
{
    fw_settlement found;
    fw_command cmd = {.kind = FW_CMD_SETTLEMENT_CLOSE, .day = day, .settlement = &found};

    FW_TRY(fw_settle_compare(t->db, day, lines, &found, t->pool));
    if (found.n_differences)
        t->pump->env->log(FWW_WARNING, FWW_N_SETTLEMENT " %s: %d differences", day,
                          found.n_differences);
    return fww_perform(t, &cmd, NULL);
}

const fw_err *fww_settle(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    json_t *lines = fw_json_keep(json_array(), t->pool);
    const char *day = fww_payload_text(t, d, "day"), *after = NULL;
    int rc = FWP_OK, pages = 0;

    if (!day)
        return FW_ERR(t->pool, FW_E_INPUT, 0, "a settlement of no day");
    if (!t->pump->desk->payment_plugin)
        return fail(t, day, "no_plugin", end);
    do
        rc = take_page(t, d, day, &after, lines, end);
    while (rc == FWP_OK && after && ++pages < PAGES_MOST);
    if (rc == FWP_REJECTED || rc == FWP_PERMFAIL || rc == FWP_MISCONFIGURED)
        return fail(t, day, end->reason, end);
    if (rc != FWP_OK)
        return NULL;
    if (after)
        return fail(t, day, "too_many_pages", end);
    return close_day(t, day, lines);
}

const fw_err *fww_settle_give_up(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    const char *why = end->reason ? end->reason : "not_told";
    fw_command cmd = {
        .kind = FW_CMD_SETTLEMENT_FAIL, .day = fww_payload_text(t, d, "day"), .reason = why};

    return cmd.day ? fww_perform(t, &cmd, NULL) : NULL;
}

/* ---- the nightly round ---- */

static const fw_err *ask_for(fww_turn *t, const char *day, bool *asked)
{
    fw_command cmd = {.kind = FW_CMD_SETTLEMENT_ASK, .day = day};
    fw_settlement *have = NULL;
    const fw_err *err = fw_settlement_load(t->db, day, &have, t->pool);

    *asked = !err;
    if (!err || err->code != FW_E_NOTFOUND)
        return err;
    return fww_perform(t, &cmd, NULL);
}

const fw_err *fww_settle_round(fww_turn *t)
{
    apr_time_t now = t->pump->desk->now() - apr_time_from_sec(SETTLE_AT);
    long today = fw_date_days(fw_date_of(now));

    if (!t->pump->desk->payment_plugin)
        return NULL;
    for (int back = 1; back <= DAYS_BACK; back++) {
        fw_date day = fw_date_from_days(today - back);
        bool any = false, asked = false;

        FW_TRY(fw_settled_any(t->db, fw_date_end(day), &any, t->pool));
        if (any)
            FW_TRY(ask_for(t, fw_date_text(day, t->pool), &asked));
        if (!any || asked)
            return NULL;
    }
    return NULL;
}
