/* Fines: what the fines system is told, what holds a case, and what lets it go on. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_date.h"
#include "fw_decide.h"

#define DAY  (apr_time_from_sec(86400))
#define NOW  (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z */
#define ROOM 60

static apr_pool_t *pool;
static fw_case kase, other;
static fw_case *cases[2];
static fw_penalty *penalties[2];
static fw_fine fines[ROOM];
static fw_worker worker;
static fw_payment payment;
static fw_view view;
static fw_ids ids;
static fw_outcome out;
static fw_terms terms;
static const fw_actor machine = {.roles = FW_ROLE_SYSTEM, .name = "system"};
static const fw_actor reviewer = {.account_id = 13, .roles = FW_ROLE_SECOND};

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    memset(&view, 0, sizeof(view));
    memset(&ids, 0, sizeof(ids));
    memset(fines, 0, sizeof(fines));
    memset(penalties, 0, sizeof(penalties));
    for (int i = 0; i < FW_IDS; i++)
        ids.id[i] = 1000 + i;
    kase = (fw_case){.id = 7, .version = 4, .state = FW_STATE_AWAITING_PAYMENT, .fee = 1000};
    other = (fw_case){.id = 8, .version = 4, .state = FW_STATE_AWAITING_PAYMENT, .fee = 1000};
    worker = (fw_worker){.id = 3, .entered = "2025-11-01", .file_by = NOW - 3 * DAY};
    payment = (fw_payment){.id = 9, .state = FW_PAY_BEGUN, .amount = 1000};
    cases[0] = &kase;
    cases[1] = &other;
    view = (fw_view){.kase = &kase,
                     .cases = cases,
                     .n_cases = 1,
                     .payment = &payment,
                     .tells_penalty = true,
                     .penalties = penalties,
                     .fines = fines,
                     .data = "{}"};
    terms = (fw_terms){.fee = 1000, .valid_from = "2026-01-02", .valid_to = "2026-07-01"};
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static void give(const fw_actor *actor, fw_command cmd, apr_time_t at)
{
    cmd.actor = actor;
    cmd.target = kase.id;
    fw_decide(&view, &cmd, at, &ids, &terms, &out, pool);
}

static int sent(const char *op, const char *text)
{
    int n = 0;

    for (int i = 0; i < out.n_sends; i++)
        n += strcmp(out.sends[i].op, op) == 0 && strstr(out.sends[i].payload, text) != NULL;
    return n;
}

static bool happened(const char *kind)
{
    for (int i = 0; i < out.n_events; i++) {
        if (strcmp(out.events[i].kind, kind) == 0)
            return true;
    }
    return false;
}

static fw_fine fine(const char *no, int told, const char *state)
{
    return (fw_fine){.fine_no = no,
                     .told = told,
                     .state = state,
                     .reason = "late_filing",
                     .amount = 2000,
                     .set_on = "2025-12-30",
                     .paid = strcmp(state, "paid") == 0 ? NOW : 0};
}

static void take(const fw_fine *list, int n)
{
    give(&machine, (fw_command){.kind = FW_CMD_FINE_TAKE, .fines = list, .n_fines = n}, NOW);
}

static void take_one(const char *no, int told, const char *state)
{
    fw_fine f = fine(no, told, state);

    take(&f, 1);
}

static void settle(void)
{
    give(&machine, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE, .amount = payment.amount, .at = NOW},
         NOW);
}

/* Filed so many days after the clock began to be over. */
static fw_penalty late(int days)
{
    return (fw_penalty){.case_id = kase.id, .version = 1, .days_late = days};
}

/* ---- at filing ---- */

static void submit(apr_time_t at)
{
    kase.state = FW_STATE_DRAFT;
    kase.fee = 0;
    view.worker = &worker;
    view.payment = NULL;
    give(&machine, (fw_command){.kind = FW_CMD_CASE_SUBMIT}, at);
    ck_assert_int_eq(out.verdict, FW_DONE);
}

START_TEST(filing_notes_the_days_late)
{
    apr_time_t end = fw_date_end((fw_date){2025, 12, 29});

    worker.file_by = end;
    submit(end + 1 + 2 * DAY);
    ck_assert_ptr_nonnull(penalties[0]);
    ck_assert_int_eq(penalties[0]->days_late, 3);
    ck_assert_str_eq(penalties[0]->entered, "2025-11-01");
    ck_assert_int_eq(penalties[0]->file_by, end);
    ck_assert(out.changed & FW_CH_PENALTY);
    ck_assert_int_eq(sent("penalty.put", "\"version\":1"), 1);
    ck_assert_int_eq(sent("penalty.put", "\"state\":\"none\""), 1);
    ck_assert_int_eq(worker.filed, end + 1 + 2 * DAY);
}
END_TEST

START_TEST(the_last_instant_is_in_time)
{
    apr_time_t end = fw_date_end((fw_date){2025, 12, 29});

    worker.file_by = end;
    submit(end);
    ck_assert_int_eq(penalties[0]->days_late, 0);
    ck_assert_str_eq(penalties[0]->entered, "2025-11-01"); /* told all the same */
    ck_assert_int_eq(penalties[0]->file_by, end);
    setup();
    worker.file_by = end;
    submit(end + 1);
    ck_assert_int_eq(penalties[0]->days_late, 1);
    setup();
    worker.file_by = end - 40000 * DAY;
    submit(end);
    ck_assert_int_eq(penalties[0]->days_late, 36500);
}
END_TEST

START_TEST(who_filed_before_is_not_late)
{
    worker.filed = NOW - 10 * DAY;
    submit(NOW);
    ck_assert_int_eq(penalties[0]->days_late, 0);
    ck_assert_int_eq(sent("penalty.put", ""), 1);
}
END_TEST

START_TEST(nothing_is_told_where_there_is_no_fines_system)
{
    view.tells_penalty = false;
    worker.file_by = NOW + DAY;
    submit(NOW);
    ck_assert_int_eq(sent("penalty.put", ""), 0);
    ck_assert_ptr_null(penalties[0]);
    setup();
    view.tells_penalty = false;
    submit(NOW); /* that it was late is noted all the same */
    ck_assert_int_eq(penalties[0]->days_late, 3);
    ck_assert_int_eq(sent("penalty.put", ""), 0);
    setup();
    view.tells_penalty = false;
    penalties[0] = &(fw_penalty){.case_id = 7, .version = 1, .days_late = 3};
    settle(); /* and holds nothing: nobody would answer */
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
}
END_TEST

/* ---- the fee ---- */

START_TEST(each_change_of_the_fee_is_told)
{
    fw_penalty p = {.case_id = 7, .version = 1, .told = 1};

    penalties[0] = &p;
    kase.state = FW_STATE_SECOND_REVIEW;
    kase.fee = 0;
    give(&reviewer, (fw_command){.kind = FW_CMD_CASE_CONFIRM}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_AWAITING_PAYMENT);
    ck_assert_int_eq(sent("penalty.put", "{\"case\":\"7\",\"fee\":{\"amount\":1000,\"state\":"
                                         "\"unpaid\"},\"version\":2}"),
                     1);
    settle();
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert_int_eq(sent("penalty.put", "{\"amount\":1000,\"paid_at\":\"2026-01-01T00:00:00Z\","
                                         "\"state\":\"paid\"},\"version\":3}"),
                     1);
    ck_assert_int_eq(p.told, 3);
}
END_TEST

START_TEST(what_comes_to_nothing_owes_no_fee)
{
    static const struct {
        fw_state_e from;
        fw_cmd_e cmd;
    } ends[] = {{FW_STATE_AWAITING_PAYMENT, FW_CMD_CASE_WITHDRAW},
                {FW_STATE_AWAITING_PAYMENT, FW_CMD_CASE_EXPIRE},
                {FW_STATE_SUBMITTED, FW_CMD_CASE_WITHDRAW},
                {FW_STATE_RETURNED, FW_CMD_CASE_WITHDRAW},
                {FW_STATE_RETURNED, FW_CMD_CASE_EXPIRE},
                {FW_STATE_SECOND_REVIEW, FW_CMD_CASE_REJECT}};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        setup();
        kase.state = ends[i].from;
        kase.deadline = NOW - DAY;
        give(&machine, (fw_command){.kind = ends[i].cmd, .reason = "x"}, NOW);
        ck_assert_int_eq(out.verdict, FW_DONE);
        ck_assert_int_eq(
            sent("penalty.put", "{\"case\":\"7\",\"fee\":{\"amount\":0,\"state\":\"none\"}"), 1);
    }
    setup();
    kase.state = FW_STATE_DRAFT; /* a draft was never told */
    give(&machine, (fw_command){.kind = FW_CMD_CASE_WITHDRAW}, NOW);
    ck_assert_int_eq(sent("penalty.put", ""), 0);
}
END_TEST

/* A refund of the payment that is done now; of one case, or of both. */
static void refund(int n, int64_t amount, int64_t before)
{
    static const fw_id ids_of_cases[] = {7, 8};
    fw_refund *r = apr_pcalloc(pool, sizeof(*r));

    *r = (fw_refund){.id = 5,
                     .version = 1,
                     .state = FW_REFUND_UNKNOWN,
                     .payment_id = payment.id,
                     .cases = ids_of_cases,
                     .n_cases = n,
                     .amount = amount};
    view.refund = r;
    view.n_cases = n;
    payment.state = FW_PAY_PAID;
    payment.paid = NOW - DAY;
    payment.refunded = before;
    give(&machine, (fw_command){.kind = FW_CMD_REFUND_DONE, .gateway_no = "G1"}, NOW);
    ck_assert_int_eq(out.verdict, FW_DONE);
}

START_TEST(a_fee_that_went_back_is_told)
{
    fw_penalty p = {.case_id = 7, .version = 1, .told = 3};

    penalties[0] = &p;
    kase.state = other.state = FW_STATE_ISSUED;
    kase.payment_id = other.payment_id = payment.id;
    payment.amount = 1000;
    refund(1, 400, 0); /* a part */
    ck_assert_int_eq(sent("penalty.put", ""), 0);
    ck_assert_int_eq(out.changed & FW_CH_PENALTY, 0);
    refund(1, 600, 400); /* the rest */
    ck_assert_int_eq(sent("penalty.put", "{\"case\":\"7\",\"fee\":{\"amount\":1000,\"paid_at\":"
                                         "\"2025-12-31T00:00:00Z\",\"state\":\"refunded\"},"
                                         "\"version\":4}"),
                     1);
    ck_assert_int_ne(out.changed & FW_CH_PENALTY, 0);
    view.tells_penalty = false;
    refund(1, 600, 400);
    ck_assert_int_eq(sent("penalty.put", ""), 0);
}
END_TEST

START_TEST(whose_fee_went_back)
{
    kase.state = other.state = FW_STATE_ISSUED;
    kase.payment_id = other.payment_id = payment.id;
    payment.amount = 2000;
    refund(2, 1000, 0); /* of two cases, who knows whose */
    ck_assert_int_eq(sent("penalty.put", ""), 0);
    refund(2, 1000, 1000);
    ck_assert_int_eq(sent("penalty.put", "refunded"), 2);
    refund(1, 1000, 0); /* of one of them, its whole fee */
    ck_assert_int_eq(sent("penalty.put", "refunded"), 1);
    kase.payment_id = 77; /* paid by another payment: this one was not owed */
    refund(1, 2000, 0);
    ck_assert_int_eq(sent("penalty.put", ""), 0);
}
END_TEST

START_TEST(a_fee_paid_out_by_hand_is_told)
{
    refund(1, 1000, 0);
    kase.payment_id = payment.id;
    view.refund->state = FW_REFUND_MANUAL;
    payment.refunded = 0;
    give(&reviewer, (fw_command){.kind = FW_CMD_REFUND_PAY_OUT, .reference = "T-1"}, NOW);
    ck_assert_int_eq(sent("penalty.put", "refunded"), 1);
}
END_TEST

START_TEST(a_full_payment_tells_every_case)
{
    fw_case many[FW_MAX_CASES];
    fw_case *list[FW_MAX_CASES];
    fw_penalty *none[FW_MAX_CASES] = {NULL};

    for (int i = 0; i < FW_MAX_CASES; i++) {
        many[i] = kase;
        many[i].id = 100 + i;
        list[i] = &many[i];
    }
    view.cases = list;
    view.n_cases = FW_MAX_CASES;
    view.penalties = none;
    settle();
    ck_assert_int_eq(sent("penalty.put", "paid"), FW_MAX_CASES);
    ck_assert_int_eq(sent("press.permit", ""), FW_MAX_CASES);
    ck_assert_int_eq(sent("press.receipt", ""), 1);
}
END_TEST

/* ---- holding ---- */

START_TEST(a_fine_before_the_payment_holds)
{
    take_one("F1", 1, "open");
    ck_assert_int_eq(kase.state, FW_STATE_AWAITING_PAYMENT);
    ck_assert_int_eq(sent("notify.send", "fine.open"), 1);
    ck_assert(happened("fine.open"));
    ck_assert_int_eq(out.changed & FW_CH_CASE, 0); /* nobody's open page is stale for it */
    settle();
    ck_assert_int_eq(kase.state, FW_STATE_HELD);
    ck_assert(happened("case.held"));
    ck_assert_int_eq(sent("notify.send", "case.held"), 1);
    ck_assert_int_eq(sent("press.permit", ""), 0);
    take_one("F1", 2, "paid");
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert(happened("fine.paid") && happened("fine.take") && happened("case.producing"));
    ck_assert_int_eq(sent("notify.send", "fine.take"), 1);
    ck_assert_int_eq(sent("press.permit", "\"7\""), 1);
}
END_TEST

START_TEST(without_a_fee_it_is_held_at_confirmation)
{
    terms.fee = 0;
    kase.state = FW_STATE_SECOND_REVIEW;
    penalties[0] = &(fw_penalty){.case_id = 7, .version = 1, .open = 1};
    give(&reviewer, (fw_command){.kind = FW_CMD_CASE_CONFIRM}, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_HELD);
    ck_assert_int_eq(sent("press.permit", ""), 0);
}
END_TEST

START_TEST(a_fine_after_the_payment_is_known_and_holds_nothing)
{
    settle();
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    take_one("F1", 1, "open");
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert_int_eq(sent("notify.send", "fine.open"), 1);
    take_one("F1", 2, "paid");
    ck_assert_int_eq(sent("press.permit", ""), 0); /* once, when it was paid */
}
END_TEST

START_TEST(two_fines_hold_until_both_are_settled)
{
    fw_fine both[] = {fine("F1", 1, "open"), fine("F2", 1, "open")};

    take(both, 2);
    ck_assert_int_eq(view.n_fines, 2);
    ck_assert_int_eq(sent("notify.send", "fine.open"), 1); /* one mail tells of both */
    settle();
    take_one("F2", 2, "waived");
    ck_assert_int_eq(kase.state, FW_STATE_HELD);
    ck_assert(happened("fine.waived"));
    take_one("F1", 5, "cancelled");
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
}
END_TEST

START_TEST(two_fines_in_one_answer_are_one)
{
    fw_fine both[] = {fine("F1", 2, "paid"), fine("F2", 1, "open"), fine("F1", 2, "paid")};

    for (int first = 0; first < 2; first++) { /* in either order */
        fw_penalty p = late(3);

        setup();
        penalties[0] = &p;
        settle();
        ck_assert_int_eq(kase.state, FW_STATE_HELD);
        take(both + first, 2);
        ck_assert_int_eq(kase.state, FW_STATE_HELD);
        ck_assert_int_eq(sent("notify.send", "fine.open"), 1);
    }
}
END_TEST

START_TEST(lateness_holds_until_it_is_answered)
{
    fw_penalty p = late(3);

    penalties[0] = &p;
    settle();
    ck_assert_int_eq(kase.state, FW_STATE_HELD);
    take(NULL, 0);
    ck_assert_int_eq(p.answered, NOW);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
}
END_TEST

START_TEST(lateness_answered_before_the_payment_holds_nothing)
{
    fw_penalty p = late(3);

    penalties[0] = &p;
    take(NULL, 0);
    ck_assert_int_eq(kase.state, FW_STATE_AWAITING_PAYMENT);
    settle();
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
}
END_TEST

START_TEST(lateness_answered_by_a_fine_holds_on)
{
    fw_penalty p = late(3);

    penalties[0] = &p;
    settle();
    take_one("F1", 1, "open");
    ck_assert_int_eq(kase.state, FW_STATE_HELD);
    take(NULL, 0); /* that it has no other changes nothing of this one */
    ck_assert_int_eq(kase.state, FW_STATE_HELD);
    take_one("F1", 2, "waived");
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
}
END_TEST

START_TEST(one_payment_holds_only_whose_fine_is_open)
{
    fw_penalty p = {.case_id = 7, .version = 1, .open = 1};

    penalties[0] = &p;
    view.n_cases = 2;
    settle();
    ck_assert_int_eq(kase.state, FW_STATE_HELD);
    ck_assert_int_eq(other.state, FW_STATE_PRODUCING);
}
END_TEST

START_TEST(the_office_clock_stands_while_held)
{
    kase.state = FW_STATE_AWAITING_PAYMENT;
    kase.due = NOW + 2 * DAY;
    kase.turn_since = NOW;
    penalties[0] = &(fw_penalty){.case_id = 7, .version = 1, .open = 1};
    settle();
    fines[0] = fine("F1", 1, "open");
    fines[0].case_id = 7;
    view.n_fines = 1;
    give(&machine,
         (fw_command){.kind = FW_CMD_FINE_TAKE,
                      .fines = &(fw_fine){.fine_no = "F1",
                                          .told = 2,
                                          .state = "waived",
                                          .reason = "other",
                                          .set_on = "2025-12-30"},
                      .n_fines = 1},
         NOW + 5 * DAY);
    ck_assert_int_eq(kase.state, FW_STATE_PRODUCING);
    ck_assert_int_eq(kase.due, NOW + 7 * DAY);
}
END_TEST

/* ---- what comes late, twice, or wrong ---- */

START_TEST(an_older_word_changes_nothing)
{
    take_one("F1", 3, "open");
    take_one("F1", 2, "paid");
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(out.n_events, 0);
    ck_assert_int_eq(out.changed & FW_CH_FINES, 0);
    take_one("F1", 3, "paid");
    ck_assert_str_eq(fines[0].state, "open");
    take_one("F1", 4, "paid");
    ck_assert_str_eq(fines[0].state, "paid");
    ck_assert_int_eq(fines[0].told, 4);
}
END_TEST

START_TEST(a_settled_fine_may_be_opened_again)
{
    take_one("F1", 1, "paid");
    ck_assert_int_eq(sent("notify.send", "fine.open"), 0);
    take_one("F1", 2, "open");
    ck_assert_int_eq(sent("notify.send", "fine.open"), 1);
    take_one("F1", 3, "open");
    ck_assert_int_eq(sent("notify.send", "fine.open"), 0);
    settle();
    ck_assert_int_eq(kase.state, FW_STATE_HELD);
}
END_TEST

static void expect_refused(const char *field, const char *key)
{
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_str_eq(out.refusals[0].field, field);
    ck_assert_str_eq(out.refusals[0].key, key);
    ck_assert_uint_eq(out.changed, 0);
    ck_assert_int_eq(out.n_sends, 0);
}

START_TEST(absurd_fines_are_refused)
{
    struct {
        fw_fine f;
        const char *field; /* NULL: at the limit, taken */
    } told[] = {
        {fine("A", 1, "open"), NULL},      {fine("B", 1, "open"), "amount"},
        {fine("C", 1, "open"), "amount"},  {fine("D", 1, "waived"), NULL},
        {fine("E", 1, "open"), NULL},      {fine("F", 1, "open"), "set"},
        {fine("G", 1, "open"), NULL},      {fine("H", 1, "open"), "pay_by"},
        {fine("I", 1, "paid"), NULL},      {fine("J", 1, "paid"), "paid_at"},
        {fine("K", 1, "paid"), "paid_at"},
    };

    told[0].f.amount = FW_FINE_MOST;
    told[1].f.amount = FW_FINE_MOST + 1;
    told[2].f.amount = 0;
    told[3].f.amount = 0;
    told[4].f.set_on = "2026-01-02"; /* tomorrow: clocks differ */
    told[5].f.set_on = "2026-01-03";
    told[6].f.pay_by = "2025-12-30";
    told[7].f.pay_by = "2025-12-29";
    told[8].f.paid = NOW + DAY;
    told[9].f.paid = NOW + DAY + 1;
    told[10].f.paid = fw_date_start((fw_date){2025, 12, 30}) - 1;
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        take(&told[i].f, 1);
        if (told[i].field)
            expect_refused(told[i].field, apr_pstrcat(pool, "fine.", told[i].field, NULL));
        else
            ck_assert_int_eq(out.verdict, FW_DONE);
    }
    ck_assert_int_eq(view.n_fines, 5);
}
END_TEST

START_TEST(one_absurd_fine_refuses_all_that_came_with_it)
{
    fw_fine both[] = {fine("F1", 1, "paid"), fine("F2", 1, "open")};
    fw_penalty p = late(3);

    penalties[0] = &p;
    both[1].amount = -5;
    take(both, 2);
    expect_refused("amount", "fine.amount");
    ck_assert_int_eq(p.answered, 0); /* so what is held stays held */
}
END_TEST

START_TEST(a_fine_does_not_move_to_another_case)
{
    fines[0] = fine("F1", 1, "open");
    fines[0].case_id = 8;
    view.n_fines = 1;
    take_one("F1", 2, "open");
    expect_refused("case_no", "fine.other_case");
}
END_TEST

START_TEST(a_fine_of_no_case_is_refused)
{
    view.kase = NULL;
    view.n_cases = 0;
    take_one("F1", 1, "open");
    expect_refused("case_no", "fine.case_unknown");
    ck_assert_int_eq(out.code, FW_E_NOTFOUND);
}
END_TEST

START_TEST(too_many_at_once)
{
    fw_fine many[FW_FINES_MOST + 1];

    for (int i = 0; i <= FW_FINES_MOST; i++)
        many[i] = fine(apr_psprintf(pool, "F%d", i), 1, "open");
    take(many, FW_FINES_MOST + 1);
    expect_refused("fines", "fine.too_many");
    take(many, FW_FINES_MOST);
    ck_assert_int_eq(out.verdict, FW_DONE);
    ck_assert_int_eq(view.n_fines, FW_FINES_MOST);
    ck_assert_int_eq(out.n_events, FW_FINES_MOST);
}
END_TEST

START_TEST(it_is_asked_again)
{
    give(&reviewer, (fw_command){.kind = FW_CMD_FINE_ASK}, NOW);
    ck_assert_int_eq(out.verdict, FW_ACCEPTED);
    ck_assert_int_eq(sent("penalty.find", "{\"case\":\"7\"}"), 1);
    kase.state = FW_STATE_DRAFT;
    give(&reviewer, (fw_command){.kind = FW_CMD_FINE_ASK}, NOW);
    ck_assert_str_eq(out.refusals[0].key, "case.state");
    view.tells_penalty = false;
    give(&reviewer, (fw_command){.kind = FW_CMD_FINE_ASK}, NOW);
    ck_assert_str_eq(out.refusals[0].key, "fine.no_system");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fines");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, setup, teardown);
    suite_add_tcase(suite, all);
    tcase_add_test(all, filing_notes_the_days_late);
    tcase_add_test(all, the_last_instant_is_in_time);
    tcase_add_test(all, who_filed_before_is_not_late);
    tcase_add_test(all, nothing_is_told_where_there_is_no_fines_system);
    tcase_add_test(all, each_change_of_the_fee_is_told);
    tcase_add_test(all, what_comes_to_nothing_owes_no_fee);
    tcase_add_test(all, a_fee_that_went_back_is_told);
    tcase_add_test(all, whose_fee_went_back);
    tcase_add_test(all, a_fee_paid_out_by_hand_is_told);
    tcase_add_test(all, a_full_payment_tells_every_case);
    tcase_add_test(all, a_fine_before_the_payment_holds);
    tcase_add_test(all, without_a_fee_it_is_held_at_confirmation);
    tcase_add_test(all, a_fine_after_the_payment_is_known_and_holds_nothing);
    tcase_add_test(all, two_fines_hold_until_both_are_settled);
    tcase_add_test(all, two_fines_in_one_answer_are_one);
    tcase_add_test(all, lateness_holds_until_it_is_answered);
    tcase_add_test(all, lateness_answered_before_the_payment_holds_nothing);
    tcase_add_test(all, lateness_answered_by_a_fine_holds_on);
    tcase_add_test(all, one_payment_holds_only_whose_fine_is_open);
    tcase_add_test(all, the_office_clock_stands_while_held);
    tcase_add_test(all, an_older_word_changes_nothing);
    tcase_add_test(all, a_settled_fine_may_be_opened_again);
    tcase_add_test(all, absurd_fines_are_refused);
    tcase_add_test(all, one_absurd_fine_refuses_all_that_came_with_it);
    tcase_add_test(all, a_fine_does_not_move_to_another_case);
    tcase_add_test(all, a_fine_of_no_case_is_refused);
    tcase_add_test(all, too_many_at_once);
    tcase_add_test(all, it_is_asked_again);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
