#ifndef FW_SETTINGS_H
#define FW_SETTINGS_H

#include <jansson.h>

#include "fw_err.h"

#define FW_SHARE_DIR "/usr/share/fwpermit"
#define FW_STATE_DIR "/var/lib/fwpermit"

/* The directives as one table: httpd registers them from it, fwpermitctl reads the same file by it, the workers get
 * them as JSON, and docs/sysadmins/directives.md is held against it.
 * X(member, name, type, default or NULL: must be given, least, most, help) */
#define FW_DIRECTIVES(X)                                                                          \
    X(enabled, "FwPermit", FLAG, "Off", 0, 1, "serve the platform in this server")                \
    X(base_url, "FwPermitBaseURL", TEXT, NULL, 0, 0,                                              \
      "the address that people and gateways use, without a slash at the end")                     \
    X(conf_dir, "FwPermitConf", PATH, FW_SHARE_DIR "/conf", 0, 0,                                 \
      "folder of code tables, calendar and rules")                                                \
    X(services_dir, "FwPermitServices", PATH, FW_SHARE_DIR "/conf/services", 0, 0,                \
      "folder of the services' XML files")                                                        \
    X(pages_dir, "FwPermitPages", PATH, FW_SHARE_DIR "/pages", 0, 0, "folder of the templates")   \
    X(assets_dir, "FwPermitAssets", PATH, FW_SHARE_DIR "/assets", 0, 0,                           \
      "folder of styles and scripts")                                                             \
    X(locale_dir, "FwPermitLocale", PATH, FW_SHARE_DIR "/locale", 0, 0,                           \
      "folder of the message catalogues")                                                         \
    X(sql_dir, "FwPermitSQL", PATH, FW_SHARE_DIR "/sql", 0, 0, "folder of schema and statements") \
    X(worker, "FwPermitWorker", PATH, "/usr/lib/fwpermit/fwpermit-worker", 0, 0,                  \
      "the program of the background processes")                                                  \
    X(plugin_dir, "FwPermitPluginDir", PATH, "/usr/lib/fwpermit/plugins", 0, 0,                   \
      "the folder that plugins are loaded from")                                                  \
    X(run_dir, "FwPermitRunDir", PATH, "/run/fwpermit", 0, 0,                                     \
      "folder of the sockets, made at start")                                                     \
    X(vault_dir, "FwPermitVault", PATH, FW_STATE_DIR "/vault", 0, 0,                              \
      "folder of the encrypted documents")                                                        \
    X(vault_keys, "FwPermitVaultKeys", PATH, "/etc/fwpermit/vault.keys", 0, 0,                    \
      "file of the master keys")                                                                  \
    X(keys_dir, "FwPermitKeys", PATH, "/etc/fwpermit/keys", 0, 0,                                 \
      "folder of the signing keys, read by the signer alone")                                     \
    X(anchor, "FwPermitAnchor", PATH, FW_STATE_DIR "/anchor", 0, 0,                               \
      "file outside of the database that notes each audit seal")                                  \
    X(journal_dir, "FwPermitJournal", PATH, FW_STATE_DIR "/journal", 0, 0,                        \
      "folder of the journals of reads, on a disk that outlives a crash")                         \
    X(journal_ms, "FwPermitJournalSync", INT, "100", 0, 10000,                                    \
      "milliseconds until a journal's line is safe on disk; 0: the page waits for it")            \
    X(public_dir, "FwPermitPublic", PATH, FW_STATE_DIR "/public", 0, 0,                           \
      "folder of what anyone may fetch: trust list, revocation list, verifier")                   \
    X(contracts_dir, "FwPermitContracts", PATH, FW_SHARE_DIR "/contracts", 0, 0,                  \
      "folder of the JSON Schemas that plugins' requests and answers are held to")                \
    X(seal_signer, "FwPermitSealSigner", TEXT, "TWNI", 4, 4,                                      \
      "who signs visible seals: country and agency, two capital letters each")                    \
    X(db_driver, "FwPermitDatabaseDriver", TEXT, "sqlite3", 0, 0, "sqlite3 or pgsql")             \
    X(db_params, "FwPermitDatabase", TEXT, FW_STATE_DIR "/fwpermit.db", 0, 0,                     \
      "SQLite's file; PostgreSQL's key=value words, or file:PATH of a file that holds them")      \
    X(db_max, "FwPermitDatabaseMax", INT, "8", 1, 256, "connections for each process")            \
    X(db_acquire_ms, "FwPermitDatabaseWait", INT, "5000", 1, 60000,                               \
      "milliseconds to wait for a free connection")                                               \
    X(db_statement_ms, "FwPermitStatementTimeout", INT, "10000", 0, 600000,                       \
      "milliseconds that a statement may take (PostgreSQL); 0: no limit")                         \
    X(upload_max, "FwPermitUploadMax", INT, "10485760", 1024, 1073741824,                         \
      "bytes of one uploaded file")                                                               \
    X(form_max, "FwPermitFormMax", INT, "262144", 1024, 16777216,                                 \
      "bytes of a form or a JSON body")                                                           \
    X(session_idle_min, "FwPermitSessionIdle", INT, "30", 1, 1440,                                \
      "minutes until an idle session ends")                                                       \
    X(session_max_min, "FwPermitSessionMax", INT, "720", 5, 10080,                                \
      "minutes until any session ends")                                                           \
    X(login_failures, "FwPermitLoginFailures", INT, "5", 1, 100,                                  \
      "failures in a row that lock an account")                                                   \
    X(login_lock_min, "FwPermitLoginLock", INT, "15", 1, 1440,                                    \
      "minutes that an account stays locked")                                                     \
    X(login_lane, "FwPermitLoginLane", INT, "2", 1, 64,                                           \
      "passwords checked at a time for each process")                                             \
    X(login_per_min, "FwPermitLoginRate", INT, "60", 1, 100000,                                   \
      "log-ins a minute from one address")                                                        \
    X(letters_per_hour, "FwPermitLetterRate", INT, "200", 1, 100000,                              \
      "questions an hour of one person to the labour agency")                                     \
    X(cookie_secure, "FwPermitCookieSecure", FLAG, "On", 0, 1,                                    \
      "cookies for https alone; Off for trials without TLS")                                      \
    X(demo, "FwPermitDemo", FLAG, "Off", 0, 1, "tell the demo accounts on the log-in page")       \
    X(agency_zh, "FwPermitAgencyZh", TEXT, "內政部移民署", 0, 0, "the agency's name in Chinese")  \
    X(agency_en, "FwPermitAgencyEn", TEXT, "National Immigration Agency", 0, 0,                   \
      "the agency's name in English")

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
    const char *run_dir, *vault_dir, *vault_keys, *keys_dir, *anchor, *journal_dir;
    int journal_ms;
    const char *public_dir, *contracts_dir, *seal_signer;
    const char *db_driver, *db_params;
    int db_max, db_acquire_ms, db_statement_ms;
    int upload_max, form_max;
    int session_idle_min, session_max_min;
    int login_failures, login_lock_min, login_lane, login_per_min;
    int letters_per_hour;
    int cookie_secure, demo;
    const char *agency_zh, *agency_en;
    apr_array_header_t *plugins; /* fw_plugin_conf */
    uint64_t set[2];             /* which rows of the table were given */
    const char *vault_keys_text; /* of the file vault_keys, where it was read before */
} fw_settings;

/* The number of a directive's row: FW_AT_base_url, ... */
typedef enum fw_setting_at_e {
#define X(member, name, type, otherwise, min, max, help) FW_AT_##member,
    FW_DIRECTIVES(X)
#undef X
        FW_SETTINGS
} fw_setting_at_e;

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

/* The plugin of that name; the first one of that port, which is the one that is called. NULL: there is none, or no name. */
fw_plugin_conf *fw_settings_plugin_named(const fw_settings *s, const char *name);
fw_plugin_conf *fw_settings_plugin_of(const fw_settings *s, const char *port);

/* What `over` does not give it has from `base` (a virtual host in its server). */
fw_settings *fw_settings_merge(const fw_settings *base, const fw_settings *over, apr_pool_t *pool);

/* NULL, or which directive is missing or which ones do not go together. */
const char *fw_settings_check(const fw_settings *s, apr_pool_t *pool);

/* Reads the FwPermit directives of an httpd configuration file; others are passed over. FW_E_CONFIG names file, line
 * and reason. */
const fw_err *fw_settings_read(fw_settings **out, const char *file, apr_pool_t *pool);

/* The database's parameters: FwPermitDatabase, or what the file holds where it is file:PATH (the lines as one, # begins
 * a comment). A server asks while it still may read that file, and puts the answer into db_params. */
const fw_err *fw_settings_database(const fw_settings *s, const char **params, apr_pool_t *pool);

/* For the workers. */
json_t *fw_settings_json(const fw_settings *s);
fw_settings *fw_settings_from_json(const json_t *o, apr_pool_t *pool);

#endif
