#include "fw_config.h"
#include "fw_store_outbox.h"

#include <string.h>

#include "fw_take.h"

#define STEPS 65536 /* an identity's low bits are random */

const fw_err *fw_outbox_put(fw_db *db, fw_id id, const fw_send *send, apr_time_t now,
                            apr_pool_t *pool)
{
    return fw_db_exec(db, "outbox_put",
                      FW_VALS(FW_I(id), FW_I(id % STEPS), FW_I(id), FW_I(send->aggregate_id),
                              FW_S(send->port), FW_S(send->port), FW_S(send->op), FW_S(send->key),
                              FW_S(send->payload), FW_I(send->aggregate_id), FW_I(send->bulk),
                              FW_I(send->not_before), FW_I(now)),
                      NULL, pool);
}

static const fw_err *take_delivery(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_delivery *d = apr_array_push(taken->list);

    d->id = fw_take_int(&t);
    d->port = fw_take_text(&t);
    d->op = fw_take_text(&t);
    d->key = fw_take_text(&t);
    d->payload = fw_take_text(&t);
    d->aggregate_id = fw_take_int(&t);
    d->bulk = fw_take_int(&t) != 0;
    d->attempt = (int)fw_take_int(&t);
    d->tries = (int)fw_take_int(&t);
    d->created = fw_take_int(&t);
    return NULL;
}

static const fw_err *take_int(void *baton, const fw_row *row)
{
    *(int64_t *)baton = fw_row_int(row, 0);
    return NULL;
}

/* No lease that was taken by now ends after this, even by a clock that differs a little. */
static apr_time_t latest(apr_time_t now, apr_time_t until)
{
    return until + (until - now);
}

/* What is claimed: `bulk` is 1 for all rows, 0 for urgent ones. */
typedef struct claim {
    const char *port, *owner;
    int bulk;
    apr_time_t now, until;
} claim;

/* A look first, without the write lock: mostly there is nothing to do. */
static const fw_err *anything(fw_db *db, const claim *c, bool *out, apr_pool_t *pool)
{
    int64_t n = 0;

    FW_TRY(fw_db_query(db, "outbox_peek",
                       FW_VALS(FW_S(c->port), FW_I(c->bulk), FW_I(c->now), FW_I(c->now),
                               FW_I(latest(c->now, c->until))),
                       take_int, &n, pool));
    *out = n > 0;
    return NULL;
}

static const fw_err *claim_row(fw_db *db, const claim *c, fw_delivery **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_delivery))};
    const fw_err *err;
    bool some = false;

    *out = NULL;
    FW_TRY(anything(db, c, &some, pool));
    if (!some)
        return NULL;
    FW_TRY(fw_db_begin(db));
    err = fw_db_query(db, "outbox_claim",
                      FW_VALS(FW_S(c->owner), FW_I(c->until), FW_S(c->port), FW_I(c->bulk),
                              FW_I(c->now), FW_I(c->now), FW_I(latest(c->now, c->until))),
                      take_delivery, &taken, pool);
    if (err) {
        fw_db_rollback(db);
        return err;
    }
    FW_TRY(fw_db_commit(db));
    if (taken.list->nelts)
        *out = &APR_ARRAY_IDX(taken.list, 0, fw_delivery);
    return NULL;
}

const fw_err *fw_outbox_claim(fw_db *db, const char *port, const char *owner, apr_time_t now,
                              apr_time_t until, fw_delivery **out, apr_pool_t *pool)
{
    claim c = {port, owner, 1, now, until};

    return claim_row(db, &c, out, pool);
}

const fw_err *fw_outbox_claim_urgent(fw_db *db, const char *port, const char *owner, apr_time_t now,
                                     apr_time_t until, fw_delivery **out, apr_pool_t *pool)
{
    claim c = {port, owner, 0, now, until};

    return claim_row(db, &c, out, pool);
}

static const fw_err *end_row(fw_db *db, const char *name, const fw_delivery *d, apr_time_t at,
                             const char *reason, bool *mine, apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, name, FW_VALS(FW_I(at), FW_S(reason), FW_I(d->id), FW_I(d->attempt)),
                      &rows, pool));
    *mine = rows == 1;
    return NULL;
}

const fw_err *fw_outbox_done(fw_db *db, const fw_delivery *d, apr_time_t now, const char *note,
                             bool *mine, apr_pool_t *pool)
{
    return end_row(db, "outbox_done", d, now, note, mine, pool);
}

const fw_err *fw_outbox_again(fw_db *db, const fw_delivery *d, apr_time_t now,
                              apr_interval_time_t wait, const char *reason, bool *mine,
                              apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(
        db, "outbox_again",
        FW_VALS(FW_I(now + wait), FW_I(now), FW_S(reason), FW_I(d->id), FW_I(d->attempt)), &rows,
        pool));
    *mine = rows == 1;
    return NULL;
}

const fw_err *fw_outbox_dead(fw_db *db, const fw_delivery *d, apr_time_t now, const char *reason,
                             bool *mine, apr_pool_t *pool)
{
    return end_row(db, "outbox_dead", d, now, reason, mine, pool);
}

const fw_err *fw_outbox_keep(fw_db *db, const fw_delivery *d, apr_time_t until, bool *mine,
                             apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "outbox_keep", FW_VALS(FW_I(until), FW_I(d->id), FW_I(d->attempt)), &rows,
                      pool));
    *mine = rows == 1;
    return NULL;
}

const fw_err *fw_outbox_replay(fw_db *db, fw_id id, apr_time_t now, apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "outbox_replay", FW_VALS(FW_I(now), FW_I(id)), &rows, pool));
    return rows == 1 ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such dead letter");
}

static const fw_err *take_count(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_outbox_count *c = apr_array_push(taken->list);

    c->port = fw_take_text(&t);
    c->state = fw_take_text(&t);
    c->n = (int)fw_take_int(&t);
    c->oldest = fw_take_int(&t);
    return NULL;
}

const fw_err *fw_outbox_counts(fw_db *db, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_outbox_count))};

    *out = taken.list;
    return fw_db_query(db, "outbox_counts", NULL, 0, take_count, &taken, pool);
}

/* ---- inbox ---- */

const fw_err *fw_inbox_put(fw_db *db, const fw_message *m, const char *hash, bool *fresh,
                           apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "inbox_put",
                      FW_VALS(FW_I(m->id), FW_S(m->plugin), FW_S(m->channel), FW_S(hash),
                              FW_S(m->body), FW_I(m->received)),
                      &rows, pool));
    *fresh = rows == 1;
    return NULL;
}

static const fw_err *take_message(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_message *m = apr_pcalloc(taken->pool, sizeof(*m));

    m->id = fw_take_int(&t);
    m->plugin = fw_take_text(&t);
    m->channel = fw_take_text(&t);
    m->body = fw_take_text(&t);
    m->attempt = (int)fw_take_int(&t);
    m->received = fw_take_int(&t);
    m->tries = (int)fw_take_int(&t);
    taken->one = m;
    return NULL;
}

const fw_err *fw_inbox_claim(fw_db *db, const char *plugin, const char *owner, apr_time_t now,
                             apr_time_t until, fw_message **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};
    const fw_err *err;
    int64_t n = 0;

    *out = NULL;
    FW_TRY(fw_db_query(db, "inbox_peek",
                       FW_VALS(FW_S(plugin), FW_I(now), FW_I(now), FW_I(latest(now, until))),
                       take_int, &n, pool));
    if (n == 0)
        return NULL;
    FW_TRY(fw_db_begin(db));
    err = fw_db_query(db, "inbox_claim",
                      FW_VALS(FW_S(owner), FW_I(until), FW_S(plugin), FW_I(now), FW_I(now),
                              FW_I(latest(now, until))),
                      take_message, &taken, pool);
    if (err) {
        fw_db_rollback(db);
        return err;
    }
    FW_TRY(fw_db_commit(db));
    *out = taken.one;
    return NULL;
}

const fw_err *fw_inbox_end(fw_db *db, const fw_message *m, const char *state, apr_time_t now,
                           const char *reason, apr_pool_t *pool)
{
    return fw_db_exec(db, "inbox_end",
                      FW_VALS(FW_S(state), FW_I(now), FW_S(reason), FW_I(m->id), FW_I(m->attempt)),
                      NULL, pool);
}

const fw_err *fw_inbox_again(fw_db *db, const fw_message *m, apr_time_t now,
                             apr_interval_time_t wait, const char *reason, apr_pool_t *pool)
{
    return fw_db_exec(
        db, "inbox_again",
        FW_VALS(FW_I(now + wait), FW_I(now), FW_S(reason), FW_I(m->id), FW_I(m->attempt)), NULL,
        pool);
}

const fw_err *fw_outbox_reclaim(fw_db *db, const char *node, apr_pool_t *pool)
{
    fw_val n = FW_I(strlen(node));

    FW_TRY(fw_db_exec(db, "outbox_reclaim", FW_VALS(n, FW_S(node)), NULL, pool));
    return fw_db_exec(db, "inbox_reclaim", FW_VALS(n, FW_S(node)), NULL, pool);
}

const fw_err *fw_lease_take(fw_db *db, const char *name, const char *owner, apr_time_t now,
                            apr_time_t until, bool *had, apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(
        db, "lease_take",
        FW_VALS(FW_S(name), FW_S(owner), FW_I(until), FW_I(now), FW_I(latest(now, until))), &rows,
        pool));
    *had = rows == 1;
    return NULL;
}

const fw_err *fw_lease_give(fw_db *db, const char *name, const char *owner, apr_pool_t *pool)
{
    return fw_db_exec(db, "lease_give", FW_VALS(FW_S(name), FW_S(owner)), NULL, pool);
}

const fw_err *fw_outbox_purge(fw_db *db, apr_time_t idem_before, apr_time_t ended_before,
                              apr_pool_t *pool)
{
    FW_TRY(fw_db_exec(db, "idem_purge", FW_VALS(FW_I(idem_before)), NULL, pool));
    FW_TRY(fw_db_exec(db, "outbox_purge", FW_VALS(FW_I(ended_before)), NULL, pool));
    return fw_db_exec(db, "inbox_purge", FW_VALS(FW_I(ended_before)), NULL, pool);
}
