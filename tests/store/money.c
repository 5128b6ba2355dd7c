/* Payments, permits, documents, numbers without a gap, versions of services. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "fw_store_payment.h"
#include "fw_store_refund.h"
#include "fw_store_settlement.h"
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
                        .checks = 3,
                        .promised = 700,
                        .refunded = 300};
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
    ck_assert_int_eq(a->promised, b->promised);
    ck_assert_int_eq(a->refunded, b->refunded);
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

START_TEST(void_receipts_stand_among_the_others)
{
    fw_receipt_void v = {
        .number = 11500000001, .payment_id = 5, .at = 7, .by = 9, .reason = "torn"};
    apr_array_header_t *list = NULL;
    const fw_receipt_line *l;

    open_rows(_i);
    for (int i = 5; i <= 6; i++) {
        fw_payment p = full_payment(i);

        p.state = FW_PAY_PAID;
        ck_ok(fw_payment_put(fx.db, &p, fx.pool));
    }
    ck_ok(fw_receipt_void_add(fx.db, &v, fx.pool));
    ck_code(fw_receipt_void_add(fx.db, &v, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_payment_receipts(fx.db, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 3);
    l = &APR_ARRAY_IDX(list, 2, fw_receipt_line);
    ck_assert_int_eq(l->void_no, 11500000001);
    ck_assert_int_eq(l->payment.receipt_no, 11500000005);
    ck_assert_str_eq(l->why, "torn");
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_receipt_line).void_no, 0);
    ck_ok(fw_payment_receipts(fx.db, 2, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_ok(fw_receipt_voids(fx.db, 5, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_receipt_void).by, 9);
    ck_ok(fw_receipt_voids(fx.db, 6, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
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
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_receipt_line).payment.id, 6);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_receipt_line).payment.receipt_no, 11500000006);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_receipt_line).document, 0);
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
    same(back->told, NULL);
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

static const char *to_tell(const char *today, int limit)
{
    apr_array_header_t *list = NULL;
    const char *got = "";

    ck_ok(fw_permit_to_tell(fx.db, today, limit, &list, fx.pool));
    for (int i = 0; i < list->nelts; i++)
        got = apr_psprintf(fx.pool, "%s%s%" APR_INT64_T_FMT, got, i ? " " : "",
                           APR_ARRAY_IDX(list, i, fw_id));
    return got;
}

/* Those of which the border has not heard, unless they are over or wait at the station; and those that it believes valid. */
START_TEST(permits_to_tell)
{
    fw_permit p, card, *back = NULL;

    open_rows(_i);
    p = full_permit(1, 1000);
    card = full_permit(2, 1001);
    card.kind = "card";
    card.state = "waiting";
    ck_ok(fw_permit_put(fx.db, &p, fx.pool));
    ck_ok(fw_permit_put(fx.db, &card, fx.pool));
    same(to_tell("2026-08-31", 9), "1");
    same(to_tell("2026-09-01", 9), "");
    p.told = "valid";
    ck_ok(fw_permit_put(fx.db, &p, fx.pool));
    ck_ok(fw_permit_load(fx.db, 1, &back, fx.pool));
    same(back->told, "valid");
    ck_assert_int_eq(back->version, 2);
    same(to_tell("2026-08-31", 9), "");
    same(to_tell("2026-09-01", 9), "1");
    card.state = "valid";
    card.told = "valid";
    ck_ok(fw_permit_put(fx.db, &card, fx.pool));
    ck_assert_uint_eq(strlen(to_tell("2026-09-01", 9)), 3); /* in any order */
    ck_assert_uint_eq(strlen(to_tell("2026-09-01", 1)), 1);
    p.told = card.told = "expired";
    ck_ok(fw_permit_put(fx.db, &p, fx.pool));
    ck_ok(fw_permit_put(fx.db, &card, fx.pool));
    same(to_tell("2026-09-01", 9), "");
    fx_close();
}
END_TEST

/* 100 to 124 ended, a second after each other; 200 is valid. A third of them would have ended on each of three days. */
static void ended_rows(void)
{
#define NUMBERS                                                                                 \
    "WITH RECURSIVE k (n) AS (SELECT 100 UNION ALL SELECT CASE n WHEN 124 THEN 200 ELSE n + 1 " \
    "END FROM k WHERE n < 200) "
    fx_run("INSERT INTO cases (id, version, service, service_hash, state, state_since, worker_id, "
           "employer_id, filer_id, data, created) " NUMBERS
           "SELECT n, 1, service, service_hash, state, state_since, worker_id, employer_id, "
           "filer_id, data, created FROM cases, k WHERE cases.id = 1000");
    fx_run(apr_psprintf(
        fx.pool,
        "INSERT INTO permit (id, version, permit_no, code, case_id, worker_id, kind, state, "
        "valid_from, valid_to, issued, ended) " NUMBERS
        "SELECT n, 1, 'EP' || CAST(n AS TEXT), 'C', n, 100, 'epermit', CASE WHEN n = 200 THEN "
        "'valid' WHEN n %% 2 = 0 THEN 'superseded' ELSE 'revoked' END, '2026-03-01', CASE n %% 3 "
        "WHEN 0 THEN '2026-08-30' WHEN 1 THEN '2026-08-31' ELSE '2026-09-01' END, "
        "%" APR_TIME_T_FMT ", CASE n WHEN 200 THEN 0 ELSE %" APR_TIME_T_FMT " + n * 1000000 END "
        "FROM k",
        FX_NOW, FX_NOW));
#undef NUMBERS
}

START_TEST(permits_that_ended)
{
    static const char *const wanted = "EP100 EP103 EP106 EP109 EP112|EP115 EP118 EP121 EP124 "
                                      "EP101|EP104 EP107 EP110 EP113 EP116|EP119 EP122|";
    const char *to = "2026-08-31", *no = "", *got = "";
    apr_array_header_t *page = NULL;
    int64_t n = 0;

    open_rows(_i);
    ck_ok(fw_permit_ended_since(fx.db, 0, &n, fx.pool));
    ck_assert_int_eq(n, 0);
    ended_rows();
    do {
        ck_ok(fw_permit_ended_list(fx.db, to, no, 5, &page, fx.pool));
        for (int i = 0; i < page->nelts; i++) {
            const fw_permit *p = &APR_ARRAY_IDX(page, i, fw_permit);

            got = apr_pstrcat(fx.pool, got, i ? " " : "", p->permit_no, NULL);
            same(p->state, p->id % 2 ? "revoked" : "superseded");
            to = p->valid_to;
            no = p->permit_no;
        }
        got = apr_pstrcat(fx.pool, got, "|", NULL);
    } while (page->nelts == 5);
    same(got, wanted);
    ck_ok(fw_permit_ended_list(fx.db, "2026-09-02", "", 5, &page, fx.pool));
    ck_assert_int_eq(page->nelts, 0);
    ck_ok(fw_permit_ended_since(fx.db, FX_NOW, &n, fx.pool));
    ck_assert_int_eq(n, 25);
    ck_ok(fw_permit_ended_since(fx.db, FX_NOW + apr_time_from_sec(120), &n, fx.pool));
    ck_assert_int_eq(n, 4); /* at that moment itself is not since */
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
            err = fw_db_exec(db, "lease_take",
                             FW_VALS(FW_S(apr_psprintf(iter, "n%d", (int)n)), FW_S("x"), FW_I(n),
                                     FW_I(0), FW_I(n)),
                             NULL, iter);
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

static fw_refund full_refund(fw_id id, fw_refund_state_e state)
{
    return (fw_refund){.id = id,
                       .state = state,
                       .payment_id = 5,
                       .cases = cases,
                       .n_cases = 2,
                       .amount = 300,
                       .cause = "cashier",
                       .reason = "r",
                       .asked_by = 10,
                       .before = 40,
                       .gateway_no = "G1",
                       .reference = "T1",
                       .trouble = "gateway:0",
                       .created = FX_NOW + id,
                       .sent = FX_NOW + 1,
                       .ended = state == FW_REFUND_DONE ? FX_NOW + 100 - id : 0};
}

static void same_refund(const fw_refund *a, const fw_refund *b)
{
    ck_assert_int_eq(a->version, b->version);
    ck_assert_int_eq(a->state, b->state);
    ck_assert_int_eq(a->payment_id, b->payment_id);
    ck_assert_int_eq(a->n_cases, b->n_cases);
    for (int i = 0; i < a->n_cases; i++)
        ck_assert_int_eq(a->cases[i], b->cases[i]);
    ck_assert_int_eq(a->amount, b->amount);
    same(a->cause, b->cause);
    same(a->reason, b->reason);
    ck_assert_int_eq(a->asked_by, b->asked_by);
    ck_assert_int_eq(a->before, b->before);
    same(a->gateway_no, b->gateway_no);
    same(a->reference, b->reference);
    same(a->trouble, b->trouble);
    ck_assert_int_eq(a->created, b->created);
    ck_assert_int_eq(a->sent, b->sent);
    ck_assert_int_eq(a->ended, b->ended);
}

START_TEST(refunds)
{
    apr_array_header_t *list = NULL;
    fw_refund r, stale, *back = NULL;
    fw_payment p;

    open_rows(_i);
    p = full_payment(5);
    ck_ok(fw_payment_put(fx.db, &p, fx.pool));
    for (int i = 0; i < FW_REFUND_STATES; i++) {
        r = full_refund(i + 1, (fw_refund_state_e)i);
        ck_ok(fw_refund_put(fx.db, &r, fx.pool));
        ck_ok(fw_refund_load(fx.db, r.id, &back, fx.pool));
        same_refund(&r, back);
    }
    stale = r;
    r.state = FW_REFUND_UNKNOWN;
    r.reason = r.gateway_no = r.reference = r.trouble = NULL;
    r.before = FW_REFUND_UNTOLD;
    r.sent = r.ended = r.asked_by = 0;
    ck_ok(fw_refund_put(fx.db, &r, fx.pool));
    ck_ok(fw_refund_load(fx.db, r.id, &back, fx.pool));
    same_refund(&r, back);
    ck_code(fw_refund_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_code(fw_refund_load(fx.db, 99, &back, fx.pool), FW_E_NOTFOUND);
    ck_ok(fw_refund_of_payment(fx.db, 5, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, FW_REFUND_STATES);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_refund).id, 1);
    ck_ok(fw_refund_list(fx.db, false, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, FW_REFUND_STATES);
    same(APR_ARRAY_IDX(list, 0, fw_refund_line).order_no, p.order_no);
    r = full_refund(40, FW_REFUND_DONE);
    ck_ok(fw_refund_put(fx.db, &r, fx.pool));
    ck_ok(fw_refund_list(fx.db, true, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_refund_line).receipt_no, p.receipt_no);
    fx_run("UPDATE refund SET state = 'unheard_of' WHERE id = 40");
    ck_code(fw_refund_load(fx.db, 40, &back, fx.pool), FW_E_CORRUPT);
    fx_close();
}
END_TEST

START_TEST(settlements)
{
    apr_array_header_t *list = NULL;
    fw_settlement s = {.day = "2026-11-25", .state = "asked", .asked = FX_NOW}, stale, *back = NULL;
    fw_payment p;
    fw_refund r;
    bool any = true;

    open_rows(_i);
    ck_code(fw_settlement_load(fx.db, s.day, &back, fx.pool), FW_E_NOTFOUND);
    ck_ok(fw_settled_any(fx.db, FX_NOW + 9, &any, fx.pool));
    ck_assert(!any);
    ck_ok(fw_settlement_put(fx.db, &s, fx.pool));
    stale = s;
    s = (fw_settlement){.day = s.day,
                        .version = 1,
                        .state = "differs",
                        .asked = 1,
                        .closed = 2,
                        .lines = 3,
                        .taken = 4,
                        .paid_back = 5,
                        .fees = 6,
                        .n_differences = 7,
                        .differences = "[]",
                        .reason = "r"};
    ck_ok(fw_settlement_put(fx.db, &s, fx.pool));
    ck_code(fw_settlement_put(fx.db, &stale, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_settlement_load(fx.db, s.day, &back, fx.pool));
    same(back->state, "differs");
    same(back->differences, "[]");
    same(back->reason, "r");
    ck_assert(back->version == 2 && back->asked == 1 && back->closed == 2 && back->lines == 3 &&
              back->taken == 4 && back->paid_back == 5 && back->fees == 6 &&
              back->n_differences == 7);
    ck_ok(fw_settlement_list(fx.db, 5, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    p = full_payment(5); /* paid at FX_NOW + 2 */
    p.state = FW_PAY_PAID;
    ck_ok(fw_payment_put(fx.db, &p, fx.pool));
    ck_ok(fw_settled_payments(fx.db, FX_NOW, FX_NOW + 2, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_ok(fw_settled_payments(fx.db, FX_NOW + 3, FX_NOW + 9, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    ck_ok(fw_settled_any(fx.db, FX_NOW + 3, &any, fx.pool));
    ck_assert(any);
    r = full_refund(1, FW_REFUND_DONE); /* sent at FX_NOW + 1, ended at FX_NOW + 99 */
    r.reference = NULL;
    ck_ok(fw_refund_put(fx.db, &r, fx.pool));
    r = full_refund(2, FW_REFUND_DONE); /* by hand */
    ck_ok(fw_refund_put(fx.db, &r, fx.pool));
    ck_ok(fw_settled_refunds(fx.db, FX_NOW + 1, FX_NOW + 100, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    same(APR_ARRAY_IDX(list, 0, fw_settled).order_no, p.order_no);
    ck_ok(fw_settled_refunds(fx.db, FX_NOW + 2, FX_NOW + 100, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0); /* sent the day before */
    ck_ok(fw_settled_refunded(fx.db, 5, 300, &any, fx.pool));
    ck_assert(any);
    ck_ok(fw_settled_refunded(fx.db, 5, 301, &any, fx.pool));
    ck_assert(!any);
    fx_close();
}
END_TEST

/* Runs the statements of a migration that write into a table, as an upgrade does after the tables are there. */
static void run_inserts(const char *path)
{
    apr_file_t *f = NULL;
    char text[8192];
    apr_size_t n = sizeof(text) - 1;
    char *at;

    ck_assert_int_eq(apr_file_open(&f, path, APR_READ, 0, fx.pool), APR_SUCCESS);
    ck_assert_int_eq(apr_file_read(f, text, &n), APR_SUCCESS);
    text[n] = '\0';
    apr_file_close(f);
    for (at = strstr(text, "INSERT INTO refund"); at && *at;) {
        char *end = strstr(at, ";\n");

        ck_assert_ptr_nonnull(end);
        *end = '\0';
        fx_run(at);
        at = end + 2;
    }
}

/* Two cases: one that this payment did not pay, one that was closed before; and a payment that is as it should be. */
START_TEST(what_was_only_marked_becomes_due)
{
    apr_array_header_t *list = NULL;
    fw_payment p, good;

    open_rows(_i);
    p = full_payment(5);
    p.state = FW_PAY_PAID;
    p.reason = "refund_due";
    p.promised = p.refunded = 0;
    ck_ok(fw_payment_put(fx.db, &p, fx.pool));
    good = full_payment(6);
    good.state = FW_PAY_PAID;
    good.reason = NULL;
    good.promised = good.refunded = 0;
    ck_ok(fw_payment_put(fx.db, &good, fx.pool));
    fx_run("UPDATE cases SET fee = 1000, payment_id = 6, state = 'issued' WHERE id = 1000");
    fx_run("UPDATE cases SET fee = 700, payment_id = 5, state = 'withdrawn' WHERE id = 1001");
    run_inserts("sql/schema/0011_refunds.sql");
    ck_ok(fw_refund_of_payment(fx.db, 5, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    for (int i = 0; i < 2; i++) {
        const fw_refund *r = &APR_ARRAY_IDX(list, i, fw_refund);

        ck_assert_int_eq(r->state, FW_REFUND_DUE);
        ck_assert_int_eq(r->amount, r->cases[0] == 1000 ? 1000 : 700);
        ck_assert_int_eq(r->before, FW_REFUND_UNTOLD);
    }
    ck_ok(fw_refund_of_payment(fx.db, 6, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    ck_assert_str_eq(fx_text("SELECT promised FROM payment WHERE id = 5"), "1700");
    ck_assert_str_eq(fx_text("SELECT promised FROM payment WHERE id = 6"), "0");
    fx_close();
}
END_TEST

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
    tcase_add_loop_test(both, void_receipts_stand_among_the_others, 0, FX_BACKENDS);
    tcase_add_loop_test(both, lists_of_payments, 0, FX_BACKENDS);
    tcase_add_loop_test(both, permits, 0, FX_BACKENDS);
    tcase_add_loop_test(both, permits_that_ended, 0, FX_BACKENDS);
    tcase_add_loop_test(both, permits_to_tell, 0, FX_BACKENDS);
    tcase_add_loop_test(both, documents, 0, FX_BACKENDS);
    tcase_add_loop_test(both, services, 0, FX_BACKENDS);
    tcase_add_loop_test(both, refunds, 0, FX_BACKENDS);
    tcase_add_loop_test(both, settlements, 0, FX_BACKENDS);
    tcase_add_loop_test(both, what_was_only_marked_becomes_due, 0, FX_BACKENDS);
    tcase_add_loop_test(both, counters_have_no_gap, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
