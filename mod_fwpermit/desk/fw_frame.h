#ifndef FW_FRAME_H
#define FW_FRAME_H

#include "fw_err.h"

#include <jansson.h>

/* Frames to a role of the worker, over its socket in the run directory: a 4-byte big-endian
 * length and that many bytes of JSON (an object), then the same for a blob, which may be empty.
 * Every call ends by `due` of fw_monotonic() at the latest. FW_E_UNAVAILABLE: nobody is there, or too slow;
 * FW_E_CORRUPT: what came is no frame; FW_E_LIMIT: longer than asked for. */

/* Connects to <run_dir>/<role>.sock. The socket is closed with `pool`, or before by
 * fw_frame_close. */
const fw_err *fw_frame_connect(const char *run_dir, const char *role, apr_time_t due, int *fd,
                               apr_pool_t *pool);
void fw_frame_close(int fd, apr_pool_t *pool);

const fw_err *fw_frame_write(int fd, apr_time_t due, const json_t *frame, const void *blob,
                             apr_size_t n_blob, apr_pool_t *pool);

/* *frame is new; *blob is in `pool` and has a NUL after its last byte. */
const fw_err *fw_frame_read(int fd, apr_time_t due, apr_size_t max_blob, json_t **frame,
                            const char **blob, apr_size_t *n_blob, apr_pool_t *pool);

#endif
