"""The web side: the gateway's own addresses, the payer's pages, and the control for tests."""
import http.server
import json
import re
import socket
import sys
import time
import urllib.parse

import books
import cards
import checkmac
import gateway
import orders
import pages

MAX_BODY = 1024 * 1024
CONTROL_WAIT = 12.0
PAGE_WAIT = 1.5
HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
API = {"/Cashier/AioCheckOut/V5", "/Cashier/QueryTradeInfo/V5", "/CreditDetail/DoAction", "/CreditDetail/QueryTrade/V2",
       "/PaymentMedia/TradeNoAio"}


class Web(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, ledger, desk):
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.books, self.gateway, self.courier = ledger, desk, desk.courier
        super().__init__(address, Handler)

    def server_bind(self):
        """Without asking a name server for the host's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        """A browser that went away is no news; anything else is printed."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "standin", ""
    timeout = 60

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def setup(self):
        super().setup()
        self.books, self.gateway, self.courier = self.server.books, self.server.gateway, self.server.courier

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        path, ask = urllib.parse.unquote(url.path), dict(urllib.parse.parse_qsl(url.query))
        if path == "/":
            with self.books.lock:
                text = pages.list_page(self.books.rows("orders"), self.books.rows("callbacks"))
            return self._html(200, text)
        if path == "/style.css":
            return self._send(200, "text/css; charset=utf-8", pages.STYLE)
        if path == "/favicon.ico":
            return self._send(204, None, "")
        if path == "/books":
            return self._json(200, self.books.snapshot())
        if path == "/mails.json":
            return self._json(200, self._mails(ask.get("to")))
        if path == "/mails":
            return self._html(200, pages.mails_page(self.books.rows("mails")))
        match = re.fullmatch(r"/mails/([0-9]{1,9})(\.eml)?", path, re.ASCII)
        mail = self.books.tables["mails"].get(int(match[1])) if match else None
        if mail and match[2]:
            return self._send(200, "text/plain; charset=utf-8", mail["source"])
        if mail:
            return self._html(200, pages.mail_page(mail))
        match = re.fullmatch(r"/pay/([A-Za-z0-9]{1,20})", path, re.ASCII)
        order = self.books.order(match[1]) if match else None
        if order:
            return self._order(order)
        return self._html(404, pages.message_page("找不到 / Not found", path))

    def do_POST(self):
        body = self._body()
        if body is None:
            return
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        if path in API:
            return self._api(path, body)
        if path.startswith("/control/"):
            return self._control(path, url.query, body)
        match = re.fullmatch(r"/pay/([A-Za-z0-9]{1,20})/(card|atm|cvs|decline|cancel|settle)", path, re.ASCII)
        if match:
            return self._payer(match[1], match[2], f"/pay/{match[1]}")
        match = re.fullmatch(r"/settle/([A-Za-z0-9]{1,20})", path, re.ASCII)
        if match:
            return self._payer(match[1], "settle", "/")
        return self._html(404, pages.message_page("找不到 / Not found", path))

    # The gateway's own addresses

    def _api(self, path, body):
        entry = {"path": path, "fields": {}, "faults": [], "failed": None, "status": None,
                 "agent": self.headers.get("User-Agent", "")}
        time.sleep(self.books.switch("slow_ms") / 1000)
        fail = self.books.switch("fail")
        try:
            entry["fields"] = orders.parse_form(body)
            if self.headers.get_content_type() != FORM:
                entry["faults"].append(f"Content-Type: must be {FORM}")
        except orders.FormError as error:
            entry["faults"].append(str(error))
        if fail not in ("none", "badmac"):
            entry["failed"] = fail
            status, kind, text = self._spoil(fail)
        elif entry["faults"]:
            status, kind, text = self._faulty(path, entry["faults"])
        elif path.startswith("/Cashier/Aio"):
            order, entry["faults"] = self.gateway.create(entry["fields"])
            status, kind, text = self._faulty(path, entry["faults"]) if not order else \
                (200, HTML, pages.order_page(order, None, None))
        else:
            status, kind, text = self._ask(path, entry, fail)
        entry["status"] = status
        self.books.write("requests", entry)
        if status is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(status, kind, text)

    def _spoil(self, fail):
        if fail == "http500":
            return 500, "text/plain", "Internal Server Error"
        if fail == "http403":
            return 403, "text/plain", "Forbidden"
        if fail == "close":
            return None, None, None
        return 200, HTML, "<html><body>\x01%%%=&&TradeStatus=1&RtnCode=1&CheckMacValue=&=\ufffd</body>"

    def _faulty(self, path, faults):
        if path.startswith("/Cashier/Aio"):
            return 200, HTML, pages.fault_page(faults)
        return 200, "text/plain; charset=utf-8", "0|" + "; ".join(faults)

    def _ask(self, path, entry, fail):
        """A query or an action: (status, type, text)."""
        if path == "/CreditDetail/QueryTrade/V2":
            reply, entry["faults"] = cards.query(self.books, entry["fields"])
            return self._faulty(path, entry["faults"]) if reply is None else (200, JSON, json.dumps(reply, ensure_ascii=False))
        if path == "/PaymentMedia/TradeNoAio":
            text, entry["faults"] = cards.media(self.books, entry["fields"])
            return self._faulty(path, entry["faults"]) if text is None else (200, "text/csv; charset=utf-8", text)
        if path == "/CreditDetail/DoAction" and self._is_lost(entry["fields"], "before"):
            entry["failed"] = "lost"
            return None, None, None
        deed = self.gateway.query if path.startswith("/Cashier/Query") else self.gateway.action
        reply, entry["faults"] = deed(entry["fields"])
        if reply is None:
            return self._faulty(path, entry["faults"])
        if fail == "badmac" and checkmac.NAME in reply:
            entry["failed"] = fail
            reply[checkmac.NAME] = checkmac.spoiled(reply[checkmac.NAME])
        entry["reply"] = reply
        if path == "/CreditDetail/DoAction" and self._is_lost(entry["fields"], entry["fields"]["Action"]):
            entry["failed"] = "lost"
            return None, None, None
        return 200, FORM, urllib.parse.urlencode(reply)

    def _is_lost(self, fields, when):
        """Whether the connection ends here without an answer: once, by the switch lose_action."""
        with self.books.lock:
            if self.books.switch("lose_action") != when:
                return False
            self.books.turn({"lose_action": "none"})
            return bool(fields)

    # The payer's pages

    def _order(self, order):
        with self.books.lock:
            result = info = None
            if order["state"] in ("paid", "declined"):
                done = order["state"] == "paid"
                result = gateway.sign(gateway.paid_fields(order) if done else
                                      gateway.paid_fields(order, "10100058", "付款失敗"))
            elif order["state"] == "code":
                info = gateway.sign(gateway.code_fields(order))
            text = pages.order_page(order, result, info)
        self._html(200, text)

    def _payer(self, number, deed, then):
        self.books.write("requests", {"path": self.path, "fields": {}, "faults": [], "failed": None,
                                      "status": 303, "agent": self.headers.get("User-Agent", "")})
        try:
            sent = self._play(number, deed)
        except gateway.Refused as error:
            return self._html(409, pages.message_page("無法執行 / Not possible", str(error)))
        self.courier.wait(sent, PAGE_WAIT)
        return self._send(303, None, "", {"Location": then})

    def _play(self, number, deed):
        if deed in gateway.PAYMENT_TYPES:
            return self.gateway.pay(number, deed)
        return {"decline": self.gateway.decline, "cancel": self.gateway.cancel,
                "settle": self.gateway.settle, "expire": self.gateway.expire}[deed](number)

    # The control for tests

    def _control(self, path, query, body):
        if path == "/control/switch":
            return self._switch(body)
        if path == "/control/yesterday":
            self.gateway.yesterday()
            return self._json(200, {"ok": True})
        if path == "/control/reset":
            self.books.reset()
            return self._json(200, {"ok": True})
        ask = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        number, verb = ask.get("order", ""), path[len("/control/"):]
        try:
            if not re.fullmatch(r"[A-Za-z0-9]{1,20}", number, re.ASCII):
                return self._json(400, {"ok": False, "error": "order= is wanted"})
            if verb == "pay":
                deed = ask.get("method", "card")
                if deed not in ("card", "atm", "cvs", "decline", "cancel"):
                    return self._json(400, {"ok": False, "error": "method is card, atm, cvs, decline or cancel"})
                sent = self._play(number, deed)
            elif verb in ("settle", "expire"):
                sent = self._play(number, verb)
            elif verb == "callback":
                sent = self.gateway.forge(number, ask)
            else:
                return self._json(404, {"ok": False, "error": f"no control {verb}"})
        except gateway.Refused as error:
            return self._json(409, {"ok": False, "error": str(error)})
        if ask.get("wait") != "0":
            self.courier.wait(sent, CONTROL_WAIT)
        with self.books.lock:
            text = json.dumps({"ok": True, "order": self.books.order(number), "callbacks": sent},
                              ensure_ascii=False)
        return self._send(200, JSON, text)

    def _switch(self, body):
        try:
            wanted = json.loads(body or b"{}")
        except ValueError:
            return self._json(400, {"ok": False, "error": "no JSON"})
        why = self.books.turn(wanted)
        if why:
            return self._json(400, {"ok": False, "error": why})
        if not self.books.switch("out_of_order"):
            self.courier.release()
        return self._json(200, {"ok": True, "switches": dict(self.books.switches)})

    def _mails(self, to):
        mails = [books.without_source(m) for m in reversed(self.books.rows("mails"))]
        if to is None:
            return mails
        return [m for m in mails if to.lower() in (address.lower() for address in m["to"])]

    # Reading and writing

    def _body(self):
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not re.fullmatch(r"[0-9]{1,9}", length, re.ASCII) \
                or int(length) > MAX_BODY:
            self.close_connection = True
            self._send(413 if length.isdigit() else 411, "text/plain", "a body of at most 1 MB, with its length")
            return None
        return self.rfile.read(int(length))

    def _json(self, status, value):
        self._send(status, JSON, json.dumps(value, ensure_ascii=False))

    def _html(self, status, text):
        self._send(status, HTML, text)

    def _send(self, status, kind, text, headers=None):
        data = text.encode("utf-8", "replace")
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy",
                         "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
