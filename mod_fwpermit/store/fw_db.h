#ifndef FW_DB_H
#define FW_DB_H

#include "fw_config.h"
#include "fw_err.h"

/* The database, behind a dozen functions. APR DBD is named in fw_db.c alone, and the fourteen rules
 * for its traps are kept there (docs/decisions/0003-apr-dbd.md lists them). */

typedef struct fw_db_pool fw_db_pool; /* of a process; thread-safe */
typedef struct fw_db fw_db;           /* one connection, used by one thread at a time */
typedef struct fw_sql fw_sql;         /* the named statements */
typedef struct fw_row fw_row;         /* one row, valid within the callback */

typedef enum fw_backend_e { FW_DB_SQLITE, FW_DB_PGSQL } fw_backend_e;

typedef struct fw_db_config {
    const char *driver; /* "sqlite3" or "pgsql" */
    const char *params; /* the file's path, or libpq's key=value words */
    int max;            /* connections, at most */
    int acquire_ms;     /* how long fw_db_acquire waits; then FW_E_BUSY */
    int statement_ms;   /* pgsql: statement_timeout; 0 is none */
    int lock_ms;        /* sqlite3: how long a write waits for its turn; 0 is 10 s */
} fw_db_config;

/* A value bound to a statement. */
typedef enum fw_val_e { FW_VAL_NULL, FW_VAL_INT, FW_VAL_TEXT } fw_val_e;
typedef struct fw_val {
    fw_val_e type;
    int64_t i;
    const char *s;
} fw_val;
#define FW_I(x)  ((fw_val){FW_VAL_INT, (int64_t)(x), NULL})
#define FW_S(x)  fw_val_text(x)
#define FW_NULLV ((fw_val){FW_VAL_NULL, 0, NULL})
static inline fw_val fw_val_text(const char *s)
{
    fw_val v = {s ? FW_VAL_TEXT : FW_VAL_NULL, 0, s};
    return v;
}

/* Reads sql/queries/<name>.sql (all files of `dir`): "-- name: case_load" starts a statement, and
 * "-- name: case_load [pgsql]" the one that this back end has instead. Parameters are written as
 * %s (text) and %lld (integer). A name twice, or a file of no names, is FW_E_CONFIG with file and
 * line. */
const fw_err *fw_sql_load(fw_sql **out, const char *dir, apr_pool_t *pool);

/* Opens nothing yet: connections are made on demand and live in `pool`, never in a parent that
 * forks. Tells SQLite and the C library's heap, for the whole process, how they are used here. */
const fw_err *fw_db_pool_open(fw_db_pool **out, const fw_db_config *config, const fw_sql *sql,
                              apr_pool_t *pool);
fw_backend_e fw_db_pool_backend(const fw_db_pool *pool);

/* A connection for this thread until fw_db_release(), or until `pool` is cleared. An open
 * transaction is then rolled back. FW_E_BUSY after acquire_ms; FW_E_UNAVAILABLE if none can be
 * made. */
const fw_err *fw_db_acquire(fw_db **out, fw_db_pool *dbs, apr_pool_t *pool);
void fw_db_release(fw_db *db);
fw_backend_e fw_db_backend(const fw_db *db);

/* A write transaction. SQLite: flock() on <file>.lock first, then BEGIN IMMEDIATE. FW_E_BUSY if the
 * lock is not had in lock_ms. After a statement failed within it only fw_db_rollback() is possible. */
const fw_err *fw_db_begin(fw_db *db);
const fw_err *fw_db_commit(fw_db *db);
void fw_db_rollback(fw_db *db);
bool fw_db_in_transaction(const fw_db *db);

/* From here to the next write, or until the connection is given back, all reads see one state of the database. On SQLite, where
 * it makes them cheaper as well; on PostgreSQL, where it would cost two more round trips, it does nothing. */
const fw_err *fw_db_snapshot(fw_db *db);

/* Runs the named statement. `rows` (or NULL) gets the number of rows that it changed. A UNIQUE
 * constraint that stands against it is FW_E_CONFLICT. `name` unknown, or `n` not the number of its
 * parameters, is FW_E_INTERNAL. */
const fw_err *fw_db_exec(fw_db *db, const char *name, const fw_val *vals, int n, int *rows,
                         apr_pool_t *scratch);

/* Calls `each` for every row, in order; it ends early when `each` returns an error, which is passed
 * on. What the callback keeps it copies (fw_row_text copies into the pool it is given). */
typedef const fw_err *(*fw_row_fn)(void *baton, const fw_row *row);
const fw_err *fw_db_query(fw_db *db, const char *name, const fw_val *vals, int n, fw_row_fn each,
                          void *baton, apr_pool_t *scratch);

#define FW_VALS(...) \
    ((const fw_val[]){__VA_ARGS__}), (int)(sizeof((fw_val[]){__VA_ARGS__}) / sizeof(fw_val))

int fw_row_columns(const fw_row *row);
bool fw_row_is_null(const fw_row *row, int column);
const char *fw_row_text(const fw_row *row, int column, apr_pool_t *pool); /* NULL if SQL NULL */
int64_t fw_row_int(const fw_row *row, int column);                        /* 0 if SQL NULL */

/* Runs one text as it stands: for migrations alone, statement by statement. */
const fw_err *fw_db_raw(fw_db *db, const char *statement, apr_pool_t *scratch);

/* How many statements this connection has run: the tests that count them for each page ask. */
uint64_t fw_db_statements(const fw_db *db);

/* For tests: of the calls that this process makes from now on (begin, commit, exec, query), the n-th fails with
 * FW_E_UNAVAILABLE before it reaches the database. 0: none does. */
void fw_db_fail_after(int calls);

/* A round trip; FW_E_UNAVAILABLE if the server is away. */
const fw_err *fw_db_ping(fw_db *db, apr_pool_t *scratch);

#endif
