"""An upgrade: a database of each older schema, with rows in every table that it has, is migrated and served."""
import re
import shutil
import sqlite3
from contextlib import closing

import pytest

import flow
from conftest import end_well
from platform_under_test import ROOT, await_

SCHEMA = sorted((ROOT / "sql/schema").glob("*.sql"))
NEWEST = len(SCHEMA)


def script(path):
    """A migration as SQLite gets it."""
    text = re.sub(r"^-- pgsql: .*\n", "", path.read_text(encoding="utf-8"), flags=re.M)
    return re.sub(r"^-- sqlite: ", "", text, flags=re.M)


def tables(db):
    return [t for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


def columns(db, table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def rows(db, table, names):
    return sorted(db.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall(), key=repr)


def older(path, version, source):
    """A database of that schema, with all of what the source has and it has a place for: {table: (columns, rows)}."""
    kept = {}
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(source)) as full:
        for migration in SCHEMA[:version]:
            db.executescript(script(migration))
        for number in range(1, version + 1):
            db.execute("INSERT INTO fw_schema VALUES (?, 1)", (number,))
        for table in tables(db):
            if table == "fw_schema":
                continue
            names = columns(db, table)
            lines = rows(full, table, names)
            db.execute(f"DELETE FROM {table}")  # what the migration itself put there
            db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", lines)
            kept[table] = names, lines
        db.commit()
    return kept


@pytest.fixture(scope="module", name="case")
def used(platform, broker, reviewers, admin):
    """Something in every table; then the server stops. The database's copy is at `original`."""
    case = flow.draft(broker)
    flow.submit(broker, case, key="before-the-upgrade")
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    flow.issued(platform, broker, case)
    admin.do("/admin/plugins/prometheus/pause", {"reason": "an upgrade"})
    platform.person().post("/login", {"login": "broker", "password": "Wrong-Password-1"})
    await_("quiet", lambda: not platform.sql("SELECT 1 FROM outbox WHERE state NOT IN ('done', 'dead')"))
    await_("all sealed", lambda: not platform.sql("SELECT 1 FROM audit WHERE seal = 0"))
    for statement in BY_PLUGINS:  # what plugins tell that the demo has not
        platform.sql(statement)
    platform.stop()
    with closing(sqlite3.connect(platform.folder / "state/fwpermit.db")) as db, closing(sqlite3.connect(platform.folder / "original")) as copy:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    shutil.copy(platform.folder / "state/anchor", platform.folder / "anchor")
    return case


BY_PLUGINS = ("INSERT INTO record (id, version, kind, name, state, at, data, heard) VALUES (1, 1, 'movement', 'm/1', 'current', 1, '{}', 1)",
              "INSERT INTO penalty (case_id, version, told) SELECT id, 1, 1 FROM cases",
              "INSERT INTO fine (id, version, fine_no, case_id, told, state, reason, amount, set_on, heard) "
              "SELECT 1, 1, 'F1', max(id), 1, 'paid', 'other', 2000, '2026-01-01', 1 FROM cases",
              "INSERT INTO card_job (id, version, job_no, case_id, round, permit_no, valid_from, valid_to, state, station, ordered) "
              "SELECT 1, 1, 'J1', max(id), 1, 'CP1', '2026-01-01', '2026-12-31', 'collected', 'TAO', 1 FROM cases",
              "INSERT INTO refund (id, version, state, payment_id, cases, amount, cause, asked_by, before, created, ended) "
              "SELECT 1, 1, 'done', max(id), '1', 1, 'asked', 1, 0, 1, 1 FROM payment",
              "INSERT INTO settlement (day, version, state, asked) VALUES ('2026-01-01', 1, 'even', 1)",
              "INSERT INTO receipt_void (number, payment_id, at, by_id, reason) SELECT 1, max(id), 1, 1, 'spelt wrong' FROM payment",
              "INSERT INTO question (id, version, state, worker_id, letter_no, asked_by, asked) "
              "SELECT 1, 1, 'found', max(id), 'L1', 1, 1 FROM worker")


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_from_an_older_schema(platform, case, version):
    database = platform.folder / "state/fwpermit.db"
    for name in ("", "-wal", "-shm"):
        database.with_name(database.name + name).unlink(missing_ok=True)
    kept = older(database, version, platform.folder / "original")
    assert [t for t, (_, lines) in kept.items() if not lines] == [], "tables without a row"
    shutil.chown(database, *((platform.folder / "state/vault").stat()[4:6]))
    shutil.copy(platform.folder / "anchor", platform.folder / "state/anchor")
    behind = platform.ctl("doctor", "--quiet", ok=False).stdout
    assert f"has schema {version}, this program wants {NEWEST}" in behind and "fwpermitctl migrate" in behind
    told = platform.ctl("migrate").stdout
    assert f"schema {NEWEST}, {NEWEST - version} migration" in told
    with closing(sqlite3.connect(database)) as db, closing(sqlite3.connect(platform.folder / "original")) as full:
        for table, (names, lines) in kept.items():
            assert rows(db, table, names) == lines, table
        assert set(tables(db)) == set(tables(full))
    platform.people.clear()
    platform.start()
    try:
        broker = platform.of("broker")
        page = broker.see(f"/cases/{case}")
        assert len(page["documents"]) == 3
        assert all(broker.get(f["href"]).status_code == 200 for f in page["files"] + page["documents"])
        flow.approve(platform, flow.filed(broker), [platform.of("reviewer1"), platform.of("reviewer2")])
        assert platform.ctl("audit", "verify").stdout.startswith("whole")
    finally:
        end_well(platform)
