/* Letters that the labour agency is asked about: one question for each, what an answer means, how many a person may ask. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_decide.h"

#define NOW    (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z */
#define LETTER "勞動發事字第1130012345號"
#define MOST   3

static apr_pool_t *pool;
static fw_case kase;
static fw_worker worker;
static fw_question question;
static fw_record record;
static fw_view view;
static fw_ids ids;
static fw_outcome out;
static fw_terms terms;
static const fw_actor machine = {.roles = FW_ROLE_SYSTEM, .name = "system"};
static const fw_actor broker = {.account_id = 13, .login = "broker", .roles = FW_ROLE_AGENT};

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    memset(&ids, 0, sizeof(ids));
    for (int i = 0; i < FW_IDS; i++)
        ids.id[i] = 1000 + i;
    kase = (fw_case){.id = 7, .version = 4, .state = FW_STATE_DRAFT, .worker_id = 3};
    worker = (fw_worker){.id = 3};
    record = (fw_record){.kind = "letter", .name = LETTER, .passport_no = "C1"};
    question = (fw_question){
        .id = 11, .version = 1, .state = "asked", .worker_id = 3, .letter_no = LETTER};
    view = (fw_view){.worker = &worker,
                     .asking = {.letter_no = LETTER, .is_possible = true, .most = MOST},
                     .data = "{}"};
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static void give(const fw_actor *actor, fw_command cmd)
{
    cmd.actor = actor;
    fw_decide(&view, &cmd, NOW, &ids, &terms, &out, pool);
}

static void ask(void)
{
    give(&broker, (fw_command){.kind = FW_CMD_LETTER_ASK, .worker_id = 3});
}

static void refused(fw_code_e code, const char *field, const char *key)
{
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_int_eq(out.code, code);
    ck_assert_str_eq(out.refusals[0].key, key);
    ck_assert(field ? strcmp(out.refusals[0].field, field) == 0 : !out.refusals[0].field);
    ck_assert_int_eq(out.n_sends, 0);
}

/* ---- letter.ask ---- */

START_TEST(a_question_is_sent_once_under_its_own_key)
{
    ask();
    ck_assert_int_eq(out.verdict, FW_ACCEPTED);
    ck_assert_int_eq(out.n_sends, 1);
    ck_assert_str_eq(out.sends[0].op, "labour.find");
    ck_assert_str_eq(out.sends[0].port, "labour");
    ck_assert_int_eq(out.answer, view.question->id);
    ck_assert_str_eq(out.sends[0].key,
                     apr_psprintf(pool, "labour.find:%" APR_INT64_T_FMT, view.question->id));
    ck_assert_ptr_nonnull(strstr(out.sends[0].payload, "\"user\":\"broker\""));
    ck_assert_str_eq(view.question->state, "asked");
    ck_assert_int_eq(view.question->asked_by, 13);
    ck_assert_int_eq(out.changed, FW_CH_QUESTION);
}
END_TEST

START_TEST(while_it_waits_it_is_not_sent_again)
{
    view.asking.waiting = &question;
    view.asking.n_recent = MOST; /* it counts no more than it did */
    ask();
    ck_assert_int_eq(out.verdict, FW_ACCEPTED);
    ck_assert_int_eq(out.answer, 11);
    ck_assert_int_eq(out.n_sends, 0);
    ck_assert_int_eq(out.changed, 0);
}
END_TEST

START_TEST(what_is_known_is_not_asked)
{
    view.asking.is_known = true;
    ask();
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(out.n_sends, 0);
}
END_TEST

START_TEST(at_the_limit_and_one_past_it)
{
    view.asking.n_recent = MOST - 1;
    ask();
    ck_assert_int_eq(out.verdict, FW_ACCEPTED);
    view.asking.n_recent = MOST;
    ask();
    refused(FW_E_CONFLICT, NULL, "letter.too_often");
    ck_assert_str_eq(out.refusals[0].args, "{\"most\":\"3\"}");
}
END_TEST

START_TEST(what_cannot_be_asked_is_refused)
{
    view.asking.letter_no = NULL;
    ask();
    refused(FW_E_INPUT, "letter_no", "field.required");
    view.asking.letter_no = "";
    ask();
    refused(FW_E_INPUT, "letter_no", "field.required");
    view.asking.letter_no = "勞動發事字第12號";
    ask();
    refused(FW_E_INPUT, "letter_no", "field.permit_letter");
    view.asking.is_possible = false;
    ask();
    refused(FW_E_CONFLICT, NULL, "letter.no_system");
}
END_TEST

/* ---- a form that is saved ---- */

static void save(void)
{
    view.kase = &kase;
    give(&broker, (fw_command){.kind = FW_CMD_CASE_SAVE, .target = 7});
    ck_assert_int_eq(out.verdict, FW_DONE);
}

START_TEST(a_number_in_the_form_is_asked_with_the_save)
{
    save();
    ck_assert_int_eq(out.n_sends, 1);
    ck_assert_int_eq(view.question->case_id, 7);
    ck_assert_int_eq(out.changed, FW_CH_CASE | FW_CH_QUESTION);
}
END_TEST

START_TEST(a_save_is_never_refused_for_it)
{
    const fw_asking silent[] = {
        {.letter_no = NULL, .is_possible = true, .most = MOST},
        {.letter_no = "勞動", .is_possible = true, .most = MOST},
        {.letter_no = LETTER, .most = MOST},
        {.letter_no = LETTER, .is_possible = true, .n_recent = 3, .most = 3},
        {.letter_no = LETTER, .is_possible = true, .is_known = true, .most = 3},
        {.letter_no = LETTER, .is_possible = true, .waiting = &question, .most = 3}};

    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        view.asking = silent[i];
        save();
        ck_assert_int_eq(out.n_sends, 0);
        ck_assert_int_eq(out.changed, FW_CH_CASE);
    }
}
END_TEST

/* ---- letter.answer ---- */

static const char *answer(bool given_up)
{
    view.question = &question;
    give(&machine,
         (fw_command){.kind = FW_CMD_LETTER_ANSWER, .target = 11, .is_given_up = given_up});
    ck_assert_int_eq(out.verdict, FW_DONE);
    return question.state;
}

START_TEST(what_an_answer_means)
{
    static const struct {
        fw_id worker;
        const char *passport, *letter_ban, *employer_ban, *state;
    } told[] = {
        {3, "C1", "04595257", "04595257", "found"}, {0, "C1", "04595257", "04595257", "other"},
        {4, "C1", "04595257", "04595257", "other"}, {0, NULL, "04595257", "04595257", "employer"},
        {0, NULL, "22099131", "04595257", "other"}, {0, NULL, NULL, "04595257", "other"},
        {0, NULL, "04595257", NULL, "other"}};

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        question.state = "asked";
        record.worker_id = told[i].worker;
        record.passport_no = told[i].passport;
        view.record = &record;
        view.asking.letter_ban = told[i].letter_ban;
        view.asking.employer_ban = told[i].employer_ban;
        ck_assert_str_eq(answer(false), told[i].state);
        ck_assert_int_eq(question.ended, NOW);
    }
}
END_TEST

START_TEST(nothing_found_given_up_and_answered_after_all)
{
    ck_assert_str_eq(answer(true), "failed");
    ck_assert_str_eq(answer(false), "none");
    ck_assert_int_eq(out.changed, FW_CH_QUESTION);
    view.record = &record;
    record.worker_id = 3;
    ck_assert_str_eq(answer(false), "none"); /* what is answered stays so */
    ck_assert_int_eq(out.changed, 0);
    question.state = "asked";
    ck_assert_str_eq(answer(true), "found"); /* pushed meanwhile */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("letters");
    TCase *tc = tcase_create("letters");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_question_is_sent_once_under_its_own_key);
    tcase_add_test(tc, while_it_waits_it_is_not_sent_again);
    tcase_add_test(tc, what_is_known_is_not_asked);
    tcase_add_test(tc, at_the_limit_and_one_past_it);
    tcase_add_test(tc, what_cannot_be_asked_is_refused);
    tcase_add_test(tc, a_number_in_the_form_is_asked_with_the_save);
    tcase_add_test(tc, a_save_is_never_refused_for_it);
    tcase_add_test(tc, what_an_answer_means);
    tcase_add_test(tc, nothing_found_given_up_and_answered_after_all);
    suite_add_tcase(s, tc);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
