"""Log-in, lock-out, sessions, passwords, delegation, and the administrator's pages."""
import os
import re
import signal

import conftest
import flow
import pytest
import requests
from browser import Browser
from platform_under_test import PASSWORD, await_, said
from requests.adapters import HTTPAdapter

DIRECTIVES = "FwPermitLoginRate 200\nFwPermitSessionIdle 3\nFwPermitSessionMax 60\n"
MINUTE = 60 * 10**6
NEW = ("Quiet-Harbour-417", "Green-Teapot-2205", "Slow-Turtle-90210", "Round-Window-3141", "Paper-Lantern-777")


class From(HTTPAdapter):
    """Requests from another address of this machine."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **more):
        super().init_poolmanager(*args, source_address=(self.address, 0), **more)


def log_in(platform, login, password=PASSWORD, address=None, lang="en", accept="application/json"):
    with requests.Session() as http:
        if address:
            http.mount("http://", From(address))
        return http.post(platform.base + "/login", json={"login": login, "password": password}, timeout=60,
                         headers={"Accept": accept, "Accept-Language": lang})


def make(platform, login, roles="cashier", password=NEW[0], *more):
    platform.ctl("account", "create", login, "--roles", roles, "--keep", *more, text=password + "\n")


def account(platform, login, columns):
    return platform.sql(f"SELECT {columns} FROM account WHERE login = ?", login)[0]


# ---- log-in ----

def test_a_wrong_name_and_a_wrong_password_say_the_same(platform):
    make(platform, "known")
    known, unknown = log_in(platform, "known", "wrong"), log_in(platform, "unknown", "wrong")
    assert known.status_code == unknown.status_code == 401 and said(known) == said(unknown)
    assert known.headers.keys() == unknown.headers.keys()
    for login in ("", "x" * 5000, "known\0", "' OR 1=1 --", "KNOWN ", "known\n"):
        answer = log_in(platform, login, NEW[0])
        assert answer.status_code in (400, 401) and "Set-Cookie" not in answer.headers, login
    assert log_in(platform, "known", "").status_code == 401
    assert log_in(platform, "known", NEW[0] + "\0").status_code == 400
    assert log_in(platform, "known", NEW[0]).status_code == 200


def test_after_five_failures_a_name_is_locked_whether_it_exists_or_not(platform):
    make(platform, "victim")
    told = {login: [said(log_in(platform, login, "wrong")) for _ in range(7)] for login in ("victim", "phantom")}
    assert told["victim"] == told["phantom"]
    assert [t["type"] for t in told["victim"]] == ["/problems/login.wrong"] * 4 + ["/problems/login.locked"] * 3
    right = log_in(platform, "victim", NEW[0])
    assert right.status_code == 401 and right.json()["type"] == "/problems/login.locked"
    until, = account(platform, "victim", "locked_until")
    now, = platform.sql("SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000")[0]
    assert 13 * MINUTE < until - now <= 15 * MINUTE + 10**6
    assert log_in(platform, "known", NEW[0]).status_code == 200, "others come in"


def test_a_lock_ends_by_itself(platform):
    make(platform, "patient")
    for _ in range(5):
        log_in(platform, "patient", "wrong")
    assert log_in(platform, "patient", NEW[0]).status_code == 401
    platform.sql("UPDATE account SET locked_until = locked_until - ? WHERE login = 'patient'", 16 * MINUTE)
    assert log_in(platform, "patient", NEW[0]).status_code == 200
    assert account(platform, "patient", "failures, locked_until") == (0, 0)


def test_a_lock_is_ended_by_ctl(platform):
    make(platform, "helped")
    for _ in range(5):
        log_in(platform, "helped", "wrong")
    assert log_in(platform, "helped", NEW[0]).status_code == 401
    assert "helped" in platform.ctl("account", "unlock", "helped").stdout + "helped"
    assert log_in(platform, "helped", NEW[0]).status_code == 200


def test_failures_count_in_a_row(platform):
    make(platform, "clumsy")
    for _ in range(3):
        for _ in range(4):
            assert log_in(platform, "clumsy", "wrong").json()["type"] == "/problems/login.wrong"
        assert log_in(platform, "clumsy", NEW[0]).status_code == 200


def test_a_lock_ends_no_session_that_is_there(platform):
    make(platform, "inside")
    person = platform.person("inside", password=NEW[0])
    for _ in range(5):
        log_in(platform, "inside", "wrong")
    assert person.get("/account").status_code == 200


def test_an_address_has_so_many_a_minute(platform):
    answers = [log_in(platform, "nobody", "x", address="127.0.0.77").status_code for _ in range(20)]
    assert set(answers) == {401}
    platform.sql("UPDATE rate SET hits = 200 WHERE name LIKE '%127.0.0.77'")
    answer = log_in(platform, "broker", address="127.0.0.77")
    assert answer.status_code == 429 and answer.json()["type"] == "/problems/login.often"
    page = Browser(platform.base, lang="zh-TW")
    page.http.mount("http://", From("127.0.0.77"))
    assert page.log_in("broker").status == 429
    assert log_in(platform, "broker", address="127.0.0.78").status_code == 200
    platform.sql("UPDATE rate SET since = since - ? WHERE name LIKE '%127.0.0.77'", 2 * MINUTE)
    assert log_in(platform, "broker", address="127.0.0.77").status_code == 200


# ---- sessions ----

def cookie_of(answer):
    return answer.headers["Set-Cookie"]


def test_the_cookie_and_where_it_is_kept(platform):
    answer = log_in(platform, "broker")
    name, value = cookie_of(answer).split(";")[0].split("=")
    assert name == "fwpermit" and re.fullmatch("[0-9A-HJKMNP-TV-Z]{52}", value)
    flags = {f.strip() for f in cookie_of(answer).split(";")[1:]}
    assert flags == {"Path=/", "SameSite=Lax", "HttpOnly"}
    dump = "\n".join(str(r) for t in ("session", "account", "audit", "rate") for r in platform.sql(f"SELECT * FROM {t}"))
    assert value not in dump


def test_log_out_ends_it_on_the_server(platform):
    person = platform.person("broker")
    jar = requests.utils.dict_from_cookiejar(person.http.cookies)
    answer = person.post("/logout")
    assert answer.status_code == 200 and "Max-Age=0" in cookie_of(answer)
    again = requests.get(platform.base + "/cases.json", cookies=jar, timeout=30)
    assert again.status_code == 401


def test_log_in_makes_a_new_session_and_ends_the_old_one(platform):
    http = requests.Session()
    http.cookies.set("fwpermit", "A" * 52)
    tokens = []
    for _ in range(2):
        answer = http.post(platform.base + "/login", json={"login": "broker", "password": PASSWORD}, timeout=30)
        tokens.append((answer.cookies["fwpermit"], answer.json()["csrf"]))
        http.cookies.set("fwpermit", tokens[-1][0])
    assert tokens[0][0] != tokens[1][0] != "A" * 52 and tokens[0][1] != tokens[1][1]
    assert requests.get(platform.base + "/cases.json", cookies={"fwpermit": tokens[0][0]}, timeout=30).status_code == 401
    assert requests.get(platform.base + "/cases.json", cookies={"fwpermit": tokens[1][0]}, timeout=30).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "A" * 52, "a" * 52, "A" * 51, "A" * 53, "A" * 5000, "' OR 1=1 --", "%00" * 17])
def test_tokens_that_are_none(platform, token):
    answer = requests.get(platform.base + "/cases.json", headers={"Cookie": f"fwpermit={token}"}, timeout=30)
    assert answer.status_code == 401


def back(platform, login, column, minutes):
    platform.sql(f"UPDATE session SET {column} = {column} - ? WHERE account_id = (SELECT id FROM account WHERE login = ?)",
                 int(minutes * MINUTE), login)


def test_an_idle_session_ends(platform):
    make(platform, "idle")
    person = platform.person("idle", password=NEW[0])
    back(platform, "idle", "seen", 2.5)
    assert person.get("/receipts").status_code == 200
    back(platform, "idle", "seen", 2.5)
    assert person.get("/receipts").status_code == 200, "it was used in between"
    back(platform, "idle", "seen", 3.1)
    assert person.get("/receipts").status_code == 401
    assert person.post("/account/password", {}).status_code == 401


def test_any_session_ends(platform):
    make(platform, "long")
    person = platform.person("long", password=NEW[0])
    back(platform, "long", "expires", 59)
    assert person.get("/receipts").status_code == 200
    back(platform, "long", "expires", 1.1)
    assert person.get("/receipts").status_code == 401


def test_after_the_end_a_page_is_shown_again_after_log_in(platform):
    browser = Browser(platform.base)
    page = browser.get("/cases?state=draft")
    assert page.url.startswith(platform.base + "/login?next=")
    page = browser.send(page.form_to("/login"), login="broker", password=PASSWORD)
    assert page.url == platform.base + "/cases?state=draft"


# ---- passwords ----

@pytest.fixture(autouse=True)
def guesses_forgotten(platform):
    """So that many tests may change passwords within minutes."""
    platform.sql("DELETE FROM rate WHERE name LIKE 'password:%'")


def test_guessing_the_old_one_from_within_is_slow(platform):
    make(platform, "guesser")
    person = platform.person("guesser", password=NEW[0])
    for _ in range(5):
        person.do("/account/password", {"old": "wrong", "new": NEW[1], "again": NEW[1]}, status=422)
    answer = person.do("/account/password", {"old": NEW[0], "new": NEW[1], "again": NEW[1]}, status=429)
    assert answer["type"] == "/problems/login.often"
    assert log_in(platform, "guesser", NEW[0]).status_code == 200


@pytest.fixture(scope="module")
def changer(platform):
    make(platform, "changer")
    return platform.person("changer", password=NEW[0])


@pytest.mark.parametrize("new,key", [("short-Pw-11", "password.short"), ("", "password.short"), ("x" * 129, "password.long"),
                                     ("Password-2026!!", "password.common"), ("a" * 12, "password.common"),
                                     ("123456789012", "password.common"), ("my-changer-2026", "password.common"),
                                     ("Tab\tin-the-middle", "password.control"), (NEW[0], "password.used")])
def test_passwords_that_are_not_taken(changer, new, key):
    for lang in ("en", "zh-Hant"):
        answer = changer.post("/account/password", {"old": NEW[0], "new": new, "again": new},
                              headers={"Accept-Language": lang})
        assert answer.status_code == 422, answer.text
        error, = answer.json()["errors"]
        assert (error["field"], error["key"]) == ("new", key)
        assert bool(re.search("[\u4e00-\u9fff]", error["reason"])) == (lang == "zh-Hant"), error


def test_a_change_needs_the_old_one_and_the_same_twice(changer):
    error, = changer.do("/account/password", {"old": "wrong", "new": NEW[1], "again": NEW[1]}, status=422)["errors"]
    assert (error["field"], error["key"]) == ("old", "password.wrong")
    error, = changer.do("/account/password", {"old": NEW[0], "new": NEW[1], "again": NEW[2]}, status=422)["errors"]
    assert (error["field"], error["key"]) == ("again", "password.different")
    assert changer.do("/account/password", {}, status=422)["errors"]


def test_the_last_three_are_not_taken_again(platform):
    make(platform, "turner")
    person, now = platform.person("turner", password=NEW[0]), NEW[0]
    for new in NEW[1:4]:
        person.do("/account/password", {"old": now, "new": new, "again": new})
        now = new
    guesses = "DELETE FROM rate WHERE name LIKE 'password:%'"
    for old in NEW[:4]:
        platform.sql(guesses)
        error, = person.do("/account/password", {"old": now, "new": old, "again": old}, status=422)["errors"]
        assert error["key"] == "password.used", old
    platform.sql(guesses)
    person.do("/account/password", {"old": now, "new": NEW[4], "again": NEW[4]})
    person.do("/account/password", {"old": NEW[4], "new": NEW[0], "again": NEW[0]})


def test_a_new_password_ends_the_other_sessions(platform):
    make(platform, "many")
    one, two = (platform.person("many", password=NEW[0]) for _ in range(2))
    one.do("/account/password", {"old": NEW[0], "new": NEW[1], "again": NEW[1]})
    assert one.get("/receipts").status_code == 200 and two.get("/receipts").status_code == 401
    assert log_in(platform, "many", NEW[0]).status_code == 401 and log_in(platform, "many", NEW[1]).status_code == 200


def test_a_first_password_must_be_changed(platform, admin):
    admin.do("/admin/accounts", {"login": "fresh", "name": "新人", "role": ["cashier"], "station": "TAO", "lang": "en",
                                 "password": NEW[0]})
    person = platform.person("fresh", password=NEW[0])
    for path in ("/receipts", "/search"):
        answer = person.get(path)
        assert answer.status_code == 403 and answer.json()["type"] == "/problems/problem.change_password"
    browser = Browser(platform.base, login="fresh", password=NEW[0])
    page = browser.get("/receipts")
    assert page.url.startswith(platform.base + "/account") and "change_password" in page.url
    assert person.see("/account")["must_change"]
    person.do("/account/password", {"old": NEW[0], "new": NEW[1], "again": NEW[1]})
    assert person.get("/receipts").status_code == 200 and not person.see("/account")["must_change"]


def test_a_password_stands_nowhere(platform):
    secrets = (*NEW, PASSWORD)
    places = [*(platform.folder / "logs").iterdir(), platform.folder / "state/fwpermit.db"]
    for path in places:
        data = path.read_bytes()
        assert not [s for s in secrets if s.encode() in data], path
    assert account(platform, "known", "pw_hash")[0].startswith("$argon2id$")


# ---- the administrator ----

def line_of(admin, login):
    return [a for a in admin.see("/admin")["accounts"] if a["login"] == login][0]


def roles_kept(admin, login):
    page = admin.see(line_of(admin, login)["href"])
    return {"name": page["account"]["name"], "role": [r["code"] for r in page["roles"] if r["selected"]], "active": "yes"}


def test_a_disabled_account_is_out_at_once(platform, admin):
    make(platform, "leaver")
    person = platform.person("leaver", password=NEW[0])
    keep = roles_kept(admin, "leaver")
    admin.do(line_of(admin, "leaver")["href"], {**keep, "active": ""})
    assert person.get("/receipts").status_code == 401
    right, wrong = log_in(platform, "leaver", NEW[0]), log_in(platform, "leaver", "wrong")
    assert right.status_code == 401 and said(right) == said(wrong)
    admin.do(line_of(admin, "leaver")["href"], keep)
    assert log_in(platform, "leaver", NEW[0]).status_code == 200


def test_disabled_by_ctl(platform):
    make(platform, "dropped")
    person = platform.person("dropped", password=NEW[0])
    platform.ctl("account", "disable", "dropped")
    assert person.get("/receipts").status_code == 401
    platform.ctl("account", "enable", "dropped")
    assert person.get("/receipts").status_code == 401, "its sessions are over"
    assert log_in(platform, "dropped", NEW[0]).status_code == 200


def test_other_roles_end_the_sessions_and_hold_at_once(platform, admin):
    make(platform, "mover")
    person = platform.person("mover", password=NEW[0])
    admin.do(line_of(admin, "mover")["href"], {**roles_kept(admin, "mover"), "name": "Mover"})
    assert person.get("/receipts").status_code == 200, "another name changes no right"
    admin.do(line_of(admin, "mover")["href"], {"name": "mover", "role": ["auditor"], "active": "yes"})
    assert person.get("/receipts").status_code == 401 and person.get("/audit").status_code == 401
    person = platform.person("mover", password=NEW[0])
    assert person.get("/receipts").status_code == 403 and person.get("/audit").status_code == 200


def test_a_password_by_the_administrator(platform, admin):
    make(platform, "lost")
    person = platform.person("lost", password=NEW[0])
    href = line_of(admin, "lost")["href"] + "/password"
    assert admin.do(href, {"new": "short"}, status=422)["errors"][0]["field"] == "new"
    admin.do(href, {"new": NEW[1]})
    assert person.get("/receipts").status_code == 401
    assert platform.person("lost", password=NEW[1]).see("/account")["must_change"]


@pytest.mark.parametrize("fields,field", [({"login": ""}, "login"), ({"password": "short"}, "password"), ({"role": []}, None),
                                          ({"login": "broker"}, "login"), ({"colour": "red"}, "colour")])
def test_accounts_that_are_not_made(platform, admin, fields, field):
    good = {"login": "nobody-yet", "name": "x", "role": ["cashier"], "password": NEW[0]}
    with platform.nothing_changes():
        answer = admin.post("/admin/accounts", {**good, **fields})
        assert answer.status_code in (409, 422), answer.text
        assert not field or answer.json()["errors"][0]["field"] == field
    assert not [a for a in admin.see("/admin")["accounts"] if a["login"] == "nobody-yet"]


def test_roles_that_do_not_go_together_or_are_none(platform, admin):
    for roles in (["employer", "cashier"], ["system"], ["anyone"], ["nothing"]):
        answer = admin.post("/admin/accounts", {"login": "mixture", "name": "x", "role": roles, "password": NEW[0]})
        assert answer.status_code == 422, (roles, answer.text)
    assert not platform.sql("SELECT 1 FROM account WHERE login = 'mixture'")


def test_an_organisation_an_account_and_a_delegation_by_pages(platform, admin):
    """All that it takes for a new employer to have an agency file for it."""
    org = admin.do("/admin/orgs", {"kind": "employer", "ban": "70541243", "name_zh": "新雇主", "name_en": "New Employer Ltd.",
                                   "address": "桃園市桃園區縣府路1號", "phone": "03-3322101"})["answer"]
    assert admin.do("/admin/orgs", {"kind": "employer", "ban": "70541243", "name_zh": "又"}, status=409)["errors"][0]["field"] == "ban"
    admin.do("/admin/accounts", {"login": "newboss", "name": "x", "role": ["employer"], "org": org, "password": NEW[0]})
    boss = platform.person("newboss", password=NEW[0])
    boss.do("/account/password", {"old": NEW[0], "new": NEW[1], "again": NEW[1]})
    agency = [o["id"] for o in admin.see("/admin")["orgs"] if o["label"].startswith("Far Sail")][0]
    admin.do("/admin/delegations", {"employer": org, "agency": agency})
    admin.do("/admin/delegations", {"employer": org, "agency": agency}, status=409)
    broker = platform.person("broker")
    assert org in {e["id"] for e in broker.see("/workers/new")["employers"]}
    fields = {**flow.worker_fields(flow.passport()), "employer": org}
    worker = broker.do("/workers", fields)["answer"]
    assert worker in {w["id"] for w in boss.see("/workers")["workers"]}


@pytest.mark.parametrize("fields,status", [({"kind": "bank"}, 422), ({"ban": "12345678"}, 422), ({"name_zh": "", "name_en": ""}, 422),
                                           ({"ban": ""}, 422)])
def test_organisations_that_are_not_made(platform, admin, fields, status):
    with platform.nothing_changes():
        answer = admin.post("/admin/orgs", {"kind": "employer", "ban": "70541248", "name_zh": "甲", "name_en": "A", **fields})
        assert answer.status_code == status and answer.json()["errors"], answer.text


@pytest.mark.parametrize("employer,agency", [("", ""), ("1", "1"), ("x", "y")])
def test_delegations_that_are_not_made(platform, admin, employer, agency):
    with platform.nothing_changes():
        answer = admin.post("/admin/delegations", {"employer": employer, "agency": agency})
        assert answer.status_code == 422 and answer.json()["errors"], answer.text


def test_delegation_by_the_employers_own_page(platform):
    """Without script, as a person does it; the first agency of the list has it before and after."""
    employer = Browser(platform.base, login="employer")
    page = employer.get("/account")
    grant = page.form_to("/account/delegations")
    agency, = platform.sql("SELECT id FROM org WHERE kind = 'agency' AND ban = '22099131'")[0]
    page = employer.send(grant, agency=str(agency))
    assert page.status == 200 and "Far Sail" in page.text
    broker = platform.person("broker")
    assert len(broker.see("/workers/new")["employers"]) >= 3
    revoke = [f for f in page.forms if f.action.endswith("/revoke")][0]
    page = employer.send(revoke)
    assert page.status == 200 and not [f for f in page.forms if f.action.endswith("/revoke")]
    assert "Hai Tian Fishery" not in {e["label"] for e in broker.see("/workers/new")["employers"]}
    with platform.nothing_changes():
        assert employer.send(revoke, _request="again-1").status == 404


# ---- what is logged in survives a process ----

def test_a_session_lives_through_a_serving_process(platform):
    person = platform.person("broker")
    serving = [pid for pid, line in conftest.processes_of(platform.folder) if "apache2" in line
               and str(pid) != (platform.folder / "httpd.pid").read_text().strip()]
    platform.expect("AH00051|AH00052|child pid .* exit signal Killed")
    for pid in serving:
        os.kill(pid, signal.SIGKILL)

    def answers():
        try:
            return person.get("/cases").status_code == 200
        except requests.ConnectionError:
            return False
    await_("the pages again", answers)
