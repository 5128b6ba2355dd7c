#include "fw_config.h"
#include "fw_store_party.h"

#include "fw_take.h"

static const fw_err *take_org(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_org *o = apr_array_push(taken->list);

    o->id = fw_take_int(&t);
    o->version = (int)fw_take_int(&t);
    o->kind = fw_take_text(&t);
    o->ban = fw_take_text(&t);
    o->licence = fw_take_text(&t);
    o->name_zh = fw_take_text(&t);
    o->name_en = fw_take_text(&t);
    o->address = fw_take_text(&t);
    o->county = fw_take_text(&t);
    o->phone = fw_take_text(&t);
    o->email = fw_take_text(&t);
    o->created = fw_take_int(&t);
    return NULL;
}

static const fw_err *query_orgs(fw_db *db, const char *name, fw_val arg, apr_array_header_t **out,
                                apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_org))};

    *out = taken.list;
    return fw_db_query(db, name, &arg, 1, take_org, &taken, pool);
}

static const fw_err *query_org(fw_db *db, const char *name, fw_val arg, fw_org **out,
                               apr_pool_t *pool)
{
    apr_array_header_t *list = NULL;

    *out = NULL;
    FW_TRY(query_orgs(db, name, arg, &list, pool));
    if (list->nelts == 0)
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "no such organisation");
    *out = &APR_ARRAY_IDX(list, 0, fw_org);
    return NULL;
}

const fw_err *fw_org_load(fw_db *db, fw_id id, fw_org **out, apr_pool_t *pool)
{
    return query_org(db, "org_load", FW_I(id), out, pool);
}

const fw_err *fw_org_by_ban(fw_db *db, const char *ban, fw_org **out, apr_pool_t *pool)
{
    return query_org(db, "org_by_ban", FW_S(ban), out, pool);
}

const fw_err *fw_org_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    return query_orgs(db, "org_list", FW_I(limit), out, pool);
}

const fw_err *fw_org_employers(fw_db *db, fw_id agency, apr_array_header_t **out, apr_pool_t *pool)
{
    return query_orgs(db, "org_employers", FW_I(agency), out, pool);
}

static const fw_err *check_rows(int rows, apr_pool_t *pool)
{
    return rows == 1 ? NULL : FW_ERR(pool, FW_E_CONFLICT, 0, "it was changed in between");
}

const fw_err *fw_org_put(fw_db *db, fw_org *o, apr_pool_t *pool)
{
    int rows = 1;

    if (o->version == 0)
        FW_TRY(
            fw_db_exec(db, "org_insert",
                       FW_VALS(FW_I(o->id), FW_I(1), FW_S(o->kind), FW_S(o->ban), FW_S(o->licence),
                               FW_S(o->name_zh), FW_S(o->name_en), FW_S(o->address),
                               FW_S(o->county), FW_S(o->phone), FW_S(o->email), FW_I(o->created)),
                       NULL, pool));
    else
        FW_TRY(fw_db_exec(db, "org_update",
                          FW_VALS(FW_S(o->name_zh), FW_S(o->name_en), FW_S(o->address),
                                  FW_S(o->county), FW_S(o->phone), FW_S(o->email), FW_I(o->id),
                                  FW_I(o->version)),
                          &rows, pool));
    FW_TRY(check_rows(rows, pool));
    o->version++;
    return NULL;
}

/* ---- delegations ---- */

static const fw_err *take_delegation(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_delegation *d = apr_pcalloc(taken->pool, sizeof(*d));

    d->id = fw_take_int(&t);
    d->version = (int)fw_take_int(&t);
    d->employer_id = fw_take_int(&t);
    d->agency_id = fw_take_int(&t);
    d->granted = fw_take_int(&t);
    d->revoked = fw_take_int(&t);
    taken->one = d;
    return NULL;
}

const fw_err *fw_delegation_load(fw_db *db, fw_id id, fw_delegation **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "delegation_load", FW_VALS(FW_I(id)), take_delegation, &taken, pool));
    *out = taken.one;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such delegation");
}

const fw_err *fw_delegation_live(fw_db *db, fw_id employer, fw_id agency, fw_delegation **out,
                                 apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "delegation_live", FW_VALS(FW_I(employer), FW_I(agency)),
                       take_delegation, &taken, pool));
    *out = taken.one;
    return NULL;
}

const fw_err *fw_delegation_put(fw_db *db, fw_delegation *d, apr_pool_t *pool)
{
    int rows = 1;

    if (d->version == 0)
        FW_TRY(fw_db_exec(db, "delegation_insert",
                          FW_VALS(FW_I(d->id), FW_I(1), FW_I(d->employer_id), FW_I(d->agency_id),
                                  FW_I(d->granted), FW_I(d->revoked)),
                          NULL, pool));
    else
        FW_TRY(fw_db_exec(db, "delegation_update",
                          FW_VALS(FW_I(d->revoked), FW_I(d->id), FW_I(d->version)), &rows, pool));
    FW_TRY(check_rows(rows, pool));
    d->version++;
    return NULL;
}

static const fw_err *take_delegation_line(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_delegation_line *l = apr_array_push(taken->list);

    l->id = fw_take_int(&t);
    l->granted = fw_take_int(&t);
    l->name_zh = fw_take_text(&t);
    l->name_en = fw_take_text(&t);
    l->licence = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_delegation_of_employer(fw_db *db, fw_id employer, apr_array_header_t **out,
                                        apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_delegation_line))};

    *out = taken.list;
    return fw_db_query(db, "delegation_of_employer", FW_VALS(FW_I(employer)), take_delegation_line,
                       &taken, pool);
}

/* ---- workers ---- */

static void take_worker_columns(fw_take *t, fw_worker *w)
{
    w->id = fw_take_int(t);
    w->version = (int)fw_take_int(t);
    w->employer_id = fw_take_int(t);
    w->agency_id = fw_take_int(t);
    w->passport_no = fw_take_text(t);
    w->nationality = fw_take_text(t);
    w->name_latin = fw_take_text(t);
    w->name_native = fw_take_text(t);
    w->birth = fw_take_text(t);
    w->sex = fw_take_text(t);
    w->permit_letter = fw_take_text(t);
    w->data = fw_take_text(t);
    w->created = fw_take_int(t);
    w->entered = fw_take_text(t);
    w->file_by = fw_take_int(t);
    w->filed = fw_take_int(t);
    w->reminded = fw_take_int(t);
}

static const fw_err *take_worker(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};

    taken->one = apr_pcalloc(taken->pool, sizeof(fw_worker));
    take_worker_columns(&t, taken->one);
    return NULL;
}

const fw_err *fw_worker_load(fw_db *db, fw_id id, fw_worker **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    FW_TRY(fw_db_query(db, "worker_load", FW_VALS(FW_I(id)), take_worker, &taken, pool));
    *out = taken.one;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such worker");
}

static const fw_err *take_one_id(void *baton, const fw_row *row)
{
    *(fw_id *)baton = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_worker_by_passport(fw_db *db, fw_id employer, const char *nationality,
                                    const char *passport, fw_id *out, apr_pool_t *pool)
{
    *out = 0;
    return fw_db_query(db, "worker_by_passport",
                       FW_VALS(FW_I(employer), FW_S(nationality), FW_S(passport)), take_one_id, out,
                       pool);
}

const fw_err *fw_worker_put(fw_db *db, fw_worker *w, apr_pool_t *pool)
{
    int rows = 1;

    if (w->version == 0)
        FW_TRY(fw_db_exec(db, "worker_insert",
                          FW_VALS(FW_I(w->id), FW_I(1), FW_I(w->employer_id), FW_I(w->agency_id),
                                  FW_S(w->passport_no), FW_S(w->nationality), FW_S(w->name_latin),
                                  FW_S(w->name_native), FW_S(w->birth), FW_S(w->sex),
                                  FW_S(w->permit_letter), FW_S(w->data), FW_I(w->created),
                                  FW_S(w->entered), FW_I(w->file_by), FW_I(w->filed),
                                  FW_I(w->reminded)),
                          NULL, pool));
    else
        FW_TRY(fw_db_exec(db, "worker_update",
                          FW_VALS(FW_S(w->passport_no), FW_S(w->nationality), FW_S(w->name_latin),
                                  FW_S(w->name_native), FW_S(w->birth), FW_S(w->sex),
                                  FW_S(w->permit_letter), FW_S(w->data), FW_S(w->entered),
                                  FW_I(w->file_by), FW_I(w->filed), FW_I(w->reminded), FW_I(w->id),
                                  FW_I(w->version)),
                          &rows, pool));
    FW_TRY(check_rows(rows, pool));
    w->version++;
    return NULL;
}

static const fw_err *take_worker_match(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_worker_match *m = apr_array_push(taken->list);

    take_worker_columns(&t, &m->worker);
    m->employer_ban = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_worker_of_passport(fw_db *db, const char *nationality, const char *passport,
                                    apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 2, sizeof(fw_worker_match))};

    *out = taken.list;
    return fw_db_query(db, "worker_of_passport", FW_VALS(FW_S(nationality), FW_S(passport)),
                       take_worker_match, &taken, pool);
}

const fw_err *fw_worker_of_birth(fw_db *db, const char *nationality, const char *birth,
                                 apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_worker_match))};

    *out = taken.list;
    return fw_db_query(db, "worker_of_birth", FW_VALS(FW_S(nationality), FW_S(birth)),
                       take_worker_match, &taken, pool);
}

static const fw_err *take_id(void *baton, const fw_row *row)
{
    APR_ARRAY_PUSH((apr_array_header_t *)baton, fw_id) = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_worker_to_remind(fw_db *db, apr_time_t before, int limit, apr_array_header_t **out,
                                  apr_pool_t *pool)
{
    *out = apr_array_make(pool, 8, sizeof(fw_id));
    return fw_db_query(db, "worker_to_remind", FW_VALS(FW_I(before), FW_I(limit)), take_id, *out,
                       pool);
}

static const fw_err *take_worker_line(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_worker_line *l = apr_array_push(taken->list);

    take_worker_columns(&t, &l->worker);
    l->employer_zh = fw_take_text(&t);
    l->employer_en = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_worker_list(fw_db *db, fw_id org, bool agency, apr_time_t before, int limit,
                             apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 16, sizeof(fw_worker_line))};

    *out = taken.list;
    return fw_db_query(db, agency ? "worker_list_agency" : "worker_list_employer",
                       FW_VALS(FW_I(org), FW_I(before ? before : INT64_MAX), FW_I(limit)),
                       take_worker_line, &taken, pool);
}
