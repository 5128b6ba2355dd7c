/* fw_db: every rule D1 to D14 by name; each on both back ends where it is of both. */
#include "tables.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <sqlite3.h>

#define PGSQL (_i == FW_DB_PGSQL)

static const char *one(const char *name, const fw_val *vals, int n)
{
    const char *text = "no row";

    ck_ok(fw_db_query(fx.db, name, vals, n, keep_text, &text, fx.pool));
    return text;
}

static void reacquire(void)
{
    fw_db_release(fx.db);
    ck_ok(fw_db_acquire(&fx.db, fx.dbs, fx.pool));
}
static void restart_server(void)
{
    const char *ctl = getenv("FW_TEST_PGSQL_CTL"), *dir = getenv("FW_TEST_PGSQL_DIR");
    pid_t pid = fork();
    int status = 1;

    if (pid == 0) {
        execl(ctl, ctl, "restart", dir, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
}

/* ---- D1: one lane for each process: many threads are right all the same ---- */

static void *APR_THREAD_FUNC write_rows(apr_thread_t *self, void *data)
{
    int64_t from = (int64_t)(intptr_t)data * 100;
    apr_pool_t *pool;
    int failures = 0;

    apr_pool_create(&pool, NULL);
    for (int i = 0; i < 25; i++) {
        fw_db *db = NULL;
        const fw_err *err = fw_db_acquire(&db, fx.dbs, pool);

        if (!err)
            err = fw_db_exec(db, "put", FW_VALS(FW_I(from + i), FW_NULLV), NULL, pool);
        failures += err != NULL;
        apr_pool_clear(pool); /* gives the connection back */
    }
    apr_pool_destroy(pool);
    apr_thread_exit(self, failures);
    return NULL;
}

START_TEST(d1_threads_share_the_lane)
{
    apr_thread_t *threads[8];

    open_tables(_i);
    fx.config.acquire_ms = 30000;
    ck_ok(fw_db_pool_open(&fx.dbs, &fx.config, fx.sql, fx.pool));
    for (intptr_t i = 0; i < 8; i++)
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, write_rows, (void *)i, fx.pool), 0);
    for (int i = 0; i < 8; i++) {
        apr_status_t failures = 0;

        apr_thread_join(&failures, threads[i]);
        ck_assert_int_eq(failures, 0);
    }
    ck_assert_int_eq(fx_count("t"), 8 * 25);
    fx_close();
}
END_TEST

/* ---- D2: no busy_timeout; who waits, waits for the lock file ---- */

START_TEST(d2_no_busy_timeout)
{
    open_tables(_i);
    ck_assert_str_eq(one("session_busy", NULL, 0), PGSQL ? "1min" : "0");
    fx_close();
}
END_TEST

/* ---- D3: foreign keys are on, in each connection; WAL is on ---- */

START_TEST(d3_foreign_keys_are_on)
{
    fw_db *other;

    open_tables(_i);
    other = fx_connect(fx.pool);
    ck_code(fw_db_exec(fx.db, "child", FW_VALS(FW_I(1), FW_I(99)), NULL, fx.pool), FW_E_INTERNAL);
    ck_code(fw_db_exec(other, "child", FW_VALS(FW_I(1), FW_I(99)), NULL, fx.pool), FW_E_INTERNAL);
    ck_ok(put(fx.db, 99, "x"));
    ck_ok(fw_db_exec(fx.db, "child", FW_VALS(FW_I(1), FW_I(99)), NULL, fx.pool));
    if (!PGSQL)
        ck_assert_str_eq(fx_text("PRAGMA journal_mode"), "wal");
    fw_db_release(other);
    fx_close();
}
END_TEST

/* ---- D4: a begin that fails leaves no transaction ---- */

START_TEST(d4_failed_begin_leaves_no_transaction)
{
    sqlite3 *raw = NULL;

    open_tables(_i);
    if (PGSQL) {
        fw_db_query(fx.db, "hang_up", NULL, 0, keep_text, &(const char *){0}, fx.pool);
        ck_code(fw_db_begin(fx.db), FW_E_UNAVAILABLE);
    } else {
        ck_assert_int_eq(sqlite3_open(fx.config.params, &raw), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(raw, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        ck_code(fw_db_begin(fx.db), FW_E_BUSY);
        sqlite3_close(raw);
    }
    ck_assert(!fw_db_in_transaction(fx.db));
    reacquire();
    ck_ok(put(fx.db, 1, "kept"));
    fw_db_rollback(fx.db);
    ck_assert_int_eq(fx_count("t"), 1);
    ck_ok(fw_db_begin(fx.db));
    ck_ok(fw_db_commit(fx.db));
    fx_close();
}
END_TEST

/* ---- D5: an abandoned transaction is undone ---- */

static int die_within(int i, fw_db *db, apr_pool_t *pool)
{
    (void)pool;
    if (fw_db_begin(db) || put(db, 10 + i, "dead"))
        return 1;
    kill(getpid(), SIGKILL);
    return 0;
}

START_TEST(d5_abandoned_transaction_is_undone)
{
    apr_pool_t *request;
    fw_db *db = NULL;

    open_tables(_i);
    apr_pool_create(&request, fx.pool);
    ck_ok(fw_db_acquire(&db, fx.dbs, request));
    ck_ok(fw_db_begin(db));
    ck_ok(put(db, 1, "lost"));
    apr_pool_destroy(request);
    ck_assert_int_eq(fx_count("t"), 0);
    ck_assert_int_eq(fx_processes(3, die_within), 3);
    ck_assert_int_eq(fx_count("t"), 0);
    ck_ok(put(fx.db, 2, "kept")); /* and the dead hold no lock */
    ck_assert_int_eq(fx_count("t"), 1);
    fx_close();
}
END_TEST

/* ---- D6 and D7: PostgreSQL goes away and comes back ---- */

START_TEST(d6_begin_on_a_dead_connection)
{
    open_tables(FW_DB_PGSQL);
    restart_server();
    ck_code(fw_db_begin(fx.db), FW_E_UNAVAILABLE);
    ck_assert(!fw_db_in_transaction(fx.db));
    reacquire();
    ck_ok(fw_db_begin(fx.db));
    ck_ok(put(fx.db, 1, "a"));
    ck_ok(fw_db_commit(fx.db));
    fx_close();
}
END_TEST

static pid_t serves(void)
{
    return (pid_t)apr_atoi64(one("pid", NULL, 0));
}

/* Another's process dies: the server ends all of them, this connection's as well, and recovers. */
static void kill_another(void)
{
    fw_db *mine = fx.db;
    pid_t pid = serves();

    ck_ok(fw_db_acquire(&fx.db, fx.dbs, fx.pool));
    ck_assert_int_eq(kill(serves(), SIGKILL), 0);
    fw_db_release(fx.db);
    fx.db = mine;
    while (kill(pid, 0) == 0)
        apr_sleep(1000);
}

/* By asking again and again, as a program does. */
static void await_server(void)
{
    apr_time_t until = apr_time_now() + apr_time_from_sec(30);

    while (fw_db_acquire(&fx.db, fx.dbs, fx.pool) || fw_db_ping(fx.db, fx.pool)) {
        fw_db_release(fx.db);
        ck_assert(apr_time_now() < until);
        apr_sleep(10000);
    }
}

START_TEST(d7_restarted_between_two_calls)
{
    const fw_err *err;

    open_tables(FW_DB_PGSQL);
    ck_ok(put(fx.db, 1, "a"));
    restart_server();
    err = put(fx.db, 2, "b");
    ck_assert_ptr_nonnull(err);
    ck_assert_int_eq(err->code, FW_E_UNAVAILABLE);
    ck_assert(fw_err_retryable(err));
    ck_code(fw_db_ping(fx.db, fx.pool), FW_E_UNAVAILABLE);
    reacquire();
    ck_ok(fw_db_ping(fx.db, fx.pool));
    for (int i = 2; i < 5; i++)
        ck_ok(put(fx.db, i, NULL));
    ck_assert_str_eq(one("get", FW_VALS(FW_I(1))), "a");
    fx_close();
}
END_TEST

/* libpq still takes a connection for good where it could not even send, but had something to read. */
START_TEST(d7_ended_by_the_death_of_another)
{
    open_tables(FW_DB_PGSQL);
    ck_ok(put(fx.db, 1, "a"));
    kill_another();
    ck_code(put(fx.db, 2, "b"), FW_E_UNAVAILABLE);
    fw_db_release(fx.db);
    await_server();
    for (int i = 2; i < 5; i++)
        ck_ok(put(fx.db, i, NULL));
    fx_close();
}
END_TEST

START_TEST(d7_restarted_within_a_transaction)
{
    open_tables(FW_DB_PGSQL);
    ck_ok(fw_db_begin(fx.db));
    ck_ok(put(fx.db, 1, "half"));
    restart_server();
    ck_code(put(fx.db, 2, "half"), FW_E_UNAVAILABLE);
    ck_assert_ptr_nonnull(fw_db_commit(fx.db));
    ck_assert(!fw_db_in_transaction(fx.db));
    reacquire();
    ck_assert_int_eq(fx_count("t"), 0);
    ck_ok(fw_db_begin(fx.db));
    ck_ok(put(fx.db, 1, "whole"));
    restart_server();
    ck_code(fw_db_commit(fx.db), FW_E_UNAVAILABLE);
    reacquire();
    ck_ok(put(fx.db, 3, "after"));
    fx_close();
}
END_TEST

/* A connection that lay idle is asked before it is given out: nobody sees the restart. */
START_TEST(d7_idle_connection_is_asked_first)
{
    apr_time_t until;

    open_tables(FW_DB_PGSQL);
    fw_db_release(fx.db);
    until = apr_time_now() + apr_time_from_msec(1050);
    restart_server();
    while (apr_time_now() < until)
        apr_sleep(10000);
    ck_ok(fw_db_acquire(&fx.db, fx.dbs, fx.pool));
    ck_ok(put(fx.db, 1, "a"));
    fx_close();
}
END_TEST

/* ---- D8: a change of the schema by somebody else ---- */

START_TEST(d8_schema_changed_by_another)
{
    fw_db *other;
    const char *kept = "no row";

    open_tables(_i);
    other = fx_connect(fx.pool);
    ck_ok(put(fx.db, 1, "a"));
    ck_assert_str_eq(one("get", FW_VALS(FW_I(1))), "a");
    for (int i = 2; i < 6; i++) {
        fx_run(apr_psprintf(fx.pool, "ALTER TABLE t ADD COLUMN c%d TEXT", i));
        ck_ok(put(fx.db, i, NULL));
        ck_assert_str_eq(one("get", FW_VALS(FW_I(1))), "a");
        ck_ok(fw_db_raw(other, apr_psprintf(fx.pool, "CREATE TABLE n%d (x TEXT)", i), fx.pool));
        ck_ok(fw_db_begin(fx.db));
        ck_ok(fw_db_query(fx.db, "get", FW_VALS(FW_I(1)), keep_text, &kept, fx.pool));
        ck_ok(put(fx.db, 10 + i, NULL));
        ck_ok(fw_db_commit(fx.db));
    }
    ck_assert_int_eq(fx_count("t"), 9);
    fw_db_release(other);
    fx_close();
}
END_TEST

/* PostgreSQL: what was prepared before a column became another, or was taken away by a pooler. */
START_TEST(d8_prepared_for_what_was)
{
    static const char *const ways[] = {"ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(90)",
                                       "DEALLOCATE ALL"};

    open_tables(FW_DB_PGSQL);
    ck_ok(put(fx.db, 1, "a"));
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const char *kept = "no row";

        ck_assert_str_eq(one("get", FW_VALS(FW_I(1))), "a");
        ck_ok(fw_db_raw(fx.db, ways[i], fx.pool));
        ck_code(fw_db_query(fx.db, "get", FW_VALS(FW_I(1)), keep_text, &kept, fx.pool),
                FW_E_UNAVAILABLE);
        reacquire();
        ck_assert_str_eq(one("get", FW_VALS(FW_I(1))), "a");
    }
    fx_close();
}
END_TEST

/* ---- D9: prepared once ---- */

START_TEST(d9_statements_are_prepared_once)
{
    apr_pool_t *pool;
    sqlite3_int64 before = 0;

    open_tables(_i);
    apr_pool_create(&pool, fx.pool);
    ck_ok(put(fx.db, 1, "same"));
    for (int i = 0; i < 600; i++) {
        const char *text = NULL;

        if (i == 100)
            before = sqlite3_memory_used();
        ck_ok(fw_db_query(fx.db, "get", FW_VALS(FW_I(1)), keep_text, &text, pool));
        ck_code(fw_db_exec(fx.db, "put", FW_VALS(FW_I(2 + i), FW_S("same")), NULL, pool),
                FW_E_CONFLICT);
        apr_pool_clear(pool);
    }
    ck_assert_int_le(sqlite3_memory_used() - before, 4096);
    ck_assert_str_eq(one("prepared", NULL, 0), PGSQL ? "3" : "0"); /* get, put, and this one */
    fx_close();
}
END_TEST

/* ---- D10: no rows are no error, an error is never no rows ---- */

static const fw_err *stop(void *baton, const fw_row *row)
{
    (void)row;
    ++*(int *)baton;
    return FW_ERR(fx.pool, FW_E_LIMIT, 0, "enough");
}

START_TEST(d10_no_rows_and_errors)
{
    int seen = 0;

    open_tables(_i);
    ck_assert_str_eq(one("get", FW_VALS(FW_I(1))), "no row");
    ck_code(fw_db_query(fx.db, "wrong", NULL, 0, stop, &seen, fx.pool), FW_E_INTERNAL);
    ck_assert_int_eq(seen, 0);
    for (int i = 0; i < 5; i++)
        ck_ok(put(fx.db, i, NULL));
    ck_code(fw_db_query(fx.db, "all", NULL, 0, stop, &seen, fx.pool), FW_E_LIMIT);
    ck_assert_int_eq(seen, 1);
    ck_ok(put(fx.db, 7, "next")); /* what was not read to the end does not stand in the way */
    ck_assert_str_eq(one("get", FW_VALS(FW_I(7))), "next");
    ck_code(fw_db_exec(fx.db, "no_such_name", NULL, 0, NULL, fx.pool), FW_E_INTERNAL);
    fx_close();
}
END_TEST

START_TEST(d10_after_a_failure_only_rollback)
{
    open_tables(_i);
    ck_ok(fw_db_begin(fx.db));
    ck_code(fw_db_begin(fx.db), FW_E_INTERNAL);
    ck_ok(put(fx.db, 1, "a"));
    ck_code(put(fx.db, 1, "b"), FW_E_CONFLICT);
    ck_code(put(fx.db, 2, "b"), FW_E_INTERNAL);
    ck_code(fw_db_commit(fx.db), FW_E_INTERNAL);
    ck_assert(!fw_db_in_transaction(fx.db));
    ck_assert_int_eq(fx_count("t"), 0);
    ck_code(fw_db_commit(fx.db), FW_E_INTERNAL);
    ck_ok(put(fx.db, 1, "a"));
    fx_close();
}
END_TEST

/* ---- D11: what was copied stays ---- */

static const fw_err *keep_all(void *baton, const fw_row *row)
{
    APR_ARRAY_PUSH((apr_array_header_t *)baton, const char *) = fw_row_text(row, 1, fx.pool);
    return NULL;
}

START_TEST(d11_values_outlive_the_result)
{
    apr_array_header_t *kept;
    apr_pool_t *scratch;

    open_tables(_i);
    kept = apr_array_make(fx.pool, 4, sizeof(const char *));
    for (int i = 0; i < 200; i++)
        ck_ok(put(fx.db, i, apr_psprintf(fx.pool, "value %d 名字 🛂", i)));
    apr_pool_create(&scratch, fx.pool);
    ck_ok(fw_db_query(fx.db, "all", NULL, 0, keep_all, kept, scratch));
    apr_pool_destroy(scratch);
    ck_assert_int_eq(kept->nelts, 200);
    for (int i = 0; i < 200; i++)
        ck_assert_str_eq(APR_ARRAY_IDX(kept, i, const char *),
                         apr_psprintf(fx.pool, "value %d 名字 🛂", i));
    fx_close();
}
END_TEST

/* ---- D12: NULL is not '', shifts nothing, and no bytes are stored ---- */

static const fw_err *look_at_three(void *baton, const fw_row *row)
{
    ++*(int *)baton;
    ck_assert_int_eq(fw_row_columns(row), 3);
    ck_assert(fw_row_is_null(row, 0));
    ck_assert_ptr_null(fw_row_text(row, 0, fx.pool));
    ck_assert(fw_row_is_null(row, 1));
    ck_assert_int_eq(fw_row_int(row, 1), 0);
    ck_assert(!fw_row_is_null(row, 2));
    ck_assert_str_eq(fw_row_text(row, 2, fx.pool), "");
    ck_assert(fw_row_is_null(row, 3)); /* no such column */
    return NULL;
}

START_TEST(d12_null_is_not_empty)
{
    int seen = 0;

    open_tables(_i);
    ck_ok(fw_db_exec(fx.db, "three", FW_VALS(FW_S(NULL), FW_NULLV, FW_S("")), NULL, fx.pool));
    ck_ok(fw_db_query(fx.db, "read3", NULL, 0, look_at_three, &seen, fx.pool));
    ck_assert_int_eq(seen, 1);
    ck_assert_int_eq(fx_count("v WHERE a IS NULL AND n IS NULL AND b = ''"), 1);
    fx_close();
}
END_TEST

START_TEST(d12_no_column_of_bytes)
{
    fx_open(_i);
    if (PGSQL)
        ck_assert_int_eq(fx_count("information_schema.columns WHERE table_schema = "
                                  "current_schema() AND data_type NOT IN ('bigint', 'text')"),
                         0);
    else
        ck_assert_int_eq(fx_count("sqlite_master m, pragma_table_info(m.name) c WHERE m.type = "
                                  "'table' AND c.type NOT IN ('BIGINT', 'TEXT')"),
                         0);
    fx_close();
}
END_TEST

/* ---- D13: numbers are bound as numbers ---- */

static const fw_err *keep_int(void *baton, const fw_row *row)
{
    *(int64_t *)baton = fw_row_int(row, 1);
    return NULL;
}

START_TEST(d13_numbers_are_numbers)
{
    static const int64_t numbers[] = {INT64_MAX, INT64_MIN, -1, 0, INT64_C(4294967296)};
    int64_t back = 5;

    open_tables(_i);
    ck_assert_str_eq(one("compare", FW_VALS(FW_I(1))), "number");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        fx_run("DELETE FROM v");
        ck_ok(fw_db_exec(fx.db, "three", FW_VALS(FW_S("a"), FW_I(numbers[i]), FW_S("b")), NULL,
                         fx.pool));
        ck_ok(fw_db_query(fx.db, "read3", NULL, 0, keep_int, &back, fx.pool));
        ck_assert_int_eq(back, numbers[i]);
    }
    fx_close();
}
END_TEST

START_TEST(d13_percent_and_wrong_values)
{
    open_tables(_i);
    ck_ok(put(fx.db, 1, "axb"));
    ck_ok(put(fx.db, 2, "100% %s %lld"));
    ck_assert_str_eq(one("percent", NULL, 0), "1");
    ck_assert_str_eq(one("get", FW_VALS(FW_I(2))), "100% %s %lld");
    ck_code(fw_db_exec(fx.db, "put", FW_VALS(FW_S("1"), FW_S("b")), NULL, fx.pool), FW_E_INTERNAL);
    ck_code(fw_db_exec(fx.db, "put", FW_VALS(FW_I(1), FW_I(2)), NULL, fx.pool), FW_E_INTERNAL);
    ck_code(fw_db_exec(fx.db, "put", FW_VALS(FW_I(1)), NULL, fx.pool), FW_E_INTERNAL);
    fx_close();
}
END_TEST

/* ---- D14: codes from the libraries, RETURNING, time-outs, nothing personal in a message ---- */

START_TEST(d14_codes_and_messages)
{
    const fw_err *err;
    int rows = 0;

    open_tables(_i);
    ck_ok(put(fx.db, 1, "NGUYEN VAN ANH"));
    err = put(fx.db, 2, "NGUYEN VAN ANH");
    ck_code(err, FW_E_CONFLICT);
    ck_assert_ptr_null(strstr(fw_err_text(err, fx.pool), "NGUYEN"));
    ck_code(put(fx.db, 1, "other"), FW_E_CONFLICT); /* the primary key */
    ck_assert_str_eq(one("returning", FW_VALS(FW_I(7), FW_S("r"))), "8");
    ck_ok(fw_db_exec(fx.db, "upper", FW_VALS(FW_S(NULL), FW_I(0)), &rows, fx.pool));
    ck_assert_int_eq(rows, 2);
    ck_ok(fw_db_exec(fx.db, "upper", FW_VALS(FW_S(NULL), FW_I(100)), &rows, fx.pool));
    ck_assert_int_eq(rows, 0);
    fx_close();
}
END_TEST

START_TEST(d14_statement_timeout)
{
    fw_db_config quick;
    fw_db *db;
    const char *text = NULL;

    open_tables(FW_DB_PGSQL);
    quick = fx.config;
    quick.statement_ms = 50;
    db = fx_connect_as(&quick, fx.sql, fx.pool);
    ck_code(fw_db_query(db, "sleep", NULL, 0, keep_text, &text, fx.pool), FW_E_BUSY);
    ck_ok(put(db, 1, "after"));
    fw_db_release(db);
    fx_close();
}
END_TEST

/* A full disk is told as such, whatever the driver makes of it; the next connection is a new one. */
START_TEST(d14_full_disk)
{
    char *big;
    const fw_err *err = NULL;

    open_tables(FW_DB_SQLITE);
    big = apr_pcalloc(fx.pool, 100001);
    memset(big, 'x', 100000);
    ck_ok(fw_db_raw(fx.db, "PRAGMA max_page_count=40", fx.pool));
    for (int i = 0; i < 10 && !err; i++) {
        big[0] = (char)('a' + i);
        err = put(fx.db, i, big);
    }
    ck_code(err, FW_E_UNAVAILABLE);
    reacquire();
    big[0] = 'z';
    ck_ok(put(fx.db, 99, big));
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("db");
    TCase *both = tcase_create("both back ends"), *alone = tcase_create("one back end");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    tcase_set_timeout(alone, 60);
    suite_add_tcase(suite, both);
    suite_add_tcase(suite, alone);
    tcase_add_loop_test(both, d1_threads_share_the_lane, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d2_no_busy_timeout, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d3_foreign_keys_are_on, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d4_failed_begin_leaves_no_transaction, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d5_abandoned_transaction_is_undone, 0, FX_BACKENDS);
    tcase_add_test(alone, d6_begin_on_a_dead_connection);
    tcase_add_test(alone, d7_restarted_between_two_calls);
    tcase_add_test(alone, d7_ended_by_the_death_of_another);
    tcase_add_test(alone, d7_restarted_within_a_transaction);
    tcase_add_test(alone, d7_idle_connection_is_asked_first);
    tcase_add_loop_test(both, d8_schema_changed_by_another, 0, FX_BACKENDS);
    tcase_add_test(alone, d8_prepared_for_what_was);
    tcase_add_loop_test(both, d9_statements_are_prepared_once, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d10_no_rows_and_errors, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d10_after_a_failure_only_rollback, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d11_values_outlive_the_result, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d12_null_is_not_empty, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d12_no_column_of_bytes, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d13_numbers_are_numbers, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d13_percent_and_wrong_values, 0, FX_BACKENDS);
    tcase_add_loop_test(both, d14_codes_and_messages, 0, FX_BACKENDS);
    tcase_add_test(alone, d14_statement_timeout);
    tcase_add_test(alone, d14_full_disk);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
