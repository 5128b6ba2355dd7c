"""A security server of X-Road with one agency behind it: mutual TLS, message protocol for REST 1.0 and for SOAP 4.0.

What is behind it is an object with `ns`, `services` {code: method(element, meta) → element or Fault} and `schema`
(lxml's XMLSchema); its books keep every request, with what was wrong about it. By (client, id) an answer is remembered and given
again. Switches make it fail, before the deed or after it (`after`)."""
import base64
import hashlib
import http.server
import re
import socket
import ssl
import struct
import sys
import time
import urllib.parse
import uuid

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XROAD = "http://x-road.eu/xsd/xroad.xsd"
IDS = "http://x-road.eu/xsd/identifiers"
XML = "application/xml; charset=utf-8"
MAX_BODY = 2 * 1024 * 1024
PARTS = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode")
IDENTIFIER = re.compile(r"[\w'()+,\-.=?/ ]+")
USER = re.compile(r"[A-Z]{2}[A-Za-z0-9_.@-]{1,64}")
FAILS = ("none", "down", "http301", "http400", "http404", "http408", "http429", "http500", "http503", "client", "clientproxy",
         "serverproxy", "odd_error", "reset", "half", "nonsense", "html", "not_xml", "wrong_id", "wrong_client", "wrong_service",
         "no_id", "wrong_namespace", "next_version", "off_schema", "doctype", "bomb", "external", "instruction", "deep", "wide",
         "huge", "utf16", "latin1", "fault", "fault4xx", "no_envelope", "two_bodies", "reordered_headers", "lost_header",
         "more_headers", "soap_client", "soap_server")
SWITCHES = {"slow_ms": 0, "fail": "none", "after": False, "times": 0, "certificate": "server", "check_clients": True}
CHOICES = {"fail": FAILS, "certificate": ("server", "server-renewed", "server-expired", "server-revoked", "server-stranger",
                                          "server-elsewhere")}
CODES = {"client": "client.bad_request", "clientproxy": "server.clientproxy.network_error",
         "serverproxy": "Server.ServerProxy.ServiceFailed.HttpError", "odd_error": "Weird.Thing <b>\x7f"}


class Fault(Exception):
    """The agency refuses: a code and words."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


def strict_parser():
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)


def encoded(parts):
    return "/".join(urllib.parse.quote(p, safe="") for p in parts)


class Meta:
    """Who asks, and why."""

    def __init__(self, service, client, number, user, issue):
        self.service, self.client, self.id, self.user, self.issue = service, client, number, user, issue


class SecurityServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, pki, agency, clients):
        """`clients`: a certificate's common name → the subsystem that it may speak for."""
        self.pki, self.agency, self.books, self.clients = pki, agency, agency.books, clients
        self.remembered = {}
        super().__init__(address, Handler)

    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def context(self):
        """By the switches and files of this instant."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        name = self.books.switch("certificate")
        context.load_cert_chain(self.pki / f"{name}.pem")
        if self.books.switch("check_clients"):
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.pki / "ca.pem")
            context.load_verify_locations(self.pki / "ca.crl")
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        return context

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "security-server", ""
    timeout = 30

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def setup(self):
        self.books, self.agency = self.server.books, self.server.agency
        self.bare = self.request
        self.bare.settimeout(self.timeout)
        if self.books.switch("fail") == "down":
            self.books.write("handshakes", {"why": "down"})
            self.bare.close()
            raise ConnectionError("down")
        try:
            self.request = self.server.context().wrap_socket(self.bare, server_side=True, do_handshake_on_connect=False)
            self.request.do_handshake()
        except (ssl.SSLError, OSError) as error:
            self.books.write("handshakes", {"why": str(getattr(error, "reason", error))})
            self.let_alert_arrive()
            raise
        names = [v for part in (self.request.getpeercert() or {}).get("subject", ()) for k, v in part if k == "commonName"]
        self.common_name = names[0] if names else None
        super().setup()

    def let_alert_arrive(self):
        """Closes when the other end has: a reset would take the alert away from under it."""
        try:
            self.request.settimeout(5)
            self.request.shutdown(socket.SHUT_WR)  # goes on without TLS
            while self.request.recv(4096):
                pass
        except OSError:
            pass
        self.request.close()

    def do_GET(self):
        self._note({"faults": [f"GET {self.path}"]})
        self._send(405, "text/plain", b"POST")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            return self._send(413, "text/plain", b"too long")
        body = self.rfile.read(int(length))
        if self.path == "/":
            return Soap(self, body).serve()
        return Rest(self, body).serve()

    def _note(self, entry):
        return self.books.write("requests", {"path": self.path, "cn": self.common_name, "faults": [], **entry})

    def _send(self, status, kind, data, headers=()):
        self.send_response(status)
        for name, value in (("Content-Type", kind), *headers, ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    note, send = _note, _send

    def cut(self, data=b""):
        """Hangs up in the middle, with a reset."""
        if data:
            self.wfile.write(data)
            self.wfile.flush()
        self.close_connection = True
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()


class Exchange:
    """What both protocols do: judge the request, do the deed once, fail as the switches say."""

    def __init__(self, handler, body):
        self.h, self.body = handler, body
        self.books, self.agency = handler.books, handler.agency
        self.entry = {"faults": [], "failed": None, "remembered": False, "body": body.decode("utf-8", "replace")}
        self.fault = self.entry["faults"].append

    def fail(self):
        """The switch of this request; `times` counts down to none."""
        with self.books.lock:
            fail, times = self.books.switch("fail"), self.books.switch("times")
            if fail != "none" and times:
                self.books.turn({"times": times - 1, **({"fail": "none"} if times == 1 else {})})
        self.entry["failed"] = None if fail == "none" else fail
        return fail

    def serve(self):
        time.sleep(self.books.switch("slow_ms") / 1000)
        fail = self.fail()
        meta, element = self.read()
        error = self.refusal(meta)
        self.entry.update({"service": meta.service, "client": "/".join(meta.client), "xid": meta.id, "user": meta.user, "issue": meta.issue})
        after = self.books.switch("after")
        answer = None
        if not error and (fail in LATE or fail == "none" or after):
            answer = self.deed(meta, element)
        self.h.note(self.entry)
        if error:
            return self.xroad_error(error)
        if fail in CODES:
            return self.xroad_error(CODES[fail])
        if fail.startswith("http"):
            extra = {"http301": [("Location", "/elsewhere")], "http429": [("Retry-After", "7")], "http503": [("Retry-After", "7")]}
            return self.h.send(int(fail[4:]), "text/html", b"<html/>", extra.get(fail, ()))
        if fail == "reset":
            return self.h.cut()
        return self.answer(meta, answer, fail)

    def refusal(self, meta):
        """X-Road's own: does it carry the request?"""
        if self.server_of() != meta.client:
            return "server.clientproxy.ssl_authentication_failed"
        if meta.provider != self.agency.subsystem:
            return "server.clientproxy.unknown_member"
        if meta.service not in self.agency.services:
            return "server.serverproxy.unknown_service"
        if meta.user is not None and not USER.fullmatch(meta.user):
            self.fault("userId: no country before it")
        try:
            if str(uuid.UUID(meta.id or "")) != meta.id:
                self.fault("id: not as UUIDs are written")
        except ValueError:
            self.fault("id: not a UUID")
        return None

    def server_of(self):
        return self.h.server.clients.get(self.h.common_name)

    def deed(self, meta, element):
        """The answer's element; by (client, id) the same again."""
        with self.books.lock:
            known = self.h.server.remembered.get((meta.client, meta.id))
            if known and known[0] == self.body:
                self.entry["remembered"] = True
                return etree.fromstring(known[1], strict_parser())
            if known:
                self.fault("id: of another request")
            answer = self.agency.perform(meta, element, self.fault)
            if meta.id:
                self.h.server.remembered[meta.client, meta.id] = (self.body, etree.tostring(answer))
            return answer

    def payload(self, answer, fail):
        """The answer's element, spoiled as the switch says."""
        ns, name = self.agency.ns, etree.QName(answer).localname
        if fail in ("fault", "fault4xx"):
            answer = self.agency.refuse(name, Fault("NOT_ALLOWED", "王小明 may not"))
        elif fail == "wrong_namespace":
            answer = renamed(answer, "urn:fwpermit:fines:1")
        elif fail == "next_version":
            answer = renamed(answer, ns[:-1] + "2")
        elif fail == "off_schema":
            etree.SubElement(answer, f"{{{ns}}}colour").text = "secret-colour"
        elif fail == "deep":
            deepest = answer
            for _ in range(40):
                deepest = etree.SubElement(deepest, f"{{{ns}}}x")
        elif fail == "wide":
            for _ in range(21000):
                etree.SubElement(answer, f"{{{ns}}}x")
        return answer


LATE = {"half", "nonsense", "html", "not_xml", "wrong_id", "wrong_client", "wrong_service", "no_id", "wrong_namespace", "next_version",
        "off_schema", "doctype", "bomb", "external", "instruction", "deep", "wide", "huge", "utf16", "latin1", "fault", "fault4xx",
        "no_envelope", "two_bodies", "reordered_headers", "lost_header", "more_headers", "soap_client", "soap_server"}


def renamed(element, ns):
    out = etree.Element(f"{{{ns}}}{etree.QName(element).localname}", nsmap={None: ns})
    out.text = element.text
    for child in element:
        out.append(renamed(child, ns))
    return out


def spoiled(data, fail):
    """The document's bytes with what no document should have."""
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    if fail == "doctype":
        return head + b"<!DOCTYPE x>" + data
    if fail == "bomb":
        lols = b"".join(b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10 if i else b"lol") for i in range(10))
        return head + b"<!DOCTYPE x [" + lols + b"]>" + data.replace(b"</", b"&l9;</", 1)
    if fail == "external":
        return head + b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + data.replace(b"</", b"&f;</", 1)
    if fail == "instruction":
        return head + b"<?php evil ?>" + data
    if fail == "huge":
        return head + data + b" " * (100 * 1024 * 1024)
    if fail == "utf16":
        return data.decode("utf-8").encode("utf-16")
    if fail == "latin1":
        return b'<?xml version="1.0" encoding="ISO-8859-1"?>' + data
    if fail == "nonsense":
        return b"\xff\x00<<<&&&"
    if fail == "html":
        return b"<html><body><p>Welcome<br></body></html>"
    return head + data


class Rest(Exchange):
    def read(self):
        h = self.h.headers
        for name in ("X-Road-Client", "X-Road-Id", "X-Road-UserId", "X-Road-Issue"):
            if len(h.get_all(name, [])) > 1:
                self.fault(f"{name} more than once")
        if h.get("X-Road-Request-Hash"):
            self.fault("X-Road-Request-Hash is not the client's")
        if h.get("Content-Type") != XML:
            self.fault("Content-Type")
        if h.get("Accept") != "application/xml":
            self.fault("Accept")
        raw = self.h.path.split("?")[0].split("/")
        if raw[:2] != ["", "r1"] or len(raw) != 7:
            self.fault(f"path: {self.h.path}")
            raw = ["", "r1"] + ["?"] * 5
        parts = tuple(self.part(p) for p in raw[2:])
        client = tuple(self.part(p) for p in h.get("X-Road-Client", "").split("/"))
        meta = Meta(parts[4], client, h.get("X-Road-Id"), h.get("X-Road-UserId"), h.get("X-Road-Issue"))
        meta.provider = parts[:4]
        return meta, self.body

    def part(self, raw):
        """One part, decoded; told as a fault where it was not encoded by itself as it must be."""
        text = urllib.parse.unquote(raw, errors="replace")
        if urllib.parse.quote(text, safe="").lower() != raw.lower() or not IDENTIFIER.fullmatch(text):
            self.fault(f"identifier {raw!r} is not encoded as it should be")
        return text

    def xroad_error(self, code):
        status = 500 if code.lower().startswith("server.") else 400
        text = "".join(c for c in code if c.isprintable())
        root = etree.Element("error")
        for name, value in (("type", text), ("message", "王小明 C1234567"), ("detail", str(uuid.uuid4()))):
            etree.SubElement(root, name).text = value
        self.h.send(status, XML, etree.tostring(root), [("X-Road-Error", text), ("X-Road-Request-Id", str(uuid.uuid4()))])

    def answer(self, meta, answer, fail):
        status = 403 if fail == "fault4xx" else 200
        data = spoiled(etree.tostring(self.payload(answer, fail)), fail)
        kind = "text/html" if fail == "html" else "application/json" if fail == "not_xml" else XML
        path = "/".join(self.h.path.split("/")[2:])
        headers = {"x-road-id": meta.id, "x-road-client": self.h.headers["X-Road-Client"], "x-road-service": path,
                   "x-road-request-id": str(uuid.uuid4()),
                   "x-road-request-hash": base64.b64encode(hashlib.sha512(self.body).digest()).decode()}
        if fail == "wrong_id":
            headers["x-road-id"] = str(uuid.uuid4())
        elif fail == "no_id":
            del headers["x-road-id"]
        elif fail == "wrong_client":
            headers["x-road-client"] += "x"
        elif fail == "wrong_service":
            headers["x-road-service"] += "x"
        if fail == "half":
            self.h.send_response(status)
            for name, value in (("Content-Type", kind), *headers.items(), ("Content-Length", str(len(data) + 100))):
                self.h.send_header(name, value)
            self.h.end_headers()
            return self.h.cut(data)
        return self.h.send(status, kind, data, headers.items())


class Soap(Exchange):
    def read(self):
        if self.h.headers.get("Content-Type") != "text/xml; charset=utf-8":
            self.fault("Content-Type")
        if self.h.headers.get("SOAPAction") != '""':
            self.fault("SOAPAction")
        self.envelope = etree.fromstring(self.body, strict_parser())
        if self.envelope.tag != f"{{{SOAP}}}Envelope" or [c.tag for c in self.envelope] != [f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"]:
            self.fault("not an envelope of header and body")
        self.header, body = self.envelope
        known = {etree.QName(c).localname: c for c in self.header if etree.QName(c).namespace == XROAD}
        if len(known) != len(self.header):
            self.fault("headers: twice, or not X-Road's")
        if (known.get("protocolVersion") is None) or known["protocolVersion"].text != "4.0":
            self.fault("protocolVersion is 4.0")
        if "requestHash" in known:
            self.fault("requestHash is not the client's")
        service, client = (self.identifier(known, "service", "SERVICE"), self.identifier(known, "client", "SUBSYSTEM"))
        text = {n: known[n].text if n in known else None for n in ("id", "userId", "issue")}
        meta = Meta(service[4] if len(service) == 5 else None, client, text["id"], text["userId"], text["issue"])
        meta.provider = service[:4]
        if len(body) != 1 or etree.QName(body[0]).localname != meta.service:
            self.fault("the body is not one element of the service's name")
        return meta, etree.tostring(body[0])

    def identifier(self, known, name, kind):
        element = known.get(name)
        if element is None or element.get(f"{{{IDS}}}objectType") != kind:
            self.fault(f"{name}: no {kind}")
            return ()
        names = [etree.QName(c).localname for c in element]
        if tuple(names) != PARTS[:len(names)] or any(etree.QName(c).namespace != IDS for c in element):
            self.fault(f"{name}: {names}")
        return tuple(c.text for c in element)

    def xroad_error(self, code):
        self.soap_fault("".join(c for c in code if c.isprintable()))

    def soap_fault(self, code):
        root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"SOAP-ENV": SOAP})
        fault = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{SOAP}}}Fault")
        for name, value in (("faultcode", code), ("faultstring", "王小明 C1234567"), ("faultactor", "")):
            etree.SubElement(fault, name).text = value
        etree.SubElement(etree.SubElement(fault, "detail"), f"{{{XROAD}}}faultDetail").text = str(uuid.uuid4())
        self.h.send(500, "text/xml; charset=UTF-8", etree.tostring(root))

    def answer(self, meta, answer, fail):
        if fail in ("soap_client", "soap_server"):
            return self.soap_fault("SOAP-ENV:" + fail[5:].capitalize())
        root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "x": XROAD, "i": IDS})
        header = etree.SubElement(root, f"{{{SOAP}}}Header")
        for child in self.header:
            header.append(etree.fromstring(etree.tostring(child)))
        known = {etree.QName(c).localname: c for c in header}
        digest = etree.SubElement(header, f"{{{XROAD}}}requestHash", algorithmId="http://www.w3.org/2001/04/xmlenc#sha512")
        digest.text = base64.b64encode(hashlib.sha512(self.body).digest()).decode()
        if fail == "wrong_id":
            known["id"].text = str(uuid.uuid4())
        elif fail == "no_id" or fail == "lost_header":
            header.remove(known["id" if fail == "no_id" else "userId"])
        elif fail == "wrong_client":
            known["client"][-1].text += "x"
        elif fail == "wrong_service":
            known["service"][-1].text += "x"
        elif fail == "reordered_headers":
            header.append(known["client"])
        elif fail == "more_headers":
            etree.SubElement(header, f"{{{XROAD}}}issue").text = "another"
        body = etree.SubElement(root, f"{{{SOAP}}}Body")
        body.append(self.payload(answer, fail))
        if fail == "two_bodies":
            body.append(self.payload(answer, fail).__copy__())
        if fail == "no_envelope":
            root = body[0]
        data = spoiled(etree.tostring(root), fail)
        if fail == "half":
            self.h.send_response(200)
            self.h.send_header("Content-Length", str(len(data) + 100))
            self.h.end_headers()
            return self.h.cut(data)
        return self.h.send(200, "text/xml; charset=UTF-8", data)
