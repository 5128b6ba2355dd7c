/* The files of statements: what is wrong with one is told by file and line, and each of ours is one that both back ends know. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#define PGSQL (_i == FW_DB_PGSQL)

#define TOO_MANY                                                                        \
    "%s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s " \
    "%s %s %s %s %s %s %s %s %s %s %s %s %s %s"

START_TEST(wrong_files_of_statements)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n", "test.sql:3: a is named twice"},
        {"-- name: a [pgsql]\nSELECT 1;\n-- name: a [pgsql]\nSELECT 2;\n", ":3: a is named twice"},
        {"-- only a remark\n", "test.sql:1: no statement is named"},
        {"SELECT 1;\n-- name: a\nSELECT 1;\n", "test.sql:1: a statement without a name"},
        {"-- name: a\n-- name: b\nSELECT 1;\n", "test.sql:1: a has no statement"},
        {"-- name: a [oracle]\nSELECT 1;\n", "test.sql:1: not a statement's name"},
        {"-- name: a\nSELECT %d;\n", "test.sql:1: a: a parameter of an unknown kind"},
        {"-- name: a\nSELECT " TOO_MANY ";\n", "test.sql:1: a has more than 40 parameters"},
    };

    fx_open_bare(FW_DB_SQLITE);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *dir = apr_psprintf(fx.pool, "%s/s%d", fx.dir, (int)i), *text;
        const fw_err *err;
        fw_sql *sql = NULL;
        FILE *f;

        mkdir(dir, 0700);
        f = fopen(apr_pstrcat(fx.pool, dir, "/test.sql", NULL), "w");
        fputs(wrong[i].text, f);
        fclose(f);
        err = fw_sql_load(&sql, dir, fx.pool);
        ck_code(err, FW_E_CONFIG);
        text = fw_err_text(err, fx.pool);
        ck_assert_msg(strstr(text, wrong[i].says) != NULL, "%s", text);
    }
    ck_code(fw_sql_load(&(fw_sql *){0}, "/nonexistent", fx.pool), FW_E_CONFIG);
    fx_close();
}
END_TEST

/* Every statement of sql/queries as the library itself prepares it: $1, $2 … for what APR calls %s and %lld. */
static const char *as_library(const fw_statement *st)
{
    const char *out = "";
    int n = 0;

    for (const char *p = st->text; *p;) {
        size_t plain = strcspn(p, "%");

        out = apr_pstrcat(fx.pool, out, apr_pstrndup(fx.pool, p, plain), NULL);
        p += plain;
        if (!*p)
            break;
        if (p[1] == '%') {
            out = apr_pstrcat(fx.pool, out, "%", NULL);
            p += 2;
            continue;
        }
        out = apr_psprintf(fx.pool, "%s$%d", out, ++n);
        p += p[1] == 's' ? 2 : 4;
    }
    return out;
}

static const fw_err *prepare_pgsql(void *baton, const fw_statement *st)
{
    PGconn *pg = baton;
    PGresult *res = PQprepare(pg, st->name, as_library(st), 0, NULL);

    ck_assert_msg(PQresultStatus(res) == PGRES_COMMAND_OK, "%s:%d: %s: %s", st->file, st->line,
                  st->name, PQerrorMessage(pg));
    PQclear(res);
    res = PQdescribePrepared(pg, st->name);
    ck_assert_int_eq(PQnparams(res), st->n_params);
    for (int i = 0; i < st->n_params; i++) {
        Oid type = PQparamtype(
            res, i); /* text; bigint, or integer where a function of the server wants it */

        ck_assert_msg(st->params[i] == 's' ? type == 25 : type == 20 || type == 23,
                      "%s:%d: %s: parameter %d is of another type", st->file, st->line, st->name,
                      i + 1);
    }
    PQclear(res);
    return NULL;
}

static const fw_err *prepare_sqlite(void *baton, const fw_statement *st)
{
    sqlite3_stmt *ready = NULL;
    const fw_statement *pg = fw_sql_find(fx.sql, FW_DB_PGSQL, st->name);

    ck_assert_msg(sqlite3_prepare_v2(baton, as_library(st), -1, &ready, NULL) == SQLITE_OK,
                  "%s:%d: %s: %s", st->file, st->line, st->name, sqlite3_errmsg(baton));
    ck_assert_int_eq(sqlite3_bind_parameter_count(ready), st->n_params);
    ck_assert_msg(sqlite3_stmt_readonly(ready) == st->reads, "%s: reads or writes", st->name);
    sqlite3_finalize(ready);
    ck_assert_msg(strcmp(pg->params, st->params) == 0, "%s differs for PostgreSQL", st->name);
    return NULL;
}

START_TEST(every_statement_prepares)
{
    sqlite3 *lite = NULL;
    PGconn *pg = NULL;

    fx_open(_i);
    if (PGSQL) {
        pg = PQconnectdb(fx.config.params);
        ck_ok(fw_sql_each(fx.sql, FW_DB_PGSQL, prepare_pgsql, pg));
        PQfinish(pg);
    } else {
        ck_assert_int_eq(sqlite3_open(fx.config.params, &lite), SQLITE_OK);
        ck_ok(fw_sql_each(fx.sql, FW_DB_SQLITE, prepare_sqlite, lite));
        sqlite3_close(lite);
    }
    fx_close();
}
END_TEST

static const fw_err *stop(void *baton, const fw_row *row)
{
    (void)baton;
    (void)row;
    return FW_ERR(fx.pool, FW_E_LIMIT, 0, "enough");
}

static const fw_err *count_run(void *baton, const fw_statement *st)
{
    fw_val vals[FW_SQL_MAX_PARAMS];
    const fw_err *err;
    const char *told;

    for (int i = 0; i < st->n_params; i++)
        vals[i] = st->params[i] == 's' ? FW_S("1") : FW_I(1);
    ck_ok(fw_db_begin(fx.db));
    err = fw_db_query(fx.db, st->name, vals, st->n_params, stop, NULL, fx.pool);
    /* A row, none, a reference to nothing, or no list of rows: but never a statement that the back end does not know. */
    told = err ? fw_err_text(err, fx.pool) : "";
    ck_assert_msg(!err || err->code == FW_E_LIMIT || err->code == FW_E_CONFLICT ||
                      strstr(told, "23503") || strstr(told, "FOREIGN KEY") ||
                      strstr(told, "22023") || strstr(told, "NOT NULL"),
                  "%s: %s", st->name, told);
    fw_db_rollback(fx.db);
    ++*(int *)baton;
    return NULL;
}

START_TEST(every_statement_runs)
{
    int n = 0;

    fx_open(_i);
    ck_ok(fw_sql_each(fx.sql, _i, count_run, &n));
    ck_assert_int_gt(n, 80);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("statements");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_test(both, wrong_files_of_statements);
    tcase_add_loop_test(both, every_statement_prepares, 0, FX_BACKENDS);
    tcase_add_loop_test(both, every_statement_runs, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
