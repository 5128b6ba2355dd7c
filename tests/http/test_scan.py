"""Uploads are looked into by a real clamd: nobody but their sender has one before it is clean, nobody ever one that is not, and a
scanner that is away delays and lets nothing through."""
import contextlib
import itertools
import os
import pathlib
import signal
import sys

import flow
import pytest
from browser import Browser
from conftest import processes_of
from platform_under_test import ROOT, await_

sys.path.insert(0, str(ROOT / "tests/lib"))

from clamd import EICAR, NAME, Clamd  # noqa: E402  pylint: disable=wrong-import-position

MIB = 1048576
MOST = 24 * MIB  # clamd's StreamMaxLength
DIRECTIVES = f"""FwPermitPlugin virus scan "@DIR@/lib/plugins/scan_clamav.so"
FwPermitPluginOption virus socket "@DIR@/clamd/clamd.sock"
FwPermitUploadMax {MOST + MIB}
FwPermitServices "@DIR@/services"
LimitRequestBody 0
<LocationMatch "^/(cases|workers)/[0-9]+/files/">
    LimitRequestBody 0
</LocationMatch>
CustomLog "@DIR@/logs/statements.log" "%m %U %>s %{{fwpermit-statements}}n"
"""
SLOTS = ("photo", "passport_page", "employment_proof")
TAGS = itertools.count(1)


def prepare(platform):
    """The usual service, but for the files' limit; and clamd."""
    folder = platform.folder / "services"
    folder.mkdir()
    text = (ROOT / "conf/services/epermit.xml").read_text(encoding="utf-8")
    wanted = '<field name="employment_proof" type="file" required="yes" max-files="3">'
    assert wanted in text
    (folder / "epermit.xml").write_text(text.replace(wanted, wanted.replace("max-files", f'max-bytes="{MOST + MIB}" max-files')),
                                        encoding="utf-8")
    folder.chmod(0o755)
    platform.clamd = Clamd(platform.folder / "clamd", StreamMaxLength=MOST, MaxFileSize=MOST, MaxScanSize=4 * MOST).start()


@pytest.fixture(scope="module", autouse=True)
def the_end(platform):
    platform.expect(r"FWP2107 plugin virus|plugin virus|FWP2140 file \d+ of case \d+ is infected and locked away")
    yield
    platform.clamd.stop()


@pytest.fixture(name="clamd")
def running(platform):
    yield platform.clamd
    if not platform.clamd.answers():
        platform.clamd.restart()


def pdf(size=None, harmful=False):
    """A PDF of that many bytes, unlike any other."""
    body = b"%% %d\n" % next(TAGS) + (EICAR + b"\n" if harmful else b"")
    first, rest = flow.pdf().split(b"\n", 1)
    fill = (size or 0) - len(first) - len(rest) - len(body) - 3
    return first + b"\n" + body + b"%" + b" " * max(fill, 0) + b"\n" + rest


def files(person, case, office=False):
    """slot → the file there."""
    return {f["slot"]: f for f in person.see(f"/{'review' if office else 'cases'}/{case}")["files"]}


def scans(person, case):
    return {slot: f["scan"] for slot, f in files(person, case).items()}


def judged(person, case):
    return await_("all verdicts", lambda: "pending" not in scans(person, case).values() and scans(person, case))


def draft(person, **harmful):
    """A draft that lacks nothing, with harmful files in the slots that are named."""
    case = flow.open_case(person, flow.register(person))
    assert person.do(f"/cases/{case}/edit", flow.case_fields())["problems"] == []
    person.upload(case, "photo", "photo.jpg", flow.photo())
    for slot in SLOTS[1:]:
        person.upload(case, slot, f"{slot}.pdf", pdf(harmful=slot in harmful))
    return case


def state(person, case):
    return flow.state(person, case)


def events(person, case):
    return [h["kind"] for h in person.see(f"/cases/{case}")["history"]]


def commands(platform, case):
    return [c for (c,) in platform.sql("SELECT command FROM audit WHERE aggregate = ? ORDER BY seq", f"case:{case}")]


def mails_about(platform, case, words):
    return [m for m in platform.mails() if f"/cases/{case}" in m["text"] and words in m["text"]]


def plugin_of(platform):
    """Its process, or None between two of them."""
    found = [pid for pid, words in processes_of(platform.folder) if "fwpermit-worker plugin virus " in words + " "]
    return found[0] if found else None


def has_file(pid):
    """It was handed a file of a call."""
    with contextlib.suppress(OSError):
        return any("memfd:call" in os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    return False


@contextlib.contextmanager
def unchanged(platform, case):
    """Around a refusal while something waits; not the papers of what was done before."""
    await_("its papers", lambda: not platform.sql("SELECT id FROM outbox WHERE port = 'press' AND state IN ('ready', 'leased')"), 60)
    def look():
        return [platform.sql(f"SELECT * FROM {table} WHERE {key} = ? ORDER BY 1", int(case))
                for table, key in (("cases", "id"), ("case_event", "case_id"), ("case_file", "case_id"))]
    before = look()
    yield
    assert look() == before


# ---- clean ----

def test_what_is_clean_goes_on_as_ever(platform, broker, reviewers):
    case = draft(broker)
    assert judged(broker, case) == dict.fromkeys(SLOTS, "clean")
    flow.submit(broker, case)
    assert state(broker, case) == "initial_review"
    first, _ = flow.reviewer_of(platform, reviewers, case)
    for f in first.see(f"/review/{case}")["files"]:
        assert f["scan"] == "clean" and first.get(f["href"]).status_code == 200 and first.get(f["view_href"]).status_code == 200
    page = broker.see(f"/cases/{case}")
    assert page["unchecked"] == 0 and [k for k in events(broker, case) if k.startswith("file.")] == ["file.clean"] * 3
    told = [h for h in page["history"] if h["kind"] == "file.clean"]
    assert {(h["who"], h["reasons"][0]["item"]) for h in told} == {("System", slot) for slot in SLOTS}
    assert commands(platform, case).count("file.judge") == 3
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    flow.issued(platform, broker, case)
    assert platform.ctl("audit", "verify").stdout.startswith("whole")


@pytest.mark.parametrize("size", [MIB, 20 * MIB, MOST])
def test_sizes_up_to_what_the_scanner_takes(broker, size):
    case = draft(broker)
    content = pdf(size)
    assert len(content) == size
    answer = broker.upload(case, "employment_proof", "long.pdf", content)
    assert answer["file"]["scan"] == "pending" and answer["file"]["is_pending"]
    assert judged(broker, case)["employment_proof"] == "clean"


def test_one_byte_more_than_the_scanner_takes_waits_and_is_never_clean(platform, broker, clamd):
    clamd.restart(StreamMaxLength=2 * MIB)
    case = draft(broker)
    judged(broker, case)
    at = broker.upload(case, "employment_proof", "at.pdf", pdf(2 * MIB))["answer"]
    past = broker.upload(case, "employment_proof", "past.pdf", pdf(2 * MIB + 1))["answer"]

    def row(file):
        return platform.sql("SELECT f.scan, o.state, o.attempt, o.reason FROM case_file f JOIN outbox o ON o.aggregate_id = f.id "
                            "WHERE f.id = ?", int(file))[0]
    await_("the first one's verdict", lambda: row(at)[0] == "clean")
    await_("two tries", lambda: row(past)[2] >= 2)
    scan, _, _, reason = row(past)
    assert scan == "pending" and reason == f"a file of {2 * MIB + 1} bytes is longer than clamd's StreamMaxLength"
    flow.submit(broker, case)
    assert state(broker, case) == "submitted"
    clamd.restart(StreamMaxLength=MOST)
    await_("its being assigned", lambda: state(broker, case) == "initial_review", 60)
    assert row(past)[0] == "clean"


def test_a_file_of_no_bytes_never_comes_to_the_scanner(platform, broker):
    case = draft(broker)
    judged(broker, case)
    with platform.nothing_changes():
        answer = broker.upload(case, "passport_page", "none.pdf", b"", status=422)
    assert answer["errors"][0]["key"] == "file.empty"


# ---- infected ----

def locked_away(platform, case, file):
    """It is there for all who may see its case, and for nobody to have."""
    for login in ("broker", "hongyuan", "reviewer1", "reviewer2"):
        person = platform.of(login)
        roots = ("review",) if login.startswith("reviewer") else ("cases",)
        for path in [f"/{root}/{case}/files/{file}" for root in roots] + (
                [f"/review/{case}/files/{file}/view/1"] if "review" in roots else []):
            answer = person.get(path)
            assert answer.status_code in (404, 410), (login, path, answer.status_code)
            assert answer.status_code == 404 or answer.json()["type"] == "/problems/file.quarantined"
            assert EICAR not in answer.content


@pytest.fixture(scope="module", autouse=True)
def employer_who_delegated(platform):
    platform.ctl("account", "create", "hongyuan", "--roles", "employer", "--org", "04595257", "--keep", text="demo-permit-2026\n")


def test_a_draft_with_an_infected_file_cannot_be_filed(platform, broker):
    platform.sql("UPDATE account SET lang = 'en' WHERE login = 'broker'")
    case = draft(broker, passport_page=True)
    version = broker.see(f"/cases/{case}/edit")["case"]["version"]
    assert judged(broker, case) == {**dict.fromkeys(SLOTS, "clean"), "passport_page": "infected"}
    assert broker.see(f"/cases/{case}/edit")["case"]["version"] == version, "who types in it is not disturbed"
    bad = files(broker, case)["passport_page"]
    assert bad["href"] is None and bad["is_infected"] and bad["name"] == "passport_page.pdf" and bad["size"]
    assert broker.get(f"/cases/{case}/files/{bad['id']}").status_code == 410
    locked_away(platform, case, bad["id"])
    check = broker.see(f"/cases/{case}/check")
    assert not check["ready"] and [(m["field"], m["key"]) for m in check["missing"]] == [("passport_page", "file.infected")]
    assert "passport_page.pdf" in check["missing"][0]["reason"] and "locked away" in check["missing"][0]["reason"]
    with platform.nothing_changes():
        refused = broker.do(f"/cases/{case}/submit", status=422)
    assert [(e["field"], e["key"]) for e in refused["errors"]] == [("passport_page", "file.infected")]
    mail = await_("the mail", lambda: mails_about(platform, case, "harmful content"))
    assert len(mail) == 1 and "passport_page.pdf" in mail[0]["text"] and "Please replace" in mail[0]["subject"]
    platform.sql("UPDATE account SET lang = 'zh-Hant' WHERE login = 'broker'")
    assert "file.infected" in events(broker, case)
    broker.do(f"/cases/{case}/files/{bad['id']}/remove")
    assert broker.get(f"/cases/{case}/files/{bad['id']}").status_code == 410, "removed is locked away all the same"
    broker.upload(case, "passport_page", "good.pdf", pdf())
    judged(broker, case)
    flow.submit(broker, case)
    assert state(broker, case) == "initial_review"
    data = platform.sql("SELECT data FROM audit WHERE aggregate = ? AND command = 'file.judge' AND data LIKE '%infected%'", f"case:{case}")
    assert len(data) == 1 and NAME in data[0][0] and "ClamAV" in data[0][0]


def test_a_filed_case_with_infected_files_goes_back_for_these_alone(platform, broker, reviewers, clamd):
    with clamd.away():
        case = draft(broker, passport_page=True, employment_proof=True)
        flow.submit(broker, case)
        assert state(broker, case) == "submitted"
    await_("its coming back", lambda: state(broker, case) == "returned", 60)
    judged(broker, case)
    page = await_("both marks", lambda: len(broker.see(f"/cases/{case}")["marks"]) == 2 and broker.see(f"/cases/{case}"))
    assert {m["item"] for m in page["marks"]} == {"passport_page", "employment_proof"}
    assert all("locked away" in m["reason"] for m in page["marks"])
    zh = platform.person("broker", lang="zh-Hant").see(f"/cases/{case}")
    assert all("已予隔離" in m["reason"] for m in zh["marks"]), "each reads it in their language"
    assert page["case"]["deadline"] and not page["case"]["clock_runs"]
    back = next(h for h in page["history"] if h["kind"] == "case.return")
    assert back["who"] == "System" and back["reasons"][0]["label"]
    assert await_("the mails", lambda: mails_about(platform, case, "需要補正下列項目") and mails_about(platform, case, "請先檢查該檔案來源的電腦"))
    with platform.nothing_changes():
        assert broker.do(f"/cases/{case}/submit", status=422)["errors"][0]["key"] == "file.infected"
        answer = broker.post(f"/cases/{case}/files/photo", files={"file": ("photo.jpg", flow.photo())})
        assert answer.status_code == 409, "what was not marked stays as it was filed"
    for slot in ("passport_page", "employment_proof"):
        bad = files(broker, case)[slot]
        locked_away(platform, case, bad["id"])
        broker.do(f"/cases/{case}/files/{bad['id']}/remove")
        broker.upload(case, slot, "good.pdf", pdf())
    flow.submit(broker, case)
    await_("its being assigned", lambda: state(broker, case) == "initial_review")
    flow.approve(platform, case, reviewers)
    assert platform.ctl("audit", "verify").stdout.startswith("whole")


def test_an_infected_supplement_goes_back_once_more(platform, broker, reviewers, clamd):
    case = draft(broker)
    judged(broker, case)
    flow.submit(broker, case)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "return", {"mark.passport_page": "too dark"})
    with clamd.away():
        broker.upload(case, "passport_page", "again.pdf", pdf(harmful=True))
        flow.submit(broker, case)
        assert state(broker, case) == "initial_review", "it goes back to its reviewer"
        page = first.see(f"/review/{case}")
        waits = next(f for f in page["files"] if f["slot"] == "passport_page")
        assert page["unchecked"] == 1 and waits["is_pending"] and waits["href"] is None and waits["view_href"] is None
        assert page["may"]["approve"] is None and page["may"]["return"] and "checked for viruses" in page["why_not"]
        assert next(c for c in first.see("/desk?list=mine")["cases"] if c["id"] == case)["unchecked"] == 1
        with unchanged(platform, case):
            assert flow.decide(first, case, "approve", status=409)["errors"][0]["key"] == "case.files_unchecked"
            assert first.get(f"/review/{case}/files/{waits['id']}").json()["type"] == "/problems/file.unchecked"
    await_("its coming back", lambda: state(broker, case) == "returned", 60)
    assert [m["item"] for m in broker.see(f"/cases/{case}")["marks"]] == ["passport_page"]
    broker.upload(case, "passport_page", "good.pdf", pdf())
    judged(broker, case)
    flow.submit(broker, case)
    mine, _ = flow.reviewer_of(platform, reviewers, case)
    assert mine is first
    flow.approve(platform, case, reviewers)


def test_a_verdict_on_what_was_replaced_meanwhile_troubles_nobody(platform, broker, clamd):
    with clamd.away():
        case = draft(broker, passport_page=True)
        bad = files(broker, case)["passport_page"]["id"]
        broker.upload(case, "passport_page", "good.pdf", pdf())
        flow.submit(broker, case)
    await_("its being assigned", lambda: state(broker, case) == "initial_review", 60)
    await_("the other one's verdict", lambda: platform.sql("SELECT scan FROM case_file WHERE id = ?", int(bad)) == [("infected",)])
    assert state(broker, case) == "initial_review" and not mails_about(platform, case, "有害")
    locked_away(platform, case, bad)


# ---- away ----

def test_a_scanner_that_is_away_delays_and_lets_nothing_through(platform, broker, reviewers, clamd):
    dispatcher = platform.of("dispatcher")
    with clamd.away():
        case = draft(broker)
        flow.submit(broker, case)
        page = broker.see(f"/cases/{case}")
        assert page["case"]["state"]["code"] == "submitted" and page["unchecked"] == 3
        told = await_("the link's being down", lambda: broker.see(f"/cases/{case}")["link"])
        assert told["port"] == "scan" and "safe" in told["text"]
        line = next(c for c in dispatcher.see("/dispatch")["cases"] if c["id"] == case)
        assert line["unchecked"] == 3 and line["assign_action"] is None
        with unchanged(platform, case):
            answer = dispatcher.do(f"/dispatch/{case}/assign", status=409)
        assert answer["errors"][0]["key"] == "case.files_unchecked" and "viruses" in answer["detail"]
        for text, path, who in (("being checked for viruses", f"/cases/{case}", "broker"), ("Being checked", "/dispatch", "dispatcher"),
                                ("Waits until its files are checked", "/dispatch", "dispatcher")):
            assert text in Browser(platform.base, login=who).get(path).text
    await_("its being assigned by itself", lambda: state(broker, case) == "initial_review", 60)
    page = broker.see(f"/cases/{case}")
    assert page["unchecked"] == 0 and page["link"] is None
    assert [h["who"] for h in page["history"] if h["kind"] == "case.assign"] == ["System"]
    flow.approve(platform, case, reviewers)


def test_no_page_waits_for_a_scanner_that_is_silent(platform, broker, clamd):
    with clamd.frozen():
        case = draft(broker)
        flow.submit(broker, case)
        assert scans(broker, case) == dict.fromkeys(SLOTS, "pending")
        for path in (f"/cases/{case}", "/cases"):
            broker.see(path)
        assert any(c["id"] == case for c in platform.of("dispatcher").see("/dispatch")["cases"])
    await_("its being assigned", lambda: state(broker, case) == "initial_review", 60)


def test_kill_9_between_ask_and_answer(platform, broker, clamd):
    case = flow.open_case(broker, flow.register(broker))
    broker.do(f"/cases/{case}/edit", flow.case_fields())
    for slot, name, content in (("photo", "photo.jpg", flow.photo()), ("passport_page", "page.pdf", pdf()), ("employment_proof", "proof.pdf", pdf())):
        if slot != "photo":
            await_("the verdict before", lambda: "pending" not in scans(broker, case).values(), 60)
        with clamd.frozen():
            broker.upload(case, slot, name, content)
            pid = plugin_of(platform)
            await_("its having the file", lambda p=pid: has_file(p))
            os.kill(pid, signal.SIGKILL)
            await_("its next process", lambda p=pid: plugin_of(platform) not in (None, p))
    flow.submit(broker, case)
    await_("its being assigned", lambda: state(broker, case) == "initial_review", 60)
    assert judged(broker, case) == dict.fromkeys(SLOTS, "clean")
    assert commands(platform, case).count("file.judge") == 3, "one verdict for each"
    assert events(broker, case).count("case.assign") == 1


# ---- who may have what ----

WHO = {"broker": "cases", "hongyuan": "cases", "employer": "cases", "reviewer1": "review", "reviewer2": "review", "dispatcher": "review",
       "cashier": "review", "admin": "review", "auditor": "review"}
REVIEWERS = ("reviewer1", "reviewer2")


def walk(platform, case, file):
    """login → what they get of the file."""
    out = {}
    for login, root in WHO.items():
        person = platform.of(login)
        statuses = {person.get(f"/{root}/{case}/files/{file}").status_code}
        if root == "review":
            statuses.add(person.get(f"/{root}/{case}/files/{file}/view/1").status_code)
        assert len(statuses) == 1, (login, statuses)
        out[login] = statuses.pop()
    return out


def test_who_may_have_a_file_at_which_time(platform, broker, clamd):
    strangers = {"employer": 404, "dispatcher": 403, "cashier": 403, "admin": 403, "auditor": 403}
    with clamd.away():
        case = draft(broker)
        flow.submit(broker, case)
        file = files(broker, case)["passport_page"]["id"]
        waiting = walk(platform, case, file)
        assert waiting == {**waiting, "broker": 200, "hongyuan": 409, "reviewer1": 409, "reviewer2": 409}
        assert files(platform.of("hongyuan"), case)["passport_page"]["href"] is None
    await_("its being assigned", lambda: state(broker, case) == "initial_review", 60)
    after = walk(platform, case, file)
    assert after == {**after, "broker": 200, "hongyuan": 200, "reviewer1": 200, "reviewer2": 200}
    for login, status in after.items():
        if login in strangers:
            assert status == waiting[login] and status in (403, 404), (login, status)


# ---- what it costs ----

def count(platform, login, path):
    """The least of three: once a minute a session is noted as used."""
    person, counts = platform.of(login), []

    def logged():
        lines = (platform.folder / "logs/statements.log").read_text().splitlines()
        return [int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"GET {path.split('?')[0]} 200 ")]
    for _ in range(3):
        before = len(logged())
        person.see(path)
        counts.append(await_("its line in the log", lambda n=before: len(logged()) > n and logged()[-1]))
    return min(counts)


def test_a_page_asks_as_often_for_many_that_wait_as_for_one(platform, broker, clamd):
    with clamd.away():
        case = draft(broker)
        flow.submit(broker, case)
        paths = {"/dispatch": "dispatcher", f"/cases/{case}": "broker", "/cases": "broker"}
        one = {path: count(platform, login, path) for path, login in paths.items()}
        others = [draft(broker) for _ in range(6)]
        for other in others:
            flow.submit(broker, other)
        assert {path: count(platform, login, path) for path, login in paths.items()} == one
        assert one["/dispatch"] <= 14 and one[f"/cases/{case}"] <= 9, one
    for other in [case, *others]:
        await_("its being assigned", lambda c=other: state(broker, c) == "initial_review", 60)
