"""labour_xroad: permits found, polled, acknowledged and told as facts; what cannot be is refused with its reason."""
import base64

import pytest
from lxml import etree

import labour_agency
import xroad_end
from host import LOOSE
from play import EMPLOYMENT, RECRUITMENT, changed

WHY = {"user": "officer1"}
NS = "urn:fwpermit:labour:1"


def document(*permits, **more):
    """A message as the agency would write it, whether or not it makes sense."""
    root = etree.Element(f"{{{NS}}}permitMessage", nsmap={None: NS})
    labour_agency.add(root, "id", "m-1")
    labour_agency.add(root, "sent", "2026-11-26T04:00:00Z")
    inside = etree.SubElement(root, f"{{{NS}}}permits")
    for permit in permits:
        labour_agency.add_permit(inside, changed(permit, **more))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


# ---- find

@pytest.mark.parametrize("question,found", [
    ({"letter_no": RECRUITMENT["letter_no"]}, [RECRUITMENT]), ({"letter_no": EMPLOYMENT["letter_no"]}, [EMPLOYMENT]),
    ({"worker": {"passport_no": "C1234567", "nationality": "VNM"}}, [EMPLOYMENT]),
    ({"worker": {"passport_no": "C1234567", "nationality": "VNM", "birth": "1996-04-12"}}, [EMPLOYMENT]),
    ({"worker": {"passport_no": "C1234567", "nationality": "IDN"}}, []), ({"employer_id": "04595257"}, [RECRUITMENT, EMPLOYMENT]),
    ({"employer_id": "04595257", "letter_no": EMPLOYMENT["letter_no"]}, [EMPLOYMENT]), ({"employer_id": "12345675"}, []),
    ({"letter_no": "勞動發事字第1150099999號"}, [])])
def test_find(end, agency, question, found):
    for permit in (RECRUITMENT, EMPLOYMENT):
        agency.done("issue", permit=permit, push=False)
    answer = end.ask("find", {**question, "why": WHY})
    assert (answer["rc"], answer["reply"]) == ("ok", {"permits": found})


KINDS = [changed(RECRUITMENT, kind=k) for k in ("recruitment", "introduction", "replacement")] + [
    changed(EMPLOYMENT, kind=k) for k in ("employment", "extension", "takeover")] + [
    changed(RECRUITMENT, state=s) for s in ("lapsed", "revoked")] + [
    changed(EMPLOYMENT, state=s, ended="2026-12-01") for s in ("ended", "revoked")] + [
    changed(RECRUITMENT, grace_to=None, nationalities=None, workplace=None),
    changed(EMPLOYMENT, workplace=None, recruitment_no=None, worker__name_native=None),
    changed(EMPLOYMENT, worker__name_zh="阮文英", worker__ui_no="A800000014", worker__name_latin="O'NEIL-SMITH ANH", worker__sex="X"),
    changed(EMPLOYMENT, employer__name="A&B <\"有限\"> 公司", workplace="1樓 ]]> & 'x'"),
    changed(EMPLOYMENT, employer={"id": "A123456789", "name": "王"}), changed(RECRUITMENT, quota=0, used=0),
    changed(RECRUITMENT, quota=100000, used=100000)]


@pytest.mark.parametrize("permit", KINDS)
def test_every_kind_of_letter_both_ways(end, agency, permit):
    agency.done("issue", permit=permit, push=False)
    assert end.ask("find", {"letter_no": permit["letter_no"], "why": WHY})["reply"] == {"permits": [permit]}
    assert end.tell(document(permit))["reply"] == {"facts": [{"fact": "permit", "permit": permit}]}


def test_more_than_fit(end, agency):
    for i in range(5):
        agency.done("issue", permit=changed(RECRUITMENT, letter_no=f"勞動發事字第11500000{i:02d}號"))
    agency.switch(find_most=3)
    reply = end.ask("find", {"employer_id": "04595257", "why": WHY})["reply"]
    assert len(reply["permits"]) == 3 and reply["more"] is True


def test_200_permits_and_no_more(end, agency):
    """The contract's limit; the schema is of the same."""
    for i in range(201):
        agency.done("issue", permit=changed(RECRUITMENT, letter_no=f"勞動發事字第1150000{i:03d}號"))
    assert len(end.ask("find", {"employer_id": "04595257", "why": WHY})["reply"]["permits"]) == 200
    agency.switch(find_most=201)
    answer = end.ask("find", {"employer_id": "04595257", "why": WHY})
    assert answer["rc"] == "tempfail" and "not as the schema has it" in answer["reason"]


LETTERS = [("勞動發事字第1130012345號", True), ("勞動發管字第1091234567號", True), ("勞職外字第1001234567號", True), ("勞職許字第0990000001號", True),
           ("勞動發事字第0750000001號", True), ("勞動發事字第0740000001號", False), ("勞動發事字第113001234號", False),
           ("勞動發事字第11300123456號", False), ("勞動發事字第1130012345", False), ("勞動發事字第1130012345號 ", False),
           ("1130012345", False), ("勞動字第1130012345號", False), ("勞動發事字第一一三〇〇一二三號", False)]


@pytest.mark.parametrize("number,good", LETTERS)
def test_numbers_of_letters(end, agency, number, good):
    answer = end.ask("find", {"letter_no": number, "why": WHY})
    if good:
        assert answer["rc"] == "ok"
    else:
        assert (answer["rc"], answer["reason"]) == ("permfail", "letter_no: no number of a letter")
        assert agency.requests() == []


def test_prefixes_are_data(agency, more_ends):
    end = more_ends(letter_prefixes="府勞外字第,勞動發事字第")
    assert end.ask("find", {"letter_no": "府勞外字第1130012345號", "why": WHY})["rc"] == "ok"
    assert end.ask("find", {"letter_no": "勞職外字第1130012345號", "why": WHY})["rc"] == "permfail"
    assert len(agency.requests()) == 1


@pytest.mark.parametrize("op,request_,where", [
    ("find", {"worker": {"passport_no": "c1", "nationality": "VNM"}}, "/findPermits/worker/passport_no:"),
    ("find", {"worker": {"passport_no": "C1"}}, "/findPermits/worker:"), ("find", {"employer_id": 4595257}, "/findPermits/employer_id:"),
    ("find", {"employer_id": "\u0001"}, "not well-formed"), ("find", {"employer_id": "\uffff"}, "not well-formed"),
    ("find", {"employer_id": "&amp;"}, "/findPermits/employer_id:"), ("poll", {"max": 0}, "/pollPermits/max:"),
    ("poll", {"max": 101}, "/pollPermits/max:"), ("poll", {}, "/pollPermits:"), ("ack", {"ids": []}, "/ackPermits/ids:"),
    ("ack", {"ids": ["x"] * 101}, "/ackPermits/ids"), ("ack", {"ids": ["x" * 201]}, "/ackPermits/ids/id:")])
def test_what_cannot_be_sent(agency, more_ends, op, request_, where):
    """The plugin alone, without the contract before it: what the schema has not never leaves."""
    for protocol in ("rest", "soap"):
        answer = more_ends(held_to=LOOSE, protocol=protocol).raw(f"labour.{op}", request_)
        assert answer["rc"] == "permfail" and answer["reason"].startswith("the request: ") and where in answer["reason"], answer
    assert agency.requests() == []


def test_an_answer_about_somebody_else(agency, more_ends):
    """The agency mixes its answers up: an id that it remembers gives the answer of another question."""
    other = changed(EMPLOYMENT, letter_no="勞動發事字第1150077777號", worker__passport_no="C7654321")
    for permit in (EMPLOYMENT, other):
        agency.done("issue", permit=permit, push=False)
    agency.switch(mixed_up=True)
    end = more_ends()
    for question, word in (({"letter_no": EMPLOYMENT["letter_no"]}, "letter_no"), ({"worker": {"passport_no": "C1234567", "nationality": "VNM"}}, "worker"),
                           ({"employer_id": "12345675"}, "employer/id")):
        answer = end.ask("find", {**question, "why": WHY})
        assert answer["rc"] == "permfail" and f"{word}: not the one that was asked for" in answer["reason"], answer
        assert "C7654321" not in answer["reason"]


# ---- what cannot be

ABSURD = [
    (EMPLOYMENT, {"valid_to": "2026-11-11"}, "valid_to: before valid_from"), (EMPLOYMENT, {"valid_to": "2026-11-12"}, None),
    (EMPLOYMENT, {"valid_to": "2029-11-12"}, None), (EMPLOYMENT, {"valid_to": "2029-11-13"}, "more than three years"),
    (EMPLOYMENT, {"valid_from": "2024-02-29", "valid_to": "2027-02-28"}, None),
    (EMPLOYMENT, {"valid_from": "2024-02-29", "valid_to": "2027-03-01"}, "more than three years"),
    (EMPLOYMENT, {"ended": "2027-01-01"}, "ended: but the state is valid"),
    (EMPLOYMENT, {"worker__birth": "2026-11-12"}, "worker/birth: not before valid_from"), (EMPLOYMENT, {"worker__birth": "2026-11-11"}, None),
    (EMPLOYMENT, {"worker__ui_no": "A800000015"}, "worker/ui_no: wrong check digit"), (EMPLOYMENT, {"worker__ui_no": "AB23456789"}, None),
    (EMPLOYMENT, {"worker__ui_no": "AC12345678"}, "worker/ui_no: wrong check digit"), (EMPLOYMENT, {"worker__ui_no": "HD12345678"}, None),
    (EMPLOYMENT, {"letter_no": "勞動發事字第115002345號"}, "letter_no: no number of a letter"),
    (EMPLOYMENT, {"recruitment_no": "招募1"}, "recruitment_no: no number of a letter"),
    (RECRUITMENT, {"letter_no": "12345"}, "letter_no: no number of a letter"), (RECRUITMENT, {"quota": 4}, None),
    (RECRUITMENT, {"quota": 3}, "quota: below used"), (RECRUITMENT, {"valid_to": "2026-03-01"}, "valid_to: before valid_from"),
    (RECRUITMENT, {"grace_to": "2026-09-01"}, "grace_to: before valid_to"), (RECRUITMENT, {"grace_to": "2026-09-02"}, None),
    (RECRUITMENT, {"valid_to": "2036-09-02", "grace_to": None}, None),
    (RECRUITMENT, {"employer__id": "04595252"}, None), (RECRUITMENT, {"employer__id": "04595253"}, "employer/id: wrong check digit"),
    (RECRUITMENT, {"employer__id": "12345670"}, None), (RECRUITMENT, {"employer__id": "12345671"}, None),
    (RECRUITMENT, {"employer__id": "12345672"}, "employer/id: wrong check digit"), (RECRUITMENT, {"employer__id": "10458574"}, None),
    (RECRUITMENT, {"employer__id": "A123456789"}, None), (RECRUITMENT, {"employer__id": "A123456788"}, "employer/id: wrong check digit"),
    (RECRUITMENT, {"employer__id": "Y123456788"}, None), (RECRUITMENT, {"employer__id": "A800000014"}, None),
    (RECRUITMENT, {"employer__id": "A800000000"}, "employer/id: wrong check digit")]


@pytest.mark.parametrize("permit,change,word", ABSURD)
def test_what_cannot_be(ends, agency, permit, change, word):
    permit = changed(permit, **change)
    told = ends["rest"].tell(document(RECRUITMENT, permit))
    agency.done("issue", permit=permit, push=False)
    found = ends["rest"].ask("find", {"employer_id": permit["employer"]["id"], "why": WHY})
    if word is None:
        assert told["reply"]["facts"][1]["permit"] == permit and found["reply"]["permits"] == [permit]
        return
    assert told["rc"] == "rejected" and told["reason"].startswith("the message: permit 2, ") and word in told["reason"], told
    assert found["rc"] == "permfail" and found["reason"].startswith("the answer: permit 1, ") and word in found["reason"], found
    assert not any(str(value) in told["reason"] for value in change.values() if len(str(value)) > 5)


OFF_SCHEMA = [
    (EMPLOYMENT, {"kind": "visit"}, "kind"), (EMPLOYMENT, {"state": "lapsed"}, "state"), (EMPLOYMENT, {"valid_to": "2026-02-30"}, "valid_to"),
    (EMPLOYMENT, {"valid_to": "11/12/2026"}, "valid_to"), (EMPLOYMENT, {"valid_to": "2026-11-12+08:00"}, "valid_to"),
    (EMPLOYMENT, {"worker": None}, "employment"), (EMPLOYMENT, {"worker__sex": "m"}, "sex"), (EMPLOYMENT, {"worker__passport_no": "c1"}, "passport_no"),
    (EMPLOYMENT, {"worker__passport_no": "1" * 21}, "passport_no"), (EMPLOYMENT, {"worker__nationality": "Vietnam"}, "nationality"),
    (EMPLOYMENT, {"worker__name_latin": "Nguyễn"}, "name_latin"), (EMPLOYMENT, {"worker__name_latin": "A" * 81}, "name_latin"),
    (EMPLOYMENT, {"worker__ui_no": "a800000014"}, "ui_no"), (EMPLOYMENT, {"employer__name": " "}, "name"),
    (EMPLOYMENT, {"employer__name": "x" * 201}, "name"), (EMPLOYMENT, {"workplace": "a\nb"}, "workplace"), (EMPLOYMENT, {"colour": "red"}, "colour"),
    (RECRUITMENT, {"quota": "-1"}, "quota"), (RECRUITMENT, {"quota": 100001}, "quota"), (RECRUITMENT, {"quota": "1e3"}, "quota"),
    (RECRUITMENT, {"quota": None}, "recruitment"), (RECRUITMENT, {"nationalities": []}, "nationalities"),
    (RECRUITMENT, {"nationalities": ["VNM", "VNM"]}, "country"), (RECRUITMENT, {"nationalities": [f"V{c}" for c in "ABCDEFGHIJKLMNOPQRSTU"]}, "country"),
    (RECRUITMENT, {"employer__id": "1234567"}, "id"), (RECRUITMENT, {"category": "acrobat"}, "category")]


@pytest.mark.parametrize("permit,change,where", OFF_SCHEMA)
def test_what_the_schema_has_not(ends, permit, change, where):
    answer = ends["rest"].tell(document(changed(permit, **change)))
    assert answer["rc"] == "rejected" and "not as the schema has it" in answer["reason"], answer
    assert f"/{where}:" in answer["reason"], answer
    assert not any(str(value) in answer["reason"] for value in change.values() if len(str(value)) > 5)


# ---- messages

def test_a_permit_that_is_pushed(end, agency):
    agency.done("issue", permit=EMPLOYMENT)
    agency.done("revoke", letter_no=EMPLOYMENT["letter_no"])
    polled = end.poll()
    facts = [end.tell(body)["reply"]["facts"] for _, body in polled]
    assert [f[0]["permit"]["state"] for f in facts] == ["valid", "revoked"] and facts[0][0]["permit"] == EMPLOYMENT
    assert end.poll() == polled  # nothing was changed
    assert end.ask("ack", {"ids": [polled[0][0]]})["reply"] == {}
    assert end.poll() == polled[1:]
    assert end.ask("ack", {"ids": [polled[0][0], polled[1][0], "never-heard-of"]})["rc"] == "ok"
    assert end.poll() == []


def test_no_more_than_were_asked_for(end, agency):
    for _ in range(3):
        agency.done("push", permits=[EMPLOYMENT])
    assert [i for i, _ in end.poll(2)] == ["labour-1", "labour-2"]
    agency.switch(most_ignored=True)
    answer = end.ask("poll", {"max": 2})
    assert answer["rc"] == "tempfail" and "more messages than were asked for" in answer["reason"]


def test_the_same_message_twice(end, agency):
    agency.done("issue", permit=EMPLOYMENT)
    agency.switch(twice=True)
    (one, body), (again, same) = end.poll()
    assert (one, body) == (again, same)
    assert end.tell(body)["reply"] == end.tell(same)["reply"]
    assert end.ask("ack", {"ids": [one]})["rc"] == "ok" and end.ask("ack", {"ids": [one]})["rc"] == "ok"


def test_an_order_that_is_not_kept(end, agency):
    """What comes is told as it comes; a message says the whole, so that each alone is right of its time."""
    agency.done("issue", permit=EMPLOYMENT)
    agency.done("revoke", letter_no=EMPLOYMENT["letter_no"])
    agency.switch(newest_first=True)
    assert [i for i, _ in end.poll()] == ["labour-2", "labour-1"]


@pytest.mark.parametrize("fail", ["reset", "half", "serverproxy"])
def test_an_acknowledgement_whose_answer_is_lost(end, agency, fail):
    agency.done("issue", permit=EMPLOYMENT)
    agency.switch(fail=fail, after=True)
    assert end.ask("ack", {"ids": ["labour-1"]}, key="the ack")["rc"] == "tempfail"
    agency.switch(fail="none")
    assert end.ask("ack", {"ids": ["labour-1"]}, key="the ack")["rc"] == "ok"
    assert len(agency.books()["acks"]) == 1  # remembered by its id


def test_a_message_at_its_limit(end, agency):
    """As long as the contract lets one be; the bytes are the agency's, whatever they are."""
    long = base64.b64encode(b"x" * 524289).decode()
    assert len(long) == 699052
    agency.done("push", body_base64=long)
    answer = end.ask("poll", {"max": 1})
    assert answer["rc"] == "ok" and answer["reply"]["messages"][0]["body_base64"] == long
    agency.done("reset")
    agency.done("push", body_base64=base64.b64encode(b"x" * 524292).decode())
    answer = end.ask("poll", {"max": 1})
    assert answer["rc"] == "tempfail" and "/body_base64: not as the schema has it" in answer["reason"]


def test_a_message_of_nothing(end):
    assert end.tell(document())["reply"] == {"facts": []}


@pytest.mark.parametrize("n,rc", [(100, "ok"), (101, "rejected")])
def test_permits_of_one_message(end, n, rc):
    assert end.tell(document(*[RECRUITMENT] * n))["rc"] == rc


@pytest.mark.parametrize("body,word", [
    (b"", "empty"), (b"hello", "well-formed"), (b"<a>", "well-formed"), (b"<a/><b/>", "well-formed"), (b"\xff\xfe<\0a\0/\0>\0", "UTF-8"),
    (b"<permitMessage/>", "the root is not permitMessage of urn:fwpermit:labour:1"),
    (b'<permitMessage xmlns="urn:fwpermit:labour:2"/>', "the root is not"), (b'<findPermits xmlns="urn:fwpermit:labour:1"/>', "the root is not"),
    (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>', "DOCTYPE"), (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "DOCTYPE"),
    (b"<!DOCTYPE a [\n\n<<<", "line 1: a DOCTYPE"), (b"<a>\xff</a>", "not UTF-8 text"), (b"<a>&x;</a>", "well-formed"), (b"<?xml-stylesheet href='http://127.0.0.1:1/'?><a/>", "processing instruction"),
    (b'<?xml version="1.0" encoding="Big5"?><a/>', "encoding"), (b"<a>" * 25 + b"</a>" * 25, "too deep"),
    (b"<a>" + b"<b/>" * 20000 + b"</a>", "too many elements"), (b"<a" + b"".join(b' x%d=""' % i for i in range(20000)) + b"/>", "too many elements"),
    (b"<a>\x01</a>", "well-formed"), (b"<a>\0</a>", "UTF-8"), (b"<a:b/>", "well-formed"),
    (b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" parse="text"/></a>', "the root is not")])
def test_messages_that_are_none(ends, body, word):
    answer = ends["rest"].tell(body)
    assert answer["rc"] == "rejected" and word in answer["reason"], answer


def test_depth_at_its_limit(ends):
    """One less is taken by the reader, and left to the schema."""
    assert "the root is not" in ends["rest"].tell(b"<a>" * 24 + b"</a>" * 24)["reason"]
    assert "the root is not" in ends["rest"].tell(b"<a>" + b"<b/>" * 19999 + b"</a>")["reason"]


def test_comments_and_cdata_do_not_cut_a_value(ends):
    text = document(EMPLOYMENT).replace(b"C1234567", b"C12<!-- x -->34<![CDATA[567]]>")
    assert ends["rest"].tell(text)["reply"]["facts"][0]["permit"] == EMPLOYMENT


def test_prefixes_and_order_of_members_are_free(ends):
    root = etree.fromstring(document(EMPLOYMENT))
    permit = root[2][0]
    permit[:] = permit[::-1]
    text = etree.tostring(root).replace(b'xmlns="urn', b'xmlns:p="urn').replace(b"</", b"</p:").replace(b"<", b"<p:").replace(b"<p:/p:", b"</p:")
    assert b"<p:permitMessage" in text
    assert ends["rest"].tell(text)["reply"]["facts"][0]["permit"] == EMPLOYMENT


@pytest.mark.parametrize("n", range(3))
def test_a_reason_that_is_cut_is_still_a_text(ends, n):
    """Names that the schema has not are shown, and cut by bytes."""
    inner = "許" * 30
    text = document(EMPLOYMENT).replace(b"<permits>", f"<permits><{'x' * n}{inner}/>".encode())
    answer = ends["rest"].tell(text)
    assert answer["rc"] == "rejected" and "許" in answer["reason"], answer


@pytest.mark.parametrize("channel", ["push", "paid", "polled"])
def test_nobody_may_push(ends, channel):
    answer = ends["rest"].tell(document(EMPLOYMENT), channel)
    assert answer["rc"] == "rejected" and "polled" in answer["reason"]


@pytest.mark.parametrize("text", ["", "=", "A", "AAA", "A===", "AAAA=AAA"])
def test_what_is_no_base64(more_ends, text):
    """The host makes it; a plugin must stand what comes."""
    answer = more_ends(held_to=LOOSE).raw("labour.message", {"channel": "poll", "body_base64": text})
    assert answer["rc"] == "rejected" and answer["reason"]


# ---- of itself

def test_what_it_says_of_itself(ends):
    told = ends["rest"].raw("describe")["reply"]
    assert (told["port"], told["name"]) == ("labour", "labour_xroad")
    assert told["ops"] == ["labour.find", "labour.poll", "labour.ack", "labour.message"]


def test_all_answers_were_seen():
    for op in ("find", "poll", "ack", "message"):
        assert xroad_end.seen(op, "ok") > 0, op
