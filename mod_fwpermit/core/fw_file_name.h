#ifndef FW_FILE_NAME_H
#define FW_FILE_NAME_H

#include "fw_config.h"

#include <apr_pools.h>

/* Names of files that people send: kept as they read them, given back so that no browser and no system is misled. */

#define FW_FILE_NAME_MAX 200 /* bytes that are kept */

/* What is kept of a name as it was sent (UTF-8): its last part, without control characters, invisible ones and those that turn
 * the direction of text, and without dots and spaces at its ends; "file" where nothing is left. */
const char *fw_file_name_clean(const char *sent, apr_pool_t *pool);

/* A Content-Disposition (RFC 6266) for a download of that type. A name whose extension belongs to another type gets the right
 * one behind it: what is called .html or .exe opens as what it is. */
const char *fw_file_name_disposition(const char *name, const char *mime, apr_pool_t *pool);

#endif
