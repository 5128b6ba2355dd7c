/* perform() over the whole desk: many at once, the same twice, half of it failing: nothing lost, nothing twice. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <libpq-fe.h>

#include "fw_store_account.h"
#include "fw_store_case.h"
#include "fw_store_outbox.h"
#include "fw_store_payment.h"

static void begin(int backend)
{
    fx_open(backend);
    fx_desk();
}

/* ---- the way of a case ---- */

START_TEST(from_draft_to_permit)
{
    fw_id kase, payment;
    fw_case *c = NULL;
    fw_result r;
    const fw_document paper = {
        .kind = "permit", .number = "EP1", .vault = "00", .sha256 = "00", .size = 1};
    const fw_permit permit = {.permit_no = "EP1",
                              .code = "X",
                              .kind = "epermit",
                              .valid_from = "2026-03-02",
                              .valid_to = "2026-09-01"};

    begin(_i);
    kase = fx_draft(people.worker);
    ck_assert_int_eq(fx_state(kase), FW_STATE_DRAFT);
    r = fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase});
    ck_assert_str_eq(r.case_no, "1150000001");
    ck_assert_str_eq(r.state, "initial_review");
    ck_ok(fw_case_load(fx.db, kase, &c, fx.pool));
    ck_assert_int_eq(c->first_reviewer, people.first.account_id);
    ck_assert_str_eq(c->station, "TAO");
    ck_assert_str_eq(c->passport_no, "C1234501");
    ck_assert_int_eq(c->version, r.version);
    fx_perform(&people.first, (fw_command){.kind = FW_CMD_CASE_APPROVE, .target = kase});
    fx_perform(&people.second, (fw_command){.kind = FW_CMD_CASE_CONFIRM, .target = kase});
    ck_assert_int_eq(fx_state(kase), FW_STATE_AWAITING_PAYMENT);
    payment = fx_pay(kase);
    fx_settle(payment);
    ck_assert_int_eq(fx_state(kase), FW_STATE_PRODUCING);
    fx_perform(&people.system, (fw_command){.kind = FW_CMD_PERMIT_ISSUE,
                                            .target = kase,
                                            .permit = &permit,
                                            .document = &paper});
    ck_assert_int_eq(fx_state(kase), FW_STATE_ISSUED);
    ck_assert_int_eq(fx_count("permit WHERE state = 'valid'"), 1);
    ck_assert_int_eq(fx_count("audit WHERE aggregate LIKE 'case:%'"), 9);
    ck_assert_int_eq(fx_count("audit WHERE seq = 0 OR hash = ''"), 0);
    fx_close();
}
END_TEST

START_TEST(a_stranger_s_case_is_no_case)
{
    fw_actor other;
    fw_id kase;

    begin(_i);
    kase = fx_draft(people.worker);
    other = people.employer;
    other.org_id = people.employer_b;
    fx_refused(&other, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase}, FW_E_NOTFOUND,
               "problem.not_found");
    fx_refused(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = 12345},
               FW_E_NOTFOUND, "problem.not_found");
    fx_close();
}
END_TEST

/* ---- four eyes, two officers ---- */

START_TEST(four_eyes)
{
    fw_actor both;
    fw_id kase;

    begin(_i);
    kase = fx_case_in(people.worker, FW_STATE_INITIAL_REVIEW);
    both = people.first;
    both.roles = FW_ROLE_INITIAL | FW_ROLE_SECOND;
    fx_perform(&both, (fw_command){.kind = FW_CMD_CASE_APPROVE, .target = kase});
    fx_refused(&both, (fw_command){.kind = FW_CMD_CASE_CONFIRM, .target = kase}, FW_E_CONFLICT,
               NULL);
    ck_assert_int_eq(fx_state(kase), FW_STATE_SECOND_REVIEW);
    fx_perform(&people.second, (fw_command){.kind = FW_CMD_CASE_CONFIRM, .target = kase});
    fx_close();
}
END_TEST

START_TEST(two_officers_with_one_version)
{
    fw_case *c = NULL;
    fw_id kase;

    begin(_i);
    kase = fx_case_in(people.worker, FW_STATE_INITIAL_REVIEW);
    ck_ok(fw_case_load(fx.db, kase, &c, fx.pool));
    fx_perform(&people.first, (fw_command){.kind = FW_CMD_CASE_CORRECT,
                                           .target = kase,
                                           .version = c->version,
                                           .fields = "{\"visa_no\":\"VN999\"}"});
    fx_refused(&people.first,
               (fw_command){.kind = FW_CMD_CASE_CORRECT,
                            .target = kase,
                            .version = c->version,
                            .fields = "{\"visa_no\":\"VN000\"}"},
               FW_E_CONFLICT, "case.stale");
    fx_perform(&people.first, (fw_command){.kind = FW_CMD_CASE_CORRECT,
                                           .target = kase,
                                           .version = c->version + 1,
                                           .fields = "{\"visa_no\":\"VN111\"}"});
    ck_ok(fw_case_load(fx.db, kase, &c, fx.pool));
    ck_assert_ptr_nonnull(strstr(c->data, "VN111"));
    fx_close();
}
END_TEST

/* ---- many at once ---- */

static fw_command parallel;
static const fw_actor *parallel_actor;
static enum { ONE_KEY, OWN_KEYS, NO_KEY } parallel_keys;

/* 0: done, first or again; 1: refused or failed in a way that it must not. */
static int perform_once(int i, fw_db *db, apr_pool_t *pool)
{
    fw_desk *desk = fx_desk_again(pool);
    fw_command cmd = parallel;
    fw_result r = {0};
    const fw_err *err;

    cmd.actor = parallel_actor;
    if (parallel_keys != NO_KEY)
        cmd.request_id = parallel_keys == ONE_KEY ? "the-key" : apr_psprintf(pool, "key-%d", i);
    cmd.body_hash = parallel_keys != NO_KEY ? "b0d7" : NULL;
    err = fw_perform(desk, db, &cmd, &r, pool);
    for (int tries = 0; err && fw_err_retryable(err) && tries < 50; tries++)
        err = fw_perform(desk, db, &cmd, &r, pool); /* what a client does with 503 */
    if (err)
        fprintf(stderr, "%d: %s\n", i, fw_err_text(err, pool));
    if (err || (parallel_keys == ONE_KEY && r.verdict == FW_REFUSED))
        return 1;
    return r.verdict == FW_REFUSED && r.code != FW_E_CONFLICT;
}

static void at_once(int n, const fw_actor *actor, fw_command cmd, int keys)
{
    parallel = cmd;
    parallel_actor = actor;
    parallel_keys = keys;
    ck_assert_int_eq(fx_processes(n, perform_once), 0);
}

static void expect_one_filing(fw_id kase)
{
    ck_assert_int_eq(fx_state(kase), FW_STATE_INITIAL_REVIEW);
    ck_assert_int_eq(fx_count("cases WHERE case_no IS NOT NULL"), 1);
    ck_assert_str_eq(fx_text("SELECT value FROM counter WHERE name = 'case:115'"), "1");
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.filing'"), 1);
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'case.submit'"), 1);
    ck_assert_int_eq(fx_count("audit WHERE command = 'case.submit'"), 1);
}

START_TEST(fifty_submits_of_one_key)
{
    fw_id kase;

    begin(_i);
    kase = fx_draft(people.worker);
    at_once(50, &people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase}, ONE_KEY);
    expect_one_filing(kase);
    ck_assert_int_eq(fx_count("idem"), 1);
    fx_close();
}
END_TEST

START_TEST(fifty_submits_of_many_keys)
{
    fw_id kase;

    begin(_i);
    kase = fx_draft(people.worker);
    at_once(50, &people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase}, OWN_KEYS);
    expect_one_filing(kase);
    ck_assert_int_eq(fx_count("idem"), 1); /* refusals are not kept */
    fx_close();
}
END_TEST

/* What comes into being has no version that could stand against it: the key alone does. */
START_TEST(twenty_openings_of_one_key)
{
    begin(_i);
    at_once(
        20, &people.agent,
        (fw_command){.kind = FW_CMD_CASE_OPEN, .service = "epermit", .worker_id = people.worker},
        ONE_KEY);
    ck_assert_int_eq(fx_count("cases"), 1);
    fx_close();
}
END_TEST

START_TEST(twenty_settlings)
{
    fw_payment *p = NULL;
    fw_id kase, payment;

    begin(_i);
    kase = fx_case_in(people.worker, FW_STATE_AWAITING_PAYMENT);
    payment = fx_pay(kase);
    ck_ok(fw_payment_load(fx.db, payment, &p, fx.pool));
    at_once(20, &people.system,
            (fw_command){.kind = FW_CMD_PAYMENT_SETTLE,
                         .target = payment,
                         .amount = p->amount,
                         .gateway_no = "G1",
                         .at = FX_NOW},
            NO_KEY);
    ck_ok(fw_payment_load(fx.db, payment, &p, fx.pool));
    ck_assert_int_eq(p->state, FW_PAY_PAID);
    ck_assert_int_eq(p->receipt_no, 11500000001);
    ck_assert_str_eq(fx_text("SELECT value FROM counter WHERE name = 'receipt:115'"), "1");
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.receipt'"), 1);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.permit'"), 1);
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'payment.settle'"), 1);
    ck_assert_int_eq(fx_state(kase), FW_STATE_PRODUCING);
    fx_close();
}
END_TEST

START_TEST(twenty_registrations_of_one_passport)
{
    begin(_i);
    at_once(20, &people.agent,
            (fw_command){
                .kind = FW_CMD_WORKER_REGISTER,
                .employer_id = people.employer_b,
                .fields = "{\"name_latin\":\"SANTOSO "
                          "BUDI\",\"sex\":\"M\",\"birth\":\"1990-05-04\",\"nationality\":\"IDN\","
                          "\"passport_no\":\"C7654321\",\"passport_expiry\":\"2031-01-31\","
                          "\"permit_letter\":\"勞動發事字第1150012345號\"}"},
            OWN_KEYS);
    ck_assert_int_eq(fx_count("worker WHERE passport_no = 'C7654321'"), 1);
    fx_close();
}
END_TEST

/* Overtaken between reading and writing: decided anew, without a word to anybody. */
START_TEST(overtaken_and_decided_anew)
{
    PGconn *other;
    fw_id kase;
    pid_t pid;
    int status = 1;

    begin(FW_DB_PGSQL);
    kase = fx_draft(people.worker);
    other = PQconnectdb(fx.config.params);
    PQclear(PQexec(other, "BEGIN"));
    PQclear(PQexec(other, "UPDATE cases SET version = version + 1"));
    pid = fork();
    if (pid == 0) {
        fw_command cmd = {.kind = FW_CMD_CASE_SAVE,
                          .target = kase,
                          .actor = &people.agent,
                          .fields = "{\"visa_no\":\"VN777\"}"};
        fw_result r = {0};
        apr_pool_t *pool;
        const fw_err *err;

        apr_pool_create(&pool, NULL);
        err = fw_perform(fx_desk_again(pool), fx_connect(pool), &cmd, &r, pool);
        _exit(err || r.verdict != FW_DONE);
    }
    while (fx_count("pg_stat_activity WHERE wait_event_type = 'Lock'") == 0)
        apr_sleep(5000);
    PQclear(PQexec(other, "COMMIT"));
    PQfinish(other);
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(fx_count("cases WHERE data LIKE '%VN777%'"), 1);
    fx_close();
}
END_TEST

/* Different cases at once: no number twice, none left out. */
static int submit_own(int i, fw_db *db, apr_pool_t *pool)
{
    fw_desk *desk = fx_desk_again(pool);
    apr_array_header_t *list = NULL;
    fw_case_ask ask = {
        .list = FW_LIST_EMPLOYER, .id = people.employer_a, .state = "draft", .limit = 100};
    fw_command cmd = {.kind = FW_CMD_CASE_SUBMIT, .actor = &people.agent};
    fw_result r = {0};
    const fw_err *err = fw_case_list(db, &ask, &list, pool);

    if (err || list->nelts <= 0)
        return 1;
    cmd.target = apr_atoi64(getenv(apr_psprintf(pool, "FX_CASE_%d", i)));
    err = fw_perform(desk, db, &cmd, &r, pool);
    for (int tries = 0; err && fw_err_retryable(err) && tries < 50; tries++)
        err = fw_perform(desk, db, &cmd, &r, pool);
    if (err || r.verdict == FW_REFUSED)
        fprintf(stderr, "%d: %s\n", i, err ? fw_err_text(err, pool) : r.refusals[0].key);
    return err || r.verdict == FW_REFUSED;
}

START_TEST(twelve_filings_at_once)
{
    begin(_i);
    for (int i = 0; i < 12; i++)
        setenv(apr_psprintf(fx.pool, "FX_CASE_%d", i),
               apr_psprintf(fx.pool, "%" APR_INT64_T_FMT, fx_draft(fx_worker(10 + i))), 1);
    ck_assert_int_eq(fx_processes(12, submit_own), 0);
    ck_assert_int_eq(fx_count("cases WHERE state = 'initial_review'"), 12);
    ck_assert_str_eq(fx_text("SELECT min(case_no) FROM cases"), "1150000001");
    ck_assert_str_eq(fx_text("SELECT max(case_no) FROM cases"), "1150000012");
    fx_close();
}
END_TEST

/* ---- keys ---- */

START_TEST(the_same_request_again)
{
    fw_command cmd = {
        .kind = FW_CMD_CASE_OPEN, .service = "epermit", .request_id = "r1", .body_hash = "h1"};
    fw_result first, again;

    begin(_i);
    cmd.worker_id = people.worker;
    first = fx_perform(&people.agent, cmd);
    ck_assert(!first.repeated);
    again = fx_perform(&people.agent, cmd);
    ck_assert(again.repeated);
    ck_assert_int_eq(again.answer, first.answer);
    ck_assert_int_eq(again.version, first.version);
    ck_assert_str_eq(again.state, first.state);
    ck_assert_ptr_null(again.case_no);
    cmd.body_hash = "h2";
    fx_refused(&people.agent, cmd, FW_E_INPUT, "idempotency.reused");
    ck_assert_int_eq(fx_count("cases"), 1);
    fx_close();
}
END_TEST

START_TEST(a_refusal_is_not_kept)
{
    fw_command cmd = {.kind = FW_CMD_CASE_SUBMIT, .request_id = "r1", .body_hash = "h1"};
    fw_id kase;

    begin(_i);
    kase = fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_OPEN,
                                                  .service = "epermit",
                                                  .worker_id = people.worker})
               .answer;
    cmd.target = kase;
    fx_refused(&people.agent, cmd, FW_E_INPUT, NULL);
    ck_assert_int_eq(fx_count("idem"), 0);
    ck_assert_int_eq(fx_count("audit WHERE command = 'case.submit'"), 0);
    fx_close();
}
END_TEST

/* ---- many in one ---- */

START_TEST(all_or_none)
{
    fw_command cmds[3];
    fw_result results[3];
    int failed = -2;

    begin(_i);
    for (int i = 0; i < 3; i++)
        cmds[i] = (fw_command){.kind = FW_CMD_CASE_OPEN,
                               .actor = &people.agent,
                               .service = "epermit",
                               .worker_id = people.worker};
    cmds[2].worker_id = 12345;
    ck_ok(fw_perform_all(fx.desk, fx.db, cmds, 3, results, &failed, fx.pool));
    ck_assert_int_eq(failed, 2);
    ck_assert_int_eq(fx_count("cases"), 0);
    cmds[2].worker_id = people.worker;
    ck_ok(fw_perform_all(fx.desk, fx.db, cmds, 3, results, &failed, fx.pool));
    ck_assert_int_eq(failed, -1);
    ck_assert_int_eq(fx_count("cases"), 3);
    fx_close();
}
END_TEST

/* An agency pays for many workers at once. */
#define TOGETHER FW_MAX_CASES

START_TEST(one_payment_for_many_cases)
{
    fw_id cases[TOGETHER + 1], payment;
    fw_payment *p = NULL;

    begin(_i);
    for (int i = 0; i < TOGETHER; i++)
        cases[i] = fx_case_in(fx_worker(10 + i), FW_STATE_AWAITING_PAYMENT);
    cases[TOGETHER] = fx_case_in(people.worker, FW_STATE_AWAITING_PAYMENT);
    fx_refused(&people.agent,
               (fw_command){.kind = FW_CMD_PAYMENT_BEGIN,
                            .cases = cases,
                            .n_cases = TOGETHER + 1,
                            .method = "card"},
               FW_E_INPUT, "payment.too_many");
    payment = fx_perform(&people.agent, (fw_command){.kind = FW_CMD_PAYMENT_BEGIN,
                                                     .cases = cases,
                                                     .n_cases = TOGETHER,
                                                     .method = "card"})
                  .answer;
    fx_settle(payment);
    ck_ok(fw_payment_load(fx.db, payment, &p, fx.pool));
    ck_assert_int_eq(p->n_cases, TOGETHER);
    ck_assert_int_eq(fx_count("cases WHERE state = 'producing'"), TOGETHER);
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'payment.settle'"), TOGETHER);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.permit'"), TOGETHER);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.receipt'"), 1);
    fx_close();
}
END_TEST

/* ---- torture: the n-th call of the database fails, for every n ---- */

/* Everything that a command may write, as one text. */
static const char *everything(void)
{
    static const char *const tables[] = {"cases",        "case_file", "case_event", "payment",
                                         "payment_case", "permit",    "document",   "outbox",
                                         "audit",        "idem",      "counter",    "worker",
                                         "org",          "account",   "delegation"};
    const char *text = "";

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        text = apr_psprintf(fx.pool, "%s%s %d\n", text, tables[i], (int)fx_count(tables[i]));
    text = apr_pstrcat(fx.pool, text, fx_text("SELECT sum(version) FROM cases"), " ",
                       fx_text("SELECT coalesce(sum(version), 0) FROM payment"), " ",
                       fx_text("SELECT coalesce(sum(value), 0) FROM counter"), " ",
                       fx_text("SELECT coalesce(max(case_no), '') FROM cases"), NULL);
    return text;
}

static int torture(const fw_actor *actor, fw_command cmd)
{
    const char *before = everything();
    fw_result r = {0};
    const fw_err *err = NULL;
    int n = 0;

    cmd.actor = actor;
    cmd.request_id = "torture";
    cmd.body_hash = "00";
    do {
        fw_db_fail_after(++n);
        err = fw_perform(fx.desk, fx.db, &cmd, &r, fx.pool);
        fw_db_fail_after(0);
        ck_assert(!fw_db_in_transaction(fx.db));
        if (err) {
            ck_assert_msg(err->code == FW_E_UNAVAILABLE, "call %d: %s", n,
                          fw_err_text(err, fx.pool));
            ck_assert_str_eq(everything(), before);
        }
    } while (err && n < 200);
    ck_ok(err);
    ck_assert_int_ne(r.verdict, FW_REFUSED);
    ck_assert(!r.repeated);
    ck_assert_str_ne(everything(), before);
    return n;
}

START_TEST(every_call_fails_once)
{
    const fw_permit permit = {.permit_no = "EP1",
                              .code = "X",
                              .kind = "epermit",
                              .valid_from = "2026-03-02",
                              .valid_to = "2026-09-01"};
    const fw_document paper = {
        .kind = "permit", .number = "EP1", .vault = "00", .sha256 = "00", .size = 1};
    fw_id kase, payment;
    fw_payment *p = NULL;

    begin(_i);
    kase = fx_draft(people.worker);
    ck_assert_int_gt(
        torture(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase}), 12);
    fx_run("DELETE FROM idem");
    fx_perform(&people.first, (fw_command){.kind = FW_CMD_CASE_APPROVE, .target = kase});
    ck_assert_int_gt(
        torture(&people.second, (fw_command){.kind = FW_CMD_CASE_CONFIRM, .target = kase}), 8);
    fx_run("DELETE FROM idem");
    payment = fx_pay(kase);
    ck_ok(fw_payment_load(fx.db, payment, &p, fx.pool));
    ck_assert_int_gt(torture(&people.system, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE,
                                                          .target = payment,
                                                          .amount = p->amount,
                                                          .gateway_no = "G1",
                                                          .at = FX_NOW}),
                     12);
    fx_run("DELETE FROM idem");
    ck_assert_int_gt(torture(&people.system, (fw_command){.kind = FW_CMD_PERMIT_ISSUE,
                                                          .target = kase,
                                                          .permit = &permit,
                                                          .document = &paper}),
                     10);
    ck_assert_int_eq(fx_state(kase), FW_STATE_ISSUED);
    fx_close();
}
END_TEST

START_TEST(every_call_of_an_upload_and_its_verdict_fails_once)
{
    const fw_file file = {.slot = "passport_page",
                          .vault = "00",
                          .name = "scan",
                          .mime = "application/pdf",
                          .size = 1,
                          .sha256 = "00"};
    fw_file judged = {.scan = FW_SCAN_INFECTED};
    fw_id kase;

    begin(_i);
    fx.desk->scan_plugin = "virus";
    kase = fx_draft(people.worker);
    ck_assert_int_gt(
        torture(&people.agent,
                (fw_command){.kind = FW_CMD_CASE_ATTACH, .target = kase, .file = &file}),
        8);
    fx_run("DELETE FROM idem");
    fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase});
    judged.id = apr_strtoi64(
        fx_text("SELECT id FROM case_file WHERE slot = 'passport_page' AND current = 1"), NULL, 10);
    ck_assert_int_gt(
        torture(&people.system,
                (fw_command){.kind = FW_CMD_FILE_JUDGE, .target = kase, .file = &judged}),
        10);
    ck_assert_int_eq(fx_state(kase), FW_STATE_RETURNED);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("perform");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 90);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, from_draft_to_permit, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_stranger_s_case_is_no_case, 0, FX_BACKENDS);
    tcase_add_loop_test(both, four_eyes, 0, FX_BACKENDS);
    tcase_add_loop_test(both, two_officers_with_one_version, 0, FX_BACKENDS);
    tcase_add_loop_test(both, fifty_submits_of_one_key, 0, FX_BACKENDS);
    tcase_add_loop_test(both, fifty_submits_of_many_keys, 0, FX_BACKENDS);
    tcase_add_loop_test(both, twenty_openings_of_one_key, 0, FX_BACKENDS);
    tcase_add_loop_test(both, twenty_settlings, 0, FX_BACKENDS);
    tcase_add_loop_test(both, twenty_registrations_of_one_passport, 0, FX_BACKENDS);
    tcase_add_test(both, overtaken_and_decided_anew);
    tcase_add_loop_test(both, twelve_filings_at_once, 0, FX_BACKENDS);
    tcase_add_loop_test(both, the_same_request_again, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_refusal_is_not_kept, 0, FX_BACKENDS);
    tcase_add_loop_test(both, all_or_none, 0, FX_BACKENDS);
    tcase_add_loop_test(both, one_payment_for_many_cases, 0, FX_BACKENDS);
    tcase_add_loop_test(both, every_call_fails_once, 0, FX_BACKENDS);
    tcase_add_loop_test(both, every_call_of_an_upload_and_its_verdict_fails_once, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
