/* Fines over the whole desk, on both databases: told with the filing, held until settled, once whatever is said twice. */
#include "fixture.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <libpq-fe.h>

#include "fw_date.h"
#include "fw_store_fine.h"
#include "fw_store_party.h"

static void begin(int backend)
{
    fx_open(backend);
    fx_desk();
    fx.desk->penalty_plugin = "fines";
}

static void is_due(fw_id worker, apr_time_t file_by)
{
    fw_worker *w = NULL;

    ck_ok(fw_worker_load(fx.db, worker, &w, fx.pool));
    w->entered = "2026-01-01";
    w->file_by = file_by;
    ck_ok(fw_db_begin(fx.db));
    ck_ok(fw_worker_put(fx.db, w, fx.pool));
    ck_ok(fw_db_commit(fx.db));
}

static fw_penalty *penalty_of(fw_id kase)
{
    fw_penalty *p = NULL;

    ck_ok(fw_penalty_load(fx.db, kase, &p, fx.pool));
    return p;
}

static fw_fine fine(const char *no, int told, const char *state)
{
    return (fw_fine){.fine_no = no,
                     .told = told,
                     .state = state,
                     .reason = "late_filing",
                     .amount = 2000,
                     .set_on = "2026-03-01",
                     .pay_by = "2026-04-01",
                     .paid = strcmp(state, "paid") == 0 ? FX_NOW : 0,
                     .rule = "第85條",
                     .pay_how = "At any post office"};
}

static void take(fw_id kase, const fw_fine *list, int n)
{
    fx_perform(&people.system,
               (fw_command){.kind = FW_CMD_FINE_TAKE, .target = kase, .fines = list, .n_fines = n});
}

static int64_t puts_of(const char *text)
{
    return fx_count(
        apr_psprintf(fx.pool, "outbox WHERE op = 'penalty.put' AND payload LIKE '%%%s%%'", text));
}

START_TEST(filed_late_held_and_on_by_itself)
{
    fw_fine told;
    fw_penalty *p;
    fw_id kase;

    begin(_i);
    is_due(people.worker, fw_date_end((fw_date){2026, 2, 27}));
    kase = fx_case_in(people.worker, FW_STATE_AWAITING_PAYMENT);
    p = penalty_of(kase);
    ck_assert_int_eq(p->days_late, 3);
    ck_assert_str_eq(p->entered, "2026-01-01");
    ck_assert_int_eq(p->told, 2);
    ck_assert_int_eq(p->answered, 0);
    ck_assert_int_eq(puts_of("none"), 1);
    ck_assert_int_eq(puts_of("unpaid"), 1);
    fx_settle(fx_pay(kase));
    ck_assert_int_eq(fx_state(kase), FW_STATE_HELD);
    ck_assert_int_eq(puts_of("\"paid\""), 1);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.permit'"), 0);
    told = fine("F1", 1, "open");
    take(kase, &told, 1);
    p = penalty_of(kase);
    ck_assert_int_eq(p->open, 1);
    ck_assert_int_eq(p->answered, FX_NOW);
    ck_assert_int_eq(fx_state(kase), FW_STATE_HELD);
    told = fine("F1", 2, "paid");
    take(kase, &told, 1);
    take(kase, &told, 1);
    ck_assert_int_eq(fx_state(kase), FW_STATE_PRODUCING);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.permit'"), 1);
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'fine.paid'"), 1);
    ck_assert_int_eq(fx_count("audit WHERE command = 'fine.take'"), 3);
    fx_close();
}
END_TEST

START_TEST(a_fine_is_kept_whole)
{
    apr_array_header_t *list = NULL;
    fw_fine told[2];
    const fw_fine *f;
    fw_id kase;

    begin(_i);
    kase = fx_case_in(people.worker, FW_STATE_INITIAL_REVIEW);
    told[0] = fine("F2", 3, "paid");
    told[1] = fine("F1", 1, "open");
    told[1].set_on = "2026-02-28";
    told[1].pay_by = told[1].rule = told[1].pay_how = NULL;
    take(kase, told, 2);
    ck_ok(fw_fine_list(fx.db, kase, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    f = &APR_ARRAY_IDX(list, 1, fw_fine);
    ck_assert_str_eq(f->fine_no, "F2");
    ck_assert_int_eq(f->told, 3);
    ck_assert_int_eq(f->version, 1);
    ck_assert_int_eq(f->amount, 2000);
    ck_assert_str_eq(f->state, "paid");
    ck_assert_str_eq(f->reason, "late_filing");
    ck_assert_str_eq(f->pay_by, "2026-04-01");
    ck_assert_int_eq(f->paid, FX_NOW);
    ck_assert_str_eq(f->rule, "第85條");
    ck_assert_str_eq(f->pay_how, "At any post office");
    ck_assert_int_eq(f->heard, FX_NOW);
    f = &APR_ARRAY_IDX(list, 0, fw_fine);
    ck_assert_str_eq(f->fine_no, "F1");
    ck_assert_ptr_null(f->pay_by);
    ck_assert(penalty_of(kase)->has_fines);
    fx_close();
}
END_TEST

START_TEST(nothing_is_written_where_no_system_is)
{
    fw_id kase;

    begin(_i);
    fx.desk->penalty_plugin = NULL;
    kase = fx_case_in(people.worker, FW_STATE_PRODUCING);
    ck_assert_int_eq(fx_state(kase), FW_STATE_PRODUCING);
    ck_assert_int_eq(fx_count("penalty"), 0);
    ck_assert_int_eq(fx_count("outbox WHERE port = 'penalty'"), 0);
    fx_close();
}
END_TEST

START_TEST(a_fine_belongs_to_one_case)
{
    fw_fine told = fine("F1", 1, "open");
    fw_id one, two, id = 0;

    begin(_i);
    one = fx_case_in(people.worker, FW_STATE_INITIAL_REVIEW);
    two = fx_case_in(fx_worker(2), FW_STATE_INITIAL_REVIEW);
    take(one, &told, 1);
    told.told = 2;
    fx_refused(&people.system,
               (fw_command){.kind = FW_CMD_FINE_TAKE, .target = two, .fines = &told, .n_fines = 1},
               FW_E_CONFLICT, "fine.other_case");
    fx_refused(&people.system,
               (fw_command){.kind = FW_CMD_FINE_TAKE, .target = 0, .fines = &told, .n_fines = 1},
               FW_E_NOTFOUND, "fine.case_unknown");
    ck_assert_int_eq(fx_count("fine"), 1);
    ck_ok(fw_case_of_number(fx.db, "1150000002", &id, fx.pool));
    ck_assert_int_eq(id, two);
    ck_ok(fw_case_of_number(fx.db, "1150000003", &id, fx.pool));
    ck_assert_int_eq(id, 0);
    fx_close();
}
END_TEST

START_TEST(only_the_system_takes_and_officers_ask)
{
    fw_fine told = fine("F1", 1, "waived");
    fw_id kase;

    begin(_i);
    kase = fx_case_in(people.worker, FW_STATE_INITIAL_REVIEW);
    fx_refused(&people.agent,
               (fw_command){.kind = FW_CMD_FINE_TAKE, .target = kase, .fines = &told, .n_fines = 1},
               FW_E_FORBIDDEN, NULL);
    fx_refused(&people.agent, (fw_command){.kind = FW_CMD_FINE_ASK, .target = kase}, FW_E_FORBIDDEN,
               NULL);
    fx_perform(&people.first, (fw_command){.kind = FW_CMD_FINE_ASK, .target = kase});
    ck_assert_int_eq(fx_count("outbox WHERE op = 'penalty.find'"), 1);
    fx_close();
}
END_TEST

/* The fines system and the payer at one instant: whoever comes second sees the first, and a case with an open fine is never
 * produced. */
static fw_id raced;
static fw_id raced_payment;

static int one_of_two(int i, fw_db *db, apr_pool_t *pool)
{
    fw_desk *desk = fx_desk_again(pool);
    fw_fine told = fine("F1", 1, "open");
    fw_command settle = {.kind = FW_CMD_PAYMENT_SETTLE,
                         .target = raced_payment,
                         .actor = &people.system,
                         .amount = 1000};
    fw_command fined = {.kind = FW_CMD_FINE_TAKE,
                        .target = raced,
                        .actor = &people.system,
                        .fines = &told,
                        .n_fines = 1};
    fw_result r;

    desk->penalty_plugin = "fines";
    ck_ok(fw_perform(desk, db, i ? &settle : &fined, &r, pool));
    return r.verdict == FW_REFUSED;
}

START_TEST(fine_and_payment_at_once)
{
    begin(_i);
    for (int n = 2; n < 30; n++) {
        fw_state_e state;
        bool first;

        raced = fx_case_in(fx_worker(n), FW_STATE_AWAITING_PAYMENT);
        raced_payment = fx_pay(raced);
        fx_run("DELETE FROM fine");
        ck_assert_int_eq(fx_processes(2, one_of_two), 0);
        state = fx_state(raced);
        first = fx_count(apr_psprintf(fx.pool,
                                      "case_event WHERE case_id = %" APR_INT64_T_FMT
                                      " AND kind = 'fine.open' AND state_to = 'awaiting_payment'",
                                      raced)) > 0;
        ck_assert_int_eq(state, first ? FW_STATE_HELD : FW_STATE_PRODUCING);
    }
    fx_close();
}
END_TEST

/* A fine that is taken between the payment's reading and its writing: decided anew, and held. */
START_TEST(overtaken_by_a_fine)
{
    PGconn *other;
    fw_id kase;
    pid_t pid;
    int status = 1, ended = 0;

    begin(FW_DB_PGSQL);
    kase = raced = fx_case_in(people.worker, FW_STATE_AWAITING_PAYMENT);
    raced_payment = fx_pay(kase);
    other = PQconnectdb(fx.config.params);
    PQclear(PQexec(other, "BEGIN"));
    PQclear(PQexec(other, "UPDATE penalty SET version = version + 1"));
    PQclear(PQexec(
        other,
        "INSERT INTO fine (id, version, fine_no, case_id, told, state, reason, amount, set_on, "
        "heard) "
        "SELECT 1, 1, 'F1', case_id, 1, 'open', 'other', 2000, '2026-03-01', 1 FROM penalty"));
    pid = fork();
    if (pid == 0) {
        apr_pool_t *pool;

        apr_pool_create(&pool, NULL);
        _exit(one_of_two(1, fx_connect(pool), pool));
    }
    while (ended == 0 && fx_count("pg_stat_activity WHERE wait_event_type = 'Lock'") == 0) {
        apr_sleep(5000);
        ended = waitpid(pid, &status, WNOHANG);
    }
    PQclear(PQexec(other, "COMMIT"));
    PQfinish(other);
    if (ended == 0)
        waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(fx_state(kase), FW_STATE_HELD);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.permit'"), 0);
    fx_close();
}
END_TEST

/* The other way round: the case comes to be held while its fine is being settled. It is not left held for ever. */
START_TEST(settled_while_it_comes_to_be_held)
{
    fw_fine told = fine("F1", 1, "open");
    PGconn *other;
    fw_id kase;
    pid_t pid;
    int status = 1, ended = 0;

    begin(FW_DB_PGSQL);
    kase = fx_case_in(people.worker, FW_STATE_AWAITING_PAYMENT);
    take(kase, &told, 1);
    other = PQconnectdb(fx.config.params);
    PQclear(PQexec(other, "BEGIN"));
    PQclear(PQexec(other, "UPDATE penalty SET version = version + 1"));
    PQclear(PQexec(other, "UPDATE cases SET version = version + 1, state = 'held'"));
    pid = fork();
    if (pid == 0) {
        fw_fine paid = fine("F1", 2, "paid");
        fw_command cmd = {.kind = FW_CMD_FINE_TAKE,
                          .target = kase,
                          .actor = &people.system,
                          .fines = &paid,
                          .n_fines = 1};
        fw_result r = {0};
        apr_pool_t *pool;
        const fw_err *err;

        apr_pool_create(&pool, NULL);
        err = fw_perform(fx_desk_again(pool), fx_connect(pool), &cmd, &r, pool);
        _exit(err || r.verdict != FW_DONE);
    }
    while (ended == 0 && fx_count("pg_stat_activity WHERE wait_event_type = 'Lock'") == 0) {
        apr_sleep(5000);
        ended = waitpid(pid, &status, WNOHANG);
    }
    PQclear(PQexec(other, "COMMIT"));
    PQfinish(other);
    if (ended == 0)
        waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(fx_state(kase), FW_STATE_PRODUCING);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fines");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 120);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, filed_late_held_and_on_by_itself, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_fine_is_kept_whole, 0, FX_BACKENDS);
    tcase_add_loop_test(both, nothing_is_written_where_no_system_is, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_fine_belongs_to_one_case, 0, FX_BACKENDS);
    tcase_add_loop_test(both, only_the_system_takes_and_officers_ask, 0, FX_BACKENDS);
    tcase_add_loop_test(both, fine_and_payment_at_once, 0, FX_BACKENDS);
    tcase_add_test(both, overtaken_by_a_fine);
    tcase_add_test(both, settled_while_it_comes_to_be_held);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
