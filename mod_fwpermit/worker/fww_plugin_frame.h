#ifndef FWW_PLUGIN_FRAME_H
#define FWW_PLUGIN_FRAME_H

#include "fw_err.h"

#include <jansson.h>

/* Frames on the socket between pump and plugin process: a 4-byte big-endian length and that many bytes of
 * JSON (an object, UTF-8, no name twice), then the same for a blob, which may be empty. */

#define FWW_FRAME_JSON_MAX 1056768u /* bytes: FWP_MAX_BODY, and what stands around it */
#define FWW_FRAME_BLOB_MAX 524288u  /* bytes; in base64 it fits FWP_MAX_BODY */

/* Reads one frame from the blocking socket `fd`. *frame is new (json_decref); *blob lives in `pool`. At the
 * end of the stream between two frames *frame is NULL. FW_E_INPUT: what came is no frame;
 * FW_E_LIMIT: too long; FW_E_UNAVAILABLE: the other end is gone, in the middle of a frame as well, or too slow. */
const fw_err *fww_frame_read(int fd, json_t **frame, const char **blob, size_t *n_blob,
                             apr_pool_t *pool);

/* The same with a blob of up to `max_blob` bytes. */
const fw_err *fww_frame_read_blob(int fd, size_t max_blob, json_t **frame, const char **blob,
                                  size_t *n_blob, apr_pool_t *pool);

/* Writes a frame with an empty blob. FW_E_UNAVAILABLE as above; FW_E_LIMIT: the JSON is too long. */
const fw_err *fww_frame_write(int fd, const json_t *frame, apr_pool_t *pool);

/* Writes a frame with a blob of `n_blob` bytes; how many the other end takes is its own matter. */
const fw_err *fww_frame_write_blob(int fd, const json_t *frame, const void *blob, size_t n_blob,
                                   apr_pool_t *pool);

#endif
