#ifndef FWW_ROLE_H
#define FWW_ROLE_H

#include "fw_settings.h"

#include <signal.h>

#include <jansson.h>

/* `fwpermit-worker ROLE [NAME]`: what starts it gives one JSON object on file descriptor 3, read to its end:
 *
 *   every directive     as fw_settings_json() writes it ("FwPermitRunDir": "/run/fwpermit", …)
 *   "plugins"           likewise: the pump learns from it which plugin serves which port
 *   "role_settings"     the role's own, see below; may be missing
 *   "uid", "gid"        numbers: who the process is to be; missing: it stays who it is
 *   "user"              a name: whose further groups it gets; missing: none
 *   "parent"            a number: the process whose end ends this one; missing: none
 *   "vault_keys_text"   the text of the file FwPermitVaultKeys: pump alone
 *   "log_level"         3 error, 4 warning, 5 notice, 6 info (where missing), 7 debug
 *
 * role_settings, by role:
 *   pictures  {} or what fww_pictures.h says
 *   plugin    {"name", "path", "dir", "options": {key: text}, "secrets": {key: the bytes themselves}};
 *             NAME on the command line is the same name, for whoever lists processes
 *   signer    {"keys": {"permit": {"key": FILE, "cert": FILE, …}, "receipt": …}, "ca": [FILE]}: fw_signing_files();
 *             the files are read before the rights are given up, so they may be root's alone
 *   pump      {} or {"node": "name of this machine among several"}
 *   sealer    {} or {"node": …}
 *
 * The run directory exists, belongs to that user and has mode 0700. Standard error is the log: one line each,
 * "fwpermit-worker ROLE[ NAME] [pid] level: text". SIGTERM and SIGINT end the process soon, with 0; any other
 * code is a failure after which it may be started again. HUP, USR1 and PIPE do nothing. */

/* What a role gets from the main program. */
typedef struct fww_role_env fww_role_env;
struct fww_role_env {
    apr_pool_t *pool;            /* lives as long as the process */
    const char *run_dir;         /* sockets of the roles; 0700 */
    json_t *settings;            /* the role's own */
    volatile sig_atomic_t *stop; /* set by SIGTERM: end soon */
    void (*log)(int level, const char *fmt,
                ...);        /* APLOG levels: 3 error to 7 debug; thread-safe */
    const fw_settings *site; /* the directives; vault_keys_text where it came */
    /* Gives up root's rights; false, logged: it could not, and the role must end. Called already, and NULL here,
     * for every role but the signer. */
    bool (*drop)(const fww_role_env *env);
};

#endif
