#ifndef FW_STATUS_H
#define FW_STATUS_H

#include <jansson.h>

#include "fw_desk.h"

/* The status of the whole system as one node sees it: every part, every link, what waits. The form is
 * docs/contracts/monitor.json, "report.request"; no personal data. Its advice is a key: the catalogue has
 * "advice.<key>". */

#define FW_STATUS_OLD apr_time_from_sec(30) /* a snapshot of that age: the pump is down */

typedef struct fw_status_ask {
    const fw_desk *desk;
    fw_db *db;            /* NULL: the database is away */
    const char *db_error; /* why */
    const json_t *before; /* the snapshot before this one, or NULL: since when a part is as it is */
    bool of_pump;         /* the pump asks: it is up */
} fw_status_ask;

/* A new snapshot. What cannot be known is left out; that is no error. Costs some queries by index and a knock at each
 * process's socket; cases are counted anew once a minute. */
json_t *fw_status_collect(const fw_status_ask *ask, apr_pool_t *pool);

/* The last snapshot that this node's pump wrote (RUN_DIR/status.json), new; NULL: there is none. */
json_t *fw_status_last(const fw_desk *desk, apr_pool_t *pool);

/* The name under which this node's pump keeps its links. */
const char *fw_status_node(const char *run_dir, apr_pool_t *pool);

/* Where a plugin's process says why it cannot serve: RUN_DIR/plugin-NAME.fault, one text; the file is there as long as that is
 * so. */
const char *fw_status_fault_file(const char *run_dir, const char *plugin, apr_pool_t *pool);

/* A member of the form "2026-11-24T06:30:00Z"; 0: null, missing, or no such text. */
apr_time_t fw_status_time(const json_t *o, const char *name);

#endif
