/* decide() and the life of a case: every row of the table, every guard. */
#include "decided.h"

#include "fw_access.h"
#include "fw_lifecycle.h"

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

START_TEST(permit_supersedes_the_one_in_force)
{
    static const fw_permit doc = {.permit_no = "EP1", .code = "C", .valid_from = "2026-01-02"};
    static const fw_document document = {.kind = "permit"};
    fw_permit live_permit = {.id = 55, .state = "valid"};

    kase.state = FW_STATE_PRODUCING;
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
