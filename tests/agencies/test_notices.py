"""Notices, true and forged, refunds, and the switches that make the gateway misbehave."""
import re
import socket
import time
import urllib.parse

import pytest

import checkmac
import orders
from shop import ask_state, make_fields, make_order, proved
from vectors import IV, KEY


def test_card(program, shop):
    number, _ = make_order(program, shop)
    assert ask_state(program, number)["TradeStatus"] == "0"
    status, text, headers = program.post(f"/pay/{number}/card")
    assert (status, text, headers["Location"]) == (303, "", f"/pay/{number}")
    notice = shop.next()
    assert notice["path"] == "/return"
    fields = proved(notice)
    assert list(fields) == ("MerchantID MerchantTradeNo StoreID RtnCode RtnMsg TradeNo TradeAmt PaymentDate "
                            "PaymentType PaymentTypeChargeFee TradeDate PlatformID SimulatePaid CustomField1 "
                            "CustomField2 CustomField3 CustomField4 CheckMacValue").split()
    assert (fields["RtnCode"], fields["TradeAmt"], fields["SimulatePaid"]) == ("1", "1000", "0")
    assert (fields["PaymentType"], fields["CustomField1"]) == ("Credit_CreditCard", "一'~")
    assert orders.parse_date(fields["PaymentDate"]) == pytest.approx(time.time(), abs=5)
    state = ask_state(program, number)
    assert (state["TradeStatus"], state["TradeNo"], state["TradeAmt"]) == ("1", fields["TradeNo"], "1000")
    assert program.control("pay", order=number, method="card")[0] == 409
    assert 'data-state="paid"' in program.get(f"/pay/{number}")[1]
    ledger = program.until(lambda b: b["callbacks"][0]["state"] == "answered")
    entry = ledger["callbacks"][0]
    assert entry["tries"][0]["body"] == "1|OK" and entry["fields"] == fields and shop.none_within()
    assert abs(ledger["orders"][0]["skew_s"]) <= 2


def test_extra_fields_are_signed(program, shop):
    number, _ = make_order(program, shop, NeedExtraPaidInfo="Y")
    program.control("pay", order=number, method="card")
    fields = proved(shop.next())
    assert fields["card4no"] == "2222" and fields["WebATMAccBank"] == ""


def test_result_url_gets_a_form(program, shop):
    number, _ = make_order(program, shop, OrderResultURL=shop.url + "/result")
    program.control("pay", order=number, method="card")
    proved(shop.next())
    text = program.get(f"/pay/{number}")[1]
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))
    assert f'action="{shop.url}/result"' in text and sent["MerchantTradeNo"] == number
    sent["CustomField1"] = sent["CustomField1"].replace("&#x27;", "'")
    assert checkmac.is_right(sent, KEY, IV)


@pytest.mark.parametrize("method,code,kind,names", [
    ("atm", "2", "ATM_TAISHIN", ["BankCode", "vAccount", "ExpireDate"]),
    ("cvs", "10100073", "CVS_CVS", ["PaymentNo", "ExpireDate"])])
def test_code_then_money(program, shop, method, code, kind, names):
    number, _ = make_order(program, shop)
    assert program.post(f"/pay/{number}/{method}")[0] == 303
    notice = shop.next()
    info = proved(notice)
    assert (notice["path"], info["RtnCode"], info["PaymentType"]) == ("/info", code, kind)
    assert all(info[name] for name in names) and "PaymentDate" not in info
    assert len(info.get("vAccount", info.get("PaymentNo"))) in (16, 14)
    assert ask_state(program, number)["TradeStatus"] == "0"
    assert f'id="settle-{number}"' in program.get("/")[1]
    assert names[0] in info and info[names[0]] in program.get(f"/pay/{number}")[1]
    assert program.post(f"/settle/{number}")[2]["Location"] == "/"
    notice = shop.next()
    paid = proved(notice)
    assert (notice["path"], paid["RtnCode"], paid["PaymentType"]) == ("/return", "1", kind)
    assert paid["TradeNo"] == info["TradeNo"] and ask_state(program, number)["TradeStatus"] == "1"
    assert program.control("settle", order=number)[0] == 409


def test_code_dates_follow_the_order(program, shop):
    number, _ = make_order(program, shop, ExpireDate="10")
    program.control("pay", order=number, method="atm")
    assert shop.next()["ExpireDate"] == time.strftime("%Y/%m/%d", time.gmtime(time.time() + 28800 + 864000))
    number, _ = make_order(program, shop, StoreExpireDate="90")
    program.control("pay", order=number, method="cvs")
    assert orders.parse_date(shop.next()["ExpireDate"]) == pytest.approx(time.time() + 5400, abs=5)


def test_an_expired_code_takes_no_money_and_tells_nobody(program, shop):
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="atm")
    shop.next()
    assert program.control("expire", order=number)[0] == 200
    assert program.control("settle", order=number)[0] == 409
    assert ask_state(program, number)["TradeStatus"] == "0" and shop.none_within()


def test_cancelled_and_declined(program, shop):
    number, _ = make_order(program, shop)
    assert program.post(f"/pay/{number}/cancel")[0] == 303 and shop.none_within()
    assert ask_state(program, number)["TradeStatus"] == "10200095"
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="decline")
    assert proved(shop.next())["RtnCode"] not in ("1", "2", "10100073")
    assert ask_state(program, number)["TradeStatus"] == "10200095"
    assert program.control("pay", order=number, method="card")[0] == 409


@pytest.mark.parametrize("answer", [(500, b"1|OK"), (200, b"1|OK\n"), (200, b"0|no"), (200, b'"1|OK"'), (201, b"1|OK")])
def test_a_notice_not_acknowledged_is_repeated_until_it_is(program, shop, answer):
    shop.answers = [answer, answer]
    number, _ = make_order(program, shop)
    _, reply = program.control("pay", order=number, method="card")
    assert not reply["callbacks"][0]["tries"][0]["ok"]
    first, second, third = shop.next(), shop.next(), shop.next()
    assert first == second == third and shop.none_within()
    assert [t["ok"] for t in program.books()["callbacks"][0]["tries"]] == [False, False, True]


def test_a_notice_is_given_up_after_four_repeats(program, shop):
    shop.standard = (200, b"later")
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="card")
    ledger = program.until(lambda b: b["callbacks"][0]["state"] == "given up")
    assert [t["body"] for t in ledger["callbacks"][0]["tries"]] == ["later"] * 5
    assert ask_state(program, number)["TradeStatus"] == "1"


def test_nobody_listens(program, shop):
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        number, _ = make_order(program, shop, ReturnURL=f"http://127.0.0.1:{spare.getsockname()[1]}/r")
        _, reply = program.control("pay", order=number, method="card")
    assert "ConnectionRefusedError" in reply["callbacks"][0]["tries"][0]["error"]


def test_forged_notices(program, shop):
    number, _ = make_order(program, shop)
    program.control("callback", order=number, mac="wrong")
    notice = shop.next()
    fields = {k: v for k, v in notice.items() if k not in ("path", "kind")}
    assert not checkmac.is_right(fields, KEY, IV) and len(fields["CheckMacValue"]) == 64
    program.control("callback", order=number, mac="none")
    assert "CheckMacValue" not in shop.next()
    program.control("callback", order=number, amount="1")
    assert proved(shop.next())["TradeAmt"] == "1"
    program.control("callback", order=number, simulate="1")
    assert proved(shop.next())["SimulatePaid"] == "1"
    program.control("callback", order=number, code="10200141")
    assert proved(shop.next())["RtnCode"] == "10200141"
    program.control("callback", order=number, kind="info", method="cvs")
    assert proved(shop.next())["PaymentNo"]
    program.control("callback", order=number, times="2")
    assert proved(shop.next()) == proved(shop.next())
    program.control("callback", order="Unknown9")
    assert proved(shop.next())["MerchantTradeNo"] == "Unknown9"
    ledger = program.books()
    assert ledger["orders"][0]["state"] == "open" and all(c["forged"] for c in ledger["callbacks"])
    assert ask_state(program, number)["TradeStatus"] == "0" and shop.none_within()


def test_a_forged_notice_is_not_repeated(program, shop):
    shop.standard = (200, b"0|CheckMacValue Error")
    number, _ = make_order(program, shop)
    _, reply = program.control("callback", order=number, mac="wrong")
    assert reply["callbacks"][0]["tries"][0]["body"] == "0|CheckMacValue Error"
    shop.next()
    assert shop.none_within(0.6)


def test_control_says_what_is_wrong(program, shop):
    assert program.control("callback", order="Unknown9")[0] == 409
    assert program.control("pay", order="Unknown9", method="card")[0] == 409
    assert program.control("pay")[0] == 400 and program.control("dance", order="A")[0] == 404
    number, _ = make_order(program, shop)
    assert program.control("pay", order=number, method="cash")[0] == 400
    assert program.control("callback", order=number, mac="odd")[0] == 409


def do_action(program, number, trade, action, amount):
    fields = {"MerchantID": "3002607", "MerchantTradeNo": number, "TradeNo": trade, "Action": action,
              "TotalAmount": str(amount)}
    fields["CheckMacValue"] = checkmac.check_mac(fields, KEY, IV)
    text = program.post("/CreditDetail/DoAction", fields)[1]
    return dict(urllib.parse.parse_qsl(text))["RtnCode"]


def test_refund(program, shop):
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="card")
    trade = shop.next()["TradeNo"]
    assert do_action(program, number, "1", "R", 400) != "1"
    assert do_action(program, number, trade, "R", 400) == "1"
    assert do_action(program, number, trade, "R", 601) != "1"
    assert do_action(program, number, trade, "R", 600) == "1"
    assert do_action(program, number, trade, "N", 1000) != "1"
    ledger = program.books()
    assert ledger["orders"][0]["refunded"] == 1000
    assert [a["done"] for a in ledger["actions"]] == [False, True, False, True, False]


def test_undo_before_capture(program, shop):
    program.switch(card_state="authorised")
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="card")
    trade = shop.next()["TradeNo"]
    assert do_action(program, number, trade, "R", 1000) != "1"
    assert [do_action(program, number, trade, a, 1000) for a in "CENN"] == ["1", "1", "1", "0"]


def test_codes_are_not_refunded(program, shop):
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="cvs")
    program.control("settle", order=number)
    assert do_action(program, number, shop.next()["TradeNo"], "R", 1000) != "1"


def test_switch_fail(program, shop):
    fields = make_fields(shop)
    for fail, status in (("http500", 500), ("http403", 403), ("nonsense", 200)):
        program.switch(fail=fail)
        answer = program.post("/Cashier/AioCheckOut/V5", fields)
        assert answer[0] == status and "</html>" not in answer[1]
    program.switch(fail="close")
    with pytest.raises(OSError):
        program.post("/Cashier/AioCheckOut/V5", fields)
    ledger = program.books()
    assert [r["failed"] for r in ledger["requests"]] == ["http500", "http403", "nonsense", "close"]
    assert ledger["orders"] == [] and program.switch(fail="none")[0] == 200


def test_switch_badmac(program, shop):
    number, _ = make_order(program, shop)
    program.switch(fail="badmac")
    fields = {"MerchantID": "3002607", "MerchantTradeNo": number, "TimeStamp": str(int(time.time()))}
    fields["CheckMacValue"] = checkmac.check_mac(fields, KEY, IV)
    reply = dict(urllib.parse.parse_qsl(program.post("/Cashier/QueryTradeInfo/V5", fields)[1],
                                        keep_blank_values=True))
    assert reply["TradeStatus"] == "0" and not checkmac.is_right(reply, KEY, IV)


def test_switch_slow(program, shop):
    program.switch(slow_ms=600)
    start = time.monotonic()
    number, _ = make_order(program, shop)
    assert time.monotonic() - start >= 0.6
    program.switch(slow_ms=0)
    assert ask_state(program, number)["TradeStatus"] == "0"


def test_switch_callbacks(program, shop):
    program.switch(drop_callbacks=True)
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="card")
    assert shop.none_within() and program.books()["callbacks"][0]["state"] == "dropped"
    assert ask_state(program, number)["TradeStatus"] == "1"
    program.switch(drop_callbacks=False, twice=True)
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="card")
    assert proved(shop.next()) == proved(shop.next()) and shop.none_within()


def test_switch_out_of_order(program, shop):
    program.switch(out_of_order=True)
    number, _ = make_order(program, shop)
    _, reply = program.control("pay", order=number, method="atm")
    assert reply["callbacks"][0]["state"] == "held" and shop.none_within()
    program.control("settle", order=number)
    assert [shop.next()["path"], shop.next()["path"]] == ["/return", "/info"]


def test_switches_are_judged(program, shop):
    for wrong in ({"fail": "often"}, {"slow_ms": -1}, {"slow_ms": "1"}, {"twice": 1}, {"colour": "red"}):
        assert program.switch(**wrong)[0] == 400
    assert program.post("/control/switch", b"[1]")[0] == 400 and program.post("/control/switch", b"{")[0] == 400
    program.switch(slow_ms=3, smtp_fail="temp")
    program.control("reset")
    assert program.books()["switches"] == {"slow_ms": 0, "fail": "none", "drop_callbacks": False,
                                           "twice": False, "out_of_order": False, "smtp_fail": "none",
                                           "card_state": "captured", "lose_action": "none",
                                           "refuse_action": "none", "media": "whole"}
    assert shop.none_within(0.1)


def test_reset_stops_repeats(program, shop):
    shop.standard = (500, b"")
    number, _ = make_order(program, shop)
    program.control("pay", order=number, method="card")
    program.control("reset")
    time.sleep(0.3)
    shop.forget()
    assert shop.none_within(0.6) and program.books()["callbacks"] == []
