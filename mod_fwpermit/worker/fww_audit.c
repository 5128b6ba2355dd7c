#include "fw_config.h"
#include "fww_audit.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_random.h"
#include "fw_store_outbox.h"
#include "fww_pump_int.h"
#include "fwpermit_plugin.h"

#define WAITING_MOST 500     /* deliveries: what is behind stays among the seals */
#define LINE         1       /* the aggregate of all deliveries: so each waits for the one before */
#define PAGE_ROWS    100     /* records in memory at a time */
#define PART_BYTES   900000u /* of JSON in one call, out of FWP_MAX_BODY */
#define PIECE_BYTES  262144u /* of data that goes in one piece; JSON makes up to twice that of it */
#define AROUND_BYTES 512u    /* of a record's JSON beside its texts */

/* ---- making deliveries ---- */

bool fww_audit_is_wanted(const fw_settings *site)
{
    return fw_settings_plugin_of(site, FWP_PORT_AUDIT) != NULL;
}

/* The last seal for which there is room. */
static int64_t enqueue_to(const fw_audit_way *way)
{
    int64_t to = way->enqueued + WAITING_MOST - way->waiting;

    return to < way->sealed ? to : way->sealed;
}

const fw_err *fww_audit_is_due(fw_db *db, bool *due, apr_pool_t *pool)
{
    fw_audit_way way;

    FW_TRY(fw_audit_way_load(db, &way, pool));
    *due = enqueue_to(&way) > way.enqueued;
    return NULL;
}

static const fw_err *put_delivery(fw_db *db, int64_t seal, apr_time_t now, apr_pool_t *pool)
{
    fw_send send = {.port = FWP_PORT_AUDIT,
                    .op = "audit.records",
                    .key = apr_psprintf(pool, "audit:%" APR_INT64_T_FMT, seal),
                    .payload = apr_psprintf(pool, "{\"seal\":%" APR_INT64_T_FMT "}", seal),
                    .aggregate_id = LINE,
                    .bulk = true};
    fw_id id;

    FW_TRY(fw_id_draw(&id, now, pool));
    return fw_outbox_put(db, id, &send, now, pool);
}

static const fw_err *put_deliveries(fw_db *db, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    fw_audit_way way;
    int64_t to;

    FW_TRY(fw_audit_way_load(db, &way, pool));
    to = enqueue_to(&way);
    if (to <= way.enqueued)
        return NULL;
    for (int64_t n = way.enqueued + 1; n <= to; n++)
        FW_TRY(put_delivery(db, n, now, pool));
    return fw_audit_way_set(db, &way, to, pool);
}

const fw_err *fww_audit_enqueue(fw_db *db, apr_pool_t *pool)
{
    const fw_err *err;

    FW_TRY(fw_db_begin(db));
    err = put_deliveries(db, pool);
    if (!err)
        return fw_db_commit(db);
    fw_db_rollback(db);
    return err;
}

/* ---- carrying one out ---- */

/* A seal on its way, in as many calls as it needs. */
typedef struct sending {
    fww_turn *t;
    const fw_delivery *d;
    const char *plugin;
    fw_seal seal;
    json_t *records; /* of the part that is being filled */
    apr_size_t bytes;
    int part;
    fww_end *end;
} sending;

static const char *time_text(apr_time_t at, apr_pool_t *pool)
{
    apr_time_exp_t e;

    apr_time_exp_gmt(&e, at);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", e.tm_year + 1900, e.tm_mon + 1,
                        e.tm_mday, e.tm_hour, e.tm_min, e.tm_sec, e.tm_usec);
}

static const char *id_text(fw_id id, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, id);
}

static json_t *seal_json(const fw_seal *s, apr_pool_t *pool)
{
    return json_pack("{s:I, s:s, s:I, s:s, s:s, s:s}", "n", (json_int_t)s->n, "at",
                     time_text(s->at, pool), "records", (json_int_t)s->records, "prev", s->prev,
                     "hash", s->hash, "signature", s->signature);
}

/* A lease is for one call: each further one takes it anew. */
static const fw_err *keep_lease(sending *s)
{
    apr_time_t until = apr_time_now() + 2 * apr_time_from_msec(fww_deadline_ms(s->d->op));
    bool mine = false;
    const fw_err *err;

    FW_TRY(fw_db_begin(s->t->db));
    err = fw_outbox_keep(s->t->db, s->d, until, &mine, s->t->pool);
    if (!err && mine) {
        s->t->until = until;
        return fw_db_commit(s->t->db);
    }
    fw_db_rollback(s->t->db);
    return err ? err : FW_ERR(s->t->pool, FW_E_BUSY, 0, "another one goes on with it");
}

static const fw_err *send_part(sending *s, bool last)
{
    fww_ask ask = {
        .op = s->d->op, .attempt = s->d->attempt, .deadline_ms = fww_deadline_ms(s->d->op)};
    fww_turn turn = *s->t;
    fww_answer answer;
    apr_pool_t *pool;

    if (s->part > 1)
        FW_TRY(keep_lease(s));
    apr_pool_create(&pool, s->t->pool);
    turn.pool = pool;
    ask.key = apr_psprintf(pool, "%s.%d", s->d->key, s->part);
    ask.request = json_pack("{s:o, s:i, s:b, s:O}", "seal", seal_json(&s->seal, pool), "part",
                            s->part, "last", last, "records", s->records);
    if (!ask.request)
        return FW_ERR(s->t->pool, FW_E_INPUT, 0, "a seal that is not UTF-8");
    json_decref(s->records);
    s->records = json_array();
    fww_port_ask(&turn, s->plugin, &ask, &answer);
    fww_port_end(&answer, s->end);
    s->end->reason = apr_pstrdup(s->t->pool, s->end->reason);
    apr_pool_destroy(pool);
    s->part++;
    s->bytes = 0;
    return NULL;
}

/* Puts a record, or a piece of its data, into the part; what has no room in it any more goes first. */
static const fw_err *add(sending *s, const fw_audit *r, const char *data, apr_size_t n, json_t *cut)
{
    apr_size_t bytes = AROUND_BYTES + strlen(r->aggregate) +
                       6 * (strlen(r->actor ? r->actor : "") + strlen(r->command)) + 2 * n;
    json_t *o;

    if (s->bytes > 0 && s->bytes + bytes > PART_BYTES) {
        const fw_err *err = send_part(s, false);

        if (err || s->end->what != FWW_END_DONE) {
            json_decref(cut);
            return err;
        }
    }
    o = json_pack("{s:s, s:s, s:I, s:s, s:s?, s:s, s:s, s:s%, s:s, s:s, s:o*}", "id",
                  id_text(r->id, s->t->pool), "aggregate", r->aggregate, "seq", (json_int_t)r->seq,
                  "at", time_text(r->at, s->t->pool), "actor", r->actor, "actor_id",
                  id_text(r->actor_id, s->t->pool), "command", r->command, "data", data ? data : "",
                  n, "prev", r->prev, "hash", r->hash, "cut", cut);
    if (o && !data)
        json_object_set_new(o, "data", json_null());
    if (!o || json_array_append_new(s->records, o) != 0)
        return FW_ERR(s->t->pool, FW_E_INPUT, 0, "record %" APR_INT64_T_FMT " is not UTF-8", r->id);
    s->bytes += bytes;
    return NULL;
}

/* Bytes of the next piece, which ends before a character's first byte. */
static apr_size_t piece_of(const char *data, apr_size_t n)
{
    apr_size_t take = PIECE_BYTES;

    if (n <= take)
        return n;
    while (take > 0 && ((unsigned char)data[take] & 0xc0) == 0x80)
        take--;
    return take;
}

static const fw_err *add_record(sending *s, const fw_audit *r)
{
    apr_size_t size = r->data ? strlen(r->data) : 0;

    if (size <= PIECE_BYTES)
        return add(s, r, r->data, size, NULL);
    for (apr_size_t from = 0, n; from < size && s->end->what == FWW_END_DONE; from += n) {
        json_t *cut = json_pack("{s:I, s:I}", "from", (json_int_t)from, "size", (json_int_t)size);

        n = piece_of(r->data + from, size - from);
        FW_TRY(add(s, r, r->data + from, n, cut));
    }
    return NULL;
}

/* A page of records at a time; memory for one of them and for one part. */
static const fw_err *send_records(sending *s)
{
    apr_pool_t *page;
    apr_array_header_t *list = NULL;
    const fw_err *err = NULL;
    fw_id after = 0;

    apr_pool_create(&page, s->t->pool);
    do {
        apr_pool_clear(page);
        FW_TRY(fw_seal_page(s->t->db, s->seal.n, after, PAGE_ROWS, &list, page));
        for (int i = 0; i < list->nelts && !err && s->end->what == FWW_END_DONE; i++) {
            err = add_record(s, &APR_ARRAY_IDX(list, i, fw_audit));
            after = APR_ARRAY_IDX(list, i, fw_audit).id;
        }
    } while (!err && list->nelts == PAGE_ROWS && s->end->what == FWW_END_DONE);
    if (!err && s->end->what == FWW_END_DONE)
        err = send_part(s, true);
    return err;
}

static const fw_err *load_seal(sending *s, int64_t n)
{
    apr_array_header_t *list = NULL;

    FW_TRY(fw_seal_list(s->t->db, n - 1, 1, &list, s->t->pool));
    if (list->nelts == 0 || APR_ARRAY_IDX(list, 0, fw_seal).n != n)
        return FW_ERR(s->t->pool, FW_E_NOTFOUND, 0, "the seal is not in the database");
    s->seal = APR_ARRAY_IDX(list, 0, fw_seal);
    return NULL;
}

static const fw_err *send_seal(sending *s)
{
    json_t *payload = json_loads(s->d->payload, JSON_REJECT_DUPLICATES, NULL);
    json_int_t n = json_integer_value(json_object_get(payload, "seal"));
    const fw_err *err;

    json_decref(payload);
    FW_TRY(load_seal(s, n));
    s->records = json_array();
    err = send_records(s);
    json_decref(s->records);
    return err;
}

/* Nothing of the trail is ever given up or passed over: who says never is asked again, and an operator is told. */
const fw_err *fww_audit_records(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    sending s = {
        .t = t, .d = d, .plugin = fww_port_plugin(t->pump, FWP_PORT_AUDIT), .part = 1, .end = end};
    const fw_err *err;

    fww_end_set(end, FWW_END_DONE, NULL);
    err = send_seal(&s);
    if (err)
        fww_end_set(end, fw_err_retryable(err) ? FWW_END_AGAIN : FWW_END_DEAD,
                    fw_err_text(err, t->pool));
    if (end->what == FWW_END_DEAD) {
        t->pump->env->log(FWW_ERROR, FWW_N_TRAIL " %s and all after it wait: %s", d->key,
                          end->reason);
        end->what = FWW_END_AGAIN;
    }
    return NULL;
}
