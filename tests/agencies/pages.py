"""The pages that a person sees: Chinese and English side by side, plain HTML, one style sheet."""
import html
import urllib.parse

import books

STATES = {
    "open": "等待付款 / Not paid yet", "code": "已取號，待繳費 / Code given, money awaited",
    "paid": "已付款 / Paid", "cancelled": "已取消 / Cancelled",
    "declined": "刷卡失敗 / Card refused", "expired": "已逾期 / Code expired",
}
WAYS = {
    "card": "信用卡付款 / Pay by card", "atm": "取得 ATM 帳號 / Get an ATM code",
    "cvs": "取得超商代碼 / Get a convenience-store code",
}
NOTICES = {"answered": "已確認 / acknowledged", "waiting": "傳送中 / under way", "held": "暫緩 / held back",
           "given up": "放棄 / given up", "dropped": "未傳送 / not sent"}
SETTLE = "現在到銀行／超商繳費 / The payer pays now at the bank/store"
SHOWN = 200

STYLE = """
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, "Noto Sans CJK TC", "Noto Sans TC", sans-serif; margin: 0 auto;
  padding: 0 1rem 2rem; max-width: 50rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline;
  border-bottom: 3px solid #0a7d3e; padding: .75rem 0 .25rem; margin-bottom: 1rem; }
header strong { margin-right: auto; }
h1 { font-size: 1.3rem; margin: .5rem 0; }
section { border: 1px solid #8888; border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 1rem; }
section h2 { font-size: 1.05rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: .25rem 1rem; margin: .5rem 0; }
dt { opacity: .75; }
dd { margin: 0; overflow-wrap: anywhere; }
.code { font: 700 1.25rem/1.4 ui-monospace, monospace; }
form { margin: .5rem 0; }
form p { margin: .5rem 0; }
input, select { font: inherit; min-height: 2.5rem; width: min(30rem, 100%); padding: .25rem .5rem; }
button, .button { display: inline-block; min-height: 2.75rem; min-width: min(20rem, 100%);
  padding: .5rem 1rem; font: inherit; text-align: center; text-decoration: none; color: #fff;
  background: #0a6b36; border: 2px solid #0a6b36; border-radius: .4rem; cursor: pointer; }
button.quiet { color: inherit; background: none; border-color: #888; }
button:focus-visible, a:focus-visible { outline: 3px solid #d08000; outline-offset: 2px; }
.fault { border-color: #b00020; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; font: inherit; }
ul.plain { list-style: none; padding: 0; }
ul.plain li { padding: .5rem 0; border-bottom: 1px solid #8884; overflow-wrap: anywhere; }
"""


def esc(value):
    return html.escape(str(value), quote=True)


TOP = """<strong>測試用金流與郵件 / Test payment and mail</strong>
<a href="/">訂單 / Orders</a> <a href="/mails">郵件 / Mails</a>"""


def page(title, body, top=TOP):
    return f"""<!DOCTYPE html>
<html lang="zh-Hant">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{esc(title)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>{top}</header>
<main>
<h1>{esc(title)}</h1>
{body}
</main>
</body>
</html>
"""


def rows(pairs):
    return "<dl>" + "".join(f"<dt>{esc(k)}</dt><dd{c}>{esc(v)}</dd>" for k, v, c in (
        (*pair, "") if len(pair) == 2 else (pair[0], pair[1], f' class="{pair[2]}"')
        for pair in pairs)) + "</dl>"


def button(action, ident, label, quiet=False):
    style = ' class="quiet"' if quiet else ""
    return (f'<form method="post" action="{esc(action)}">'
            f'<button id="{esc(ident)}"{style}>{esc(label)}</button></form>')


def carry(url, fields, ident, label):
    """A form by which the payer's browser takes `fields` to the shop."""
    hidden = "".join(f'<input type="hidden" name="{esc(k)}" value="{esc(v)}">' for k, v in fields.items())
    return (f'<form method="post" action="{esc(url)}" accept-charset="utf-8">{hidden}'
            f'<button id="{esc(ident)}">{esc(label)}</button></form>')


def fault_page(faults):
    items = "".join(f"<li>{esc(f)}</li>" for f in faults)
    return page("訂單錯誤 / The order is refused",
                f'<section class="fault" role="alert" id="fault"><ul>{items}</ul></section>')


def message_page(title, text, top=TOP):
    return page(title, f'<section class="fault" role="alert"><p>{esc(text)}</p></section>', top)


def order_rows(order):
    fields = order["fields"]
    pairs = [("訂單編號 / Order", order["order"]), ("交易編號 / Trade", order["trade_no"]),
             ("金額 / Amount", f"NT$ {order['amount']:,}"),
             ("品名 / Items", "、".join(fields["ItemName"].split("#"))),
             ("說明 / About", fields["TradeDesc"]), ("狀態 / State", STATES[order["state"]])]
    if order["paid_at"]:
        pairs.append(("付款時間 / Paid at", books.taipei(order["paid_at"])))
    code = order["code"] or {}
    if "vAccount" in code:
        pairs += [("銀行代碼 / Bank", code["BankCode"], "code"), ("帳號 / Account", code["vAccount"], "code")]
    if "PaymentNo" in code:
        pairs.append(("繳費代碼 / Code", code["PaymentNo"], "code"))
    if code:
        pairs.append(("繳費期限 / Pay until", code["ExpireDate"]))
    return rows(pairs)


def order_page(order, result, info):
    """Where the payer chooses; later what came of it. `result` and `info` are the signed fields that
    the payer's browser may take to the shop, or None."""
    fields, path = order["fields"], "/pay/" + urllib.parse.quote(order["order"], safe="")
    body = [f'<section id="order" data-state="{esc(order["state"])}">', order_rows(order), "</section>"]
    if order["state"] == "open":
        body += [button(f"{path}/{way}", f"pay-{way}", WAYS[way]) for way in order["offered"]]
        if "card" in order["offered"]:
            body.append(button(f"{path}/decline", "decline", "刷卡失敗 / The bank refuses the card", True))
        body.append(button(f"{path}/cancel", "cancel", "取消付款 / Cancel", True))
    if order["state"] == "code":
        body.append(button(f"{path}/settle", "settle", SETTLE, True))
    if result and fields.get("OrderResultURL"):
        body.append(carry(fields["OrderResultURL"], result, "result",
                          "帶結果回商店 / Take the result to the shop"))
    if info and fields.get("ClientRedirectURL"):
        body.append(carry(fields["ClientRedirectURL"], info, "redirect",
                          "帶代碼回商店 / Take the code to the shop"))
    if fields.get("ClientBackURL"):
        body.append(f'<p><a id="back" class="button" href="{esc(fields["ClientBackURL"])}">'
                    "返回商店 / Back to the shop</a></p>")
    return page("付款 / Payment", "\n".join(body))


def list_page(all_orders, callbacks):
    """Every order, newest first, with the notices sent for it."""
    by_order = {}
    for entry in callbacks:
        by_order.setdefault(entry["order"], []).append(entry)
    body = []
    for order in list(reversed(all_orders))[:SHOWN]:
        path = "/pay/" + urllib.parse.quote(order["order"], safe="")
        body.append(f'<section data-order="{esc(order["order"])}" data-state="{esc(order["state"])}">'
                    f'<h2><a href="{esc(path)}">{esc(order["order"])}</a></h2>')
        body.append(rows([("金額 / Amount", f"NT$ {order['amount']:,}"),
                          ("時間 / Time", books.taipei(order["at"])),
                          ("狀態 / State", STATES[order["state"]])]
                         + [("通知 / Notice", notice_text(e)) for e in by_order.get(order["order"], [])]))
        if order["state"] == "code":
            body.append(button(f"/settle/{order['order']}", f"settle-{order['order']}", SETTLE))
        body.append("</section>")
    return page("訂單 / Orders", "\n".join(body) or "<p>尚無訂單 / No order yet</p>")


def notice_text(entry):
    text = f"{entry['kind']}: {NOTICES[entry['state']]}, {len(entry['tries'])}×"
    if entry["tries"]:
        last = entry["tries"][-1]
        text += f" ({last['error'] or last['status']}{'' if last['ok'] else ' ' + last['body'][:80]})"
    return text


def mails_page(mails):
    items = "".join(
        f'<li><a href="/mails/{m["id"]}">{esc(m["subject"] or "—")}</a><br>'
        f'{esc(books.taipei(m["at"]))} → {esc(", ".join(m["to"]))}</li>' for m in list(reversed(mails))[:SHOWN])
    return page("郵件 / Mails", f'<ul class="plain">{items}</ul>' if items else "<p>尚無郵件 / No mail yet</p>")


def mail_page(mail):
    pairs = [("主旨 / Subject", mail["subject"]), ("寄件者 / From", mail["from"] or "<>"),
             ("收件者 / To", ", ".join(mail["to"])), ("時間 / Time", books.taipei(mail["at"]))]
    pairs += [("附件 / File", f"{a['name']} ({a['type']}, {a['size']} B)") for a in mail["attachments"]]
    pairs += [("瑕疵 / Fault", f) for f in mail["faults"]]
    text = mail["text"] or mail["html"]
    return page("郵件 / Mail", f"<section>{rows(pairs)}</section><section><pre>{esc(text)}</pre></section>"
                f'<p><a href="/mails/{mail["id"]}.eml">原始檔 / Source</a></p>')
