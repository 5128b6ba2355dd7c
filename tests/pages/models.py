"""Sample models of every page, in both languages, as docs/integrators/pages.md tells them.

usage: models.py OUT      writes OUT/<page>[.<case>].<lang>.json with "_template" and "_lang" for fill.c
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NS = "{urn:fwpermit:service:1}"
LANGS = ("zh-Hant", "en")
FLAGS = {"date": "is_date", "mrz": "is_mrz", "country": "is_select", "sex": "is_radio",
         "confirm": "is_confirm", "file": "is_file", "photo": "is_photo"}
MODES = {"number": "numeric", "ban": "numeric", "phone": "tel", "email": "email"}
PICTURE = "/samples/passport.svg"
FACE = "/samples/face.svg"


class Words:
    """Texts of one language."""

    def __init__(self, lang):
        self.lang = lang
        self.zh = lang != "en"
        self.catalogue = {}
        folder = "zh_Hant" if self.zh else "en"
        for po in sorted((ROOT / "conf/locale" / folder).glob("*.po")):
            for key, text in read_po(po):
                self.catalogue.setdefault(key, text)

    def __call__(self, zh, en):
        return zh if self.zh else en

    def key(self, key, other=""):
        return self.catalogue.get(key, other or key)


def read_po(path):
    key = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("msgid "):
            key, text = json.loads(line[6:]), ""
        elif line.startswith("msgstr "):
            text = json.loads(line[7:])
            if key:
                yield key, text


def time(text):
    return {"iso": text.replace(" ", "T") + ":00+08:00", "text": text}


def state(w, code, tone, kind="state"):
    return {"code": code, "label": w.key(f"{kind}.{code}"), "tone": tone}


STATES = {"draft": "grey", "initial_review": "blue", "second_review": "blue", "returned": "yellow",
          "awaiting_payment": "yellow", "held": "yellow", "producing": "blue", "issued": "green", "collected": "green", "rejected": "red"}
PEOPLE = [
    ("NGUYEN THI MAI HUONG", "Nguyễn Thị Mai Hương", "C4402217", "VNM", "enviro"),
    ("SRI WAHYUNI", None, "B7719034", "IDN", "steel"),
    ("SOMCHAI PHROMMA", "สมชาย พรหมมา", "AA8830127", "THA", "steel"),
    ("DELA CRUZ MARIA CONCEPCION SANTOS", None, "P1183427B", "PHL", "enviro"),
    ("TRAN VAN BINH", "Trần Văn Bình", "C9021145", "VNM", "steel"),
]
ORGS = {"steel": ("大甲精密鋼鐵股份有限公司", "Dajia Precision Steel Co., Ltd."),
        "enviro": ("永安環境科技股份有限公司", "Yongan Environmental Technology Co., Ltd.")}
SERVICE = ("移工電子居留證（首次申請）", "Electronic residence permit (first application)")


def line(w, n, code, office=False):
    name, native, passport, nation, org = PEOPLE[n % len(PEOPLE)]
    cid = str(4100 + n)
    step = {"draft": "todo.draft", "returned": "todo.returned",
            "awaiting_payment": "todo.awaiting_payment"}.get(code)
    at_office = code in ("initial_review", "second_review", "producing")
    late, soon = at_office and n == 1, at_office and n == 2
    o = {"id": cid, "href": f"/{'review' if office else 'cases'}/{cid}",
         "case_no": None if code == "draft" else f"EP115{n:06d}", "service": w(*SERVICE),
         "state": state(w, code, STATES[code]), "worker": name, "name_native": native,
         "passport_no": passport, "nationality": nation, "employer": w(*ORGS[org]),
         "created": time("2026-11-21 09:12"),
         "submitted": None if code == "draft" else time("2026-11-22 10:05"),
         "due": None if code == "draft" else time("2026-11-24 10:05"),
         "deadline": time("2026-12-09 23:59") if step else None, "fee": 1000, "version": 7,
         "is_final": code in ("issued", "rejected", "withdrawn", "expired"), "late": late, "soon": soon}
    if at_office:
        o["left"] = w("逾期 3 小時", "3 hours late") if late else w("剩 6 小時", "6 hours left") if soon \
            else w("剩 31 小時", "31 hours left")
    if not office:
        o["todo"] = w.key(step) if step else None
        o["can_pay"] = code == "awaiting_payment"
        if step:
            o["todo_href"] = f"/pay?case={cid}" if o["can_pay"] else f"/cases/{cid}/edit"
    return o


def chrome(w, template, who="broker", errors=None, notice=None):
    nav = {"broker": ["cases", "workers"], "officer": ["desk", "handout", "search"],
           "admin": ["dispatch", "arrivals", "receipts", "refunds", "settlements", "admin", "audit", "search"], None: []}[who]
    current = {"worker_form": "workers", "workers": "workers", "desk": "desk", "review": "desk",
               "search": "search", "admin_account": "admin", "case": "cases", "case_edit": "cases",
               "case_check": "cases", "case_stale": "cases", "pay": "cases", "payment": "cases", "refund": "refunds",
               "settlement": "settlements"}.get(template, template.split("_")[0])
    me = {"broker": {"name": w("林怡君", "Lin Yi-chun"), "login": "broker",
                     "org": w("宏達國際人力仲介有限公司", "Hongda Manpower Agency"), "roles": [w("仲介機構", "Agency")],
                     "is_applicant": True, "is_officer": False, "is_employer": False},
          "officer": {"name": w("陳志明", "Chen Chih-ming"), "login": "reviewer1", "org": None,
                      "roles": [w("初審", "Initial reviewer")], "is_applicant": False,
                      "is_officer": True, "is_employer": False},
          None: None}
    me["admin"] = me["officer"]
    site = {"agency": w("內政部移民署", "National Immigration Agency"), "demo": True, "v": "v1"}
    if template == "login":
        site["demo_password"] = "demo-permit-2026"
        site["demo_accounts"] = [{"login": n, "who": w.key(f"demo.{n}", n)} for n in (
            "broker", "employer", "reviewer1", "reviewer2", "dispatcher", "cashier", "admin", "auditor")]
    return {"_template": template, "_lang": w.lang, "site": site, "lang": w.lang,
            "other": {"label": w("English", "中文"), "lang": w("en", "zh-Hant"),
                      "href": f"/language/{w('en', 'zh-Hant')}?back=/"},
            "me": me[who], "nav": [{"href": f"/{n}", "label": w.key(f"nav.{n}"),
                                    "current": n == current} for n in nav],
            "title": w.key(f"title.{template}"), "csrf": "c" * 43, "request": "r" * 26,
            "notice": notice, "errors": errors}


# ---- forms, from the service's own file ----

def label(w, element):
    return None if element is None else element.findtext(NS + w("zh", "en"))


FILLED = {
    "mrz": "P<VNMNGUYEN<<THI<MAI<HUONG<<<<<<<<<<<<<<<<<<\nC4402217<4VNM9903142F3108116<<<<<<<<<<<<<<08",
    "name_latin": "NGUYEN THI MAI HUONG", "name_native": "Nguyễn Thị Mai Hương", "sex": "F",
    "birth": "1999-03-14", "nationality": "VNM", "passport_no": "C4402217",
    "passport_expiry": "2031-08-11", "has_ui_no": "no", "phone": "0912345678",
    "entry_date": "2026-11-18", "visa_no": "FR20261108", "address": "桃園市大園區中正東路二段188號3樓",
    "permit_letter": "勞動發事字第1151234567號", "category": "manufacturing", "employer_ban": "04595257",
    "contract_from": "2026-11-20", "contract_to": "2029-11-19", "work_address": "桃園市大園區民生路55號"}
COUNTRIES = [("IDN", "印尼", "Indonesia"), ("PHL", "菲律賓", "Philippines"), ("THA", "泰國", "Thailand"),
             ("VNM", "越南", "Viet Nam")]


def options(w, kind, element, value):
    if kind == "country":
        pairs = [(c, w(zh, en)) for c, zh, en in COUNTRIES]
    elif kind == "sex":
        pairs = [("F", w("女", "Female")), ("M", w("男", "Male")), ("X", "X")]
    else:
        pairs = [(c.get("value"), label(w, c)) for c in element.findall(NS + "choice")]
    return [{"value": v, "label": text, "selected": v == value} for v, text in pairs]


def sample_file(n, name, size, image):
    return {"id": str(n), "name": name, "size": size, "href": PICTURE if image else f"/cases/4100/files/{n}",
            "remove": f"/cases/4100/files/{n}/remove", "is_image": image,
            "mime": "image/jpeg" if image else "application/pdf"}


FILES = {"photo": [dict(sample_file(1, "photo.jpg", "212 KB", True), href=FACE)],
         "passport_page": [sample_file(2, "護照 NGUYEN.jpg", "1.4 MB", True)],
         "employment_proof": [sample_file(3, "聘僱契約_永安環境科技股份有限公司_2026-11-20_用印版.pdf", "486 KB", False)]}


def looked_at(file, scan):
    """As the scanner left it: not to be had before it is clean, nor when it is infected."""
    return dict(file, scan=scan, is_pending=scan == "pending", is_infected=scan == "infected",
                **({} if scan == "clean" else {"href": None}))


def field(w, element, data, errors=(), marks=None):
    name, kind = element.get("name"), element.get("type")
    value, marks_of = data.get(name, ""), marks or {}
    when = [{"field": c.get("field"), "op": c.get("op"), "value": c.get("value")}
            for c in element.findall(NS + "when")]
    asked = all((data.get(c["field"], "") in c["value"].split("|")) for c in when)
    flag = FLAGS.get(kind, "is_text")
    if kind == "choice":
        flag = "is_select" if len(element.findall(NS + "choice")) > 6 else "is_radio"
    o = {"name": name, "id": f"f-{name}", "label": label(w, element.find(NS + "label")),
         "hint": label(w, element.find(NS + "hint")), "required": element.get("required") == "yes",
         "value": value, "error": dict(errors).get(name), "max": int(element.get("max", 0)),
         "mark": marks_of.get(name), "locked": marks is not None and name not in marks_of,
         "hidden": not asked, "inputmode": MODES.get(kind), "autocomplete": "off",
         "when": json.dumps(when) if when else None, flag: True}
    if flag in ("is_select", "is_radio"):
        o["options"] = options(w, kind, element, value)
    if flag == "is_confirm":
        o["checked"] = value == "yes"
    if flag in ("is_file", "is_photo"):
        o |= {"is_filelike": True, "upload": f"/cases/4100/files/{name}", "max_bytes": 5242880,
              "accept": "image/jpeg,image/png,image/heic" if kind == "photo" else "image/*,application/pdf",
              "max_files": int(element.get("max-files", 1)), "files": FILES.get(name, []) if data else []}
    return o


def service():
    return ET.parse(ROOT / "conf/services/epermit.xml").getroot()


def form(w, data, errors=(), marks=None, told=None):
    """`told`: what the labour agency says of the letter."""
    return {"version": 7, "sections": [
        {"name": s.get("name"), "title": label(w, s.find(NS + "title")), "hint": label(w, s.find(NS + "hint")),
         "fields": [field(w, f, data, errors, marks) | ({"letter": told} if f.get("type") == "permit_letter" else {})
                    for f in s.findall(NS + "field")]}
        for s in service().findall(NS + "section")]}


def shown(w, f):
    for o in f.get("options", []):
        if o["selected"]:
            return o["label"]
    return f["value"]


def sections(w, href=None):
    return [{"title": s["title"], "href": href and f"{href}#s-{s['name']}", "rows": [
        {"name": f["name"], "label": f["label"], "value": shown(w, f), "changed": False, "is_mrz": f["name"] == "mrz"}
        for f in s["fields"] if f["value"]]}
        for s in form(w, FILLED)["sections"] if any(f["value"] for f in s["fields"])]


def listed_files(w):
    names = {f["name"]: f["label"] for s in form(w, FILLED)["sections"] for f in s["fields"]}
    return [dict(f, slot=slot, label=names[slot]) for slot, files in FILES.items() for f in files]


def history(w):
    officer = w("承辦人", "Officer")
    return [
        {"when": time("2026-11-23 09:40"), "what": w.key("event.case.return"), "who": officer, "changes": [],
         "reasons": [{"label": w("照片", "Photo"), "reason": w("背景有陰影，請在白牆前重拍。",
                                                            "There is a shadow behind the head; please take it before a white wall.")}]},
        {"when": time("2026-11-23 09:31"), "what": w.key("event.case.correct"), "who": officer, "reasons": [],
         "changes": [{"label": w("英文姓名", "Name"), "before": "NGUYEN THI MAI HOUNG", "after": "NGUYEN THI MAI HUONG"}]},
        {"when": time("2026-11-22 10:06"), "what": w.key("event.case.assign"), "who": w.key("who.system"),
         "changes": [], "reasons": []},
        {"when": time("2026-11-22 10:05"), "what": w.key("event.case.submit"), "who": w("林怡君", "Lin Yi-chun"),
         "changes": [], "reasons": []}]


# ---- pages ----

MARKS = {"photo": ("背景有陰影，請在白牆前重拍。", "There is a shadow behind the head; please take it before a white wall."),
         "address": ("地址不完整，請補正。", "The address is incomplete; please complete it.")}


def public_pages(w):
    yield "start", chrome(w, "start", None)
    yield "login", chrome(w, "login", None) | {"login": "", "next": "", "resume": None}
    yield "login.failed", chrome(w, "login", None, [{"href": "#f-login", "text": w(
        "帳號或密碼不正確。", "The user name or the password is not right.")}]) | {
            "login": "broker", "next": "/cases", "resume": {"action": "/cases/1/edit", "fields": '{"a":"<b>"}'}}
    yield "resume", chrome(w, "resume") | {"action": "/cases/4100/edit", "fields": [
        {"name": "name_latin", "value": "NGUYEN"}]}
    permit = {"permit_no": "EP1150000417", "kind": w("中華民國電子居留證", "Electronic Residence Permit"),
              "valid_from": "2026-11-25", "valid_to": "2027-05-24", "checked": time("2026-11-25 14:02")}
    for code, tone in (("valid", "green"), ("revoked", "red"), ("superseded", "purple"), ("waiting", "blue")):
        yield f"verify.{code}", chrome(w, "verify", None) | {"no": permit["permit_no"], "code": "7K2MQX4T", "asked": True,
              "found": permit | {"state": state(w, code, tone, "permit"), "is_valid": code == "valid", "begins_later": code == "valid",
                                 "is_expired": False, "is_superseded": code == "superseded", "by_card": code == "superseded",
                                 "is_waiting": code == "waiting", "is_revoked": code == "revoked"}}
    yield "verify.unknown", chrome(w, "verify", None) | {"no": "EP999", "code": "X", "asked": True, "found": None}
    yield "verify", chrome(w, "verify", None) | {"no": "", "code": "", "asked": False, "found": None}
    yield "problem", chrome(w, "problem", None) | {
        "status": 404, "problem_title": w.key("problem.title.404"), "detail": w.key("problem.not_found"),
        "hint": "", "back": "/", "log_id": "aBcD-0123456789@AbCdEfGhI", "reasons": [{"field": None, "key": "x", "reason": w("代碼有誤。", "The code is wrong.")}]}


def question(w, code, number="勞動發事字第1150012345號"):
    tone = {"asked": "blue", "found": "green", "failed": "red"}.get(code, "grey")
    return {"letter_no": number, "text": w.key(f"question.text.{code}"), "waits": code == "asked",
            "state": {"code": code, "tone": tone, "label": w.key(f"question.{code}")}}


def asked(w, codes, **changes):
    return {"questions": [question(w, c, f"勞動發事字第115000000{i}號") for i, c in enumerate(codes)], "waits": "asked" in codes,
            "action": "/workers/7/letter", "look": "/workers/7#asked", "link": None, "typed": None, "error": None} | changes


def letter(w, code, **changes):
    return question(w, code) | {"field": "permit_letter", "href": "/cases/4101/letter", "link": None,
                                "can_ask": code in ("unasked", "employer", "other", "none", "failed"), "fills": None} | changes


def worker_pages(w):
    rows = [{"id": str(i), "href": f"/workers/{i}", "name_latin": p[0], "name_native": p[1], "passport_no": p[2],
             "nationality": dict((c[0], w(*c[1:])) for c in COUNTRIES)[p[3]], "employer": w(*ORGS[p[4]]),
             "cases_href": f"/cases?worker={i}"} for i, p in enumerate(PEOPLE)]
    yield "workers", chrome(w, "workers") | {"workers": rows, "next": "/workers?before=9", "new_href": "/workers/new"}
    yield "workers.none", chrome(w, "workers") | {"workers": [], "next": None, "new_href": "/workers/new"}
    first = form(w, {})["sections"][0]
    employers = [{"id": str(i), "label": w(*o), "selected": False} for i, o in enumerate(ORGS.values())]
    base = {"id": None, "action": "/workers", "employers": employers, "services": [], "cases": [], "version": 0, "stay": None}
    yield "worker_form", chrome(w, "worker_form") | base | {"form": {"version": 0, "sections": [first]}}
    wrong = [("passport_no", w("護照號碼的檢查碼不符。", "The check digit of the passport number is wrong.")),
             ("sex", w("請填寫這個欄位。", "Please fill this in.")), ("mrz", w("機讀區須為兩行。", "Two lines are needed."))]
    yield "worker_form.errors", chrome(w, "worker_form", errors=[
        {"href": f"#f-{n}", "text": t} for n, t in wrong]) | base | {"form": {"version": 0, "sections": [
            form(w, FILLED | {"sex": ""}, wrong)["sections"][0]]}}
    yield "worker_form.known", chrome(w, "worker_form", notice={"tone": "success", "text": w.key(
        "notice.worker_registered")}) | base | {
        "id": "7", "action": "/workers/7", "employers": None, "version": 3, "cases": [line(w, 0, "returned")],
        "stay": {"entered": "2026-11-20", "is_here": True, "clock": {
            "tone": "soon", "until": "2026-12-21", "late": False, "soon": True,
            "text": w.key("stay.soon").replace("{until}", "2026-12-21").replace("{days}", "6")},
            "movements": [{"direction": "arrival", "label": w.key("movement.arrival"), "day": "2026-11-20", "port": "TPE", "is_current": True}],
            "letters": [{"letter_no": "勞動發事字第1150023456號", "from": "2026-11-20", "to": "2029-11-19", "state": "valid",
                         "label": w.key("letter.valid")}],
            "silent": [{"port": "labour", "link": told(w, "labour")}],
            "asked": asked(w, ["asked", "none", "other"])},
        "services": [{"code": "epermit", "title": w(*SERVICE), "action": "/cases", "fits": True, "summary": w(
            "為持招募許可入國之移工申請第一張電子居留證。",
            "The first electronic residence permit of a worker who enters under a recruitment permit.")}],
        "form": {"version": 3, "sections": [form(w, FILLED)["sections"][0]]}}


def case_pages(w):
    codes = ["returned", "initial_review", "awaiting_payment", "draft", "issued", "awaiting_payment", "rejected"]
    filters = [{"href": "/cases", "label": w("全部", "All"), "current": True, "n": 7},
               {"href": "/cases?state=mine", "label": w("待我處理", "My turn"), "current": False, "n": 4},
               {"href": "/cases?state=office", "label": w("審核中", "In review"), "current": False, "n": 1},
               {"href": "/cases?state=done", "label": w("已結案", "Closed"), "current": False, "n": None}]
    yield "cases", chrome(w, "cases") | {"cases": [line(w, i, c) for i, c in enumerate(codes)], "next": "/cases?before=1",
                                         "filters": filters, "payable": True, "new_href": "/workers"}
    yield "cases.none", chrome(w, "cases") | {"cases": [], "next": None, "filters": filters, "payable": False,
                                              "new_href": "/workers"}
    yield from one_case(w)
    yield from edit_pages(w)


def card(w, code="arrived", officer=False):
    at, waits = time("2026-11-25 09:00"), code == "arrived"
    return {"job_no": "J1150000417", "state": state(w, code, "green" if waits else "blue", "cardstate"), "card_no": "TW00123456",
            "bureau_no": "55210", "tracking": "RR123456785TW", "reason": None, "spoiled": 1, "ordered": at, "made": at, "sent": at,
            "arrived": at if waits else None, "collected": None, "waits": waits, "code": None if officer or not waits else "7K2M-QX4T",
            "station": w("桃園市服務站", "Taoyuan City Service Center"), "address": "桃園市桃園區縣府路106號1樓", "hours": w.key("card.hours")}


def card_steps(w, n):
    return [{"label": w.key(f"step.{k}"), "is_done": i < n, "is_now": i == n, "when": time(f"2026-11-2{2 + i} 10:05") if i < n else None}
            for i, k in enumerate(("filed", "reviewed", "paid", "made", "sent", "arrived", "collected"))]


def handout_pages(w):
    place = {k: card(w)[k] for k in ("station", "address", "hours")}
    rows = [{"id": str(4100 + i), "href": f"/handout/{4100 + i}", "case_no": f"115{i:07d}", "worker": name, "name_native": native,
             "passport_no": passport, "nationality": nation, "card_no": f"TW0012345{i}", "arrived": time("2026-11-25 09:00")}
            for i, (name, native, passport, nation, _) in enumerate(PEOPLE)]
    yield "handout", chrome(w, "handout", "officer") | place | {"q": "", "cards": rows, "next": "/handout?arrived=1&after=1"}
    yield "handout.none", chrome(w, "handout", "officer") | place | {"q": "1150000001", "cards": [], "next": None}
    ways = [row | {"href": "/cards/1", "state": state(w, code, "blue", "cardstate"), "sent": sent, "tracking": tracking, "station": place["station"]}
            for row, code, sent, tracking in zip(rows * 2, ("sent", "arrived"), (time("2026-11-20 09:00"), None), ("R123456789TW", None))]
    yield "cards", chrome(w, "cards", "officer") | {"cards": ways, "is_all": True, "next": "/cards?ordered=1&after=1"}
    yield "cards.none", chrome(w, "cards", "officer") | {"cards": [], "is_all": True, "next": None}
    lost = {"job_no": "J1150000417", "card_no": "TW00123456", "state": state(w, "lost", "red", "cardstate"), "reason": w("寄送途中遺失", "lost by the carrier"),
            "permit_no": "CP1150000417"}
    way = {"case": line(w, 0, "producing", True), "card": card(w, "sent", True) | {"job_no": "J1150000417-2", "before": [lost]}, "version": 9}
    yield "card", chrome(w, "card", "officer", [{"href": "#f-reason", "text": w.key("case.reason_missing")}]) | way | {"action": "/cards/1/lost"}
    yield "card.none", chrome(w, "card", "officer") | way | {"action": None}
    permit = {"permit_no": "CP1150000417", "code": "7K2MQX4T", "state": state(w, "waiting", "blue", "permit"), "is_card": True, "verify_href": "/verify/A/B",
              "valid_from": "2026-11-25", "valid_to": "2029-11-19"}
    one = {"case": line(w, 0, "issued", True), "card": card(w, officer=True), "permit": permit, "photo": FACE, "version": 9,
           "replaced": [{"permit_no": "EP1150000312", "valid_to": "2027-05-24"}], "action": "/handout/4100"}
    yield "handout_case", chrome(w, "handout_case", "officer") | one
    yield "handout_case.wrong", chrome(w, "handout_case", "officer", [{"href": "#f-code", "text": w.key("card.wrong_code")}]) | one
    yield "handout_case.none", chrome(w, "handout_case", "officer") | one | {"card": None, "permit": None, "photo": None, "replaced": [], "action": None}


def one_case(w):
    def steps(n):
        return [{"label": w.key(f"step.{k}"), "is_done": i < n, "is_now": i == n,
                 "when": time(f"2026-11-2{2 + i} 10:05") if i < n else None}
                for i, k in enumerate(("filed", "reviewed", "paid", "issued"))]
    head = {"address_station": w("桃園市服務站", "Taoyuan City Service Center"), "office_days": 1, "office_hours": 24,
            "applicant_days": 0, "applicant_hours": 5, "clock_runs": False}
    base = {"marks": [], "reason": None, "data": sections(w), "files": listed_files(w), "documents": [
        {"kind": "filing", "label": w("送件回執", "Receipt of filing"), "number": "EP115000001",
         "href": "/cases/4100/documents/1", "when": time("2026-11-22 10:05")}],
        "permit": None, "payments": [], "history": history(w), "withdraw": {"action": "/cases/4100/withdraw", "asks": False}, "penalty": None}
    marks = [{"label": m, "reason": w(*MARKS[k])} for k, m in (("photo", w("照片", "Photo")), ("address", w("居留地址", "Residence address")))]
    yield "case", chrome(w, "case") | base | {"case": line(w, 0, "returned") | head, "steps": steps(1), "marks": marks,
        "todo": {"text": w.key("todo.returned"), "href": "/cases/4100/edit", "button": w.key("todo.returned.button"),
                 "is_post": False, "deadline": time("2026-12-09 23:59")}}
    yield "case.issued", chrome(w, "case", notice={"tone": "success", "text": w.key("notice.filed")}) | base | {
        "case": line(w, 4, "issued") | head, "steps": steps(4), "todo": None, "withdraw": None,
        "permit": {"permit_no": "EP1150000417", "code": "7K2MQX4T", "state": state(w, "valid", "green", "permit"),
                   "verify_href": "/verify/EP1150000417/7K2MQX4T", "valid_from": "2026-11-25", "valid_to": "2027-05-24"},
        "documents": base["documents"] + [
            {"kind": "permit", "label": w("電子居留證", "Electronic residence permit"), "number": "EP1150000417",
             "href": "/cases/4100/documents/2", "when": time("2026-11-25 09:00")},
            {"kind": "receipt", "label": w("收據", "Receipt"), "number": "1024", "href": "/cases/4100/documents/3",
             "when": time("2026-11-25 08:59")}],
        "payments": [{"id": "9", "href": "/payments/9", "amount": 1000, "method": w("信用卡", "Card"),
                      "state": state(w, "paid", "green", "pay"), "when": time("2026-11-25 08:58")}]}
    yield "case.held", chrome(w, "case") | base | {"case": line(w, 1, "held") | head, "steps": steps(3), "todo": None,
        "withdraw": None, "penalty": penalty(w)}
    asked = penalty(w) | {"waits": True, "owed": 0, "fines": [], "text": w.key("fine.held_unanswered")}
    yield "case.unanswered", chrome(w, "case") | base | {"case": line(w, 1, "held") | head, "steps": steps(3), "todo": None,
        "withdraw": None, "penalty": asked}
    yield "case.card", chrome(w, "case") | base | {
        "case": line(w, 4, "issued") | head, "steps": card_steps(w, 6), "todo": None, "withdraw": None, "card": card(w),
        "permit": {"permit_no": "CP1150000417", "code": "7K2MQX4T", "state": state(w, "waiting", "blue", "permit"), "is_card": True,
                   "verify_href": "/verify/CP1150000417/7K2MQX4T", "valid_from": "2026-11-25", "valid_to": "2029-11-19"}}
    yield "case.making", chrome(w, "case") | base | {
        "case": line(w, 4, "producing") | head, "steps": card_steps(w, 3), "todo": None, "card": card(w, "accepted"), "permit": None,
        "withdraw": {"action": "/cases/4100/withdraw", "asks": True}}
    waiting = [looked_at(f, scan) for f, scan in zip(base["files"], ("clean", "pending", "pending"))]
    yield "case.unchecked", chrome(w, "case", notice={"tone": "success", "text": w.key("notice.filed")}) | base | {
        "case": line(w, 0, "initial_review") | head, "steps": steps(1), "todo": None, "files": waiting, "unchecked": 2, "link": {
            "text": w.key("link.told.down").format(since="2026-11-25 13:40", port=w.key("port.scan"))}}
    infected = w.key("file.infected").format(name="護照 NGUYEN.jpg")
    yield "case.infected", chrome(w, "case") | base | {
        "case": line(w, 0, "returned") | head, "steps": steps(1), "unchecked": 0,
        "files": [looked_at(f, scan) for f, scan in zip(base["files"], ("clean", "infected", "clean"))],
        "marks": [{"label": w("護照資料頁", "Passport page"), "reason": infected}],
        "todo": {"text": w.key("todo.returned"), "href": "/cases/4100/edit", "button": w.key("todo.returned.button"),
                 "is_post": False, "deadline": time("2026-12-09 23:59")}}
    yield "case.rejected", chrome(w, "case") | base | {"case": line(w, 3, "rejected") | head, "steps": steps(1), "todo": None,
        "withdraw": None, "reason": w("護照於入國時已逾效期。", "The passport had expired on entry.")}


def penalty(w, paid=False):
    fine = {"fine_no": "F115-000371", "state": state(w, "paid", "green", "fine") if paid else state(w, "open", "yellow", "fine"),
            "reason": w.key("fine.reason.late_filing"), "amount": 4000, "set": "2026-11-26", "pay_by": "2026-12-26",
            "paid": time("2026-11-27 11:20") if paid else None, "rule": w("第85條第2款，逾期11至30日", "Immigration Act art. 85(2), 11 to 30 days"),
            "pay_how": w("持繳款單至超商或郵局繳納", "With the payment slip at any convenience store or post office"), "is_open": not paid}
    late = {"days": 12, "least": 2000, "most": 10000, "entered": "2026-10-11", "deadline": "2026-11-10",
            "text": w.key("fine.late").format(days=12, deadline="2026-11-10"), "band": w.key("fine.band").format(least=2000, most=10000)}
    return {"late": late, "waits": False, "holds": not paid, "owed": 0 if paid else 4000, "link": None, "fines": [fine],
            "text": w.key("fine.nothing_owed" if paid else "fine.held_owed").format(owed=4000)}


def edit_pages(w):
    wrong = [("passport_no", w("護照號碼與機讀區不符。", "The number differs from the passport's lines.")),
             ("category", w("請填寫這個欄位。", "Please fill this in.")),
             ("declare", w("請勾選確認。", "Please tick to confirm.")),
             ("photo", w("背景太暗（亮度 41，至少須 75）。", "The background is too dark (lightness 41, at least 75 is needed)."))]
    base = {"case": line(w, 0, "draft"), "action": "/cases/4100/edit", "check_href": "/cases/4100/check", "missing_n": 4,
            "is_returned": False, "deadline": None, "marks": []}
    yield "case_edit", chrome(w, "case_edit") | base | {"form": form(w, FILLED)}
    yield "case_edit.letter_asked", chrome(w, "case_edit") | base | {"form": form(w, FILLED, told=letter(w, "asked", link={
        "text": w.key("link.told.down").replace("{port}", w.key("port.labour")).replace("{since}", "10:42")}))}
    yield "case_edit.letter_none", chrome(w, "case_edit") | base | {"form": form(w, FILLED, told=letter(w, "none"))}
    yield "case_edit.letter_found", chrome(w, "case_edit") | base | {"form": form(w, FILLED, told=letter(w, "found", fills=3))}
    from_permit = form(w, FILLED)
    for one in (f for s in from_permit["sections"] for f in s["fields"] if f.get("files")):
        one["files"] = [dict(file, taken="2026-09-14") for file in one["files"]]
    yield "case_edit.taken", chrome(w, "case_edit") | base | {"form": from_permit}
    yield "case_edit.new", chrome(w, "case_edit") | base | {"form": form(w, {}), "missing_n": 21}
    yield "case_edit.errors", chrome(w, "case_edit", errors=[{"href": f"#f-{n}", "text": t} for n, t in wrong]) | base | {
        "form": form(w, FILLED | {"category": ""}, wrong)}
    with_bad = form(w, FILLED, [("passport_page", w.key("file.infected").format(name="護照 NGUYEN.jpg"))])
    for section in with_bad["sections"]:
        for f in section["fields"]:
            if f.get("files"):
                f["files"] = [looked_at(one, {"passport_page": "infected", "employment_proof": "pending"}.get(f["name"], "clean"))
                              for one in f["files"]]
    yield "case_edit.infected", chrome(w, "case_edit") | base | {"form": with_bad}
    yield "case_edit.returned", chrome(w, "case_edit") | base | {
        "case": line(w, 0, "returned"), "is_returned": True, "deadline": time("2026-12-09 23:59"),
        "form": form(w, FILLED, (), {k: w(*v) for k, v in MARKS.items()})}
    check = {"case": line(w, 0, "draft"), "sections": sections(w, "/cases/4100/edit"), "files": listed_files(w),
             "submit_action": "/cases/4100/submit", "is_returned": False, "deadline": None}
    yield "case_check", chrome(w, "case_check") | check | {"missing": [], "ready": True}
    yield "case_check.unchecked", chrome(w, "case_check") | check | {
        "missing": [], "ready": True, "unchecked": 1, "files": [looked_at(f, "clean") for f in check["files"][:2]] + [
            dict(looked_at(check["files"][2], "pending"), href=check["files"][2]["href"])]}
    yield "case_check.missing", chrome(w, "case_check") | check | {"ready": False, "missing": [
        {"label": w("在職證明", "Certificate of employment"), "reason": w("尚未上傳。", "It has not been uploaded."),
         "href": "/cases/4100/edit#f-employment_proof"}]}
    yield "case_stale", chrome(w, "case_stale") | {"case": line(w, 0, "draft"), "edit_href": "/cases/4100/edit",
        "action": "/cases/4100/edit", "form": form(w, FILLED), "changed": [
            {"field": "address", "label": w("居留地址", "Residence address"), "now": "桃園市大園區中正東路二段188號",
             "yours": "桃園市大園區中正東路二段188號3樓"}]}


def payment_pages(w):
    lines = [line(w, 2, "awaiting_payment"), line(w, 5, "awaiting_payment")]
    yield "pay", chrome(w, "pay") | {"cases": lines, "total": 2000, "action": "/payments", "methods": [
        {"code": m, "label": w.key(f"method.{m}"), "hint": w.key(f"method.{m}.hint")} for m in ("card", "atm", "cvs")]}
    base = {"id": "9", "amount": 2000, "method": w.key("method.card"), "cases": lines, "is_waiting": False, "redirect": None,
            "code": None, "is_paid": False, "is_issued": False, "receipt": None, "is_ended": False, "again_href": "/pay?case=1", "refresh_s": 3}
    yield "payment.waiting", chrome(w, "payment") | base | {"state": state(w, "wanted", "blue", "pay"), "is_waiting": True}
    yield "payment.link-down", chrome(w, "payment") | base | {"state": state(w, "wanted", "blue", "pay"), "is_waiting": True, "link": told(w)}
    yield "payment.redirect", chrome(w, "payment") | base | {"state": state(w, "begun", "yellow", "pay"), "redirect": {
        "action": "https://pay.example/checkout", "method": "post", "fields": [{"name": "MerchantID", "value": "3002607"}]}}
    yield "payment.code", chrome(w, "payment") | base | {"state": state(w, "code", "yellow", "pay"), "method": w.key("method.atm"),
        "code": {"bank": "007", "account": "9103522175887271", "payment_no": None, "expires": time("2026-11-28 23:59")}}
    yield "payment.paid", chrome(w, "payment") | base | {"state": state(w, "paid", "green", "pay"), "is_paid": True,
        "receipt": {"number": "1024", "href": "/cases/4100/documents/3"}}
    yield "payment.ended", chrome(w, "payment") | base | {"state": state(w, "failed", "red", "pay"), "is_ended": True}


def account_pages(w):
    account = {"login": "employer", "name": w("王美玲", "Wang Mei-ling"), "email": "meiling@example.com", "lang": w.lang,
               "last_login": time("2026-11-24 18:20")}
    yield "account", chrome(w, "account", errors=[{"href": "#f-new", "text": w(
        "新密碼太短。", "The new password is too short.")}]) | {
        "account": account, "must_change": True, "languages": [], "grant_action": "/account/delegations", "employers": None,
        "delegations": [{"id": "1", "agency": w("宏達國際人力仲介有限公司", "Hongda Manpower Agency"), "licence": "1234",
                         "since": time("2026-01-05 10:00"), "action": "/account/delegations/1/revoke"}],
        "agencies": [{"id": "4", "label": w("東方人力", "Orient Manpower")}]}
    yield "account.agency", chrome(w, "account") | {
        "account": account | {"last_login": None}, "must_change": False, "languages": [], "grant_action": None,
        "delegations": None, "agencies": None, "employers": [{"label": w(*o)} for o in ORGS.values()]}


def said(w, name):
    def line(source, value, agrees):
        return {"source": source, "label": w.key(f"said.{source}"), "value": value, "agrees": agrees, "differs": not agrees}
    return {"name_latin": [line("border", "NGUYEN THI MAI-HUONG", True), line("labour", "NGUYEN THI MAI HUONG", True)],
            "contract_to": [line("labour", "2028-06-30", False)]}.get(name, [])


def identity(w):
    def check(name, warns, href=None, **args):
        text = w.key(f"identity.{name}")
        for k, v in args.items():
            text = text.replace("{" + k + "}", v)
        return {"check": name, "is_warning": warns, "word": w.key("identity.warns" if warns else "identity.compares"), "text": text, "href": href}
    return [check("departed", True, day="2026-11-20"), check("other_passport", True, day="2026-11-18", text="C4400001"),
            check("passport", False, text="C4400001"),
            check("open", False, "/review/4107", text="1150000031", what=w.key("state.submitted"))]


def review(w, second=False):
    rows = {"name_latin": "NGUYEN THI MAI HUONG", "sex": w("女", "Female"), "birth": "1999-03-14",
            "nationality": w("越南 (VNM)", "Viet Nam (VNM)"), "passport_no": "C4402217", "passport_expiry": "2031-08-11"}
    names = {"photo": "photo.jpg", "passport_page": "護照 NGUYEN.jpg", "employment_proof": FILES["employment_proof"][0]["name"]}
    out = []
    for s in form(w, FILLED | {"passport_no": "C4402271"})["sections"]:
        facts = [{"name": f["name"], "label": f["label"], "value": names.get(f["name"]) or shown(w, f),
                  "mrz": rows.get(f["name"]), "differs": f["name"] in ("passport_no", "contract_to"), "agrees": f["name"] in rows,
                  "mrz_differs": f["name"] == "passport_no", "said": said(w, f["name"]),
                  "corrected": {"before": "NGUYEN THI MAI HOUNG"} if f["name"] == "name_latin" else None,
                  "mark": w(*MARKS["photo"]) if f["name"] == "photo" else None, "can_mark": True, "is_mrz": f["name"] == "mrz",
                  "is_file": "is_filelike" in f, "input": None if "is_filelike" in f else f} for f in s["fields"] if not f["hidden"]]
        out.append({"name": s["name"], "title": s["title"], "rows": facts})
    files = [dict(f, view_href=f["href"] if f["is_image"] else PICTURE, is_pdf=not f["is_image"]) for f in listed_files(w)]
    may = {k: None if second else f"/review/4101/{k}" for k in ("correct", "return", "approve", "reject")}
    may |= {"confirm": None, "send_back": None}
    return {"case": line(w, 1, "second_review" if second else "initial_review", True), "worker_href": None, "sections": out,
            "files": files, "may": may, "identity": [] if second else identity(w),
            "letter": letter(w, "asked" if second else "none", href="/review/4101/letter"),
            "silent": [{"text": w.key("said.border_silent"), "link": told(w, "border")}] if second else [], "why_not": w.key("case.four_eyes") if second else None, "reason": None,
            "history": history(w), "documents": [], "permit": None, "next_href": "/review/4102",
            "penalty": penalty(w, second), "ask_fines": {"action": "/review/4101/ask-fines"}}


def office_pages(w):
    lines = [line(w, i, "initial_review", True) for i in (1, 2, 0, 3, 4)]
    tabs = [{"href": f"/desk?list={k}", "label": w.key(f"desk.{k}"), "n": n, "current": k == "mine"}
            for k, n in (("mine", 12), ("second", 3), ("returned", None))]
    yield "desk", chrome(w, "desk", "officer") | {"tabs": tabs, "cases": lines * 4, "next": None}
    yield "desk.none", chrome(w, "desk", "officer") | {"tabs": tabs, "cases": [], "next": None}
    yield "review", chrome(w, "review", "officer") | review(w)
    yield "review.second", chrome(w, "review", "officer", errors=[{"text": w.key("case.four_eyes"), "href": None}]) | review(w, True)
    both = review(w)
    both["may"] = both["may"] | {"approve": None, "confirm": "/review/1/confirm", "send_back": "/review/1/send-back"}
    waits = review(w)
    waits["files"] = [dict(looked_at(waits["files"][0], "pending"), view_href=None)] + waits["files"][1:]
    waits |= {"may": waits["may"] | {"approve": None}, "why_not": w.key("case.files_unchecked"), "unchecked": 1}
    yield "review.unchecked", chrome(w, "review", "officer") | waits
    yield "review.confirm", chrome(w, "review", "officer") | both
    yield "review.card", chrome(w, "review", "admin") | review(w, True) | {
        "card": card(w, "cancelled", True) | {"reason": "machine broken"}, "again": {"action": "/review/4101/card-again"}}
    yield "review.making", chrome(w, "review", "admin") | review(w, True) | {
        "card": card(w, "accepted", True), "cancel": {"action": "/review/4101/card-cancel"}}
    yield from handout_pages(w)
    officers = [{"id": "1", "label": w("陳志明", "Chen Chih-ming"), "open": 12}, {"id": "2", "label": w("黃雅婷", "Huang Ya-ting"), "open": 7}]
    yield "dispatch", chrome(w, "dispatch", "admin") | {
        "cases": [dict(c, unchecked=c["id"] == "4102", assign_action=f"/dispatch/{c['id']}/assign" if c["id"] != "4102" else None,
                       identity=identity(w) if not i else []) for i, c in enumerate(lines)],
        "officers": officers, "next": None,
        "tabs": [{"href": "/dispatch", "label": w.key("state.submitted"), "current": True},
                 {"href": "/dispatch?state=initial_review", "label": w.key("state.initial_review"), "current": False},
                 {"href": "/dispatch?state=held", "label": w.key("state.held"), "current": False}]}
    yield "arrivals", chrome(w, "arrivals", "admin") | {"arrivals": [
        {"id": str(i), "direction": "arrival", "label": w.key("movement.arrival"), "day": "2026-11-24", "port": "TPE", "is_current": i != 2,
         "name_latin": p[0], "nationality": p[3], "passport_no": p[2], "birth": "1996-04-12", "action": f"/arrivals/{i}/link",
         "near": [{"id": "71", "name_latin": p[0], "passport_no": "C4400001", "birth": "1990-03-15", "employer": w(*ORGS[p[4]])}] if i == 0 else []}
        for i, p in enumerate(PEOPLE[:3])]}
    yield "arrivals.none", chrome(w, "arrivals", "admin") | {"arrivals": []}
    yield "search", chrome(w, "search", "officer") | {"q": "NGUYEN", "cases": lines}
    yield "search.none", chrome(w, "search", "officer") | {"q": "nobody", "cases": []}
    yield "search.first", chrome(w, "search", "officer") | {"q": "", "cases": None}
    def tabs_of(held):
        return [{"href": "/receipts", "label": w.key("receipts.all"), "current": not held},
                {"href": "/receipts?list=held", "label": w.key("state.held"), "current": held}]
    yield "receipts.held", chrome(w, "receipts", "admin") | {"receipts": None, "next": None, "tabs": tabs_of(True),
        "cases": [line(w, i, "held", True) for i in (1, 2, 3)]}
    yield "receipts", chrome(w, "receipts", "admin") | {"cases": None, "next": None, "tabs": tabs_of(False), "receipts": [
        {"number": str(1000 + i), "when": time("2026-11-25 08:59"), "amount": 1000, "method": w.key("method.card"),
         "order_no": f"FW115112500{i}", "gateway_no": f"261125085{i}", "href": "/cases/1/documents/3",
         "refund_due": i == 2, "is_void": i == 3,
         "replaced": {"by": "1010", "reason": w("抬頭有誤", "the name was wrong")} if i == 1 else None, "refunded": {3: 1000, 4: 400}.get(i), "refund_href": f"/refunds/payments/{i}"}
        for i in range(6)]}
    yield from refund_pages(w)
    yield from settlement_pages(w)
    yield "audit", chrome(w, "audit", "admin") | {"next": "/audit?before=90", "seals": {"n": 4211, "when": time("2026-11-25 14:01")},
        "records": [{"when": time("2026-11-25 14:00"), "who": "broker", "what": w.key("event.case.save"), "about": "case/4100",
                     "data": '{"address":{"before":"桃園市大園區中正東路二段188號","after":"桃園市大園區中正東路二段188號3樓"}}',
                     "sealed": i > 0} for i in range(5)]}
    yield from admin_pages(w)


def refund_line(w, n, code):
    tones = {"due": "yellow", "asked": "blue", "unknown": "blue", "manual": "yellow", "done": "green"}
    hand = code in ("due", "manual")
    return {"id": str(n), "version": 2, "state": state(w, code, tones[code], "refund"), "amount": 1000,
            "cause": w.key("refund.cause.cashier" if n % 2 else "refund.cause.not_owed"), "reason": w("重複繳納，退還一筆", "Paid twice, one goes back") if n % 2 else None,
            "trouble": w.key("refund.trouble.not_known") if code == "manual" else None, "gateway_no": "2611250859" if code == "done" else None,
            "reference": "CHQ-20261126-0007" if n == 5 else None, "created": time("2026-11-25 08:59"),
            "ended": time("2026-11-25 09:10") if code == "done" else None, "href": f"/refunds/payments/{n}",
            "again": f"/refunds/{n}/again" if hand else None, "pay_out": f"/refunds/{n}/pay-out" if hand else None,
            "order_no": f"FW7K2M9QXW3R5T8Y1Z0{n}", "method": w.key("method.card"), "receipt_no": f"1150000100{n}", "paid": 1000}


def refund_pages(w):
    lines = [refund_line(w, n, code) for n, code in enumerate(("due", "asked", "unknown", "manual", "done", "done"))]
    one = {"receipt_no": "11500001003", "order_no": "FW7K2M9QXW3R5T8Y1Z03", "gateway_no": "2611250859", "method": w.key("method.card"),
           "paid": time("2026-11-25 08:59"), "amount": 3000, "promised": 2000, "refunded": 1000, "left": 1000, "link": None,
           "cases": [{"case_no": "1150000012", "state": state(w, "issued", "green"), "fee": 1000}],
           "ask": {"action": "/refunds/payments/3"}, "version": 4, "renew": "/receipts/payments/3/renew",
           "voids": [{"number": "11500001001", "when": time("2026-11-25 09:30"), "reason": w("抬頭有誤", "the name was wrong")}]}
    yield "refunds", chrome(w, "refunds", "admin") | {"open": lines[:4], "ended": lines[4:]}
    yield "refunds.none", chrome(w, "refunds", "admin") | {"open": [], "ended": []}
    yield "refund", chrome(w, "refund", "admin") | one | {"refunds": [lines[3], lines[5]]}
    yield "refund.done", chrome(w, "refund", "admin", errors=[{"text": w.key("refund.too_much"), "href": "#f-amount"}]) | one | {"refunds": [], "left": 3000}


def settlement_pages(w):
    def day(code, tone, n, differences=0, **more):
        return {"day": f"2026-11-{n}", "state": state(w, code, tone, "settlement"), "lines": 214, "taken": 312000, "paid_back": 4000, "fees": 6240,
                "n_differences": differences, "reason": None, "asked": time(f"2026-11-{n + 1} 03:00"), "closed": time(f"2026-11-{n + 1} 03:01"),
                "href": f"/settlements/2026-11-{n}", **more}
    differences = [{"what": what, "label": w.key(f"settlement.{what}"), "kind": kind, "kind_label": w.key(f"settlement.kind.{kind}"),
                    "order_no": f"FW7K2M9QXW3R5T8Y1Z0{n}", "ours": ours, "theirs": theirs, "href": "/refunds/payments/3" if n else None}
                   for n, (what, kind, ours, theirs) in enumerate((("missing_here", "payment", 0, 1000), ("missing_there", "refund", 400, 0),
                                                                   ("amount", "payment", 1000, 1001)))]
    yield "settlements", chrome(w, "settlements", "admin") | {"ask": {"action": "/settlements", "day": "2026-11-25"}, "days": [
        day("asked", "blue", 25, closed=None), day("differs", "red", 24, 3), day("even", "green", 23),
        day("failed", "grey", 22, reason="the file of 2026-11-22, line 3: it is cut off")]}
    yield "settlements.none", chrome(w, "settlements", "admin") | {"ask": {"action": "/settlements", "day": "2026-11-25"}, "days": []}
    yield "settlement", chrome(w, "settlement", "admin") | day("differs", "red", 24, 3) | {
        "differences": differences, "again": {"action": "/settlements", "day": "2026-11-24"}}


def letter_line(w):
    return {"id": "5", "port": "notify", "port_label": w.key("port.notify"), "op": "notify.send", "created": time("2026-11-24 03:00"),
            "ended": time("2026-11-25 03:00"), "attempts": 12, "reason": "550 no such mailbox", "href": "/admin/deadletters/5",
            "action": "/admin/deadletters/5/replay"}


def status(w, code):
    tones = {"up": "green", "down": "red", "failing": "yellow", "degraded": "yellow", "paused": "purple", "unused": "grey"}
    return state(w, code, tones[code], "status")


def system_model(w):
    at, error = time("2026-11-25 10:42"), "connection refused"

    def part(name, code="up", advice=None):
        label = w.key("part.plugin") + " ecpay" if name == "plugin-ecpay" else w.key(f"part.{name}")
        return {"name": name, "label": label, "state": status(w, code), "since": at, "error": None if code == "up" else error,
                "advice": advice and w.key(f"advice.{advice}")}

    def link(plugin, port, code, n=0):
        paused, bad = code == "paused", code in ("down", "failing")
        return {"plugin": plugin, "port": port, "port_label": w.key(f"port.{port}"), "state": status(w, code),
                "since": None if code == "unused" else at, "failures": 9 * bad, "last_ok": at if code == "up" else None,
                "error": error if bad else None, "waiting": n, "cases": n, "oldest": at if n else None, "dead": int(bad),
                "advice": w.key(f"advice.link.{code}") if bad or paused else None,
                "pause": {"actor": "admin", "reason": w("對方系統維護", "their maintenance")} if paused else None,
                "pause_action": None if paused else f"/admin/plugins/{plugin}/pause",
                "resume_action": f"/admin/plugins/{plugin}/resume" if paused else None}
    return {"at": at, "node": "permit1", "refresh_s": 15,
            "parts": [part("pump"), part("signer", "down", "signer.down"), part("vault", "degraded", "vault.full"), part("plugin-ecpay")],
            "links": [link("ecpay", "payment", "down", 4), link("mail", "notify", "paused", 2), link("labour", "labour", "failing"),
                      link("syslog", "audit", "up"), link("card", "card", "unused")],
            "queues": [{"port": "payment", "label": w.key("port.payment"), "waiting": 4, "dead": 1, "age": w("3 小時", "3 hours")},
                       {"port": "notify", "label": w.key("port.notify"), "waiting": 0, "dead": 1, "age": None}],
            "audit": {"unsealed": 3, "last_seal": 8120, "age": w("12 秒", "12 s")},
            "cases": [{"state": state(w, c, t), "n": 7} for c, t in STATES.items()], "late": 2,
            "certificates": [{"name": "permit", "expires": time("2028-11-24 00:00"), "soon": False},
                             {"name": "seal", "expires": time("2026-12-01 00:00"), "soon": True}],
            "stock": {"shelves": [{"store": "bureau", "at": at, "blanks": 4100, "reserved": 37, "free": 4063, "spoiled": 12, "delivered": 9120,
                                   "low_at": 500, "is_low": False},
                                  {"store": "TXG1", "at": at, "blanks": 40, "reserved": 10, "free": 30, "spoiled": 0, "delivered": 0,
                                   "low_at": 50, "is_low": True}],
                      "rows": [{"label": w.key("stock.reserved"), "ours": 37, "theirs": 37, "difference": 0},
                               {"label": w.key("stock.spoiled"), "ours": 11, "theirs": 12, "difference": -1},
                               {"label": w.key("stock.delivered"), "ours": 9120, "theirs": 9120, "difference": 0}],
                      "made": 3, "is_told": True},
            "disk": [{"name": "vault", "label": w.key("disk.vault"), "free": "76.3 GB", "total": "252.0 GB", "free_percent": 30}]}


def letter_model(w):
    values = (("what", "case.submit", False), ("token", "***", True), ("person.email", "l***@e***", True))
    return letter_line(w) | {
        "key": "notify.send:913560921566534589", "cases": [{"id": "4100", "case_no": "1150000123", "href": "/review/4100"}], "payload": {},
        "members": [{"name": n, "value": v, "is_masked": m} for n, v, m in values],
        "mend_action": "/admin/deadletters/5/mend", "drop_action": "/admin/deadletters/5/drop"}


def told(w, port="payment"):
    text = w.key("link.told.down").replace("{port}", w.key(f"port.{port}")).replace("{since}", "10:42")
    return {"port": port, "name": w.key(f"port.{port}"), "state": "down", "since": time("2026-11-25 10:42"), "text": text}


def admin_pages(w):
    yield "admin_system", chrome(w, "admin_system", "admin") | system_model(w)
    yield "admin_system.bare", chrome(w, "admin_system", "admin") | system_model(w) | {
        "links": [], "queues": [], "audit": None, "certificates": [], "late": 0, "stock": None}
    yield "admin_letter", chrome(w, "admin_letter", "admin") | letter_model(w)
    yield "admin_letter.bare", chrome(w, "admin_letter", "admin") | letter_model(w) | {"cases": [], "members": [], "reason": None}
    stations = [{"code": "TYN", "label": w("桃園市服務站", "Taoyuan City Service Center"), "selected": True}]
    roles = [{"code": r, "label": w.key(f"role.{r}"), "selected": r == "initial"} for r in ("initial", "second", "dispatcher", "cashier", "admin", "auditor")]
    accounts = [{"id": str(i), "href": f"/admin/accounts/{i}", "login": n, "name": w("陳志明", "Chen Chih-ming"),
                 "roles": roles[0]["label"], "org": None, "station": "TYN", "active": i != 2, "locked": i == 1,
                 "last_login": time("2026-11-24 18:20") if i else None} for i, n in enumerate(("reviewer1", "reviewer2", "broker"))]
    yield "admin", chrome(w, "admin", "admin") | {
        "accounts": accounts, "orgs": [{"id": str(i), "label": w(*o), "kind": w("雇主", "Employer"), "ban": "04595257", "licence": None}
                                       for i, o in enumerate(ORGS.values())],
        "dead": [letter_line(w)],
        "messages": [{"id": "6", "plugin": "ecpay", "channel": "paid", "hash": "9f" * 32, "size": "1 KB", "received": time("2026-11-24 03:00"),
                      "ended": time("2026-11-25 03:00"), "attempts": 100, "reason": "no connection", "action": "/admin/messages/6/replay"}],
        "queues": [{"port": "payment", "state": "ready", "n": 2, "oldest": None}], "stations": stations, "roles": roles,
        "actions": {"account": "/admin/accounts", "org": "/admin/orgs", "delegation": "/admin/delegations"}}
    yield "admin_account", chrome(w, "admin_account", "admin") | {
        "account": {"id": "2", "login": "reviewer1", "name": w("陳志明", "Chen Chih-ming"), "email": "chen@example.com",
                    "station": "TYN", "active": True, "locked": True}, "roles": roles, "stations": stations,
        "action": "/admin/accounts/2", "password_action": "/admin/accounts/2/password"}


PAGES = (public_pages, worker_pages, case_pages, payment_pages, account_pages, office_pages)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for lang in LANGS:
        w = Words(lang)
        for pages in PAGES:
            for name, model in pages(w):
                (out / f"{name}.{lang}.json").write_text(json.dumps(model, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
