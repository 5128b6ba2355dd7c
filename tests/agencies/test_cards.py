"""The card bureau's stand-in, by OpenSSH's own client and by its page: what it takes, what it counts, how it fails."""
import hashlib
import json
import io
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.parse

import PIL.Image
import pytest

from cards_program import Bureau
from shop import fetch

SPACE = 'xmlns="urn:fwpermit:card:1" version="1"'
JOB = """<job {space} job_no="{no}" case_no="1" permit_no="P1" deliver_to="TPE">
  <card reason="a" valid_from="2026-12-18" valid_to="2029-11-11" issued="2026-12-17">
    <person name_latin="ANNA" passport_no="C1" nationality="VNM" birth="1996-04-12" sex="F"/></card>
  <photo name="photo.jpg" size="{size}" sha256="{sha}"/></job>"""


def photo():
    out = io.BytesIO()
    PIL.Image.new("RGB", (413, 531), "white").save(out, "JPEG")
    return out.getvalue()


def sha(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module", name="one_bureau")
def running():
    bureau = Bureau()
    yield bureau
    assert bureau.stop() == 0


@pytest.fixture(name="bureau")
def emptied(one_bureau):
    one_bureau.control("reset")
    return one_bureau


def sftp(bureau, *lines, key=None, good=True):
    """OpenSSH's client with these commands; what it said."""
    done = subprocess.run(["sftp", "-q", "-b", "-", "-P", str(bureau.port), "-i", key or bureau.told["key"], "-o",
                           "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
                           f"{bureau.told['user']}@127.0.0.1"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == good, done.stdout + done.stderr
    return done.stdout + done.stderr


def package(folder, no="J1", **changed):
    """A package on our disk; `changed` replaces a file's bytes after the sums were made, None leaves it out."""
    files = {"photo.jpg": photo()}
    files["job.xml"] = JOB.format(space=SPACE, no=no, size=len(files["photo.jpg"]), sha=sha(files["photo.jpg"])).encode()
    files["SHA256SUMS"] = "".join(f"{sha(d)}  {n}\n" for n, d in sorted(files.items())).encode()
    files.update({name.replace("_", "."): data for name, data in changed.items()})
    place = pathlib.Path(folder) / no
    place.mkdir()
    for name, data in files.items():
        if data is not None:
            (place / name).write_bytes(data)
    return place


def send(bureau, place):
    sftp(bureau, f"put -r {place} in/.new-{place.name}", f"rename in/.new-{place.name} in/{place.name}")
    return bureau.books()["jobs"][place.name]


def counts(bureau):
    books = bureau.books()
    assert books["faults_of_stock"] == []
    return {k: v for k, v in books["stock"].items() if v and k not in ("opened", "low_at")}


def test_a_card_by_hand(bureau, tmp_path):
    job = send(bureau, package(tmp_path))
    assert job["state"] is None and job["what"]["card"]["person"]["name_latin"] == "ANNA"
    wanted = {"accept": {"blanks": 1000, "reserved": 1}, "make": {"blanks": 999, "made": 1}, "send": {"blanks": 999, "delivered": 1},
              "arrive": {"blanks": 999, "delivered": 1}}
    for n, (move, count) in enumerate(wanted.items(), 1):
        bureau.move("J1", move)
        assert counts(bureau) == count
        for path in (bureau.home / "books/J1.xml", bureau.home / f"out/{n:012d}.xml"):
            subprocess.run(["xmllint", "--noout", "--schema", "docs/contracts/card-state-1.xsd", path],
                           cwd=pathlib.Path(__file__).resolve().parent.parent.parent, check=True, capture_output=True)
    assert (bureau.home / "out/000000000004.xml").read_bytes() == (bureau.home / "books/J1.xml").read_bytes()
    sftp(bureau, "rm out/000000000001.xml")


def test_spoiled_cards_are_counted(bureau, tmp_path):
    send(bureau, package(tmp_path))
    for move in ("accept", "spoil", "accept", "make", "spoil", "accept", "make"):
        bureau.move("J1", move)
    assert counts(bureau) == {"blanks": 997, "made": 1, "spoiled": 2}


def test_no_two_cards_have_one_number(bureau, tmp_path):
    for no in ("J1", "J2"):
        send(bureau, package(tmp_path, no))
    for what in ("accept", "make"):
        for no in ("J1", "J2"):
            bureau.move(no, what)
    assert len({job["card_no"] for job in bureau.books()["jobs"].values()}) == 2


def test_what_is_not_possible(bureau, tmp_path):
    send(bureau, package(tmp_path))
    for move in ("make", "spoil", "send", "arrive"):
        with pytest.raises(AssertionError, match="409"):
            bureau.move("J1", move)
    bureau.control("stock", blanks=0)
    bureau.move("J1", "accept")
    assert bureau.books()["jobs"]["J1"]["reason"] == "no blank is left"


@pytest.mark.parametrize("changed,reason", [
    ({"photo_jpg": b"x"}, "checksum of photo.jpg"), ({"photo_jpg": None}, "photo.jpg is missing"), ({"SHA256SUMS": None}, "SHA256SUMS is missing"),
    ({"job_xml": None}, "job.xml is missing"), ({"job_xml": b"<job/>"}, "checksum of job.xml"), ({"more": b""}, "SHA256SUMS names other files")])
def test_packages_that_are_refused(bureau, tmp_path, changed, reason):
    job = send(bureau, package(tmp_path, **changed))
    assert job["state"] == "cancelled" and reason in job["reason"] and counts(bureau) == {"blanks": 1000}


@pytest.mark.parametrize("text,reason", [
    ('<!DOCTYPE job [<!ENTITY a SYSTEM "file:///etc/passwd">]>{job}', "DOCTYPE"), ("{job}x", "no XML"), ("<job/>", "schema"),
    (JOB.format(space=SPACE, no="J2", size=1, sha="0" * 64), "another number"),
    (JOB.format(space=SPACE, no="J1", size=1, sha="0" * 64), "not as job.xml has it")])
def test_jobs_that_are_refused(bureau, tmp_path, text, reason):
    place = package(tmp_path)
    data = text.replace("{job}", (place / "job.xml").read_text(encoding="utf-8")).encode()
    (place / "job.xml").write_bytes(data)
    sums = "".join(f"{sha((place / n).read_bytes())}  {n}\n" for n in ("job.xml", "photo.jpg"))
    (place / "SHA256SUMS").write_text(sums, encoding="ascii")
    assert reason in send(bureau, place)["reason"]


def test_a_number_that_is_known_is_no_second_job(bureau, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        send(bureau, package(tmp_path / name))
    books = bureau.books()
    assert list(books["jobs"]) == ["J1"] and books["again"] == ["J1"]


def test_a_rename_onto_what_is_there_is_refused(bureau, tmp_path):
    """What the platform rests on."""
    sftp(bureau, "mkdir in/.a", "mkdir in/.b", f"put {package(tmp_path) / 'photo.jpg'} in/.a/x", "-rename in/.b in/.a", "ls in/.a/x")
    assert (bureau.home / "in/.a/x").exists() and (bureau.home / "in/.b").exists()


def test_cancelling(bureau, tmp_path):
    place = tmp_path / "J1.cancel.xml"
    place.write_text(f'<cancel {SPACE} job_no="J1" reason="no"/>', encoding="ascii")
    sftp(bureau, f"put {place} in/.new", "rename in/.new in/J1.cancel.xml")
    assert bureau.books()["cancels"] == {"J1": "no"}
    assert send(bureau, package(tmp_path))["state"] == "cancelled"
    sftp(bureau, f"put {place} in/.new", "rename in/.new in/J2.cancel.xml")
    assert bureau.books()["faults"] == ["J2.cancel.xml: no request to cancel"]


def test_what_begins_with_a_dot_goes_after_a_day(bureau, tmp_path):
    place = package(tmp_path)
    sftp(bureau, f"put -r {place} in/.new-1", f"put -r {place} in/.new-2")
    old = time.time() - 86400 - 60
    subprocess.run(["touch", "-d", f"@{old}", bureau.home / "in/.new-1"], check=True)
    bureau.books()
    assert [p.name for p in (bureau.home / "in").iterdir()] == [".new-2"]


def test_its_page(bureau, tmp_path):
    send(bureau, package(tmp_path))
    for step in ("accept", "make", "send", "arrive"):
        page = fetch(bureau.url)[1]
        assert "J1" in page and "ANNA" in page
        form = re.search(rf'<form method="post" action="(/move)">.*?name="job" value="(J1)".*?name="what" value="({step})"', page)
        assert fetch(bureau.url + form[1], urllib.parse.urlencode({"job": form[2], "what": form[3]}).encode())[0] == 303
    assert bureau.books()["jobs"]["J1"]["state"] == "arrived" and "<form method=\"post\" action=\"/move\">" not in fetch(bureau.url)[1]
    assert fetch(bureau.url + "/stock", b"blanks=7")[0] == 303 and counts(bureau)["blanks"] == 7
    assert fetch(bureau.url + "/move", b"job=J1&what=make")[0] == 409


def test_it_goes_on_with_its_books(tmp_path):
    with tempfile.TemporaryDirectory(prefix="bureau") as folder:  # sshd's user must be able to enter it
        first = Bureau(folder=folder)
        send(first, package(tmp_path))
        first.move("J1", "accept")
        assert first.stop() == 0
        second = Bureau(folder=folder)
        assert second.books()["jobs"]["J1"]["state"] == "accepted" and second.told["host_key"] == first.told["host_key"]
        second.move("J1", "make")
        assert second.stop() == 0


def test_what_it_took_and_did_not_write_down_is_taken_again(tmp_path):
    with tempfile.TemporaryDirectory(prefix="bureau") as folder:
        first = Bureau(folder=folder)
        send(first, package(tmp_path))
        assert first.stop() == 0
        books = pathlib.Path(folder) / "books.json"
        books.write_text(json.dumps({**json.loads(books.read_text(encoding="utf-8")), "jobs": {}}), encoding="utf-8")
        again = Bureau(folder=folder)
        assert list(again.books()["jobs"]) == ["J1"] and not again.books()["again"]
        assert again.stop() == 0


def test_switches(bureau, tmp_path):
    (tmp_path / "large").write_bytes(b"x" * 30000)
    put = f"put {tmp_path / 'large'} in/.large"
    for change in ({"down": True}, {"key_refused": True}):
        bureau.switch(**change)
        sftp(bureau, "ls", good=False)
        bureau.control("reset")
        sftp(bureau, "ls")
    for change in ({"read_only": True}, {"full": 20000}):
        bureau.switch(**change)
        sftp(bureau, put, good=False)
        bureau.control("reset")
        sftp(bureau, put)
    bureau.switch(cut_down="in/.large")
    sftp(bureau, "ls", good=False)
    bureau.control("reset")


@pytest.mark.parametrize("fault,messages", [("half", 1), ("nonsense", 1), ("twice", 2), ("reorder", 0)])
def test_faults_of_the_next_message(bureau, tmp_path, fault, messages):
    send(bureau, package(tmp_path))
    bureau.control("fault", what=fault)
    bureau.move("J1", "accept")
    assert len(list((bureau.home / "out").iterdir())) == messages
    bureau.move("J1", "make")
    said = [p.read_bytes() for p in sorted((bureau.home / "out").iterdir())]
    states = [m[1] if (m := re.search(rb' state="(\w+)" at="[^"]*" spoiled="0" bureau', d)) else None for d in said]
    whole = [d.endswith(b"</state>\n") or d.endswith(b"/>\n") for d in said]
    assert states == {"half": [states[0], b"made"], "nonsense": [None, b"made"], "twice": [b"accepted", b"accepted", b"made"],
                      "reorder": [b"made", b"accepted"]}[fault]
    assert all(whole) == (fault in ("twice", "reorder"))
