"""What people and programs send that they should not: the answer is clear, and all is as it was."""
import concurrent.futures
import json
import re
import socket
import threading

import flow
import pytest
import requests
import wire
from browser import Browser
from platform_under_test import await_, check_digit, mrz
from refusals import LANGUAGES, chinese, refused, told

MIB = 1048576


@pytest.fixture(scope="module")
def draft(broker):
    """A draft with all filled in, that tests break and mend again."""
    return flow.draft(broker)


# ---- values ----

def spoil(lines, at):
    """The MRZ with another check digit at that place of its second line."""
    first, second = lines.split("\n")
    digit = str((int(second[at].replace("<", "0")) + 1) % 10)
    return f"{first}\n{second[:at]}{digit}{second[at + 1:]}"


GOOD = mrz("NGUYEN", "VAN ANH", "C1234567")
PERSIAN = "\u0645\u062d\u0645\u062f \u0639\u0644\u06cc"
VALUES = [
    ("mrz", spoil(GOOD, 9), "mrz.digit_number"), ("mrz", spoil(GOOD, 19), "mrz.digit_birth"),
    ("mrz", spoil(GOOD, 27), "mrz.digit_expiry"), ("mrz", spoil(GOOD, 43), "mrz.digit_composite"),
    ("mrz", GOOD[:-1], "mrz.length"), ("mrz", GOOD.replace("<<VAN", "<<VÄN"), "mrz.character"),
    ("passport_expiry", "2020-01-01", "field.rule"), ("birth", flow.iso(-365 * 10), "field.rule"),
    ("entry_date", flow.iso(3), "field.rule"), ("contract_to", flow.iso(-10), "field.rule"),
    ("contract_to", flow.iso(1200), "field.rule"), ("birth", "1989-03-15", "field.rule"),
    ("birth", "2001-02-29", "field.date"), ("birth", "31/12/1990", "field.date"), ("birth", "0000-00-00", "field.date"),
    ("name_latin", "A" * 81, "field.too_long"), ("name_latin", "A" * 200, "field.too_long"),
    ("name_latin", "阮文英", "field.name_latin"), ("name_latin", "ANH <B>", "field.name_latin"),
    ("name_native", "Anh 😀", "field.symbol"), ("name_native", "x" * 61, "field.too_long"),
    ("name_native", "a\u202eb", "field.control"), ("name_native", "a\u0007b", "field.control"),
    ("name_native", "a\u200bb", "field.control"), ("visa_no", "V1\u0085", "field.control"),
    ("sex", "Q", "field.choice"), ("nationality", "XYZ", "field.country"), ("passport_no", "C1 2;", "field.passport_no"),
    ("employer_ban", "04595258", "field.ban"), ("permit_letter", "abc", "field.permit_letter"),
    ("phone", "call me", "field.phone"), ("email", "a@b@c", "field.email"), ("address", "somewhere", "field.address"),
    ("category", "piracy", "field.choice"), ("declare", "", "field.confirm"), ("visa_no", "", "field.required"),
]


@pytest.mark.parametrize("field,value,key", VALUES, ids=[f"{f}-{k}-{n}" for n, (f, _, k) in enumerate(VALUES)])
def test_a_wrong_value_is_told_and_cannot_be_filed(broker, draft, field, value, key):
    """A draft keeps what was typed, says what is wrong with it, and is not filed."""
    before = broker.see(f"/cases/{draft}/edit")
    old = {f["name"]: f["value"] for s in before["form"]["sections"] for f in s["fields"]}[field]
    answer = broker.post(f"/cases/{draft}/edit", {field: value})
    assert answer.status_code == 200, answer.text
    if key not in ("field.required", "field.confirm"):
        assert [e for e in told(answer) if (e["field"], e["key"]) == (field, key)], told(answer)
    refused(broker, f"/cases/{draft}/submit", {}, 422, field, key)
    assert flow.state(broker, draft) == "draft" and broker.see(f"/cases/{draft}")["case"]["case_no"] is None
    broker.do(f"/cases/{draft}/edit", {field: old})
    assert broker.see(f"/cases/{draft}/check")["missing"] == []


@pytest.mark.parametrize("field,value", [("name_latin", "A" * 80), ("name_native", PERSIAN), ("name_native", "สมชาย ใจดี"),
                                         ("name_native", "Ngô\u0302 Thị"), ("name_zh", "𠮷田")])
def test_names_of_any_script_are_taken(broker, field, value):
    case = flow.open_case(broker, flow.register(broker, mrz=""))
    saved = broker.do(f"/cases/{case}/edit", {field: value})
    assert saved["problems"] == []
    rows = {f["name"]: f["value"] for s in broker.see(f"/cases/{case}/edit")["form"]["sections"] for f in s["fields"]}
    assert rows[field].replace("ô", "o\u0302") == value.replace("ô", "o\u0302")


def test_a_right_to_left_name_goes_through_to_the_page(platform, broker):
    case = flow.filed(broker, name_native=PERSIAN)
    assert broker.see(f"/cases/{case}")["case"]["name_native"] == PERSIAN
    page = Browser(platform.base, login="broker").get(f"/cases/{case}")
    assert f"<bdi>{PERSIAN}</bdi>" in page.html or re.search(f'dir="auto"[^>]*>{PERSIAN}', page.html), "not set apart"


def test_markup_in_a_name_stays_text(platform, broker):
    name = "<img src=x onerror=alert(1)>&amp;\"'"
    case = flow.open_case(broker, flow.register(broker, mrz="", name_native=name))
    browser = Browser(platform.base, login="broker")
    for path in (f"/cases/{case}", f"/cases/{case}/edit", f"/cases/{case}/check", "/cases", "/workers"):
        page = browser.get(path)
        assert page.status == 200 and not [a for t, a in page.tags if "onerror" in a], path
    assert name in [v for f in browser.get(f"/cases/{case}/edit").forms for _, v in f.fields]


@pytest.mark.parametrize("fields,field,key", [
    ({"mrz": spoil(GOOD, 9)}, "mrz", "mrz.digit_number"), ({"passport_expiry": "2020-01-01"}, "passport_expiry", "field.rule"),
    ({"name_latin": ""}, "name_latin", "field.required"), ({"name_native": "😀"}, "name_native", "field.symbol"),
    ({"birth": flow.iso(-3000)}, "birth", "field.rule"), ({"colour": "red"}, "colour", "field.unknown")])
def test_a_worker_with_a_wrong_value_is_not_registered(platform, broker, fields, field, key):
    good = {**flow.worker_fields(flow.passport()), "employer": flow.employer_of(broker)}
    with platform.nothing_changes():
        refused(broker, "/workers", {**good, **fields}, 422, field, key)


def test_passport_lines_with_a_wrong_digit_are_read_and_told(platform, broker):
    with platform.nothing_changes():
        for at, name in ((9, "number"), (19, "birth"), (27, "expiry"), (43, "composite")):
            read = broker.do("/mrz", {"mrz": spoil(GOOD, at)})
            assert name in read["failed"] and read["problems"][0]["field"] == "mrz", read
            assert read["fields"]["passport_no"] == "C1234567"
        for lines in ("", "P<VNM", "x" * 10000, "\u0645" * 88):
            assert broker.do("/mrz", {"mrz": lines})["problems"], lines


# ---- fields ----

@pytest.mark.parametrize("body", [
    {"nothing": "x"}, {"visa_no": "V1", "nothing": ""}, {"Visa_no": "x"}, {"photo": "x"}, {"state": "issued"}, {"fee": "0"},
    {"case_no": "1"}, {"first_reviewer": "1"}])
def test_unknown_fields_are_refused(platform, broker, draft, body):
    with platform.nothing_changes():
        name = next(n for n in body if n != "visa_no")
        answer = broker.post(f"/cases/{draft}/edit", body)
        assert answer.status_code == 422 and [e for e in told(answer) if e["field"] == name], answer.text


@pytest.mark.parametrize("path,fields", [("submit", {"force": "yes"}), ("withdraw", {"reason": "x"})])
def test_unknown_fields_of_deeds_are_refused(platform, broker, draft, path, fields):
    with platform.nothing_changes():
        refused(broker, f"/cases/{draft}/{path}", fields, 422, next(iter(fields)), "field.unknown")


JSON, FORM = {"Content-Type": "application/json"}, {"Content-Type": "application/x-www-form-urlencoded"}
BODIES = [
    (JSON, b"", "body.malformed"), (JSON, b"{", "body.malformed"), (JSON, b"[]", "body.malformed"), (JSON, b'"x"', "body.malformed"),
    (JSON, b"null", "body.malformed"), (JSON, b'{"visa_no":"a","visa_no":"b"}', "body.malformed"),
    (JSON, b"{} {}", "body.malformed"), (JSON, b'{"visa_no":"\xff"}', "body.malformed"),
    (JSON, b'{"visa_no":"a\\u0000b"}', "body.malformed"), (JSON, b'{"visa_no\\u0000":"a"}', "body.malformed"),
    (JSON, b'{"visa_no":"\\ud800"}', "body.malformed"), (JSON, b'{"a":' + b"[" * 100000, "body.malformed"),
    (JSON, b'{"a":' * 5000 + b"1" + b"}" * 5000, "body.malformed"), (JSON, b'{"visa_no":["a","b"]}', "body.type"),
    (JSON, b'{"visa_no":{"a":"b"}}', "body.type"), (JSON, b'{"visa_no":1.5}', "body.type"),
    (JSON, b'{"visa_no":null}', "body.type"), (FORM, b"visa_no=a&visa_no=b", "body.repeated"),
    (FORM, b"visa_no=%ff", "body.malformed"), (FORM, b"visa_no=%00", "body.malformed"), (FORM, b"visa_no=%c0%80", "body.malformed"),
    (FORM, b"visa_no=%4", "body.malformed"), (FORM, b"visa_no=%zz", "body.malformed"), (FORM, b"a=\x00", "body.malformed"),
    (FORM, b"&".join(b"f%d=1" % i for i in range(1001)), "body.too_many_fields"),
]


@pytest.mark.parametrize("kind,body,key", BODIES, ids=range(len(BODIES)))
def test_bodies_that_cannot_be_read(platform, broker, draft, kind, body, key):
    with platform.nothing_changes():
        for lang in LANGUAGES:
            answer = broker.post(f"/cases/{draft}/edit", data=body, headers={**kind, "Accept-Language": lang})
            assert answer.status_code in (400, 413), (answer.status_code, answer.text[:300])
            errors = told(answer)
            assert errors[0]["key"] == key and chinese(errors[0]["reason"]) == (lang == "zh-Hant"), errors
            assert errors[0]["reason"] != key


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/jsonx", ""])
def test_another_type_of_body(platform, broker, draft, kind):
    with platform.nothing_changes():
        answer = broker.post(f"/cases/{draft}/edit", data=b"visa_no=1", headers={"Content-Type": kind})
        assert answer.status_code == 415 and told(answer)[0]["key"] == "body.unknown_type", answer.text


@pytest.mark.parametrize("n", [262144 + 1, 524288 + 1, 4 * MIB])
def test_a_form_over_the_limit(platform, broker, draft, n):
    with platform.nothing_changes():
        head, tail = b'{"visa_no":"', b'"}'
        body = head + b"x" * (n - len(head) - len(tail)) + tail
        answer = broker.post(f"/cases/{draft}/edit", data=body, headers=JSON)
        assert answer.status_code == 413 and told(answer)[0]["key"] == "body.too_long", answer.text[:300]


# ---- files ----

def test_a_photo_that_is_refused_says_what_was_measured(platform, broker, draft):
    for name, key in (("size-412x531.jpg", "photo.too_small"), ("sideways-90.jpg", "photo.sideways"),
                      ("wall-wall-303030.jpg", "photo.background_dark"), ("cut-off.jpg", "photo.unreadable"),
                      ("bomb-30000x30000.png", "photo.too_many_pixels"), ("grey-fbe3d4.jpg", "photo.grey")):
        with platform.nothing_changes():
            for lang in LANGUAGES:
                answer = broker.post(f"/cases/{draft}/files/photo", files={"file": (name, photo(name))},
                                     headers={"Accept-Language": lang})
                assert answer.status_code == 422, (name, answer.text[:300])
                reasons = [e for e in told(answer) if (e["field"], e["key"]) == ("photo", key)]
                assert reasons and chinese(reasons[0]["reason"]) == (lang == "zh-Hant"), (name, answer.text[:300])
                assert "{" not in reasons[0]["reason"], reasons
    small = broker.post(f"/cases/{draft}/files/photo", files={"file": ("a.jpg", photo("size-412x531.jpg"))})
    assert "412" in told(small)[0]["reason"] and "413" in told(small)[0]["reason"]


def photo(name):
    found = [p for p in sorted(flow.PHOTOS.iterdir()) if p.name == name] or \
        [p for p in sorted(flow.PHOTOS.iterdir()) if name.startswith("wall-") and p.name in dark_walls()]
    return found[0].read_bytes()


def dark_walls():
    return [e["file"] for e in json.loads((flow.PHOTOS / "expected.json").read_text())
            if e["keys"] == ["photo.background_dark"] and e["file"].endswith(".jpg")]


EXE = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8" + bytes(43) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0L\x01" + bytes(400)
FILES = [("a.pdf", EXE, "file.type"), ("a.pdf", b"", "file.empty"), ("a.pdf", b"#!/bin/sh\nrm -rf /\n", "file.type"),
         ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file.type"), ("a.pdf", b"<html><script>", "file.type"),
         ("a.pdf", b"PK\x03\x04" + bytes(100), "file.type"), ("a.jpg", b"GIF89a" + bytes(100), "file.type"),
         ("a.pdf", bytes(1000), "file.type"), ("a.pdf", b"\x7fELF" + bytes(100), "file.type")]


@pytest.mark.parametrize("name,data,key", FILES, ids=range(len(FILES)))
def test_a_file_is_what_its_content_says(platform, broker, draft, name, data, key):
    with platform.nothing_changes():
        refused(broker, f"/cases/{draft}/files/passport_page", None, 422, "passport_page", key,
                files={"file": (name, data)})


def padded(n):
    return flow.pdf().replace(b"\n", b"\n" * (n - len(flow.pdf()) + 1), 1)


def test_a_file_at_the_limit_and_over_it(platform, broker):
    case = flow.draft(broker)
    limit = 5 * MIB
    taken = broker.upload(case, "passport_page", "a.pdf", padded(limit))
    assert taken["file"]["size"] == "5.0 MB"
    with platform.nothing_changes():
        for n in (limit + 1, 10 * MIB + 1, 10 * MIB + 70000, 12 * MIB):
            body = refused(broker, f"/cases/{case}/files/passport_page", None, 413, "passport_page", "file.too_large",
                           files={"file": ("a.pdf", padded(n))})
            assert "5" in body["errors"][0]["reason"] and "MB" in body["errors"][0]["reason"], body
    form = Browser(platform.base, login="broker").get(f"/cases/{case}/edit")
    answer = Browser(platform.base, login="broker")
    assert form.status == 200
    page = answer.http.post(f"{platform.base}/cases/{case}/files/passport_page", files={"file": ("a.pdf", padded(limit + 1))},
                            headers={"X-CSRF-Token": answer.http.get(platform.base + "/session.json").json()["csrf"]})
    assert page.status_code == 413 and "5.0 MB" in page.text and 'href="#f-passport_page"' in page.text


def test_names_of_files(broker):
    case = flow.draft(broker)
    names = {"../../etc/passwd": "passwd", "C:\\x\\scan.pdf": "scan.pdf", "護照.pdf": "護照.pdf", "a\"b;c%d.pdf": "a\"b;c%d.pdf",
             "x" * 300 + ".pdf": "x" * 200, " ": None, "..": None}
    for sent, kept in names.items():
        data = wire.multipart(wire.file_part(flow.pdf(), filename=sent.replace("\\", "\\\\").replace('"', "%22")))
        answer = broker.post(f"/cases/{case}/files/passport_page", data=data, headers={"Content-Type": wire.FORM_DATA})
        assert answer.status_code == 200, (sent, answer.text)
        line = answer.json()["file"]
        assert kept is None or line["name"] == kept or line["name"] == kept.replace('"', "%22"), (sent, line)
        got = broker.get(line["href"])
        given = got.headers["Content-Disposition"]
        assert got.content == flow.pdf() and re.fullmatch(r'attachment; filename="[^"\\]*"; filename\*=UTF-8\'\'\S+', given), given
        assert "/" not in given.replace("filename*=UTF-8''", "") and "\r" not in given


def test_slots(platform, broker, draft):
    with platform.nothing_changes():
        for slot in ("nothing", "visa_no", "photo%2f..", "PHOTO"):
            assert broker.post(f"/cases/{draft}/files/{slot}", files={"file": ("a", b"x")}).status_code == 404, slot


# ---- multipart ----

GOOD_PART = wire.file_part(flow.pdf())
MULTIPARTS = [
    ("no boundary", "multipart/form-data", wire.multipart(GOOD_PART), 400, "body.no_boundary"),
    ("empty boundary", "multipart/form-data; boundary=", wire.multipart(GOOD_PART), 400, "body.no_boundary"),
    ("long boundary", "multipart/form-data; boundary=" + "b" * 200, wire.multipart(GOOD_PART), 400, "body.no_boundary"),
    ("another boundary", "multipart/form-data; boundary=other", wire.multipart(GOOD_PART), 400, "body.cut_off"),
    ("no closing", wire.FORM_DATA, wire.multipart(GOOD_PART, end=False), 400, "body.cut_off"),
    ("half", wire.FORM_DATA, wire.multipart(GOOD_PART)[:200], 400, "body.cut_off"),
    ("nothing", wire.FORM_DATA, b"", 400, "body.cut_off"),
    ("no name", wire.FORM_DATA, wire.multipart((b"Content-Disposition: form-data", b"x")), 400, "body.malformed"),
    ("no head", wire.FORM_DATA, wire.multipart((b"", b"x")), 400, "body.malformed"),
    ("NUL in head", wire.FORM_DATA, wire.multipart((b'Content-Disposition: form-data; name="fi\0le"', b"x")), 400, "body.malformed"),
    ("bad UTF-8", wire.FORM_DATA, wire.multipart((b'Content-Disposition: form-data; name="\xff"', b"x")), 400, "body.malformed"),
    ("long head", wire.FORM_DATA, wire.multipart((GOOD_PART[0] + b"\r\nX: " + b"y" * 9000, b"x")), 413, "body.header_too_long"),
    ("nested", wire.FORM_DATA, wire.multipart((GOOD_PART[0] + b"\r\nContent-Type: multipart/mixed; boundary=z", b"x")), 400,
     "body.malformed"),
    ("encoded", wire.FORM_DATA, wire.multipart((GOOD_PART[0] + b"\r\nContent-Transfer-Encoding: base64", b"eA==")), 400,
     "body.malformed"),
    ("many parts", wire.FORM_DATA, wire.multipart(*[(b'Content-Disposition: form-data; name="version"', b"1")] * 9), 413,
     "body.too_many_parts"),
    ("two files", wire.FORM_DATA, wire.multipart(GOOD_PART, GOOD_PART), 400, "body.repeated"),
    ("unknown part", wire.FORM_DATA, wire.multipart((b'Content-Disposition: form-data; name="colour"', b"red")), 422,
     "field.unknown"),
    ("long field", wire.FORM_DATA, wire.multipart((b'Content-Disposition: form-data; name="version"', b"1" * 500)), 413,
     "field.too_long"),
    ("no file", wire.FORM_DATA, wire.multipart((b'Content-Disposition: form-data; name="version"', b"1")), 422,
     "field.file_missing"),
    ("not multipart", "text/plain", b"hello", 400, "body.no_boundary"),
]


@pytest.mark.parametrize("kind,body,status,key", [m[1:] for m in MULTIPARTS], ids=[m[0] for m in MULTIPARTS])
def test_broken_multipart(platform, broker, draft, kind, body, status, key):
    with platform.nothing_changes():
        for lang in LANGUAGES:
            answer = broker.post(f"/cases/{draft}/files/passport_page", data=body,
                                 headers={"Content-Type": kind, "Accept-Language": lang})
            assert answer.status_code == status, answer.text[:300]
            errors = told(answer)
            assert errors[0]["key"] == key and errors[0]["reason"] != key, errors
            assert chinese(errors[0]["reason"]) == (lang == "zh-Hant"), errors


# ---- byte by byte ----

def test_bodies_that_are_cut_off(platform, broker, draft):
    edit, slot = f"/cases/{draft}/edit", f"/cases/{draft}/files/passport_page"
    whole = wire.multipart(GOOD_PART)
    with platform.nothing_changes():
        for data in (wire.head("POST", edit, broker, Content_Length=100, Content_Type="application/json") + b'{"visa_no":"V1"',
                     wire.head("POST", edit, broker, Content_Length=100, Content_Type="application/json") + b'{"visa_no":"V1"}',
                     wire.head("POST", edit, broker, Transfer_Encoding="chunked", Content_Type="application/json")
                     + b'10\r\n{"visa_no":"V1"}\r\n',
                     wire.head("POST", slot, broker, Content_Length=len(whole), Content_Type=wire.FORM_DATA) + whole[:-10],
                     wire.head("POST", slot, broker, Content_Length=5000000, Content_Type=wire.FORM_DATA) + whole):
            answer = wire.talk(platform, data, half_close=True)
            assert wire.answers(answer) == [400] and b"body.cut_off" in answer, answer


def test_a_client_that_is_gone_in_the_middle(platform, broker, draft):
    slot = f"/cases/{draft}/files/passport_page"
    with platform.nothing_changes():
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", platform.port)) as s:
                s.sendall(wire.head("POST", slot, broker, Content_Length=3000000, Content_Type=wire.FORM_DATA)
                          + wire.multipart(wire.file_part(padded(2 * MIB)))[:MIB])
        broker.see("/cases")


@pytest.mark.parametrize("head", ["Content-Length: -5", "Content-Length: 5x", "Content-Length: 99999999999999999999",
                                  "Content-Length: 2\r\nContent-Length: 5", "Transfer-Encoding: nonsense", "NoColon",
                                  "X : y", "Content-Length : 2", "Content-Length: 2\r\n\tfolded: 1"])
def test_headers_that_lie(platform, broker, draft, head):
    start = wire.head("POST", f"/cases/{draft}/edit", broker, Content_Type="application/json")[:-2]
    with platform.nothing_changes():
        answer = wire.talk(platform, start + head.encode() + b'\r\n\r\n{"nothing":"x"}')
        assert len(wire.answers(answer)) == 1 and 400 <= wire.answers(answer)[0] < 502, answer


def test_bad_chunks(platform, broker, draft):
    head = wire.head("POST", f"/cases/{draft}/edit", broker, Content_Type="application/json", Transfer_Encoding="chunked")
    with platform.nothing_changes():
        for body in (b"zz\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n{}\r\n", b"2\r\n{}garbage"):
            answer = wire.talk(platform, head + body, half_close=True)
            assert wire.answers(answer) in ([400], [413]), (body, answer)


def test_chunks_are_as_good_as_a_length(platform, broker, draft):
    head = wire.head("POST", f"/cases/{draft}/edit", broker, Content_Type="application/json", Transfer_Encoding="chunked")
    answer = wire.talk(platform, head + b'9\r\n{"visa_no\r\n7\r\n":"V2"}\r\n0\r\n\r\n')
    assert wire.answers(answer) == [200] and b'"problems":[]' in answer
    broker.do(f"/cases/{draft}/edit", {"visa_no": "V1234567"})


def test_nothing_can_be_put_into_headers(platform, broker):
    with platform.nothing_changes():
        for path in ("/language/en?back=/x%0d%0aSet-Cookie:%20a=b", "/login?next=/x%0d%0aX-Injected:%20y",
                     "/cases?state=a%0d%0aX-Injected:%20y", "/verify/a%0d%0aX-Injected:%20y/b"):
            for person in (platform.person("broker"), platform.person()):
                answer = person.get(path)
                assert "X-Injected" not in answer.headers and "a" not in answer.cookies, path
                assert answer.status_code < 500, path


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil", "javascript:x",
                                  "/%5cevil.example", "/a b", "evil"])
def test_nobody_is_sent_to_another_site(platform, back):
    browser = Browser(platform.base)
    place = browser.http.get(platform.base + "/language/en", params={"back": back}, allow_redirects=False).headers["Location"]
    assert place == "/" or (place.startswith("/") and place[1] not in "/\\"), place
    page = browser.post("/login", {"login": "broker", "password": "demo-permit-2026", "next": back}, follow=False)
    place = page.headers["Location"]
    assert page.status == 303 and place.startswith("/") and place[1] not in "/\\", place


PATHS = ["//", "//cases", "/cases/", "/cases//", "/cases/..%2fadmin", "/cases/%2e%2e/admin", "/cases/..;/admin", "/cases/%00",
         "/cases%00.json", "/cases/1%0a", "/.json", "/cases/.json", "/cases.json.json", "/cases.JSON", "/Cases", "/" + "a" * 3000,
         "/cases/" + "9" * 19, "/cases/" + "9" * 20, "/cases/-1", "/cases/1e3", "/cases/0x1", "/cases/%31", "/cases/1/files/..",
         "/assets/../admin", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/0/../../httpd.conf", "/..%5c..%5c", "/%ff", "/%",
         "/cases/\u0661", "/server-status", "/.htaccess", "/cgi-bin/x", "/httpd.conf", "/api/openapi.json/x"]


@pytest.mark.parametrize("path", PATHS)
def test_paths(platform, broker, path):
    """No path leads around the table: it is found nowhere, or is the page that its plain form is."""
    platform.expect("AH10244: invalid URI path")
    with platform.nothing_changes():
        answer = wire.talk(platform, wire.head("GET", path, broker).replace(path.encode(), path.encode("utf-8"), 1))
        status = wire.answers(answer)[0]
        assert status in (200, 303, 400, 403, 404, 414), answer[:200]
        if status == 200:
            assert path in ("/cases%00.json",) or b'"cases"' in answer, answer[-200:]
        assert b"root:" not in answer and b"FwPermit " not in answer


def test_json_by_suffix_is_the_same_page(broker):
    with_suffix = broker.http.get(broker.base + "/cases.json?state=draft", headers={"Accept": "text/html"})
    assert with_suffix.json()["cases"] == broker.see("/cases?state=draft")["cases"]
    assert broker.http.get(broker.base + "/nothing.json", headers={"Accept": "text/html"}).json()["status"] == 404


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "LOCK", "FOO"])
def test_other_methods(platform, broker, draft, method):
    with platform.nothing_changes():
        for path in ("/cases", f"/cases/{draft}/edit", f"/cases/{draft}/submit", "/", "/nothing"):
            answer = broker.http.request(method, broker.base + path, headers={"X-CSRF-Token": broker.csrf}, json={})
            assert answer.status_code in (405, 501) and (answer.status_code == 501 or "GET" in answer.headers["Allow"])


def test_head_is_get_without_body(platform, broker, draft):
    with platform.nothing_changes():
        for path in ("/cases", f"/cases/{draft}", "/login", "/nothing"):
            get, head = broker.get(path), broker.http.head(broker.base + path, allow_redirects=False)
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_get_for_a_deed_and_post_for_a_page(platform, broker, draft):
    with platform.nothing_changes():
        answer = broker.get(f"/cases/{draft}/submit")
        assert answer.status_code == 405 and answer.headers["Allow"] == "POST"
        answer = broker.post(f"/cases/{draft}")
        assert answer.status_code == 405 and answer.headers["Allow"] == "GET, HEAD"


# ---- once ----

def numbers_drawn(platform):
    return [n for (n,) in platform.sql("SELECT case_no FROM cases WHERE case_no IS NOT NULL ORDER BY case_no")]


def test_a_second_click_gives_the_first_answer(platform, broker):
    case = flow.draft(broker)
    first = broker.do(f"/cases/{case}/submit", key="click-1")
    with platform.nothing_changes():
        assert broker.do(f"/cases/{case}/submit", key="click-1") == first
        refused(broker, f"/cases/{case}/submit", {}, 409)  # a click of another page


@pytest.mark.parametrize("same_key", [True, False], ids=["one key", "a key each"])
def test_fifty_clicks_at_once_file_once(platform, broker, same_key):
    case = flow.draft(broker)
    before = numbers_drawn(platform)
    start = threading.Barrier(50)

    def click(n):
        headers = {"X-CSRF-Token": broker.csrf, "Idempotency-Key": f"{case}-{0 if same_key else n}"}
        start.wait()
        return requests_post(broker, f"/cases/{case}/submit", headers)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(click, range(50)))
    good = [a for a in answers if a[0] == 200]
    assert {a[0] for a in answers} <= ({200} if same_key else {200, 409}), [a for a in answers if a[0] not in (200, 409)][:2]
    assert len(good) == (50 if same_key else 1) and len({a[1]["case"]["case_no"] for a in good}) == 1
    assert len(numbers_drawn(platform)) == len(before) + 1
    kinds = [h["kind"] for h in broker.see(f"/cases/{case}")["history"]]
    assert kinds.count("case.submit") == 1


def requests_post(person, path, headers):
    answer = requests.post(person.base + path, json={}, headers={"Accept": "application/json", **headers},
                           cookies=person.http.cookies, timeout=60)
    return answer.status_code, answer.json()


def test_two_uploads_at_once_leave_one_file(platform, broker):
    case = flow.draft(broker)

    def send(n):
        return broker.post(f"/cases/{case}/files/passport_page", key=f"up-{case}",
                           files={"file": ("a.pdf", flow.pdf())}).status_code, n
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert {s for s, _ in pool.map(send, range(2))} == {200}
    assert len([f for f in broker.see(f"/cases/{case}")["files"] if f["slot"] == "passport_page"]) == 1
    def all_named():
        there = {f.name for f in (platform.folder / "state/vault").rglob("*") if f.is_file()}
        return there <= {n for t in ("case_file", "document") for (n,) in platform.sql(f"SELECT vault FROM {t}")}
    await_("no file that no row names", all_named)


def test_the_same_key_with_another_body(platform, broker, draft):
    broker.do(f"/cases/{draft}/edit", {"visa_no": "V1234567"}, key=f"body-{draft}")
    with platform.nothing_changes():
        refused(broker, f"/cases/{draft}/edit", {"visa_no": "V7654321"}, 422, None, "idempotency.reused", key=f"body-{draft}")
        answer = broker.upload(draft, "passport_page", "a.pdf", flow.pdf(), status=422, key=f"body-{draft}")
        assert answer["errors"][0]["key"] == "idempotency.reused"


def test_a_key_is_the_persons_own(broker, employer):
    one = flow.register(broker)
    number = flow.passport()
    fields = flow.worker_fields(number)
    key = f"mine-{number}"
    first = broker.do("/workers", {**fields, "employer": flow.employer_of(broker)}, key=key)["answer"]
    second = employer.do("/workers", fields, key=key)["answer"]
    assert len({one, first, second}) == 3


@pytest.mark.parametrize("key", ["a b", "a/b", "k" * 65, "schlüssel".encode().decode("latin-1"), "a'b"])
def test_keys_that_are_none(platform, broker, draft, key):
    with platform.nothing_changes():
        refused(broker, f"/cases/{draft}/edit", {"visa_no": "V3"}, 400, "_request", "body.request_id", key=key)
        answer = broker.upload(draft, "passport_page", "a.pdf", flow.pdf(), status=400, key=key)
        assert answer["errors"][0]["key"] == "body.request_id"


# ---- as browsers do it ----

def test_back_after_submit(platform, broker):
    case = flow.draft(broker)
    browser = Browser(platform.base, login="broker")
    edit = browser.get(f"/cases/{case}/edit").form_to(f"/cases/{case}/edit")
    check = browser.get(f"/cases/{case}/check")
    page = browser.send(check.form_to(f"/cases/{case}/submit"))
    number = broker.see(f"/cases/{case}")["case"]["case_no"]
    assert page.status == 200 and number in page.text
    with platform.nothing_changes():
        again = browser.send(check.form_to(f"/cases/{case}/submit"))
        assert again.status == 200 and number in again.text, "the second click ends where the first did"
        page = browser.send(edit, visa_no="V5")
        assert page.status == 409 and "state that the case is in" in page.text
        for path in ("edit", "check"):
            page = browser.get(f"/cases/{case}/{path}")
            assert page.status == 200 and page.url.startswith(f"{platform.base}/cases/{case}?"), page.url
            assert "cannot be changed now" in page.text
    other = Browser(platform.base, lang="zh-Hant", login="broker")
    page = other.send(edit, visa_no="V5", _csrf=other.get("/account").value("_csrf"), _request="back-zh")
    assert page.status == 409 and "案件目前的狀態" in page.text


def end_session(browser):
    """The session ends on the server; the browser does not know."""
    csrf = browser.get("/account").value("_csrf")
    jar = {c.name: c.value for c in browser.http.cookies}
    page = Browser(browser.base)
    answer = page.http.post(browser.base + "/logout", data={"_csrf": csrf}, cookies=jar, allow_redirects=False)
    assert answer.status_code == 303


TYPED = {"visa_no": 'V"<&>\'1', "address": "桃園市桃園區縣府路106號", "name_native": "Nguyễn & Con's «Văn» Anh",
         "mrz": GOOD, "entry_date": "yesterday"}


def test_a_session_that_ends_in_mid_form_loses_nothing(platform, broker):
    case = flow.draft(broker)
    browser = Browser(platform.base, login="broker")
    form = browser.get(f"/cases/{case}/edit").form_to(f"/cases/{case}/edit")
    end_session(browser)
    with platform.nothing_changes():
        login = browser.send(form, _go="stay", **TYPED)
        assert login.status == 401 and "Log in" in login.text
        wrong = browser.send(login.form_to("/login"), login="broker", password="not the right one")
        assert wrong.status == 401
        resume = browser.send(wrong.form_to("/login"), login="broker", password="demo-permit-2026")
        assert resume.status == 200
        again = resume.form_to(f"/cases/{case}/edit")
    held = {n: v for n, v in again.fields if n not in ("_csrf", "_request")}
    sent = {n: v for n, v in form.values(_go="stay", **TYPED) if n not in ("_csrf", "_request")}
    assert {n: v.replace("\r\n", "\n") for n, v in held.items()} == sent
    page = browser.send(again)
    assert page.status == 200 and page.url.startswith(f"{platform.base}/cases/{case}/edit")
    values = dict(page.form_to(f"/cases/{case}/edit").fields)
    assert {n: values[n] for n in TYPED} == TYPED


def test_what_was_typed_is_not_given_to_another_person(platform, broker):
    case = flow.draft(broker)
    browser = Browser(platform.base, login="broker")
    form = browser.get(f"/cases/{case}/edit").form_to(f"/cases/{case}/edit")
    end_session(browser)
    login = browser.send(form, visa_no="V6", _go="stay")
    with platform.nothing_changes():
        resume = browser.send(login.form_to("/login"), login="employer", password="demo-permit-2026")
        page = browser.send(resume.form_to(f"/cases/{case}/edit"))
        assert page.status == 404


def test_a_new_worker_survives_the_log_in(platform):
    browser = Browser(platform.base, login="broker")
    form = browser.get("/workers/new").form_to("/workers")
    end_session(browser)
    number = flow.passport()
    fields = {**flow.worker_fields(number), "employer": flow.employer_of(platform.of("broker"))}
    login = browser.send(form, **fields)
    page = browser.send(browser.send(login.form_to("/login"), login="broker", password="demo-permit-2026").form_to("/workers"))
    assert page.status == 200 and number in page.html


@pytest.mark.parametrize("resume", ["//evil.example", "https://evil.example/x", "javascript:alert(1)", "/\\evil"])
def test_what_is_resumed_stays_here(platform, resume):
    page = Browser(platform.base).post("/login", {"login": "broker", "password": "demo-permit-2026", "resume_action": resume,
                                                  "resume_fields": '{"a":"b"}'}, follow=False)
    assert page.status == 303, page.html[:300]


@pytest.mark.parametrize("fields", ["", "[", "[]", "1", '{"a":{"b":"c"}}', "x" * 250000, '{"a":"b","a":"c"}'])
def test_what_is_resumed_may_be_nonsense(platform, fields):
    page = Browser(platform.base).post("/login", {"login": "broker", "password": "demo-permit-2026", "resume_action": "/cases",
                                                  "resume_fields": fields}, follow=False)
    assert page.status in (200, 303, 413), page.html[:300]


def test_a_stale_tab(platform, broker):
    case = flow.draft(broker)
    one, two = (Browser(platform.base, login="broker") for _ in range(2))
    first = one.get(f"/cases/{case}/edit").form_to(f"/cases/{case}/edit")
    second = two.get(f"/cases/{case}/edit").form_to(f"/cases/{case}/edit")
    assert one.send(first, visa_no="V-ONE", _go="stay").status == 200
    with platform.nothing_changes():
        page = two.send(second, visa_no="V-TWO", name_zh="阮二", _go="stay")
        assert page.status == 409
        assert "Resident visa number" in page.text and "V-ONE" in page.text and "V-TWO" in page.text
    kept = page.form_to(f"/cases/{case}/edit")
    assert dict(kept.fields)["visa_no"] == "V-TWO"
    page = two.send(kept)
    assert page.status == 200 and dict(page.form_to(f"/cases/{case}/edit").fields)["visa_no"] == "V-TWO"
    assert dict(page.form_to(f"/cases/{case}/edit").fields)["name_zh"] == "阮二"


def test_a_stale_tab_as_json(platform, broker):
    case = flow.draft(broker)
    version = broker.see(f"/cases/{case}/edit")["form"]["version"]
    broker.do(f"/cases/{case}/edit", {"visa_no": "V-ONE", "version": version})
    with platform.nothing_changes():
        for lang in LANGUAGES:
            answer = broker.post(f"/cases/{case}/edit", {"visa_no": "V-TWO", "version": version},
                                 headers={"Accept-Language": lang})
            assert answer.status_code == 409 and answer.json()["type"] == "/problems/case.stale"
            changed = [c for c in answer.json()["changed"] if c["yours"] == "V-TWO"]
            assert changed and changed[0]["now"] == "V-ONE", answer.text
            assert chinese(answer.json()["detail"]) == (lang == "zh-Hant")


def test_a_stale_review(platform, broker, reviewers):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    version = first.see(f"/review/{case}")["case"]["version"]
    first.do(f"/review/{case}/correct", {"visa_no": "V8", "version": version})
    with platform.nothing_changes():
        for deed, fields in (("approve", {}), ("return", {"mark.photo": "x"}), ("reject", {"reason": "x"})):
            answer = first.do(f"/review/{case}/{deed}", {**fields, "version": version}, status=409)
            assert answer["type"] == "/problems/case.stale"


# ---- who sent it ----

def test_tokens(platform, broker, draft):
    other = platform.person("broker")
    with platform.nothing_changes():
        for token in ("", "x", other.csrf, broker.csrf[:-1], broker.csrf + "A", broker.csrf.lower()):
            answer = broker.post(f"/cases/{draft}/edit", {"visa_no": "V4"}, headers={"X-CSRF-Token": token})
            assert answer.status_code == 403 and answer.json()["type"] == "/problems/problem.csrf", token
            answer = broker.post(f"/cases/{draft}/files/passport_page", files={"file": ("a.pdf", flow.pdf())},
                                 headers={"X-CSRF-Token": token})
            assert answer.status_code == 403, token
        body = wire.multipart((b'Content-Disposition: form-data; name="_csrf"', other.csrf.encode()), GOOD_PART)
        answer = broker.http.post(f"{broker.base}/cases/{draft}/files/passport_page", data=body,
                                  headers={"Content-Type": wire.FORM_DATA})
        assert answer.status_code == 403
        page = Browser(platform.base, login="broker").post(f"/cases/{draft}/edit", {"visa_no": "V4"})
        assert page.status == 403 and "out of date" in page.text
    late = wire.multipart(GOOD_PART, (b'Content-Disposition: form-data; name="_csrf"', broker.csrf.encode()))
    with platform.nothing_changes():
        answer = broker.http.post(f"{broker.base}/cases/{draft}/files/passport_page", data=late,
                                  headers={"Content-Type": wire.FORM_DATA})
        assert answer.status_code == 403, "a token after the file"


ELSEWHERE = [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://127.0.0.1"},
             {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
             {"Origin": "null"}]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_from_another_site(platform, broker, draft, headers):
    with platform.nothing_changes():
        for path, fields in ((f"/cases/{draft}/edit", {"visa_no": "V4"}), ("/logout", {}), ("/login", {"login": "broker"})):
            answer = broker.post(path, fields, headers=headers)
            assert answer.status_code == 403 and answer.json()["type"] == "/problems/problem.cross_site", (path, answer.text)
        answer = broker.post(f"/cases/{draft}/files/passport_page", files={"file": ("a.pdf", flow.pdf())}, headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}], ids=str)
def test_from_this_site(platform, broker, draft, headers):
    headers = {**headers, "Origin": platform.base}
    assert broker.post(f"/cases/{draft}/edit", {"visa_no": "V1234567"}, headers=headers).status_code == 200


# ---- language ----

@pytest.mark.parametrize("asked,lang", [("en", "en"), ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant"), ("zh", "zh-Hant"), ("en-GB", "en"),
                                        ("vi,id;q=0.5", "zh-Hant"), ("", "zh-Hant"), ("*", "zh-Hant"), ("en;q=0.1,zh-TW;q=0.9",
                                                                                                       "zh-Hant"),
                                        ("x" * 1000, "zh-Hant"), (";;;,,q=", "zh-Hant")])
def test_language_that_is_asked_for(platform, asked, lang):
    page = Browser(platform.base, lang=asked).get("/login")
    assert [a["lang"] for t, a in page.tags if t == "html"] == [lang]


def test_language_that_is_chosen_stays(platform):
    browser = Browser(platform.base, lang="zh-TW")
    page = browser.get("/language/en?back=/login")
    assert page.url.endswith("/login") and "Password" in page.text
    assert "Password" in browser.get("/login").text
    browser.get("/language/xx")
    browser.get("/language/..%2f..")
    assert "Password" in browser.get("/login").text
    browser.get("/language/zh-Hant")
    assert "密碼" in browser.get("/login").text


def test_check_digits_here_are_right():
    assert check_digit("C1234567<") == GOOD.split("\n")[1][9]
