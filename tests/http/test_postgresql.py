"""The main job on PostgreSQL 15, with the server restarted in the middle of it."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest
import requests

import flow
from conftest import ALWAYS, end_well, free_ports, processes_of
from platform_under_test import ROOT, Platform, await_


@pytest.fixture(scope="module", name="cluster")
def own_cluster():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fw-pg-"))
    folder.chmod(0o755)
    done = subprocess.run([ROOT / "tests/lib/pgsql", "start", folder, "25900", "25949"], capture_output=True, text=True,
                          check=True, timeout=120)
    yield folder, done.stdout.strip()
    subprocess.run([ROOT / "tests/lib/pgsql", "stop", folder], check=False, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module", name="postgres")
def platform_on_postgresql(cluster):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fw-http-"))
    folder.chmod(0o755)
    served = Platform(folder, free_ports(), "--driver", "pgsql", "--database", cluster[1], build=os.environ.get("B"))
    (folder / "extra").mkdir()
    (folder / "extra/test.conf").write_text(ALWAYS, encoding="utf-8")
    try:
        served.start()
        yield served
        # While the database was away pages and workers said so.
        end_well_but_for_the_restart(served)
    finally:
        if processes_of(folder):
            served.serve("stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def end_well_but_for_the_restart(served):
    served.expect(r"FWP0102|FWP\d+: .*(connection|database|terminat)|server closed the connection")
    end_well(served)


def people_of(platform):
    return platform.of("broker"), [platform.of("reviewer1"), platform.of("reviewer2")]


def test_main_job(postgres):
    broker, officers = people_of(postgres)
    case = flow.filed(broker)
    flow.approve(postgres, case, officers)
    flow.pay(postgres, broker, case)
    page = flow.issued(postgres, broker, case)
    await_("three papers", lambda: len(broker.see(f"/cases/{case}")["documents"]) == 3)
    assert page["permit"]["state"]["code"] == "valid"


def test_database_restarted_in_the_middle(postgres, cluster):
    """Pages come back by themselves; nothing that was acknowledged is gone."""
    broker, officers = people_of(postgres)
    case = flow.draft(broker)
    subprocess.run([ROOT / "tests/lib/pgsql", "restart", cluster[0]], check=True, timeout=120)
    await_("the pages", lambda: broker.get(f"/cases/{case}").status_code == 200)
    assert broker.see(f"/cases/{case}/check")["missing"] == []
    number = await_("the filing", lambda: submitted(broker, case))
    subprocess.run([ROOT / "tests/lib/pgsql", "restart", cluster[0]], check=True, timeout=120)
    await_("the pages", lambda: broker.get(f"/cases/{case}").status_code == 200)
    assert broker.see(f"/cases/{case}")["case"]["case_no"] == number
    await_("the reviewers' pages", lambda: all(o.get("/desk").status_code == 200 for o in officers))
    flow.approve(postgres, case, officers)
    flow.pay(postgres, broker, case)
    flow.issued(postgres, broker, case)


def test_reload_while_the_database_is_away(postgres, cluster):
    """Who turns logs over at night does not end the server because the database is away just then."""
    postgres.expect("FWP0008: ")
    subprocess.run([ROOT / "tests/lib/pgsql", "stop", cluster[0]], check=True, timeout=120)
    try:
        os.kill(int((postgres.folder / "httpd.pid").read_text(encoding="ascii")), signal.SIGUSR1)
        await_("the reload", lambda: postgres.error_log().count("resuming normal operations") >= 2
               or not processes_of(postgres.folder))
        answer = requests.get(postgres.base + "/login", timeout=30)
        assert answer.status_code == 503 and answer.headers["Retry-After"]
    finally:
        subprocess.run([ROOT / "tests/lib/pgsql", "restart", cluster[0]], check=True, timeout=120)
    await_("the pages", lambda: requests.get(postgres.base + "/login", timeout=30).status_code == 200)


def submitted(person, case):
    """The case number; tried again with the same key where the database was away."""
    answer = person.post(f"/cases/{case}/submit", key=f"submit-{case}")
    return answer.json()["case"]["case_no"] if answer.status_code == 200 else None


def test_audit_is_whole(postgres):
    await_("a whole chain", lambda: "whole" in postgres.ctl("audit", "verify", ok=False).stdout)
