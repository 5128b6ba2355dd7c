#include "fw_config.h"
#include "fwc.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_idnum.h"
#include "fw_password.h"
#include "fw_store_account.h"

#define LOGIN_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-"
#define LOGIN_MAX   64
#define LIST_MAX    100000

static const fw_err *load(fwc *c, fw_account **out)
{
    const fw_err *err = fw_account_by_login(c->db, c->words[0], out, c->pool);

    return err && err->code == FW_E_NOTFOUND
               ? FW_ERR(c->pool, FW_E_NOTFOUND, 0, "no account %s", c->words[0])
               : err;
}

static const fw_err *change(fwc *c, fw_cmd_e kind, const fw_account *a)
{
    fw_command cmd = {.kind = kind, .actor = &c->actor, .target = a->id, .account = a};
    fw_result result;

    return fwc_perform(c, &cmd, &result);
}

static const fw_err *end_sessions(fwc *c, const fw_account *a)
{
    return fw_session_delete_others(c->db, a->id, "", c->pool);
}

/* ---- making one ---- */

static const fw_err *check_person(fwc *c, const fw_account *a)
{
    apr_size_t n = strlen(a->login);
    bool applicant = a->roles & FW_ROLES_APPLICANT, officer = a->roles & FW_ROLES_OFFICER;

    if (n == 0 || n > LOGIN_MAX || strspn(a->login, LOGIN_CHARS) != n)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "a login is 1 to %d of a-z A-Z 0-9 . _ @ -",
                      LOGIN_MAX);
    if (applicant == officer)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "--roles are an applicant's or an officer's");
    if (applicant && !a->org_id)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "an employer or agent belongs to an --org");
    if ((a->roles & (FW_ROLE_INITIAL | FW_ROLE_SECOND)) && !a->station)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "a reviewer belongs to a --station");
    if (a->station && !fw_codes_station_of(c->desk->codes, a->station))
        return FW_ERR(c->pool, FW_E_INPUT, 0, "there is no station %s", a->station);
    if (a->email && !fw_idnum_mail_valid(a->email))
        return FW_ERR(c->pool, FW_E_INPUT, 0, "%s is no mail address", a->email);
    if (!fw_locale_has(c->desk->locale, a->lang))
        return FW_ERR(c->pool, FW_E_INPUT, 0, "there is no language %s", a->lang);
    return NULL;
}

static const fw_err *read_person(fwc *c, fw_account *a)
{
    const char *roles = fwc_option(c, "roles"), *org = fwc_option(c, "org");
    fw_org *belongs = NULL;

    a->login = c->words[0];
    a->name = fwc_option(c, "name") ? fwc_option(c, "name") : a->login;
    a->email = fwc_option(c, "email");
    a->lang = fwc_option(c, "lang") ? fwc_option(c, "lang") : FW_LOCALE_DEFAULT;
    a->station = fwc_option(c, "station");
    a->must_change = !fwc_option(c, "keep");
    if (!roles || !fw_roles_parse(roles, &a->roles) ||
        (a->roles & ~(unsigned)(FW_ROLES_APPLICANT | FW_ROLES_OFFICER)))
        return FW_ERR(c->pool, FW_E_INPUT, 0,
                      "--roles of employer agent initial second dispatcher cashier admin auditor");
    if (org)
        FW_TRY(fwc_org(c, org, &belongs));
    a->org_id = belongs ? belongs->id : 0;
    return check_person(c, a);
}

const fw_err *fwc_account_create(fwc *c)
{
    fw_account a = {0};
    fw_command cmd = {.kind = FW_CMD_ACCOUNT_CREATE, .actor = &c->actor, .account = &a};
    const char *password = NULL;
    fw_result result;

    FW_TRY(read_person(c, &a));
    FW_TRY(fwc_password(c, a.login, &password));
    FW_TRY(fw_password_hash(password, &a.pw_hash, c->pool));
    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "account %s: %" APR_INT64_T_FMT, a.login, result.answer);
    return NULL;
}

/* ---- looking ---- */

static const char *state_of(const fw_account *a)
{
    if (!a->active)
        return "disabled";
    return a->locked_until > apr_time_now() ? "locked" : "active";
}

static const char *when(apr_time_t t, apr_pool_t *pool)
{
    return t ? fw_time_iso(t, pool) : "-";
}

const fw_err *fwc_account_list(fwc *c)
{
    apr_array_header_t *list = NULL;
    int limit = 0;

    FW_TRY(fwc_option_number(c, "limit", LIST_MAX, LIST_MAX, &limit));
    FW_TRY(fw_account_list(c->db, limit, &list, c->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_account *a = &APR_ARRAY_IDX(list, i, fw_account);

        fwc_say(c, "%s\t%s\t%s\t%s\t%s", a->login, state_of(a), fw_roles_text(a->roles, c->pool),
                a->station ? a->station : "-", a->name);
    }
    return NULL;
}

const fw_err *fwc_account_show(fwc *c)
{
    fw_account *a = NULL;

    FW_TRY(load(c, &a));
    fwc_say(c, "login        %s\nid           %" APR_INT64_T_FMT, a->login, a->id);
    fwc_say(c, "name         %s\nemail        %s", a->name, a->email ? a->email : "-");
    fwc_say(c, "language     %s\nroles        %s", a->lang, fw_roles_text(a->roles, c->pool));
    fwc_say(c, "organisation %" APR_INT64_T_FMT "\nstation      %s", a->org_id,
            a->station ? a->station : "-");
    fwc_say(c, "state        %s\nfailures     %d", state_of(a), a->failures);
    fwc_say(c, "locked until %s\nlast log-in  %s", when(a->locked_until, c->pool),
            when(a->last_login, c->pool));
    fwc_say(c, "must change  %s\ncreated      %s", a->must_change ? "yes" : "no",
            when(a->created, c->pool));
    return NULL;
}

/* ---- changing ---- */

const fw_err *fwc_account_unlock(fwc *c)
{
    fw_account *a = NULL;

    FW_TRY(load(c, &a));
    FW_TRY(change(c, FW_CMD_ACCOUNT_UNLOCK, a));
    fwc_say(c, "%s is unlocked", a->login);
    return NULL;
}

static const fw_err *set_active(fwc *c, bool active)
{
    fw_account *a = NULL;

    FW_TRY(load(c, &a));
    a->active = active;
    FW_TRY(change(c, FW_CMD_ACCOUNT_UPDATE, a));
    if (!active)
        FW_TRY(end_sessions(c, a));
    fwc_say(c, "%s is %s", a->login, active ? "enabled" : "disabled");
    return NULL;
}

const fw_err *fwc_account_disable(fwc *c)
{
    return set_active(c, false);
}

const fw_err *fwc_account_enable(fwc *c)
{
    return set_active(c, true);
}

const fw_err *fwc_account_password(fwc *c)
{
    fw_account *a = NULL;
    const char *password = NULL;
    const fw_err *err;

    FW_TRY(load(c, &a));
    FW_TRY(fwc_password(c, a->login, &password));
    err = fw_password_change(password, a->pw_hash, a->pw_old, &a->pw_hash, &a->pw_old, c->pool);
    if (err && err->user_key)
        return FW_ERR(c->pool, err->code, 0, "%s",
                      fw_locale_text(c->desk->locale, "en", err->user_key));
    FW_TRY(err);
    a->must_change = !fwc_option(c, "keep");
    FW_TRY(change(c, FW_CMD_ACCOUNT_PASSWORD, a));
    FW_TRY(end_sessions(c, a));
    fwc_say(c, "%s has a new password", a->login);
    return NULL;
}
