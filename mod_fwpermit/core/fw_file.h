#ifndef FW_FILE_H
#define FW_FILE_H

#include "fw_err.h"

/* A small file whole, with a NUL behind its end; `n` may be NULL. FW_E_CONFIG names the file that cannot be read, or has more
 * than `most` bytes. */
const fw_err *fw_file_read(char **text, apr_size_t *n, const char *path, apr_size_t most,
                           apr_pool_t *pool);

#endif
