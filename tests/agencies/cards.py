"""What became of a card's payment since, and the merchant's file of a day: what the gateway tells of its own books."""
import re
import time

import books
import orders

CHECK_CODE = "59997889"  # 商家檢查碼
COLUMNS = ["訂單日期", "特店編號", "廠商訂單編號", "綠界訂單編號", "付款方式", "付款日期", "交易金額", "交易手續費",
           "退款日期", "退款金額", "付款狀態"]
TYPES = {"card": "信用卡", "atm": "ATM", "cvs": "超商代碼"}
STATUS = {"authorised": "已授權", "to_capture": "要關帳", "captured": "已關帳", "abandoned": "已取消"}


def gwsr(order):
    """The number of the authorisation (授權單號)."""
    return str(10000000 + order["id"])


def detail(order):
    """RtnValue of QueryTrade/V2: captures above nothing, refunds below."""
    closed = []
    if order["card_state"] in ("to_capture", "captured"):
        closed.append({"status": STATUS[order["card_state"]], "amount": order["amount"], "sno": gwsr(order),
                       "datetime": books.taipei(order["paid_at"])})
    if order.get("uncaptured"):
        closed.append({"status": "操作取消", "amount": order["amount"], "sno": gwsr(order),
                       "datetime": books.taipei(order["uncaptured"])})
    if order["card_state"] != "abandoned":
        closed += [{"status": "已關帳" if order["card_state"] == "captured" else "要關帳", "amount": -back["amount"],
                    "sno": gwsr(order), "datetime": books.taipei(back["at"])} for back in order["refunds"]]
    status = "已授權" if order["card_state"] == "to_capture" else STATUS[order["card_state"]]
    return {"TradeID": int(gwsr(order)), "amount": order["amount"],
            "clsamt": order["amount"] if order["card_state"] == "captured" else 0,
            "authtime": books.taipei(order["paid_at"]), "status": status, "close_data": closed}


def query(ledger, fields):
    """(what is answered as JSON, faults)."""
    faults = [f"{n}: missing" for n in ("MerchantID", "CreditRefundId", "CreditAmount", "CreditCheckCode", "CheckMacValue")
              if not fields.get(n)]
    faults += orders.merchant_faults(fields)
    if faults:
        return None, faults
    if fields["CreditCheckCode"] != CHECK_CODE:
        return {"RtnMsg": "error_Stop", "RtnValue": ""}, []
    for order in ledger.rows("orders"):
        if order["state"] == "paid" and order["method"] == "card" and gwsr(order) == fields["CreditRefundId"]:
            if str(order["amount"]) != fields["CreditAmount"]:
                return {"RtnMsg": "error", "RtnValue": ""}, []
            return {"RtnMsg": "", "RtnValue": detail(order)}, []
    return {"RtnMsg": "error_nopay", "RtnValue": ""}, []


def day_of(when):
    return books.taipei(when, "%Y-%m-%d")


def rows_of(ledger, begin, end):
    """The lines of the file: a payment in one, and each refund in one of its own."""
    for order in ledger.rows("orders"):
        if order["state"] != "paid":
            continue
        base = {"訂單日期": books.taipei(order["at"], "%Y-%m-%d %H:%M:%S"), "特店編號": orders.MERCHANT_ID,
                "廠商訂單編號": order["order"], "綠界訂單編號": order["trade_no"], "付款方式": TYPES[order["method"]],
                "付款狀態": "已付款"}
        if begin <= day_of(order["paid_at"]) <= end:
            yield {**base, "付款日期": books.taipei(order["paid_at"], "%Y-%m-%d %H:%M:%S"),
                   "交易金額": order["amount"], "交易手續費": max(1, round(order["amount"] * 0.02))}
        for back in order["refunds"]:
            if begin <= day_of(back["at"]) <= end:
                yield {**base, "退款日期": books.taipei(back["at"], "%Y-%m-%d %H:%M:%S"), "退款金額": back["amount"]}


def media(ledger, fields):
    """(the file's text, faults) of TradeNoAio."""
    needed = ("MerchantID", "DateType", "BeginDate", "EndDate", "MediaFormated", "CheckMacValue")
    faults = [f"{n}: missing" for n in needed if not fields.get(n)] + orders.merchant_faults(fields)
    for name in ("BeginDate", "EndDate"):
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", fields.get(name, ""), re.ASCII):
            faults.append(f"{name}: must be yyyy-MM-dd")
    if fields.get("DateType") != "2":
        faults.append("DateType: 2, by the day of payment, is all that this one has")
    if faults:
        return None, faults
    lines = [COLUMNS]
    for row in rows_of(ledger, fields["BeginDate"], fields["EndDate"]):
        lines.append([f'="{row[name]}"' if name in row else "" for name in COLUMNS])
    return spoiled("".join(",".join(line) + "\r\n" for line in lines), ledger.switch("media")), []


def spoiled(text, how):
    """The file with what can go wrong in it."""
    lines = text.splitlines(keepends=True)
    if how == "half_line":
        return text[:-len(lines[-1]) // 2 - 1]
    if how == "another_merchant":
        return text.replace(orders.MERCHANT_ID, "2000132")
    if how == "twice":
        return text + "".join(lines[1:])
    if how == "no_column":
        return text.replace("廠商訂單編號", "編號")
    if how == "missing":
        return "".join(lines[:1] + lines[2:])
    if how == "other_amount":
        return re.sub(r'="1000"', '="1001"', text, count=1)
    if how == "stranger":
        cells = lines[-1].split(",")
        cells[COLUMNS.index("廠商訂單編號")], cells[COLUMNS.index("綠界訂單編號")] = '="NOSUCHORDER000000000"', '="1"'
        return text + ",".join(cells)
    return text


def note_refund(order, amount):
    order["refunds"].append({"amount": amount, "at": round(time.time(), 3)})
    order["refunded"] += amount
