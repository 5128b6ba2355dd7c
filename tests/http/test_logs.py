"""The logs: every line of a request has its id, which error pages show; no line has anything personal; and they are rotated."""
import os
import pathlib
import re

import requests

import conftest
import flow
import wire
from platform_under_test import await_

ACCESS = re.compile(r'\S+ \S+ \S+ \[[^]]+\] "\w+ (/\S*) HTTP/1\.[01]" \d{3} \d+ "-" "[^"]*" ([\w@-]{20,})')


def log(platform, name):
    return (platform.folder / "logs" / name).read_text(encoding="utf-8", errors="replace")


def altered(platform, case):
    """The address of a file of the case whose head in the vault is altered now."""
    ((number, name),) = platform.sql("SELECT id, vault FROM case_file WHERE case_id = ? AND slot = 'photo'", int(case))
    path = platform.folder / "state/vault" / name[:2] / name
    path.write_bytes(b"FWV9" + path.read_bytes()[4:])
    return f"/cases/{case}/files/{number}"


def test_an_error_s_page_and_both_logs_have_one_id(platform, broker):
    platform.expect("FWP0101: .*its head fails")
    path = altered(platform, flow.draft(broker))
    told = broker.get(path)
    assert told.status_code == 500
    page = broker.get(path, headers={"Accept": "text/html"}).text
    shown = re.search(r"tell us this number: <code>([\w@-]+)</code>", page)[1]
    numbers = [told.json()["log_id"], shown]
    assert len(set(numbers)) == 2
    for number in numbers:
        assert len(re.findall(rf" {re.escape(number)}$", platform.logged(rf" {re.escape(number)}$"), re.M)) == 1
        assert len(re.findall(rf"\[fwpermit:error\] .*\[{re.escape(number)}\].* FWP0101: ", log(platform, "error.log"))) == 1


def test_every_line_of_the_access_log_has_an_id_of_its_own(platform, broker):
    broker.see("/cases")
    broker.get("/nothing/here")
    requests.get(platform.base + "/assets/0/none.css", timeout=30)
    found = [ACCESS.fullmatch(line) for line in platform.logged("/none.css").splitlines()]
    assert all(found) and len(found) > 10
    assert len({m[2] for m in found}) == len(found)


def test_a_line_that_is_no_request_is_logged_without_it(platform):
    wire.talk(platform, b"GET /verify/EP1/SECRETCODE\x01 HTTP/1.1\r\nHost: x\r\n\r\n")
    wire.talk(platform, b"NONSENSE SECRETCODE\r\n\r\n")
    requests.get(platform.base + "/after/nonsense", timeout=30)
    assert "SECRETCODE" not in platform.logged("/after/nonsense") + log(platform, "error.log")


def test_the_main_job_leaves_nothing_personal(platform, reviewers):
    """From registration to verification, by program and by browser, and what goes wrong on the way."""
    platform.expect("AH00131|directory")
    person, number = platform.person("broker"), flow.passport()
    case = flow.open_case(person, flow.register(person, number))
    person.post(f"/cases/{case}/edit", {**flow.case_fields(), "nonsense": "Nguyễn Văn Anh", "entry_date": "1990-03-15"})
    flow.fill(person, case)
    flow.submit(person, case)
    reviewers[0].post("/search", {"q": "NGUYEN VAN ANH"})
    flow.approve(platform, case, reviewers)
    flow.pay(platform, person, case)
    flow.issued(platform, person, case)
    ((permit, code),) = platform.sql("SELECT permit_no, code FROM permit WHERE case_id = ?", int(case))
    verify = f"{platform.base}/verify/{permit}/{code}"
    assert requests.get(verify, headers={"Accept": "application/json"}, timeout=30).json()["found"]["is_valid"]
    requests.get(f"{platform.base}/verify", params={"no": permit, "code": code}, timeout=30)
    for path in ("/assets/0/", "/assets/0/none.js", "/verify/more/than/this", "/nothing"):
        requests.get(platform.base + path, headers={"Referer": verify}, timeout=30)
    await_("the mail", lambda: platform.mails(to="broker@demo.example"))
    secrets = ["NGUYEN", "Nguy", "VAN ANH", "VAN%20ANH", "阮文英", number, "1990-03-15", "900315", "V1234567", "勞動發事字", "桃園市",
               "@demo.example", code, person.csrf, person.http.cookies["fwpermit"], "pwFHCqoQZGmho4w6", "EkRm7iFT261dpevs"]
    platform.logged("/verify/-")
    platform.logged("GET /nothing ")
    for path in (platform.folder / "logs").iterdir():
        if path.name == "standin.log":  # the gateway's and the mail server's own
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found = [(s, line) for s in secrets for line in text.splitlines() if s in line]
        assert not found, (path.name, found[:3])


def writers(platform, path):
    """The processes that have the file open."""
    found = []
    for pid, _ in conftest.processes_of(platform.folder):
        try:
            found += [pid for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir() if os.readlink(fd) == str(path)]
        except OSError:
            continue
    return found


def test_logs_are_rotated_by_renaming_and_a_reload(platform, broker):
    """As logrotate does it: httpd and the processes beside it write on into the new files, and leave the old ones."""
    names = ("error.log", "access.log")
    logs = platform.folder / "logs"
    for name in names:
        (logs / name).rename(logs / f"{name}.1")
    platform.reload()
    assert "signer: serv" in log(platform, "error.log")
    await_("nobody at the old ones", lambda: not any(writers(platform, logs / f"{name}.1") for name in names))
    sizes = [(logs / f"{name}.1").stat().st_size for name in names]
    broker.see("/cases")
    platform.expect("FWP0101: .*its head fails")
    assert broker.get(altered(platform, flow.draft(broker))).status_code == 500
    await_("an access line", lambda: '"GET /cases HTTP' in log(platform, "access.log"))
    assert "FWP0101" in log(platform, "error.log") and writers(platform, logs / "error.log")
    assert sizes == [(logs / f"{name}.1").stat().st_size for name in names]
    platform.expect(r"FWP0006: .* ended \(status 15\)")
