#ifndef FW_STORE_VAULT_H
#define FW_STORE_VAULT_H

#include "fw_db.h"

/* Whether some row names that file of the vault: of an upload that is or was a case's, or of a document. */
const fw_err *fw_vault_is_used(fw_db *db, const char *name, bool *used, apr_pool_t *pool);

/* A file of the vault as a row names it. */
typedef struct fw_vault_row {
    const char *name, *sha256;
    int64_t size;
} fw_vault_row;

/* Calls `each` for every row that names a file, page by page: uploads, those of before too, then documents. */
typedef const fw_err *(*fw_vault_row_fn)(void *baton, const fw_vault_row *row, apr_pool_t *scratch);
const fw_err *fw_vault_named(fw_db *db, fw_vault_row_fn each, void *baton, apr_pool_t *pool);

#endif
