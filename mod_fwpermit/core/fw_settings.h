#ifndef FW_SETTINGS_H
#define FW_SETTINGS_H

#include <jansson.h>

#include "fw_err.h"

/* The directives as one table: httpd registers them from it, fwpermitctl reads the same file by it, the workers get
 * them as JSON, and docs/sysadmins/directives.md is held against it. */

typedef struct fw_plugin_conf {
    const char *name; /* [a-z0-9_-]{1,32} */
    const char *port;
    const char *path; /* of the .so */
    json_t *options;  /* name → text */
    json_t *secrets;  /* name → file that holds the bytes */
} fw_plugin_conf;

typedef struct fw_settings {
    int enabled;
    const char *base_url;
    const char *conf_dir, *services_dir, *pages_dir, *assets_dir, *locale_dir, *sql_dir;
    const char *worker, *plugin_dir;
    const char *run_dir, *vault_dir, *vault_keys, *keys_dir, *anchor;
    const char *db_driver, *db_params;
    int db_max, db_acquire_ms, db_statement_ms;
    int upload_max, form_max;
    int session_idle_min, session_max_min;
    int login_failures, login_lock_min, login_lane, login_per_min;
    int cookie_secure, demo;
    const char *agency_zh, *agency_en;
    apr_array_header_t *plugins; /* fw_plugin_conf */
    uint64_t set[2];             /* which rows of the table were given */
} fw_settings;

typedef enum fw_setting_e { FW_SET_TEXT, FW_SET_PATH, FW_SET_INT, FW_SET_FLAG } fw_setting_e;

typedef struct fw_directive {
    const char *name;
    fw_setting_e type;
    size_t offset;
    const char *otherwise; /* the default, as it would be written; NULL: must be given */
    int min, max;          /* of a number */
    const char *help;      /* one line */
} fw_directive;

const fw_directive *fw_directives(int *n);

/* Fresh settings: all defaults. */
fw_settings *fw_settings_make(apr_pool_t *pool);

/* Takes one directive of the table. NULL, or why not (for a message). Paths must be absolute. */
const char *fw_settings_take(fw_settings *s, const fw_directive *d, const char *value,
                             apr_pool_t *pool);
const char *fw_settings_plugin(fw_settings *s, const char *name, const char *port, const char *path,
                               apr_pool_t *pool);
/* `secret`: the value is a file's path. */
const char *fw_settings_plugin_option(fw_settings *s, bool secret, const char *name,
                                      const char *key, const char *value, apr_pool_t *pool);

/* What `over` does not give it has from `base` (a virtual host in its server). */
fw_settings *fw_settings_merge(const fw_settings *base, const fw_settings *over, apr_pool_t *pool);

/* NULL, or which directive is missing or which ones do not go together. */
const char *fw_settings_check(const fw_settings *s, apr_pool_t *pool);

/* Reads the FwPermit directives of an httpd configuration file; others are passed over. FW_E_CONFIG names file, line
 * and reason. */
const fw_err *fw_settings_read(fw_settings **out, const char *file, apr_pool_t *pool);

/* For the workers. */
json_t *fw_settings_json(const fw_settings *s);
fw_settings *fw_settings_from_json(const json_t *o, apr_pool_t *pool);

#endif
