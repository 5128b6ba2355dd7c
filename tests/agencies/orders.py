"""Whether the parameters of an order are what the gateway takes. Each fault reads "Name: what is wrong"."""
import datetime
import ipaddress
import re
import urllib.parse

import checkmac

MERCHANT_ID = "3002607"
HASH_KEY = "pwFHCqoQZGmho4w6"
HASH_IV = "EkRm7iFT261dpevs"

METHODS = {"Credit": "card", "ATM": "atm", "CVS": "cvs"}
KNOWN_METHODS = ("ALL Credit ATM CVS BARCODE WebATM ApplePay TWQR BNPL WeiXin DigitalPayment").split()
REQUIRED = ("MerchantID MerchantTradeNo MerchantTradeDate PaymentType TotalAmount TradeDesc ItemName "
            "ReturnURL ChoosePayment EncryptType CheckMacValue").split()
URLS = "ReturnURL PaymentInfoURL ClientRedirectURL ClientBackURL OrderResultURL ItemURL".split()
# The longest value of each parameter, in characters.
LENGTHS = {
    "MerchantID": 10, "MerchantTradeNo": 20, "MerchantTradeDate": 20, "PaymentType": 20,
    "TotalAmount": 10, "TradeDesc": 200, "ItemName": 400, "ChoosePayment": 20, "EncryptType": 1,
    "CheckMacValue": 64, "NeedExtraPaidInfo": 1, "IgnorePayment": 100, "Language": 3, "StoreID": 20,
    "Remark": 100, "ExpireDate": 2, "StoreExpireDate": 5, "PlatformID": 10,
    "CustomField1": 50, "CustomField2": 50, "CustomField3": 50, "CustomField4": 50,
    **dict.fromkeys(URLS, 200),
}
FORMS = {
    "MerchantTradeNo": (r"[A-Za-z0-9]{1,20}", "1 to 20 of A-Z a-z 0-9"),
    "TotalAmount": (r"[1-9][0-9]{0,9}", "a whole number of TWD from 1, digits only"),
    "PaymentType": (r"aio", "aio"),
    "EncryptType": (r"1", "1"),
    "NeedExtraPaidInfo": (r"[YN]?", "Y or N"),
    "Language": (r"(ENG|KOR|JPN|CHI)?", "ENG, KOR, JPN or CHI"),
    "StoreID": (r"[A-Za-z0-9]*", "of A-Z a-z 0-9"),
}


class FormError(Exception):
    """A body that is no well-formed form."""


def parse_form(body):
    """The fields of an urlencoded form in UTF-8, as sent: nothing trimmed, empty ones kept."""
    fields = {}
    if not body:
        return fields
    try:
        text = body.decode("ascii")
        if re.search(r"%(?![0-9A-Fa-f]{2})", text):
            raise FormError("the body has a % without two hex digits")
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=True,
                                       encoding="utf-8", errors="strict", max_num_fields=200)
    except ValueError as error:
        raise FormError(f"the body is no urlencoded form in UTF-8 ({error})") from None
    for name, value in pairs:
        if name in fields:
            raise FormError(f"{name}: sent twice")
        fields[name] = value
    return fields


def order_faults(fields):
    """All that is wrong with the parameters of an order by themselves; an empty list is a good order."""
    faults = [f"{name}: missing" for name in REQUIRED if not fields.get(name)]
    for name, value in fields.items():
        if name not in LENGTHS:
            faults.append(f"{name}: unknown parameter")
        elif len(value) > LENGTHS[name]:
            faults.append(f"{name}: longer than {LENGTHS[name]} characters")
        elif any(ord(c) < 0x20 or ord(c) == 0x7F for c in value):
            faults.append(f"{name}: has a control character")
    for name, (form, wanted) in FORMS.items():
        value = fields.get(name)
        if value and not re.fullmatch(form, value, re.ASCII):
            faults.append(f"{name}: must be {wanted}")
    faults += merchant_faults(fields)
    faults += date_faults(fields.get("MerchantTradeDate", ""))
    faults += item_faults(fields.get("ItemName", ""))
    faults += url_faults(fields)
    faults += method_faults(fields)
    return faults


def merchant_faults(fields):
    """Of MerchantID and CheckMacValue, which every request has."""
    faults = []
    if fields.get("MerchantID") and fields["MerchantID"] != MERCHANT_ID:
        faults.append("MerchantID: no such merchant")
    if fields.get(checkmac.NAME) and not checkmac.is_right(fields, HASH_KEY, HASH_IV):
        faults.append("CheckMacValue: wrong")
    return faults


def parse_date(text):
    """A moment in Taipei as seconds since 1970; None if `text` is not yyyy/MM/dd HH:mm:ss."""
    if not re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", text, re.ASCII):
        return None
    try:
        when = datetime.datetime.strptime(text + " +0800", "%Y/%m/%d %H:%M:%S %z")
    except ValueError:
        return None
    return when.timestamp()


def date_faults(text):
    if text and parse_date(text) is None:
        return ["MerchantTradeDate: must be a date as yyyy/MM/dd HH:mm:ss"]
    return []


def item_faults(text):
    if text and not all(part.strip() for part in text.split("#")):
        return ["ItemName: has an empty item between #"]
    return []


def url_faults(fields):
    faults = []
    for name in URLS:
        if fields.get(name):
            why = url_fault(fields[name])
            if why:
                faults.append(f"{name}: {why}")
    seen = {}
    for name in ("ReturnURL", "OrderResultURL", "ClientBackURL"):
        url = fields.get(name)
        if url and url in seen:
            faults.append(f"{name}: the same as {seen[url]}")
        elif url:
            seen[url] = name
    return faults


def url_fault(url):
    """What is wrong with an address, or None. Ports other than 80 and 443 pass inside a house only."""
    if not url.isascii():
        return "must be ASCII, its host in punycode"
    if re.search(r"[\x00-\x20\x7f;|`<>\"\\^{}]", url):
        return "has a character that an address may not have"
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return "must be http:// or https:// with a host"
    if parts.fragment:
        return "has a fragment"
    if port not in (None, 80, 443) and not is_inside(host):
        return "must have port 80 or 443"
    return None


def is_inside(host):
    """Whether `host` is this machine or its private net, which the real gateway could not reach."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".test", ".internal"))


def is_days(value, least, most):
    return bool(re.fullmatch(r"[0-9]{1,5}", value, re.ASCII)) and least <= int(value) <= most


def method_faults(fields):
    faults = []
    chosen = fields.get("ChoosePayment", "")
    if chosen and chosen not in KNOWN_METHODS:
        faults.append("ChoosePayment: no such method")
    elif chosen and not offered(fields):
        faults.append("ChoosePayment: nothing of it is open to this merchant")
    ignored = [m for m in fields.get("IgnorePayment", "").split("#") if m]
    if any(m not in KNOWN_METHODS or m == "ALL" for m in ignored):
        faults.append("IgnorePayment: no such method")
    if fields.get("ExpireDate") and not is_days(fields["ExpireDate"], 1, 60):
        faults.append("ExpireDate: must be 1 to 60 (days)")
    if fields.get("StoreExpireDate") and not is_days(fields["StoreExpireDate"], 1, 43200):
        faults.append("StoreExpireDate: must be 1 to 43200 (minutes)")
    return faults


def offered(fields):
    """The ways to pay that the payer is shown: of card, atm, cvs."""
    chosen = fields.get("ChoosePayment", "")
    if chosen != "ALL":
        return [METHODS[chosen]] if chosen in METHODS else []
    ignored = fields.get("IgnorePayment", "").split("#")
    return [way for name, way in METHODS.items() if name not in ignored]
