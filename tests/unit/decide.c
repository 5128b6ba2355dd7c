/* decide() and the life of a case: every row of the table, every guard, over a virtual clock. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <check.h>

#include "fw_access.h"
#include "fw_decide.h"
#include "fw_lifecycle.h"

#define HOUR (apr_time_from_sec(3600))
#define NOW  (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z */

static apr_pool_t *pool;
static fw_case kase;
static fw_view view;
static fw_payment payment, prior;
static fw_payment *priors[1];
static fw_case *cases[1];
static fw_permit permit, live_permit;
static fw_ids ids;
static fw_outcome out;
static fw_terms terms;
static const fw_officer officers[] = {
    {11, "A", "TYC", 3}, {12, "B", "TYC", 1}, {13, "C", "TYC", 1}};
static const fw_actor agent = {
    .account_id = 1, .org_id = 5, .roles = FW_ROLE_AGENT, .name = "agent"};
static const fw_actor first = {.account_id = 12, .roles = FW_ROLE_INITIAL | FW_ROLE_SECOND};
static const fw_actor second = {.account_id = 13, .roles = FW_ROLE_SECOND};
static const fw_actor machine = {.roles = FW_ROLE_SYSTEM, .name = "system"};

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    memset(&kase, 0, sizeof(kase));
    memset(&view, 0, sizeof(view));
    memset(&payment, 0, sizeof(payment));
    memset(&prior, 0, sizeof(prior));
    memset(&ids, 0, sizeof(ids));
    memcpy(ids.order, "ORDER000000000000001", 21);
    for (int i = 0; i < FW_IDS; i++)
        ids.id[i] = 1000 + i;
    kase.id = 7;
    kase.version = 4;
    kase.state = FW_STATE_DRAFT;
    kase.data = "{}";
    view.kase = &kase;
    cases[0] = &kase;
    view.cases = cases;
    view.n_cases = 1;
    view.payment = &payment;
    priors[0] = NULL;
    view.priors = priors;
    view.permit = &permit;
    view.data = "{\"a\":\"b\"}";
    terms = (fw_terms){.draft_until = NOW + 720 * HOUR,
                       .supplement_until = NOW + 360 * HOUR,
                       .supplement_abroad_until = NOW + 2000 * HOUR,
                       .payment_until = NOW + 120 * HOUR,
                       .due = NOW + 48 * HOUR,
                       .fee = 1000,
                       .valid_from = "2026-01-02",
                       .valid_to = "2026-07-01",
                       .kind = "epermit"};
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static void give(const fw_actor *actor, fw_command cmd, apr_time_t at)
{
    cmd.actor = actor;
    if (!cmd.target)
        cmd.target = kase.id;
    fw_decide(&view, &cmd, at, &ids, &terms, &out, pool);
}

static void expect_refused(const char *key)
{
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_str_eq(out.refusals[0].key, key);
    ck_assert_int_eq(out.n_events, 0);
    ck_assert_int_eq(out.n_sends, 0);
    ck_assert_uint_eq(out.changed, 0);
}

static bool sends(const char *op)
{
    for (int i = 0; i < out.n_sends; i++) {
        if (strcmp(out.sends[i].op, op) == 0)
            return true;
    }
    return false;
}

START_TEST(submit_starts_clock_and_assigns)
{
    view.officers = officers;
    view.n_officers = 3;
    view.station = "TPE";
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(kase.state, FW_STATE_INITIAL_REVIEW);
    ck_assert_int_eq(kase.first_reviewer, 12); /* least loaded, then lowest id */
    ck_assert_int_eq(kase.due, NOW + 48 * HOUR);
    ck_assert_int_eq(kase.submitted, NOW);
    ck_assert(out.draw & FW_DRAW_CASE_NO);
    ck_assert(sends("press.filing"));
    ck_assert(sends("notify.send"));
    ck_assert_int_eq(out.n_events, 2);
}
END_TEST

START_TEST(submit_without_officer_waits)
{
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_SUBMITTED);
}
END_TEST

START_TEST(submit_incomplete_refused_with_each_field)
{
    static const fw_refusal problems[] = {{"photo", "problem.required", NULL},
                                          {"birth", "problem.date.format", NULL}};

    view.problems = problems;
    view.n_problems = 2;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT}, NOW);
    expect_refused("problem.required");
    ck_assert_int_eq(out.n_refusals, 2);
    ck_assert_int_eq(out.code, FW_E_INPUT);
    ck_assert_int_eq(kase.state, FW_STATE_DRAFT);
}
END_TEST

START_TEST(stale_tab_is_conflict)
{
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SAVE, .version = 3}, NOW);
    expect_refused("case.stale");
    ck_assert_int_eq(out.code, FW_E_CONFLICT);
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SAVE, .version = 4}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
}
END_TEST

/* Every state × every case command: only what the table has is done. */
START_TEST(only_the_table_moves_a_case)
{
    static const fw_cmd_e cmds[] = {FW_CMD_CASE_SAVE,    FW_CMD_CASE_SUBMIT,  FW_CMD_CASE_ASSIGN,
                                    FW_CMD_CASE_CORRECT, FW_CMD_CASE_RETURN,  FW_CMD_CASE_APPROVE,
                                    FW_CMD_CASE_CONFIRM, FW_CMD_CASE_REJECT,  FW_CMD_CASE_SEND_BACK,
                                    FW_CMD_CASE_EXPIRE,  FW_CMD_CASE_WITHDRAW};
    static const char *const marked[] = {"photo"};
    int done = 0;

    for (int s = 0; s < FW_STATES; s++) {
        for (size_t c = 0; c < sizeof(cmds) / sizeof(cmds[0]); c++) {
            fw_job job = {.id = 9, .state = "accepted"};
            bool there;

            setup();
            view.job = &job;
            kase.state = (fw_state_e)s;
            kase.deadline = NOW - HOUR;
            kase.return_to = FW_STATE_INITIAL_REVIEW;
            view.officers = officers;
            view.n_officers = 3;
            view.marked = marked;
            view.n_marked = 1;
            there = fw_lifecycle_find(kase.state, cmds[c]) != NULL;
            give(&machine,
                 (fw_command){.kind = cmds[c], .marks = "[]", .reason = "x", .officer_id = 11},
                 NOW);
            ck_assert_int_eq(out.verdict, there ? FW_DONE : FW_REFUSED);
            done += there;
        }
    }
    ck_assert_int_ge(done, 20);
}
END_TEST

START_TEST(return_needs_marks_and_stops_clock)
{
    static const char *const marked[] = {"photo"};

    kase.state = FW_STATE_INITIAL_REVIEW;
    kase.first_reviewer = 12;
    kase.due = NOW + 48 * HOUR;
    kase.turn_since = NOW;
    give(&first, (fw_command){.kind = FW_CMD_CASE_RETURN, .marks = "[]"}, NOW);
    expect_refused("case.nothing_marked");
    view.marked = marked;
    view.n_marked = 1;
    give(&first, (fw_command){.kind = FW_CMD_CASE_RETURN, .marks = "[{}]"}, NOW + 2 * HOUR);
    ck_assert_int_eq(kase.state, FW_STATE_RETURNED);
    ck_assert_int_eq(kase.deadline, terms.supplement_until);
    ck_assert_int_eq(kase.office_us, 2 * HOUR);
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT}, NOW + 12 * HOUR);
    ck_assert_int_eq(kase.state, FW_STATE_INITIAL_REVIEW);
    ck_assert_int_eq(kase.applicant_us, 10 * HOUR);
    ck_assert_int_eq(kase.due, NOW + 58 * HOUR);
    ck_assert_ptr_null(kase.marks);
    ck_assert_int_eq(kase.deadline, 0);
}
END_TEST

START_TEST(returned_only_marked_may_change)
{
    static const char *const marked[] = {"photo"};
    static const char *const wrong[] = {"birth"};

    kase.state = FW_STATE_RETURNED;
    view.marked = marked;
    view.n_marked = 1;
    view.touched = wrong;
    view.n_touched = 1;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SAVE}, NOW);
    expect_refused("case.not_marked");
    view.touched = marked;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SAVE}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
}
END_TEST

START_TEST(supplement_from_abroad_has_the_longer_deadline)
{
    static const char *const marked[] = {"visa"};

    kase.first_reviewer = 12;
    kase.state = FW_STATE_INITIAL_REVIEW;
    view.marked = marked;
    view.n_marked = 1;
    give(&first, (fw_command){.kind = FW_CMD_CASE_RETURN, .marks = "[{}]", .abroad = true}, NOW);
    ck_assert_int_eq(kase.deadline, terms.supplement_abroad_until);
}
END_TEST

START_TEST(four_eyes)
{
    static const fw_cmd_e cmds[] = {FW_CMD_CASE_CONFIRM, FW_CMD_CASE_SEND_BACK, FW_CMD_CASE_REJECT,
                                    FW_CMD_CASE_RETURN, FW_CMD_CASE_CORRECT};

    kase.first_reviewer = 12;
    for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
        kase.state = FW_STATE_SECOND_REVIEW;
        give(&first, (fw_command){.kind = cmds[i], .reason = "x"}, NOW);
        expect_refused("case.four_eyes");
        ck_assert_int_eq(out.code, FW_E_CONFLICT);
    }
    give(&second, (fw_command){.kind = FW_CMD_CASE_CORRECT}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
    give(&second, (fw_command){.kind = FW_CMD_CASE_CONFIRM}, NOW);
    expect_refused("case.four_eyes"); /* an editor does not confirm */
}
END_TEST

START_TEST(one_desk_until_something_is_proposed)
{
    static const fw_cmd_e cmds[] = {FW_CMD_CASE_CORRECT, FW_CMD_CASE_RETURN, FW_CMD_CASE_APPROVE,
                                    FW_CMD_CASE_REJECT};

    kase.state = FW_STATE_INITIAL_REVIEW;
    kase.first_reviewer = 12;
    for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
        give(&second, (fw_command){.kind = cmds[i], .reason = "x"}, NOW);
        expect_refused("case.other_desk");
    }
    view.officers = officers;
    view.n_officers = 3;
    give(&second, (fw_command){.kind = FW_CMD_CASE_ASSIGN, .officer_id = 13}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
    give(&second, (fw_command){.kind = FW_CMD_CASE_APPROVE}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_SECOND_REVIEW);
}
END_TEST

START_TEST(a_rejection_is_proposed_then_decided)
{
    kase.state = FW_STATE_INITIAL_REVIEW;
    kase.first_reviewer = 12;
    give(&first, (fw_command){.kind = FW_CMD_CASE_REJECT}, NOW);
    expect_refused("case.reason_missing");
    give(&first, (fw_command){.kind = FW_CMD_CASE_REJECT, .reason = "x"}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_SECOND_REVIEW);
    ck_assert_int_eq(out.n_sends, 0); /* nobody is told before it is decided */
    give(&second, (fw_command){.kind = FW_CMD_CASE_CONFIRM}, NOW);
    expect_refused("case.rejection_proposed");
    give(&second, (fw_command){.kind = FW_CMD_CASE_SEND_BACK, .reason = "y"}, NOW);
    ck_assert_ptr_null(kase.reason);
    give(&first, (fw_command){.kind = FW_CMD_CASE_REJECT, .reason = "x"}, NOW);
    give(&second, (fw_command){.kind = FW_CMD_CASE_REJECT}, NOW);
    expect_refused("case.reason_missing");
    give(&second, (fw_command){.kind = FW_CMD_CASE_REJECT, .reason = "z"}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_REJECTED);
    ck_assert_str_eq(kase.reason, "z");
    ck_assert(sends("notify.send"));
}
END_TEST

START_TEST(no_permit_that_ends_before_it_begins)
{
    fw_permit made = {.kind = "epermit", .valid_from = "2026-01-02", .valid_to = "2026-01-01"};
    fw_document doc = {.kind = "permit"};

    kase.state = FW_STATE_SECOND_REVIEW;
    kase.first_reviewer = 12;
    terms.valid_to = "2026-01-01";
    give(&second, (fw_command){.kind = FW_CMD_CASE_CONFIRM}, NOW);
    expect_refused("case.no_term");
    terms.valid_to = terms.valid_from;
    give(&second, (fw_command){.kind = FW_CMD_CASE_CONFIRM}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
    kase.state = FW_STATE_PRODUCING;
    give(&machine, (fw_command){.kind = FW_CMD_PERMIT_ISSUE, .permit = &made, .document = &doc},
         NOW);
    expect_refused("case.no_term");
}
END_TEST

START_TEST(a_paper_makes_no_page_stale)
{
    fw_document doc = {.kind = "filing", .number = "1"};

    kase.state = FW_STATE_INITIAL_REVIEW;
    give(&machine, (fw_command){.kind = FW_CMD_DOCUMENT_ADD, .document = &doc}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(out.n_events, 1);
    ck_assert_int_ne(out.document_added.id, 0);
    ck_assert_uint_eq(out.changed, 0);
}
END_TEST

START_TEST(confirm_asks_fee_or_produces)
{
    kase.state = FW_STATE_SECOND_REVIEW;
    kase.first_reviewer = 12;
    give(&second, (fw_command){.kind = FW_CMD_CASE_CONFIRM}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_AWAITING_PAYMENT);
    ck_assert_int_eq(kase.fee, 1000);
    ck_assert_int_eq(kase.deadline, terms.payment_until);
    ck_assert_int_eq(kase.second_reviewer, 13);
    setup();
    kase.state = FW_STATE_SECOND_REVIEW;
    kase.first_reviewer = 12;
    terms.fee = 0;
    give(&second, (fw_command){.kind = FW_CMD_CASE_CONFIRM}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert(sends("press.permit"));
}
END_TEST

static void await_payment(void)
{
    kase.state = FW_STATE_AWAITING_PAYMENT;
    kase.fee = 1000;
}

START_TEST(pay_begin_is_accepted_and_guarded)
{
    await_payment();
    give(&agent, (fw_command){.kind = FW_CMD_PAYMENT_BEGIN, .method = "card"}, NOW);
    ck_assert_int_eq(out.verdict, FW_ACCEPTED);
    ck_assert_int_eq(payment.amount, 1000);
    ck_assert_str_eq(payment.order_no, "ORDER000000000000001");
    ck_assert(sends("payment.begin"));

    prior.state = FW_PAY_PAID;
    prior.method = "card";
    priors[0] = &prior;
    give(&agent, (fw_command){.kind = FW_CMD_PAYMENT_BEGIN, .method = "card"}, NOW);
    expect_refused("payment.already_paid");
    prior.state = FW_PAY_WANTED;
    give(&agent, (fw_command){.kind = FW_CMD_PAYMENT_BEGIN, .method = "card"}, NOW);
    expect_refused("payment.being_begun");
    prior.state = FW_PAY_CODE;
    prior.method = "atm";
    give(&agent, (fw_command){.kind = FW_CMD_PAYMENT_BEGIN, .method = "atm"}, NOW);
    expect_refused("payment.code_is_live");
    give(&agent, (fw_command){.kind = FW_CMD_PAYMENT_BEGIN, .method = "card"}, NOW);
    ck_assert_int_eq(out.verdict, FW_ACCEPTED);
    ck_assert_int_eq(prior.state, FW_PAY_EXPIRED);
    ck_assert(out.changed & FW_CH_PRIORS);
}
END_TEST

START_TEST(settle_once_right_amount)
{
    await_payment();
    payment.id = 70;
    payment.amount = 1000;
    payment.state = FW_PAY_BEGUN;
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = 999}, NOW);
    expect_refused("payment.wrong_amount");
    ck_assert_int_eq(kase.state, FW_STATE_AWAITING_PAYMENT);
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = 1000, .gateway_no = "G"},
         NOW);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert(out.draw & FW_DRAW_RECEIPT_NO);
    ck_assert(sends("press.permit"));
    ck_assert(sends("press.receipt"));
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = 1000}, NOW + HOUR);
    ck_assert_int_eq(out.verdict, FW_DONE); /* told again: nothing more happens */
    ck_assert_uint_eq(out.changed, 0);
    ck_assert_uint_eq(out.draw, 0);
    ck_assert_int_eq(out.n_sends, 0);
}
END_TEST

START_TEST(late_failed_never_undoes_paid)
{
    await_payment();
    payment.amount = 1000;
    payment.state = FW_PAY_PAID;
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_FAIL, .reason = "declined"}, NOW);
    ck_assert_int_eq(payment.state, FW_PAY_PAID);
    ck_assert_uint_eq(out.changed, 0);
    payment.state = FW_PAY_FAILED;
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = 1000}, NOW);
    ck_assert_int_eq(payment.state, FW_PAY_PAID); /* failed first, captured after */
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
}
END_TEST

START_TEST(money_for_a_case_that_is_gone_is_to_be_refunded)
{
    kase.state = FW_STATE_WITHDRAWN;
    payment.amount = 1000;
    payment.state = FW_PAY_EXPIRED;
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = 1000}, NOW);
    ck_assert_int_eq(payment.state, FW_PAY_PAID);
    ck_assert_str_eq(payment.reason, "refund_due");
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWN);
    ck_assert_str_eq(out.events[0].kind, "payment.refund_due");
    ck_assert_int_eq(payment.promised, 0); /* the case's fee is nothing here: nothing goes back */
}
END_TEST

/* ---- refunds ---- */

static const fw_actor cashier = {.account_id = 21, .roles = FW_ROLE_CASHIER, .name = "cashier"};
static fw_refund refund;
static const fw_id refunded_case = 7;

static void have_paid(int64_t promised)
{
    kase.fee = 1000;
    payment = (fw_payment){.id = 70,
                           .state = FW_PAY_PAID,
                           .amount = 1000,
                           .promised = promised,
                           .cases = &refunded_case,
                           .n_cases = 1};
    refund = (fw_refund){.id = 71,
                         .version = 3,
                         .payment_id = 70,
                         .cases = &refunded_case,
                         .n_cases = 1,
                         .amount = promised};
    view.refund = &refund;
}

START_TEST(what_was_not_owed_goes_back_once)
{
    kase.state = FW_STATE_WITHDRAWN;
    have_paid(0);
    payment.state = FW_PAY_EXPIRED;
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = 1000}, NOW);
    ck_assert(out.changed & FW_CH_REFUND);
    ck_assert_int_eq(view.refund->state, FW_REFUND_ASKED);
    ck_assert_int_eq(view.refund->amount, 1000);
    ck_assert_str_eq(view.refund->cause, "not_owed");
    ck_assert_int_eq(payment.promised, 1000);
    ck_assert(sends("payment.refund") && sends("notify.send"));
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = 1000}, NOW);
    ck_assert_uint_eq(out.changed, 0);
    ck_assert_int_eq(payment.promised, 1000);
}
END_TEST

START_TEST(of_many_cases_those_not_owed_go_back_together)
{
    fw_case gone = {.id = 8, .state = FW_STATE_WITHDRAWN, .fee = 500};
    fw_case paid_by_another = {.id = 9, .state = FW_STATE_ISSUED, .fee = 300};
    fw_case *three[] = {&kase, &gone, &paid_by_another};

    kase.state = FW_STATE_AWAITING_PAYMENT;
    have_paid(0);
    payment.state = FW_PAY_BEGUN;
    payment.amount = 1800;
    view.cases = three;
    view.n_cases = 3;
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = 1800}, NOW);
    ck_assert_int_eq(view.refund->amount, 800);
    ck_assert_int_eq(view.refund->n_cases, 2);
    ck_assert_int_eq(view.refund->cases[0], 8);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
}
END_TEST

START_TEST(a_paid_case_that_comes_to_nothing_has_its_fee_back)
{
    have_paid(0);
    prior = payment;
    priors[0] = &prior;
    kase.state = FW_STATE_SECOND_REVIEW;
    give(&second, (fw_command){.kind = FW_CMD_CASE_REJECT, .reason = "r"}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_REJECTED);
    ck_assert_str_eq(view.refund->cause, "case.reject");
    ck_assert_int_eq(prior.promised, 1000);
    ck_assert(out.changed & FW_CH_PRIORS && out.changed & FW_CH_REFUND);
    kase.state = FW_STATE_RETURNED;
    prior.promised = 0;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_WITHDRAW}, NOW);
    ck_assert_str_eq(view.refund->cause, "case.withdraw");
    kase.state = FW_STATE_RETURNED;
    prior.state = FW_PAY_FAILED;
    view.refund = NULL;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_WITHDRAW}, NOW);
    ck_assert_ptr_null(view.refund);
}
END_TEST

static void expect_ask(int64_t amount, const char *reason, const char *key)
{
    give(&cashier, (fw_command){.kind = FW_CMD_REFUND_ASK, .amount = amount, .reason = reason},
         NOW);
    expect_refused(key);
}

static void renew_receipt(const char *reason, int version)
{
    give(&cashier, (fw_command){.kind = FW_CMD_RECEIPT_RENEW, .reason = reason, .version = version},
         NOW);
}

START_TEST(a_receipt_is_issued_anew_under_the_next_number)
{
    have_paid(400);
    payment.receipt_no = 11500000007;
    payment.version = 3;
    renew_receipt("", 0);
    expect_refused("case.reason_missing");
    renew_receipt("torn", 2);
    expect_refused("receipt.stale");
    renew_receipt("torn", 3);
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_uint_eq(out.changed, FW_CH_PAYMENT);
    ck_assert_uint_eq(out.draw, FW_DRAW_RECEIPT_NO);
    ck_assert_int_eq(out.receipt_void.number, 11500000007);
    ck_assert_int_eq(out.receipt_void.at, NOW);
    ck_assert_str_eq(out.receipt_void.reason, "torn");
    ck_assert_str_eq(out.events[0].kind, "receipt.renew");
    ck_assert_str_eq(out.sends[out.n_sends - 1].op, "press.receipt");
    payment.refunded = payment.amount;
    renew_receipt("torn", 0);
    expect_refused("receipt.is_void");
    ck_assert_int_eq(out.receipt_void.number, 0);
    payment.refunded = 0;
    payment.receipt_no = 0;
    renew_receipt("torn", 0);
    expect_refused("receipt.none");
}
END_TEST

START_TEST(never_more_back_than_came)
{
    have_paid(400);
    expect_ask(601, "r", "refund.too_much");
    expect_ask(0, "r", "refund.amount");
    expect_ask(-1, "r", "refund.amount");
    expect_ask(600, "", "case.reason_missing");
    expect_ask(600, NULL, "case.reason_missing");
    payment.state = FW_PAY_BEGUN;
    expect_ask(600, "r", "refund.not_paid");
    payment.state = FW_PAY_PAID;
    give(&cashier, (fw_command){.kind = FW_CMD_REFUND_ASK, .amount = 600, .reason = "r"}, NOW);
    ck_assert_int_eq(out.verdict, FW_ACCEPTED);
    ck_assert_int_eq(payment.promised, 1000);
    ck_assert_int_eq(view.refund->asked_by, 21);
    ck_assert_str_eq(out.events[0].kind, "refund.ask");
    expect_ask(1, "r", "refund.too_much");
}
END_TEST

/* Every state and command: what leads where, and what counts for nothing. */
START_TEST(the_ways_of_a_refund)
{
    static const struct {
        fw_cmd_e cmd;
        const char
            *to[FW_REFUND_STATES]; /* from due, asked, unknown, manual, done; a key is a refusal */
    } ways[] = {
        {FW_CMD_REFUND_SENT,
         {"refund.state", "unknown", "refund.state", "refund.state", "refund.state"}},
        {FW_CMD_REFUND_BACK, {"due", "asked", "asked", "manual", "done"}},
        {FW_CMD_REFUND_DONE, {"due", "asked", "done", "manual", "done"}},
        {FW_CMD_REFUND_FAIL, {"due", "manual", "manual", "manual", "done"}},
        {FW_CMD_REFUND_AGAIN, {"asked", "refund.state", "refund.state", "asked", "refund.state"}},
        {FW_CMD_REFUND_PAY_OUT, {"done", "refund.state", "refund.state", "done", "refund.state"}}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        for (int from = 0; from < FW_REFUND_STATES; from++) {
            const char *to = ways[i].to[from];
            fw_refund_state_e state;

            have_paid(1000);
            refund.state = (fw_refund_state_e)from;
            give(&cashier,
                 (fw_command){.kind = ways[i].cmd, .reference = "T", .reason = "x", .amount = 5},
                 NOW);
            if (fw_refund_state_parse(to, &state))
                ck_assert_msg(refund.state == state, "%s of %s", fw_cmd_name(ways[i].cmd),
                              fw_refund_state_name((fw_refund_state_e)from));
            else
                expect_refused(to);
            ck_assert_int_eq(payment.refunded,
                             from != FW_REFUND_DONE && refund.state == FW_REFUND_DONE ? 1000 : 0);
            ck_assert_int_eq(sends("payment.refund"), ways[i].cmd == FW_CMD_REFUND_AGAIN &&
                                                          refund.state == FW_REFUND_ASKED &&
                                                          from != FW_REFUND_ASKED);
        }
    }
}
END_TEST

START_TEST(a_refund_by_hand_needs_its_reference_and_the_page_as_it_is)
{
    have_paid(1000);
    refund.state = FW_REFUND_MANUAL;
    give(&cashier, (fw_command){.kind = FW_CMD_REFUND_PAY_OUT}, NOW);
    expect_refused("refund.reference");
    give(&cashier, (fw_command){.kind = FW_CMD_REFUND_PAY_OUT, .reference = "T", .version = 2},
         NOW);
    expect_refused("refund.stale");
    give(&cashier, (fw_command){.kind = FW_CMD_REFUND_PAY_OUT, .reference = "T", .version = 3},
         NOW);
    ck_assert_str_eq(refund.reference, "T");
    ck_assert_int_eq(refund.ended, NOW);
    give(&cashier, (fw_command){.kind = FW_CMD_REFUND_AGAIN, .version = 2}, NOW);
    expect_refused("refund.stale");
}
END_TEST

START_TEST(a_day_is_settled_when_it_is_over)
{
    static const fw_settlement found = {
        .lines = 3, .taken = 5, .n_differences = 1, .differences = "[]"};
    fw_settlement day = {0};

    view.settlement = &day;
    give(&cashier, (fw_command){.kind = FW_CMD_SETTLEMENT_ASK, .day = "2026-01-01"}, NOW);
    expect_refused("settlement.not_over");
    give(&cashier, (fw_command){.kind = FW_CMD_SETTLEMENT_ASK, .day = "2026-13-01"}, NOW);
    expect_refused("settlement.day");
    give(&cashier, (fw_command){.kind = FW_CMD_SETTLEMENT_CLOSE, .settlement = &found}, NOW);
    ck_assert_uint_eq(out.changed, 0);
    give(&cashier, (fw_command){.kind = FW_CMD_SETTLEMENT_ASK, .day = "2025-12-31"}, NOW);
    ck_assert_str_eq(day.state, "asked");
    ck_assert(sends("payment.settlement"));
    day.version = 1;
    give(&cashier, (fw_command){.kind = FW_CMD_SETTLEMENT_ASK, .day = "2025-12-31"}, NOW);
    expect_refused("settlement.under_way");
    give(&machine, (fw_command){.kind = FW_CMD_SETTLEMENT_CLOSE, .settlement = &found}, NOW);
    ck_assert_str_eq(day.state, "differs");
    ck_assert_int_eq(day.taken, 5);
    give(&machine, (fw_command){.kind = FW_CMD_SETTLEMENT_FAIL, .reason = "late"}, NOW);
    ck_assert_uint_eq(out.changed, 0);
    give(&cashier, (fw_command){.kind = FW_CMD_SETTLEMENT_ASK, .day = "2025-12-31"}, NOW);
    give(&machine, (fw_command){.kind = FW_CMD_SETTLEMENT_FAIL, .reason = "r"}, NOW);
    ck_assert_str_eq(day.state, "failed");
    ck_assert_int_eq(day.taken, 5); /* what was found before stands */
}
END_TEST

START_TEST(permit_supersedes_the_one_in_force)
{
    static const fw_permit doc = {.permit_no = "EP1", .code = "C", .valid_from = "2026-01-02"};
    static const fw_document document = {.kind = "permit"};

    kase.state = FW_STATE_PRODUCING;
    live_permit = (fw_permit){.id = 55, .state = "valid"};
    view.live = &live_permit;
    give(&machine, (fw_command){.kind = FW_CMD_PERMIT_ISSUE, .permit = &doc, .document = &document},
         NOW);
    ck_assert_int_eq(kase.state, FW_STATE_ISSUED);
    ck_assert_str_eq(live_permit.state, "superseded");
    ck_assert_str_eq(permit.state, "valid");
    ck_assert_int_eq(kase.permit_id, permit.id);
    give(&machine, (fw_command){.kind = FW_CMD_PERMIT_ISSUE, .permit = &doc, .document = &document},
         NOW);
    ck_assert_int_eq(out.verdict, FW_REFUSED); /* one permit for a case */
}
END_TEST

START_TEST(expiry_waits_for_the_deadline)
{
    kase.deadline = NOW;
    give(&machine, (fw_command){.kind = FW_CMD_CASE_EXPIRE}, NOW);
    expect_refused("case.not_yet_due");
    give(&machine, (fw_command){.kind = FW_CMD_CASE_EXPIRE}, NOW + 1);
    ck_assert_int_eq(kase.state, FW_STATE_EXPIRED);
}
END_TEST

START_TEST(expiry_waits_for_a_code_in_the_payers_hand)
{
    prior = (fw_payment){.id = 5, .state = FW_PAY_CODE, .method = "atm"};

    kase.state = FW_STATE_AWAITING_PAYMENT;
    kase.deadline = NOW;
    priors[0] = &prior;
    give(&machine, (fw_command){.kind = FW_CMD_CASE_EXPIRE}, NOW + 1);
    expect_refused("case.payment_live");
    ck_assert_int_eq(kase.state, FW_STATE_AWAITING_PAYMENT);
    prior.state = FW_PAY_EXPIRED;
    give(&machine, (fw_command){.kind = FW_CMD_CASE_EXPIRE}, NOW + 1);
    ck_assert_int_eq(kase.state, FW_STATE_EXPIRED);
}
END_TEST

START_TEST(access_follows_delegation)
{
    static const fw_id employers[] = {21, 22};
    fw_actor a = {.account_id = 1,
                  .org_id = 5,
                  .roles = FW_ROLE_AGENT,
                  .employers = employers,
                  .n_employers = 2};

    ck_assert_uint_eq(fw_access_relations(&a, 21, 5, NULL, 0, 0), FW_REL_DELEGATED);
    ck_assert_uint_eq(fw_access_relations(&a, 23, 5, NULL, 0, 0), FW_REL_OTHER);
    ck_assert_uint_eq(fw_access_relations(&a, 21, 6, NULL, 0, 0), FW_REL_OTHER);
    ck_assert(fw_access_allowed("case.submit", a.roles, FW_REL_DELEGATED));
    ck_assert(!fw_access_allowed("case.submit", a.roles, FW_REL_OTHER));
    ck_assert(!fw_access_allowed("case.confirm", a.roles, FW_REL_ANY));
    ck_assert(!fw_access_allowed("no.such", ~0u, FW_REL_ANY));
}
END_TEST

/* ---- arrivals and the legal clock ---- */

static fw_worker worker;
static fw_record record, was;

/* An arrival a day before NOW, and somebody whose it is. */
static void told(const char *state)
{
    worker = (fw_worker){.id = 21, .version = 1};
    record = (fw_record){.kind = "movement", .name = "M1", .state = state, .data = "{}"};
    record.birth = "1990-03-15";
    record.at = NOW - 24 * HOUR;
    view = (fw_view){.worker = &worker, .record = &record, .movement = &record};
    terms.arrival_until = NOW + 700 * HOUR;
}

/* A movement, after which the worker's newest is `newest`. */
static void take(const fw_record *newest, bool arrived)
{
    view.movement = newest;
    view.arrived = arrived;
    give(&machine, (fw_command){.kind = FW_CMD_MOVEMENT_TAKE}, NOW);
}

START_TEST(an_arrival_starts_the_clock)
{
    told("current");
    take(&record, true);
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_uint_eq(out.changed, FW_CH_RECORD | FW_CH_WORKER);
    ck_assert_str_eq(worker.entered, "2025-12-31");
    ck_assert_int_eq(worker.file_by, terms.arrival_until);
    ck_assert_int_eq(record.worker_id, 21);
    take(&record, false);
    ck_assert_int_eq(worker.file_by, 0);
    ck_assert_ptr_null(worker.entered);
}
END_TEST

START_TEST(an_arrival_taken_back_leaves_the_one_before_it)
{
    fw_record before;

    told("current");
    before = record;
    before.at = NOW - 240 * HOUR;
    take(&record, true);
    record.data = "{\"again\":1}"; /* the same arrival: what was reminded of stays */
    worker.reminded = NOW;
    take(&record, true);
    ck_assert_int_eq(worker.reminded, NOW);
    record.state = "cancelled";
    terms.arrival_until = NOW + 480 * HOUR;
    view.filed = NOW - 100 * HOUR;
    take(&before, true);
    ck_assert_str_eq(worker.entered, "2025-12-22");
    ck_assert_int_eq(worker.file_by, NOW + 480 * HOUR);
    ck_assert_int_eq(worker.filed, NOW - 100 * HOUR);
    ck_assert_int_eq(worker.reminded, 0);
    take(NULL, false);
    view.filed = terms.arrival_until;
    take(&before, true);
    ck_assert_int_eq(worker.filed, view.filed);
    take(NULL, false);
    view.filed = terms.arrival_until + 1; /* too late to fulfil anything */
    take(&before, true);
    ck_assert_int_eq(worker.filed, 0);
    take(NULL, false);
    ck_assert_ptr_null(worker.entered);
}
END_TEST

START_TEST(who_holds_a_card_only_comes_back)
{
    told("current");
    view.live = &live_permit;
    take(&record, true);
    ck_assert_str_eq(worker.entered, "2025-12-31");
    ck_assert_int_eq(worker.file_by, 0);
}
END_TEST

START_TEST(a_late_word_changes_nothing)
{
    static const struct {
        const char *was, *now;
        bool counts;
    } rows[] = {{"current", "cancelled", true}, {"cancelled", "current", false},
                {"valid", "ended", true},       {"ended", "valid", false},
                {"ended", "revoked", true},     {"revoked", "ended", false},
                {"valid", "valid", true}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        told(rows[i].now);
        was = record;
        was.id = 99;
        was.version = 3;
        was.state = rows[i].was;
        was.data = "{\"before\":1}";
        view.record_was = &was;
        give(&machine, (fw_command){.kind = FW_CMD_LETTER_TAKE}, NOW);
        ck_assert_uint_eq(out.changed, rows[i].counts ? FW_CH_RECORD : 0);
        ck_assert_int_eq(out.answer, 99);
    }
    was.data = record.data; /* the very same again */
    give(&machine, (fw_command){.kind = FW_CMD_LETTER_TAKE}, NOW);
    ck_assert_uint_eq(out.changed, 0);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    told("current");
    record.at = NOW + 25 * HOUR;
    take(&record, true);
    expect_refused("record.future");
    told("current");
    record.birth = "2026-01-01";
    take(&record, true);
    expect_refused("record.before_birth");
    told("current");
    record.worker_id = 5;
    give(&second, (fw_command){.kind = FW_CMD_MOVEMENT_LINK}, NOW);
    expect_refused("record.linked");
}
END_TEST

START_TEST(one_reminder)
{
    told("current");
    give(&machine, (fw_command){.kind = FW_CMD_WORKER_REMIND}, NOW);
    expect_refused("worker.nothing_due");
    worker.file_by = NOW + 100 * HOUR;
    give(&machine, (fw_command){.kind = FW_CMD_WORKER_REMIND}, NOW);
    ck_assert(sends("notify.send"));
    ck_assert_int_eq(worker.reminded, NOW);
    give(&machine, (fw_command){.kind = FW_CMD_WORKER_REMIND}, NOW);
    expect_refused("worker.nothing_due");
}
END_TEST

/* The filing that fulfilled the duty, and no other, leaves it open again when it comes to nothing. */
START_TEST(the_duty_is_fulfilled_by_filing)
{
    told("current");
    worker.file_by = NOW + 100 * HOUR;
    view = (fw_view){.kase = &kase, .worker = &worker, .cases = cases, .n_cases = 1};
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT}, NOW);
    ck_assert_int_eq(worker.filed, NOW);
    ck_assert(out.changed & FW_CH_WORKER);
    give(&agent, (fw_command){.kind = FW_CMD_CASE_WITHDRAW}, NOW + HOUR);
    ck_assert_int_eq(worker.filed, 0);
    worker.filed = NOW - HOUR; /* by another case */
    kase.state = FW_STATE_DRAFT;
    kase.submitted = 0;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_WITHDRAW}, NOW + HOUR);
    ck_assert_int_eq(worker.filed, NOW - HOUR);
    ck_assert(!(out.changed & FW_CH_WORKER));
}
END_TEST

START_TEST(every_command_has_a_permission)
{
    for (int i = 0; i < FW_CMDS; i++) {
        fw_cmd_e back;

        ck_assert_msg(fw_access_known(fw_cmd_name((fw_cmd_e)i)), "%s", fw_cmd_name((fw_cmd_e)i));
        ck_assert(fw_cmd_parse(fw_cmd_name((fw_cmd_e)i), &back));
        ck_assert_int_eq(back, i);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decide");
    TCase *t = tcase_create("decide");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, submit_starts_clock_and_assigns);
    tcase_add_test(t, submit_without_officer_waits);
    tcase_add_test(t, submit_incomplete_refused_with_each_field);
    tcase_add_test(t, stale_tab_is_conflict);
    tcase_add_test(t, only_the_table_moves_a_case);
    tcase_add_test(t, return_needs_marks_and_stops_clock);
    tcase_add_test(t, returned_only_marked_may_change);
    tcase_add_test(t, supplement_from_abroad_has_the_longer_deadline);
    tcase_add_test(t, four_eyes);
    tcase_add_test(t, one_desk_until_something_is_proposed);
    tcase_add_test(t, a_paper_makes_no_page_stale);
    tcase_add_test(t, a_rejection_is_proposed_then_decided);
    tcase_add_test(t, no_permit_that_ends_before_it_begins);
    tcase_add_test(t, confirm_asks_fee_or_produces);
    tcase_add_test(t, pay_begin_is_accepted_and_guarded);
    tcase_add_test(t, settle_once_right_amount);
    tcase_add_test(t, late_failed_never_undoes_paid);
    tcase_add_test(t, money_for_a_case_that_is_gone_is_to_be_refunded);
    tcase_add_test(t, a_day_is_settled_when_it_is_over);
    tcase_add_test(t, what_was_not_owed_goes_back_once);
    tcase_add_test(t, of_many_cases_those_not_owed_go_back_together);
    tcase_add_test(t, a_paid_case_that_comes_to_nothing_has_its_fee_back);
    tcase_add_test(t, a_receipt_is_issued_anew_under_the_next_number);
    tcase_add_test(t, never_more_back_than_came);
    tcase_add_test(t, the_ways_of_a_refund);
    tcase_add_test(t, a_refund_by_hand_needs_its_reference_and_the_page_as_it_is);
    tcase_add_test(t, permit_supersedes_the_one_in_force);
    tcase_add_test(t, expiry_waits_for_the_deadline);
    tcase_add_test(t, expiry_waits_for_a_code_in_the_payers_hand);
    tcase_add_test(t, access_follows_delegation);
    tcase_add_test(t, an_arrival_starts_the_clock);
    tcase_add_test(t, an_arrival_taken_back_leaves_the_one_before_it);
    tcase_add_test(t, who_holds_a_card_only_comes_back);
    tcase_add_test(t, a_late_word_changes_nothing);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, one_reminder);
    tcase_add_test(t, the_duty_is_fulfilled_by_filing);
    tcase_add_test(t, every_command_has_a_permission);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
