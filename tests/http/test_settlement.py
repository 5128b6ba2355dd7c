"""The settlement of a day: our payments and refunds beside the gateway's file; what differs is listed, and nothing changes by it."""
import datetime

import flow
import pytest
from browser import Browser
from platform_under_test import await_

TAIPEI = datetime.timezone(datetime.timedelta(hours=8))


@pytest.fixture(autouse=True)
def gateway_as_ever(platform):
    yield
    platform.switch(media="whole", fail="none")


@pytest.fixture
def cashier(platform):
    return platform.of("cashier")


@pytest.fixture(scope="module")
def days(platform, broker, reviewers):
    """Two payments, one of them paid back in part; all of it yesterday, here and at the gateway."""
    orders = []
    for _ in range(2):
        case = flow.filed(broker)
        flow.approve(platform, case, reviewers)
        payment = flow.pay(platform, broker, case)
        orders.append((payment, broker.see(f"/payments/{payment}")["order_no"]))
    cashier = platform.of("cashier")
    cashier.do(f"/refunds/payments/{orders[0][0]}", {"amount": "400", "reason": "r"}, status=202)
    await_("the refund", lambda: cashier.see(f"/refunds/payments/{orders[0][0]}")["refunds"][0]["state"]["code"] == "done")
    return {"yesterday": a_day_ago(platform), "orders": orders}


def a_day_ago(platform):
    """All that was paid and paid back happened a day before, by our books and by the gateway's."""
    platform.control("yesterday", order="ALL")
    for statement in ("UPDATE payment SET paid = paid - 86400000000 WHERE paid > 0",
                      "UPDATE refund SET sent = sent - 86400000000, ended = ended - 86400000000 WHERE ended > 0"):
        platform.sql(statement)
    return (datetime.datetime.now(TAIPEI) - datetime.timedelta(days=1)).date().isoformat()


def settled(cashier, day):
    def there():
        page = cashier.see(f"/settlements/{day}")
        return page if page["state"]["code"] != "asked" else None
    return await_("the settlement", there)


def settle(cashier, day):
    answer = cashier.post("/settlements", {"day": day})
    assert answer.status_code == 202 or "settlement.under_way" in answer.text, answer.text
    return settled(cashier, day)


def test_a_day_that_is_even(platform, cashier, days):
    page = settle(cashier, days["yesterday"])
    assert page["state"]["code"] == "even" and page["differences"] == []
    assert (page["lines"], page["taken"], page["paid_back"], page["fees"]) == (3, 2000, 400, 40)
    before = platform.sql("SELECT * FROM payment ORDER BY id")
    again = settle(cashier, days["yesterday"])
    assert {k: again[k] for k in ("lines", "taken", "paid_back", "fees", "differences")} == \
        {k: page[k] for k in ("lines", "taken", "paid_back", "fees", "differences")}
    assert platform.sql("SELECT * FROM payment ORDER BY id") == before, "a settlement changes no payment"
    assert [d["day"] for d in cashier.see("/settlements")["days"]] == [days["yesterday"]]


@pytest.mark.parametrize("media,what,ours,theirs", [("missing", "missing_there", 1000, 0), ("other_amount", "amount", 1000, 1001),
                                                    ("stranger", "missing_here", 0, 1000)])
def test_what_differs_is_listed(platform, cashier, days, media, what, ours, theirs):
    platform.expect("FWP2113")
    platform.switch(media=media)
    page = settle(cashier, days["yesterday"])
    assert page["state"]["code"] == "differs" and page["n_differences"] == 1
    found = page["differences"][0]
    assert (found["what"], found["kind"], found["ours"], found["theirs"]) == (what, "payment", ours, theirs)
    order = {"missing": days["orders"][0][1], "other_amount": days["orders"][0][1], "stranger": "NOSUCHORDER000000000"}[media]
    assert found["order_no"] == order
    assert found["href"] == (None if media == "stranger" else f"/refunds/payments/{days['orders'][0][0]}")
    platform.switch(media="whole")
    assert settle(cashier, days["yesterday"])["state"]["code"] == "even", "run again: the newest result counts"


def test_a_refund_that_the_gateway_does_not_know(platform, cashier, days):
    platform.expect("FWP2113")
    platform.sql("UPDATE refund SET amount = 401 WHERE amount = 400")
    page = settle(cashier, days["yesterday"])
    platform.sql("UPDATE refund SET amount = 400 WHERE amount = 401")
    assert [(d["what"], d["kind"], d["ours"], d["theirs"]) for d in page["differences"]] == [
        ("missing_here", "refund", 0, 400), ("missing_there", "refund", 401, 0)]


def test_money_that_we_do_not_know_of(platform, cashier, days):
    platform.expect("FWP2113")
    platform.sql("UPDATE payment SET state = 'expired' WHERE order_no = ?", days["orders"][1][1])
    page = settle(cashier, days["yesterday"])
    platform.sql("UPDATE payment SET state = 'paid' WHERE order_no = ?", days["orders"][1][1])
    assert [(d["what"], d["order_no"]) for d in page["differences"]] == [("missing_here", days["orders"][1][1])]


@pytest.mark.parametrize("media", ["half_line", "another_merchant", "twice", "no_column"])
def test_a_file_that_is_no_good_settles_nothing(platform, cashier, days, media):
    """It is asked for again later, and what was found before stands until then."""
    platform.expect("FWP2107")
    before = settle(cashier, days["yesterday"])
    platform.switch(media=media)
    cashier.do("/settlements", {"day": days["yesterday"]}, status=202)
    reason = await_("its reason", lambda: platform.sql("SELECT reason FROM outbox WHERE op = 'payment.settlement' AND "
                                                       "state = 'ready' AND reason IS NOT NULL"))[0][0]
    assert days["yesterday"] in reason and "line" in reason
    page = cashier.see(f"/settlements/{days['yesterday']}")
    assert page["state"]["code"] == "asked" and page["lines"] == before["lines"]
    platform.switch(media="whole")
    platform.sql("UPDATE outbox SET not_before = 0 WHERE state = 'ready'")
    assert settled(cashier, days["yesterday"])["state"]["code"] == "even"


@pytest.mark.parametrize("fields,status,key", [({}, 422, "settlement.day"), ({"day": ""}, 422, "settlement.day"),
                                               ({"day": "2026-02-30"}, 422, "settlement.day"), ({"day": "yesterday"}, 422, "settlement.day"),
                                               ({"day": "2026-01-01", "x": "1"}, 422, "field.unknown"), ({"day": "2199-01-01"}, 409, "settlement.not_over")])
def test_days_that_cannot_be(platform, cashier, fields, status, key):
    with platform.nothing_changes():
        answer = cashier.post("/settlements", fields)
        assert answer.status_code == status and key in answer.text, answer.text
        today = datetime.datetime.now(TAIPEI).date().isoformat()
        assert "settlement.not_over" in cashier.post("/settlements", {"day": today}).text
    assert cashier.get("/settlements/2001-01-01").status_code == 404
    assert platform.of("reviewer1").get("/settlements").status_code in (403, 404)


def test_in_a_browser(platform, cashier, days):
    browser = Browser(platform.base, login="cashier")
    page = browser.send(browser.get("/settlements").form_to("/settlements"), day="soon")
    assert "YYYY-MM-DD" in page.text
    page = browser.send(page.form_to("/settlements"), day=days["yesterday"])
    settled(cashier, days["yesterday"])
    page = browser.get(f"/settlements/{days['yesterday']}")
    assert "Even" in page.text and "NT$ 2000" in page.text.replace(",", "")


def test_the_clock_asks_by_itself(platform, cashier, days):
    """Nothing is there of yesterday: the next round asks, unless the day before has not been over for three hours."""
    now = datetime.datetime.now(TAIPEI)
    over = now.hour >= 3
    platform.sql("DELETE FROM settlement")
    if over:
        page = await_("the nightly settlement", lambda: cashier.get(f"/settlements/{days['yesterday']}").status_code == 200)
        assert page and settled(cashier, days["yesterday"])["state"]["code"] == "even"
        records = platform.sql("SELECT actor FROM audit WHERE command = 'settlement.ask' ORDER BY at DESC LIMIT 1")
        assert records == [("system",)]
