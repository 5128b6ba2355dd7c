/* The outbox, the inbox, leases, and the answers to idempotency keys. */
#include "fixture.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_idem.h"
#include "fw_store_link.h"
#include "fw_store_outbox.h"

#define LEASE 100

static void put(fw_id id, const char *port, fw_id aggregate, bool bulk)
{
    fw_send s = {.port = port,
                 .op = "op",
                 .key = apr_psprintf(fx.pool, "key:%d", (int)id),
                 .payload = "{\"名\":1}",
                 .aggregate_id = aggregate,
                 .bulk = bulk};

    ck_ok(fw_outbox_put(fx.db, id, &s, FX_NOW, fx.pool));
}

static fw_delivery *claim(const char *port, apr_time_t at)
{
    fw_delivery *d = NULL;

    ck_ok(fw_outbox_claim(fx.db, port, "me", FX_NOW + at, FX_NOW + at + LEASE, &d, fx.pool));
    return d;
}

static void done(const fw_delivery *d)
{
    bool mine = false;

    ck_ok(fw_outbox_done(fx.db, d, FX_NOW, NULL, &mine, fx.pool));
    ck_assert(mine);
}

/* Of the one row that waits. */
static const char *state_of_waiting(void)
{
    apr_array_header_t *list = NULL;

    ck_ok(fw_outbox_counts(fx.db, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    return APR_ARRAY_IDX(list, 0, fw_outbox_count).state;
}

START_TEST(put_and_claim)
{
    fw_send again = {.port = "notify", .op = "op", .key = "key:1", .payload = "{}"};
    apr_array_header_t *list = NULL;
    fw_delivery *d;

    fx_open(_i);
    put(1, "payment", 7, false);
    ck_code(fw_outbox_put(fx.db, 2, &again, FX_NOW, fx.pool), FW_E_CONFLICT); /* a key, once */
    ck_assert_ptr_null(claim("notify", 0));
    d = claim("payment", 0);
    ck_assert_int_eq(d->id, 1);
    ck_assert_str_eq(d->port, "payment");
    ck_assert_str_eq(d->op, "op");
    ck_assert_str_eq(d->key, "key:1");
    ck_assert_str_eq(d->payload, "{\"名\":1}");
    ck_assert_int_eq(d->aggregate_id, 7);
    ck_assert(!d->bulk);
    ck_assert_int_eq(d->attempt, 1);
    ck_assert_int_eq(d->tries, 1);
    ck_assert_int_eq(d->created, FX_NOW);
    ck_assert_ptr_null(claim("payment", 1));
    done(d);
    ck_assert_ptr_null(claim("payment", 1000));
    ck_ok(fw_outbox_counts(fx.db, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    fx_close();
}
END_TEST

START_TEST(in_order_for_each_aggregate)
{
    fw_delivery *a, *b;

    fx_open(_i);
    put(1, "notify", 7, true);
    put(2, "notify", 7, true);
    put(3, "notify", 8, true);
    put(4, "press", 7, true);
    a = claim("notify", 0);
    ck_assert_int_eq(a->id, 1);
    b = claim("notify", 0);
    ck_assert_int_eq(b->id, 3); /* 2 waits for 1 */
    ck_assert_ptr_null(claim("notify", 0));
    ck_assert_int_eq(claim("press", 0)->id, 4); /* another port does not */
    done(a);
    ck_assert_int_eq(claim("notify", 0)->id, 2);
    fx_close();
}
END_TEST

/* A failed one that is to be tried later holds up those behind it: never an "issued" before its "paid". */
START_TEST(a_retry_keeps_its_place)
{
    fw_delivery *a;
    bool mine = false;

    fx_open(_i);
    put(1, "notify", 7, true);
    put(2, "notify", 7, true);
    a = claim("notify", 0);
    ck_ok(fw_outbox_again(fx.db, a, FX_NOW, 50, "down", &mine, fx.pool));
    ck_assert(mine);
    ck_assert_ptr_null(claim("notify", 10));
    a = claim("notify", 50);
    ck_assert_int_eq(a->id, 1);
    ck_assert_int_eq(a->attempt, 2);
    ck_ok(fw_outbox_dead(fx.db, a, FX_NOW, "for good", &mine, fx.pool));
    ck_assert_int_eq(claim("notify", 50)->id, 2); /* a dead letter holds up nobody */
    fx_close();
}
END_TEST

START_TEST(order_of_putting_whatever_the_clocks_say)
{
    fx_open(_i);
    put(900, "notify", 7, true);
    put(100, "notify", 7, true); /* written later, by a node whose clock is behind */
    put(50, "notify", 8, true);
    ck_assert_int_eq(claim("notify", 0)->id, 50);
    ck_assert_int_eq(claim("notify", 0)->id, 900);
    ck_assert_ptr_null(claim("notify", 0));
    ck_assert_int_eq(fx_count("outbox WHERE id > 900 AND once_key = 'key:100'"), 1);
    fx_close();
}
END_TEST

START_TEST(a_person_before_bulk)
{
    fw_delivery *d = NULL;

    fx_open(_i);
    for (fw_id i = 1; i <= 3; i++)
        put(i, "payment", i, true);
    put(4, "payment", 4, false);
    put(5, "payment", 5, false);
    ck_assert_int_eq(claim("payment", 0)->id, 4);
    ck_ok(fw_outbox_claim_urgent(fx.db, "payment", "me", FX_NOW, FX_NOW + LEASE, &d, fx.pool));
    ck_assert_int_eq(d->id, 5);
    ck_ok(fw_outbox_claim_urgent(fx.db, "payment", "me", FX_NOW, FX_NOW + LEASE, &d, fx.pool));
    ck_assert_ptr_null(d); /* the lane of persons takes no bulk */
    ck_assert_int_eq(claim("payment", 0)->id, 1);
    fx_close();
}
END_TEST

START_TEST(lease_expiry_and_fencing)
{
    fw_delivery *first, *second;
    bool mine = true;

    fx_open(_i);
    put(1, "payment", 7, false);
    first = claim("payment", 0);
    ck_assert_ptr_null(claim("payment", LEASE)); /* to the last moment */
    second = claim("payment", LEASE + 1);
    ck_assert_int_eq(second->id, 1);
    ck_assert_int_eq(second->attempt, 2);
    ck_ok(fw_outbox_done(fx.db, first, FX_NOW, "late", &mine, fx.pool));
    ck_assert(!mine);
    ck_ok(fw_outbox_again(fx.db, first, FX_NOW, 0, "late", &mine, fx.pool));
    ck_assert(!mine);
    ck_ok(fw_outbox_dead(fx.db, first, FX_NOW, "late", &mine, fx.pool));
    ck_assert(!mine);
    ck_assert_str_eq(state_of_waiting(), "leased");
    done(second);
    ck_ok(fw_outbox_done(fx.db, second, FX_NOW, "twice", &mine, fx.pool));
    ck_assert(!mine);
    fx_close();
}
END_TEST

START_TEST(a_lease_of_a_clock_set_back)
{
    bool had = false;

    fx_open(_i);
    put(1, "payment", 7, false);
    ck_assert_ptr_nonnull(claim("payment", 0));
    ck_assert_ptr_null(claim("payment", -LEASE)); /* another node's clock may be a little behind */
    ck_assert_ptr_nonnull(claim("payment", -36000));
    ck_ok(fw_lease_take(fx.db, "sealer", "a", FX_NOW, FX_NOW + 10, &had, fx.pool));
    ck_ok(fw_lease_take(fx.db, "sealer", "b", FX_NOW - 10, FX_NOW, &had, fx.pool));
    ck_assert(!had);
    ck_ok(fw_lease_take(fx.db, "sealer", "b", FX_NOW - 36000, FX_NOW - 35990, &had, fx.pool));
    ck_assert(had);
    fx_close();
}
END_TEST

/* It was put off until an hour that the clock, set back since, is far from: it waits no longer than it was to wait. */
START_TEST(a_retry_of_a_clock_set_back)
{
    fw_message m = {
        .id = 1, .plugin = "pay", .channel = "paid", .body = "YQ==", .received = FX_NOW};
    fw_message *got = NULL;
    fw_delivery *d;
    bool fresh, mine = false;

    fx_open(_i);
    put(1, "payment", 7, false);
    d = claim("payment", 0);
    ck_ok(fw_outbox_again(fx.db, d, FX_NOW, 50, "busy", &mine, fx.pool));
    ck_assert_ptr_null(claim("payment", 49));
    ck_assert_ptr_null(claim("payment", -LEASE)); /* another node's clock may be a little behind */
    d = claim("payment", -36000);
    ck_assert_ptr_nonnull(d);
    ck_ok(fw_outbox_again(fx.db, d, FX_NOW - 36000, 50, "busy", &mine, fx.pool));
    ck_assert_ptr_null(claim("payment", -36000 + 49));
    ck_assert_ptr_nonnull(claim("payment", -36000 + 50));
    /* the clock went ahead and came back while it was under way: its lease was of the right time */
    put(2, "notify", 8, false);
    d = claim("notify", 0);
    ck_ok(fw_outbox_again(fx.db, d, FX_NOW + 36000, 50, "busy", &mine, fx.pool));
    ck_assert_ptr_nonnull(claim("notify", 1));
    ck_ok(fw_inbox_put(fx.db, &m, "h", &fresh, fx.pool));
    ck_ok(fw_inbox_claim(fx.db, "pay", "me", FX_NOW, FX_NOW + LEASE, &got, fx.pool));
    ck_ok(fw_inbox_again(fx.db, got, FX_NOW, 50, "busy", fx.pool));
    ck_ok(fw_inbox_claim(fx.db, "pay", "me", FX_NOW + 49, FX_NOW + 49 + LEASE, &got, fx.pool));
    ck_assert_ptr_null(got);
    ck_ok(
        fw_inbox_claim(fx.db, "pay", "me", FX_NOW - 36000, FX_NOW - 36000 + LEASE, &got, fx.pool));
    ck_assert_ptr_nonnull(got);
    fx_close();
}
END_TEST

START_TEST(dead_letters_and_replay)
{
    fw_delivery *first, *again;
    apr_array_header_t *list = NULL;
    bool mine = false;

    fx_open(_i);
    put(1, "payment", 7, false);
    ck_code(fw_outbox_replay(fx.db, 1, FX_NOW + 500, fx.pool), FW_E_NOTFOUND); /* it is none */
    first = claim("payment", 0);
    ck_ok(fw_outbox_dead(fx.db, first, FX_NOW + 9, "the order is unknown", &mine, fx.pool));
    ck_assert(mine);
    ck_ok(fw_letter_list(fx.db, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_letter).reason, "the order is unknown");
    ck_assert_ptr_null(claim("payment", 1000));
    ck_ok(fw_outbox_replay(fx.db, 1, FX_NOW + 500, fx.pool));
    again = claim("payment", 1000);
    ck_assert_str_eq(again->key, first->key);
    ck_assert_int_eq(again->attempt, 2); /* an answer of the first is fenced off still */
    ck_assert_int_eq(again->tries, 1);   /* and the patience is whole again */
    ck_assert_int_eq(again->created, FX_NOW + 500);
    ck_ok(fw_outbox_done(fx.db, first, FX_NOW, "late", &mine, fx.pool));
    ck_assert(!mine);
    done(again);
    ck_ok(fw_outbox_counts(fx.db, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    fx_close();
}
END_TEST

START_TEST(counts_and_purge)
{
    apr_array_header_t *list = NULL;

    fx_open(_i);
    put(1, "payment", 1, false);
    put(2, "notify", 2, true);
    put(3, "notify", 3, true);
    done(claim("payment", 0));
    ck_ok(fw_outbox_counts(fx.db, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_outbox_count).port, "notify");
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_outbox_count).state, "ready");
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_outbox_count).n, 2);
    ck_ok(fw_idem_put(fx.db, 10, "old", NULL, "{}", FX_NOW - 10, fx.pool));
    ck_ok(fw_idem_put(fx.db, 10, "new", NULL, "{}", FX_NOW, fx.pool));
    ck_ok(fw_outbox_purge(fx.db, FX_NOW, FX_NOW, fx.pool));
    ck_assert_int_eq(fx_count("outbox"), 3);
    ck_assert_int_eq(fx_count("idem"), 1);
    ck_ok(fw_outbox_purge(fx.db, FX_NOW, FX_NOW + 1, fx.pool));
    ck_assert_int_eq(fx_count("outbox"), 2);
    fx_close();
}
END_TEST

/* Eight pumps at once: each row is claimed by one of them, in order for each aggregate. */
static int pump(int i, fw_db *db, apr_pool_t *pool)
{
    const char *owner = apr_psprintf(pool, "pump%d", i);

    for (int idle = 0; idle < 20;) {
        fw_delivery *d = NULL;
        bool mine = false;
        const fw_err *err =
            fw_outbox_claim(db, "notify", owner, FX_NOW, FX_NOW + 1000000, &d, pool);

        if (!err && d)
            err = fw_db_exec(db, "lease_take",
                             FW_VALS(FW_S(d->key), FW_S(owner), FW_I(1), FW_I(0), FW_I(1)), NULL,
                             pool);
        if (!err && d)
            err = fw_outbox_done(db, d, FX_NOW, NULL, &mine, pool);
        if (err || (d && (!mine || d->attempt != 1))) {
            fprintf(stderr, "%s: %s\n", owner, err ? fw_err_text(err, pool) : "not mine");
            return 1;
        }
        idle = d ? 0 : idle + 1;
    }
    return 0;
}

START_TEST(eight_pumps)
{
    fx_open(_i);
    for (fw_id i = 1; i <= 120; i++)
        put(i, "notify", i % 10, i % 2);
    ck_assert_int_eq(fx_processes(8, pump), 0);
    ck_assert_int_eq(fx_count("outbox WHERE state = 'done' AND attempt = 1"), 120);
    ck_assert_int_eq(fx_count("lease"), 120);
    fx_close();
}
END_TEST

/* ---- inbox ---- */

static bool receive(fw_id id, const char *plugin, const char *hash)
{
    fw_message m = {
        .id = id, .plugin = plugin, .channel = "callback", .body = "Ym9keQ==", .received = FX_NOW};
    bool fresh = false;

    ck_ok(fw_inbox_put(fx.db, &m, hash, &fresh, fx.pool));
    return fresh;
}

static fw_message *take(const char *plugin, apr_time_t at)
{
    fw_message *m = NULL;

    ck_ok(fw_inbox_claim(fx.db, plugin, "me", FX_NOW + at, FX_NOW + at + LEASE, &m, fx.pool));
    return m;
}

START_TEST(inbox_once)
{
    fw_message *m, *late;

    fx_open(_i);
    ck_assert(receive(1, "ecpay", "h1"));
    ck_assert(!receive(2, "ecpay", "h1")); /* the same bytes again */
    ck_assert(receive(3, "other", "h1"));
    ck_assert(receive(4, "ecpay", "h2"));
    ck_assert_int_eq(fx_count("inbox"), 3);
    m = take("ecpay", 0);
    ck_assert_int_eq(m->id, 1);
    ck_assert_str_eq(m->plugin, "ecpay");
    ck_assert_str_eq(m->channel, "callback");
    ck_assert_str_eq(m->body, "Ym9keQ==");
    ck_assert_int_eq(m->attempt, 1);
    ck_assert_int_eq(m->received, FX_NOW);
    late = m;
    m = take("ecpay", 0);
    ck_assert_int_eq(m->id, 4);
    ck_assert_ptr_null(take("ecpay", LEASE));
    ck_ok(fw_inbox_end(fx.db, m, "done", FX_NOW, NULL, fx.pool));
    m = take("ecpay", LEASE + 1);
    ck_assert_int_eq(m->id, 1);
    ck_assert_int_eq(m->attempt, 2);
    ck_ok(fw_inbox_end(fx.db, late, "refused", FX_NOW, "late", fx.pool)); /* fenced off */
    ck_assert_int_eq(fx_count("inbox WHERE state = 'refused'"), 0);
    ck_ok(fw_inbox_again(fx.db, m, FX_NOW, 500, "busy", fx.pool));
    ck_assert_ptr_null(take("ecpay", 499));
    m = take("ecpay", 500);
    ck_ok(fw_inbox_end(fx.db, m, "dead", FX_NOW, "for good", fx.pool));
    ck_assert(!receive(9, "ecpay", "h1")); /* even after its end */
    ck_assert_ptr_null(take("ecpay", 9999));
    fx_close();
}
END_TEST

/* ---- leases, keys ---- */

START_TEST(leases)
{
    bool had = false;

    fx_open(_i);
    ck_ok(fw_lease_take(fx.db, "sealer", "a", FX_NOW, FX_NOW + 10, &had, fx.pool));
    ck_assert(had);
    ck_ok(fw_lease_take(fx.db, "sealer", "b", FX_NOW + 10, FX_NOW + 20, &had, fx.pool));
    ck_assert(!had);
    ck_ok(fw_lease_take(fx.db, "sealer", "a", FX_NOW + 5, FX_NOW + 15, &had, fx.pool));
    ck_assert(had); /* kept on */
    ck_ok(fw_lease_take(fx.db, "sealer", "b", FX_NOW + 15, FX_NOW + 25, &had, fx.pool));
    ck_assert(!had);
    ck_ok(fw_lease_take(fx.db, "sealer", "b", FX_NOW + 16, FX_NOW + 26, &had, fx.pool));
    ck_assert(had);
    ck_ok(fw_lease_take(fx.db, "sealer", "a", FX_NOW + 17, FX_NOW + 27, &had, fx.pool));
    ck_assert(!had);
    ck_ok(fw_lease_give(fx.db, "sealer", "a", fx.pool)); /* not a's to give */
    ck_ok(fw_lease_take(fx.db, "sealer", "a", FX_NOW + 17, FX_NOW + 27, &had, fx.pool));
    ck_assert(!had);
    ck_ok(fw_lease_give(fx.db, "sealer", "b", fx.pool));
    ck_ok(fw_lease_take(fx.db, "sealer", "a", FX_NOW + 17, FX_NOW + 27, &had, fx.pool));
    ck_assert(had);
    ck_ok(fw_lease_take(fx.db, "clock", "a", FX_NOW, FX_NOW + 10, &had, fx.pool));
    ck_assert(had);
    fx_close();
}
END_TEST

START_TEST(idempotency_keys)
{
    const char *answer = "";
    const fw_err *err;

    fx_open(_i);
    ck_ok(fw_idem_get(fx.db, 10, "k", "h", &answer, fx.pool));
    ck_assert_ptr_null(answer);
    ck_ok(fw_idem_put(fx.db, 10, "k", "h", "{\"verdict\":0}", FX_NOW, fx.pool));
    ck_ok(fw_idem_get(fx.db, 10, "k", "h", &answer, fx.pool));
    ck_assert_str_eq(answer, "{\"verdict\":0}");
    err = fw_idem_get(fx.db, 10, "k", "other", &answer, fx.pool);
    ck_code(err, FW_E_INPUT);
    ck_assert_str_eq(err->user_key, "idempotency.reused");
    ck_assert_ptr_null(answer);
    ck_code(fw_idem_get(fx.db, 10, "k", NULL, &answer, fx.pool), FW_E_INPUT);
    ck_ok(fw_idem_get(fx.db, 11, "k", "other", &answer, fx.pool)); /* another person's */
    ck_assert_ptr_null(answer);
    ck_code(fw_idem_put(fx.db, 10, "k", "h", "{}", FX_NOW, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_idem_put(fx.db, 10, "no body", NULL, "{}", FX_NOW, fx.pool));
    ck_ok(fw_idem_get(fx.db, 10, "no body", NULL, &answer, fx.pool));
    ck_assert_str_eq(answer, "{}");
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, put_and_claim, 0, FX_BACKENDS);
    tcase_add_loop_test(both, in_order_for_each_aggregate, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_retry_keeps_its_place, 0, FX_BACKENDS);
    tcase_add_loop_test(both, order_of_putting_whatever_the_clocks_say, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_person_before_bulk, 0, FX_BACKENDS);
    tcase_add_loop_test(both, lease_expiry_and_fencing, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_lease_of_a_clock_set_back, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_retry_of_a_clock_set_back, 0, FX_BACKENDS);
    tcase_add_loop_test(both, dead_letters_and_replay, 0, FX_BACKENDS);
    tcase_add_loop_test(both, counts_and_purge, 0, FX_BACKENDS);
    tcase_add_loop_test(both, eight_pumps, 0, FX_BACKENDS);
    tcase_add_loop_test(both, inbox_once, 0, FX_BACKENDS);
    tcase_add_loop_test(both, leases, 0, FX_BACKENDS);
    tcase_add_loop_test(both, idempotency_keys, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
