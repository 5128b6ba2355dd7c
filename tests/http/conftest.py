"""One platform for each test file, on ports of its own. After the file its error log may hold nothing that no test
announced (`platform.expect`), and no process of it may be left."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import socket
import sys
import tempfile

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from platform_under_test import Platform, await_  # noqa: E402

PORTS = range(26000, 26200, 4)
ALWAYS = "FwPermitLoginRate 100000\n"  # a test file may say otherwise: the last word counts
LOCKS = []
LEFT = []  # folders of platforms that failed


def pytest_terminal_summary(terminalreporter):
    for folder in LEFT:
        terminalreporter.write_line(f"what it kept: {folder}")


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def take_port(port):
    """A lock on the four ports from this one on, or None where another run has it or somebody one of them."""
    lock = open(f"{tempfile.gettempdir()}/fw-http-{port}.lock", "w", encoding="ascii")  # pylint: disable=consider-using-with
    with contextlib.suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if all(is_free(port + i) for i in range(PORTS.step)):
            return lock
    lock.close()
    return None


def free_ports(fours=1):
    """The first of so many times four ports in a row that nobody has, kept from other runs until this one ends."""
    for port in PORTS[:len(PORTS) - fours + 1]:
        locks = []
        for at in range(port, port + fours * PORTS.step, PORTS.step):
            locks += filter(None, [take_port(at)])
        if len(locks) == fours:
            LOCKS.extend(locks)
            return port
        for lock in locks:
            lock.close()
    raise AssertionError("no free ports")


def processes_of(folder):
    """The processes whose command line names the folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) + "/" in words:
                found.append((int(entry.name), words))
    return found


def end_well(platform):
    platform.stop()
    await_("the end of all processes", lambda: not processes_of(platform.folder))
    # httpd asks a second time where a process takes more than a second to end: its database is checkpointed and synced
    lines = platform.unexpected("AH00045: child process", *platform.expected)
    assert not lines, "the error log has what no test announced: " + " | ".join(lines[:20])  # one line: a summary has it whole


@contextlib.contextmanager
def serving(request, *options):
    """The platform of a test file, until its end."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fw-http-"))
    folder.chmod(0o755)
    systems = getattr(request.module, "SYSTEMS", False)  # all of them beside it
    port = free_ports(3 if systems else 1)
    more = ("--systems", "all", "--systems-port", str(port + 3)) if systems else ()
    served = Platform(folder, port, *options, *more, build=os.environ.get("B"))
    extra = getattr(request.module, "DIRECTIVES", "")
    (folder / "extra").mkdir()
    (folder / "extra/test.conf").write_text(ALWAYS + extra.replace("@DIR@", str(folder)), encoding="utf-8")
    if hasattr(request.module, "prepare"):
        request.module.prepare(served)
    failed = request.session.testsfailed
    try:
        served.start()
        yield served
        end_well(served)
    finally:
        if processes_of(folder):
            served.serve("stop", check=False)
        if request.session.testsfailed == failed and "FW_KEEP" not in os.environ:
            shutil.rmtree(folder)
        else:
            LEFT.append(folder)


@pytest.fixture(scope="module")
def platform(request):
    with serving(request) as served:
        yield served


@pytest.fixture(scope="module")
def broker(platform):
    return platform.of("broker")


@pytest.fixture(scope="module")
def employer(platform):
    return platform.of("employer")


@pytest.fixture(scope="module")
def reviewers(platform):
    return [platform.of("reviewer1"), platform.of("reviewer2")]


@pytest.fixture(scope="module")
def admin(platform):
    return platform.of("admin")
