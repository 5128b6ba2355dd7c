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
static const fw_officer officers[] = {{11, "A", 3}, {12, "B", 1}, {13, "C", 1}};
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
            bool there;

            setup();
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
    tcase_add_test(t, permit_supersedes_the_one_in_force);
    tcase_add_test(t, expiry_waits_for_the_deadline);
    tcase_add_test(t, expiry_waits_for_a_code_in_the_payers_hand);
    tcase_add_test(t, access_follows_delegation);
    tcase_add_test(t, every_command_has_a_permission);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
