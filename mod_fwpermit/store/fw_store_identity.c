#include "fw_config.h"
#include "fw_store_identity.h"

#include "fw_take.h"

static fw_identity *push(fw_taken *taken, fw_identity_e kind, fw_take *t)
{
    fw_identity *i = apr_array_push(taken->list);

    *i = (fw_identity){.kind = kind};
    i->case_id = fw_take_int(t);
    return i;
}

static const fw_err *take_passport(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_identity *i = push(taken, FW_IDENTITY_PASSPORT, &t);

    i->name = fw_take_text(&t);
    i->as_name = fw_take_text(&t);
    i->text = fw_take_text(&t);
    i->other = fw_take_int(&t);
    return NULL;
}

static void take_other(fw_taken *taken, fw_identity_e kind, const fw_row *row)
{
    fw_take t = {row, taken->pool, 0};
    fw_identity *i = push(taken, kind, &t);

    i->other = fw_take_int(&t);
    i->text = fw_take_text(&t);
    i->what = fw_take_text(&t);
}

static const fw_err *take_open(void *baton, const fw_row *row)
{
    take_other(baton, FW_IDENTITY_OPEN, row);
    return NULL;
}

static const fw_err *take_file(void *baton, const fw_row *row)
{
    take_other(baton, FW_IDENTITY_FILE, row);
    return NULL;
}

static const fw_err *take_letter(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_identity *i = push(taken, FW_IDENTITY_LETTER, &t);

    i->what = fw_take_text(&t);
    i->text = fw_take_text(&t);
    return NULL;
}

static const fw_err *take_movement(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_identity *i = push(taken, FW_IDENTITY_MOVEMENT, &t);

    i->passport_no = fw_take_text(&t);
    i->text = fw_take_text(&t);
    i->at = fw_take_int(&t);
    i->what = fw_take_text(&t);
    i->data = fw_take_text(&t);
    return NULL;
}

static const fw_err *take_arrival(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_identity *i = push(taken, FW_IDENTITY_ARRIVAL, &t);

    i->name = fw_take_text(&t);
    i->text = fw_take_text(&t);
    i->at = fw_take_int(&t);
    i->data = fw_take_text(&t);
    return NULL;
}

static const fw_err *take_named(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_identity *i = push(taken, FW_IDENTITY_NAMED, &t);
    fw_id ours = fw_take_int(&t), theirs = fw_take_int(&t);

    i->is_another_s = fw_take_text(&t) && theirs != ours; /* a recruitment permit names nobody */
    i->text = fw_take_text(&t);
    i->data = fw_take_text(&t);
    return NULL;
}

static const fw_err *take_late(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_identity *i = push(taken, FW_IDENTITY_LATE, &t);

    i->days = (int)fw_take_int(&t);
    return NULL;
}

static const fw_err *take_revoked(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_identity *i = push(taken, FW_IDENTITY_REVOKED, &t);

    i->text = fw_take_text(&t);
    return NULL;
}

static const struct {
    const char *name;
    const fw_err *(*take)(void *baton, const fw_row *row);
} statements[] = {{"identity_passport", take_passport}, {"identity_open", take_open},
                  {"identity_file", take_file},         {"identity_letter", take_letter},
                  {"identity_movement", take_movement}, {"identity_arrival", take_arrival},
                  {"identity_named", take_named},       {"identity_late", take_late},
                  {"identity_revoked", take_revoked}};

const fw_err *fw_identity_list(fw_db *db, const fw_id *cases, int n, apr_array_header_t **out,
                               apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 4, sizeof(fw_identity))};
    const char *list = fw_take_list(cases, n, pool);

    *out = taken.list;
    if (n == 0)
        return NULL;
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        FW_TRY(fw_db_query(db, statements[i].name, FW_VALS(FW_S(list)), statements[i].take, &taken,
                           pool));
    return NULL;
}
