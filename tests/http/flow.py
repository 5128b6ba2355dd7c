"""The main job in steps that tests put together: register, fill in, upload, submit, review, pay."""
import datetime
import subprocess
import time

from platform_under_test import NUMBERS, ROOT, await_, mrz

TODAY = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()
START = time.time_ns() // 1000000
PHOTOS = ROOT / "build/tests/photos"


def iso(days=0):
    return (TODAY + datetime.timedelta(days=days)).isoformat()


def passport(n=None):
    """A number that no test used before, also in another run over the same data."""
    n = next(NUMBERS) if n is None else n
    return f"C{(START + n) % 10000000:07d}"


def photo(name="good-00-short-ffffff.jpg"):
    if not (PHOTOS / name).exists():
        subprocess.run([str(ROOT / "tests/photos/make")], check=True, stdout=subprocess.DEVNULL)
    return (PHOTOS / name).read_bytes()


def pdf():
    """A small PDF of one page."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<<>>>>",
               b"<</Length 20>>stream\n0 0 100 100 re f    \nendstream"]
    out, at = b"%PDF-1.4\n", []
    for i, o in enumerate(objects, 1):
        at.append(len(out))
        out += b"%d 0 obj" % i + o + b"endobj\n"
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % a for a in at)
    return out + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start


def worker_fields(number, surname="NGUYEN", given="VAN ANH"):
    lines = mrz(surname, given, number)
    return {"mrz": lines, "name_latin": f"{surname} {given}", "name_native": "Nguyễn Văn Anh", "sex": "M",
            "birth": "1990-03-15", "nationality": "VNM", "passport_no": number, "passport_expiry": "2033-01-01",
            "permit_letter": "勞動發事字第1130012345號"}


def employer_of(person):
    """Hong Yuan, of those that an agency may file for; "" for an employer itself. Their order is chance."""
    employers = person.see("/workers/new")["employers"]
    named = [e["id"] for e in employers or [] if e["label"].startswith(("Hong Yuan", "宏遠"))]
    return named[0] if named else ""


def register(person, number=None, **changes):
    number = number or passport()
    fields = {**worker_fields(number), **changes}
    employer = employer_of(person)
    if employer:
        fields["employer"] = employer
    return person.do("/workers", fields)["answer"]


def case_fields():
    return {"name_zh": "阮文英", "has_ui_no": "no", "arrived": "yes", "entry_date": iso(-3), "visa_no": "V1234567",
            "address": "桃園市桃園區縣府路106號", "category": "manufacturing", "employer_ban": "04595257",
            "contract_from": iso(-2), "contract_to": iso(700), "work_address": "桃園市龜山區文化一路1號",
            "declare": "yes"}


def open_case(person, worker, service="epermit"):
    return person.do("/cases", {"service": service, "worker": worker})["answer"]


def card_fields():
    """What a card asks for where nobody has said anything of the worker."""
    return {**{k: v for k, v in case_fields().items() if k != "arrived"}, "permit_letter": "勞動發事字第1130012345號"}


def fill(person, case, **changes):
    return fill_with(person, case, {**case_fields(), **changes})


def fill_with(person, case, fields):
    answer = person.do(f"/cases/{case}/edit", fields)
    assert answer["problems"] == [], answer["problems"]
    person.upload(case, "photo", "photo.jpg", photo())
    person.upload(case, "passport_page", "passport.pdf", pdf())
    person.upload(case, "employment_proof", "proof.pdf", pdf())
    return case


def draft(person, **changes):
    return fill(person, open_case(person, register(person)), **changes)


def submit(person, case, key=None):
    return person.do(f"/cases/{case}/submit", key=key)["case"]["case_no"]


def filed(person, **changes):
    case = draft(person, **changes)
    submit(person, case)
    return case


def reviewer_of(platform, people, case):
    """The one of the reviewers to whom the case was assigned, and the other."""
    for mine, other in (people, people[::-1]):
        if any(line["id"] == case for line in mine.see("/desk?list=mine")["cases"]):
            return mine, other
    raise AssertionError(f"nobody has case {case}")


def ask_to(person, case, what, fields=None):
    """An officer's decision on the case as that officer sees it now."""
    page = person.get(f"/review/{case}")
    version = page.json()["case"]["version"] if page.status_code == 200 else 1
    return person.post(f"/review/{case}/{what}", {"version": version, **(fields or {})})


def decide(person, case, what, fields=None, status=200):
    answer = ask_to(person, case, what, fields)
    assert answer.status_code == status, (what, answer.status_code, answer.text[:800])
    return answer.json()


def approve(platform, case, people):
    first, second = reviewer_of(platform, people, case)
    decide(first, case, "approve")
    decide(second, case, "confirm")


def begin_payment(person, *cases, method="card"):
    """The payment's id once the gateway's form is known."""
    payment = person.do("/payments", {"case": list(cases), "method": method}, status=202)["answer"]
    await_("the gateway's form", lambda: person.see(f"/payments/{payment}")["redirect"])
    return payment


def pay(platform, person, case, method="card"):
    payment = begin_payment(person, case, method=method)
    order = platform.order(person.see(f"/payments/{payment}")["redirect"])
    platform.control("pay", order=order, method=method)
    if method != "card":
        platform.control("settle", order=order)
    await_("the payment", lambda: person.see(f"/payments/{payment}")["is_paid"])
    return payment


def state(person, case):
    return person.see(f"/cases/{case}")["case"]["state"]["code"]


def issued(platform, person, case):
    """The page of the case once it has its permit and both receipts."""
    def page():
        seen = person.see(f"/cases/{case}")
        kinds = {d["kind"] for d in seen["documents"]}
        return seen["case"]["state"]["code"] == "issued" and kinds == {"filing", "permit", "receipt"} and seen
    return await_("the permit and the receipts", page)


def permit(platform, person, reviewers, worker):
    """An electronic permit of that worker: the number."""
    case = fill(person, open_case(person, worker))
    submit(person, case)
    approve(platform, case, reviewers)
    pay(platform, person, case)
    return issued(platform, person, case)["permit"]["permit_no"]
