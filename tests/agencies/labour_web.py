"""The labour agency's own desk: pages where a person plays it, and the control for tests."""
import datetime

import agency_web
import labour_agency
import pages

esc = pages.esc
TOP = '<strong>測試用勞動力發展署 / Test labour agency</strong> <a href="/">文件 / Letters</a>'
STATES = {"valid": "有效 / valid", "lapsed": "失效 / lapsed", "revoked": "已廢止 / revoked", "ended": "已終止 / ended"}
KINDS = {"recruitment": "招募許可 / recruitment", "introduction": "入國引進許可 / introduction", "replacement": "遞補招募 / replacement",
         "employment": "聘僱許可 / employment", "extension": "展延聘僱許可 / extension", "takeover": "接續聘僱許可 / takeover"}
CATEGORIES = ("manufacturing", "construction", "agriculture", "fishery", "slaughter", "care_home", "care_household", "domestic",
              "intermediate", "other")
EMPLOYER = (("employer_id", "雇主統編或身分證號 / Employer's number", "04595257"),
            ("employer_name", "雇主 / Employer", "大同精密股份有限公司"), ("workplace", "工作地 / Place of work", "臺中市西屯區工業區一路1號"))
RECRUITMENT = (*EMPLOYER, ("nationalities", "國籍 / Nationalities", "VNM IDN"), ("quota", "核准名額 / Quota", "12"))
EMPLOYMENT = (*EMPLOYER, ("name_latin", "姓名 / Name", "NGUYEN VAN ANH"), ("passport_no", "護照號碼 / Passport", "C1234567"),
              ("nationality", "國籍 / Nationality", "VNM"), ("birth", "出生日期 / Born", "1996-04-12"), ("sex", "性別 / Sex (M, F, X)", "M"),
              ("recruitment_no", "招募許可文號 / Recruitment letter", ""))
SHOWN = 200


def days(years=0, days_on=0):
    today = datetime.date.today()
    return (today.replace(year=today.year + years, day=min(today.day, 28)) + datetime.timedelta(days=days_on)).isoformat()


def permit_of(form):
    """A permit out of a form's fields, valid from today."""
    kind = form.get("kind", "")
    if kind not in KINDS:
        raise labour_agency.Refused("kind?")
    out = {"kind": kind, "state": "valid", "issued": days(), "valid_from": days(), "category": form.get("category", "other"),
           "employer": {"id": form.get("employer_id", ""), "name": form.get("employer_name", "")}, "workplace": form.get("workplace") or None}
    if labour_agency.SORT_OF[kind] == "recruitment":
        out.update({"valid_to": days(days_on=180), "quota": form.get("quota", "0"), "used": "0",
                    "nationalities": form.get("nationalities", "").split() or None})
    else:
        worker = {n: form.get(n, "") for n in ("name_latin", "passport_no", "nationality", "birth", "sex")}
        out.update({"valid_to": days(years=3, days_on=-1), "worker": worker, "recruitment_no": form.get("recruitment_no") or None})
    return {k: v for k, v in out.items() if v is not None}


def form(title, kinds, fields):
    options = "".join(f'<option value="{k}">{KINDS[k]}</option>' for k in kinds)
    work = "".join(f"<option>{c}</option>" for c in CATEGORIES)
    rows = "".join(f'<p><label>{esc(label)}<br><input name="{name}" value="{esc(value)}"></label></p>' for name, label, value in fields)
    return (f'<section><h2>{title}</h2><form method="post" action="/issue"><p><label>種類 / Kind<br><select name="kind">{options}</select>'
            f'</label></p><p><label>工作類別 / Work<br><select name="category">{work}</select></label></p>{rows}'
            f"<button>核發 / Issue</button></form></section>")


def letter(row):
    p = row["permit"]
    whom = p["worker"]["name_latin"] if "worker" in p else f"{p.get('used')} / {p.get('quota')}"
    button = "" if p["state"] == "revoked" else (
        f'<form method="post" action="/revoke"><input type="hidden" name="letter_no" value="{esc(p["letter_no"])}">'
        f'<button class="quiet">廢止 / Revoke</button></form>')
    return (f'<section><h2>{esc(p["letter_no"])}</h2><dl><dt>種類 / Kind</dt><dd>{KINDS.get(p["kind"], esc(p["kind"]))}</dd>'
            f'<dt>狀態 / State</dt><dd>{STATES.get(p["state"], esc(p["state"]))}</dd><dt>雇主 / Employer</dt>'
            f'<dd>{esc(p["employer"]["name"])} ({esc(p["employer"]["id"])})</dd><dt>對象 / Whom</dt><dd>{esc(whom)}</dd>'
            f'<dt>期間 / From, to</dt><dd>{esc(p["valid_from"])} – {esc(p["valid_to"])}</dd></dl>{button}</section>')


def desk_page(one):
    ledger = one.books
    with ledger.lock:
        letters, requests = (ledger.rows(k) for k in ("letters", "requests"))
    asked = "".join(f'<li>{esc(r.get("service"))} · {esc(r.get("user"))} · {esc(r.get("issue") or "")} · {esc(r.get("xid"))}'
                    f'{" · " + esc(", ".join(r["faults"])) if r["faults"] else ""}</li>' for r in requests[-20:][::-1])
    return pages.page("許可文件 / Letters", (
        agency_web.waiting(ledger)
        + form("招募許可 / Recruitment permit", ("recruitment", "introduction", "replacement"), RECRUITMENT)
        + form("聘僱許可 / Employment permit", ("employment", "extension", "takeover"), EMPLOYMENT)
        + "".join(letter(r) for r in letters[::-1][:SHOWN])
        + f'<section><h2>查詢紀錄 / What was asked</h2><ul class="plain">{asked}</ul></section>'), TOP)


class Handler(agency_web.Handler):
    """Controls: issue {permit, push}, revoke {letter_no, push}."""

    top, page = TOP, desk_page
    deeds = {"/issue": lambda one, ask: one.issue(permit_of(ask)), "/revoke": lambda one, ask: one.revoke(ask.get("letter_no", ""))}
    controls = {"issue": lambda one, ask: one.issue(ask["permit"], ask.get("push")),
                "revoke": lambda one, ask: one.revoke(ask["letter_no"], ask.get("push", True))}


class Desk(agency_web.Desk):
    handler = Handler
