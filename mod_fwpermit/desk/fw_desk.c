#include "fw_config.h"
#include "fw_desk.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_file.h"
#include "fw_migrate.h"
#include "fw_store_service.h"

#define KEYS_MAX_BYTES 8192
#define FORM_MAX_BYTES 524288

static const fw_err *open_vault(fw_desk *desk, apr_pool_t *pool)
{
    const fw_settings *s = desk->settings;
    fw_vault_key *keys = NULL;
    char *text = NULL;
    int n_keys = 0;

    if (!s->vault_keys_text)
        FW_TRY(fw_file_read(&text, NULL, s->vault_keys, KEYS_MAX_BYTES, pool));
    FW_TRY(
        fw_vault_keys_parse(&keys, &n_keys, text ? text : s->vault_keys_text, s->vault_keys, pool));
    return fw_vault_open(&desk->vault, s->vault_dir, keys, n_keys, pool);
}

static const fw_err *open_conf(fw_desk *desk, apr_pool_t *pool)
{
    const char *dir = desk->settings->conf_dir;
    const char *form = apr_pstrcat(pool, dir, "/worker.xml", NULL);
    fw_locale *locale = NULL;
    apr_size_t n = 0;
    char *text = NULL;

    FW_TRY(fw_codes_load(&desk->codes, apr_pstrcat(pool, dir, "/codes", NULL), pool));
    FW_TRY(fw_calendar_load(&desk->calendar, apr_pstrcat(pool, dir, "/calendar", NULL), pool));
    FW_TRY(fw_rules_load(&desk->rules, apr_pstrcat(pool, dir, "/rules.json", NULL), pool));
    FW_TRY(fw_services_load(&desk->services, desk->settings->services_dir,
                            apr_pstrcat(pool, dir, "/services/service.rng", NULL), pool));
    FW_TRY(fw_locale_load(&locale, desk->settings->locale_dir, pool));
    desk->locale = locale;
    FW_TRY(fw_file_read(&text, &n, form, FORM_MAX_BYTES, pool));
    return fw_service_parse(desk->services, &desk->worker_form, text, n, form, pool);
}

static const char *plugin_of_port(const fw_settings *s, const char *port)
{
    for (int i = 0; i < s->plugins->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(s->plugins, i, fw_plugin_conf);

        if (strcmp(p->port, port) == 0)
            return p->name;
    }
    return NULL;
}

const fw_err *fw_desk_open(fw_desk **out, const fw_settings *settings, bool with_vault,
                           apr_pool_t *pool)
{
    fw_desk *desk = apr_pcalloc(pool, sizeof(*desk));
    fw_db_config config = {.driver = settings->db_driver,
                           .max = settings->db_max,
                           .acquire_ms = settings->db_acquire_ms,
                           .statement_ms = settings->db_statement_ms};

    desk->settings = settings;
    desk->run_dir = settings->run_dir;
    desk->base_url = settings->base_url;
    desk->payment_plugin = plugin_of_port(settings, "payment");
    desk->notify_plugin = plugin_of_port(settings, "notify");
    desk->border_plugin = plugin_of_port(settings, "border");
    desk->penalty_plugin = plugin_of_port(settings, "penalty");
    desk->labour_plugin = plugin_of_port(settings, "labour");
    desk->scan_plugin = plugin_of_port(settings, "scan");
    desk->now = apr_time_now;
    FW_TRY(fw_settings_database(settings, &config.params, pool));
    FW_TRY(fw_sql_load(&desk->sql, apr_pstrcat(pool, settings->sql_dir, "/queries", NULL), pool));
    FW_TRY(fw_db_pool_open(&desk->dbs, &config, desk->sql, pool));
    FW_TRY(open_conf(desk, pool));
    if (with_vault)
        FW_TRY(open_vault(desk, pool));
    *out = desk;
    return NULL;
}

static const fw_err *keep_services(const fw_desk *desk, fw_db *db, apr_pool_t *pool)
{
    for (int i = 0; i < fw_services_count(desk->services); i++) {
        const fw_service *s = fw_services_at(desk->services, i);

        FW_TRY(fw_service_keep(db, s->hash, s->code, s->xml, desk->now(), pool));
    }
    return NULL;
}

/* On PostgreSQL the database is whole before all else has been looked at. */
static const fw_err *check_restored(const fw_desk *desk, apr_pool_t *pool)
{
    const char *mark = apr_pstrcat(pool, desk->settings->vault_dir, "/" FW_VAULT_RESTORING, NULL);

    return access(mark, F_OK) == 0
               ? FW_ERR(pool, FW_E_CONFIG, 0,
                        "%s is there: restoring was broken off; run `fwpermitctl restore` again",
                        mark)
               : NULL;
}

const fw_err *fw_desk_check(const fw_desk *desk, apr_pool_t *pool)
{
    const char *dir = apr_pstrcat(pool, desk->settings->sql_dir, "/schema", NULL);
    fw_db *db = NULL;
    int has = 0, wants = 0;
    const fw_err *err;

    FW_TRY(check_restored(desk, pool));
    FW_TRY(fw_db_acquire(&db, desk->dbs, pool));
    FW_TRY(fw_migrate_current(&has, db, pool));
    FW_TRY(fw_migrate_newest(&wants, dir, pool));
    if (has != wants)
        return FW_ERR(pool, FW_E_CONFIG, 0,
                      "the database has schema %d, this build wants %d: run fwpermitctl migrate",
                      has, wants);
    err = keep_services(desk, db, pool);
    fw_db_release(db);
    return err;
}

const fw_err *fw_desk_service(const fw_desk *desk, fw_db *db, const char *code, const char *hash,
                              const fw_service **out, apr_pool_t *pool)
{
    const char *xml = NULL;

    *out = fw_services_by_hash(desk->services, hash);
    if (*out)
        return NULL;
    FW_TRY(fw_service_stored(db, hash, &xml, pool));
    if (!xml)
        return FW_ERR(pool, FW_E_CORRUPT, 0, "no version of service %s is kept by that hash", code);
    return fw_service_parse(desk->services, out, xml, strlen(xml), code, pool);
}

bool fw_desk_offers(const fw_desk *desk, const fw_service *service)
{
    return !service->needs || fw_settings_plugin_of(desk->settings, service->needs);
}

fw_form_env fw_desk_form_env(const fw_desk *desk, apr_time_t now, apr_pool_t *pool)
{
    fw_form_env env = {desk->codes, fw_date_of(now), pool};

    return env;
}
