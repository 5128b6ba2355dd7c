#include "fw_config.h"
#include "fww_sealer.h"

#include <string.h>
#include <unistd.h>

#include <apr_base64.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#include "fw_anchor.h"
#include "fw_journal.h"
#include "fw_random.h"
#include "fw_store_audit.h"
#include "fw_store_outbox.h"
#include "fw_wait.h"
#include "fw_wake.h"
#include "fww_audit.h"
#include "fww_desk.h"
#include "fww_signer_client.h"

#define EVERY       apr_time_from_sec(1)
#define LOOK        apr_time_from_msec(100) /* how often it looks whether it is to stop */
#define LEASE       apr_time_from_sec(15)
#define LEFT_AGE    apr_time_from_sec(86400) /* of what is left beside the journals */
#define TRIES       5
#define KEY         "audit"
#define LOG_ERROR   3
#define LOG_NOTICE  5
#define LOG_INFO    6
#define N_SEALER    "FWP2201" /* the sealer cannot do its work */
#define DEFAULT_TOP "page."

#define TROUBLE_ROUNDS 3 /* in a row, of a second each, until it is told */

typedef struct sealer {
    const fww_role_env *env;
    fw_desk *desk;
    const char *owner;
    const char *journals;
    int troubled;  /* rounds in a row that failed */
    bool followed; /* the anchor, since the start or the last trouble */
} sealer;

typedef struct turn {
    sealer *s;
    fw_db *db;
    apr_array_header_t *reads; /* fw_audit */
    apr_pool_t *pool;
} turn;

/* ---- reads ---- */

/* "page.case" is kept as "read.case". */
static const char *command_of(const turn *t, const char *what)
{
    apr_size_t n = strlen(DEFAULT_TOP);

    if (strncmp(what, DEFAULT_TOP, n) == 0)
        what += n;
    return apr_pstrcat(t->pool, "read.", what, NULL);
}

static const char *ip_json(const turn *t, const char *ip)
{
    json_t *o = json_pack("{s:s}", "ip", ip);
    char text[128];
    size_t n = json_dumpb(o, text, sizeof(text), JSON_COMPACT);

    json_decref(o);
    return n > 0 && n < sizeof(text) ? apr_pstrndup(t->pool, text, n) : NULL;
}

static const fw_err *add_read(void *baton, const fw_journal_line *line)
{
    turn *t = baton;
    fw_audit *record = apr_array_push(t->reads);

    *record = (fw_audit){.aggregate = apr_pstrdup(t->pool, line->about ? line->about : "page"),
                         .at = line->at,
                         .actor_id = line->actor_id,
                         .actor = apr_pstrdup(t->pool, line->actor),
                         .command = command_of(t, line->what),
                         .data = line->ip ? ip_json(t, line->ip) : NULL};
    return fw_id_draw(&record->id, apr_time_now(), t->pool);
}

static const fw_err *put_reads(const turn *t)
{
    const fw_err *err;

    FW_TRY(fw_db_begin(t->db));
    err = fw_audit_add_all(t->db, (fw_audit *)t->reads->elts, t->reads->nelts, t->pool);
    if (!err)
        return fw_db_commit(t->db);
    fw_db_rollback(t->db);
    return err;
}

/* Who reads a case often changes it: a command may have come between. */
static const fw_err *commit_reads(void *baton)
{
    const fw_err *err = put_reads(baton);

    for (int i = 1; i < TRIES && err && err->code == FW_E_CONFLICT; i++)
        err = put_reads(baton);
    return err;
}

/* This node's own journals; every node does its own. */
static const fw_err *take_reads(turn *t, bool *more)
{
    const fw_err *err;
    int taken = 0;

    t->reads = apr_array_make(t->pool, FW_AUDIT_MANY, sizeof(fw_audit));
    err =
        fw_journal_take(t->s->journals, FW_AUDIT_MANY, add_read, commit_reads, t, &taken, t->pool);
    fw_db_rollback(t->db);
    *more = taken == FW_AUDIT_MANY;
    return err;
}

/* ---- seals ---- */

static const fw_err *take_lease(const turn *t, bool *had)
{
    apr_time_t now = apr_time_now();
    const fw_err *err;

    FW_TRY(fw_db_begin(t->db));
    err = fw_lease_take(t->db, "sealer", t->s->owner, now, now + LEASE, had, t->pool);
    if (!err)
        return fw_db_commit(t->db);
    fw_db_rollback(t->db);
    return err;
}

static const fw_err *sign(const turn *t, fw_seal *seal)
{
    const char *raw = NULL;
    char *text;
    apr_size_t n = 0;

    FW_TRY(fww_signer_sign(t->s->desk->run_dir, KEY, seal->hash, strlen(seal->hash), &raw, &n,
                           t->pool));
    text = apr_palloc(t->pool, n * 4 / 3 + 8);
    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)raw, (int)n);
    seal->signature = text;
    return NULL;
}

static const fw_err *put(const turn *t, const fw_seal *seal, const apr_array_header_t *ids)
{
    const fw_err *err;

    FW_TRY(fw_db_begin(t->db));
    err = fw_seal_put(t->db, seal, ids, t->pool);
    if (!err)
        return fw_db_commit(t->db);
    fw_db_rollback(t->db);
    return err;
}

/* One seal, if anything waits for one; the note outside comes after the commit. */
static const fw_err *seal(const turn *t, bool *more)
{
    const char *anchor = t->s->env->site->anchor;
    apr_array_header_t *ids = NULL;
    bool had = false;
    fw_seal one;

    /* A look first: mostly nothing waits, and the lease is a write. */
    FW_TRY(fw_seal_make(t->db, t->s->desk->now(), 1, &one, &ids, t->pool));
    if (one.records == 0 && t->s->followed)
        return NULL;
    FW_TRY(take_lease(t, &had));
    if (!had)
        return NULL;
    FW_TRY(fw_anchor_follow(t->db, anchor, NULL, t->pool));
    t->s->followed = true;
    FW_TRY(fw_seal_make(t->db, t->s->desk->now(), FW_AUDIT_MANY, &one, &ids, t->pool));
    if (one.records == 0)
        return NULL;
    FW_TRY(sign(t, &one));
    FW_TRY(put(t, &one, ids));
    *more = *more || one.records == FW_AUDIT_MANY;
    return fw_anchor_follow(t->db, anchor, NULL, t->pool);
}

/* ---- on their way out ---- */

static const fw_err *pass_on(const turn *t)
{
    bool due = false, had = false;

    if (!fww_audit_is_wanted(t->s->env->site))
        return NULL;
    FW_TRY(fww_audit_is_due(t->db, &due, t->pool));
    if (due)
        FW_TRY(take_lease(t, &had));
    if (!had)
        return NULL;
    FW_TRY(fww_audit_enqueue(t->db, t->pool));
    fw_wake_pump(t->s->desk->run_dir, "audit");
    return NULL;
}

/* ---- the process ---- */

static const fw_err *do_round(sealer *s, bool *more, apr_pool_t *pool)
{
    turn t = {.s = s, .pool = pool};
    const fw_err *err;

    *more = false;
    FW_TRY(fw_db_acquire(&t.db, s->desk->dbs, pool));
    FW_TRY(take_reads(&t, more));
    err = seal(&t, more);
    FW_TRY(pass_on(&t));
    return err;
}

/* The signer may still be on its way when the server starts: what the next round mends is no trouble. */
static void tell(sealer *s, const fw_err *err, apr_pool_t *pool)
{
    if (!err && s->troubled >= TROUBLE_ROUNDS)
        s->env->log(LOG_NOTICE, N_SEALER " sealer: goes on");
    s->troubled = err ? s->troubled + 1 : 0;
    if (s->troubled == TROUBLE_ROUNDS)
        s->env->log(LOG_ERROR, N_SEALER " sealer: %s", fw_err_text(err, pool));
    if (err)
        s->followed = false;
}

static void rest(const sealer *s)
{
    apr_time_t until = fw_monotonic() + EVERY;

    while (!*s->env->stop && fw_monotonic() < until)
        apr_sleep(LOOK);
}

static const fw_err *open_sealer(sealer *s)
{
    s->owner = fww_owner(s->env);
    s->journals = s->env->site->journal_dir;
    FW_TRY(fw_journal_sweep(s->journals, apr_time_now() - LEFT_AGE, s->env->pool));
    return fww_desk_open(&s->desk, s->env, false);
}

/* Whoever seals next need not wait for the lease's end. */
static void go(sealer *s, apr_pool_t *pool)
{
    fw_db *db = NULL;
    const fw_err *err = fw_db_acquire(&db, s->desk->dbs, pool);

    if (!err)
        err = fw_db_begin(db);
    if (!err)
        err = fw_lease_give(db, "sealer", s->owner, pool);
    if (!err)
        err = fw_db_commit(db);
    if (err)
        s->env->log(LOG_INFO, "sealer: its lease runs out by itself: %s", fw_err_text(err, pool));
}

int fww_sealer_main(const fww_role_env *env)
{
    sealer s = {.env = env};
    const fw_err *err = open_sealer(&s);
    apr_pool_t *pool;

    if (err) {
        env->log(LOG_ERROR, "sealer: %s", fw_err_text(err, env->pool));
        return 1;
    }
    env->log(LOG_INFO, "sealer: seals");
    apr_pool_create(&pool, env->pool);
    while (!*env->stop) {
        bool more = false;

        err = do_round(&s, &more, pool);
        tell(&s, err, pool);
        apr_pool_clear(pool);
        if (err || !more)
            rest(&s);
    }
    go(&s, pool);
    return 0;
}
