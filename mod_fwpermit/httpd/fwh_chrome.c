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

static fw_value site_of(const fwh_req *q, const char *template)
{
    const fw_settings *s = q->desk->settings;
    bool english = strncmp(q->lang, "en", 2) == 0;
    fw_value o =
        fw_pack(q->pool, "{s:s, s:b, s:s}", "agency", english ? s->agency_en : s->agency_zh, "demo",
                s->demo, "v", q->child->assets_v);
    static const char *const demo[] = {"broker",     "employer", "reviewer1", "reviewer2",
                                       "dispatcher", "cashier",  "admin",     "auditor"};
    fw_value accounts;

    if (!s->demo || strcmp(template, "login") != 0)
        return o;
    accounts = fw_list(q->pool);
    for (size_t i = 0; i < sizeof(demo) / sizeof(demo[0]); i++)
        fw_add(accounts, fw_pack(q->pool, "{s:s, s:s}", "login", demo[i], "who",
                                 text(q, apr_pstrcat(q->pool, "demo.", demo[i], NULL))));
    fw_set(o, "demo_accounts", accounts);
    fw_set(o, "demo_password", fw_text("demo-permit-2026"));
    return o;
}

static fw_value org_name(const fwh_req *q)
{
    fw_show s = fwh_show(q);

    return q->who->org_zh ? fw_text(fw_show_org(&s, q->who->org_zh, q->who->org_en)) : fw_null();
}

static fw_value me_of(const fwh_req *q)
{
    const fw_actor *a = &q->actor;
    fw_value roles, o;

    if (!q->who)
        return fw_null();
    roles = fw_list(q->pool);
    for (unsigned bit = 1; bit <= FW_ROLE_AUDITOR; bit <<= 1) {
        if (a->roles & bit)
            fw_add(roles, fw_text(text(q, apr_pstrcat(q->pool, "role.",
                                                      fw_role_name((fw_role_e)bit), NULL))));
    }
    o = fw_pack(q->pool, "{s:s, s:s, s:o, s:b, s:b, s:b, s:b}", "name", a->name, "login", a->login,
                "roles", roles, "is_applicant", (a->roles & FW_ROLES_APPLICANT) != 0, "is_officer",
                (a->roles & FW_ROLES_OFFICER) != 0, "is_employer",
                (a->roles & FW_ROLE_EMPLOYER) != 0, "is_agent", (a->roles & FW_ROLE_AGENT) != 0);
    fw_set(o, "station", fw_text(a->station));
    fw_set(o, "org", org_name(q));
    return o;
}

static fw_value nav_of(const fwh_req *q)
{
    static const struct {
        unsigned roles;
        const char *href, *key;
    } items[] = {{FW_ROLES_APPLICANT, "/cases", "nav.cases"},
                 {FW_ROLES_APPLICANT, "/workers", "nav.workers"},
                 {FW_ROLE_INITIAL | FW_ROLE_SECOND, "/desk", "nav.desk"},
                 {FW_ROLE_INITIAL | FW_ROLE_SECOND, "/handout", "nav.handout"},
                 {FW_ROLE_INITIAL | FW_ROLE_SECOND | FW_ROLE_DISPATCHER, "/cards", "nav.cards"},
                 {FW_ROLE_DISPATCHER, "/dispatch", "nav.dispatch"},
                 {FW_ROLE_DISPATCHER, "/arrivals", "nav.arrivals"},
                 {FW_ROLE_CASHIER, "/receipts", "nav.receipts"},
                 {FW_ROLE_CASHIER, "/refunds", "nav.refunds"},
                 {FW_ROLE_CASHIER, "/settlements", "nav.settlements"},
                 {FW_ROLE_ADMIN, "/admin", "nav.admin"},
                 {FW_ROLE_AUDITOR, "/audit", "nav.audit"},
                 {FW_ROLES_OFFICER, "/search", "nav.search"}};
    fw_value list = fw_list(q->pool);

    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]) && q->who; i++) {
        if (q->actor.roles & items[i].roles)
            fw_add(list, fw_pack(q->pool, "{s:s, s:s, s:b}", "href", items[i].href, "label",
                                 text(q, items[i].key), "current",
                                 strncmp(q->path, items[i].href, strlen(items[i].href)) == 0));
    }
    return list;
}

static fw_value other_of(const fwh_req *q)
{
    bool english = strncmp(q->lang, "en", 2) == 0;
    const char *back = q->path;

    if (q->r->method_number == M_GET && q->r->args)
        back = apr_pstrcat(q->pool, q->path, "?", q->r->args, NULL);
    return fw_pack(q->pool, "{s:s, s:s, s:s}", "label", english ? "中文" : "English", "lang",
                   english ? "zh-Hant" : "en", "href",
                   apr_psprintf(q->pool, "/language/%s?back=%s", english ? "zh-Hant" : "en",
                                ap_escape_urlencoded(q->pool, back)));
}

/* ?done=KEY shows the text notice.KEY, where there is one. */
static fw_value notice_of(const fwh_req *q)
{
    const char *done = json_string_value(json_object_get(q->fields, "done"));
    const char *key, *found;

    if (!done || q->r->method_number != M_GET || strlen(done) > 40)
        return fw_null();
    key = apr_pstrcat(q->pool, "notice.", done, NULL);
    found = text(q, key);
    if (strcmp(found, key) == 0)
        return fw_null();
    return fw_pack(q->pool, "{s:s, s:s}", "tone",
                   strcmp(done, "change_password") == 0 ? "warning" : "success", "text", found);
}

void fwh_chrome(fwh_req *q, fw_value model, const char *template)
{
    const char *request = "";

    if (fw_code_draw(&request, 26, q->pool) != NULL)
        request = "";
    fw_set(model, "site", site_of(q, template));
    fw_set(model, "lang", fw_text(q->lang));
    fw_set(model, "other", other_of(q));
    fw_set(model, "me", me_of(q));
    fw_set(model, "nav", nav_of(q));
    fw_set(model, "title", fw_text(text(q, apr_pstrcat(q->pool, "title.", template, NULL))));
    fw_set(model, "csrf", fw_text(q->who ? q->who->csrf : ""));
    fw_set(model, "request", fw_text(request));
    fw_set(model, "notice", notice_of(q));
    fw_set(model, "errors", fw_is(q->errors) ? q->errors : fw_null());
    q->errors = fw_kind(FW_ABSENT);
}
