#include "fw_config.h"
#include "fw_settle.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_store_payment.h"
#include "fw_store_settlement.h"

/* A line of ours that the gateway has not told yet; payments by their order's number, refunds by number and amount. */
typedef struct ours {
    const fw_settled *line;
    const char *kind;
    int left;
} ours;

typedef struct comparing {
    fw_db *db;
    apr_hash_t *by_key;
    apr_array_header_t *all; /* ours * */
    json_t *differences;
    fw_settlement *out;
    apr_pool_t *pool;
} comparing;

static const char *key_of(const comparing *c, const char *kind, const char *order, int64_t amount)
{
    bool refund = strcmp(kind, "refund") == 0;

    return refund ? apr_psprintf(c->pool, "%s %" APR_INT64_T_FMT, order, amount)
                  : apr_pstrdup(c->pool, order);
}

static void differ(comparing *c, const char *what, const char *kind, const char *order, int64_t our,
                   int64_t their, fw_id payment)
{
    json_t *o;

    c->out->n_differences++;
    if (c->out->n_differences > FW_DIFFERENCES_LISTED)
        return;
    o = json_pack("{s:s, s:s, s:s, s:I, s:I}", "what", what, "kind", kind, "order_no", order,
                  "ours", (json_int_t)our, "theirs", (json_int_t)their);
    if (payment)
        json_object_set_new(o, "payment",
                            json_string(apr_psprintf(c->pool, "%" APR_INT64_T_FMT, payment)));
    json_array_append_new(c->differences, o);
}

static void take_ours(comparing *c, const apr_array_header_t *list, const char *kind)
{
    for (int i = 0; i < list->nelts; i++) {
        const fw_settled *line = &APR_ARRAY_IDX(list, i, fw_settled);
        const char *key = key_of(c, kind, line->order_no, line->amount);
        ours *o = apr_hash_get(c->by_key, key, APR_HASH_KEY_STRING);

        if (!o) {
            o = apr_pcalloc(c->pool, sizeof(*o));
            o->line = line;
            o->kind = kind;
            apr_hash_set(c->by_key, key, APR_HASH_KEY_STRING, o);
            APR_ARRAY_PUSH(c->all, ours *) = o;
        }
        o->left++;
    }
}

/* Not of that day by our books: known from another, or not at all. */
static const fw_err *look_up(comparing *c, const char *kind, const char *order, int64_t amount)
{
    bool refund = strcmp(kind, "refund") == 0, known = false;
    fw_payment *p = NULL;
    fw_id id = 0;

    FW_TRY(fw_payment_by_order(c->db, order, &id, c->pool));
    if (id)
        FW_TRY(fw_payment_load(c->db, id, &p, c->pool));
    if (refund && id)
        FW_TRY(fw_settled_refunded(c->db, id, amount, &known, c->pool));
    if (!refund)
        known = p && p->state == FW_PAY_PAID;
    if (!known)
        differ(c, "missing_here", kind, order, 0, amount, id);
    else if (!refund && p->amount != amount)
        differ(c, "amount", kind, order, p->amount, amount, id);
    return NULL;
}

static const fw_err *take_theirs(comparing *c, const json_t *line)
{
    const char *kind = json_string_value(json_object_get(line, "kind"));
    const char *order = json_string_value(json_object_get(line, "order_no"));
    int64_t amount = json_integer_value(json_object_get(line, "amount"));
    bool refund = strcmp(kind, "refund") == 0;
    ours *o = apr_hash_get(c->by_key, key_of(c, kind, order, amount), APR_HASH_KEY_STRING);

    c->out->lines++;
    c->out->fees += json_integer_value(json_object_get(line, "fee"));
    *(refund ? &c->out->paid_back : &c->out->taken) += amount;
    if (!o || o->left == 0)
        return look_up(c, kind, order, amount);
    o->left--;
    if (o->line->amount != amount)
        differ(c, "amount", kind, order, o->line->amount, amount, o->line->payment);
    return NULL;
}

static const fw_err *compare(comparing *c, fw_date day, const json_t *lines)
{
    apr_time_t from = fw_date_start(day), to = fw_date_end(day);
    apr_array_header_t *payments = NULL, *refunds = NULL;
    const json_t *line;
    size_t i;

    FW_TRY(fw_settled_payments(c->db, from, to, &payments, c->pool));
    FW_TRY(fw_settled_refunds(c->db, from, to, &refunds, c->pool));
    take_ours(c, payments, "payment");
    take_ours(c, refunds, "refund");
    json_array_foreach((json_t *)(uintptr_t)lines, i, line)
    {
        FW_TRY(take_theirs(c, line));
    }
    for (int k = 0; k < c->all->nelts; k++) {
        const ours *o = APR_ARRAY_IDX(c->all, k, ours *);

        for (int n = o->left; n > 0; n--)
            differ(c, "missing_there", o->kind, o->line->order_no, o->line->amount, 0,
                   o->line->payment);
    }
    return NULL;
}

const fw_err *fw_settle_compare(fw_db *db, const char *day, const json_t *lines, fw_settlement *out,
                                apr_pool_t *pool)
{
    comparing c = {.db = db,
                   .by_key = apr_hash_make(pool),
                   .all = apr_array_make(pool, 64, sizeof(ours *)),
                   .differences = fw_json_keep(json_array(), pool),
                   .out = out,
                   .pool = pool};
    fw_date date;

    *out = (fw_settlement){.day = day};
    if (!fw_date_parse(day, &date))
        return FW_ERR(pool, FW_E_INPUT, 0, "not a day");
    FW_TRY(compare(&c, date, lines));
    out->differences = fw_json_text(c.differences, JSON_COMPACT, pool);
    return NULL;
}
