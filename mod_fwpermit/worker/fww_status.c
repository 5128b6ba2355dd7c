#include "fw_config.h"
#include "fww_pump_int.h"

#include <errno.h>
#include <stdio.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_status.h"
#include "fw_wait.h"
#include "fww_monitor.h"

#define EVERY apr_time_from_sec(5)

const fw_err *fww_status_round(fww_pump *pump, apr_pool_t *pool)
{
    fww_turn t = {.pump = pump, .pool = pool};
    fw_status_ask ask = {.desk = pump->desk, .of_pump = true};
    json_t *before, *snapshot;
    const fw_err *err;

    if (fw_monotonic() < pump->status_due)
        return NULL;
    pump->status_due = fw_monotonic() + EVERY;
    err = fw_db_acquire(&t.db, pump->desk->dbs, pool);
    if (err)
        t.db = NULL, ask.db_error = err->msg;
    before = fw_status_last(pump->desk, pool);
    ask.db = t.db;
    ask.before = before;
    snapshot = fw_status_collect(&ask, pool);
    err =
        fw_json_save(apr_pstrcat(pool, pump->desk->run_dir, "/status.json", NULL), snapshot, pool);
    if (!err)
        err = fww_monitor_tell(&t, snapshot);
    json_decref(snapshot);
    json_decref(before);
    return err;
}
