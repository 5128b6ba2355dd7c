#ifndef FW_CALL_FILES_H
#define FW_CALL_FILES_H

#include "fw_err.h"

#include <jansson.h>

/* Files of a call into a plugin: what is too large for JSON. Each is a sealed memory file: it has no name in any folder,
 * nobody can change it, and it ends with the last descriptor. Beside a frame whose request or reply has "files":
 * [{"name", "size", "sha256"}] their descriptors follow on the socket, in that order. */

/* Named limits of one call, each way. */
#define FW_CALL_FILES_MAX     64
#define FW_CALL_FILES_BYTES   268435456 /* all of them together */
#define FW_CALL_FILE_NAME_MAX 255       /* bytes */

typedef struct fw_call_file {
    const char *name; /* UTF-8, no slash, no control, not "." or ".." */
    int fd;           /* closed with the pool */
    apr_int64_t size;
    const char *sha256; /* set when sealed */
} fw_call_file;

bool fw_call_file_name_valid(const char *name);

/* Pushes a new, empty file to the array of fw_call_file. FW_E_INPUT: the name; FW_E_LIMIT: too many. */
const fw_err *fw_call_file_new(fw_call_file **out, apr_array_header_t *files, const char *name,
                               apr_pool_t *pool);

/* FW_E_LIMIT: the files of the array would be too long together. */
const fw_err *fw_call_file_append(fw_call_file *file, const apr_array_header_t *files,
                                  const void *bytes, apr_size_t n, apr_pool_t *pool);

/* Nothing is appended any more: size and SHA-256 are known. */
const fw_err *fw_call_file_seal(fw_call_file *file, apr_pool_t *pool);

/* The list of sealed files as a frame names it. */
json_t *fw_call_files_json(const apr_array_header_t *files);

/* Sends the descriptors, if there are any; after the frame. `due`, here and below, is of fw_monotonic(). */
const fw_err *fw_call_files_send(int sock, apr_time_t due, const apr_array_header_t *files,
                                 apr_pool_t *pool);

/* Takes the descriptors that `list` (or NULL) names, and proves nothing. FW_E_CORRUPT: the list is none, or others came;
 * FW_E_UNAVAILABLE: the other end is gone or too slow. Either way the connection is of no more use. */
const fw_err *fw_call_files_receive(int sock, apr_time_t due, const json_t *list,
                                    apr_array_header_t **out, apr_pool_t *pool);

/* Whether each is sealed and is what `list` says. FW_E_INPUT: the message says which is not. */
const fw_err *fw_call_files_prove(const apr_array_header_t *files, const json_t *list,
                                  apr_pool_t *pool);

#endif
