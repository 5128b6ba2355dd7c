#include "fw_config.h"
#include "fww_pump_int.h"

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_store_card.h"
#include "fwpermit_plugin.h"

/* The bureau's blanks, as it counts them: kept beside what our jobs count. */

#define EVERY      apr_time_from_sec(3600)
#define EVERY_DEMO apr_time_from_sec(10)
#define ASK_MS     20000
#define KEEP       apr_time_from_sec(60) /* for what we do with the answer */

static int64_t number_of(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

static bool is_low(const fw_shelf *s)
{
    return s && s->blanks - s->reserved < s->low_at;
}

/* Told when it comes and when it goes. */
static const fw_err *warn(fww_turn *t, const fw_shelf *now)
{
    fw_shelf *was = NULL;

    FW_TRY(fw_stock_load(t->db, now->store, &was, t->pool));
    if (was && was->at >= now->at)
        return NULL;
    if (is_low(now) && !is_low(was))
        t->pump->env->log(FWW_WARNING,
                          FWW_N_STOCK " %d free blanks are left in store %s, fewer than %d",
                          (int)(now->blanks - now->reserved), now->store, (int)now->low_at);
    if (!is_low(now) && is_low(was))
        t->pump->env->log(FWW_NOTICE, FWW_N_STOCK " store %s has blanks enough again", now->store);
    return NULL;
}

const fw_err *fww_stock_told(fww_turn *t, const json_t *shelf, fww_end *end)
{
    fw_shelf told = {.store = json_string_value(json_object_get(shelf, "store")),
                     .at = fw_time_parse(json_string_value(json_object_get(shelf, "at"))),
                     .blanks = number_of(shelf, "blanks"),
                     .reserved = number_of(shelf, "reserved"),
                     .spoiled = number_of(shelf, "spoiled"),
                     .delivered = number_of(shelf, "delivered"),
                     .low_at = number_of(shelf, "low_at")};
    fw_command cmd = {.kind = FW_CMD_CARD_STOCK, .shelf = &told};
    const char *refused = NULL;

    if (!told.store || !told.at) {
        fww_end_set(end, FWW_END_DEAD, "a stock without store or time");
        return NULL;
    }
    FW_TRY(warn(t, &told));
    FW_TRY(fww_perform(t, &cmd, &refused));
    if (refused)
        fww_end_set(end, FWW_END_REFUSED, refused);
    return NULL;
}

const fw_err *fww_stock_round(fww_turn *t, const char *plugin)
{
    apr_time_t now = apr_time_now();
    fww_ask ask = {.op = "card.stock", .deadline_ms = ASK_MS};
    fww_end end = {.what = FWW_END_DONE};
    const json_t *shelf;
    fww_answer answer;
    size_t i;

    if (now < t->pump->stock_due && t->pump->stock_due - now <= EVERY)
        return NULL;
    t->pump->stock_due = now + (t->pump->env->site->demo ? EVERY_DEMO : EVERY);
    /* Another key each time: the other side may give the same answer to the same key for ever. */
    ask.key = apr_psprintf(t->pool, "stock:%s:%" APR_TIME_T_FMT, plugin, now);
    fww_port_ask(t, plugin, &ask, &answer);
    if (answer.rc != FWP_OK)
        return NULL;
    t->until = apr_time_now() + KEEP;
    json_array_foreach(json_object_get(answer.reply, "shelves"), i, shelf)
        FW_TRY(fww_stock_told(t, shelf, &end));
    return NULL;
}
