#ifndef FWW_PLUGIN_LOAD_H
#define FWW_PLUGIN_LOAD_H

#include "fw_err.h"

#include "fwpermit_plugin.h"

#define FWW_OPS_MAX 8 /* slots of the port with the most, with room */

/* A loaded plugin: our own copies of its structs. */
typedef struct fww_loaded {
    fwp_plugin plugin; /* what the file does not have reads as NULL */
    struct {
        const char *name; /* "payment.begin" */
        fwp_op run;       /* NULL: not supported */
    } ops[FWW_OPS_MAX];
    int n_ops;
} fww_loaded;

/* Loads the plugin at `path`. The file lies directly in `dir`; neither is writable by group or others, the file is
 * owned by root or by the process's own user; the major number of the interface is equal; the port is
 * one that is known. It is never unloaded. Once for each process, from its only thread.
 * FW_E_CONFIG: any of that is not so; the message names the file and the reason. */
const fw_err *fww_plugin_load(fww_loaded *out, const char *dir, const char *path, apr_pool_t *pool);

#endif
