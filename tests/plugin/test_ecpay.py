"""payment_ecpay through its process, against the stand-in gateway, which judges by code of its own."""
import datetime
import hashlib
import http.server
import re
import threading
import time
import urllib.parse

import pytest

import cards
import checkmac
import contracts
from conftest import IV, KEY, SITE, ecpay_options, ecpay_secrets
from host import PLUGINS, until
from vectors import VECTORS

NOW = "2026-01-01T04:00:00Z"  # 12:00 in Taipei
ORDERS = iter(range(1, 10000))


def order(**more):
    request = {"order_no": f"P{next(ORDERS)}x{time.time_ns() % 10**9}", "amount": 1000, "item": "電子居留證 x 2",
               "method": "card", "created": NOW, "back_url": SITE + "/payments/7", "lang": "zh-Hant", **more}
    return {k: v for k, v in request.items() if v is not None}


def form_of(fields, **quoting):
    return urllib.parse.urlencode(fields, **quoting).encode("ascii")


def signed_form(fields):
    return form_of(checkmac.signed(fields, KEY, IV))


def paid(**more):
    fields = {"MerchantID": "3002607", "MerchantTradeNo": "NIA2026010100000001", "StoreID": "", "RtnCode": "1",
              "RtnMsg": "交易成功", "TradeNo": "2601011200001234", "TradeAmt": "1000",
              "PaymentDate": "2026/01/01 12:05:00", "PaymentType": "Credit_CreditCard", "PaymentTypeChargeFee": "20",
              "TradeDate": "2026/01/01 12:00:00", "SimulatePaid": "0", **more}
    return {k: v for k, v in fields.items() if v is not None}


def atm(**more):
    return paid(**{"RtnCode": "2", "RtnMsg": "Get VirtualAccount Succeeded", "PaymentDate": None, "SimulatePaid": None,
                   "PaymentType": "ATM_TAISHIN", "BankCode": "812", "vAccount": "9103522175887271",
                   "ExpireDate": "2026/01/08", **more})


def cvs(**more):
    return paid(**{"RtnCode": "10100073", "PaymentDate": None, "SimulatePaid": None, "PaymentType": "CVS_CVS",
                   "PaymentNo": "LLL22104532181", "ExpireDate": "2026/01/08 20:05:12", **more})


def tell(ecpay, blob, channel="paid", **more):
    return ecpay.call("payment.message", {"channel": channel}, blob, **more)


# ---- check values ----

@pytest.mark.parametrize("number,fields,mac", VECTORS)
def test_every_vector(ecpay, number, fields, mac):
    """A right value is passed on to the next question; a spoiled one never."""
    right = form_of({**fields, "CheckMacValue": mac})
    answer = tell(ecpay, right)[2]
    assert answer["reason"] != "wrong CheckMacValue", number
    for names in (sorted(fields), sorted(fields, reverse=True), list(fields)[::-1]):  # in whatever order they come
        body = form_of({"CheckMacValue": mac, **{n: fields[n] for n in names}})
        assert tell(ecpay, body)[2]["reason"] == answer["reason"]
    for wrong in (checkmac.spoiled(mac), mac.lower(), mac[:-1], mac + "0", "", "0" * 64):
        assert tell(ecpay, form_of({**fields, "CheckMacValue": wrong}))[2]["reason"] == "wrong CheckMacValue"
    for name in fields:
        spoiled = form_of({**fields, name: fields[name] + " ", "CheckMacValue": mac})
        assert tell(ecpay, spoiled)[2]["reason"] == "wrong CheckMacValue", name
    assert tell(ecpay, form_of(fields))[2]["reason"] == "no CheckMacValue"


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\xe4\xba", b"a'b~c!d*e(f)g-h_i.j\"k\\l`m", "促銷 方案".encode(), bytes(range(1, 256))])
def test_check_value_is_over_the_bytes(ecpay, raw):
    """Bytes that are no UTF-8 stay what they are; so does every way to encode one byte."""
    def digest(value):
        parts = {n.encode(): v.encode() for n, v in paid().items()}
        parts[b"RtnMsg"] = value
        names = sorted(parts, key=lambda n: n.lower())
        text = b"HashKey=%s&%s&HashIV=%s" % (KEY.encode(), b"&".join(n + b"=" + parts[n] for n in names), IV.encode())
        kept = set(b"abcdefghijklmnopqrstuvwxyz0123456789-_.!*()")
        out = "".join("+" if b == 32 else chr(b).lower() if chr(b).isascii() and chr(b).isalnum() else chr(b)
                      if b in kept else f"%{b:02x}" for b in text)
        return hashlib.sha256(out.encode()).hexdigest().upper()

    fields = {n: v for n, v in paid().items() if n != "RtnMsg"}
    for encoded in (urllib.parse.quote_from_bytes(raw, safe=""), "".join(f"%{b:02x}" for b in raw),
                    "".join(f"%{b:02X}" for b in raw), urllib.parse.quote_plus(raw, safe="~!*()'")):
        body = form_of({**fields, "CheckMacValue": digest(raw)}) + b"&RtnMsg=" + encoded.encode()
        assert tell(ecpay, body)[0] == "ok", encoded


# ---- begin ----

@pytest.mark.parametrize("method,choose", [("card", "Credit"), ("atm", "ATM"), ("cvs", "CVS")])
@pytest.mark.parametrize("lang", ["zh-Hant", "en", None])
def test_an_order_is_taken_by_the_gateway(ecpay, standin, method, choose, lang):
    request = order(method=method, lang=lang)
    rc, reply, _ = ecpay.call("payment.begin", request)
    assert rc == "ok" and reply["redirect"]["action"] == standin.url + "/Cashier/AioCheckOut/V5"
    fields = dict(reply["redirect"]["fields"])
    assert len(fields) == len(reply["redirect"]["fields"])
    assert fields["CheckMacValue"] == checkmac.check_mac(fields, KEY, IV)
    assert fields["MerchantTradeNo"] == request["order_no"] and fields["TotalAmount"] == "1000"
    assert fields["MerchantTradeDate"] == "2026/01/01 12:00:00" and fields["ChoosePayment"] == choose
    assert fields["ItemName"] == "電子居留證 x 2" and fields["ClientBackURL"] == SITE + "/payments/7"
    assert fields["ReturnURL"] == SITE + "/in/paid"
    assert fields.get("Language") == ("ENG" if lang == "en" else None)
    assert fields.get("PaymentInfoURL") == (None if method == "card" else SITE + "/in/info")
    assert fields.get("ExpireDate") == ("3" if method == "atm" else None)
    assert fields.get("StoreExpireDate") == ("10080" if method == "cvs" else None)
    status, text, _ = standin.post("/Cashier/AioCheckOut/V5", fields)
    assert status == 200 and 'id="fault"' not in text, text
    assert standin.books()["orders"][0]["offered"] == [method]


def test_begin_repeats_itself_and_sends_nothing(ecpay, standin):
    request = order(method="atm")
    first = ecpay.call("payment.begin", request, key="a")
    assert [ecpay.call("payment.begin", request, key="a")[1] for _ in range(3)] == [first[1]] * 3
    assert standin.books()["requests"] == []


@pytest.mark.parametrize("item", ["Tom's Shop", "Test~Product", 'a"b', "a\\b", "%41 + & = ?", "ก ခ 王", "<b>", "x" * 200])
def test_begin_signs_any_item(ecpay, standin, item):
    reply = ecpay.call("payment.begin", order(item=item))[1]
    fields = dict(reply["redirect"]["fields"])
    assert fields["ItemName"] == item
    assert 'id="fault"' not in standin.post("/Cashier/AioCheckOut/V5", fields)[1]


@pytest.mark.parametrize("method,expires,name,life", [
    ("atm", "2026-01-02T04:00:00Z", "ExpireDate", "1"), ("atm", "2026-03-02T04:00:00Z", "ExpireDate", "60"),
    ("atm", "2026-01-08T15:59:59Z", "ExpireDate", "7"), ("cvs", "2026-01-01T04:01:00Z", "StoreExpireDate", "1"),
    ("cvs", "2026-01-31T04:00:59Z", "StoreExpireDate", "43200")])
def test_a_code_lives_as_long_as_asked(ecpay, method, expires, name, life):
    reply = ecpay.call("payment.begin", order(method=method, expires=expires))[1]
    assert dict(reply["redirect"]["fields"])[name] == life


@pytest.mark.parametrize("method,expires", [
    ("atm", "2026-01-02T03:59:59Z"), ("atm", "2026-03-03T04:00:00Z"), ("atm", NOW), ("atm", "2025-12-31T04:00:00Z"),
    ("cvs", "2026-01-01T04:00:59Z"), ("cvs", "2026-01-31T04:01:00Z")])
def test_a_code_lives_within_bounds(ecpay, method, expires):
    answer = ecpay.call("payment.begin", order(method=method, expires=expires))[2]
    assert answer["rc"] == "permfail" and "expires" in answer["reason"]


@pytest.mark.parametrize("change,named", [
    ({"order_no": None}, "order_no"), ({"order_no": ""}, "order_no"), ({"order_no": "A" * 21}, "order_no"),
    ({"order_no": "A-1"}, "order_no"), ({"order_no": "é1"}, "order_no"), ({"order_no": 5}, "order_no"),
    ({"amount": None}, "amount"), ({"amount": 0}, "amount"), ({"amount": -1}, "amount"), ({"amount": 200000000}, "amount"),
    ({"amount": "1000"}, "amount"), ({"amount": 10.5}, "amount"), ({"item": None}, "item"), ({"item": ""}, "item"),
    ({"item": "a\nb"}, "item"), ({"item": "a\x7f"}, "item"), ({"item": "x" * 201}, "item"),
    ({"method": None}, "method"), ({"method": "cash"}, "method"), ({"created": None}, "created"),
    ({"created": "2026-01-01 04:00:00"}, "created"), ({"created": "2026-01-01T04:00:00+08:00"}, "created"),
    ({"back_url": "javascript:alert(1)"}, "back_url"), ({"back_url": "http://a/\r\nb"}, "back_url"),
    ({"back_url": "http://a/" + "x" * 200}, "back_url"), ({"method": "atm", "expires": "soon"}, "expires")])
def test_begin_refuses(ecpay, change, named):
    answer = ecpay.call("payment.begin", order(**change), good=False)[2]
    assert answer["rc"] == "permfail" and named in answer["reason"], answer


def test_begin_refuses_what_a_schema_cannot_see(ecpay):
    for change in ({"item": "王" * 67}, {"created": "2026-02-30T04:00:00Z"}, {"created": "2026-01-01T24:00:00Z"}):
        assert ecpay.call("payment.begin", order(**change))[0] == "permfail"
    assert ecpay.call("payment.begin", order(item="王" * 66))[0] == "ok"


# ---- messages ----

def test_paid(ecpay):
    assert tell(ecpay, signed_form(paid()))[:2] == ("ok", {
        "fact": "paid", "order_no": "NIA2026010100000001", "gateway_no": "2601011200001234", "gateway_code": "1",
        "method": "card", "amount": 1000, "paid_at": "2026-01-01T04:05:00Z"})


def test_the_published_callbacks(ecpay):
    fields = {n: ({**f, "CheckMacValue": mac}) for n, f, mac in VECTORS}
    assert tell(ecpay, form_of(fields[6]))[1] == {
        "fact": "paid", "order_no": "Test1234567890", "gateway_no": "2301011234567890", "gateway_code": "1",
        "method": "card", "amount": 100, "paid_at": "2025-01-01T04:05:00Z"}
    assert tell(ecpay, form_of(fields[7]))[1]["fact"] == "paid"
    assert tell(ecpay, form_of(fields[8]), "info")[1] == {
        "fact": "code_issued", "order_no": "NIA2026010100000002", "gateway_no": "2601011200005678", "gateway_code": "2",
        "method": "atm", "amount": 1000,
        "code": {"bank": "812", "account": "9103522175887271", "expires": "2026-01-08T15:59:59Z"}}


def test_a_code_for_the_store(ecpay):
    assert tell(ecpay, signed_form(cvs()), "info")[1]["code"] == {
        "payment_no": "LLL22104532181", "expires": "2026-01-08T12:05:12Z"}


@pytest.mark.parametrize("fields,channel,fact", [
    (paid(TradeAmt="1"), "paid", "paid"),  # whose amount it is, is for the platform to judge
    (paid(RtnMsg=""), "paid", "paid"), (paid(PaymentType="ATM_TAISHIN"), "paid", "paid"),
    (paid(PaymentType="WebATM_X"), "paid", "paid"), (paid(PaymentType="BARCODE_BARCODE"), "paid", "paid"),
    (paid(RtnCode="10100058"), "paid", "failed"), (paid(RtnCode="0"), "paid", "failed"),
    (paid(RtnCode="01"), "paid", "failed"), (paid(RtnCode=" 1"), "paid", "failed"), (paid(RtnCode=""), "paid", "failed"),
    (paid(RtnCode="10300066"), "paid", "ignored"),
    (paid(SimulatePaid="1"), "paid", "simulated"), (paid(SimulatePaid=""), "paid", "simulated"),
    (paid(SimulatePaid="x"), "paid", "simulated"), (atm(RtnCode="0"), "info", "failed")])
def test_what_a_message_says(ecpay, fields, channel, fact):
    rc, reply, _ = tell(ecpay, signed_form(fields), channel)
    assert (rc, reply["fact"], reply["amount"]) == ("ok", fact, int(fields["TradeAmt"]))
    method = reply["method"]
    assert method == {"Credit": "card", "ATM": "atm", "BARCODE": "barcode", "WebATM": "other"}[
        fields["PaymentType"].split("_")[0]]


@pytest.mark.parametrize("fields,channel,reason", [
    (paid(MerchantID="3002608"), "paid", "another merchant"), (paid(MerchantID=None), "paid", "another merchant"),
    (paid(MerchantTradeNo="A-1"), "paid", "MerchantTradeNo"), (paid(MerchantTradeNo=None), "paid", "MerchantTradeNo"),
    (paid(MerchantTradeNo="A" * 21), "paid", "MerchantTradeNo"), (paid(TradeNo="1;2"), "paid", "TradeNo"),
    (paid(TradeNo=""), "paid", "TradeNo"), (paid(TradeAmt=None), "paid", "TradeAmt"), (paid(TradeAmt=""), "paid", "TradeAmt"),
    (paid(TradeAmt="-1"), "paid", "TradeAmt"), (paid(TradeAmt="1e3"), "paid", "TradeAmt"),
    (paid(TradeAmt="1000.00"), "paid", "TradeAmt"), (paid(TradeAmt=" 1000"), "paid", "TradeAmt"),
    (paid(TradeAmt="0x10"), "paid", "TradeAmt"), (paid(TradeAmt="9999999999"), "paid", "TradeAmt"),
    (paid(PaymentDate="2026-01-01 12:05:00"), "paid", "does not fit"), (paid(PaymentDate=None), "paid", "does not fit"),
    (paid(PaymentDate="2026/02/30 12:05:00"), "paid", "does not fit"),
    (paid(RtnCode="2"), "paid", "does not fit"), (paid(RtnCode="10100073"), "paid", "does not fit"),
    (paid(), "info", "does not fit"), (atm(PaymentType="CVS_CVS"), "info", "does not fit"),
    (cvs(PaymentType="ATM_TAISHIN"), "info", "does not fit"), (atm(BankCode="81"), "info", "does not fit"),
    (atm(vAccount=""), "info", "does not fit"), (atm(vAccount="1" * 17), "info", "does not fit"),
    (atm(ExpireDate=None), "info", "does not fit"), (atm(ExpireDate="2026/13/08"), "info", "does not fit"),
    (cvs(PaymentNo=None), "info", "does not fit"), (cvs(PaymentNo="1" * 15), "info", "does not fit")])
def test_messages_that_cannot_be(ecpay, fields, channel, reason):
    """Rightly signed, and yet of no use."""
    answer = tell(ecpay, signed_form(fields), channel)[2]
    assert answer["rc"] == "rejected" and reason in answer["reason"], answer


BODY = signed_form(paid())


@pytest.mark.parametrize("body,reason", [
    (b"&", "without a name"), (b"a", "without a name"), (b"=1", "without a name"), (BODY + b"&", "without a name"),
    (b"&" + BODY, "without a name"), (BODY.replace(b"&", b"&&", 1), "without a name"),
    (BODY + b"&a=%", "escape"), (BODY + b"&a=%4", "escape"), (BODY + b"&a=%zz", "escape"), (BODY + b"&a=%00", "escape"),
    (BODY + b"&a=\0", "escape"), (BODY + b"&TradeAmt=1", "twice"), (BODY + b"&Trade%41mt=1", "twice"),
    (BODY + b"&CheckMacValue=" + b"0" * 64, "twice"), (BODY + b"&tradeamt=1", "wrong CheckMacValue"),
    (BODY + b"&x=1", "wrong CheckMacValue"), (BODY + b"\n", "wrong CheckMacValue"),
    (b"&".join(b"f%d=1" % n for n in range(101)), "too many"), (b"{}", "without a name"), (b"\xff\xfe=\x00", "NUL")])
def test_malformed_bodies(ecpay, body, reason):
    answer = tell(ecpay, body)[2]
    assert answer["rc"] == "rejected" and reason in answer["reason"], answer


def test_lengths_of_a_body(ecpay):
    room = 16384 - len(signed_form(paid(CustomField1="")))
    assert tell(ecpay, signed_form(paid(CustomField1="a" * room)))[0] == "ok"
    assert len(signed_form(paid(CustomField1="a" * room))) == 16384
    for n in (1, 2, 3, 500000):
        answer = tell(ecpay, signed_form(paid(CustomField1="a" * (room + n))))[2]
        assert answer["rc"] == "rejected" and "too long" in answer["reason"]
    answer = tell(ecpay, b"")[2]
    assert answer["rc"] == "rejected" and "empty" in answer["reason"]
    assert tell(ecpay, form_of({**{f"f{n}": "" for n in range(100)}}))[2]["reason"] == "no CheckMacValue"


def test_the_channel_is_one_of_two(ecpay):
    assert tell(ecpay, BODY, "other", good=False)[0] == "permfail"
    assert ecpay.call("payment.message", {}, BODY, good=False)[0] == "permfail"


# ---- with the gateway: callbacks, queries, refunds ----

class Inbox:
    """Where callbacks arrive; each body is kept as it came."""

    def __init__(self):
        self.bodies = []
        inbox = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                inbox.bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"1|OK")

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(name="inbox")
def one_inbox():
    inbox = Inbox()
    yield inbox
    inbox.stop()


@pytest.fixture(name="pay")
def shop_with_inbox(start, standin, inbox):
    return start(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(
        standin, return_url=inbox.url + "/paid", info_url=inbox.url + "/info"), ecpay_secrets())


def begin(process, standin, **more):
    request = order(**more)
    fields = dict(process.call("payment.begin", request)[1]["redirect"]["fields"])
    assert 'id="fault"' not in standin.post("/Cashier/AioCheckOut/V5", fields)[1]
    return request["order_no"]


@pytest.mark.parametrize("method", ["card", "atm", "cvs"])
def test_a_payment_from_order_to_money(pay, standin, inbox, method):
    number = begin(pay, standin, method=method)
    state = pay.call("payment.query", {"order_no": number})[1]
    assert state["state"] == "unpaid" and state["order_no"] == number and state["amount"] == 1000
    assert standin.control("pay", order=number, method=method)[0] == 200
    if method != "card":
        path, body = inbox.bodies.pop()
        assert path == "/info"
        code = tell(pay, body, "info")[1]
        assert code["fact"] == "code_issued" and code["order_no"] == number
        known = standin.books()["orders"][0]["code"]
        assert code["code"].get("account", code["code"].get("payment_no")) == known.get("vAccount", known.get("PaymentNo"))
        assert pay.call("payment.query", {"order_no": number})[1]["state"] == "unpaid"
        assert standin.control("settle", order=number)[0] == 200
    path, body = inbox.bodies.pop()
    assert path == "/paid"
    told = tell(pay, body)[1]
    state = pay.call("payment.query", {"order_no": number})[1]
    assert told["fact"] == state["state"] == "paid"
    for name in ("order_no", "gateway_no", "method", "amount", "paid_at"):
        assert told[name] == state[name], name
    assert told["amount"] == 1000 and told["method"] == method


@pytest.mark.parametrize("ask,rc,word", [
    ({"mac": "wrong"}, "rejected", "wrong CheckMacValue"), ({"mac": "none"}, "rejected", "no CheckMacValue"),
    ({"merchant": "3009999"}, "rejected", "another merchant"), ({"simulate": "1"}, "ok", "simulated"),
    ({"amount": "7"}, "ok", "paid"), ({"code": "10100058"}, "ok", "failed"),
    ({"message": "100% 'ok' ~ \"x\" \\ & = + 王"}, "ok", "paid")])
def test_callbacks_of_every_kind(pay, standin, inbox, ask, rc, word):
    number = begin(pay, standin)
    assert standin.control("callback", order=number, **ask)[0] == 200
    answer = tell(pay, inbox.bodies.pop()[1])[2]
    assert answer["rc"] == rc and word in (answer["reason"] or answer["reply"]["fact"]), answer
    if "amount" in ask:
        assert answer["reply"]["amount"] == 7


def test_an_order_that_nobody_knows(pay, standin):
    state = pay.call("payment.query", {"order_no": "Nobody1"})[1]
    assert state == {"state": "unknown_order", "order_no": "Nobody1", "gateway_code": "10200095"}
    number = begin(pay, standin)
    standin.control("pay", order=number, method="cancel")
    assert pay.call("payment.query", {"order_no": number})[1]["state"] == "unknown_order"


@pytest.mark.parametrize("number", ["", "A-1", "A" * 21, None])
def test_query_refuses(ecpay, number):
    request = {} if number is None else {"order_no": number}
    assert ecpay.call("payment.query", request, good=False)[0] == "permfail"


FAILS = [("http500", "tempfail", "unknown", "500"), ("http403", "tempfail", "tempfail", "403"),
         ("close", "tempfail", "unknown", ""), ("nonsense", "tempfail", "unknown", "not a form")]


@pytest.mark.parametrize("fail,query,refund,word", FAILS)
def test_a_gateway_that_fails(pay, standin, fail, query, refund, word):
    """A query may be repeated; of a refund nobody knows whether it was done."""
    number = begin(pay, standin)
    trade = standin.control("pay", order=number, method="card")[1]["order"]["trade_no"]
    standin.switch(fail=fail)
    answer = pay.call("payment.query", {"order_no": number})[2]
    assert answer["rc"] == query and word in answer["reason"], answer
    assert answer["retry_after_ms"] == (1800000 if fail == "http403" else 60000)
    request = {"order_no": number, "gateway_no": trade, "amount": 1000, "method": "card"}
    assert pay.call("payment.refund", request)[0] == refund
    standin.switch(fail="none")
    if fail != "http403":
        assert pay.call("payment.query", {"order_no": number})[1]["state"] == "paid"


def test_a_query_whose_answer_is_not_the_gateways(pay, standin):
    number = begin(pay, standin)
    standin.control("pay", order=number, method="card")
    standin.switch(fail="badmac")
    answer = pay.call("payment.query", {"order_no": number})[2]
    assert answer["rc"] == "tempfail" and "wrong CheckMacValue" in answer["reason"]


def test_nobody_there(start, standin):
    gone = start(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(standin, api_url="http://127.0.0.1:1"),
                 ecpay_secrets())
    assert gone.call("payment.query", {"order_no": "A1"})[0] == "tempfail"
    request = {"order_no": "A1", "gateway_no": "1", "amount": 1, "method": "card"}
    assert gone.call("payment.refund", request)[0] == "tempfail"  # nothing was sent, so nothing was done
    assert gone.call("payment.begin", order())[0] == "ok"  # and to begin needs nobody


def test_a_gateway_that_is_too_slow(pay, standin):
    number = begin(pay, standin)
    trade = standin.control("pay", order=number, method="card")[1]["order"]["trade_no"]
    standin.switch(slow_ms=5000)
    assert pay.call("payment.query", {"order_no": number}, deadline_ms=300)[0] == "tempfail"
    request = {"order_no": number, "gateway_no": trade, "amount": 1000, "method": "card"}
    assert pay.call("payment.refund", request, deadline_ms=300)[0] == "unknown"
    assert pay.call("payment.query", {"order_no": number}, deadline_ms=1)[0] in ("cancelled", "tempfail")


def test_plain_http_must_be_allowed(start, standin):
    strict = start(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(standin, **{"http.allow_plain": None}),
                   ecpay_secrets())
    assert strict.call("payment.query", {"order_no": "A1"})[0] == "misconfigured"
    assert standin.books()["requests"] == []


class Liar:
    """Answers any query with a form that it signs rightly, changed as told."""

    def __init__(self):
        self.fields, self.raw = {}, None
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                reply = {"MerchantID": "3002607", "MerchantTradeNo": asked["MerchantTradeNo"], "TradeNo": "2601",
                         "TradeAmt": "1000", "PaymentDate": "2026/01/01 12:05:00", "PaymentType": "Credit_CreditCard",
                         "TradeStatus": "1", **liar.fields}
                reply = {n: v for n, v in reply.items() if v is not None}
                body = liar.raw if liar.raw is not None else signed_form(reply)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def test_answers_that_cannot_be(start, standin):
    liar = Liar()
    process = start(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(standin, api_url=liar.url), ecpay_secrets())

    def query():
        return process.call("payment.query", {"order_no": "A1"})[2]

    try:
        assert query()["reply"]["state"] == "paid"
        for change in ({"MerchantTradeNo": "A2"}, {"MerchantID": "3002608"}, {"TradeAmt": "0"}, {"TradeAmt": "x"},
                       {"TradeAmt": None}, {"TradeNo": ""}):
            liar.fields = change
            assert query()["rc"] == "tempfail", change
        liar.fields = {"TradeStatus": "10200047"}  # codes of the gateway that nobody explains
        assert query()["reply"]["state"] == "unpaid"
        liar.fields = {"PaymentDate": "soon"}
        assert query()["reply"]["state"] == "paid" and "paid_at" not in query()["reply"]
        for raw in (b"", b"0|no", b"{}", b"\xff" * 100, b"a=1&" * 200, signed_form(paid(x="y" * 20000)), b"x" * 2000000):
            liar.raw = raw
            answer = query()
            assert answer["rc"] == "tempfail" and answer["reason"], raw[:20]
    finally:
        liar.stop()


def test_refunds(pay, standin):
    number = begin(pay, standin)
    trade = standin.control("pay", order=number, method="card")[1]["order"]["trade_no"]
    request = {"order_no": number, "gateway_no": trade, "amount": 400, "method": "card"}
    assert pay.call("payment.refund", request)[:2] == ("ok", {"gateway_no": trade})
    assert pay.call("payment.refund", {**request, "amount": 600})[0] == "ok"
    answer = pay.call("payment.refund", {**request, "amount": 1})[2]
    assert answer["rc"] == "rejected" and answer["reason"] == "0"
    assert pay.call("payment.refund", {**request, "gateway_no": "1"})[0] == "rejected"
    done = [(a["action"], a["amount"], a["done"]) for a in standin.books()["actions"]]
    assert done == [("R", 400, True), ("R", 600, True), ("R", 1, False), ("R", 400, False)]


# ---- refunds by what the card's detail says ----

@pytest.fixture(name="detailed")
def one_that_knows_cards(start, standin, inbox):
    assert inbox
    return start(PLUGINS / "payment_ecpay.so", "pay",
                 ecpay_options(standin, return_url=inbox.url + "/paid", info_url=inbox.url + "/info", vendor_url=standin.url),
                 ecpay_secrets(credit_check_code=cards.CHECK_CODE))


def paid_card(process, standin, state, amount=1000):
    standin.switch(card_state=state)
    number = begin(process, standin, amount=amount)
    trade = standin.control("pay", order=number, method="card")[1]["order"]["trade_no"]
    return {"order_no": number, "gateway_no": trade, "amount": amount, "method": "card"}


def refunded(process, request):
    """What the gateway says of it, through the plugin."""
    ask = {"order_no": request["order_no"], "gateway_no": request["gateway_no"], "method": "card", "refunds": True}
    return process.call("payment.query", ask)[1].get("refunded")


def actions(standin):
    return [(a["action"], a["amount"]) for a in standin.books()["actions"] if a["done"]]


@pytest.mark.parametrize("state,amount,steps", [
    ("authorised", 1000, [("N", 1000)]), ("authorised", 400, [("C", 1000), ("R", 400)]),
    ("to_capture", 1000, [("E", 1000), ("N", 1000)]), ("to_capture", 400, [("R", 400)]),
    ("captured", 1000, [("R", 1000)]), ("captured", 400, [("R", 400)])])
def test_a_refund_by_the_cards_state(detailed, standin, state, amount, steps):
    request = {**paid_card(detailed, standin, state), "amount": amount}
    assert refunded(detailed, request) == 0
    assert detailed.call("payment.refund", request)[:2] == ("ok", {"gateway_no": request["gateway_no"]})
    assert actions(standin) == steps and refunded(detailed, request) == amount
    assert standin.books()["orders"][-1]["refunded"] == amount
    left = detailed.call("payment.refund", {**request, "amount": 1001 - amount})[2]
    assert left["rc"] == "rejected" and actions(standin) == steps


@pytest.mark.parametrize("state,amount,lost", [
    ("authorised", 1000, "N"), ("authorised", 400, "C"), ("authorised", 400, "R"), ("to_capture", 1000, "E"),
    ("to_capture", 1000, "N"), ("to_capture", 400, "R"), ("captured", 1000, "R"), ("captured", 400, "R"),
    ("captured", 1000, "before"), ("to_capture", 1000, "before"), ("authorised", 1000, "before")])
def test_an_answer_lost_at_any_step(detailed, standin, state, amount, lost):
    """Unknown; what went back is told, and only where nothing did is it asked for again: the books have it once."""
    request = {**paid_card(detailed, standin, state), "amount": amount}
    standin.switch(lose_action=lost)
    assert detailed.call("payment.refund", request)[0] == "unknown"
    back = refunded(detailed, request)
    assert back == standin.books()["orders"][-1]["refunded"] and back in (0, amount)
    if back == 0:
        assert detailed.call("payment.refund", request)[0] == "ok"
    assert refunded(detailed, request) == amount == standin.books()["orders"][-1]["refunded"]


def test_a_second_step_that_is_refused_is_unknown(detailed, standin):
    """The first one stands: no cashier may pay by hand while the card's money is already on its way back."""
    request = paid_card(detailed, standin, "to_capture")
    standin.switch(refuse_action="N")
    assert detailed.call("payment.refund", request)[0] == "unknown" and actions(standin) == [("E", 1000)]
    assert refunded(detailed, request) == 0
    assert detailed.call("payment.refund", request)[0] == "ok" and actions(standin) == [("E", 1000), ("N", 1000)]


def test_without_the_check_code_nobody_knows_what_went_back(pay, standin):
    request = paid_card(pay, standin, "captured")
    assert refunded(pay, request) is None
    assert pay.call("payment.refund", request)[0] == "ok" and actions(standin) == [("R", 1000)]


def test_a_wrong_check_code(start, standin, inbox):
    process = start(PLUGINS / "payment_ecpay.so", "pay",
                    ecpay_options(standin, return_url=inbox.url + "/paid", info_url=inbox.url + "/info"),
                    ecpay_secrets(credit_check_code="1"))
    request = paid_card(process, standin, "captured")
    answer = process.call("payment.refund", request)[2]
    assert answer["rc"] == "tempfail" and "not to be read" in answer["reason"] and actions(standin) == []


def test_asked_too_often_it_rests(detailed, standin):
    request = paid_card(detailed, standin, "captured")
    standin.switch(fail="http403")
    assert refunded_answer(detailed, request)["rc"] == "tempfail"
    standin.switch(fail="none")
    asked = len(standin.books()["requests"])
    for op, body in (("payment.query", {"order_no": request["order_no"]}), ("payment.refund", request),
                     ("payment.settlement", {"day": "2026-11-25"})):
        answer = detailed.call(op, body)[2]
        assert answer["rc"] == "tempfail" and "403" in answer["reason"] and 0 < answer["retry_after_ms"] <= 1800000
    assert len(standin.books()["requests"]) == asked, "it is left alone"
    assert detailed.call("payment.begin", order())[0] == "ok", "to begin asks nobody"


def refunded_answer(process, request):
    return process.call("payment.query", {"order_no": request["order_no"], "refunds": True})[2]


# ---- the file of a day ----

def today():
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 28800))


def test_the_file_of_a_day(detailed, standin):
    first, second = paid_card(detailed, standin, "captured"), paid_card(detailed, standin, "captured", 3000)
    assert detailed.call("payment.refund", {**first, "amount": 400})[0] == "ok"
    for _ in range(2):
        answer = detailed.call("payment.settlement", {"day": today()})[1]
        assert "next" not in answer
        assert [(line["kind"], line["order_no"], line["gateway_no"], line["amount"], line.get("fee"), line["method"])
                for line in answer["lines"]] == [
                    ("payment", first["order_no"], first["gateway_no"], 1000, 20, "card"),
                    ("refund", first["order_no"], first["gateway_no"], 400, None, "card"),
                    ("payment", second["order_no"], second["gateway_no"], 3000, 60, "card")]
    assert detailed.call("payment.settlement", {"day": "2001-01-01"})[1] == {"lines": []}


@pytest.mark.parametrize("media,words", [("half_line", "line 3: it is cut off"), ("another_merchant", "line 2: another merchant's"),
                                         ("twice", "line 4: it stands twice"), ("no_column", "no column 廠商訂單編號")])
def test_a_file_that_is_no_good(detailed, standin, media, words):
    """Nothing of it is taken, and the next day's is asked for as ever."""
    paid_card(detailed, standin, "captured")
    paid_card(detailed, standin, "captured")
    standin.switch(media=media)
    answer = detailed.call("payment.settlement", {"day": today()})[2]
    assert answer["rc"] == "tempfail" and words in answer["reason"] and today() in answer["reason"], answer
    standin.switch(media="whole")
    assert len(detailed.call("payment.settlement", {"day": today()})[1]["lines"]) == 2


def test_no_file_without_its_host(ecpay):
    answer = ecpay.call("payment.settlement", {"day": "2026-11-25"})[2]
    assert answer["rc"] == "misconfigured" and "vendor_url" in answer["reason"]


@pytest.mark.parametrize("method", ["atm", "cvs", "barcode", "other"])
def test_cards_alone_are_paid_back(ecpay, standin, method):
    request = {"order_no": "A1", "gateway_no": "1", "amount": 1, "method": method}
    answer = ecpay.call("payment.refund", request)[2]
    assert answer["rc"] == "rejected" and "cards only" in answer["reason"]
    assert standin.books()["requests"] == []


@pytest.mark.parametrize("change", [{"order_no": "A-1"}, {"gateway_no": ""}, {"gateway_no": None}, {"amount": 0},
                                    {"amount": -5}, {"amount": "1"}])
def test_refund_refuses(ecpay, change):
    request = {"order_no": "A1", "gateway_no": "1", "amount": 1, "method": "card", **change}
    request = {k: v for k, v in request.items() if v is not None}
    assert ecpay.call("payment.refund", request, good=False)[0] == "permfail"


@pytest.mark.parametrize("clock,left", [("20:14:59", 0), ("20:15:00", 900), ("20:29:59", 1), ("20:30:00", 0)])
def test_no_refund_during_the_daily_capture(start, standin, clock, left):
    taipei = datetime.timezone(datetime.timedelta(hours=8))
    now = datetime.datetime.fromisoformat(f"2026-11-24T{clock}").replace(tzinfo=taipei)
    process = start(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(standin), ecpay_secrets(),
                    now=int(now.timestamp()))
    request = {"order_no": "A1", "gateway_no": "1", "amount": 1, "method": "card"}
    answer = process.call("payment.refund", request)[2]
    if left:
        assert answer["rc"] == "tempfail" and "capture" in answer["reason"]
        assert answer["retry_after_ms"] == left * 1000
        assert not [r for r in standin.books()["requests"] if r["fields"].get("MerchantTradeNo") == "A1"]
    else:
        assert answer["rc"] == "rejected" and answer["reason"] == "0"


# ---- settings ----

@pytest.mark.parametrize("change,named", [
    ({"merchant_id": None}, "merchant_id"), ({"merchant_id": "30a"}, "merchant_id"), ({"merchant_id": ""}, "merchant_id"),
    ({"merchant_id": "1" * 11}, "merchant_id"), ({"api_url": None}, "api_url"), ({"api_url": "ftp://x"}, "api_url"),
    ({"api_url": "https://x/"}, "api_url"), ({"api_url": "https://x?a"}, "api_url"), ({"browser_url": "x"}, "browser_url"),
    ({"return_url": None}, "return_url"), ({"return_url": "https://a|b"}, "return_url"),
    ({"return_url": "https://a;b"}, "return_url"), ({"return_url": "https://a/" + "x" * 191}, "return_url"),
    ({"info_url": None}, "info_url"), ({"info_url": SITE + "/in/paid"}, "info_url"), ({"back_url": None}, "back_url"),
    ({"atm_days": "0"}, "atm_days"), ({"atm_days": "61"}, "atm_days"), ({"atm_days": "three"}, "atm_days"),
    ({"cvs_minutes": "0"}, "cvs_minutes"), ({"cvs_minutes": "43201"}, "cvs_minutes"),
    ({"trade_desc": "x" * 201}, "trade_desc"), ({"colour": "red"}, "colour"), ({"hash_key": "in the open"}, "hash_key"),
    ({"http.colour": "red"}, "http.colour")])
def test_settings_that_are_wrong(start, standin, change, named):
    process = start(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(standin, **change), ecpay_secrets())
    for op, request in (("payment.query", {"order_no": "A1"}), ("payment.begin", order()), ("health", {}), ("describe", {})):
        answer = process.raw(op, request)
        assert answer["rc"] == "misconfigured" and named in answer["reason"], answer
    assert named in process.log and KEY not in process.log


@pytest.mark.parametrize("change,named", [({"hash_key": None}, "hash_key"), ({"hash_iv": None}, "hash_iv"),
                                          ({"hash_key": "short"}, "hash_key"), ({"hash_iv": "x" * 65}, "hash_iv"),
                                          ({"merchant_id": "3002607"}, "merchant_id")])
def test_secrets_that_are_wrong(start, standin, change, named):
    options = ecpay_options(standin, merchant_id=None) if "merchant_id" in change else ecpay_options(standin)
    process = start(PLUGINS / "payment_ecpay.so", "pay", options, ecpay_secrets(**change))
    answer = process.raw("payment.begin", order())
    assert answer["rc"] == "misconfigured" and named in answer["reason"]
    for value in (*change.values(), KEY, IV):
        assert not value or len(value) < 8 or value not in answer["reason"] + process.log


def test_settings_show_in_the_order(start, standin):
    process = start(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(
        standin, browser_url="https://pay.example.test", trade_desc="規費", atm_days="7", cvs_minutes="60"), ecpay_secrets())
    redirect = process.call("payment.begin", order(method="atm", back_url=None))[1]["redirect"]
    fields = dict(redirect["fields"])
    assert redirect["action"] == "https://pay.example.test/Cashier/AioCheckOut/V5"
    assert (fields["TradeDesc"], fields["ExpireDate"], fields["ClientBackURL"]) == ("規費", "7", SITE + "/payments")
    redirect = process.call("payment.begin", order(method="cvs"))[1]["redirect"]
    assert dict(redirect["fields"])["StoreExpireDate"] == "60"


@pytest.mark.parametrize("text", ["3002607", KEY, IV, SITE + "/payments"])
def test_no_memory_for_a_setting(start, standin, text):
    process = start(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(standin), ecpay_secrets(), no_memory_for=text)
    until(lambda: "no memory" in process.log, "what it lacks")


def test_what_it_says_of_itself(ecpay):
    told = ecpay.raw("describe")["reply"]
    assert told["port"] == "payment" and told["name"] == "payment_ecpay" and re.fullmatch(r"\d+\.\d+\.\d+", told["version"])
    assert told["ops"] == ["payment.begin", "payment.message", "payment.query", "payment.refund", "payment.settlement"]
    assert ecpay.raw("health")["rc"] == "ok"


def test_no_growth(ecpay, standin):
    number = begin(ecpay, standin)

    def work(n):
        for i in range(n):
            assert ecpay.raw("payment.begin", order(order_no=f"G{i}"))["rc"] == "ok"
            assert ecpay.raw("payment.message", {"channel": "paid"}, BODY)["rc"] == "ok"
            assert ecpay.raw("payment.message", {"channel": "paid"}, BODY + b"&a=%")["rc"] == "rejected"
            if i % 10 == 0:
                assert ecpay.raw("payment.query", {"order_no": number})["rc"] == "ok"

    work(100)
    before = ecpay.memory()
    work(330)
    assert ecpay.memory() - before < 512, "KiB grown over 1,000 calls"


def test_all_answers_were_seen():
    """The exchanges of this file were held against the contract: both sides of each operation."""
    for op in ("payment.begin", "payment.message", "payment.query", "payment.refund", "payment.settlement"):
        assert contracts.seen.get((op, "ok"), 0) > 0, op
