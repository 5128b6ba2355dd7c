#ifndef FW_LOGIN_H
#define FW_LOGIN_H

#include "fw_desk.h"
#include "fw_password.h"
#include "fw_store_account.h"

/* Who is there: log-in, sessions, and the actor that a request acts as. Sessions, counters and the notes of a log-in are
 * bookkeeping, written without a command. */

#define FW_TOKEN_CHARS 52 /* 260 random bits in Crockford's base 32 */
#define FW_LOGIN_BYTES 100

typedef struct fw_login {
    const char *token; /* the cookie's value; the database has its hash alone */
    const char *csrf;
    fw_account *account;
    const char *
        why; /* key of the catalogue where `token` is NULL: login.wrong, login.locked, login.busy, login.often */
} fw_login;

/* Tries a log-in from `ip`. A wrong name takes as long as a wrong password, says the same, and is locked like one.
 * FwPermitLoginFailures in a row lock the account for FwPermitLoginLock minutes; an address has FwPermitLoginRate a minute; `lane`
 * bounds what hashes at a time. Has connections of its own, and none while it waits or hashes. */
const fw_err *fw_login_try(const fw_desk *desk, fw_lane *lane, const char *login,
                           const char *password, const char *ip, const char *agent, fw_login *out,
                           apr_pool_t *pool);

/* Counts a guess of the password of an account whose session is there: FwPermitLoginFailures within FwPermitLoginLock minutes. */
const fw_err *fw_login_guess(const fw_desk *desk, fw_db *db, fw_id account, bool *often,
                             apr_pool_t *pool);

typedef struct fw_who {
    fw_actor actor;
    const fw_account *account;
    const char *org_zh, *org_en; /* NULL: no organisation */
    const char *csrf;
    const char *token_hash;
} fw_who;

/* Who has the session of that token; *out is NULL where it is none, has ended, or its account is not active. Notes once a minute
 * that it is in use. */
const fw_err *fw_login_who(const fw_desk *desk, fw_db *db, const char *token, const char *ip,
                           fw_who **out, apr_pool_t *pool);

/* The session goes on under a new token: whoever had the one before has none. */
const fw_err *fw_login_renew(fw_db *db, const fw_who *who, const char **token, apr_pool_t *pool);

const fw_err *fw_login_end(const fw_desk *desk, fw_db *db, const char *token, apr_pool_t *pool);

#endif
