#ifndef TABLES_H
#define TABLES_H

#include "fixture.h"

/* Tables of the tests' own, and statements for them: what fw_db does, apart from what the platform stores. */

#define STATEMENTS                                                                     \
    "-- name: put\nINSERT INTO t (id, a) VALUES (%lld, %s);\n"                         \
    "-- name: get\nSELECT a FROM t WHERE id = %lld;\n"                                 \
    "-- name: all\nSELECT id, a FROM t ORDER BY id;\n"                                 \
    "-- name: wrong\nSELECT a FROM no_such_table;\n"                                   \
    "-- name: upper\nUPDATE t SET a = %s WHERE id > %lld;\n"                           \
    "-- name: returning\nINSERT INTO t (id, a) VALUES (%lld, %s) RETURNING id + 1;\n"  \
    "-- name: child\nINSERT INTO u (id, t_id) VALUES (%lld, %lld);\n"                  \
    "-- name: compare\nSELECT CASE WHEN %lld + 0 = 1 THEN 'number' ELSE 'text' END;\n" \
    "-- name: percent\nSELECT count(*) FROM t WHERE a LIKE '%%x%%';\n"                 \
    "-- name: three\nINSERT INTO v (a, n, b) VALUES (%s, %lld, %s);\n"                 \
    "-- name: read3\nSELECT a, n, b FROM v;\n"                                         \
    "-- name: session_busy\nPRAGMA busy_timeout;\n"                                    \
    "-- name: session_busy [pgsql]\nSELECT "                                           \
    "current_setting('idle_in_transaction_session_timeout');\n"                        \
    "-- name: sleep [pgsql]\nSELECT 1 FROM pg_sleep(30);\n"                            \
    "-- name: sleep\nSELECT 1;\n"                                                      \
    "-- name: prepared [pgsql]\nSELECT count(*) FROM pg_prepared_statements;\n"        \
    "-- name: prepared\nSELECT 0;\n"                                                   \
    "-- name: hang_up [pgsql]\nSELECT pg_terminate_backend(pg_backend_pid());\n"       \
    "-- name: hang_up\nSELECT 1;\n"                                                    \
    "-- name: pid [pgsql]\nSELECT pg_backend_pid();\n"                                 \
    "-- name: pid\nSELECT 0;\n"                                                        \
    "-- name: ping\nSELECT 1;\n"

/* A database with three tables, and the statements above. */
static inline void open_tables(int backend)
{
    fx_open_bare(backend);
    fw_db_release(fx.db);
    fx.sql = fx_statements(STATEMENTS);
    ck_ok(fw_db_pool_open(&fx.dbs, &fx.config, fx.sql, fx.pool));
    ck_ok(fw_db_acquire(&fx.db, fx.dbs, fx.pool));
    if (backend == FW_DB_SQLITE)
        ck_ok(fw_db_raw(fx.db, "PRAGMA journal_mode=WAL", fx.pool));
    fx_run("CREATE TABLE t (id BIGINT PRIMARY KEY, a TEXT UNIQUE)");
    fx_run("CREATE TABLE u (id BIGINT PRIMARY KEY, t_id BIGINT NOT NULL REFERENCES t (id))");
    fx_run("CREATE TABLE v (a TEXT, n BIGINT, b TEXT)");
}

static inline const fw_err *put(fw_db *db, int64_t id, const char *a)
{
    return fw_db_exec(db, "put", FW_VALS(FW_I(id), FW_S(a)), NULL, fx.pool);
}

static inline const fw_err *keep_text(void *baton, const fw_row *row)
{
    *(const char **)baton = fw_row_text(row, 0, fx.pool);
    return NULL;
}

#endif
