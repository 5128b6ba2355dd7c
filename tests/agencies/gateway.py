"""The gateway: makes orders, plays the bank and the store, answers queries, takes refunds."""
import re
import time

import books
import cards
import checkmac
import orders

PAYMENT_TYPES = {"card": "Credit_CreditCard", "atm": "ATM_TAISHIN", "cvs": "CVS_CVS"}
TIMESTAMP_SECONDS = 180
DAY = 86400
EXTRA = ("WebATMAccBank WebATMAccNo WebATMBankName ATMAccBank ATMAccNo PaymentNo PayFrom gwsr "
         "process_date auth_code amount stage stast staed eci card4no card6no red_dan red_de_amt "
         "red_ok_amt red_yet PeriodType Frequency ExecTimes PeriodAmount TotalSuccessTimes "
         "TotalSuccessAmount").split()


class Refused(Exception):
    """What was asked cannot be done now."""


def sign(fields):
    return checkmac.signed(fields, orders.HASH_KEY, orders.HASH_IV)


def own_fields(order):
    return {f"CustomField{n}": order["fields"].get(f"CustomField{n}", "") for n in (1, 2, 3, 4)}


def paid_fields(order, code="1", message="交易成功"):
    """The fields of the notice to ReturnURL, not signed."""
    method = order.get("method") or "card"
    when = order.get("paid_at") or books.now()
    out = {
        "MerchantID": orders.MERCHANT_ID, "MerchantTradeNo": order["order"],
        "StoreID": order["fields"].get("StoreID", ""), "RtnCode": code, "RtnMsg": message,
        "TradeNo": order["trade_no"], "TradeAmt": str(order["amount"]),
        "PaymentDate": books.taipei(when), "PaymentType": PAYMENT_TYPES[method],
        "PaymentTypeChargeFee": str(charge(order)), "TradeDate": books.taipei(order["at"]),
        "PlatformID": order["fields"].get("PlatformID", ""), "SimulatePaid": "0", **own_fields(order)}
    if order["fields"].get("NeedExtraPaidInfo") == "Y":
        out.update(extra_fields(order, method, when))
    return out


def extra_fields(order, method, when):
    out = dict.fromkeys(EXTRA, "")
    if method == "card":
        out.update(gwsr=cards.gwsr(order), process_date=books.taipei(when),
                   auth_code="777777", amount=str(order["amount"]), stage="0", stast="0", staed="0",
                   eci="0", card4no="2222", card6no="431195", red_dan="0", red_de_amt="0",
                   red_ok_amt="0", red_yet="0")
    elif method == "atm":
        out.update(ATMAccBank="808", ATMAccNo="12345")
    else:
        out.update(PaymentNo=order["code"]["PaymentNo"] if order.get("code") else "", PayFrom="family")
    return out


def code_fields(order):
    """The fields of the notice to PaymentInfoURL, not signed."""
    atm = order["method"] == "atm"
    return {
        "MerchantID": orders.MERCHANT_ID, "MerchantTradeNo": order["order"],
        "StoreID": order["fields"].get("StoreID", ""), "RtnCode": "2" if atm else "10100073",
        "RtnMsg": "Get VirtualAccount Succeeded" if atm else "Get CVS Code Succeeded.",
        "TradeNo": order["trade_no"], "TradeAmt": str(order["amount"]),
        "PaymentType": PAYMENT_TYPES[order["method"]], "TradeDate": books.taipei(order["at"]),
        **order["code"], **own_fields(order)}


def charge(order):
    """What the gateway keeps for itself."""
    return max(1, round(order["amount"] * 0.02))


def make_code(order):
    """The code that the payer takes to the bank or the store, and the moment it ends."""
    fields, start = order["fields"], books.now()
    if order["method"] == "atm":
        days = int(fields.get("ExpireDate") or 3)
        ends = orders.parse_date(books.taipei(start + days * DAY, "%Y/%m/%d 23:59:59"))
        return {"BankCode": "812", "vAccount": f"9103{order['id']:012d}",
                "ExpireDate": books.taipei(ends, "%Y/%m/%d")}, ends
    ends = start + 60 * int(fields.get("StoreExpireDate") or 7 * 1440)
    return {"PaymentNo": f"LLL{order['id']:011d}", "ExpireDate": books.taipei(ends),
            "Barcode1": "", "Barcode2": "", "Barcode3": ""}, ends


class Gateway:
    def __init__(self, ledger, courier):
        self.books = ledger
        self.courier = courier

    def create(self, fields):
        """(order, []) or (None, faults)."""
        with self.books.lock:
            faults = orders.order_faults(fields)
            number = fields.get("MerchantTradeNo", "")
            if number and self.books.order(number):
                faults.append("MerchantTradeNo: used before")
            if faults:
                return None, faults
            when = books.now()
            order = self.books.write("orders", {
                "order": number, "at": when, "amount": int(fields["TotalAmount"]), "state": "open",
                "method": None, "code": None, "paid_at": None, "ends_at": None, "refunded": 0, "refunds": [],
                "card_state": None, "offered": orders.offered(fields), "fields": fields,
                "skew_s": round(orders.parse_date(fields["MerchantTradeDate"]) - when)})
            order["trade_no"] = books.taipei(when, "%y%m%d%H%M%S") + f"{order['id'] % 100000000:08d}"
            self.books.write("orders", order)
            return order, []

    def find(self, number):
        order = self.books.order(number)
        if not order:
            raise Refused(f"no order {number}")
        return order

    def pay(self, number, method):
        """The payer pays by card, or has a code given. The answer is the entries of the notices."""
        with self.books.lock:
            order = self._open(number)
            if method not in order["offered"]:
                raise Refused(f"{method} is not offered for {number}")
            order["method"] = method
            if method == "card":
                return self._paid(order)
            order["state"] = "code"
            order["code"], order["ends_at"] = make_code(order)
            self.books.write("orders", order)
            url = order["fields"].get("PaymentInfoURL")
            if not url:
                return []
            return self.courier.notice(number, "PaymentInfoURL", url, sign(code_fields(order)))

    def decline(self, number):
        """The bank refuses the card."""
        with self.books.lock:
            order = self._open(number)
            if "card" not in order["offered"]:
                raise Refused(f"card is not offered for {number}")
            order["method"], order["state"] = "card", "declined"
            self.books.write("orders", order)
            fields = sign(paid_fields(order, "10100058", "付款失敗"))
            return self.courier.notice(number, "ReturnURL", order["fields"]["ReturnURL"], fields)

    def cancel(self, number):
        """The payer goes away."""
        with self.books.lock:
            order = self._open(number)
            order["state"] = "cancelled"
            self.books.write("orders", order)
            return []

    def settle(self, number):
        """The money for a code has come in at the bank or the store."""
        with self.books.lock:
            order = self.find(number)
            if order["state"] == "code" and books.now() > order["ends_at"]:
                order["state"] = "expired"
                self.books.write("orders", order)
            if order["state"] != "code":
                raise Refused(f"order {number} is {order['state']}, it waits for no money")
            return self._paid(order)

    def expire(self, number):
        """The code ends now; the real gateway sends no notice of that either."""
        with self.books.lock:
            order = self.find(number)
            if order["state"] != "code":
                raise Refused(f"order {number} is {order['state']}, it has no open code")
            order["state"], order["ends_at"] = "expired", books.now()
            self.books.write("orders", order)
            return []

    def yesterday(self):
        """All that was paid and paid back happened a day before."""
        with self.books.lock:
            for order in self.books.rows("orders"):
                for thing in (order, *order["refunds"]):
                    name = "paid_at" if thing is order else "at"
                    thing[name] = thing[name] and thing[name] - DAY
                self.books.write("orders", order)

    def _open(self, number):
        order = self.find(number)
        if order["state"] != "open":
            raise Refused(f"order {number} is {order['state']}")
        return order

    def _paid(self, order):
        order["state"], order["paid_at"] = "paid", books.now()
        if order["method"] == "card":
            order["card_state"] = self.books.switch("card_state")
        self.books.write("orders", order)
        return self.courier.notice(order["order"], "ReturnURL", order["fields"]["ReturnURL"],
                                   sign(paid_fields(order)))

    def query(self, fields):
        """(reply fields, []) or (None, faults) for QueryTradeInfo."""
        faults = self._request_faults(fields, ("MerchantID", "MerchantTradeNo", "TimeStamp"), ("PlatformID",))
        stamp = fields.get("TimeStamp", "")
        if stamp and not re.fullmatch(r"[0-9]{1,12}", stamp, re.ASCII):
            faults.append("TimeStamp: must be seconds since 1970")
        elif stamp and abs(time.time() - int(stamp)) > TIMESTAMP_SECONDS:
            faults.append("TimeStamp: more than 3 minutes off")
        if faults:
            return None, faults
        with self.books.lock:
            reply = self._state_fields(fields["MerchantTradeNo"])
        return sign(reply), []

    def _state_fields(self, number):
        order = self.books.order(number)
        if not order:
            order = {"fields": {}, "at": None, "state": "unknown"}
        known = "trade_no" in order
        paid = order["state"] == "paid"
        status = "1" if paid else "0" if order["state"] in ("open", "code", "expired") else "10200095"
        method = order.get("method")
        extra = extra_fields(order, method, order["paid_at"]) if paid and order["fields"].get("NeedExtraPaidInfo") == "Y" else {}
        return {**extra,
            "MerchantID": orders.MERCHANT_ID, "MerchantTradeNo": number,
            "StoreID": order["fields"].get("StoreID", ""), "TradeNo": order.get("trade_no", ""),
            "TradeAmt": str(order["amount"]) if known else "0",
            "PaymentDate": books.taipei(order["paid_at"]) if paid else "",
            "PaymentType": PAYMENT_TYPES[method] if method else "",
            "HandlingCharge": str(charge(order)) if paid else "0",
            "PaymentTypeChargeFee": str(charge(order)) if paid else "0",
            "TradeDate": books.taipei(order["at"]) if known else "",
            "TradeStatus": status, "ItemName": order["fields"].get("ItemName", ""), **own_fields(order)}

    def _request_faults(self, fields, required, optional=()):
        faults = [f"{name}: missing" for name in (*required, checkmac.NAME) if not fields.get(name)]
        faults += [f"{name}: unknown parameter" for name in fields
                   if name not in (*required, *optional, checkmac.NAME)]
        number = fields.get("MerchantTradeNo")
        if number and not re.fullmatch(r"[A-Za-z0-9]{1,20}", number, re.ASCII):
            faults.append("MerchantTradeNo: must be 1 to 20 of A-Z a-z 0-9")
        return faults + orders.merchant_faults(fields)

    def action(self, fields):
        """(reply fields, []) or (None, faults) for DoAction: C capture, R refund, E and N undo."""
        faults = self._request_faults(
            fields, ("MerchantID", "MerchantTradeNo", "TradeNo", "Action", "TotalAmount"), ("PlatformID",))
        amount = fields.get("TotalAmount", "")
        if amount and not re.fullmatch(r"[1-9][0-9]{0,9}", amount, re.ASCII):
            faults.append("TotalAmount: must be a whole number of TWD from 1, digits only")
        if fields.get("Action", "C") not in ("C", "R", "E", "N"):
            faults.append("Action: must be C, R, E or N")
        if faults:
            return None, faults
        with self.books.lock:
            why = self._act(fields, int(amount))
            self.books.write("actions", {"order": fields["MerchantTradeNo"], "action": fields["Action"],
                                         "amount": int(amount), "done": why is None, "why": why})
        return {"MerchantID": orders.MERCHANT_ID, "MerchantTradeNo": fields["MerchantTradeNo"],
                "TradeNo": fields["TradeNo"], "RtnCode": "1" if why is None else "0",
                "RtnMsg": why or "Succeeded"}, []

    def _act(self, fields, amount):
        """Does it and answers None, or says why not."""
        order = self.books.order(fields["MerchantTradeNo"])
        if not order or order["trade_no"] != fields["TradeNo"]:
            return "no such trade"
        if order["state"] != "paid" or order["method"] != "card":
            return "not paid by card"
        action = fields["Action"]
        if self.books.switch("refuse_action") == action:
            self.books.turn({"refuse_action": "none"})
            return "refused, as it was told to"
        wanted = {"C": ("authorised",), "E": ("to_capture",), "N": ("authorised",), "R": ("captured", "to_capture")}[action]
        if order["card_state"] not in wanted:
            return f"the card payment is {order['card_state']}, not {' or '.join(wanted)}"
        if action == "R":
            if order["card_state"] == "to_capture" and amount == order["amount"]:
                return "not captured yet: all of it goes back by E and N"
            if order["refunded"] + amount > order["amount"]:
                return "more than is left to refund"
            cards.note_refund(order, amount)
        elif amount != order["amount"] and action != "C":
            return "only in full"
        elif amount > order["amount"]:
            return "more than was authorised"
        if action == "N":
            cards.note_refund(order, amount)
        if action == "E":
            order["uncaptured"] = books.now()
        order["card_state"] = {"C": "to_capture", "E": "authorised", "N": "abandoned"}.get(action, order["card_state"])
        self.books.write("orders", order)
        return None

    def forge(self, number, ask):
        """Sends exactly the notice that `ask` (text by name) describes, true or not. Changes no order."""
        known = self.books.order(number)
        last = known or (self.books.rows("orders") or [None])[-1]
        kind = {"return": "ReturnURL", "info": "PaymentInfoURL"}.get(ask.get("kind", "return"))
        if not kind:
            raise Refused("kind is return or info")
        url = ask.get("url") or (last["fields"].get(kind) if last else None)
        if not url or orders.url_fault(url):
            raise Refused("no address: give url=")
        order = dict(known) if known else {
            "order": number, "id": 0, "at": books.now(), "amount": 1000, "fields": {},
            "trade_no": books.taipei(books.now(), "%y%m%d%H%M%S") + "00000000"}
        order["method"] = ask.get("method") or order.get("method") or ("card" if kind == "ReturnURL" else "atm")
        if order["method"] not in PAYMENT_TYPES:
            raise Refused("method is card, atm or cvs")
        if kind == "PaymentInfoURL":
            if order["method"] == "card":
                raise Refused("a card has no code")
            order["code"] = order.get("code") or make_code(order)[0]
        fields = paid_fields(order) if kind == "ReturnURL" else code_fields(order)
        changes = {"amount": "TradeAmt", "code": "RtnCode", "merchant": "MerchantID",
                   "trade_no": "TradeNo", "simulate": "SimulatePaid", "message": "RtnMsg"}
        fields.update({name: ask[word] for word, name in changes.items() if word in ask})
        fields = sign(fields)
        mac = ask.get("mac", "right")
        if mac == "wrong":
            fields[checkmac.NAME] = checkmac.spoiled(fields[checkmac.NAME])
        elif mac == "none":
            del fields[checkmac.NAME]
        elif mac != "right":
            raise Refused("mac is right, wrong or none")
        times = ask.get("times", "1")
        if not re.fullmatch(r"[1-9][0-9]?", times, re.ASCII):
            raise Refused("times is 1 to 99")
        return self.courier.exactly(number, kind, url, fields, int(times), ask.get("together") == "1")
