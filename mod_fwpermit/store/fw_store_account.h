#ifndef FW_STORE_ACCOUNT_H
#define FW_STORE_ACCOUNT_H

#include "fw_db.h"
#include "fw_model.h"

/* Accounts, sessions and rate counters. Sessions, counters and the notes of a log-in are bookkeeping: they are
 * written without a command. */

const fw_err *fw_account_load(fw_db *db, fw_id id, fw_account **out, apr_pool_t *pool);
const fw_err *fw_account_by_login(fw_db *db, const char *login, fw_account **out, apr_pool_t *pool);
/* Who is written to about a worker; FW_E_NOTFOUND: nobody. */
const fw_err *fw_account_of_worker(fw_db *db, fw_id worker, fw_account **out, apr_pool_t *pool);
const fw_err *fw_account_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool);
const fw_err *fw_account_put(fw_db *db, fw_account *a, apr_pool_t *pool);

/* Counts a failure; at `most` the account is locked until `until`. *failures: how many in a row now. */
const fw_err *fw_account_failed(fw_db *db, fw_id id, int most, apr_time_t until, int *failures,
                                apr_pool_t *pool);
const fw_err *fw_account_entered(fw_db *db, fw_id id, apr_time_t now, apr_pool_t *pool);
/* Ends a lock that is over, with its count. */
const fw_err *fw_account_unlock(fw_db *db, fw_id id, apr_time_t now, apr_pool_t *pool);

typedef struct fw_session {
    fw_id account_id;
    const char *csrf;
    apr_time_t created;
    apr_time_t seen;
    apr_time_t expires;
    /* as loaded: */
    fw_account *account;
    const char *org_zh, *org_en; /* of its organisation; NULL: it has none */
    const fw_id *employers;      /* who delegated to that */
    int n_employers;
} fw_session;

/* Sessions are known by the SHA-256 of their token, in hex. */
const fw_err *fw_session_add(fw_db *db, const char *token_hash, const fw_session *s, const char *ip,
                             const char *agent, apr_pool_t *pool);
/* *out is NULL where there is none. */
const fw_err *fw_session_load(fw_db *db, const char *token_hash, fw_session **out,
                              apr_pool_t *pool);
const fw_err *fw_session_touch(fw_db *db, const char *token_hash, apr_time_t now, apr_time_t older,
                               apr_pool_t *pool);
/* The session goes on under another token's hash; the one before is none from now on. */
const fw_err *fw_session_renew(fw_db *db, const char *token_hash, const char *now_hash,
                               apr_pool_t *pool);
const fw_err *fw_session_delete(fw_db *db, const char *token_hash, apr_pool_t *pool);
/* All of an account but one. */
const fw_err *fw_session_delete_others(fw_db *db, fw_id account, const char *but, apr_pool_t *pool);
const fw_err *fw_session_purge(fw_db *db, apr_time_t now, apr_time_t idle_since, apr_pool_t *pool);

/* Counts one more within the window; *hits is the number in it. */
const fw_err *fw_rate_hit(fw_db *db, const char *name, apr_time_t now, apr_time_t window, int *hits,
                          apr_pool_t *pool);
/* Counts a failure of a name that is no account's as fw_account_failed() counts an account's: `most` of them lock it for `lock` from the
 * last one, and after that it begins anew. */
const fw_err *fw_nobody_failed(fw_db *db, const char *name, int most, apr_time_t now,
                               apr_time_t lock, int *failures, apr_pool_t *pool);
const fw_err *fw_rate_purge(fw_db *db, apr_time_t before, apr_pool_t *pool);

#endif
