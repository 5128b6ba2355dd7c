"""The books: every request, order, callback, mail and refusal, in memory and, if asked, in a journal file.

The journal has one JSON object a line, {"kind": ..., "entry": ...}; of two lines with the same kind and
id the later one holds.
"""
import copy
import datetime
import json
import os
import threading
import time

KINDS = ("requests", "orders", "callbacks", "actions", "mails", "smtp")
TAIPEI = datetime.timezone(datetime.timedelta(hours=8))
SWITCHES = {
    "slow_ms": 0,
    "fail": "none",
    "drop_callbacks": False,
    "twice": False,
    "out_of_order": False,
    "smtp_fail": "none",
    "card_state": "captured",
    "lose_action": "none",
    "refuse_action": "none",
    "media": "whole",
}
CHOICES = {
    "fail": ("none", "http500", "http403", "close", "nonsense", "badmac"),
    "smtp_fail": ("none", "temp", "perm"),
    "card_state": ("authorised", "to_capture", "captured"),
    "lose_action": ("none", "C", "E", "N", "R", "before"),
    "refuse_action": ("none", "C", "E", "N", "R"),
    "media": ("whole", "half_line", "another_merchant", "twice", "no_column", "missing", "other_amount", "stranger"),
}
MAX_SLOW_MS = 120000


def now():
    return round(time.time(), 3)


def taipei(when, form="%Y/%m/%d %H:%M:%S"):
    """A moment, in seconds since 1970, as the clock in Taipei shows it."""
    return datetime.datetime.fromtimestamp(when, TAIPEI).strftime(form)


class Books:
    """All that happened. Hold `lock` over a read and the write that rests on it."""

    kinds, all_switches, choices = KINDS, SWITCHES, CHOICES

    def __init__(self, path=None):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.path = path
        self.file = None
        self._clear()
        if path:
            self._load()
            self.file = open(path, "a", encoding="utf-8")  # pylint: disable=consider-using-with

    def _clear(self):
        self.tables = {kind: {} for kind in self.kinds}
        self.next_id = dict.fromkeys(self.kinds, 1)
        self.by_number = {}
        self.switches = dict(self.all_switches)

    def _load(self):
        if not os.path.exists(self.path):
            return
        with open(self.path, "rb+") as lines:
            end = lines.read().rfind(b"\n") + 1
            lines.truncate(end)  # a run that was killed may have left half a line
            lines.seek(0)
            for line in lines:
                row = json.loads(line)
                kind, entry = row["kind"], row["entry"]
                number = entry["id"]
                if kind in self.tables:
                    self.tables[kind][number] = entry
                    self._index(kind, entry)
                    self.next_id[kind] = max(self.next_id[kind], number + 1)

    def write(self, kind, entry):
        """Adds `entry`, which gets an id, or, if it has one already, notes that it has changed."""
        with self.lock:
            if "id" not in entry:
                entry["id"] = self.next_id[kind]
                self.next_id[kind] += 1
                entry.setdefault("at", now())
                self.tables[kind][entry["id"]] = entry
                self._index(kind, entry)
            elif not self.holds(kind, entry):
                return entry
            if self.file:
                self.file.write(json.dumps({"kind": kind, "entry": entry}, ensure_ascii=False) + "\n")
                self.file.flush()
            self.changed.notify_all()
            return entry

    def _index(self, kind, entry):
        if kind == "orders":
            self.by_number[entry["order"]] = entry

    def holds(self, kind, entry):
        """Whether `entry` is still in the books: a reset may have come in between."""
        with self.lock:
            return self.tables[kind].get(entry["id"]) is entry

    def rows(self, kind):
        """The entries, oldest first."""
        with self.lock:
            return list(self.tables[kind].values())

    def order(self, number):
        """The order with that MerchantTradeNo, or None."""
        with self.lock:
            return self.by_number.get(number)

    def snapshot(self):
        """A copy of everything, to be written as JSON; mails without their source."""
        with self.lock:
            out = {kind: list(self.tables[kind].values()) for kind in self.kinds}
            out["mails"] = [without_source(m) for m in out.get("mails", [])]
            out["switches"] = self.switches
            return copy.deepcopy(out)

    def turn(self, wanted):
        """Sets switches; the answer is None or what is wrong, and then nothing was set."""
        if not isinstance(wanted, dict):
            return "a JSON object is wanted"
        for name, value in wanted.items():
            if name not in self.all_switches:
                return f"no switch {name}"
            if name in self.choices and value not in self.choices[name]:
                return f"{name} is one of {', '.join(self.choices[name])}"
            if name == "slow_ms" and (type(value) is not int or not 0 <= value <= MAX_SLOW_MS):
                return f"slow_ms is 0 to {MAX_SLOW_MS}"
            if isinstance(self.all_switches[name], bool) and not isinstance(value, bool):
                return f"{name} is true or false"
        with self.lock:
            self.switches.update(wanted)
            self.changed.notify_all()
        return None

    def switch(self, name):
        with self.lock:
            return self.switches[name]

    def reset(self):
        """Empties the books; callbacks under way stop."""
        with self.lock:
            self._clear()
            if self.file:
                self.file.truncate(0)
            self.changed.notify_all()

    def close(self):
        with self.lock:
            if self.file:
                self.file.close()
                self.file = None


def without_source(mail):
    return {name: value for name, value in mail.items() if name != "source"}
