"""A file goes through in pieces: the serving process has the same memory after 64 MiB as before; with --full, 1 GiB."""
import os
import threading

import conftest
import flow
import pytest
import requests
import wire
from platform_under_test import ROOT, SLOW, await_

MIB = 1048576
PIECE = b"\n" * 65536
MOST_KIB = 2048
DIRECTIVES = """FwPermitUploadMax 1073741824
FwPermitServices "@DIR@/services"
LimitRequestBody 0
<LocationMatch "^/(cases|workers)/[0-9]+/files/">
    LimitRequestBody 0
</LocationMatch>
ServerLimit 1
StartServers 1
ThreadsPerChild 4
MinSpareThreads 1
MaxSpareThreads 4
MaxRequestWorkers 4
"""


def prepare(platform):
    """The usual service, but for the files' limit."""
    folder = platform.folder / "services"
    folder.mkdir()
    text = (ROOT / "conf/services/epermit.xml").read_text(encoding="utf-8")
    wanted = '<field name="employment_proof" type="file" required="yes" max-files="3">'
    assert wanted in text
    text = text.replace(wanted, wanted.replace("max-files", 'max-bytes="1073741824" max-files'))
    (folder / "epermit.xml").write_text(text, encoding="utf-8")
    folder.chmod(0o755)


def memory_kib(pid):
    """What is its own: anonymous memory, not the pages of files that it maps."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))


def serving(platform):
    parent = (platform.folder / "httpd.pid").read_text(encoding="ascii").strip()
    found = [pid for pid, line in conftest.processes_of(platform.folder) if "apache2" in line and str(pid) != parent]
    assert len(found) == 1, found
    return found[0]


class Body:
    """A form with a PDF of n bytes, made as it goes."""

    def __init__(self, n, watch):
        first, rest = flow.pdf().split(b"\n", 1)
        self.head = wire.multipart(wire.file_part(b""), end=False)[:-2] + first
        self.tail = b"\n" + rest + b"\r\n--BoUnDaRy--\r\n"
        self.left, self.watch = n - len(flow.pdf()), watch
        self.whole = len(self.head) + self.left + len(self.tail)

    def __len__(self):
        return self.whole

    def __iter__(self):
        return iter(self.read, b"")

    def read(self, _=0):
        if self.head:
            out, self.head = self.head, b""
        elif self.left > 0:
            out = PIECE[:self.left]
            self.left -= len(out)
            self.watch()
        else:
            out, self.tail = self.tail, b""
        return out


def send(person, case, n, watch=lambda: None):
    answer = requests.post(f"{person.base}/cases/{case}/files/employment_proof", data=Body(n, watch), cookies=person.http.cookies,
                           headers={"X-CSRF-Token": person.csrf, "Content-Type": wire.FORM_DATA, "Accept": "application/json"},
                           timeout=600 * SLOW)
    assert answer.status_code == 200, answer.text
    return answer.json()["file"]


@pytest.mark.skipif("FW_SERVER_ENV" in os.environ, reason="a sanitizer keeps what is freed")
@pytest.mark.parametrize("size", [64 * MIB, pytest.param(1024 * MIB, marks=pytest.mark.skipif(
    "FW_FULL" not in os.environ, reason="with --full"))], ids=["64 MiB", "1 GiB"])
def test_memory_is_flat(platform, broker, size):
    worker = flow.register(broker)
    child = serving(platform)
    for _ in range(4):
        send(broker, flow.open_case(broker, worker), MIB)  # every thread has begun, every cache is warm
    before = memory_kib(child)
    during = []
    shown = send(broker, flow.open_case(broker, worker), size,
                 lambda: during.append(0 if len(during) % 8 else memory_kib(child)))
    after = memory_kib(child)
    print(f"{size // MIB} MiB: before {before}, most {max(during)}, after {after} KiB")
    assert child == serving(platform)
    assert max(during) - before <= MOST_KIB and abs(after - before) <= MOST_KIB, (before, max(during), after)
    down = requests.get(broker.base + shown["href"], cookies=broker.http.cookies, stream=True, timeout=600 * SLOW)
    got = sum(len(piece) for piece in down.iter_content(MIB))
    assert got == size and memory_kib(child) - before <= MOST_KIB


def test_a_file_beside_others_does_not_hold_them_up(platform, broker):
    """While one is sent slowly, pages are served."""
    case = flow.open_case(broker, flow.register(broker))
    go = threading.Event()
    sender = threading.Thread(target=send, args=(broker, case, 2 * MIB, lambda: go.wait(30)))
    sender.start()
    try:
        for _ in range(5):
            assert platform.person().get("/login").status_code == 200
            assert broker.get("/cases").status_code == 200
    finally:
        go.set()
        sender.join(60)
    await_("the file", lambda: broker.see(f"/cases/{case}")["files"])
