#ifndef FW_PICTURES_H
#define FW_PICTURES_H

#include "fw_err.h"

#include <jansson.h>

/* Pictures are decoded by a role of the worker, in processes with limits; here they are only
 * bytes. */

#define FW_PICTURES_BYTES_MAX 10485760u /* of a picture that is sent there */

/* Has a permit's photo judged and mended. *answer is new: {"ok": bool, "problems": [{"key",
 * "args"}], "measures": {…}}; keys are in the catalogue photo.po. *jpeg (in `pool`, NULL if
 * nothing could be decoded) is the mended picture; only with ok may it be kept, otherwise it may
 * be shown and cropped. FW_E_UNAVAILABLE: the role was away for 10 s or took longer than 15; FW_E_LIMIT:
 * too many bytes, nothing was sent. */
const fw_err *fw_pictures_photo(const char *run_dir, const void *bytes, apr_size_t n,
                                json_t **answer, const char **jpeg, apr_size_t *n_jpeg,
                                apr_pool_t *pool);

/* The picture as a JPEG within `size` x `size` pixels (16 to 1600); *answer as above, ok if
 * there is one. */
const fw_err *fw_pictures_thumb(const char *run_dir, const void *bytes, apr_size_t n, int size,
                                json_t **answer, const char **jpeg, apr_size_t *n_jpeg,
                                apr_pool_t *pool);

/* Page `page` (from 1) of a PDF as a JPEG within `size` x `size` pixels (16 to 1600); *answer as above, ok if there is
 * one; its measures are {"pages", "width", "height"}. What a password or damage keeps closed is the problem
 * pdf.unreadable; beyond the last page it is pdf.no_such_page. */
const fw_err *fw_pictures_page(const char *run_dir, const void *bytes, apr_size_t n, int page,
                               int size, json_t **answer, const char **jpeg, apr_size_t *n_jpeg,
                               apr_pool_t *pool);

#endif
