"""The border's own desk: a page where a person reports arrivals and departures and cancels them, and the control for tests."""
import agency_web
import border_system
import pages
from agency_web import button

esc = pages.esc
TOP = '<strong>測試用入出境查驗系統 / Test border</strong> <a href="/">入出境 / Arrivals and departures</a>'
DIRECTIONS = {"arrival": "入境 / arrival", "departure": "出境 / departure"}
STATES = {"current": "有效 / current", "cancelled": "已取消 / cancelled", "valid": "有效 / valid", "superseded": "已換發 / superseded",
          "revoked": "已廢止 / revoked", "expired": "已逾期 / expired"}
ENTRIES = {"": "-", "resident_visa": "居留簽證 / resident visa", "visitor_visa": "停留簽證 / visitor visa", "visa_exempt": "免簽 / visa-exempt",
           "permit": "居留證 / permit", "other": "其他 / other"}
FIELDS = (("name_latin", "姓名 / Name", "NGUYEN VAN ANH"), ("passport_no", "護照號碼 / Passport", "C1234567"),
          ("nationality", "國籍 / Nationality", "VNM"), ("birth", "出生日期 / Born", "1996-04-12"), ("sex", "性別 / Sex (M, F, X)", "M"),
          ("port", "機場港口 / Port", "TPE"), ("at", "時間 (UTC)，空白為現在 / Time (UTC), empty: now", ""),
          ("permit_no", "出示之居留證 / Permit shown", ""))
SHOWN = 200


def report(one, ask):
    person = {n: ask.get(n, "") for n in border_system.PERSON}
    if not person["name_latin"] or ask.get("direction") not in DIRECTIONS:
        raise border_system.Refused("name, direction?")
    more = {n: ask[n] for n in ("at", "port", "entry", "permit_no") if ask.get(n)}
    return one.report(direction=ask["direction"], person=person, **more)


def choice(name, label, values):
    options = "".join(f'<option value="{k}">{v}</option>' for k, v in values.items())
    return f'<p><label>{label}<br><select name="{name}">{options}</select></label></p>'


def form():
    rows = "".join(f'<p><label>{label}<br><input name="{name}" value="{esc(value)}"></label></p>' for name, label, value in FIELDS)
    return (f'<section><h2>登錄 / Report</h2><form method="post" action="/report">{choice("direction", "方向 / Direction", DIRECTIONS)}{rows}'
            f'{choice("entry", "入境事由 / Came in on", ENTRIES)}<button>登錄 / Report</button></form></section>')


def state_of(state):
    return STATES.get(state, esc(state))


def movement_of(row):
    m = row["movement"]
    cancel = button("/cancel", "取消 / Cancel", id=m["id"]) if m["state"] == "current" else ""
    return (f'<section><h2>{esc(m["id"])}</h2><dl><dt>方向 / Direction</dt><dd>{DIRECTIONS.get(m["direction"], esc(m["direction"]))}</dd>'
            f'<dt>狀態 / State</dt><dd>{state_of(m["state"])}</dd><dt>時間 / Time</dt><dd>{esc(m["at"])}, {esc(m["port"])}</dd>'
            f'<dt>旅客 / Traveller</dt><dd>{esc(m.get("person", {}).get("name_latin"))}, {esc(m.get("person", {}).get("passport_no"))}</dd></dl>{cancel}</section>')


def permit_of(row):
    p = row["permit"]
    return (f'<li>{esc(p["permit_no"])} · {state_of(p["state"])} · {esc(p["kind"])} · {esc(p["valid_from"])} – {esc(p["valid_to"])} · '
            f'{esc(p["person"]["name_latin"])} · {esc(p["version"])}</li>')


def desk_page(system):
    ledger = system.books
    with ledger.lock:
        moved = "".join(map(movement_of, ledger.rows("movements")[::-1][:SHOWN]))
        permits = "".join(map(permit_of, ledger.rows("permits")[::-1][:SHOWN]))
    return pages.page("入出境 / Arrivals and departures", (
        f'{agency_web.waiting(ledger)}{form()}<section><h2>居留證 / Permits</h2><ul class="plain">{permits}</ul></section>{moved}'), TOP)


class Handler(agency_web.Handler):
    """Controls: report {…of a movement, push}, cancel {id, push}."""

    top, page = TOP, desk_page
    deeds = {"/report": report, "/cancel": lambda one, ask: one.cancel(ask.get("id", ""))}
    controls = {"report": lambda one, ask: one.report(**ask), "cancel": lambda one, ask: one.cancel(ask["id"], ask.get("push", True))}


class Desk(agency_web.Desk):
    handler = Handler
