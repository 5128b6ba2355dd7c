/* Payments, permits, documents, numbers without a gap, versions of services. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_store_payment.h"
#include "fw_store_service.h"

static void same(const char *a, const char *b)
{
    if (a && b)
        ck_assert_str_eq(a, b);
    else
        ck_assert_ptr_eq(a, b);
}

static const fw_id cases[] = {1000, 1001};

static void open_rows(int backend)
{
    fx_open(backend);
    fx_rows();
    fx_run("INSERT INTO cases (id, version, service, service_hash, state, state_since, worker_id, "
           "employer_id, "
           "filer_id, data, created) SELECT 1001, 1, service, service_hash, state, state_since, "
           "worker_id, "
           "employer_id, filer_id, data, created FROM cases WHERE id = 1000");
}

static fw_payment full_payment(fw_id id)
{
    return (fw_payment){.id = id,
                        .state = FW_PAY_CODE,
                        .payer_id = 10,
                        .org_id = 1,
                        .method = "atm",
                        .amount = 2000,
                        .order_no = apr_psprintf(fx.pool, "FW%018d", (int)id),
                        .gateway_no = "G1",
                        .redirect = "{\"action\":\"https://x\"}",
                        .code = "{\"bank\":\"007\"}",
                        .reason = "none",
                        .cases = cases,
                        .n_cases = 2,
                        .created = FX_NOW + id,
                        .expires = FX_NOW + 50,
                        .paid = FX_NOW + 2,
                        .receipt_no = 11500000000 + id,
                        .checks = 3};
}

static void same_payment(const fw_payment *a, const fw_payment *b)
{
    ck_assert_int_eq(a->version, b->version);
    ck_assert_int_eq(a->state, b->state);
    ck_assert_int_eq(a->payer_id, b->payer_id);
    ck_assert_int_eq(a->org_id, b->org_id);
    same(a->method, b->method);
    ck_assert_int_eq(a->amount, b->amount);
    same(a->order_no, b->order_no);
    same(a->gateway_no, b->gateway_no);
    same(a->redirect, b->redirect);
    same(a->code, b->code);
    same(a->reason, b->reason);
    ck_assert_int_eq(a->n_cases, b->n_cases);
    for (int i = 0; i < a->n_cases; i++)
        ck_assert_int_eq(a->cases[i], b->cases[i]);
    ck_assert_int_eq(a->created, b->created);
    ck_assert_int_eq(a->expires, b->expires);
    ck_assert_int_eq(a->paid, b->paid);
    ck_assert_int_eq(a->receipt_no, b->receipt_no);
    ck_assert_int_eq(a->checks, b->checks);
}

START_TEST(payments)
{
    fw_payment p, stale, other, *back = NULL;
    fw_id id = 0;

    open_rows(_i);
    p = full_payment(5);
    ck_ok(fw_payment_put(fx.db, &p, fx.pool));
    ck_ok(fw_payment_load(fx.db, 5, &back, fx.pool));
    same_payment(&p, back);
    ck_ok(fw_payment_by_order(fx.db, p.order_no, &id, fx.pool));
    ck_assert_int_eq(id, 5);
    ck_ok(fw_payment_by_order(fx.db, "FW", &id, fx.pool));
    ck_assert_int_eq(id, 0);
    stale = p;
    p.state = FW_PAY_PAID;
    p.gateway_no = p.redirect = p.code = p.reason = NULL;
    p.expires = p.paid = p.receipt_no = 0;
    p.checks = 0;
    ck_ok(fw_payment_put(fx.db, &p, fx.pool));
    ck_ok(fw_payment_load(fx.db, 5, &back, fx.pool));
    same_payment(&p, back);
    ck_code(fw_payment_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_code(fw_payment_load(fx.db, 99, &back, fx.pool), FW_E_NOTFOUND);
    other = full_payment(6);
    other.receipt_no = 0; /* as many without a receipt as one likes */
    ck_ok(fw_payment_put(fx.db, &other, fx.pool));
    other = full_payment(7);
    other.order_no = p.order_no;
    ck_code(fw_payment_put(fx.db, &other, fx.pool), FW_E_CONFLICT);
    fx_run("UPDATE payment SET state = 'unheard_of' WHERE id = 5");
    ck_code(fw_payment_load(fx.db, 5, &back, fx.pool), FW_E_CORRUPT);
    fx_close();
}
END_TEST

START_TEST(one_receipt_number_for_one_payment)
{
    fw_payment a, b;

    open_rows(_i);
    a = full_payment(1);
    b = full_payment(2);
    b.receipt_no = a.receipt_no;
    ck_ok(fw_payment_put(fx.db, &a, fx.pool));
    ck_code(fw_payment_put(fx.db, &b, fx.pool), FW_E_CONFLICT);
    fx_close();
}
END_TEST

START_TEST(lists_of_payments)
{
    static const fw_pay_state_e states[] = {FW_PAY_WANTED, FW_PAY_BEGUN,  FW_PAY_CODE,
                                            FW_PAY_PAID,   FW_PAY_FAILED, FW_PAY_PAID};
    apr_array_header_t *list = NULL;

    open_rows(_i);
    for (int i = 0; i < 6; i++) {
        fw_payment p = full_payment(i + 1);

        p.state = states[i];
        p.checks = i == 1 ? 0 : 2;
        ck_ok(fw_payment_put(fx.db, &p, fx.pool));
    }
    ck_ok(fw_payment_to_check(fx.db, FX_NOW + 100, 3, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_id), 2);
    ck_ok(fw_payment_to_check(fx.db, FX_NOW + 100, 2, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_ok(fw_payment_to_check(fx.db, FX_NOW + 2, 3, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    ck_ok(fw_payment_to_expire(fx.db, FX_NOW + 51, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_ok(fw_payment_to_expire(fx.db, FX_NOW + 50, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    ck_ok(fw_payment_receipts(fx.db, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_payment).id, 6);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_payment).receipt_no, 11500000006);
    fx_close();
}
END_TEST

static fw_permit full_permit(fw_id id, fw_id kase)
{
    return (fw_permit){.id = id,
                       .permit_no = apr_psprintf(fx.pool, "EP%d", (int)id),
                       .code = "0123456789ABCDEF",
                       .case_id = kase,
                       .worker_id = 100,
                       .kind = "epermit",
                       .state = "valid",
                       .valid_from = "2026-03-01",
                       .valid_to = "2026-08-31",
                       .issued = FX_NOW};
}

START_TEST(permits)
{
    fw_permit a, b, stale, *back = NULL;

    open_rows(_i);
    a = full_permit(1, 1000);
    ck_ok(fw_permit_put(fx.db, &a, fx.pool));
    ck_ok(fw_permit_load(fx.db, 1, &back, fx.pool));
    same(back->permit_no, a.permit_no);
    same(back->code, a.code);
    ck_assert_int_eq(back->case_id, 1000);
    ck_assert_int_eq(back->worker_id, 100);
    same(back->kind, a.kind);
    same(back->state, a.state);
    same(back->valid_from, a.valid_from);
    same(back->valid_to, a.valid_to);
    ck_assert_int_eq(back->issued, FX_NOW);
    ck_assert_int_eq(back->ended, 0);
    same(back->reason, NULL);
    b = full_permit(2, 1001);
    ck_code(fw_permit_put(fx.db, &b, fx.pool), FW_E_CONFLICT); /* two are never in force at once */
    ck_ok(fw_permit_live(fx.db, 100, "epermit", &back, fx.pool));
    ck_assert_int_eq(back->id, 1);
    stale = a;
    a.state = "superseded";
    a.ended = FX_NOW + 1;
    a.reason = "更正";
    ck_ok(fw_permit_put(fx.db, &a, fx.pool));
    ck_code(fw_permit_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_permit_put(fx.db, &b, fx.pool));
    ck_ok(fw_permit_by_no(fx.db, "EP1", &back, fx.pool));
    same(back->state, "superseded");
    same(back->reason, "更正");
    ck_assert_int_eq(back->ended, FX_NOW + 1);
    ck_ok(fw_permit_live(fx.db, 100, "card", &back, fx.pool));
    ck_assert_ptr_null(back);
    ck_code(fw_permit_load(fx.db, 9, &back, fx.pool), FW_E_NOTFOUND);
    ck_code(fw_permit_by_no(fx.db, "EP9", &back, fx.pool), FW_E_NOTFOUND);
    fx_close();
}
END_TEST

START_TEST(documents)
{
    fw_document d = {.id = 1,
                     .case_id = 1000,
                     .payment_id = 0,
                     .kind = "permit",
                     .number = "EP1",
                     .vault = "00",
                     .sha256 = "ff",
                     .size = 77,
                     .created = FX_NOW},
                *back = NULL;
    apr_array_header_t *list = NULL;

    open_rows(_i);
    ck_ok(fw_document_add(fx.db, &d, fx.pool));
    ck_ok(fw_document_load(fx.db, 1, &back, fx.pool));
    same(back->kind, "permit");
    same(back->number, "EP1");
    same(back->vault, "00");
    same(back->sha256, "ff");
    ck_assert_int_eq(back->size, 77);
    ck_assert_int_eq(back->case_id, 1000);
    ck_assert_int_eq(back->payment_id, 0);
    ck_assert_int_eq(back->created, FX_NOW);
    d.id = 2;
    ck_code(fw_document_add(fx.db, &d, fx.pool), FW_E_CONFLICT); /* a number, once */
    d.kind = "receipt";
    d.case_id = 1001;
    d.payment_id = 5;
    ck_ok(fw_document_add(fx.db, &d, fx.pool));
    ck_ok(fw_document_by_number(fx.db, "receipt", "EP1", &back, fx.pool));
    ck_assert_int_eq(back->id, 2);
    ck_ok(fw_document_by_number(fx.db, "filing", "EP1", &back, fx.pool));
    ck_assert_ptr_null(back);
    ck_ok(fw_document_list(fx.db, 1000, 0, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1); /* no payment is not the payment of all */
    ck_ok(fw_document_list(fx.db, 1000, 5, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_code(fw_document_load(fx.db, 9, &back, fx.pool), FW_E_NOTFOUND);
    fx_close();
}
END_TEST

START_TEST(services)
{
    const char *xml = "kept?";

    fx_open(_i);
    ck_ok(fw_service_stored(fx.db, "h", &xml, fx.pool));
    ck_assert_ptr_null(xml);
    ck_ok(fw_service_keep(fx.db, "h", "epermit", "<service>移工</service>", FX_NOW, fx.pool));
    ck_ok(fw_service_keep(fx.db, "h", "epermit", "another", FX_NOW, fx.pool));
    ck_ok(fw_service_stored(fx.db, "h", &xml, fx.pool));
    ck_assert_str_eq(xml, "<service>移工</service>");
    fx_close();
}
END_TEST

/* ---- numbers without a gap: 8 processes, of whose transactions a third is undone ---- */

#define DRAWS 40

static int draw_many(int i, fw_db *db, apr_pool_t *pool)
{
    unsigned seed = (unsigned)i * 7919u + 1;
    apr_pool_t *iter;

    apr_pool_create(&iter, pool);
    for (int k = 0; k < DRAWS;) {
        int64_t n = 0;
        const fw_err *err;

        apr_pool_clear(iter);
        err = fw_db_begin(db);
        if (!err)
            err = fw_counter_draw(db, "receipt:115", 1, &n, iter);
        if (!err)
            err = fw_db_exec(
                db, "lease_take",
                FW_VALS(FW_S(apr_psprintf(iter, "n%d", (int)n)), FW_S("x"), FW_I(n), FW_I(0)), NULL,
                iter);
        if (!err && rand_r(&seed) % 3 == 0) {
            fw_db_rollback(db);
            continue;
        }
        if (!err)
            err = fw_db_commit(db);
        if (err) {
            fprintf(stderr, "drawer %d: %s\n", i, fw_err_text(err, iter));
            return 1;
        }
        k++;
    }
    return 0;
}

START_TEST(counters_have_no_gap)
{
    int64_t n = 0;

    fx_open(_i);
    ck_assert_int_eq(fx_processes(8, draw_many), 0);
    ck_assert_int_eq(fx_count("lease"), 8 * DRAWS);
    ck_assert_int_eq(apr_atoi64(fx_text("SELECT max(until) FROM lease")), 8 * DRAWS);
    ck_ok(fw_counter_draw(fx.db, "receipt:115", 1, &n, fx.pool));
    ck_assert_int_eq(n, 8 * DRAWS + 1);
    ck_ok(fw_counter_draw(fx.db, "receipt:116", 500, &n, fx.pool));
    ck_assert_int_eq(n, 500);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("money");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, payments, 0, FX_BACKENDS);
    tcase_add_loop_test(both, one_receipt_number_for_one_payment, 0, FX_BACKENDS);
    tcase_add_loop_test(both, lists_of_payments, 0, FX_BACKENDS);
    tcase_add_loop_test(both, permits, 0, FX_BACKENDS);
    tcase_add_loop_test(both, documents, 0, FX_BACKENDS);
    tcase_add_loop_test(both, services, 0, FX_BACKENDS);
    tcase_add_loop_test(both, counters_have_no_gap, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
