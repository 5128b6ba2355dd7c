"""What the running worker must do; each test takes the one site, whose processes go on from test to test."""
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import time
import urllib.parse

import checkmac
import orders
from live import BUILD, assert_signed, check, sh, text_of, until

PROGRAM = BUILD / "fwpermit-worker"

TESTS = []


ON_POSTGRES = []  # those of the tests whose statements differ there, or that many write at once


def test(function):
    TESTS.append(function)
    return function


def on_both(function):
    ON_POSTGRES.append(function)
    return test(function)


def inbox(site, state):
    return site.rows("SELECT * FROM inbox WHERE state = ? ORDER BY id", state)


def ended(site):
    """Whether nothing waits in outbox or inbox."""
    return not (site.rows("SELECT 1 FROM outbox WHERE state IN ('ready', 'leased') LIMIT 1")
                or site.rows("SELECT 1 FROM inbox WHERE state IN ('ready', 'leased') LIMIT 1"))


def at_once(site):
    """What waits for its next attempt waits no longer."""
    site.change("UPDATE outbox SET not_before = 0 WHERE state = 'ready'")


def control(site, path, order, **more):
    status, answer = site.agencies.control(path, order=order, **more)
    check(status == 200, path, answer)


def assert_once(site, case, address="agent@example.com"):
    """One paper of each kind, one permit, and each mail once by its Message-ID."""
    for kind in ("filing", "permit"):
        check(len(site.rows("SELECT 1 FROM document WHERE case_id = ? AND kind = ?", int(case), kind)) == 1, kind)
    check(len(site.rows("SELECT 1 FROM permit WHERE case_id = ?", int(case))) == 1, "permit")
    number = site.case(case)["case_no"]
    mails = site.mails(address, f"[{number}]")
    ids = {dict(m["headers"])["Message-ID"] for m in mails}
    check(len(ids) == len({m["subject"] for m in mails}) == 4, [m["subject"] for m in mails], ids)
    check(not any(m["faults"] for m in mails), [m["faults"] for m in mails])


# ---- filing ----

@test
def a_filing_is_answered_by_a_signed_receipt_and_a_mail(site):
    case = site.filed()
    path = site.paper(case, "filing")
    told = assert_signed(path)
    check("Test receipt seal" in told or "receipt seal" in told, told)
    text, number = text_of(path), site.case(case)["case_no"]
    for part in (number, "受理憑證", "ReceiptofFiling", "NguyễnVănÁnh", f"C{site.passports:07}", "越南Vietnam(VNM)", "製造業Manufacturing",
                 "桃園市桃園區縣府路106號", "甲工廠FactoryA", "photo.x"):
        check(re.sub(r"\s", "", part) in text, part, "is not in", text)
    mail = site.mail("agent@example.com", f"[{number}] Received")
    check("NGUYEN VAN ANH (Nguyễn Văn Ánh)" in mail["text"], mail)
    check(f"http://permit.example/cases/{case}" in mail["text"] and "Test Agency" in mail["text"], mail)
    check("{" not in mail["text"] and "{" not in mail["subject"], mail)


@test
def a_mail_speaks_the_language_of_who_filed(site):
    case = site.filed("boss")
    mail = site.mail("boss@example.com", site.case(case)["case_no"])
    check("已收件" in mail["subject"] and "我們已收到" in mail["text"] and "測試機關" in mail["text"], mail)


@test
def a_return_tells_items_and_reasons(site):
    case = site.filed()
    site.perform("first", "case.return", target=case,
                 marks=[{"item": "photo", "reason": "The wall is dark."}, {"item": "visa_no", "reason": "It is not legible."}])
    mail = site.mail("agent@example.com", f"[{site.case(case)['case_no']}] Please mend")
    check("- Photo: The wall is dark." in mail["text"] and "- Resident visa number: It is not legible." in mail["text"],
          mail["text"])


# ---- money ----

@on_both
def paid_by_card_the_permit_and_the_receipt_follow(site):
    case = site.payable()
    payment = site.begin(case)
    control(site, "pay", site.order_at_gateway(payment), method="card")
    until(lambda: site.case(case, "issued"), site.told)
    permit = site.rows("SELECT * FROM permit WHERE case_id = ?", int(case))[0]
    check(permit["permit_no"] == "EP" + site.case(case)["case_no"] and len(permit["code"]) == 16, permit)
    path = site.paper(case, "permit")
    assert_signed(path)
    text = text_of(path)
    for part in ("NGUYENVANANH", "NguyễnVănÁnh", permit["permit_no"], permit["valid_to"], "越南Vietnam(VNM)",
                 f"http://permit.example/verify/{permit['permit_no']}/{permit['code']}"):
        check(part in text, part, "is not in", text)
    pictures = sh("pdfimages", "-list", path).splitlines()[2:]
    check(len(pictures) == 1 and "jpeg" in pictures[0], pictures)
    receipt = site.paper(case, "receipt")
    assert_signed(receipt)
    paid = site.payment(payment["id"])
    for part in (str(paid["receipt_no"]), f"NT${paid['amount']}", payment["order_no"], "GoodHelpAgency", "信用卡Creditcard"):
        check(part in text_of(receipt), part, text_of(receipt))
    until(lambda: ended(site), site.told)
    assert_once(site, case)


@on_both
def who_closed_the_browser_has_paid_all_the_same(site):
    """No notice comes: the clock has the gateway asked."""
    case = site.payable()
    payment = site.begin(case)
    order = site.order_at_gateway(payment)
    site.agencies.switch(drop_callbacks=True)
    try:
        control(site, "pay", order, method="card")
        site.change("UPDATE payment SET created = created - 15000000 WHERE id = ?", int(payment["id"]))
        until(lambda: site.case(case, "issued"), site.told)
    finally:
        site.agencies.switch(drop_callbacks=False)
    check(site.payment(payment["id"])["checks"] > 0, "it was not the query")


@test
def a_code_is_told_and_paid_later(site):
    case = site.payable()
    payment = site.begin(case, "atm")
    order = site.order_at_gateway(payment)
    control(site, "pay", order, method="atm")
    code = json.loads(until(lambda: site.payment(payment["id"], "code"), site.told)["code"])
    mail = site.mail("agent@example.com", f"[{site.case(case)['case_no']}] Your payment code")
    check(code["bank"] in mail["text"] and code["account"] in mail["text"], mail["text"], code)
    control(site, "settle", order)
    until(lambda: site.case(case, "issued"), site.told)


@test
def a_store_code_is_told_too(site):
    case = site.payable()
    payment = site.begin(case, "cvs")
    control(site, "pay", site.order_at_gateway(payment), method="cvs")
    code = json.loads(until(lambda: site.payment(payment["id"], "code"), site.told)["code"])
    mail = site.mail("agent@example.com", f"[{site.case(case)['case_no']}] Your payment code")
    check(code["payment_no"] in mail["text"], mail["text"], code)


@test
def a_refused_card_may_be_followed_by_another(site):
    case = site.payable()
    payment = site.begin(case)
    control(site, "pay", site.order_at_gateway(payment), method="decline")
    until(lambda: site.payment(payment["id"], "failed"), site.told)
    again = site.begin(case)
    control(site, "pay", site.order_at_gateway(again), method="card")
    until(lambda: site.case(case, "issued"), site.told)


@test
def a_late_failure_and_repeats_change_nothing(site):
    case = site.payable()
    payment = site.begin(case)
    order = site.order_at_gateway(payment)
    control(site, "pay", order, method="card")
    until(lambda: site.case(case, "issued"), site.told)
    before = site.payment(payment["id"])
    control(site, "callback", order, code="10100058", message="late")
    control(site, "callback", order, times=3, together=1)
    control(site, "callback", order, times=2, trade_no=before["gateway_no"])
    until(lambda: ended(site), site.told)
    after = site.payment(payment["id"])
    check(after == before, before, after)
    check(len(site.rows("SELECT 1 FROM document WHERE payment_id = ?", int(payment["id"]))) == 1, "receipts")


def assert_untouched(site, payment, case, deed, logged, state):
    before = len(inbox(site, state))
    deed()
    until(lambda: len(inbox(site, state)) > before and ended(site), site.told)
    check(site.payment(payment["id"], "begun") and site.case(case, "awaiting_payment"), "something changed")
    check(logged in site.log_of("pump").read_text(), logged)


@on_both
def lies_rehearsals_and_other_amounts_pay_nothing(site):
    case = site.payable()
    payment = site.begin(case)
    order = site.order_at_gateway(payment)
    known = {"amount": "FWP2101", "simulate": "FWP2103", "mac": "FWP2104", "merchant": "FWP2104"}
    for name, value, state in (("amount", 1, "refused"), ("simulate", 1, "done"), ("mac", "wrong", "refused"),
                               ("mac", "none", "refused"), ("merchant", "3002608", "refused")):
        assert_untouched(site, payment, case, lambda n=name, v=value: control(
            site, "callback", order, method="card", **{n: v}), known[name], state)
    control(site, "pay", order, method="card")
    until(lambda: site.case(case, "issued"), site.told)


@test
def an_order_that_is_not_ours_is_refused(site):
    case = site.payable()
    payment = site.begin(case)
    fields = {"MerchantID": orders.MERCHANT_ID, "MerchantTradeNo": "FWNOBODYSORDER000001", "StoreID": "", "RtnCode": "1",
              "RtnMsg": "ok", "TradeNo": "2611250000000001", "TradeAmt": str(payment["amount"]),
              "PaymentDate": "2026/11/25 12:00:00", "PaymentType": "Credit_CreditCard", "PaymentTypeChargeFee": "1",
              "TradeDate": "2026/11/25 12:00:00", "SimulatePaid": "0"}
    body = urllib.parse.urlencode(checkmac.signed(fields, orders.HASH_KEY, orders.HASH_IV)).encode()
    assert_untouched(site, payment, case, lambda: site.message("paid", body), "FWP2102", "refused")
    check(inbox(site, "refused")[-1]["reason"] == "payment.unknown", inbox(site, "refused")[-1])


@test
def money_that_comes_before_the_form_is_known_counts(site):
    """The gateway cannot be faster than we are, but the pump can be slower: killed between plugin and command."""
    site.kill("pump")
    case = site.payable()
    payment = site.perform("agent", "payment.begin", cases=[case], method="card")["answer"]
    row = site.payment(payment, "wanted")
    fields = {"MerchantID": orders.MERCHANT_ID, "MerchantTradeNo": row["order_no"], "StoreID": "", "RtnCode": "1",
              "RtnMsg": "ok", "TradeNo": "2611250000000002", "TradeAmt": str(row["amount"]),
              "PaymentDate": "2026/11/25 12:00:00", "PaymentType": "Credit_CreditCard", "PaymentTypeChargeFee": "1",
              "TradeDate": "2026/11/25 12:00:00", "SimulatePaid": "0"}
    body = urllib.parse.urlencode(checkmac.signed(fields, orders.HASH_KEY, orders.HASH_IV)).encode()
    site.message("paid", body)
    site.start("pump")
    until(lambda: site.case(case, "issued"), site.told)


# ---- trouble ----

@test
def what_a_plugin_that_is_away_misses_it_gets_later(site):
    until(lambda: ended(site), site.told)  # no mail of a case before
    site.kill("plugin", "mail")
    case = site.filed()
    number = site.case(case)["case_no"]
    until(lambda: site.rows("SELECT 1 FROM outbox WHERE port = 'notify' AND state = 'ready' AND attempt > 0"), site.told)
    check(not site.mails("agent@example.com", number), "a mail without a plugin")
    site.paper(case, "filing")  # the others go on
    site.start("plugin", "mail")
    check("Received" in site.mail("agent@example.com", number)["subject"], "another mail")
    until(lambda: ended(site), site.told)
    check(len(site.mails("agent@example.com", number)) == 1, "twice")


@test
def what_a_server_takes_later_is_sent_again(site):
    until(lambda: ended(site), site.told)  # no mail of a case before
    site.agencies.switch(smtp_fail="temp")
    case = site.filed()
    number = site.case(case)["case_no"]
    row = until(lambda: site.rows("SELECT * FROM outbox WHERE port = 'notify' AND state = 'ready' AND reason LIKE 'SMTP 450%'"),
                site.told)[0]
    check(row["not_before"] > row["created"] + 50e6, "not as late as the plugin asked:", row)
    site.agencies.switch(smtp_fail="none")
    at_once(site)
    site.mail("agent@example.com", number)


@on_both
def a_dead_letter_is_kept_and_replayed(site):
    until(lambda: ended(site), site.told)  # no mail of a case before
    site.agencies.switch(smtp_fail="perm")
    case = site.filed()
    number = site.case(case)["case_no"]
    row = until(lambda: site.rows("SELECT * FROM outbox WHERE state = 'dead' AND port = 'notify'"), site.told)[0]
    check("550" in row["reason"] and "FWP2106" in site.log_of("pump").read_text(), row)
    site.agencies.switch(smtp_fail="none")
    site.perform("system", "outbox.replay", target=str(row["id"]))
    mail = site.mail("agent@example.com", number)
    check(str(row["id"]) not in mail["text"], mail)
    until(lambda: ended(site), site.told)
    check(site.rows("SELECT once_key FROM outbox WHERE id = ?", row["id"])[0]["once_key"] == row["once_key"], row)


@test
def a_payment_that_cannot_begin_fails_and_may_be_tried_anew(site):
    """Past its age the order is given up: the payer is not left waiting."""
    site.kill("plugin", "ecpay")
    case = site.payable()
    payment = site.perform("agent", "payment.begin", cases=[case], method="card")["answer"]
    site.change("UPDATE outbox SET created = created - 7200000000, not_before = 0 WHERE aggregate_id = ?", int(payment))
    until(lambda: site.payment(payment, "failed"), site.told)
    site.start("plugin", "ecpay")
    again = until(lambda: site.begin(case), site.told)
    control(site, "pay", site.order_at_gateway(again), method="card")
    until(lambda: site.case(case, "issued"), site.told)


@test
def without_the_signer_papers_wait(site):
    until(lambda: ended(site), site.told)  # no paper of a case before
    site.kill("signer")
    case = site.filed()
    until(lambda: site.rows("SELECT 1 FROM outbox WHERE op = 'press.filing' AND state = 'ready' AND attempt > 0"), site.told)
    site.start("signer")
    at_once(site)
    assert_signed(site.paper(case, "filing"))


@test
def a_crash_in_the_middle_of_drawing_is_tried_again(site):
    case = site.filed()
    site.kill("pictures")
    site.start("pictures")
    at_once(site)
    assert_signed(site.paper(case, "filing"))


@on_both
def killed_at_any_instant_everything_happens_once(site):
    """The pump again and again, the plugins in between; then each paper and permit is one, and so is each mail by its
    Message-ID."""
    luck = random.Random(20261125)
    cases = [site.payable() for _ in range(3)]
    payments = [site.perform("agent", "payment.begin", cases=[c], method="card")["answer"] for c in cases]
    paid, rounds = set(), 0
    while rounds < 14 or len(paid) < len(cases):
        check(rounds < 60, "they do not come to their end", site.told("pump", "ecpay"))
        rounds += 1
        time.sleep(luck.uniform(0.02, 0.6))
        role = ("pump",) if rounds % 4 else ("plugin", luck.choice(("mail", "ecpay")))
        site.kill(*role)
        site.start(*role)
        site.change("UPDATE outbox SET not_before = 0, lease_until = 0 WHERE state IN ('ready', 'leased')")
        site.change("UPDATE inbox SET not_before = 0, lease_until = 0 WHERE state IN ('ready', 'leased')")
        for payment in payments:
            row = site.payment(payment, "begun")
            if row and payment not in paid:
                paid.add(payment)
                control(site, "pay", site.order_at_gateway(row), method="card")
    site.change("UPDATE outbox SET not_before = 0, lease_until = 0 WHERE state IN ('ready', 'leased')")
    for case, payment in zip(cases, payments):
        until(lambda c=case: site.case(c, "issued"), site.told)
        site.paper(case, "receipt")
    until(lambda: ended(site), site.told)
    for case, payment in zip(cases, payments):
        assert_once(site, case)
        check(len(site.rows("SELECT 1 FROM document WHERE payment_id = ?", int(payment))) == 1, "receipts")
    numbers = [r["receipt_no"] for r in site.rows("SELECT receipt_no FROM payment WHERE receipt_no > 0 ORDER BY 1")]
    check(numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a gap among", numbers)
    check(not site.rows("SELECT 1 FROM outbox WHERE state = 'dead' AND port = 'press'"), "dead papers")


# ---- time ----

@on_both
def what_is_overdue_ends(site):
    draft, returned, owed, unpaid = site.draft(), site.filed(), site.payable(), site.payable()
    site.perform("first", "case.return", target=returned, marks=[{"item": "photo", "reason": "Dark."}])
    payment = site.begin(owed)
    site.change("UPDATE cases SET deadline = 1 WHERE id IN (?, ?, ?, ?)", int(draft), int(returned), int(owed), int(unpaid))
    until(lambda: site.case(draft, "expired") and site.case(returned, "rejected") and site.case(unpaid, "expired"), site.told)
    check(site.case(owed, "awaiting_payment"), "a case ended whose payer may still pay")
    site.change("UPDATE payment SET created = created - 100000000000 WHERE id = ?", int(payment["id"]))
    until(lambda: site.payment(payment["id"], "expired") and site.case(owed, "expired"), site.told)
    site.mail("agent@example.com", f"[{site.case(returned)['case_no']}] Application closed")


@test
def files_that_nobody_names_go(site):
    """Of the age at which no upload can still be on its way, half written ones too; what a row names stays."""
    staged = {age: site.tmp / f"vault/staging/{age}" for age in ("new", "old")}
    orphan = site.driver("keep", site.tmp / "scan.pdf")[0]["vault"]
    fresh = site.driver("keep", site.tmp / "scan.pdf")[0]["vault"]
    old = time.time() - 2 * 86400

    def path_of(name):
        return [p for p in (site.tmp / "vault").rglob("*") if p.is_file() and name in str(p).replace("/", "")][0]
    places = {name: path_of(name) for name in (orphan, fresh, site.face["vault"])}
    for path in staged.values():
        path.write_bytes(b"half")
    for path in (places[orphan], places[site.face["vault"]], staged["old"]):
        os.utime(path, (old, old))
    site.kill("pump")
    site.start("pump")
    until(lambda: not places[orphan].exists() and not staged["old"].exists(), site.told)
    check(staged["new"].exists() and places[fresh].exists() and places[site.face["vault"]].exists(), "too much is gone")


# ---- the audit ----

@on_both
def reads_and_changes_are_sealed_whole(site):
    case = site.rows("SELECT id FROM cases LIMIT 1")[0]["id"]
    reader = site.reader(7, "first", "page.case", f"case:{case}")

    def sealed():
        return site.rows("SELECT * FROM audit WHERE command = 'read.case' AND seal > 0")
    reads = until(lambda: len(sealed()) == 7 and sealed(), site.told)
    check(reads[0]["actor"] == "first" and reads[0]["aggregate"] == f"case:{case}", reads[0])
    other = site.reader(1, "second", "page.desk", "account:1")  # taken later than what came before it
    until(lambda: site.rows("SELECT 1 FROM audit WHERE command = 'read.desk' AND seal > 0"), site.told)
    check(len(sealed()) == 7, "reads are taken twice")
    reader.communicate()
    other.communicate()
    until(lambda: not list((site.tmp / "journal").glob("*")), "journals of ended processes are left")
    check(len(sealed()) == 7, "reads are taken twice")
    report = until(lambda: (r := site.driver("verify", site.audit_cert)[0])["waiting"] == 0 and r, site.told)
    check(report["fault"] == "whole" and report["seals"] == report["anchored"] > 0, report)


@on_both
def a_killed_sealer_goes_on_where_it_was(site):
    luck = random.Random(7)
    for _ in range(8):
        site.driver("read", 3, "first", "page.review", "case:1")
        time.sleep(luck.uniform(0, 1.1))
        site.kill("sealer")
        site.change("DELETE FROM lease WHERE name = 'sealer'")
        site.start("sealer")
    report = until(lambda: (r := site.driver("verify", site.audit_cert)[0])["waiting"] == 0
                   and r["seals"] == r["anchored"] and r, site.told)
    check(report["fault"] == "whole", report)
    reads = len(site.rows("SELECT 1 FROM audit WHERE command = 'read.review'"))
    check(24 <= reads <= 27, reads, "reads")


@test
def an_edit_is_seen(site):
    row = site.rows("SELECT id, data FROM audit WHERE seal > 0 AND data IS NOT NULL LIMIT 1")[0]
    site.change("UPDATE audit SET data = '{}' WHERE id = ?", row["id"])
    check(site.driver("verify", site.audit_cert)[0]["fault"] == "edited", "not seen")
    site.change("UPDATE audit SET data = ? WHERE id = ?", row["data"], row["id"])
    check(site.driver("verify", site.audit_cert)[0]["fault"] == "whole", "not mended")


# ---- pages of PDFs ----

@test
def a_page_of_a_pdf_is_a_picture(site):
    case = site.rows("SELECT case_id FROM document WHERE kind = 'filing' LIMIT 1")[0]["case_id"]
    path, out = site.document(case, "filing"), site.tmp / "page.jpg"
    pages = int(re.search(r"Pages:\s+(\d+)", sh("pdfinfo", path))[1])
    answer = site.driver("page", path, 1, 1200, out)[0]
    check(answer["ok"] and answer["measures"] == {"pages": pages, "width": 849, "height": 1200}, answer)
    check(out.read_bytes()[:3] == b"\xff\xd8\xff", "no JPEG")
    check(len(out.read_bytes()) > 30000, "an empty page")
    answer = site.driver("page", path, pages + 1, 1200, out)[0]
    check(not answer["ok"] and answer["problems"][0] == {"key": "pdf.no_such_page", "args": {
        "page": pages + 1, "pages": pages}}, answer)


@test
def a_pdf_that_cannot_be_read_is_told(site):
    case = site.rows("SELECT case_id FROM document WHERE kind = 'filing' LIMIT 1")[0]["case_id"]
    path, out = site.document(case, "filing"), site.tmp / "page.jpg"
    locked, torn, nothing = site.tmp / "locked.pdf", site.tmp / "torn.pdf", site.tmp / "nothing.pdf"
    sh("qpdf", "--encrypt", "secret", "owner", "256", "--", path, locked)
    torn.write_bytes(path.read_bytes()[:900])
    nothing.write_bytes(b"MZ\x90\0 this is no PDF")
    for bad in (locked, torn, nothing):
        answer = site.driver("page", bad, 1, 600, out)[0]
        check(not answer["ok"] and answer["problems"][0]["key"] == "pdf.unreadable" and not out.read_bytes(), bad, answer)


@test
def a_pdf_that_wants_too_much_is_told(site):
    """A form that draws itself again and again, and a page of a picture without end: the child's limits end it."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</XObject<</a 5 0 R>>>>>>"]
    deep = b"/a Do " * 40
    objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(deep), deep))
    for n in range(5, 11):
        more = b"/XObject<</a %d 0 R>>" % (n + 1) if n < 10 else b""
        body = deep if n < 10 else b"0 0 600 800 re f " * 50
        objects.append(b"<</Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<<%s>>/Length %d>>stream\n%s\nendstream"
                       % (more, len(body), body))
    out, at = b"%PDF-1.4\n", []
    for n, o in enumerate(objects, 1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, o)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(at) + 1) + b"".join(b"%010d 00000 n \n" % a for a in at)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(at) + 1, start)
    path = site.tmp / "greedy.pdf"
    path.write_bytes(out)
    answer = site.driver("page", path, 1, 1600, site.tmp / "page.jpg")[0]
    check(not answer["ok"] and answer["problems"][0]["key"] == "pdf.unreadable", answer)


# ---- the program ----

@test
def nothing_of_a_secret_is_logged(site):
    told = site.told()
    for secret in ("pwFHCqoQZGmho4w6", "EkRm7iFT261dpevs", "00" * 16, "PRIVATE"):
        check(secret not in told, secret)
    for line in told.splitlines():
        check(re.match(r"fwpermit-worker (pump|sealer|signer|pictures|plugin (mail|ecpay)) \[\d+\] \w+: ", line)
              or not line.startswith("fwpermit"), line)


@test
def what_decodes_is_in_no_process_that_holds_keys_or_data(site):
    drawing = re.compile(r"/lib(vips|poppler|cairo|pango|glib)[-.\w]*\.so")
    found = {role: bool(drawing.search(pathlib.Path(f"/proc/{worker.pid}/maps").read_text())) for role, worker in site.workers.items()}
    check(found == {role: role == ("pictures",) for role in site.roles}, found)


@test
def without_the_program_for_pictures_it_is_named(site):
    alone = site.tmp / "alone"
    alone.mkdir()
    shutil.copy(PROGRAM, alone)
    done = subprocess.run([alone / PROGRAM.name, "pictures"], capture_output=True, text=True, check=False)
    check(done.returncode == 1 and "the program fwpermit-pictures beside this one cannot be run: No such file" in done.stderr, done)


@test
def a_role_ends_with_its_parent(site):
    """The parent is told in the settings; a role whose parent is another leaves."""
    path = site.tmp / "orphan.json"
    path.write_text(json.dumps({**site.settings, "role_settings": {}, "parent": 1}))
    code = os.spawnlp(os.P_WAIT, "bash", "bash", "-c",
                      f'exec {PROGRAM} pictures 3<{path} 2>{site.tmp}/orphan.txt')
    check(code == 1 and "has ended" in (site.tmp / "orphan.txt").read_text(), code)

