"""The fines system, as a stand-in behind X-Road that keeps books of its own: filed late, told, held until it is settled, and on by
itself; with the fines system down in between."""
import pytest
import requests

import flow
import xroad_plugin
from platform_under_test import await_, said

import pki  # pylint: disable=wrong-import-order
from play import Fines  # pylint: disable=wrong-import-order


@pytest.fixture(scope="module", name="program")
def running_program(tmp_path_factory):
    program = Fines(pki.make(tmp_path_factory.mktemp("pki")))
    yield program
    assert program.stop() == (0, "", "")


@pytest.fixture(scope="module", autouse=True, name="with_plugin")
def platform_with_it(program, platform):
    xroad_plugin.attach(platform, program, "fines", "penalty", "TW/GOV/NIA/fines")


AS_IT_IS = {"fail": "none", "decides": "at_once", "times": 0, "twice": False, "mixed_up": False}


@pytest.fixture(name="fines")
def fines_as_they_were(program):
    """The fines system as it decides by itself; what it noted about requests of ours must be nothing."""
    program.switch(**AS_IT_IS)
    yield program
    program.switch(**AS_IT_IS)
    assert [r["faults"] for r in program.requests() if r["faults"]] == []


def late_draft(platform, person, days, **changes):
    """A draft for a worker whose time to apply ended so many days ago. The border tells that in service; here the worker's row does."""
    worker = flow.register(person)
    end = flow.datetime.datetime.combine(flow.TODAY - flow.datetime.timedelta(days=days), flow.datetime.time(15, 59, 59, 999999),
                                         flow.datetime.timezone.utc)
    platform.sql(f"UPDATE worker SET entered = '{flow.iso(-days - 30)}', file_by = {round(end.timestamp() * 1000000)} WHERE id = {worker}")
    return flow.fill(person, flow.open_case(person, worker), **changes)


def late_case(platform, person, days):
    case = late_draft(platform, person, days)
    return case, flow.submit(person, case)


def page(person, case):
    return person.see(f"/cases/{case}")


def book(fines, case_no):
    """What the fines system was told of the case."""
    return next((r["told"] for r in fines.books()["cases"] if r["told"]["case_no"] == case_no), None)


def fine_of(fines, case_no):
    return next((r["fine"] for r in fines.books()["fines"] if r["fine"]["case_no"] == case_no), None)


def await_fee(fines, case_no, state):
    return await_(f"fee {state}", lambda: (book(fines, case_no) or {}).get("fee", {}).get("state") == state and book(fines, case_no))


def await_state(person, case, state):
    return await_(f"state {state}", lambda: flow.state(person, case) == state and page(person, case))


def mails_of(platform, case_no):
    return [m["subject"] for m in platform.mails() if case_no in m["subject"]]


def settle_at_the_desk(fines, fine_no, state="paid"):
    """As a person does on the fines system's own page."""
    shown = requests.get(fines.desk, timeout=30).text
    assert fine_no in shown
    answer = requests.post(fines.desk + "/change", data={"fine_no": fine_no, "state": state}, timeout=30)
    assert answer.status_code == 200, answer.text


def held(platform, person, reviewers, case):
    flow.approve(platform, case, reviewers)
    flow.pay(platform, person, case)
    return await_state(person, case, "held")


# ---- the whole way ----

def test_filed_late_held_and_on_by_itself(platform, fines, broker, reviewers):
    case, no = late_case(platform, broker, 12)
    told = await_("the filing", lambda: book(fines, no))
    assert (told["service"], told["days_late"], told["fee"]) == ("epermit", "12", {"amount": "0", "state": "none"})
    assert (told["entered"], told["deadline"], told["filed"]) == (flow.iso(-42), flow.iso(-12), flow.iso())
    assert told["person"]["name_latin"] == "NGUYEN VAN ANH" and told["person"]["sex"] == "M"
    penalty = await_("the fine", lambda: (page(broker, case)["penalty"] or {}).get("fines") and page(broker, case)["penalty"])
    fine = penalty["fines"][0]
    assert (fine["amount"], fine["state"]["code"], fine["is_open"]) == (4000, "open", True)
    assert "85(2)" in fine["rule"] and "post office" in fine["pay_how"] and fine["pay_by"] == flow.iso(30)
    assert (penalty["owed"], penalty["waits"], penalty["holds"], penalty["late"]["days"]) == (4000, False, False, 12)
    assert "4000" in penalty["text"] and flow.iso(-12) in penalty["late"]["text"] and "10000" in penalty["late"]["band"]
    flow.approve(platform, case, reviewers)
    assert await_fee(fines, no, "unpaid")["fee"]["amount"] == "1000"
    flow.pay(platform, broker, case)
    shown = await_state(broker, case, "held")
    assert shown["penalty"]["holds"] and "by itself" in shown["penalty"]["text"] and shown["todo"] is None
    assert {d["kind"] for d in shown["documents"]} <= {"filing", "receipt"}
    assert await_fee(fines, no, "paid")["fee"]["paid_at"]
    assert [line["id"] for line in broker.see("/cases?state=held")["cases"]] == [case]
    settle_at_the_desk(fines, fine["fine_no"])
    shown = flow.issued(platform, broker, case)
    assert shown["penalty"]["owed"] == 0 and shown["penalty"]["fines"][0]["state"]["code"] == "paid"
    kinds = [e["kind"] for e in reversed(shown["history"])]
    assert [k for k in kinds if k in ("fine.open", "payment.settle", "case.held", "fine.paid", "fine.take", "case.producing")] == [
        "fine.open", "payment.settle", "case.held", "fine.paid", "fine.take", "case.producing"]
    assert next(e["reason"] for e in shown["history"] if e["kind"] == "fine.open") == f"{fine['fine_no']}: NT$ 4000"
    await_("the mails", lambda: len([s for s in mails_of(platform, no) if "fine" in s.lower() or "held" in s
                                     or "罰鍰" in s or "暫停發證" in s]) == 3)


def test_the_fines_system_is_down_in_between(platform, fines, broker, reviewers):
    platform.expect(r"FWP2107 plugin fines")
    fines.switch(fail="down")
    case, no = late_case(platform, broker, 3)
    penalty = page(broker, case)["penalty"]
    assert penalty["waits"] and penalty["fines"] == [] and "has not answered" in penalty["text"]
    held(platform, broker, reviewers, case)
    penalty = page(broker, case)["penalty"]
    assert penalty["waits"] and penalty["holds"] and "safe" in penalty["text"]
    assert await_("that the link is told", lambda: page(broker, case)["penalty"]["link"])["port"] == "penalty"
    assert book(fines, no) is None
    fines.switch(fail="none")
    penalty = await_("its answer", lambda: page(broker, case)["penalty"]["owed"] and page(broker, case)["penalty"])
    assert penalty["owed"] == 2000 and flow.state(broker, case) == "held" and penalty["link"] is None
    assert await_fee(fines, no, "paid")["version"] == "3"
    settle_at_the_desk(fines, fine_of(fines, no)["fine_no"], "waived")
    assert flow.issued(platform, broker, case)["penalty"]["fines"][0]["state"]["code"] == "waived"


def test_in_time_is_told_and_held_by_nothing(platform, fines, broker, reviewers):
    case = flow.draft(broker)
    no = flow.submit(broker, case)
    assert await_("the filing", lambda: book(fines, no))["days_late"] == "0"
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    flow.issued(platform, broker, case)
    assert await_fee(fines, no, "paid")["days_late"] == "0"
    assert page(broker, case)["penalty"] is None and fine_of(fines, no) is None


def test_it_answers_later(platform, fines, broker, reviewers):
    fines.switch(decides="later")
    case, no = late_case(platform, broker, 95)
    await_("the filing", lambda: book(fines, no))
    held(platform, broker, reviewers, case)
    assert page(broker, case)["penalty"]["waits"]
    assert requests.post(fines.desk + "/set", data={"case_no": no}, timeout=30).status_code == 200
    assert await_("the fine", lambda: page(broker, case)["penalty"]["owed"]) == 10000
    assert flow.state(broker, case) == "held"
    fines.done("change", fine_no=fine_of(fines, no)["fine_no"], state="cancelled")
    flow.issued(platform, broker, case)


def test_it_sets_no_fine(platform, fines, broker, reviewers):
    fines.switch(decides="never")
    case, no = late_case(platform, broker, 1)
    await_("its answer", lambda: page(broker, case)["penalty"]["waits"] is False)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    flow.issued(platform, broker, case)
    assert fine_of(fines, no) is None and page(broker, case)["penalty"]["late"]["days"] == 1


def test_withdrawn_it_owes_no_fee(platform, fines, broker, reviewers):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    no = page(broker, case)["case"]["case_no"]
    await_fee(fines, no, "unpaid")
    broker.do(f"/cases/{case}/withdraw")
    assert await_fee(fines, no, "none")["version"] == "3"


# ---- what comes twice, late, or wrong ----

def test_a_fee_that_went_back_is_told(platform, fines, broker, reviewers):
    case = flow.filed(broker)
    no = page(broker, case)["case"]["case_no"]
    flow.approve(platform, case, reviewers)
    payment = flow.pay(platform, broker, case)
    flow.issued(platform, broker, case)
    paid = await_fee(fines, no, "paid")
    cashier = platform.of("cashier")

    def refund(amount):
        page_of = f"/refunds/payments/{payment}"
        cashier.do(page_of, {"amount": str(amount), "reason": "by mistake"}, status=202)
        await_("the refund", lambda: all(r["state"]["code"] == "done" for r in cashier.see(page_of)["refunds"]))
    refund(400)
    assert book(fines, no)["fee"] == paid["fee"] and book(fines, no)["version"] == paid["version"]  # who can say what a part is for
    refund(600)
    told = await_fee(fines, no, "refunded")
    assert told["fee"] == {"amount": "1000", "state": "refunded", "paid_at": paid["fee"]["paid_at"]}
    assert int(told["version"]) == int(paid["version"]) + 1


def refusals(platform):
    return [r for (r,) in platform.sql("SELECT reason FROM inbox WHERE plugin = 'fines' AND state IN ('refused', 'dead') ORDER BY id")]


def await_read(platform, fines):
    await_("all fetched", lambda: all(m["acked"] for m in fines.books()["messages"]))
    await_("all read", lambda: not platform.sql("SELECT 1 FROM inbox WHERE plugin = 'fines' AND state IN ('ready', 'leased')"))


def test_an_older_word_changes_nothing(platform, fines, broker):
    case, no = late_case(platform, broker, 2)
    first = await_("the fine", lambda: fine_of(fines, no))
    await_("it is known", lambda: page(broker, case)["penalty"]["owed"])
    fines.done("change", fine_no=first["fine_no"], state="paid")
    await_("paid", lambda: page(broker, case)["penalty"]["owed"] == 0)
    fines.switch(twice=True)
    fines.done("push", fines=[first])
    await_read(platform, fines)
    fines.switch(twice=False)
    known = page(broker, case)["penalty"]["fines"]
    assert [f["state"]["code"] for f in known] == ["paid"]
    assert platform.sql(f"SELECT told, version FROM fine WHERE fine_no = '{first['fine_no']}'") == [(2, 2)]


ODD = [({"case_no": "1990000001"}, "fine.case_unknown"), ({"amount": 1000001}, "fine.amount"), ({"amount": 0}, "fine.amount"),
       ({"set": flow.iso(3), "pay_by": None}, "fine.set"), ({"state": "paid", "paid_at": "2001-01-01T00:00:00Z"}, "fine.paid_at"),
       ({"pay_by": "2001-01-01"}, "pay_by: before set"), ({"state": "paid"}, "paid_at: missing"),
       ({"amount": -1}, "not as the schema has it"), ({"state": "eaten"}, "not as the schema has it"),
       ({"case_no": "x" * 40}, "not as the schema has it")]


def test_what_cannot_be_is_kept_and_refused(platform, fines, broker):
    platform.expect(r"FWP210[456] ")
    case, no = late_case(platform, broker, 5)
    await_("the fine", lambda: page(broker, case)["penalty"]["owed"])
    before, known = page(broker, case)["penalty"], fine_of(fines, no)
    for changes, why in ODD:
        n = len(refusals(platform))
        fines.done("push", fines=[{k: v for k, v in {**known, "version": 2, **changes}.items() if v is not None}])
        told = await_(why, lambda: len(refusals(platform)) > n and refusals(platform)[-1])
        assert why in told, (changes, told)
    n = len(refusals(platform))
    fines.done("push", body_base64="AP/+eA==")
    await_("nonsense", lambda: len(refusals(platform)) > n)
    assert page(broker, case)["penalty"] == before
    admin = platform.of("admin")
    assert any("fine.case_unknown" in (m["reason"] or "") for m in admin.see("/admin")["messages"])


def test_a_fine_of_another_case_is_no_answer(platform, fines, broker):
    platform.expect(r"FWP210[56] ")
    case, _ = late_case(platform, broker, 4)
    await_("the fine", lambda: page(broker, case)["penalty"]["owed"])
    fines.switch(mixed_up=True)
    other, no = late_case(platform, broker, 4)
    letter = await_("a dead letter", lambda: platform.sql(
        f"SELECT reason FROM outbox WHERE op = 'penalty.put' AND state = 'dead' AND aggregate_id = {other}"))
    assert "another case" in letter[0][0]
    fines.switch(mixed_up=False)
    assert page(broker, other)["penalty"]["waits"]  # so it would be held
    platform.of("admin").do(f"/review/{other}/ask-fines", status=202)  # the answer to the same id would be the same
    assert await_("the fine", lambda: page(broker, other)["penalty"]["owed"]) == 2000 and fine_of(fines, no)


# ---- officers ----

def test_officers_see_it_and_ask_again(platform, fines, broker, reviewers):
    case, no = late_case(platform, broker, 20)
    fine = await_("the fine", lambda: page(broker, case)["penalty"]["owed"] and fine_of(fines, no))
    held(platform, broker, reviewers, case)
    for who, where in (("dispatcher", "/dispatch?state=held"), ("cashier", "/receipts?list=held")):
        shown = platform.of(who).see(where)
        assert [line["case_no"] for line in shown["cases"] if line["case_no"] == no], where
        assert [t["current"] for t in shown["tabs"]].count(True) == 1
    assert all(line["assign_action"] is None for line in platform.of("dispatcher").see("/dispatch?state=held")["cases"])
    seen = reviewers[0].see(f"/review/{case}")
    assert seen["penalty"]["owed"] == 4000 and seen["penalty"]["late"]["days"] == 20
    fines.done("change", fine_no=fine["fine_no"], state="paid", push=False)  # its message is lost
    assert broker.post(f"/review/{case}/ask-fines").status_code in (403, 404)
    assert platform.of("cashier").post(f"/review/{case}/ask-fines").status_code in (403, 404)
    assert flow.state(broker, case) == "held"
    answer = reviewers[0].do(seen["ask_fines"]["action"], status=202)
    assert answer["verdict"] == "accepted"
    flow.issued(platform, broker, case)


def test_a_draft_owes_nothing_and_cannot_be_asked_about(platform, fines, broker):
    case = flow.draft(broker)
    assert page(broker, case)["penalty"] is None and fines
    answer = platform.of("admin").post(f"/review/{case}/ask-fines")
    assert answer.status_code == 409 and said(answer)["errors"][0]["key"] == "case.state"
