#ifndef FW_PLUGIN_ASK_H
#define FW_PLUGIN_ASK_H

#include "fw_err.h"

#include <jansson.h>

/* One exchange with a plugin's process (its frames: worker/fww_plugin.h). */
typedef struct fw_plugin_ask {
    json_t *frame; /* its request is an object; gets "files" where there are any */
    const void *blob;
    apr_size_t n_blob;
    const apr_array_header_t *files; /* of fw_call_file, sealed; NULL: none */
    json_t *answer;                  /* out: new (json_decref) */
    apr_array_header_t *written;     /* out: the files that came back, proved */
} fw_plugin_ask;

/* FW_E_UNAVAILABLE: nobody is there, too slow, or gone in the middle. FW_E_LIMIT: the frame is too long. FW_E_CORRUPT:
 * what came is no answer. `due` is of fw_monotonic(). */
const fw_err *fw_plugin_ask_run(fw_plugin_ask *ask, const char *run_dir, const char *plugin,
                                apr_time_t due, apr_pool_t *pool);

#endif
