#include "fw_config.h"
#include "fw_store_idem.h"

#include <string.h>

#include "fw_take.h"

typedef struct kept {
    apr_pool_t *pool;
    const char *hash;
    const char *answer;
} kept;

static const fw_err *take_kept(void *baton, const fw_row *row)
{
    kept *k = baton;

    k->hash = fw_row_text(row, 0, k->pool);
    k->answer = fw_row_text(row, 1, k->pool);
    return NULL;
}

const fw_err *fw_idem_get(fw_db *db, fw_id actor, const char *request_id, const char *body_hash,
                          const char **answer, apr_pool_t *pool)
{
    kept k = {.pool = pool};

    *answer = NULL;
    FW_TRY(
        fw_db_query(db, "idem_get", FW_VALS(FW_I(actor), FW_S(request_id)), take_kept, &k, pool));
    if (k.answer && strcmp(k.hash ? k.hash : "", body_hash ? body_hash : "") != 0)
        return fw_err_field(pool, NULL, "idempotency.reused");
    *answer = k.answer;
    return NULL;
}

const fw_err *fw_idem_put(fw_db *db, fw_id actor, const char *request_id, const char *body_hash,
                          const char *answer, apr_time_t now, apr_pool_t *pool)
{
    return fw_db_exec(
        db, "idem_put",
        FW_VALS(FW_I(actor), FW_S(request_id), FW_S(body_hash), FW_S(answer), FW_I(now)), NULL,
        pool);
}
