"""For the tests: a small shop that takes notices, and the stand-in run as a program."""
import http.server
import itertools
import json
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import checkmac
from vectors import IV, KEY

NUMBERS = itertools.count(1)
HERE = pathlib.Path(__file__).resolve().parent


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


OPENER = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


def until(books, true_of, seconds=10):
    """The books, once `true_of` them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ledger = books()
        if true_of(ledger):
            return ledger
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {ledger}")


def fetch(url, data=None, kind="application/x-www-form-urlencoded"):
    """(status, text, headers); a dict is sent as a form, bytes as they are."""
    if isinstance(data, dict):
        data = urllib.parse.urlencode(data).encode("ascii")
    request = urllib.request.Request(url, data, {"Content-Type": kind} if data is not None else {})
    try:
        with OPENER.open(request, timeout=20) as answer:
            return answer.status, answer.read().decode("utf-8"), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8"), error.headers


class Shop:
    """Keeps the notices it gets, as dicts with "path", and answers each as `answers` says."""

    def __init__(self):
        self.notices = queue.Queue()
        self.answers = []
        self.standard = (200, b"1|OK")
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
                fields = dict(urllib.parse.parse_qsl(body, keep_blank_values=True, strict_parsing=True))
                status, text = shop.answers.pop(0) if shop.answers else shop.standard
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                shop.notices.put({"path": self.path, "kind": self.headers["Content-Type"], **fields})

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def next(self, seconds=10):
        return self.notices.get(timeout=seconds)

    def none_within(self, seconds=0.5):
        try:
            self.notices.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def forget(self):
        self.answers, self.standard = [], (200, b"1|OK")
        while not self.notices.empty():
            self.notices.get_nowait()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Program:
    """The stand-in, on free ports."""

    def __init__(self, *more):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(HERE / "standin"), "--port", "0", "--smtp-port", "0", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline()
        ports = re.fullmatch(r"ready http://127\.0\.0\.1:(\d+) smtp://127\.0\.0\.1:(\d+)\n", self.line)
        assert ports, self.line + self.process.stderr.read()
        self.url, self.smtp_port = f"http://127.0.0.1:{ports[1]}", int(ports[2])

    def get(self, path):
        return fetch(self.url + path)

    def post(self, path, data=b""):
        return fetch(self.url + path, data)

    def control(self, path, **ask):
        status, text, _ = self.post(f"/control/{path}?{urllib.parse.urlencode(ask)}")
        return status, json.loads(text)

    def switch(self, **wanted):
        status, text, _ = self.post("/control/switch", json.dumps(wanted).encode())
        return status, json.loads(text)

    def books(self):
        return json.loads(self.get("/books")[1])

    def until(self, true_of, seconds=10):
        return until(self.books, true_of, seconds)

    def stop(self):
        """(exit code, what else was printed, errors)."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out, err


def make_fields(shop, **more):
    """The parameters of a good order; None takes one away."""
    fields = {
        "MerchantID": "3002607", "MerchantTradeNo": f"T{next(NUMBERS)}x{time.time_ns() % 10**9}",
        "MerchantTradeDate": time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(time.time() + 28800)),
        "PaymentType": "aio", "TotalAmount": "1000", "TradeDesc": "居留證規費",
        "ItemName": "外僑居留證 1 年#(IC卡) x1", "ReturnURL": shop.url + "/return",
        "PaymentInfoURL": shop.url + "/info", "ClientBackURL": shop.url + "/back?a=1&b=2",
        "ChoosePayment": "ALL", "EncryptType": "1", "CustomField1": "一'~", **more}
    fields = {name: value for name, value in fields.items() if value is not None}
    fields.setdefault("CheckMacValue", checkmac.check_mac(fields, KEY, IV))
    return fields


def make_order(program, shop, **more):
    fields = make_fields(shop, **more)
    status, text, _ = program.post("/Cashier/AioCheckOut/V5", fields)
    assert status == 200 and 'id="fault"' not in text, text
    return fields["MerchantTradeNo"], text


def ask_state(program, number, **more):
    """The answer to QueryTradeInfo, its check value proved."""
    fields = {"MerchantID": "3002607", "MerchantTradeNo": number, "TimeStamp": str(int(time.time())), **more}
    fields.setdefault("CheckMacValue", checkmac.check_mac(fields, KEY, IV))
    status, text, _ = program.post("/Cashier/QueryTradeInfo/V5", fields)
    assert status == 200
    if text.startswith("0|"):
        return text
    reply = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
    assert reply["CheckMacValue"] == checkmac.check_mac(reply, KEY, IV)
    return reply


def proved(notice):
    """A notice without path and type, its check value proved."""
    fields = {name: value for name, value in notice.items() if name not in ("path", "kind")}
    assert notice["kind"] == "application/x-www-form-urlencoded"
    assert fields["CheckMacValue"] == checkmac.check_mac(fields, KEY, IV)
    return fields
