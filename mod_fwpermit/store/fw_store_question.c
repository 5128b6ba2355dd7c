#include "fw_config.h"
#include "fw_store_question.h"

#include "fw_take.h"

static const fw_err *take_question(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_question *q = apr_array_push(taken->list);

    q->id = fw_take_int(&t);
    q->version = (int)fw_take_int(&t);
    q->state = fw_take_text(&t);
    q->worker_id = fw_take_int(&t);
    q->letter_no = fw_take_text(&t);
    q->case_id = fw_take_int(&t);
    q->asked_by = fw_take_int(&t);
    q->asked = fw_take_int(&t);
    q->ended = fw_take_int(&t);
    return NULL;
}

static const fw_err *query(fw_db *db, const char *name, const fw_val *vals, int n,
                           apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_question))};

    *out = taken.list;
    return fw_db_query(db, name, vals, n, take_question, &taken, pool);
}

static fw_question *first(const apr_array_header_t *list)
{
    return list->nelts ? &APR_ARRAY_IDX(list, 0, fw_question) : NULL;
}

const fw_err *fw_question_load(fw_db *db, fw_id id, fw_question **out, apr_pool_t *pool)
{
    apr_array_header_t *list = NULL;

    FW_TRY(query(db, "question_load", FW_VALS(FW_I(id)), &list, pool));
    *out = first(list);
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such question");
}

const fw_err *fw_question_newest(fw_db *db, fw_id worker, const char *letter_no, fw_question **out,
                                 apr_pool_t *pool)
{
    apr_array_header_t *list = NULL;

    FW_TRY(query(db, "question_newest", FW_VALS(FW_I(worker), FW_S(letter_no)), &list, pool));
    *out = first(list);
    return NULL;
}

const fw_err *fw_question_of_worker(fw_db *db, fw_id worker, int limit, apr_array_header_t **out,
                                    apr_pool_t *pool)
{
    return query(db, "question_of_worker", FW_VALS(FW_I(worker), FW_I(limit)), out, pool);
}

static const fw_err *take_count(void *baton, const fw_row *row)
{
    *(int *)baton = (int)fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_question_count(fw_db *db, fw_id account, apr_time_t since, int *n,
                                apr_pool_t *pool)
{
    *n = 0;
    return fw_db_query(db, "question_count", FW_VALS(FW_I(account), FW_I(since)), take_count, n,
                       pool);
}

const fw_err *fw_question_put(fw_db *db, fw_question *q, apr_pool_t *pool)
{
    int rows = 1;

    if (q->version == 0)
        FW_TRY(
            fw_db_exec(db, "question_insert",
                       FW_VALS(FW_I(q->id), FW_S(q->state), FW_I(q->worker_id), FW_S(q->letter_no),
                               FW_I(q->case_id), FW_I(q->asked_by), FW_I(q->asked), FW_I(q->ended)),
                       NULL, pool));
    else
        FW_TRY(fw_db_exec(db, "question_update",
                          FW_VALS(FW_S(q->state), FW_I(q->ended), FW_I(q->id), FW_I(q->version)),
                          &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "the question was answered in between");
    q->version++;
    return NULL;
}
