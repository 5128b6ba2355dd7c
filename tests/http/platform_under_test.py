"""A platform under test: a server of its own by conf/demo/serve, and people who speak with it as programs do."""
import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import time

import psql
import requests
import urllib3

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PASSWORD = "demo-permit-2026"
NUMBERS = itertools.count(1)
KEPT = ("org", "delegation", "worker", "cases", "case_file", "case_event", "payment", "payment_case", "permit",
        "document", "card_job", "refund", "outbox", "inbox", "idem", "counter", "fine",
        "penalty", "record", "question")
MRZ_WEIGHTS = (7, 3, 1)
SLOW = 4 if os.environ.get("FW_SLOW") else 1  # under a sanitizer


def await_(what, probe, seconds=30.0):
    """The first true answer of `probe`; fails by name when none came."""
    end = time.monotonic() + seconds * SLOW
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)


def check_digit(text):
    values = [0 if c == "<" else int(c) if c.isdigit() else ord(c) - 55 for c in text]
    return str(sum(v * MRZ_WEIGHTS[i % 3] for i, v in enumerate(values)) % 10)


def mrz(surname, given, number, nationality="VNM", birth="900315", sex="M", expiry="330101"):
    """The two lines of a passport, all check digits right."""
    first = f"P<{nationality}{surname}<<{given.replace(' ', '<')}".ljust(44, "<")
    number = number.ljust(9, "<")
    optional = "<" * 14
    second = (number + check_digit(number) + nationality + birth + check_digit(birth) + sex + expiry
              + check_digit(expiry) + optional + "0")
    whole = second[0:10] + second[13:20] + second[21:43]
    return f"{first}\n{second}{check_digit(whole)}"


def said(answer):
    """All that a refusal says, but for the number in the log, which no two requests share."""
    told = answer.json()
    assert told.pop("log_id")
    return told


class Person:
    """Somebody who is logged in and speaks JSON."""

    # As browsers do: httpd closes kept connections when its threads are all at work, maybe while a GET comes (RFC 9112, 9.3.1).
    anew = urllib3.util.Retry(total=1, connect=0, read=1, redirect=0, other=0, allowed_methods=["GET"], respect_retry_after_header=False)

    def __init__(self, base, login=None, password=PASSWORD, lang="en"):
        self.base, self.login = base, login
        self.http = requests.Session()
        self.http.mount("http://", requests.adapters.HTTPAdapter(max_retries=self.anew))
        self.http.headers.update({"Accept": "application/json", "Accept-Language": lang})
        self.csrf = None
        if login:
            answer = self.http.post(base + "/login", json={"login": login, "password": password})
            assert answer.status_code == 200, (answer.status_code, answer.text)
            self.csrf = answer.json()["csrf"]

    def get(self, path, **more):
        return self.http.get(self.base + path, allow_redirects=False, **more)

    def see(self, path):
        """The model of a page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.json()

    def post(self, path, fields=None, key=None, **more):
        headers = {"X-CSRF-Token": self.csrf or ""}
        if key:
            headers["Idempotency-Key"] = key
        headers.update(more.pop("headers", {}))
        if "files" in more or "data" in more:
            return self.http.post(self.base + path, headers=headers, allow_redirects=False, **more)
        return self.http.post(self.base + path, json=fields or {}, headers=headers, allow_redirects=False, **more)

    def do(self, path, fields=None, key=None, status=200, **more):
        """A change that must succeed (or must end with `status`)."""
        answer = self.post(path, fields, key, **more)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:800])
        return answer.json()

    def upload(self, case, slot, name, data, status=200, key=None):
        answer = self.post(f"/cases/{case}/files/{slot}", key=key, files={"file": (name, data)})
        assert answer.status_code == status, (slot, answer.status_code, answer.text[:800])
        return answer.json()


class Platform:
    """A server, a gateway and a mailbox of their own in a folder."""

    def __init__(self, folder, port, *options, build=None):
        self.folder, self.port = pathlib.Path(folder), port
        self.gateway_port, self.smtp_port = port + 1, port + 2
        self.options, self.build = options, build
        self.base, self.gateway = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
        self.expected, self.people = [], {}

    def serve(self, goal, check=True):
        command = [str(ROOT / "conf/demo/serve"), goal, "--dir", str(self.folder), "--port", str(self.port),
                   "--gateway-port", str(self.gateway_port), "--smtp-port", str(self.smtp_port), *self.options]
        if self.build:
            command += ["--build", str(self.build)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120 * SLOW, check=False,
                              stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise AssertionError(f"serve {goal}: {done.stdout}\n{done.stderr}")
        return done

    def start(self):
        return self.serve("start")

    def stop(self):
        return self.serve("stop")

    def reload(self):
        """Gracefully; ends when those beside httpd who serve are others."""
        def serving(role):
            return set(re.findall(rf"{role} \[(\d+)\] \w+: {role}: serv", self.error_log()))
        self.expect(r"FWP2107 plugin \w+: ")  # what it was at is sent again
        before = {role: serving(role) for role in ("signer", "pictures")}
        os.kill(int((self.folder / "httpd.pid").read_text()), signal.SIGUSR1)
        await_("the next ones", lambda: all(serving(role) - was for role, was in before.items()))

    def ctl(self, *args, ok=True, text=None):
        done = subprocess.run([str(self.folder / "lib/fwpermitctl"), "-c", str(self.folder / "httpd.conf"), *args],
                              capture_output=True, text=True, timeout=60 * SLOW, check=False, input=text)
        assert not ok or done.returncode == 0, (args, done.returncode, done.stdout, done.stderr)
        return done

    def error_log(self):
        path = self.folder / "logs/error.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def logged(self, pattern, name="access.log"):
        """A log once it has a line (a regular expression): httpd writes a request's after its answer."""
        path = self.folder / "logs" / name

        def text():
            told = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            return told if re.search(pattern, told, re.M) else None
        return await_(f"{pattern} in {name}", text)

    def kept(self):
        """All rows that a command may change, and how many files the vault holds. The clock has the gateway asked about a payment by
        itself, and counts that."""
        rows = {t: self.sql(f"SELECT * FROM {t} ORDER BY 1, 2") for t in KEPT}
        rows["payment"] = self.sql("SELECT id, state, amount, order_no, gateway_no, code, reason, receipt_no FROM payment ORDER BY 1")
        rows["outbox"] = self.sql("SELECT * FROM outbox WHERE op <> 'payment.query' ORDER BY 1")
        rows["vault"] = sum(f.is_file() for f in (self.folder / "state/vault").rglob("*"))
        return rows

    @contextlib.contextmanager
    def nothing_changes(self):
        """Around a request that is refused: the case, and all else, is as it was."""
        await_("quiet", lambda: not self.sql("SELECT 1 FROM outbox WHERE state NOT IN ('done', 'dead')"))
        before = self.kept()
        yield
        with contextlib.suppress(AssertionError):  # a file that was begun goes when its connection has gone
            await_("the vault as it was", lambda: self.kept()["vault"] == before["vault"], 3)
        after = self.kept()
        assert [t for t in before if before[t] != after[t]] == []

    def unexpected(self, *expected):
        """Lines of the error log that no one said would come."""
        found = []
        for line in self.error_log().splitlines():
            bad = re.search(r":(error|crit|alert|emerg|warn)\]|\] (error|warning): |Sanitizer|child pid|exit signal", line)
            if bad and not any(re.search(e, line) for e in expected):
                found.append(line)
        return found

    def expect(self, pattern):
        """Announces a line of the error log (a regular expression)."""
        self.expected.append(pattern)

    def person(self, login=None, **more):
        return Person(self.base, login, **more)

    def of(self, login):
        """The one session of somebody that tests share."""
        if login not in self.people:
            self.people[login] = self.person(login)
        return self.people[login]

    def sql(self, statement, *values):
        """Past the platform: for what time alone would bring about, and to see what no page shows."""
        if "pgsql" in self.options:
            return psql.rows_of(self.options[self.options.index("--database") + 1], statement, values)
        with sqlite3.connect(self.folder / "state/fwpermit.db", timeout=30) as db:
            return db.execute(statement, values).fetchall()

    # the stand-in of the gateway and the mail server

    def control(self, verb, **ask):
        answer = requests.post(f"{self.gateway}/control/{verb}", params=ask, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def switch(self, **switches):
        answer = requests.post(f"{self.gateway}/control/switch", data=json.dumps(switches), timeout=30)
        assert answer.status_code == 200, answer.text

    def books(self):
        return requests.get(f"{self.gateway}/books", timeout=30).json()

    def mails(self, to=None):
        return requests.get(f"{self.gateway}/mails.json", params={"to": to} if to else {}, timeout=30).json()

    def order(self, redirect):
        """Carries the gateway's form there, as the payer's browser does."""
        fields = {f["name"]: f["value"] for f in redirect["fields"]}
        answer = requests.post(redirect["action"], data=fields, timeout=30)
        assert answer.status_code == 200 and "fault" not in answer.text, answer.text
        return fields["MerchantTradeNo"]
