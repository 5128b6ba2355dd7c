#include "fw_config.h"
#include "fw_store_payment.h"

#include <stdlib.h>

#include <apr_strings.h>

#include "fw_take.h"

static const fw_err *take_payment(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_payment *p = apr_pcalloc(taken->pool, sizeof(*p));
    const char *state;

    p->id = fw_take_int(&t);
    p->version = (int)fw_take_int(&t);
    state = fw_take_text(&t);
    if (!state || !fw_pay_state_parse(state, &p->state))
        return FW_ERR(taken->pool, FW_E_CORRUPT, 0, "a payment's state is not known");
    p->payer_id = fw_take_int(&t);
    p->org_id = fw_take_int(&t);
    p->method = fw_take_text(&t);
    p->amount = fw_take_int(&t);
    p->order_no = fw_take_text(&t);
    p->gateway_no = fw_take_text(&t);
    p->redirect = fw_take_text(&t);
    p->code = fw_take_text(&t);
    p->reason = fw_take_text(&t);
    p->created = fw_take_int(&t);
    p->expires = fw_take_int(&t);
    p->paid = fw_take_int(&t);
    p->receipt_no = fw_take_int(&t);
    p->checks = (int)fw_take_int(&t);
    p->promised = fw_take_int(&t);
    p->refunded = fw_take_int(&t);
    p->cases = fw_take_ids(&t, &p->n_cases);
    taken->one = p;
    return NULL;
}

static const fw_err *take_ids(void *baton, const fw_row *row)
{
    APR_ARRAY_PUSH(((fw_taken *)baton)->list, fw_id) = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_payment_load(fw_db *db, fw_id id, fw_payment **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "payment_load", FW_VALS(FW_I(id)), take_payment, &taken, pool));
    *out = taken.one;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such payment");
}

static const fw_err *take_id(void *baton, const fw_row *row)
{
    *(fw_id *)baton = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_payment_by_order(fw_db *db, const char *order_no, fw_id *out, apr_pool_t *pool)
{
    *out = 0;
    return fw_db_query(db, "payment_by_order", FW_VALS(FW_S(order_no)), take_id, out, pool);
}

const fw_err *fw_payment_by_gateway(fw_db *db, const char *gateway_no, fw_id *out, apr_pool_t *pool)
{
    *out = 0;
    return fw_db_query(db, "payment_by_gateway", FW_VALS(FW_S(gateway_no)), take_id, out, pool);
}

static fw_val receipt_val(const fw_payment *p)
{
    return p->receipt_no ? FW_I(p->receipt_no) : FW_NULLV;
}

static const fw_err *insert_payment(fw_db *db, const fw_payment *p, apr_pool_t *pool)
{
    FW_TRY(
        fw_db_exec(db, "payment_insert",
                   FW_VALS(FW_I(p->id), FW_I(1), FW_S(fw_pay_state_name(p->state)),
                           FW_I(p->payer_id), FW_I(p->org_id), FW_S(p->method), FW_I(p->amount),
                           FW_S(p->order_no), FW_S(p->gateway_no), FW_S(p->redirect), FW_S(p->code),
                           FW_S(p->reason), FW_I(p->created), FW_I(p->expires), FW_I(p->paid),
                           receipt_val(p), FW_I(p->checks), FW_I(p->promised), FW_I(p->refunded)),
                   NULL, pool));
    for (int i = 0; i < p->n_cases; i++)
        FW_TRY(fw_db_exec(db, "payment_case_insert",
                          FW_VALS(FW_I(p->id), FW_I(i), FW_I(p->cases[i])), NULL, pool));
    return NULL;
}

const fw_err *fw_payment_put(fw_db *db, fw_payment *p, apr_pool_t *pool)
{
    int rows = 1;

    if (p->version == 0)
        FW_TRY(insert_payment(db, p, pool));
    else
        FW_TRY(
            fw_db_exec(db, "payment_update",
                       FW_VALS(FW_S(fw_pay_state_name(p->state)), FW_S(p->gateway_no),
                               FW_S(p->redirect), FW_S(p->code), FW_S(p->reason), FW_I(p->expires),
                               FW_I(p->paid), receipt_val(p), FW_I(p->checks), FW_I(p->promised),
                               FW_I(p->refunded), FW_I(p->id), FW_I(p->version)),
                       &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "the payment was changed in between");
    p->version++;
    return NULL;
}

const fw_err *fw_payment_to_check(fw_db *db, apr_time_t before, int checks, int limit,
                                  apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_id))};

    *out = taken.list;
    return fw_db_query(db, "payment_to_check",
                       FW_VALS(FW_I(checks), FW_I(before), FW_I(before), FW_I(limit)), take_ids,
                       &taken, pool);
}

const fw_err *fw_payment_to_expire(fw_db *db, apr_time_t now, int limit, apr_array_header_t **out,
                                   apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_id))};

    *out = taken.list;
    return fw_db_query(db, "payment_to_expire", FW_VALS(FW_I(now), FW_I(limit)), take_ids, &taken,
                       pool);
}

static const fw_err *take_receipt(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_receipt_line *l = apr_array_push(taken->list);
    fw_payment *p = &l->payment;

    p->id = fw_take_int(&t);
    p->order_no = fw_take_text(&t);
    p->gateway_no = fw_take_text(&t);
    p->method = fw_take_text(&t);
    p->amount = fw_take_int(&t);
    p->paid = fw_take_int(&t);
    p->receipt_no = fw_take_int(&t);
    p->reason = fw_take_text(&t);
    p->promised = fw_take_int(&t);
    p->refunded = fw_take_int(&t);
    p->state = FW_PAY_PAID;
    l->document = fw_take_int(&t);
    l->kase = fw_take_int(&t);
    l->void_no = fw_take_int(&t);
    l->why = fw_take_text(&t);
    return NULL;
}

static int64_t number_of(const fw_receipt_line *l)
{
    return l->void_no ? l->void_no : l->payment.receipt_no;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = number_of(a), y = number_of(b);

    return (x < y) - (x > y);
}

const fw_err *fw_payment_receipts(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 32, sizeof(fw_receipt_line))};

    *out = taken.list;
    FW_TRY(fw_db_query(db, "payment_list_paid", FW_VALS(FW_I(limit)), take_receipt, &taken, pool));
    FW_TRY(fw_db_query(db, "payment_list_void", FW_VALS(FW_I(limit)), take_receipt, &taken, pool));
    qsort(taken.list->elts, (size_t)taken.list->nelts, sizeof(fw_receipt_line), by_number);
    if (taken.list->nelts > limit)
        taken.list->nelts = limit;
    return NULL;
}

/* ---- void numbers ---- */

const fw_err *fw_receipt_void_add(fw_db *db, const fw_receipt_void *v, apr_pool_t *pool)
{
    return fw_db_exec(
        db, "receipt_void_add",
        FW_VALS(FW_I(v->number), FW_I(v->payment_id), FW_I(v->at), FW_I(v->by), FW_S(v->reason)),
        NULL, pool);
}

static const fw_err *take_void(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_receipt_void *v = apr_array_push(taken->list);

    v->number = fw_take_int(&t);
    v->payment_id = fw_take_int(&t);
    v->at = fw_take_int(&t);
    v->by = fw_take_int(&t);
    v->reason = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_receipt_voids(fw_db *db, fw_id payment, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 2, sizeof(fw_receipt_void))};

    *out = taken.list;
    return fw_db_query(db, "receipt_void_list", FW_VALS(FW_I(payment)), take_void, &taken, pool);
}

/* ---- permits ---- */

static const fw_err *take_permit(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_permit *p = taken->list ? apr_array_push(taken->list) : apr_pcalloc(taken->pool, sizeof(*p));

    p->id = fw_take_int(&t);
    p->version = (int)fw_take_int(&t);
    p->permit_no = fw_take_text(&t);
    p->code = fw_take_text(&t);
    p->case_id = fw_take_int(&t);
    p->worker_id = fw_take_int(&t);
    p->kind = fw_take_text(&t);
    p->state = fw_take_text(&t);
    p->valid_from = fw_take_text(&t);
    p->valid_to = fw_take_text(&t);
    p->issued = fw_take_int(&t);
    p->ended = fw_take_int(&t);
    p->reason = fw_take_text(&t);
    p->told = fw_take_text(&t);
    taken->one = p;
    return NULL;
}

const fw_err *fw_permit_load(fw_db *db, fw_id id, fw_permit **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "permit_load", FW_VALS(FW_I(id)), take_permit, &taken, pool));
    *out = taken.one;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such permit");
}

const fw_err *fw_permit_by_no(fw_db *db, const char *permit_no, fw_permit **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "permit_by_no", FW_VALS(FW_S(permit_no)), take_permit, &taken, pool));
    *out = taken.one;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such permit");
}

const fw_err *fw_permit_live(fw_db *db, fw_id worker, const char *kind, fw_permit **out,
                             apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "permit_live", FW_VALS(FW_I(worker), FW_S(kind)), take_permit, &taken,
                       pool));
    *out = taken.one;
    return NULL;
}

const fw_err *fw_permit_lives(fw_db *db, fw_id worker, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 2, sizeof(fw_permit))};

    *out = taken.list;
    return fw_db_query(db, "permit_lives", FW_VALS(FW_I(worker)), take_permit, &taken, pool);
}

static const fw_err *take_form(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_case *c = apr_pcalloc(taken->pool, sizeof(*c));

    c->id = fw_take_int(&t);
    c->service = fw_take_text(&t);
    c->service_hash = fw_take_text(&t);
    c->data = fw_take_text(&t);
    taken->one = c;
    return NULL;
}

const fw_err *fw_permit_form(fw_db *db, fw_id worker, const fw_case **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "permit_form", FW_VALS(FW_I(worker)), take_form, &taken, pool));
    *out = taken.one;
    return NULL;
}

static const fw_err *take_number(void *baton, const fw_row *row)
{
    *(int64_t *)baton = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_permit_ended_since(fw_db *db, apr_time_t since, int64_t *n, apr_pool_t *pool)
{
    *n = 0;
    return fw_db_query(db, "permit_ended_since", FW_VALS(FW_I(since)), take_number, n, pool);
}

const fw_err *fw_permit_ended_list(fw_db *db, const char *valid_to, const char *permit_no,
                                   int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 32, sizeof(fw_permit))};

    *out = taken.list;
    return fw_db_query(db, "permit_ended_list",
                       FW_VALS(FW_S(valid_to), FW_S(valid_to), FW_S(permit_no), FW_I(limit)),
                       take_permit, &taken, pool);
}

static const fw_err *push_id(void *baton, const fw_row *row)
{
    APR_ARRAY_PUSH(((fw_taken *)baton)->list, fw_id) = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_permit_to_tell(fw_db *db, const char *today, int limit, apr_array_header_t **out,
                                apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_id))};

    *out = taken.list;
    return fw_db_query(db, "permit_to_tell", FW_VALS(FW_S(today), FW_S(today), FW_I(limit)),
                       push_id, &taken, pool);
}

const fw_err *fw_permit_put(fw_db *db, fw_permit *p, apr_pool_t *pool)
{
    int rows = 1;

    if (p->version == 0)
        FW_TRY(fw_db_exec(db, "permit_insert",
                          FW_VALS(FW_I(p->id), FW_I(1), FW_S(p->permit_no), FW_S(p->code),
                                  FW_I(p->case_id), FW_I(p->worker_id), FW_S(p->kind),
                                  FW_S(p->state), FW_S(p->valid_from), FW_S(p->valid_to),
                                  FW_I(p->issued), FW_I(p->ended), FW_S(p->reason), FW_S(p->told)),
                          NULL, pool));
    else
        FW_TRY(fw_db_exec(db, "permit_update",
                          FW_VALS(FW_S(p->state), FW_I(p->ended), FW_S(p->reason), FW_S(p->told),
                                  FW_I(p->id), FW_I(p->version)),
                          &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "the permit was changed in between");
    p->version++;
    return NULL;
}

/* ---- documents ---- */

static const fw_err *take_document(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_document *d = apr_array_push(taken->list);

    d->id = fw_take_int(&t);
    d->case_id = fw_take_int(&t);
    d->payment_id = fw_take_int(&t);
    d->kind = fw_take_text(&t);
    d->number = fw_take_text(&t);
    d->vault = fw_take_text(&t);
    d->sha256 = fw_take_text(&t);
    d->size = fw_take_int(&t);
    d->created = fw_take_int(&t);
    d->is_void = t.at < fw_row_columns(row) && fw_take_int(&t) != 0;
    return NULL;
}

const fw_err *fw_document_add(fw_db *db, const fw_document *d, apr_pool_t *pool)
{
    return fw_db_exec(db, "document_insert",
                      FW_VALS(FW_I(d->id), FW_I(d->case_id), FW_I(d->payment_id), FW_S(d->kind),
                              FW_S(d->number), FW_S(d->vault), FW_S(d->sha256), FW_I(d->size),
                              FW_I(d->created)),
                      NULL, pool);
}

const fw_err *fw_document_load(fw_db *db, fw_id id, fw_document **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_document))};

    FW_TRY(fw_db_query(db, "document_load", FW_VALS(FW_I(id)), take_document, &taken, pool));
    *out = taken.list->nelts ? &APR_ARRAY_IDX(taken.list, 0, fw_document) : NULL;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such document");
}

const fw_err *fw_document_by_number(fw_db *db, const char *kind, const char *number,
                                    fw_document **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_document))};

    FW_TRY(fw_db_query(db, "document_by_number", FW_VALS(FW_S(kind), FW_S(number)), take_document,
                       &taken, pool));
    *out = taken.list->nelts ? &APR_ARRAY_IDX(taken.list, 0, fw_document) : NULL;
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    const fw_document *x = a, *y = b;

    return (x->created > y->created) - (x->created < y->created);
}

const fw_err *fw_document_list(fw_db *db, fw_id case_id, fw_id payment_id, apr_array_header_t **out,
                               apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_document))};

    *out = taken.list;
    FW_TRY(fw_db_query(db, "document_list", FW_VALS(FW_I(case_id), FW_I(payment_id), FW_I(case_id)),
                       take_document, &taken, pool));
    /* Cheaper than the table that SQLite would make for it. */
    qsort(taken.list->elts, (size_t)taken.list->nelts, sizeof(fw_document), by_time);
    return NULL;
}

const fw_err *fw_counter_draw(fw_db *db, const char *name, int64_t start, int64_t *out,
                              apr_pool_t *pool)
{
    return fw_db_query(db, "counter_draw", FW_VALS(FW_S(name), FW_I(start)), take_number, out,
                       pool);
}
