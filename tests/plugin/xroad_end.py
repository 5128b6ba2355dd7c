"""The process of a plugin of an agency behind X-Road, beside the agency's stand-in; labour_xroad, where nothing else is said."""
import base64

import contracts
from host import PLUGINS, ROOT, Process

SCHEMA = ROOT / "docs/contracts/labour-1.xsd"
CLIENT, PROVIDER = "TW/GOV/NIA/permit", "TW/GOV/MOL/labour"
PERSON = {"worker": {"passport_no": "C1234567", "nationality": "VNM"}, "why": {"user": "officer1", "case_no": "1150000012"}}


def options_of(agency, **more):
    pki = agency.pki
    options = {"url": agency.url, "client": CLIENT, "provider": PROVIDER, "schema": str(SCHEMA), "http.ca_file": str(pki / "ca.pem"),
               "http.cert_file": str(pki / "client.pem"), **{k.replace("http_", "http.", 1): v for k, v in more.items()}}
    return {k: v for k, v in options.items() if v is not None}


class End(Process):
    """The plugin's process; each call has a key of its own, unless one is given."""

    plugin, serves, provider, schema = "labour_xroad", "labour", PROVIDER, SCHEMA

    def __init__(self, agency, now=None, held_to=None, **more):
        self.n = 0
        super().__init__(PLUGINS / f"{self.plugin}.so", self.serves, options_of(agency, **{
            "provider": self.provider, "schema": str(self.schema), **more}), now=now, held_to=held_to)

    def ask(self, op, request, blob=b"", **more):
        """The whole answer, held to the contract."""
        self.n += 1
        more.setdefault("key", f"key-{self.n}-{self.name}-{id(self)}")
        return self.call(f"{self.serves}.{op}", request, blob, **more)[2]

    def find(self, **more):
        return self.ask("find", PERSON, **more)

    def tell(self, document, channel="poll", **more):
        return self.ask("message", {"channel": channel}, document, **more)

    def poll(self, most=20, **more):
        """The ids and bytes of what is waiting."""
        answer = self.ask("poll", {"max": most}, **more)
        assert answer["rc"] == "ok", answer
        return [(m["id"], base64.b64decode(m["body_base64"])) for m in answer["reply"]["messages"]]


def seen(op, rc, port="labour"):
    return contracts.seen.get((f"{port}.{op}", rc), 0)
