#ifndef FWC_PARTS_H
#define FWC_PARTS_H

#include "fwc.h"

#include <stdio.h>

/* Private to fwc_backup.c and fwc_restore*.c: the folder of a backup.
 *   manifest.json            what it is: when, which schema, how many of what; the SHA-256 of SHA256SUMS
 *   SHA256SUMS               that of every other file, as sha256sum(1) has it
 *   database                 SQLite's file, or pg_dump's custom form
 *   anchor  journal/ public/ as they lie where the directives say
 *   vault/                   likewise: still encrypted
 *   keys/vault.keys, keys/signing/  where they were asked for
 * Files of these names alone are in it: no link, nothing hidden. */

#define FWC_MANIFEST "manifest.json"
#define FWC_SUMS     "SHA256SUMS"
#define FWC_DATABASE "database"
#define FWC_FORMAT   "fwpermit-backup/1"

/* Writing: a backup that is being made. */
typedef struct fwc_parts {
    apr_pool_t *pool, *scratch; /* scratch: of one file */
    const char *dir;
    FILE *sums;
    int64_t files, bytes; /* of those in SHA256SUMS */
    int left_out;         /* what is no file of a plain name */
} fwc_parts;

const fw_err *fwc_parts_begin(fwc_parts **out, const char *dir, apr_pool_t *pool);
/* Copies the file `from` into the folder as `name`. None there is no error. */
const fw_err *fwc_parts_take(fwc_parts *p, const char *from, const char *name);
/* All files of the folder `from`, and of the folders in it, as `name`/... . What goes away meanwhile is passed over. */
const fw_err *fwc_parts_take_folder(fwc_parts *p, const char *from, const char *name);
/* Notes a file that lies in the folder already. */
const fw_err *fwc_parts_note(fwc_parts *p, const char *name);
/* Closes SHA256SUMS and gives its own SHA-256. */
const fw_err *fwc_parts_end(fwc_parts *p, const char **sha256);

/* Reading. FW_E_CORRUPT names the first file that is altered or missing, FW_E_CONFLICT what is a link or of a strange name. */
const fw_err *fwc_parts_check(const char *dir, const char *sums_sha256, apr_pool_t *pool);
/* Calls `each` with every name of SHA256SUMS, as it was checked. */
typedef const fw_err *(*fwc_parts_fn)(void *baton, const char *name, apr_pool_t *scratch);
const fw_err *fwc_parts_each(const char *dir, fwc_parts_fn each, void *baton, apr_pool_t *pool);

/* The path without slashes at its end: as the functions here want it. */
const char *fwc_folder_path(const char *path, apr_pool_t *pool);
/* Is there no file under the folder, or no folder at all? What is named `but` is passed over. */
bool fwc_folder_is_empty(const char *dir, const char *but);
/* Removes the folder with all that is in it. */
void fwc_folder_remove(const char *dir);

#endif
