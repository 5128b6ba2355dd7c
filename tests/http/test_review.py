"""What a hostile reader of the module looked for: doors that open too far, and what happens when others behave badly."""
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import threading

import flow
import pytest
import requests
from browser import Browser
from platform_under_test import PASSWORD, await_

DIRECTIVES = "FwPermitDatabaseMax 3\nFwPermitDatabaseWait 1500\n"


@pytest.fixture(scope="module", autouse=True)
def others(platform):
    """Beside the demo's people: another agency for the same employer, and officers with one role."""
    def create(login, roles, *more):
        platform.ctl("account", "create", login, "--roles", roles, "--keep", *more, text=PASSWORD + "\n")
    platform.ctl("org", "create", "agency", "70541237", "--name-en", "Other Agency Ltd.", "--licence", "99")
    platform.ctl("delegation", "grant", "04595257", "70541237")
    create("broker2", "agent", "--org", "70541237")
    create("hongyuan", "employer", "--org", "04595257")
    create("second-only", "second", "--station", "TAO")


def accounts(admin):
    return {a["login"]: a["id"] for a in admin.see("/admin")["accounts"]}


# ---- doors that open too far ----

def test_admin_addresses_are_for_admins_alone(platform):
    paths = platform.person().see("/api/openapi.json")["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            if path.startswith("/admin"):
                assert operation["x-roles"] == ["admin"], (method, path)


def test_a_refusal_shows_no_list_of_the_admin(platform):
    browser = Browser(platform.base, login="employer")
    token = browser.get("/account").value("_csrf")
    page = browser.post("/admin/delegations", {"_csrf": token})
    assert page.status == 403
    assert "dispatcher" not in page.text and "cashier" not in page.text


def test_nobody_sets_a_password_without_the_old_one(platform, admin):
    person = platform.person("second-only")
    answer = person.post(f"/admin/accounts/{accounts(admin)['second-only']}/password", {"new": "quite-another-word-77"})
    assert answer.status_code == 403
    assert platform.person("second-only").see("/account")["account"]["login"] == "second-only"


def test_a_worker_of_another_agency_opens_no_case(platform, broker):
    employer = str(platform.sql("SELECT id FROM org WHERE ban = '04595257'")[0][0])
    worker = broker.do("/workers", {**flow.worker_fields(flow.passport()), "employer": employer})["answer"]
    other = platform.of("broker2")
    assert other.get(f"/workers/{worker}").status_code == 404
    assert other.post("/cases", {"service": "epermit", "worker": worker}).status_code == 404


def test_a_worker_page_shows_no_case_of_another_agency(platform, broker):
    worker = flow.register(platform.of("hongyuan"))
    case = flow.open_case(broker, worker)
    other = platform.of("broker2")
    assert other.get(f"/cases/{case}").status_code == 404
    assert other.see(f"/workers/{worker}")["cases"] == []
    assert [c["id"] for c in broker.see(f"/workers/{worker}")["cases"]] == [case]


def test_a_draft_is_no_business_of_the_office(platform, broker):
    case = flow.draft(broker)
    page = broker.see(f"/cases/{case}")
    for login in ("reviewer1", "second-only"):
        assert platform.of(login).get(f"/review/{case}").status_code == 404
        assert platform.of(login).get(f"/review/{case}/files/{page['files'][0]['id']}").status_code == 404


def test_a_cashier_reads_receipts_alone(platform, broker, reviewers):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    flow.issued(platform, broker, case)
    await_("all papers", lambda: len(broker.see(f"/cases/{case}")["documents"]) == 3)
    for d in broker.see(f"/cases/{case}")["documents"]:
        answer = platform.of("cashier").get(f"/review/{case}/documents/{d['id']}")
        assert answer.status_code == (200 if d["kind"] == "receipt" else 404), d["kind"]


def test_what_officers_tell_each_other_is_not_told_to_applicants(platform, broker, reviewers):
    case = flow.filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "approve")
    flow.decide(second, case, "send-back", {"reason": "the photo looks like another person"})
    assert "another person" not in broker.get(f"/cases/{case}").text
    assert "another person" in first.get(f"/review/{case}").text


# ---- four eyes, versions ----

def test_a_case_lies_on_one_desk(platform, broker, reviewers):
    """Before the initial reviewer has proposed something, no second reviewer acts."""
    case = flow.filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    for path, fields in (("reject", {"reason": "x"}), ("return", {"mark.photo": "x"}), ("correct", {"name_zh": "阮文雄"})):
        for person in (second, platform.of("second-only")):
            assert flow.ask_to(person, case, path, fields).status_code == 409, (path, person.login)
    assert not any(v for k, v in second.see(f"/review/{case}")["may"].items())
    flow.decide(first, case, "approve")


def test_a_rejection_needs_two_officers_and_a_reason(platform, broker, reviewers):
    case = flow.filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "reject", {"reason": "招募許可已廢止"})
    assert flow.state(broker, case) == "second_review"
    assert "招募許可已廢止" not in broker.get(f"/cases/{case}").text
    assert flow.ask_to(first, case, "reject", {"reason": "again"}).status_code == 409
    assert second.see(f"/review/{case}")["reason"] == "招募許可已廢止"
    # what was proposed to be rejected is not granted by the same key
    assert flow.ask_to(second, case, "confirm").status_code == 409
    assert second.see(f"/review/{case}")["may"]["confirm"] is None
    assert flow.ask_to(second, case, "reject").status_code == 422
    flow.decide(second, case, "reject", {"reason": "招募許可已廢止"})
    page = broker.see(f"/cases/{case}")
    assert page["case"]["state"]["code"] == "rejected" and page["reason"] == "招募許可已廢止"


def test_a_proposal_that_was_sent_back_can_become_an_approval(platform, broker, reviewers):
    case = flow.filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "reject", {"reason": "招募許可已廢止"})
    flow.decide(second, case, "send-back", {"reason": "it is in force"})
    flow.decide(first, case, "approve")
    flow.decide(second, case, "confirm")
    assert flow.state(broker, case) == "awaiting_payment"


@pytest.mark.parametrize("version", [None, "", "x", "-1", "1e9", "99999999999", " 1"])
def test_a_version_that_is_none_is_refused(platform, broker, reviewers, version):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    answer = first.post(f"/review/{case}/approve", {} if version is None else {"version": version})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "version"
    assert flow.state(broker, case) == "initial_review"


def test_a_stale_worker_is_a_conflict(platform, broker):
    worker = flow.register(broker)
    version = broker.see(f"/workers/{worker}")["version"]
    broker.do(f"/workers/{worker}", {"version": version, "name_native": "Một"})
    answer = broker.post(f"/workers/{worker}", {"version": version, "name_native": "Hai"})
    assert answer.status_code == 409, answer.text
    assert "Một" in broker.get(f"/workers/{worker}").text


def test_no_one_is_applicant_and_officer(platform, admin):
    who = {"login": "both", "password": "quite-a-long-word-77", "name": "B", "role": ["employer", "second"], "station": "TAO"}
    assert admin.post("/admin/accounts", who).status_code == 422
    mine = accounts(admin)["second-only"]
    answer = admin.post(f"/admin/accounts/{mine}", {"role": ["second", "agent"], "active": "yes"})
    assert answer.status_code == 422


def test_a_permit_that_would_have_ended_is_not_granted(platform, broker, reviewers):
    case = flow.filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "approve")
    data = json.loads(platform.sql("SELECT data FROM cases WHERE id = ?", int(case))[0][0])
    data["contract_to"] = flow.iso(-1)
    platform.sql("UPDATE cases SET data = ? WHERE id = ?", json.dumps(data), int(case))
    answer = flow.ask_to(second, case, "confirm")
    assert answer.status_code == 409, answer.text
    assert flow.state(broker, case) == "second_review"


def test_what_lacks_something_is_not_approved(platform, broker, reviewers):
    """A correction that asks for more than was filed does not go on without it."""
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "correct", {"has_ui_no": "yes"})
    answer = flow.ask_to(first, case, "approve")
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "ui_no", answer.text
    flow.decide(first, case, "correct", {"has_ui_no": "no"})
    flow.decide(first, case, "approve")


def test_not_abroad_is_not_abroad(platform, broker, reviewers):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "return", {"mark.photo": "too dark", "abroad": False})
    deadline = datetime.datetime.fromisoformat(broker.see(f"/cases/{case}")["case"]["deadline"]["iso"].replace("Z", "+00:00"))
    assert (deadline - datetime.datetime.now(datetime.timezone.utc)).days < 40


# ---- the same key ----

def test_a_key_is_of_one_address(platform, broker):
    one, two = flow.draft(broker), flow.draft(broker)
    broker.do(f"/cases/{one}/submit", {}, key="the-same-key-1")
    answer = broker.post(f"/cases/{two}/submit", {}, key="the-same-key-1")
    assert answer.status_code == 422, answer.text
    assert flow.state(broker, two) == "draft"


def test_a_key_of_an_upload_is_of_one_slot(platform, broker):
    case = flow.open_case(broker, flow.register(broker))
    broker.upload(case, "passport_page", "a.pdf", flow.pdf(), key="the-same-key-2")
    answer = broker.post(f"/cases/{case}/files/employment_proof", key="the-same-key-2", files={"file": ("a.pdf", flow.pdf())})
    assert answer.status_code == 422, answer.text
    broker.upload(case, "passport_page", "a.pdf", flow.pdf(), key="the-same-key-2")


def test_no_hash_of_a_password_but_its_own(platform, admin):
    """A digest of the whole body would give a thief of the database a fast way to guess."""
    admin.do("/admin/accounts", {"login": "hashed", "password": "quite-a-long-word-77", "name": "H", "role": ["cashier"]},
             key="create-hashed")
    admin.do(f"/admin/accounts/{accounts(admin)['hashed']}/password", {"new": "quite-a-long-word-78"}, key="reset-hashed")
    person = platform.person("hashed", password="quite-a-long-word-78")
    person.do("/account/password", {"old": "quite-a-long-word-78", "new": "quite-a-long-word-79"}, key="change-hashed")
    assert platform.sql("SELECT request_id FROM idem WHERE request_id LIKE '%-hashed'") == []


# ---- reads are noted ----

def test_a_page_that_comes_with_a_refusal_is_a_read_too(platform, broker, reviewers):
    case = flow.filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    browser = Browser(platform.base, login=first.login)
    token = browser.get("/account").value("_csrf")
    page = browser.post(f"/review/{case}/approve", {"_csrf": token, "version": "99"})
    assert page.status == 409 and "NGUYEN" in page.text
    # nothing was approved: that it was read is all there can be
    await_("the read in the audit trail", lambda: platform.sql(
        "SELECT 1 FROM audit WHERE aggregate = ? AND command = 'read.case.approve' AND actor = ?", f"case:{case}", first.login))


def test_roles_that_were_changed_stand_in_the_audit_trail(platform, admin):
    mine = accounts(admin)["second-only"]
    admin.do(f"/admin/accounts/{mine}", {"role": ["second", "dispatcher"], "active": "yes"})
    data = platform.sql("SELECT data FROM audit WHERE aggregate = ? ORDER BY seq DESC LIMIT 1", f"account:{mine}")[0][0]
    assert json.loads(data)["before"]["roles"] == "second" and json.loads(data)["after"]["roles"] == "second,dispatcher"
    admin.do(f"/admin/accounts/{mine}", {"role": ["second"], "active": "yes"})


# ---- who is there ----

def test_a_name_that_is_none_is_locked_like_one_that_is(platform):
    def tries(login):
        http = requests.Session()
        return [http.post(platform.base + "/login", json={"login": login, "password": "wrong"}).json()["detail"]
                for _ in range(7)]
    assert tries("cashier") == tries("no-such-name-here")
    platform.ctl("account", "unlock", "cashier")


def test_the_old_password_is_not_guessed_at_leisure(platform, admin):
    admin.do("/admin/accounts", {"login": "guessed", "password": "quite-a-long-word-77", "name": "G", "role": ["cashier"]})
    person = platform.person("guessed", password="quite-a-long-word-77")
    answers = [person.post("/account/password", {"old": f"guess {i}", "new": "quite-a-long-word-78"}).status_code
               for i in range(7)]
    assert answers[0] == 422 and answers[-1] == 429


@pytest.mark.parametrize("headers, refused", [
    ({"Sec-Fetch-Site": "same-site"}, True), ({"Sec-Fetch-Site": "cross-site"}, True), ({"Origin": "null"}, True),
    ({"Sec-Fetch-Site": "same-origin"}, False), ({"Sec-Fetch-Site": "none"}, False), ({}, False)])
def test_a_log_in_from_another_site_is_refused(platform, headers, refused):
    answer = requests.post(platform.base + "/login", json={"login": "dispatcher", "password": PASSWORD}, headers=headers)
    assert answer.status_code == (403 if refused else 200)


def test_an_agent_that_is_no_utf8(platform):
    answer = requests.post(platform.base + "/login", json={"login": "dispatcher", "password": PASSWORD},
                           headers={"User-Agent": b"caf\xe9 " * 60})
    assert answer.status_code == 200
    agent = platform.sql("SELECT agent FROM session ORDER BY created DESC LIMIT 1")[0][0]
    assert agent.isascii() and 0 < len(agent) <= 200


# ---- odd addresses ----

@pytest.mark.parametrize("path", ["/verify/%ff/%ff", "/verify/%c3%28/A", "/%ff", "/language/%ff", "/verify/%01/%02"])
def test_a_path_that_is_no_text_is_not_found(platform, path):
    assert requests.get(platform.base + path).status_code == 404


def test_a_notice_stands_before_the_anchor(platform, broker):
    case = flow.draft(broker)
    file = broker.see(f"/cases/{case}")["files"][0]["id"]
    browser = Browser(platform.base, login="broker")
    token = browser.get("/account").value("_csrf")
    answer = browser.http.post(f"{platform.base}/cases/{case}/files/{file}/remove", data={"_csrf": token},
                               headers={"Origin": platform.base}, allow_redirects=False)
    assert re.search(rf"/cases/{case}/edit\?done=file_removed(#|$)", answer.headers["Location"])


def test_an_account_of_no_organisation(platform, admin):
    who = {"login": "lost", "password": "quite-a-long-word-77", "name": "L", "role": ["employer"]}
    assert admin.post("/admin/accounts", {**who, "org": "999999999"}).status_code == 422
    assert admin.post("/admin/accounts", who).status_code == 422
    assert admin.post("/admin/accounts", {**who, "role": ["second"], "station": "ZZZ"}).status_code == 422
    assert admin.post("/admin/accounts", {**who, "login": "a" * 101, "role": ["cashier"]}).status_code == 422
    assert admin.post("/admin/accounts", {**who, "login": "a b\n", "role": ["cashier"]}).status_code == 422


# ---- who is slow harms nobody else ----

def slow(platform, path, headers=""):
    s = socket.create_connection(("127.0.0.1", platform.port))
    s.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{platform.port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
              f"Content-Length: 100\r\n{headers}\r\nlogin=".encode())
    return s


def test_bodies_that_do_not_come_hold_no_connection_of_the_database(platform):
    held = [slow(platform, "/login") for _ in range(8)]
    try:
        for _ in range(6):
            assert requests.get(platform.base + "/login", timeout=10).status_code == 200
            assert platform.of("dispatcher").get("/dispatch").status_code == 200
    finally:
        for s in held:
            s.close()


def test_uploads_that_do_not_come_hold_none_either(platform, broker):
    case = flow.open_case(broker, flow.register(broker))
    cookie = "; ".join(f"{c.name}={c.value}" for c in broker.http.cookies)
    held = []
    try:
        for _ in range(8):
            s = socket.create_connection(("127.0.0.1", platform.port))
            s.sendall((f"POST /cases/{case}/files/passport_page HTTP/1.1\r\nHost: 127.0.0.1:{platform.port}\r\nCookie: {cookie}\r\n"
                       f"X-CSRF-Token: {broker.csrf}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999\r\n\r\n"
                       "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.4").encode())
            held.append(s)
        for _ in range(6):
            assert platform.of("dispatcher").get("/dispatch").status_code == 200
    finally:
        for s in held:
            s.close()


def test_a_flood_of_log_ins_starves_no_page(platform):
    """More log-ins than the lane and the database have room for: the pages of others go on."""
    stop, seen = threading.Event(), []

    def flood():
        while not stop.is_set():
            seen.append(requests.post(platform.base + "/login", json={"login": "nobody-at-all", "password": "x" * 20}).status_code)
    threads = [threading.Thread(target=flood) for _ in range(16)]
    for t in threads:
        t.start()
    try:
        await_("the flood", lambda: len(seen) > 20)
        answers = [platform.of("dispatcher").get("/dispatch").status_code for _ in range(20)]
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert answers == [200] * 20


# ---- a serving process that could not begin ----

def children_of(platform):
    parent = int((platform.folder / "httpd.pid").read_text(encoding="ascii"))
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(stat.rsplit(")", 1)[1].split()[1]) == parent and b"fwpermit-worker" not in words:
                found.append(int(entry.name))
    return found


def test_a_process_that_could_not_begin_tries_again(platform):
    """A folder that is away for a moment makes no process useless for its whole life."""
    platform.expect("AH00052: child pid|FWP0002: ")
    journal = platform.folder / "state/journal"
    status = lambda: requests.get(platform.base + "/login", timeout=20).status_code  # noqa: E731
    mode = journal.stat().st_mode
    journal.chmod(0)
    try:
        for pid in children_of(platform):
            os.kill(pid, signal.SIGKILL)
        await_("a process that cannot serve", lambda: asks(status) == 503)
    finally:
        journal.chmod(mode)
    await_("that it serves", lambda: all(asks(status) == 200 for _ in range(20)))


def asks(ask):
    try:
        return ask()
    except requests.ConnectionError:
        return None
