"""Money: whatever the gateway, its messages, the payer and our own processes do, it is one payment, one receipt number and
one permit; or nothing at all."""
import concurrent.futures
import fcntl
import os
import signal

import conftest
import flow
import pytest
import requests
from browser import Browser
from platform_under_test import await_


@pytest.fixture(autouse=True)
def gateway_as_ever(platform):
    yield
    platform.switch(slow_ms=0, fail="none", drop_callbacks=False, twice=False, out_of_order=False, smtp_fail="none")


@pytest.fixture
def due(platform, broker, reviewers):
    """A case that waits for its fee."""
    return due_case(platform, broker, reviewers)


def due_case(platform, broker, reviewers):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    return case


def begin(platform, person, case, method="card"):
    """(payment, order) at the gateway, not paid."""
    payment = flow.begin_payment(person, case, method=method)
    return payment, platform.order(person.see(f"/payments/{payment}")["redirect"])


def receipts(platform):
    return {r["order_no"]: r for r in platform.of("cashier").see("/receipts")["receipts"]}


def settled(platform):
    """All that came in has been looked at."""
    await_("all messages", lambda: not platform.sql("SELECT 1 FROM inbox WHERE state IN ('ready', 'leased')"))


def paid_once(platform, person, case, order):
    page = flow.issued(platform, person, case)
    settled(platform)
    rows = platform.sql("SELECT p.order_no, p.state, p.receipt_no FROM payment p JOIN payment_case c ON c.payment_id = p.id "
                        "WHERE c.case_id = ? AND p.receipt_no > 0", int(case))
    assert [(r[0], r[1]) for r in rows] == [(order, "paid")], rows
    assert not receipts(platform)[order]["refund_due"]
    kinds = [h["kind"] for h in person.see(f"/cases/{case}")["history"]]
    assert kinds.count("payment.settle") == 1 and kinds.count("permit.issue") == 1
    assert platform.sql("SELECT COUNT(*) FROM permit WHERE case_id = ?", int(case)) == [(1,)]
    await_("its papers", lambda: sorted(d["kind"] for d in person.see(f"/cases/{case}")["documents"]) ==
           ["filing", "permit", "receipt"])
    numbers = sorted(n for (n,) in platform.sql("SELECT receipt_no FROM payment WHERE receipt_no > 0"))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a gap among the receipts"
    return page


def callback(platform, order, **ask):
    """What the platform answered to each notice."""
    entries = platform.control("callback", order=order, **ask)
    entries = entries if isinstance(entries, list) else entries["callbacks"]
    return [e["tries"][0]["body"] for e in entries]


def unpaid(platform, person, case, payment):
    settled(platform)
    assert flow.state(person, case) == "awaiting_payment"
    page = person.see(f"/payments/{payment}")
    assert not page["is_paid"] and page["receipt"] is None


# ---- messages that lie ----

@pytest.mark.parametrize("mac", ["wrong", "none"])
def test_a_wrong_check_value(platform, broker, due, mac):
    payment, order = begin(platform, broker, due)
    platform.expect("FWP0301: a message to ecpay/paid was refused")
    with platform.nothing_changes():
        assert callback(platform, order, mac=mac) == ["0|refused"]
    unpaid(platform, broker, due, payment)
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)


def test_another_merchant(platform, broker, due):
    payment, order = begin(platform, broker, due)
    platform.expect("FWP0301|FWP2104")
    callback(platform, order, merchant="2000132")
    unpaid(platform, broker, due, payment)


@pytest.mark.parametrize("amount", ["1", "999", "1001", "10000"])
def test_another_amount(platform, broker, due, amount):
    payment, order = begin(platform, broker, due)
    platform.expect("FWP2101 order")
    assert callback(platform, order, amount=amount) == ["1|OK"]
    unpaid(platform, broker, due, payment)
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)


@pytest.mark.parametrize("amount", ["-1000", "1e3", "1000.0", "", "x", " 1000"])
def test_an_amount_that_is_none(platform, broker, due, amount):
    payment, order = begin(platform, broker, due)
    platform.expect("FWP0301|FWP2101|FWP2104")
    callback(platform, order, amount=amount)
    unpaid(platform, broker, due, payment)


def test_an_unknown_order(platform):
    platform.expect("FWP2102 order NOSUCHORDER")
    await_("quiet", lambda: not platform.sql("SELECT 1 FROM outbox WHERE state NOT IN ('done', 'dead')"))
    before = platform.kept()
    url = f"{platform.base}/inbox/ecpay/paid"
    assert callback(platform, "NOSUCHORDER123456789"[:20], url=url) == ["1|OK"]
    settled(platform)
    after = platform.kept()
    assert [t for t in before if before[t] != after[t]] == ["inbox"]


def test_a_rehearsal_pays_nothing(platform, broker, due):
    payment, order = begin(platform, broker, due)
    platform.expect("FWP2103 order")
    assert callback(platform, order, simulate="1") == ["1|OK"]
    unpaid(platform, broker, due, payment)
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)


@pytest.mark.parametrize("body", [b"", b"\0\0\0", b"&&&&", b"a=b", b"MerchantID=3002607&CheckMacValue=00", b"{}", b"%", b"\xff\xfe"])
def test_nonsense_messages(platform, body):
    platform.expect("FWP0301: a message to ecpay/paid was refused")
    with platform.nothing_changes():
        answer = requests.post(f"{platform.base}/inbox/ecpay/paid", data=body, timeout=30)
        assert answer.status_code == 200 and answer.text == "0|refused", answer.text


def test_messages_to_no_one(platform):
    with platform.nothing_changes():
        for path in ("/inbox/nobody/paid", "/inbox/ecpay/UPPER", "/inbox/ecpay/a%20b", "/inbox/ecpay/" + "x" * 40, "/inbox/ecpay",
                     "/inbox/ecpay/paid/more",
                     "/inbox/ecpay/poll"):
            assert requests.post(platform.base + path, data=b"a=b", timeout=30).status_code == 404, path
        assert requests.get(f"{platform.base}/inbox/ecpay/paid", timeout=30).status_code == 405
        answer = requests.post(f"{platform.base}/inbox/ecpay/paid", data=b"a" * 65537, timeout=30)
        assert answer.status_code == 413


# ---- messages that come often, early, late, in another order ----

def test_the_same_message_twice(platform, broker, due):
    payment, order = begin(platform, broker, due)
    assert callback(platform, order) == ["1|OK"]
    assert callback(platform, order, times="2") == ["1|OK", "1|OK"]
    assert paid_once(platform, broker, due, order) and broker.see(f"/payments/{payment}")["is_paid"]


def test_twenty_messages_at_once(platform, broker, due):
    _, order = begin(platform, broker, due)
    answers = callback(platform, order, times="20", together="1")
    assert set(answers) == {"1|OK"} and len(answers) == 20
    paid_once(platform, broker, due, order)


def test_paid_is_told_in_many_words_at_once(platform, broker, due):
    """Each of them another message: no two are the same bytes."""
    _, order = begin(platform, broker, due)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: callback(platform, order, message=f"paid {n}"), range(8)))
    assert answers == [["1|OK"]] * 8
    paid_once(platform, broker, due, order)


def test_a_gateway_that_says_all_twice(platform, broker, due):
    _, order = begin(platform, broker, due, "atm")
    platform.switch(twice=True)
    platform.control("pay", order=order, method="atm")
    platform.control("settle", order=order)
    paid_once(platform, broker, due, order)


def test_paid_is_told_before_the_code(platform, broker, due):
    _, order = begin(platform, broker, due, "cvs")
    platform.switch(out_of_order=True)
    platform.control("pay", order=order, method="cvs")
    platform.control("settle", order=order)
    paid_once(platform, broker, due, order)
    await_("the code's notice", lambda: all(c["state"] != "held" for c in platform.books()["callbacks"]))
    paid_once(platform, broker, due, order)


def test_a_message_before_the_order(platform, broker, due):
    """The plugin is away while somebody begins to pay, and a notice is there before the gateway's form is."""
    plugin = process(platform, "ecpay")
    os.kill(plugin, signal.SIGSTOP)
    try:
        payment = broker.do("/payments", {"case": [due], "method": "card"}, status=202)["answer"]
        page = broker.see(f"/payments/{payment}")
        assert page["is_waiting"] and page["redirect"] is None
        answers = callback(platform, page["order_no"], url=f"{platform.base}/inbox/ecpay/paid")
        assert answers == ["1|OK"], "kept, though nobody could judge it"
    finally:
        os.kill(plugin, signal.SIGCONT)
    platform.expect("FWP2107")
    paid_once(platform, broker, due, page["order_no"])


def test_failed_after_paid_undoes_nothing(platform, broker, due):
    payment, order = begin(platform, broker, due)
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)
    assert callback(platform, order, code="10100058", message="failed") == ["1|OK"]
    settled(platform)
    assert broker.see(f"/payments/{payment}")["is_paid"]
    paid_once(platform, broker, due, order)


def test_declined_and_then_paid_by_another_attempt(platform, broker, due):
    payment, order = begin(platform, broker, due)
    platform.control("pay", order=order, method="decline")
    assert callback(platform, order, code="10100058", message="declined") == ["1|OK"]
    page = await_("the failure", lambda: (lambda p: p if p["is_ended"] else None)(broker.see(f"/payments/{payment}")))
    assert flow.state(broker, due) == "awaiting_payment" and due in page["again_href"]
    _, second = begin(platform, broker, due)
    platform.control("pay", order=second, method="card")
    paid_once(platform, broker, due, second)


def test_failed_and_then_paid_after_all(platform, broker, due):
    payment, order = begin(platform, broker, due)
    callback(platform, order, code="10100058", message="declined")
    await_("the failure", lambda: broker.see(f"/payments/{payment}")["is_ended"])
    assert callback(platform, order) == ["1|OK"]
    paid_once(platform, broker, due, order)


# ---- what payers do ----

def test_a_second_click_is_the_same_payment(platform, broker, due):
    first = broker.do("/payments", {"case": [due], "method": "card"}, key=f"pay-{due}", status=202)
    assert broker.do("/payments", {"case": [due], "method": "card"}, key=f"pay-{due}", status=202) == first
    await_("the form", lambda: broker.see(f"/payments/{first['answer']}")["redirect"])
    assert len(platform.sql("SELECT 1 FROM payment_case WHERE case_id = ?", int(due))) == 1


def test_twenty_begin_at_once(platform, broker, due):
    def click(n):
        return requests.post(f"{broker.base}/payments", json={"case": [due], "method": "card"}, cookies=broker.http.cookies,
                             headers={"X-CSRF-Token": broker.csrf, "Idempotency-Key": f"{due}-{n}",
                                      "Accept": "application/json"}, timeout=60)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(click, range(20)))
    assert {a.status_code for a in answers} <= {202, 409}, [a.text for a in answers if a.status_code not in (202, 409)][:2]
    payments = [a.json()["answer"] for a in answers if a.status_code == 202]
    live = [p for p in payments if not await_("its end", lambda q=p: (lambda m: m if not m["is_waiting"] else None)(
        broker.see(f"/payments/{q}")))["is_ended"]]
    assert len(live) == 1, "of many attempts one is live"
    order = platform.order(broker.see(f"/payments/{live[0]}")["redirect"])
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)


def test_the_money_of_a_replaced_attempt_is_refunded(platform, broker, due):
    _, first = begin(platform, broker, due)
    _, second = begin(platform, broker, due, "atm")
    platform.control("pay", order=second, method="atm")
    platform.control("settle", order=second)
    paid_once(platform, broker, due, second)
    platform.control("pay", order=first, method="card")
    settled(platform)
    await_("the refund", lambda: receipts(platform).get(first, {}).get("is_void"))
    assert receipts(platform)[first]["refunded"] == 1000 and not receipts(platform)[second]["refund_due"]
    kinds = [h["kind"] for h in broker.see(f"/cases/{due}")["history"]]
    assert kinds.count("payment.settle") == 1 and kinds.count("payment.refund_due") == 1 and kinds.count("permit.issue") == 1


def test_a_case_with_a_live_payment_is_not_withdrawn(platform, broker, due):
    _, order = begin(platform, broker, due)
    answer = broker.do(f"/cases/{due}/withdraw", status=409)
    assert answer["type"] == "/problems/case.payment_live"
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)


def test_a_withdrawn_case_that_is_paid_late(platform, broker, due):
    platform.expect("FWP2112 payment.refund")
    payment, order = begin(platform, broker, due)
    callback(platform, order, code="10100058", message="declined")
    await_("the failure", lambda: broker.see(f"/payments/{payment}")["is_ended"])
    broker.do(f"/cases/{due}/withdraw")
    assert callback(platform, order) == ["1|OK"]
    await_("the receipt", lambda: order in receipts(platform))
    assert receipts(platform)[order]["refund_due"] and flow.state(broker, due) == "withdrawn"
    page = await_("the refund", lambda: (lambda p: p if p["refunds"][0]["state"]["code"] == "manual" else None)(
        platform.of("cashier").see(receipts(platform)[order]["refund_href"])))
    assert "no such payment" in page["refunds"][0]["trouble"], "the notice was forged: at the gateway nothing was paid"
    kinds = [h["kind"] for h in broker.see(f"/cases/{due}")["history"]]
    assert kinds.count("payment.refund_due") == 1 and "permit.issue" not in kinds


def test_what_cannot_be_paid(platform, broker, due):
    draft = flow.draft(broker)
    with platform.nothing_changes():
        for fields, status, key in (({"case": [draft], "method": "card"}, 409, "payment.not_due"),
                                    ({"case": [due, draft], "method": "card"}, 409, "payment.not_due"),
                                    ({"case": [], "method": "card"}, 422, "payment.no_case"),
                                    ({"method": "card"}, 422, "payment.no_case"),
                                    ({"case": [due], "method": "gold"}, 422, "payment.method"),
                                    ({"case": [due]}, 422, "payment.method"),
                                    ({"case": [due], "method": "card", "amount": "1"}, 422, "field.unknown"),
                                    ({"case": [due, due], "method": "card"}, 404, None),
                                    ({"case": ["x"], "method": "card"}, 422, "payment.no_case")):
            answer = broker.post("/payments", fields)
            assert answer.status_code == status, (fields, answer.status_code, answer.text)
            assert not key or key in answer.text, (fields, answer.text)


def test_the_page_says_what_became_of_the_permit(platform, broker, due):
    payment = flow.pay(platform, broker, due)
    flow.issued(platform, broker, due)
    browser = Browser(platform.base, login="broker")
    page = browser.get(f"/payments/{payment}")
    assert "The permit is ready" in page.text and "is being made" not in page.text
    platform.sql("UPDATE cases SET state = 'paid' WHERE id = ?", int(due))
    page = browser.get(f"/payments/{payment}")
    assert "is being made" in page.text and "The permit is ready" not in page.text
    platform.sql("UPDATE cases SET state = 'issued' WHERE id = ?", int(due))


def test_paid_is_not_paid_again(platform, broker, due):
    _, order = begin(platform, broker, due)
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)
    answer = broker.do("/payments", {"case": [due], "method": "card"}, status=409)
    assert answer["type"] == "/problems/payment.already_paid"


def test_a_code_that_is_live_is_shown_again(platform, broker, due):
    payment, order = begin(platform, broker, due, "atm")
    platform.control("pay", order=order, method="atm")
    await_("the code", lambda: broker.see(f"/payments/{payment}")["code"])
    answer = broker.do("/payments", {"case": [due], "method": "atm"}, status=409)
    assert answer["type"] == "/problems/payment.code_is_live"
    assert broker.get(f"/pay?case={due}").headers["Location"] == f"/payments/{payment}"
    platform.control("settle", order=order)
    paid_once(platform, broker, due, order)


# ---- processes that are killed ----

def process(platform, *words):
    found = [pid for pid, line in conftest.processes_of(platform.folder) if all(w in line for w in words)
             and "fwpermit-worker" in line]
    assert len(found) == 1, (words, conftest.processes_of(platform.folder))
    return found[0]


def killed(platform, *words):
    """Kills it, and says when another is there."""
    pid = process(platform, *words)
    os.kill(pid, signal.SIGKILL)
    platform.expect(rf"FWP0006: .*{words[0]}.* ended|FWP2107|client dropped")

    def another():
        found = [p for p, line in conftest.processes_of(platform.folder) if all(w in line for w in words)
                 and "fwpermit-worker" in line]
        return found and found[0] != pid
    return another


def test_the_plugin_is_killed_while_somebody_begins(platform, broker, due):
    killed(platform, "ecpay")
    payment, order = begin(platform, broker, due)
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)
    assert payment


def test_the_plugin_is_killed_as_the_notice_comes(platform, broker, due):
    _, order = begin(platform, broker, due)
    killed(platform, "ecpay")
    platform.control("pay", order=order, method="card")
    paid_once(platform, broker, due, order)


def test_the_pump_is_killed_after_the_acknowledgement(platform, broker, due):
    _, order = begin(platform, broker, due)
    again = killed(platform, "pump")
    assert callback(platform, order) == ["1|OK"]
    paid_once(platform, broker, due, order)
    await_("another pump", again)


def halt(platform, pid):
    """Stops it, but not while it holds the lock that all writers wait for."""
    with open(platform.folder / "state/fwpermit.db.lock", "rb") as lock:
        def halted():
            os.kill(pid, signal.SIGSTOP)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.kill(pid, signal.SIGCONT)
                return False
            return True
        await_("a moment between its transactions", halted)


def test_the_server_stops_after_the_acknowledgement(platform, broker, due):
    _, order = begin(platform, broker, due)
    halt(platform, process(platform, "pump"))
    assert callback(platform, order) == ["1|OK"]
    os.kill(process(platform, "pump"), signal.SIGKILL)
    platform.serve("stop")
    platform.start()
    paid_once(platform, broker, due, order)


# ---- a gateway that is slow, or down ----

def test_a_slow_gateway_keeps_no_page_waiting(platform, broker, due):
    platform.switch(slow_ms=3000)
    payment = flow.begin_payment(broker, due)
    assert broker.see(f"/payments/{payment}")["redirect"]["fields"]


def test_a_lost_notice_is_asked_for(platform, broker, due):
    """By the clock, through a gateway that answers nonsense first."""
    payment, order = begin(platform, broker, due)
    platform.switch(drop_callbacks=True)
    platform.control("pay", order=order, method="card")
    platform.switch(fail="nonsense")
    a_while_passes(platform, payment)
    await_("a query that is answered with nonsense", lambda: [
        r for r in platform.books()["requests"] if r["path"].startswith("/Cashier/Query") and r["failed"] == "nonsense"
        and r["fields"].get("MerchantTradeNo") == order], 60)
    unpaid(platform, broker, due, payment)
    platform.switch(fail="none")
    a_while_passes(platform, payment)
    await_("the payment", lambda: broker.see(f"/payments/{payment}")["is_paid"], 60)
    paid_once(platform, broker, due, order)


def a_while_passes(platform, payment):
    """The clock asks as time goes by: here it goes by at once."""
    platform.sql("UPDATE payment SET created = created - 7200000000 WHERE id = ?", int(payment))
    platform.sql("UPDATE outbox SET not_before = 0 WHERE state = 'ready'")


def test_all_of_it_is_whole(platform):
    numbers = sorted(n for (n,) in platform.sql("SELECT receipt_no FROM payment WHERE receipt_no > 0"))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    paid = {o["order"] for o in platform.books()["orders"] if o["state"] == "paid"}
    assert paid <= set(receipts(platform)), "paid at the gateway, and not known here"
    told = await_("a seal", lambda: (lambda d: d.stdout if d.returncode == 0 else "")(platform.ctl("audit", "verify", ok=False)))
    assert told.startswith("whole"), told
