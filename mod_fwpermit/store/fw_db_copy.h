#ifndef FW_DB_COPY_H
#define FW_DB_COPY_H

#include "fw_db.h"

/* The whole database as one file, taken while others write, and the way back. SQLite: a database without a log beside it.
 * PostgreSQL: the custom form of pg_dump. Its programs are run without a shell; the password goes to them by their
 * environment, which no other user may read. */

/* Sees exactly what the copy holds. */
typedef const fw_err *(*fw_db_see_fn)(void *baton, fw_db *db);

/* Makes `file` and calls `see` once. `db` is a connection of `config`, in no transaction. FW_E_UNAVAILABLE: no room, or the
 * database is away; FW_E_CONFIG: pg_dump cannot be run. The caller removes what was begun. */
const fw_err *fw_db_copy(fw_db *db, const fw_db_config *config, const fw_sql *sql, const char *file,
                         fw_db_see_fn see, void *baton, apr_pool_t *pool);

/* PostgreSQL: brings the copy that `fd` is open at into the database, in one transaction: all or nothing. What is there
 * already stands against it. */
const fw_err *fw_db_load(const fw_db_config *config, int fd, apr_pool_t *pool);

/* How many rows the tables have that people ask about: out[i] is of fw_copy_tables[i]. */
#define FW_COPY_TABLES 11
extern const char *const fw_copy_tables[FW_COPY_TABLES];
const fw_err *fw_db_counts(fw_db *db, int64_t out[FW_COPY_TABLES], apr_pool_t *pool);

#endif
