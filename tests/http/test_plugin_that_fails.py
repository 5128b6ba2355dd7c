"""A notify plugin that does one thing after the other wrong, beside a payment plugin that works: nobody else notices.
And one whose settings are wrong."""
import os
import re
import subprocess

import pytest
import requests

import flow
from conftest import processes_of
from platform_under_test import ROOT, await_

CASES = 4
DONE = 11  # turns before the one that closes all files; the last of them takes all memory. Where there is time it closes and crashes too


def pid_of(platform, role):
    found = [pid for pid, words in processes_of(platform.folder) if f"fwpermit-worker {role} " in words + " "]
    return found[0] if found else None


@pytest.fixture(scope="module", name="odd")
def platform_with_it(platform):
    """The counter's file: a byte for each notice that the plugin was given."""
    counter = platform.folder / "state/counter"
    library = platform.folder / "lib/plugins/odd.so"
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-D_GNU_SOURCE",
                    f"-I{ROOT}/plugins", str(ROOT / "tests/plugin/odd.c"), "-o", str(library)], check=True)
    os.chmod(library, 0o644)
    (platform.folder / "before").mkdir()
    (platform.folder / "before/odd.conf").write_text(
        f'FwPermitPlugin odd notify "{library}"\nFwPermitPluginOption odd counter "{counter}"\n'
        "FwPermitPluginOption odd process.memory_mb 64\n", encoding="utf-8")
    platform.stop()
    platform.start()
    return counter


def test_nobody_else_notices(platform, odd, broker, reviewers):
    platform.expect(r"exit signal (Alarm clock|Bus error|Killed)|plugin odd\b|FWP0006: plugin odd|FWP2106 mail:|FWP2106 notice|FWP2107 plugin odd|is given up after")
    others = {role: pid_of(platform, role) for role in ("plugin ecpay", "plugin mail", "pump", "signer")}
    assert all(others.values()) and pid_of(platform, "plugin odd")
    for _ in range(CASES):
        case = flow.filed(broker)
        flow.approve(platform, case, reviewers)
        flow.pay(platform, broker, case)
        flow.issued(platform, broker, case)
    await_("its turns", lambda: odd.exists() and odd.stat().st_size > DONE, 60)
    assert broker.get("/cases").status_code == 200
    assert {role: pid_of(platform, role) for role in others} == others
    log = platform.error_log()
    assert "its answer breaks the contract" in log and "lines of it are left out" in log
    assert "no memory is left" in log or "FW_SERVER_ENV" in os.environ  # a sanitizer's memory has no bound
    assert log.count("flood") < 3000 and "\x1b" not in log
    plain = r"\[[A-Z][a-z]{2} |fwpermit-worker |AH\d|$"
    assert [line for line in log.splitlines() if not re.match(plain, line)] == []


def test_wrong_settings_are_told_before_anything_is_delivered(platform):
    platform.expect(r"plugin wrong|FWP2107 plugin \w+: ")  # what a reload interrupts is sent again
    conf = platform.folder / "before/wrong.conf"
    lines = [f'FwPermitPlugin wrong monitor "{platform.folder}/lib/plugins/monitor_prometheus.so"',
             "FwPermitPluginOption wrong port nowhere"]

    def system():
        admin = platform.of("admin")
        try:
            return admin.see("/admin/system")
        except requests.ConnectionError:  # the reload ended the connection that was kept
            return admin.see("/admin/system")

    def part():
        return next((p for p in system()["parts"] if p["name"] == "plugin-wrong"), {})

    def restart(*some):
        conf.write_text("\n".join(some) + "\n", encoding="utf-8")
        platform.start()

    conf.parent.mkdir(exist_ok=True)
    restart(*lines)
    # until its process has begun and looked, all that can be said of it is that it does not listen
    told = await_("the fault", lambda: "port" in (part().get("error") or "") and part())
    assert told["advice"] and "process does not" not in told["error"]
    link = next(x for x in system()["links"] if x["plugin"] == "wrong")
    assert link["state"]["code"] == "down" and link["error"] == told["error"]
    said = platform.ctl("plugin", "list", ok=False).stdout
    assert told["error"] in said
    restart(lines[0])
    await_("its being well", lambda: part().get("state", {}).get("code") == "up")
    assert "error" not in part() or part()["error"] is None
    conf.unlink()
    platform.start()
