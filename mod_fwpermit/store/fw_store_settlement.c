#include "fw_config.h"
#include "fw_store_settlement.h"

#include "fw_take.h"

static const fw_err *take_settlement(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_settlement *s = apr_array_push(taken->list);

    s->day = fw_take_text(&t);
    s->version = (int)fw_take_int(&t);
    s->state = fw_take_text(&t);
    s->asked = fw_take_int(&t);
    s->closed = fw_take_int(&t);
    s->lines = (int)fw_take_int(&t);
    s->taken = fw_take_int(&t);
    s->paid_back = fw_take_int(&t);
    s->fees = fw_take_int(&t);
    s->n_differences = (int)fw_take_int(&t);
    s->differences = fw_take_text(&t);
    s->reason = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_settlement_load(fw_db *db, const char *day, fw_settlement **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_settlement))};

    FW_TRY(fw_db_query(db, "settlement_load", FW_VALS(FW_S(day)), take_settlement, &taken, pool));
    *out = taken.list->nelts ? &APR_ARRAY_IDX(taken.list, 0, fw_settlement) : NULL;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such settlement");
}

const fw_err *fw_settlement_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 32, sizeof(fw_settlement))};

    *out = taken.list;
    return fw_db_query(db, "settlement_list", FW_VALS(FW_I(limit)), take_settlement, &taken, pool);
}

static const fw_err *insert(fw_db *db, const fw_settlement *s, apr_pool_t *pool)
{
    return fw_db_exec(db, "settlement_insert",
                      FW_VALS(FW_S(s->day), FW_S(s->state), FW_I(s->asked), FW_I(s->closed),
                              FW_I(s->lines), FW_I(s->taken), FW_I(s->paid_back), FW_I(s->fees),
                              FW_I(s->n_differences), FW_S(s->differences), FW_S(s->reason)),
                      NULL, pool);
}

const fw_err *fw_settlement_put(fw_db *db, fw_settlement *s, apr_pool_t *pool)
{
    int rows = 1;

    if (s->version == 0)
        FW_TRY(insert(db, s, pool));
    else
        FW_TRY(fw_db_exec(db, "settlement_update",
                          FW_VALS(FW_S(s->state), FW_I(s->asked), FW_I(s->closed), FW_I(s->lines),
                                  FW_I(s->taken), FW_I(s->paid_back), FW_I(s->fees),
                                  FW_I(s->n_differences), FW_S(s->differences), FW_S(s->reason),
                                  FW_S(s->day), FW_I(s->version)),
                          &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "the settlement was changed in between");
    s->version++;
    return NULL;
}

static const fw_err *take_settled(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_settled *s = apr_array_push(taken->list);

    s->payment = fw_take_int(&t);
    s->order_no = fw_take_text(&t);
    s->amount = fw_take_int(&t);
    return NULL;
}

const fw_err *fw_settled_payments(fw_db *db, apr_time_t from, apr_time_t to,
                                  apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 64, sizeof(fw_settled))};

    *out = taken.list;
    return fw_db_query(db, "settlement_payments", FW_VALS(FW_I(from), FW_I(to)), take_settled,
                       &taken, pool);
}

const fw_err *fw_settled_refunds(fw_db *db, apr_time_t from, apr_time_t to,
                                 apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_settled))};

    *out = taken.list;
    return fw_db_query(db, "settlement_refunds", FW_VALS(FW_I(from), FW_I(to), FW_I(from)),
                       take_settled, &taken, pool);
}

static const fw_err *take_count(void *baton, const fw_row *row)
{
    *(bool *)baton = fw_row_int(row, 0) > 0;
    return NULL;
}

const fw_err *fw_settled_refunded(fw_db *db, fw_id payment, int64_t amount, bool *out,
                                  apr_pool_t *pool)
{
    *out = false;
    return fw_db_query(db, "settlement_refunded", FW_VALS(FW_I(payment), FW_I(amount)), take_count,
                       out, pool);
}

const fw_err *fw_settled_any(fw_db *db, apr_time_t before, bool *out, apr_pool_t *pool)
{
    *out = false;
    return fw_db_query(db, "settlement_any_paid", FW_VALS(FW_I(before)), take_count, out, pool);
}
