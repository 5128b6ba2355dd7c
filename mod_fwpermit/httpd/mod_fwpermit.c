#include "fw_config.h"
#include "fwh.h"

#include <apr_strings.h>
#include <http_core.h>
#include <libxml/parser.h>

/* The module: hooks alone. */

static fw_settings *site;
static fwh_child *child;

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const char *why;

    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    site = NULL;
    why = fwh_site(s, &site, pconf);
    if (!why)
        why = fwh_routes_check(ptemp);
    if (why) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "FWP0001: %s", why);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!site)
        return OK;
    if (!fwh_probe(site, pconf, s))
        return HTTP_INTERNAL_SERVER_ERROR;
    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST)
        fwh_workers_start(site, s, pconf);
    ap_add_version_component(pconf, "fwpermit/" FW_VERSION);
    return OK;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    const fw_err *err;

    child = NULL;
    if (!site)
        return;
    xmlInitParser();
    json_object_seed(0);
    err = fwh_child_make(&child, site, pchild);
    if (!err)
        return;
    child = NULL;
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "FWP0002: this process cannot serve: %s",
                 fw_err_text(err, pchild));
}

/* Everything but assets (and what other modules have claimed) is ours. */
static int translate(request_rec *r)
{
    if (!fwh_settings(r->server)->enabled || strncmp(r->uri, "/assets/", 8) == 0)
        return DECLINED;
    r->handler = "fwpermit";
    r->filename = apr_pstrdup(r->pool, "fwpermit");
    return OK;
}

static int map_to_storage(request_rec *r)
{
    return r->handler && strcmp(r->handler, "fwpermit") == 0 ? OK : DECLINED;
}

static int handle(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, "fwpermit") != 0)
        return DECLINED;
    if (!child)
        return HTTP_SERVICE_UNAVAILABLE;
    return fwh_serve(r, child);
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const after[] = {"mod_alias.c", "mod_rewrite.c", NULL};

    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_LAST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(translate, after, NULL, APR_HOOK_LAST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(fwpermit) = {
    STANDARD20_MODULE_STUFF, NULL,           NULL,           fwh_config_create,
    fwh_config_merge,        fwh_directives, register_hooks, 0};
