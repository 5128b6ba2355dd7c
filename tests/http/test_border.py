"""The border, as a stand-in behind X-Road that keeps books of its own: arrivals that a person reports at its desk start the legal clock,
permits are told to it once for each version, and what is no message of it changes nothing."""
import base64
import datetime

import pytest
import requests

import flow
import xroad_plugin
from platform_under_test import await_

import pki  # pylint: disable=wrong-import-order
from play import Border  # pylint: disable=wrong-import-order

AS_IT_IS = {"fail": "none", "after": False, "times": 0, "certificate": "server"}


@pytest.fixture(scope="module", name="program")
def running_program(tmp_path_factory):
    program = Border(pki.make(tmp_path_factory.mktemp("pki")))
    yield program
    assert program.stop() == (0, "", "")


@pytest.fixture(scope="module", autouse=True, name="with_plugin")
def platform_with_it(program, platform):
    xroad_plugin.attach(platform, program, "border", "border", "TW/GOV/NIA/border")


@pytest.fixture(name="border")
def border_as_it_was(program):
    """What it noted about requests of ours must be nothing."""
    program.switch(**AS_IT_IS)
    yield program
    program.switch(**AS_IT_IS)
    assert [r["faults"] for r in program.requests() if r["faults"]] == []


@pytest.fixture(name="passport")
def fixture_passport():
    return flow.passport()


@pytest.fixture(name="worker")
def fixture_worker(broker, passport):
    return flow.register(broker, passport)


def moment(days=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def traveller(passport, **changes):
    return {"name_latin": "NGUYEN VAN ANH", "passport_no": passport, "nationality": "VNM", "birth": "1990-03-15", "sex": "M", **changes}


def at_the_desk(border, address, **fields):
    answer = requests.post(border.desk + address, fields, allow_redirects=False, timeout=20)
    assert answer.status_code == 303, answer.text


def entered(person, worker):
    return person.see(f"/workers/{worker}")["stay"]["entered"]


def all_heard(platform, border):
    await_("all is fetched", lambda: all(m["acked"] for m in border.books()["messages"]))
    await_("all is read", lambda: not platform.sql("SELECT 1 FROM inbox WHERE plugin = 'border' AND state IN ('ready', 'leased')"))


def reason(platform):
    """Why the last message was refused."""
    return platform.sql("SELECT reason FROM inbox WHERE plugin = 'border' AND state = 'refused' ORDER BY id DESC LIMIT 1")[0][0]


def row_of(border, number):
    return next((r for r in border.books()["permits"] if r["permit"]["permit_no"] == number), None)


def state_of(border, number):
    row = row_of(border, number)
    return row and row["permit"]["state"]


def test_a_person_reports_an_arrival_and_cancels_it(platform, border, broker, worker, passport):
    at_the_desk(border, "/report", direction="arrival", entry="resident_visa", port="TPE", **traveller(passport))
    await_("the arrival", lambda: entered(broker, worker))
    name = border.books()["movements"][-1]["movement"]["id"]
    at_the_desk(border, "/cancel", id=name)
    await_("it never was", lambda: not entered(broker, worker))
    all_heard(platform, border)


def test_a_departure_ends_it(border, broker, worker, passport):
    border.done("report", person=traveller(passport), at=moment(-3))
    await_("the arrival", lambda: entered(broker, worker))
    at_the_desk(border, "/report", direction="departure", port="KHH", **traveller(passport))
    await_("gone", lambda: not entered(broker, worker))


def test_a_near_match_is_for_an_officer(platform, border, broker, worker):
    other = flow.passport()
    border.done("report", person=traveller(other), at=moment(-4))
    all_heard(platform, border)
    assert not entered(broker, worker)
    dispatcher = platform.of("dispatcher")
    arrival = next(a for a in dispatcher.see("/arrivals")["arrivals"] if a["passport_no"] == other)
    assert {"id": worker, "name_latin": "NGUYEN VAN ANH"}.items() <= next(n for n in arrival["near"] if n["id"] == worker).items()
    dispatcher.do(arrival["action"], {"worker": worker})
    assert entered(broker, worker)


@pytest.mark.parametrize("changes,why", [({"at": moment(2)}, "at: in the future"), ({"birth": "2040-01-01"}, "at: before birth")])
def test_what_cannot_be_is_refused(platform, border, broker, worker, passport, changes, why):
    platform.expect("FWP2104")
    at = changes.get("at", moment())
    border.done("report", at=at, person=traveller(passport, **{k: v for k, v in changes.items() if k != "at"}))
    all_heard(platform, border)
    assert reason(platform) == f"the message: movement 1, {why}" and not entered(broker, worker)


BOMB = b'<!DOCTYPE a [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize("body,why", [
    (b"hello", "well-formed"), (BOMB, "DOCTYPE"), (b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>', "DOCTYPE"),
    (b'<movementMessage xmlns="urn:fwpermit:border:2"/>', "the root is not movementMessage of urn:fwpermit:border:1")])
def test_what_is_no_message_of_the_border(platform, border, body, why):
    platform.expect("FWP2104")
    border.done("push", body_base64=base64.b64encode(body).decode())
    all_heard(platform, border)
    assert why in reason(platform)


def test_permits_are_told_once_for_each_version(platform, border, broker, reviewers, worker, passport):
    first = flow.permit(platform, broker, reviewers, worker)
    await_("it is told", lambda: state_of(border, first) == "valid")
    assert row_of(border, first)["permit"]["person"]["passport_no"] == passport
    second = flow.permit(platform, broker, reviewers, worker)
    await_("it is told", lambda: state_of(border, first) == "superseded" and state_of(border, second) == "valid")
    assert row_of(border, first)["permit"]["replaced_by"] == second
    assert (row_of(border, first)["times"], row_of(border, second)["times"]) == ({"1": 1, "2": 1}, {"1": 1})


@pytest.mark.parametrize("fail", ["reset", "http500", "serverproxy"])
def test_an_answer_that_is_lost_is_asked_for_again(platform, border, broker, reviewers, worker, fail):
    """The border took it; what is told again is the same request, which it knows."""
    platform.expect("FWP2107")
    border.switch(fail=fail, after=True)
    number = flow.permit(platform, broker, reviewers, worker)
    await_("it came there", lambda: state_of(border, number) == "valid")
    border.switch(fail="none", after=False)
    await_("its end is known", lambda: platform.sql("SELECT 1 FROM outbox WHERE op = 'border.permit' AND state = 'done'")
           and not platform.sql("SELECT 1 FROM outbox WHERE op = 'border.permit' AND state IN ('ready', 'leased')"), 60)
    assert row_of(border, number)["times"] == {"1": 1}


def test_a_certificate_that_has_expired_lets_nothing_through(platform, border, broker, reviewers, worker):
    platform.expect("FWP2107")
    border.switch(certificate="server-expired")
    number = flow.permit(platform, broker, reviewers, worker)
    admin = platform.of("admin")
    await_("the link is down", lambda: any(p["name"] == "plugin-border" and p["state"]["code"] != "ok" for p in admin.see("/admin/system")["parts"]), 60)
    assert state_of(border, number) is None
    border.switch(certificate="server-renewed")
    await_("it is told", lambda: state_of(border, number) == "valid", 60)
