#include "fw_config.h"
#include "fw_store_link.h"

#include "fw_take.h"

static fw_taken make_taken(apr_size_t size, apr_pool_t *pool)
{
    return (fw_taken){.pool = pool, .list = apr_array_make(pool, 8, (int)size)};
}

/* ---- links ---- */

const fw_err *fw_link_put(fw_db *db, const fw_link *l, apr_pool_t *pool)
{
    return fw_db_exec(db, "link_put",
                      FW_VALS(FW_S(l->plugin), FW_S(l->node), FW_S(l->port), FW_S(l->state),
                              FW_I(l->since), FW_I(l->failures), FW_I(l->last_ok), FW_S(l->error),
                              FW_I(l->next_probe)),
                      NULL, pool);
}

static const fw_err *take_link(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_link *l = apr_array_push(taken->list);

    l->plugin = fw_take_text(&t);
    l->node = fw_take_text(&t);
    l->port = fw_take_text(&t);
    l->state = fw_take_text(&t);
    l->since = fw_take_int(&t);
    l->failures = (int)fw_take_int(&t);
    l->last_ok = fw_take_int(&t);
    l->error = fw_take_text(&t);
    l->next_probe = fw_take_int(&t);
    return NULL;
}

const fw_err *fw_link_list(fw_db *db, const char *node, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_link), pool);

    *out = taken.list;
    return fw_db_query(db, "link_of_node", FW_VALS(FW_S(node)), take_link, &taken, pool);
}

const fw_err *fw_link_hurry(fw_db *db, const char *port, apr_time_t now, apr_pool_t *pool)
{
    return fw_db_exec(db, "link_hurry", FW_VALS(FW_I(now), FW_S(port), FW_I(now)), NULL, pool);
}

/* ---- pauses ---- */

/* One row was changed, or another writer was faster. */
static const fw_err *one_row(int rows, apr_pool_t *pool)
{
    return rows == 1 ? NULL : FW_ERR(pool, FW_E_CONFLICT, 0, "it is not in that state any more");
}

const fw_err *fw_link_pause(fw_db *db, const char *plugin, const fw_actor *actor, apr_time_t now,
                            const char *reason, apr_pool_t *pool)
{
    return fw_db_exec(
        db, "link_pause",
        FW_VALS(FW_S(plugin), FW_I(now), FW_I(actor->account_id), FW_S(actor->login), FW_S(reason)),
        NULL, pool);
}

const fw_err *fw_link_resume(fw_db *db, const char *plugin, apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "link_resume", FW_VALS(FW_S(plugin)), &rows, pool));
    return one_row(rows, pool);
}

static const fw_err *take_yes(void *baton, const fw_row *row)
{
    (void)row;
    *(bool *)baton = true;
    return NULL;
}

const fw_err *fw_link_is_paused(fw_db *db, const char *plugin, bool *out, apr_pool_t *pool)
{
    *out = false;
    return fw_db_query(db, "link_is_paused", FW_VALS(FW_S(plugin)), take_yes, out, pool);
}

static const fw_err *take_pause(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_pause *p = apr_array_push(taken->list);

    p->plugin = fw_take_text(&t);
    p->since = fw_take_int(&t);
    p->actor = fw_take_text(&t);
    p->reason = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_link_pauses(fw_db *db, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_pause), pool);

    *out = taken.list;
    return fw_db_query(db, "link_pauses", NULL, 0, take_pause, &taken, pool);
}

typedef struct outage {
    const char *state;
    apr_time_t since;
    apr_pool_t *pool;
} outage;

/* The pause comes first, and counts. */
static const fw_err *take_outage(void *baton, const fw_row *row)
{
    outage *o = baton;

    if (o->state)
        return NULL;
    o->state = fw_row_text(row, 0, o->pool);
    o->since = fw_row_int(row, 1);
    return NULL;
}

const fw_err *fw_link_outage(fw_db *db, const char *plugin, const char **state, apr_time_t *since,
                             apr_pool_t *pool)
{
    outage o = {.pool = pool};

    FW_TRY(
        fw_db_query(db, "link_outage", FW_VALS(FW_S(plugin), FW_S(plugin)), take_outage, &o, pool));
    *state = o.state;
    *since = o.since;
    return NULL;
}

/* ---- counts ---- */

static const fw_err *take_count(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_link_count *c = apr_array_push(taken->list);

    *c = (fw_link_count){.name = fw_take_text(&t), .n = (int)fw_row_int(row, 1)};
    if (fw_row_columns(row) > 2) {
        c->oldest = fw_row_int(row, 2);
        c->cases = (int)fw_row_int(row, 3);
    }
    return NULL;
}

static const fw_err *count(fw_db *db, const char *name, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_link_count), pool);

    *out = taken.list;
    return fw_db_query(db, name, NULL, 0, take_count, &taken, pool);
}

const fw_err *fw_link_waiting(fw_db *db, apr_array_header_t **out, apr_pool_t *pool)
{
    return count(db, "link_waiting", out, pool);
}

const fw_err *fw_link_dead(fw_db *db, apr_array_header_t **out, apr_pool_t *pool)
{
    return count(db, "link_dead", out, pool);
}

const fw_err *fw_link_dead_messages(fw_db *db, apr_array_header_t **out, apr_pool_t *pool)
{
    return count(db, "link_dead_messages", out, pool);
}

static const fw_err *take_state(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_state_count *c = apr_array_push(taken->list);
    const char *name = fw_row_text(row, 0, taken->pool);

    if (!fw_state_parse(name, &c->state))
        return FW_ERR(taken->pool, FW_E_CORRUPT, 0, "a case's state %s is not known", name);
    c->n = (int)fw_row_int(row, 1);
    c->overdue = (int)fw_row_int(row, 2);
    return NULL;
}

const fw_err *fw_status_cases(fw_db *db, apr_time_t now, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_state_count), pool);

    *out = taken.list;
    return fw_db_query(db, "status_cases", FW_VALS(FW_I(now)), take_state, &taken, pool);
}

static const fw_err *take_audit(void *baton, const fw_row *row)
{
    fw_audit_count *c = baton;

    c->unsealed = (int)fw_row_int(row, 0);
    c->oldest = fw_row_int(row, 1);
    c->last_seal = fw_row_int(row, 2);
    return NULL;
}

const fw_err *fw_status_audit(fw_db *db, fw_audit_count *out, apr_pool_t *pool)
{
    *out = (fw_audit_count){0};
    return fw_db_query(db, "status_audit", NULL, 0, take_audit, out, pool);
}

/* ---- dead letters ---- */

static const fw_err *take_letter(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_letter *l = apr_array_push(taken->list);

    l->id = fw_take_int(&t);
    l->port = fw_take_text(&t);
    l->op = fw_take_text(&t);
    l->key = fw_take_text(&t);
    l->payload = fw_take_text(&t);
    l->aggregate_id = fw_take_int(&t);
    l->attempts = (int)fw_take_int(&t);
    l->created = fw_take_int(&t);
    l->ended = fw_take_int(&t);
    l->reason = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_letter_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_letter), pool);

    *out = taken.list;
    return fw_db_query(db, "letter_list", FW_VALS(FW_I(limit)), take_letter, &taken, pool);
}

const fw_err *fw_letter_load(fw_db *db, fw_id id, fw_letter **out, apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_letter), pool);

    FW_TRY(fw_db_query(db, "letter_load", FW_VALS(FW_I(id)), take_letter, &taken, pool));
    *out = taken.list->nelts ? &APR_ARRAY_IDX(taken.list, 0, fw_letter) : NULL;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such dead letter");
}

static const fw_err *take_message(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_dead_message *m = apr_array_push(taken->list);

    m->id = fw_take_int(&t);
    m->plugin = fw_take_text(&t);
    m->channel = fw_take_text(&t);
    m->hash = fw_take_text(&t);
    m->size = fw_take_int(&t) / 4 * 3;
    m->attempts = (int)fw_take_int(&t);
    m->received = fw_take_int(&t);
    m->ended = fw_take_int(&t);
    m->reason = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_message_list(fw_db *db, int limit, apr_array_header_t **out, apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_dead_message), pool);

    *out = taken.list;
    return fw_db_query(db, "message_list", FW_VALS(FW_I(limit)), take_message, &taken, pool);
}

const fw_err *fw_message_load(fw_db *db, fw_id id, fw_dead_message **out, apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_dead_message), pool);

    FW_TRY(fw_db_query(db, "message_load", FW_VALS(FW_I(id)), take_message, &taken, pool));
    *out = taken.list->nelts ? &APR_ARRAY_IDX(taken.list, 0, fw_dead_message) : NULL;
    return *out ? NULL : FW_ERR(pool, FW_E_NOTFOUND, 0, "no such dead message");
}

static const fw_err *take_case(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_letter_case *c = apr_array_push(taken->list);

    c->id = fw_row_int(row, 0);
    c->case_no = fw_row_text(row, 1, taken->pool);
    return NULL;
}

const fw_err *fw_letter_cases(fw_db *db, fw_id aggregate, apr_array_header_t **out,
                              apr_pool_t *pool)
{
    fw_taken taken = make_taken(sizeof(fw_letter_case), pool);

    *out = taken.list;
    return fw_db_query(db, "letter_cases", FW_VALS(FW_I(aggregate), FW_I(aggregate)), take_case,
                       &taken, pool);
}

const fw_err *fw_letter_mend(fw_db *db, const fw_letter *letter, const char *payload,
                             apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "letter_mend",
                      FW_VALS(FW_S(payload), FW_I(letter->id), FW_S(letter->payload)), &rows,
                      pool));
    return one_row(rows, pool);
}

const fw_err *fw_letter_drop(fw_db *db, fw_id id, apr_time_t now, const char *reason,
                             apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "letter_drop", FW_VALS(FW_I(now), FW_S(reason), FW_I(id)), &rows, pool));
    return one_row(rows, pool);
}

const fw_err *fw_message_replay(fw_db *db, fw_id id, apr_time_t now, apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "message_replay", FW_VALS(FW_I(now), FW_I(id)), &rows, pool));
    return one_row(rows, pool);
}
