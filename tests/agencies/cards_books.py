"""The card bureau's books: jobs with their steps, blanks by what became of them, and what was written for the platform."""
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import threading
import time
import xml.sax.saxutils

import cards_package

STORE = "bureau"
DAY = 86400
FIRST_NO = 55200
FAULTS = {"half", "nonsense", "twice", "reorder"}  # of the next message
# what a person may do in each state; None: the package came and nothing was said of it yet
MOVES = {None: ("accept", "cancel"), "accepted": ("make", "spoil", "cancel"), "spoiled": ("accept", "cancel"),
         "made": ("send", "spoil"), "sent": ("arrive",), "arrived": (), "cancelled": ()}
BECOMES = {"accept": "accepted", "make": "made", "spoil": "spoiled", "send": "sent", "arrive": "arrived", "cancel": "cancelled"}


class No(Exception):
    """What cannot be done now."""


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def element(name, attributes, inner=""):
    pairs = "".join(f" {k}={xml.sax.saxutils.quoteattr(str(v))}" for k, v in attributes.items() if v is not None)
    return f"<{name}{pairs}>{inner}</{name}>" if inner else f"<{name}{pairs}/>"


def document(name, attributes, inner=""):
    head = {"xmlns": "urn:fwpermit:card:1", "version": "1", **attributes}
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + element(name, head, inner) + "\n"


class Books:
    """One bureau on one folder: `in`, `out` and `books` below it are what SFTP shows, `taken` is its own."""

    def __init__(self, folder, owner=None, automatic=False):
        self.folder, self.owner, self.lock = pathlib.Path(folder), owner, threading.RLock()
        self.home = self.folder / "home"
        self.inbox, self.out, self.books = (self.home / name for name in ("in", "out", "books"))
        self.taken, self.file = self.folder / "taken", self.folder / "books.json"
        self.automatic = automatic  # whether packages are accepted as they come
        if self.file.exists():
            self._load()
        else:
            self.reset()

    # ---- the books themselves

    def reset(self):
        with self.lock:
            for folder in (self.inbox, self.out, self.books, self.taken):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                if self.owner and folder in (self.inbox, self.out):
                    os.chown(folder, *self.owner)
            self.jobs, self.cancels, self.again, self.faults, self.written = {}, {}, [], [], 0
            self.stock = {"opened": 1000, "blanks": 1000, "reserved": 0, "made": 0, "spoiled": 0, "delivered": 0, "low_at": 100}
            self.next, self.held = set(), None
            self.rounds = True  # whether it looks by itself for what came
            self._save()
            self._write_stock()

    def _load(self):
        for name, value in json.loads(self.file.read_text(encoding="utf-8")).items():
            setattr(self, name, value)
        self.next, self.held, self.rounds = set(), None, True
        for path in self.taken.iterdir():  # it was ended before the job stood in its books
            if path.name not in self.jobs:
                shutil.move(path, self.inbox / path.name)

    def _save(self):
        text = json.dumps(self.snapshot(), ensure_ascii=False, indent=1)
        self._put(self.file, text.encode())

    def snapshot(self):
        with self.lock:
            return {"jobs": self.jobs, "cancels": self.cancels, "again": self.again, "faults": self.faults,
                    "stock": self.stock, "written": self.written}

    def faults_of_stock(self):
        """[], or what of the counts is not as the cards are."""
        s, jobs = self.stock, self.jobs.values()
        wanted = {"reserved": sum(j["state"] == "accepted" for j in jobs), "made": sum(j["state"] == "made" for j in jobs),
                  "spoiled": sum(j["spoiled"] for j in jobs), "delivered": sum(j["delivered"] for j in jobs)}
        wrong = [f"{name}: {s[name]}, by the jobs {n}" for name, n in wanted.items() if s[name] != n]
        if s["blanks"] + s["made"] + s["spoiled"] + s["delivered"] != s["opened"]:
            wrong.append("blanks that are nowhere")
        return wrong

    # ---- what comes in

    def take_in(self):
        """What lies in the folder of jobs, once; whether there was anything."""
        with self.lock:
            there = sorted(self.inbox.iterdir())
            for path in there:
                if path.name.startswith("."):
                    self._forget_old(path)
                elif path.is_dir():
                    self._take_package(path)
                else:
                    self._take_cancel(path)
            return any(not p.name.startswith(".") for p in there)

    def _forget_old(self, path):
        with contextlib.suppress(FileNotFoundError):  # the platform may rename or remove it just now
            if time.time() - path.stat().st_mtime > DAY:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _take_package(self, path):
        if path.name in self.jobs:
            self.again.append(path.name)
            shutil.rmtree(path)
            return self._save()
        place = self.taken / path.name
        shutil.move(path, place)
        job = {"job_no": path.name, "state": None, "seq": 0, "steps": [], "spoiled": 0, "delivered": 0, "bureau_no": None,
               "card_no": None, "station": None, "tracking": None, "reason": None, "what": None}
        self.jobs[path.name] = job
        try:
            job["what"] = cards_package.read_job(place)
        except cards_package.Refused as why:
            return self._step(job, "cancelled", reason=str(why)[:200])
        job["bureau_no"] = str(FIRST_NO + len(self.jobs))
        self._save()
        if path.name in self.cancels:
            return self.move(path.name, "cancel", reason=self.cancels[path.name])
        if self.automatic:
            return self.move(path.name, "accept")
        return None

    def _take_cancel(self, path):
        """A request that comes before its job is kept for it."""
        try:
            job_no, reason = cards_package.read_cancel(path)
        except (cards_package.Refused, OSError) as why:
            self.faults.append(f"{path.name}: {why}")
            path.unlink()
            return self._save()
        path.unlink()
        self.cancels[job_no] = reason
        self._save()
        job = self.jobs.get(job_no)
        if job and "cancel" in MOVES[job["state"]]:
            return self.move(job_no, "cancel", reason=reason)
        return None

    # ---- what a person does

    def move(self, job_no, what, **more):
        with self.lock:
            job = self.jobs.get(job_no)
            if not job or what not in MOVES[job["state"]]:
                raise No(f"{what} is not possible for {job_no}")
            if what == "accept" and self.stock["blanks"] <= self.stock["reserved"]:
                if job["seq"] == 0:
                    return self._step(job, "cancelled", reason="no blank is left")
                raise No("no blank is left")
            self._count(job, what)
            if what == "make":
                job["card_no"] = f"TW{int(job['bureau_no']) - FIRST_NO:04d}{job['seq']:04d}"
            if what == "arrive":
                more.setdefault("station", job["what"]["deliver_to"])
            if what == "send":
                more.setdefault("tracking", f"RR{job['bureau_no']}TW")
            if what in ("spoil", "cancel"):
                more.setdefault("reason", "printed badly" if what == "spoil" else "asked to")
            return self._step(job, BECOMES[what], **more)

    def _count(self, job, what):
        s, state = self.stock, job["state"]
        s["reserved"] += (what == "accept") - (state == "accepted" and what in ("make", "spoil", "cancel"))
        s["blanks"] -= state == "accepted" and what in ("make", "spoil")
        s["made"] += (what == "make") - (state == "made" and what in ("send", "spoil"))
        s["delivered"] += what == "send"
        s["spoiled"] += what == "spoil"
        job["spoiled"] += what == "spoil"
        job["delivered"] += what == "send"

    def set_stock(self, blanks, low_at=None):
        with self.lock:
            if blanks < self.stock["reserved"]:
                raise No("fewer than are reserved")
            self.stock["opened"] += blanks - self.stock["blanks"]
            self.stock["blanks"] = blanks
            self.stock["low_at"] = self.stock["low_at"] if low_at is None else low_at
            self._save()
            self._write_stock()
            self._message(self._stock_text())

    # ---- what is written for the platform

    def _put(self, place, data):
        temp = place.with_name("." + place.name)
        temp.write_bytes(data)
        os.replace(temp, place)

    def _step(self, job, state, **more):
        job["card_no"] = None if state == "accepted" else job["card_no"]
        before = job["steps"][-1] if job["steps"] else None
        job.update({"station": None, "reason": None, **more, "state": state, "seq": job["seq"] + 1})
        step = {"state": state, "at": now(), "spoiled": job["spoiled"]}
        job["steps"].append(step)
        text = document("state", {"job_no": job["job_no"], "seq": job["seq"], **step, **{
            k: job[k] for k in ("bureau_no", "card_no", "station", "tracking", "reason")}}, element("before", before) if before else "")
        self._save()
        self._put(self.books / (job["job_no"] + ".xml"), text.encode())
        self._write_stock()
        self._message(text)

    def _stock_text(self):
        s = self.stock
        shelf = {"store": STORE, **{k: s[k] for k in ("blanks", "reserved", "spoiled", "delivered", "low_at")}}
        return document("stock", {"at": now()}, element("shelf", shelf))

    def _write_stock(self):
        self._put(self.books / "stock.xml", self._stock_text().encode())

    def fail_next(self, what):
        with self.lock:
            if what not in FAULTS:
                raise No(f"no such fault: {what}")
            self.next.add(what)

    def _message(self, text):
        """As the next message, or as the switches have it."""
        due, self.next = self.next, set()
        if "reorder" in due:
            self.held = text
            return
        if "half" in due:
            self.written += 1
            (self.out / f"{self.written:012d}.xml").write_bytes(text.encode()[:len(text) // 2])
            return self._save()
        self.raw(b"\x00\xff nonsense" if "nonsense" in due else text.encode())
        if "twice" in due:
            self.raw(text.encode())
        if self.held:
            held, self.held = self.held, None
            self.raw(held.encode())

    def raw(self, data):
        """Bytes as a message, whatever they are; its name."""
        with self.lock:
            self.written += 1
            name = f"{self.written:012d}.xml"
            self._put(self.out / name, data)
            self._save()
            return name
