#include "fw_config.h"
#include "fw_store_card.h"

#include <string.h>

#include "fw_take.h"

#define STORES_MOST 200

static const fw_err *take_job(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_job *j = apr_pcalloc(taken->pool, sizeof(*j));

    j->id = fw_take_int(&t);
    j->version = (int)fw_take_int(&t);
    j->job_no = fw_take_text(&t);
    j->case_id = fw_take_int(&t);
    j->round = (int)fw_take_int(&t);
    j->permit_no = fw_take_text(&t);
    j->valid_from = fw_take_text(&t);
    j->valid_to = fw_take_text(&t);
    j->state = fw_take_text(&t);
    j->seq = (int)fw_take_int(&t);
    j->bureau_no = fw_take_text(&t);
    j->card_no = fw_take_text(&t);
    j->spoiled = (int)fw_take_int(&t);
    j->station = fw_take_text(&t);
    j->tracking = fw_take_text(&t);
    j->reason = fw_take_text(&t);
    j->code = fw_take_text(&t);
    j->ordered = fw_take_int(&t);
    j->made = fw_take_int(&t);
    j->sent = fw_take_int(&t);
    j->arrived = fw_take_int(&t);
    j->collected = fw_take_int(&t);
    j->collected_by = fw_take_int(&t);
    j->ask_at = fw_take_int(&t);
    taken->one = j;
    if (taken->list)
        APR_ARRAY_PUSH(taken->list, const fw_job *) = j;
    return NULL;
}

const fw_err *fw_job_load(fw_db *db, fw_id id, fw_job **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "job_load", FW_VALS(FW_I(id)), take_job, &taken, pool));
    *out = taken.one;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such job");
}

const fw_err *fw_job_of_case(fw_db *db, fw_id kase, fw_job **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "job_of_case", FW_VALS(FW_I(kase)), take_job, &taken, pool));
    *out = taken.one;
    return NULL;
}

const fw_err *fw_job_before(fw_db *db, const fw_job *job, apr_array_header_t **out,
                            apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 2, sizeof(const fw_job *))};

    *out = taken.list;
    return fw_db_query(db, "job_list_before", FW_VALS(FW_I(job->case_id), FW_I(job->round)),
                       take_job, &taken, pool);
}

static const fw_err *take_id(void *baton, const fw_row *row)
{
    *(fw_id *)baton = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_job_by_no(fw_db *db, const char *job_no, fw_id *out, apr_pool_t *pool)
{
    *out = 0;
    return fw_db_query(db, "job_by_no", FW_VALS(FW_S(job_no)), take_id, out, pool);
}

const fw_err *fw_job_has_card(fw_db *db, const char *card_no, fw_id but, bool *out,
                              apr_pool_t *pool)
{
    fw_id other = 0;

    FW_TRY(
        fw_db_query(db, "job_by_card", FW_VALS(FW_S(card_no), FW_I(but)), take_id, &other, pool));
    *out = other != 0;
    return NULL;
}

static const fw_err *insert_job(fw_db *db, const fw_job *j, apr_pool_t *pool)
{
    return fw_db_exec(db, "job_insert",
                      FW_VALS(FW_I(j->id), FW_I(1), FW_S(j->job_no), FW_I(j->case_id),
                              FW_I(j->round), FW_S(j->permit_no), FW_S(j->valid_from),
                              FW_S(j->valid_to), FW_S(j->state), FW_I(j->seq), FW_S(j->bureau_no),
                              FW_S(j->card_no), FW_I(j->spoiled), FW_S(j->station),
                              FW_S(j->tracking), FW_S(j->reason), FW_S(j->code), FW_I(j->ordered),
                              FW_I(j->made), FW_I(j->sent), FW_I(j->arrived), FW_I(j->collected),
                              FW_I(j->collected_by), FW_I(j->ask_at)),
                      NULL, pool);
}

const fw_err *fw_job_put(fw_db *db, fw_job *j, apr_pool_t *pool)
{
    int rows = 1;

    if (j->version == 0)
        FW_TRY(insert_job(db, j, pool));
    else
        FW_TRY(
            fw_db_exec(db, "job_update",
                       FW_VALS(FW_S(j->state), FW_I(j->seq), FW_S(j->bureau_no), FW_S(j->card_no),
                               FW_I(j->spoiled), FW_S(j->station), FW_S(j->tracking),
                               FW_S(j->reason), FW_S(j->code), FW_I(j->made), FW_I(j->sent),
                               FW_I(j->arrived), FW_I(j->collected), FW_I(j->collected_by),
                               FW_I(j->ask_at), FW_I(j->id), FW_I(j->version)),
                       &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "the job was changed in between");
    j->version++;
    return NULL;
}

/* ---- lists ---- */

static const fw_err *take_line(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_job_line *l = apr_array_push(taken->list);
    const char *state;

    l->id = fw_take_int(&t);
    l->card_no = fw_take_text(&t);
    l->arrived = fw_take_int(&t);
    l->case_id = fw_take_int(&t);
    l->case_no = fw_take_text(&t);
    l->service = fw_take_text(&t);
    state = fw_take_text(&t);
    if (!state || !fw_state_parse(state, &l->state))
        return FW_ERR(taken->pool, FW_E_CORRUPT, 0, "a case's state is not known");
    l->name_latin = fw_take_text(&t);
    l->name_native = fw_take_text(&t);
    l->passport_no = fw_take_text(&t);
    l->nationality = fw_take_text(&t);
    l->version = (int)fw_take_int(&t);
    if (t.at == fw_row_columns(row))
        return NULL;
    l->ordered = fw_take_int(&t);
    l->sent = fw_take_int(&t);
    l->tracking = fw_take_text(&t);
    l->station = fw_take_text(&t);
    l->card_state = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_job_waiting(fw_db *db, const char *station, apr_time_t arrived, fw_id after,
                             int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 16, sizeof(fw_job_line))};

    *out = taken.list;
    return fw_db_query(
        db, "job_list_waiting",
        FW_VALS(FW_S(station), FW_I(arrived), FW_I(arrived), FW_I(after), FW_I(limit)), take_line,
        &taken, pool);
}

const fw_err *fw_job_waiting_of(fw_db *db, const char *station, const char *case_no,
                                apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_job_line))};

    *out = taken.list;
    return fw_db_query(db, "job_list_waiting_of", FW_VALS(FW_S(case_no), FW_S(station)), take_line,
                       &taken, pool);
}

const fw_err *fw_job_out(fw_db *db, const char *station, apr_time_t ordered, fw_id after, int limit,
                         apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 16, sizeof(fw_job_line))};

    *out = taken.list;
    if (!station)
        return fw_db_query(db, "job_list_out",
                           FW_VALS(FW_I(ordered), FW_I(ordered), FW_I(after), FW_I(limit)),
                           take_line, &taken, pool);
    return fw_db_query(
        db, "job_list_out_of",
        FW_VALS(FW_S(station), FW_I(ordered), FW_I(ordered), FW_I(after), FW_I(limit)), take_line,
        &taken, pool);
}

static const fw_err *push_id(void *baton, const fw_row *row)
{
    APR_ARRAY_PUSH(((fw_taken *)baton)->list, fw_id) = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_job_to_ask(fw_db *db, apr_time_t at, int limit, apr_array_header_t **out,
                            apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_id))};

    *out = taken.list;
    return fw_db_query(db, "job_to_ask", FW_VALS(FW_I(at), FW_I(limit)), push_id, &taken, pool);
}

/* ---- blanks ---- */

const fw_err *fw_stock_count(fw_db *db, const fw_blanks *by, apr_pool_t *pool)
{
    if (!by->reserved && !by->made && !by->spoiled && !by->delivered)
        return NULL;
    return fw_db_exec(
        db, "stock_count",
        FW_VALS(FW_I(by->reserved), FW_I(by->made), FW_I(by->spoiled), FW_I(by->delivered)), NULL,
        pool);
}

typedef struct stock {
    fw_blanks *ours; /* or NULL */
    fw_taken theirs;
} stock;

static void take_ours(fw_blanks *out, const fw_shelf *row, int made)
{
    *out = (fw_blanks){.reserved = (int)row->reserved,
                       .made = made,
                       .delivered = (int)row->delivered,
                       .spoiled = (int)row->spoiled};
}

static const fw_err *take_shelf(void *baton, const fw_row *row)
{
    stock *s = baton;
    fw_take t = {row, s->theirs.pool, 0};
    const char *side = fw_take_text(&t);
    fw_shelf shelf = {.store = fw_take_text(&t)};
    int made;

    shelf.at = fw_take_int(&t);
    shelf.blanks = fw_take_int(&t);
    shelf.reserved = fw_take_int(&t);
    made = (int)fw_take_int(&t);
    shelf.spoiled = fw_take_int(&t);
    shelf.delivered = fw_take_int(&t);
    shelf.low_at = fw_take_int(&t);
    if (side && strcmp(side, "theirs") == 0)
        APR_ARRAY_PUSH(s->theirs.list, fw_shelf) = shelf;
    else if (s->ours)
        take_ours(s->ours, &shelf, made);
    return NULL;
}

static stock stock_of(fw_blanks *ours, apr_pool_t *pool)
{
    return (stock){ours, {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_shelf))}};
}

const fw_err *fw_stock_load(fw_db *db, const char *store, fw_shelf **out, apr_pool_t *pool)
{
    stock s = stock_of(NULL, pool);

    FW_TRY(fw_db_query(db, "stock_load", FW_VALS(FW_S(store)), take_shelf, &s, pool));
    *out = s.theirs.list->nelts ? &APR_ARRAY_IDX(s.theirs.list, 0, fw_shelf) : NULL;
    return NULL;
}

const fw_err *fw_stock_put(fw_db *db, const fw_shelf *s, apr_pool_t *pool)
{
    return fw_db_exec(db, "stock_put",
                      FW_VALS(FW_S(s->store), FW_I(s->at), FW_I(s->blanks), FW_I(s->reserved),
                              FW_I(s->spoiled), FW_I(s->delivered), FW_I(s->low_at)),
                      NULL, pool);
}

const fw_err *fw_stock_list(fw_db *db, fw_blanks *ours, apr_array_header_t **theirs,
                            apr_pool_t *pool)
{
    stock s = stock_of(ours, pool);

    *ours = (fw_blanks){0};
    *theirs = s.theirs.list;
    return fw_db_query(db, "stock_list", FW_VALS(FW_I(STORES_MOST)), take_shelf, &s, pool);
}
