"""The main job in its seven steps, as a program does it, and a service that is but a file."""
import re
import shutil

import flow
import papers
import pytest
from browser import Browser
from platform_under_test import ROOT, await_, check_digit
from refusals import refused as is_refused

DIRECTIVES = 'FwPermitServices "@DIR@/services"\n'


def prepare(platform):
    services = platform.folder / "services"
    shutil.copytree(ROOT / "conf/services", services)
    shutil.copy(ROOT / "tests/services/parking.xml", services)
    services.chmod(0o755)


def download(person, href):
    answer = person.get(href)
    assert answer.status_code == 200, (href, answer.status_code, answer.text[:200])
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    return answer.content


def document(person, case, kind):
    """The paper of a case and its line on the page, once it is made."""
    def probe():
        return [d for d in person.see(f"/cases/{case}")["documents"] if d["kind"] == kind]
    line = await_(f"the {kind}", probe)[0]
    return download(person, line["href"]), line


def mail_with(platform, to, words):
    return await_(f"a mail to {to} with {words}", lambda: [m for m in platform.mails(to) if words in m["subject"]])[0]


def verify(platform, permit, code=None):
    return platform.person().get(f"/verify/{permit['permit_no']}/{code or permit['code']}")


@pytest.fixture(name="issued", scope="module")
def one_that_is_issued(platform, broker, reviewers):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    return case, flow.issued(platform, broker, case)


# ---- 1: the worker ----

def test_passport_lines_fill_in_the_worker(broker):
    number = flow.passport()
    fields = flow.worker_fields(number)
    read = broker.do("/mrz", {"mrz": fields["mrz"]})
    assert read["problems"] == [] and read["failed"] == []
    assert read["fields"] == {k: fields[k] for k in ("mrz", "name_latin", "passport_no", "nationality", "birth", "sex",
                                                     "passport_expiry")}


def test_pasted_lines_are_mended(broker):
    """Small letters, spaces at the ends, the other line end."""
    lines = flow.worker_fields(flow.passport())["mrz"]
    read = broker.do("/mrz", {"mrz": "  " + lines.lower().replace("\n", "\r\n") + "  \n"})
    assert read["problems"] == [] and read["fields"]["mrz"] == lines


def test_worker_by_lines_alone(broker):
    number = flow.passport()
    worker = flow.register(broker, number, name_native="")
    line = [w for w in broker.see("/workers")["workers"] if w["id"] == worker][0]
    assert (line["name_latin"], line["passport_no"]) == ("NGUYEN VAN ANH", number)


def test_worker_by_hand(employer):
    worker = flow.register(employer, mrz="", name_latin="SITI AMINAH", nationality="IDN", sex="F",
                           name_native="Siti Aminah", birth="1994-02-28")
    page = employer.see(f"/workers/{worker}")
    values = {f["name"]: f["value"] for s in page["form"]["sections"] for f in s["fields"]}
    assert values["name_latin"] == "SITI AMINAH" and not values["mrz"]
    assert [s["code"] for s in page["services"]] == ["epermit", "parking"]


def test_what_needs_a_system_that_is_not_there_is_not_offered(platform, employer):
    """The card, without a card bureau; test_card.py has the other way."""
    worker = flow.register(employer)
    is_refused(employer, "/cases", {"service": "card", "worker": worker}, 409, None, "case.not_offered")
    schemas = employer.see("/api/openapi.json")["components"]["schemas"]
    assert {"epermit", "parking"} < set(schemas) and "card" not in schemas
    for lang, words in (("en", ("Residence card", "This service is not offered at present")), ("zh-Hant", ("IC 卡", "此項申請目前未開放"))):
        html = {"Accept": "text/html", "Accept-Language": lang}
        assert words[0] not in employer.get(f"/workers/{worker}", headers=html).text
        page = employer.http.post(f"{platform.base}/cases", headers=html, data={"service": "card", "worker": worker, "_csrf": employer.csrf},
                                  allow_redirects=False)
        assert page.status_code == 409 and words[1] in page.text


def test_a_worker_is_registered_once(broker):
    number = flow.passport()
    flow.register(broker, number)
    fields = {**flow.worker_fields(number), "employer": flow.employer_of(broker)}
    again = broker.do("/workers", fields, status=409)
    assert (again["errors"][0]["field"], again["errors"][0]["key"]) == ("passport_no", "worker.known")


# ---- 2: the application ----

def test_form_is_saved_as_one_goes(broker):
    worker = flow.register(broker)
    case = flow.open_case(broker, worker)
    form = broker.see(f"/cases/{case}/edit")["form"]
    values = {f["name"]: f["value"] for s in form["sections"] for f in s["fields"]}
    assert values["name_latin"] == "NGUYEN VAN ANH" and values["permit_letter"] == "勞動發事字第1130012345號"
    first = broker.do(f"/cases/{case}/edit", {"visa_no": "V7654321", "version": form["version"]})
    second = broker.do(f"/cases/{case}/edit", {"arrived": "yes", "version": first["case"]["version"]})
    assert second["missing_n"] == first["missing_n"] and first["problems"] == []
    assert second["case"]["state"]["code"] == "draft" and second["case"]["case_no"] is None
    form = broker.see(f"/cases/{case}/edit")["form"]
    fields = {f["name"]: f for s in form["sections"] for f in s["fields"]}
    assert fields["visa_no"]["value"] == "V7654321"
    assert fields["planned_entry"]["hidden"] and not fields["entry_date"]["hidden"]


def test_what_is_missing_is_told_until_nothing_is(broker):
    case = flow.open_case(broker, flow.register(broker))
    check = broker.see(f"/cases/{case}/check")
    assert not check["ready"] and len(check["missing"]) > 8
    assert {"Photo", "Passport data page", "Date of entry"} - {m["label"] for m in check["missing"]} == {"Date of entry"}
    refused = broker.do(f"/cases/{case}/submit", status=422)
    assert {"photo", "visa_no", "declare"} <= {e["field"] for e in refused["errors"]}
    flow.fill(broker, case)
    check = broker.see(f"/cases/{case}/check")
    assert check["ready"] and check["missing"] == []
    rows = {r["label"]: r["value"] for s in check["sections"] for r in s["rows"]}
    assert rows["Residence address"] == "桃園市桃園區縣府路106號"
    assert {f["name"] for f in check["files"]} == {"photo.jpg", "passport.pdf", "proof.pdf"}


def test_filing_gives_a_number_and_a_receipt(platform, broker):
    case = flow.draft(broker)
    number = flow.submit(broker, case)
    assert re.fullmatch(r"\d{10}", number)
    paper, line = document(broker, case, "filing")
    assert line["number"] == number and papers.signature(paper)
    words = papers.text(paper)
    for word in (number, "NGUYENVANANH", "NguyễnVănAnh", "阮文英", "移工電子居留證"):
        assert word in words, word
    assert number in mail_with(platform, "broker@demo.example", f"[{number}]")["text"]
    assert flow.submit(broker, flow.draft(broker)) == str(int(number) + 1)


def test_a_file_comes_back_as_it_was_sent(broker):
    case = flow.draft(broker)
    data = flow.pdf()
    line = [f for f in broker.see(f"/cases/{case}")["files"] if f["slot"] == "passport_page"][0]
    assert download(broker, line["href"]) == data


# ---- 3: the review ----

def test_reviewer_sees_documents_beside_data(platform, broker, reviewers):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    page = first.see(f"/review/{case}")
    rows = {r["name"]: r for s in page["sections"] for r in s["rows"]}
    assert rows["birth"]["mrz"] == "1990-03-15" and rows["birth"]["agrees"] and not rows["birth"]["differs"]
    files = {f["slot"]: f for f in page["files"]}
    shown = first.get(files["photo"]["view_href"])
    assert shown.headers["Content-Type"] == "image/jpeg" and shown.content[:3] == b"\xff\xd8\xff"
    shown = first.get(files["passport_page"]["view_href"])
    assert shown.headers["Content-Type"] == "image/jpeg" and shown.content[:3] == b"\xff\xd8\xff"
    assert download(first, files["passport_page"]["href"]) == flow.pdf()


def test_a_correction_keeps_before_and_after(platform, broker, reviewers):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    version = first.see(f"/review/{case}")["case"]["version"]
    first.do(f"/review/{case}/correct", {"visa_no": "V1234568", "version": version})
    row = [r for s in first.see(f"/review/{case}")["sections"] for r in s["rows"] if r["name"] == "visa_no"][0]
    assert row["value"] == "V1234568" and row["corrected"]["before"] == "V1234567"
    entry = [h for h in broker.see(f"/cases/{case}")["history"] if h["kind"] == "case.correct"][0]
    assert entry["changes"] == [{"label": "Resident visa number", "before": "V1234567", "after": "V1234568"}]
    stale = first.do(f"/review/{case}/correct", {"visa_no": "V1", "version": version}, status=409)
    assert stale["type"] == "/problems/case.stale"


def test_a_correction_must_fit_the_rules(platform, broker, reviewers):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    refused = flow.decide(first, case, "correct", {"passport_expiry": "2020-01-01"}, status=422)
    assert {e["field"] for e in refused["errors"]} == {"passport_expiry"}
    assert not [h for h in broker.see(f"/cases/{case}")["history"] if h["kind"] == "case.correct"]


def test_returned_for_a_better_photo(platform, broker, reviewers):
    case = flow.filed(broker)
    number = broker.see(f"/cases/{case}")["case"]["case_no"]
    first, _ = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "return", {"mark.photo": "頭髮遮住眼睛"})
    mail = mail_with(platform, "broker@demo.example", f"[{number}] 請補件")
    deadline = broker.see(f"/cases/{case}")["case"]["deadline"]["text"][:10]
    assert deadline in mail["subject"] and "- 照片: 頭髮遮住眼睛" in mail["text"]
    assert f"{platform.base}/cases/{case}" in mail["text"] and "NGUYEN VAN ANH" in mail["text"]
    page = broker.see(f"/cases/{case}")
    assert page["case"]["state"]["code"] == "returned"
    assert [(m["item"], m["reason"]) for m in page["marks"]] == [("photo", "頭髮遮住眼睛")]
    form = broker.see(f"/cases/{case}/edit")["form"]
    open_ones = [f["name"] for s in form["sections"] for f in s["fields"] if not f["locked"]]
    assert open_ones == ["photo"]

    before = broker.see(f"/cases/{case}")["data"]
    refused = broker.do(f"/cases/{case}/edit", {"visa_no": "V9999999"}, status=409)
    assert (refused["errors"][0]["field"], refused["errors"][0]["key"]) == ("visa_no", "case.not_marked")
    refused = broker.upload(case, "passport_page", "other.pdf", flow.pdf(), status=409)
    assert refused["errors"][0]["key"] == "case.not_marked"
    old = [f for f in page["files"] if f["slot"] == "passport_page"][0]
    refused = broker.do(old["remove"], status=409)
    assert refused["errors"][0]["key"] == "case.not_marked"
    assert broker.see(f"/cases/{case}")["data"] == before

    broker.upload(case, "photo", "better.jpg", flow.photo("good-01-long-fafafa.jpg"))
    broker.do(f"/cases/{case}/submit")
    assert flow.state(broker, case) == "initial_review"
    assert flow.reviewer_of(platform, reviewers, case)[0] is first
    page = first.see(f"/review/{case}")
    assert {f["name"] for f in page["files"]} == {"better.jpg", "passport.pdf", "proof.pdf"}
    kinds = [h["kind"] for h in broker.see(f"/cases/{case}")["history"]][::-1]
    order = [k for k in kinds if k in ("case.submit", "case.return", "case.attach")]
    assert order == ["case.submit", "case.return", "case.attach", "case.submit"]
    assert broker.see(f"/cases/{case}")["case"]["case_no"] == number


def test_many_items_are_returned_at_once(platform, broker, reviewers):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "return", {"mark.photo": "a", "mark.visa_no": "b"})
    marks = broker.see(f"/cases/{case}")["marks"]
    assert sorted((m["item"], m["reason"]) for m in marks) == [("photo", "a"), ("visa_no", "b")]
    broker.do(f"/cases/{case}/edit", {"visa_no": "V0000001"})
    broker.do(f"/cases/{case}/submit")


def test_a_return_needs_a_known_item(platform, broker, reviewers):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    for fields in ({}, {"mark.nothing": "x"}, {"mark.photo": ""}):
        flow.decide(first, case, "return", fields, status=422)
    assert flow.state(broker, case) == "initial_review"


def test_four_eyes(platform, broker, reviewers):
    case = flow.filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "approve")
    assert flow.state(broker, case) == "second_review"
    refused = flow.decide(first, case, "confirm", status=409)
    assert refused["type"] == "/problems/case.four_eyes"
    page = first.see(f"/review/{case}")
    assert page["may"]["confirm"] is None and page["why_not"]
    assert case in [c["id"] for c in second.see("/desk?list=second")["cases"]]
    flow.decide(second, case, "confirm")
    assert flow.state(broker, case) == "awaiting_payment"


def test_who_corrects_does_not_confirm(platform, broker, reviewers):
    """The second reviewer who changed the data is no second pair of eyes for it."""
    case = flow.filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "approve")
    flow.decide(second, case, "correct", {"visa_no": "V7777777"})
    refused = flow.decide(second, case, "confirm", status=409)
    assert refused["type"] == "/problems/case.four_eyes"
    flow.decide(second, case, "send-back", {"reason": "look again"})
    assert flow.state(broker, case) == "initial_review"


def test_rejected_with_a_reason(platform, broker, reviewers):
    case = flow.filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "reject", {}, status=422)
    flow.decide(first, case, "reject", {"reason": "招募許可已廢止"})
    flow.decide(second, case, "reject", {"reason": "招募許可已廢止"})
    page = broker.see(f"/cases/{case}")
    assert page["case"]["state"]["code"] == "rejected" and page["reason"] == "招募許可已廢止"
    assert "招募許可已廢止" in mail_with(platform, "broker@demo.example", f"[{page['case']['case_no']}] 申請")["text"]


# ---- 4: paying ----

@pytest.mark.parametrize("method", ["card", "atm", "cvs"])
def test_paid_with_the_browser_closed(platform, broker, reviewers, method):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    number = broker.see(f"/cases/{case}")["case"]["case_no"]
    asked = mail_with(platform, "broker@demo.example", f"[{number}] 審核通過")
    assert "1000" in asked["text"] and f"{platform.base}/cases/{case}" in asked["text"]
    closed = platform.person("broker")
    payment = flow.begin_payment(closed, case, method=method)
    order = platform.order(closed.see(f"/payments/{payment}")["redirect"])
    closed.http.close()
    del closed
    platform.control("pay", order=order, method=method)
    if method != "card":
        page = await_("the code", lambda: broker.see(f"/payments/{payment}")["code"])
        assert page["account"] if method == "atm" else page["payment_no"]
        assert flow.state(broker, case) == "awaiting_payment"
        assert page["account" if method == "atm" else "payment_no"] in \
            mail_with(platform, "broker@demo.example", f"[{number}] 繳")["text"]
        platform.control("settle", order=order)
    page = flow.issued(platform, broker, case)
    line = await_("the receipt's paper", lambda: (lambda p: p if (p["receipt"] or {}).get("href") else None)(
        broker.see(f"/payments/{payment}")))
    assert line["is_paid"] and line["receipt"]["number"] and line["amount"] == 1000
    assert [p["state"] for p in page["payments"]]
    assert papers.signature(download(broker, line["receipt"]["href"]))
    books = [o for o in platform.books()["orders"] if o["order"] == order]
    assert len(books) == 1 and books[0]["amount"] == 1000 and books[0]["method"] == method


def test_one_payment_for_many_cases(platform, broker, reviewers):
    cases = [flow.filed(broker) for _ in range(3)]
    for case in cases:
        flow.approve(platform, case, reviewers)
    page = broker.see("/pay?" + "&".join(f"case={c}" for c in cases))
    assert page["total"] == 3000 and [c["id"] for c in page["cases"]] == cases
    payment = flow.begin_payment(broker, *cases)
    order = platform.order(broker.see(f"/payments/{payment}")["redirect"])
    platform.control("pay", order=order, method="card")
    for case in cases:
        flow.issued(platform, broker, case)
    receipts = {document(broker, case, "receipt")[1]["number"] for case in cases}
    assert len(receipts) == 1
    assert [o["amount"] for o in platform.books()["orders"] if o["order"] == order] == [3000]


# ---- 5: permit and receipt ----

def test_permit_is_a_signed_paper(platform, broker, issued):
    case, page = issued
    paper, line = document(broker, case, "permit")
    assert papers.signature(paper)
    words = papers.text(paper)
    for word in ("NGUYENVANANH", "NguyễnVănAnh", "阮文英", line["number"], page["permit"]["valid_to"]):
        assert word in words, (word, words)
    assert f"{platform.base}/verify/{page['permit']['permit_no']}/{page['permit']['code']}" in papers.links(paper)


def test_receipts_are_numbered_without_gap(platform, broker, reviewers, issued):
    _, line = document(broker, issued[0], "receipt")
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    paper, after = document(broker, case, "receipt")
    words = papers.text(paper)
    assert papers.signature(paper) and after["number"] in words and "NT$1000" in words, words
    shown = [int(r["number"]) for r in platform.of("cashier").see("/receipts")["receipts"]]
    assert sorted(shown) == list(range(min(shown), min(shown) + len(shown)))
    assert int(after["number"]) > int(line["number"])


def test_cashier_downloads_a_receipt(platform, issued):
    cashier = platform.of("cashier")
    line = await_("the receipt's paper", lambda: [r for r in cashier.see("/receipts")["receipts"] if r["href"]])[0]
    assert papers.signature(download(cashier, line["href"]))


# ---- 6: verification ----

def test_anyone_verifies_a_permit(platform, issued):
    permit = issued[1]["permit"]
    answer = verify(platform, permit)
    found = answer.json()["found"]
    assert answer.status_code == 200 and found["is_valid"] and found["permit_no"] == permit["permit_no"]
    assert found["begins_later"], "from the day after (Immigration Act art. 22(3))"
    ((passport,),) = platform.sql("SELECT passport_no FROM cases WHERE id = ?", int(issued[0]))
    for word in ("NGUYEN", "Nguyễn", "阮文英", passport, "Hong Yuan", "宏遠"):
        assert word not in answer.text, word
    spaced = platform.person().get(f"/verify?no={permit['permit_no'].lower()}&code=%20{permit['code'].lower()}%20")
    assert spaced.json()["found"]["is_valid"]


def test_a_wrong_code_and_no_such_permit_say_the_same(platform, issued):
    permit = issued[1]["permit"]
    code = permit["code"]
    wrong = verify(platform, permit, ("0" if code[0] != "0" else "1") + code[1:])
    missing = platform.person().get(f"/verify/{permit['permit_no'][:-1]}X/{code}")
    for answer in (wrong, missing):
        assert answer.status_code == 404 and answer.json()["found"] is None
    assert wrong.json().keys() == missing.json().keys()


def test_superseded(platform, broker, reviewers):
    worker = flow.register(broker)
    permits = []
    for _ in range(2):
        case = flow.fill(broker, flow.open_case(broker, worker))
        flow.submit(broker, case)
        flow.approve(platform, case, reviewers)
        flow.pay(platform, broker, case)
        permits.append(flow.issued(platform, broker, case)["permit"])
    found = [verify(platform, p).json()["found"] for p in permits]
    assert found[0]["is_superseded"] and not found[0]["is_valid"] and found[1]["is_valid"]


def test_revoked(platform, broker, reviewers, admin):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    permit = flow.issued(platform, broker, case)["permit"]
    admin.do(f"/admin/permits/{permit['permit_no']}/revoke", {}, status=422)
    assert verify(platform, permit).json()["found"]["is_valid"]
    admin.do(f"/admin/permits/{permit['permit_no']}/revoke", {"reason": "廢止聘僱"})
    answer = verify(platform, permit)
    found = answer.json()["found"]
    assert found["is_revoked"] and not found["is_valid"] and "廢止聘僱" not in answer.text
    admin.do(f"/admin/permits/{permit['permit_no']}/revoke", {"reason": "again"}, status=409)


def test_expired(platform, broker, reviewers):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    permit = flow.issued(platform, broker, case)["permit"]
    platform.sql("UPDATE permit SET valid_to = ? WHERE permit_no = ?", flow.iso(), permit["permit_no"])
    assert verify(platform, permit).json()["found"]["is_valid"], "the last day counts"
    platform.sql("UPDATE permit SET valid_from = '2020-01-01', valid_to = '2020-06-30' WHERE permit_no = ?",
                 permit["permit_no"])
    found = verify(platform, permit).json()["found"]
    assert found["is_expired"] and not found["is_valid"]


def test_a_case_that_is_over_is_expected_no_more(platform, broker, issued):
    """On the page of its worker, as somebody reads it."""
    def lines(case):
        worker = platform.sql("SELECT worker_id FROM cases WHERE id = ?", int(case))[0][0]
        page = Browser(platform.base, login="broker").get(f"/workers/{worker}").text
        return "Expected by" in page, "Begun" in page
    assert lines(issued[0]) == (False, True)
    assert lines(flow.filed(broker)) == (True, False)


# ---- 7: history and audit ----

def test_the_whole_history_stands_on_the_page(broker, issued):
    kinds = [h["kind"] for h in broker.see(f"/cases/{issued[0]}")["history"]][::-1]
    order = ["case.open", "case.submit", "case.assign", "case.approve", "case.confirm", "case.fee_asked",
             "payment.begin", "payment.settle", "permit.issue"]
    assert [k for k in kinds if k in order] == order
    assert kinds.count("document.add") == 2  # filing, receipt; the permit's comes with its issue
    assert all(h["when"]["iso"].endswith("Z") and h["what"] for h in broker.see(f"/cases/{issued[0]}")["history"])


def test_audit_is_whole(platform, issued):
    told = await_("a seal", lambda: platform.ctl("audit", "verify", ok=False).stdout)
    assert issued and told.startswith("whole"), told
    records = platform.of("auditor").see("/audit")["records"]
    assert records and all("NGUYEN" not in str(r["who"]) for r in records)


# ---- a service that is but a file ----

def parking_fields():
    return {"kind": "motorcycle", "plate": "ABC-1234", "engine_cc": "125", "has_owner": "company",
            "owner_ban": "04595257", "dormitory": "桃園市桃園區縣府路106號", "lease_from": flow.iso(),
            "lease_to": flow.iso(300), "rules_read": "yes"}


def test_parking_from_form_to_signed_paper(platform, broker, reviewers):
    worker = flow.register(broker)
    case = flow.open_case(broker, worker, "parking")
    saved = broker.do(f"/cases/{case}/edit", parking_fields())
    assert saved["problems"] == []
    broker.upload(case, "sketch", "sketch.pdf", flow.pdf())
    assert broker.see(f"/cases/{case}/check")["missing"] == []
    number = flow.submit(broker, case)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    page = flow.issued(platform, broker, case)
    paper, line = document(broker, case, "permit")
    assert papers.signature(paper)
    words = papers.text(paper)
    for word in ("停車證", "ParkingPermit", "ABC-1234", "NGUYENVANANH", "Motorcycle", page["permit"]["valid_to"]):
        assert word in words, (word, words)
    assert number and line["number"] == page["permit"]["permit_no"]
    assert verify(platform, page["permit"]).json()["found"]["is_valid"]


def test_parking_rules_and_conditions(broker):
    case = flow.open_case(broker, flow.register(broker), "parking")
    fields = {**parking_fields(), "engine_cc": "49", "lease_to": flow.iso(-1), "owner_ban": "04595258"}
    refused = broker.post(f"/cases/{case}/edit", fields)
    told = {e["field"] for e in (refused.json().get("errors") or refused.json()["problems"])}
    assert {"engine_cc", "owner_ban"} <= told, refused.text
    broker.do(f"/cases/{case}/edit", {"kind": "ebike", "has_owner": "no"})
    form = broker.see(f"/cases/{case}/edit")["form"]
    hidden = {f["name"] for s in form["sections"] for f in s["fields"] if f["hidden"]}
    assert {"plate", "engine_cc", "owner_ban", "owner_id"} <= hidden


def test_check_digit_helper():
    """Of ICAO 9303: the library that the tests build passports with."""
    assert check_digit("L898902C3") == "6" and check_digit("740812") == "2"
