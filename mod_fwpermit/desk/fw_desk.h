#ifndef FW_DESK_H
#define FW_DESK_H

#include "fw_config.h"
#include "fw_err.h"
#include "fw_db.h"
#include "fw_vault.h"

/* What the use cases stand on: of a process, read-only after start, shared by its threads. */

struct fw_services;
struct fw_codes;
struct fw_rules;
struct fw_calendar;
struct fw_catalogs;

typedef struct fw_desk {
    fw_db_pool *dbs;
    fw_vault *vault;
    const struct fw_services *services;
    const struct fw_codes *codes;
    const struct fw_rules *rules;
    const struct fw_calendar *calendar;
    const char *run_dir;  /* sockets of our workers */
    const char *base_url; /* "https://permit.example.gov.tw", no slash at the end */
    const char *payment_plugin;
    /* The clock; apr_time_now in service, a virtual one in tests. */
    apr_time_t (*now)(void);
} fw_desk;

#endif
