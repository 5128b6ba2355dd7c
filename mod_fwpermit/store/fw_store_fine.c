#include "fw_config.h"
#include "fw_store_fine.h"

#include "fw_take.h"

#define FINES_MOST 1000 /* of a case, over the years */

static const fw_err *take_penalty(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_penalty *p = apr_pcalloc(taken->pool, sizeof(*p));

    p->case_id = fw_take_int(&t);
    p->version = (int)fw_take_int(&t);
    p->told = fw_take_int(&t);
    p->days_late = (int)fw_take_int(&t);
    p->entered = fw_take_text(&t);
    p->file_by = fw_take_int(&t);
    p->answered = fw_take_int(&t);
    p->open = (int)fw_take_int(&t);
    p->has_fines = fw_take_int(&t) > 0;
    taken->one = p;
    return NULL;
}

const fw_err *fw_penalty_load(fw_db *db, fw_id case_id, fw_penalty **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "penalty_load", FW_VALS(FW_I(case_id)), take_penalty, &taken, pool));
    *out = taken.one;
    return NULL;
}

static const fw_err *expect_one(int rows, int *version, apr_pool_t *pool)
{
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "it was changed in between");
    ++*version;
    return NULL;
}

const fw_err *fw_penalty_put(fw_db *db, fw_penalty *p, apr_pool_t *pool)
{
    int rows = 1;

    if (p->version == 0)
        FW_TRY(fw_db_exec(db, "penalty_insert",
                          FW_VALS(FW_I(p->case_id), FW_I(p->told), FW_I(p->days_late),
                                  FW_S(p->entered), FW_I(p->file_by), FW_I(p->answered)),
                          NULL, pool));
    else
        FW_TRY(fw_db_exec(db, "penalty_update",
                          FW_VALS(FW_I(p->told), FW_I(p->days_late), FW_S(p->entered),
                                  FW_I(p->file_by), FW_I(p->answered), FW_I(p->case_id),
                                  FW_I(p->version)),
                          &rows, pool));
    return expect_one(rows, &p->version, pool);
}

static const fw_err *take_fine(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_fine *f = apr_array_push(taken->list);

    *f = (fw_fine){.id = fw_take_int(&t)};
    f->version = (int)fw_take_int(&t);
    f->fine_no = fw_take_text(&t);
    f->case_id = fw_take_int(&t);
    f->told = fw_take_int(&t);
    f->state = fw_take_text(&t);
    f->reason = fw_take_text(&t);
    f->amount = fw_take_int(&t);
    f->set_on = fw_take_text(&t);
    f->pay_by = fw_take_text(&t);
    f->paid = fw_take_int(&t);
    f->rule = fw_take_text(&t);
    f->pay_how = fw_take_text(&t);
    f->heard = fw_take_int(&t);
    return NULL;
}

const fw_err *fw_fine_list(fw_db *db, fw_id case_id, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_fine))};

    *out = taken.list;
    return fw_db_query(db, "fine_list", FW_VALS(FW_I(case_id), FW_I(FINES_MOST)), take_fine, &taken,
                       pool);
}

const fw_err *fw_fine_by_no(fw_db *db, const char *fine_no, fw_fine **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_fine))};

    FW_TRY(fw_db_query(db, "fine_by_no", FW_VALS(FW_S(fine_no)), take_fine, &taken, pool));
    *out = taken.list->nelts ? &APR_ARRAY_IDX(taken.list, 0, fw_fine) : NULL;
    return NULL;
}

static const fw_err *insert_fine(fw_db *db, const fw_fine *f, apr_pool_t *pool)
{
    return fw_db_exec(db, "fine_insert",
                      FW_VALS(FW_I(f->id), FW_S(f->fine_no), FW_I(f->case_id), FW_I(f->told),
                              FW_S(f->state), FW_S(f->reason), FW_I(f->amount), FW_S(f->set_on),
                              FW_S(f->pay_by), FW_I(f->paid), FW_S(f->rule), FW_S(f->pay_how),
                              FW_I(f->heard)),
                      NULL, pool);
}

const fw_err *fw_fine_put(fw_db *db, fw_fine *f, apr_pool_t *pool)
{
    int rows = 1;

    if (f->version == 0)
        FW_TRY(insert_fine(db, f, pool));
    else
        FW_TRY(fw_db_exec(db, "fine_update",
                          FW_VALS(FW_I(f->told), FW_S(f->state), FW_S(f->reason), FW_I(f->amount),
                                  FW_S(f->set_on), FW_S(f->pay_by), FW_I(f->paid), FW_S(f->rule),
                                  FW_S(f->pay_how), FW_I(f->heard), FW_I(f->id), FW_I(f->version)),
                          &rows, pool));
    return expect_one(rows, &f->version, pool);
}

static const fw_err *take_id(void *baton, const fw_row *row)
{
    *(fw_id *)baton = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_case_of_number(fw_db *db, const char *case_no, fw_id *out, apr_pool_t *pool)
{
    *out = 0;
    return fw_db_query(db, "case_of_number", FW_VALS(FW_S(case_no)), take_id, out, pool);
}
