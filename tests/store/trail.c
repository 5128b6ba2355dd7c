/* The audit trail's way out of the house: how far its deliveries are made, a seal's records page by page, the lease of what takes long. */
#include "fixture.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_audit.h"
#include "fw_store_outbox.h"

#define LINE 1

static fw_id next_id;

static void seal(int64_t n, int records)
{
    apr_array_header_t *ids = NULL;
    fw_seal s;

    ck_ok(fw_db_begin(fx.db));
    for (int k = 0; k < records; k++) {
        fw_audit r = {.id = 100 * n + k,
                      .aggregate = "case:1",
                      .at = FX_NOW,
                      .actor_id = 10,
                      .actor = k ? "login10" : NULL,
                      .command = "case.save",
                      .data = k ? "{\"名\":1}" : NULL};

        ck_ok(fw_audit_add(fx.db, &r, fx.pool));
    }
    ck_ok(fw_seal_make(fx.db, FX_NOW, records, &s, &ids, fx.pool));
    s.signature = "c2ln";
    ck_ok(fw_seal_put(fx.db, &s, ids, fx.pool));
    ck_ok(fw_db_commit(fx.db));
    ck_assert_int_eq(s.n, n);
}

static fw_audit_way way(void)
{
    fw_audit_way w;

    ck_ok(fw_audit_way_load(fx.db, &w, fx.pool));
    return w;
}

static void put(int64_t n)
{
    fw_send send = {.port = "audit",
                    .op = "audit.records",
                    .key = apr_psprintf(fx.pool, "audit:%" APR_INT64_T_FMT, n),
                    .payload = "{}",
                    .aggregate_id = LINE,
                    .bulk = true};

    ck_ok(fw_db_begin(fx.db));
    ck_ok(fw_outbox_put(fx.db, 1000 + n, &send, FX_NOW, fx.pool));
    ck_ok(fw_db_commit(fx.db));
}

static fw_delivery *claim(apr_time_t now)
{
    fw_delivery *d = NULL;

    ck_ok(fw_outbox_claim(fx.db, "audit", "me", now, now + 100, &d, fx.pool));
    return d;
}

START_TEST(how_far_it_has_gone)
{
    fw_audit_way w, stale;

    fx_open(_i);
    w = way();
    ck_assert(w.sealed == 0 && w.enqueued == 0 && w.waiting == 0);
    seal(1, 1);
    seal(2, 1);
    stale = w = way();
    ck_assert(w.sealed == 2 && w.enqueued == 0 && w.waiting == 0);
    put(1);
    ck_ok(fw_audit_way_set(fx.db, &w, 1, fx.pool));
    w = way();
    ck_assert(w.sealed == 2 && w.enqueued == 1 && w.waiting == 1);
    ck_code(fw_audit_way_set(fx.db, &stale, 2, fx.pool), FW_E_CONFLICT);
    put(2);
    ck_ok(fw_audit_way_set(fx.db, &w, 2, fx.pool));
    ck_assert_int_eq(way().enqueued, 2);
    fx_close();
}
END_TEST

START_TEST(one_seal_waits_for_the_one_before)
{
    fw_delivery *d;
    bool mine = false;

    fx_open(_i);
    put(1);
    put(2);
    d = claim(FX_NOW);
    ck_assert_str_eq(d->key, "audit:1");
    ck_assert_ptr_null(claim(FX_NOW));
    ck_assert_int_eq(way().waiting, 2);
    ck_ok(fw_outbox_again(fx.db, d, FX_NOW, 50, "away", &mine, fx.pool));
    ck_assert_ptr_null(claim(FX_NOW)); /* the second does not overtake it */
    d = claim(FX_NOW + 60);
    ck_assert_str_eq(d->key, "audit:1");
    ck_ok(fw_outbox_done(fx.db, d, FX_NOW + 61, NULL, &mine, fx.pool));
    ck_assert_int_eq(way().waiting, 1);
    ck_assert_str_eq(claim(FX_NOW + 62)->key, "audit:2");
    fx_close();
}
END_TEST

START_TEST(what_takes_longer_keeps_its_lease)
{
    fw_delivery *d, *other;
    bool mine = false;

    fx_open(_i);
    put(1);
    d = claim(FX_NOW);
    ck_ok(fw_outbox_keep(fx.db, d, FX_NOW + 500, &mine, fx.pool));
    ck_assert(mine);
    ck_assert_ptr_null(claim(FX_NOW + 400));
    other = claim(FX_NOW + 501);
    ck_assert_int_eq(other->attempt, 2);
    ck_ok(fw_outbox_keep(fx.db, d, FX_NOW + 900, &mine, fx.pool));
    ck_assert(!mine);
    fx_close();
}
END_TEST

START_TEST(records_page_by_page)
{
    apr_array_header_t *list = NULL;
    fw_id after = 0;
    int got = 0;

    fx_open(_i);
    seal(1, 1);
    seal(2, 5);
    seal(3, 1);
    do {
        ck_ok(fw_seal_page(fx.db, 2, after, 2, &list, fx.pool));
        for (int i = 0; i < list->nelts; i++) {
            const fw_audit *r = &APR_ARRAY_IDX(list, i, fw_audit);

            ck_assert_int_eq(r->id, 200 + got);
            ck_assert_int_eq(r->seq, 2 + got);
            ck_assert_int_eq(r->seal, 2);
            ck_assert_str_eq(r->hash, fw_audit_hash(r, fx.pool));
            ck_assert((r->data == NULL) == (got == 0) && (r->actor == NULL) == (got == 0));
            after = r->id;
            got++;
        }
    } while (list->nelts == 2);
    ck_assert_int_eq(got, 5);
    fx_close();
}
END_TEST

/* ---- many at once ---- */

static fw_audit *make_reads(int n)
{
    static const char *const names[] = {"case:1", "case:2", "case:\"3\""};
    fw_audit *reads = apr_pcalloc(fx.pool, sizeof(*reads) * (apr_size_t)n);

    for (int i = 0; i < n; i++)
        reads[i] = (fw_audit){.id = ++next_id,
                              .aggregate = names[i % 3],
                              .at = FX_NOW + i,
                              .actor_id = INT64_MAX,
                              .actor = i % 2 ? "login\"甲" : NULL,
                              .command = "read.case",
                              .data = i % 2 ? NULL : "{\"ip\":\"::1\"}"};
    return reads;
}

static const fw_err *put_reads(fw_audit *reads, int n)
{
    const fw_err *err;

    ck_ok(fw_db_begin(fx.db));
    err = fw_audit_add_all(fx.db, reads, n, fx.pool);
    err = err ? err : fw_db_commit(fx.db);
    fw_db_rollback(fx.db);
    return err;
}

/* Each record follows from the one before it of its aggregate. */
static const fw_err *follows(void *baton, const fw_audit *r)
{
    fw_audit *before = baton;
    bool same = before->aggregate && strcmp(before->aggregate, r->aggregate) == 0;

    ck_assert_int_eq(r->seq, same ? before->seq + 1 : 1);
    ck_assert_str_eq(r->prev, same ? before->hash : "");
    ck_assert_str_eq(r->hash, fw_audit_hash(r, fx.pool));
    *before = *r;
    before->aggregate = apr_pstrdup(fx.pool, r->aggregate);
    before->hash = apr_pstrdup(fx.pool, r->hash);
    return NULL;
}

/* Behind what is there, and behind each other; or none of them. */
START_TEST(many_records_by_one_statement)
{
    apr_array_header_t *got = NULL;
    fw_audit *reads, before = {0};

    fx_open(_i);
    next_id = 1000;
    seal(1, 3);
    reads = make_reads(100);
    ck_ok(put_reads(reads, 100));
    ck_assert_int_eq(reads[0].seq, 4);
    ck_assert_int_eq(reads[1].seq, 1);
    ck_code(put_reads(reads + 50, 10), FW_E_CONFLICT); /* their ids are taken */
    ck_assert_int_eq(fx_count("audit"), 103);
    ck_ok(put_reads(make_reads(FW_AUDIT_MANY), FW_AUDIT_MANY));
    ck_code(put_reads(make_reads(FW_AUDIT_MANY + 1), FW_AUDIT_MANY + 1), FW_E_LIMIT);
    ck_ok(fw_audit_walk(fx.db, follows, &before, fx.pool));
    ck_ok(fw_audit_recent(fx.db, 1002, 1, &got, fx.pool));
    ck_assert_str_eq(APR_ARRAY_IDX(got, 0, fw_audit).data, "{\"ip\":\"::1\"}");
    ck_assert_ptr_null(APR_ARRAY_IDX(got, 0, fw_audit).actor);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trail");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, how_far_it_has_gone, 0, FX_BACKENDS);
    tcase_add_loop_test(both, one_seal_waits_for_the_one_before, 0, FX_BACKENDS);
    tcase_add_loop_test(both, what_takes_longer_keeps_its_lease, 0, FX_BACKENDS);
    tcase_add_loop_test(both, records_page_by_page, 0, FX_BACKENDS);
    tcase_add_loop_test(both, many_records_by_one_statement, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
