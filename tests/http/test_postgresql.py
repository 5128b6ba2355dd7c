"""The main job on PostgreSQL 15, with the server restarted in the middle of it."""
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

import pytest
import requests

import flow
from cluster import Cluster
from conftest import ALWAYS, end_well, free_ports, processes_of
from elsewhere import Elsewhere, busy
from platform_under_test import ROOT, Platform, await_
from psql import PSQL


@pytest.fixture(scope="module", name="cluster")
def own_cluster():
    cluster = Cluster()
    yield cluster.folder, cluster.words
    cluster.end()


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
    served.expect(r"FWP0102|FWP2108 |FWP2201|FWP\d+: .*(connection|database|terminat)|server closed the connection")
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


@pytest.fixture(name="recorder")
def programs_that_are_watched(monkeypatch):
    """pg_dump and pg_restore by way of a script that notes how they were called; in a folder of its own, for pytest closes its own
    to other users whenever another run begins."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fw-watched-"))
    folder.chmod(0o777)
    for name in ("pg_dump", "pg_restore"):
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >>{folder}/called\n[ "$PGPASSWORD" = sesame ] && echo known >>{folder}/called\n'
                          f'while [ -e {folder}/hold ]; do sleep 0.05; done\nexec {shutil.which(name)} "$@"\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    (folder / "called").touch()
    (folder / "called").chmod(0o666)
    yield folder / "called"
    shutil.rmtree(folder)


def psql(words, statement, data=None):
    """One statement, which `data` is for; or, without one, all that `data` says."""
    asked = ["-c", statement] if statement else []
    return subprocess.run([PSQL, "-qtA", "-v", "ON_ERROR_STOP=1", "-d", words, *asked], check=True, timeout=60, capture_output=True,
                          text=True, input=data, env={**os.environ, "PGOPTIONS": "-c session_replication_role=replica"}).stdout


def seals(platform):
    told = platform.ctl("audit", "verify").stdout
    return int(told.split("anchored ")[1].split()[0])


def backup_in_slow_motion(platform, broker, recorder):
    """The view of the database is taken; before it is copied, a case is filed and sealed, and the journals are emptied."""
    hold = recorder.with_name("hold")
    hold.touch()
    made = threading.Thread(target=platform.ctl, args=("backup", str(platform.folder / "backup")))
    made.start()
    try:
        await_("pg_dump", lambda: "pg_dump" in recorder.read_text())
        before = seals(platform)
        flow.filed(broker)
        await_("more seals", lambda: seals(platform) > before + 1)
    finally:
        hold.unlink()
        made.join()
    assert (platform.folder / "backup/manifest.json").exists()


def test_backup_and_restore(postgres, cluster, recorder):
    """While it works; into an empty database alone; and what is restored goes on."""
    words = cluster[1].replace("dbname=postgres", "dbname=other") + " password=sesame"
    psql(cluster[1], "CREATE DATABASE other")

    def empty():
        psql(cluster[1], "DROP DATABASE other")
        psql(cluster[1], "CREATE DATABASE other")

    broker, _ = people_of(postgres)
    case = flow.filed(broker)
    place = Elsewhere("--driver", "pgsql", "--database", words, empty=empty)
    try:
        place.take_keys(postgres)
        with busy(postgres) as cases:
            await_("more cases", lambda: len(cases) >= 2)
            before = [case, *cases]
            for _ in range(5):
                broker.see(f"/cases/{case}")
            backup_in_slow_motion(postgres, broker, recorder)
        psql(words, "CREATE TABLE fw_schema (version BIGINT)")
        psql(words, "INSERT INTO fw_schema VALUES (1)")
        full = place.ctl("restore", str(postgres.folder / "backup"), ok=False)
        assert full.returncode == 1 and "give an empty one" in full.stderr
        empty()
        told = place.ctl("restore", str(postgres.folder / "backup")).stdout
        assert "whole" in told and "restored from" in told
        place.start()
        other = place.person("broker")
        mine = {f["href"]: broker.get(f["href"]).content for f in broker.see(f"/cases/{case}")["files"]}
        assert len(mine) == 3 and {href: other.get(href).content for href in mine} == mine
        assert all(other.get(f"/cases/{c}").status_code == 200 for c in before)
        flow.approve(place, flow.filed(other), [place.of("reviewer1"), place.of("reviewer2")])
        await_("a trail that is whole", lambda: place.ctl("audit", "verify", ok=False).stdout.startswith("whole"))
        read = psql(words, f"SELECT count(*) FROM audit WHERE aggregate = 'case:{case}' AND command = 'read.case'")
        assert int(read) >= 5
        # A copy of what came back: now with a password in the words.
        place.ctl("backup", str(place.folder / "backup"))
        end_well(place)
    finally:
        place.end()
    called = recorder.read_text()
    assert called.count("pg_dump") == 2 and called.count("pg_restore") == 1 and called.count("known") == 2
    assert "sesame" not in called


SCHEMA = sorted((ROOT / "sql/schema").glob("*.sql"))


def of_the_schema_before(words, source):
    """Fills an empty database with the schema before the newest and all of what the source has."""
    for number, path in enumerate(SCHEMA[:-1], 1):
        text = "\n".join(line.removeprefix("-- pgsql: ") for line in path.read_text(encoding="utf-8").splitlines()
                         if not line.startswith("-- sqlite: "))
        psql(words, text)
        psql(words, f"INSERT INTO fw_schema VALUES ({number}, 1)")
    listed = psql(words, "SELECT table_name, string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns"
                         " WHERE table_schema = 'public' AND table_name <> 'fw_schema' GROUP BY 1")
    tables = dict(line.split("|") for line in listed.splitlines())
    for table, names in tables.items():
        psql(words, f"DELETE FROM {table}")  # what a migration put there
        psql(words, f"COPY {table} ({names}) FROM STDIN", psql(source, f"COPY (SELECT {names} FROM {table}) TO STDOUT"))
    return tables


def counts(words, tables):
    return {t: int(psql(words, f"SELECT count(*) FROM {t}")) for t in tables}


def test_upgrade_from_the_schema_before(postgres, cluster):
    words = cluster[1].replace("dbname=postgres", "dbname=before")
    psql(cluster[1], "CREATE DATABASE before")
    broker, officers = people_of(postgres)
    case = flow.filed(broker)
    flow.approve(postgres, case, officers)
    flow.pay(postgres, broker, case)
    flow.issued(postgres, broker, case)
    tables = {}

    def empty():
        psql(cluster[1], "DROP DATABASE before")
        psql(cluster[1], "CREATE DATABASE before")
        tables.update(of_the_schema_before(words, cluster[1]))

    place = Elsewhere("--driver", "pgsql", "--database", words, empty=empty)
    try:
        place.take_keys(postgres)
        shutil.copytree(postgres.folder / "state/vault", place.folder / "state/vault", dirs_exist_ok=True)
        subprocess.run(["chown", "-R", "--reference", place.folder / "state/vault", place.folder / "state"], check=True)
        before = counts(words, tables)
        assert min(before[t] for t in ("org", "account", "worker", "cases", "case_file", "payment", "permit", "document", "audit")) > 0
        assert f"schema {len(SCHEMA)}, 1 migration run" in place.ctl("migrate").stdout
        assert counts(words, tables) == before
        place.start()
        other = place.of("broker")
        assert len(other.see(f"/cases/{case}")["documents"]) == 3
        flow.approve(place, flow.filed(other), [place.of("reviewer1"), place.of("reviewer2")])
        end_well(place)
    finally:
        place.end()


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
    # A delivery whose end could not be written goes on when its lease has run out.
    await_("the permit", lambda: flow.state(broker, case) == "issued", 150)


# What may look at a whole table, as the guard of SQLite's plans has it too, or at all of a partial index.
SCANS = {"outbox_purge", "inbox_purge", "session_purge", "rate_purge", "service_all", "permit_ended_list", "payment_list_paid"}


def statements():
    """{name: (types, text)} of the statements as PostgreSQL gets them."""
    found = {}
    for path in sorted((ROOT / "sql/queries").glob("*.sql")):
        for name, own, text in re.findall(r"^-- name: (\w+)( \[pgsql\])?\n(.*?)(?=^-- |\Z)", path.read_text(encoding="utf-8"), re.M | re.S):
            if own or name not in found:
                types = ["bigint" if mark == "%lld" else "text" for mark in re.findall(r"%lld|%s", text)]
                numbers = itertools.count(1)
                text = re.sub(r"%lld|%s", lambda _, n=numbers: f"${next(n)}", text.strip().rstrip(";"))
                found[name] = types, text.replace("%%", "%")
    return {name: what for name, what in found.items() if re.match("SELECT|INSERT|UPDATE|DELETE|WITH", what[1])}


@pytest.mark.usefixtures("postgres")
def test_every_statement_goes_by_an_index_whatever_its_values(cluster):
    """As the platform has PostgreSQL plan them: once, for any values."""
    script = ["SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"]
    for name, (types, text) in statements().items():
        declared, given = (f"({', '.join(what)})" if types else "" for what in (types, ["NULL"] * len(types)))
        script.append(f"PREPARE s_{name}{declared} AS {text};\n\\echo == {name}\nEXPLAIN EXECUTE s_{name}{given};")
    told = psql(cluster[1], None, "\n".join(script))
    plans = dict(part.split("\n", 1) for part in re.split("^== ", told, flags=re.M)[1:])
    assert len(plans) == len(script) - 1 > 100
    whole = re.compile(r"Seq Scan|Index (Only )?Scan (Backward )?using \w+ on (case|worker|payment|permit|document|idem)[^\n]*\n(?! *Index Cond)")
    assert {name for name, plan in plans.items() if whole.search(plan)} == SCANS


def roles_of(platform):
    """Those whom httpd itself started; not the helper of a picture, which ends with it."""
    root = (platform.folder / "httpd.pid").read_text(encoding="ascii").strip()
    return set(pathlib.Path(f"/proc/{root}/task/{root}/children").read_text(encoding="ascii").split())


def is_away(answer, words):
    """Said in these words, with the time to come again."""
    assert answer.status_code == 503 and answer.headers["Retry-After"] and words in answer.text, (answer.status_code, answer.text[:800])


def test_database_away_for_a_while(postgres, cluster):
    """Whatever is asked is answered so, no process ends, and all goes on by itself: pages, deliveries, seals."""
    broker, officers = people_of(postgres)
    case, other = flow.draft(broker), flow.filed(broker)
    sealed = seals(postgres)
    before = roles_of(postgres)
    subprocess.run([ROOT / "tests/lib/pgsql", "stop", cluster[0]], check=True, timeout=120)
    try:
        # As often as there are connections in the pools, and once more: all have failed, and none can be made.
        for _ in range(40):
            is_away(broker.get(f"/cases/{case}"), "A part of the system cannot be reached now")
            is_away(broker.post(f"/cases/{case}/submit", key=f"away-{case}"), "/problems/problem.unavailable")
        page = broker.get(f"/cases/{case}", headers={"Accept": "text/html", "Accept-Language": "zh-Hant"})
        is_away(page, "系統的一部分目前無法連線")
        is_away(officers[0].get("/desk"), "A part of the system cannot be reached now")
        file = {"file": ("passport.pdf", flow.pdf())}
        is_away(broker.post(f"/cases/{case}/files/passport_page", files=file), "A part of the system cannot be reached now")
        await_("a word of the pump", lambda: "FWP2108" in postgres.error_log())
        await_("a word of the sealer", lambda: "FWP2201" in postgres.error_log())
    finally:
        subprocess.run([ROOT / "tests/lib/pgsql", "restart", cluster[0]], check=True, timeout=120)
    number = await_("the filing", lambda: submitted(broker, case, key=f"away-{case}"))
    assert submitted(broker, case, key=f"away-{case}") == number
    await_("the officers' pages", lambda: all(o.get("/desk").status_code == 200 for o in officers))
    await_("the receipt of filing", lambda: broker.see(f"/cases/{case}")["documents"], 150)
    flow.approve(postgres, other, officers)
    await_("more seals", lambda: seals(postgres) > sealed)
    assert before <= roles_of(postgres)


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


def submitted(person, case, key=None):
    """The case number; tried again with the same key where the database was away."""
    answer = person.post(f"/cases/{case}/submit", key=key or f"submit-{case}")
    return answer.json()["case"]["case_no"] if answer.status_code == 200 else None


def test_audit_is_whole(postgres):
    await_("a whole chain", lambda: "whole" in postgres.ctl("audit", "verify", ok=False).stdout)
