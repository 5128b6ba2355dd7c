#include "fw_config.h"
#include "fw_store_audit.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#include "fw_sha256.h"
#include "fw_take.h"
#include "fw_template.h"

#define WALK_ROWS 500

static void hash_text(EVP_MD_CTX *ctx, const char *text)
{
    uint64_t n = text ? strlen(text) : 0;
    unsigned char length[9] = {text ? 1 : 0};

    for (int i = 8; i > 0; i--, n >>= 8)
        length[i] = (unsigned char)(n & 0xff);
    EVP_DigestUpdate(ctx, length, sizeof(length));
    if (text)
        EVP_DigestUpdate(ctx, text, strlen(text));
}

static void hash_number(EVP_MD_CTX *ctx, int64_t number)
{
    char text[24];

    apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, number);
    hash_text(ctx, text);
}

static const char *end_hash(EVP_MD_CTX *ctx, apr_pool_t *pool)
{
    const char *hex = fw_sha256_end(ctx, pool);

    EVP_MD_CTX_free(ctx);
    return hex;
}

static EVP_MD_CTX *begin_hash(const char *what)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    hash_text(ctx, what);
    return ctx;
}

const char *fw_audit_hash(const fw_audit *r, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = begin_hash("fwpermit audit record 1");

    hash_text(ctx, r->prev);
    hash_number(ctx, r->id);
    hash_text(ctx, r->aggregate);
    hash_number(ctx, r->seq);
    hash_number(ctx, r->at);
    hash_number(ctx, r->actor_id);
    hash_text(ctx, r->actor);
    hash_text(ctx, r->command);
    hash_text(ctx, r->data);
    return end_hash(ctx, pool);
}

const char *fw_seal_hash(const fw_seal *seal, const apr_array_header_t *hashes, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = begin_hash("fwpermit audit seal 1");

    hash_number(ctx, seal->n);
    hash_number(ctx, seal->at);
    hash_number(ctx, seal->records);
    hash_text(ctx, seal->prev);
    for (int i = 0; i < hashes->nelts; i++)
        hash_text(ctx, APR_ARRAY_IDX(hashes, i, const char *));
    return end_hash(ctx, pool);
}

typedef struct last {
    apr_pool_t *pool;
    int64_t n;
    const char *hash;
} last;

static const fw_err *take_last(void *baton, const fw_row *row)
{
    last *l = baton;

    l->n = fw_row_int(row, 0);
    l->hash = fw_row_text(row, 1, l->pool);
    return NULL;
}

const fw_err *fw_audit_add(fw_db *db, fw_audit *r, apr_pool_t *pool)
{
    last l = {pool, 0, ""};

    FW_TRY(fw_db_query(db, "audit_last", FW_VALS(FW_S(r->aggregate)), take_last, &l, pool));
    r->seq = l.n + 1;
    r->prev = l.hash;
    r->hash = fw_audit_hash(r, pool);
    return fw_db_exec(db, "audit_put",
                      FW_VALS(FW_I(r->id), FW_S(r->aggregate), FW_I(r->seq), FW_I(r->at),
                              FW_I(r->actor_id), FW_S(r->actor), FW_S(r->command), FW_S(r->data),
                              FW_S(r->prev), FW_S(r->hash)),
                      NULL, pool);
}

/* ---- many at once ---- */

typedef struct heads {
    apr_pool_t *pool;
    apr_hash_t *of; /* aggregate: fw_audit, the last of it */
} heads;

static const fw_err *take_head(void *baton, const fw_row *row)
{
    heads *h = baton;
    fw_take t = {row, h->pool, 0};
    fw_audit *r = apr_pcalloc(h->pool, sizeof(*r));

    r->aggregate = fw_take_text(&t);
    r->seq = fw_take_int(&t);
    r->hash = fw_take_text(&t);
    apr_hash_set(h->of, r->aggregate, APR_HASH_KEY_STRING, r);
    return NULL;
}

static const fw_err *load_heads(fw_db *db, const fw_audit *records, int n, heads *h)
{
    fw_value list = fw_list(h->pool);
    apr_hash_t *seen = apr_hash_make(h->pool);
    const char *json = NULL;
    apr_size_t n_json = 0;

    for (int i = 0; i < n; i++) {
        const char *aggregate = records[i].aggregate;

        if (!apr_hash_get(seen, aggregate, APR_HASH_KEY_STRING))
            fw_add(list, fw_text(aggregate));
        apr_hash_set(seen, aggregate, APR_HASH_KEY_STRING, aggregate);
    }
    FW_TRY(fw_value_json(list, &json, &n_json, h->pool));
    return fw_db_query(db, "audit_heads", FW_VALS(FW_S(json)), take_head, h, h->pool);
}

static fw_value row_of(const fw_audit *r, apr_pool_t *pool)
{
    return fw_pack(pool, "{s:I, s:s, s:I, s:I, s:I, s:s?, s:s, s:s?, s:s, s:s}", "id", r->id,
                   "aggregate", r->aggregate, "seq", r->seq, "at", (int64_t)r->at, "actor_id",
                   r->actor_id, "actor", r->actor, "command", r->command, "data", r->data, "prev",
                   r->prev, "hash", r->hash);
}

static const fw_err *check_many(int n, apr_pool_t *pool)
{
    return n > FW_AUDIT_MANY ? FW_ERR(pool, FW_E_LIMIT, 0, "%d records at once", n) : NULL;
}

const fw_err *fw_audit_add_all(fw_db *db, fw_audit *records, int n, apr_pool_t *pool)
{
    heads h = {pool, apr_hash_make(pool)};
    fw_value rows = fw_list(pool);
    const char *json = NULL;
    apr_size_t n_json = 0;

    FW_TRY(check_many(n, pool));
    FW_TRY(load_heads(db, records, n, &h));
    for (int i = 0; i < n; i++) {
        fw_audit *r = &records[i];
        const fw_audit *before = apr_hash_get(h.of, r->aggregate, APR_HASH_KEY_STRING);

        r->seq = before->seq + 1;
        r->prev = before->hash;
        r->hash = fw_audit_hash(r, pool);
        apr_hash_set(h.of, r->aggregate, APR_HASH_KEY_STRING, r);
        fw_add(rows, row_of(r, pool));
    }
    FW_TRY(fw_value_json(rows, &json, &n_json, pool));
    return fw_db_exec(db, "audit_put_all", FW_VALS(FW_S(json)), NULL, pool);
}

/* ---- seals ---- */

typedef struct waiting {
    apr_pool_t *pool;
    apr_array_header_t *ids, *hashes;
} waiting;

static const fw_err *take_waiting(void *baton, const fw_row *row)
{
    waiting *w = baton;

    APR_ARRAY_PUSH(w->ids, fw_id) = fw_row_int(row, 0);
    APR_ARRAY_PUSH(w->hashes, const char *) = fw_row_text(row, 1, w->pool);
    return NULL;
}

const fw_err *fw_seal_make(fw_db *db, apr_time_t now, int limit, fw_seal *out,
                           apr_array_header_t **ids, apr_pool_t *pool)
{
    waiting w = {pool, apr_array_make(pool, 64, sizeof(fw_id)),
                 apr_array_make(pool, 64, sizeof(const char *))};
    last l = {pool, 0, ""};

    *out = (fw_seal){0};
    *ids = w.ids;
    FW_TRY(fw_db_query(db, "audit_unsealed", FW_VALS(FW_I(limit)), take_waiting, &w, pool));
    if (w.ids->nelts == 0)
        return NULL;
    FW_TRY(fw_db_query(db, "audit_seal_last", NULL, 0, take_last, &l, pool));
    out->n = l.n + 1;
    out->at = now;
    out->records = w.ids->nelts;
    out->prev = l.hash;
    out->hash = fw_seal_hash(out, w.hashes, pool);
    return NULL;
}

const fw_err *fw_seal_put(fw_db *db, const fw_seal *s, const apr_array_header_t *ids,
                          apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(check_many(ids->nelts, pool));
    FW_TRY(fw_db_exec(db, "audit_seal_put",
                      FW_VALS(FW_I(s->n), FW_I(s->at), FW_I(s->records), FW_S(s->prev),
                              FW_S(s->hash), FW_S(s->signature)),
                      NULL, pool));
    FW_TRY(fw_db_exec(
        db, "audit_mark",
        FW_VALS(FW_I(s->n), FW_S(fw_take_list((const fw_id *)ids->elts, ids->nelts, pool))), &rows,
        pool));
    if (rows != ids->nelts)
        return FW_ERR(pool, FW_E_CONFLICT, 0, "a record is in another seal by now");
    return NULL;
}

static const fw_err *take_seal(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_seal *s = apr_array_push(taken->list);

    s->n = fw_take_int(&t);
    s->at = fw_take_int(&t);
    s->records = fw_take_int(&t);
    s->prev = fw_take_text(&t);
    s->hash = fw_take_text(&t);
    s->signature = fw_take_text(&t);
    return NULL;
}

const fw_err *fw_seal_list(fw_db *db, int64_t n, int limit, apr_array_header_t **out,
                           apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 64, sizeof(fw_seal))};

    *out = taken.list;
    return fw_db_query(db, "audit_seal_list", FW_VALS(FW_I(n), FW_I(limit)), take_seal, &taken,
                       pool);
}

const fw_err *fw_seal_records(fw_db *db, int64_t n, apr_array_header_t **out, apr_pool_t *pool)
{
    waiting w = {pool, apr_array_make(pool, 64, sizeof(fw_id)),
                 apr_array_make(pool, 64, sizeof(const char *))};

    *out = w.hashes;
    return fw_db_query(db, "audit_of_seal", FW_VALS(FW_I(n)), take_waiting, &w, pool);
}

/* ---- reading ---- */

static const fw_err *take_record(void *baton, const fw_row *row)
{
    fw_taken *taken = baton;
    fw_take t = {row, taken->pool, 0};
    fw_audit *r = apr_array_push(taken->list);

    r->id = fw_take_int(&t);
    r->aggregate = fw_take_text(&t);
    r->seq = fw_take_int(&t);
    r->at = fw_take_int(&t);
    r->actor_id = fw_take_int(&t);
    r->actor = fw_take_text(&t);
    r->command = fw_take_text(&t);
    r->data = fw_take_text(&t);
    r->prev = fw_take_text(&t);
    r->hash = fw_take_text(&t);
    r->seal = fw_take_int(&t);
    return NULL;
}

/* In pages; memory for one of them, however many there are. */
const fw_err *fw_audit_walk(fw_db *db, fw_audit_each_fn each, void *baton, apr_pool_t *pool)
{
    apr_pool_t *page, *place;
    const char *aggregate = "";
    int64_t seq = 0;
    int got = WALK_ROWS;

    apr_pool_create(&page, pool);
    apr_pool_create(&place, pool);
    while (got == WALK_ROWS) {
        fw_taken taken = {.pool = page, .list = apr_array_make(page, WALK_ROWS, sizeof(fw_audit))};

        FW_TRY(fw_db_query(db, "audit_walk",
                           FW_VALS(FW_S(aggregate), FW_S(aggregate), FW_I(seq), FW_I(WALK_ROWS)),
                           take_record, &taken, page));
        got = taken.list->nelts;
        for (int i = 0; i < got; i++)
            FW_TRY(each(baton, &APR_ARRAY_IDX(taken.list, i, fw_audit)));
        if (got) {
            const fw_audit *end = &APR_ARRAY_IDX(taken.list, got - 1, fw_audit);

            apr_pool_clear(place);
            aggregate = apr_pstrdup(place, end->aggregate);
            seq = end->seq;
        }
        apr_pool_clear(page);
    }
    apr_pool_destroy(page);
    apr_pool_destroy(place);
    return NULL;
}

const fw_err *fw_audit_recent(fw_db *db, fw_id before, int limit, apr_array_header_t **out,
                              apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, 64, sizeof(fw_audit))};

    *out = taken.list;
    return fw_db_query(db, "audit_recent", FW_VALS(FW_I(before ? before : INT64_MAX), FW_I(limit)),
                       take_record, &taken, pool);
}

const fw_err *fw_seal_page(fw_db *db, int64_t n, fw_id after, int limit, apr_array_header_t **out,
                           apr_pool_t *pool)
{
    fw_taken taken = {.pool = pool, .list = apr_array_make(pool, limit, sizeof(fw_audit))};

    *out = taken.list;
    return fw_db_query(db, "audit_page", FW_VALS(FW_I(n), FW_I(after), FW_I(limit)), take_record,
                       &taken, pool);
}

/* ---- the way out ---- */

static const fw_err *take_way(void *baton, const fw_row *row)
{
    fw_audit_way *way = baton;

    way->sealed = fw_row_int(row, 0);
    way->enqueued = fw_row_int(row, 1);
    way->waiting = fw_row_int(row, 2);
    return NULL;
}

const fw_err *fw_audit_way_load(fw_db *db, fw_audit_way *out, apr_pool_t *pool)
{
    *out = (fw_audit_way){0};
    return fw_db_query(db, "audit_way", NULL, 0, take_way, out, pool);
}

const fw_err *fw_audit_way_set(fw_db *db, const fw_audit_way *way, int64_t to, apr_pool_t *pool)
{
    int rows = 0;

    FW_TRY(fw_db_exec(db, "audit_way_set", FW_VALS(FW_I(to), FW_I(way->enqueued)), &rows, pool));
    return rows == 1 ? NULL
                     : FW_ERR(pool, FW_E_CONFLICT, 0, "another sealer made deliveries meanwhile");
}
