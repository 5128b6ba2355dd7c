#include "fw_config.h"
#include "fw_store_refund.h"

#include <stdlib.h>

#include <apr_strings.h>

#include "fw_take.h"

static const fw_err *take(fw_take *t, fw_refund *r)
{
    const char *state;

    r->id = fw_take_int(t);
    r->version = (int)fw_take_int(t);
    state = fw_take_text(t);
    if (!state || !fw_refund_state_parse(state, &r->state))
        return FW_ERR(t->pool, FW_E_CORRUPT, 0, "a refund's state is not known");
    r->payment_id = fw_take_int(t);
    r->cases = fw_take_ids(t, &r->n_cases);
    r->amount = fw_take_int(t);
    r->cause = fw_take_text(t);
    r->reason = fw_take_text(t);
    r->asked_by = fw_take_int(t);
    r->before = fw_take_int(t);
    r->gateway_no = fw_take_text(t);
    r->reference = fw_take_text(t);
    r->trouble = fw_take_text(t);
    r->created = fw_take_int(t);
    r->sent = fw_take_int(t);
    r->ended = fw_take_int(t);
    return NULL;
}

static const fw_err *take_refund(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};

    return take(&t, apr_array_push(taken->list));
}

static const fw_err *take_line(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_refund_line *l = apr_array_push(taken->list);

    FW_TRY(take(&t, &l->refund));
    l->order_no = fw_take_text(&t);
    l->method = fw_take_text(&t);
    l->receipt_no = fw_take_int(&t);
    l->paid = fw_take_int(&t);
    return NULL;
}

const fw_err *fw_refund_load(fw_db *db, fw_id id, fw_refund **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_refund))};

    FW_TRY(fw_db_query(db, "refund_load", FW_VALS(FW_I(id)), take_refund, &taken, pool));
    *out = taken.list->nelts ? &APR_ARRAY_IDX(taken.list, 0, fw_refund) : NULL;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such refund");
}

const fw_err *fw_refund_of_payment(fw_db *db, fw_id payment, int limit, apr_array_header_t **out,
                                   apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_refund))};

    *out = taken.list;
    return fw_db_query(db, "refund_of_payment", FW_VALS(FW_I(payment), FW_I(limit)), take_refund,
                       &taken, pool);
}

const fw_err *fw_refund_list(fw_db *db, bool ended, int limit, apr_array_header_t **out,
                             apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 32, sizeof(fw_refund_line))};

    *out = taken.list;
    return fw_db_query(db, ended ? "refund_list_ended" : "refund_list_open", FW_VALS(FW_I(limit)),
                       take_line, &taken, pool);
}

static const fw_err *insert(fw_db *db, const fw_refund *r, apr_pool_t *pool)
{
    return fw_db_exec(db, "refund_insert",
                      FW_VALS(FW_I(r->id), FW_I(1), FW_S(fw_refund_state_name(r->state)),
                              FW_I(r->payment_id), FW_S(fw_take_list(r->cases, r->n_cases, pool)),
                              FW_I(r->amount), FW_S(r->cause), FW_S(r->reason), FW_I(r->asked_by),
                              FW_I(r->before), FW_S(r->gateway_no), FW_S(r->reference),
                              FW_S(r->trouble), FW_I(r->created), FW_I(r->sent), FW_I(r->ended)),
                      NULL, pool);
}

const fw_err *fw_refund_put(fw_db *db, fw_refund *r, apr_pool_t *pool)
{
    int rows = 1;

    if (r->version == 0)
        FW_TRY(insert(db, r, pool));
    else
        FW_TRY(fw_db_exec(db, "refund_update",
                          FW_VALS(FW_S(fw_refund_state_name(r->state)), FW_S(r->reason),
                                  FW_I(r->asked_by), FW_I(r->before), FW_S(r->gateway_no),
                                  FW_S(r->reference), FW_S(r->trouble), FW_I(r->sent),
                                  FW_I(r->ended), FW_I(r->id), FW_I(r->version)),
                          &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "the refund was changed in between");
    r->version++;
    return NULL;
}
