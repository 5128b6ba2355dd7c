/* Cards on both back ends: the bureau's words told by many at once, officers at one card at once, blanks counted by all. */
#include "fixture.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_card.h"
#include "fw_store_payment.h"

#define AT_ONCE 8

static const fw_permit printed = {.permit_no = "CP1150000001",
                                  .code = "VERIFY0000000000",
                                  .valid_from = "2026-03-02",
                                  .valid_to = "2028-03-01"};

static void begin(int backend)
{
    fx_open(backend);
    fx_desk();
}

/* A case that is paid, of the service card. */
static fw_id card_case(int worker)
{
    fw_id kase = fx_case_in(worker == 1 ? people.worker : fx_worker(worker), FW_STATE_PRODUCING);

    fx_run(apr_psprintf(fx.pool,
                        "UPDATE cases SET service = 'card', service_hash = '%s' WHERE id = "
                        "%" APR_INT64_T_FMT,
                        fw_services_find(fx.desk->services, "card")->hash, kase));
    return kase;
}

static fw_command order_of(fw_id kase)
{
    fw_permit *permit = apr_pmemdup(fx.pool, &printed, sizeof(printed));

    permit->permit_no = apr_psprintf(fx.pool, "CP%" APR_INT64_T_FMT, kase);
    return (fw_command){.kind = FW_CMD_CARD_ORDER, .target = kase, .permit = permit};
}

static fw_id order(fw_id kase)
{
    return fx_perform(&people.system, order_of(kase)).answer;
}

static fw_command word(fw_id job, int seq, const char *state, const char *card)
{
    fw_job *told = apr_pcalloc(fx.pool, sizeof(*told));

    *told = (fw_job){.seq = seq,
                     .state = state,
                     .card_no = card,
                     .spoiled = -1,
                     .station = "TAO",
                     .code = "PICKUP01"};
    return (fw_command){.kind =
                            strcmp(state, "arrived") == 0 ? FW_CMD_CARD_ARRIVE : FW_CMD_CARD_STEP,
                        .target = job,
                        .job = told,
                        .permit = &printed,
                        .at = FX_NOW};
}

static void say(fw_id job, int seq, const char *state, const char *card)
{
    fx_perform(&people.system, word(job, seq, state, card));
}

static void expect_stock(int reserved, int made, int delivered, int spoiled)
{
    apr_array_header_t *theirs = NULL;
    fw_blanks ours;

    ck_ok(fw_stock_list(fx.db, &ours, &theirs, fx.pool));
    ck_assert_int_eq(ours.reserved, reserved);
    ck_assert_int_eq(ours.made, made);
    ck_assert_int_eq(ours.delivered, delivered);
    ck_assert_int_eq(ours.spoiled, spoiled);
}

START_TEST(a_card_is_kept_as_it_goes)
{
    fw_id kase, job;
    fw_job *j = NULL;

    begin(_i);
    kase = card_case(1);
    ck_ok(fw_job_of_case(fx.db, kase, &j, fx.pool));
    ck_assert_ptr_null(j);
    job = order(kase);
    ck_assert_int_eq(order(kase), job); /* ordered already */
    expect_stock(1, 0, 0, 0);
    say(job, 2, "spoiled", NULL);
    say(job, 3, "made", "TW1");
    say(job, 4, "sent", "TW1");
    say(job, 4, "sent", "TW1");
    ck_ok(fw_job_of_case(fx.db, kase, &j, fx.pool));
    ck_assert_str_eq(j->job_no, "J1150000001");
    ck_assert_str_eq(j->state, "sent");
    ck_assert_str_eq(j->card_no, "TW1");
    ck_assert_str_eq(j->valid_to, "2028-03-01");
    ck_assert_int_eq(j->seq, 4);
    ck_assert_int_eq(j->spoiled, 1);
    ck_assert_int_eq(j->sent, FX_NOW);
    ck_assert_int_eq(j->version, 4);
    expect_stock(0, 0, 1, 1);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'card.order' AND port = 'card'"), 1);
    ck_assert_int_eq(fx_count("case_event WHERE kind LIKE 'card.%'"), 4);
    ck_assert_int_eq(fx_count("permit"), 0);
    say(job, 5, "arrived", "TW1");
    ck_assert_int_eq(fx_state(kase), FW_STATE_ISSUED);
    ck_assert_int_eq(fx_count("permit WHERE kind = 'card' AND state = 'waiting'"), 1);
    fx_close();
}
END_TEST

START_TEST(who_was_overtaken_is_told)
{
    fw_job *j = NULL;
    fw_id job;

    begin(_i);
    job = order(card_case(1));
    ck_ok(fw_job_load(fx.db, job, &j, fx.pool));
    say(job, 2, "made", "TW1");
    j->state = "sent";
    ck_code(fw_job_put(fx.db, j, fx.pool), FW_E_CONFLICT);
    ck_ok(fw_job_load(fx.db, job, &j, fx.pool));
    ck_assert_str_eq(j->state, "made");
    j->version = 0; /* a second job of that number */
    ck_code(fw_job_put(fx.db, j, fx.pool), FW_E_CONFLICT);
    fx_close();
}
END_TEST

START_TEST(the_hand_out_ends_what_was_in_force)
{
    fw_id kase, job;

    begin(_i);
    kase = card_case(1);
    job = order(kase);
    say(job, 1, "arrived", "TW1");
    fx_run(apr_psprintf(
        fx.pool,
        "INSERT INTO permit (id, version, permit_no, code, case_id, worker_id, kind, state, "
        "valid_from, valid_to, issued) SELECT 1, 1, 'EP1', 'X', %" APR_INT64_T_FMT
        ", worker_id, 'epermit', 'valid', '2026-01-01', '2026-07-01', 1 FROM cases "
        "WHERE id = %" APR_INT64_T_FMT,
        fx_case_in(fx_worker(7), FW_STATE_INITIAL_REVIEW), kase));
    fx_run(apr_psprintf(
        fx.pool,
        "INSERT INTO permit (id, version, permit_no, code, case_id, worker_id, kind, state, "
        "valid_from, valid_to, issued) SELECT 2, 1, 'CP0', 'X', %" APR_INT64_T_FMT
        ", worker_id, 'card', 'valid', '2026-01-01', '2026-07-01', 1 FROM cases "
        "WHERE id = %" APR_INT64_T_FMT,
        fx_case_in(fx_worker(8), FW_STATE_INITIAL_REVIEW), kase));
    fx_refused(&people.second,
               (fw_command){.kind = FW_CMD_CARD_COLLECT, .target = kase, .code = "PICKUP02"},
               FW_E_INPUT, "card.wrong_code");
    ck_assert_int_eq(fx_count("permit WHERE state = 'valid'"), 2);
    fx_perform(&people.second,
               (fw_command){.kind = FW_CMD_CARD_COLLECT, .target = kase, .code = "PICKUP01"});
    ck_assert_int_eq(fx_count("permit WHERE state = 'valid'"), 1);
    ck_assert_int_eq(
        fx_count("permit WHERE state = 'superseded' AND reason = 'card' AND ended > 0"), 2);
    ck_assert_int_eq(fx_state(kase), FW_STATE_COLLECTED);
    fx_close();
}
END_TEST

START_TEST(who_may_hand_out)
{
    fw_actor other;
    fw_id kase;
    fw_command collect;

    begin(_i);
    kase = card_case(1);
    say(order(kase), 1, "arrived", "TW1");
    collect = (fw_command){.kind = FW_CMD_CARD_COLLECT, .target = kase, .code = "PICKUP01"};
    other = people.second;
    other.station = "TPE";
    other.account_id = 999;
    fx_refused(&other, collect, FW_E_NOTFOUND, "problem.not_found");
    fx_refused(&people.agent, collect, FW_E_FORBIDDEN, NULL);
    fx_refused(&people.dispatcher, collect, FW_E_NOTFOUND, NULL);
    fx_refused(&people.second,
               (fw_command){.kind = FW_CMD_CARD_STEP,
                            .target = 12345,
                            .job = &(fw_job){.seq = 1, .state = "made", .card_no = "X"}},
               FW_E_NOTFOUND, NULL);
    fx_close();
}
END_TEST

/* ---- many at once ---- */

static fw_command parallel[AT_ONCE];
static const fw_actor *parallel_actor[AT_ONCE];

/* 0: done, or refused because another one was first. */
static int perform_one(int i, fw_db *db, apr_pool_t *pool)
{
    fw_desk *desk = fx_desk_again(pool);
    fw_command cmd = parallel[i];
    fw_result r = {0};
    const fw_err *err;

    cmd.actor = parallel_actor[i];
    err = fw_perform(desk, db, &cmd, &r, pool);
    for (int tries = 0; err && fw_err_retryable(err) && tries < 50; tries++)
        err = fw_perform(desk, db, &cmd, &r, pool);
    if (err)
        fprintf(stderr, "%d: %s\n", i, fw_err_text(err, pool));
    return err || (r.verdict == FW_REFUSED && r.code != FW_E_CONFLICT);
}

static void at_once(const fw_actor *actor, fw_command cmd)
{
    for (int i = 0; i < AT_ONCE; i++) {
        parallel[i] = cmd;
        parallel_actor[i] = actor;
    }
    ck_assert_int_eq(fx_processes(AT_ONCE, perform_one), 0);
}

START_TEST(one_word_told_by_many)
{
    fw_id kase, job;

    begin(_i);
    kase = card_case(1);
    at_once(&people.system, order_of(kase));
    ck_assert_int_eq(fx_count("card_job"), 1);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'card.order'"), 1);
    job = order(kase);
    at_once(&people.system, word(job, 2, "made", "TW1"));
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'card.made'"), 1);
    expect_stock(0, 1, 0, 0);
    at_once(&people.system, word(job, 3, "arrived", "TW1"));
    ck_assert_int_eq(fx_count("permit"), 1);
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'card.arrive'"), 1);
    expect_stock(0, 0, 1, 0);
    fx_close();
}
END_TEST

START_TEST(many_officers_at_one_card)
{
    fw_id kase;

    begin(_i);
    kase = card_case(1);
    say(order(kase), 1, "arrived", "TW1");
    at_once(&people.second,
            (fw_command){.kind = FW_CMD_CARD_COLLECT, .target = kase, .code = "PICKUP01"});
    ck_assert_int_eq(fx_state(kase), FW_STATE_COLLECTED);
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'card.collect'"), 1);
    ck_assert_int_eq(fx_count("audit WHERE command = 'card.collect'"), 1);
    fx_close();
}
END_TEST

START_TEST(blanks_counted_by_many_cards_at_once)
{
    begin(_i);
    for (int i = 0; i < AT_ONCE; i++) {
        parallel[i] = order_of(card_case(i + 1));
        parallel_actor[i] = &people.system;
    }
    ck_assert_int_eq(fx_processes(AT_ONCE, perform_one), 0);
    expect_stock(AT_ONCE, 0, 0, 0);
    ck_assert_int_eq(fx_count("card_job WHERE state = 'ordered'"), AT_ONCE);
    fx_close();
}
END_TEST

/* ---- lists ---- */

START_TEST(what_lies_at_a_station)
{
    apr_array_header_t *list = NULL;
    const fw_job_line *last;

    begin(_i);
    for (int i = 1; i <= 3; i++) {
        fw_command cmd = word(order(card_case(i)), 1, "arrived", apr_psprintf(fx.pool, "TW%d", i));

        cmd.at = FX_NOW + i;
        fx_perform(&people.system, cmd);
    }
    ck_ok(fw_job_waiting(fx.db, "TAO", 0, 0, 2, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_job_line).card_no, "TW1");
    last = &APR_ARRAY_IDX(list, 1, fw_job_line);
    ck_assert_str_eq(last->card_no, "TW2");
    ck_assert_str_eq(last->case_no, "1150000002");
    ck_assert_int_eq(last->state, FW_STATE_ISSUED);
    ck_ok(fw_job_waiting(fx.db, "TAO", last->arrived, last->id, 2, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_job_line).card_no, "TW3");
    ck_ok(fw_job_waiting_of(fx.db, "TAO", "1150000002", &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_ok(fw_job_waiting_of(fx.db, "TPE", "1150000002", &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    fx_close();
}
END_TEST

/* ---- lost before the hand-out ---- */

static fw_command loss_of(fw_id kase)
{
    return (fw_command){.kind = FW_CMD_CARD_LOST, .target = kase, .reason = "gone"};
}

START_TEST(many_report_one_loss)
{
    apr_array_header_t *before = NULL;
    fw_id kase;
    fw_job *j = NULL;

    begin(_i);
    kase = card_case(1);
    say(order(kase), 1, "arrived", "TW1");
    at_once(&people.second, loss_of(kase));
    ck_assert_int_eq(fx_count("case_event WHERE kind = 'card.lost'"), 1);
    ck_assert_int_eq(fx_count("outbox WHERE op = 'press.permit'"), 2); /* once paid, and now */
    ck_assert_int_eq(fx_count("permit WHERE state = 'revoked' AND reason = 'card_lost'"), 1);
    ck_assert_int_eq(fx_state(kase), FW_STATE_PRODUCING);
    say(order(kase), 1, "arrived", "TW2");
    ck_ok(fw_job_of_case(fx.db, kase, &j, fx.pool));
    ck_assert_int_eq(j->round, 2);
    ck_assert_int_eq(fx_count("permit WHERE state = 'waiting'"), 1);
    ck_ok(fw_job_before(fx.db, j, &before, fx.pool));
    ck_assert_int_eq(before->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(before, 0, const fw_job *)->card_no, "TW1");
    ck_assert_str_eq(APR_ARRAY_IDX(before, 0, const fw_job *)->state, "lost");
    expect_stock(0, 0, 2, 0);
    fx_close();
}
END_TEST

/* Whoever is first: never both. */
START_TEST(handed_out_or_lost)
{
    fw_id kase;
    int lost;

    begin(_i);
    kase = card_case(1);
    say(order(kase), 1, "arrived", "TW1");
    for (int i = 0; i < AT_ONCE; i++) {
        parallel[i] =
            i % 2 ? loss_of(kase)
                  : (fw_command){.kind = FW_CMD_CARD_COLLECT, .target = kase, .code = "PICKUP01"};
        parallel_actor[i] = &people.second;
    }
    ck_assert_int_eq(fx_processes(AT_ONCE, perform_one), 0);
    lost = fx_count("case_event WHERE kind = 'card.lost'");
    ck_assert_int_eq(lost + fx_count("case_event WHERE kind = 'card.collect'"), 1);
    ck_assert_int_eq(fx_count("permit WHERE kind = 'card' AND state = 'valid'"), 1 - lost);
    fx_close();
}
END_TEST

START_TEST(what_is_out)
{
    apr_array_header_t *list = NULL;
    const fw_job_line *l;
    fw_id job[4];

    begin(_i);
    for (int i = 0; i < 4; i++) {
        job[i] = order(card_case(i + 1));
        fx_run(apr_psprintf(fx.pool,
                            "UPDATE card_job SET ordered = %d WHERE id = %" APR_INT64_T_FMT, i + 1,
                            job[i]));
    }
    say(job[1], 1, "sent", "TW1");
    say(job[2], 1, "arrived", "TW2");
    say(job[3], 1, "made", "TW3");
    ck_ok(fw_job_out(fx.db, NULL, 0, 0, 1, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    l = &APR_ARRAY_IDX(list, 0, fw_job_line);
    ck_assert_str_eq(l->card_no, "TW1");
    ck_assert_str_eq(l->card_state, "sent");
    ck_assert_str_eq(l->station, "TAO");
    ck_ok(fw_job_out(fx.db, NULL, l->ordered, l->id, 9, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_job_line).card_no, "TW2");
    ck_ok(fw_job_out(fx.db, "TAO", 0, 0, 9, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_ok(fw_job_out(fx.db, "TPE", 0, 0, 9, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    fx_close();
}
END_TEST

START_TEST(which_job_is_asked_about)
{
    apr_array_header_t *list = NULL;
    fw_id a, b, id = 0;
    bool has = false;
    fw_job *j = NULL;

    begin(_i);
    a = order(card_case(1));
    b = order(card_case(2));
    say(b, 1, "arrived", "TW1");
    ck_ok(fw_job_load(fx.db, a, &j, fx.pool));
    ck_ok(fw_job_to_ask(fx.db, j->ask_at, 9, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    ck_ok(fw_job_to_ask(fx.db, j->ask_at + 1, 9, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, fw_id), a);
    ck_ok(fw_job_by_no(fx.db, "J1150000002", &id, fx.pool));
    ck_assert_int_eq(id, b);
    ck_ok(fw_job_by_no(fx.db, "J1150000003", &id, fx.pool));
    ck_assert_int_eq(id, 0);
    ck_ok(fw_job_has_card(fx.db, "TW1", a, &has, fx.pool));
    ck_assert(has);
    ck_ok(fw_job_has_card(fx.db, "TW1", b, &has, fx.pool));
    ck_assert(!has);
    ck_code(fw_job_load(fx.db, 5, &j, fx.pool), FW_E_NOTFOUND);
    fx_close();
}
END_TEST

START_TEST(the_bureaus_count_is_kept_by_store)
{
    fw_shelf shelf = {.store = "bureau",
                      .at = FX_NOW,
                      .blanks = 40,
                      .reserved = 10,
                      .spoiled = 2,
                      .delivered = 7,
                      .low_at = 50};
    apr_array_header_t *theirs = NULL;
    fw_blanks ours;
    fw_shelf *was = NULL;

    begin(_i);
    fx_perform(&people.system, (fw_command){.kind = FW_CMD_CARD_STOCK, .shelf = &shelf});
    shelf.blanks = 39;
    fx_perform(&people.system, (fw_command){.kind = FW_CMD_CARD_STOCK, .shelf = &shelf});
    ck_ok(fw_stock_load(fx.db, "bureau", &was, fx.pool));
    ck_assert_int_eq(was->blanks, 40); /* not newer */
    shelf.at++;
    fx_perform(&people.system, (fw_command){.kind = FW_CMD_CARD_STOCK, .shelf = &shelf});
    shelf.store = "TXG1";
    fx_perform(&people.system, (fw_command){.kind = FW_CMD_CARD_STOCK, .shelf = &shelf});
    ck_ok(fw_stock_list(fx.db, &ours, &theirs, fx.pool));
    ck_assert_int_eq(theirs->nelts, 2);
    was = &APR_ARRAY_IDX(theirs, 1, fw_shelf);
    ck_assert_str_eq(was->store, "bureau");
    ck_assert_int_eq(was->blanks, 39);
    ck_assert_int_eq(was->delivered, 7);
    ck_assert_int_eq(was->low_at, 50);
    ck_assert_int_eq(fx_count("audit WHERE aggregate = 'stock:bureau'"), 3);
    ck_ok(fw_stock_load(fx.db, "nowhere", &was, fx.pool));
    ck_assert_ptr_null(was);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("card");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, a_card_is_kept_as_it_goes, 0, FX_BACKENDS);
    tcase_add_loop_test(both, who_was_overtaken_is_told, 0, FX_BACKENDS);
    tcase_add_loop_test(both, the_hand_out_ends_what_was_in_force, 0, FX_BACKENDS);
    tcase_add_loop_test(both, who_may_hand_out, 0, FX_BACKENDS);
    tcase_add_loop_test(both, one_word_told_by_many, 0, FX_BACKENDS);
    tcase_add_loop_test(both, many_officers_at_one_card, 0, FX_BACKENDS);
    tcase_add_loop_test(both, blanks_counted_by_many_cards_at_once, 0, FX_BACKENDS);
    tcase_add_loop_test(both, what_lies_at_a_station, 0, FX_BACKENDS);
    tcase_add_loop_test(both, many_report_one_loss, 0, FX_BACKENDS);
    tcase_add_loop_test(both, handed_out_or_lost, 0, FX_BACKENDS);
    tcase_add_loop_test(both, what_is_out, 0, FX_BACKENDS);
    tcase_add_loop_test(both, which_job_is_asked_about, 0, FX_BACKENDS);
    tcase_add_loop_test(both, the_bureaus_count_is_kept_by_store, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
