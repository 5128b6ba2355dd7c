"""scan_clamav against a real clamd with signatures of the test's own, and against what only looks like one."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/plugin"), str(ROOT / "tests/lib")]

import contracts  # noqa: E402  pylint: disable=wrong-import-position
from clamd import EICAR, NAME, Clamd  # noqa: E402  pylint: disable=wrong-import-position
from host import PLUGINS, Process, frame_of  # noqa: E402  pylint: disable=wrong-import-position

MIB = 1048576
PLUGIN = PLUGINS / "scan_clamav.so"
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK
TIME_MS = 20000


def free_port():
    for port in range(26260, 26280):
        with contextlib.closing(socket.socket()) as s, contextlib.suppress(OSError):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module", name="clamd")
def real_one(port):
    with tempfile.TemporaryDirectory(prefix="fw-clam") as folder:
        daemon = Clamd(folder, StreamMaxLength=2 * MIB, TCPSocket=port, TCPAddr="127.0.0.1").start()
        yield daemon
        daemon.stop()


@pytest.fixture(name="running")
def again(clamd):
    yield clamd
    if not clamd.answers():
        clamd.restart()


@pytest.fixture(name="start")
def starter():
    started = []

    def start(**options):
        started.append(Process(PLUGIN, "virus", options, deadline_ms=TIME_MS))
        return started[-1]
    yield start
    for process in started:
        assert process.stop() == 0


@pytest.fixture(name="plugin")
def over_its_socket(start, clamd):
    return start(socket=str(clamd.socket))


def scan(process, content, **more):
    """The answer to one file."""
    fd = os.memfd_create("call", os.MFD_ALLOW_SEALING)
    at = 0
    while at < len(content):
        at += os.write(fd, content[at:])
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    request = {"files": [{"name": "upload", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}]}
    frame = {"op": "scan.scan", "key": "key-1", "request": request, "deadline_ms": TIME_MS, **more}
    with contextlib.closing(process.client()) as client:
        client.send(frame_of(json.dumps(frame).encode()))
        socket.send_fds(client.socket, [b"F"], [fd])
        os.close(fd)
        answer = client.hear()
    contracts.check("scan.scan", request, b"", answer, True)
    return answer


def clean(answer):
    assert answer["rc"] == "ok" and answer["reply"]["verdict"] == "clean", answer
    assert set(answer["reply"]) == {"verdict", "engine"} and answer["reply"]["engine"].startswith("ClamAV ")


def not_judged(answer, words):
    """Never clean."""
    assert answer["rc"] == "tempfail" and answer["reply"] == {} and words in answer["reason"], answer


# ---- verdicts ----

@pytest.mark.parametrize("content", [b"", b"x", b"%PDF-1.4 a page", b"y" * 65536, b"z" * 65537, os.urandom(MIB), b"w" * (2 * MIB)],
                         ids=lambda c: str(len(c)))
def test_what_is_harmless_is_clean(plugin, content):
    clean(scan(plugin, content))


@pytest.mark.parametrize("content", [EICAR, b"x" * 65500 + EICAR + b"y" * 65500, b"x" * (2 * MIB - len(EICAR)) + EICAR],
                         ids=["alone", "over a chunk's border", "at the end"])
def test_what_is_not_is_found(plugin, content):
    answer = scan(plugin, content)
    assert answer["rc"] == "ok" and answer["reply"]["verdict"] == "found" and answer["reply"]["name"] == NAME, answer
    assert answer["reply"]["engine"].startswith("ClamAV ")


def test_over_tcp(start, clamd, port):
    assert clamd
    process = start(host="127.0.0.1", port=str(port))
    clean(scan(process, b"x"))
    assert scan(process, EICAR)["reply"]["verdict"] == "found"
    assert process.call("health")[0] == "ok"


def test_longer_than_clamd_takes(plugin):
    for more in (1, MIB, 20 * MIB):
        answer = scan(plugin, b"x" * (2 * MIB + more))
        not_judged(answer, f"a file of {2 * MIB + more} bytes is longer than clamd's StreamMaxLength")
    clean(scan(plugin, b"x"))


def test_what_clamd_does_not_look_at_whole_is_not_clean(start, running):
    running.restart(MaxFileSize=1000, MaxScanSize=1000)
    not_judged(scan(start(socket=str(running.socket)), b"x" * 5000), "limits keep it from looking into the whole file")
    for name in ("MaxFileSize", "MaxScanSize"):
        running.more.pop(name)
    running.restart()


def test_many_files_leave_nothing_behind(plugin):
    for _ in range(20):
        scan(plugin, b"x" * MIB)
    before = plugin.memory()
    files = len(os.listdir(f"/proc/{plugin.process.pid}/fd"))
    for _ in range(50):
        scan(plugin, b"x" * MIB)
    assert plugin.memory() <= before + 10240, "a file of each call would be 50 MiB; an allocator keeps some"
    assert len(os.listdir(f"/proc/{plugin.process.pid}/fd")) <= files + 5, "one of each call would be 50; the last may be closing"


# ---- away ----

def test_clamd_that_is_not_there(plugin, running):
    with running.away():
        not_judged(scan(plugin, b"x"), "cannot connect to clamd: No such file or directory")
        answer = plugin.raw("health")
        assert answer["rc"] == "tempfail" and "cannot connect" in answer["reason"]
    clean(scan(plugin, b"x"))
    assert plugin.call("health")[0] == "ok"


def test_clamd_that_says_nothing(plugin, running):
    with running.frozen():
        not_judged(scan(plugin, b"x", deadline_ms=300), "clamd is silent: time-out")
        answer = plugin.raw("health", deadline_ms=300)
        assert answer["rc"] == "tempfail" and "silent" in answer["reason"]
    clean(scan(plugin, b"x"))


def test_clamd_that_is_killed_in_the_middle(plugin, running):
    answers = []
    with running.frozen():
        asking = threading.Thread(target=lambda: answers.append(scan(plugin, b"x" * MIB)))
        asking.start()
        while not any("memfd:call" in os.readlink(f"/proc/{plugin.process.pid}/fd/{fd}") for fd in open_files(plugin)):
            pass
        running.process.kill()
        running.process.wait()
        asking.join()
        running.process = subprocess.Popen(["true"])  # pylint: disable=consider-using-with
        running.process.wait()
    assert answers[0]["rc"] == "tempfail", answers
    running.restart()
    clean(scan(plugin, b"x"))


def open_files(process):
    """Of the descriptors those that are still there when they are looked at."""
    folder = f"/proc/{process.process.pid}/fd"
    return [fd for fd in os.listdir(folder) if os.path.lexists(f"{folder}/{fd}")]


# ---- what only looks like clamd ----

class Other:
    """Answers each session by a script: what it says when it has a command, or has taken the whole stream."""

    def __init__(self, folder, version=b"1: ClamAV 9.9.9\n", verdict=b"2: stream: OK\n", early=False):
        self.path = str(folder / "other.sock")
        self.version, self.verdict, self.early = version, verdict, early
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(4)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                with client, contextlib.suppress(OSError):
                    self.talk(client, client.makefile("rb"))

    def talk(self, client, taken):
        assert taken.readline() == b"nIDSESSION\n" and taken.readline() == b"nVERSION\n"
        client.sendall(self.version)
        if not self.version.endswith(b"\n"):
            return
        if taken.readline() != b"nINSTREAM\n":
            return
        size = int.from_bytes(taken.read(4), "big")
        while size and not self.early:
            assert len(taken.read(size)) == size
            size = int.from_bytes(taken.read(4), "big")
        client.sendall(self.verdict)


@pytest.mark.parametrize("other,words", [
    ({"version": b"nonsense\n"}, "an answer that is not clamd's: nonsense"), ({"version": b"1: "}, "before its answer was whole"),
    ({"version": b""}, "before its answer was whole"), ({"version": b"x" * 5000}, "too long"),
    ({"verdict": b""}, "before its answer was whole"), ({"verdict": b"2: stream: O"}, "before its answer was whole"),
    ({"verdict": b"2: stream: OK"}, "before its answer was whole"), ({"verdict": b"stream: OK\n"}, "not clamd's"),
    ({"verdict": b"3: stream: OK\n"}, "not clamd's"), ({"verdict": b"2: stream: OK \n"}, "does not judge"),
    ({"verdict": b"2: stream: ok\n"}, "does not judge"), ({"verdict": b"2: OK\n"}, "does not judge"),
    ({"verdict": b"2: stream: OK\0\n"}, "does not judge"), ({"verdict": b"2: stream:  FOUND\n"}, "does not judge"),
    ({"verdict": b"2: stream: FOUND\n"}, "does not judge"), ({"verdict": b"2: stream: lstat() failed ERROR\n"}, "does not judge"),
    ({"verdict": b"2: COMMAND READ TIMED OUT\n"}, "does not judge"),
    ({"early": True, "verdict": b"2: stream: OK\n"}, "")])
def test_an_answer_that_is_none(start, tmp_path, other, words):
    process = start(socket=Other(tmp_path, **other).path)
    not_judged(scan(process, b"x" * 4 * MIB), words)


def test_a_name_that_is_no_text(start, tmp_path):
    process = start(socket=Other(tmp_path, verdict=b"2: stream: B\xff\x01\xc3d " + b"n" * 300 + b" FOUND\n").path)
    name = scan(process, b"x")["reply"]["name"]
    assert name == "B???d " + "n" * 194


# ---- settings, probe ----

@pytest.mark.parametrize("options,words", [
    ({}, "missing option socket"), ({"socket": "relative"}, "socket"), ({"socket": "/" + "x" * 107}, "socket"),
    ({"socket": "/x", "host": "127.0.0.1"}, "without host"), ({"port": "3310"}, "missing option socket, or host"),
    ({"host": "127.0.0.1", "port": "0"}, "port"), ({"host": "127.0.0.1", "port": "65536"}, "port"), ({"host": "a/b"}, "host"),
    ({"host": "clamd.example"}, "allow_plain"), ({"host": "clamd.example", "allow_plain": "no"}, "allow_plain"),
    ({"socket": "/x", "signature_days": "0"}, "signature_days"), ({"socket": "/x", "signature_days": "366"}, "signature_days"),
    ({"socket": "/x", "no_such": "1"}, "no_such")])
def test_wrong_settings_are_named(start, options, words):
    answer = start(**options).raw("health")
    assert answer["rc"] == "misconfigured" and words in answer["reason"], answer


@pytest.mark.parametrize("options", [{"socket": "/" + "x" * 106}, {"host": "clamd.example", "port": "65535", "allow_plain": "yes"},
                                     {"socket": "/x", "signature_days": "365"}, {"host": "::1", "port": "1"}])
def test_settings_at_their_limits(start, options):
    assert start(**options).raw("health", deadline_ms=2000)["rc"] == "tempfail"


def steps(process):
    answer = process.call("probe")[1]
    return {s["name"]: (s["ok"], s["detail"]) for s in answer["steps"]}


def test_the_probe_tells_step_by_step(plugin, running):
    told = steps(plugin)
    assert list(told) == ["connect", "ping", "version", "signatures", "scan"]
    assert told["connect"] == (True, str(running.socket)) and told["ping"] == (True, "PONG") and told["scan"] == (True, "stream: OK")
    assert told["version"][1].startswith("ClamAV 1.") and told["signatures"] == (False, "clamd does not say how old its signatures are")
    with running.away():
        assert steps(plugin) == {"connect": (False, "cannot connect to clamd: No such file or directory")}
