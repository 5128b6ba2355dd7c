"""The labour agency is asked about a letter's number that a person gives: one question for each, its answer in the form, told in words
where there is none, waited for by nobody while the agency is away."""
import datetime

import pytest

import boxes
import card_books
import flow
from platform_under_test import await_

DIRECTIVES = "FwPermitLetterRate 6\n"  # an hour, of one person
EMPTY = {"category": "", "employer_ban": "", "contract_from": "", "contract_to": "", "work_address": ""}


@pytest.fixture(scope="module", autouse=True)
def fixture_boxes(platform):
    card_books.build(platform)
    boxes.build(platform)


@pytest.fixture(autouse=True)
def nobody_asked_before(platform):
    """The limit counts an hour: what another test asked lies behind it."""
    platform.sql("UPDATE question SET asked = asked - 3600000000")


@pytest.fixture(name="passport")
def fixture_passport():
    return flow.passport()


@pytest.fixture(name="worker")
def fixture_worker(broker, passport):
    return flow.register(broker, passport)


@pytest.fixture(name="down")
def agency_that_is_away(platform):
    """Until the test ends, or says otherwise."""
    platform.expect("FWP2107")
    file = boxes.box(platform, "labour") / "down"
    file.touch()
    yield file
    file.unlink(missing_ok=True)


def day(days):
    return str(flow.TODAY + datetime.timedelta(days=days))


def letter(passport, **changes):
    return boxes.letter(passport, day(-1), day(900), **changes)


def number(fact):
    return fact["permit"]["letter_no"]


def stay(person, worker):
    return person.see(f"/workers/{worker}")["stay"]


def questions(person, worker):
    return {q["letter_no"]: q["state"]["code"] for q in stay(person, worker)["asked"]["questions"]}


def ask(person, worker, letter_no, status=202):
    return person.do(f"/workers/{worker}/letter", {"letter_no": letter_no}, status=status)


def ended(person, worker, letter_no, state):
    await_(f"the answer: {state}", lambda: questions(person, worker).get(letter_no) == state)


def asked_about(platform, letter_no):
    return [request for _, request in boxes.asked(platform) if request["letter_no"] == letter_no]


def fields(person, case):
    return {f["name"]: f for s in person.see(f"/cases/{case}/edit")["form"]["sections"] for f in s["fields"]}


def letter_of(person, case):
    return person.see(f"/cases/{case}/letter")["letter"]


def save(person, case, **changes):
    return person.do(f"/cases/{case}/edit", changes)


def card(person, worker, **changes):
    """A card's draft without a letter."""
    case = flow.open_case(person, worker, "card")
    save(person, case, **changes)
    return case


# ---- on the worker's page ----

def test_a_number_on_the_worker_s_page_becomes_a_record(platform, broker, worker, passport):
    fact = letter(passport)
    boxes.knows(platform, fact)
    answer = ask(broker, worker, number(fact))
    assert answer["verdict"] == "accepted"
    await_("the letter", lambda: [x["letter_no"] for x in stay(broker, worker)["letters"]] == [number(fact)])
    assert stay(broker, worker)["asked"]["questions"] == [] and stay(broker, worker)["is_here"]
    (request,) = asked_about(platform, number(fact))
    assert request["why"] == {"user": "broker"}
    assert platform.sql(f"SELECT command, actor FROM audit WHERE command LIKE 'letter.%' AND aggregate = 'worker:{worker}' ORDER BY id") == [
        ("letter.ask", "broker"), ("letter.take", "system"), ("letter.answer", "system")]
    form = fields(broker, flow.open_case(broker, worker, "card"))  # as with one that was pushed
    assert form["permit_letter"]["value"] == number(fact) and form["contract_to"]["value"] == day(900)


def test_what_is_known_is_not_asked(platform, broker, worker, passport):
    fact = letter(passport)
    boxes.put(platform, "labour", [fact])
    boxes.taken(platform, "labour")
    assert ask(broker, worker, number(fact), status=200)["verdict"] == "done"
    assert asked_about(platform, number(fact)) == []


@pytest.mark.parametrize("typed, why", [("", "field.required"), ("勞動發事字第12號", "field.permit_letter"), ("no letter", "field.permit_letter")])
def test_what_is_no_number_is_told_at_its_field(platform, broker, worker, typed, why):
    answer = broker.post(f"/workers/{worker}/letter", {"letter_no": typed})
    assert answer.status_code == 422
    assert [(e["field"], e["key"]) for e in answer.json()["errors"]] == [("letter_no", why)]
    assert platform.sql(f"SELECT count(*) FROM question WHERE worker_id = {worker}") == [(0,)]


def test_one_question_for_each_number(platform, broker, worker, passport, down):
    fact = letter(passport)
    boxes.knows(platform, fact)
    first = ask(broker, worker, number(fact))
    spaced = number(fact).replace("第", " 第 ")  # as it is kept: the same number
    assert ask(broker, worker, spaced)["answer"] == first["answer"]
    case = card(broker, worker, permit_letter=number(fact))
    assert letter_of(broker, case)["state"]["code"] == "asked"
    down.unlink()
    await_("the letter", lambda: stay(broker, worker)["letters"])
    assert len(asked_about(platform, number(fact))) == 1
    assert [key for key, r in boxes.asked(platform) if r["letter_no"] == number(fact)] == [f"labour.find:{first['answer']}"]


def test_what_the_agency_does_not_know_is_told_and_may_be_asked_again(platform, broker, worker, passport):
    fact = letter(passport)
    boxes.knows(platform)
    ask(broker, worker, number(fact))
    ended(broker, worker, number(fact), "none")
    (told,) = stay(broker, worker)["asked"]["questions"]
    assert "does not know this number" in told["text"] and not told["waits"]
    boxes.knows(platform, fact)
    ask(broker, worker, number(fact))
    await_("the letter", lambda: stay(broker, worker)["letters"])
    assert len(asked_about(platform, number(fact))) == 2


def test_another_s_letter_is_told_without_telling_whose(platform, broker, worker, passport):
    boxes.knows(platform, *(others := [letter(flow.passport()), letter(passport, ban="22099131")]))
    for fact in others:
        ask(broker, worker, number(fact))
    for fact in others:
        ended(broker, worker, number(fact), "other")
    shown = str(stay(broker, worker))
    assert "another worker or another employer" in shown and "22099131" not in shown and stay(broker, worker)["letters"] == []


@pytest.mark.parametrize("ban, state", [("04595257", "employer"), ("22099131", "other")])
def test_a_recruitment_permit_is_the_employer_s(platform, broker, worker, ban, state):
    fact = {"permit": {
        "kind": "recruitment", "letter_no": number(letter("C1")), "state": "valid", "issued": day(-90), "valid_from": day(-90), "valid_to": day(90),
        "employer": {"id": ban, "name": "宏遠精密股份有限公司"}, "category": "manufacturing", "quota": 12, "used": 4}}
    boxes.knows(platform, fact)
    ask(broker, worker, number(fact))
    ended(broker, worker, number(fact), state)


def test_the_limit_of_one_person_within_an_hour(platform, broker, employer, worker):
    boxes.knows(platform)
    numbers = [number(letter("C1")) for _ in range(7)]
    for n in numbers[:6]:
        ask(broker, worker, n)
    answer = broker.post(f"/workers/{worker}/letter", {"letter_no": numbers[6]})
    assert answer.status_code == 409 and answer.json()["errors"][0]["key"] == "letter.too_often"
    assert "6 times" in answer.json()["errors"][0]["reason"]
    case = card(broker, worker, permit_letter=numbers[6])  # is saved all the same
    assert letter_of(broker, case)["state"]["code"] == "unasked" and letter_of(broker, case)["can_ask"]
    assert broker.post(f"/cases/{case}/letter").status_code == 409
    ask(employer, flow.register(employer), numbers[6])  # another person
    platform.sql("UPDATE question SET asked = asked - 3600000000")
    ended(broker, worker, numbers[0], "none")
    ask(broker, worker, numbers[0])


def test_who_may_ask(platform, broker, worker, passport):
    fact = letter(passport)
    case = flow.draft(broker)
    for who in ("employer", "reviewer1", "dispatcher", "cashier", "admin", "auditor"):
        assert platform.of(who).post(f"/workers/{worker}/letter", {"letter_no": number(fact)}).status_code in (403, 404), who
        assert platform.of(who).post(f"/cases/{case}/letter").status_code in (403, 404), who
        assert platform.of(who).get(f"/cases/{case}/letter").status_code in (403, 404), who
    for who in ("broker", "employer", "dispatcher", "cashier", "admin", "auditor"):  # the review is not shown where it is refused
        answer = as_browser(platform.of(who), f"/review/{case}/letter", {})
        assert answer.status_code in (403, 404) and passport not in answer.text, who


# ---- in the form ----

def test_a_number_in_the_form_is_asked_and_fills_what_is_empty(platform, broker, worker, passport):
    fact = letter(passport)
    boxes.knows(platform, fact)
    case = card(broker, worker, **{**EMPTY, "work_address": "臺中市西屯區工業區一路1號"})
    told = save(broker, case, permit_letter=number(fact))["letter"]
    assert told["state"]["code"] == "asked" and told["waits"] and "can go on" in told["text"] and told["field"] == "permit_letter"
    await_("the answer", lambda: letter_of(broker, case)["state"]["code"] == "found")
    assert letter_of(broker, case)["fills"] == 4
    assert fields(broker, case)["contract_to"]["value"] == ""  # nothing by itself: somebody may be typing
    filled = save(broker, case, _fill="1")["filled"]
    assert filled == {"category": "manufacturing", "employer_ban": "04595257", "contract_from": day(-1), "contract_to": day(900)}
    form = fields(broker, case)
    assert form["contract_to"]["value"] == day(900) and form["work_address"]["value"] == "臺中市西屯區工業區一路1號"
    assert letter_of(broker, case)["fills"] is None
    save(broker, case, contract_to="")
    assert save(broker, case, _fill="1", contract_to=day(800))["filled"] == {}
    assert fields(broker, case)["contract_to"]["value"] == day(800)


def test_the_letter_that_is_named_fills_the_form_and_not_a_newer_one(platform, broker, worker, passport):
    old, new = boxes.letter(passport, day(-400), day(300)), letter(passport)
    boxes.put(platform, "labour", [old, new])
    boxes.taken(platform, "labour")
    case = card(broker, worker, **EMPTY, permit_letter=number(old))
    assert save(broker, case, _fill="1")["filled"]["contract_to"] == day(300)


def test_the_agency_s_own_words_that_the_form_does_not_know_are_not_filled_in(platform, broker, worker, passport):
    fact = letter(passport, category="intermediate")
    boxes.put(platform, "labour", [fact])
    boxes.taken(platform, "labour")
    assert not fields(broker, flow.open_case(broker, worker, "card"))["category"]["value"]
    case = card(broker, worker, **EMPTY, permit_letter=number(fact))
    assert "category" not in save(broker, case, _fill="1")["filled"]


def test_what_is_no_number_yet_is_not_asked(platform, broker, worker):
    case = card(broker, worker, permit_letter="勞動發事字第115")
    assert platform.sql(f"SELECT count(*) FROM question WHERE worker_id = {worker}") == [(0,)]
    assert letter_of(broker, case)["state"]["code"] == "unasked"
    save(broker, case, permit_letter="")
    assert letter_of(broker, case) is None


def test_while_the_agency_is_away_the_page_says_so_and_the_case_goes_on(platform, broker, worker, passport, down):
    fact = letter(passport)
    boxes.knows(platform, fact)
    case = flow.fill(broker, flow.open_case(broker, worker), permit_letter=number(fact))
    told = await_("the link is down", lambda: (letter_of(broker, case)["link"] or {}).get("text") and letter_of(broker, case))
    assert told["waits"] and "need not wait" in told["text"] and "abour" in told["link"]["text"]
    assert number(fact) in broker.get(f"/cases/{case}/edit", headers={"Accept": "text/html"}).text
    flow.submit(broker, case)
    assert asked_about(platform, number(fact)) == []
    down.unlink()
    await_("the letter", lambda: stay(broker, worker)["letters"], 60)
    assert len(asked_about(platform, number(fact))) == 1


def test_without_script(platform, broker, worker, passport):
    fact = letter(passport)
    boxes.knows(platform)
    case = card(broker, worker, **EMPTY, permit_letter=number(fact))
    await_("the answer", lambda: letter_of(broker, case)["state"]["code"] == "none")
    page = broker.get(f"/cases/{case}/edit", headers={"Accept": "text/html"}).text
    assert "does not know this number" in page and 'name="_ask"' in page and 'name="_fill"' not in page
    boxes.knows(platform, fact)
    answer = as_browser(broker, f"/cases/{case}/edit", {"_ask": "1"})
    assert answer.status_code == 303 and answer.headers["Location"].endswith("done=letter_asked")
    await_("the answer", lambda: letter_of(broker, case)["state"]["code"] == "found")
    page = broker.get(f"/cases/{case}/edit", headers={"Accept": "text/html"}).text
    assert 'name="_fill"' in page and 'name="_ask"' not in page
    assert as_browser(broker, f"/cases/{case}/edit", {"_fill": "1"}).status_code == 303
    assert fields(broker, case)["contract_to"]["value"] == day(900)
    answer = as_browser(broker, f"/workers/{worker}/letter", {"letter_no": "12"})
    assert answer.status_code == 422 and 'id="f-letter_no-error"' in answer.text and 'value="12"' in answer.text


def as_browser(person, path, values):
    token = person.see("/session")["csrf"]
    return person.post(path, None, data={**values, "_csrf": token}, headers={"Accept": "text/html"})


# ---- at the office ----

def test_an_officer_asks_from_the_review_and_a_correction_asks_by_itself(platform, broker, reviewers, worker, passport):
    fact, other = letter(passport), letter(passport)
    boxes.knows(platform)
    case = flow.fill(broker, flow.open_case(broker, worker), permit_letter=number(fact))
    await_("the answer", lambda: letter_of(broker, case)["state"]["code"] == "none")
    no = flow.submit(broker, case)
    mine, _ = flow.reviewer_of(platform, reviewers, case)
    told = mine.see(f"/review/{case}")["letter"]
    assert told["state"]["code"] == "none" and told["can_ask"]
    boxes.knows(platform, fact, other)
    assert mine.do(f"{told['href']}", status=202)["verdict"] == "accepted"
    await_("the answer", lambda: mine.see(f"/review/{case}")["letter"]["state"]["code"] == "found")
    assert asked_about(platform, number(fact))[-1]["why"] == {"user": mine.login, "case_no": no}
    flow.decide(mine, case, "correct", {"permit_letter": number(other)})
    await_("the other answer", lambda: mine.see(f"/review/{case}")["letter"]["state"]["code"] == "found")
    assert {x["letter_no"] for x in stay(broker, worker)["letters"]} == {number(fact), number(other)}


# ---- when it cannot be ----

def test_an_answer_that_cannot_be_is_given_up_and_told(platform, broker, worker, passport):
    platform.expect("FWP2106")
    fact = boxes.letter(passport, "1980-01-01", day(900))  # before its worker was born
    boxes.knows(platform, fact)
    ask(broker, worker, number(fact))
    ended(broker, worker, number(fact), "failed")
    assert "could not be asked" in stay(broker, worker)["asked"]["questions"][0]["text"]
    assert platform.sql("SELECT reason FROM outbox WHERE op = 'labour.find' AND state = 'dead'") == [("record.before_birth",)]
