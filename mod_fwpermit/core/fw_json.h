#ifndef FW_JSON_H
#define FW_JSON_H

#include <jansson.h>

#include "fw_err.h"

/* JSON that lives as long as a pool. */

/* The pool owns `o` from now on; returns it. NULL stays NULL. */
json_t *fw_json_keep(json_t *o, apr_pool_t *pool);

/* The text read, owned by the pool; NULL: no text, or not JSON. */
json_t *fw_json_parse(const char *text, apr_pool_t *pool);

/* `o` as text, by jansson's flags; NULL: no object, or it cannot be written. */
const char *fw_json_text(const json_t *o, size_t flags, apr_pool_t *pool);

/* Puts `o` at the path: a reader sees the file before or this one, whole. It is not synced: for what may be lost with the
 * machine. FW_E_UNAVAILABLE names the file. */
const fw_err *fw_json_save(const char *path, const json_t *o, apr_pool_t *pool);

#endif
