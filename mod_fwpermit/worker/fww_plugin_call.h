#ifndef FWW_PLUGIN_CALL_H
#define FWW_PLUGIN_CALL_H

#include "fww_role.h"

#include "fwpermit_plugin.h"

/* The host's side of one call into a plugin. */

#define FWW_CALL_ALLOC_MAX 67108864u /* bytes that a plugin may take in one call */

/* What the sysadmin allows a plugin's HTTP. */
typedef struct fww_http_policy {
    bool allow_plain;      /* http beside https */
    const char *ca_file;   /* or NULL: the system's */
    const char *crl_file;  /* or NULL: nothing is revoked */
    const char *cert_file; /* our own, with its chain; or NULL: none is shown */
    const char *key_file;  /* of cert_file; NULL: it stands in cert_file */
    const char *proxy;     /* or NULL: none */
} fww_http_policy;

struct fwp_call {
    apr_pool_t *pool; /* the arena: lives as long as the call */
    const fww_role_env *env;
    const char *plugin; /* its name, for the log */
    const char *key;
    const fww_http_policy *http;
    int64_t due; /* monotonic milliseconds */
    size_t allocated;
    const apr_array_header_t *files; /* of fw_call_file: what came with the request; NULL: none */
    apr_array_header_t *written;     /* likewise: what goes back */
};

/* The clock of fwp_call.due. */
int64_t fww_call_clock_ms(void);

/* The table that plugins get. Static. */
const fwp_host *fww_call_host(void);

#endif
