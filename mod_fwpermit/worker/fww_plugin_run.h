#ifndef FWW_PLUGIN_RUN_H
#define FWW_PLUGIN_RUN_H

#include "fww_plugin_call.h"
#include "fww_plugin_load.h"

#include "fw_schema.h"

/* One plugin, loaded, and its operations: run and judged, in whatever process that is. One thread. */

/* Named limits of a plugin process. */
#define FWW_PLUGIN_DEADLINE_MS 30000 /* when neither the settings nor the request say */
#define FWW_PLUGIN_GRACE_MS    2000  /* after the deadline, before the process is ended */
#define FWW_PLUGIN_NAME_MAX    32    /* bytes */

/* The reason of "ok" to "health" by a plugin that has no such operation: it means nothing. */
#define FWW_HEALTH_UNKNOWN "the plugin cannot say"
#define FWW_UNSUPPORTED    "the plugin does not support this operation"

/* Zeroed, with `env`, before fww_plugin_read(). */
typedef struct fww_plugin_host {
    const fww_role_env *env;
    const char *name;
    int deadline_ms, grace_ms;
    int memory_mb;
    fww_http_policy http;
    apr_array_header_t *config; /* of fwp_kv */
    fww_loaded loaded;
    fw_schema *port, *common; /* contracts: of the port; of what belongs to none */
    fwp_instance *self;       /* NULL: there is none */
    const char *broken;       /* why every request is answered "misconfigured"; NULL: all is well */
} fww_plugin_host;

/* What is asked: a frame as fww_plugin.h says, with what came beside it. */
typedef struct fww_question {
    json_t *frame;
    const char *blob;
    size_t n_blob;
    const apr_array_header_t *files; /* of fw_call_file, proved; NULL: none */
    apr_array_header_t *written;     /* out: sealed, as the answer's reply.files names them */
} fww_question;

/* Reads the settings of env->settings. FW_E_CONFIG: one is wrong. */
const fw_err *fww_plugin_read(fww_plugin_host *h);

/* Loads the plugin and the contracts that it is held to (env->site->contracts_dir), without making its instance.
 * FW_E_CONFIG: one of them cannot be. Once for each process and plugin: nothing is unloaded. */
const fw_err *fww_plugin_open(fww_plugin_host *h);

/* Makes the instance. FW_E_CONFIG with the plugin's reason; *again: a later start may mend it. */
const fw_err *fww_plugin_create(fww_plugin_host *h, bool *again);

/* Ends the instance; fww_plugin_create() may make another. */
void fww_plugin_destroy(fww_plugin_host *h);

/* Runs what the frame asks and holds request and answer to the contract. Never NULL: a frame {rc, reason,
 * retry_after_ms, reply} (json_decref). A call that passes its deadline by the grace period ends the process by
 * SIGALRM; a plugin that crashes ends it, too. */
json_t *fww_plugin_perform(fww_plugin_host *h, fww_question *q, apr_pool_t *pool);

/* As the answer's "rc" has it; NULL: no such value. */
const char *fww_rc_name(fwp_rc rc);

#endif
