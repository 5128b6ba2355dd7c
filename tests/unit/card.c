/* decide() and the life of a card: ordered, made, sent, at the station, collected; and all that may be told out of turn. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <check.h>

#include "fw_decide.h"

#define HOUR (apr_time_from_sec(3600))
#define DAY  (24 * HOUR)
#define NOW  (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z */

static apr_pool_t *pool;
static fw_case kase;
static fw_case *cases[1];
static fw_view view;
static fw_job job, was;
static fw_permit permit, old_paper, old_card;
static fw_permit *lives[2];
static fw_ids ids;
static fw_outcome out;
static fw_terms terms;
static fw_blanks stock;
static const fw_actor machine = {.roles = FW_ROLE_SYSTEM, .name = "system"};
static const fw_actor officer = {
    .account_id = 12, .roles = FW_ROLE_INITIAL, .station = "TAO", .name = "officer"};
static const fw_permit drawn = {.permit_no = "CP1150000001",
                                .code = "VERIFY0000000000",
                                .valid_from = "2026-01-01",
                                .valid_to = "2028-12-31"};

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    kase = (fw_case){.id = 7,
                     .version = 4,
                     .case_no = "1150000001",
                     .state = FW_STATE_PRODUCING,
                     .turn_since = NOW,
                     .worker_id = 3,
                     .station = "TAO"};
    cases[0] = &kase;
    old_paper = (fw_permit){.id = 51, .state = "valid", .kind = "epermit"};
    old_card = (fw_permit){.id = 52, .state = "valid", .kind = "card"};
    lives[0] = &old_card;
    lives[1] = &old_paper;
    permit = (fw_permit){0};
    job = was = (fw_job){0};
    stock = (fw_blanks){0};
    view = (fw_view){.kase = &kase,
                     .cases = cases,
                     .n_cases = 1,
                     .job = &job,
                     .permit = &permit,
                     .lives = lives,
                     .n_lives = 2,
                     .station = "TAO"};
    terms = (fw_terms){.kind = "card"};
    memset(&ids, 0, sizeof(ids));
    for (int i = 0; i < FW_IDS; i++)
        ids.id[i] = 1000 + i;
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static void give(const fw_actor *actor, fw_command cmd, apr_time_t at)
{
    cmd.actor = actor;
    fw_decide(&view, &cmd, at, &ids, &terms, &out, pool);
    if (out.verdict != FW_DONE)
        return;
    stock.reserved += out.blanks.reserved;
    stock.made += out.blanks.made;
    stock.delivered += out.blanks.delivered;
    stock.spoiled += out.blanks.spoiled;
}

static void expect_refused(const char *key)
{
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_str_eq(out.refusals[0].key, key);
    ck_assert_int_eq(out.n_events, 0);
    ck_assert_int_eq(out.n_sends, 0);
    ck_assert_uint_eq(out.changed, 0);
    ck_assert_int_eq(out.blanks.reserved, 0);
}

static void expect_nothing(void)
{
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(out.answer, job.id);
    ck_assert_uint_eq(out.changed, 0);
    ck_assert_int_eq(out.n_events, 0);
    ck_assert_int_eq(out.n_sends, 0);
}

static void expect_stock(int reserved, int made, int delivered, int spoiled)
{
    ck_assert_int_eq(stock.reserved, reserved);
    ck_assert_int_eq(stock.made, made);
    ck_assert_int_eq(stock.delivered, delivered);
    ck_assert_int_eq(stock.spoiled, spoiled);
}

static void order(void)
{
    give(&machine, (fw_command){.kind = FW_CMD_CARD_ORDER, .permit = &drawn}, NOW);
}

/* `card`: NULL where the state has none. `spoiled`: -1 where the bureau says no number. */
static void say(int seq, const char *state, const char *card, int spoiled)
{
    const fw_job told = {.seq = seq,
                         .state = state,
                         .card_no = card,
                         .spoiled = spoiled,
                         .station = "TAO",
                         .code = "PICKUP01"};
    bool arrived = strcmp(state, "arrived") == 0;

    give(&machine,
         (fw_command){.kind = arrived ? FW_CMD_CARD_ARRIVE : FW_CMD_CARD_STEP,
                      .job = &told,
                      .permit = &drawn,
                      .at = NOW + seq * HOUR},
         NOW + 2 * seq * HOUR);
}

static void arrive(void)
{
    order();
    say(1, "accepted", NULL, -1);
    say(2, "made", "TW1", -1);
    say(3, "sent", "TW1", -1);
    say(4, "arrived", "TW1", -1);
    ck_assert_int_eq(out.verdict, FW_DONE);
}

static void collect(const fw_actor *actor, const char *code)
{
    give(actor, (fw_command){.kind = FW_CMD_CARD_COLLECT, .code = code}, NOW + DAY);
}

START_TEST(an_order_reserves_a_blank_and_goes_out_once)
{
    order();
    ck_assert_str_eq(job.state, "ordered");
    ck_assert_str_eq(job.job_no, "J1150000001");
    ck_assert_str_eq(job.permit_no, "CP1150000001");
    ck_assert_str_eq(job.station, "TAO");
    ck_assert_int_eq(job.ask_at, NOW + DAY);
    ck_assert_uint_eq(out.changed, FW_CH_JOB); /* the case's version stays: no page becomes stale */
    ck_assert_int_eq(out.n_sends, 1);
    ck_assert_str_eq(out.sends[0].op, "card.order");
    ck_assert(out.sends[0].bulk);
    ck_assert_str_eq(out.events[0].kind, "card.order");
    expect_stock(1, 0, 0, 0);
    was = job;
    view.job_was = &was;
    order();
    expect_nothing();
    expect_stock(1, 0, 0, 0);
}
END_TEST

START_TEST(only_what_is_paid_is_ordered)
{
    kase.state = FW_STATE_AWAITING_PAYMENT;
    order();
    expect_refused("case.state");
    kase.state = FW_STATE_PRODUCING;
    give(&machine,
         (fw_command){.kind = FW_CMD_CARD_ORDER,
                      .permit = &(fw_permit){.valid_from = "2026-01-02", .valid_to = "2026-01-01"}},
         NOW);
    expect_refused("case.no_term");
}
END_TEST

START_TEST(from_order_to_station)
{
    order();
    say(1, "accepted", NULL, -1);
    ck_assert_str_eq(out.events[0].kind, "card.accepted");
    expect_stock(1, 0, 0, 0);
    say(2, "made", "TW1", -1);
    ck_assert_int_eq(job.made, NOW + 2 * HOUR); /* when it happened there */
    ck_assert_int_eq(job.ask_at, NOW + 4 * HOUR + DAY);
    expect_stock(0, 1, 0, 0);
    say(3, "sent", "TW1", -1);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    expect_stock(0, 0, 1, 0);
    say(4, "arrived", "TW1", -1);
    ck_assert_int_eq(kase.state, FW_STATE_ISSUED);
    ck_assert_int_eq(kase.office_us, 8 * HOUR); /* the office's clock ends there */
    ck_assert_str_eq(job.code, "PICKUP01");
    ck_assert_int_eq(job.ask_at, 0);
    ck_assert_str_eq(permit.state, "waiting");
    ck_assert_str_eq(permit.kind, "card");
    ck_assert_str_eq(permit.code, "VERIFY0000000000");
    ck_assert_int_eq(kase.permit_id, permit.id);
    ck_assert_str_eq(old_paper.state, "valid"); /* until the card is in the hand */
    ck_assert_str_eq(out.sends[0].op, "notify.send");
    expect_stock(0, 0, 1, 0);
}
END_TEST

START_TEST(a_word_that_is_left_out_hinders_nothing)
{
    order();
    say(5, "arrived", "TW1", 2);
    ck_assert_int_eq(kase.state, FW_STATE_ISSUED);
    expect_stock(0, 0, 1, 2);
}
END_TEST

START_TEST(what_comes_late_or_twice_changes_nothing)
{
    order();
    say(3, "sent", "TW1", -1);
    say(2, "made", "TW1", -1);
    expect_nothing();
    say(3, "sent", "TW1", -1);
    expect_nothing();
    say(4, "arrived", "TW1", -1);
    ck_assert_int_eq(kase.state, FW_STATE_ISSUED);
    say(5, "arrived", "TW1", -1);
    expect_nothing();
    say(1, "accepted", NULL, -1);
    expect_nothing();
    expect_stock(0, 0, 1, 0);
}
END_TEST

START_TEST(a_spoiled_card_is_made_again)
{
    order();
    say(1, "accepted", NULL, -1);
    say(2, "made", "TW1", -1);
    say(3, "spoiled", NULL, 1);
    ck_assert_ptr_null(job.card_no);
    ck_assert_int_eq(job.made, 0);
    expect_stock(1, 0, 0, 1);
    say(4, "accepted", NULL, 1);
    say(5, "spoiled", NULL, -1); /* no number is said: one more */
    expect_stock(1, 0, 0, 2);
    say(6, "accepted", NULL, 2);
    say(7, "made", "TW2", 2);
    ck_assert_str_eq(job.card_no, "TW2");
    say(9, "accepted", NULL, 3); /* of 8, which is late, we know by the number alone */
    ck_assert_str_eq(job.state, "accepted");
    say(10, "sent", "TW3", 3);
    expect_stock(0, 0, 1, 3);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    order();
    say(1, "made", "TW1", 1);
    say(2, "accepted", NULL, 1);
    expect_refused("card.goes_back");
    say(2, "spoiled", NULL, 0);
    expect_refused("card.spoiled_less");
    say(2, "sent", "TW9", 1);
    expect_refused("card.other_number");
    say(2, "sent", NULL, 1);
    expect_refused("card.no_number");
    view.taken = true;
    say(2, "sent", "TW1", 1);
    expect_refused("card.number_taken");
    view.taken = false;
    view.station = NULL;
    say(2, "arrived", "TW1", 1);
    expect_refused("card.no_station");
    view.station = "TAO";
    say(2, "arrived", "TW1", 1);
    ck_assert_int_eq(kase.state, FW_STATE_ISSUED);
    say(3, "spoiled", NULL, 2);
    expect_refused("case.state");
    view.job = NULL;
    say(4, "made", "TW1", 1);
    expect_refused("card.unknown");
}
END_TEST

START_TEST(a_card_that_lies_elsewhere_takes_its_case_there)
{
    order();
    view.station = "TXG1";
    say(1, "arrived", "TW1", -1);
    ck_assert_str_eq(kase.station, "TXG1");
    ck_assert_str_eq(job.station, "TXG1");
}
END_TEST

START_TEST(a_cancelled_job_is_ordered_anew)
{
    order();
    give(&officer, (fw_command){.kind = FW_CMD_CARD_AGAIN}, NOW);
    expect_refused("card.not_cancelled");
    say(1, "accepted", NULL, -1);
    say(2, "cancelled", NULL, -1);
    expect_stock(0, 0, 0, 0);
    ck_assert_int_eq(job.ask_at, 0);
    say(3, "made", "TW1", -1);
    expect_refused("card.goes_back");
    give(&officer, (fw_command){.kind = FW_CMD_CARD_AGAIN}, NOW);
    ck_assert_str_eq(out.sends[0].op, "press.permit");
    was = job;
    view.job_was = &was;
    order();
    ck_assert_str_eq(job.job_no, "J1150000001-2");
    ck_assert_int_eq(job.round, 2);
    expect_stock(1, 0, 0, 0);
}
END_TEST

START_TEST(a_sent_card_is_not_cancelled)
{
    order();
    say(1, "sent", "TW1", -1);
    say(2, "cancelled", NULL, -1);
    expect_refused("card.goes_back");
}
END_TEST

static void withdraw(void)
{
    give(&(fw_actor){.account_id = 9, .org_id = 5, .roles = FW_ROLE_EMPLOYER},
         (fw_command){.kind = FW_CMD_CASE_WITHDRAW}, NOW + DAY);
}

static void be_told_cancelled(int seq)
{
    const fw_job told = {.seq = seq, .state = "cancelled", .spoiled = -1, .reason = "withdrawn"};

    give(&machine, (fw_command){.kind = FW_CMD_CARD_CANCELLED, .job = &told}, NOW + 2 * DAY);
}

START_TEST(who_withdraws_before_it_is_made_has_the_job_cancelled_and_the_fee_back)
{
    fw_payment paid = {.id = 61, .state = FW_PAY_PAID, .amount = 3000};
    fw_payment *priors[] = {&paid};

    kase.fee = 3000;
    view.priors = priors;
    order();
    say(1, "accepted", NULL, -1);
    withdraw();
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWAL_ASKED);
    ck_assert_int_eq(out.n_sends, 1);
    ck_assert_str_eq(out.sends[0].op, "card.cancel");
    ck_assert_int_eq(out.sends[0].aggregate_id, 7);
    ck_assert_int_lt(job.ask_at, NOW + 2 * DAY);
    ck_assert_int_eq(paid.promised, 0); /* the bureau has not said yes yet */
    withdraw();
    expect_refused("case.state");
    be_told_cancelled(2);
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWN);
    ck_assert_str_eq(job.state, "cancelled");
    ck_assert_int_eq(paid.promised, 3000);
    ck_assert_uint_eq(out.changed, FW_CH_CASE | FW_CH_JOB | FW_CH_REFUND | FW_CH_PRIORS);
    expect_stock(0, 0, 0, 0);
    be_told_cancelled(3);
    ck_assert_int_eq(out.verdict, FW_REFUSED);
}
END_TEST

START_TEST(what_is_made_is_not_cancelled)
{
    order();
    say(1, "made", "TW1", -1);
    withdraw();
    expect_refused("card.too_late");
    give(&officer, (fw_command){.kind = FW_CMD_CARD_CANCEL, .reason = "false papers"}, NOW);
    expect_refused("card.too_late");
    view.job = NULL; /* an electronic permit that is being made, a card that is not ordered yet */
    withdraw();
    expect_refused("case.state");
}
END_TEST

START_TEST(an_officer_cancels_with_a_reason)
{
    order();
    give(&officer, (fw_command){.kind = FW_CMD_CARD_CANCEL}, NOW);
    expect_refused("case.reason_missing");
    give(&officer, (fw_command){.kind = FW_CMD_CARD_CANCEL, .reason = "r", .version = 3}, NOW);
    expect_refused("case.stale");
    give(&officer, (fw_command){.kind = FW_CMD_CARD_CANCEL, .reason = "false papers"}, NOW);
    ck_assert_str_eq(out.events[0].kind, "card.cancel");
    ck_assert_str_eq(out.sends[0].op, "card.cancel");
    be_told_cancelled(1);
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWN);
}
END_TEST

START_TEST(a_bureau_that_was_faster_goes_on)
{
    order();
    withdraw();
    give(&machine, (fw_command){.kind = FW_CMD_CARD_LATE}, NOW + DAY);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert_str_eq(out.events[0].kind, "card.late");
    ck_assert_str_eq(out.sends[0].op, "notify.send");
    ck_assert_int_eq(job.ask_at, NOW + DAY); /* how far it is, is asked at once */
    give(&machine, (fw_command){.kind = FW_CMD_CARD_LATE}, NOW + DAY);
    expect_refused("case.state");
    withdraw();
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWAL_ASKED);
    say(1, "accepted", NULL, -1); /* that says nothing of the request */
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWAL_ASKED);
    say(2, "made", "TW1", -1);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert_str_eq(out.events[0].kind, "card.late");
    ck_assert_str_eq(out.events[1].kind, "card.made");
    expect_stock(0, 1, 0, 0);
    kase.state = FW_STATE_WITHDRAWAL_ASKED;
    say(3, "arrived", "TW1", -1);
    ck_assert_int_eq(kase.state, FW_STATE_ISSUED);
}
END_TEST

START_TEST(what_the_bureau_cancelled_itself_is_withdrawn_too)
{
    order();
    be_told_cancelled(1);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    withdraw();
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWAL_ASKED);
    be_told_cancelled(1);
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWN);
    expect_stock(0, 0, 0, 0);
}
END_TEST

START_TEST(a_former_order_s_word_ends_nothing)
{
    static const fw_job newest = {.id = 77, .round = 2, .state = "accepted"};

    order();
    be_told_cancelled(1);
    kase.state = FW_STATE_WITHDRAWAL_ASKED; /* of the one that was ordered since */
    view.job_was = &newest;
    be_told_cancelled(1);
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWAL_ASKED);
    view.job_was = &job;
    be_told_cancelled(1);
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWN);
}
END_TEST

START_TEST(whose_whole_payment_goes_back_has_no_card_made)
{
    fw_payment paid = {
        .id = 61, .state = FW_PAY_PAID, .amount = 3000, .cases = &kase.id, .n_cases = 1};
    fw_job *jobs[] = {&job};
    fw_command part = {.kind = FW_CMD_REFUND_ASK, .amount = 1000, .reason = "r"};

    order();
    view.payment = &paid;
    view.jobs = jobs;
    view.job = NULL;
    give(&officer, part, NOW);
    ck_assert_int_eq(out.verdict, FW_ACCEPTED);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    part.amount = 2000;
    give(&officer, part, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_WITHDRAWAL_ASKED);
    ck_assert(job.is_changed);
    ck_assert_str_eq(out.sends[out.n_sends - 1].op, "card.cancel");
}
END_TEST

static void lose(const char *reason)
{
    give(&officer, (fw_command){.kind = FW_CMD_CARD_LOST, .reason = reason}, NOW + DAY);
}

START_TEST(a_card_lost_on_its_way_is_void_and_another_one_is_made)
{
    order();
    lose("stolen");
    expect_refused("card.not_out");
    say(1, "sent", "TW1", -1);
    lose("");
    expect_refused("case.reason_missing");
    lose("the carrier's van burned");
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_str_eq(job.state, "lost");
    ck_assert_str_eq(job.reason, "the carrier's van burned");
    ck_assert_int_eq(job.ask_at, 0);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert_str_eq(out.events[0].kind, "card.lost");
    ck_assert_int_eq(out.n_sends, 2);
    ck_assert_str_eq(out.sends[0].op, "notify.send");
    ck_assert_str_eq(out.sends[1].op, "press.permit");
    expect_stock(0, 0, 1, 0); /* its blank was handed to the carrier */
    lose("again");
    expect_refused("card.not_out");
    withdraw();
    expect_refused("card.too_late");
    say(2, "arrived", "TW1", -1); /* it turns up */
    expect_refused("card.is_lost");
    was = job;
    view.job_was = &was;
    give(&machine,
         (fw_command){.kind = FW_CMD_CARD_ORDER,
                      .permit = &(fw_permit){.permit_no = "CP1150000001",
                                             .valid_from = "2026-02-01",
                                             .valid_to = "2029-01-31"}},
         NOW + 30 * DAY);
    ck_assert_str_eq(job.job_no, "J1150000001-2");
    ck_assert_str_eq(job.permit_no, "CP1150000001R2"); /* two cards never bear one number */
    ck_assert_str_eq(job.valid_from, "2026-01-01");
    ck_assert_str_eq(job.valid_to, "2028-12-31"); /* no longer than the lost one */
    expect_stock(1, 0, 1, 0);
}
END_TEST

START_TEST(a_card_lost_at_the_station_leaves_no_permit_to_be_found)
{
    arrive();
    lose("not in the drawer");
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert_str_eq(permit.state, "revoked");
    ck_assert_str_eq(permit.reason, "card_lost");
    ck_assert_int_eq(permit.ended, NOW + DAY);
    ck_assert_int_eq(kase.permit_id, 0);
    ck_assert_ptr_null(job.code);
    ck_assert_uint_eq(out.changed, FW_CH_CASE | FW_CH_JOB | FW_CH_PERMIT);
    ck_assert_str_eq(old_paper.state, "valid");
    collect(&officer, "PICKUP01");
    expect_refused("case.state");
}
END_TEST

START_TEST(what_is_handed_out_or_revoked_is_not_lost)
{
    arrive();
    permit.state = "revoked";
    lose("not in the drawer");
    expect_refused("permit.not_valid");
    permit.state = "waiting";
    collect(&officer, "PICKUP01");
    lose("the bearer says so");
    expect_refused("case.state");
    kase.state = FW_STATE_ISSUED; /* an electronic permit */
    view.job = NULL;
    lose("x");
    expect_refused("card.not_out");
    give(&officer, (fw_command){.kind = FW_CMD_CARD_LOST, .reason = "x", .version = 3}, NOW);
    expect_refused("case.stale");
}
END_TEST

START_TEST(nothing_heard_is_asked)
{
    order();
    give(&machine, (fw_command){.kind = FW_CMD_CARD_CHECK}, NOW + DAY - 1);
    expect_refused("card.nothing_due");
    give(&machine, (fw_command){.kind = FW_CMD_CARD_CHECK}, NOW + DAY);
    ck_assert_str_eq(out.sends[0].op, "card.find");
    ck_assert_int_eq(job.ask_at, NOW + 2 * DAY);
    say(4, "arrived", "TW1", -1);
    give(&machine, (fw_command){.kind = FW_CMD_CARD_CHECK}, NOW + 9 * DAY);
    expect_refused("card.nothing_due");
}
END_TEST

START_TEST(collected_against_the_code)
{
    arrive();
    collect(&officer, "");
    expect_refused("field.required");
    collect(&officer, "PICKUP02");
    expect_refused("card.wrong_code");
    ck_assert_str_eq(old_paper.state, "valid");
    collect(&officer, "PICKUP01");
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(kase.state, FW_STATE_COLLECTED);
    ck_assert_str_eq(permit.state, "valid");
    ck_assert_str_eq(old_paper.state, "superseded");
    ck_assert_str_eq(old_paper.reason, "card");
    ck_assert_int_eq(old_paper.ended, NOW + DAY);
    ck_assert_str_eq(old_card.state, "superseded");
    ck_assert_int_eq(job.collected, NOW + DAY);
    ck_assert_int_eq(job.collected_by, 12);
    ck_assert_uint_eq(out.changed, FW_CH_CASE | FW_CH_JOB | FW_CH_PERMIT | FW_CH_LIVES);
    ck_assert_str_eq(out.sends[0].op, "notify.send");
    expect_stock(0, 0, 1, 0);
    collect(&officer, "PICKUP01");
    expect_refused("card.collected");
}
END_TEST

START_TEST(nothing_is_collected_before_it_is_there)
{
    order();
    collect(&officer, "PICKUP01");
    expect_refused("case.state");
    kase.state = FW_STATE_ISSUED; /* an electronic permit: there is no job */
    view.job = NULL;
    collect(&officer, "PICKUP01");
    expect_refused("case.state");
}
END_TEST

START_TEST(a_permit_that_was_revoked_meanwhile_is_not_handed_out)
{
    arrive();
    give(&(fw_actor){.roles = FW_ROLE_ADMIN},
         (fw_command){.kind = FW_CMD_PERMIT_REVOKE, .reason = "false papers"}, NOW + DAY);
    ck_assert_str_eq(permit.state, "revoked");
    collect(&officer, "PICKUP01");
    expect_refused("permit.not_valid");
}
END_TEST

START_TEST(an_officers_old_page_is_told)
{
    arrive();
    give(&officer, (fw_command){.kind = FW_CMD_CARD_COLLECT, .code = "PICKUP01", .version = 3},
         NOW);
    expect_refused("case.stale");
}
END_TEST

START_TEST(the_newest_count_of_blanks_counts)
{
    const fw_shelf old = {.store = "bureau", .at = NOW};
    fw_shelf told = {.store = "bureau", .at = NOW + 1};

    view = (fw_view){0};
    give(&machine, (fw_command){.kind = FW_CMD_CARD_STOCK, .shelf = &told}, NOW);
    ck_assert_uint_eq(out.changed, FW_CH_SHELF);
    view.shelf_was = &old;
    give(&machine, (fw_command){.kind = FW_CMD_CARD_STOCK, .shelf = &told}, NOW);
    ck_assert_uint_eq(out.changed, FW_CH_SHELF);
    told.at = NOW;
    give(&machine, (fw_command){.kind = FW_CMD_CARD_STOCK, .shelf = &told}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_uint_eq(out.changed, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("card");
    TCase *t = tcase_create("card");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_order_reserves_a_blank_and_goes_out_once);
    tcase_add_test(t, only_what_is_paid_is_ordered);
    tcase_add_test(t, from_order_to_station);
    tcase_add_test(t, a_word_that_is_left_out_hinders_nothing);
    tcase_add_test(t, what_comes_late_or_twice_changes_nothing);
    tcase_add_test(t, a_spoiled_card_is_made_again);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, a_card_that_lies_elsewhere_takes_its_case_there);
    tcase_add_test(t, a_cancelled_job_is_ordered_anew);
    tcase_add_test(t, a_sent_card_is_not_cancelled);
    tcase_add_test(t, who_withdraws_before_it_is_made_has_the_job_cancelled_and_the_fee_back);
    tcase_add_test(t, what_is_made_is_not_cancelled);
    tcase_add_test(t, an_officer_cancels_with_a_reason);
    tcase_add_test(t, a_bureau_that_was_faster_goes_on);
    tcase_add_test(t, what_the_bureau_cancelled_itself_is_withdrawn_too);
    tcase_add_test(t, a_former_order_s_word_ends_nothing);
    tcase_add_test(t, whose_whole_payment_goes_back_has_no_card_made);
    tcase_add_test(t, a_card_lost_on_its_way_is_void_and_another_one_is_made);
    tcase_add_test(t, a_card_lost_at_the_station_leaves_no_permit_to_be_found);
    tcase_add_test(t, what_is_handed_out_or_revoked_is_not_lost);
    tcase_add_test(t, nothing_heard_is_asked);
    tcase_add_test(t, collected_against_the_code);
    tcase_add_test(t, nothing_is_collected_before_it_is_there);
    tcase_add_test(t, a_permit_that_was_revoked_meanwhile_is_not_handed_out);
    tcase_add_test(t, an_officers_old_page_is_told);
    tcase_add_test(t, the_newest_count_of_blanks_counts);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
