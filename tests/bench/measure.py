"""What a piece of work costs a server: CPU seconds of its whole process tree, requests a second, times of answer, memory."""
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


def sh(*command, **more):
    done = subprocess.run([str(c) for c in command], check=False, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Sample(NamedTuple):
    """One round of a job."""
    cpu: float       # seconds for 1,000
    pictures: float  # likewise, of the role that decodes photos and draws papers: told apart
    rate: float      # a second, by the clock on the wall
    p50: float       # milliseconds
    p99: float
    child: float     # MiB resident, of the largest process of httpd's own


def processes():
    """pid → (parent, CPU seconds with those of children that have ended and were waited for)."""
    found = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            try:
                s = pathlib.Path(f"/proc/{d}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
            except OSError:
                continue
            found[int(d)] = int(s[1]), sum(int(x) for x in s[11:15]) / TICKS
    return found


def tree(roots, found):
    chosen, grew = set(roots), True
    while grew:
        fresh = {p for p, (parent, _) in found.items() if parent in chosen and p not in chosen}
        chosen |= fresh
        grew = bool(fresh)
    return chosen


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def child_of(httpd, role):
    """The process that httpd has for a role of the worker."""
    return next(pid for pid, (parent, _) in processes().items() if parent == httpd and b"fwpermit-worker\0" + role.encode() in command_of(pid))


def cpu_of(roots):
    """(all but the pictures role, the pictures role), in seconds."""
    found = processes()
    chosen = tree(roots, found)
    pictures = sum(found[p][1] for p in chosen if p in found and b"fwpermit-worker\0pictures" in command_of(p))
    return sum(found[p][1] for p in chosen if p in found) - pictures, pictures


def largest_child(httpd):
    """MiB resident of the largest process that serves requests."""
    sizes = [0]
    for pid, (parent, _) in processes().items():
        if parent == httpd and command_of(pid).split(b"\0")[0].endswith(b"apache2"):
            status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            sizes.append(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024)
    return max(sizes)


def sample(roots, n, work, then=None):
    """Does the work, n times something, which gives what each took in seconds (or nothing), and tells what it cost `roots`, of which
    httpd is the first. `then` ends when all that follows from the work is done: it costs, but nobody waits for it."""
    before, start = cpu_of(roots), time.monotonic()
    times = sorted(work() or [0])
    wall = time.monotonic() - start
    if then:
        then()
    after = cpu_of(roots)
    return Sample((after[0] - before[0]) * 1000 / n, (after[1] - before[1]) * 1000 / n, n / wall, statistics.median(times) * 1000,
                  times[min(len(times) - 1, len(times) * 99 // 100)] * 1000, largest_child(roots[0]))


def ab(url, n, cookie="none=1", body=None):
    """n requests at 16 connections (8 with a body): (what each took in seconds, by ab's hundredths; bytes of the answer)."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as table:
        more = ["-p", body, "-T", "application/octet-stream"] if body else []
        out = sh("ab", "-k", "-q", "-n", n, "-c", 8 if body else 16, "-C", cookie, "-e", table.name, *more, url)
        # An answer whose length differs is told as failed: there are times of day on the pages.
        if "Non-2xx" in out or "Failed requests:        0" not in out and "Length:" not in out:
            raise SystemExit(f"{url}: {out}")
        lines = pathlib.Path(table.name).read_text(encoding="ascii").splitlines()[1:]
    return [float(line.split(",")[1]) / 1000 for line in lines], int(re.search(r"Document Length:\s+(\d+)", out)[1])


def at_once(workers, jobs):
    """Runs jobs, some at a time; gives what each took in seconds."""
    queue, failed, took = list(jobs), [], []

    def go():
        while queue and not failed:
            try:
                job, start = queue.pop(), time.monotonic()
                job()
                took.append(time.monotonic() - start)
            except Exception as error:  # pylint: disable=broad-except
                failed.append(error)
    threads = [threading.Thread(target=go) for _ in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise failed[0]
    return took
