/* Letters that the labour agency is asked about, over the whole desk and on both databases: one question waits for each, whoever asks. */
#include "fixture.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_question.h"

#define LETTER "勞動發事字第1150000001號"
#define OTHER  "勞動發事字第1150000002號"

static void begin(int backend)
{
    fx_open(backend);
    fx_desk();
    fx.desk->labour_plugin = "labour";
}

static fw_id ask(const fw_actor *who, const char *letter_no)
{
    return fx_perform(who, (fw_command){.kind = FW_CMD_LETTER_ASK,
                                        .worker_id = people.worker,
                                        .letter_no = letter_no})
        .answer;
}

static void take(const char *letter_no, const char *passport, const char *ban)
{
    fw_record r = {.kind = "letter",
                   .name = letter_no,
                   .state = "valid",
                   .nationality = fx_text("SELECT nationality FROM worker LIMIT 1"),
                   .passport_no = passport,
                   .birth = fx_text("SELECT birth FROM worker LIMIT 1"),
                   .at = FX_NOW,
                   .data = apr_psprintf(fx.pool, "{\"employer\":{\"id\":\"%s\"}}", ban)};

    fx_perform(&people.system,
               (fw_command){.kind = FW_CMD_LETTER_TAKE, .record = &r, .employer_ban = ban});
}

static const char *answer(fw_id question, bool given_up)
{
    fw_question *q = NULL;

    fx_perform(
        &people.system,
        (fw_command){.kind = FW_CMD_LETTER_ANSWER, .target = question, .is_given_up = given_up});
    ck_ok(fw_question_load(fx.db, question, &q, fx.pool));
    return q->state;
}

static const char *passport(void)
{
    return fx_text(apr_psprintf(
        fx.pool, "SELECT passport_no FROM worker WHERE id = %" APR_INT64_T_FMT, people.worker));
}

static const char *employer(void)
{
    return fx_text(apr_psprintf(fx.pool, "SELECT ban FROM org WHERE id = %" APR_INT64_T_FMT,
                                people.employer_a));
}

START_TEST(one_question_and_its_answer)
{
    fw_id question, again;

    begin(_i);
    question = ask(&people.agent, LETTER);
    ck_assert_int_eq(ask(&people.employer, LETTER), question);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'labour.find'"), 1);
    ck_assert_str_eq(answer(question, false), "none");
    again = ask(&people.agent, LETTER);
    ck_assert_int_ne(again, question);
    take(LETTER, passport(), employer());
    ck_assert_str_eq(answer(again, false), "found");
    ck_assert_int_eq(ask(&people.agent, LETTER), 0); /* known: nothing came into being */
    ck_assert_int_eq(fx_count("outbox WHERE op = 'labour.find'"), 2);
    fx_close();
}
END_TEST

START_TEST(what_is_whose)
{
    fw_id question;

    begin(_i);
    question = ask(&people.agent, LETTER);
    take(LETTER, "X9999999", employer());
    ck_assert_str_eq(answer(question, false), "other");
    question = ask(&people.agent, OTHER);
    take(OTHER, NULL, employer());
    ck_assert_str_eq(answer(question, false), "employer");
    fx_close();
}
END_TEST

START_TEST(given_up_and_answered_after_all)
{
    fw_id question;

    begin(_i);
    question = ask(&people.agent, LETTER);
    ck_assert_str_eq(answer(question, true), "failed");
    take(LETTER, passport(), employer());
    ck_assert_str_eq(answer(question, false), "found");
    fx_refused(&people.system, (fw_command){.kind = FW_CMD_LETTER_ANSWER, .target = 12345},
               FW_E_NOTFOUND, NULL);
    fx_close();
}
END_TEST

START_TEST(a_saved_form_asks)
{
    fw_id kase;

    begin(_i);
    kase = fx_draft(people.worker);
    fx_run("DELETE FROM outbox");
    for (int i = 0; i < 2; i++) /* the second changes nothing */
        fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SAVE,
                                               .target = kase,
                                               .fields = "{\"permit_letter\":\"" OTHER "\"}"});
    ck_assert_int_eq(fx_count("outbox WHERE op = 'labour.find'"), 1);
    ck_assert_int_eq(
        fx_count(apr_psprintf(
            fx.pool, "question WHERE case_id = %" APR_INT64_T_FMT " AND state = 'asked'", kase)),
        1);
    fx.desk->labour_plugin = NULL;
    fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SAVE,
                                           .target = kase,
                                           .fields = "{\"permit_letter\":\"" LETTER "\"}"});
    ck_assert_int_eq(fx_count("question"), 1);
    fx_close();
}
END_TEST

START_TEST(the_limit_counts_an_hour_of_one_person)
{
    begin(_i);
    fx.settings->letters_per_hour = 1;
    ask(&people.agent, LETTER);
    fx_refused(
        &people.agent,
        (fw_command){.kind = FW_CMD_LETTER_ASK, .worker_id = people.worker, .letter_no = OTHER},
        FW_E_CONFLICT, "letter.too_often");
    ask(&people.employer, OTHER);
    fx_set_now(FX_NOW + apr_time_from_sec(3599));
    fx_refused(&people.agent,
               (fw_command){.kind = FW_CMD_LETTER_ASK,
                            .worker_id = people.worker,
                            .letter_no = "勞動發事字第1150000003號"},
               FW_E_CONFLICT, "letter.too_often");
    fx_set_now(FX_NOW + apr_time_from_sec(3600));
    ask(&people.agent, "勞動發事字第1150000003號");
    fx_close();
}
END_TEST

static int ask_at_once(int i, fw_db *db, apr_pool_t *pool)
{
    fw_command cmd = {.kind = FW_CMD_LETTER_ASK,
                      .actor = i % 2 ? &people.agent : &people.employer,
                      .worker_id = people.worker,
                      .letter_no = LETTER};
    fw_desk *desk = fx_desk_again(pool);
    fw_result result;

    desk->labour_plugin = "labour";
    ck_ok(fw_perform(desk, db, &cmd, &result, pool));
    return result.verdict == FW_ACCEPTED ? 0 : 1;
}

START_TEST(many_who_ask_at_once_ask_once)
{
    begin(_i);
    ck_assert_int_eq(fx_processes(6, ask_at_once), 0);
    ck_assert_int_eq(fx_count("question"), 1);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'labour.find'"), 1);
    fx_close();
}
END_TEST

START_TEST(who_may_ask)
{
    fw_command cmd = {.kind = FW_CMD_LETTER_ASK, .worker_id = people.worker, .letter_no = LETTER};
    fw_id kase;

    begin(_i);
    cmd.worker_id = people.worker;
    fx_refused(&people.dispatcher, cmd, FW_E_NOTFOUND, NULL);
    fx_refused(&people.first, cmd, FW_E_NOTFOUND, NULL);
    kase = fx_case_in(people.worker, FW_STATE_INITIAL_REVIEW);
    cmd = (fw_command){.kind = FW_CMD_LETTER_ASK, .target = kase};
    fx_perform(&people.first, cmd);
    fx_refused(&people.dispatcher, cmd, FW_E_NOTFOUND, NULL);
    fx_refused(&people.agent, (fw_command){.kind = FW_CMD_LETTER_ANSWER, .target = 1},
               FW_E_NOTFOUND, NULL);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("letters");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 120);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, one_question_and_its_answer, 0, FX_BACKENDS);
    tcase_add_loop_test(both, what_is_whose, 0, FX_BACKENDS);
    tcase_add_loop_test(both, given_up_and_answered_after_all, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_saved_form_asks, 0, FX_BACKENDS);
    tcase_add_loop_test(both, the_limit_counts_an_hour_of_one_person, 0, FX_BACKENDS);
    tcase_add_loop_test(both, many_who_ask_at_once_ask_once, 0, FX_BACKENDS);
    tcase_add_loop_test(both, who_may_ask, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
