#include "fw_config.h"
#include "fw_db.h"
#include "fw_db_watch.h"
#include "fw_sql.h"
#include "fw_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <apr_dbd.h>
#include <apr_hash.h>
#include <apr_reslist.h>
#include <apr_strings.h>
#include <libpq-fe.h>
#include <sqlite3.h>

/* The only file that names apr_dbd. D1 to D14 are the rules for its traps; docs/decisions/0003-apr-dbd.md tells
 * each trap and how it is kept away here. */

#define LOCK_WAIT_MS  10000
#define LOCK_LOOK_US  500
#define ALONE_US      2000000 /* how long somebody may have SQLite's file alone */
#define ALONE_LOOK_US 5000
#define HEAP_KEPT     2097152 /* bytes free at the end of a thread's heap that stay with the process */
#define IDLE_TRUST_US 1000000 /* a PostgreSQL connection that was idle for longer is asked first */
#define SCHEMA_TRIES  5       /* changes of the schema, one after another, that a statement sees */
#define IDLE_IN_TX_MS 60000   /* PostgreSQL ends a transaction whose process forgot it */
#define PING_MS       5000    /* for whether a connection still answers */
#define SILENCE_US    1000000 /* a server that is there says sooner that it has no time */
#define GRACE_MS      5000    /* for the word that a statement took too long */

/* Before the administrator's words, which count where they say otherwise. A machine that went without a word is noticed in a quarter of
 * a minute; of several servers the one that may be written to is meant. */
#define PG_WORDS                                                                    \
    "connect_timeout=5 keepalives_idle=5 keepalives_interval=5 keepalives_count=2 " \
    "tcp_user_timeout=15000 target_session_attrs=read-write "

struct fw_db_pool {
    fw_db_config config;
    fw_backend_e backend;
    const fw_sql *sql;
    const apr_dbd_driver_t *driver;
    fw_db_watch *watch; /* PostgreSQL */
    int patience_ms;    /* for an answer of its; 0: for ever */
    apr_reslist_t *list;
    const char *lock_file; /* SQLite */
};

struct fw_db {
    fw_db_pool *home;
    apr_pool_t *pool; /* the connection's own */
    apr_dbd_t *handle;
    PGconn *pg; /* the libraries' own handles, for what the drivers do not tell (D14) */
    sqlite3 *lite;
    fw_db_watched *watched; /* or NULL */
    apr_hash_t *ready; /* name → apr_dbd_prepared_t: prepared once for each connection (D9) */
    int lock_fd;
    bool in_tx, failed, broken;
    bool reading; /* within fw_db_snapshot() */
    uint64_t statements;
    apr_time_t used;
    apr_pool_t *user; /* whose pool holds it now */
    const char *why;  /* no connection could be made: what the driver said */
};

struct fw_row {
    const apr_dbd_driver_t *driver;
    apr_dbd_row_t *row;
    int columns;
    const apr_pool_t *
        stays; /* the pool in which SQLite's driver keeps a row; PostgreSQL's goes with its result */
};

/* For tests: how many calls from now on one fails; 0: none. */
static int fail_in;

void fw_db_fail_after(int calls)
{
    fail_in = calls;
}

static bool fails_now(fw_db *db)
{
    if (fail_in == 0 || --fail_in > 0)
        return false;
    db->failed = true;
    return true;
}

static apr_status_t close_connection(void *data)
{
    fw_db *db = data;

    if (db->handle)
        apr_dbd_close(db->home->driver, db->handle);
    db->handle = NULL;
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    db->lock_fd = -1;
    return APR_SUCCESS;
}

/* Runs a text as it stands; what the driver answers. */
static int ask_within(fw_db *db, const char *text, int ms)
{
    int rows, rc;

    fw_db_watch_begin(db->watched, ms);
    rc = apr_dbd_query(db->home->driver, db->handle, &rows, text);
    fw_db_watch_end(db->watched);
    return rc;
}

static int ask(fw_db *db, const char *text)
{
    return ask_within(db, text, db->home->patience_ms);
}

/* Asks SQLite whether it does what was set: foreign keys are off without a word otherwise (D3). */
static bool foreign_keys_on(fw_db *db)
{
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    bool on = false;

    if (apr_dbd_select(db->home->driver, db->pool, db->handle, &res, "PRAGMA foreign_keys", 1))
        return false;
    while (apr_dbd_get_row(db->home->driver, db->pool, res, &row, -1) == 0) {
        const char *v = apr_dbd_get_entry(db->home->driver, row, 0);

        on = v && strcmp(v, "1") == 0;
    }
    return on;
}

static apr_status_t set_up_sqlite(fw_db *db)
{
    db->lite = apr_dbd_native_handle(db->home->driver, db->handle);
    db->lock_fd = open(db->home->lock_file, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (db->lock_fd < 0) {
        db->why = "its lock file cannot be opened";
        return errno;
    }
    ask(db, "PRAGMA foreign_keys=ON");
    if (!foreign_keys_on(db)) {
        db->why = "foreign keys cannot be switched on";
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

static apr_status_t set_text(fw_db *db, const char *name, const char *value)
{
    return ask(db, apr_psprintf(db->pool, "SET %s = %s", name, value)) ? APR_EGENERAL : APR_SUCCESS;
}

static apr_status_t set_number(fw_db *db, const char *name, int value)
{
    return set_text(db, name, apr_itoa(db->pool, value));
}

static apr_status_t set_up_pgsql(fw_db *db)
{
    /* A statement is planned once, for any values: to plan costs more than to execute. By indexes, so that what was planned over a
     * small table holds when it has grown. The few that read a table whole are dear by that, and not to be compiled for it. */
    static const char *const plans[][2] = {
        {"plan_cache_mode", "force_generic_plan"}, {"enable_seqscan", "off"}, {"jit", "off"}};
    apr_status_t rv;

    db->pg = apr_dbd_native_handle(db->home->driver, db->handle);
    db->watched = fw_db_watch_add(db->home->watch, PQsocket(db->pg), db->pool);
    PQsetErrorVerbosity(db->pg, PQERRORS_SQLSTATE);
    if (PQsetClientEncoding(db->pg, "UTF8"))
        return APR_EGENERAL;
    rv = set_number(db, "idle_in_transaction_session_timeout", IDLE_IN_TX_MS);
    if (!rv && db->home->config.statement_ms)
        rv = set_number(db, "statement_timeout", db->home->config.statement_ms);
    for (size_t i = 0; !rv && i < sizeof(plans) / sizeof(plans[0]); i++)
        rv = set_text(db, plans[i][0], plans[i][1]);
    return rv;
}

/* apr_reslist: makes room for a connection in a pool of its own, which is no child of home's: that would go before what was
 * acquired is given back. It is not connected here, where all who want one would wait for it. */
static apr_status_t make_room(void **resource, void *params, apr_pool_t *unused)
{
    fw_db_pool *home = params;
    apr_pool_t *own;
    fw_db *db;

    (void)unused;
    apr_pool_create(&own, NULL);
    db = apr_pcalloc(own, sizeof(*db));
    db->home = home;
    db->pool = own;
    db->lock_fd = -1;
    db->ready = apr_hash_make(own);
    apr_pool_cleanup_register(own, db, close_connection, apr_pool_cleanup_null);
    *resource = db;
    return APR_SUCCESS;
}

static apr_status_t connect_now(fw_db *db)
{
    const fw_db_pool *home = db->home;
    apr_status_t rv =
        apr_dbd_open_ex(home->driver, db->pool, home->config.params, &db->handle, &db->why);

    if (!rv)
        rv = home->backend == FW_DB_SQLITE ? set_up_sqlite(db) : set_up_pgsql(db);
    db->used = fw_monotonic();
    return rv;
}

static apr_status_t drop_connection(void *resource, void *params, apr_pool_t *unused)
{
    (void)params;
    (void)unused;
    apr_pool_destroy(((fw_db *)resource)->pool);
    return APR_SUCCESS;
}

/* SQLite makes a small table for many a statement (ORDER BY with LIMIT, RETURNING) and frees it at its end; by its own defaults
 * the C library gives such memory back to the system each time, and a quarter of a short page is spent to have it anew. */
static void keep_heap(void)
{
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    mallopt(M_MMAP_THRESHOLD, HEAP_KEPT / 2);
}

static void set_up_server(fw_db_pool *home, apr_pool_t *pool)
{
    fw_db_config *c = &home->config;

    if (!strstr(c->params, "://"))
        c->params = apr_pstrcat(pool, PG_WORDS, c->params, NULL);
    if (c->statement_ms)
        home->patience_ms = c->statement_ms + GRACE_MS;
    home->watch = fw_db_watch_make(pool);
}

const fw_err *fw_db_pool_open(fw_db_pool **out, const fw_db_config *config, const fw_sql *sql,
                              apr_pool_t *pool)
{
    fw_db_pool *home = apr_pcalloc(pool, sizeof(*home));
    int most = config->max > 0 ? config->max : 1;
    apr_status_t rv;

    /* A connection is one thread's at a time, here and in APR's driver: no mutex at each column. Too late, and no harm, where
     * another module has opened a database before. */
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    keep_heap();
    rv = apr_dbd_init(pool);
    home->config = *config;
    home->sql = sql;
    home->backend = strcmp(config->driver, "pgsql") == 0 ? FW_DB_PGSQL : FW_DB_SQLITE;
    if (!rv)
        rv = apr_dbd_get_driver(pool, config->driver, &home->driver);
    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "no database driver \"%s\"", config->driver);
    home->lock_file = apr_pstrcat(pool, config->params, ".lock", NULL);
    if (home->backend == FW_DB_PGSQL)
        set_up_server(home, pool);
    rv = apr_reslist_create(&home->list, 0, most, most, apr_time_from_sec(300), make_room,
                            drop_connection, home, pool);
    if (rv)
        return FW_ERR(pool, FW_E_INTERNAL, rv, "no list of connections");
    apr_reslist_timeout_set(home->list, (apr_interval_time_t)config->acquire_ms * 1000);
    *out = home;
    return NULL;
}

fw_backend_e fw_db_pool_backend(const fw_db_pool *pool)
{
    return pool->backend;
}

static void end_reading(fw_db *db);

static apr_status_t give_back(void *data)
{
    fw_db *db = data;

    fw_db_rollback(db); /* an abandoned transaction is undone, never kept (D5) */
    end_reading(db);
    db->user = NULL;
    db->used = fw_monotonic();
    if (db->pg && PQstatus(db->pg) != CONNECTION_OK)
        db->broken = true;
    if (db->broken)
        apr_reslist_invalidate(db->home->list, db);
    else
        apr_reslist_release(db->home->list, db);
    return APR_SUCCESS;
}

/* An empty query is a round trip, too; the driver's own check trusts what it saw last (D7). */
static bool answers(fw_db *db)
{
    if (!db->pg || fw_monotonic() - db->used < IDLE_TRUST_US)
        return true;
    return ask_within(db, ";", PING_MS) == 0 && PQstatus(db->pg) == CONNECTION_OK;
}

/* Connected, and not left behind by a server that was started again. *last: there is no better one, for no new one can be made or the
 * server is silent. */
static bool is_usable(fw_db *db, bool *last)
{
    apr_time_t asked = fw_monotonic();
    bool fresh = !db->handle, usable = fresh ? connect_now(db) == APR_SUCCESS : answers(db);

    *last = usable || fresh || fw_monotonic() - asked > SILENCE_US;
    return usable;
}

/* What the driver said, in one line. Of words that make no sense it repeats one, which may be of the password. */
static const char *reason(const fw_db *db, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, db->why ? db->why : "it does not answer");

    if (strstr(text, "connection info") || strstr(text, "connection option"))
        return "its words are not what libpq takes";
    for (char *p = text; (p = strpbrk(p, "\n\t"));)
        *p = p[1] ? ' ' : '\0';
    return text;
}

const fw_err *fw_db_acquire(fw_db **out, fw_db_pool *dbs, apr_pool_t *pool)
{
    fw_db *db = NULL;
    const char *why = "";
    bool last = false;

    for (int tries = 0; !last && tries <= dbs->config.max; tries++) {
        void *resource = NULL;
        apr_status_t rv = apr_reslist_acquire(dbs->list, &resource);

        if (rv)
            return FW_ERR(pool, FW_E_BUSY, rv, "no connection free in %d ms",
                          dbs->config.acquire_ms);
        if (is_usable(resource, &last))
            db = resource;
        else {
            why = reason(resource, pool);
            apr_reslist_invalidate(dbs->list, resource); /* prepared anew (D7) */
        }
    }
    if (!db)
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "the database cannot be reached: %s", why);
    db->user = pool;
    db->failed = db->in_tx = false;
    apr_pool_cleanup_register(pool, db, give_back, apr_pool_cleanup_null);
    *out = db;
    return NULL;
}

void fw_db_release(fw_db *db)
{
    if (db->user)
        apr_pool_cleanup_run(db->user, db, give_back);
}

fw_backend_e fw_db_backend(const fw_db *db)
{
    return db->home->backend;
}

uint64_t fw_db_statements(const fw_db *db)
{
    return db->statements;
}

/* ---- errors ---- */

static bool is_state(const char *text, const char *prefix)
{
    const char *at = text ? strstr(text, ":  ") : NULL;

    return at && strncmp(at + 3, prefix, strlen(prefix)) == 0;
}

/* A word of libpq's own has no state. It could not send, say, and still takes the connection for good where there was
 * something to read. */
static bool is_of_libpq(const char *text)
{
    return text && *text && !strstr(text, ":  ");
}

/* What was prepared is gone (26000), or was before a migration (0A000): another connection prepares anew. */
static bool is_stale(const char *text)
{
    return is_state(text, "26000") || is_state(text, "0A000");
}

static fw_code_e pgsql_code(fw_db *db, const char *text)
{
    if (PQstatus(db->pg) != CONNECTION_OK || is_of_libpq(text) || is_state(text, "57P0") ||
        is_state(text, "08") || is_state(text, "25006") || is_state(text, "53") || is_stale(text)) {
        db->broken = true;
        return FW_E_UNAVAILABLE;
    }
    if (is_state(text, "23505"))
        return FW_E_CONFLICT;
    if (is_state(text, "40") || is_state(text, "55P03") || is_state(text, "57014"))
        return FW_E_BUSY;
    return FW_E_INTERNAL;
}

/* The driver hands on SQLITE_ERROR for nearly everything; the connection knows better (D14). */
static fw_code_e sqlite_code(fw_db *db)
{
    int code = sqlite3_extended_errcode(db->lite);

    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
        return FW_E_CONFLICT;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FW_E_BUSY;
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
        db->broken = true;
        return FW_E_UNAVAILABLE;
    default:
        return FW_E_INTERNAL;
    }
}

/* The driver gives a text alone (D14). Values never occur in it: SQLite names columns, and
 * PostgreSQL is asked for the state and not for the details, which carry values. */
static const fw_err *tell(fw_db *db, int rc, const char *what, apr_pool_t *pool)
{
    const char *text = apr_dbd_error(db->home->driver, db->handle, rc);
    fw_code_e code = db->pg ? pgsql_code(db, text) : sqlite_code(db);

    db->failed = true;
    return FW_ERR(pool, code, 0, "%s: %s (%d)", what, text ? text : "no reason given", rc);
}

/* ---- transactions ---- */

static bool lock_file(fw_db *db)
{
    int wait_ms = db->home->config.lock_ms;
    apr_time_t until = fw_monotonic() + apr_time_from_msec(wait_ms ? wait_ms : LOCK_WAIT_MS);

    while (flock(db->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || fw_monotonic() > until)
            return false;
        apr_sleep(LOCK_LOOK_US);
    }
    return true;
}

static void unlock_file(fw_db *db)
{
    if (db->lock_fd >= 0)
        flock(db->lock_fd, LOCK_UN);
}

/* Whoever opens SQLite's file first, or closes it last, has it alone for an instant, as at a graceful restart: a statement
 * outside of a transaction then fails at once and did nothing. Waits a little, with nothing held (D2); false: it is no such
 * failure, or has been for too long. */
static bool may_try_again(const fw_db *db, int rc, apr_time_t until)
{
    if (rc != SQLITE_BUSY || !db->lite || db->in_tx || fw_monotonic() > until)
        return false;
    apr_sleep(ALONE_LOOK_US);
    return true;
}

/* Plain statements whose answers are looked at, never the driver's own transactions (D4, D6). */
const fw_err *fw_db_begin(fw_db *db)
{
    bool sqlite = db->home->backend == FW_DB_SQLITE;
    apr_time_t until = fw_monotonic() + ALONE_US;
    int rc;

    if (db->in_tx)
        return FW_ERR(db->user, FW_E_INTERNAL, 0, "a transaction within a transaction");
    if (fails_now(db))
        return FW_ERR(db->user, FW_E_UNAVAILABLE, 0, "BEGIN fails as it was asked to");
    end_reading(db);
    if (sqlite && !lock_file(db))
        return FW_ERR(db->user, FW_E_BUSY, 0, "the write lock was not had");
    do {
        rc = ask(db, sqlite ? "BEGIN IMMEDIATE" : "BEGIN");
    } while (may_try_again(db, rc, until));
    db->statements++;
    if (rc) {
        const fw_err *err = tell(db, rc, "BEGIN", db->user);

        unlock_file(db);
        return err;
    }
    db->in_tx = true;
    db->failed = false;
    return NULL;
}

const fw_err *fw_db_commit(fw_db *db)
{
    const fw_err *err = NULL;
    int rc;

    if (!db->in_tx)
        return FW_ERR(db->user, FW_E_INTERNAL, 0, "no transaction to commit");
    if (fails_now(db)) {
        fw_db_rollback(db);
        return FW_ERR(db->user, FW_E_UNAVAILABLE, 0, "COMMIT fails as it was asked to");
    }
    if (db->failed) {
        fw_db_rollback(db);
        return FW_ERR(db->user, FW_E_INTERNAL, 0, "a statement of this transaction failed");
    }
    rc = ask(db, "COMMIT");
    db->statements++;
    if (rc) {
        err = tell(db, rc, "COMMIT", db->user);
        fw_db_rollback(db);
        return err;
    }
    db->in_tx = false;
    unlock_file(db);
    return NULL;
}

void fw_db_rollback(fw_db *db)
{
    if (!db->in_tx)
        return;
    db->in_tx = false;
    if (ask(db, "ROLLBACK") && !db->pg)
        db->broken = true;
    db->statements++;
    unlock_file(db);
}

bool fw_db_in_transaction(const fw_db *db)
{
    return db->in_tx;
}

/* ---- statements ---- */

/* Under which PostgreSQL keeps the statement, parsed; NULL: SET cannot be. */
static const char *label_of(const fw_statement *st, apr_pool_t *pool)
{
    return strncmp(st->text, "SET ", 4) == 0 ? NULL : apr_pstrcat(pool, "s_", st->name, NULL);
}

static int prepare(fw_db *db, const fw_statement *st, apr_dbd_prepared_t **out)
{
    apr_dbd_prepared_t *ready = apr_hash_get(db->ready, st->name, APR_HASH_KEY_STRING);
    int rc = 0;

    if (!ready) {
        /* What is lost with the session is lost with the connection, which is thrown away (D7). */
        rc = apr_dbd_prepare(db->home->driver, db->pool, db->handle, st->text,
                             label_of(st, db->pool), &ready);
        if (!rc)
            apr_hash_set(db->ready, st->name, APR_HASH_KEY_STRING, ready);
    }
    *out = ready;
    return rc;
}

/* Typed pointers (D13); NULL is NULL (D12). */
static const fw_err *bind_values(const fw_statement *st, const fw_val *vals, int n,
                                 const void **args, apr_pool_t *scratch)
{
    if (n != st->n_params)
        return FW_ERR(scratch, FW_E_INTERNAL, 0, "%s wants %d values, not %d", st->name,
                      st->n_params, n);
    for (int i = 0; i < n; i++) {
        bool text = st->params[i] == 's';

        if (vals[i].type != FW_VAL_NULL && (vals[i].type == FW_VAL_TEXT) != text)
            return FW_ERR(scratch, FW_E_INTERNAL, 0, "%s: value %d is of another type", st->name,
                          i + 1);
        if (vals[i].type == FW_VAL_NULL)
            args[i] = NULL;
        else
            args[i] = text ? (const void *)vals[i].s : (const void *)&vals[i].i;
    }
    args[n] = NULL;
    return NULL;
}

/* SQLite, legacy prepare: any change of the schema kills what was prepared, with SQLITE_SCHEMA or without a reason; the
 * statement did nothing, so it is prepared anew and run again (D8). */
static bool prepared_is_stale(fw_db *db)
{
    int code = db->lite ? sqlite3_errcode(db->lite) : SQLITE_ERROR;

    return code == SQLITE_SCHEMA || code == SQLITE_OK;
}

typedef struct running {
    const fw_statement *st;
    const void *args[FW_SQL_MAX_PARAMS + 1];
    apr_dbd_results_t *res;
    int rows;
    bool select;
} running;

static int run_once(fw_db *db, running *r, apr_dbd_prepared_t *ready, apr_pool_t *scratch)
{
    db->statements++;
    if (r->select)
        return apr_dbd_pbselect(db->home->driver, scratch, db->handle, &r->res, ready, 1, r->args);
    return apr_dbd_pbquery(db->home->driver, scratch, db->handle, &r->rows, ready, r->args);
}

static const fw_err *run_prepared(fw_db *db, running *r, apr_pool_t *scratch)
{
    const char *name = r->st->name;
    apr_time_t until = fw_monotonic() + ALONE_US;
    int rc = 0;

    for (int tries = 0; tries < SCHEMA_TRIES; tries++) {
        apr_dbd_prepared_t *ready = NULL;

        do {
            fw_db_watch_begin(db->watched, db->home->patience_ms);
            rc = prepare(db, r->st, &ready);
            if (!rc)
                rc = run_once(db, r, ready, scratch);
            fw_db_watch_end(db->watched);
        } while (may_try_again(db, rc, until));
        if (!rc || !prepared_is_stale(db))
            break;
        apr_hash_set(db->ready, name, APR_HASH_KEY_STRING, NULL);
    }
    return rc ? tell(db, rc, name, scratch) : NULL;
}

static const fw_err *run(fw_db *db, const char *name, const fw_val *vals, int n, running *r,
                         apr_pool_t *scratch)
{
    const fw_err *err;
    bool alone;

    r->st = fw_sql_find(db->home->sql, db->home->backend, name);
    if (!r->st)
        return FW_ERR(scratch, FW_E_INTERNAL, 0, "no statement is named %s", name);
    if (db->in_tx && db->failed)
        return FW_ERR(scratch, FW_E_INTERNAL, 0, "%s after a statement that failed", name);
    if (fails_now(db))
        return FW_ERR(scratch, FW_E_UNAVAILABLE, 0, "%s fails as it was asked to", name);
    FW_TRY(bind_values(r->st, vals, n, r->args, scratch));
    /* A write that is a transaction of its own waits its turn like any other. */
    alone = db->lite && !db->in_tx && !r->st->reads;
    if (alone)
        end_reading(db);
    if (alone && !lock_file(db))
        return FW_ERR(scratch, FW_E_BUSY, 0, "the write lock was not had");
    err = run_prepared(db, r, scratch);
    if (alone)
        unlock_file(db);
    return err;
}

/* ---- snapshots ---- */

static const fw_statement begin_reading = {.name = "(begin reading)", .text = "BEGIN"};
static const fw_statement stop_reading = {.name = "(stop reading)", .text = "COMMIT"};

static const fw_err *run_plain(fw_db *db, const fw_statement *st)
{
    running r = {.st = st};

    return run_prepared(db, &r, db->user);
}

const fw_err *fw_db_snapshot(fw_db *db)
{
    if (!db->lite || db->in_tx || db->reading)
        return NULL;
    FW_TRY(run_plain(db, &begin_reading));
    db->reading = true;
    return NULL;
}

static void end_reading(fw_db *db)
{
    if (!db->reading)
        return;
    db->reading = false;
    if (run_plain(db, &stop_reading))
        db->broken = true;
}

const fw_err *fw_db_exec(fw_db *db, const char *name, const fw_val *vals, int n, int *rows,
                         apr_pool_t *scratch)
{
    running r = {0};

    FW_TRY(run(db, name, vals, n, &r, scratch));
    if (rows)
        *rows = r.rows;
    return NULL;
}

const fw_err *fw_db_query(fw_db *db, const char *name, const fw_val *vals, int n, fw_row_fn each,
                          void *baton, apr_pool_t *scratch)
{
    running r = {.select = true};
    const apr_dbd_driver_t *driver = db->home->driver;
    fw_row row = {.driver = driver, .stays = db->lite ? scratch : NULL};
    const fw_err *err = NULL;

    FW_TRY(run(db, name, vals, n, &r, scratch));
    row.columns = apr_dbd_num_cols(driver, r.res);
    /* To the end always: the driver frees the result there (D10, D11). */
    while (apr_dbd_get_row(driver, scratch, r.res, &row.row, -1) == 0) {
        if (!err)
            err = each(baton, &row);
    }
    return err;
}

int fw_row_columns(const fw_row *row)
{
    return row->columns;
}

static const char *entry(const fw_row *row, int column)
{
    const char *text = NULL;

    if (column >= row->columns ||
        apr_dbd_datum_get(row->driver, row->row, column, APR_DBD_TYPE_STRING, &text))
        return NULL;
    return text;
}

bool fw_row_is_null(const fw_row *row, int column)
{
    return !entry(row, column);
}

const char *fw_row_text(const fw_row *row, int column, apr_pool_t *pool)
{
    const char *text = entry(row, column);

    return text && row->stays != pool ? apr_pstrdup(pool, text) : text;
}

int64_t fw_row_int(const fw_row *row, int column)
{
    const char *text = entry(row, column);

    return text ? apr_strtoi64(text, NULL, 10) : 0;
}

/* A PRAGMA that answers with a row gives rc 100 (SQLITE_ROW) here, which is no failure (D3). */
static bool succeeded(const fw_db *db, int rc)
{
    return rc == 0 || (db->lite && rc == SQLITE_ROW);
}

const fw_err *fw_db_raw(fw_db *db, const char *statement, apr_pool_t *scratch)
{
    bool alone = db->lite && !db->in_tx;
    int rc;

    if (alone && !lock_file(db))
        return FW_ERR(scratch, FW_E_BUSY, 0, "the write lock was not had");
    rc = ask(db, statement);
    if (rc && prepared_is_stale(db))
        rc = ask(db, statement);
    db->statements++;
    if (alone)
        unlock_file(db);
    return succeeded(db, rc) ? NULL : tell(db, rc, "statement of a migration", scratch);
}

const fw_err *fw_db_ping(fw_db *db, apr_pool_t *scratch)
{
    const fw_statement *st = fw_sql_find(db->home->sql, db->home->backend, "ping");

    if (st && succeeded(db, ask(db, st->text)))
        return NULL;
    db->broken = true;
    return FW_ERR(scratch, FW_E_UNAVAILABLE, 0, "the database does not answer");
}
