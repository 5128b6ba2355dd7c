/* decide() and money: payments, refunds, receipts, a day's settlement. */
#include "decided.h"

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

int main(void)
{
    Suite *s = suite_create("money");
    TCase *t = tcase_create("money");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
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
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
