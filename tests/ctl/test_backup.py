"""A backup and the way back: byte for byte, never half, never over something, and nothing altered passes."""
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import time

import pytest

from conftest import BUILD, ROOT, Site, free_folder

TEXTS = {"photo": "a photo", "proof": "a proof " * 12000}
BIG = "ff" * 16
BIG_BYTES = 256 << 20


def vault(site, *args):
    done = subprocess.run([BUILD / "tests/ctl/vault", args[0], site.conf["FwPermitVault"], site.conf["FwPermitVaultKeys"], *args[1:]],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def put_file(site, number, slot, text):
    """In the vault, and named by a row."""
    name = vault(site, "put", text).strip()
    site.sql("INSERT INTO case_file (id, case_id, slot, vault, name, mime, size, sha256, created, by_id, current)"
             " VALUES (?, 1, ?, ?, 'x', 'image/jpeg', ?, ?, 1, 1, 1)", number, slot, name, len(text),
             hashlib.sha256(text.encode()).hexdigest())
    site.own(site.dir / "state")
    return name


def state(site, name):
    return pathlib.Path(site.conf[name])


@pytest.fixture(name="full")
def filled(demo):
    """A platform with something of everything."""
    demo.names = {slot: put_file(demo, i, slot, text) for i, (slot, text) in enumerate(TEXTS.items(), 1)}
    for setting, file, text in (("FwPermitJournal", "0001-1-0.journal", '{"at":1}\n'), ("FwPermitJournal", "0001-1-0.journal.taken", "9\n"),
                                ("FwPermitPublic", "trust.json", "{}")):
        state(demo, setting).mkdir(exist_ok=True)
        (state(demo, setting) / file).write_text(text)
    state(demo, "FwPermitAnchor").write_text("")
    (state(demo, "FwPermitVault") / "staging/half").write_text("half an upload")
    demo.own(demo.dir / "state")
    return demo


@pytest.fixture(name="bare_place")
def another_place(share):
    """Folders of another machine, without keys."""
    folder = free_folder()
    yield Site(folder, share)
    shutil.rmtree(folder)


@pytest.fixture(name="place")
def place_with_keys(bare_place, full):
    shutil.copy(full.dir / "etc/vault.keys", bare_place.dir / "etc/vault.keys")
    shutil.copytree(full.dir / "etc/keys", bare_place.dir / "etc/keys")
    return bare_place


@pytest.fixture(name="backup")
def made(full):
    folder = full.dir / "backup"
    full.ctl("backup", folder)
    return folder


def rows(site):
    tables = [t for (t,) in site.sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {t: site.sql(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables}


def files(folder, but=()):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*"))
            if p.is_file() and not any(part in but for part in p.relative_to(folder).parts)}


def untouched(place):
    """Nothing but the empty folders, and secrets."""
    return not [p for p in (place.dir / "state").rglob("*") if p.is_file()]


# ---- what it is ----

def test_what_is_in_it(full, backup):
    assert set(files(backup)) == {"manifest.json", "SHA256SUMS", "database", "anchor", "journal/0001-1-0.journal",
                                  "journal/0001-1-0.journal.taken", "public/trust.json",
                                  *(f"vault/{n[:2]}/{n}" for n in full.names.values())}
    assert all(stat.S_IMODE(p.stat().st_mode) == (0o700 if p.is_dir() else 0o600) for p in [backup, *backup.rglob("*")])
    assert subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=backup, check=False).returncode == 0
    told = json.loads((backup / "manifest.json").read_text())
    assert told["format"] == "fwpermit-backup/1" and told["driver"] == "sqlite3" and told["lost"] == []
    assert told["schema"] == len(list((ROOT / "sql/schema").glob("*.sql")))
    assert told["counts"]["account"] == full.sql("SELECT count(*) FROM account")[0][0] > 5
    assert told["counts"]["case_file"] == 2 and told["files"] == len(files(backup)) - 2
    assert told["sums_sha256"] == hashlib.sha256((backup / "SHA256SUMS").read_bytes()).hexdigest()
    head = full.sql("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")[0]
    assert [told["audit_head"]["id"], told["audit_head"]["hash"]] == head
    assert told["vault_keys"] == [line.split()[0] for line in (full.dir / "etc/vault.keys").read_text().splitlines()
                                  if line and line[0] != "#"]
    assert "FwPermitDatabase" in told["settings"] and {p["name"]: p["secrets"] for p in told["plugins"]}["ecpay"] == ["hash_key"]


def test_no_secret_is_in_it(full, backup):
    secrets = [line.split()[1] for line in (full.dir / "etc/vault.keys").read_text().splitlines() if line and line[0] != "#"]
    secrets += [p.read_text().splitlines()[1] for p in (full.dir / "etc/keys").glob("*.key")] + ["0123456789abcdef"]
    assert len(secrets) >= 6
    for name, data in files(backup).items():
        assert not [s for s in secrets if s.encode() in data], name


def test_the_keys_where_they_are_asked_for(full, bare_place):
    backup = full.dir / "backup"
    out = full.ctl("backup", backup, "--with-keys")
    assert "keys are not in it" not in out
    for path in (full.dir / "etc/keys").iterdir():
        copy = backup / "keys/signing" / path.name
        assert copy.read_bytes() == path.read_bytes() and stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE((backup / "keys").stat().st_mode) == 0o700
    out = bare_place.ctl("restore", backup)
    assert "restored from" in out
    assert files(bare_place.dir / "etc/keys") == files(full.dir / "etc/keys")
    assert vault(bare_place, "get", full.names["proof"]) == TEXTS["proof"]


def test_a_file_that_is_lost_is_told_and_the_rest_saved(full, place):
    name = full.names["photo"]
    (state(full, "FwPermitVault") / name[:2] / name).unlink()
    assert name in full.ctl("backup", full.dir / "backup", code=1)
    assert json.loads((full.dir / "backup/manifest.json").read_text())["lost"] == [name]
    out = place.ctl("restore", full.dir / "backup", code=1)
    assert name in out and "with what is wrong above" in out
    assert rows(place) == rows(full)


def test_what_is_not_the_platform_s_is_left_out(full):
    (state(full, "FwPermitPublic") / "link").symlink_to("/etc/passwd")
    (state(full, "FwPermitPublic") / "two words").write_text("x")
    (state(full, "FwPermitPublic") / "list.json.new").write_text("half")
    done = full.run("backup", full.dir / "backup")
    assert done.returncode == 0 and "public/link" in done.stderr and "two words" in done.stderr and ".new" not in done.stderr
    assert set(files(full.dir / "backup/public")) == {"trust.json"}


def test_it_takes_no_name_that_is_taken(full, backup):
    before = files(backup)
    assert "is there already" in full.ctl("backup", backup, code=1)
    assert files(backup) == before
    (full.dir / "next.part").mkdir()
    assert "broken off" in full.ctl("backup", full.dir / "next", code=1)
    assert "cannot be made" in full.ctl("backup", full.dir / "none/next", code=3)
    full.ctl("backup", code=2)


# ---- the way back ----

def test_byte_for_byte(full, backup, place):
    out = place.ctl("restore", f"{backup}/")
    assert "whole" in out and "restored from" in out
    assert rows(place) == rows(full)
    for setting in ("FwPermitVault", "FwPermitJournal", "FwPermitPublic"):
        assert files(state(place, setting), but=("staging",)) == files(state(full, setting), but=("staging",)), setting
    assert not list(state(place, "FwPermitVault").rglob("half"))
    assert {slot: vault(place, "get", name) for slot, name in full.names.items()} == TEXTS
    owner = state(place, "FwPermitVault").stat()
    for path in (place.dir / "state").rglob("*"):
        assert (path.stat().st_uid, path.stat().st_gid) == (owner.st_uid, owner.st_gid), path
    assert stat.S_IMODE((state(place, "FwPermitPublic") / "trust.json").stat().st_mode) == 0o644
    assert stat.S_IMODE(state(place, "FwPermitDatabase").stat().st_mode) == 0o600
    assert not list((place.dir / "state").rglob("*.restoring*"))
    place.ctl("account", "create", "after", "--roles", "admin", "--generate")
    assert place.ctl("audit", "verify").startswith("whole")


def test_a_backup_of_a_backup_is_the_same(full, backup, place):
    place.ctl("restore", backup)
    place.ctl("backup", place.dir / "backup")
    first, second = files(backup, but=("manifest.json", "SHA256SUMS", "database")), files(
        place.dir / "backup", but=("manifest.json", "SHA256SUMS", "database"))
    assert first == second


def test_an_older_schema_is_migrated(full, place):
    older = full.dir / "sql"
    shutil.copytree(full.share / "sql", older)
    newest = sorted((older / "schema").iterdir())[-1]
    newest.unlink()
    full.conf["FwPermitDatabase"] = full.dir / "state/older.db"
    full.write(FwPermitSQL=older)
    full.ctl("migrate")
    full.ctl("demo")
    full.ctl("backup", full.dir / "backup")
    assert "1 migration run" in place.ctl("restore", full.dir / "backup")
    version = len(list((ROOT / "sql/schema").glob("*.sql")))
    assert place.sql("SELECT max(version) FROM fw_schema") == [[version]]
    assert len(place.sql("SELECT login FROM account")) == len(full.sql("SELECT login FROM account")) > 5


def test_a_newer_schema_is_refused(full, backup, place):
    older = place.dir / "sql"
    shutil.copytree(place.share / "sql", older)
    sorted((older / "schema").iterdir())[-1].unlink()
    place.write(FwPermitSQL=older)
    assert "install the newer one" in place.ctl("restore", backup, code=1)
    assert untouched(place)


def test_another_driver_is_refused(backup, place):
    place.write(FwPermitDatabaseDriver="pgsql", FwPermitDatabase="host=/nonexistent")
    assert "FwPermitDatabaseDriver" in place.ctl("restore", backup, code=1)
    assert untouched(place)


@pytest.mark.parametrize("part", ["database", "anchor", "journal/0001-1-0.journal", "public/trust.json", "vault", "SHA256SUMS",
                                  "manifest.json"])
def test_one_byte_altered(full, backup, place, part):
    name = full.names["proof"]
    path = backup / (f"vault/{name[:2]}/{name}" if part == "vault" else part)
    data = bytearray(path.read_bytes() or b"\0")
    # of the manifest: in the sum of the sums
    at = data.index(b'"sums_sha256": "') + 20 if part == "manifest.json" else len(data) // 2
    data[at] = ord("0") if data[at] != ord("0") else ord("1")
    path.write_bytes(data)
    assert ("SHA256SUMS" if part == "manifest.json" else path.name) in place.ctl("restore", backup, code=5)
    assert untouched(place)


def test_a_part_that_is_missing(full, backup, place):
    name = full.names["proof"]
    (backup / "vault" / name[:2] / name).unlink()
    assert name in place.ctl("restore", backup, code=5)
    (backup / "manifest.json").unlink()
    assert "no whole backup" in place.ctl("restore", backup, code=1)
    assert untouched(place)


def put_link(path, to):
    """In place of what is there."""
    path.rename(to)
    path.symlink_to(to)


@pytest.mark.parametrize("make", [
    lambda b: (b / "public/link").symlink_to("/etc/passwd"),
    lambda b: put_link(b / "database", b.parent / "moved"),
    lambda b: put_link(b / "vault", b.parent / "moved"),
    lambda b: put_link(b / "manifest.json", b.parent / "moved"),
    lambda b: put_link(b / "SHA256SUMS", b.parent / "moved"),
    lambda b: (b / "vault/.hidden").write_text("x"),
    lambda b: (b / "public/two words").write_text("x"),
    lambda b: (b / "more").mkdir(),
    lambda b: os.mkfifo(b / "journal/pipe")],
    ids=["link", "file", "folder", "manifest", "sums", "hidden", "strange", "folder", "pipe"])
def test_links_and_strange_names(backup, place, make):
    make(backup)
    place.ctl("restore", backup, code=1)
    assert untouched(place)


def test_a_file_that_is_not_listed(backup, place):
    (backup / "public/more.json").write_text("{}")
    assert "lists" in place.ctl("restore", backup, code=5)
    assert untouched(place)


def test_a_name_that_leads_out(backup, place):
    sums = backup / "SHA256SUMS"
    line = hashlib.sha256(b"").hexdigest() + "  public/../../../out\n"
    told = json.loads((backup / "manifest.json").read_text())
    sums.write_text(sums.read_text() + line)
    told["sums_sha256"] = hashlib.sha256(sums.read_bytes()).hexdigest()
    (backup / "manifest.json").write_text(json.dumps(told))
    assert "another form" in place.ctl("restore", backup, code=5)
    assert untouched(place)


@pytest.mark.parametrize("setting", ["FwPermitDatabase", "FwPermitVault", "FwPermitAnchor", "FwPermitJournal", "FwPermitPublic"])
def test_a_place_that_is_not_empty(backup, place, setting):
    path = state(place, setting)
    path = path if setting in ("FwPermitDatabase", "FwPermitAnchor") else path / "ab/file"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("something")
    assert setting in place.ctl("restore", backup, code=1)
    assert files(place.dir / "state") == {str(path.relative_to(place.dir / "state")): b"something"}


def test_without_the_keys(full, backup, bare_place):
    assert "FwPermitVaultKeys" in bare_place.ctl("restore", backup, code=3)
    bare_place.ctl("key", "init")
    told = bare_place.ctl("restore", backup, code=3)
    assert "lacks the master key " + json.loads((backup / "manifest.json").read_text())["vault_keys"][0] in told
    assert untouched(bare_place)


def test_quick_looks_at_no_contents(full, place):
    name = full.names["proof"]
    path = state(full, "FwPermitVault") / name[:2] / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    full.ctl("backup", full.dir / "backup")
    assert "restored" in place.ctl("restore", full.dir / "backup", "--quick")
    shutil.rmtree(place.dir / "state")
    for folder in ("state", "state/vault"):
        (place.dir / folder).mkdir(mode=0o700)
    place.own(place.dir / "state")
    assert name in place.ctl("restore", full.dir / "backup", code=1)


def test_settings_that_are_missing_are_told(full, place):
    full.write(FwPermitSessionIdle=20)
    full.ctl("backup", full.dir / "backup")
    place.plugins = False
    place.write()
    out = place.ctl("restore", full.dir / "backup")
    noted = [line for line in out.splitlines() if line.startswith("note:")]
    assert [line.split(",")[0].split()[-1] for line in noted] == ["FwPermitSessionIdle", "ecpay", "mail"]


# ---- broken off ----

def kill_when(site, there, *args):
    """Kills the command and what it started as soon as the path is there."""
    with subprocess.Popen([BUILD / "fwpermitctl", "-c", site.file, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as child:
        until = time.monotonic() + 60
        while not there() and child.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    assert there()


def put_big(site):
    """So big a file that nobody misses the time while it is copied."""
    path = state(site, "FwPermitVault") / "ff" / BIG
    path.parent.mkdir(exist_ok=True)
    with open(path, "wb") as f:
        f.truncate(BIG_BYTES)
    site.own(site.dir / "state")


def test_a_backup_that_is_killed_never_looks_whole(full, place):
    put_big(full)
    part = full.dir / "backup.part"
    kill_when(full, (part / "vault/ff" / BIG).exists, "backup", full.dir / "backup")
    assert not (full.dir / "backup").exists() and not (part / "manifest.json").exists()
    assert "no whole backup" in place.ctl("restore", part, code=1)
    assert "broken off" in full.ctl("backup", full.dir / "backup", code=1)
    shutil.rmtree(part)
    full.ctl("backup", full.dir / "backup")
    assert not part.exists()


def test_a_restore_that_is_killed_is_run_again(full, place):
    put_big(full)
    full.ctl("backup", full.dir / "backup")
    kill_when(place, (state(place, "FwPermitVault") / "ff" / BIG).exists, "restore", full.dir / "backup")
    assert not state(place, "FwPermitDatabase").exists()  # so no server starts on half of it
    assert "was broken off" in place.ctl("doctor", "--quiet", code=1)
    put_file(full, 9, "photo", "later")
    full.ctl("backup", full.dir / "other")
    assert "another backup" in place.ctl("restore", full.dir / "other", code=1)
    assert "restored from" in place.ctl("restore", full.dir / "backup")
    shutil.rmtree(full.dir / "other")
    assert files(state(place, "FwPermitVault"), but=("staging",)).keys() == files(full.dir / "backup/vault").keys()
    assert place.ctl("audit", "verify").startswith("whole")
    assert "already" in place.ctl("restore", full.dir / "backup", code=1)


# ---- a full disk ----

@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_backup_on_a_full_disk(full):
    with small_disk(full.dir / "disk", "400k") as disk:
        assert "cannot be" in full.ctl("backup", disk / "backup", code=4)
        assert list(disk.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_restore_on_a_full_disk(full, backup, place):
    with small_disk(place.dir / "disk", "100k") as disk:
        (disk / "vault").mkdir(mode=0o700)
        place.own(disk)
        place.write(FwPermitVault=disk / "vault")
        assert "No space left" in place.ctl("restore", backup, code=4)
        assert not state(place, "FwPermitDatabase").exists()
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        assert "restored from" in place.ctl("restore", backup)
        assert {slot: vault(place, "get", name) for slot, name in full.names.items()} == TEXTS
