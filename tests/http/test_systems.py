"""docs/sysadmins/systems.md, row by row: each other system is brought down, and each item of its row is proven while it is, and after
it is back. What stands in quotes is looked for on the page of whom the column names, in both languages."""
import contextlib
import datetime
import re

import flow
import pytest
import requests
from browser import Browser
from platform_under_test import ROOT, await_
from systems import Systems

SYSTEMS = True
DOCUMENT = ROOT / "docs/sysadmins/systems.md"
PEOPLE = ("the applicant", "the officer", "the administrator")
AWAY = {"labour": "labour", "border": "border", "penalty": "fines", "card": "bureau", "payment": "ecpay", "scan": "scanner", "notify": "mail"}


def table():
    """system → column → items."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): {name: cell.split("<br>") for name, cell in zip(head, row)} for row in rows[1:]}


ROWS = table()


# ---- the pages' texts ----

def catalogue(lang):
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "conf/locale" / lang).glob("*.po")))
    return dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.M))


ENGLISH, CHINESE = catalogue("en"), catalogue("zh_Hant")


def gaps(text, gap):
    """A pattern: what stands between braces, or for …, may be anything."""
    return ".+?".join(re.escape(part) for part in re.split(gap, text))


def keys_of(quoted):
    """The messages that it is, or whose beginning it is."""
    plain = quoted.replace("…", "x")
    whole = [k for k, v in ENGLISH.items() if re.fullmatch(gaps(v, r"\{\w+\}"), plain)]
    return whole or [k for k, v in ENGLISH.items() if re.match(gaps(quoted.rstrip(" …"), "…"), re.sub(r"\{port\}", port_in(quoted), v))]


def port_in(quoted):
    return max((v for k, v in ENGLISH.items() if k.startswith("port.") and v in quoted), key=len, default="x")


def is_shown(quoted, page, lang):
    if lang == "en":
        return re.search(gaps(quoted.rstrip(" …"), "…"), page)
    return any(re.search(gaps(CHINESE[k], r"\{\w+\}"), page) for k in keys_of(quoted))


# ---- a platform and its systems ----

@pytest.fixture(scope="module", name="systems", autouse=True)
def systems_beside_it(platform):
    systems = Systems(platform)
    systems.add_scanner()
    platform.expect(r"FWP2107 plugin \w+")
    platform.stop()
    platform.start()
    yield systems
    systems.clamd.stop()


class Stage:
    """A row's system, down or not, and what its items are proven with."""

    def __init__(self, platform, systems, row):
        self.platform, self.systems, self.row = platform, systems, row
        self.broker = platform.of("broker")
        self.reviewers = [platform.of("reviewer1"), platform.of("reviewer2")]
        self.case = self.worker = self.permit = None
        self.paths = {"the administrator": ("admin", "/admin/system")}

    def link(self):
        links = self.platform.of("admin").see("/admin/system")["links"]
        return next(x for x in links if x["plugin"] == AWAY[self.row])

    def switch(self, is_down):
        """As if its machine were off."""
        if self.row == "card":
            self.systems.bureau.switch(down=is_down)
        elif self.row == "scan":
            (self.systems.clamd.stop if is_down else self.systems.clamd.start)()
        elif self.row == "payment":
            self.platform.switch(fail="close" if is_down else "none", drop_callbacks=is_down)
        elif self.row == "notify":
            self.platform.switch(smtp_fail="temp" if is_down else "none")
        else:
            getattr(self.systems, AWAY[self.row]).switch(fail="down" if is_down else "none")

    @contextlib.contextmanager
    def down(self):
        self.switch(True)
        try:
            yield
        finally:
            self.switch(False)

    def page(self, who, lang):
        login, path = self.paths[who]
        return Browser(self.platform.base, login=login, lang=lang).get(path).text

    # what people do

    def register(self):
        self.passport = flow.passport()
        self.worker = flow.register(self.broker, self.passport)

    def person(self):
        return {"name_latin": "NGUYEN VAN ANH", "passport_no": self.passport, "nationality": "VNM", "birth": "1990-03-15", "sex": "M"}

    def assigned(self, case):
        """Once its files are scanned."""
        await_("its being assigned", lambda: flow.state(self.broker, case) == "initial_review")
        return case

    def paper(self):
        """An electronic permit, all the way."""
        case = self.assigned(flow.filed(self.broker))
        flow.approve(self.platform, case, self.reviewers)
        flow.pay(self.platform, self.broker, case)
        self.permit = permit = flow.issued(self.platform, self.broker, case)["permit"]
        assert self.platform.person().see(f"/verify/{permit['permit_no']}/{permit['code']}")["found"]["is_valid"]

    def card(self):
        """A card that is applied for; what border and labour agency have not said is typed."""
        self.register()
        self.case = flow.open_case(self.broker, self.worker, "card")
        flow.fill_with(self.broker, self.case, flow.card_fields())
        flow.submit(self.broker, self.case)
        self.assigned(self.case)
        self.paths |= {"the officer": (self.reviewer().login, f"/review/{self.case}")}

    def reviewer(self):
        return flow.reviewer_of(self.platform, self.reviewers, self.case)[0]


# ---- the proofs: each runs while the system is down, and from its yield on once it is back ----

def whole_way(stage):
    stage.paper()


def typed_card(stage):
    stage.card()
    stage.paths["the applicant"] = ("broker", f"/workers/{stage.worker}")


def decides(stage):
    flow.approve(stage.platform, stage.case, stage.reviewers)
    assert flow.state(stage.broker, stage.case) == "awaiting_payment"


def says_where(stage):
    done = stage.systems.test(AWAY[stage.row])
    assert done.returncode != 0 and re.search(r"^fail", done.stdout + done.stderr, re.M | re.I), done.stdout + done.stderr


def issue(stage, push=True):
    return stage.systems.labour.done("issue", push=push, permit={
        "kind": "employment", "state": "valid", "issued": flow.iso(-1), "valid_from": flow.iso(-1), "valid_to": flow.iso(700),
        "category": "manufacturing", "employer": {"id": "04595257", "name": "宏遠精密股份有限公司"}, "worker": stage.person()})


def letter(stage):
    issue(stage)
    assert stage.broker.see(f"/workers/{stage.worker}")["stay"]["letters"] == []
    yield
    told = await_("the letter", lambda: stage.broker.see(f"/workers/{stage.worker}")["stay"]["letters"])
    assert len(told) == 1
    await_("its being acknowledged", lambda: all(m["acked"] for m in stage.systems.labour.books()["messages"]))


def question(stage):
    """The letter is told to whoever asks, and never pushed."""
    stage.passport = flow.passport()
    worker = flow.register(stage.broker, stage.passport)
    stage.broker.do(f"/workers/{worker}/letter", {"letter_no": issue(stage, push=False)["letter_no"]}, status=202)
    assert stage.broker.see(f"/workers/{worker}")["stay"]["letters"] == []
    yield
    await_("the letter that was asked for", lambda: len(stage.broker.see(f"/workers/{worker}")["stay"]["letters"]) == 1, 60)


def report(stage, days_ago):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days_ago)
    stage.systems.border.done("report", direction="arrival", person=stage.person(), at=at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def arrival(stage):
    report(stage, 2)
    assert stage.broker.see(f"/workers/{stage.worker}")["stay"]["movements"] == []
    yield
    told = await_("the arrival", lambda: stage.broker.see(f"/workers/{stage.worker}")["stay"]["movements"])
    assert len(told) == 1 and stage.broker.see(f"/workers/{stage.worker}")["stay"]["clock"]
    await_("its being acknowledged", lambda: all(m["acked"] for m in stage.systems.border.books()["messages"]))


def told_of_permits(stage):
    def book():
        return [r for r in stage.systems.border.books()["permits"] if r["permit"]["permit_no"] == stage.permit["permit_no"]]
    await_("the permit that waits", lambda: stage.link()["waiting"] >= 1)
    assert book() == []
    yield
    await_("its being told", book)
    await_("that all is told", lambda: stage.link()["waiting"] == 0)
    assert book()[0]["times"] == {book()[0]["permit"]["version"]: 1}


def late(stage):
    stage.register()
    report(stage, 70)
    await_("the arrival", lambda: stage.broker.see(f"/workers/{stage.worker}")["stay"]["entered"])
    stage.case = flow.fill(stage.broker, flow.open_case(stage.broker, stage.worker))
    stage.case_no = flow.submit(stage.broker, stage.case)
    stage.assigned(stage.case)
    stage.paths |= {"the applicant": ("broker", f"/cases/{stage.case}"), "the officer": (stage.reviewer().login, f"/review/{stage.case}")}
    flow.approve(stage.platform, stage.case, stage.reviewers)
    flow.pay(stage.platform, stage.broker, stage.case)


def told(stage):
    def book():
        return [r for r in stage.systems.fines.books()["cases"] if r["told"]["case_no"] == stage.case_no]
    assert book() == [] and stage.link()["waiting"] >= 1
    yield
    await_("its being told", lambda: book() and book()[0]["told"]["fee"]["state"] == "paid")
    assert len(book()) == 1 and int(book()[0]["told"]["days_late"]) > 30


def held(stage):
    await_("its being held", lambda: flow.state(stage.broker, stage.case) == "held")
    yield
    fine = await_("the fine", lambda: [r["fine"] for r in stage.systems.fines.books()["fines"] if r["fine"]["case_no"] == stage.case_no])
    assert len(fine) == 1
    await_("its being known", lambda: stage.broker.see(f"/cases/{stage.case}")["penalty"]["owed"])
    stage.systems.fines.done("change", fine_no=fine[0]["fine_no"], state="paid")
    flow.issued(stage.platform, stage.broker, stage.case)


def asks(stage):
    officer = next(p for p in stage.reviewers if p.see(f"/review/{stage.case}")["ask_fines"])
    officer.do(f"/review/{stage.case}/ask-fines", status=202)


def paid_card(stage):
    stage.card()
    flow.approve(stage.platform, stage.case, stage.reviewers)
    flow.pay(stage.platform, stage.broker, stage.case)
    await_("its being made", lambda: flow.state(stage.broker, stage.case) == "producing")
    stage.paths["the applicant"] = ("broker", f"/cases/{stage.case}")


def order(stage):
    before = set(stage.systems.bureau.books()["jobs"])
    await_("the order that waits", lambda: stage.link()["waiting"] == 1)
    yield
    came = await_("the order", lambda: set(stage.systems.bureau.books()["jobs"]) - before)
    assert len(came) == 1
    await_("the bureau's word", lambda: stage.link()["waiting"] == 0)


def reviewed(stage):
    stage.case = stage.assigned(flow.filed(stage.broker))
    flow.approve(stage.platform, stage.case, stage.reviewers)
    stage.paths["the officer"] = ("reviewer1", f"/review/{stage.case}")


def begun(stage):
    stage.payment = flow.begin_payment(stage.broker, stage.case)
    stage.paths["the applicant"] = ("broker", f"/payments/{stage.payment}")


def unnoticed(stage):
    """It is paid at the gateway, whose notice does not come; then the gateway is down."""
    stage.platform.switch(fail="none")
    form = stage.platform.order(stage.broker.see(f"/payments/{stage.payment}")["redirect"])
    stage.platform.control("pay", order=form, method="card")
    stage.platform.switch(fail="close")
    yield
    await_("its being found", lambda: stage.broker.see(f"/payments/{stage.payment}")["is_paid"], 90)


def pays_again(stage):
    another = stage.assigned(flow.filed(stage.broker))
    flow.approve(stage.platform, another, stage.reviewers)
    first = flow.begin_payment(stage.broker, another)
    with pytest.raises(requests.exceptions.ConnectionError):
        stage.platform.order(stage.broker.see(f"/payments/{first}")["redirect"])
    yield
    flow.pay(stage.platform, stage.broker, another)
    paid = [o for o in stage.platform.books()["orders"] if o["state"] == "paid"]
    assert len({o["order"] for o in paid}) == len(paid)


def unscanned(stage):
    stage.case = flow.filed(stage.broker)
    stage.paths |= {"the applicant": ("broker", f"/cases/{stage.case}"), "the officer": ("dispatcher", "/dispatch")}


def verdicts(stage):
    assert flow.state(stage.broker, stage.case) == "submitted" and stage.link()["waiting"] == 3
    yield
    stage.assigned(stage.case)
    kinds = [h["kind"] for h in stage.broker.see(f"/cases/{stage.case}")["history"]]
    assert kinds.count("file.clean") == 3 and kinds.count("case.assign") == 1


def not_assigned(stage):
    refused = stage.platform.of("dispatcher").do(f"/dispatch/{stage.case}/assign", status=409)
    assert refused["errors"][0]["key"] == "case.files_unchecked"


def mails(stage):
    case = stage.assigned(flow.filed(stage.broker))
    no = stage.broker.see(f"/cases/{case}")["case"]["case_no"]
    flow.decide(flow.reviewer_of(stage.platform, stage.reviewers, case)[0], case, "return", {"mark.photo": "too dark"})
    stage.case, stage.case_no = case, no

    def came():
        return [m["subject"] for m in stage.platform.mails() if f"[{no}]" in m["subject"]]
    assert came() == []
    yield
    await_("the mails", lambda: len(came()) >= 2, 90)
    assert len(came()) == len(set(came()))


def reads_all(stage):
    page = stage.broker.see(f"/cases/{stage.case}")
    assert [m["reason"] for m in page["marks"]] == ["too dark"] and page["todo"]


def nothing_else(stage):
    assert stage.reviewers[0].see("/desk")


TESTED = "`plugin test` says at which step it fails"
WHOLE = "an electronic permit, from registration to verification"
PROOFS = {
    "labour": {WHOLE: whole_way, "a card whose letter the applicant types": typed_card, "an employment permit that it issues": letter,
               "the answer on a letter's number that the applicant gives": question,
               "decides all the same": decides, TESTED: says_where},
    "border": {WHOLE: whole_way, "a card whose arrival the applicant types": typed_card,
               "an arrival that it reports, and the clock that this starts": arrival,
               "what it is told of permits": told_of_permits, "decides all the same": decides, TESTED: says_where},
    "penalty": {WHOLE: whole_way, "what was filed late is reviewed and paid": late, "what it is told of cases and fees": told,
                "what was filed late is held until it answers": held, "asks the fines system again": asks, TESTED: says_where},
    "card": {WHOLE: whole_way, "a card is applied for, reviewed and paid": paid_card, "the order of a card": order, TESTED: says_where},
    "payment": {"what is filed is reviewed": reviewed, "the gateway's form is made": begun, "a payment of which no notice came": unnoticed,
                "pays again once it is back": pays_again, TESTED: says_where},
    "scan": {"forms are filled in, files sent, applications filed": unscanned, "the verdict on each file, and the case's assignment": verdicts,
             "cannot assign it before": not_assigned, TESTED: says_where},
    "notify": {WHOLE: whole_way, "mails": mails, "reads on the case's page what the mail would say": reads_all,
               "nothing else": nothing_else},
}


def items(row):
    """(column, item) in the order in which they are proven: what is done, then what waits, then what people read."""
    for column in ("goes on", "waits", *PEOPLE):
        for item in ROWS[row][column]:
            yield column, item


def test_every_row_and_item_has_its_proof():
    assert set(ROWS) == set(PROOFS)
    for row, proofs in PROOFS.items():
        wanted = {item for _, item in items(row) if not item.startswith("“")}
        assert wanted == set(proofs), row
        assert [i for _, i in items(row) if i.startswith("“") and not keys_of(re.match("“(.+)”", i)[1])] == []


def prove(stage, item):
    """What is to be proven once the system is back, or None."""
    proof = PROOFS[stage.row][item](stage)
    if proof is not None:
        next(proof)
    return proof


def look(stage, who, item):
    quoted = re.match("“(.+)”", item)[1]
    for lang in ("en", "zh-Hant"):
        def shown(lang=lang):
            return is_shown(quoted, stage.page(who, lang), lang)
        await_(f"{who} reads {item} ({lang})", shown)


@pytest.mark.parametrize("row", ROWS)
def test_row(platform, systems, row):
    stage, later = Stage(platform, systems, row), []
    with stage.down():
        for column, item in items(row):
            if item.startswith("“"):
                look(stage, column, item)
            else:
                later.append(prove(stage, item))
        wanted = ROWS[row]["link"][0].strip("`")
        await_(f"the link to be {wanted}", lambda: stage.link()["state"]["code"] == wanted, 60)
    for proof in filter(None, later):
        for _ in proof:
            raise AssertionError("a proof yields once")
    await_("the link to be up", lambda: stage.link()["state"]["code"] == "up", 60)
