"""Cards: ordered when paid, made by the bureau, handed out at the station against a code; and what goes wrong on that way.
The bureau is a folder (card_books.py)."""
import base64
import concurrent.futures
import itertools
import json
import re

import boxes
import card_books
import flow
import pytest
import requests
from card_books import books
from platform_under_test import PASSWORD, await_
from refusals import refused

AT = "2026-01-05T02:00:00Z"
SAID = itertools.count(1)
CARDS = itertools.count(1)
TRIES = 5  # codes for one card within a quarter of an hour


@pytest.fixture(scope="module", name="bureau", autouse=True)
def bureau_of_the_platform(platform):
    """The plugin, its books, its settings. The server may run as another user."""
    library = card_books.build(platform)
    with card_books.conf(platform).open("a", encoding="utf-8") as options:
        options.write("FwPermitPluginOption books starts_in_s 3\n")  # who comes later than the pump is not told of as away
    platform.stop()
    platform.start()
    return library


@pytest.fixture(scope="module", name="tpe", autouse=True)
def officer_of_another_station(platform):
    platform.ctl("account", "create", "tpe", "--roles", "initial,second", "--station", "TPE", "--keep", text=PASSWORD + "\n")
    return platform.of("tpe")


@pytest.fixture(autouse=True)
def behaves(platform, bureau):
    assert bureau
    how(platform, "ok")


def noted(platform, log):
    """The lines of what the bureau noted."""
    path = books(platform) / f"{log}.log"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def how(platform, what):
    (books(platform) / "how").write_text(what, encoding="utf-8")


def filed(person, worker):
    case = flow.open_case(person, worker, "card")
    flow.fill_with(person, case, flow.card_fields())
    flow.submit(person, case)
    return case


def paid(platform, broker, reviewers, worker=None):
    """A case that is paid, and the number of its job."""
    case = filed(broker, worker or flow.register(broker))
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    await_("its job", lambda: job_of(platform, case))
    return case, job_of(platform, case)["job_no"]


def ordered(platform, broker, reviewers, worker=None):
    case, job = paid(platform, broker, reviewers, worker)
    await_("the bureau's word", lambda: job_of(platform, case)["seq"] == 1)
    return case, job


def job_of(platform, case):
    names = ("job_no", "state", "seq", "card_no", "spoiled", "station", "code", "ask_at", "id")
    rows = platform.sql(f"SELECT {', '.join(names)} FROM card_job WHERE case_id = ? ORDER BY round DESC", int(case))
    return dict(zip(names, rows[0])) if rows else None


def fact(job, seq, state, card=None, **more):
    told = {"job_no": job, "seq": seq, "state": state, "at": AT, **more}
    return {"fact": "job", "job": {**told, **({"card_no": card} if card else {})}}


def tell(platform, *facts):
    """What the bureau says, fetched and understood: how its messages ended, with the reason."""
    before = platform.sql("SELECT count(*) FROM inbox")[0][0]
    for one in facts:
        path = books(platform) / "says" / f".{next(SAID):06d}"
        path.write_text(json.dumps([one]), encoding="utf-8")
        path.rename(path.with_name(path.name[1:]))
    n = len(facts)

    def ended():
        rows = platform.sql("SELECT state, reason FROM inbox WHERE state IN ('done', 'refused', 'dead') ORDER BY received, id")
        return [(state, reason or None) for state, reason in rows[before:]] if len(rows) == before + n else None
    return await_("what was said to be understood", ended)


def arrive(platform, broker, reviewers, worker=None):
    """A card at the station: its case, and the code that its applicant was told."""
    case, job = ordered(platform, broker, reviewers, worker)
    card = f"TW{next(CARDS):08d}"
    assert [s for s, _ in tell(platform, fact(job, 2, "made", card), fact(job, 3, "sent", card),
                               fact(job, 4, "arrived", card, station="TAO"))] == ["done"] * 3
    return case, broker.see(f"/cases/{case}")["card"]["code"]


def lists(person):
    return {c["id"] for c in person.see("/handout")["cards"]}


def verified(platform, permit):
    return platform.person().see(f"/verify/{permit['permit_no']}/{permit['code']}")["found"]


def ended(platform):
    """The numbers on the signed list that anyone may fetch."""
    payload = requests.get(platform.base + "/public/revocations.jws", timeout=30).content.split(b".")[1]
    return [p["no"] for p in json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))["permits"]]


def steps(person, case):
    return [(s["label"], s["is_done"], s["is_now"]) for s in person.see(f"/cases/{case}")["steps"]]


# ---- the way of a card ----

def test_from_the_fee_to_the_hand(platform, broker, reviewers):
    worker = flow.register(broker)
    paper = flow.fill(broker, flow.open_case(broker, worker))
    flow.submit(broker, paper)
    flow.approve(platform, paper, reviewers)
    flow.pay(platform, broker, paper)
    old = flow.issued(platform, broker, paper)["permit"]
    case, job = ordered(platform, broker, reviewers, worker)

    order = json.loads((books(platform) / f"orders/{job}.json").read_text(encoding="utf-8"))
    person = order["card"]["person"]
    assert (person["name_latin"], person["nationality"], person["sex"]) == ("NGUYEN VAN ANH", "VNM", "M")
    assert order["deliver_to"] == "TAO" and order["permit_no"] == "CP" + order["case_no"] and order["card"]["place"].startswith("桃園")
    assert order["card"]["valid_from"] <= order["card"]["valid_to"] == flow.iso(700) and order["card"]["reason"] == "製造業"
    assert (books(platform) / f"orders/{job}.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    assert len([line for line in noted(platform, "orders") if line.startswith(job + " ")]) == 1

    page = broker.see(f"/cases/{case}")
    assert page["case"]["state"]["code"] == "producing" and page["card"]["state"]["code"] == "accepted" and page["card"]["code"] is None
    assert not page["permit"] and steps(broker, case)[3] == ("Card made", False, True)
    assert [s for s, _ in tell(platform, fact(job, 2, "made", "TW1"), fact(job, 3, "spoiled", spoiled=1, reason="chip dead"))] == ["done"] * 2
    assert job_of(platform, case)["card_no"] is None
    tell(platform, fact(job, 4, "accepted", spoiled=1), fact(job, 5, "made", "TW2", spoiled=1), fact(job, 6, "sent", "TW2", tracking="R123"))
    assert steps(broker, case)[3:6] == [("Card made", True, False), ("On its way", True, False), ("At the station", False, True)]
    assert not lists(reviewers[0]) & {case}
    tell(platform, fact(job, 7, "arrived", "TW2", station="TAO"))

    page = broker.see(f"/cases/{case}")
    assert page["case"]["state"]["code"] == "issued" and not page["case"]["clock_runs"]
    card = page["card"]
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", card["code"]) and card["address"].startswith("桃園市") and card["hours"]
    assert steps(broker, case)[5:] == [("At the station", True, False), ("Collected", False, True)]
    line = next(c for c in broker.see("/cases")["cases"] if c["id"] == case)
    assert line["todo"].startswith("The card is at the station") and line["todo_href"] == f"/cases/{case}#card" and not line["is_final"]
    mail = await_("the notice", lambda: [m for m in platform.mails() if card["code"] in m["text"]])[0]
    assert card["address"] in mail["text"] and old["permit_no"] not in mail["text"]

    new = page["permit"]
    assert new["state"]["code"] == "waiting" and verified(platform, new)["is_waiting"] and not verified(platform, new)["is_valid"]
    assert verified(platform, old)["is_valid"], "until the card is in the hand"
    officer = reviewers[0]
    assert case in lists(officer) and {c["id"] for c in officer.see(f"/handout?q={order['case_no']}")["cards"]} == {case}
    hand = officer.see(f"/handout/{case}")
    assert hand["card"]["card_no"] == "TW2" and hand["card"]["code"] is None and [r["permit_no"] for r in hand["replaced"]] == [old["permit_no"]]
    assert officer.get(hand["photo"]).status_code == 200
    typed = card["code"].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    done = officer.do(hand["action"], {"code": typed, "version": hand["version"]})
    assert done["case"]["state"]["code"] == "collected"

    assert verified(platform, new)["is_valid"]
    found = verified(platform, old)
    assert found["is_superseded"] and found["by_card"] and not found["is_valid"]
    await_("the list of ended permits", lambda: old["permit_no"] in ended(platform))
    assert new["permit_no"] not in ended(platform) and case not in lists(officer)
    page = broker.see(f"/cases/{case}")
    assert page["card"]["state"]["code"] == "collected" and page["card"]["code"] is None and all(s["is_done"] for s in page["steps"])
    assert page["case"]["is_final"]
    kinds = [h["kind"] for h in page["history"]]
    assert kinds[0] == "card.collect" and {"card.order", "card.made", "card.spoiled", "card.sent", "card.arrive"} <= set(kinds)
    assert page["history"][0]["who"] == "Officer"
    assert platform.of("admin").see(f"/review/{case}")["card"]["spoiled"] == 1


def test_pages_of_people(platform, broker, reviewers):
    """What programs are told stands on the pages too, in both languages, and the form on the page does it."""
    case, code = arrive(platform, broker, reviewers)
    for lang, words in (("en", ("Fetch the card", "Monday to Friday", "Hand the card out", "Cards to hand out")),
                        ("zh-Hant", ("領取卡片", "週一至週五", "發給卡片", "待發卡片"))):
        html = {"Accept": "text/html", "Accept-Language": lang}
        page = broker.get(f"/cases/{case}", headers=html).text
        assert code in page and words[0] in page and words[1] in page
        page = reviewers[1].get(f"/handout/{case}", headers=html).text
        assert words[2] in page and code not in page
        assert words[3] in reviewers[1].get("/handout", headers=html).text
        page = reviewers[1].http.post(f"{platform.base}/handout/{case}", headers=html,
                                      data={"code": "0000-0000", "_csrf": reviewers[1].csrf}, allow_redirects=False)
        assert page.status_code == 422 and words[2] in page.text and 'href="#f-code"' in page.text
    done = reviewers[1].http.post(f"{platform.base}/handout/{case}", headers={"Accept": "text/html"},
                                  data={"code": code, "_csrf": reviewers[1].csrf}, allow_redirects=False)
    assert (done.status_code, done.headers["Location"]) == (303, "/handout?done=handed_out")


# ---- what was sent for the electronic permit is taken over ----

def with_permit(platform, broker, reviewers, **fields):
    """A worker who holds an electronic permit, and its case."""
    worker = flow.register(broker)
    case = flow.open_case(broker, worker)
    flow.fill(broker, case, **fields)
    flow.submit(broker, case)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    flow.issued(platform, broker, case)
    return worker, case


def slots(person, case):
    """The files on the form, by slot."""
    fields = [f for s in person.see(f"/cases/{case}/edit")["form"]["sections"] for f in s["fields"]]
    return {f["name"]: f["files"] for f in fields if f.get("files")}


def vaults(platform, case):
    return dict(platform.sql("SELECT slot, vault FROM case_file WHERE case_id = ? AND current = 1", int(case)))


def test_photo_and_attachments_are_filled_in(platform, broker, reviewers):
    worker, paper = with_permit(platform, broker, reviewers)
    before = platform.sql("SELECT count(*) FROM case_file")[0][0], len([p for p in (platform.folder / "state/vault").rglob("*") if p.is_file()])
    case = flow.open_case(broker, worker, "card")
    taken = slots(broker, case)
    assert set(taken) == {"photo", "passport_page", "employment_proof"} and all(f["taken"] for files in taken.values() for f in files)
    assert vaults(platform, case) == vaults(platform, paper), "the same files of the vault"
    assert len([p for p in (platform.folder / "state/vault").rglob("*") if p.is_file()]) == before[1]
    assert broker.get(taken["photo"][0]["href"]).content == broker.get(slots_of_case(broker, paper)["photo"]).content
    for lang, words in (("en", "from the permit, of"), ("zh-Hant", "沿用原居留證")):
        assert broker.get(f"/cases/{case}/edit", headers={"Accept": "text/html", "Accept-Language": lang}).text.count(words) == 3
    answer = broker.do(f"/cases/{case}/edit", flow.card_fields())
    assert answer["problems"] == [] and answer["missing_n"] == 0
    broker.upload(case, "employment_proof", "new.pdf", flow.pdf())
    broker.do(taken["employment_proof"][0]["remove"])
    assert [(f["name"], f["taken"]) for f in slots(broker, case)["employment_proof"]] == [("new.pdf", None)]
    broker.upload(case, "passport_page", "new-page.pdf", flow.pdf())
    assert [f["name"] for f in slots(broker, case)["passport_page"]] == ["new-page.pdf"]
    assert broker.get(slots_of_case(broker, paper)["passport_page"]).status_code == 200, "the permit's own stays"
    flow.submit(broker, case)
    mine, _ = flow.reviewer_of(platform, reviewers, case)
    assert [bool(f["taken"]) for f in mine.see(f"/review/{case}")["files"] if f["slot"] == "photo"] == [True]
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    job = await_("its job", lambda: job_of(platform, case))["job_no"]
    await_("the order", lambda: (books(platform) / f"orders/{job}.jpg").exists())


def slots_of_case(person, case):
    return {f["slot"]: f["href"] for f in person.see(f"/cases/{case}")["files"]}


def test_what_is_not_good_any_more_is_not_taken_over(platform, broker, reviewers, admin):
    worker, paper = with_permit(platform, broker, reviewers)
    months_ago = "UPDATE case_file SET created = created - CAST(? AS BIGINT) WHERE case_id = ? AND slot = ?"
    platform.sql(months_ago, 720 * 86400 * 1000000, int(paper), "photo")
    platform.sql(months_ago, 100 * 86400 * 1000000, int(paper), "employment_proof")
    case = flow.open_case(broker, worker, "card")
    assert set(slots(broker, case)) == {"photo", "passport_page"}, "a photo is good for two years, a certificate for three months"
    platform.sql(months_ago, 20 * 86400 * 1000000, int(paper), "photo")
    assert set(slots(broker, flow.open_case(broker, worker, "card"))) == {"passport_page"}
    broker.do(f"/cases/{case}/edit", {**flow.card_fields(), "mrz": "", "passport_no": "C0000001"})
    broker.upload(case, "employment_proof", "proof.pdf", flow.pdf())
    refused(broker, f"/cases/{case}/submit", {}, 422, "passport_page", "file.not_good")
    assert "does not fit what the form says" in broker.get(f"/cases/{case}/check", headers={"Accept": "text/html"}).text
    broker.upload(case, "passport_page", "new-page.pdf", flow.pdf())
    flow.submit(broker, case)
    other = flow.open_case(broker, flow.register(broker), "card")
    assert slots(broker, other) == {}, "another worker's files are nobody else's"
    permit = broker.see(f"/cases/{paper}")["permit"]["permit_no"]
    admin.do(f"/admin/permits/{permit}/revoke", {"reason": "false papers"})
    assert slots(broker, flow.open_case(broker, worker, "card")) == {}, "a permit that is in force no more gives nothing"


# ---- the bureau answers otherwise, or not at all ----

def test_an_order_that_is_answered_later(platform, broker, reviewers):
    how(platform, "pending")
    case, job = paid(platform, broker, reviewers)
    await_("the order", lambda: (books(platform) / f"orders/{job}.json").exists())
    await_("its end", lambda: platform.sql("SELECT 1 FROM outbox WHERE op = 'card.order' AND state = 'done' AND once_key = ?",
                                           f"card.order:{job_of(platform, case)['id']}"))
    assert job_of(platform, case)["state"] == "ordered"
    assert tell(platform, fact(job, 1, "accepted")) == [("done", None)]
    assert job_of(platform, case)["state"] == "accepted"


def test_an_answer_that_was_lost_is_asked_for_with_the_same_order(platform, broker, reviewers):
    how(platform, "unknown")
    case, job = paid(platform, broker, reviewers)

    def orders():
        return [line.split() for line in noted(platform, "orders") if line.startswith(job + " ")]
    await_("the order", orders)
    how(platform, "ok")
    await_("the bureau's word", lambda: job_of(platform, case)["state"] == "accepted")
    assert len(orders()) >= 2 and len({key for _, key in orders()}) == 1


def test_a_bureau_that_will_not_is_seen_and_asked_again(platform, broker, reviewers, admin):
    platform.expect("FWP2106 card.order:\\d+ is given up after 1 attempts: no blank is left")
    how(platform, "rejected")
    case, _ = paid(platform, broker, reviewers)
    letters = await_("the dead letter", lambda: [d for d in admin.see("/admin")["dead"] if d["op"] == "card.order"])
    assert letters[0]["reason"] == "no blank is left"
    how(platform, "ok")
    admin.do(letters[0]["action"])
    await_("the bureau's word", lambda: job_of(platform, case)["state"] == "accepted")


def test_nothing_heard_for_long_is_asked_about(platform, broker, reviewers):
    case, job = ordered(platform, broker, reviewers)
    path = books(platform) / f"jobs/{job}"
    path.write_text(json.dumps({"job_no": job, "seq": 3, "state": "sent", "at": AT, "card_no": "TWASKED"}), encoding="utf-8")
    platform.sql("UPDATE card_job SET ask_at = 1 WHERE case_id = ?", int(case))
    await_("what was found", lambda: job_of(platform, case)["state"] == "sent")
    assert noted(platform, "find").count(job) == 1 and job_of(platform, case)["ask_at"] > 1


def test_an_order_that_never_came_there_goes_again(platform, broker, reviewers):
    platform.expect("FWP2110 the bureau does not know card job")
    how(platform, "pending")
    case, job = paid(platform, broker, reviewers)
    await_("the order", lambda: (books(platform) / f"orders/{job}.json").exists())
    how(platform, "ok")
    platform.sql("UPDATE card_job SET ask_at = 1 WHERE case_id = ?", int(case))
    await_("the bureau's word", lambda: job_of(platform, case)["state"] == "accepted")
    assert len([line for line in noted(platform, "orders") if line.startswith(job + " ")]) == 2


def test_what_the_bureau_cancels_is_ordered_anew(platform, broker, reviewers, admin):
    case, job = ordered(platform, broker, reviewers)
    assert admin.see(f"/review/{case}")["again"] is None
    admin.do(f"/review/{case}/card-again", {}, status=409)
    tell(platform, fact(job, 2, "cancelled", reason="machine broken"))
    page = admin.see(f"/review/{case}")
    assert page["card"]["state"]["code"] == "cancelled" and page["card"]["reason"] == "machine broken"
    assert reviewers[0].see(f"/review/{case}")["again"] is None
    admin.do(page["again"]["action"], {"version": page["case"]["version"]})
    await_("another job", lambda: job_of(platform, case)["job_no"] == f"{job}-2" and job_of(platform, case)["seq"] == 1)
    assert tell(platform, fact(f"{job}-2", 2, "arrived", "TWAGAIN", station="TAO"))[0][0] == "done"
    assert broker.see(f"/cases/{case}")["case"]["state"]["code"] == "issued"


# ---- it is not wanted any more ----

def refund_of(platform, case):
    return platform.sql("SELECT r.amount, r.cause FROM refund r WHERE r.cases = ?", str(case))


def ours(admin):
    return {r["label"]: r["ours"] for r in admin.see("/admin/system")["stock"]["rows"]}


def in_state(platform, person, case, code):
    await_(f"{code}: {case}", lambda: flow.state(person, case) == code)
    return person.see(f"/cases/{case}")


def test_withdrawn_before_it_is_made(platform, broker, reviewers, admin):
    before = ours(admin)["Reserved"]
    case, job = ordered(platform, broker, reviewers)
    page = broker.see(f"/cases/{case}")
    assert page["withdraw"]["asks"] and ours(admin)["Reserved"] == before + 1
    for lang, words in (("en", "asked not to make it"), ("zh-Hant", "停止製卡")):
        assert words in broker.get(f"/cases/{case}", headers={"Accept": "text/html", "Accept-Language": lang}).text
    broker.do(page["withdraw"]["action"], {"version": page["case"]["version"]})
    page = in_state(platform, broker, case, "withdrawn")
    assert page["card"]["state"]["code"] == "cancelled" and page["card"]["reason"] == "case withdrawn" and not page["withdraw"]
    assert noted(platform, "cancel").count(job) == 1
    kinds = [h["kind"] for h in page["history"]]
    assert kinds.index("refund.ask") < kinds.index("card.cancelled") < kinds.index("case.withdraw")
    paid_for = platform.sql("SELECT fee FROM cases WHERE id = ?", int(case))[0][0]
    assert refund_of(platform, case) == [(paid_for, "case.withdraw")] and ours(admin)["Reserved"] == before
    await_("the notice", lambda: [m for m in platform.mails() if "卡片未製作" in m["subject"]])
    assert reviewers[0].see(f"/review/{case}")["card"]["state"]["code"] == "cancelled"
    refused(broker, f"/cases/{case}/withdraw", {}, 409, None, "case.state")


def test_withdrawn_too_late(platform, broker, reviewers):
    case, job = ordered(platform, broker, reviewers)
    how(platform, "late")
    (books(platform) / f"jobs/{job}").write_text(json.dumps({"job_no": job, "seq": 2, "state": "made", "at": AT, "card_no": "TWLATE"}),
                                                 encoding="utf-8")
    broker.do(f"/cases/{case}/withdraw")
    await_("what the bureau has", lambda: job_of(platform, case)["state"] == "made")
    page = broker.see(f"/cases/{case}")
    assert page["case"]["state"]["code"] == "producing" and not page["withdraw"] and refund_of(platform, case) == []
    assert [h["what"] for h in page["history"] if h["kind"] == "card.late"] == ["Too late to cancel: the card is made"]
    refused(broker, f"/cases/{case}/withdraw", {}, 409, None, "card.too_late")
    await_("the notice", lambda: [m for m in platform.mails() if "無法撤銷" in m["subject"]])


def test_an_answer_to_a_cancellation_comes_later(platform, broker, reviewers):
    case, job = ordered(platform, broker, reviewers)
    how(platform, "pending")
    broker.do(f"/cases/{case}/withdraw")
    await_("the request", lambda: job in noted(platform, "cancel"))
    assert flow.state(broker, case) == "withdrawal_asked"
    assert tell(platform, fact(job, 2, "cancelled", reason="case withdrawn")) == [("done", None)]
    assert flow.state(broker, case) == "withdrawn"


def test_an_order_that_never_came_there_is_cancelled_without_the_bureau(platform, broker, reviewers):
    how(platform, "pending")
    case, job = paid(platform, broker, reviewers)
    await_("the order", lambda: (books(platform) / f"orders/{job}.json").exists())
    broker.do(f"/cases/{case}/withdraw")
    await_("the request", lambda: job in noted(platform, "cancel"))
    platform.sql("UPDATE card_job SET ask_at = 1 WHERE case_id = ?", int(case))
    in_state(platform, broker, case, "withdrawn")
    assert len([line for line in noted(platform, "orders") if line.startswith(job + " ")]) == 1


def test_an_administrator_cancels_a_card(platform, broker, reviewers, admin):
    case, _ = ordered(platform, broker, reviewers)
    assert reviewers[0].see(f"/review/{case}")["cancel"] is None
    assert reviewers[0].post(f"/review/{case}/card-cancel", {"reason": "x"}).status_code in (403, 404)
    page = admin.see(f"/review/{case}")
    for lang, words in (("en", "Cancel the card"), ("zh-Hant", "取消製卡")):
        assert words in admin.get(f"/review/{case}", headers={"Accept": "text/html", "Accept-Language": lang}).text
    refused(admin, page["cancel"]["action"], {"reason": ""}, 422, "reason", "case.reason_missing")
    admin.do(page["cancel"]["action"], {"reason": "false papers", "version": page["case"]["version"]})
    page = in_state(platform, broker, case, "withdrawn")
    assert [(h["who"], h["reason"]) for h in page["history"] if h["kind"] == "card.cancel"] == [("Officer", "false papers")]
    made, job = ordered(platform, broker, reviewers)
    tell(platform, fact(job, 2, "made", "TWADMIN"))
    assert admin.see(f"/review/{made}")["cancel"] is None
    refused(admin, f"/review/{made}/card-cancel", {"reason": "x"}, 409, None, "card.too_late")


def test_a_whole_refund_cancels_the_card(platform, broker, reviewers):
    case, _ = ordered(platform, broker, reviewers)
    cashier = platform.of("cashier")
    payment, amount = platform.sql("SELECT p.id, p.amount FROM payment p JOIN cases c ON c.payment_id = p.id WHERE c.id = ?", int(case))[0]
    cashier.do(f"/refunds/payments/{payment}", {"amount": "100", "reason": "too much"}, status=202)
    assert flow.state(broker, case) == "producing"
    cashier.do(f"/refunds/payments/{payment}", {"amount": str(amount - 100), "reason": "the rest"}, status=202)
    in_state(platform, broker, case, "withdrawn")
    assert [r[0] for r in refund_of(platform, case)] == [100, amount - 100], "and not once more"


# ---- lost before it is handed out ----

def out(person):
    return {c["id"]: c for c in person.see("/cards")["cards"]}


def second_of(platform, case, job):
    await_("another job", lambda: job_of(platform, case)["job_no"] == f"{job}-2" and job_of(platform, case)["seq"] == 1)
    return json.loads((books(platform) / f"orders/{job}-2.json").read_text(encoding="utf-8"))


def test_lost_on_its_way(platform, broker, reviewers, tpe):
    dispatcher = platform.of("dispatcher")
    case, job = ordered(platform, broker, reviewers)
    tell(platform, fact(job, 2, "made", "TWGONE"))
    refused(dispatcher, f"/cards/{case}/lost", {"reason": "x"}, 409, None, "card.not_out")
    tell(platform, fact(job, 3, "sent", "TWGONE", tracking="R9"))
    line = out(dispatcher)[case]
    assert line["tracking"] == "R9" and line["state"]["code"] == "sent" and case in out(reviewers[0]) and case not in out(tpe)
    for person in (tpe, broker):
        assert person.post(f"/cards/{case}/lost", {"reason": "x"}).status_code in (403, 404)
    page = dispatcher.see(line["href"])
    refused(dispatcher, page["action"], {"reason": ""}, 422, "reason", "case.reason_missing")
    refused(dispatcher, page["action"], {"reason": "x", "version": page["version"] + 1}, 409, None, "case.stale")
    dispatcher.do(page["action"], {"reason": "the carrier lost it", "version": page["version"]})
    order = second_of(platform, case, job)
    assert order["replaces"] == "TWGONE" and order["permit_no"] == f"CP{order['case_no']}R2"
    assert case not in out(dispatcher)
    refused(dispatcher, page["action"], {"reason": "x"}, 409, None, "card.not_out")
    before = broker.see(f"/cases/{case}")["card"]["before"]
    assert [(b["job_no"], b["state"]["code"], b["card_no"]) for b in before] == [(job, "lost", "TWGONE")]
    await_("the notice", lambda: [m for m in platform.mails() if "卡片遺失" in m["subject"]])
    assert tell(platform, fact(job, 4, "arrived", "TWGONE", station="TAO")) == [("refused", "card.is_lost")], "it turns up"
    assert not platform.sql("SELECT 1 FROM permit WHERE case_id = ?", int(case))
    tell(platform, fact(f"{job}-2", 2, "arrived", "TWNEXT", station="TAO"))
    code = broker.see(f"/cases/{case}")["card"]["code"]
    assert reviewers[0].do(f"/handout/{case}", {"code": code})["case"]["state"]["code"] == "collected"
    refused(dispatcher, page["action"], {"reason": "x"}, 409, None, "case.state")


def test_lost_at_the_station(platform, broker, reviewers):
    case, code = arrive(platform, broker, reviewers)
    first, job = broker.see(f"/cases/{case}")["permit"], job_of(platform, case)["job_no"]
    officer = reviewers[1]
    page = officer.see(officer.see(f"/handout/{case}")["lost_href"])
    for lang, words in (("en", ("Report the card lost", "Cards on their way")), ("zh-Hant", ("通報卡片遺失", "寄送中及在站卡片"))):
        html = {"Accept": "text/html", "Accept-Language": lang}
        assert words[0] in officer.get(f"/cards/{case}", headers=html).text and words[0] in officer.get(f"/handout/{case}", headers=html).text
        assert words[1] in officer.get("/cards", headers=html).text
        wrong = officer.http.post(f"{platform.base}{page['action']}", headers=html, data={"reason": "", "_csrf": officer.csrf}, allow_redirects=False)
        assert wrong.status_code == 422 and 'href="#f-reason"' in wrong.text
    done = officer.http.post(f"{platform.base}{page['action']}", headers={"Accept": "text/html"}, allow_redirects=False,
                             data={"reason": "not in the drawer", "version": page["version"], "_csrf": officer.csrf})
    assert (done.status_code, done.headers["Location"]) == (303, "/cards?done=card_lost")
    found = verified(platform, first)
    assert found["is_revoked"] and found["is_lost"] and not found["is_waiting"]
    await_("the list of ended permits", lambda: first["permit_no"] in ended(platform))
    seen = broker.see(f"/cases/{case}")
    assert seen["case"]["state"]["code"] == "producing" and seen["case"]["clock_runs"] and seen["permit"] is None and seen["card"]["code"] is None
    assert [(h["who"], h["reason"]) for h in seen["history"] if h["kind"] == "card.lost"] == [("Officer", "not in the drawer")]
    refused(officer, f"/handout/{case}", {"code": code}, 409, None, "case.state")
    second_of(platform, case, job)
    tell(platform, fact(f"{job}-2", 2, "arrived", "TWAFTER", station="TAO"))
    seen = broker.see(f"/cases/{case}")
    assert seen["permit"]["permit_no"] == first["permit_no"] + "R2" and seen["card"]["code"].replace("-", "") != code.replace("-", "")
    assert officer.post(f"/handout/{case}", {"code": code}).status_code == 422
    officer.do(f"/handout/{case}", {"code": seen["card"]["code"]})
    assert verified(platform, seen["permit"])["is_valid"] and verified(platform, first)["is_lost"]


# ---- what cannot be ----

def test_what_cannot_be_is_refused_and_changes_nothing(platform, broker, reviewers):
    platform.expect("FWP2110 card job J0000000000 is none of ours")
    other, _ = arrive(platform, broker, reviewers)
    case, job = ordered(platform, broker, reviewers)
    tell(platform, fact(job, 5, "made", "TWREAL", spoiled=2))

    def rows():
        return platform.sql("SELECT * FROM card_job ORDER BY id"), platform.sql("SELECT * FROM card_stock WHERE side = 'ours'"), \
            platform.sql("SELECT id, state, version FROM cases ORDER BY id"), platform.sql("SELECT * FROM permit ORDER BY id")
    before = rows()
    taken = job_of(platform, other)["card_no"]
    for told, end in ((fact("J0000000000", 1, "made", "TWX"), ("refused", "card.unknown")),
                      (fact(job, 5, "sent", "TWREAL"), ("done", None)),
                      (fact(job, 4, "accepted"), ("done", None)),
                      (fact(job, 6, "accepted", spoiled=2), ("refused", "card.goes_back")),
                      (fact(job, 6, "sent", "TWREAL", spoiled=1), ("refused", "card.spoiled_less")),
                      (fact(job, 6, "sent", "TWOTHER", spoiled=2), ("refused", "card.other_number")),
                      (fact(job, 6, "made", taken, spoiled=3), ("refused", "card.number_taken")),
                      (fact(job, 6, "arrived", "TWREAL", spoiled=2, station="ZZZ"), ("refused", "card.no_station")),
                      (fact(job_of(platform, other)["job_no"], 9, "arrived", taken, station="TAO"), ("done", None)),
                      (fact(job_of(platform, other)["job_no"], 9, "spoiled", spoiled=1), ("refused", "case.state"))):
        assert tell(platform, told) == [end], told
        assert rows() == before, told


def test_a_card_that_lies_elsewhere_is_handed_out_there(platform, broker, reviewers, tpe):
    case, job = ordered(platform, broker, reviewers)
    tell(platform, fact(job, 2, "arrived", "TWAWAY", station="TPE"))
    card = broker.see(f"/cases/{case}")["card"]
    assert card["address"].startswith("臺北市") and case in lists(tpe) and case not in lists(reviewers[0])
    assert tpe.do(f"/handout/{case}", {"code": card["code"]})["case"]["state"]["code"] == "collected"


def test_what_was_said_first_is_heard_first(platform, broker, reviewers):
    """Many words, fetched at once: none of them comes late."""
    case, job = ordered(platform, broker, reviewers)
    words = [fact(job, 2 * n + k, *what, spoiled=n) for n in range(1, 9) for k, what in ((0, ("accepted",)), (1, ("made", f"TWORDER{n}")))]
    assert tell(platform, *words) == [("done", None)] * len(words)
    kinds = [h["kind"] for h in reversed(broker.see(f"/cases/{case}")["history"]) if h["kind"].startswith("card.")]
    assert kinds == ["card.order", "card.accepted"] + ["card.accepted", "card.made"] * 8


# ---- the counter ----

def test_codes_are_tried_a_few_times_only(platform, broker, reviewers, tpe):
    case, code = arrive(platform, broker, reviewers)
    at = f"/handout/{case}"
    for path in (at, "/cases/1"):
        assert tpe.get(path).status_code in (403, 404)
    assert tpe.post(at, {"code": code}).status_code == 404 and broker.post(at, {"code": code}).status_code == 403
    refused(reviewers[0], at, {"code": ""}, 422, "code", "field.required")
    refused(reviewers[0], at, {"code": "AAAA-AAAA"}, 422, "code", "card.wrong_code")
    assert reviewers[0].post(at, {"code": code, "version": 1}).status_code == 409
    for _ in range(TRIES - 3):
        assert reviewers[0].post(at, {"code": "AAAAAAAA"}).status_code == 422
    refused(reviewers[0], at, {"code": code}, 429, "code", "card.often")
    assert broker.see(f"/cases/{case}")["case"]["state"]["code"] == "issued"
    platform.sql("UPDATE rate SET since = 0 WHERE name = ?", f"collect:{case}")  # a quarter of an hour later
    assert reviewers[0].post(at, {"code": code}).status_code == 200


def test_two_officers_at_one_card(platform, broker, reviewers):
    case, code = arrive(platform, broker, reviewers)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda p: p.post(f"/handout/{case}", {"code": code}), reviewers))
    assert sorted(a.status_code for a in answers) == [200, 409], [a.text for a in answers]
    late = next(a for a in answers if a.status_code == 409).json()
    assert late["errors"][0]["key"] == "card.collected"
    assert len(platform.sql("SELECT 1 FROM case_event WHERE case_id = ? AND kind = 'card.collect'", int(case))) == 1


def test_an_electronic_permit_is_never_handed_out(platform, broker, reviewers):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    page = flow.issued(platform, broker, case)
    assert page["card"] is None and [s["label"] for s in page["steps"]][-1] == "Issued" and not page["todo"]
    hand = reviewers[0].see(f"/handout/{case}")
    assert hand["card"] is None and hand["action"] is None
    refused(reviewers[0], f"/handout/{case}", {"code": "AAAAAAAA"}, 409, None, "case.state")


def test_a_revoked_permit_is_not_handed_out(platform, broker, reviewers, admin):
    case, code = arrive(platform, broker, reviewers)
    admin.do(admin.see(f"/review/{case}")["revoke"]["action"], {"reason": "false papers"})
    refused(reviewers[0], f"/handout/{case}", {"code": code}, 409, None, "permit.not_valid")
    assert verified(platform, broker.see(f"/cases/{case}")["permit"])["is_revoked"]


# ---- without a bureau ----

def test_without_its_plugin_it_is_neither_begun_nor_filed_and_what_was_filed_goes_on(platform, broker, reviewers):
    platform.expect(r"FWP2107 plugin \w+: a role of the worker is away")  # stopped and started while mail goes out
    draft = flow.open_case(broker, flow.register(broker), "card")
    flow.fill_with(broker, draft, flow.card_fields())
    returned, reviewed = (filed(broker, flow.register(broker)) for _ in range(2))
    mine, other = flow.reviewer_of(platform, reviewers, returned)
    flow.decide(mine, returned, "return", {"mark.visa_no": "unreadable"})
    there = card_books.conf(platform).read_text(encoding="utf-8")
    card_books.conf(platform).unlink()
    platform.stop()
    platform.start()
    try:
        worker = flow.register(broker)
        assert "card" not in [s["code"] for s in broker.see(f"/workers/{worker}")["services"]]
        refused(broker, "/cases", {"service": "card", "worker": worker}, 409, None, "case.not_offered")
        refused(broker, f"/cases/{draft}/submit", {}, 409, None, "case.not_offered")
        assert flow.state(broker, draft) == "draft" and broker.see(f"/cases/{draft}/edit")["form"]
        broker.do(f"/cases/{returned}/edit", {"visa_no": "V7654321"})
        flow.submit(broker, returned)
        assert flow.state(broker, returned) == "initial_review"
        flow.approve(platform, reviewed, reviewers)
        assert flow.state(broker, reviewed) == "awaiting_payment"
        assert other.see(f"/review/{reviewed}")["case"]["state"]["code"] == "awaiting_payment"
    finally:
        card_books.conf(platform).write_text(there, encoding="utf-8")
        platform.stop()
        platform.start()
    flow.submit(broker, draft)
    assert flow.state(broker, draft) == "initial_review"


# ---- blanks ----

def test_blanks_are_counted_beside_the_bureaus_count(platform, broker, reviewers, admin):
    platform.expect("FWP2111 30 free blanks are left in store bureau, fewer than 50")

    before = ours(admin)
    case, job = ordered(platform, broker, reviewers)
    assert ours(admin)["Reserved"] == before["Reserved"] + 1
    tell(platform, fact(job, 2, "spoiled", spoiled=2))
    tell(platform, fact(job, 3, "sent", "TWCOUNT", spoiled=2))
    now = ours(admin)
    assert now == {"Reserved": before["Reserved"], "Spoiled": before["Spoiled"] + 2, "Delivered": before["Delivered"] + 1}
    assert case
    shelf = {"store": "bureau", "at": "2026-01-05T03:00:00Z", "blanks": 40, "reserved": 10, "spoiled": now["Spoiled"], "delivered": 7, "low_at": 50}
    tell(platform, {"fact": "stock", "shelf": shelf})
    platform.logged("FWP2111 30 free blanks are left in store bureau, fewer than 50", "error.log")
    stock = admin.see("/admin/system")["stock"]
    assert stock["shelves"][0]["free"] == 30 and stock["shelves"][0]["is_low"]
    rows = {r["label"]: r["difference"] for r in stock["rows"]}
    assert rows == {"Reserved": now["Reserved"] - 10, "Spoiled": 0, "Delivered": now["Delivered"] - 7}
    page = admin.get("/admin/system", headers={"Accept": "text/html"}).text
    assert "Blank cards" in page and "Low (&lt; 50)" in page
    tell(platform, {"fact": "stock", "shelf": {**shelf, "at": "2026-01-05T02:00:00Z", "blanks": 9999}})
    assert admin.see("/admin/system")["stock"]["shelves"][0]["blanks"] == 40, "an older count changes nothing"
    (books(platform) / "stock").write_text(json.dumps([{**shelf, "at": "2026-01-06T02:00:00Z", "blanks": 5000}]), encoding="utf-8")
    await_("the count that was asked for", lambda: admin.see("/admin/system")["stock"]["shelves"][0]["blanks"] == 5000)


# ---- the border ----

def test_the_border_hears_of_a_card_when_it_is_handed_out(platform, broker, reviewers):
    boxes.build(platform)
    worker = flow.register(broker)
    paper = flow.permit(platform, broker, reviewers, worker)
    case, code = arrive(platform, broker, reviewers, worker)
    card = broker.see(f"/cases/{case}")["permit"]["permit_no"]
    assert boxes.brief(boxes.told_of(platform, paper, card)) == [(paper, 1, "valid", None)], "nobody holds the card yet"
    hand = reviewers[0].see(f"/handout/{case}")
    reviewers[0].do(hand["action"], {"code": code, "version": hand["version"]})
    told = boxes.told_of(platform, paper, card)
    assert sorted(boxes.brief(told)) == sorted([(paper, 1, "valid", None), (paper, 2, "superseded", card), (card, 2, "valid", None)])
    collected = boxes.moment(platform.sql(f"SELECT collected FROM card_job WHERE case_id = {int(case)}")[0][0])
    assert {(t["permit_no"], t["kind"], t["since"]) for t in told[1:]} == {(paper, "epermit", collected), (card, "card", collected)}
