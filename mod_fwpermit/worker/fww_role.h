#ifndef FWW_ROLE_H
#define FWW_ROLE_H

#include "fw_config.h"

#include <signal.h>

#include <jansson.h>

/* What a role of fwpermit-worker gets from its main program. */
typedef struct fww_role_env fww_role_env;
struct fww_role_env {
    apr_pool_t *pool;                              /* lives as long as the process */
    const char *run_dir;                           /* sockets of the roles; 0700 */
    json_t *settings;                              /* the role's own */
    volatile sig_atomic_t *stop;                   /* set by SIGTERM: end soon */
    void (*log)(int level, const char *fmt, ...); /* APLOG levels: 3 error to 7 debug */
};

#endif
