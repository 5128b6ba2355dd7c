"""The courier: posts notices to the shop, repeats those that are not acknowledged, writes down each try."""
import http.client
import ssl
import threading
import time
import urllib.parse

import books

REPEATS = 4
ANSWER = b"1|OK"
MAX_ANSWER = 65536


class Courier:
    """A notice is an entry "callbacks": its state is held, waiting, answered, given up or dropped."""

    def __init__(self, ledger, retry_seconds=5.0, timeout=10.0):
        self.books = ledger
        self.retry_seconds = retry_seconds
        self.timeout = timeout
        self.stopped = threading.Event()
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    def notice(self, order, kind, url, fields):
        """Sends a notice of the gateway itself, as the switches say. The answer is its entries."""
        with self.books.lock:
            dropped = self.books.switch("drop_callbacks")
            held = kind == "PaymentInfoURL" and self.books.switch("out_of_order")
            state = "dropped" if dropped else "held" if held else "waiting"
            times = 2 if self.books.switch("twice") else 1
            out = [self._enter(order, kind, url, fields, state, REPEATS) for _ in range(times)]
        self._start(out)
        return out

    def exactly(self, order, kind, url, fields, times, together):
        """Sends `fields` as they are now, `times` times, with no repeat, whatever the switches say."""
        out = [self._enter(order, kind, url, fields, "waiting", 0, forged=True) for _ in range(times)]
        if together:
            self._start(out)
        else:
            threading.Thread(target=lambda: [self._carry(e) for e in out], daemon=True).start()
        return out

    def wait(self, entries, seconds):
        """Until each of `entries` was tried once, at most `seconds`."""
        until = time.monotonic() + seconds
        with self.books.lock:
            while any(e["state"] == "waiting" and not e["tries"] for e in entries):
                left = until - time.monotonic()
                if left <= 0 or self.stopped.is_set():
                    return
                self.books.changed.wait(left)

    def release(self, order=None):
        """Sends what was held back, for one order or for all."""
        with self.books.lock:
            out = [e for e in self.books.rows("callbacks")
                   if e["state"] == "held" and order in (None, e["order"])]
            for entry in out:
                entry["state"] = "waiting"
                self.books.write("callbacks", entry)
        self._start(out)

    def resume(self):
        """Goes on with what the books of an earlier run left waiting."""
        self._start([e for e in self.books.rows("callbacks") if e["state"] == "waiting"])

    def stop(self):
        self.stopped.set()
        with self.books.lock:
            self.books.changed.notify_all()

    def _enter(self, order, kind, url, fields, state, repeats, forged=False):
        return self.books.write("callbacks", {
            "order": order, "kind": kind, "url": url, "fields": dict(fields), "state": state,
            "repeats": repeats, "forged": forged, "tries": []})

    def _start(self, entries):
        for entry in entries:
            if entry["state"] == "waiting":
                threading.Thread(target=self._carry, args=(entry,), daemon=True).start()

    def _carry(self, entry):
        """Tries until acknowledged, or given up, or the books were emptied."""
        while not self.stopped.is_set() and self.books.holds("callbacks", entry):
            tried = self._post(entry["url"], entry["fields"])
            with self.books.lock:
                entry["tries"].append(tried)
                if tried["ok"]:
                    entry["state"] = "answered"
                elif len(entry["tries"]) > entry["repeats"]:
                    entry["state"] = "given up"
                self.books.write("callbacks", entry)
            if entry["kind"] == "ReturnURL" and not entry["forged"] and len(entry["tries"]) == 1:
                self.release(entry["order"])
            if entry["state"] != "waiting" or self.stopped.wait(self.retry_seconds):
                return

    def _post(self, url, fields):
        """One try: what was answered, and whether that acknowledges."""
        out = {"at": books.now(), "status": None, "body": "", "error": None, "ok": False}
        start = time.monotonic()
        parts = urllib.parse.urlsplit(url)
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        body = urllib.parse.urlencode(fields).encode("ascii")
        connection = None
        try:
            if parts.scheme == "https":
                connection = http.client.HTTPSConnection(parts.hostname, parts.port,
                                                         timeout=self.timeout, context=self.tls)
            else:
                connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout)
            connection.request("POST", target, body, {
                "Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*",
                "User-Agent": "payment-gateway", "Connection": "close"})
            answer = connection.getresponse()
            data = answer.read(MAX_ANSWER)
            out["status"], out["body"] = answer.status, data.decode("utf-8", "replace")
            out["ok"] = answer.status == 200 and data == ANSWER
        except (OSError, http.client.HTTPException, ValueError) as error:
            out["error"] = f"{type(error).__name__}: {error}"
        finally:
            if connection:
                connection.close()
        out["ms"] = round((time.monotonic() - start) * 1000)
        if out["ok"] and out["ms"] > self.timeout * 1000:
            out["ok"], out["error"] = False, "answered too late"
        return out
