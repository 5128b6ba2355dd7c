#include "sim.h"

#include <string.h>

#include "fw_audit_verify.h"
#include "sim_check.h"

/* What holds for all rows at any time: each statement finds what breaks it. */
typedef struct invariant {
    const char *name, *finds;
} invariant;

#define PAID_BY \
    "(SELECT count(*) FROM case_event s WHERE s.case_id = c.id AND s.kind = 'payment.settle')"
#define REFUNDS \
    "(SELECT count(*) FROM case_event r WHERE r.case_id = c.id AND r.kind = 'payment.refund_due')"

static const invariant always[] = {
    {"one live permit for a person and service",
     "SELECT worker_id FROM permit WHERE state = 'valid' GROUP BY worker_id, kind HAVING count(*) "
     "> 1"},
    {"a permit for each issued case, and for no other",
     "SELECT c.id FROM cases c LEFT JOIN permit p ON p.case_id = c.id AND p.reason IS NOT "
     "'card_lost' "
     "WHERE (c.state IN ('issued', 'collected')) <> (p.id IS NOT NULL) OR c.permit_id <> "
     "coalesce(p.id, 0) "
     "OR p.worker_id <> c.worker_id"},
    {"who confirms neither approved nor corrected",
     "SELECT f.case_id FROM case_event f JOIN case_event e ON e.case_id = f.case_id "
     "AND e.seq < f.seq AND e.actor_id = f.actor_id WHERE f.kind = 'case.confirm' "
     "AND (e.kind = 'case.correct' OR (e.kind = 'case.approve' AND e.seq = (SELECT max(m.seq) "
     "FROM case_event m WHERE m.case_id = f.case_id AND m.seq < f.seq AND m.kind = "
     "'case.approve')))"},
    {"what is confirmed was approved last, not proposed for rejection",
     "SELECT f.case_id FROM case_event f WHERE f.kind = 'case.confirm' AND 'case.approve' IS NOT "
     "(SELECT m.kind FROM case_event m WHERE m.case_id = f.case_id AND m.seq < f.seq AND m.kind IN "
     "('case.approve', 'case.reject', 'case.send_back') ORDER BY m.seq DESC LIMIT 1)"},
    {"receipts have numbers without a gap",
     "SELECT n / 100000000 FROM (SELECT receipt_no AS n FROM payment WHERE receipt_no > 0 UNION "
     "ALL "
     "SELECT number FROM receipt_void) GROUP BY 1 "
     "HAVING min(n) % 100000000 <> 1 OR max(n) - min(n) + 1 <> count(*)"},
    {"a void number is nobody's",
     "SELECT number FROM receipt_void v JOIN payment p ON p.receipt_no = v.number"},
    {"who paid has a receipt's number, and nobody else",
     "SELECT id FROM payment WHERE (state = 'paid') <> (coalesce(receipt_no, 0) > 0)"},
    {"cases are numbered without a gap",
     "SELECT substr(case_no, 1, 3) FROM cases WHERE case_no IS NOT NULL GROUP BY 1 "
     "HAVING max(CAST(substr(case_no, 4) AS INTEGER)) <> count(*)"},
    {"who filed has a number, and nobody else",
     "SELECT id FROM cases WHERE (case_no IS NULL) <> (submitted = 0) "
     "OR (state = 'draft' AND submitted > 0)"},
    {"a payment is of the sum of its cases' fees",
     "SELECT p.id FROM payment p WHERE p.amount <> (SELECT sum(c.fee) FROM payment_case x "
     "JOIN cases c ON c.id = x.case_id WHERE x.payment_id = p.id)"},
    {"money for a case is its fee, or is to be refunded",
     "SELECT c.id FROM cases c WHERE " PAID_BY " > 1 OR " PAID_BY " + " REFUNDS
     " <> (SELECT count(*) FROM payment_case x JOIN payment p ON p.id = x.payment_id "
     "WHERE x.case_id = c.id AND p.state = 'paid')"},
    {"money in is fees paid and refunds due",
     "SELECT 1 WHERE (SELECT coalesce(sum(amount), 0) FROM payment WHERE state = 'paid') <> "
     "(SELECT coalesce(sum(c.fee * (" PAID_BY " + " REFUNDS ")), 0) FROM cases c)"},
    {"what is to be refunded is marked on its payment",
     "SELECT p.id FROM payment p WHERE p.state = 'paid' AND (coalesce(p.reason, '') = "
     "'refund_due') "
     "<> EXISTS (SELECT 1 FROM payment_case x JOIN cases c ON c.id = x.case_id "
     "WHERE x.payment_id = p.id AND (c.payment_id <> p.id OR " PAID_BY " = 0))"},
    {"what is promised back of a payment is its refunds, and never more than came",
     "SELECT p.id FROM payment p WHERE p.promised > p.amount OR p.refunded > p.promised "
     "OR p.promised <> (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.payment_id = p.id) "
     "OR p.refunded <> (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.payment_id = p.id "
     "AND r.state = 'done') OR (p.promised > 0 AND p.state <> 'paid')"},
    {"money in is fees kept and refunds: what was not owed is promised back",
     "SELECT p.id FROM payment p WHERE p.state = 'paid' AND (SELECT coalesce(sum(r.amount), 0) "
     "FROM refund r "
     "WHERE r.payment_id = p.id AND r.cause = 'not_owed') <> (SELECT coalesce(sum(c.fee), 0) FROM "
     "payment_case x "
     "JOIN cases c ON c.id = x.case_id WHERE x.payment_id = p.id AND (c.payment_id <> p.id "
     "OR " PAID_BY " = 0))"},
    {"a refund that ended has its time and who says so, and no other has",
     "SELECT id FROM refund WHERE (state = 'done') <> (ended > 0) "
     "OR (state = 'done' AND gateway_no IS NULL AND reference IS NULL) "
     "OR (state = 'unknown' AND sent = 0) OR (state = 'manual' AND trouble IS NULL)"},
    {"no permit without its fee",
     "SELECT c.id FROM cases c LEFT JOIN payment p ON p.id = c.payment_id "
     "WHERE c.state IN ('producing', 'issued', 'collected') AND c.fee > 0 AND p.state IS NOT "
     "'paid'"},
    {"nothing is produced while a fine of it is open",
     "SELECT e.case_id FROM case_event e JOIN case_event f ON f.case_id = e.case_id AND f.seq < "
     "e.seq "
     "AND f.kind = 'fine.open' WHERE e.kind = 'case.producing' AND NOT EXISTS (SELECT 1 FROM "
     "case_event g WHERE g.case_id = e.case_id AND g.seq > f.seq AND g.seq < e.seq AND g.kind IN "
     "('fine.paid', 'fine.waived', 'fine.cancelled') "
     "AND g.data ->> 'fine_no' = f.data ->> 'fine_no')"},
    {"nothing that was filed late is produced before that is answered",
     "SELECT c.id FROM cases c JOIN penalty p ON p.case_id = c.id WHERE p.days_late > 0 "
     "AND p.answered = 0 AND c.state IN ('producing', 'issued', 'collected')"},
    {"what is held has an open fine, or a lateness that is not answered",
     "SELECT c.id FROM cases c LEFT JOIN penalty p ON p.case_id = c.id WHERE c.state = 'held' "
     "AND NOT EXISTS (SELECT 1 FROM fine f WHERE f.case_id = c.id AND f.state = 'open') "
     "AND NOT (p.days_late > 0 AND p.answered = 0)"},
    {"what was filed is told to the fines system",
     "SELECT c.id FROM cases c LEFT JOIN penalty p ON p.case_id = c.id "
     "WHERE (c.submitted > 0) <> (coalesce(p.told, 0) > 0)"},
    {"each word to the fines system has a version of its own",
     "SELECT aggregate_id FROM outbox WHERE op = 'penalty.put' "
     "GROUP BY aggregate_id, payload ->> 'version' HAVING count(*) > 1"},
    {"a case ends as its history does",
     "SELECT c.id FROM cases c WHERE c.state IS NOT (SELECT e.state_to FROM case_event e "
     "WHERE e.case_id = c.id ORDER BY e.seq DESC LIMIT 1)"},
    {"a history has no gap",
     "SELECT e.case_id FROM case_event e WHERE e.seq > 1 AND e.state_from IS NOT (SELECT "
     "b.state_to "
     "FROM case_event b WHERE b.case_id = e.case_id AND b.seq = e.seq - 1)"},
    {"every event has its audit record",
     "SELECT e.id FROM case_event e WHERE NOT EXISTS (SELECT 1 FROM audit a "
     "WHERE a.aggregate = 'case:' || e.case_id AND a.at = e.at AND a.actor_id = e.actor_id) "
     "AND NOT EXISTS (SELECT 1 FROM payment_case x JOIN audit a ON a.aggregate = 'payment:' || "
     "x.payment_id WHERE x.case_id = e.case_id AND a.at = e.at AND a.actor_id = e.actor_id)"},
    {"who waits for the applicant has a deadline, and nobody else at work",
     "SELECT id FROM cases WHERE (state IN ('draft', 'returned', 'awaiting_payment') AND deadline "
     "= 0) "
     "OR (state IN ('submitted', 'initial_review', 'second_review', 'producing', 'issued', "
     "'collected', 'rejected') AND deadline > 0)"},
    {"one attempt to pay at a time",
     "SELECT x.case_id FROM payment_case x JOIN payment p ON p.id = x.payment_id "
     "WHERE p.state IN ('wanted', 'begun', 'code') GROUP BY 1 HAVING count(*) > 1"},
    {"nothing ends while it is being paid",
     "SELECT c.id FROM cases c JOIN payment p ON p.id = c.payment_id "
     "WHERE c.state IN ('expired', 'withdrawn') AND p.state IN ('wanted', 'begun', 'code')"},
    {"no case rests in a state that is passed through",
     "SELECT id FROM cases WHERE state IN ('approved', 'paid')"},
    {"one live delegation",
     "SELECT employer_id FROM delegation WHERE revoked = 0 GROUP BY employer_id, agency_id "
     "HAVING count(*) > 1"},
    {"a slot of one file holds one",
     "SELECT case_id FROM case_file WHERE current = 1 AND slot IN ('photo', 'passport_page') "
     "GROUP BY case_id, slot HAVING count(*) > 1"},
    {"what is confirmed has no file that is not clean",
     "SELECT c.id FROM cases c JOIN case_file f ON f.case_id = c.id AND f.current = 1 WHERE "
     "c.state IN ('awaiting_payment', 'held', 'producing', 'issued', 'collected') "
     "AND f.scan IN ('pending', 'infected')"},
    {"our blanks are those of our jobs",
     "SELECT 1 FROM card_stock s WHERE s.side = 'ours' AND (s.reserved <> (SELECT count(*) FROM "
     "card_job WHERE state IN ('ordered', 'accepted', 'spoiled')) OR s.made <> (SELECT count(*) "
     "FROM card_job WHERE state = 'made') OR s.delivered <> (SELECT count(*) FROM card_job WHERE "
     "state IN ('sent', 'arrived', 'collected', 'lost')) OR s.spoiled <> (SELECT "
     "coalesce(sum(spoiled), 0) "
     "FROM card_job))"},
    {"one card under way for a case, and each card once",
     "SELECT case_id FROM card_job WHERE state NOT IN ('cancelled', 'lost') GROUP BY case_id "
     "HAVING count(*) > 1 "
     "UNION SELECT 1 FROM card_job WHERE card_no IS NOT NULL GROUP BY card_no HAVING count(*) > 1"},
    {"a card in the hand has its permit, and one at the station waits with it",
     "SELECT j.id FROM card_job j JOIN cases c ON c.id = j.case_id LEFT JOIN permit p ON p.case_id "
     "= c.id WHERE (j.state = 'collected') <> (c.state = 'collected' AND j.state NOT IN "
     "('cancelled', 'lost')) "
     "OR (j.state = 'collected' AND p.state NOT IN ('valid', 'superseded', 'revoked')) "
     "OR (j.state = 'arrived' AND (c.state <> 'issued' OR p.state NOT IN ('waiting', 'revoked')))"},
    {"who is here by the legal clock came on that day",
     "SELECT w.id FROM worker w WHERE w.entered IS NOT NULL AND NOT EXISTS (SELECT 1 FROM record r "
     "WHERE r.worker_id = w.id AND r.kind = 'movement' AND r.state = 'current' AND r.data ->> "
     "'direction' = 'arrival' AND date(r.at / 1000000 + 28800, 'unixepoch') = w.entered)"},
    {"what is due by the legal clock has a beginning",
     "SELECT id FROM worker WHERE (file_by > 0 AND entered IS NULL) OR (filed > 0 AND entered IS "
     "NULL) OR (reminded > 0 AND file_by = 0)"},
    {"each question went out once, and is answered or waits",
     "SELECT q.id FROM question q WHERE (q.state = 'asked') <> (q.ended = 0) OR 1 <> (SELECT "
     "count(*) FROM outbox o WHERE o.once_key = 'labour.find:' || q.id)"},
    {"what is found is the worker's",
     "SELECT q.id FROM question q WHERE q.state = 'found' AND NOT EXISTS (SELECT 1 FROM record r "
     "WHERE r.kind = 'letter' AND r.name = q.letter_no AND r.worker_id = q.worker_id)"},
    {"a dead letter tells why", "SELECT id FROM outbox WHERE state = 'dead' AND reason IS NULL"},
};

/* What holds besides when nothing moves any more and all deadlines are long over. */
static const invariant at_rest[] = {
    {"nobody waits for an applicant for ever",
     "SELECT id FROM cases WHERE state IN ('draft', 'returned', 'awaiting_payment')"},
    {"nobody is held for ever", "SELECT id FROM cases WHERE state = 'held'"},
    {"no attempt to pay stays open",
     "SELECT id FROM payment WHERE state IN ('wanted', 'begun', 'code')"},
    {"no refund stays under way", "SELECT id FROM refund WHERE state NOT IN ('done', 'manual')"},
    {"nothing waits to be delivered", "SELECT id FROM outbox WHERE state IN ('ready', 'leased')"},
    {"no card stays under way",
     "SELECT id FROM card_job WHERE state NOT IN ('arrived', 'collected', 'cancelled', 'lost')"},
    {"no question waits", "SELECT id FROM question WHERE state = 'asked'"},
    {"no message waits", "SELECT id FROM inbox WHERE state IN ('ready', 'leased')"},
    {"what is paid for is produced, unless its order is given up",
     "SELECT c.id FROM cases c WHERE c.state = 'producing' AND NOT EXISTS (SELECT 1 FROM outbox o "
     "WHERE o.aggregate_id = c.id AND o.op = 'press.permit' AND o.state IN ('dead', 'dropped'))"},
    {"each case that was filed has one receipt of filing, unless it is given up",
     "SELECT c.id FROM cases c WHERE c.submitted > 0 AND 1 <> (SELECT count(*) FROM document d "
     "WHERE d.case_id = c.id AND d.kind = 'filing') AND NOT EXISTS (SELECT 1 FROM outbox o "
     "WHERE o.aggregate_id = c.id AND o.op = 'press.filing' AND o.state IN ('dead', 'dropped'))"},
    {"each payment has one receipt of its number, unless it is given up",
     "SELECT p.id FROM payment p WHERE p.state = 'paid' AND 1 <> (SELECT count(*) FROM document d "
     "WHERE d.payment_id = p.id AND d.kind = 'receipt' AND d.number = '' || p.receipt_no) AND NOT "
     "EXISTS (SELECT 1 FROM outbox o "
     "WHERE o.aggregate_id = p.id AND o.op = 'press.receipt' AND o.state IN ('dead', 'dropped'))"},
};

static void hold(const invariant *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sqlite3_stmt *st = NULL;
        int rc;

        if (sqlite3_prepare_v2(check_database(), list[i].finds, -1, &st, NULL) != SQLITE_OK)
            sim_fail("%s: %s", list[i].finds, sqlite3_errmsg(check_database()));
        rc = sqlite3_step(st);
        if (rc == SQLITE_ROW)
            sim_fail("not so: %s (%s)", list[i].name, sqlite3_column_text(st, 0));
        if (rc != SQLITE_DONE)
            sim_fail("%s: %s", list[i].finds, sqlite3_errmsg(check_database()));
        sqlite3_finalize(st);
        sim.checks++;
    }
}

static sqlite3_stmt *prepare(const char *text)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(check_database(), text, -1, &st, NULL) != SQLITE_OK)
        sim_fail("%s: %s", text, sqlite3_errmsg(check_database()));
    return st;
}

int64_t sim_counts(const char *text, fw_id id)
{
    sqlite3_stmt *st = prepare(text);
    int64_t n;

    sqlite3_bind_int64(st, 1, id);
    n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_finalize(st);
    return n;
}

/* No case changed but by a command that named it. */
static void compare_cases(void)
{
    sqlite3_stmt *st = prepare("SELECT id, version, state FROM cases");
    int n = 0;

    for (; sqlite3_step(st) == SQLITE_ROW; n++) {
        const sim_case *c = sim_find(sqlite3_column_int64(st, 0));

        if (!c || c->version != sqlite3_column_int(st, 1) ||
            strcmp(fw_state_name(c->state), (const char *)sqlite3_column_text(st, 2)) != 0)
            sim_fail("a case changed that no command named");
    }
    if (n != sim.cases->nelts)
        sim_fail("%d cases of %d are there", n, sim.cases->nelts);
    sqlite3_finalize(st);
    sim.checks++;
}

static const sim_order *order_of(const char *no)
{
    for (int i = 0; i < sim.orders->nelts; i++) {
        const sim_order *o = APR_ARRAY_IDX(sim.orders, i, sim_order *);

        if (strcmp(o->no, no) == 0)
            return o;
    }
    return NULL;
}

/* What the database calls paid, the gateway has taken; `all`: and the other way round. */
static void compare_books(bool all)
{
    sqlite3_stmt *st = prepare("SELECT order_no, amount FROM payment WHERE state = 'paid'");
    int n = 0, taken = 0;

    for (; sqlite3_step(st) == SQLITE_ROW; n++) {
        const sim_order *o = order_of((const char *)sqlite3_column_text(st, 0));

        if (!o || !o->taken || o->amount != sqlite3_column_int64(st, 1))
            sim_fail("paid, and not in the gateway's books: %s", sqlite3_column_text(st, 0));
    }
    sqlite3_finalize(st);
    for (int i = 0; i < sim.orders->nelts; i++)
        taken += APR_ARRAY_IDX(sim.orders, i, sim_order *)->taken;
    if (n > taken || (all && n != taken))
        sim_fail("the gateway took money %d times, and %d payments are paid", taken, n);
    sim.checks++;
}

/* What went back at the gateway is promised here; `all`: and told as paid back by it, to the dollar. */
static void compare_refunds(bool all)
{
    sqlite3_stmt *st = prepare(
        "SELECT p.order_no, p.promised, (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE "
        "r.payment_id = p.id AND r.state = 'done' AND r.reference IS NULL) FROM payment p");

    while (sqlite3_step(st) == SQLITE_ROW) {
        const sim_order *o = order_of((const char *)sqlite3_column_text(st, 0));
        int64_t back = o ? o->refunded : 0, told = sqlite3_column_int64(st, 2);

        if (back > sqlite3_column_int64(st, 1) || told > back || (all && told != back))
            sim_fail("of order %s the gateway paid back %d, and we say %d",
                     sqlite3_column_text(st, 0), (int)back, (int)told);
    }
    sqlite3_finalize(st);
    sim.checks++;
}

static void verify_chain(void)
{
    const fw_audit_check check = {0};
    fw_audit_report report = {0};

    SIM_OK(fw_audit_verify(sim.db, &check, &report, sim.act));
    if (report.fault != FW_AUDIT_WHOLE)
        sim_fail("the audit trail is not whole: %s", report.text);
    sim.checks++;
}

void check_all(void)
{
    hold(always, sizeof(always) / sizeof(always[0]));
    compare_cases();
    compare_books(false);
    compare_refunds(false);
    sim_compare_cards(false);
    sim_compare_permits(false);
}

void check_rest(void)
{
    check_all();
    hold(at_rest, sizeof(at_rest) / sizeof(at_rest[0]));
    compare_books(true);
    compare_refunds(true);
    sim_compare_cards(true);
    sim_compare_permits(true);
    verify_chain();
}
