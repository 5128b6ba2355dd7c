"""A real rsyslogd as the receiver, with certificates of its own, and what it wrote."""
import dataclasses
import pathlib
import re
import shutil
import signal
import subprocess
import time

SECONDS = 20
PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/sysadmins/audit.md"
PROPERTIES = {"pri": "pri", "protocol": "protocol-version", "at": "timestamp", "host": "hostname", "app": "app-name",
              "procid": "procid", "msgid": "msgid", "sd": "structured-data", "msg": "msg"}


def until(true_of, what):
    """What `true_of` answers, once that is true."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        got = true_of()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError(f"{what} does not come")


# ---- certificates


def openssl(*args, folder):
    subprocess.run(["openssl", *map(str, args)], cwd=folder, check=True, capture_output=True)


def make_ca(folder, name="ca"):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
            f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", folder=folder)


def make_cert(folder, name, host, ca="ca", days=30):
    """NAME.key and NAME.pem for that host, of a CA of that folder; the key is kept where it is there already."""
    folder = pathlib.Path(folder)
    if not (folder / f"{name}.key").exists():
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key", folder=folder)
    openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
            "-out", f"{name}.csr", folder=folder)
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-copy_extensions", "copy",
            "-days", str(days), "-out", f"{name}.new", folder=folder)
    (folder / f"{name}.new").replace(folder / f"{name}.pem")


def make_pki(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    make_ca(folder)
    make_cert(folder, "server", "logs.test")
    make_cert(folder, "client", "platform.test")


# ---- rsyslogd


class Receiver:
    def __init__(self, folder, port):
        self.folder, self.port = pathlib.Path(folder), port
        self.process = None
        (self.folder / "rsyslog.conf").write_text(self.settings(), encoding="utf-8")

    def settings(self):
        """The lines of docs/sysadmins/audit.md, for this folder and port, and what rsyslog makes of each message beside them."""
        lines = PAGE.read_text(encoding="utf-8").partition("### rsyslog as the collector\n")[2].partition("\n\n")[0]
        for was, now in (("/var/spool/rsyslog", self.folder), ("/etc/rsyslog/ca.pem", self.folder / "ca.pem"),
                         ("/etc/rsyslog/collector.pem", self.folder / "server.pem"), ("permit1.example.gov.tw", "platform.test"),
                         ("/etc/rsyslog/collector.key", self.folder / "server.key"), ("/var/log/permit/trail.log", self.folder / "raw.log"),
                         ('port="6514"', f'port="{self.port}" address="127.0.0.1"'), ('ruleset(name="permit") {', "ruleset(name=\"permit\") {\n"
                          f'action(type="omfile" file="{self.folder}/parsed.log" template="parsed" flushOnTXEnd="on")')):
            assert lines.count(was) == 1, was
            lines = lines.replace(was, str(now))
        properties = [f'property(outname="{k}" name="{v}" format="jsonf"' + (' dateformat="rfc3339")' if k == "at" else ")")
                      for k, v in PROPERTIES.items()]
        parsed = 'constant(value="{")\n' + '\nconstant(value=", ")\n'.join(properties) + '\nconstant(value="}\\n")'
        return f'template(name="parsed" type="list") {{\n{parsed}\n}}\n{lines}\n'

    def start(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["rsyslogd", "-n", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "rsyslog.pid"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.folder / "stderr.log", "ab"))
        until(self.listens, "rsyslogd")

    def listens(self):
        """Seen from outside: rsyslogd tells its own fault about a connection that says nothing."""
        assert self.process.poll() is None, (self.folder / "stderr.log").read_text(encoding="utf-8")
        sockets = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii")
        return re.search(rf": 0100007F:{self.port:04X} \S+ 0A ", sockets)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait(SECONDS)
        (self.folder / "rsyslog.pid").unlink(missing_ok=True)

    def raw(self):
        path = self.folder / "raw.log"
        return path.read_bytes() if path.exists() else b""

    def parsed(self):
        path = self.folder / "parsed.log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
