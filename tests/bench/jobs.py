"""What is measured: each job once by the platform, and once by the bare handler where that has it."""
import contextlib
import os
import re
import signal
import tempfile
from pathlib import Path
from typing import NamedTuple, Optional

from measure import ROOT, ab, at_once, child_of, sample, sh
from servers import await_, flow

REQUESTS = 4000  # of a page in one round
PERMITS = 20     # of one payment
POSTS = 200      # to the bare handler: CPU is told in hundredths of a second
CLIENTS = 8
PHOTO_BYTES, PDF_BYTES = 307200, 512000


class Job(NamedTuple):
    """A line of the table. `limit` names the job that is its limit, `goal` the ratio to it that is to be had."""
    name: str
    label: str
    limit: Optional[str] = None
    goal: Optional[float] = None


JOBS = (
    Job("static", "a static file of 12 KB"),
    Job("bare progress", "bare progress page"),
    Job("progress", "progress page", "bare progress", 1.6),
    Job("bare list", "bare list of 50"),
    Job("list", "reviewer's list of 50", "bare list", 1.6),
    Job("bare find", "bare look-up by key"),
    Job("find number", "search by case number", "bare find", 2.0),
    Job("find name", "search by a whole Latin name", "bare find", 2.0),
    Job("bare filing", "bare filing, one POST"),
    Job("filing", "filing: save, three uploads, submit", "bare filing", 1.8),
    Job("after filing", "… what follows: receipt signed and kept, notices mailed"),
    Job("permit", "e-permit with its part of the receipt"),
)


def padded_pdf(size):
    data = flow.pdf()
    return data.replace(b"%PDF-1.4\n", b"%PDF-1.4\n%" + b"x" * (size - len(data) - 2) + b"\n", 1)


class Bench:
    """The rounds over one pair of servers: samples[job] has one for each, sizes[job] the bytes of the page."""

    def __init__(self, pair, filings):
        self.pair, self.filings = pair, filings
        self.samples, self.sizes = {}, {}
        self.photo = flow.photo()
        self.people = [pair.site.person("broker") for _ in range(CLIENTS)]
        self.officer, self.reviewer = next(iter(pair.officers.items()))
        self.number, name = pair.store.rows("SELECT case_no, name_latin FROM cases WHERE id = 1000000040")[0]
        self.name = name.replace(" ", "+")

    def warm(self, wanted):
        """As a server that has run for a day: connections open, statements prepared, in each process."""
        for name, job in (("bare filing", self.bare_filing), ("filing", self.filing)):
            if wanted(name):
                job()
                del self.samples[name]
        self.samples.pop("after filing", None)

    def round(self, wanted):
        site, bare = self.pair.site, self.pair.bare
        mine, officer = self.pair.cookie(self.pair.broker), self.pair.cookie(self.reviewer)
        pages = {"static": (site, "/assets/00000000/bench.html", "none=1"),
                 "bare progress": (bare, f"/bare/progress?{self.pair.case}", mine),
                 "progress": (site, f"/cases/{self.pair.case}", mine),
                 "bare list": (bare, f"/bare/list?{self.officer}", officer),
                 "list": (site, "/desk?list=mine", officer),
                 "bare find": (bare, f"/bare/find?{self.number}", officer),
                 "find number": (site, f"/search?q={self.number}", officer),
                 "find name": (site, f"/search?q={self.name}", officer)}
        rest = {"bare filing": self.bare_filing, "filing": self.filing, "permit": self.permit}
        for job in JOBS:
            if job.name in pages and wanted(job.name):
                self.page(job.name, *pages[job.name])
            elif job.name in rest and wanted(job.name):
                rest[job.name]()

    def note(self, name, server, n, work, after=None):
        self.samples.setdefault(name, []).append(sample(self.pair.roots(server), n, work, after))

    def page(self, name, server, path, cookie):
        def work():
            times, self.sizes[name] = ab(server.base + path, REQUESTS, cookie)
            return times

        def audited():
            if server is self.pair.site:
                await_("the audit of the reads", self.pair.is_audited, 60)
        self.note(name, server, REQUESTS, work, audited)

    def rest(self):
        """Until what follows from an answer is done: papers pressed, mails sent."""
        await_("an empty outbox", lambda: self.pair.count("outbox WHERE state IN ('ready', 'leased')") == 0, 60)

    def filing(self):
        """All requests of an application: the save of 20 fields, three uploads, submission; then, apart, what follows from them."""
        files = {"photo": ("photo.jpg", self.photo), "passport_page": ("a.pdf", padded_pdf(PDF_BYTES)),
                 "employment_proof": ("b.pdf", padded_pdf(PDF_BYTES))}

        def file(person, case):
            person.do(f"/cases/{case}/edit", flow.case_fields())
            for slot, (name, data) in files.items():
                person.upload(case, slot, name, data)
            person.do(f"/cases/{case}/submit")

        cases = [flow.open_case(self.people[0], flow.register(self.people[0])) for _ in range(self.filings)]
        jobs = [lambda c=c, i=i: file(self.people[i % CLIENTS], c) for i, c in enumerate(cases)]

        with self.without_pump():
            self.note("filing", self.pair.site, self.filings, lambda: at_once(CLIENTS, jobs))
        self.note("after filing", self.pair.site, self.filings, self.rest)

    @contextlib.contextmanager
    def without_pump(self):
        """What follows from a request waits, so that it can be told apart."""
        pump = child_of(self.pair.roots(self.pair.site)[0], "pump")
        os.kill(pump, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pump, signal.SIGCONT)

    def bare_filing(self):
        with tempfile.NamedTemporaryFile() as body:
            Path(body.name).write_bytes(b"x" * (PHOTO_BYTES + 2 * PDF_BYTES))
            self.note("bare filing", self.pair.bare, POSTS, lambda: ab(f"{self.pair.bare.base}/bare/file", POSTS, body=body.name)[0])
        # Emptied, not removed: ext4 without a journal looks past every inode that was freed within a minute, whoever makes a file next.
        for file in (self.pair.bare.folder / "files").iterdir():
            os.truncate(file, 0)

    def approved(self):
        case = flow.filed(self.people[0])
        first = self.pair.store.rows(f"SELECT first_reviewer FROM cases WHERE id = {int(case)}")[0][0]
        flow.decide(self.pair.officers[first], case, "approve")
        flow.decide(next(p for i, p in self.pair.officers.items() if i != first), case, "confirm")
        return case

    def permit(self):
        """From the notice of a payment for so many cases to their permits and the receipt: drawn, sealed, signed, kept, mailed."""
        site, broker = self.pair.site, self.people[0]
        cases = [self.approved() for _ in range(PERMITS)]
        order = site.order(broker.see(f"/payments/{flow.begin_payment(broker, *cases)}")["redirect"])
        theirs = f"document WHERE kind = 'permit' AND case_id IN ({', '.join(cases)})"
        self.rest()

        def work():
            site.control("pay", order=order, method="card")
            await_("the permits", lambda: self.pair.count(theirs) == PERMITS, 120)
            self.rest()
        self.note("permit", site, PERMITS, work)


def upload_memory():
    """Of the serving process, through a file of 1 GiB: tests/http/test_upload_memory.py fails beyond 2 MiB."""
    told = sh(ROOT / "tests/http/run", "--full", "-s", "test_upload_memory.py")
    found = re.search(r"1024 MiB: before (\d+), most (\d+), after (\d+) KiB", told)
    if not found:
        raise SystemExit(f"no memory was told:\n{told[-2000:]}")
    return f"A file of 1 GiB through a serving process: {found[1]} KiB before, {found[2]} at most, {found[3]} after."
