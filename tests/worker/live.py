"""The worker's roles as processes, over a database and against the stand-ins of tests/agencies: what is filed, paid and
issued comes to its papers and mails, once, whatever is killed meanwhile. Run by tests/worker/run."""
import contextlib
import datetime
import hashlib
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/agencies"))
sys.path.append(str(ROOT / "tests/http"))
import shop  # noqa: E402  pylint: disable=wrong-import-position
from psql import PSQL  # noqa: E402  pylint: disable=wrong-import-position

BUILD = ROOT / os.environ.get("B", "build")
PORTS = range(25500, 25590)
DRIVER = BUILD / "tests/worker/live_driver"
WAIT = 60  # seconds, for what comes by itself
TODAY = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)


def check(truth, *told):
    if not truth:
        raise AssertionError(" ".join(str(t) for t in told))


def sh(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, timeout=120, **more)
    check(done.returncode == 0, command, done.returncode, done.stdout, done.stderr)
    return done.stdout


def until(what, told="", seconds=WAIT):
    """The first true answer of `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = what()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {told() if callable(told) else told}")


def free_port(taken):
    for port in PORTS:
        with socket.socket() as s:
            if port not in taken and s.connect_ex(("127.0.0.1", port)) != 0:
                taken.add(port)
                return port
    raise AssertionError("no free port")


def build():
    programs = [BUILD / "fwpermit-worker", BUILD / "fwpermit-pictures", BUILD / "libfw.a", "locale"]
    programs += [BUILD / f"plugins/{p}.so" for p in ("payment_ecpay", "notify_mail")]
    sh("make", "-s", "-f", "Makefile.apxs", f"B={BUILD}", *programs, cwd=ROOT)
    DRIVER.parent.mkdir(parents=True, exist_ok=True)
    flags = sh("pkg-config", "--cflags", "--libs", "apr-1", "apr-util-1", "jansson", "libxml-2.0", "libcrypto").split()
    sh(os.environ.get("CC", "gcc"), "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g",
       *os.environ.get("SAN", "").split(), *(f"-Imod_fwpermit/{d}" for d in ("core", "store", "desk")),
       "tests/worker/live_driver.c", BUILD / "libfw.a", "-o", DRIVER, *flags,
       f"-I{sh('pg_config', '--includedir').strip()}", "-lpq", "-lmagic", "-largon2", "-lsqlite3", "-pthread", cwd=ROOT)


# ---- what speaks from outside ----

class Door:
    """Takes the gateway's notices as the module would: keeps them raw, then acknowledges."""

    def __init__(self, site, port):
        self.bodies = []
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                channel = self.path.rsplit("/", 1)[1]
                site.message(channel, body)
                door.bodies.append((channel, body))
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"1|OK")

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{port}/inbox/ecpay"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Site:
    """A platform without its httpd: a database, the roles, and a hand at the doors."""

    def __init__(self, tmp, agencies, keys, photo):
        self.tmp, self.agencies, self.photo = tmp, agencies, photo
        self.run = tmp / "run"
        self.workers, self.taken = {}, set()
        for d in (tmp, self.run, tmp / "vault"):
            d.mkdir(mode=0o700)
        (tmp / "vault.keys").write_text("k1 " + "00" * 16 + "11" * 16 + "\n")
        self.door = Door(self, free_port(self.taken))
        self.settings = {
            "FwPermitBaseURL": "http://permit.example", "FwPermitConf": f"{ROOT}/conf",
            "FwPermitServices": f"{ROOT}/conf/services", "FwPermitLocale": f"{BUILD}/locale",
            "FwPermitSQL": f"{ROOT}/sql", "FwPermitRunDir": str(self.run), "FwPermitVault": str(tmp / "vault"),
            "FwPermitVaultKeys": str(tmp / "vault.keys"), "FwPermitAnchor": str(tmp / "anchor"),
            "FwPermitJournal": str(tmp / "journal"),
            "FwPermitPublic": str(tmp / "public"),
            "FwPermitContracts": str(ROOT / "docs/contracts"),
            **self.database(), "FwPermitDemo": 1, "FwPermitAgencyZh": "測試機關",
            "FwPermitAgencyEn": "Test Agency", "log_level": 7,
            "plugins": [{"name": "ecpay", "port": "payment", "path": f"{BUILD}/plugins/payment_ecpay.so"},
                        {"name": "mail", "port": "notify", "path": f"{BUILD}/plugins/notify_mail.so"}]}
        (tmp / "settings.json").write_text(json.dumps(self.settings))
        self.roles = self.role_settings(keys)
        self.driver("migrate")
        self.people()

    def role_settings(self, keys):
        base = {"dir": f"{BUILD}/plugins"}
        return {
            ("pictures",): {}, ("sealer",): {}, ("pump",): {}, ("signer",): {"keys": keys},
            ("plugin", "ecpay"): {**base, "name": "ecpay", "path": f"{BUILD}/plugins/payment_ecpay.so", "options": {
                "merchant_id": "3002607", "api_url": self.agencies.url, "return_url": self.door.url + "/paid",
                "info_url": self.door.url + "/info", "back_url": "http://permit.example/", "trade_desc": "規費",
                "http.allow_plain": "yes"}, "secrets": {"hash_key": "pwFHCqoQZGmho4w6", "hash_iv": "EkRm7iFT261dpevs"}},
            ("plugin", "mail"): {**base, "name": "mail", "path": f"{BUILD}/plugins/notify_mail.so", "options": {
                "url": f"smtp://127.0.0.1:{self.agencies.smtp_port}", "tls": "none", "from": "permit@example.gov.tw"},
                                 "secrets": {}}}

    def database(self):
        return {"FwPermitDatabase": str(self.tmp / "fw.db")}

    # -- processes --

    def start(self, *role):
        path = self.tmp / ("-".join(role) + ".json")
        path.write_text(json.dumps({**self.settings, "role_settings": self.roles[role], "parent": os.getpid(),
                                    "vault_keys_text": (self.tmp / "vault.keys").read_text()}))
        with open(self.log_of(*role), "ab") as log:
            self.workers[role] = subprocess.Popen(  # pylint: disable=consider-using-with
                ["bash", "-c", 'exec "$0" "${@:2}" 3<"$1"', BUILD / "fwpermit-worker", path, *role], stderr=log)
        if role == ("pump",):  # the lease of one that was killed runs on for a while
            self.change("DELETE FROM lease WHERE name = 'clock'")
        begun = f"[{self.workers[role].pid}] info: "  # it says so when it serves
        until(lambda: begun in self.log_of(*role).read_text(), lambda: self.log_of(*role).read_text())
        return self.workers[role]

    def log_of(self, *role):
        return self.tmp / ("-".join(role) + ".log")

    def start_all(self):
        for role in self.roles:
            self.start(*role)

    def kill(self, *role):
        worker = self.workers.pop(role)
        worker.kill()
        worker.wait()
        for name in (f"plugin-{role[-1]}.sock", f"{role[0]}.sock"):
            with contextlib.suppress(FileNotFoundError):
                (self.run / name).unlink()

    def stop(self):
        """Every role ends well when told to."""
        codes = {}
        for worker in self.workers.values():
            worker.send_signal(signal.SIGTERM)
        for role, worker in self.workers.items():
            codes[role] = worker.wait(timeout=15)
        self.workers = {}
        self.door.stop()
        check(not any(codes.values()), codes)

    # -- doors --

    def driver(self, *args, **more):
        if "input" not in more:
            more["stdin"] = subprocess.DEVNULL
        out = sh(DRIVER, self.tmp / "settings.json", *args, cwd=ROOT, **more)
        return [json.loads(line) for line in out.splitlines()]

    def reader(self, *args):
        """A process that has noted reads and lives on."""
        reader = subprocess.Popen(  # pylint: disable=consider-using-with
            [DRIVER, self.tmp / "settings.json", "read", *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            cwd=ROOT)
        check(reader.stdout.readline() == b"{}\n", "it does not read")
        return reader

    def perform(self, actor, kind, refused=None, **more):
        answer = self.driver("perform", input=json.dumps({"actor": actor, "kind": kind, **more}) + "\n")[0]
        check(answer.get("reason") == refused, kind, more, answer)
        return answer

    def message(self, channel, body):
        digest = hashlib.sha256(channel.encode() + b"\n" + body).hexdigest()
        return subprocess.run([DRIVER, self.tmp / "settings.json", "message", "ecpay", channel, digest], input=body,
                              check=True, capture_output=True, cwd=ROOT).stdout

    def rows(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.tmp / "fw.db", timeout=10)) as db:
            db.row_factory = sqlite3.Row
            return [dict(r) for r in db.execute(sql, values)]

    def change(self, sql, *values):
        """As no door can: time that has passed, say. Under the same lock as the platform's own writers."""
        import fcntl  # pylint: disable=import-outside-toplevel
        with open(self.tmp / "fw.db.lock", "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with contextlib.closing(sqlite3.connect(self.tmp / "fw.db", timeout=10)) as db, db:
                db.execute(sql, values)

    # -- people and cases --

    def people(self):
        def org(kind, ban, zh, en):
            return self.perform("system", "org.create", org={"kind": kind, "ban": ban, "name_zh": zh, "name_en": en})[
                "answer"]

        def account(login, roles, **more):
            self.perform("system", "account.create", account={"login": login, "roles": roles, "lang": "en",
                                                              "email": f"{login}@example.com", **more})
        self.agency = org("agency", "04595257", "好幫手人力", "Good Help Agency")
        self.employer = org("employer", "22099131", "甲工廠", "Factory A")
        self.perform("system", "delegation.grant", employer=self.employer, target=self.agency)
        account("agent", "agent", org=self.agency)
        account("boss", "employer", org=self.employer, lang="zh-Hant")
        account("first", "initial", station="TAO")
        account("second", "second", station="TAO")
        pdf = self.tmp / "scan.pdf"
        pdf.write_bytes(b"%PDF-1.4 scan\n")
        self.scan, self.face = self.driver("keep", pdf)[0], self.driver("keep", self.photo)[0]
        self.passports = 0

    def draft(self, actor="agent"):
        self.passports += 1
        day = TODAY.strftime("%Y-%m-%d")
        worker = self.perform(actor, "worker.register", employer=self.employer, fields={
            "name_latin": "NGUYEN VAN ANH", "name_native": "Nguyễn Văn Ánh", "sex": "M", "birth": "1990-05-04",
            "nationality": "VNM", "passport_no": f"C{self.passports:07}", "passport_expiry": "2034-01-31",
            "permit_letter": "勞動發事字第1150012345號"})["answer"]
        case = self.perform(actor, "case.open", service="epermit", worker=worker)["answer"]
        until_day = TODAY.replace(year=TODAY.year + 2).strftime("%Y-%m-%d")
        self.perform(actor, "case.save", target=case, fields={
            "has_ui_no": "no", "arrived": "yes", "entry_date": day, "visa_no": "VN123456",
            "address": "桃園市桃園區縣府路106號", "category": "manufacturing", "employer_ban": "22099131",
            "contract_from": day, "contract_to": until_day, "work_address": "桃園市龜山區文化一路5號",
            "declare": "yes"})
        for slot, kept, mime in (("photo", self.face, "image/jpeg"), ("passport_page", self.scan, "application/pdf"),
                                 ("employment_proof", self.scan, "application/pdf")):
            self.perform(actor, "case.attach", target=case, file={"slot": slot, "name": f"{slot}.x", "mime": mime,
                                                                  **kept})
        return case

    def filed(self, actor="agent"):
        case = self.draft(actor)
        self.perform(actor, "case.submit", target=case)
        return case

    def payable(self, actor="agent"):
        case = self.filed(actor)
        self.perform("first", "case.approve", target=case)
        self.perform("second", "case.confirm", target=case)
        return case

    def begin(self, case, method="card", actor="agent"):
        payment = self.perform(actor, "payment.begin", cases=[case], method=method)["answer"]
        p = until(lambda: self.payment(payment, "begun"), lambda: self.told("ecpay"))
        return p

    def order_at_gateway(self, payment):
        """The payer's browser goes where it is sent."""
        redirect = json.loads(payment["redirect"])
        check(redirect["action"].startswith(self.agencies.url) and redirect["method"] == "post", redirect)
        status, text, _ = shop.fetch(redirect["action"], dict(redirect["fields"]))
        check(status == 200 and 'id="fault"' not in text, text)
        return payment["order_no"]

    def payment(self, number, state=None):
        p = self.rows("SELECT * FROM payment WHERE id = ?", int(number))[0]
        return p if state in (None, p["state"]) else None

    def case(self, number, state=None):
        c = self.rows("SELECT * FROM cases WHERE id = ?", int(number))[0]
        return c if state in (None, c["state"]) else None

    def document(self, case, kind):
        """The bytes of the one document of that kind, and their path; None while there is none."""
        docs = self.rows("SELECT * FROM document WHERE case_id = ? AND kind = ?", int(case), kind)
        check(len(docs) < 2, docs)
        if not docs:
            return None
        path = self.tmp / f"{kind}-{case}.pdf"
        self.driver("fetch", docs[0]["vault"], path)
        check(hashlib.sha256(path.read_bytes()).hexdigest() == docs[0]["sha256"], docs)
        return path

    def paper(self, case, kind):
        return until(lambda: self.document(case, kind), lambda: self.told("pump", "pictures", "signer"))

    def told(self, *names):
        logs = [p for p in self.tmp.glob("*.log") if not names or any(n in p.name for n in names)]
        return "\n".join(p.read_text()[-3000:] for p in logs)

    def mails(self, address, subject):
        text = shop.fetch(f"{self.agencies.url}/mails.json?to={urllib.parse.quote(address)}")[1]
        return [m for m in json.loads(text) if subject in m["subject"]]

    def mail(self, address, subject):
        return until(lambda: self.mails(address, subject), lambda: self.told("pump", "mail"))[0]


class PostgresSite(Site):
    """The same over PostgreSQL, whose words for connecting are told."""
    words = None

    def database(self):
        return {"FwPermitDatabaseDriver": "pgsql", "FwPermitDatabase": self.words}

    def ask(self, sql, values):
        for v in values:
            sql = sql.replace("?", str(v) if isinstance(v, int) else "'" + str(v).replace("'", "''") + "'", 1)
        return sh(PSQL, self.words, "-qAtc", sql)

    def rows(self, sql, *values):
        return [json.loads(line) for line in self.ask(f"SELECT row_to_json(t) FROM ({sql}) t", values).splitlines()]

    def change(self, sql, *values):
        self.ask(sql, values)


def assert_signed(path):
    """pdfsig's text says so; its exit code does not."""
    told = sh("pdfsig", path)
    check("Signature Validation: Signature is Valid." in told and "Total document signed" in told, told)
    return told


def text_of(path):
    return re.sub(r"\s+", "", sh("pdftotext", "-raw", path, "-"))


def start(tmp, keys, photo, kind=Site):
    agencies = shop.Program("--port", str(free_port(set())), "--retry-seconds", "0.3", "--callback-timeout", "5",
                            "--smtp-port", str(free_port({25500})))
    return kind(tmp, agencies, keys, photo)


def remove(site):
    for worker in site.workers.values():
        worker.kill()
    site.agencies.stop()
