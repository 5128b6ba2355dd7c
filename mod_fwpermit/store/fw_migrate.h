#ifndef FW_MIGRATE_H
#define FW_MIGRATE_H

#include "fw_db.h"

/* Numbered migrations: sql/schema/NNNN_name.sql. Statements end with ';' at a line's end. */

/* The newest number in `dir`. FW_E_CONFIG for a gap or a number twice. */
const fw_err *fw_migrate_newest(int *version, const char *dir, apr_pool_t *pool);

/* The number that the database has; 0: none yet. */
const fw_err *fw_migrate_current(int *version, fw_db *db, apr_pool_t *pool);

/* Brings the database to the newest version, each migration in a transaction of its own; `*done` is how many were
 * run. Two at a time wait for each other. SQLite: switches to WAL first. FW_E_CONFIG: the database is newer than the
 * build. */
const fw_err *fw_migrate_run(fw_db *db, const char *dir, int *done, apr_pool_t *pool);

#endif
