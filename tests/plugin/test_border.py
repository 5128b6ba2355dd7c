"""border_xroad: permits told, movements asked for, polled, acknowledged and told as facts; what cannot be is refused with its reason. The
transport itself is proved by test_xroad.py."""
import json
import re
import time

import pytest
from lxml import etree

import border_system
import pki
import xroad_end
from host import LOOSE, ROOT
from play import MOVEMENT, Border, changed

NS = "urn:fwpermit:border:1"
CONTRACT = json.loads((ROOT / "docs/contracts/border.json").read_text(encoding="utf-8"))["$defs"]
PERMIT = CONTRACT["permit.request"]["examples"][0]
QUESTION = {"person": MOVEMENT["person"], "why": {"case_no": "1150000012", "user": "officer1"}}
NOW = 1795582800  # 2026-11-25 05:00 UTC
FAR = "2026-11-26T05:00:00Z"  # a day later


@pytest.fixture(scope="module", name="program")
def running_program(tmp_path_factory):
    program = Border(pki.make(tmp_path_factory.mktemp("pki")))
    yield program
    assert program.stop() == (0, "", "")


class End(xroad_end.End):
    plugin, serves, provider, schema = "border_xroad", "border", "TW/GOV/NIA/border", ROOT / "docs/contracts/border-1.xsd"

    def find(self, **more):
        return self.ask("movements", {**QUESTION, **more})


@pytest.fixture(scope="module", name="ends")
def one_of_each(program):
    both = {protocol: End(program, protocol=protocol) for protocol in ("rest", "soap")}
    yield both
    for end in both.values():
        log = end.log
        assert "C1234567" not in log and "NGUYEN" not in log, "personal data in the log"
        assert end.stop() == 0


@pytest.fixture(name="border")
def empty_books(program):
    program.done("reset")
    yield program
    assert [f for r in program.requests() for f in r["faults"]] == []


@pytest.fixture(params=["rest", "soap"], name="end")
def by_both_protocols(ends, request, border):
    assert border
    return ends[request.param]


@pytest.fixture(name="more_ends")
def further_ends(border):
    running = []

    def start(**more):
        running.append(End(border, **more))
        return running[-1]

    yield start
    for process in running:
        process.stop()


def document(*movements, **more):
    """A message as the border would write it, whether or not it makes sense."""
    system = border_system.System(border_system.Books())
    return system.document("m-1", [changed(m, **more) for m in movements], "2026-11-12T05:21:00Z")


def texts(members):
    return {k: texts(v) if isinstance(v, dict) else str(v) for k, v in members.items()}


# ---- permits

PERMITS = [PERMIT, {**PERMIT, "state": "superseded", "replaced_by": "RC1150000013", "version": 2}, {**PERMIT, "state": "revoked"},
           {**PERMIT, "state": "expired"}, {**PERMIT, "kind": "card", "version": 999999999},
           {**PERMIT, "person": {**PERMIT["person"], "ui_no": "A800000014", "name_zh": "阮文英", "name_native": "A&B <x>"}}]


@pytest.mark.parametrize("permit", PERMITS)
def test_a_permit_is_told_whole(end, border, permit):
    answer = end.ask("permit", permit)
    assert (answer["rc"], answer["reply"]) == ("ok", {"reference": "B-1"})
    assert [r["permit"] for r in border.books()["permits"]] == [texts(permit)]


def test_an_older_version_changes_nothing(end, border):
    for version, state in ((2, "superseded"), (2, "superseded"), (1, "valid")):
        assert end.ask("permit", {**PERMIT, "version": version, "state": state})["rc"] == "ok"
    (one,) = border.books()["permits"]
    assert (one["permit"]["state"], one["times"]) == ("superseded", {"1": 1, "2": 2})


@pytest.mark.parametrize("fail", ["reset", "half", "serverproxy", "http500", "wrong_id", "off_schema"])
def test_a_lost_answer_is_asked_for_again_and_told_once(end, border, fail):
    border.switch(fail=fail, after=True)
    assert end.ask("permit", PERMIT, key="k")["rc"] == "tempfail"
    border.switch(fail="none")
    assert end.ask("permit", PERMIT, key="k")["rc"] == "ok"
    assert [r["times"] for r in border.books()["permits"]] == [{"1": 1}]
    assert [r["remembered"] for r in border.requests()] == [False, True]


def test_it_refuses(end, border):
    border.switch(fail="fault")
    answer = end.ask("permit", PERMIT)
    assert answer["rc"] == "rejected" and "NOT_ALLOWED" in answer["reason"] and "王" not in answer["reason"]


def test_an_empty_answer_is_an_answer(ends, border):
    """The reference is the border's to give or not."""
    class Silent(border_system.System):
        def put(self, element, _meta):
            return self.element("putPermitResponse")
    schema = Silent(border_system.Books()).schema
    assert schema.validate(etree.fromstring(f'<putPermitResponse xmlns="{NS}"/>')) and ends and border


# ---- movements

def test_who_fits_and_who_nearly_does(end, border):
    departure = changed(MOVEMENT, id="2", direction="departure", at="2026-11-20T01:00:00Z", entry=None, permit_no=None)
    near = changed(MOVEMENT, id="3", person__passport_no="C1234561", person__sex="F")
    other = changed(MOVEMENT, id="4", person__passport_no="X1", person__name_latin="TRAN VAN B", person__birth="1990-01-01")
    for movement in (MOVEMENT, departure, near, other):
        border.done("report", push=False, **movement)
    reply = end.find()["reply"]
    assert reply == {"movements": [departure, MOVEMENT], "near": [{"movement": near, "differs": ["passport_no", "sex"]}]}
    request = border.requests()[-1]
    assert (request["service"], request["user"], request["issue"]) == ("findMovements", "TWofficer1", "1150000012")
    assert end.find(**{"from": "2026-11-13"})["reply"] == {"movements": [departure], "near": []}
    assert end.find(to="2026-11-12")["reply"]["movements"] == [MOVEMENT]


def test_nobody(end):
    assert end.find()["reply"] == {"movements": [], "near": []}


def test_days_are_taipei_s(end, border):
    """From 16:00 UTC on it is the next day there."""
    border.done("report", push=False, **changed(MOVEMENT, at="2026-11-12T16:00:00Z"))
    assert len(end.find(**{"from": "2026-11-13", "to": "2026-11-13"})["reply"]["movements"]) == 1
    assert end.find(**{"from": "2026-11-12", "to": "2026-11-12"})["reply"]["movements"] == []


def test_an_answer_about_somebody_else(end, border):
    border.done("report", push=False, **changed(MOVEMENT, person__passport_no="C7654321"))
    border.switch(mixed_up=True)
    answer = end.find()
    assert answer["rc"] == "permfail" and answer["reason"] == "the answer: movement 1, person: not the one that was asked for"


def test_days_that_were_not_asked_for(end, border):
    border.done("report", push=False, **MOVEMENT)
    border.switch(mixed_up=True)
    for days in ({"from": "2026-11-13"}, {"to": "2026-11-11"}):
        assert end.find(**days)["reason"] == "the answer: movement 1, at: not within the days that were asked for"


def test_what_is_said_to_differ_and_does_not(end, border):
    border.done("report", push=False, **changed(MOVEMENT, person__passport_no="C1234561"))
    border.switch(near_lies=True)
    assert end.find()["reason"] == "the answer: near 1, differs: not what differs"


def test_an_order_that_is_not_kept(end, border):
    for n in (1, 2):
        border.done("report", push=False, **changed(MOVEMENT, id=str(n), at=f"2026-11-1{n}T05:20:00Z"))
    border.switch(oldest_first=True)
    assert end.find()["reason"] == "the answer: movement 2, at: not newest first"


@pytest.mark.parametrize("many,switch,most,passport", [("movements", "find_most", 200, "C1234567"), ("near", "near_most", 50, "C1234561")])
def test_as_many_as_the_contract_has(ends, border, many, switch, most, passport):
    for n in range(most + 1):
        border.done("report", push=False, **changed(MOVEMENT, id=str(n), person__passport_no=passport))
    assert len(ends["rest"].find()["reply"][many]) == most
    border.switch(**{switch: most + 1})
    answer = ends["rest"].find()
    assert answer["rc"] == "tempfail" and "not as the schema has it" in answer["reason"]


# ---- what cannot be

ABSURD = [
    ({"person__birth": "2026-11-13"}, "at: before birth"), ({"person__birth": "2026-11-12"}, None),
    ({"at": "2026-11-12T15:59:59Z", "person__birth": "2026-11-13"}, "at: before birth"), ({"at": "2026-11-12T16:00:00Z", "person__birth": "2026-11-13"}, None),
    ({"at": FAR}, None), ({"at": FAR.replace("00Z", "01Z")}, "at: in the future"), ({"at": "2036-11-12T05:20:00Z"}, "at: in the future"),
    ({"at": "1930-01-01T00:00:00Z", "person__birth": "1900-01-01"}, None), ({"at": "1999-01-01T00:00:00Z", "person__birth": "2020-01-01"}, "at: before birth"),
    ({"direction": "departure"}, "entry: but no arrival"), ({"direction": "departure", "entry": None}, None)]


@pytest.mark.parametrize("change,word", ABSURD)
def test_what_cannot_be(more_ends, change, word):
    movement = changed(MOVEMENT, **change)
    told = more_ends(now=NOW).tell(document(MOVEMENT, movement))
    if word is None:
        assert [f["movement"] for f in told["reply"]["facts"]] == [MOVEMENT, movement]
    else:
        assert (told["rc"], told["reason"]) == ("rejected", f"the message: movement 2, {word}")


def test_what_cannot_be_in_an_answer(end, border):
    border.done("report", push=False, **changed(MOVEMENT, person__birth="2026-12-01"))
    answer = end.find(person={**MOVEMENT["person"], "birth": "2026-12-01"})
    assert (answer["rc"], answer["reason"]) == ("permfail", "the answer: movement 1, at: before birth")
    border.done("reset")
    border.done("report", push=False, **changed(MOVEMENT, at="2036-11-12T05:20:00Z", person__passport_no="C1"))
    assert end.find()["reason"] == "the answer: near 1, at: in the future"


@pytest.mark.parametrize("hours,rc", [(-23, "ok"), (23, "ok"), (-25, "rejected")])
def test_clocks_that_differ(more_ends, hours, rc):
    """The border's may go before ours by a day; behind it, it may be by any time."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))
    assert more_ends(now=NOW + hours * 3600).tell(document(MOVEMENT, at=at))["rc"] == rc


OFF_SCHEMA = [
    ({"direction": "up"}, "direction"), ({"state": "lost"}, "state"), ({"at": "2026-11-12"}, "at"), ({"at": "2026-02-30T00:00:00Z"}, "at"),
    ({"at": "2026-11-12T05:20:00+08:00"}, "at"), ({"at": "2026-11-12T05:20:00.5Z"}, "at"), ({"port": "tpe"}, "port"), ({"port": "TP"}, "port"),
    ({"port": "TWTPEX"}, "port"), ({"entry": "swimming"}, "entry"), ({"permit_no": "x"}, "permit_no"), ({"id": ""}, "id"), ({"id": "x" * 201}, "id"),
    ({"id": None}, "movement"), ({"person": None}, "movement"), ({"person__sex": "m"}, "sex"), ({"person__passport_no": "c1"}, "passport_no"),
    ({"person__birth": "0000-00-00"}, "birth"), ({"person__name_latin": "Nguyễn"}, "name_latin"), ({"colour": "red"}, "colour")]


@pytest.mark.parametrize("change,where", OFF_SCHEMA)
def test_what_the_schema_has_not(ends, border, change, where):
    answer = ends["rest"].tell(document(MOVEMENT, **change))
    assert answer["rc"] == "rejected" and "not as the schema has it" in answer["reason"] and f"/{where}:" in answer["reason"], answer
    assert not any(str(value) in answer["reason"] for value in change.values() if len(str(value)) > 5) and border


@pytest.mark.parametrize("op,request_,where", [
    ("permit", {**PERMIT, "version": 0}, "/putPermit/version:"), ("permit", {**PERMIT, "version": 1000000000}, "/putPermit/version:"),
    ("permit", {**PERMIT, "state": "lost"}, "/putPermit/state:"), ("permit", {k: v for k, v in PERMIT.items() if k != "person"}, "/putPermit:"),
    ("permit", {**PERMIT, "kind": "visa"}, "/putPermit/kind:"), ("movements", {"why": {"user": "x"}}, "/findMovements/person:"),
    ("movements", {**QUESTION, "from": "today"}, "/findMovements/from:"), ("poll", {"max": 101}, "/pollMovements/max:"),
    ("ack", {"ids": []}, "/ackMovements/ids:"), ("ack", {"ids": ["x"] * 101}, "/ackMovements/ids")])
def test_what_cannot_be_sent(border, more_ends, op, request_, where):
    """The plugin alone, without the contract before it: what the schema has not never leaves."""
    for protocol in ("rest", "soap"):
        answer = more_ends(held_to=LOOSE, protocol=protocol).raw(f"border.{op}", request_)
        assert answer["rc"] == "permfail" and answer["reason"].startswith("the request: ") and where in answer["reason"], answer
    assert border.requests() == []


# ---- messages

KINDS = [MOVEMENT, changed(MOVEMENT, direction="departure", entry=None, permit_no=None), changed(MOVEMENT, state="cancelled"),
         changed(MOVEMENT, person__name_zh="阮文英", person__ui_no="A800000014", person__name_native="A&B ]]> <x>"), changed(MOVEMENT, port="TWTPE"),
         *(changed(MOVEMENT, entry=e) for e in ("visitor_visa", "visa_exempt", "permit", "other"))]


@pytest.mark.parametrize("movement", KINDS)
def test_every_kind_of_movement(ends, border, movement):
    assert ends["rest"].tell(document(movement))["reply"] == {"facts": [{"fact": "movement", "movement": movement}]} and border


@pytest.mark.parametrize("n,rc", [(0, "ok"), (100, "ok"), (101, "rejected")])
def test_movements_of_one_message(end, n, rc):
    assert end.tell(document(*[MOVEMENT] * n))["rc"] == rc


def test_poll_and_acknowledge(end, border):
    border.done("report", **MOVEMENT)
    border.done("cancel", id=MOVEMENT["id"])
    polled = end.poll()
    assert [i for i, _ in polled] == ["border-1", "border-2"] and [i for i, _ in end.poll(1)] == ["border-1"]
    assert [end.tell(b)["reply"]["facts"][0]["movement"]["state"] for _, b in polled] == ["current", "cancelled"]
    assert end.ask("ack", {"ids": ["border-1", "never-heard-of"]})["reply"] == {}
    assert end.poll() == polled[1:]
    assert end.ask("ack", {"ids": ["border-1", "border-2"]})["rc"] == "ok" and end.poll() == []
    border.done("push", movements=[MOVEMENT])
    border.done("push", movements=[MOVEMENT])
    border.switch(most_ignored=True)
    assert "more messages than were asked for" in end.ask("poll", {"max": 1})["reason"]


def test_twice_and_newest_first(end, border):
    for n in (1, 2):
        border.done("report", **changed(MOVEMENT, id=str(n)))
    border.switch(twice=True, newest_first=True)
    assert [i for i, _ in end.poll()] == ["border-2", "border-2", "border-1", "border-1"]


@pytest.mark.parametrize("body,word", [
    (b"", "empty"), (b"hello", "well-formed"), (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>', "DOCTYPE"),
    (b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>', "DOCTYPE"),
    (b'<!DOCTYPE a [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>', "DOCTYPE"), (b"<a>&x;</a>", "well-formed"),
    (b'<movementMessage xmlns="urn:fwpermit:border:2"/>', "the root is not"), (b'<movementMessage xmlns="urn:fwpermit:labour:1"/>', "the root is not"),
    (b"<movementMessage/>", "the root is not movementMessage of urn:fwpermit:border:1"), (b"<a>\xff</a>", "not UTF-8"),
    (b"<a>" * 25 + b"</a>" * 25, "too deep"), (b"<a>" + b"<b/>" * 20000 + b"</a>", "too many elements"),
    (b"<?xml-stylesheet href='http://127.0.0.1:1/'?><a/>", "processing instruction")])
def test_messages_that_are_none(ends, border, body, word):
    answer = ends["rest"].tell(body)
    assert answer["rc"] == "rejected" and word in answer["reason"] and border, answer


@pytest.mark.parametrize("fail,word", [("doctype", "DOCTYPE"), ("bomb", "DOCTYPE"), ("external", "DOCTYPE"), ("huge", "too long"),
                                       ("wrong_namespace", "the root is not"), ("next_version", "the root is not"), ("not_xml", "not XML by its type")])
def test_answers_that_are_not_taken(ends, border, fail, word):
    """`huge` is 100 MB of text."""
    border.switch(fail=fail)
    before = ends["rest"].memory()
    for op, request in (("movements", QUESTION), ("permit", PERMIT), ("poll", {"max": 1})):
        answer = ends["rest"].ask(op, request)
        assert answer["rc"] == "tempfail" and word in answer["reason"], answer
    assert ends["rest"].memory() - before < 16384


def test_nobody_may_push(ends, border):
    answer = ends["rest"].tell(document(MOVEMENT), "push")
    assert answer["rc"] == "rejected" and "polled" in answer["reason"] and border


# ---- certificates

@pytest.mark.parametrize("name", ["server-expired", "server-stranger", "server-elsewhere"])
def test_a_server_that_cannot_show_who_it_is(end, border, name):
    border.switch(certificate=name)
    answer = end.ask("permit", PERMIT)
    assert answer["rc"] == "tempfail" and "certificate" in answer["reason"].lower() and border.requests() == []


def test_a_server_whose_certificate_is_revoked(border, more_ends):
    end = more_ends(http_crl_file=str(border.pki / "ca.crl"))
    border.switch(certificate="server-revoked")
    answer = end.ask("permit", PERMIT)
    assert answer["rc"] == "tempfail" and "revoked" in answer["reason"] and border.books()["permits"] == []


@pytest.mark.parametrize("name,word", [("client-expired", "expired"), ("client-stranger", "unknown ca"), ("client-revoked", "revoked"),
                                       ("client-elsewhere", "ssl_authentication_failed")])
def test_a_certificate_of_ours_that_they_do_not_take(border, more_ends, name, word):
    answer = more_ends(http_cert_file=str(border.pki / f"{name}.pem")).ask("permit", PERMIT)
    assert answer["rc"] == "tempfail" and word in answer["reason"] and border.books()["permits"] == []


@pytest.mark.parametrize("days,rc", [(-2, "tempfail"), (0, "ok"), (40, "tempfail")])
def test_a_certificate_by_our_clock(more_ends, days, rc):
    answer = more_ends(now=int(time.time()) + days * 86400).ask("permit", PERMIT)
    assert answer["rc"] == rc and (rc == "ok" or re.search("expired|not yet valid", answer["reason"])), answer


# ---- of itself

def test_health_and_probe(end, border):
    assert end.raw("health")["rc"] == "ok"
    border.switch(fail="down")
    assert end.raw("health")["rc"] == "tempfail"
    border.switch(fail="none")
    steps = end.raw("probe")["reply"]["steps"]
    assert [(s["name"], s["ok"]) for s in steps] == [("security server", True), ("x-road", True), ("service", True)]
    assert border.books()["permits"] == [] and border.books()["acks"] == []


@pytest.mark.parametrize("changes,word", [({"url": "ftp://x"}, "url"), ({"client": "TW/GOV"}, "client"), ({"provider": None}, "provider"),
                                          ({"schema": "/nowhere.xsd"}, "schema"), ({"protocol": "fax"}, "protocol"), ({"letter_prefixes": "a"}, "letter_prefixes")])
def test_settings(more_ends, changes, word):
    answer = more_ends(**changes).raw("border.permit", PERMIT)
    assert answer["rc"] == "misconfigured" and word in answer["reason"]


def test_what_it_says_of_itself(ends):
    told = ends["rest"].raw("describe")["reply"]
    assert (told["port"], told["name"]) == ("border", "border_xroad")
    assert told["ops"] == ["border.permit", "border.movements", "border.poll", "border.ack", "border.message"]


def test_each_answer_was_held_to_the_contract():
    for op, rc in (("permit", "ok"), ("permit", "tempfail"), ("permit", "rejected"), ("movements", "ok"), ("movements", "permfail"),
                   ("movements", "tempfail"), ("poll", "ok"), ("ack", "ok"), ("message", "ok"), ("message", "rejected")):
        assert xroad_end.seen(op, rc, "border"), (op, rc)
