"""Check values, orders, the payer's pages, queries: the stand-in judges as the real gateway is said to."""
import hashlib
import json
import re
import socket
import subprocess
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

import cards
import checkmac
from shop import HERE, Program, ask_state, fetch, make_fields, make_order, proved
from vectors import IV, KEY, VECTORS


@pytest.mark.parametrize("fields,mac", [v[1:] for v in VECTORS], ids=[v[0] for v in VECTORS])
def test_check_value(fields, mac):
    assert checkmac.check_mac(fields, KEY, IV) == mac
    assert checkmac.check_mac({**fields, "CheckMacValue": "x"}, KEY, IV) == mac
    assert checkmac.is_right({**fields, "CheckMacValue": mac}, KEY, IV)
    assert not checkmac.is_right({**fields, "CheckMacValue": mac.lower()}, KEY, IV)
    assert not checkmac.is_right({**fields, "CheckMacValue": checkmac.spoiled(mac)}, KEY, IV)


def test_check_value_13_md5():
    fields = {"MerchantID": "2000132", "LogisticsType": "CVS", "LogisticsSubType": "UNIMART",
              "MerchantTradeDate": "2025/01/01 12:00:00"}
    assert checkmac.check_mac(fields, "5294y06JbISpM5x9", "v77hoKGq4kWxNNIS", "md5") == \
        "545E6146FD45BDA683C88454DB34CE8D"


def test_check_value_rule_by_rule():
    """The same value the long way: encode, lower case, put seven characters back."""
    fields = {"B": "Ab -_.!*()~'\"\\%&=+#", "a": "中 文"}
    text = urllib.parse.quote_plus(f"HashKey={KEY}&a={fields['a']}&B={fields['B']}&HashIV={IV}", safe="").lower()
    for code, char in (("%2d", "-"), ("%5f", "_"), ("%2e", "."), ("%21", "!"), ("%2a", "*"),
                       ("%28", "("), ("%29", ")")):
        text = text.replace(code, char)
    text = text.replace("~", "%7e")
    assert checkmac.check_mac(fields, KEY, IV) == hashlib.sha256(text.encode()).hexdigest().upper()


@pytest.mark.parametrize("chosen,ways", [("ALL", {"card", "atm", "cvs"}), ("Credit", {"card"}),
                                         ("ATM", {"atm"}), ("CVS", {"cvs"})])
def test_order_page_offers(program, shop, chosen, ways):
    number, text = make_order(program, shop, ChoosePayment=chosen)
    assert set(re.findall(r'id="pay-(\w+)"', text)) == ways
    assert f'href="{shop.url}/back?a=1&amp;b=2"' in text and 'id="cancel"' in text
    assert "NT$ 1,000" in text and "外僑居留證 1 年、(IC卡) x1" in text
    assert "<script" not in text and "style=" not in text
    for way in {"card", "atm", "cvs"} - ways:
        assert program.control("pay", order=number, method=way)[0] == 409


def test_ignored_methods_are_not_offered(program, shop):
    _, text = make_order(program, shop, IgnorePayment="ATM#BARCODE#WebATM")
    assert re.findall(r'id="pay-(\w+)"', text) == ["card", "cvs"]


def test_page_escapes(program, shop):
    number, text = make_order(program, shop, ItemName='<b>"x"</b>', TradeDesc="<i>&amp;")
    assert "&lt;b&gt;&quot;x&quot;&lt;/b&gt;" in text and "&lt;i&gt;&amp;amp;" in text
    assert "<b>" not in text and "<b>" not in program.get(f"/pay/{number}")[1] + program.get("/")[1]


FAULTS = [
    ("MerchantID", {"MerchantID": "2000132"}), ("MerchantID", {"MerchantID": None}),
    ("CheckMacValue", {"CheckMacValue": "0" * 64}), ("CheckMacValue", {"CheckMacValue": ""}),
    ("MerchantTradeNo", {"MerchantTradeNo": "A-1"}), ("MerchantTradeNo", {"MerchantTradeNo": "A" * 21}),
    ("MerchantTradeNo", {"MerchantTradeNo": "編號"}), ("MerchantTradeNo", {"MerchantTradeNo": ""}),
    ("MerchantTradeDate", {"MerchantTradeDate": "2026-01-01 12:00:00"}),
    ("MerchantTradeDate", {"MerchantTradeDate": "2026/02/30 12:00:00"}),
    ("MerchantTradeDate", {"MerchantTradeDate": "2026/1/1 12:00:00"}),
    ("PaymentType", {"PaymentType": "AIO"}), ("EncryptType", {"EncryptType": "0"}),
    ("TotalAmount", {"TotalAmount": "0"}), ("TotalAmount", {"TotalAmount": "1000.0"}),
    ("TotalAmount", {"TotalAmount": "-5"}), ("TotalAmount", {"TotalAmount": "1,000"}),
    ("TradeDesc", {"TradeDesc": "長" * 201}), ("TradeDesc", {"TradeDesc": None}),
    ("TradeDesc", {"TradeDesc": "a\nb"}), ("ItemName", {"ItemName": "長" * 401}),
    ("ItemName", {"ItemName": "a##b"}), ("ReturnURL", {"ReturnURL": "ftp://127.0.0.1/x"}),
    ("ReturnURL", {"ReturnURL": "/pay/return"}), ("ReturnURL", {"ReturnURL": "http://127.0.0.1/" + "a" * 200}),
    ("ReturnURL", {"ReturnURL": "http://permit.example.gov.tw:8080/x"}),
    ("ReturnURL", {"ReturnURL": "http://127.0.0.1/a;b"}), ("ReturnURL", {"ReturnURL": "http://居留.tw/a"}),
    ("ClientBackURL", {"ClientBackURL": "javascript:alert(1)"}), ("PaymentInfoURL", {"PaymentInfoURL": "x"}),
    ("ChoosePayment", {"ChoosePayment": "Card"}), ("ChoosePayment", {"ChoosePayment": "BNPL"}),
    ("ChoosePayment", {"IgnorePayment": "Credit#ATM#CVS"}), ("IgnorePayment", {"IgnorePayment": "Cash"}),
    ("ExpireDate", {"ExpireDate": "61"}), ("StoreExpireDate", {"StoreExpireDate": "0"}),
    ("CustomField1", {"CustomField1": "a" * 51}), ("NeedExtraPaidInfo", {"NeedExtraPaidInfo": "y"}),
    ("Colour", {"Colour": "red"}),
]


@pytest.mark.parametrize("name,change", FAULTS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(FAULTS)])
def test_a_wrong_order_is_refused(program, shop, name, change):
    status, text, headers = program.post("/Cashier/AioCheckOut/V5", make_fields(shop, **change))
    assert status == 200 and headers.get_content_type() == "text/html"
    faults = re.findall(r"<li>(.*?)</li>", text)
    assert 'id="fault"' in text and [f for f in faults if f.startswith(name + ":")]
    assert all(f.startswith(name + ":") for f in faults)
    ledger = program.books()
    assert ledger["orders"] == [] and len(ledger["requests"]) == 1
    assert [f for f in ledger["requests"][0]["faults"] if f.startswith(name + ":")]


def test_the_same_url_twice_is_refused(program, shop):
    text = program.post("/Cashier/AioCheckOut/V5", make_fields(shop, ClientBackURL=shop.url + "/return"))[1]
    assert "ClientBackURL: the same as ReturnURL" in text


def test_a_value_changed_on_the_way_is_refused(program, shop):
    fields = make_fields(shop)
    fields["TotalAmount"] = "1"
    assert "CheckMacValue: wrong" in program.post("/Cashier/AioCheckOut/V5", fields)[1]


@pytest.mark.parametrize("body", [b"a=1&a=2", b"a=%ff", b"a=%4", b"a", b"\xe4=1", b""])
def test_a_malformed_form_is_refused(program, shop, body):
    assert 'id="fault"' in program.post("/Cashier/AioCheckOut/V5", body)[1]
    assert shop and program.books()["requests"][0]["faults"]


def test_a_number_serves_once(program, shop):
    number, _ = make_order(program, shop)
    assert program.control("pay", order=number, method="cancel")[0] == 200
    text = program.post("/Cashier/AioCheckOut/V5", make_fields(shop, MerchantTradeNo=number))[1]
    assert "MerchantTradeNo: used before" in text
    assert len(program.books()["orders"]) == 1


def test_query_is_judged(program, shop):
    number, _ = make_order(program, shop)
    assert ask_state(program, "Unknown1")["TradeStatus"] == "10200095"
    assert "CheckMacValue: wrong" in ask_state(program, number, CheckMacValue="0" * 64)
    assert "TimeStamp" in ask_state(program, number, TimeStamp=str(int(time.time()) - 200))
    assert "TimeStamp" in ask_state(program, number, TimeStamp=str(int(time.time()) + 200))
    assert "TimeStamp" in ask_state(program, number, TimeStamp="now")
    assert "MerchantID" in ask_state(program, number, MerchantID="2000132")
    assert isinstance(ask_state(program, number, TimeStamp=str(int(time.time()) - 150)), dict)
    assert len([r for r in program.books()["requests"] if r["faults"]]) == 5


def test_pages_and_headers(program, shop):
    make_order(program, shop)
    for path in ("/", "/mails", "/style.css"):
        status, text, headers = program.get(path)
        assert status == 200 and text and "default-src 'none'" in headers["Content-Security-Policy"]
    assert program.get("/pay/Nobody")[0] == 404 and program.get("/mails/7")[0] == 404
    assert program.get("/%3Cb%3E")[0] == 404 and "<b>" not in program.get("/%3Cb%3E")[1]
    assert fetch(program.url + "/books", b"a=1")[0] == 404


def test_many_at_once_take_a_number_once(program, shop):
    fields = make_fields(shop)
    with ThreadPoolExecutor(16) as pool:
        pages = list(pool.map(lambda _: program.post("/Cashier/AioCheckOut/V5", fields)[1], range(16)))
    assert len([p for p in pages if 'id="fault"' not in p]) == 1
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: program.control(
            "pay", order=fields["MerchantTradeNo"], method="card")[0], range(16)))
    assert sorted(codes) == [200] + [409] * 15
    proved(shop.next())
    assert shop.none_within()


def test_books_outlive_the_program(shop, tmp_path):
    path = str(tmp_path / "books")
    shop.standard = (500, b"")
    program = Program("--books", path, "--retry-seconds", "0.2")
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="card")
    assert program.stop()[0] == 0
    with open(path, "ab") as broken:
        broken.write(b'{"kind": "orders", "en')
    shop.forget()
    program = Program("--books", path, "--retry-seconds", "0.2")
    try:
        assert proved(shop.next())["MerchantTradeNo"] == number
        assert "used before" in program.post("/Cashier/AioCheckOut/V5",
                                             make_fields(shop, MerchantTradeNo=number))[1]
        assert ask_state(program, number)["TradeStatus"] == "1"
    finally:
        assert program.stop()[0] == 0
    with open(path, "rb") as lines:
        assert len([line for line in lines if json.loads(line)]) > 3


def test_it_ends_at_once_with_work_under_way(shop):
    program = Program()
    with socket.create_connection(("127.0.0.1", program.smtp_port)) as mail, ThreadPoolExecutor(1) as pool:
        assert mail.recv(100).startswith(b"220 ")
        program.switch(slow_ms=60000)
        order = pool.submit(program.post, "/Cashier/AioCheckOut/V5", make_fields(shop))
        program.books()
        assert program.stop() == (0, "", "")
        assert order.exception()


def test_a_port_taken_is_told():
    program = Program()
    try:
        other = subprocess.run([str(HERE / "standin"), "--port", program.url.rpartition(":")[2],
                                "--smtp-port", "0"], capture_output=True, text=True, timeout=10, check=False)
        assert other.returncode == 1 and other.stdout == "" and "in use" in other.stderr
    finally:
        program.stop()


# ---- what became of a card's payment ----

def act(program, number, trade, action, amount):
    fields = {"MerchantID": "3002607", "MerchantTradeNo": number, "TradeNo": trade, "Action": action,
              "TotalAmount": str(amount)}
    fields["CheckMacValue"] = checkmac.check_mac(fields, KEY, IV)
    return dict(urllib.parse.parse_qsl(program.post("/CreditDetail/DoAction", fields)[1]))["RtnCode"]


def card_of(program, number, **more):
    fields = {"MerchantID": "3002607", "CreditRefundId": ask_state(program, number)["gwsr"], "CreditAmount": "1000",
              "CreditCheckCode": cards.CHECK_CODE, **more}
    fields["CheckMacValue"] = checkmac.check_mac(fields, KEY, IV)
    return json.loads(program.post("/CreditDetail/QueryTrade/V2", fields)[1])


def paid_card(program, shop, state):
    program.switch(card_state=state)
    number, _ = make_order(program, shop, ChoosePayment="Credit", NeedExtraPaidInfo="Y")
    return number, program.control("pay", order=number, method="card")[1]["order"]["trade_no"]


@pytest.mark.parametrize("state,steps,status,refunds", [
    ("authorised", [("N", 1000, "1"), ("R", 1000, "0")], "已取消", []),
    ("authorised", [("R", 400, "0"), ("C", 1000, "1"), ("R", 400, "1")], "已授權", [-400]),
    ("to_capture", [("R", 1000, "0"), ("N", 1000, "0"), ("E", 1000, "1"), ("N", 1000, "1")], "已取消", []),
    ("captured", [("E", 1000, "0"), ("R", 600, "1"), ("R", 500, "0"), ("R", 400, "1")], "已關帳", [-600, -400])])
def test_a_card_goes_its_way(program, shop, state, steps, status, refunds):
    number, trade = paid_card(program, shop, state)
    assert [act(program, number, trade, *step[:2]) for step in steps] == [step[2] for step in steps]
    told = card_of(program, number)["RtnValue"]
    assert told["status"] == status and [c["amount"] for c in told["close_data"] if c["amount"] < 0] == refunds
    assert program.books()["orders"][-1]["refunded"] == sum(s[1] for s in steps if s[0] in "NR" and s[2] == "1")


def test_a_card_is_told_to_its_merchant_alone(program, shop):
    number, _ = paid_card(program, shop, "captured")
    assert card_of(program, number, CreditCheckCode="1")["RtnMsg"] == "error_Stop"
    assert card_of(program, number, CreditAmount="999")["RtnMsg"] == "error"
    assert card_of(program, number, CreditRefundId="1")["RtnMsg"] == "error_nopay"


@pytest.mark.parametrize("lost,done", [("R", 400), ("before", 0)])
def test_an_answer_is_lost_once(program, shop, lost, done):
    number, trade = paid_card(program, shop, "captured")
    program.switch(lose_action=lost)
    with pytest.raises(OSError):
        act(program, number, trade, "R", 400)
    assert program.books()["orders"][-1]["refunded"] == done
    assert act(program, number, trade, "R", 400) == "1"


def test_the_file_of_a_day(program, shop):
    number, trade = paid_card(program, shop, "captured")
    act(program, number, trade, "R", 400)
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 28800))
    fields = {"MerchantID": "3002607", "DateType": "2", "BeginDate": today, "EndDate": today, "MediaFormated": "1"}
    fields["CheckMacValue"] = checkmac.check_mac(fields, KEY, IV)
    lines = program.post("/PaymentMedia/TradeNoAio", fields)[1].splitlines()
    assert lines[0].split(",") == cards.COLUMNS and len(lines) == 3
    assert number in lines[1] and '="1000"' in lines[1] and '="400"' in lines[2]
    assert "BeginDate" in program.post("/PaymentMedia/TradeNoAio", {**fields, "BeginDate": "today"})[1]
