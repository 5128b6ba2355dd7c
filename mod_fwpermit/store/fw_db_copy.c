#include "fw_config.h"
#include "fw_db_copy.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#define WAIT_MS   10000
#define PASSWORD  "PGPASSWORD="
#define WORDS_MAX 8

extern char **environ;

/* ---- SQLite ---- */

/* The pages as one reader sees them: writers go on meanwhile, into the log. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int rc;

    if (!backup)
        return sqlite3_errcode(to);
    sqlite3_backup_step(backup, -1);
    rc = sqlite3_backup_finish(backup);
    /* One file that stands alone, whoever opens it. */
    return rc ? rc : sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
}

static const fw_err *copy_sqlite(const char *from, const char *to, apr_pool_t *pool)
{
    sqlite3 *source = NULL, *copy = NULL;
    int rc = sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE, NULL);

    if (!rc)
        rc = sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (!rc) {
        sqlite3_busy_timeout(source, WAIT_MS);
        rc = copy_pages(source, copy);
    }
    sqlite3_close(copy);
    sqlite3_close(source);
    return rc ? FW_ERR(pool, FW_E_UNAVAILABLE, 0, "%s cannot be copied to %s: %s", from, to,
                       sqlite3_errstr(rc))
              : NULL;
}

/* The copy itself is asked; what a connection leaves beside it goes away. */
static const fw_err *see_file(const char *file, const fw_sql *sql, fw_db_see_fn see, void *baton,
                              apr_pool_t *pool)
{
    const fw_db_config config = {
        .driver = "sqlite3", .params = file, .max = 1, .acquire_ms = WAIT_MS};
    fw_db_pool *dbs = NULL;
    fw_db *db = NULL;
    apr_pool_t *own;
    const fw_err *err;

    apr_pool_create(&own, pool);
    err = fw_db_pool_open(&dbs, &config, sql, own);
    if (!err)
        err = fw_db_acquire(&db, dbs, pool);
    if (!err) {
        err = see(baton, db);
        fw_db_release(db);
    }
    apr_pool_destroy(own);
    unlink(apr_pstrcat(pool, file, ".lock", NULL));
    return err;
}

/* ---- PostgreSQL ---- */

static const char *quote(const char *value, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, 2 * strlen(value) + 3), *to = out;

    *to++ = '\'';
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            *to++ = '\\';
        *to++ = *value;
    }
    *to++ = '\'';
    *to = '\0';
    return out;
}

/* The words for connecting, but for the password. */
static const fw_err *split_words(const char *params, const char **words, const char **password,
                                 apr_pool_t *pool)
{
    PQconninfoOption *all = PQconninfoParse(params, NULL);

    *words = "";
    *password = NULL;
    if (!all)
        return FW_ERR(pool, FW_E_CONFIG, 0, "the words of FwPermitDatabase cannot be read");
    for (const PQconninfoOption *o = all; o->keyword; o++) {
        if (!o->val)
            continue;
        if (strcmp(o->keyword, "password") == 0)
            *password = apr_pstrdup(pool, o->val);
        else
            *words = apr_pstrcat(pool, *words, o->keyword, "=", quote(o->val, pool), " ", NULL);
    }
    PQconninfoFree(all);
    return NULL;
}

static char **environment_with(const char *password, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 64, sizeof(char *));

    for (char **e = environ; *e; e++) {
        if (strncmp(*e, PASSWORD, strlen(PASSWORD)) != 0)
            APR_ARRAY_PUSH(list, char *) = *e;
    }
    if (password)
        APR_ARRAY_PUSH(list, char *) = apr_pstrcat(pool, PASSWORD, password, NULL);
    APR_ARRAY_PUSH(list, char *) = NULL;
    return (char **)list->elts;
}

/* Runs a program of PostgreSQL to its end; what is wrong it tells on standard error by itself. `in`: its standard input, or
 * -1. */
static const fw_err *run(const fw_db_config *config, const char *const *args, int in,
                         apr_pool_t *pool)
{
    const char *words = NULL, *password = NULL, *argv[WORDS_MAX + 2] = {NULL};
    posix_spawn_file_actions_t actions;
    int n = 0, rc, status = 0;
    pid_t pid;

    FW_TRY(split_words(config->params, &words, &password, pool));
    while (args[n] && n < WORDS_MAX) {
        argv[n] = args[n];
        n++;
    }
    argv[n] = apr_pstrcat(pool, "--dbname=", words, NULL);
    posix_spawn_file_actions_init(&actions);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    rc = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
                      environment_with(password, pool));
    posix_spawn_file_actions_destroy(&actions);
    if (rc)
        return FW_ERR(pool, FW_E_CONFIG, rc, "%s cannot be run (package postgresql-client)",
                      argv[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0
               ? NULL
               : FW_ERR(pool, FW_E_UNAVAILABLE, 0, "%s failed, for the reason above", argv[0]);
}

typedef struct view {
    apr_pool_t *pool;
    const char *name;
} view;

static const fw_err *take_name(void *baton, const fw_row *row)
{
    view *v = baton;

    v->name = fw_row_text(row, 0, v->pool);
    return NULL;
}

static const fw_err *copy_in_view(fw_db *db, const fw_db_config *config, const char *file,
                                  fw_db_see_fn see, void *baton, apr_pool_t *pool)
{
    const char *args[] = {"pg_dump", "--format=custom", NULL, NULL, NULL};
    view v = {.pool = pool};

    FW_TRY(fw_db_exec(db, "copy_view", NULL, 0, NULL, pool));
    FW_TRY(fw_db_query(db, "copy_view_name", NULL, 0, take_name, &v, pool));
    FW_TRY(see(baton, db));
    args[2] = apr_pstrcat(pool, "--snapshot=", v.name, NULL);
    args[3] = apr_pstrcat(pool, "--file=", file, NULL);
    return run(config, args, -1, pool);
}

const fw_err *fw_db_copy(fw_db *db, const fw_db_config *config, const fw_sql *sql, const char *file,
                         fw_db_see_fn see, void *baton, apr_pool_t *pool)
{
    const fw_err *err;

    if (fw_db_backend(db) == FW_DB_SQLITE) {
        FW_TRY(copy_sqlite(config->params, file, pool));
        return see_file(file, sql, see, baton, pool);
    }
    FW_TRY(fw_db_begin(db));
    err = copy_in_view(db, config, file, see, baton, pool);
    fw_db_rollback(db);
    return err;
}

const fw_err *fw_db_load(const fw_db_config *config, int fd, apr_pool_t *pool)
{
    static const char *const args[] = {"pg_restore", "--exit-on-error", "--single-transaction",
                                       "--no-owner", "--no-privileges", NULL};

    return run(config, args, fd, pool);
}

/* ---- what is in it ---- */

/* In the order of the statement copy_counts. */
const char *const fw_copy_tables[FW_COPY_TABLES] = {"org",       "account", "worker",    "cases",
                                                    "case_file", "payment", "permit",    "document",
                                                    "outbox",    "audit",   "audit_seal"};

static const fw_err *take_counts(void *baton, const fw_row *row)
{
    int64_t *out = baton;

    for (int i = 0; i < FW_COPY_TABLES; i++)
        out[i] = fw_row_int(row, i);
    return NULL;
}

const fw_err *fw_db_counts(fw_db *db, int64_t out[FW_COPY_TABLES], apr_pool_t *pool)
{
    return fw_db_query(db, "copy_counts", NULL, 0, take_counts, out, pool);
}
