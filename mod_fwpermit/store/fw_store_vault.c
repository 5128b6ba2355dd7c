#include "fw_config.h"
#include "fw_store_vault.h"

#define ROWS 500

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

typedef struct naming {
    fw_vault_row_fn each;
    void *baton;
    int64_t last; /* identity of the last row */
    int rows;
    apr_pool_t *scratch; /* of one page */
} naming;

static const fw_err *take_named(void *baton, const fw_row *row)
{
    naming *n = baton;
    const fw_vault_row file = {fw_row_text(row, 1, n->scratch), fw_row_text(row, 2, n->scratch),
                               fw_row_int(row, 3)};

    n->last = fw_row_int(row, 0);
    n->rows++;
    return n->each(n->baton, &file, n->scratch);
}

static const fw_err *walk(fw_db *db, const char *statement, naming *n)
{
    n->last = 0;
    do {
        apr_pool_clear(n->scratch);
        n->rows = 0;
        FW_TRY(fw_db_query(db, statement, FW_VALS(FW_I(n->last), FW_I(ROWS)), take_named, n,
                           n->scratch));
    } while (n->rows == ROWS);
    return NULL;
}

const fw_err *fw_vault_named(fw_db *db, fw_vault_row_fn each, void *baton, apr_pool_t *pool)
{
    naming n = {.each = each, .baton = baton};

    apr_pool_create(&n.scratch, pool);
    FW_TRY(walk(db, "vault_of_uploads", &n));
    return walk(db, "vault_of_documents", &n);
}
