#include "fw_config.h"
#include "fw_login.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#include "fw_random.h"
#include "fw_sha256.h"
#include "fw_store_party.h"

#define LANE_WAIT   apr_time_from_sec(3)
#define AGENT_CHARS 200
#define MINUTE      apr_time_from_sec(60)

static bool token_is_good(const char *token)
{
    return token && strlen(token) == FW_TOKEN_CHARS &&
           strspn(token, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == FW_TOKEN_CHARS;
}

/* ---- log-in ---- */

static const fw_err *too_often(const fw_desk *desk, fw_db *db, const char *ip, bool *often,
                               apr_pool_t *pool)
{
    int hits = 0;

    FW_TRY(
        fw_rate_hit(db, apr_pstrcat(pool, "login:", ip, NULL), desk->now(), MINUTE, &hits, pool));
    *often = hits > desk->settings->login_per_min;
    return NULL;
}

static const fw_err *find_account(const fw_desk *desk, fw_db *db, const char *login,
                                  fw_account **out, apr_pool_t *pool)
{
    const fw_err *err;

    *out = NULL;
    if (strlen(login) > FW_LOGIN_BYTES)
        return NULL;
    err = fw_account_by_login(db, login, out, pool);
    if (err)
        return err->code == FW_E_NOTFOUND ? NULL : err;
    FW_TRY(fw_account_unlock(db, (*out)->id, desk->now(), pool));
    return NULL;
}

/* A name that is none is counted and locked like one that is: nobody learns which names there are. */
static const fw_err *note_failure(const fw_desk *desk, fw_db *db, const char *login,
                                  const fw_account *a, fw_login *out, apr_pool_t *pool)
{
    const fw_settings *s = desk->settings;
    apr_interval_time_t lock = s->login_lock_min * MINUTE;
    const char *name = fw_sha256_hex(login, strlen(login), pool);
    int failures = 0;

    if (a)
        FW_TRY(
            fw_account_failed(db, a->id, s->login_failures, desk->now() + lock, &failures, pool));
    else
        FW_TRY(fw_nobody_failed(db, apr_pstrcat(pool, "nobody:", name, NULL), s->login_failures,
                                desk->now(), lock, &failures, pool));
    out->why = failures >= s->login_failures ? "login.locked" : "login.wrong";
    return NULL;
}

/* What a sender calls itself is any bytes: kept as ASCII. */
static const char *clean_agent(const char *agent, apr_pool_t *pool)
{
    char *text = apr_pstrndup(pool, agent ? agent : "", AGENT_CHARS);

    for (char *p = text; *p; p++) {
        if (*p < 0x20 || *p >= 0x7f)
            *p = '?';
    }
    return text;
}

static const fw_err *open_session(const fw_desk *desk, fw_db *db, const fw_account *a,
                                  const char *ip, const char *agent, fw_login *out,
                                  apr_pool_t *pool)
{
    apr_time_t now = desk->now();
    fw_session session = {.account_id = a->id,
                          .created = now,
                          .seen = now,
                          .expires = now + desk->settings->session_max_min * MINUTE};

    FW_TRY(fw_code_draw(&out->token, FW_TOKEN_CHARS, pool));
    FW_TRY(fw_code_draw(&out->csrf, FW_TOKEN_CHARS, pool));
    session.csrf = out->csrf;
    FW_TRY(fw_session_add(db, fw_sha256_hex(out->token, FW_TOKEN_CHARS, pool), &session, ip,
                          clean_agent(agent, pool), pool));
    return fw_account_entered(db, a->id, now, pool);
}

typedef struct trying {
    const fw_desk *desk;
    const char *login, *ip, *agent;
    fw_account *account; /* or NULL */
    bool right;
    fw_login *out;
    apr_pool_t *pool;
} trying;

static const fw_err *look_up(trying *t, fw_db *db)
{
    bool often = false;

    FW_TRY(too_often(t->desk, db, t->ip, &often, t->pool));
    if (!often)
        return find_account(t->desk, db, t->login, &t->account, t->pool);
    t->out->why = "login.often";
    return NULL;
}

static const fw_err *settle(trying *t, fw_db *db)
{
    fw_account *a = t->account;

    if (a && a->locked_until > t->desk->now()) {
        t->out->why = "login.locked";
        return NULL;
    }
    if (!t->right || !a || !a->active)
        return note_failure(t->desk, db, t->login, t->right ? NULL : a, t->out, t->pool);
    t->out->account = a;
    return open_session(t->desk, db, a, t->ip, t->agent, t->out, t->pool);
}

/* With a connection that is given back at once. */
static const fw_err *with_db(trying *t, const fw_err *(*part)(trying *, fw_db *))
{
    const fw_err *err;
    fw_db *db = NULL;

    FW_TRY(fw_db_acquire(&db, t->desk->dbs, t->pool));
    err = part(t, db);
    fw_db_release(db);
    return err;
}

const fw_err *fw_login_try(const fw_desk *desk, fw_lane *lane, const char *login,
                           const char *password, const char *ip, const char *agent, fw_login *out,
                           apr_pool_t *pool)
{
    trying t = {desk, login, ip, agent, NULL, false, out, pool};

    *out = (fw_login){0};
    FW_TRY(with_db(&t, look_up));
    if (out->why)
        return NULL;
    if (!fw_lane_enter(lane, LANE_WAIT)) {
        out->why = "login.busy";
        return NULL;
    }
    t.right = fw_password_right(password, t.account ? t.account->pw_hash : NULL, pool);
    fw_lane_leave(lane);
    return with_db(&t, settle);
}

const fw_err *fw_login_guess(const fw_desk *desk, fw_db *db, fw_id account, bool *often,
                             apr_pool_t *pool)
{
    const char *name = apr_psprintf(pool, "password:%" APR_INT64_T_FMT, account);
    int hits = 0;

    FW_TRY(
        fw_rate_hit(db, name, desk->now(), desk->settings->login_lock_min * MINUTE, &hits, pool));
    *often = hits > desk->settings->login_failures;
    return NULL;
}

/* ---- who ---- */

static fw_actor actor_of(const fw_session *s, const char *ip)
{
    const fw_account *a = s->account;
    bool agent = a->roles & FW_ROLE_AGENT;

    return (fw_actor){.account_id = a->id,
                      .org_id = a->org_id,
                      .login = a->login,
                      .name = a->name,
                      .roles = a->roles,
                      .station = a->station,
                      .lang = a->lang,
                      .ip = ip,
                      .employers = agent ? s->employers : NULL,
                      .n_employers = agent ? s->n_employers : 0};
}

const fw_err *fw_login_who(const fw_desk *desk, fw_db *db, const char *token, const char *ip,
                           fw_who **out, apr_pool_t *pool)
{
    apr_time_t now = desk->now();
    fw_session *s = NULL;
    const char *hash;

    *out = NULL;
    if (!token_is_good(token))
        return NULL;
    hash = fw_sha256_hex(token, FW_TOKEN_CHARS, pool);
    FW_TRY(fw_session_load(db, hash, &s, pool));
    if (!s || s->expires < now || s->seen + desk->settings->session_idle_min * MINUTE < now ||
        !s->account->active)
        return NULL;
    if (s->seen + MINUTE < now)
        FW_TRY(fw_session_touch(db, hash, now, now - MINUTE, pool));
    *out = apr_pcalloc(pool, sizeof(**out));
    **out = (fw_who){.actor = actor_of(s, ip),
                     .account = s->account,
                     .org_zh = s->org_zh,
                     .org_en = s->org_en,
                     .csrf = s->csrf,
                     .token_hash = hash};
    return NULL;
}

const fw_err *fw_login_renew(fw_db *db, const fw_who *who, const char **token, apr_pool_t *pool)
{
    FW_TRY(fw_code_draw(token, FW_TOKEN_CHARS, pool));
    return fw_session_renew(db, who->token_hash, fw_sha256_hex(*token, FW_TOKEN_CHARS, pool), pool);
}

const fw_err *fw_login_end(const fw_desk *desk, fw_db *db, const char *token, apr_pool_t *pool)
{
    (void)desk;
    if (!token_is_good(token))
        return NULL;
    return fw_session_delete(db, fw_sha256_hex(token, FW_TOKEN_CHARS, pool), pool);
}
