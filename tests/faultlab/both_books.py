"""Afterwards: the platform's books beside those of each system. Nothing is lost, nothing is there twice by its key, money is the same on
both sides, and so is the stock of cards."""
import collections

from lives import life
from platform_under_test import await_


def rows(lab, sql):
    return life.rows(lab.site, sql)


def check_each_card_is_in_the_hand(lab):
    states = collections.Counter(s for (s,) in rows(lab, "SELECT state FROM cases"))
    assert states == {"collected": len(lab.cards)}, states


def check_what_the_border_said_and_was_told(lab):
    books = lab.systems.border.books()
    said = sorted(r["movement"]["id"] for r in books["movements"])
    assert said == sorted(n for (n,) in rows(lab, "SELECT name FROM record WHERE kind = 'movement'"))
    assert all(m["acked"] for m in books["messages"])
    told = {r["permit"]["permit_no"]: r["permit"]["state"] for r in books["permits"]}
    assert told == dict(rows(lab, "SELECT permit_no, state FROM permit"))
    assert len(told) == len(lab.cards)


def check_what_the_labour_agency_said(lab):
    books = lab.systems.labour.books()
    said = sorted(r["permit"]["letter_no"] for r in books["letters"])
    assert said == sorted(n for (n,) in rows(lab, "SELECT name FROM record WHERE kind <> 'movement'"))
    assert all(m["acked"] for m in books["messages"])


def check_fines_are_the_same_on_both_sides(lab):
    books = lab.systems.fines.books()
    theirs = sorted((r["fine"]["fine_no"], int(r["fine"]["amount"]), r["fine"]["state"]) for r in books["fines"])
    ours = sorted((n, int(a), s) for n, a, s in rows(lab, "SELECT fine_no, amount, state FROM fine"))
    assert theirs == ours and len(ours) == sum(card.late for card in lab.cards), (theirs, ours)
    fees = {r["told"]["case_no"]: (r["told"]["fee"]["state"], int(r["told"]["fee"]["amount"])) for r in books["cases"]}
    paid = {n: ("paid", int(a)) for n, a in rows(lab, "SELECT c.case_no, p.amount FROM cases c JOIN payment_case pc ON pc.case_id = c.id "
                                                      "JOIN payment p ON p.id = pc.payment_id WHERE p.state = 'paid'")}
    assert fees == paid, (fees, paid)
    assert all(m["acked"] for m in books["messages"])


def check_money_is_the_same_at_the_gateway(lab):
    theirs = sorted((o["order"], o["amount"]) for o in lab.site.books()["orders"] if o["state"] == "paid")
    ours = sorted((o, int(a)) for o, a in rows(lab, "SELECT order_no, amount FROM payment WHERE state = 'paid'"))
    assert theirs == ours and len(ours) == len(lab.cards), (theirs, ours)


def check_the_stock_is_the_cards(lab):
    books = lab.systems.bureau.books()
    assert books["faults_of_stock"] == [] and books["faults"] == []
    theirs = {no: job["spoiled"] for no, job in books["jobs"].items()}
    ours = {no: int(n) for no, n in rows(lab, "SELECT job_no, spoiled FROM card_job")}
    assert theirs == ours and len(ours) == len(lab.cards), (theirs, ours)
    assert books["stock"]["delivered"] == len(lab.cards) and books["stock"]["spoiled"] == sum(theirs.values())

    def equal():
        stock = lab.site.of("admin").see("/admin/system")["stock"]
        return stock and all(row["difference"] in (0, None) for row in stock["rows"])
    await_("our count and the bureau's to be one", equal, 60)


def check_each_file_is_judged_once(lab):
    assert not rows(lab, "SELECT id FROM case_file WHERE scan <> 'clean'")
    files = len(rows(lab, "SELECT id FROM case_file"))
    assert len(rows(lab, "SELECT id FROM case_event WHERE kind = 'file.clean'")) == files


def check_nothing_waits_and_nothing_is_given_up(lab):
    assert not rows(lab, "SELECT op, reason FROM outbox WHERE state = 'dead'")
    assert not rows(lab, "SELECT op FROM outbox WHERE state IN ('ready', 'leased') AND op <> 'payment.query'")
    assert not rows(lab, "SELECT plugin, reason FROM inbox WHERE state = 'dead'")


def check_requests_are_as_they_must_be(lab):
    for name in ("labour", "fines", "border"):
        faults = [f for r in getattr(lab.systems, name).requests() for f in r["faults"]]
        assert not faults, (name, faults[:5])


def check_audit_and_log(lab):
    life.check_audit_is_whole(lab.site, None)
    life.check_log_has_no_error_of_ours(lab.site, None)
    life.check_vault_has_no_orphans_of_acknowledged(lab.site, None)


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
