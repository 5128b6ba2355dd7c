"""The card bureau's web side: a page where a person plays the bureau, and the control for tests."""
import http.server
import json
import re
import urllib.parse

import cards_books
import cards_sshd
import pages

STATES = {None: "已收到 / came in", "accepted": "已受理 / accepted", "made": "已製成 / made", "spoiled": "製壞 / spoiled",
          "sent": "已寄出 / sent", "arrived": "已到站 / arrived", "cancelled": "已取消 / cancelled"}
MOVES = {"accept": "受理 / Accept", "make": "製卡 / Make", "spoil": "製壞 / Spoil", "send": "寄出 / Send",
         "arrive": "到站 / Arrives at the station", "cancel": "取消 / Cancel"}
ASIDE = ("spoil", "cancel")
COUNTS = {"blanks": "空白卡 / blanks", "reserved": "保留 / reserved", "made": "已製成 / made", "spoiled": "製壞 / spoiled",
          "delivered": "已寄出 / delivered", "low_at": "安全存量 / low at"}
SHOWN = 200


def page(title, body):
    return f"""<!DOCTYPE html>
<html lang="zh-Hant">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{pages.esc(title)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header><strong>測試用製卡中心 / Test card bureau</strong> <a href="/">工單 / Jobs</a></header>
<main>
<h1>{pages.esc(title)}</h1>
{body}
</main>
</body>
</html>
"""


def form(action, fields, inner):
    hidden = "".join(f'<input type="hidden" name="{pages.esc(k)}" value="{pages.esc(v)}">' for k, v in fields.items())
    return f'<form method="post" action="{action}">{hidden}{inner}</form>'


def job_section(job):
    what = job["what"] or {}
    person = what.get("card", {}).get("person", {})
    shown = [("狀態 / State", STATES[job["state"]]), ("步驟 / Step", job["seq"]), ("姓名 / Name", person.get("name_latin")),
             ("送達站 / Station", what.get("deliver_to")), ("期限 / Due", what.get("due")), ("卡號 / Card", job["card_no"]),
             ("製壞 / Spoiled", job["spoiled"]), ("原因 / Reason", job["reason"])]
    buttons = "".join(form("/move", {"job": job["job_no"], "what": move}, f"<button{' class=quiet' if move in ASIDE else ''}>{MOVES[move]}</button>")
                      for move in cards_books.MOVES[job["state"]])
    rows = pages.rows([(k, v) for k, v in shown if v not in (None, "")])
    return f"<section><h2>{pages.esc(job['job_no'])}</h2>{rows}{buttons}</section>"


def front(books):
    stock = pages.rows([(label, books.stock[name]) for name, label in COUNTS.items()])
    blanks = (f'<p><label>空白卡 / Blanks <input name="blanks" type="number" min="0" max="10000000" '
              f'value="{books.stock["blanks"]}"></label> <button class="quiet">設定 / Set</button></p>')
    jobs = "".join(job_section(job) for job in list(books.jobs.values())[::-1][:SHOWN]) or "<p>沒有工單 / No jobs</p>"
    return page("工單 / Jobs", f"<section><h2>庫存 / Stock</h2>{stock}{form('/stock', {}, blanks)}</section>{jobs}")


class Web(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, books, door):
        self.books, self.door = books, door
        super().__init__(address, Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "card-bureau", ""
    timeout = 60

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def _send(self, status, kind, text, **headers):
        body = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _json(self, status, value):
        self._send(status, "application/json; charset=utf-8", json.dumps(value, ensure_ascii=False))

    def do_GET(self):
        path, books = urllib.parse.urlsplit(self.path).path, self.server.books
        if path == "/":
            books.take_in()
            with books.lock:
                return self._send(200, "text/html; charset=utf-8", front(books))
        if path == "/style.css":
            return self._send(200, "text/css; charset=utf-8", pages.STYLE)
        if path == "/books":
            books.take_in()
            with books.lock:
                return self._json(200, {**books.snapshot(), "faults_of_stock": books.faults_of_stock()})
        return self._send(404, "text/plain", "not here\n")

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if url.path in ("/move", "/stock"):
                self._play(url.path, dict(urllib.parse.parse_qsl(body.decode())))
                return self._send(303, "text/plain", "", Location="/")
            if url.path.startswith("/control/"):
                return self._json(200, self._control(url.path[9:], dict(urllib.parse.parse_qsl(url.query)), body))
        except (cards_books.No, KeyError, ValueError) as why:
            return self._send(409, "text/plain; charset=utf-8", f"{why}\n")
        return self._send(404, "text/plain", "not here\n")

    def _play(self, path, fields):
        if path == "/move":
            self.server.books.move(fields["job"], fields["what"])
        else:
            self.server.books.set_stock(int(fields["blanks"]))

    def _control(self, what, ask, body):
        """move?job=J&what=W[&reason=R], stock?blanks=N, automatic?on=1, rounds?on=0, raw (bytes), fault?what=W, cut, reset, switch (JSON)."""
        books, door = self.server.books, self.server.door
        if what == "move":
            job, move = ask.pop("job"), ask.pop("what")
            books.take_in()
            books.move(job, move, **ask)
        elif what == "stock":
            books.set_stock(int(ask["blanks"]), int(ask["low_at"]) if "low_at" in ask else None)
        elif what == "automatic":
            books.automatic = ask["on"] == "1"
        elif what == "rounds":
            books.rounds = ask["on"] == "1"
        elif what == "raw":
            return {"name": books.raw(body)}
        elif what == "fault":
            books.fail_next(ask["what"])
        elif what == "cut":
            door.cut()
        elif what == "switch":
            door.switch(**json.loads(body))
        elif what == "reset":
            door.switch(**cards_sshd.SWITCHES)
            books.reset()
        else:
            raise KeyError(f"no such control: {re.sub('[^a-z]', '', what)}")
        return {}
