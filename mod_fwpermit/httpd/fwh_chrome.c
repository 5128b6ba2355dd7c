#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_random.h"

/* What every page has around its model: who is there, where one can go, tokens, notices. */

static const char *text(const fwh_req *q, const char *key)
{
    return fw_locale_text(q->desk->locale, q->lang, key);
}

static json_t *site_of(const fwh_req *q, const char *template)
{
    const fw_settings *s = q->desk->settings;
    bool english = strncmp(q->lang, "en", 2) == 0;
    json_t *o = json_pack("{s:s, s:b, s:s}", "agency", english ? s->agency_en : s->agency_zh,
                          "demo", s->demo, "v", q->child->assets_v);
    static const char *const demo[] = {"broker",     "employer", "reviewer1", "reviewer2",
                                       "dispatcher", "cashier",  "admin",     "auditor"};
    json_t *accounts;

    if (!s->demo || strcmp(template, "login") != 0)
        return o;
    accounts = json_array();
    for (size_t i = 0; i < sizeof(demo) / sizeof(demo[0]); i++)
        json_array_append_new(accounts,
                              json_pack("{s:s, s:s}", "login", demo[i], "who",
                                        text(q, apr_pstrcat(q->pool, "demo.", demo[i], NULL))));
    json_object_set_new(o, "demo_accounts", accounts);
    json_object_set_new(o, "demo_password", json_string("demo-permit-2026"));
    return o;
}

static json_t *org_name(const fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_org *org = NULL;

    if (!q->actor.org_id || fw_org_load(q->db, q->actor.org_id, &org, q->pool) != NULL)
        return json_null();
    return json_string(fw_show_org(&s, org->name_zh, org->name_en));
}

static json_t *me_of(const fwh_req *q)
{
    const fw_actor *a = &q->actor;
    json_t *roles, *o;

    if (!q->who)
        return json_null();
    roles = json_array();
    for (unsigned bit = 1; bit <= FW_ROLE_AUDITOR; bit <<= 1) {
        if (a->roles & bit)
            json_array_append_new(
                roles, json_string(text(
                           q, apr_pstrcat(q->pool, "role.", fw_role_name((fw_role_e)bit), NULL))));
    }
    o = json_pack("{s:s, s:s, s:o, s:b, s:b, s:b, s:b}", "name", a->name, "login", a->login,
                  "roles", roles, "is_applicant", (a->roles & FW_ROLES_APPLICANT) != 0,
                  "is_officer", (a->roles & FW_ROLES_OFFICER) != 0, "is_employer",
                  (a->roles & FW_ROLE_EMPLOYER) != 0, "is_agent", (a->roles & FW_ROLE_AGENT) != 0);
    json_object_set_new(o, "station", fw_show_string(a->station));
    json_object_set_new(o, "org", org_name(q));
    return o;
}

static json_t *nav_of(const fwh_req *q)
{
    static const struct {
        unsigned roles;
        const char *href, *key;
    } items[] = {{FW_ROLES_APPLICANT, "/cases", "nav.cases"},
                 {FW_ROLES_APPLICANT, "/workers", "nav.workers"},
                 {FW_ROLE_INITIAL | FW_ROLE_SECOND, "/desk", "nav.desk"},
                 {FW_ROLE_DISPATCHER, "/dispatch", "nav.dispatch"},
                 {FW_ROLE_CASHIER, "/receipts", "nav.receipts"},
                 {FW_ROLE_ADMIN, "/admin", "nav.admin"},
                 {FW_ROLE_AUDITOR, "/audit", "nav.audit"},
                 {FW_ROLES_OFFICER, "/search", "nav.search"}};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]) && q->who; i++) {
        if (q->actor.roles & items[i].roles)
            json_array_append_new(
                list,
                json_pack("{s:s, s:s, s:b}", "href", items[i].href, "label", text(q, items[i].key),
                          "current", strncmp(q->path, items[i].href, strlen(items[i].href)) == 0));
    }
    return list;
}

static json_t *other_of(const fwh_req *q)
{
    bool english = strncmp(q->lang, "en", 2) == 0;
    const char *back = q->path;

    if (q->r->method_number == M_GET && q->r->args)
        back = apr_pstrcat(q->pool, q->path, "?", q->r->args, NULL);
    return json_pack("{s:s, s:s, s:s}", "label", english ? "中文" : "English", "lang",
                     english ? "zh-Hant" : "en", "href",
                     apr_psprintf(q->pool, "/language/%s?back=%s", english ? "zh-Hant" : "en",
                                  ap_escape_urlencoded(q->pool, back)));
}

/* ?done=KEY shows the text notice.KEY, where there is one. */
static json_t *notice_of(const fwh_req *q)
{
    const char *done = json_string_value(json_object_get(q->fields, "done"));
    const char *key, *found;

    if (!done || q->r->method_number != M_GET || strlen(done) > 40)
        return json_null();
    key = apr_pstrcat(q->pool, "notice.", done, NULL);
    found = text(q, key);
    if (strcmp(found, key) == 0)
        return json_null();
    return json_pack("{s:s, s:s}", "tone",
                     strcmp(done, "change_password") == 0 ? "warning" : "success", "text", found);
}

void fwh_chrome(fwh_req *q, json_t *model, const char *template)
{
    const char *request = "";

    if (fw_code_draw(&request, 26, q->pool) != NULL)
        request = "";
    json_object_set_new(model, "site", site_of(q, template));
    json_object_set_new(model, "lang", json_string(q->lang));
    json_object_set_new(model, "other", other_of(q));
    json_object_set_new(model, "me", me_of(q));
    json_object_set_new(model, "nav", nav_of(q));
    json_object_set_new(model, "title",
                        json_string(text(q, apr_pstrcat(q->pool, "title.", template, NULL))));
    json_object_set_new(model, "csrf", json_string(q->who ? q->who->csrf : ""));
    json_object_set_new(model, "request", json_string(request));
    json_object_set_new(model, "notice", notice_of(q));
    json_object_set_new(model, "errors", q->errors ? q->errors : json_null());
    q->errors = NULL;
}
