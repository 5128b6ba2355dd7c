"""penalty_xroad: what is told of a case, fines found, polled, acknowledged and told as facts; what cannot be is refused with its
reason. The transport itself is proved by test_xroad.py."""
import json

import pytest
from lxml import etree

import fines_system
import pki
import xroad_end
from host import PLUGINS, ROOT, Process
from play import Fines

NS = "urn:fwpermit:penalty:1"
EXAMPLE = json.loads((ROOT / "docs/contracts/penalty.json").read_text(encoding="utf-8"))["$defs"]["put.request"]["examples"][0]
CASE = EXAMPLE["case_no"]
FINE = {"fine_no": "F115-000371", "case_no": CASE, "version": 1, "state": "open", "reason": "late_filing", "amount": 2000,
        "set": "2026-12-20", "pay_by": "2027-01-19", "rule": "第85條第2款 <A&B>", "pay_how": "超商或郵局 / a store or post office"}
PAID = {**FINE, "version": 2, "state": "paid", "paid_at": "2026-12-22T03:11:00Z"}


@pytest.fixture(scope="module", name="program")
def running_program(tmp_path_factory):
    program = Fines(pki.make(tmp_path_factory.mktemp("pki")))
    yield program
    assert program.stop() == (0, "", "")


class End(xroad_end.End):
    plugin, serves, provider, schema = "penalty_xroad", "penalty", "TW/GOV/NIA/fines", ROOT / "docs/contracts/penalty-1.xsd"


@pytest.fixture(scope="module", name="ends")
def one_of_each(program):
    both = {protocol: End(program, protocol=protocol) for protocol in ("rest", "soap")}
    yield both
    for end in both.values():
        log = end.log
        assert "C1234567" not in log and "NGUYEN" not in log, "personal data in the log"
        assert end.stop() == 0


@pytest.fixture(name="fines")
def empty_books(program):
    program.done("reset")
    yield program
    assert [f for r in program.requests() for f in r["faults"]] == []


@pytest.fixture(params=["rest", "soap"], name="end")
def by_both_protocols(ends, request, fines):
    assert fines
    return ends[request.param]


def document(*fines, **more):
    """A message as the fines system would write it, whether or not it makes sense."""
    root = etree.Element(f"{{{NS}}}fineMessage", nsmap={None: NS})
    fines_system.add(root, "id", "m-1")
    fines_system.add(root, "sent", "2026-12-22T03:12:00Z")
    fines_system.add_fines(root, [{k: v for k, v in {**f, **more}.items() if v is not None} for f in fines])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


# ---- put, find

def test_a_case_is_told_whole(end, fines):
    answer = end.ask("put", {**EXAMPLE, "days_late": 0})
    assert (answer["rc"], answer["reply"]) == ("ok", {"fines": []})
    told = fines.books()["cases"][0]["told"]
    assert told == {**EXAMPLE, "version": "1", "days_late": "0", "fee": {"amount": "1000", "state": "unpaid"}}
    paid = {**EXAMPLE, "version": 2, "days_late": 0, "fee": {"amount": 1000, "state": "paid", "paid_at": "2026-12-20T01:02:03Z"},
            "person": {**EXAMPLE["person"], "ui_no": "A800000014", "name_zh": "阮文英"}}
    assert end.ask("put", paid)["rc"] == "ok"
    told = fines.books()["cases"][0]["told"]
    assert told["fee"] == {"amount": "1000", "state": "paid", "paid_at": "2026-12-20T01:02:03Z"} and told["person"]["name_zh"] == "阮文英"
    assert end.ask("put", {**EXAMPLE, "days_late": 0})["rc"] == "ok"  # the older one, late
    assert fines.books()["cases"][0]["told"]["version"] == "2"


@pytest.mark.parametrize("days,amount", [(1, 2000), (10, 2000), (11, 4000), (31, 6000), (61, 8000), (91, 10000), (36500, 10000)])
def test_a_fine_by_its_band(end, days, amount):
    fine = end.ask("put", {**EXAMPLE, "days_late": days})["reply"]["fines"][0]
    assert (fine["amount"], fine["state"], fine["version"], fine["case_no"]) == (amount, "open", 1, CASE)
    assert end.ask("find", {"case_no": CASE})["reply"] == {"fines": [fine]}


def test_it_comes_later(end, fines):
    fines.switch(decides="later")
    answer = end.ask("put", EXAMPLE)
    assert (answer["rc"], answer["reply"]) == ("pending", {}) and "message" in answer["reason"]
    fine = fines.done("set", case_no=CASE)
    assert end.tell(end.poll()[0][1])["reply"] == {"facts": [{"fact": "fine", "fine": fine}]}


@pytest.mark.parametrize("fail", ["reset", "half", "serverproxy", "http500"])
def test_a_lost_answer_is_asked_for_again(end, fines, fail):
    """The deed may have been done: the same version changes nothing there."""
    fines.switch(fail=fail, after=True)
    assert end.ask("put", EXAMPLE, key="k")["rc"] == "tempfail"
    fines.switch(fail="none")
    assert len(end.ask("put", EXAMPLE, key="k")["reply"]["fines"]) == 1
    assert len(fines.books()["cases"]) == 1 and len(fines.books()["fines"]) == 1


@pytest.mark.parametrize("changes,why", [
    ({"case_no": "1150000099"}, "case_no: another case"), ({"paid_at": "2026-12-22T03:11:00Z"}, "the state is not paid"),
    ({"state": "paid"}, "paid_at: missing"), ({"pay_by": "2026-12-19"}, "pay_by: before set")])
def test_an_answer_that_cannot_be(end, fines, changes, why):
    fines.switch(mixed_up=True, decides="never")
    fines.done("set", push=False, **{**FINE, **changes})
    answer = end.ask("find", {"case_no": CASE})
    assert answer["rc"] == "permfail" and answer["reason"] == f"the answer: fine 1, {answer['reason'].split(', ', 1)[1]}" and why in answer["reason"]


def test_the_same_fine_twice_in_an_answer(end, fines):
    for state in ("open", "waived"):
        fines.done("set", push=False, **{**FINE, "state": state})
    assert "fine 2, fine_no: twice" in end.ask("find", {"case_no": CASE})["reason"]


@pytest.mark.parametrize("n,rc", [(50, "ok"), (51, "tempfail")])
def test_fines_of_one_case(ends, fines, n, rc):
    for i in range(n):
        fines.done("set", push=False, **{**FINE, "fine_no": f"F{i}"})
    assert ends["rest"].ask("find", {"case_no": CASE})["rc"] == rc


def test_it_refuses(end, fines):
    fines.switch(fail="fault")
    answer = end.ask("put", EXAMPLE)
    assert answer["rc"] == "rejected" and "NOT_ALLOWED" in answer["reason"] and "王" not in answer["reason"]


# ---- messages

KINDS = [FINE, PAID, {**FINE, "state": "waived"}, {**FINE, "state": "cancelled", "amount": 0}, {**FINE, "reason": "overstay"},
         {k: v for k, v in FINE.items() if k not in ("pay_by", "rule", "pay_how")}, {**FINE, "amount": 199999999, "version": 999999999},
         {**FINE, "pay_by": FINE["set"], "pay_how": "x" * 500}]


@pytest.mark.parametrize("fine", KINDS)
def test_every_kind_of_fine(ends, fines, fine):
    assert ends["rest"].tell(document(fine))["reply"] == {"facts": [{"fact": "fine", "fine": fine}]} and fines


@pytest.mark.parametrize("changes", [
    {"state": "eaten"}, {"amount": -1}, {"amount": 200000000}, {"version": 0}, {"set": "2026-02-30"}, {"fine_no": ""}, {"reason": "x"},
    {"case_no": "x"}, {"fine_no": None}, {"paid_at": "2026-12-22T03:11:00"}, {"pay_how": "x" * 501}, {"odd": "1"}, {"amount": "1.5"}])
def test_off_the_schema(ends, fines, changes):
    answer = ends["rest"].tell(document(FINE, **changes))
    assert answer["rc"] == "rejected" and "not as the schema has it" in answer["reason"] and fines


@pytest.mark.parametrize("fine,why", [({**PAID, "paid_at": None}, "paid_at: missing"), ({**FINE, "paid_at": PAID["paid_at"]}, "not paid"),
                                      ({**FINE, "pay_by": "2026-12-19"}, "pay_by")])
def test_a_message_that_cannot_be(ends, fines, fine, why):
    answer = ends["rest"].tell(document(FINE, {**fine, "fine_no": "F2"}))
    assert answer["rc"] == "rejected" and "the message: fine 2, " in answer["reason"] and why in answer["reason"] and fines
    assert ends["rest"].tell(document(FINE), "web")["rc"] == "rejected"


def test_poll_and_acknowledge(end, fines):
    end.ask("put", EXAMPLE)
    fine = end.ask("find", {"case_no": CASE})["reply"]["fines"][0]
    fines.done("change", fine_no=fine["fine_no"], state="paid")
    fines.done("change", fine_no=fine["fine_no"], state="open")
    polled = end.poll()
    assert [i for i, _ in polled] == ["fines-1", "fines-2"] and [i for i, _ in end.poll(1)] == ["fines-1"]
    assert [end.tell(b)["reply"]["facts"][0]["fine"]["version"] for _, b in polled] == [2, 3]
    assert end.ask("ack", {"ids": ["fines-1", "never-heard-of"]})["reply"] == {}
    assert end.poll() == polled[1:]
    assert end.ask("ack", {"ids": ["fines-1", "fines-2"]})["rc"] == "ok" and end.poll() == []
    fines.done("push", fines=[fine])
    fines.done("push", fines=[fine])
    fines.switch(most_ignored=True)
    assert "more messages than were asked for" in end.ask("poll", {"max": 1})["reason"]


# ---- of itself

def test_health_and_probe(end, fines):
    assert end.raw("health")["rc"] == "ok"
    fines.switch(fail="down")
    assert end.raw("health")["rc"] == "tempfail"
    fines.switch(fail="none")
    steps = end.raw("probe")["reply"]["steps"]
    assert [(s["name"], s["ok"]) for s in steps] == [("security server", True), ("x-road", True), ("service", True)]


@pytest.mark.parametrize("changes,word", [({"url": "ftp://x"}, "url"), ({"client": "TW/GOV"}, "client"), ({"provider": None}, "provider"),
                                          ({"schema": "/nowhere.xsd"}, "schema"), ({"protocol": "fax"}, "protocol"), ({"odd": "1"}, "odd")])
def test_settings(fines, changes, word):
    more = {"provider": "TW/GOV/NIA/fines", "schema": str(ROOT / "docs/contracts/penalty-1.xsd"), **changes}
    process = Process(PLUGINS / "penalty_xroad.so", "fines", xroad_end.options_of(fines, **more))
    answer = process.raw("penalty.find", {"case_no": CASE})
    assert answer["rc"] == "misconfigured" and word in answer["reason"]
    process.stop()


def test_each_answer_was_held_to_the_contract():
    for op, rc in (("put", "ok"), ("put", "pending"), ("put", "tempfail"), ("put", "rejected"), ("find", "ok"), ("find", "permfail"),
                   ("poll", "ok"), ("ack", "ok"), ("message", "ok"), ("message", "rejected")):
        assert xroad_end.seen(op, rc, "penalty"), (op, rc)
