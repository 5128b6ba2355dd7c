#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"

APLOG_USE_MODULE(fwpermit);

#define LANG_COOKIE_S 31536000
#define RESUME_BYTES  200000

/* ---- where to begin ---- */

const char *fwh_home(const fwh_req *q)
{
    static const struct {
        unsigned roles;
        const char *href;
    } homes[] = {{FW_ROLES_APPLICANT, "/cases"},    {FW_ROLE_INITIAL | FW_ROLE_SECOND, "/desk"},
                 {FW_ROLE_DISPATCHER, "/dispatch"}, {FW_ROLE_CASHIER, "/receipts"},
                 {FW_ROLE_ADMIN, "/admin"},         {FW_ROLE_AUDITOR, "/audit"}};

    for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
        if (q->actor.roles & homes[i].roles)
            return homes[i].href;
    }
    return "/account";
}

const fw_err *fwh_do_start(fwh_req *q)
{
    if (q->who)
        return fwh_redirect(q, fwh_home(q), NULL);
    return fwh_page(q, "start", fw_object(q->pool));
}

/* A path of ours, never another site: one slash, then something else. */
static bool is_local(const char *path)
{
    if (!path || path[0] != '/' || path[1] == '/' || path[1] == '\\')
        return false;
    for (const char *p = path; *p; p++) {
        if ((unsigned char)*p <= 0x20 || *p == '\\' || *p == 0x7f)
            return false;
    }
    return true;
}

/* ---- log-in ---- */

const fw_err *fwh_do_login(fwh_req *q)
{
    const char *next = fwh_take(q, "next");

    if (q->who && !q->json)
        return fwh_redirect(q, is_local(next) ? next : fwh_home(q), NULL);
    return fwh_page(q, "login",
                    fw_pack(q->pool, "{s:s, s:s, s:n}", "login", "", "next",
                            is_local(next) ? next : "", "resume"));
}

typedef struct login_form {
    const char *login, *password, *next, *resume_action, *resume_fields;
} login_form;

static const fw_err *take_login(fwh_req *q, login_form *f)
{
    f->login = fwh_take(q, "login");
    f->password = fwh_take(q, "password");
    f->next = fwh_take(q, "next");
    f->resume_action = fwh_take(q, "resume_action");
    f->resume_fields = fwh_take(q, "resume_fields");
    (void)fwh_take(q, "_csrf");
    if (!f->login)
        f->login = "";
    if (!f->password)
        f->password = "";
    if (f->resume_fields && strlen(f->resume_fields) > RESUME_BYTES)
        f->resume_fields = NULL;
    return fwh_fields_end(q);
}

static const fw_err *login_failed(fwh_req *q, const login_form *f, const char *why)
{
    bool often = strcmp(why, "login.often") == 0, busy = strcmp(why, "login.busy") == 0;
    int status = often ? 429 : busy ? HTTP_SERVICE_UNAVAILABLE : HTTP_UNAUTHORIZED;
    fw_value resume = fw_null();

    fwh_log(INFO, q->r, "0201", "a log-in failed: %s", why);
    if (q->json)
        return fwh_problem(q, status, why, fw_null());
    if (is_local(f->resume_action) && f->resume_fields)
        resume =
            fw_pack(q->pool, "{s:s, s:s}", "action", f->resume_action, "fields", f->resume_fields);
    q->status = status;
    q->errors = fw_list(q->pool);
    fw_add(q->errors, fw_pack(q->pool, "{s:s, s:s}", "href", "#f-login", "text",
                              fw_locale_text(q->desk->locale, q->lang, why)));
    return fwh_page(q, "login",
                    fw_pack(q->pool, "{s:s, s:s, s:o}", "login", f->login, "next",
                            is_local(f->next) ? f->next : "", "resume", resume));
}

/* What was typed before the session ended: one more click sends it. */
static const fw_err *resume(fwh_req *q, const login_form *f)
{
    fw_value typed = fw_of_json(fw_json_parse(f->resume_fields, q->pool), q->pool), v, one;
    fw_value fields = fw_list(q->pool);
    const char *name;

    for (int k = 0; (name = fw_member_at(typed, k, &v)) != NULL; k++) {
        if (v.kind == FW_TEXT)
            fw_add(fields, fw_pack(q->pool, "{s:s, s:o}", "name", name, "value", v));
        fw_each(v, i, one)
            fw_add(fields, fw_pack(q->pool, "{s:s, s:o}", "name", name, "value", one));
    }
    fw_add(fields, fw_pack(q->pool, "{s:s, s:s}", "name", "_csrf", "value", q->who->csrf));
    return fwh_page(q, "resume",
                    fw_pack(q->pool, "{s:s, s:o}", "action", f->resume_action, "fields", fields));
}

const fw_err *fwh_do_login_post(fwh_req *q)
{
    login_form f = {0};
    fw_login in = {0};
    fw_who *who;

    FW_TRY(take_login(q, &f));
    fwh_db_give(q);
    FW_TRY(fw_login_try(q->desk, q->child->lane, f.login, f.password, q->ip,
                        apr_table_get(q->r->headers_in, "User-Agent"), &in, q->pool));
    if (!in.token)
        return login_failed(q, &f, in.why);
    FW_TRY(fwh_db_take(q));
    /* The session before this one ends: a token from before a log-in is never one after it. */
    FW_TRY(fw_login_end(q->desk, q->db, fwh_cookie(q, fwh_session_cookie(q)), q->pool));
    FW_TRY(fw_login_who(q->desk, q->db, in.token, q->ip, &who, q->pool));
    if (!who)
        return FW_ERR(q->pool, FW_E_INTERNAL, 0, "a new session is not there");
    q->who = who;
    q->actor = who->actor;
    fwh_cookie_set(q, fwh_session_cookie(q), in.token, -1);
    if (q->json)
        return fwh_page(q, "",
                        fw_pack(q->pool, "{s:s, s:s, s:s, s:b}", "verdict", "done", "csrf", in.csrf,
                                "href", fwh_home(q), "must_change", in.account->must_change));
    if (is_local(f.resume_action) && f.resume_fields)
        return resume(q, &f);
    return fwh_redirect(q, is_local(f.next) ? f.next : fwh_home(q), NULL);
}

const fw_err *fwh_do_logout(fwh_req *q)
{
    FW_TRY(fw_login_end(q->desk, q->db, fwh_cookie(q, fwh_session_cookie(q)), q->pool));
    fwh_cookie_set(q, fwh_session_cookie(q), "", 0);
    if (q->json)
        return fwh_page(q, "", fw_pack(q->pool, "{s:s, s:s}", "verdict", "done", "href", "/"));
    return fwh_redirect(q, "/login", "logged_out");
}

const fw_err *fwh_do_session(fwh_req *q)
{
    fw_value roles = fw_list(q->pool);

    q->json = true;
    if (!q->who)
        return fwh_problem(q, HTTP_UNAUTHORIZED, "problem.log_in", fw_null());
    for (unsigned bit = 1; bit <= FW_ROLE_AUDITOR; bit <<= 1) {
        if (q->actor.roles & bit)
            fw_add(roles, fw_text(fw_role_name((fw_role_e)bit)));
    }
    return fwh_page(q, "",
                    fw_pack(q->pool, "{s:s, s:s, s:s, s:o, s:s}", "login", q->actor.login, "name",
                            q->actor.name, "csrf", q->who->csrf, "roles", roles, "lang", q->lang));
}

const fw_err *fwh_do_language(fwh_req *q)
{
    const char *back = fwh_take(q, "back");

    if (fw_locale_has(q->desk->locale, q->arg[0]))
        fwh_cookie_set(q, "fwpermit_lang", q->arg[0], LANG_COOKIE_S);
    return fwh_redirect(q, is_local(back) ? back : "/", NULL);
}

/* ---- verification ---- */

const fw_err *fwh_do_verify(fwh_req *q)
{
    const char *no = q->arg[0] ? q->arg[0] : fwh_take(q, "no");
    const char *code = q->arg[0] ? q->arg[1] : fwh_take(q, "code");
    fw_show s = fwh_show(q);
    fw_value model = {0};

    FW_TRY(fw_show_verify(&s, no, code, &model));
    if (fw_is_true(fw_get(model, "asked")) && fw_get(model, "found").kind == FW_NULL)
        q->status = HTTP_NOT_FOUND;
    return fwh_page(q, "verify", model);
}
