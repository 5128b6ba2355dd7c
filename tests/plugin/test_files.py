"""Files of a call: there and back through a plugin, and what the host does not let near it."""
import contextlib
import fcntl
import hashlib
import json
import os
import socket
import subprocess

import pytest

import contracts
from host import BUILD, ROOT, Gone, compile_library, frame_of

SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK
PLACE = {"package_id": "p-1", "location": "here"}
PUT = {"package_id": "p-1", "case_no": "1150000012", "closed": "2026-12-30"}


@pytest.fixture(scope="module", name="library")
def built():
    return compile_library(ROOT / "tests/plugin/copier.c", BUILD / "tests/plugin/odd/copier.so", "-D_GNU_SOURCE",
                           "-ljansson")


@pytest.fixture(name="archive")
def running(start, library):
    return start(library, deadline_ms=20000)


def asked(process, op, request, out, *files):
    """(answer, files that came back), by our own client."""
    frame = {"op": op, "key": "k", "request": request}
    done = subprocess.run([BUILD / "tests/plugin/asks", process.run_dir, process.name, json.dumps(frame), out, *files],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["rc"] != "ok" or not contracts.faults("archive", f"{op.split('.')[1]}.reply", answer["reply"])
    return answer, {p.name: p.read_bytes() for p in out.iterdir()}


def test_there_and_back(archive, tmp_path):
    given = {"case.json": b"{}", "空白 name.bin": bytes(range(256)) * 5000, "empty": b""}
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for name, content in given.items():
        (folder / name).write_bytes(content)
    answer, back = asked(archive, "archive.put", PUT, out, *sorted(folder.iterdir()))
    assert answer["reply"] == {"location": "here"} and back == {}
    answer, back = asked(archive, "archive.get", PLACE, out)
    assert back == {name: content[::-1] for name, content in given.items()}
    assert answer["reply"]["files"] == [
        {"name": name, "size": len(back[name]), "sha256": hashlib.sha256(back[name]).hexdigest()} for name in sorted(given)]
    assert asked(archive, "archive.verify", PLACE, out)[0]["reply"] == {"state": "missing"}


def test_limits_of_what_is_written(archive, tmp_path):
    answer, back = asked(archive, "archive.get", {**PLACE, "location": "many"}, tmp_path)
    assert answer["rc"] == "ok" and len(back) == 64 and "wrote 64 files" in archive.log
    for file in tmp_path.iterdir():
        file.unlink()
    answer, back = asked(archive, "archive.get", {**PLACE, "location": "long"}, tmp_path)
    assert answer["rc"] == "ok" and len(back["long"]) == 256 << 20 and "wrote 256 MiB" in archive.log


def test_files_beside_no(archive, tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    out = tmp_path / "out"
    out.mkdir()
    asked(archive, "archive.put", PUT, out, tmp_path / "a")
    answer, back = asked(archive, "archive.get", {**PLACE, "location": "refuse"}, out)
    assert answer["rc"] == "rejected" and answer["reply"] == {} and back == {}
    answer, back = asked(archive, "archive.get", PLACE, out)  # nothing of the call before
    assert back == {"a": b"cba"}


def test_descriptors_end_with_the_call(archive, tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    out = tmp_path / "out"
    out.mkdir()

    def count():
        return len(os.listdir(f"/proc/{archive.process.pid}/fd"))

    asked(archive, "archive.put", PUT, out, tmp_path / "a")
    before = count()
    for _ in range(5):
        asked(archive, "archive.put", PUT, out, tmp_path / "a")
        asked(archive, "archive.get", PLACE, out)
    assert count() <= before + 1  # a client that is about to be let out


# ---- what does not prove ----

def memory(content, seals=SEALS):
    fd = os.memfd_create("t", os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def named(name="a", content=b"abc", **other):
    return {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **other}


def put(process, files, fds):
    """The answer to a put with that list and those descriptors."""
    with contextlib.closing(process.client()) as client:
        client.send(frame_of(json.dumps({"op": "archive.put", "request": {**PUT, "files": files}}).encode()))
        try:
            if fds:
                socket.send_fds(client.socket, [b"F"], fds)
            return client.hear()
        finally:
            for fd in fds:
                os.close(fd)


@pytest.mark.parametrize("files,fds,reason", [
    ([named(size=4)], [b"abc"], "another size"), ([named(sha256="0" * 64)], [b"abc"], "another SHA-256"),
    ([named(content=b"abd")], [b"abc"], "another SHA-256"), ([named(size="3")], [b"abc"], "another size"),
    ([named("a/b")], [b"abc"], "a name that it cannot have"), ([named("..")], [b"abc"], "a name that it cannot have"),
    ([named("")], [b"abc"], "a name that it cannot have"), ([named("n" * 256)], [b"abc"], "a name that it cannot have"),
    ([named("é" * 128)], [b"abc"], "a name that it cannot have"), (["a"], [b"abc"], "a name that it cannot have"),
    ([named(), named()], [b"abc", b"abc"], "one name"),
    ([named(more=1)], [b"abc"], "/files/0/more: additionalProperties")])
def test_files_that_are_not_what_is_said(archive, files, fds, reason):
    answer = put(archive, files, [memory(content) for content in fds])
    assert answer["rc"] == "permfail" and reason in answer["reason"], answer
    assert put(archive, [named()], [memory(b"abc")])["rc"] == "ok"


@pytest.mark.parametrize("seals", [0, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK, fcntl.F_SEAL_WRITE])
def test_files_that_may_still_change(archive, seals):
    answer = put(archive, [named()], [memory(b"abc", seals)])
    assert answer["rc"] == "permfail" and "not sealed" in answer["reason"]


def test_files_of_a_folder(archive, tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    answer = put(archive, [named()], [os.open(tmp_path / "a", os.O_RDONLY)])
    assert answer["rc"] == "permfail" and "not sealed" in answer["reason"]


@pytest.mark.parametrize("files,fds", [([named()], 2), ([named(), named("b")], 1), ([named(str(i)) for i in range(65)], 65)])
def test_other_files_than_are_named(archive, files, fds):
    with pytest.raises((Gone, BrokenPipeError)):  # by the answer, or already by what is still to be sent
        put(archive, files, [memory(b"abc") for _ in range(fds)])
    assert "client dropped" in archive.log
    assert put(archive, [named()], [memory(b"abc")])["rc"] == "ok"


def test_files_that_nobody_named(archive):
    """They are closed, and the next request is read as ever."""
    with contextlib.closing(archive.client()) as client:
        fd = memory(b"abc")
        socket.send_fds(client.socket, [frame_of(json.dumps({"op": "archive.verify", "request": PLACE}).encode())], [fd])
        os.close(fd)
        assert client.hear()["reply"] == {"state": "missing"}
        assert client.ask({"op": "archive.verify", "request": PLACE})["rc"] == "ok"
