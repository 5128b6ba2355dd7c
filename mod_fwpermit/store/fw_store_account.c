#include "fw_config.h"
#include "fw_store_account.h"

#include "fw_take.h"

static const fw_err *take_columns(fw_take *t, fw_account *a)
{
    const char *roles;

    a->id = fw_take_int(t);
    a->version = (int)fw_take_int(t);
    a->login = fw_take_text(t);
    a->name = fw_take_text(t);
    a->email = fw_take_text(t);
    a->lang = fw_take_text(t);
    roles = fw_take_text(t);
    a->org_id = fw_take_int(t);
    a->station = fw_take_text(t);
    a->pw_hash = fw_take_text(t);
    a->pw_old = fw_take_text(t);
    a->must_change = fw_take_int(t) != 0;
    a->active = fw_take_int(t) != 0;
    a->failures = (int)fw_take_int(t);
    a->locked_until = fw_take_int(t);
    a->last_login = fw_take_int(t);
    a->created = fw_take_int(t);
    if (!roles || !fw_roles_parse(roles, &a->roles))
        return FW_ERR(t->pool, FW_E_CORRUPT, 0, "an account's roles are not known");
    return NULL;
}

static const fw_err *take_account(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};

    return take_columns(&t, apr_array_push(taken->list));
}

static const fw_err *query_accounts(fw_db *db, const char *name, fw_val arg,
                                    apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_account))};

    *out = taken.list;
    return fw_db_query(db, name, FW_VALS(arg), take_account, &taken, pool);
}

static const fw_err *first(apr_array_header_t *list, fw_account **out, apr_pool_t *pool)
{
    *out = list->nelts ? &APR_ARRAY_IDX(list, 0, fw_account) : NULL;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such account");
}

const fw_err *fw_account_load(fw_db *db, fw_id id, fw_account **out, apr_pool_t *pool)
{
    apr_array_header_t *list = NULL;

    FW_TRY(query_accounts(db, "account_load", FW_I(id), &list, pool));
    return first(list, out, pool);
}

const fw_err *fw_account_by_login(fw_db *db, const char *login, fw_account **out, apr_pool_t *pool)
{
    apr_array_header_t *list = NULL;

    FW_TRY(query_accounts(db, "account_by_login", FW_S(login), &list, pool));
    return first(list, out, pool);
}

const fw_err *fw_account_of_worker(fw_db *db, fw_id worker, fw_account **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_account))};

    FW_TRY(fw_db_query(db, "account_of_worker", FW_VALS(FW_I(worker), FW_I(worker)), take_account,
                       &taken, pool));
    return first(taken.list, out, pool);
}

const fw_err *fw_account_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    return query_accounts(db, "account_list", FW_I(limit), out, pool);
}

static const fw_err *insert_account(fw_db *db, const fw_account *a, const char *roles,
                                    apr_pool_t *pool)
{
    return fw_db_exec(db, "account_insert",
                      FW_VALS(FW_I(a->id), FW_I(1), FW_S(a->login), FW_S(a->name), FW_S(a->email),
                              FW_S(a->lang), FW_S(roles), a->org_id ? FW_I(a->org_id) : FW_NULLV,
                              FW_S(a->station), FW_S(a->pw_hash), FW_S(a->pw_old),
                              FW_I(a->must_change), FW_I(a->active), FW_I(a->failures),
                              FW_I(a->locked_until), FW_I(a->last_login), FW_I(a->created)),
                      NULL, pool);
}

const fw_err *fw_account_put(fw_db *db, fw_account *a, apr_pool_t *pool)
{
    const char *roles = fw_roles_text(a->roles, pool);
    int rows = 1;

    if (a->version == 0)
        FW_TRY(insert_account(db, a, roles, pool));
    else
        FW_TRY(fw_db_exec(db, "account_update",
                          FW_VALS(FW_S(a->name), FW_S(a->email), FW_S(a->lang), FW_S(roles),
                                  FW_S(a->station), FW_S(a->pw_hash), FW_S(a->pw_old),
                                  FW_I(a->must_change), FW_I(a->active), FW_I(a->failures),
                                  FW_I(a->locked_until), FW_I(a->id), FW_I(a->version)),
                          &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "the account was changed in between");
    a->version++;
    return NULL;
}

static const fw_err *take_int(void *baton, const fw_row *row)
{
    *(int *)baton = (int)fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_account_failed(fw_db *db, fw_id id, int most, apr_time_t until, int *failures,
                                apr_pool_t *pool)
{
    *failures = 0;
    return fw_db_query(db, "account_failed", FW_VALS(FW_I(most), FW_I(until), FW_I(id)), take_int,
                       failures, pool);
}

const fw_err *fw_account_entered(fw_db *db, fw_id id, apr_time_t now, apr_pool_t *pool)
{
    return fw_db_exec(db, "account_entered", FW_VALS(FW_I(now), FW_I(id)), NULL, pool);
}

const fw_err *fw_account_unlock(fw_db *db, fw_id id, apr_time_t now, apr_pool_t *pool)
{
    return fw_db_exec(db, "account_unlock", FW_VALS(FW_I(id), FW_I(now)), NULL, pool);
}

/* ---- sessions ---- */

const fw_err *fw_session_add(fw_db *db, const char *token_hash, const fw_session *s, const char *ip,
                             const char *agent, apr_pool_t *pool)
{
    return fw_db_exec(db, "session_insert",
                      FW_VALS(FW_S(token_hash), FW_I(s->account_id), FW_S(s->csrf),
                              FW_I(s->created), FW_I(s->seen), FW_I(s->expires), FW_S(ip),
                              FW_S(agent)),
                      NULL, pool);
}

static const fw_err *take_session(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_session *s = apr_pcalloc(taken->pool, sizeof(*s));

    s->account = apr_pcalloc(taken->pool, sizeof(*s->account));
    FW_TRY(take_columns(&t, s->account));
    s->account_id = s->account->id;
    s->csrf = fw_take_text(&t);
    s->created = fw_take_int(&t);
    s->seen = fw_take_int(&t);
    s->expires = fw_take_int(&t);
    s->org_zh = fw_take_text(&t);
    s->org_en = fw_take_text(&t);
    s->employers = fw_take_ids(&t, &s->n_employers);
    taken->one = s;
    return NULL;
}

const fw_err *fw_session_load(fw_db *db, const char *token_hash, fw_session **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "session_load", FW_VALS(FW_S(token_hash)), take_session, &taken, pool));
    *out = taken.one;
    return NULL;
}

const fw_err *fw_session_touch(fw_db *db, const char *token_hash, apr_time_t now, apr_time_t older,
                               apr_pool_t *pool)
{
    return fw_db_exec(db, "session_touch", FW_VALS(FW_I(now), FW_S(token_hash), FW_I(older)), NULL,
                      pool);
}

const fw_err *fw_session_renew(fw_db *db, const char *token_hash, const char *now_hash,
                               apr_pool_t *pool)
{
    return fw_db_exec(db, "session_renew", FW_VALS(FW_S(now_hash), FW_S(token_hash)), NULL, pool);
}

const fw_err *fw_session_delete(fw_db *db, const char *token_hash, apr_pool_t *pool)
{
    return fw_db_exec(db, "session_delete", FW_VALS(FW_S(token_hash)), NULL, pool);
}

const fw_err *fw_session_delete_others(fw_db *db, fw_id account, const char *but, apr_pool_t *pool)
{
    return fw_db_exec(db, "session_delete_account", FW_VALS(FW_I(account), FW_S(but)), NULL, pool);
}

const fw_err *fw_session_purge(fw_db *db, apr_time_t now, apr_time_t idle_since, apr_pool_t *pool)
{
    return fw_db_exec(db, "session_purge", FW_VALS(FW_I(now), FW_I(idle_since)), NULL, pool);
}

/* ---- counters ---- */

const fw_err *fw_rate_hit(fw_db *db, const char *name, apr_time_t now, apr_time_t window, int *hits,
                          apr_pool_t *pool)
{
    fw_val since = FW_I(now - window), at = FW_I(now);

    return fw_db_query(db, "rate_hit", FW_VALS(FW_S(name), at, since, since, at), take_int, hits,
                       pool);
}

const fw_err *fw_nobody_failed(fw_db *db, const char *name, int most, apr_time_t now,
                               apr_time_t lock, int *failures, apr_pool_t *pool)
{
    fw_val most_hits = FW_I(most), since = FW_I(now - lock), at = FW_I(now);

    return fw_db_query(db, "nobody_failed",
                       FW_VALS(FW_S(name), at, most_hits, since, most_hits, since, at), take_int,
                       failures, pool);
}

const fw_err *fw_rate_purge(fw_db *db, apr_time_t before, apr_pool_t *pool)
{
    return fw_db_exec(db, "rate_purge", FW_VALS(FW_I(before)), NULL, pool);
}
