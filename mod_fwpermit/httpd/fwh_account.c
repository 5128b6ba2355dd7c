#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

/* One's own account: password, delegations. */

#define ORG_ROWS 1000

static fw_value languages_of(const fwh_req *q)
{
    static const char *const codes[] = {"zh-Hant", "en"}, *const labels[] = {"繁體中文", "English"};
    fw_value list = fw_list(q->pool);

    for (int i = 0; i < 2; i++)
        fw_add(list, fw_pack(q->pool, "{s:s, s:s, s:b}", "code", codes[i], "label", labels[i],
                             "selected", strncmp(q->lang, codes[i], 2) == 0));
    return list;
}

/* What an employer has delegated, and to whom it may. */
static const fw_err *set_employer(fwh_req *q, fw_value o)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;
    fw_value given = fw_list(q->pool), agencies = fw_list(q->pool);

    fw_set(o, "delegations", given);
    fw_set(o, "agencies", agencies);
    fw_set(o, "grant_action", fw_text("/account/delegations"));
    FW_TRY(fw_delegation_of_employer(q->db, q->actor.org_id, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_delegation_line *d = &APR_ARRAY_IDX(list, i, fw_delegation_line);
        fw_value one = fw_pack(q->pool, "{s:o, s:s, s:s?, s:o}", "id", fw_show_id(&s, d->id),
                               "agency", fw_show_org(&s, d->name_zh, d->name_en), "licence",
                               d->licence, "since", fw_time(d->granted));

        fw_show_set(one, &s, "action", "/account/delegations/%" APR_INT64_T_FMT "/revoke", d->id);
        fw_add(given, one);
    }
    FW_TRY(fw_org_list(q->db, ORG_ROWS, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_org *org = &APR_ARRAY_IDX(list, i, fw_org);

        if (strcmp(org->kind, "agency") == 0)
            fw_add(agencies, fw_pack(q->pool, "{s:o, s:s}", "id", fw_show_id(&s, org->id), "label",
                                     fw_show_org(&s, org->name_zh, org->name_en)));
    }
    return NULL;
}

static const fw_err *set_agency(fwh_req *q, fw_value o)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;
    fw_value employers = fw_list(q->pool);

    fw_set(o, "employers", employers);
    FW_TRY(fw_org_employers(q->db, q->actor.org_id, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_org *org = &APR_ARRAY_IDX(list, i, fw_org);

        fw_add(employers,
               fw_pack(q->pool, "{s:s}", "label", fw_show_org(&s, org->name_zh, org->name_en)));
    }
    return NULL;
}

const fw_err *fwh_do_account(fwh_req *q)
{
    const fw_account *a = q->account;
    fw_value o =
        fw_pack(q->pool, "{s:{s:s, s:s, s:s?, s:s, s:o}, s:b, s:o, s:n, s:n, s:n}", "account",
                "login", a->login, "name", a->name, "email", a->email, "lang", a->lang,
                "last_login", fw_time(a->last_login), "must_change", a->must_change, "languages",
                languages_of(q), "delegations", "agencies", "employers");

    if (q->actor.roles & FW_ROLE_EMPLOYER)
        FW_TRY(set_employer(q, o));
    if (q->actor.roles & FW_ROLE_AGENT)
        FW_TRY(set_agency(q, o));
    return fwh_page(q, "account", o);
}

/* ---- password ---- */

static const fw_err *password_refused(fwh_req *q, const char *field, const char *key)
{
    fw_refusal *r = apr_pcalloc(q->pool, sizeof(*r));
    fw_result result = {.verdict = FW_REFUSED, .code = FW_E_INPUT, .refusals = r, .n_refusals = 1};

    r->field = field;
    r->key = key;
    if (q->json)
        return fwh_refused(q, &result);
    fwh_form_errors(q, &result);
    return fwh_do_account(q);
}

/* NULL with *why where it is wrong. Within the lane: hashing is slow. */
static const fw_err *rehash(fwh_req *q, const char *old, const char *new, fw_account *to,
                            const char **field, const char **why)
{
    const fw_err *err = NULL;

    *why = NULL;
    FW_TRY(fwh_lane_enter(q));
    if (!fw_password_right(old ? old : "", q->account->pw_hash, q->pool)) {
        *field = "old";
        *why = "password.wrong";
    } else {
        err = fw_password_change(new, q->account->pw_hash, q->account->pw_old, &to->pw_hash,
                                 &to->pw_old, q->pool);
    }
    FW_TRY(fwh_lane_leave(q));
    if (err && err->code == FW_E_INPUT) {
        *field = "new";
        *why = err->user_key;
        return NULL;
    }
    return err;
}

/* With a new password somebody may do more, or shuts somebody out: no token from before is one after it. */
static const fw_err *end_other_tokens(fwh_req *q)
{
    const char *token = NULL;

    FW_TRY(fw_session_delete_others(q->db, q->actor.account_id, q->who->token_hash, q->pool));
    FW_TRY(fw_login_renew(q->db, q->who, &token, q->pool));
    fwh_cookie_set(q, fwh_session_cookie(q), token, -1);
    return NULL;
}

const fw_err *fwh_do_account_password(fwh_req *q)
{
    const char *old = fwh_take(q, "old"), *new = fwh_take(q, "new"), *again = fwh_take(q, "again");
    const char *field = NULL, *why;
    fw_command cmd = fwh_command(q, FW_CMD_ACCOUNT_PASSWORD, q->actor.account_id);
    fw_account to = {0};
    fw_result result = {0};
    bool often = false;

    cmd.request_id = NULL; /* the hash of a body that holds a password is kept nowhere */
    FW_TRY(fwh_fields_end(q));
    new = new ? new : "";
    why = fw_password_judge(new, q->account->login);
    if (why)
        return password_refused(q, "new", why);
    if (again && strcmp(new, again) != 0)
        return password_refused(q, "again", "password.different");
    FW_TRY(fw_login_guess(q->desk, q->db, q->actor.account_id, &often, q->pool));
    if (often)
        return fwh_problem(q, 429, "login.often", fw_null());
    FW_TRY(rehash(q, old, new, &to, &field, &why));
    if (why)
        return password_refused(q, field, why);
    cmd.account = &to;
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict != FW_REFUSED)
        FW_TRY(end_other_tokens(q));
    return fwh_result(q, &result, "/account", "password_changed");
}

/* ---- delegations ---- */

const fw_err *fwh_do_delegation_grant(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_DELEGATION_GRANT, fwh_take_id(q, "agency"));
    fw_result result = {0};

    FW_TRY(fwh_fields_end(q));
    cmd.employer_id = q->actor.org_id;
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, "/account", "delegated");
}

const fw_err *fwh_do_delegation_revoke(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_DELEGATION_REVOKE, fwh_id(q->arg[0]));
    fw_result result = {0};

    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, "/account", "undelegated");
}
