/* decide(), arrivals and the legal clock. */
#include "decided.h"

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
    fw_permit live_permit = {.id = 0};

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

int main(void)
{
    Suite *s = suite_create("arrival");
    TCase *t = tcase_create("arrival");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_arrival_starts_the_clock);
    tcase_add_test(t, an_arrival_taken_back_leaves_the_one_before_it);
    tcase_add_test(t, who_holds_a_card_only_comes_back);
    tcase_add_test(t, a_late_word_changes_nothing);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, one_reminder);
    tcase_add_test(t, the_duty_is_fulfilled_by_filing);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
