#include "fw_config.h"
#include "fww_monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fwpermit_plugin.h"

#define OP          "monitor.report"
#define DEADLINE_MS 5000

static const fw_err *tell(fww_turn *t, const char *plugin, const json_t *snapshot)
{
    fww_ask ask = {.op = OP, .key = "", .deadline_ms = DEADLINE_MS};
    fww_answer answer;
    const json_t *page;

    ask.request = json_copy((json_t *)(uintptr_t)snapshot);
    fww_port_ask(t, plugin, &ask, &answer);
    page = answer.rc == FWP_OK ? json_object_get(answer.reply, "page") : NULL;
    if (!page)
        return NULL;
    return fw_json_save(apr_pstrcat(t->pool, t->pump->desk->run_dir, "/metrics.json", NULL), page,
                        t->pool);
}

const fw_err *fww_monitor_tell(fww_turn *t, const json_t *snapshot)
{
    const apr_array_header_t *plugins = t->pump->env->site->plugins;

    for (int i = 0; i < plugins->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(plugins, i, fw_plugin_conf);

        if (strcmp(p->port, FWP_PORT_MONITOR) == 0 && !fww_port_rests(t->pump, p->name)) {
            fww_port_await(t->pump, p->name, t->pool);
            FW_TRY(tell(t, p->name, snapshot));
        }
    }
    return NULL;
}
