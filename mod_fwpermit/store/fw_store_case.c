#include "fw_config.h"
#include "fw_store_case.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_take.h"

/* FW_STATES where it is none that this build knows: whoever loads it makes that an error. */
static fw_state_e take_state(fw_take *t)
{
    const char *name = fw_take_text(t);
    fw_state_e state = FW_STATE_DRAFT;

    return name && fw_state_parse(name, &state) ? state : FW_STATES;
}

static const fw_err *known(fw_state_e state, apr_pool_t *pool)
{
    return state < FW_STATES ? NULL : FW_ERR(pool, FW_E_CORRUPT, 0, "a state is not known");
}

static void take_case_head(fw_take *t, fw_case *c)
{
    c->id = fw_take_int(t);
    c->version = (int)fw_take_int(t);
    c->case_no = fw_take_text(t);
    c->service = fw_take_text(t);
    c->service_hash = fw_take_text(t);
    c->state = take_state(t);
    c->state_since = fw_take_int(t);
    c->worker_id = fw_take_int(t);
    c->employer_id = fw_take_int(t);
    c->agency_id = fw_take_int(t);
    c->filer_id = fw_take_int(t);
    c->station = fw_take_text(t);
    c->first_reviewer = fw_take_int(t);
    c->second_reviewer = fw_take_int(t);
    c->return_to = take_state(t);
    c->editors = fw_take_text(t);
}

static const fw_err *take_case(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_case *c = taken->list ? apr_array_push(taken->list) : apr_pcalloc(taken->pool, sizeof(*c));

    take_case_head(&t, c);
    c->data = fw_take_text(&t);
    c->marks = fw_take_text(&t);
    c->reason = fw_take_text(&t);
    c->fee = fw_take_int(&t);
    c->payment_id = fw_take_int(&t);
    c->permit_id = fw_take_int(&t);
    c->created = fw_take_int(&t);
    c->submitted = fw_take_int(&t);
    c->due = fw_take_int(&t);
    c->deadline = fw_take_int(&t);
    c->turn_since = fw_take_int(&t);
    c->office_us = fw_take_int(&t);
    c->applicant_us = fw_take_int(&t);
    c->passport_no = fw_take_text(&t);
    c->nationality = fw_take_text(&t);
    c->name_latin = fw_take_text(&t);
    c->name_native = fw_take_text(&t);
    c->birth = fw_take_text(&t);
    c->permit_letter = fw_take_text(&t);
    c->county = fw_take_text(&t);
    c->employer_zh = fw_take_text(&t);
    c->employer_en = fw_take_text(&t);
    taken->one = c;
    FW_TRY(known(c->state, taken->pool));
    return known(c->return_to, taken->pool);
}

const fw_err *fw_case_load(fw_db *db, fw_id id, fw_case **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool};

    *out = NULL;
    FW_TRY(fw_db_query(db, "case_load", FW_VALS(FW_I(id)), take_case, &taken, pool));
    if (!taken.one)
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "no such case");
    *out = taken.one;
    return NULL;
}

const fw_err *fw_case_load_some(fw_db *db, const fw_id *ids, int n, const fw_case **out,
                                apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, n + 1, sizeof(fw_case))};
    const char *list = fw_take_list(ids, n, pool);

    FW_TRY(fw_db_query(db, "case_load_some", FW_VALS(FW_S(list)), take_case, &taken, pool));
    for (int i = 0; i < n; i++) {
        out[i] = NULL;
        for (int k = 0; k < taken.list->nelts && !out[i]; k++) {
            const fw_case *c = &APR_ARRAY_IDX(taken.list, k, fw_case);

            out[i] = c->id == ids[i] ? c : NULL;
        }
    }
    return NULL;
}

static const fw_err *take_nothing(void *baton, const fw_row *row)
{
    (void)baton, (void)row;
    return NULL;
}

const fw_err *fw_case_hold(fw_db *db, fw_id id, apr_pool_t *pool)
{
    return fw_db_query(db, "case_hold", FW_VALS(FW_I(id)), take_nothing, NULL, pool);
}

static const fw_err *insert_case(fw_db *db, const fw_case *c, apr_pool_t *pool)
{
    return fw_db_exec(
        db, "case_insert",
        FW_VALS(FW_I(c->id), FW_I(1), FW_S(c->case_no), FW_S(c->service), FW_S(c->service_hash),
                FW_S(fw_state_name(c->state)), FW_I(c->state_since), FW_I(c->worker_id),
                FW_I(c->employer_id), FW_I(c->agency_id), FW_I(c->filer_id), FW_S(c->station),
                FW_I(c->first_reviewer), FW_I(c->second_reviewer),
                FW_S(fw_state_name(c->return_to)), FW_S(c->editors), FW_S(c->data), FW_S(c->marks),
                FW_S(c->reason), FW_I(c->fee), FW_I(c->payment_id), FW_I(c->permit_id),
                FW_I(c->created), FW_I(c->submitted), FW_I(c->due), FW_I(c->deadline),
                FW_I(c->turn_since), FW_I(c->office_us), FW_I(c->applicant_us),
                FW_S(c->passport_no), FW_S(c->nationality), FW_S(c->name_latin),
                FW_S(c->name_native), FW_S(c->birth), FW_S(c->permit_letter), FW_S(c->county)),
        NULL, pool);
}

static const fw_err *update_case(fw_db *db, const fw_case *c, int *rows, apr_pool_t *pool)
{
    return fw_db_exec(
        db, "case_update",
        FW_VALS(FW_S(c->case_no), FW_S(fw_state_name(c->state)), FW_I(c->state_since),
                FW_S(c->station), FW_I(c->first_reviewer), FW_I(c->second_reviewer),
                FW_S(fw_state_name(c->return_to)), FW_S(c->editors), FW_S(c->data), FW_S(c->marks),
                FW_S(c->reason), FW_I(c->fee), FW_I(c->payment_id), FW_I(c->permit_id),
                FW_I(c->submitted), FW_I(c->due), FW_I(c->deadline), FW_I(c->turn_since),
                FW_I(c->office_us), FW_I(c->applicant_us), FW_S(c->passport_no),
                FW_S(c->nationality), FW_S(c->name_latin), FW_S(c->name_native), FW_S(c->birth),
                FW_S(c->permit_letter), FW_S(c->county), FW_I(c->id), FW_I(c->version)),
        rows, pool);
}

const fw_err *fw_case_put(fw_db *db, fw_case *c, apr_pool_t *pool)
{
    int rows = 1;

    if (c->version == 0)
        FW_TRY(insert_case(db, c, pool));
    else
        FW_TRY(update_case(db, c, &rows, pool));
    if (rows != 1)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "the case was changed in between");
    c->version++;
    return NULL;
}

static const fw_err *take_officer(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_officer o = {.id = fw_take_int(&t)};
    const char *roles;
    unsigned set = 0;

    o.name = fw_take_text(&t);
    o.station = fw_take_text(&t);
    roles = fw_take_text(&t);
    o.open = (int)fw_take_int(&t);
    if (roles && fw_roles_parse(roles, &set) && (set & FW_ROLE_INITIAL))
        APR_ARRAY_PUSH(taken->list, fw_officer) = o;
    return NULL;
}

const fw_err *fw_case_officers(fw_db *db, const char *station, apr_array_header_t **out,
                               apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_officer))};

    *out = taken.list;
    if (!station)
        return fw_db_query(db, "case_officers_all", NULL, 0, take_officer, &taken, pool);
    return fw_db_query(db, "case_officers", FW_VALS(FW_S(station)), take_officer, &taken, pool);
}

static const fw_err *take_line(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_case_line *l = apr_array_push(taken->list);

    l->id = fw_take_int(&t);
    l->case_no = fw_take_text(&t);
    l->service = fw_take_text(&t);
    l->state = take_state(&t);
    l->name_latin = fw_take_text(&t);
    l->name_native = fw_take_text(&t);
    l->passport_no = fw_take_text(&t);
    l->nationality = fw_take_text(&t);
    l->created = fw_take_int(&t);
    l->submitted = fw_take_int(&t);
    l->due = fw_take_int(&t);
    l->deadline = fw_take_int(&t);
    l->fee = fw_take_int(&t);
    l->employer_zh = fw_take_text(&t);
    l->employer_en = fw_take_text(&t);
    l->version = (int)fw_take_int(&t);
    return known(l->state, taken->pool);
}

static const fw_err *ask_lines(fw_db *db, const fw_case_ask *a, fw_taken *taken, apr_pool_t *pool)
{
    fw_val id = FW_I(a->id), limit = FW_I(a->limit),
           before = FW_I(a->before ? a->before : INT64_MAX), due = FW_I(a->after_due),
           after = FW_I(a->after);
    fw_val state = FW_S(a->state ? a->state : ""), text = FW_S(a->text ? a->text : "");

    switch (a->list) {
    case FW_LIST_EMPLOYER:
        return fw_db_query(db, "case_list_employer", FW_VALS(id, before, state, state, limit),
                           take_line, taken, pool);
    case FW_LIST_AGENCY:
        return fw_db_query(db, "case_list_agency", FW_VALS(id, before, state, state, limit),
                           take_line, taken, pool);
    case FW_LIST_REVIEWER:
        return fw_db_query(db, "case_list_reviewer", FW_VALS(id, state, due, after, limit),
                           take_line, taken, pool);
    case FW_LIST_STATION:
        return fw_db_query(db, "case_list_station", FW_VALS(text, state, id, due, after, limit),
                           take_line, taken, pool);
    case FW_LIST_STATE:
        return fw_db_query(db, "case_list_state", FW_VALS(state, due, after, limit), take_line,
                           taken, pool);
    case FW_LIST_SEARCH:
        return fw_db_query(db, "case_list_search", FW_VALS(text, text, text, limit), take_line,
                           taken, pool);
    case FW_LIST_WORKER:
        return fw_db_query(db, "case_list_worker",
                           FW_VALS(id, FW_I(a->agency), FW_I(a->agency), limit), take_line, taken,
                           pool);
    }
    return NULL;
}

const fw_err *fw_case_list(fw_db *db, const fw_case_ask *ask, apr_array_header_t **out,
                           apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 32, sizeof(fw_case_line))};

    *out = taken.list;
    return ask_lines(db, ask, &taken, pool);
}

static const fw_err *take_ids(void *baton, const fw_row *row)
{
    APR_ARRAY_PUSH(((fw_taken *)baton)->list, fw_id) = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_case_overdue(fw_db *db, apr_time_t now, int limit, apr_array_header_t **out,
                              apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_id))};

    *out = taken.list;
    return fw_db_query(db, "case_overdue", FW_VALS(FW_I(now), FW_I(limit)), take_ids, &taken, pool);
}

static const fw_err *take_time(void *baton, const fw_row *row)
{
    *(apr_time_t *)baton = fw_row_int(row, 0);
    return NULL;
}

const fw_err *fw_case_filed_since(fw_db *db, fw_id worker, apr_time_t since, apr_time_t *out,
                                  apr_pool_t *pool)
{
    *out = 0;
    return fw_db_query(db, "case_filed_since", FW_VALS(FW_I(worker), FW_I(since)), take_time, out,
                       pool);
}

/* ---- files ---- */

static const fw_err *take_file(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_file *f = apr_array_push(taken->list);

    f->id = fw_take_int(&t);
    f->case_id = fw_take_int(&t);
    f->slot = fw_take_text(&t);
    f->vault = fw_take_text(&t);
    f->name = fw_take_text(&t);
    f->mime = fw_take_text(&t);
    f->size = fw_take_int(&t);
    f->sha256 = fw_take_text(&t);
    f->measures = fw_take_text(&t);
    f->created = fw_take_int(&t);
    f->by = fw_take_int(&t);
    f->by_org = fw_take_int(&t);
    if (!fw_scan_parse(fw_take_text(&t), &f->scan))
        return FW_ERR(taken->pool, FW_E_CORRUPT, 0, "a verdict on a file is not known");
    f->current = fw_take_int(&t) != 0;
    f->taken_from = fw_take_int(&t);
    f->taken_data = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_file_list(fw_db *db, fw_id case_id, bool history, apr_array_header_t **out,
                           apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_file))};

    *out = taken.list;
    return fw_db_query(db, history ? "file_history" : "file_list", FW_VALS(FW_I(case_id)),
                       take_file, &taken, pool);
}

const fw_err *fw_file_load(fw_db *db, fw_id id, fw_file **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 1, sizeof(fw_file))};

    FW_TRY(fw_db_query(db, "file_load", FW_VALS(FW_I(id)), take_file, &taken, pool));
    if (taken.list->nelts == 0)
        return FW_ERR(pool, FW_E_NOTFOUND, 0, "no such file");
    *out = &APR_ARRAY_IDX(taken.list, 0, fw_file);
    return NULL;
}

const fw_err *fw_file_add(fw_db *db, const fw_file *f, apr_pool_t *pool)
{
    return fw_db_exec(db, "file_insert",
                      FW_VALS(FW_I(f->id), FW_I(f->case_id), FW_S(f->slot), FW_S(f->vault),
                              FW_S(f->name), FW_S(f->mime), FW_I(f->size), FW_S(f->sha256),
                              FW_S(f->measures), FW_I(f->created), FW_I(f->by), FW_I(f->by_org),
                              FW_S(fw_scan_name(f->scan)), FW_I(f->taken_from)),
                      NULL, pool);
}

const fw_err *fw_file_retire(fw_db *db, fw_id id, apr_pool_t *pool)
{
    return fw_db_exec(db, "file_retire", FW_VALS(FW_I(id)), NULL, pool);
}

const fw_err *fw_file_retire_slot(fw_db *db, fw_id case_id, const char *slot, apr_pool_t *pool)
{
    return fw_db_exec(db, "file_retire_slot", FW_VALS(FW_I(case_id), FW_S(slot)), NULL, pool);
}

const fw_err *fw_file_judge(fw_db *db, const fw_file *f, apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "file_judge",
                      FW_VALS(FW_S(fw_scan_name(f->scan)), FW_I(f->id), FW_I(f->case_id)), &rows,
                      pool));
    return rows == 1 ? NULL : FW_ERR(pool, FW_E_CONFLICT, 0, "the file has its verdict");
}

const fw_err *fw_file_waits(fw_db *db, const fw_id *cases, int n, int *waits, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 8, sizeof(fw_id))};
    const char *list = fw_take_list(cases, n, pool);

    FW_TRY(fw_db_query(db, "file_waits", FW_VALS(FW_S(list)), take_ids, &taken, pool));
    for (int i = 0; i < n; i++) {
        waits[i] = 0;
        for (int k = 0; k < taken.list->nelts; k++)
            waits[i] += APR_ARRAY_IDX(taken.list, k, fw_id) == cases[i];
    }
    return NULL;
}

/* ---- history ---- */

const fw_err *fw_event_add(fw_db *db, const fw_event *e, apr_pool_t *pool)
{
    return fw_db_exec(db, "event_insert",
                      FW_VALS(FW_I(e->id), FW_I(e->case_id), FW_I(e->case_id), FW_I(e->at),
                              FW_I(e->actor_id), FW_S(e->actor_name), FW_S(e->kind),
                              FW_S(fw_state_name(e->from)), FW_S(fw_state_name(e->to)),
                              FW_S(e->data)),
                      NULL, pool);
}

static const fw_err *take_event(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_event *e = apr_array_push(taken->list);

    e->id = fw_take_int(&t);
    e->case_id = fw_take_int(&t);
    e->seq = (int)fw_take_int(&t);
    e->at = fw_take_int(&t);
    e->actor_id = fw_take_int(&t);
    e->actor_name = fw_take_text(&t);
    e->kind = fw_take_text(&t);
    e->from = take_state(&t);
    e->to = take_state(&t);
    e->data = fw_take_text(&t);
    FW_TRY(known(e->from, taken->pool));
    return known(e->to, taken->pool);
}

const fw_err *fw_event_list(fw_db *db, fw_id case_id, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 16, sizeof(fw_event))};

    *out = taken.list;
    return fw_db_query(db, "event_list", FW_VALS(FW_I(case_id)), take_event, &taken, pool);
}
