"""The border tells of arrivals, the labour agency of permits: the legal clock, the card's form filled in, each datum beside what they
say, and the identity check."""
import csv
import datetime

import pytest

import boxes
import card_books
import flow
from platform_under_test import ROOT, await_


@pytest.fixture(scope="module", autouse=True)
def fixture_boxes(platform):
    card_books.build(platform)
    boxes.build(platform)


def day(days=0):
    return flow.TODAY + datetime.timedelta(days=days)


def last_day(entered):
    """The 30th day after; where the office is closed then, the next on which it is open."""
    off = set()
    for path in (ROOT / "conf/calendar").glob("*.csv"):
        for row in list(csv.reader(path.read_text(encoding="utf-8", errors="replace").splitlines()))[1:]:
            if row[2] == "2":
                off.add(row[0])
    found = entered + datetime.timedelta(days=30)
    while found.strftime("%Y%m%d") in off:
        found += datetime.timedelta(days=1)
    return found


def stay(person, worker):
    return person.see(f"/workers/{worker}")["stay"]


def arrive(platform, passport, when, **more):
    boxes.put(platform, "border", [boxes.movement(passport, when, **more)])
    boxes.taken(platform, "border")


def refusals(platform, plugin):
    return [reason for (reason,) in platform.sql(f"SELECT reason FROM inbox WHERE plugin = '{plugin}' AND state = 'refused' ORDER BY id")]


@pytest.fixture(name="passport")
def fixture_passport():
    return flow.passport()


@pytest.fixture(name="worker")
def fixture_worker(broker, passport):
    return flow.register(broker, passport)


# ---- the legal clock ----

def test_an_arrival_starts_the_clock(platform, broker, worker, passport):
    told = stay(broker, worker)
    assert told.pop("asked")["questions"] == []
    assert told == {"entered": None, "clock": None, "movements": [], "letters": [], "is_here": False,
                    "silent": [{"port": "border", "link": None}, {"port": "labour", "link": None}]}
    arrive(platform, passport, day(-2))
    told = stay(broker, worker)
    until = last_day(day(-2))
    assert told["entered"] == str(day(-2)) and told["clock"]["until"] == str(until) and told["clock"]["tone"] == "due"
    assert str((until - day()).days) in told["clock"]["text"]
    assert [(m["direction"], m["day"], m["port"]) for m in told["movements"]] == [("arrival", str(day(-2)), "TPE")]


def test_the_same_twice_and_late_words(platform, broker, worker, passport):
    first = boxes.movement(passport, day(-3), name=f"m/{passport}/1")
    boxes.put(platform, "border", [first])
    boxes.put(platform, "border", [first])
    boxes.taken(platform, "border")
    assert len(stay(broker, worker)["movements"]) == 1
    assert platform.sql(f"SELECT version FROM record WHERE name = 'm/{passport}/1'") == [(1,)]
    arrive(platform, passport, day(-3), name=f"m/{passport}/1", state="cancelled")
    assert stay(broker, worker)["entered"] is None and stay(broker, worker)["clock"] is None
    arrive(platform, passport, day(-3), name=f"m/{passport}/1", name_latin="NGUYEN VAN A")  # came late: it stays cancelled
    assert stay(broker, worker)["entered"] is None


def test_the_later_of_two_arrivals_counts_and_a_departure_ends_it(platform, broker, worker, passport):
    arrive(platform, passport, day(-10))
    arrive(platform, passport, day(-40))
    assert stay(broker, worker)["entered"] == str(day(-10))
    arrive(platform, passport, day(-9), direction="departure")
    assert stay(broker, worker)["entered"] is None and stay(broker, worker)["clock"] is None
    arrive(platform, passport, day(-1))
    assert stay(broker, worker)["clock"]["until"] == str(last_day(day(-1)))


def test_where_the_later_arrival_is_taken_back_the_earlier_one_counts(platform, broker, worker, passport):
    second = f"m/{passport}/2"
    arrive(platform, passport, day(-10))
    arrive(platform, passport, day(-1), name=second)
    assert stay(broker, worker)["entered"] == str(day(-1))
    flow.submit(broker, flow.fill(broker, flow.open_case(broker, worker)))
    arrive(platform, passport, day(-1), name=second, state="cancelled")
    told = stay(broker, worker)
    assert told["entered"] == str(day(-10)) and told["clock"]["until"] == str(last_day(day(-10)))
    assert told["clock"]["tone"] == "done"


def test_what_was_filed_before_the_border_told_counts(platform, broker, worker, passport):
    flow.submit(broker, flow.fill(broker, flow.open_case(broker, worker)))
    arrive(platform, passport, day(-2))
    assert stay(broker, worker)["clock"]["tone"] == "done"


def test_a_country_as_passport_lines_write_it_is_the_same_country(platform, broker):
    passport = flow.passport()
    worker = flow.register(broker, passport, nationality="DEU", mrz="")
    boxes.put(platform, "border", [boxes.movement(passport, day(-3), nationality="D")])
    boxes.taken(platform, "border")
    assert stay(broker, worker)["entered"] == str(day(-3))


def test_an_arrival_before_the_registration_is_kept_and_matched_later(platform, broker, passport):
    arrive(platform, passport, day(-4))
    dispatcher = platform.of("dispatcher")
    assert passport in [a["passport_no"] for a in dispatcher.see("/arrivals")["arrivals"]]
    worker = flow.register(broker, passport)
    assert stay(broker, worker)["entered"] == str(day(-4))
    assert passport not in [a["passport_no"] for a in dispatcher.see("/arrivals")["arrivals"]]


def test_under_the_old_passport_an_officer_says_who_it_is(platform, broker, worker):
    old = flow.passport()
    arrive(platform, old, day(-5))
    dispatcher = platform.of("dispatcher")
    arrival = next(a for a in dispatcher.see("/arrivals")["arrivals"] if a["passport_no"] == old)
    assert worker in [n["id"] for n in arrival["near"]]
    assert stay(broker, worker)["entered"] is None
    for who in ("reviewer1", "broker", "admin"):
        assert platform.of(who).post(arrival["action"], {"worker": worker}).status_code in (403, 404), who
    assert dispatcher.post(arrival["action"], {"worker": "12345"}).status_code == 409
    dispatcher.do(arrival["action"], {"worker": worker})
    assert stay(broker, worker)["entered"] == str(day(-5))
    assert dispatcher.post(arrival["action"], {"worker": worker}).status_code == 409
    assert dispatcher.post("/arrivals/12345/link", {"worker": worker}).status_code == 404


def test_another_birth_is_somebody_else(platform, broker, worker, passport):
    arrive(platform, passport, day(-5), birth="1991-01-01")
    assert stay(broker, worker)["entered"] is None


def test_of_a_mistyped_birth_an_officer_says_who_it_is(platform, broker, worker, passport):
    arrive(platform, passport, day(-5), birth="1990-05-13")
    dispatcher = platform.of("dispatcher")
    arrival = next(a for a in dispatcher.see("/arrivals")["arrivals"] if a["passport_no"] == passport)
    assert [(n["passport_no"], n["birth"]) for n in arrival["near"] if n["id"] == worker] == [(passport, "1990-03-15")]
    dispatcher.do(arrival["action"], {"worker": worker})
    assert stay(broker, worker)["entered"] == str(day(-5))


@pytest.mark.parametrize("changes, why", [({"birth": "2040-01-01"}, "record.before_birth"), ({"when": 30}, "record.future")])
def test_what_cannot_be_is_refused(platform, broker, worker, passport, changes, why):
    when = day(changes.pop("when", -1))
    arrive(platform, passport, when, **changes)
    assert refusals(platform, "border")[-1] == why
    assert stay(broker, worker)["movements"] == []


def test_a_lie_is_refused(platform):
    platform.expect("FWP2104")
    boxes.put(platform, "border", "no facts")
    boxes.taken(platform, "border")
    assert refusals(platform, "border")[-1] == "a lie"


def test_while_the_border_is_down_all_waits_and_then_arrives_once(platform, broker, worker, passport):
    platform.expect("FWP2107")
    down = boxes.box(platform, "border") / "down"
    down.touch()
    boxes.put(platform, "border", [boxes.movement(passport, day(-2))])
    admin = platform.of("admin")
    await_("the link is down", lambda: any(p["name"] == "plugin-border" and p["state"]["code"] != "ok" for p in admin.see("/admin/system")["parts"]))
    assert stay(broker, worker)["entered"] is None
    down.unlink()
    await_("the arrival", lambda: stay(broker, worker)["entered"] == str(day(-2)), 60)
    assert len(stay(broker, worker)["movements"]) == 1


def test_one_mail_before_it_is_late(platform, broker, worker, passport):
    arrive(platform, passport, day(-2))
    soon = int((datetime.datetime.now().timestamp() + 5 * 86400) * 1000000)
    platform.sql(f"UPDATE worker SET file_by = {soon} WHERE id = {int(worker)}")

    def mails():
        return [m for m in platform.mails() if passport_of(m, worker)]

    def passport_of(mail, who):
        return f"/workers/{who}" in mail["text"]
    await_("the mail", mails, 30)
    assert "NGUYEN VAN ANH" in mails()[0]["subject"]
    assert stay(broker, worker)["clock"]["tone"] == "soon"
    reminded = platform.sql(f"SELECT reminded FROM worker WHERE id = {int(worker)}")
    await_("another round of the clock", lambda: platform.sql("SELECT 1 FROM lease WHERE name = 'clock'"))
    assert platform.sql(f"SELECT reminded FROM worker WHERE id = {int(worker)}") == reminded and len(mails()) == 1


def test_who_files_has_done_it_and_a_withdrawal_undoes_it(platform, broker, worker, passport):
    arrive(platform, passport, day(-2))
    case = flow.fill(broker, flow.open_case(broker, worker))
    flow.submit(broker, case)
    assert stay(broker, worker)["clock"]["tone"] == "done"
    other = flow.open_case(broker, worker)
    broker.do(f"/cases/{other}/withdraw")  # a draft that fulfilled nothing
    assert stay(broker, worker)["clock"]["tone"] == "done"


# ---- the border is told of permits ----

def set_days(platform, number, begin, end):
    platform.sql(f"UPDATE permit SET valid_from = '{begin}', valid_to = '{end}' WHERE permit_no = '{number}'")


def test_the_border_is_told_of_permits_issued_and_superseded(platform, broker, reviewers, worker, passport):
    first = flow.permit(platform, broker, reviewers, worker)
    (one,) = boxes.told_of(platform, first)
    name = platform.sql(f"SELECT valid_from, valid_to FROM permit WHERE permit_no = '{first}'")[0]
    assert (one["state"], one["version"], one["kind"], one["valid_from"], one["valid_to"]) == ("valid", 1, "epermit", *name)
    assert one["person"]["passport_no"] == passport and one["person"]["nationality"] == "VNM" and one["since"].endswith("Z")
    second = flow.permit(platform, broker, reviewers, worker)
    assert sorted(boxes.brief(boxes.told_of(platform, first, second))) == sorted([
        (first, 1, "valid", None), (first, 2, "superseded", second), (second, 1, "valid", None)])
    assert all(passport not in payload for (payload,) in platform.sql("SELECT payload FROM outbox WHERE op = 'border.permit'"))


def test_the_border_is_told_of_a_permit_that_is_revoked(platform, broker, reviewers, admin, worker):
    number = flow.permit(platform, broker, reviewers, worker)
    platform.sql(f"UPDATE permit SET issued = issued - 3600000000 WHERE permit_no = '{number}'")
    admin.do(f"/admin/permits/{number}/revoke", {"reason": "false papers"})
    told = boxes.told_of(platform, number)
    assert boxes.brief(told) == [(number, 1, "valid", None), (number, 2, "revoked", None)]
    ended = platform.sql(f"SELECT ended FROM permit WHERE permit_no = '{number}'")[0][0]
    assert told[1]["since"] == boxes.moment(ended)


def test_the_border_is_told_of_a_permit_whose_time_is_over(platform, broker, reviewers, worker):
    number = flow.permit(platform, broker, reviewers, worker)
    set_days(platform, number, day(-90), day(-1))
    await_("it is told", lambda: len(boxes.told_of(platform, number)) == 2, 60)
    over = boxes.told_of(platform, number)[1]
    assert (over["version"], over["state"]) == (2, "expired")
    assert over["since"] == f"{day(-1)}T16:00:00Z", "midnight in Taipei after its last day"


def test_a_permit_that_the_border_has_not_heard_of(platform, broker, reviewers, worker):
    """It was issued while there was no border, or before."""
    number = flow.permit(platform, broker, reviewers, worker)
    assert len(boxes.told_of(platform, number)) == 1
    platform.sql(f"UPDATE permit SET told = NULL WHERE permit_no = '{number}'")
    await_("it is told", lambda: len(boxes.told_of(platform, number)) == 2, 60)
    assert boxes.brief(boxes.told_of(platform, number))[1] == (number, 2, "valid", None)


def test_while_the_border_is_down_permits_wait_and_are_told_once(platform, broker, reviewers, worker):
    platform.expect("FWP2107")
    down = boxes.box(platform, "border") / "down"
    down.touch()
    first = flow.permit(platform, broker, reviewers, worker)
    second = flow.permit(platform, broker, reviewers, worker)
    assert [t for t in boxes.told(platform) if t["permit_no"] in (first, second)] == []
    down.unlink()
    await_("all is told", lambda: len([t for t in boxes.told(platform) if t["permit_no"] in (first, second)]) == 3, 60)
    told = boxes.brief(boxes.told_of(platform, first, second))
    assert len(told) == 3 and [t for t in told if t[0] == first] == [(first, 1, "valid", None), (first, 2, "superseded", second)]


# ---- what is filled in, and what stands beside it ----

def test_a_letter_and_the_arrival_fill_the_card_s_form(platform, broker, worker, passport):
    assert broker.see(f"/workers/{worker}")["services"][0]["code"] == "epermit"
    begin, end = str(day(-1)), str(day(900))
    boxes.put(platform, "labour", [boxes.letter(passport, begin, end, number="勞動發事字第1159000001號")])
    boxes.taken(platform, "labour")
    arrive(platform, passport, day(-2))
    page = broker.see(f"/workers/{worker}")
    assert [s["code"] for s in page["services"] if s["fits"]] == ["card"] and page["services"][0]["code"] == "card"
    assert [(x["letter_no"], x["to"]) for x in page["stay"]["letters"]] == [("勞動發事字第1159000001號", end)]
    case = flow.open_case(broker, worker, "card")
    fields = {f["name"]: f["value"] for s in broker.see(f"/cases/{case}/edit")["form"]["sections"] for f in s["fields"]}
    assert fields["permit_letter"] == "勞動發事字第1159000001號" and fields["contract_to"] == end and fields["contract_from"] == begin
    assert fields["entry_date"] == str(day(-2)) and fields["work_address"] == "桃園市龜山區文化一路1號"
    assert fields["category"] == "manufacturing" and fields["passport_no"] == passport


def test_a_letter_of_another_employer_is_not_this_worker_s(platform, broker, worker, passport):
    boxes.put(platform, "labour", [boxes.letter(passport, str(day(-1)), str(day(900)), ban="22099131")])
    boxes.taken(platform, "labour")
    assert stay(broker, worker)["letters"] == []


def rows_of(page):
    return {r["name"]: r for s in page["sections"] for r in s["rows"]}


def test_the_reviewer_sees_each_datum_beside_what_others_say(platform, broker, reviewers, worker, passport):
    case = flow.fill(broker, flow.open_case(broker, worker))
    flow.submit(broker, case)
    mine, _ = flow.reviewer_of(platform, reviewers, case)
    page = mine.see(f"/review/{case}")
    assert len(page["silent"]) == 1 and rows_of(page)["entry_date"]["said"] == []
    arrive(platform, passport, day(-9), name_latin="NGUYEN VAN-ANH", sex="F")
    page = mine.see(f"/review/{case}")
    rows = rows_of(page)
    assert page["silent"] == []
    assert [(s["source"], s["differs"]) for s in rows["name_latin"]["said"]] == [("border", False)]
    assert [(s["value"] != "", s["differs"]) for s in rows["sex"]["said"]] == [(True, True)] and rows["sex"]["differs"]
    assert rows["entry_date"]["said"][0]["value"] == str(day(-9)) and rows["entry_date"]["differs"]
    assert rows["passport_no"]["said"][0]["agrees"] and not rows["passport_no"]["differs"]


def test_the_identity_check_stands_on_the_assignment_list(platform, broker, worker, passport):
    dispatcher, renewed = platform.of("dispatcher"), flow.passport()

    def checks(case):
        lines = dispatcher.see("/dispatch?state=initial_review")["cases"]
        return {i["check"] for line in lines if line["id"] == case for i in line["identity"]}
    case = flow.fill(broker, flow.open_case(broker, worker))
    flow.submit(broker, case)
    again = flow.fill(broker, flow.open_case(broker, worker))
    flow.submit(broker, again)
    assert {"open"} <= checks(case) and {"open"} <= checks(again)
    other = flow.register(broker, renewed)
    third = flow.fill(broker, flow.open_case(broker, other))
    flow.submit(broker, third)
    assert {"passport", "file"} <= checks(third)
    assert passport in str([line["identity"] for line in dispatcher.see("/dispatch?state=initial_review")["cases"] if line["id"] == third])


# ---- warnings in the identity check ----

def checks_of(platform, case, reviewers=None):
    """{check: line} of the assignment list; of the review screen it is the same."""
    line = next(x for x in platform.of("dispatcher").see("/dispatch?state=initial_review")["cases"] if x["id"] == case)
    if reviewers:
        mine, _ = flow.reviewer_of(platform, reviewers, case)
        seen = mine.see(f"/review/{case}")["identity"]
        # every case of these tests has the same files: of those the list tells so many in all
        assert [i for i in seen if i["check"] != "file"] == [i for i in line["identity"] if i["check"] != "file"]
    assert [i["is_warning"] for i in line["identity"]] == sorted((i["is_warning"] for i in line["identity"]), reverse=True)
    assert all(i["word"] == ("Warning:" if i["is_warning"] else "Compare:") for i in line["identity"])
    return {i["check"]: i for i in line["identity"]}


def filed_for(broker, worker, **changes):
    case = flow.fill(broker, flow.open_case(broker, worker), **changes)
    flow.submit(broker, case)
    return case


WARNINGS = {"departed", "twice", "never_came", "other_passport", "letter", "letter_other", "letter_over", "late", "revoked"}


def test_who_came_once_and_stays_is_warned_of_by_nothing(platform, broker, reviewers, worker, passport):
    arrive(platform, passport, day(-3))
    assert not WARNINGS & set(checks_of(platform, filed_for(broker, worker), reviewers))


def test_what_the_border_warns_of(platform, broker, reviewers, worker, passport):
    case = filed_for(broker, worker)
    arrive(platform, passport, day(-40))
    arrive(platform, passport, day(-10))
    found = checks_of(platform, case, reviewers)
    assert WARNINGS & set(found) == {"twice"}
    assert str(day(-10)) in found["twice"]["text"] and str(day(-40)) in found["twice"]["text"]
    arrive(platform, passport, day(-5), direction="departure")
    found = checks_of(platform, case, reviewers)
    assert WARNINGS & set(found) == {"twice", "departed"} and str(day(-5)) in found["departed"]["text"]
    arrive(platform, passport, day(-2), name=f"n/{passport}")
    assert "departed" not in checks_of(platform, case)
    arrive(platform, passport, day(-2), name=f"n/{passport}", state="cancelled")
    found = checks_of(platform, case, reviewers)
    assert {"departed", "never_came"} <= set(found) and str(day(-2)) in found["never_came"]["text"]
    page = platform.of("dispatcher").get("/dispatch?state=initial_review", headers={"Accept": "text/html"}).text
    line = page[page.index("the border cancelled") - 300:page.index("the border cancelled")]
    assert 'aria-hidden="true">!</span>' in line and "<strong>Warning:</strong>" in line


def test_an_arrival_under_the_old_passport_is_to_be_compared_and_then_warned_of(platform, broker, reviewers, worker):
    old = flow.passport()
    case = filed_for(broker, worker)
    arrive(platform, old, day(-5))
    arrive(platform, flow.passport(), day(-5), name_latin="TRAN THI HOA")  # born on that day, and somebody else
    found = checks_of(platform, case, reviewers)
    assert old in found["arrival"]["text"] and not found["arrival"]["is_warning"] and not WARNINGS & set(found)
    dispatcher = platform.of("dispatcher")
    dispatcher.do(next(a["action"] for a in dispatcher.see("/arrivals")["arrivals"] if a["passport_no"] == old), {"worker": worker})
    found = checks_of(platform, case, reviewers)
    assert WARNINGS & set(found) == {"other_passport"} and old in found["other_passport"]["text"]


def test_what_the_labour_agency_warns_of(platform, broker, reviewers, worker, passport):
    ended, over, other = (boxes.letter(p, str(day(-800)), str(day(-9)), **more) for p, more in (
        (passport, {"state": "ended", "ended": str(day(-20))}), (passport, {}), (flow.passport(), {})))
    boxes.put(platform, "labour", [ended, over, other])
    boxes.taken(platform, "labour")
    number = {k: f["permit"]["letter_no"] for k, f in (("ended", ended), ("over", over), ("other", other))}
    case = filed_for(broker, worker, permit_letter=number["over"])
    found = checks_of(platform, case, reviewers)
    assert number["ended"] in found["letter"]["text"] and str(day(-9)) in found["letter_over"]["text"] and "letter_other" not in found
    again = filed_for(broker, worker, permit_letter=number["other"])
    assert number["other"] in checks_of(platform, again, reviewers)["letter_other"]["text"]


def test_late_and_revoked_before(platform, broker, reviewers, admin, worker, passport):
    first = filed_for(broker, worker)
    flow.approve(platform, first, reviewers)
    flow.pay(platform, broker, first)
    permit = flow.issued(platform, broker, first)["permit"]["permit_no"]
    admin.do(f"/admin/permits/{permit}/revoke", {"reason": "false data"})
    arrive(platform, passport, day(-50))
    second = filed_for(broker, worker)
    found = checks_of(platform, second, reviewers)
    late = (day() - last_day(day(-50))).days
    assert f"{late} days" in found["late"]["text"] and permit in found["revoked"]["text"]
