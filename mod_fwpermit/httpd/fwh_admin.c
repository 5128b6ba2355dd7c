#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_idnum.h"
#include "fw_show_system.h"
#include "fw_store_outbox.h"
#include "fw_store_payment.h"

/* The administrator's pages. */

#define ROWS 500

/* ---- lists ---- */

static fw_value role_options(const fwh_req *q, unsigned chosen)
{
    fw_value list = fw_list(q->pool);

    for (unsigned bit = 1; bit <= FW_ROLE_AUDITOR; bit <<= 1)
        fw_add(list,
               fw_pack(q->pool, "{s:s, s:s, s:b}", "code", fw_role_name((fw_role_e)bit), "label",
                       fw_locale_text(
                           q->desk->locale, q->lang,
                           apr_pstrcat(q->pool, "role.", fw_role_name((fw_role_e)bit), NULL)),
                       "selected", (chosen & bit) != 0));
    return list;
}

static fw_value station_options(const fwh_req *q, const char *chosen)
{
    bool english = strncmp(q->lang, "en", 2) == 0;
    fw_value list = fw_list(q->pool);
    int n = 0;
    const fw_station *all = fw_codes_stations(q->desk->codes, &n);

    for (int i = 0; i < n; i++)
        fw_add(list, fw_pack(q->pool, "{s:s, s:s, s:b}", "code", all[i].code, "label",
                             english ? all[i].en : all[i].zh, "selected",
                             chosen && strcmp(chosen, all[i].code) == 0));
    return list;
}

static const char *role_labels(const fwh_req *q, unsigned roles)
{
    const char *text = "";

    for (unsigned bit = 1; bit <= FW_ROLE_AUDITOR; bit <<= 1) {
        if (roles & bit)
            text = apr_pstrcat(
                q->pool, text, *text ? ", " : "",
                fw_locale_text(q->desk->locale, q->lang,
                               apr_pstrcat(q->pool, "role.", fw_role_name((fw_role_e)bit), NULL)),
                NULL);
    }
    return text;
}

/* The name of one of the organisations listed, or NULL. */
static const char *org_label(fw_value orgs, const char *id)
{
    fw_value org;

    fw_each(orgs, i, org)
    {
        if (strcmp(fw_chars(fw_get(org, "id")), id) == 0)
            return fw_chars(fw_get(org, "label"));
    }
    return NULL;
}

static const fw_err *list_accounts(fwh_req *q, fw_value orgs, fw_value *out)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;

    *out = fw_list(q->pool);
    FW_TRY(fw_account_list(q->db, ROWS, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_account *a = &APR_ARRAY_IDX(list, i, fw_account);
        fw_value o = fw_pack(
            q->pool, "{s:o, s:s, s:s, s:s, s:s?, s:s?, s:b, s:b, s:o}", "id", fw_show_id(&s, a->id),
            "login", a->login, "name", a->name, "roles", role_labels(q, a->roles), "org",
            org_label(orgs, fw_show_id_text(&s, a->org_id)), "station", a->station, "active",
            a->active, "locked", a->locked_until > s.now, "last_login", fw_time(a->last_login));

        fw_show_set(o, &s, "href", "/admin/accounts/%" APR_INT64_T_FMT, a->id);
        fw_add(*out, o);
    }
    return NULL;
}

static const fw_err *list_orgs(fwh_req *q, fw_value *out)
{
    fw_show s = fwh_show(q);
    apr_array_header_t *list = NULL;

    *out = fw_list(q->pool);
    FW_TRY(fw_org_list(q->db, ROWS, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_org *org = &APR_ARRAY_IDX(list, i, fw_org);

        fw_add(*out,
               fw_pack(q->pool, "{s:o, s:s, s:s, s:s?, s:s?, s:b}", "id", fw_show_id(&s, org->id),
                       "label", fw_show_org(&s, org->name_zh, org->name_en), "kind", org->kind,
                       "ban", org->ban, "licence", org->licence, "is_agency",
                       strcmp(org->kind, "agency") == 0));
    }
    return NULL;
}

static const fw_err *list_queues(fwh_req *q, fw_value *out)
{
    apr_array_header_t *list = NULL;

    *out = fw_list(q->pool);
    FW_TRY(fw_outbox_counts(q->db, &list, q->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_outbox_count *c = &APR_ARRAY_IDX(list, i, fw_outbox_count);

        fw_add(*out, fw_pack(q->pool, "{s:s, s:s, s:i, s:o}", "port", c->port, "state", c->state,
                             "n", c->n, "oldest", fw_time(c->oldest)));
    }
    return NULL;
}

const fw_err *fwh_do_admin(fwh_req *q)
{
    fw_value o = fw_object(q->pool), part = {0}, orgs = {0}, messages = {0};
    fw_show s = fwh_show(q);

    FW_TRY(list_orgs(q, &orgs));
    fw_set(o, "orgs", orgs);
    FW_TRY(list_accounts(q, orgs, &part));
    fw_set(o, "accounts", part);
    FW_TRY(fw_show_dead(&s, ROWS, &part, &messages));
    fw_set(o, "dead", part);
    fw_set(o, "messages", messages);
    FW_TRY(list_queues(q, &part));
    fw_set(o, "queues", part);
    fw_set(o, "stations", station_options(q, NULL));
    fw_set(o, "roles", role_options(q, 0));
    fw_set(o, "actions",
           fw_pack(q->pool, "{s:s, s:s, s:s}", "account", "/admin/accounts", "org", "/admin/orgs",
                   "delegation", "/admin/delegations"));
    return fwh_page(q, "admin", o);
}

const fw_err *fwh_do_admin_account(fwh_req *q)
{
    fw_show s = fwh_show(q);
    const fw_account *a = q->account;
    fw_value o =
        fw_pack(q->pool, "{s:{s:o, s:s, s:s, s:s?, s:s?, s:b, s:b}, s:o, s:o}", "account", "id",
                fw_show_id(&s, a->id), "login", a->login, "name", a->name, "email", a->email,
                "station", a->station, "active", a->active, "locked", a->locked_until > s.now,
                "roles", role_options(q, a->roles), "stations", station_options(q, a->station));

    fw_show_set(o, &s, "action", "/admin/accounts/%" APR_INT64_T_FMT, a->id);
    fw_show_set(o, &s, "password_action", "/admin/accounts/%" APR_INT64_T_FMT "/password", a->id);
    return fwh_page(q, "admin_account", o);
}

/* ---- changes ---- */

/* A refusal is shown above the lists. */
static const fw_err *answer(fwh_req *q, const fw_result *result, const char *href,
                            const char *notice)
{
    if (result->verdict != FW_REFUSED || q->json)
        return fwh_result(q, result, href, notice);
    fwh_form_errors(q, result);
    return q->account ? fwh_do_admin_account(q) : fwh_do_admin(q);
}

static const fw_err *refuse(fwh_req *q, const char *field, const char *key)
{
    fw_refusal *r = apr_pcalloc(q->pool, sizeof(*r));
    fw_result result = {.verdict = FW_REFUSED, .code = FW_E_INPUT, .refusals = r, .n_refusals = 1};

    r->field = field;
    r->key = key;
    return answer(q, &result, "/admin", NULL);
}

static unsigned take_roles(fwh_req *q)
{
    json_t *list = fwh_take_list(q, "role"), *one;
    unsigned roles = 0, bit = 0;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (fw_roles_parse(json_string_value(one), &bit))
            roles |= bit & (FW_ROLES_APPLICANT | FW_ROLES_OFFICER);
    }
    json_decref(list);
    return roles;
}

static const fw_err *hash(fwh_req *q, const char *password, const char **out)
{
    const fw_err *err;

    FW_TRY(fwh_lane_enter(q));
    err = fw_password_hash(password, out, q->pool);
    FW_TRY(fwh_lane_leave(q));
    return err;
}

static bool is_login(const char *login)
{
    size_t n = strlen(login);

    return n > 0 && n <= FW_LOGIN_BYTES &&
           strspn(login, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-") == n;
}

/* NULL, or the field that names what is not there. */
static const fw_err *find_missing(fwh_req *q, const fw_account *a, const char **field)
{
    fw_org *org = NULL;
    const fw_err *err = a->org_id ? fw_org_load(q->db, a->org_id, &org, q->pool) : NULL;

    *field = NULL;
    if (err && err->code != FW_E_NOTFOUND)
        return err;
    if (err)
        *field = "org";
    else if (a->station && !fw_codes_station_of(q->desk->codes, a->station))
        *field = "station";
    return NULL;
}

const fw_err *fwh_do_admin_account_create(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_ACCOUNT_CREATE, 0);
    const char *password = fwh_take(q, "password"), *missing = NULL, *why;
    fw_account a = {.login = fwh_take(q, "login"),
                    .name = fwh_take(q, "name"),
                    .email = fwh_take(q, "email"),
                    .lang = fwh_take(q, "lang"),
                    .station = fwh_take(q, "station"),
                    .org_id = fwh_take_id(q, "org"),
                    .roles = take_roles(q),
                    .must_change = true};
    fw_result result = {0};

    cmd.request_id = NULL; /* the hash of a body that holds a password is kept nowhere */
    FW_TRY(fwh_fields_end(q));
    if (!a.login || !*a.login)
        return refuse(q, "login", "problem.required");
    if (!is_login(a.login))
        return refuse(q, "login", "account.login");
    why = fw_password_judge(password ? password : "", a.login);
    if (why)
        return refuse(q, "password", why);
    if (!a.name || !*a.name)
        a.name = a.login;
    if (!a.lang || !fw_locale_has(q->desk->locale, a.lang))
        a.lang = FW_LOCALE_DEFAULT;
    if (a.station && !*a.station)
        a.station = NULL;
    FW_TRY(find_missing(q, &a, &missing));
    if (missing)
        return refuse(q, missing, "field.choice");
    FW_TRY(hash(q, password, &a.pw_hash));
    cmd.account = &a;
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, "/admin", "account_created");
}

const fw_err *fwh_do_admin_account_update(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_ACCOUNT_UPDATE, q->account->id);
    fw_account a = *q->account;
    const char *name = fwh_take(q, "name"), *email = fwh_take(q, "email");
    const char *station = fwh_take(q, "station"), *active = fwh_take(q, "active"), *missing = NULL;
    fw_result result = {0};

    a.roles = take_roles(q);
    (void)fwh_take(q, "lang");
    FW_TRY(fwh_fields_end(q));
    if (name && *name)
        a.name = name;
    if (email)
        a.email = *email ? email : NULL;
    if (station)
        a.station = *station ? station : NULL;
    a.active = active && *active;
    FW_TRY(find_missing(q, &a, &missing));
    if (missing)
        return refuse(q, missing, "field.choice");
    cmd.account = &a;
    FW_TRY(fwh_perform(q, &cmd, &result));
    /* Whoever may do other things from now on logs in for it. */
    if (result.verdict != FW_REFUSED && (!a.active || a.roles != q->account->roles))
        FW_TRY(fw_session_delete_others(q->db, a.id, "", q->pool));
    return answer(q, &result,
                  apr_psprintf(q->pool, "/admin/accounts/%" APR_INT64_T_FMT, q->account->id),
                  "saved");
}

const fw_err *fwh_do_admin_account_password(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_ACCOUNT_PASSWORD, q->account->id);
    const char *new = fwh_take(q, "new"), *why;
    fw_account to = {.must_change = true};
    const fw_err *err;
    fw_result result = {0};

    cmd.request_id = NULL; /* the hash of a body that holds a password is kept nowhere */
    FW_TRY(fwh_fields_end(q));
    why = fw_password_judge(new ? new : "", q->account->login);
    if (why)
        return refuse(q, "new", why);
    FW_TRY(fwh_lane_enter(q));
    err = fw_password_change(new, q->account->pw_hash, q->account->pw_old, &to.pw_hash, &to.pw_old,
                             q->pool);
    FW_TRY(fwh_lane_leave(q));
    if (err && err->code == FW_E_INPUT)
        return refuse(q, "new", err->user_key);
    FW_TRY(err);
    cmd.account = &to;
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict != FW_REFUSED)
        FW_TRY(fw_session_delete_others(q->db, q->account->id, "", q->pool));
    return answer(q, &result,
                  apr_psprintf(q->pool, "/admin/accounts/%" APR_INT64_T_FMT, q->account->id),
                  "password_changed");
}

/* A household has its head's identity number. */
static bool is_org_number(const char *number, bool agency)
{
    return number && (fw_idnum_ban_valid(number) || (!agency && fw_idnum_national_valid(number)));
}

const fw_err *fwh_do_admin_org(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_ORG_CREATE, 0);
    fw_org org = {.kind = fwh_take(q, "kind"),
                  .ban = fwh_take(q, "ban"),
                  .licence = fwh_take(q, "licence"),
                  .name_zh = fwh_take(q, "name_zh"),
                  .name_en = fwh_take(q, "name_en"),
                  .address = fwh_take(q, "address"),
                  .phone = fwh_take(q, "phone"),
                  .email = fwh_take(q, "email")};
    fw_result result = {0};

    FW_TRY(fwh_fields_end(q));
    if (!org.kind || (strcmp(org.kind, "employer") != 0 && strcmp(org.kind, "agency") != 0))
        return refuse(q, "kind", "field.choice");
    if (!is_org_number(org.ban, strcmp(org.kind, "agency") == 0))
        return refuse(q, "ban", "field.ban");
    if (org.address)
        org.county = fw_codes_address_county(q->desk->codes, org.address);
    cmd.org = &org;
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, "/admin", "org_created");
}

const fw_err *fwh_do_admin_delegation(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_DELEGATION_GRANT, fwh_take_id(q, "agency"));
    fw_result result = {0};

    cmd.employer_id = fwh_take_id(q, "employer");
    FW_TRY(fwh_fields_end(q));
    if (!cmd.employer_id || !cmd.target)
        return refuse(q, cmd.target ? "employer" : "agency", "field.required");
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, "/admin", "delegated");
}

const fw_err *fwh_do_admin_revoke(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_PERMIT_REVOKE, 0);
    fw_permit *permit = NULL;
    fw_result result = {0};

    FW_TRY(fw_permit_by_no(q->db, q->arg[0], &permit, q->pool));
    cmd.target = permit->id;
    cmd.reason = fwh_take(q, "reason");
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(
        q, &result, apr_psprintf(q->pool, "/review/%" APR_INT64_T_FMT, permit->case_id), "revoked");
}
