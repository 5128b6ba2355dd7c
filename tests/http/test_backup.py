"""A backup of a platform at work: what was acknowledged before it is in it, and the restored platform goes on."""
import shutil
import threading

import pytest

import flow
from conftest import end_well
from elsewhere import Elsewhere, busy
from platform_under_test import await_

BACKUPS = 3
BIG_BYTES = 512 << 20


@pytest.fixture(scope="module", name="place")
def another_machine(platform):
    place = Elsewhere()
    place.take_keys(platform)
    yield place
    place.end()


@pytest.fixture(scope="module", name="backups")
def made_at_work(platform):
    """[(folder, cases that were acknowledged before it)]"""
    made = []
    with busy(platform) as cases:
        for i in range(BACKUPS):
            await_("more cases", lambda n=i: len(cases) >= 2 * (n + 1))
            before = list(cases)
            platform.ctl("backup", str(platform.folder / f"backup{i}"))
            made.append((platform.folder / f"backup{i}", before))
    return made


def content(person, case):
    """Each file of the case, byte for byte."""
    page = person.see(f"/cases/{case}")
    return {f["href"]: person.get(f["href"]).content for f in page["files"] + page["documents"]}


@pytest.mark.parametrize("which", range(BACKUPS))
def test_each_is_whole(backups, place, which):
    folder, before = backups[which]
    place.clear()
    told = place.ctl("restore", str(folder)).stdout
    assert "whole" in told and "restored from" in told, told
    there = {str(i) for (i,) in place.sql("SELECT id FROM cases WHERE case_no IS NOT NULL")}
    assert set(before) <= there and len(before) >= 2 * (which + 1)


def test_the_restored_platform_goes_on(platform, broker, backups, place):
    _, before = backups[-1]  # the one that was restored last
    place.start()
    try:
        other = place.person("broker")
        for case in before:
            mine = content(broker, case)
            assert len(mine) >= 3 and content(other, case).items() >= {k: v for k, v in mine.items() if "/files/" in k}.items()
        fresh = flow.filed(other)
        await_("the receipt of filing", lambda: other.see(f"/cases/{fresh}")["documents"])
        await_("all sealed", lambda: not place.sql("SELECT 1 FROM audit WHERE seal = 0"))
        assert place.ctl("audit", "verify").stdout.startswith("whole")
    finally:
        end_well(place)


def test_files_that_come_while_the_vault_is_copied(platform, broker, place):
    """A row that is in the copy has its file there: the vault comes after the database."""
    case = flow.draft(broker)
    last = platform.folder / "state/vault/00" / ("0" * 32)  # the folders are copied from ff to 00
    last.parent.mkdir(exist_ok=True)
    with open(last, "wb") as f:
        f.truncate(BIG_BYTES)
    shutil.chown(last.parent, *owner(platform))
    shutil.chown(last, *owner(platform))
    folder = platform.folder / "slow"
    made = threading.Thread(target=platform.ctl, args=("backup", str(folder)))
    made.start()
    await_("the last file", (platform.folder / "slow.part/vault/00" / last.name).exists)
    for _ in range(3):
        broker.upload(case, "passport_page", "passport.pdf", flow.pdf())
    made.join()
    last.unlink()
    place.clear()
    assert "whole" in place.ctl("restore", str(folder), "--quick").stdout
    shutil.rmtree(folder)


def test_no_server_starts_on_half_of_a_restored_platform(backups, place):
    """On PostgreSQL the database has come back before the rest is verified: the mark in the vault's folder tells."""
    place.clear()
    place.ctl("restore", str(backups[0][0]))
    mark = place.folder / "state/vault/.restoring"
    mark.write_text("")
    assert place.serve("start", check=False).returncode != 0
    assert "FWP0003: the platform cannot start: " in place.error_log() and "run `fwpermitctl restore` again" in place.error_log()
    mark.unlink()


def owner(platform):
    st = (platform.folder / "state/vault").stat()
    return st.st_uid, st.st_gid


def test_no_restore_under_a_running_server(platform, backups):
    platform.expect("a client of another user is turned away")
    done = platform.ctl("restore", str(backups[0][0]), ok=False)
    assert done.returncode == 1 and "the server runs" in done.stderr


def test_the_trail_of_reads_is_in_it(platform, broker, place):
    """A look that no seal holds yet is in a journal: it is neither lost nor left behind."""
    case = flow.draft(broker)
    for _ in range(5):
        broker.see(f"/cases/{case}")
    platform.ctl("backup", str(platform.folder / "reads"))
    place.clear()
    place.ctl("restore", str(platform.folder / "reads"))
    place.start()
    try:
        await_("the looks", lambda: place.sql("SELECT count(*) FROM audit WHERE aggregate = ? AND command LIKE 'read.%'",
                                              f"case:{case}")[0][0] >= 5)
    finally:
        end_well(place)
    shutil.rmtree(platform.folder / "reads")
