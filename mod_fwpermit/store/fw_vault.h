#ifndef FW_VAULT_H
#define FW_VAULT_H

#include "fw_config.h"
#include "fw_err.h"

/* Where documents lie, encrypted: AES-256-GCM in chunks of 64 KiB under a key for each file, that
 * key wrapped by a master key that has an id. The only code that knows a document's path. */

/* The folder in the vault's that holds what is being written and no row names yet. */
#define FW_VAULT_STAGING "staging"
/* A file in the vault's folder: a restore is not done, and what lies there may be half of a platform. */
#define FW_VAULT_RESTORING ".restoring"

typedef struct fw_vault fw_vault; /* of a process; read-only after opening, thread-safe */
typedef struct fw_vault_writer fw_vault_writer; /* one file being written, by one thread */
typedef struct fw_vault_reader fw_vault_reader;

typedef struct fw_vault_key {
    const char *id; /* [A-Za-z0-9_-]{1,16} */
    unsigned char bytes[32];
} fw_vault_key;

/* `keys[0]` wraps what is written from now on; all of them unwrap. Without keys (n is 0) nothing can be read or written, and
 * only what is there be asked. `dir` must exist and be writable. */
const fw_err *fw_vault_open(fw_vault **out, const char *dir, const fw_vault_key *keys, int n,
                            apr_pool_t *pool);

/* Reads a key file: lines "<id> <64 hex digits>", the first is the current one; '#' comments. */
const fw_err *fw_vault_keys_parse(fw_vault_key **keys, int *n, const char *text, const char *file,
                                  apr_pool_t *pool);

/* Begins a file in the vault's staging folder. The pool's clearing before the end removes it. */
const fw_err *fw_vault_create(fw_vault_writer **out, fw_vault *vault, apr_pool_t *pool);
const fw_err *fw_vault_write(fw_vault_writer *w, const void *data, size_t n);

/* Finishes: last chunk, fsync, rename into place, fsync of the folder. Only then may a row name it.
 * `name` is random (32 hex digits), `sha256` the hex digest of the clear bytes. */
const fw_err *fw_vault_finish(fw_vault_writer *w, const char **name, int64_t *size,
                              const char **sha256, apr_pool_t *pool);
void fw_vault_abort(fw_vault_writer *w);

/* Opens by name. FW_E_NOTFOUND, or FW_E_CORRUPT if the header fails. */
const fw_err *fw_vault_read_open(fw_vault_reader **out, fw_vault *vault, const char *name,
                                 apr_pool_t *pool);
int64_t fw_vault_size(const fw_vault_reader *r); /* clear bytes */
/* Up to one chunk of verified clear bytes, valid until the next call; *n = 0 at the (verified) end.
 * A file cut at a chunk's border is FW_E_CORRUPT, never a short file. */
const fw_err *fw_vault_read(fw_vault_reader *r, const unsigned char **data, size_t *n);

/* Whether there is a file of that name; its contents are not looked at. */
bool fw_vault_has(const fw_vault *vault, const char *name, apr_pool_t *pool);

/* Removes the file; none is no error. */
const fw_err *fw_vault_remove(fw_vault *vault, const char *name, apr_pool_t *pool);

/* Wraps the file's key anew under keys[0] (rotation), unless it is already; the content stays. Who is reading the file goes
 * on reading it. */
const fw_err *fw_vault_rewrap(fw_vault *vault, const char *name, apr_pool_t *pool);

/* Calls `each` for every finished file's name and modification time: for the sweep of orphans. */
typedef const fw_err *(*fw_vault_each_fn)(void *baton, const char *name, apr_time_t mtime);
const fw_err *fw_vault_walk(fw_vault *vault, fw_vault_each_fn each, void *baton,
                            apr_pool_t *scratch);

/* Removes what a process that was killed left in staging and nobody wrote to since `before`. */
const fw_err *fw_vault_sweep_staging(fw_vault *vault, apr_time_t before, int *swept,
                                     apr_pool_t *pool);

#endif
