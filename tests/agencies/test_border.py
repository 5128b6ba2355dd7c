"""The border's stand-in: its books, its page and its control; what it is asked for by X-Road is in tests/plugin."""
import base64
import http.client
import json
import re
import ssl
import urllib.parse

import pytest
from lxml import etree

import border_system
import pki
from play import MOVEMENT, WORKER, Border, changed
from shop import fetch

PERSON = """<person><name_latin>{name}</name_latin><passport_no>{passport}</passport_no><nationality>VNM</nationality>
<birth>{birth}</birth><sex>M</sex></person>"""
PERMIT = """<putPermit xmlns="urn:fwpermit:border:1"><permit_no>EP1150000012</permit_no><version>{version}</version><state>{state}</state>
<since>2026-11-10T02:00:00Z</since><kind>epermit</kind><valid_from>2026-11-11</valid_from><valid_to>2027-05-10</valid_to>{person}</putPermit>"""


@pytest.fixture(scope="module", name="program")
def running_program(tmp_path_factory):
    program = Border(pki.make(tmp_path_factory.mktemp("pki")))
    yield program
    assert program.stop() == (0, "", "")


@pytest.fixture(name="border")
def empty_books(program):
    program.done("reset")
    return program


def person(passport="C1234567", birth="1996-04-12", name="NGUYEN VAN ANH"):
    return PERSON.format(passport=passport, birth=birth, name=name)


def ask(border, service, body):
    """As the platform asks, with our certificate; the answer's element."""
    context = ssl.create_default_context(cafile=str(border.pki / "ca.pem"))
    context.load_cert_chain(border.pki / "client.pem")
    at = urllib.parse.urlsplit(border.url)
    connection = http.client.HTTPSConnection(at.hostname, at.port, context=context, timeout=20)
    connection.request("POST", f"/r1/TW/GOV/NIA/border/{service}", body.encode(), {
        "Content-Type": "application/xml; charset=utf-8", "Accept": "application/xml", "X-Road-Client": "TW/GOV/NIA/permit"})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    assert answer.status == 200, data
    return etree.fromstring(data)


def put(border, version=1, state="valid"):
    return ask(border, "putPermit", PERMIT.format(version=version, state=state, person=person()))


def find(border, who, days=""):
    """(ids of movements, [(id, what differs)])."""
    exact, near = ask(border, "findMovements", f'<findMovements xmlns="urn:fwpermit:border:1">{who}{days}</findMovements>')
    return [m[0].text for m in exact], [(match[0][0].text, [d.text for d in match[1]]) for match in near]


def poll(border):
    answer = ask(border, "pollMovements", '<pollMovements xmlns="urn:fwpermit:border:1"><max>10</max></pollMovements>')
    return [(m[0].text, base64.b64decode(m[1].text)) for m in answer[0]]


def test_the_highest_version_of_a_permit_is_kept(border):
    for version, state in ((1, "valid"), (3, "superseded"), (2, "valid"), (3, "superseded")):
        put(border, version, state)
    (one,) = border.books()["permits"]
    assert (one["permit"]["version"], one["permit"]["state"], one["times"]) == ("3", "superseded", {"1": 1, "3": 2, "2": 1})


def test_who_fits_and_who_nearly_does(border):
    other = changed(MOVEMENT, id="2", at="2026-11-13T01:00:00Z", person__passport_no="C1234561")
    for movement in (MOVEMENT, other, changed(MOVEMENT, id="3", person__name_latin="TRAN VAN B", person__birth="1990-01-01", person__sex="F"),
                     changed(MOVEMENT, id="4", person__name_latin="NGUYEN ANH")):
        border.done("report", **movement)
    assert find(border, person()) == ([MOVEMENT["id"], "4"], [("2", ["passport_no"])])
    assert find(border, person(), "<from>2026-11-13</from>") == ([], [("2", ["passport_no"])])
    assert find(border, person(), "<to>2026-11-12</to>") == ([MOVEMENT["id"], "4"], [])
    border.switch(near_lies=True)
    assert find(border, person())[1] == [("2", ["sex"])]


def test_a_person_at_its_desk(border):
    page = fetch(border.desk + "/")[1]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    assert fetch(border.desk + "/report", {"direction": "arrival", "entry": "resident_visa", **fields})[0] == 303
    assert fetch(border.desk + "/report", {"direction": "departure", **fields})[0] == 303
    arrival, departure = [r["movement"] for r in border.books()["movements"]]
    assert (arrival["direction"], arrival["entry"], departure["direction"]) == ("arrival", "resident_visa", "departure")
    assert arrival["person"] == {k: v for k, v in WORKER.items() if k != "name_native"} and "entry" not in departure
    assert fetch(border.desk + "/cancel", {"id": arrival["id"]})[0] == 303
    assert [r["movement"]["state"] for r in border.books()["movements"]] == ["cancelled", "current"]
    assert fetch(border.desk + "/cancel", {"id": arrival["id"]})[0] == 409
    page = fetch(border.desk + "/")[1]
    assert page.count("取消 / Cancel") == 1 and "messages not fetched: 3" in page
    put(border)
    assert "EP1150000012 · 有效 / valid" in fetch(border.desk + "/")[1]


def test_what_the_desk_refuses(border):
    assert fetch(border.desk + "/report", {"direction": "up", "name_latin": "A"})[0] == 409
    assert fetch(border.desk + "/report", {"direction": "arrival"})[0] == 409 and fetch(border.desk + "/cancel", {"id": "x"})[0] == 409
    assert fetch(border.desk + "/nowhere")[0] == 404 and fetch(border.desk + "/nowhere", {"a": "b"})[0] == 404


def test_the_page_escapes(border):
    border.done("report", **changed(MOVEMENT, id="<b>1</b>", person__name_latin="<i>x</i>"))
    page = fetch(border.desk + "/")[1]
    assert "&lt;i&gt;x&lt;/i&gt;" in page and not any(tag in page for tag in ("<b>", "<i>", "<script"))


def test_each_message_is_as_the_schema_has_it(border):
    border.done("report", **MOVEMENT)
    border.done("cancel", id=MOVEMENT["id"])
    border.done("report", push=False, **changed(MOVEMENT, id="2"))
    (one, first), (two, second) = poll(border)
    schema = border_system.System(border_system.Books()).schema
    states = [etree.fromstring(text)[2][0][2].text for text in (first, second)]
    assert (one, two, states) == ("border-1", "border-2", ["current", "cancelled"])
    assert all(schema.validate(etree.fromstring(text)) for text in (first, second))
    ask(border, "ackMovements", f'<ackMovements xmlns="urn:fwpermit:border:1"><ids><id>{one}</id></ids></ackMovements>')
    assert [i for i, _ in poll(border)] == [two]


@pytest.mark.parametrize("verb,body,status", [
    ("switch", {"fail": "dance"}, 400), ("switch", {"near_lies": 1}, 400), ("cancel", {"id": "x"}, 409), ("cancel", {}, 409),
    ("push", {"body_base64": "A"}, 409), ("report", {"odd": "1", "port": 3}, 200), ("dance", {}, 404)])
def test_controls(border, verb, body, status):
    """A test may report what cannot be."""
    assert fetch(f"{border.desk}/control/{verb}", json.dumps(body).encode(), "application/json")[0] == status


def test_what_is_wrong_with_a_request_is_noted(border):
    assert put(border, version=0)[0].tag.endswith("fault")
    assert any("version" in f for f in border.requests()[-1]["faults"])


def test_books_that_outlive_it(tmp_path):
    ledger = border_system.Books(tmp_path / "books")
    border_system.System(ledger).report(**MOVEMENT)
    ledger.close()
    again = border_system.Books(tmp_path / "books")
    assert [r["movement"] for r in again.rows("movements")] == [MOVEMENT] and len(again.rows("messages")) == 1
    again.close()
