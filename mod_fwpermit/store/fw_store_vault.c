#include "fw_config.h"
#include "fw_store_vault.h"

static const fw_err *take_any(void *baton, const fw_row *row)
{
    *(bool *)baton = fw_row_int(row, 0) > 0;
    return NULL;
}

const fw_err *fw_vault_is_used(fw_db *db, const char *name, bool *used, apr_pool_t *pool)
{
    *used = true;
    return fw_db_query(db, "vault_used", FW_VALS(FW_S(name), FW_S(name)), take_any, used, pool);
}
