"""The mail server takes mails as they are meant, shows them, and says what is wrong with them."""
import json
import smtplib
import socket
from email.message import EmailMessage

import pytest


def make_mail(subject="居留案件通知 Case 1", text="您好，\n.開頭是點\nEnd\n", **headers):
    mail = EmailMessage()
    mail["From"], mail["To"] = "permit@example.test", "Ann <ann@example.test>"
    mail["Subject"], mail["Date"] = subject, "Thu, 01 Jan 2026 12:00:00 +0800"
    mail["Message-ID"] = "<1@example.test>"
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(text, cte="base64")
    return mail


class Talk:
    """A conversation byte by byte."""

    def __init__(self, program):
        self.socket = socket.create_connection(("127.0.0.1", program.smtp_port), timeout=10)
        self.file = self.socket.makefile("rb")
        assert self.hear() == "220"

    def hear(self):
        line = self.file.readline()
        while line[3:4] == b"-":
            line = self.file.readline()
        return line[:3].decode()

    def say(self, *lines):
        codes = []
        for line in lines:
            self.socket.sendall(line if isinstance(line, bytes) else line.encode() + b"\r\n")
            codes.append(self.hear())
        return codes

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


@pytest.fixture(name="client")
def connected(program, shop):
    assert shop
    with smtplib.SMTP("127.0.0.1", program.smtp_port, timeout=10) as client:
        yield client


def test_a_mail_is_shown(program, client):
    mail = make_mail()
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="許可.pdf")
    client.send_message(mail)
    shown = json.loads(program.get("/mails.json?to=ANN@example.test")[1])
    assert len(shown) == 1 and shown[0]["subject"] == "居留案件通知 Case 1"
    assert shown[0]["text"] == "您好，\n.開頭是點\nEnd\n" and shown[0]["faults"] == []
    assert (shown[0]["from"], shown[0]["to"]) == ("permit@example.test", ["ann@example.test"])
    assert shown[0]["attachments"] == [{"name": "許可.pdf", "type": "application/pdf", "size": 8}]
    number = shown[0]["id"]
    assert "居留案件通知 Case 1" in program.get("/mails")[1]
    page = program.get(f"/mails/{number}")[1]
    assert "您好，\n.開頭是點" in page and "許可.pdf" in page
    assert "Message-ID: <1@example.test>" in program.get(f"/mails/{number}.eml")[1]
    assert program.books()["mails"][0]["text"] == shown[0]["text"]


def test_newest_first_and_by_recipient(program, client):
    for name in ("ann", "bob", "ann"):
        client.sendmail("permit@example.test", [f"{name}@example.test", "all@example.test"],
                        make_mail(f"to {name}").as_bytes())
    subjects = [m["subject"] for m in json.loads(program.get("/mails.json")[1])]
    assert subjects == ["to ann", "to bob", "to ann"]
    assert len(json.loads(program.get("/mails.json?to=ann@example.test")[1])) == 2
    assert len(json.loads(program.get("/mails.json?to=all@example.test")[1])) == 3
    assert json.loads(program.get("/mails.json?to=eve@example.test")[1]) == []
    page = program.get("/mails")[1]
    assert page.index("to ann") < page.index("to bob")


def test_html_in_a_mail_is_shown_as_text(program, client):
    client.send_message(make_mail("<b>x</b>", "<script>alert(1)</script>"))
    number = json.loads(program.get("/mails.json")[1])[0]["id"]
    for page in (program.get("/mails")[1], program.get(f"/mails/{number}")[1]):
        assert "<script" not in page and "<b>" not in page and "&lt;b&gt;" in page


def test_html_part_and_encodings(program, client):
    mail = make_mail(text="plain")
    mail.add_alternative("<p>rich</p>", subtype="html")
    client.send_message(mail)
    shown = json.loads(program.get("/mails.json")[1])[0]
    assert (shown["text"].strip(), shown["html"].strip()) == ("plain", "<p>rich</p>")
    client.sendmail("a@b.test", ["c@d.test"], b"From: a@b.test\r\nDate: x\r\nMessage-ID: <1>\r\n"
                    b"Subject: =?utf-8?B?5bGF?=\r\n =?utf-8?Q?=E7=95=99?=\r\n"
                    b"Content-Type: text/plain; charset=big5\r\n\r\n\xa4\xa4\r\n", ["BODY=8BITMIME"])
    shown = json.loads(program.get("/mails.json")[1])[0]
    assert (shown["subject"], shown["text"], shown["faults"]) == ("居留", "中\n", [])


def test_what_is_offered(client):
    client.ehlo()
    assert client.has_extn("8bitmime") and client.esmtp_features["size"] == str(10 * 1024 * 1024)
    assert not client.has_extn("starttls") and client.noop()[0] == 250


def test_order_of_commands(program, shop):
    assert shop
    with Talk(program) as talk:
        assert talk.say("MAIL FROM:<a@b.test>", "EHLO", "EHLO me", "RCPT TO:<a@b.test>", "DATA",
                        "MAIL FROM:<a@b.test>", "MAIL FROM:<a@b.test>", "DATA", "RSET",
                        "RCPT TO:<a@b.test>", "AUTH PLAIN", "STARTTLS", "VRFY a") == \
            "503 501 250 503 503 250 503 503 250 503 502 502 252".split()
        assert talk.say("mail from:<>", "rcpt to:<a@b.test>", "data") == ["250", "250", "354"]
        assert talk.say(b"Subject: x\r\n\r\n..dot\r\n.\r\n", "QUIT") == ["250", "221"]
        assert talk.file.readline() == b""
    ledger = program.books()
    assert ledger["mails"][0]["text"] == ".dot\n" and ledger["mails"][0]["from"] == ""
    assert set(ledger["mails"][0]["faults"]) == {"no From", "no Date", "no Message-ID"}
    assert len(ledger["smtp"]) == 9


@pytest.mark.parametrize("line,code", [
    ("MAIL FROM: <a@b.test>", "501"), ("MAIL FROM:a@b.test", "501"), ("MAIL FROM:<ab>", "501"),
    ("MAIL FROM:<a@b.test> SIZE=99999999", "552"), ("MAIL FROM:<a@b.test> SIZE=x", "555"),
    ("MAIL FROM:<a@b.test> BODY=BINARY", "555"), ("MAIL FROM:<a@b.test> SMTPUTF8", "555"),
    ("MAIL FROM:<é@b.test>", "553"), (b"MAIL FROM:<a@b.test>\n", "500"), ("XYZ", "502"), ("", "502"),
    ("MAIL FROM:<a@b.test> SIZE=1000 BODY=8BITMIME", "250")])
def test_commands_are_judged(program, shop, line, code):
    assert shop
    with Talk(program) as talk:
        assert talk.say("EHLO me", line) == ["250", code]


def test_recipients_are_judged(program, shop):
    assert shop
    with Talk(program) as talk:
        assert talk.say("EHLO me", "MAIL FROM:<a@b.test>", "RCPT TO:<>", "RCPT TO:<ab>", "RCPT TO:a@b.test") == \
            ["250", "250", "501", "501", "501"]
        assert set(talk.say(*["RCPT TO:<a@b.test>"] * 100)) == {"250"}
        assert talk.say("RCPT TO:<a@b.test>") == ["452"]


def test_faults_of_a_mail(program, shop):
    assert shop
    with Talk(program) as talk:
        talk.say("EHLO me", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA")
        mail = ("From: a@b.test\r\nFrom: a@b.test\r\nDate: x\r\nMessage-ID: <1>\r\nSubject: 居\r\n\r\n"
                "bare\nline\r\n" + "x" * 1000 + "\r\n.\r\n")
        assert talk.say(mail.encode()) == ["250"]
    assert program.books()["mails"][0]["faults"] == [
        "8 bits without BODY=8BITMIME", "From more than once", "a header that is not ASCII",
        "a line of more than 998 bytes", "a line that does not end with CR LF"]


def test_a_mail_too_big_is_refused(program, shop):
    assert shop
    with Talk(program) as talk:
        talk.say("EHLO me", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA")
        assert talk.say((b"x" * 998 + b"\r\n") * 10600 + b".\r\n", "NOOP") == ["552", "250"]
    assert program.books()["mails"] == []


@pytest.mark.parametrize("fail,code", [("temp", 450), ("perm", 550)])
def test_switch_smtp_fail(program, client, fail, code):
    program.switch(smtp_fail=fail)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.send_message(make_mail())
    assert refused.value.recipients["ann@example.test"][0] == code
    program.switch(smtp_fail="none")
    client.send_message(make_mail())
    ledger = program.books()
    assert len(ledger["mails"]) == 1 and ledger["smtp"][0]["reply"].startswith(str(code))
