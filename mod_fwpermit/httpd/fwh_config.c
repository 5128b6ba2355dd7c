#include "fw_config.h"
#include "fwh.h"

#include <apr_strings.h>

/* Directives: core's one table, said to httpd. */

void *fwh_config_create(apr_pool_t *pool, server_rec *s)
{
    return fw_settings_make(pool);
}

void *fwh_config_merge(apr_pool_t *pool, void *base, void *over)
{
    return fw_settings_merge(base, over, pool);
}

fw_settings *fwh_settings(server_rec *s)
{
    return ap_get_module_config(s->module_config, &fwpermit_module);
}

static const char *take_directive(cmd_parms *cmd, void *dir, const char *value)
{
    int n;
    const fw_directive *d = fw_directives(&n) + (intptr_t)cmd->info;

    return fw_settings_take(fwh_settings(cmd->server), d, value, cmd->pool);
}

static const char *take_plugin(cmd_parms *cmd, void *dir, const char *name, const char *port,
                               const char *path)
{
    return fw_settings_plugin(fwh_settings(cmd->server), name, port, path, cmd->pool);
}

static const char *take_option(cmd_parms *cmd, void *dir, const char *name, const char *key,
                               const char *value)
{
    return fw_settings_plugin_option(fwh_settings(cmd->server), cmd->info != NULL, name, key, value,
                                     cmd->pool);
}

const command_rec fwh_directives[] = {
#define X(member, name, type, otherwise, min, max, help) \
    AP_INIT_TAKE1(name, take_directive, (void *)(intptr_t)FW_AT_##member, RSRC_CONF, help),
    FW_DIRECTIVES(X)
#undef X
        AP_INIT_TAKE3("FwPermitPlugin", take_plugin, NULL, RSRC_CONF,
                      "a plugin: its name, its port, its file"),
    AP_INIT_TAKE3("FwPermitPluginOption", take_option, NULL, RSRC_CONF,
                  "a plugin's setting: its name, a key, a value"),
    AP_INIT_TAKE3("FwPermitPluginSecret", take_option, (void *)1, RSRC_CONF,
                  "a plugin's secret: its name, a key, the file that holds it"),
    {NULL}};

const char *fwh_site(server_rec *main_server, fw_settings **out, apr_pool_t *pool)
{
    *out = NULL;
    for (server_rec *s = main_server; s; s = s->next) {
        fw_settings *mine = fwh_settings(s);
        const char *why;

        if (!mine->enabled)
            continue;
        why = fw_settings_check(mine, pool);
        if (why)
            return why;
        if (*out && (strcmp(mine->db_params, (*out)->db_params) != 0 ||
                     strcmp(mine->run_dir, (*out)->run_dir) != 0 ||
                     strcmp(mine->base_url, (*out)->base_url) != 0))
            return "two virtual hosts have FwPermit On with different settings: there is one "
                   "platform for each httpd";
        *out = mine;
    }
    return NULL;
}
