#include "fw_config.h"
#include "fw_migrate.h"

#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_file.h"

#define FILE_MAX_BYTES 1048576
#define MAX_MIGRATIONS 999
#define WAL_TRIES      200
#define WAL_LOOK_US    10000

static bool is_migration(const char *name)
{
    size_t n = strlen(name);

    return n > 9 && apr_isdigit(name[0]) && apr_isdigit(name[1]) && apr_isdigit(name[2]) &&
           apr_isdigit(name[3]) && name[4] == '_' && strcmp(name + n - 4, ".sql") == 0;
}

/* files[i] is the name of migration i + 1. */
static const fw_err *list_files(const char **files, int *n, const char *dir, apr_pool_t *pool)
{
    apr_dir_t *d;
    apr_finfo_t info;
    apr_status_t rv = apr_dir_open(&d, dir, pool);

    *n = 0;
    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be opened", dir);
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        int number;

        if (!is_migration(info.name))
            continue;
        number = (int)apr_strtoi64(info.name, NULL, 10);
        if (number < 1 || number > MAX_MIGRATIONS || files[number - 1])
            return FW_ERR(pool, FW_E_CONFIG, 0, "%s/%s: this number is taken", dir, info.name);
        files[number - 1] = apr_pstrcat(pool, dir, "/", info.name, NULL);
        if (number > *n)
            *n = number;
    }
    apr_dir_close(d);
    for (int i = 0; i < *n; i++) {
        if (!files[i])
            return FW_ERR(pool, FW_E_CONFIG, 0, "%s: migration %d is missing", dir, i + 1);
    }
    return NULL;
}

const fw_err *fw_migrate_newest(int *version, const char *dir, apr_pool_t *pool)
{
    const char **files = apr_pcalloc(pool, sizeof(char *) * MAX_MIGRATIONS);

    return list_files(files, version, dir, pool);
}

static const fw_err *take_int(void *baton, const fw_row *row)
{
    *(int *)baton = (int)fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_migrate_current(int *version, fw_db *db, apr_pool_t *pool)
{
    int there = 0;

    *version = 0;
    FW_TRY(fw_db_query(db, "schema_exists", NULL, 0, take_int, &there, pool));
    if (!there)
        return NULL;
    return fw_db_query(db, "schema_version", NULL, 0, take_int, version, pool);
}

/* "-- sqlite:" and "-- pgsql:" before a line keep it for that back end alone. */
static char *pick_line(char *line, fw_backend_e backend)
{
    static const struct {
        const char *mark;
        fw_backend_e of;
    } marks[] = {{"-- sqlite: ", FW_DB_SQLITE}, {"-- pgsql: ", FW_DB_PGSQL}};

    for (int i = 0; i < 2; i++) {
        size_t n = strlen(marks[i].mark);

        if (strncmp(line, marks[i].mark, n) == 0)
            return marks[i].of == backend ? line + n : NULL;
    }
    return strncmp(line, "--", 2) == 0 ? NULL : line;
}

static const fw_err *run_text(fw_db *db, char *text, const char *file, apr_pool_t *pool)
{
    const char *now = "";

    for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
        char *part;
        size_t n;

        end = strchr(line, '\n');
        if (end)
            *end = '\0';
        part = pick_line(line, fw_db_backend(db));
        if (!part)
            continue;
        /* No line break at the end: the driver would take it for one more statement. */
        now = apr_pstrcat(pool, now, *now ? "\n" : "", part, NULL);
        n = strlen(part);
        if (n && part[n - 1] == ';') {
            const fw_err *err = fw_db_raw(db, now, pool);

            if (err)
                return FW_WRAP(pool, err, "%s", file);
            now = "";
        }
    }
    while (*now == '\n' || *now == ' ')
        now++;
    if (*now)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: the last statement does not end with ;", file);
    return NULL;
}

/* One migration in its own transaction; another process may have been faster. */
static const fw_err *run_one(fw_db *db, const char *file, int number, bool *ran, apr_pool_t *pool)
{
    char *text = NULL;
    int have = 0;

    *ran = false;
    FW_TRY(fw_file_read(&text, NULL, file, FILE_MAX_BYTES, pool));
    FW_TRY(fw_db_begin(db));
    FW_TRY(fw_db_query(db, "schema_lock", NULL, 0, take_int, &have, pool));
    FW_TRY(fw_migrate_current(&have, db, pool));
    if (have < number) {
        FW_TRY(run_text(db, text, file, pool));
        FW_TRY(
            fw_db_exec(db, "schema_put", FW_VALS(FW_I(number), FW_I(apr_time_now())), NULL, pool));
        *ran = true;
    }
    return fw_db_commit(db);
}

/* Readers keep no lock file, and the switch wants the file alone: it waits until they are done. */
static const fw_err *switch_to_wal(fw_db *db, apr_pool_t *pool)
{
    const fw_err *err = NULL;

    for (int tries = 0; tries < WAL_TRIES; tries++) {
        err = fw_db_raw(db, "PRAGMA journal_mode=WAL", pool);
        if (!err || err->code != FW_E_BUSY)
            return err;
        apr_sleep(WAL_LOOK_US);
    }
    return err;
}

const fw_err *fw_migrate_run(fw_db *db, const char *dir, int *done, apr_pool_t *pool)
{
    const char **files = apr_pcalloc(pool, sizeof(char *) * MAX_MIGRATIONS);
    int n = 0, have = 0;

    *done = 0;
    FW_TRY(list_files(files, &n, dir, pool));
    if (fw_db_backend(db) == FW_DB_SQLITE)
        FW_TRY(switch_to_wal(db, pool));
    FW_TRY(fw_migrate_current(&have, db, pool));
    if (have > n)
        return FW_ERR(pool, FW_E_CONFIG, 0, "the database has schema %d, this build knows %d", have,
                      n);
    for (int i = have; i < n; i++) {
        bool ran = false;
        const fw_err *err = run_one(db, files[i], i + 1, &ran, pool);

        if (err) {
            fw_db_rollback(db);
            return err;
        }
        *done += ran ? 1 : 0;
    }
    return NULL;
}
