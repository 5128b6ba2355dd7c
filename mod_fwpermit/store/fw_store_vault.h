#ifndef FW_STORE_VAULT_H
#define FW_STORE_VAULT_H

#include "fw_db.h"

/* Whether some row names that file of the vault: of an upload that is or was a case's, or of a document. */
const fw_err *fw_vault_is_used(fw_db *db, const char *name, bool *used, apr_pool_t *pool);

#endif
