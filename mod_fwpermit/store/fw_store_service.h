#ifndef FW_STORE_SERVICE_H
#define FW_STORE_SERVICE_H

#include "fw_db.h"

/* The versions of services that cases were filed under, by hash. */

const fw_err *fw_service_keep(fw_db *db, const char *hash, const char *code, const char *xml,
                              apr_time_t now, apr_pool_t *pool);
/* *xml is NULL where there is none. */
const fw_err *fw_service_stored(fw_db *db, const char *hash, const char **xml, apr_pool_t *pool);

#endif
