"""The fines system's stand-in: its bands, its books, its page and its control; what it is asked for by X-Road is in tests/plugin."""
import http.client
import json
import ssl
import urllib.parse

import pytest

import pki
from play import Fines
from shop import fetch

CASE = """<putCase xmlns="urn:fwpermit:penalty:1"><case_no>{no}</case_no><version>{version}</version><service>card</service><person>
<name_latin>NGUYEN VAN ANH</name_latin><passport_no>C1234567</passport_no><nationality>VNM</nationality><birth>1996-04-12</birth>
<sex>M</sex></person><filed>2026-12-17</filed><fee><amount>1000</amount><state>{fee}</state></fee><days_late>{days}</days_late></putCase>"""


@pytest.fixture(scope="module", name="program")
def running_program(tmp_path_factory):
    program = Fines(pki.make(tmp_path_factory.mktemp("pki")))
    yield program
    assert program.stop() == (0, "", "")


@pytest.fixture(name="fines")
def empty_books(program):
    program.done("reset")
    return program


def put(fines, no="1150000012", version=1, days=5, fee="unpaid"):
    """As the platform tells it, with our certificate."""
    context = ssl.create_default_context(cafile=str(fines.pki / "ca.pem"))
    context.load_cert_chain(fines.pki / "client.pem")
    at = urllib.parse.urlsplit(fines.url)
    connection = http.client.HTTPSConnection(at.hostname, at.port, context=context, timeout=20)
    connection.request("POST", "/r1/TW/GOV/NIA/fines/putCase", CASE.format(no=no, version=version, days=days, fee=fee), {
        "Content-Type": "application/xml; charset=utf-8", "Accept": "application/xml", "X-Road-Client": "TW/GOV/NIA/permit"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    return text


def fine_of(fines):
    return fines.books()["fines"][0]["fine"]


def test_a_late_case_is_fined_once(fines):
    assert "<amount>2000</amount>" in put(fines) and "<amount>2000</amount>" in put(fines, version=2, fee="paid")
    assert len(fines.books()["fines"]) == 1 and fines.books()["cases"][0]["told"]["fee"]["state"] == "paid"
    put(fines, version=1, fee="unpaid")  # an older one, late
    assert fines.books()["cases"][0]["told"]["fee"]["state"] == "paid"
    assert "<fines/>" in put(fines, no="1150000013", days=0) and len(fines.books()["cases"]) == 2


@pytest.mark.parametrize("decides,answer", [("later", "<pending>true</pending>"), ("never", "<fines/>")])
def test_how_it_decides(fines, decides, answer):
    fines.switch(decides=decides)
    assert answer in put(fines) and fines.books()["fines"] == []
    assert fines.control("switch", decides="maybe")[0] == 400


def test_a_person_at_its_desk(fines):
    fines.switch(decides="later")
    put(fines, days=40)
    shown = fetch(fines.desk + "/")[1]
    assert "1150000012" in shown and "Set by its band" in shown
    fetch(fines.desk + "/set", {"case_no": "1150000012"})
    fine = fine_of(fines)
    assert (fine["amount"], fine["state"], fine["version"]) == (6000, "open", 1)
    assert "Take the money" in fetch(fines.desk + "/")[1]
    for state, version in (("paid", 2), ("open", 3), ("waived", 4), ("open", 5), ("cancelled", 6)):
        fetch(fines.desk + "/change", {"fine_no": fine["fine_no"], "state": state})
        now = fine_of(fines)
        assert (now["state"], now["version"], "paid_at" in now) == (state, version, state == "paid")
    assert len(fines.books()["messages"]) == 6
    assert fetch(fines.desk + "/change", {"fine_no": fine["fine_no"], "state": "cancelled"})[0] == 409
    assert fetch(fines.desk + "/set", {"case_no": "1150000099"})[0] == 409 and fetch(fines.desk + "/nowhere", {"a": "b"})[0] == 404


def test_what_is_wrong_with_a_request_is_noted(fines):
    assert "BAD_REQUEST" in put(fines, days=-1)
    assert any("days_late" in f for f in fines.requests()[-1]["faults"])


def test_books_that_outlive_it(tmp_path_factory, tmp_path):
    keys = pki.make(tmp_path_factory.mktemp("pki"))
    program = Fines(keys, "--books", str(tmp_path / "books"))
    put(program)
    assert program.stop() == (0, "", "")
    again = Fines(keys, "--books", str(tmp_path / "books"))
    assert json.dumps(again.books()["fines"]) and fine_of(again)["amount"] == 2000
    assert again.stop() == (0, "", "")
