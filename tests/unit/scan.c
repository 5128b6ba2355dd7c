/* What a scanner's verdict means for a case: who waits for it, what goes back, what is left alone. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fw_access.h"
#include "fw_decide.h"
#include "fw_lifecycle.h"
#include "pool.h"

#define NOW  (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z */
#define HOUR (apr_time_from_sec(3600))

static fw_case kase;
static fw_view view;
static fw_file file;
static fw_ids ids;
static fw_outcome out;
static fw_terms terms;
static const fw_officer officers[] = {{12, "B", "TYC", 1}};
static const char *const marked[] = {"photo"};
static const fw_actor agent = {.account_id = 1, .org_id = 5, .roles = FW_ROLE_AGENT};
static const fw_actor first = {.account_id = 12, .roles = FW_ROLE_INITIAL};
static const fw_actor second = {.account_id = 13, .roles = FW_ROLE_SECOND};
static const fw_actor dispatcher = {.account_id = 14, .roles = FW_ROLE_DISPATCHER};
static const fw_actor machine = {.roles = FW_ROLE_SYSTEM, .name = "system"};

static void begin(fw_state_e state, int unchecked)
{
    memset(&view, 0, sizeof(view));
    memset(&ids, 0, sizeof(ids));
    for (int i = 0; i < FW_IDS; i++)
        ids.id[i] = 1000 + i;
    kase = (fw_case){.id = 7, .version = 4, .state = state, .data = "{}", .first_reviewer = 12};
    kase.submitted = state == FW_STATE_DRAFT ? 0 : NOW - HOUR;
    kase.due = NOW + 47 * HOUR;
    kase.turn_since = NOW - HOUR;
    file = (fw_file){.id = 70,
                     .case_id = 7,
                     .slot = "passport_page",
                     .name = "a.pdf",
                     .scan = FW_SCAN_PENDING,
                     .current = true};
    view.kase = &kase;
    view.file = &file;
    view.scans = true;
    view.n_unchecked = unchecked;
    view.officers = officers;
    view.n_officers = 1;
    view.detail = "{\"slot\":\"passport_page\"}";
    view.marks = "[{\"item\":\"passport_page\",\"key\":\"file.infected\"}]";
    terms = (fw_terms){.supplement_until = NOW + 360 * HOUR, .due = NOW + 48 * HOUR, .fee = 1000};
}

static void give(const fw_actor *actor, fw_command cmd)
{
    cmd.actor = actor;
    cmd.target = 7;
    fw_decide(&view, &cmd, NOW, &ids, &terms, &out, pool);
}

static void judge(fw_scan_e verdict)
{
    const fw_file judged = {.id = 70, .scan = verdict};

    give(&machine, (fw_command){.kind = FW_CMD_FILE_JUDGE, .file = &judged});
}

static void expect_refused(fw_code_e code, const char *key)
{
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_int_eq(out.code, code);
    ck_assert_str_eq(out.refusals[0].key, key);
    ck_assert_uint_eq(out.changed, 0);
    ck_assert_int_eq(out.n_events + out.n_sends, 0);
    ck_assert_int_eq(out.file_judged.id, 0);
}

static void expect_events(const char *one, const char *other)
{
    ck_assert_int_eq(out.n_events, other ? 2 : 1);
    ck_assert_str_eq(out.events[0].kind, one);
    if (other)
        ck_assert_str_eq(out.events[1].kind, other);
}

/* A notice of that, and nothing else; NULL: nothing. */
static void expect_notice(const char *what)
{
    ck_assert_int_eq(out.n_sends, what ? 1 : 0);
    if (what)
        ck_assert_ptr_nonnull(strstr(out.sends[0].payload, what));
}

START_TEST(a_file_that_comes_is_sent_to_the_scanner)
{
    const fw_file given = {.slot = "photo", .vault = "v", .name = "p.jpg"};

    begin(FW_STATE_DRAFT, 0);
    view.file = NULL;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_ATTACH, .file = &given});
    ck_assert_int_eq(out.file_added.scan, FW_SCAN_PENDING);
    ck_assert_int_eq(out.file_added.by_org, 5);
    ck_assert_int_eq(out.n_sends, 1);
    ck_assert_str_eq(out.sends[0].port, "scan");
    ck_assert_str_eq(out.sends[0].op, "scan.scan");
    ck_assert_str_eq(out.sends[0].key, "scan.scan:1000");
    ck_assert_str_eq(out.sends[0].payload, "{\"file\":\"1000\",\"case\":\"7\"}");
    ck_assert_int_eq(out.sends[0].aggregate_id,
                     out.file_added.id); /* each waits for itself alone */
}
END_TEST

START_TEST(without_a_scanner_nothing_is_sent)
{
    const fw_file given = {.slot = "photo", .vault = "v", .name = "p.jpg"};

    begin(FW_STATE_DRAFT, 0);
    view.file = NULL;
    view.scans = false;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_ATTACH, .file = &given});
    ck_assert_int_eq(out.file_added.scan, FW_SCAN_NONE);
    ck_assert_int_eq(out.n_sends, 0);
}
END_TEST

START_TEST(filing_waits_for_no_verdict_but_assignment_does)
{
    begin(FW_STATE_DRAFT, 1);
    kase.first_reviewer = 0;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT});
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(kase.state, FW_STATE_SUBMITTED);
    ck_assert_int_eq(kase.first_reviewer, 0);
    begin(FW_STATE_SUBMITTED, 1);
    give(&dispatcher, (fw_command){.kind = FW_CMD_CASE_ASSIGN, .officer_id = 12});
    expect_refused(FW_E_CONFLICT, "case.files_unchecked");
    begin(FW_STATE_SUBMITTED, 0);
    give(&dispatcher, (fw_command){.kind = FW_CMD_CASE_ASSIGN, .officer_id = 12});
    ck_assert_int_eq(kase.state, FW_STATE_INITIAL_REVIEW);
}
END_TEST

START_TEST(who_has_a_case_may_hand_it_on_but_nobody_grants_it)
{
    begin(FW_STATE_INITIAL_REVIEW, 1);
    give(&dispatcher, (fw_command){.kind = FW_CMD_CASE_ASSIGN, .officer_id = 12});
    ck_assert_int_eq(out.verdict, FW_DONE);
    begin(FW_STATE_INITIAL_REVIEW, 1);
    give(&first, (fw_command){.kind = FW_CMD_CASE_APPROVE});
    expect_refused(FW_E_CONFLICT, "case.files_unchecked");
    begin(FW_STATE_SECOND_REVIEW, 1);
    give(&second, (fw_command){.kind = FW_CMD_CASE_CONFIRM});
    expect_refused(FW_E_CONFLICT, "case.files_unchecked");
    begin(FW_STATE_INITIAL_REVIEW, 1);
    give(&first, (fw_command){.kind = FW_CMD_CASE_REJECT, .reason = "why"});
    ck_assert_int_eq(out.verdict, FW_DONE);
}
END_TEST

START_TEST(the_last_clean_one_assigns)
{
    begin(FW_STATE_SUBMITTED, 2);
    kase.first_reviewer = 0;
    judge(FW_SCAN_CLEAN);
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(out.file_judged.id, 70);
    ck_assert_int_eq(out.file_judged.scan, FW_SCAN_CLEAN);
    ck_assert_int_eq(kase.state, FW_STATE_SUBMITTED);
    ck_assert_uint_eq(out.changed, 0); /* whoever has the case before them is not disturbed */
    expect_events("file.clean", NULL);
    begin(FW_STATE_SUBMITTED, 1);
    kase.first_reviewer = 0;
    judge(FW_SCAN_CLEAN);
    ck_assert_int_eq(kase.state, FW_STATE_INITIAL_REVIEW);
    ck_assert_int_eq(kase.first_reviewer, 12);
    ck_assert_uint_eq(out.changed, FW_CH_CASE);
    expect_events("file.clean", "case.assign");
    expect_notice(NULL);
}
END_TEST

START_TEST(where_there_is_no_officer_it_waits_for_the_dispatcher)
{
    begin(FW_STATE_SUBMITTED, 1);
    view.n_officers = 0;
    judge(FW_SCAN_CLEAN);
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(kase.state, FW_STATE_SUBMITTED);
    expect_events("file.clean", NULL);
}
END_TEST

START_TEST(clean_elsewhere_changes_nothing)
{
    for (int s = 0; s < FW_STATES; s++) {
        begin((fw_state_e)s, 1);
        if (s == FW_STATE_SUBMITTED)
            continue;
        judge(FW_SCAN_CLEAN);
        ck_assert_int_eq(out.verdict, FW_DONE);
        ck_assert_int_eq((int)kase.state, s);
        ck_assert_uint_eq(out.changed, 0);
        expect_events("file.clean", NULL);
        expect_notice(NULL);
    }
}
END_TEST

static void comes_back(fw_state_e from)
{
    begin(from, 2);
    judge(FW_SCAN_INFECTED);
    ck_assert_int_eq(kase.state, FW_STATE_RETURNED);
    ck_assert_int_eq(kase.return_to, from);
    ck_assert_str_eq(kase.marks, view.marks);
    ck_assert_int_eq(kase.deadline, NOW + 360 * HOUR);
    ck_assert_int_eq(kase.office_us, HOUR); /* the office's turn ended */
    ck_assert_uint_eq(out.changed, FW_CH_CASE);
    expect_events("file.infected", "case.return");
    ck_assert_int_eq(out.events[1].from, from);
    ck_assert_str_eq(
        out.events[1].data,
        "{\"marks\":[{\"item\":\"passport_page\",\"key\":\"file.infected\"}],\"abroad\":false}");
    expect_notice("case.return");
}

START_TEST(what_is_filed_comes_back_for_that_file)
{
    comes_back(FW_STATE_SUBMITTED);
    comes_back(FW_STATE_INITIAL_REVIEW);
    comes_back(FW_STATE_SECOND_REVIEW);
}
END_TEST

START_TEST(sent_again_it_is_where_it_was)
{
    begin(FW_STATE_SUBMITTED, 1);
    kase.first_reviewer = 0;
    judge(FW_SCAN_INFECTED);
    view.n_unchecked = 1;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT});
    ck_assert_int_eq(kase.state, FW_STATE_SUBMITTED);
    ck_assert_ptr_null(kase.marks);
    file.scan = FW_SCAN_PENDING;
    judge(FW_SCAN_CLEAN);
    ck_assert_int_eq(kase.state, FW_STATE_INITIAL_REVIEW);
    begin(FW_STATE_SUBMITTED, 1);
    kase.first_reviewer = 0;
    judge(FW_SCAN_INFECTED);
    view.n_unchecked = 0;
    give(&agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT});
    ck_assert_int_eq(kase.state, FW_STATE_INITIAL_REVIEW); /* clean by then: assigned at once */
}
END_TEST

START_TEST(with_its_applicant_one_more_item_is_marked)
{
    begin(FW_STATE_RETURNED, 1);
    kase.marks = "[{\"item\":\"photo\",\"reason\":\"dark\"}]";
    view.marked = marked;
    view.n_marked = 1;
    judge(FW_SCAN_INFECTED);
    ck_assert_int_eq(kase.state, FW_STATE_RETURNED);
    ck_assert_str_eq(kase.marks, view.marks);
    ck_assert_uint_eq(out.changed, FW_CH_CASE);
    expect_notice("file.infected");
    begin(FW_STATE_RETURNED, 1);
    kase.marks = "[]";
    file.slot = "photo";
    view.marked = marked;
    view.n_marked = 1;
    judge(FW_SCAN_INFECTED);
    ck_assert_str_eq(kase.marks, "[]"); /* it may be replaced already */
    ck_assert_uint_eq(out.changed, 0);
    expect_notice("file.infected");
}
END_TEST

START_TEST(of_a_draft_its_applicant_is_told)
{
    begin(FW_STATE_DRAFT, 1);
    judge(FW_SCAN_INFECTED);
    ck_assert_int_eq(out.file_judged.scan, FW_SCAN_INFECTED);
    ck_assert_uint_eq(out.changed, 0);
    expect_events("file.infected", NULL);
    expect_notice("file.infected");
}
END_TEST

START_TEST(what_was_replaced_troubles_nobody)
{
    begin(FW_STATE_SUBMITTED, 0);
    kase.first_reviewer = 0;
    file.current = false;
    judge(FW_SCAN_INFECTED);
    ck_assert_int_eq(out.file_judged.scan, FW_SCAN_INFECTED);
    ck_assert_int_eq(kase.state, FW_STATE_INITIAL_REVIEW); /* nothing else waits */
    expect_notice(NULL);
    begin(FW_STATE_INITIAL_REVIEW, 1);
    file.current = false;
    judge(FW_SCAN_INFECTED);
    ck_assert_int_eq(kase.state, FW_STATE_INITIAL_REVIEW);
    expect_notice(NULL);
}
END_TEST

START_TEST(ended_cases_stay_as_they_are)
{
    static const fw_state_e ended[] = {FW_STATE_WITHDRAWN, FW_STATE_EXPIRED, FW_STATE_REJECTED,
                                       FW_STATE_ISSUED};

    for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
        begin(ended[i], 1);
        judge(FW_SCAN_INFECTED);
        ck_assert_int_eq(out.verdict, FW_DONE);
        ck_assert_int_eq(kase.state, ended[i]);
        expect_events("file.infected", NULL);
        expect_notice(NULL);
    }
}
END_TEST

START_TEST(a_verdict_comes_once)
{
    begin(FW_STATE_SUBMITTED, 0);
    for (fw_scan_e had = FW_SCAN_NONE; had < FW_SCANS; had++) {
        if (had == FW_SCAN_PENDING)
            continue;
        file.scan = had;
        judge(FW_SCAN_CLEAN);
        expect_refused(FW_E_CONFLICT, "file.judged");
        judge(FW_SCAN_INFECTED);
        expect_refused(FW_E_CONFLICT, "file.judged");
    }
}
END_TEST

START_TEST(what_is_no_verdict_is_refused)
{
    begin(FW_STATE_SUBMITTED, 1);
    judge(FW_SCAN_NONE);
    expect_refused(FW_E_CONFLICT, "file.judged");
    judge(FW_SCAN_PENDING);
    expect_refused(FW_E_CONFLICT, "file.judged");
    file.case_id = 8;
    judge(FW_SCAN_CLEAN);
    expect_refused(FW_E_NOTFOUND, "file.unknown");
    view.file = NULL;
    judge(FW_SCAN_CLEAN);
    expect_refused(FW_E_NOTFOUND, "file.unknown");
}
END_TEST

START_TEST(who_may_have_the_bytes)
{
    static const fw_actor other = {.account_id = 2, .org_id = 6, .roles = FW_ROLE_EMPLOYER};
    fw_file f = {.by_org = 5};

    for (fw_scan_e scan = FW_SCAN_NONE; scan < FW_SCANS; scan++) {
        bool open = scan == FW_SCAN_NONE || scan == FW_SCAN_CLEAN;

        f.scan = scan;
        ck_assert_int_eq(fw_access_file(&agent, &f), open || scan == FW_SCAN_PENDING);
        ck_assert_int_eq(fw_access_file(&other, &f), open);
        ck_assert_int_eq(fw_access_file(&first, &f), open);
        ck_assert_int_eq(fw_access_file(&machine, &f), open);
    }
    f = (fw_file){.by_org = 0, .scan = FW_SCAN_PENDING};
    ck_assert(!fw_access_file(&first, &f)); /* of no organisation is nobody's */
}
END_TEST

START_TEST(the_system_alone_judges)
{
    for (unsigned role = 1; role <= FW_ROLE_ANYONE; role <<= 1)
        ck_assert_int_eq(fw_access_allowed("file.judge", role, FW_REL_ANY), role == FW_ROLE_SYSTEM);
}
END_TEST

START_TEST(names_there_and_back)
{
    fw_scan_e back;

    for (fw_scan_e scan = FW_SCAN_NONE; scan < FW_SCANS; scan++) {
        ck_assert(fw_scan_parse(fw_scan_name(scan), &back));
        ck_assert_int_eq(back, scan);
    }
    ck_assert(!fw_scan_parse("dirty", &back));
    ck_assert(!fw_scan_parse(NULL, &back));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *all = tcase_create("scan");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_file_that_comes_is_sent_to_the_scanner);
    tcase_add_test(all, without_a_scanner_nothing_is_sent);
    tcase_add_test(all, filing_waits_for_no_verdict_but_assignment_does);
    tcase_add_test(all, who_has_a_case_may_hand_it_on_but_nobody_grants_it);
    tcase_add_test(all, the_last_clean_one_assigns);
    tcase_add_test(all, where_there_is_no_officer_it_waits_for_the_dispatcher);
    tcase_add_test(all, clean_elsewhere_changes_nothing);
    tcase_add_test(all, what_is_filed_comes_back_for_that_file);
    tcase_add_test(all, sent_again_it_is_where_it_was);
    tcase_add_test(all, with_its_applicant_one_more_item_is_marked);
    tcase_add_test(all, of_a_draft_its_applicant_is_told);
    tcase_add_test(all, what_was_replaced_troubles_nobody);
    tcase_add_test(all, ended_cases_stay_as_they_are);
    tcase_add_test(all, a_verdict_comes_once);
    tcase_add_test(all, what_is_no_verdict_is_refused);
    tcase_add_test(all, who_may_have_the_bytes);
    tcase_add_test(all, the_system_alone_judges);
    tcase_add_test(all, names_there_and_back);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
