"""notify_mail through its process: the stand-in's mail server says what is wrong with a mail."""
import base64
import datetime
import email.utils
import hashlib
import re
import socket
import ssl
import subprocess
import threading

import pytest

import contracts
from conftest import mail_options
from host import PLUGINS, until

TEXTS = {
    "zh-Hant": ("您的案件 115-000123 須補件", "您好：\n\n請於 2026-12-09 前補正照片。\n\n.開頭是點\nFrom 開頭\n移民署\n"),
    "en": ("Your case 115-000123 needs a better photo", "Hello,\n\nplease upload a better photo by 9 December 2026.\n.\n..\nBye\n"),
    "vi": ("Hồ sơ của bạn", "Xin chào,\n" + "rất dài " * 300 + "\n"),
}


def notice(lang="en", **more):
    subject, text = TEXTS.get(lang, TEXTS["en"])
    request = {"to": "ann@example.test", "subject": subject, "text": text, "lang": lang, **more}
    return {k: v for k, v in request.items() if v is not None}


def mails(standin):
    return standin.books()["mails"]


@pytest.mark.parametrize("lang", sorted(TEXTS))
def test_a_notice_in_each_language(mail, standin, lang):
    rc, reply, _ = mail.call("notify.send", notice(lang), key=f"k-{lang}")
    sent = mails(standin)
    assert rc == "ok" and len(sent) == 1
    it = sent[0]
    assert it["faults"] == [] and it["attachments"] == [] and it["html"] == ""
    assert (it["from"], it["to"]) == ("permit@agency.test", ["ann@example.test"])
    assert (it["subject"], it["text"]) == TEXTS[lang]
    headers = dict(map(tuple, it["headers"]))
    assert len(headers) == len(it["headers"])
    assert headers["From"] == "移民署 Permits <permit@agency.test>" or email.utils.parseaddr(headers["From"]) == (
        "移民署 Permits", "permit@agency.test")
    assert headers["Reply-To"] == "<help@agency.test>" and headers["To"] == "<ann@example.test>"
    assert headers["Content-Language"] == lang and headers["Auto-Submitted"] == "auto-generated"
    assert headers["Message-ID"] == f"<{reply['message_id']}>"
    assert reply["message_id"] == hashlib.sha256(f"k-{lang}".encode()).hexdigest() + "@agency.test"
    when = email.utils.parsedate_to_datetime(headers["Date"])
    assert abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 3600


def test_the_same_key_is_the_same_mail(mail, standin):
    ids = [mail.call("notify.send", notice(), key=key)[1]["message_id"] for key in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2] and len(mails(standin)) == 3
    ids = [mail.call("notify.send", notice(message_id="named"), key=key)[1]["message_id"] for key in ("a", "b", "")]
    assert len(set(ids)) == 1
    answer = mail.call("notify.send", notice(), key="")[2]
    assert answer["rc"] == "permfail" and "idempotency key" in answer["reason"]


@pytest.mark.parametrize("subject", ["a" * 300, "王" * 100, "é" * 42 + "x" * 10, "王😀" * 40, "=?UTF-8?B?YQ==?=", " lead", "a\\b\"c"])
def test_subjects_of_every_kind(mail, standin, subject):
    assert mail.call("notify.send", notice(subject=subject))[0] == "ok"
    it = mails(standin)[0]
    assert it["subject"] == subject.strip() and it["faults"] == []
    source = standin.get(f"/mails/{it['id']}.eml")[1]
    assert all(len(line) <= 76 for line in source.splitlines() if "=?" in line)  # RFC 2047, 2


@pytest.mark.parametrize("text,shown", [
    ("one line", "one line\n"), ("", "\n"), ("a\r\nb\n", "a\nb\n"), ("\t王\n", "\t王\n"), ("x" * 5000, "x" * 5000 + "\n"),
    (".\n.\n", ".\n.\n"), ("x" * 262144, "x" * 262144 + "\n")])
def test_texts_of_every_kind(mail, standin, text, shown):
    assert mail.call("notify.send", notice(text=text))[0] == "ok"
    it = mails(standin)[0]
    assert it["text"] == shown and it["faults"] == []


@pytest.mark.parametrize("change,named", [
    ({"to": None}, "to "), ({"to": ""}, "to "), ({"to": "ann"}, "to "), ({"to": "ann@"}, "to "), ({"to": "@example.test"}, "to "),
    ({"to": "ann@example.test\r\nBcc: bob@example.test"}, "to "), ({"to": "ann@example.test\nBcc: b@c.d"}, "to "),
    ({"to": "ann@example.test, bob@example.test"}, "to "), ({"to": "Ann <ann@example.test>"}, "to "),
    ({"to": "<ann@example.test>"}, "to "), ({"to": "ann@example.test> SIZE=9"}, "to "), ({"to": "a b@example.test"}, "to "),
    ({"to": '"a b"@example.test'}, "to "), ({"to": "ann@exam ple.test"}, "to "), ({"to": "安@example.test"}, "to "),
    ({"to": "ann@例.test"}, "to "), ({"to": "a..b@example.test"}, "to "), ({"to": ".a@example.test"}, "to "),
    ({"to": "a@-example.test"}, "to "), ({"to": "a@example.test."}, "to "), ({"to": "a@[127.0.0.1]"}, "to "),
    ({"to": "a@" + "x" * 253}, "to "), ({"to": ["a@example.test"]}, "to "),
    ({"subject": None}, "subject"), ({"subject": ""}, "subject"), ({"subject": "a\r\nBcc: b@c.d"}, "subject"),
    ({"subject": "a\nb"}, "subject"), ({"subject": "a\tb"}, "subject"), ({"subject": "a\x7fb"}, "subject"),
    ({"subject": "a" * 301}, "subject"), ({"text": None}, "text"), ({"text": "a\x01b"}, "text"), ({"text": "a\rb"}, "text"),
    ({"text": "x" * 262145}, "text"), ({"lang": "en\r\nBcc: b@c.d"}, "lang"), ({"lang": "e"}, "lang"), ({"lang": "en_US"}, "lang"),
    ({"message_id": ""}, "message_id"), ({"message_id": "x" * 201}, "message_id")])
def test_what_is_refused(mail, standin, change, named):
    answer = mail.call("notify.send", notice(**change), good=False)[2]
    assert answer["rc"] == "permfail" and named in answer["reason"], answer
    books = standin.books()
    assert books["mails"] == [] and books["smtp"] == []


def test_a_line_in_bytes(mail):
    """300 bytes, which a schema cannot count."""
    assert mail.call("notify.send", notice(subject="王" * 100))[0] == "ok"
    assert mail.call("notify.send", notice(subject="王" * 101))[0] == "permfail"


@pytest.mark.parametrize("fail,rc,code,retry", [("temp", "tempfail", "450", 60000), ("perm", "permfail", "550", 60000)])
def test_a_server_that_says_no(mail, standin, fail, rc, code, retry):
    standin.switch(smtp_fail=fail)
    answer = mail.call("notify.send", notice())[2]
    assert answer["rc"] == rc and code in answer["reason"] and answer["retry_after_ms"] == retry
    assert "ann@" not in answer["reason"] and mails(standin) == []
    standin.switch(smtp_fail="none")
    assert mail.call("notify.send", notice())[0] == "ok"


def test_nobody_there(start, standin):
    gone = start(PLUGINS / "notify_mail.so", "mail", mail_options(standin, url="smtp://127.0.0.1:1"))
    answer = gone.call("notify.send", notice())[2]
    assert answer["rc"] == "tempfail" and answer["retry_after_ms"] == 60000


def test_a_server_that_says_nothing(start, standin):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = start(PLUGINS / "notify_mail.so", "mail",
                        mail_options(standin, url=f"smtp://127.0.0.1:{silent.getsockname()[1]}"))
        assert process.call("notify.send", notice(), deadline_ms=300)[0] == "tempfail"
        assert process.call("notify.send", notice(), deadline_ms=1)[0] in ("cancelled", "tempfail")


def test_a_server_that_falls_silent(start, standin):
    """It is given up long before the deadline, which is for the whole of a mail."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = start(PLUGINS / "notify_mail.so", "mail", mail_options(standin, url=f"smtp://127.0.0.1:{server.getsockname()[1]}"))
        greeter = threading.Thread(target=lambda: server.accept()[0].sendall(b"220 hello\r\n") or server.accept())
        greeter.daemon = True
        greeter.start()
        assert process.call("notify.send", notice(), deadline_ms=60000)[0] == "tempfail"


def test_tls_is_not_done_without(start, standin):
    """A server that offers no STARTTLS, where it is demanded: nothing is told to it in the clear."""
    process = start(PLUGINS / "notify_mail.so", "mail", mail_options(standin, tls="starttls"))
    assert process.call("notify.send", notice())[0] == "tempfail"
    process = start(PLUGINS / "notify_mail.so", "mail", mail_options(
        standin, tls="tls", url=f"smtps://127.0.0.1:{standin.smtp_port}"))
    assert process.call("notify.send", notice(), deadline_ms=3000)[0] == "tempfail"
    books = standin.books()
    assert books["mails"] == [] and not any("MAIL" in refused["command"] for refused in books["smtp"])


# ---- a server with TLS and passwords ----

class TlsServer:
    """Speaks TLS from the first byte, or after STARTTLS; takes one name and password."""

    def __init__(self, folder, at_once):
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.cert,
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.cert, self.key)
        self.at_once, self.taken = at_once, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                self._talk(connection)
            except (OSError, ssl.SSLError):
                pass
            finally:
                connection.close()

    def _talk(self, connection):
        secure = self.at_once
        if secure:
            connection = self.context.wrap_socket(connection, server_side=True)
        stream = connection.makefile("rwb", buffering=0)

        def say(text):
            stream.write(text.encode() + b"\r\n")

        say("220 tls.test ESMTP")
        while True:
            line = stream.readline().decode().strip()
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                say("250-tls.test\r\n250 " + ("AUTH PLAIN" if secure else "STARTTLS"))
            elif verb == "STARTTLS":
                say("220 go")
                connection = self.context.wrap_socket(connection, server_side=True)
                stream, secure = connection.makefile("rwb", buffering=0), True
            elif verb == "AUTH":
                told = line.split(" ")[2] if line.count(" ") > 1 else ""
                if not told:
                    say("334 ")
                    told = stream.readline().decode().strip()
                good = base64.b64decode(told) == b"\0permits\0correct horse"
                say("235 welcome" if good else "535 5.7.8 no")
            elif verb == "DATA":
                say("354 go on")
                while stream.readline() != b".\r\n":
                    pass
                self.taken.append(secure)
                say("250 taken")
            elif verb == "QUIT" or not line:
                say("221 bye")
                return
            else:
                say("250 ok")


@pytest.mark.parametrize("at_once", [False, True])
def test_tls_and_passwords(start, standin, tmp_path, at_once):
    server = TlsServer(tmp_path, at_once)
    options = mail_options(standin, url=f"smtp{'s' if at_once else ''}://localhost:{server.port}",
                           tls="tls" if at_once else "starttls", ca_file=str(server.cert), username="permits")
    so = PLUGINS / "notify_mail.so"
    good = start(so, "mail", options, {"password": "correct horse"})
    assert good.call("notify.send", notice())[0] == "ok" and server.taken == [True]
    bad = start(so, "mail", options, {"password": "wrong horse"})
    answer = bad.call("notify.send", notice())[2]
    assert answer["rc"] == "misconfigured" and "horse" not in answer["reason"] + bad.log
    stranger = start(so, "mail", {k: v for k, v in options.items() if k != "ca_file"}, {"password": "correct horse"})
    assert stranger.call("notify.send", notice())[0] == "tempfail"  # a certificate that nobody vouches for
    named = start(so, "mail", {**options, "url": options["url"].replace("localhost", "127.0.0.1")},
                  {"password": "correct horse"})
    assert named.call("notify.send", notice())[0] == "tempfail"  # and one for another name
    assert server.taken == [True]
    server.listener.close()


# ---- settings ----

@pytest.mark.parametrize("change,secrets,named", [
    ({"url": None}, {}, "url"), ({"url": "http://x"}, {}, "url"), ({"url": "smtp://user@x"}, {}, "url"),
    ({"tls": None}, {}, "tls"), ({"tls": "maybe"}, {}, "tls"), ({"tls": "tls"}, {}, "tls"), ({"from": None}, {}, "from"),
    ({"from": "permit"}, {}, "from"), ({"from_name": "a\nb"}, {}, "from_name"), ({"reply_to": "x"}, {}, "reply_to"),
    ({"ca_file": "relative.pem"}, {}, "ca_file"), ({"username": "u", "tls": "starttls"}, {}, "password"),
    ({"tls": "starttls"}, {"password": "p"}, "username"), ({"username": "u"}, {"password": "p"}, "password"),
    ({"password": "in the open"}, {}, "password"), ({"colour": "red"}, {}, "colour")])
def test_settings_that_are_wrong(start, standin, change, secrets, named):
    process = start(PLUGINS / "notify_mail.so", "mail", mail_options(standin, **change), secrets)
    answer = process.raw("notify.send", notice())
    assert answer["rc"] == "misconfigured" and named in answer["reason"], answer


def test_no_memory_for_a_setting(start, standin):
    process = start(PLUGINS / "notify_mail.so", "mail", mail_options(standin), no_memory_for="permit@agency.test")
    until(lambda: "no memory" in process.log, "what it lacks")


def test_what_it_says_of_itself(mail):
    told = mail.raw("describe")["reply"]
    assert told["port"] == "notify" and told["name"] == "notify_mail" and told["ops"] == ["notify.send"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", told["version"])


def test_no_growth(mail, standin):
    def work(n):
        for i in range(n):
            assert mail.raw("notify.send", notice(to="no address"), key=f"g{i}")["rc"] == "permfail"
            if i % 5 == 0:
                assert mail.raw("notify.send", notice(), key=f"g{i}")["rc"] == "ok"

    work(100)
    before = mail.memory()
    work(1000)
    assert mail.memory() - before < 512, "KiB grown over 1,000 calls"


def test_all_answers_were_seen():
    for rc in ("ok", "permfail", "tempfail"):
        assert contracts.seen.get(("notify.send", rc), 0) > 0, rc
