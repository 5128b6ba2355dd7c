"""The desk of an agency behind X-Road: a page where a person plays it, and the control for tests. No TLS: it is for this machine."""
import base64
import json
import urllib.parse

import agency
import pages
import web

esc = pages.esc


def button(action, text, **hidden):
    fields = "".join(f'<input type="hidden" name="{esc(k)}" value="{esc(v)}">' for k, v in hidden.items())
    return f'<form method="post" action="{action}">{fields}<button class="quiet">{text}<span hidden> {esc(next(iter(hidden.values())))}</span></button></form>'


def waiting(ledger):
    """How many messages lie there."""
    return f'<p id="waiting">待取訊息 / messages not fetched: {sum(not m["acked"] for m in ledger.rows("messages"))}</p>'


class Handler(web.Handler):
    """`top` is the head of its pages, `page` what it shows (of the agency), `deeds` what a form does by its address (agency, form),
    `controls` what a test may do by the verb (agency, JSON)."""

    top, page, deeds, controls = "", None, {}, {}

    def setup(self):
        super(web.Handler, self).setup()
        self.books, self.agency = self.server.books, self.server.agency

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/":
            return self._html(200, type(self).page(self.agency))
        if path == "/style.css":
            return self._send(200, "text/css; charset=utf-8", pages.STYLE)
        if path == "/books":
            return self._json(200, self.books.snapshot())
        return self._html(404, pages.message_page("找不到 / Not found", path, self.top))

    def do_POST(self):
        body = self._body()
        if body is None:
            return None
        path = urllib.parse.urlsplit(self.path).path
        if path.startswith("/control/"):
            return self._control(path[len("/control/"):], "", body)
        if path not in self.deeds:
            return self._html(404, pages.message_page("找不到 / Not found", path, self.top))
        try:
            self.deeds[path](self.agency, dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
        except agency.Refused as error:
            return self._html(409, pages.message_page("無法執行 / Not possible", str(error), self.top))
        return self._send(303, None, "", {"Location": "/"})

    def _control(self, path, query, body):
        if path == "switch":
            return self._switch(body)
        if path == "reset":
            self.books.reset()
            self.server.security.remembered.clear()
            return self._json(200, {"ok": True})
        controls = {"push": push, **self.controls}
        if path not in controls:
            return self._json(404, {"ok": False, "error": f"no control {path}"})
        try:
            out = controls[path](self.agency, json.loads(body or b"{}"))
        except (ValueError, KeyError, TypeError, agency.Refused) as error:
            return self._json(409, {"ok": False, "error": str(error)})
        return self._json(200, {"ok": True, "done": out})

    def _switch(self, body):
        try:
            why = self.books.turn(json.loads(body or b"{}"))
        except ValueError:
            why = "no JSON"
        return self._json(400, {"ok": False, "error": why}) if why else self._json(200, {"ok": True, "switches": dict(self.books.switches)})


def push(one, ask):
    """A message of things, or of bytes."""
    return one.push(ask.get(one.list, []), base64.b64decode(ask["body_base64"]) if "body_base64" in ask else None)


class Desk(web.Web):
    handler = Handler

    def __init__(self, address, one, security):
        self.agency, self.security = one, security
        self.books, self.gateway, self.courier = one.books, None, None
        super(web.Web, self).__init__(address, self.handler)
