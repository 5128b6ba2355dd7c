"""What the stand-ins of agencies behind X-Road share: the program, the services by which messages are fetched, refusals, and documents.
Each judges every document by the schema itself."""
import argparse
import base64
import datetime
import pathlib
import signal
import sys
import threading

from lxml import etree

import pki
import xroad

CONTRACTS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/contracts"
SWITCHES = {**xroad.SWITCHES, "twice": False, "newest_first": False, "mixed_up": False, "most_ignored": False}
ITEMS = {"nationalities": "country", "differs": "member"}  # lists of texts: their items
US = ("TW", "GOV", "NIA", "permit")


class Refused(Exception):
    """What a person at the agency may not do."""


def add(parent, name, value):
    """One member as the schemas have it."""
    ns = etree.QName(parent).namespace
    element = etree.SubElement(parent, f"{{{ns}}}{name}")
    if isinstance(value, dict):
        for key, one in value.items():
            add(element, key, one)
    elif isinstance(value, list):
        for one in value:
            add(element, ITEMS[name], one)
    else:
        element.text = str(value)
    return element


def told(element):
    """What an element tells: members by name, texts."""
    return {etree.QName(c).localname: told(c) if len(c) else c.text for c in element}


def in_order(names, members):
    """Those that are there, in the schema's order; what it has not comes last."""
    return {n: members[n] for n in (*names, *(set(members) - set(names))) if members.get(n) is not None}


def moment(when=None):
    """An instant as documents write it."""
    when = when or datetime.datetime.now(datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Agency:
    """One of them. It says `ns`, `schema_file`, `subsystem`, the `name` of its messages, their `root`, the `plural` of what it polls
    (pollPermits, ackPermits) and the name of the `list` in a message; `services` of its own and `add_list` for that list."""

    ns = schema_file = subsystem = name = root = plural = list = None

    def __init__(self, ledger):
        self.books = ledger
        self.schema = etree.XMLSchema(etree.parse(str(CONTRACTS / self.schema_file)))
        self.services = {**self.own_services(), f"poll{self.plural}": self.poll, f"ack{self.plural}": self.ack}
        self.judge = threading.Lock()

    def own_services(self):
        raise NotImplementedError

    def add_list(self, parent, things):
        """The list's element with these in it."""
        raise NotImplementedError

    def perform(self, meta, raw, fault):
        """The answer's element, for bytes of a request's element."""
        try:
            element = etree.fromstring(raw, xroad.strict_parser())
            with self.judge:
                self.schema.assertValid(element)
            if element.tag != f"{{{self.ns}}}{meta.service}":
                raise xroad.Fault("BAD_REQUEST", f"not {meta.service}")
            return self.services[meta.service](element, meta)
        except (etree.XMLSyntaxError, etree.DocumentInvalid) as error:
            fault(f"the request: {error}")
            return self.refuse(meta.service + "Response", xroad.Fault("BAD_REQUEST", "not as the schema has it"))
        except xroad.Fault as refusal:
            return self.refuse(meta.service + "Response", refusal)

    def element(self, name):
        return etree.Element(f"{{{self.ns}}}{name}", nsmap={None: self.ns})

    def refuse(self, name, refusal):
        answer = self.element(name)
        add(answer, "fault", {"faultCode": refusal.code, "faultString": refusal.text})
        return answer

    def poll(self, element, _meta):
        waiting = [m for m in self.books.rows("messages") if not m["acked"]]
        if self.books.switch("newest_first"):
            waiting.reverse()
        if self.books.switch("twice"):
            waiting = [m for m in waiting for _ in (1, 2)]
        answer = self.element(f"poll{self.plural}Response")
        inside = add(answer, "messages", {})
        for m in waiting[:None if self.books.switch("most_ignored") else int(element[0].text)]:
            add(inside, "message", {"id": m["number"], "body_base64": m["body"]})
        return answer

    def ack(self, element, meta):
        numbers = [c.text for c in element[0]]
        with self.books.lock:
            self.books.write("acks", {"ids": numbers, "xid": meta.id})
            for m in self.books.rows("messages"):
                if m["number"] in numbers:
                    m["acked"] = True
                    self.books.write("messages", m)
        return self.element(f"ack{self.plural}Response")

    def document(self, number, things, sent=None):
        """A message's bytes, whether or not it makes sense."""
        root = self.element(self.root)
        add(root, "id", number)
        add(root, "sent", sent or moment())
        self.add_list(root, things)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def push(self, things, body=None):
        """A message with these things, or with these very bytes."""
        with self.books.lock:
            number = f"{self.name}-{len(self.books.rows('messages')) + 1}"
            body = self.document(number, things) if body is None else body
            return self.books.write("messages", {"number": number, "acked": False, "body": base64.b64encode(body).decode()})


# ---- the program

def options(name):
    parser = argparse.ArgumentParser(prog=name, description="stand-in of an agency behind X-Road")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls-port", type=int, required=True)
    parser.add_argument("--pki", metavar="FOLDER", type=pathlib.Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--books", metavar="FILE", help="keep the books in this file, go on with what is there")
    return parser.parse_args()


def run(agency, desk, **clients):
    """Serves until it is told to end; `agency` of those books, `desk` of that agency. `clients`: who else may ask, by certificate."""
    args = options(agency.name)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if not (args.pki / "ca.pem").exists():
        pki.make(args.pki, args.host)
    try:
        one = agency(agency.Books(args.books))
        security = xroad.SecurityServer((args.host, args.tls_port), args.pki, one, {"permit.test": US, **clients})
        page = desk((args.host, args.port), one, security)
    except OSError as error:
        print(f"{agency.name}: {error}", file=sys.stderr)
        return 1
    for server in (security, page):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    print(f"ready http://{args.host}:{page.server_port} https://{args.host}:{security.server_port}", flush=True)
    ended.wait()
    for server in (security, page):
        server.shutdown()
        server.server_close()
    one.books.close()
    return 0
