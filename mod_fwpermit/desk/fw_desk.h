#ifndef FW_DESK_H
#define FW_DESK_H

#include "fw_calendar.h"
#include "fw_codes.h"
#include "fw_db.h"
#include "fw_form.h"
#include "fw_locale.h"
#include "fw_rules.h"
#include "fw_service.h"
#include "fw_settings.h"
#include "fw_vault.h"

/* What the use cases stand on: of a process, read-only after start, shared by its threads. */
typedef struct fw_desk {
    const fw_settings *settings;
    fw_db_pool *dbs;
    fw_sql *sql;
    fw_vault *vault; /* NULL in a process that has no business with documents */
    fw_services *services;
    const fw_service *worker_form; /* the record of a worker: conf/worker.xml */
    fw_codes *codes;
    fw_rules *rules;
    fw_calendar *calendar;
    const fw_locale *locale;
    const char *run_dir;        /* sockets of our workers */
    const char *base_url;       /* "https://permit.example.gov.tw", no slash at the end */
    const char *payment_plugin; /* or NULL: payment is not possible */
    const char *notify_plugin;  /* or NULL: nobody is notified */
    const char *border_plugin;  /* or NULL: no border is told anything */
    const char *penalty_plugin; /* or NULL: no fines system is told anything */
    const char *labour_plugin;  /* or NULL: no labour agency can be asked */
    const char *scan_plugin;    /* or NULL: files are taken as they come */
    apr_time_t (*now)(void);    /* apr_time_now in service, a virtual one in tests */
} fw_desk;

/* Opens what the settings name. `with_vault`: the master keys are read too. Opens no connection yet. FW_E_CONFIG
 * names file, line and reason. */
const fw_err *fw_desk_open(fw_desk **out, const fw_settings *settings, bool with_vault,
                           apr_pool_t *pool);

/* The database has the newest schema, and the services' versions are kept in it. FW_E_CONFIG where the schema is not
 * the one of this build. */
const fw_err *fw_desk_check(const fw_desk *desk, apr_pool_t *pool);

/* The service in the version that a case was filed under; from the database where the files moved on. */
const fw_err *fw_desk_service(const fw_desk *desk, fw_db *db, const char *code, const char *hash,
                              const fw_service **out, apr_pool_t *pool);

/* Whether it may be applied for here: the port that it needs has a plugin. */
bool fw_desk_offers(const fw_desk *desk, const fw_service *service);

/* What forms need, for `now`. */
fw_form_env fw_desk_form_env(const fw_desk *desk, apr_time_t now, apr_pool_t *pool);

#endif
