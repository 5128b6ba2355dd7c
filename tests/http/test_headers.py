"""What every answer carries, and what no log holds."""
import re

import flow
import pytest
import tables
import wire
from browser import Browser, Page
from platform_under_test import await_

CSP = {"default-src": "'self'", "img-src": "'self' data: blob:", "object-src": "'none'", "base-uri": "'none'",
       "frame-ancestors": "'none'", "form-action": "'self'"}
ALWAYS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
          "Cross-Origin-Opener-Policy": "same-origin"}


@pytest.fixture(scope="module")
def case(platform, broker, reviewers):
    """An issued one."""
    made = flow.filed(broker)
    flow.approve(platform, made, reviewers)
    flow.pay(platform, broker, made)
    flow.issued(platform, broker, made)
    await_("its papers", lambda: len(broker.see(f"/cases/{made}")["documents"]) == 3)
    return made


def policy(answer):
    text = answer.headers["Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) if " " in part.strip() else (part.strip(), "") for part in text.split(";"))


def has_all(answer, csp=None):
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value, (answer.url, name, answer.headers.get(name))
    assert "camera" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] == "no-store", answer.url
    assert answer.headers["Server"] == "Apache" and "X-Powered-By" not in answer.headers
    if csp is not None:
        assert policy(answer) == csp, answer.url


def no_inline(answer):
    """Nothing that a policy without unsafe-inline would refuse."""
    page = Page(answer)
    for tag, attrs in page.tags:
        assert not [a for a in attrs if a.startswith("on") or a == "style"], (answer.url, tag, attrs)
        assert tag not in ("style", "base", "object", "embed", "iframe"), (answer.url, tag)
        for name in ("src", "href", "action"):
            assert not attrs.get(name, "").startswith(("javascript:", "http://", "https://", "//")), (answer.url, attrs)
        assert tag != "script" or attrs.get("src"), (answer.url, "an inline script")
    return page


PAGES = {
    "anyone": ["/", "/login", "/verify", "/verify?no=a&code=b", "/nothing", "/cases%2f"],
    "broker": ["/cases", "/cases?state=draft", "/workers", "/workers/new", "/account", "/pay", "/nothing", "/admin",
               "/cases/{case}", "/payments/{payment}", "/workers/{worker}", "/cases/{draft}/edit", "/cases/{draft}/check"],
    "employer": ["/account", "/cases"], "reviewer1": ["/desk", "/desk?list=second", "/search?q=N", "/review/{case}"],
    "dispatcher": ["/dispatch"], "cashier": ["/receipts"], "auditor": ["/audit"], "admin": ["/admin", "/admin/accounts/{account}"],
}


@pytest.mark.parametrize("login", PAGES)
def test_every_page(platform, broker, case, login):
    places = {"case": case, "payment": broker.see(f"/cases/{case}")["payments"][0]["id"], "draft": flow.draft(broker),
              "worker": broker.see("/workers")["workers"][0]["id"],
              "account": platform.of("admin").see("/admin")["accounts"][0]["id"]}
    for lang in ("en", "zh-TW"):
        browser = Browser(platform.base, lang=lang, login=None if login == "anyone" else login)
        for path in PAGES[login]:
            answer = browser.http.get(platform.base + path.format(**places))
            assert answer.status_code < 500, path
            if "%2f" in path:
                continue
            has_all(answer, CSP)
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert "Accept-Language" in answer.headers["Vary"]
            page = no_inline(answer)
            assert [a["lang"] for t, a in page.tags if t == "html"] == ["en" if lang == "en" else "zh-Hant"]
            for tag, attrs in page.tags:  # every asset that a page names is there
                name = attrs.get("src") if tag == "script" else attrs.get("href") if tag == "link" else None
                if name and name.startswith("/assets/"):
                    assert asset_is_good(platform, name), name


SEEN = {}


def asset_is_good(platform, name):
    if name not in SEEN:
        answer = platform.of(None).get(name)
        SEEN[name] = answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"] and \
            answer.headers["X-Content-Type-Options"] == "nosniff"
    return SEEN[name]


def test_every_route_as_json(platform, case):
    """Models, problems, redirects: with and without a session."""
    for person in (platform.person("broker"), platform.of(None)):
        for route in tables.routes():
            path = re.sub("[#*]", case, route.path)
            answer = person.get(path) if route.method == "GET" else person.post(path, {"_nothing": "x"})
            if path.startswith("/inbox"):
                continue
            assert answer.status_code < 500, path
            has_all(answer)
            assert answer.headers["Content-Type"] in ("application/json", "application/problem+json", "application/pdf",
                                                      "image/jpeg", "text/plain; charset=utf-8", "text/html; charset=utf-8",
                                                      "text/plain; version=0.0.4; charset=utf-8"), path


def test_the_payment_page_alone_may_send_its_form_to_the_gateway(platform, broker, reviewers):
    due = flow.filed(broker)
    flow.approve(platform, due, reviewers)
    payment = flow.begin_payment(broker, due)
    browser = Browser(platform.base, login="broker")
    answer = browser.http.get(f"{platform.base}/payments/{payment}")
    has_all(answer, {**CSP, "form-action": f"'self' {platform.gateway}"})
    page = Page(answer)
    assert [f for f in page.forms if f.action.startswith(platform.gateway)]
    has_all(browser.http.get(f"{platform.base}/cases/{due}"), CSP)


def test_downloads_are_attachments_in_a_sandbox(platform, broker, case):
    page = broker.see(f"/cases/{case}")
    hrefs = [f["href"] for f in page["files"]] + [d["href"] for d in page["documents"]]
    assert len(hrefs) == 6
    first = platform.of("reviewer1").see(f"/review/{case}")
    hrefs_review = [f["href"] for f in first["files"]] + [f["view_href"] for f in first["files"] if f["is_image"]]
    for person, href in [(broker, h) for h in hrefs] + [(platform.of("reviewer1"), h) for h in hrefs_review]:
        answer = person.get(href)
        assert answer.status_code == 200, href
        has_all(answer, {"default-src": "'none'", "sandbox": ""})
        assert answer.headers["Content-Disposition"].startswith("attachment; filename="), href


RAW = [("a request line too long", b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
       ("no host", b"GET / HTTP/1.1\r\n\r\n", 400), ("a bad header", b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
       ("an old protocol", b"GET /\r\n\r\n", 400), ("a slash as escape", b"GET /cases%2f1 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
       ("a field too long", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 400),
       ("many fields", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 70 + b"\r\n", 400),
       ("TRACE", b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Secret: s\r\n\r\n", 405),
       ("no such asset", b"GET /assets/0/none.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
       ("an asset's folder", b"GET /assets/0/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
       ("another body than is allowed", b"POST /inbox/ecpay/paid HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 413)]


@pytest.mark.parametrize("data,status", [r[1:] for r in RAW], ids=[r[0] for r in RAW])
def test_errors_of_the_server_itself(platform, data, status):
    answer = wire.talk(platform, data, half_close=True)
    assert wire.answers(answer)[0] == status, answer[:300]
    head, _, body = answer.partition(b"\r\n\r\n")
    for name, value in ALWAYS.items():
        assert f"\r\n{name}: {value}".encode() in head, head
    assert b"\r\nContent-Security-Policy: default-src '" in head and b"\r\nServer: Apache\r\n" in head
    assert b"X-Secret" not in body and b"Debian" not in answer and b"2.4." not in answer


def test_no_log_holds_personal_data(platform, broker, reviewers, case):
    """After all of the above, and more that could go wrong with names in it."""
    number = flow.passport()
    flow.register(broker, number)
    for path, fields in (("/workers", {**flow.worker_fields(number), "employer": flow.employer_of(broker)}),
                         (f"/cases/{case}/edit", {"name_native": "Nguyễn Văn Anh"}), ("/mrz", {"mrz": number})):
        broker.post(path, fields)
    platform.of("reviewer1").post("/search", {"q": "NGUYEN VAN ANH"})
    platform.person().post("/login", {"login": "broker", "password": "Wrong-Password-1"})
    logs = {p.name: p.read_text(encoding="utf-8", errors="replace") for p in (platform.folder / "logs").iterdir()}
    assert {"error.log", "access.log", "standin.log"} <= set(logs) and logs["access.log"].count("\n") > 50
    del logs["standin.log"]
    secrets = ["NGUYEN", "Nguy", "VAN ANH", "阮文英", number, "1990-03-15", "900315", "勞動發事字", "桃園市", "Wrong-Password-1",
               broker.csrf, broker.http.cookies["fwpermit"], "pwFHCqoQZGmho4w6"]
    for name, text in logs.items():
        for secret in secrets:
            assert secret not in text, (name, secret, [line for line in text.splitlines() if secret in line][:2])
    assert reviewers and not re.search(r"C\d{7}", logs["access.log"] + logs["error.log"])


def test_a_search_stands_in_no_address(platform):
    browser = Browser(platform.base, login="reviewer1")
    form = browser.get("/search").form_to("/search")
    assert form.method.lower() == "post", "what is searched for is a name or a passport's number"


def test_what_is_asked_stands_in_no_log(platform):
    platform.of(None).get("/verify?no=SECRETNUMBER&code=SECRETCODE")
    platform.of(None).get("/login?next=/cases/SECRETNEXT")
    assert "SECRET" not in platform.logged("GET /login ") + platform.logged("GET /verify ")
