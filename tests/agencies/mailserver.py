"""The mail server: takes every mail, sends none on, and says what is wrong with how it came."""
import asyncio
import email
import email.errors
import email.header
import email.policy
import re
import threading

MAX_SIZE = 10 * 1024 * 1024
MAX_LINE = 1024 * 1024
MAX_RECIPIENTS = 100
IDLE_SECONDS = 120
_PATH = re.compile(r"(FROM|TO):<([^<>\s]*)>((?: +[^ ]+)*) *", re.I)
_ADDRESS = re.compile(r"[^@\s]+@[A-Za-z0-9]([A-Za-z0-9.:\[\]-]*[A-Za-z0-9\]])?")


class _Quit(Exception):
    pass


class Session:
    """One connection."""

    def __init__(self, books, reader, writer):
        self.books = books
        self.reader = reader
        self.writer = writer
        self.peer = (writer.get_extra_info("peername") or ["?"])[0]
        self.helo = None
        self._forget()

    def _forget(self):
        self.sender, self.recipients, self.options = None, [], {}

    async def run(self):
        try:
            await self._say("220 mail.standin.test ESMTP")
            while True:
                line = await asyncio.wait_for(self.reader.readuntil(b"\n"), IDLE_SECONDS)
                await self._obey(line)
        except (_Quit, ConnectionError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            pass
        except asyncio.LimitOverrunError:
            await self._say("500 5.5.2 line too long")
        finally:
            self.writer.close()

    async def _say(self, text):
        self.writer.write(text.encode("ascii") + b"\r\n")
        await self.writer.drain()

    async def _refuse(self, text, line):
        self.books.write("smtp", {"peer": self.peer, "command": line, "reply": text,
                                  "from": self.sender, "to": list(self.recipients)})
        await self._say(text)

    async def _obey(self, raw):
        line = raw.rstrip(b"\r\n").decode("utf-8", "replace")
        verb, _, rest = line.partition(" ")
        deed = getattr(self, f"_do_{verb.lower()}", None) if verb.isalpha() else None
        if deed is None:
            await self._refuse("502 5.5.1 command not known", line)
        elif not raw.endswith(b"\r\n"):
            await self._refuse("500 5.5.2 a line ends with CR LF", line)
        else:
            await deed(rest, line)

    async def _do_helo(self, rest, line):
        if not rest.strip():
            return await self._refuse("501 5.5.4 HELO needs a name", line)
        self.helo = rest.strip()
        self._forget()
        await self._say("250 mail.standin.test")

    async def _do_ehlo(self, rest, line):
        if not rest.strip():
            return await self._refuse("501 5.5.4 EHLO needs a name", line)
        self.helo = rest.strip()
        self._forget()
        await self._say(f"250-mail.standin.test\r\n250-SIZE {MAX_SIZE}\r\n250 8BITMIME")

    async def _do_mail(self, rest, line):
        match = _PATH.fullmatch(rest)
        if self.helo is None or self.sender is not None:
            return await self._refuse("503 5.5.1 bad sequence of commands", line)
        if not match or match[1].upper() != "FROM" or (match[2] and not _ADDRESS.fullmatch(match[2])):
            return await self._refuse("501 5.1.7 MAIL FROM:<address>", line)
        if not match[2].isascii():
            return await self._refuse("553 5.6.7 address not in ASCII", line)
        options = {}
        for word in match[3].split():
            name, _, value = word.partition("=")
            options[name.upper()] = value
        if set(options) - {"SIZE", "BODY"} or not options.get("SIZE", "0").isdigit() \
                or options.get("BODY", "7BIT").upper() not in ("7BIT", "8BITMIME"):
            return await self._refuse("555 5.5.4 option not known", line)
        if int(options.get("SIZE", "0")) > MAX_SIZE:
            return await self._refuse("552 5.3.4 too big", line)
        self.sender, self.options = match[2], options
        await self._say("250 2.1.0 ok")

    async def _do_rcpt(self, rest, line):
        match = _PATH.fullmatch(rest)
        if self.sender is None:
            return await self._refuse("503 5.5.1 bad sequence of commands", line)
        if not match or match[1].upper() != "TO" or match[3].strip() or not _ADDRESS.fullmatch(match[2]) \
                or not match[2].isascii():
            return await self._refuse("501 5.1.3 RCPT TO:<address>", line)
        if len(self.recipients) >= MAX_RECIPIENTS:
            return await self._refuse("452 4.5.3 too many recipients", line)
        fail = self.books.switch("smtp_fail")
        if fail == "temp":
            return await self._refuse("450 4.2.1 mailbox busy, try later", line)
        if fail == "perm":
            return await self._refuse("550 5.1.1 no such mailbox", line)
        self.recipients.append(match[2])
        await self._say("250 2.1.5 ok")

    async def _do_data(self, rest, line):
        if not self.recipients:
            return await self._refuse("503 5.5.1 bad sequence of commands", line)
        if rest:
            return await self._refuse("501 5.5.4 DATA alone", line)
        await self._say("354 end with a line that is a dot")
        source, faults = bytearray(), set()
        too_big = False
        while True:
            raw = await asyncio.wait_for(self.reader.readuntil(b"\n"), IDLE_SECONDS)
            if raw == b".\r\n":
                break
            if not raw.endswith(b"\r\n") or b"\r" in raw[:-2]:
                faults.add("a line that does not end with CR LF")
            if len(raw) > 1000:
                faults.add("a line of more than 998 bytes")
            source += raw[1:] if raw.startswith(b".") else raw
            if len(source) > MAX_SIZE:
                too_big = True
                source.clear()
        if too_big:
            await self._refuse("552 5.3.4 too big", line)
        else:
            entry = self._keep(bytes(source), faults)
            await self._say(f"250 2.0.0 taken as {entry['id']}")
        self._forget()

    def _keep(self, source, faults):
        if any(byte > 127 for byte in source) and self.options.get("BODY", "").upper() != "8BITMIME":
            faults.add("8 bits without BODY=8BITMIME")
        message = read(source)
        faults.update(message.pop("faults"))
        return self.books.write("mails", {
            "from": self.sender, "to": list(self.recipients), "helo": self.helo, "peer": self.peer,
            "size": len(source), **message, "faults": sorted(faults),
            "source": source.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode("utf-8")})

    async def _do_rset(self, _rest, _line):
        self._forget()
        await self._say("250 2.0.0 ok")

    async def _do_noop(self, _rest, _line):
        await self._say("250 2.0.0 ok")

    async def _do_vrfy(self, _rest, _line):
        await self._say("252 2.5.0 will see")

    async def _do_quit(self, _rest, _line):
        await self._say("221 2.0.0 bye")
        raise _Quit


def read(source):
    """Subject, text, other parts and headers of a mail as its reader sees them, and its faults."""
    message = email.message_from_bytes(source, policy=email.policy.compat32)
    faults = [f"no {name}" for name in ("From", "Date", "Message-ID") if not message[name]]
    faults += [f"{name} more than once" for name in ("From", "To", "Subject", "Date", "Message-ID")
               if len(message.get_all(name, [])) > 1]
    headers = [[name, header(value)] for name, value in message.items()]
    if any(not str(value).isascii() for _, value in message.items()):
        faults.append("a header that is not ASCII")
    if message.defects:
        faults += [type(defect).__name__ for defect in message.defects]
    out = {"subject": header(message["Subject"] or ""), "headers": headers, "text": "", "html": "",
           "attachments": [], "faults": faults}
    for part in message.walk():
        if part.is_multipart():
            continue
        kind, name = part.get_content_type(), part.get_filename()
        if name or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            data = part.get_payload(decode=True) or b""
            out["attachments"].append({"name": header(name or ""), "type": kind, "size": len(data)})
        elif kind == "text/html":
            out["html"] += decoded(part)
        else:
            out["text"] += decoded(part)
    return out


def header(value):
    """A header's words decoded, folding undone."""
    out = []
    text = re.sub(r"\r?\n(?=[ \t])", "", str(value))
    try:
        chunks = email.header.decode_header(text)
    except email.errors.HeaderParseError:
        return text
    for chunk, charset in chunks:
        if isinstance(chunk, bytes):
            try:
                chunk = chunk.decode(charset or "ascii", "replace")
            except LookupError:
                chunk = chunk.decode("latin-1")
        out.append(chunk)
    return "".join(out).strip()


def decoded(part):
    data = part.get_payload(decode=True) or b""
    try:
        text = data.decode(part.get_content_charset() or "us-ascii", "replace")
    except LookupError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n")


class MailServer:
    """Runs in a thread of its own."""

    def __init__(self, books, host, port):
        self.books = books
        self.address = (host, port)
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(
            self._serve, host, port, limit=MAX_LINE))
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)

    async def _serve(self, reader, writer):
        await Session(self.books, reader, writer).run()

    def _run(self):
        self.loop.run_forever()
        self.loop.run_until_complete(self._hang_up())
        self.loop.close()

    async def _hang_up(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self):
        self.thread.start()

    def stop(self):
        def end():
            self.server.close()
            self.loop.stop()
        self.loop.call_soon_threadsafe(end)
        self.thread.join(5)
