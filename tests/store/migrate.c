/* Migrations: once, in order, whole or not at all, one process at a time. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "fw_migrate.h"

static const char *dir;

static void begin(int backend)
{
    fx_open_bare(backend);
    dir = apr_pstrcat(fx.pool, fx.dir, "/schema", NULL);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(apr_pstrcat(fx.pool, dir, "/", name, NULL), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static const char first[] = "-- The first.\nCREATE TABLE fw_schema (version BIGINT PRIMARY KEY,\n"
                            "  applied BIGINT NOT NULL);\n\nCREATE TABLE one (x BIGINT);\n";

static void expect(const char *directory, fw_code_e code, const char *says)
{
    const fw_err *err;
    int done = 0;

    err = fw_migrate_run(fx.db, directory, &done, fx.pool);
    ck_code(err, code);
    ck_assert_msg(strstr(fw_err_text(err, fx.pool), says) != NULL, "%s", fw_err_text(err, fx.pool));
    ck_assert(!fw_db_in_transaction(fx.db));
}

START_TEST(the_project_s_own)
{
    int done = 0, now = 5, newest = 0;

    begin(_i);
    ck_ok(fw_migrate_current(&now, fx.db, fx.pool));
    ck_assert_int_eq(now, 0);
    ck_ok(fw_migrate_newest(&newest, "sql/schema", fx.pool));
    ck_ok(fw_migrate_run(fx.db, "sql/schema", &done, fx.pool));
    ck_assert_int_eq(done, newest);
    ck_ok(fw_migrate_run(fx.db, "sql/schema", &done, fx.pool));
    ck_assert_int_eq(done, 0);
    ck_ok(fw_migrate_current(&now, fx.db, fx.pool));
    ck_assert_int_eq(now, newest);
    ck_assert_int_eq(fx_count("fw_schema"), newest);
    fx_close();
}
END_TEST

START_TEST(a_new_one_is_added)
{
    int done = 0;

    begin(_i);
    write_file("0001_first.sql", first);
    write_file("README", "not a migration");
    ck_ok(fw_migrate_run(fx.db, dir, &done, fx.pool));
    ck_assert_int_eq(done, 1);
    write_file("0002_more.sql", "-- sqlite: INSERT INTO one (x) VALUES (1);\n"
                                "-- pgsql: INSERT INTO one (x) VALUES (2);\n"
                                "INSERT INTO one (x)\n\n  VALUES (3);\n");
    ck_ok(fw_migrate_run(fx.db, dir, &done, fx.pool));
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(fx_count("one"), 2);
    ck_assert_int_eq(fx_count("one WHERE x = 1"), _i == FW_DB_SQLITE);
    fx_close();
}
END_TEST

START_TEST(gap_and_number_twice)
{
    int newest;

    begin(_i);
    write_file("0001_first.sql", first);
    write_file("0003_third.sql", "CREATE TABLE three (x BIGINT);\n");
    expect(dir, FW_E_CONFIG, "migration 2 is missing");
    ck_code(fw_migrate_newest(&newest, dir, fx.pool), FW_E_CONFIG);
    write_file("0002_second.sql", "CREATE TABLE two (x BIGINT);\n");
    write_file("0002_other.sql", "CREATE TABLE other (x BIGINT);\n");
    expect(dir, FW_E_CONFIG, "this number is taken");
    expect("/nonexistent", FW_E_CONFIG, "cannot be opened");
    fx_close();
}
END_TEST

START_TEST(a_newer_database_is_told)
{
    int done;

    begin(_i);
    write_file("0001_first.sql", first);
    ck_ok(fw_migrate_run(fx.db, dir, &done, fx.pool));
    fx_run("INSERT INTO fw_schema (version, applied) VALUES (2, 1), (3, 1)");
    expect(dir, FW_E_CONFIG, "the database has schema 3, this build knows 1");
    fx_close();
}
END_TEST

START_TEST(whole_or_not_at_all)
{
    int now = 0, done = 0;

    begin(_i);
    write_file("0001_first.sql", first);
    write_file("0002_bad.sql", "CREATE TABLE two (x BIGINT);\nCREATE TABLE one (x BIGINT);\n");
    expect(dir, FW_E_INTERNAL, "0002_bad.sql");
    ck_ok(fw_migrate_current(&now, fx.db, fx.pool));
    ck_assert_int_eq(now, 1);
    write_file("0002_bad.sql", "CREATE TABLE two (x BIGINT);\nCREATE TABLE three (x BIGINT)\n");
    expect(dir, FW_E_CONFIG, "does not end with ;");
    write_file("0002_bad.sql", "CREATE TABLE two (x BIGINT);\nCREATE TABLE three (x BIGINT);\n");
    ck_ok(fw_migrate_run(fx.db, dir, &done, fx.pool));
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(fx_count("two"), 0);
    fx_close();
}
END_TEST

static int migrate(int i, fw_db *db, apr_pool_t *pool)
{
    int done = 0;
    const fw_err *err = fw_migrate_run(db, "sql/schema", &done, pool);

    if (err)
        fprintf(stderr, "%d: %s\n", i, fw_err_text(err, pool));
    return err != NULL;
}

START_TEST(many_at_a_time_wait)
{
    int newest = 0;

    begin(_i);
    ck_assert_int_eq(fx_processes(6, migrate), 0);
    ck_ok(fw_migrate_newest(&newest, "sql/schema", fx.pool));
    ck_assert_int_eq(fx_count("fw_schema"), newest);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("migrate");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, the_project_s_own, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_new_one_is_added, 0, FX_BACKENDS);
    tcase_add_loop_test(both, gap_and_number_twice, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_newer_database_is_told, 0, FX_BACKENDS);
    tcase_add_loop_test(both, whole_or_not_at_all, 0, FX_BACKENDS);
    tcase_add_loop_test(both, many_at_a_time_wait, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
