#ifndef FW_FILE_H
#define FW_FILE_H

#include "fw_err.h"

/* A small file whole, with a NUL behind its end; `n` may be NULL. FW_E_CONFIG names the file that cannot be read, or has more
 * than `most` bytes. */
const fw_err *fw_file_read(char **text, apr_size_t *n, const char *path, apr_size_t most,
                           apr_pool_t *pool);

/* Puts the text at the path: a reader sees the file before or this one, whole, and a crash of the machine leaves one of
 * them. FW_E_UNAVAILABLE names the file. */
const fw_err *fw_file_put(const char *path, const char *text, int mode, apr_pool_t *pool);

/* Copies what is left of `from` to `to` (-1: nowhere) and gives the SHA-256 of it in hex. FW_E_UNAVAILABLE: it cannot be
 * read or written; the caller knows the names. */
const fw_err *fw_file_copy(int from, int to, const char **sha256, apr_pool_t *pool);

#endif
