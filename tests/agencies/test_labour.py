"""The labour agency's stand-in: its desk, and a security server that judges what comes as X-Road's do."""
import base64
import http.client
import json
import re
import ssl
import urllib.parse
import uuid

import pytest
from lxml import etree

import labour_agency
import pki
import xroad
from play import EMPLOYMENT, RECRUITMENT, Labour, changed
from shop import fetch, until

NS = labour_agency.NS
PATH = "/r1/TW/GOV/MOL/labour/"
FIND = f'<findPermits xmlns="{NS}"><employer_id>04595257</employer_id></findPermits>'
POLL = f'<pollPermits xmlns="{NS}"><max>10</max></pollPermits>'


@pytest.fixture(scope="module", name="program")
def running_program(tmp_path_factory):
    program = Labour(pki.make(tmp_path_factory.mktemp("pki")))
    yield program
    assert program.stop() == (0, "", "")


@pytest.fixture(name="agency")
def empty_agency(program):
    program.done("reset")
    return program


def headers_of(**more):
    headers = {"X-Road-Client": "TW/GOV/NIA/permit", "X-Road-Id": str(uuid.uuid4()), "X-Road-UserId": "TWme", "Content-Type": xroad.XML,
               "Accept": "application/xml", **{k.replace("_", "-"): v for k, v in more.items()}}
    return {k: v for k, v in headers.items() if v is not None}


def post(agency, path, body, headers, cert="client.pem"):
    """(status, headers, bytes)"""
    context = ssl.create_default_context(cafile=agency.pki / "ca.pem")
    if cert:
        context.load_cert_chain(agency.pki / cert)
    line = http.client.HTTPSConnection("127.0.0.1", urllib.parse.urlsplit(agency.url).port, context=context, timeout=20)
    try:
        line.request("POST", path, body.encode(), headers)
        answer = line.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        line.close()


def ask(agency, service, body, **more):
    headers = headers_of(**more)
    status, got, data = post(agency, PATH + service, body, headers)
    assert got["X-Road-Id"] == headers["X-Road-Id"] and got["X-Road-Client"] == headers["X-Road-Client"]
    return status, etree.fromstring(data)


def envelope(body, headers=None, **more):
    """A SOAP request; a value of None leaves a header out."""
    values = {"userId": "TWme", "id": str(uuid.uuid4()), "protocolVersion": "4.0", **more}
    ids = "".join(f"<i:{n}>{v}</i:{n}>" for n, v in zip(xroad.PARTS, ("TW", "GOV", "NIA", "permit")))
    service = "".join(f"<i:{n}>{v}</i:{n}>" for n, v in zip(xroad.PARTS, ("TW", "GOV", "MOL", "labour", "findPermits")))
    text = headers if headers is not None else (
        f'<x:client i:objectType="SUBSYSTEM">{ids}</x:client><x:service i:objectType="SERVICE">{service}</x:service>'
        + "".join(f"<x:{n}>{v}</x:{n}>" for n, v in values.items() if v is not None))
    return (f'<e:Envelope xmlns:e="{xroad.SOAP}" xmlns:x="{xroad.XROAD}" xmlns:i="{xroad.IDS}"><e:Header>{text}</e:Header>'
            f"<e:Body>{body}</e:Body></e:Envelope>")


SOAP_HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}


def faults(agency):
    return agency.requests()[-1]["faults"]


# ---- the security server

def test_by_rest(agency):
    agency.done("issue", permit=RECRUITMENT)
    status, answer = ask(agency, "findPermits", FIND)
    assert status == 200 and answer.tag == f"{{{NS}}}findPermitsResponse"
    assert answer.find(f".//{{{NS}}}quota").text == "12" and faults(agency) == []


def test_by_soap(agency):
    agency.done("issue", permit=RECRUITMENT)
    status, _, data = post(agency, "/", envelope(FIND), SOAP_HEADERS)
    answer = etree.fromstring(data)
    assert status == 200 and [etree.QName(c).localname for c in answer[0]] == ["client", "service", "userId", "id", "protocolVersion",
                                                                             "requestHash"]
    assert answer[1][0].tag == f"{{{NS}}}findPermitsResponse" and faults(agency) == []


@pytest.mark.parametrize("change,path,word", [
    ({"X_Road_Id": "7"}, PATH, "id: not a UUID"), ({"X_Road_Id": None}, PATH, "id: not a UUID"), ({"X_Road_UserId": "me"}, PATH, "userId"),
    ({"X_Road_Id": str(uuid.uuid4()).upper()}, PATH, "not as UUIDs"), ({"X_Road_Request_Hash": "x"}, PATH, "Request-Hash"),
    ({"Content_Type": "text/xml"}, PATH, "Content-Type"), ({"Accept": None}, PATH, "Accept"),
    ({}, "/r1/TW/GOV/MOL/lab%6Fur/", "not encoded as it should be")])
def test_faults_of_a_request(agency, change, path, word):
    post(agency, path + "findPermits", FIND, headers_of(**change))
    assert any(word in f for f in faults(agency)), faults(agency)


@pytest.mark.parametrize("path,change,code,status", [
    ("/r1/TW/GOV/MOL/fines/findPermits", {}, "server.clientproxy.unknown_member", 500),
    (PATH + "dance", {}, "server.serverproxy.unknown_service", 500),
    (PATH + "findPermits", {"X_Road_Client": "TW/GOV/NIA/fines"}, "server.clientproxy.ssl_authentication_failed", 500)])
def test_what_x_road_does_not_carry(agency, path, change, code, status):
    got, headers, data = post(agency, path, FIND, headers_of(**change))
    assert (got, headers["X-Road-Error"]) == (status, code) and etree.fromstring(data).find("type").text == code


def test_errors_by_prefix(agency):
    for fail, status in (("client", 400), ("clientproxy", 500), ("serverproxy", 500)):
        agency.switch(fail=fail)
        got, headers, _ = post(agency, PATH + "findPermits", FIND, headers_of())
        assert got == status and headers["X-Road-Error"] == xroad.CODES[fail]
        got, _, data = post(agency, "/", envelope(FIND), SOAP_HEADERS)
        assert got == 500 and etree.fromstring(data).find(".//faultcode").text == xroad.CODES[fail]


@pytest.mark.parametrize("headers,word", [("", "protocolVersion"), (None, None)])
def test_headers_of_soap(agency, headers, word):
    post(agency, "/", envelope(FIND, headers), SOAP_HEADERS)
    assert any(word in f for f in faults(agency)) if word else faults(agency) == []


def test_an_old_protocol(agency):
    post(agency, "/", envelope(FIND, protocolVersion="3.1"), SOAP_HEADERS)
    assert "protocolVersion is 4.0" in faults(agency)


@pytest.mark.parametrize("cert", [None, "client-expired.pem", "client-stranger.pem", "client-revoked.pem"])
def test_who_may_come_in(agency, cert):
    with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
        post(agency, PATH + "findPermits", FIND, headers_of(), cert)
    told = until(agency.books, lambda books: books["handshakes"])  # it may note it after we were told
    assert agency.requests() == [] and len(told["handshakes"]) == 1


def test_each_certificate_of_the_server(agency):
    for name, good in (("server", True), ("server-renewed", True), ("server-expired", False), ("server-stranger", False),
                       ("server-elsewhere", False)):
        agency.switch(certificate=name)
        if good:
            assert post(agency, PATH + "findPermits", FIND, headers_of())[0] == 200
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                post(agency, PATH + "findPermits", FIND, headers_of())


def test_results_are_remembered_by_client_and_id(agency):
    number = str(uuid.uuid4())
    first = ask(agency, "findPermits", FIND, X_Road_Id=number)[1]
    agency.done("issue", permit=RECRUITMENT)
    again = ask(agency, "findPermits", FIND, X_Road_Id=number)[1]
    assert etree.tostring(first) == etree.tostring(again) and agency.requests()[-1]["remembered"]
    assert len(ask(agency, "findPermits", FIND)[1][0]) == 1
    ask(agency, "findPermits", FIND.replace("04595257", "12345675"), X_Road_Id=number)
    assert "id: of another request" in faults(agency)


def test_a_switch_that_counts(agency):
    agency.switch(fail="http500", times=2)
    assert [post(agency, PATH + "findPermits", FIND, headers_of())[0] for _ in range(3)] == [500, 500, 200]


def test_after_the_deed_or_before(agency):
    agency.done("issue", permit=EMPLOYMENT)
    ack = f'<ackPermits xmlns="{NS}"><ids><id>labour-1</id></ids></ackPermits>'
    for after, acks in ((False, 0), (True, 1)):
        agency.switch(fail="http500", after=after)
        post(agency, PATH + "ackPermits", ack, headers_of())
        assert len(agency.books()["acks"]) == acks


@pytest.mark.parametrize("body,word", [("<x/>", "the request"), ("<!DOCTYPE x><x/>", "the request"), (f'<findPermits xmlns="{NS}"/>', None),
                                       (FIND.replace("04595257", "4595257"), "the request"), (POLL, None)])
def test_a_request_that_the_schema_has_not(agency, body, word):
    """It answers with a fault, and so it does to a question of nothing or of another service."""
    status, answer = ask(agency, "findPermits", body)
    assert status == 200 and answer[0].tag == f"{{{NS}}}fault"
    assert any(word in f for f in faults(agency)) if word else faults(agency) == []


# ---- the agency's desk

def form(agency, path, **fields):
    return fetch(agency.desk + path, fields)


def test_a_person_issues_and_revokes(agency):
    page = fetch(agency.desk + "/")[1]
    kinds = re.findall(r'<option value="(\w+)">', page)
    assert kinds == ["recruitment", "introduction", "replacement", "employment", "extension", "takeover"]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    assert form(agency, "/issue", kind="recruitment", category="fishery", **fields)[0] == 303
    assert form(agency, "/issue", kind="employment", category="fishery", **fields)[0] == 303
    letters = [r["permit"] for r in agency.books()["letters"]]
    assert [p["kind"] for p in letters] == ["recruitment", "employment"]
    messages = ask(agency, "pollPermits", POLL)[1][0]
    assert len(messages) == 1  # the employment permit alone is pushed
    labour_agency.Agency(labour_agency.Books()).schema.assertValid(etree.fromstring(base64.b64decode(messages[0][1].text)))
    assert form(agency, "/revoke", letter_no=letters[1]["letter_no"])[0] == 303
    assert agency.books()["letters"][1]["permit"]["state"] == "revoked"
    assert len(ask(agency, "pollPermits", POLL)[1][0]) == 2
    assert form(agency, "/revoke", letter_no=letters[1]["letter_no"])[0] == 409
    page = fetch(agency.desk + "/")[1]
    assert page.count("廢止 / Revoke") == 1 and 'id="waiting">待取訊息 / messages not fetched: 2' in page


def test_what_the_desk_refuses(agency):
    assert form(agency, "/issue", kind="visit")[0] == 409 and form(agency, "/revoke", letter_no="x")[0] == 409
    assert fetch(agency.desk + "/nowhere")[0] == 404 and form(agency, "/nowhere")[0] == 404


def test_the_page_escapes(agency):
    agency.done("issue", permit=changed(RECRUITMENT, employer__name="<b>x</b>", letter_no="<i>1</i>"))
    ask(agency, "findPermits", FIND, X_Road_Issue="<u>1</u>")
    page = fetch(agency.desk + "/")[1]
    assert "&lt;b&gt;x&lt;/b&gt;" in page and not any(tag in page for tag in ("<b>", "<i>", "<u>", "<script", "style="))


@pytest.mark.parametrize("verb,body,status", [
    ("switch", {"fail": "dance"}, 400), ("switch", {"colour": 1}, 400), ("switch", {"slow_ms": -1}, 400), ("switch", {"after": 1}, 400),
    ("revoke", {"letter_no": "x"}, 409), ("issue", {}, 409), ("push", {"body_base64": "A"}, 409), ("dance", {}, 404)])
def test_controls_that_are_wrong(agency, verb, body, status):
    got, text, _ = fetch(f"{agency.desk}/control/{verb}", json.dumps(body).encode(), "application/json")
    assert got == status and not json.loads(text)["ok"]


def test_a_letter_that_is_issued_again_is_one_letter(agency):
    for used in (4, 5):
        agency.done("issue", permit=changed(RECRUITMENT, used=used))
    (one,) = agency.books()["letters"]
    assert one["permit"]["used"] == 5


def test_books_are_kept(tmp_path):
    """A killed stand-in goes on with what it had."""
    ledger = labour_agency.Books(tmp_path / "books")
    labour_agency.Agency(ledger).issue(EMPLOYMENT)
    ledger.close()
    again = labour_agency.Books(tmp_path / "books")
    assert [r["permit"] for r in again.rows("letters")] == [EMPLOYMENT] and len(again.rows("messages")) == 1
    again.close()
