#include "fw_config.h"
#include "fw_store_service.h"

#include "fw_take.h"

typedef struct stored {
    apr_pool_t *pool;
    const char *xml;
} stored;

static const fw_err *take_xml(void *baton, const fw_row *row)
{
    stored *s = baton;

    s->xml = fw_row_text(row, 2, s->pool);
    return NULL;
}

const fw_err *fw_service_stored(fw_db *db, const char *hash, const char **xml, apr_pool_t *pool)
{
    stored s = {pool, NULL};

    FW_TRY(fw_db_query(db, "service_by_hash", FW_VALS(FW_S(hash)), take_xml, &s, pool));
    *xml = s.xml;
    return NULL;
}

const fw_err *fw_service_keep(fw_db *db, const char *hash, const char *code, const char *xml,
                              apr_time_t now, apr_pool_t *pool)
{
    const char *there = NULL;

    FW_TRY(fw_service_stored(db, hash, &there, pool));
    if (there)
        return NULL;
    return fw_db_exec(db, "service_put", FW_VALS(FW_S(hash), FW_S(code), FW_S(xml), FW_I(now)),
                      NULL, pool);
}
