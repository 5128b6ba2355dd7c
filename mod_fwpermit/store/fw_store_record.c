#include "fw_config.h"
#include "fw_store_record.h"

#include "fw_take.h"

static const fw_err *take_record(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_record *r = apr_array_push(taken->list);

    r->id = fw_take_int(&t);
    r->version = (int)fw_take_int(&t);
    r->kind = fw_take_text(&t);
    r->name = fw_take_text(&t);
    r->state = fw_take_text(&t);
    r->nationality = fw_take_text(&t);
    r->passport_no = fw_take_text(&t);
    r->birth = fw_take_text(&t);
    r->worker_id = fw_take_int(&t);
    r->at = fw_take_int(&t);
    r->data = fw_take_text(&t);
    r->heard = fw_take_int(&t);
    return NULL;
}

static const fw_err *query(fw_db *db, const char *name, const fw_val *vals, int n,
                           apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_record))};

    *out = taken.list;
    return fw_db_query(db, name, vals, n, take_record, &taken, pool);
}

static fw_record *first(const apr_array_header_t *list)
{
    return list->nelts ? &APR_ARRAY_IDX(list, 0, fw_record) : NULL;
}

const fw_err *fw_record_load(fw_db *db, fw_id id, fw_record **out, apr_pool_t *pool)
{
    apr_array_header_t *list = NULL;

    FW_TRY(query(db, "record_load", FW_VALS(FW_I(id)), &list, pool));
    *out = first(list);
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such record");
}

const fw_err *fw_record_by_name(fw_db *db, const char *kind, const char *name, fw_record **out,
                                apr_pool_t *pool)
{
    apr_array_header_t *list = NULL;

    FW_TRY(query(db, "record_by_name", FW_VALS(FW_S(kind), FW_S(name)), &list, pool));
    *out = first(list);
    return NULL;
}

const fw_err *fw_record_of_worker(fw_db *db, fw_id worker, int limit, apr_array_header_t **out,
                                  apr_pool_t *pool)
{
    return query(db, "record_of_worker", FW_VALS(FW_I(worker), FW_I(limit)), out, pool);
}

const fw_err *fw_record_of_nobody(fw_db *db, const char *nationality, const char *passport,
                                  int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    return query(db, "record_of_nobody", FW_VALS(FW_S(nationality), FW_S(passport), FW_I(limit)),
                 out, pool);
}

const fw_err *fw_record_open(fw_db *db, const char *kind, int limit, apr_array_header_t **out,
                             apr_pool_t *pool)
{
    return query(db, "record_open", FW_VALS(FW_S(kind), FW_I(limit)), out, pool);
}

static const fw_err *take_near(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_record_near *n = apr_array_push(taken->list);

    n->record_id = fw_take_int(&t);
    n->worker_id = fw_take_int(&t);
    n->name_latin = fw_take_text(&t);
    n->passport_no = fw_take_text(&t);
    n->birth = fw_take_text(&t);
    n->employer_zh = fw_take_text(&t);
    n->employer_en = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_record_near_list(fw_db *db, const char *kind, apr_array_header_t **out,
                                  apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_record_near))};

    *out = taken.list;
    return fw_db_query(db, "record_near", FW_VALS(FW_S(kind)), take_near, &taken, pool);
}

const fw_err *fw_record_put(fw_db *db, fw_record *r, apr_pool_t *pool)
{
    int rows = 1;

    if (r->version == 0)
        FW_TRY(
            fw_db_exec(db, "record_insert",
                       FW_VALS(FW_I(r->id), FW_I(1), FW_S(r->kind), FW_S(r->name), FW_S(r->state),
                               FW_S(r->nationality), FW_S(r->passport_no), FW_S(r->birth),
                               FW_I(r->worker_id), FW_I(r->at), FW_S(r->data), FW_I(r->heard)),
                       NULL, pool));
    else
        FW_TRY(fw_db_exec(db, "record_update",
                          FW_VALS(FW_S(r->state), FW_S(r->nationality), FW_S(r->passport_no),
                                  FW_S(r->birth), FW_I(r->worker_id), FW_I(r->at), FW_S(r->data),
                                  FW_I(r->heard), FW_I(r->id), FW_I(r->version)),
                          &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "it was changed in between");
    r->version++;
    return NULL;
}

const fw_err *fw_record_adopt(fw_db *db, const fw_worker *worker, apr_pool_t *pool)
{
    return fw_db_exec(db, "record_adopt",
                      FW_VALS(FW_I(worker->id), FW_S(worker->nationality),
                              FW_S(worker->passport_no), FW_S(worker->birth)),
                      NULL, pool);
}
