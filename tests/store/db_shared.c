/* fw_db shared: the write lock of many processes, and the pool of connections; each on both back ends where it is of both. */
#include "tables.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <sqlite3.h>

#define PGSQL   (_i == FW_DB_PGSQL)
#define WRITERS 16
#define COMMITS 50

/* ---- the write lock: BUSY is never seen ---- */

static int commit_many(int i, fw_db *db, apr_pool_t *pool)
{
    apr_pool_t *iter;

    apr_pool_create(&iter, pool);
    for (int k = 0; k < COMMITS; k++) {
        int64_t id = i * 1000 + k;
        bool tx = k % 2 == 0;
        const char *text = NULL;
        const fw_err *err;

        apr_pool_clear(iter);
        fx.pool = iter;
        err = tx ? fw_db_begin(db) : NULL;
        if (!err)
            err = put(db, id, apr_psprintf(iter, "w%d-%d", i, k));
        if (!err)
            err = fw_db_query(db, "get", FW_VALS(FW_I(id)), keep_text, &text, iter);
        if (!err && tx)
            err = fw_db_commit(db);
        if (err || !text) {
            fprintf(stderr, "writer %d: %s\n", i, err ? fw_err_text(err, iter) : "row gone");
            return 1;
        }
    }
    return 0;
}

START_TEST(sixteen_writing_processes)
{
    open_tables(_i);
    fw_db_release(fx.db);
    fx.db = NULL;
    ck_assert_int_eq(fx_processes(WRITERS, commit_many), 0);
    ck_assert_int_eq(fx_count("t"), WRITERS * COMMITS);
    fx_close();
}
END_TEST

/* A process that has the file alone, as who opens it first or closes it last has for an instant; it lets go after a while. */
static pid_t keep_alone(const char *file)
{
    int ends[2];
    char told = 0;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        sqlite3 *raw = NULL;
        int rc = sqlite3_open(file, &raw);

        if (!rc)
            rc = sqlite3_exec(raw, "PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE", NULL, NULL,
                              NULL);
        if (!rc && write(ends[1], "y", 1) == 1)
            usleep(300000);
        sqlite3_close(raw);
        _exit(rc);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &told, 1), 1);
    close(ends[0]);
    return pid;
}

START_TEST(a_read_waits_for_who_opens_or_closes)
{
    const char *text = NULL;
    fw_db_config other;
    apr_pool_t *own;
    fw_db *db;
    pid_t pid;

    open_tables(FW_DB_SQLITE);
    other = fx.config;
    other.params = apr_pstrcat(fx.pool, fx.dir, "/other.db", NULL);
    apr_pool_create(&own, fx.pool);
    db = fx_connect_as(&other, fx.sql, own);
    ck_ok(fw_db_raw(db, "PRAGMA journal_mode=WAL", own));
    ck_ok(fw_db_raw(db, "CREATE TABLE t (id BIGINT PRIMARY KEY, a TEXT)", own));
    apr_pool_destroy(own);
    pid = keep_alone(other.params);
    db = fx_connect_as(&other, fx.sql, fx.pool);
    ck_ok(fw_db_query(db, "get", FW_VALS(FW_I(1)), keep_text, &text, fx.pool));
    fw_db_release(db);
    waitpid(pid, NULL, 0);
    fx_close();
}
END_TEST

/* Each write waits for the lock file, in a transaction or alone; a read never does. */
START_TEST(writes_take_the_lock_file)
{
    fw_db_config quick;
    const char *text = NULL;
    fw_db *db;
    int fd;

    open_tables(FW_DB_SQLITE);
    quick = fx.config;
    quick.lock_ms = 30;
    db = fx_connect_as(&quick, fx.sql, fx.pool);
    ck_ok(put(db, 1, "a"));
    fd = open(apr_pstrcat(fx.pool, fx.config.params, ".lock", NULL), O_RDWR);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_code(fw_db_begin(db), FW_E_BUSY);
    ck_code(put(db, 2, "b"), FW_E_BUSY);
    ck_code(fw_db_query(db, "returning", FW_VALS(FW_I(3), FW_S("c")), keep_text, &text, fx.pool),
            FW_E_BUSY);
    ck_code(fw_db_raw(db, "DELETE FROM t", fx.pool), FW_E_BUSY);
    ck_ok(fw_db_query(db, "get", FW_VALS(FW_I(1)), keep_text, &text, fx.pool));
    ck_assert_str_eq(text, "a");
    close(fd);
    ck_ok(put(db, 2, "b"));
    ck_ok(fw_db_begin(db));
    ck_ok(put(db, 3, "c"));
    ck_ok(fw_db_commit(db));
    fw_db_release(db);
    fx_close();
}
END_TEST

/* ---- the pool ---- */

START_TEST(pool_exhausted)
{
    fw_db_config small;
    fw_db_pool *dbs = NULL;
    fw_db *a = NULL, *b = NULL;
    const fw_err *err;

    open_tables(_i);
    small = fx.config;
    small.max = 1;
    small.acquire_ms = 50;
    ck_ok(fw_db_pool_open(&dbs, &small, fx.sql, fx.pool));
    ck_assert_int_eq(fw_db_pool_backend(dbs), _i);
    ck_ok(fw_db_acquire(&a, dbs, fx.pool));
    err = fw_db_acquire(&b, dbs, fx.pool);
    ck_code(err, FW_E_BUSY);
    ck_assert(fw_err_retryable(err));
    fw_db_release(a);
    ck_ok(fw_db_acquire(&b, dbs, fx.pool));
    ck_assert_int_eq(fw_db_backend(b), _i);
    ck_ok(put(b, 1, "a"));
    fw_db_release(b);
    fx_close();
}
END_TEST

START_TEST(no_database_no_connection)
{
    fw_db_config bad;
    fw_db_pool *dbs = NULL;
    fw_db *db = NULL;
    const fw_err *err;

    open_tables(_i);
    bad = fx.config;
    bad.params = PGSQL ? "host=/nonexistent user=nobody connect_timeout=2" : "/nonexistent/fw.db";
    ck_ok(fw_db_pool_open(&dbs, &bad, fx.sql, fx.pool));
    err = fw_db_acquire(&db, dbs, fx.pool);
    ck_code(err, FW_E_UNAVAILABLE);
    ck_assert_msg(strstr(err->msg, PGSQL ? "/nonexistent" : "unable to open"), "%s", err->msg);
    ck_assert_ptr_null(strchr(err->msg, '\n'));
    bad.driver = "no_such_driver";
    ck_code(fw_db_pool_open(&dbs, &bad, fx.sql, fx.pool), FW_E_CONFIG);
    fx_close();
}
END_TEST

START_TEST(what_is_no_word_of_libpq_is_not_repeated)
{
    static const char *const words[] = {"host=/nonexistent password=open sesame", "sesame=1"};
    fw_db_config bad;
    fw_db_pool *dbs = NULL;
    fw_db *db = NULL;
    const fw_err *err;

    open_tables(FW_DB_PGSQL);
    bad = fx.config;
    bad.params = words[_i];
    ck_ok(fw_db_pool_open(&dbs, &bad, fx.sql, fx.pool));
    err = fw_db_acquire(&db, dbs, fx.pool);
    ck_code(err, FW_E_UNAVAILABLE);
    ck_assert_msg(strstr(err->msg, "words") && !strstr(err->msg, "sesame"), "%s", err->msg);
    fx_close();
}
END_TEST

START_TEST(statements_are_counted_and_fail_when_asked)
{
    uint64_t before;

    open_tables(_i);
    before = fw_db_statements(fx.db);
    ck_ok(fw_db_begin(fx.db));
    ck_ok(put(fx.db, 1, "a"));
    ck_ok(fw_db_commit(fx.db));
    ck_assert_int_eq(fw_db_statements(fx.db) - before, 3);
    fw_db_fail_after(3);
    ck_ok(fw_db_begin(fx.db));
    ck_ok(put(fx.db, 2, "b"));
    ck_code(fw_db_commit(fx.db), FW_E_UNAVAILABLE);
    ck_assert_int_eq(fx_count("t"), 1);
    ck_ok(put(fx.db, 2, "b"));
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shared");
    TCase *both = tcase_create("both back ends"), *alone = tcase_create("one back end");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    tcase_set_timeout(alone, 60);
    suite_add_tcase(suite, both);
    suite_add_tcase(suite, alone);
    tcase_add_loop_test(both, sixteen_writing_processes, 0, FX_BACKENDS);
    tcase_add_test(alone, a_read_waits_for_who_opens_or_closes);
    tcase_add_test(alone, writes_take_the_lock_file);
    tcase_add_loop_test(both, pool_exhausted, 0, FX_BACKENDS);
    tcase_add_loop_test(both, no_database_no_connection, 0, FX_BACKENDS);
    tcase_add_loop_test(alone, what_is_no_word_of_libpq_is_not_repeated, 0, 2);
    tcase_add_loop_test(both, statements_are_counted_and_fail_when_asked, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
