#ifndef FWC_H
#define FWC_H

#include "fw_perform.h"

/* fwpermitctl: what its commands share. */

/* Exit codes; docs/sysadmins/ctl.md lists them. */
typedef enum fwc_exit_e {
    FWC_DONE = 0,
    FWC_REFUSED =
        1, /* not so, or not possible: a chain that is not whole, a fault found, a login taken */
    FWC_USAGE = 2,
    FWC_CONFIG = 3,  /* a file or a directive */
    FWC_AWAY = 4,    /* something is away or busy: try again */
    FWC_FAULT = 5,   /* ours, or bytes that are corrupt */
    FWC_VERDICT = 10 /* `verify`: 10 and the verdict's number */
} fwc_exit_e;

typedef struct fwc fwc;

/* What a command needs before it runs. */
typedef enum fwc_need_e {
    FWC_NOTHING,
    FWC_SETTINGS, /* the directives, as the user who called */
    FWC_DESK,     /* desk and connection, as the user who owns the vault */
    FWC_VAULT     /* and the master keys */
} fwc_need_e;

typedef struct fwc_command {
    const char *group; /* "account" */
    const char *verb;  /* "create"; NULL: the group alone is the command */
    const fw_err *(*run)(fwc *c);
    fwc_need_e need;
    int least, most;     /* words */
    const char *words;   /* "LOGIN" */
    const char *options; /* "name: generate": with a colon it takes a value */
    const char *what;    /* one line */
    const char *more;    /* of `help COMMAND`, or NULL */
} fwc_command;

struct fwc {
    apr_pool_t *pool;
    const char *conf; /* the file with the directives */
    fw_settings *settings;
    fw_desk *desk;
    fw_db *db;
    fw_actor actor;
    const fwc_command *command;
    const char **words;
    int n_words;
    apr_table_t *options;
    fwc_exit_e rc; /* where a command ends well and has found something */
};

/* Of the command line; NULL: not given. */
const char *fwc_option(const fwc *c, const char *name);
/* A number within bounds; `otherwise` where it is not given. */
const fw_err *fwc_option_number(const fwc *c, const char *name, int otherwise, int max, int *out);
/* "deadletter drop ID [--why VALUE]" */
const char *fwc_usage(const fwc_command *command, apr_pool_t *pool);
/* Reads the words and options of the command in argv, after its name. */
const fw_err *fwc_read_args(fwc *c, int argc, const char *const *argv);

/* One line on standard output, by printf's rules of APR. */
void fwc_say(const fwc *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads the directives; then, where asked, becomes the user who owns the vault, so that no file of root's lies among
 * the server's, and opens the desk. */
const fw_err *fwc_open(fwc *c, fwc_need_e need);
/* Gives root's rights up for those of the owner of `path`; nothing for who is not root. */
const fw_err *fwc_become_owner(const char *path, apr_pool_t *pool);

/* Whether a server works on these settings: its signer answers. */
bool fwc_server_runs(const fwc *c);
/* Goes on in two processes: `*child` is true in the one that may give root's rights up; the other one has waited for its end
 * then, with its exit code in c->rc. */
const fw_err *fwc_fork(fwc *c, bool *child);

/* Performs; a refusal is an error whose text is the catalogue's English. */
const fw_err *fwc_perform(fwc *c, const fw_command *cmd, fw_result *result);

/* A decimal identity; FW_E_INPUT names `what`. */
const fw_err *fwc_id(const char *text, const char *what, fw_id *out, apr_pool_t *pool);
/* By its identity or its business number. */
const fw_err *fwc_org(fwc *c, const char *text, fw_org **out);

/* From --generate (then it is printed), a prompt without echo, or the first line of standard input. */
const fw_err *fwc_password(fwc *c, const char *login, const char **out);

/* Whole files. Writing: to a new file beside it, fsynced, then in its place; `replace` false: FW_E_CONFLICT where one is. */
const fw_err *fwc_read_file(const char **text, const char *path, apr_pool_t *pool);
const fw_err *fwc_write_file(const char *path, const char *text, int mode, bool replace,
                             apr_pool_t *pool);

/* The commands. */
const fw_err *fwc_migrate(fwc *c);
const fw_err *fwc_lifecycle(fwc *c);
const fw_err *fwc_account_create(fwc *c);
const fw_err *fwc_account_list(fwc *c);
const fw_err *fwc_account_show(fwc *c);
const fw_err *fwc_account_unlock(fwc *c);
const fw_err *fwc_account_disable(fwc *c);
const fw_err *fwc_account_enable(fwc *c);
const fw_err *fwc_account_password(fwc *c);
const fw_err *fwc_org_create(fwc *c);
const fw_err *fwc_org_list(fwc *c);
const fw_err *fwc_delegation_grant(fwc *c);
const fw_err *fwc_delegation_revoke(fwc *c);
const fw_err *fwc_delegation_list(fwc *c);
const fw_err *fwc_audit_verify(fwc *c);
const fw_err *fwc_audit_list(fwc *c);
const fw_err *fwc_backup(fwc *c);
const fw_err *fwc_restore(fwc *c);
const fw_err *fwc_key_init(fwc *c);
const fw_err *fwc_key_prepare(fwc *c);
const fw_err *fwc_key_rotate(fwc *c);
const fw_err *fwc_key_rewrap(fwc *c);
const fw_err *fwc_key_rotate_signing(fwc *c);
const fw_err *fwc_doctor_all(fwc *c);
const fw_err *fwc_demo(fwc *c);

#endif
