"""A process beside httpd that ends again and again: started each time, told each time, and serving in the end."""
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import time

import conftest
import flow
from platform_under_test import await_


def process_of(platform, role):
    """Its process, if it runs: until the pause is over it has no command line of its own."""
    found = [pid for pid, line in conftest.processes_of(platform.folder) if f"fwpermit-worker {role}" in line]
    return found[0] if found else None


def test_a_process_that_ends_in_a_row_is_started_again(platform, broker, reviewers):
    platform.expect(r"FWP0006: signer ended \(status 9\); it is started again, attempt [123]")
    platform.expect("(FWP2201|FWP2130) .*the signer is away")
    for attempt in (1, 2, 3):
        pid = await_(f"start {attempt}", lambda: process_of(platform, "signer"))
        os.kill(pid, signal.SIGKILL)
        told = f"FWP0006: signer ended (status 9); it is started again, attempt {attempt}"
        await_(told, lambda line=told: line in platform.error_log())
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    assert "permit" in {d["kind"] for d in flow.issued(platform, broker, case)["documents"]}


def test_a_photo_waits_for_the_process_that_judges_it(platform, broker):
    """It costs its sender much to send it again."""
    platform.expect(r"FWP0006: pictures ended \(status 9\)")
    case = flow.open_case(broker, flow.register(broker))
    os.kill(process_of(platform, "pictures"), signal.SIGKILL)
    assert broker.upload(case, "photo", "photo.jpg", flow.photo())


def test_what_was_sent_is_noted_as_soon_as_the_database_writes_again(platform, broker):
    """Somebody holds the write lock while a mail goes out, for longer than anybody waits for it."""
    platform.expect("FWP2108 ")
    case = flow.draft(broker)
    await_("quiet", lambda: not platform.sql("SELECT 1 FROM outbox WHERE state IN ('ready', 'leased')"))
    mailer, = [pid for pid, line in conftest.processes_of(platform.folder) if "fwpermit-worker plugin mail" in line]
    os.kill(mailer, signal.SIGSTOP)
    try:
        flow.submit(broker, case)
        row, = await_("the mail under way", lambda: platform.sql("SELECT id FROM outbox WHERE port = 'notify' AND state = 'leased'"))
        with open(platform.folder / "state/fwpermit.db.lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.kill(mailer, signal.SIGCONT)
            await_("the end that is not written", lambda: "is not written yet" in platform.error_log())
    finally:
        os.kill(mailer, signal.SIGCONT)
    await_("its note", lambda: platform.sql("SELECT state, attempt FROM outbox WHERE id = ?", *row) == [("done", 1)])


def stop_all_others(platform):
    """Gateway, mail server and every plugin stand still: they neither answer nor end."""
    stopped = [int((platform.folder / "standin.pid").read_text())]
    stopped += [pid for pid, line in conftest.processes_of(platform.folder) if "fwpermit-worker plugin" in line]
    assert len(stopped) >= 4
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    return stopped


def test_a_receipt_of_filing_needs_no_other_system(platform, broker):
    """It is issued at once, by our own processes alone, and says what was filed and when."""
    platform.expect("FWP2107 ")
    case = flow.draft(broker)
    stopped = stop_all_others(platform)
    try:
        flow.submit(broker, case)
        papers = await_("the receipt", lambda: broker.see(f"/cases/{case}")["documents"])
        pdf = platform.folder / "filing.pdf"
        pdf.write_bytes(broker.get(papers[0]["href"]).content)
        attached = [broker.get(f["href"]).content for f in broker.see(f"/cases/{case}")["files"]]
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    subprocess.run(["pdfdetach", "-save", "1", "-o", platform.folder / "said.json", pdf], check=True)
    said = json.loads((platform.folder / "said.json").read_text())
    ((submitted, number, data),) = platform.sql("SELECT submitted, case_no, data FROM cases WHERE id = ?", int(case))
    assert (said["case_no"], said["data"]) == (number, json.loads(data))
    assert said["filed"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(submitted // 1000000))
    assert {f["sha256"] for f in said["files"]} == {hashlib.sha256(a).hexdigest() for a in attached}
    canonical = json.dumps(said["data"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert said["data_sha256"] == hashlib.sha256(canonical.encode()).hexdigest()
    verdict = subprocess.run(["pdfsig", pdf], capture_output=True, text=True, check=True).stdout
    assert "Signature is Valid" in verdict and "Total document signed" in verdict
