"""Money that goes back: once, whatever is lost, killed or said twice; and never more than came."""
import concurrent.futures
import os
import signal

import conftest
import flow
import pytest
import requests
from browser import Browser
from papers import text
from platform_under_test import await_
from refusals import refused


@pytest.fixture(autouse=True)
def gateway_as_ever(platform):
    yield
    platform.switch(slow_ms=0, fail="none", card_state="captured", lose_action="none", refuse_action="none")


@pytest.fixture(autouse=True)
def books_agree(platform):
    """After each test: what went back at the gateway is what we say went back through it."""
    yield
    at_gateway = {o["order"]: o["refunded"] for o in platform.books()["orders"] if o["refunded"]}
    ours = {}
    for order, amount in platform.sql("SELECT p.order_no, r.amount FROM refund r JOIN payment p ON p.id = r.payment_id "
                                      "WHERE r.state = 'done' AND r.reference IS NULL"):
        ours[order] = ours.get(order, 0) + amount
    assert ours == at_gateway
    assert not platform.sql("SELECT id FROM payment WHERE promised > amount OR refunded > promised")
    for column, which in (("promised", ""), ("refunded", "AND r.state = 'done'")):
        assert not platform.sql(f"SELECT p.id FROM payment p WHERE p.{column} <> (SELECT COALESCE(SUM(r.amount), 0) FROM refund r "
                                f"WHERE r.payment_id = p.id {which})")


@pytest.fixture
def cashier(platform):
    return platform.of("cashier")


def paid(platform, broker, reviewers, method="card"):
    """(case, payment, order) that is paid, its permit issued."""
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    payment = flow.pay(platform, broker, case, method=method)
    flow.issued(platform, broker, case)
    return case, payment, broker.see(f"/payments/{payment}")["order_no"]


@pytest.fixture(scope="module")
def one_paid(platform, broker, reviewers):
    return paid(platform, broker, reviewers)[1]


def page_of(cashier, payment):
    return cashier.see(f"/refunds/payments/{payment}")


def refund(cashier, payment):
    """The newest of the payment."""
    return page_of(cashier, payment)["refunds"][-1]


def in_state(cashier, payment, code):
    def there():
        refunds = page_of(cashier, payment)["refunds"]
        return refunds[-1] if refunds and refunds[-1]["state"]["code"] == code else None
    return await_(f"a refund that is {code}", there)


def ask(cashier, payment, amount=1000, key=None):
    return cashier.do(f"/refunds/payments/{payment}", {"amount": str(amount), "reason": "paid by mistake"}, key=key, status=202)


def hurry(platform):
    platform.sql("UPDATE outbox SET not_before = 0 WHERE state = 'ready'")


def until_done(platform, cashier, payment):
    def there():
        hurry(platform)
        return refund(cashier, payment)["state"]["code"] == "done"
    await_("the refund", there, 60)


def history(person, case):
    """Oldest first."""
    return [h["kind"] for h in reversed(person.see(f"/cases/{case}")["history"])]


# ---- by itself ----

def test_money_that_came_twice_goes_back_by_itself(platform, broker, reviewers, cashier):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    payments = [flow.begin_payment(broker, case)]
    orders = [platform.order(broker.see(f"/payments/{payments[0]}")["redirect"])]
    payments.append(flow.begin_payment(broker, case))
    orders.append(platform.order(broker.see(f"/payments/{payments[1]}")["redirect"]))
    platform.control("pay", order=orders[1], method="card")
    await_("the payment", lambda: broker.see(f"/payments/{payments[1]}")["is_paid"])
    platform.control("pay", order=orders[0], method="card")
    done = in_state(cashier, payments[0], "done")
    assert done["amount"] == 1000 and done["cause"] == "Paid without being owed"
    assert page_of(cashier, payments[1])["refunds"] == [], "what paid the case is kept"
    receipts = {r["order_no"]: r for r in cashier.see("/receipts")["receipts"]}
    assert receipts[orders[0]]["is_void"] and receipts[orders[0]]["refunded"] == 1000 and not receipts[orders[0]]["refund_due"]
    assert not receipts[orders[1]]["is_void"] and receipts[orders[1]]["refunded"] is None
    page = broker.see(f"/payments/{payments[0]}")
    assert page["is_paid"] and page["is_void"] and page["refunded"] == 1000
    kinds = history(broker, case)
    assert kinds.count("payment.refund_due") == 1 and kinds.count("refund.done") == 1
    words = ("A refund is under way", "Paid back", "退費處理中", "已退費")
    mails = await_("both mails", lambda: (lambda s: s if len(s) == 2 else None)(
        [m["subject"] for m in platform.mails() if m["subject"].endswith(words)]))
    assert len(set(mails)) == 2
    records = platform.sql("SELECT command FROM audit WHERE aggregate = ? ORDER BY seq", f"payment:{payments[0]}")
    assert [c for (c,) in records if c.startswith("refund.")] == ["refund.sent", "refund.done"]


# ---- a cashier asks ----

def test_a_part_and_then_the_rest(platform, broker, reviewers, cashier):
    case, payment, _ = paid(platform, broker, reviewers)
    before = page_of(cashier, payment)
    assert before["left"] == 1000 and before["ask"]["action"] == f"/refunds/payments/{payment}"
    ask(cashier, payment, 400)
    in_state(cashier, payment, "done")
    page = broker.see(f"/payments/{payment}")
    assert page["refunded"] == 400 and not page["is_void"]
    ask(cashier, payment, 600)
    in_state(cashier, payment, "done")
    after = page_of(cashier, payment)
    assert (after["left"], after["refunded"], after["ask"]) == (0, 1000, None)
    asked = [h["reason"] for h in broker.see(f"/cases/{case}")["history"] if h["kind"] == "refund.ask"]
    assert asked == ["paid by mistake"] * 2 and flow.state(broker, case) == "issued"


@pytest.mark.parametrize("fields,status,key", [
    ({"amount": "0", "reason": "r"}, 422, "refund.amount"), ({"amount": "-1", "reason": "r"}, 422, "refund.amount"),
    ({"amount": "1e3", "reason": "r"}, 422, "refund.amount"), ({"amount": "", "reason": "r"}, 422, "refund.amount"),
    ({"reason": "r"}, 422, "refund.amount"), ({"amount": "1001", "reason": "r"}, 409, "refund.too_much"),
    ({"amount": "9999999999", "reason": "r"}, 422, "refund.amount"), ({"amount": "1000"}, 422, "case.reason_missing"),
    ({"amount": "1000", "reason": ""}, 422, "case.reason_missing"),
    ({"amount": "1000", "reason": "r" * 501}, 422, "refund.too_long"),
    ({"amount": "1000", "reason": "r", "to": "me"}, 422, "field.unknown")])
def test_what_cannot_be_asked_for(platform, cashier, one_paid, fields, status, key):
    with platform.nothing_changes():
        answer = cashier.post(f"/refunds/payments/{one_paid}", fields)
        assert answer.status_code == status and key in answer.text, answer.text


def test_what_was_not_paid_does_not_go_back(platform, broker, reviewers, cashier):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    payment = flow.begin_payment(broker, case)
    assert page_of(cashier, payment)["ask"] is None
    with platform.nothing_changes():
        answer = cashier.post(f"/refunds/payments/{payment}", {"amount": "1000", "reason": "r"})
        assert answer.status_code == 409 and "refund.not_paid" in answer.text


def test_who_may(platform, one_paid):
    with platform.nothing_changes():
        for login in ("reviewer1", "dispatcher", "admin", "auditor", "broker"):
            person = platform.of(login)
            for path in ("/refunds", f"/refunds/payments/{one_paid}"):
                assert person.get(path).status_code in (403, 404), (login, path)
            answer = person.post(f"/refunds/payments/{one_paid}", {"amount": "1", "reason": "r"})
            assert answer.status_code in (403, 404), login


def test_twenty_ask_at_once(platform, broker, reviewers, cashier):
    _, payment, _ = paid(platform, broker, reviewers)

    def click(n):
        return requests.post(f"{cashier.base}/refunds/payments/{payment}", json={"amount": "600", "reason": f"r{n}"}, timeout=60,
                             cookies=cashier.http.cookies, headers={"X-CSRF-Token": cashier.csrf, "Accept": "application/json",
                                                                    "Idempotency-Key": f"refund-{payment}-{n}"})
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        codes = [a.status_code for a in pool.map(click, range(20))]
    assert codes.count(202) == 1 and set(codes) <= {202, 409, 503}, codes
    in_state(cashier, payment, "done")
    assert len(page_of(cashier, payment)["refunds"]) == 1


def test_the_same_request_twice_is_one_refund(platform, broker, reviewers, cashier):
    _, payment, _ = paid(platform, broker, reviewers)
    first = ask(cashier, payment, 100, key=f"again-{payment}")
    assert ask(cashier, payment, 100, key=f"again-{payment}") == first
    in_state(cashier, payment, "done")
    assert len(page_of(cashier, payment)["refunds"]) == 1


# ---- by hand ----

def test_what_the_gateway_cannot_pay_back_is_paid_by_hand(platform, broker, reviewers, cashier):
    platform.expect("FWP2112 payment.refund")
    case, payment, _ = paid(platform, broker, reviewers, method="atm")
    ask(cashier, payment)
    manual = in_state(cashier, payment, "manual")
    assert "cards only" in manual["trouble"]
    assert [r["href"] for r in cashier.see("/refunds")["open"] if r["id"] == manual["id"]] == [f"/refunds/payments/{payment}"]
    with platform.nothing_changes():
        for fields, status, key in (({}, 422, "refund.reference"), ({"reference": ""}, 422, "refund.reference"),
                                    ({"reference": "x" * 501}, 422, "refund.too_long"),
                                    ({"reference": "T1", "version": manual["version"] + 1}, 409, "refund.stale")):
            answer = cashier.post(manual["pay_out"], fields)
            assert answer.status_code == status and key in answer.text, answer.text
        assert platform.of("reviewer1").post(manual["pay_out"], {"reference": "T1"}).status_code in (403, 404)
        assert cashier.post("/refunds/1/pay-out", {"reference": "T1"}).status_code == 404
    cashier.do(manual["pay_out"], {"reference": "T-20261126-7", "version": manual["version"]})
    done = refund(cashier, payment)
    assert done["state"]["code"] == "done" and done["reference"] == "T-20261126-7" and done["pay_out"] is None
    assert cashier.post(manual["pay_out"], {"reference": "T2"}).status_code == 409, "it is paid once"
    assert cashier.post(manual["again"], {}).status_code == 409
    assert broker.see(f"/payments/{payment}")["is_void"]
    assert [k for k in history(broker, case) if k.startswith("refund.")] == ["refund.ask", "refund.fail", "refund.pay_out"]
    assert [r["reference"] for r in cashier.see("/refunds")["ended"] if r["id"] == manual["id"]] == ["T-20261126-7"]


def test_what_the_gateway_refused_is_asked_for_again(platform, broker, reviewers, cashier):
    platform.expect("FWP2112 payment.refund")
    _, payment, _ = paid(platform, broker, reviewers)
    platform.switch(refuse_action="R")
    ask(cashier, payment)
    manual = in_state(cashier, payment, "manual")
    cashier.do(manual["again"], {"version": manual["version"]}, status=202)
    assert in_state(cashier, payment, "done")["trouble"] is None


def test_what_an_earlier_version_only_marked_waits_for_a_cashier(platform, broker, reviewers, cashier):
    """As the migration writes it."""
    case, payment, _ = paid(platform, broker, reviewers)
    platform.sql("INSERT INTO refund (id, version, state, payment_id, cases, amount, cause, asked_by, before, created) "
                 "VALUES (?, 1, 'due', ?, ?, 1000, 'not_owed', 0, -1, 1)", int(payment) + 1, int(payment), case)
    platform.sql("UPDATE payment SET promised = 1000 WHERE id = ?", int(payment))
    due = refund(cashier, payment)
    assert due["state"]["code"] == "due" and due["again"] and due["pay_out"]
    cashier.do(due["again"], status=202)
    in_state(cashier, payment, "done")


# ---- answers that are lost ----

@pytest.mark.parametrize("card,amount,lost", [("captured", 1000, "R"), ("captured", 400, "R"), ("captured", 1000, "before"),
                                              ("to_capture", 1000, "E"), ("to_capture", 1000, "N"), ("authorised", 1000, "N"),
                                              ("authorised", 400, "C"), ("authorised", 400, "R")])
def test_an_answer_is_lost(platform, broker, reviewers, cashier, card, amount, lost):
    platform.switch(card_state=card)
    _, payment, order = paid(platform, broker, reviewers)
    platform.switch(lose_action=lost)
    ask(cashier, payment, amount)
    unknown = in_state(cashier, payment, "unknown")
    assert unknown["again"] is None and unknown["pay_out"] is None, "nobody may pay what may be paid already"
    assert cashier.post(f"/refunds/{unknown['id']}/pay-out", {"reference": "T"}).status_code == 409
    await_("the loss", lambda: [r for r in platform.books()["requests"] if r["failed"] == "lost" and
                                r["fields"].get("MerchantTradeNo") == order])
    until_done(platform, cashier, payment)
    assert [o["refunded"] for o in platform.books()["orders"] if o["order"] == order] == [amount]


def process(platform, *words):
    found = [pid for pid, line in conftest.processes_of(platform.folder) if all(w in line for w in words)
             and "fwpermit-worker" in line]
    assert len(found) == 1, (words, found)
    return found[0]


@pytest.mark.parametrize("who", ["pump", "ecpay"])
def test_a_process_is_killed_while_it_pays_back(platform, broker, reviewers, cashier, who):
    """In the middle of the gateway's slow answers."""
    platform.expect(rf"FWP0006: .*{who}.* ended|FWP2107|client dropped")
    _, payment, order = paid(platform, broker, reviewers)
    platform.switch(slow_ms=700)
    ask(cashier, payment)
    in_state(cashier, payment, "unknown")
    os.kill(process(platform, who), signal.SIGKILL)
    platform.switch(slow_ms=0)
    until_done(platform, cashier, payment)
    assert [o["refunded"] for o in platform.books()["orders"] if o["order"] == order] == [1000]
    assert len([a for a in platform.books()["actions"] if a["order"] == order and a["done"]]) == 1


def test_a_gateway_that_is_down_is_asked_again(platform, broker, reviewers, cashier):
    platform.expect("FWP2107")
    _, payment, _ = paid(platform, broker, reviewers)
    platform.switch(fail="nonsense")
    ask(cashier, payment)
    await_("a query in vain", lambda: platform.sql("SELECT 1 FROM outbox WHERE op = 'payment.refund' AND attempt > 0 "
                                                   "AND state = 'ready'"))
    assert refund(cashier, payment)["state"]["code"] == "asked"
    platform.switch(fail="none")
    until_done(platform, cashier, payment)


# ---- in a browser, without script ----

def test_by_hand_in_a_browser(platform, broker, reviewers, cashier):
    platform.expect("FWP2112 payment.refund")
    _, payment, _ = paid(platform, broker, reviewers, method="cvs")
    browser = Browser(platform.base, login="cashier")
    here = f"/refunds/payments/{payment}"
    page = browser.send(browser.get(here).form_to(here), amount="2000", reason="too much")
    assert "more than is left" in page.text
    page = browser.send(page.form_to(here), amount="1000", reason="paid by mistake")
    assert "The refund is asked for" in page.text
    manual = in_state(cashier, payment, "manual")
    page = browser.send(browser.get(here).form_to(manual["pay_out"]))
    assert "give the reference" in page.text
    page = browser.send(page.form_to(manual["pay_out"]), reference="CHQ-1")
    assert "Noted as paid back" in page.text and "CHQ-1" in page.text
    assert "Void" in browser.get("/receipts").text


# ---- a receipt issued anew ----

def receipts(cashier):
    return {r["number"]: r for r in cashier.see("/receipts")["receipts"]}


def test_a_receipt_is_voided_and_issued_anew(platform, broker, reviewers, cashier):
    case, payment, _ = paid(platform, broker, reviewers)
    page = page_of(cashier, payment)
    old = page["receipt_no"]
    refused(cashier, page["renew"], {"reason": ""}, 422, "reason", "case.reason_missing")
    refused(cashier, page["renew"], {"reason": "x" * 501}, 422, "reason", "refund.too_long")
    refused(cashier, page["renew"], {"reason": "x", "version": page["version"] + 1}, 409, None, "receipt.stale")
    for person in (broker, reviewers[0]):
        assert person.post(page["renew"], {"reason": "x"}).status_code in (403, 404)
    cashier.do(page["renew"], {"reason": "x" * 500, "version": page["version"]})
    page = page_of(cashier, payment)
    first, new = old, page["receipt_no"]
    assert int(new) == int(old) + 1 and [(v["number"], v["reason"]) for v in page["voids"]] == [(old, "x" * 500)]
    papers = await_("the new receipt", lambda: [d for d in broker.see(f"/cases/{case}")["documents"] if d["kind"] == "receipt" and d["number"] == new])
    both = {d["number"]: d["is_void"] for d in broker.see(f"/cases/{case}")["documents"] if d["kind"] == "receipt"}
    assert both == {old: True, new: False}
    words = text(broker.get(papers[0]["href"]).content)
    assert new in words and "Inplaceofthevoidreceipt" in words and old in words
    listed = receipts(cashier)
    assert listed[old]["replaced"] == {"by": new, "reason": "x" * 500} and listed[new]["replaced"] is None
    assert listed[old]["href"] != listed[new]["href"] and listed[old]["amount"] == listed[new]["amount"] == 1000
    for number in (old, new):
        assert cashier.get(listed[number]["href"]).status_code == 200
    assert broker.see(f"/payments/{payment}")["receipt"]["number"] == new
    history = [h for h in broker.see(f"/cases/{case}")["history"] if h["kind"] == "receipt.renew"]
    assert [(h["who"], h["reason"]) for h in history] == [("Officer", "x" * 500)]
    await_("the notice", lambda: [m for m in platform.mails() if "收據已重新開立" in m["subject"]])
    for lang, words in (("en", ("replaced by", "An earlier receipt", "Void the receipt")), ("zh-Hant", ("重開為", "先前的收據", "作廢並重開收據"))):
        html = {"Accept": "text/html", "Accept-Language": lang}
        assert words[0] in cashier.get("/receipts", headers=html).text
        seen = cashier.get(f"/refunds/payments/{payment}", headers=html).text
        assert words[1] in seen and words[2] in seen
    cashier.do(page["renew"], {"reason": "once more"})
    assert [v["number"] for v in page_of(cashier, payment)["voids"]] == [new, first]
    without_gap(platform)


def without_gap(platform):
    numbers = sorted(n for (n,) in platform.sql("SELECT receipt_no FROM payment WHERE receipt_no > 0 UNION ALL SELECT number FROM receipt_void"))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_two_cashiers_at_one_receipt(platform, broker, reviewers, cashier):
    _, payment, _ = paid(platform, broker, reviewers)
    page = page_of(cashier, payment)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: cashier.post(page["renew"], {"reason": "torn", "version": page["version"]}), range(4)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409], [a.text for a in answers]
    assert len(page_of(cashier, payment)["voids"]) == 1
    without_gap(platform)


def test_what_went_back_is_not_issued_anew(platform, broker, reviewers, cashier):
    _, payment, _ = paid(platform, broker, reviewers)
    ask(cashier, payment)
    in_state(cashier, payment, "done")
    assert page_of(cashier, payment)["renew"] is None
    refused(cashier, f"/receipts/payments/{payment}/renew", {"reason": "x"}, 409, None, "receipt.is_void")
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    waiting = flow.begin_payment(broker, case)
    refused(cashier, f"/receipts/payments/{waiting}/renew", {"reason": "x"}, 409, None, "receipt.none")
