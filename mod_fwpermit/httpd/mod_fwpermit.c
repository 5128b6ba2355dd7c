#include "fw_config.h"
#include "fwh.h"

#include <apr_strings.h>
#include <http_core.h>
#include <libxml/parser.h>

#include "fw_wait.h"

/* The module: hooks alone. */

#define TRY_EVERY apr_time_from_sec(1)

static fw_settings *site;
static const fwh_child *child; /* NULL: it could not begin */
static apr_pool_t *child_pool; /* of what `child` has */
static apr_thread_mutex_t *beginning;
static apr_time_t tried;

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

static void begin(server_rec *s)
{
    fwh_child *made = NULL;
    const fw_err *err;

    tried = fw_monotonic();
    apr_pool_create(&child_pool, NULL);
    err = fwh_child_make(&made, site, child_pool);
    if (!err) {
        __atomic_store_n(&child, made, __ATOMIC_RELEASE);
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "FWP0002: this process cannot serve: %s",
                 fw_err_text(err, child_pool));
    apr_pool_destroy(child_pool);
    child_pool = NULL;
}

static apr_status_t end(void *unused)
{
    (void)unused;
    if (child_pool)
        apr_pool_destroy(child_pool);
    child_pool = NULL;
    child = NULL;
    return APR_SUCCESS;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    child = NULL;
    child_pool = NULL;
    if (!site)
        return;
    xmlInitParser();
    json_object_seed(0);
    apr_thread_mutex_create(&beginning, APR_THREAD_MUTEX_DEFAULT, pchild);
    apr_pool_cleanup_register(pchild, NULL, end, apr_pool_cleanup_null);
    begin(s);
}

/* What could not begin (a full disk, a file that was being replaced) tries again while it is asked, and is not lost for its whole
 * life. */
static const fwh_child *the_child(server_rec *s)
{
    const fwh_child *c = __atomic_load_n(&child, __ATOMIC_ACQUIRE);

    if (c || !site)
        return c;
    apr_thread_mutex_lock(beginning);
    if (!child && fw_monotonic() - tried > TRY_EVERY)
        begin(s);
    c = child;
    apr_thread_mutex_unlock(beginning);
    return c;
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
    const fwh_child *c;

    if (!r->handler || strcmp(r->handler, "fwpermit") != 0)
        return DECLINED;
    c = the_child(r->server);
    return c ? fwh_serve(r, c) : HTTP_SERVICE_UNAVAILABLE;
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
