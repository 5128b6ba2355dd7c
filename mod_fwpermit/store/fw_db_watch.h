#ifndef FW_DB_WATCH_H
#define FW_DB_WATCH_H

#include "fw_config.h"

/* Cuts the connection to a server that does not answer in time. One that is frozen keeps its side open, its own limit of a statement stands
 * still with it, and libpq has none: whoever asked would wait for ever. A connection that was cut fails as one that the server closed. */

typedef struct fw_db_watch
    fw_db_watch; /* of a process: one thread, begun with the first connection */
typedef struct fw_db_watched fw_db_watched; /* of a connection, which one thread uses at a time */

/* Ends with `pool`, after the connections. */
fw_db_watch *fw_db_watch_make(apr_pool_t *pool);

/* From here to the end of `pool`, for which `fd` stays open. NULL: there is no thread to watch it. Thread-safe. */
fw_db_watched *fw_db_watch_add(fw_db_watch *watch, int fd, apr_pool_t *pool);

/* Something is asked, whose answer may take `ms` (0: for ever) and is looked for twice a second; it is there. NULL is taken. */
void fw_db_watch_begin(fw_db_watched *w, int ms);
void fw_db_watch_end(fw_db_watched *w);

#endif
