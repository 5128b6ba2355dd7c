"""The X-Road transport of the kit, through labour_xroad's process: each rule of the message protocols, against a security server that
judges by code of its own, and everything that can go wrong between."""
import os
import re
import shutil
import subprocess
import time
import uuid

import pytest

import pki
from host import BUILD, LOOSE, PLUGINS, ROOT, Process, compile_library, until
from play import EMPLOYMENT
from xroad_end import CLIENT, PERSON, PROVIDER, options_of

LOST = "tempfail"  # a question may be asked again


def only(agency):
    """The one request that came."""
    requests = agency.requests()
    assert len(requests) == 1, requests
    return requests[0]


# ---- a request

def test_what_the_security_server_gets(end, agency):
    agency.done("issue", permit=EMPLOYMENT, push=False)
    answer = end.find(key="the key")
    assert answer["rc"] == "ok" and [p["letter_no"] for p in answer["reply"]["permits"]] == [EMPLOYMENT["letter_no"]]
    got = only(agency)
    assert (got["service"], got["client"], got["cn"]) == ("findPermits", CLIENT, "permit.test")
    assert (got["user"], got["issue"]) == ("TWofficer1", "1150000012")
    assert got["path"] in (f"/r1/{PROVIDER}/findPermits", "/")


def test_a_question_of_no_case_by_nobody(end, agency):
    assert end.poll() == []
    got = only(agency)
    assert (got["user"], got["issue"]) == ("TWfwpermit", None)


def test_one_id_for_each_operation(end, agency):
    for key in ("a", "a", "b"):
        assert end.find(key=key)["rc"] == "ok"
    assert end.ask("poll", {"max": 1}, key="a")["rc"] == "ok"
    ids = [r["xid"] for r in agency.requests()]
    assert ids[0] == ids[1] and len(set(ids)) == 3
    assert all(uuid.UUID(i).version == 5 for i in ids)
    assert [r["remembered"] for r in agency.requests()] == [False, True, False, False]


def test_the_log_tells_the_id(end, agency):
    end.find()
    agency.switch(fail="http500")
    end.find()
    well, ill = [r["xid"] for r in agency.requests()]
    until(lambda: f"info: plugin labour: X-Road findPermits, id {ill}: the other side answers HTTP 500" in end.log, "the line")
    assert f"debug: plugin labour: X-Road findPermits, id {well}: ok" in end.log


def test_the_id_outlives_the_process(agency, more_ends):
    first, second = more_ends(), more_ends()
    assert first.find(key="k")["rc"] == second.find(key="k")["rc"] == "ok"
    assert [r["remembered"] for r in agency.requests()] == [False, True]


def test_identifiers_are_encoded_by_part(agency, more_ends):
    """A slash in a part, brackets, Chinese."""
    pki.make_cert(agency.pki, "client-odd", "odd.test")
    for protocol in ("rest", "soap"):
        end = more_ends(client="TW/GOV/移民署%2F1/per(mit)", protocol=protocol, http_cert_file=str(agency.pki / "client-odd.pem"))
        assert end.find()["rc"] == "ok"
    assert [r["client"] for r in agency.requests()] == ["TW/GOV/移民署/1/per(mit)"] * 2


@pytest.mark.parametrize("change,code", [({"provider": "TW/GOV/MOL/fines"}, "unknown_member"),
                                         ({"client": "TW/GOV/NIA/fines"}, "ssl_authentication_failed")])
def test_a_security_server_that_does_not_know_us(agency, more_ends, change, code):
    for protocol in ("rest", "soap"):
        answer = more_ends(protocol=protocol, **change).find()
        assert (answer["rc"], "our security server: server.clientproxy." + code in answer["reason"]) == (LOST, True), answer


# ---- an answer

@pytest.mark.parametrize("fail,rc,word", [
    ("client", "misconfigured", "client.bad_request"), ("clientproxy", LOST, "at our security server: server.clientproxy.network_error"),
    ("serverproxy", LOST, "at their security server: Server.ServerProxy.ServiceFailed.HttpError"),
    ("odd_error", LOST, "X-Road: Weird.Thing?<b>")])
@pytest.mark.parametrize("after", [False, True])
def test_errors_of_x_road_itself(end, agency, fail, rc, word, after):
    agency.switch(fail=fail, after=after)
    answer = end.find()
    assert answer["rc"] == rc and word in answer["reason"], answer
    assert "C1234567" not in answer["reason"] and "王" not in answer["reason"]


@pytest.mark.parametrize("fail,rc,word,wait", [
    ("http301", "permfail", "301", 0), ("http400", "permfail", "400", 0), ("http404", "misconfigured", "404", 0),
    ("http408", LOST, "408", 0), ("http429", LOST, "429", 7000), ("http500", LOST, "500", 0), ("http503", LOST, "503", 7000)])
def test_answers_that_are_not_x_roads(end, agency, fail, rc, word, wait):
    agency.switch(fail=fail)
    answer = end.find()
    assert (answer["rc"], answer["retry_after_ms"]) == (rc, wait) and word in answer["reason"], answer
    assert len(agency.requests()) == 1, "no redirect is followed, nothing repeated"


@pytest.mark.parametrize("fail", ["reset", "half"])
def test_answers_that_are_lost(end, agency, fail):
    agency.switch(fail=fail)
    assert end.find(key="k")["rc"] == LOST
    agency.switch(fail="none")
    assert end.find(key="k")["rc"] == "ok"


@pytest.mark.parametrize("fail", ["wrong_id", "no_id", "wrong_client", "wrong_service"])
def test_answers_to_another_request(end, agency, fail):
    agency.switch(fail=fail)
    answer = end.find()
    assert (answer["rc"], answer["reason"]) == (LOST, "the answer is to another request")


@pytest.mark.parametrize("fail", ["lost_header", "reordered_headers", "more_headers"])
def test_headers_that_are_not_the_requests(ends, agency, fail):
    agency.switch(fail=fail)
    answer = ends["soap"].find()
    assert (answer["rc"], answer["reason"]) == (LOST, "the answer is to another request")


@pytest.mark.parametrize("fail,rc,word", [
    ("no_envelope", LOST, "no SOAP envelope"), ("two_bodies", LOST, "no SOAP envelope"),
    ("soap_client", "permfail", "SOAP fault Client"), ("soap_server", LOST, "SOAP fault Server")])
def test_faults_of_soap(ends, agency, fail, rc, word):
    agency.switch(fail=fail)
    answer = ends["soap"].find()
    assert answer["rc"] == rc and word in answer["reason"], answer


def test_a_refusal_of_the_other_side(end, agency):
    """A business fault is told from a technical one; its words stay where they are."""
    for fail in ("fault", "fault4xx"):
        agency.switch(fail=fail)
        answer = end.find()
        assert (answer["rc"], answer["reason"]) == ("rejected", "the other side refuses: NOT_ALLOWED")


@pytest.mark.parametrize("fail,word", [
    ("nonsense", "not UTF-8"), ("html", "the answer"), ("doctype", "DOCTYPE"), ("bomb", "DOCTYPE"), ("external", "DOCTYPE"),
    ("instruction", "processing instruction"), ("deep", "too deep"), ("wide", "too many elements"), ("huge", "too long"),
    ("utf16", "not UTF-8"), ("latin1", "encoding is not UTF-8"), ("wrong_namespace", "the root is not findPermitsResponse of urn:fwpermit:labour:1"),
    ("next_version", "the root is not findPermitsResponse of urn:fwpermit:labour:1"),
    ("off_schema", "/findPermitsResponse/colour: not as the schema has it")])
def test_documents_that_are_not_taken(end, agency, fail, word):
    agency.switch(fail=fail)
    before = end.memory()
    answer = end.find()
    assert answer["rc"] == LOST and word in answer["reason"], answer
    assert "secret" not in answer["reason"] and end.memory() - before < 16384
    agency.switch(fail="none")
    assert end.find()["rc"] == "ok"


def test_xml_that_is_called_something_else(ends, agency):
    agency.switch(fail="not_xml")
    answer = ends["rest"].find()
    assert answer["rc"] == LOST and "not XML by its type" in answer["reason"]


# ---- what changes something there

@pytest.fixture(scope="module", name="putters")
def plugins_that_put(tmp_path_factory, labour_program):
    """(remembers, protocol) → its process."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libxml-2.0", "jansson", "libcrypto"], capture_output=True, text=True,
                           check=True).stdout.split()
    folder = tmp_path_factory.mktemp("putter")
    folder.chmod(0o755)
    so = compile_library(ROOT / "tests/plugin/putter.c", folder / "putter.so", str(BUILD / "libfwkit.a"), *flags,
                         f"-Wl,--version-script={ROOT}/plugins/fwpermit_plugin.map")
    all_of_them = {(r, p): Process(so, f"putter-{r}-{p}", options_of(labour_program, remembers=r, protocol=p), held_to=LOOSE)
                   for r in ("yes", "no") for p in ("rest", "soap")}
    yield all_of_them
    assert [p.stop() for p in all_of_them.values()] == [0] * 4


PUT = {"letter_no": EMPLOYMENT["letter_no"]}
OPEN, SURE = {"no": "unknown", "yes": "tempfail"}, {"no": "tempfail", "yes": "tempfail"}


@pytest.mark.parametrize("fail,rc", [
    ("down", SURE), ("http429", SURE), ("reset", OPEN), ("half", OPEN), ("http408", OPEN), ("http500", OPEN), ("http503", OPEN),
    ("clientproxy", OPEN), ("serverproxy", OPEN), ("odd_error", OPEN), ("nonsense", OPEN), ("wrong_id", OPEN), ("off_schema", OPEN),
    ("client", {"no": "misconfigured", "yes": "misconfigured"}), ("http404", {"no": "misconfigured", "yes": "misconfigured"}),
    ("http400", {"no": "permfail", "yes": "permfail"}), ("http301", {"no": "permfail", "yes": "permfail"}),
    ("fault", {"no": "rejected", "yes": "rejected"})])
def test_a_change_is_repeated_only_where_it_cannot_be_done_twice(agency, putters, fail, rc):
    """Where the outcome is open: again, under the same id, if the other side remembers it; else a person looks."""
    for (remembers, protocol), end in putters.items():
        agency.switch(fail=fail)
        key = f"{remembers}-{protocol}"
        answer = end.raw("penalty.put", PUT, key=key)
        assert (answer["rc"], bool(answer["reason"])) == (rc[remembers], True), (key, answer)
        agency.switch(fail="none")
        assert end.raw("penalty.put", PUT, key=key)["rc"] == "ok"


def test_a_change_that_has_no_time_left(agency, putters):
    agency.switch(slow_ms=1500)
    answers = {end.raw("penalty.put", PUT, key=p, deadline_ms=300)["rc"] for (r, p), end in putters.items() if r == "no"}
    assert answers == {"unknown"}
    until(lambda: len(agency.requests()) == 2, "both requests")


# ---- time and wires

def test_a_far_side_that_is_too_slow(end, agency):
    agency.switch(slow_ms=1500)
    answer = end.find(deadline_ms=400)
    assert answer["rc"] == LOST and answer["reason"]
    until(agency.requests, "the request")
    agency.switch(slow_ms=0)
    assert end.find()["rc"] == "ok"


def test_nobody_there(agency, more_ends):
    for protocol in ("rest", "soap"):
        gone = more_ends(url="https://127.0.0.1:1", protocol=protocol)
        assert gone.find()["rc"] == "tempfail" and gone.raw("health", key="")["rc"] == "tempfail"
    assert agency.requests() == []


def test_down_and_up_again(end, agency):
    agency.switch(fail="down")
    assert end.find()["rc"] == "tempfail"
    agency.switch(fail="none")
    assert end.find()["rc"] == "ok"
    assert len(agency.requests()) == 1


def test_plain_http_must_be_allowed(agency, more_ends):
    answer = more_ends(url=agency.desk).find()
    assert answer["rc"] == "misconfigured" and "url" in answer["reason"]


# ---- certificates

@pytest.mark.parametrize("name", ["server-expired", "server-stranger", "server-elsewhere"])
def test_a_server_that_cannot_show_who_it_is(end, agency, name):
    agency.switch(certificate=name)
    answer = end.find()
    assert answer["rc"] == "tempfail" and "certificate" in answer["reason"].lower(), answer
    assert agency.requests() == []


def test_a_server_whose_certificate_is_revoked(agency, more_ends):
    end = more_ends(http_crl_file=str(agency.pki / "ca.crl"))
    assert end.find()["rc"] == "ok"
    agency.switch(certificate="server-revoked")
    answer = end.find()
    assert answer["rc"] == "tempfail" and "revoked" in answer["reason"], answer
    assert len(agency.requests()) == 1


@pytest.mark.parametrize("name,word", [("client-expired", "expired"), ("client-stranger", "unknown ca"), ("client-revoked", "revoked")])
def test_a_certificate_of_ours_that_they_do_not_take(agency, more_ends, name, word):
    answer = more_ends(http_cert_file=str(agency.pki / f"{name}.pem")).find()
    assert answer["rc"] == "tempfail" and word in answer["reason"], answer
    assert agency.requests() == []


def test_no_certificate_of_ours(agency, more_ends):
    assert more_ends(http_cert_file=None).find()["rc"] == "tempfail"
    assert agency.requests() == []


def test_a_certificate_of_another_agency(agency, more_ends):
    """It is of our authority, and speaks for another subsystem."""
    answer = more_ends(http_cert_file=str(agency.pki / "client-elsewhere.pem")).find()
    assert "server.clientproxy.ssl_authentication_failed" in answer["reason"]


def test_a_certificate_that_is_renewed(agency, more_ends, tmp_path):
    """On disk, without a restart, and cut off for a moment in between."""
    own = tmp_path / "own.pem"
    shutil.copy(agency.pki / "client-expired.pem", own)
    end = more_ends(http_cert_file=str(own))
    pid = end.process.pid
    assert end.find()["rc"] == "tempfail"
    own.write_bytes((agency.pki / "client-renewed.pem").read_bytes()[:300])
    assert end.find()["rc"] == "tempfail"
    shutil.copy(agency.pki / "client-renewed.pem", tmp_path / "new.pem")
    os.replace(tmp_path / "new.pem", own)
    assert end.find()["rc"] == "ok"
    assert end.process.pid == pid and end.process.poll() is None
    agency.switch(certificate="server-renewed")
    assert end.find()["rc"] == "ok"


def test_a_key_beside_the_certificate(agency, more_ends):
    end = more_ends(http_cert_file=str(agency.pki / "client.crt"), http_key_file=str(agency.pki / "client.key"))
    assert end.find()["rc"] == "ok"
    other = more_ends(http_cert_file=str(agency.pki / "client.crt"), http_key_file=str(agency.pki / "client-renewed.key"))
    assert other.find()["rc"] == "tempfail"
    assert len(agency.requests()) == 1


def test_a_key_with_a_passphrase_is_none(agency, more_ends, tmp_path):
    pki.openssl(tmp_path, "ec", "-in", agency.pki / "client.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key")
    end = more_ends(http_cert_file=str(agency.pki / "client.crt"), http_key_file=str(tmp_path / "locked.key"))
    assert end.find()["rc"] == "tempfail" and agency.requests() == []


@pytest.mark.parametrize("days,rc", [(-2, "tempfail"), (0, "ok"), (40, "tempfail")])
def test_clocks_that_differ(agency, more_ends, days, rc):
    """Our clock judges their certificate; nothing else is judged by it."""
    answer = more_ends(now=int(time.time()) + days * 86400).find()
    assert answer["rc"] == rc, answer
    if rc != "ok":
        assert re.search("expired|not yet valid", answer["reason"]), answer


# ---- settings

LONG = "x" * 201


@pytest.mark.parametrize("change,named", [
    ({"url": None}, "url"), ({"url": "ftp://x"}, "url"), ({"url": "https://x/"}, "url"), ({"url": "https://x?a"}, "url"),
    ({"url": "https://"}, "url"), ({"url": "https://" + "x" * 193}, "url"), ({"client": None}, "client"), ({"client": "TW/GOV/NIA"}, "client"),
    ({"client": "TW/GOV/NIA/permit/x"}, "client"), ({"client": "TW//NIA/permit"}, "client"), ({"client": "TW/GOV/NIA/%zz"}, "client"),
    ({"client": "TW/GOV/NIA/%0a"}, "client"), ({"client": "TW/GOV/NIA/a;b"}, "client"), ({"client": "TW/GOV/NIA/.."}, "client"),
    ({"client": "TW/GOV/NIA/%ff"}, "client"), ({"client": f"TW/GOV/NIA/{LONG}"}, "client"), ({"provider": None}, "provider"),
    ({"provider": "labour"}, "provider"), ({"protocol": "grpc"}, "protocol"), ({"schema": "labour-1.xsd"}, "schema"),
    ({"schema": "/nowhere.xsd"}, "schema"), ({"schema": "/etc/passwd"}, "schema"), ({"remembers": "maybe"}, "remembers"),
    ({"letter_prefixes": ",a"}, "letter_prefixes"), ({"colour": "red"}, "colour"), ({"http.colour": "red"}, "http.colour")])
def test_settings_that_are_wrong(more_ends, change, named):
    end = more_ends(**change)
    for op, request in (("labour.find", PERSON), ("health", {}), ("describe", {})):
        answer = end.raw(op, request)
        assert answer["rc"] == "misconfigured" and named in answer["reason"], answer


def test_an_option_that_is_given_as_a_secret(agency, start):
    options = {k: v for k, v in options_of(agency).items() if k != "client"}
    answer = start(PLUGINS / "labour_xroad.so", "labour", options, {"client": CLIENT}).raw("health")
    assert answer["rc"] == "misconfigured" and "mixed up: client" in answer["reason"]


@pytest.mark.parametrize("text", [CLIENT, PROVIDER])
def test_no_memory_for_a_setting(agency, start, text):
    process = start(PLUGINS / "labour_xroad.so", "labour", options_of(agency), no_memory_for=text)
    until(lambda: "no memory" in process.log, "what it lacks")


def test_settings_at_their_limits(agency, more_ends):
    assert more_ends(url="https://" + "x" * 192).raw("describe")["rc"] == "ok"
    assert more_ends(client=f"TW/GOV/NIA/{LONG[1:]}").raw("describe")["rc"] == "ok"
    assert agency.requests() == []


# ---- is it there?

def test_health(end, agency):
    assert end.raw("health", key="")["rc"] == "ok"
    agency.switch(fail="http500")
    answer = end.raw("health", key="")
    assert answer["rc"] == "tempfail" and "500" in answer["reason"]


@pytest.mark.parametrize("fail,told", [("none", [True, True, True]), ("down", [False]), ("clientproxy", [True, False]),
                                       ("off_schema", [True, True, False]), ("fault", [True, True, False])])
def test_probe_tells_how_far_it_came(end, agency, fail, told):
    agency.switch(fail=fail)
    steps = end.call("probe", key="")[1]["steps"]
    assert [s["ok"] for s in steps] == told
    assert [s["name"] for s in steps] == ["security server", "x-road", "service"][:len(told)]
    assert agency.books()["acks"] == []


def test_no_growth(ends, agency):
    agency.done("issue", permit=EMPLOYMENT)

    def work(n):
        for i in range(n):
            end = ends["rest" if i % 2 else "soap"]
            agency.switch(fail=("none", "off_schema", "fault", "doctype")[i // 2 % 4])
            end.find()
            end.tell(b"<!DOCTYPE x><x/>")
            end.tell(b"<x/>")

    work(40)
    before = [e.memory() for e in ends.values()]
    work(100)
    assert max(e.memory() - b for e, b in zip(ends.values(), before)) < 768, "KiB grown"
