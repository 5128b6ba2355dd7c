"""The fines system's own desk: pages where a person plays it, and the control for tests."""
import agency_web
import pages
from agency_web import button

esc = pages.esc
TOP = '<strong>測試用罰鍰系統 / Test fines system</strong> <a href="/">案件 / Cases</a>'
STATES = {"open": "未繳 / to be paid", "paid": "已繳 / paid", "waived": "已免罰 / waived", "cancelled": "已撤銷 / cancelled"}
FEES = {"none": "無 / none", "unpaid": "未繳 / not paid", "paid": "已繳 / paid", "refunded": "已退費 / refunded"}
DO = {"paid": "收款 / Take the money", "waived": "免罰 / Waive", "cancelled": "撤銷 / Cancel", "open": "恢復 / Open again"}
SHOWN = 200


def fine_of(fine):
    buttons = "".join(button("/change", text, fine_no=fine["fine_no"], state=state) for state, text in DO.items()
                      if (fine["state"] == "open") != (state == "open"))
    return (f'<dl><dt>罰鍰 / Fine</dt><dd class="code">{esc(fine["fine_no"])}</dd><dt>金額 / Amount</dt><dd>NT$ {esc(fine["amount"])}</dd>'
            f'<dt>狀態 / State</dt><dd>{STATES.get(fine["state"], esc(fine["state"]))}</dd><dt>裁處 / Set</dt><dd>{esc(fine["set"])}</dd>'
            f'<dt>依據 / Rule</dt><dd>{esc(fine.get("rule", "-"))}</dd></dl>{buttons}')


def case_of(system, row):
    case, fee = row["told"], row["told"]["fee"]
    fines = system.rows_of(case["case_no"])
    set_one = button("/set", "依逾期日數裁處 / Set by its band", case_no=case["case_no"]) if case["days_late"] != "0" and not fines else ""
    return (f'<section><h2>{esc(case["case_no"])}</h2><dl><dt>申請人 / Person</dt><dd>{esc(case["person"]["name_latin"])}</dd>'
            f'<dt>申請 / Filed</dt><dd>{esc(case["filed"])}</dd><dt>期限 / Deadline</dt><dd>{esc(case.get("deadline", "-"))}</dd>'
            f'<dt>逾期日數 / Days late</dt><dd>{esc(case["days_late"])}</dd><dt>規費 / Fee</dt><dd>NT$ {esc(fee["amount"])}, '
            f'{FEES.get(fee["state"], esc(fee["state"]))}</dd></dl>{set_one}{"".join(map(fine_of, fines))}</section>')


def desk_page(system):
    ledger = system.books
    with ledger.lock:
        shown = "".join(case_of(system, row) for row in ledger.rows("cases")[::-1][:SHOWN])
    return pages.page("案件與罰鍰 / Cases and fines", (
        agency_web.waiting(ledger) + (shown or "<p>沒有案件 / No case yet</p>")), TOP)


class Handler(agency_web.Handler):
    """Controls: set {case_no, …}, change {fine_no, state, push}."""

    top, page = TOP, desk_page
    deeds = {"/set": lambda one, ask: one.set_fine(ask.get("case_no", "")),
             "/change": lambda one, ask: one.change(ask.get("fine_no", ""), ask.get("state", ""))}
    controls = {"set": lambda one, ask: one.set_fine(**ask), "change": lambda one, ask: one.change(**ask)}


class Desk(agency_web.Desk):
    handler = Handler
