"""Links to other systems: what is told while one is down or held back, what waits behind it, and dead letters."""
import contextlib
import json

import flow
import pytest
import requests
from platform_under_test import await_

AWAY = r"FWP2107 plugin ecpay"


@contextlib.contextmanager
def gone(platform, plugin):
    """Nobody listens for a while where the plugin's process does."""
    socket = platform.folder / f"state/run/plugin-{plugin}.sock"
    if not socket.exists():
        socket = next(platform.folder.rglob(f"plugin-{plugin}.sock"))
    socket.rename(socket.with_suffix(".away"))
    try:
        yield
    finally:
        if socket.with_suffix(".away").exists():
            socket.with_suffix(".away").rename(socket)


def link(platform, plugin="ecpay"):
    return next(x for x in platform.of("admin").see("/admin/system")["links"] if x["plugin"] == plugin)


def state(platform, plugin="ecpay"):
    return link(platform, plugin)["state"]["code"]


def message(platform, text):
    answer = requests.post(f"{platform.base}/inbox/ecpay/paid", data=text, timeout=30)
    assert answer.status_code == 200, answer.text


def due(platform, broker, reviewers):
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    return case


def waiting(platform, port="payment"):
    return platform.sql("SELECT attempt FROM outbox WHERE port = ? AND state IN ('ready', 'leased')", port)


def commands(platform, aggregate):
    return [c for (c,) in platform.sql("SELECT command FROM audit WHERE aggregate = ? ORDER BY seq", aggregate)]


# ---- down, and back ----

def test_down_and_back(platform, broker, reviewers):
    platform.expect(AWAY)
    platform.expect("FWP2104")  # what comes below is no notice of the gateway
    case = due(platform, broker, reviewers)
    assert broker.see(f"/cases/{case}")["link"] is None
    with gone(platform, "ecpay"):
        payment = broker.do("/payments", {"case": [case], "method": "card"}, status=202)["answer"]
        for i in range(5):
            message(platform, f"not=a&notice={i}")
        await_("the link to be called down", lambda: state(platform) == "down")
        shown = link(platform)
        assert (shown["waiting"], shown["cases"], shown["dead"]) == (1, 1, 0)
        assert shown["failures"] >= 5 and "away" in shown["error"] and shown["advice"]
        assert shown["oldest"]["iso"] <= shown["since"]["iso"]
        parts = {p["name"]: p["state"]["code"] for p in platform.of("admin").see("/admin/system")["parts"]}
        assert parts["plugin-ecpay"] == "down"
        assert {parts[p] for p in ("pump", "signer", "pictures", "sealer", "database", "vault", "plugin-mail")} == {"up"}
        for path in (f"/payments/{payment}", f"/cases/{case}", f"/pay?case={case}&again=1"):
            told = broker.see(path)["link"]
            assert (told["port"], told["state"], told["since"]) == ("payment", "down", shown["since"]), path
            clock = shown["since"]["text"][-5:]
            assert told["text"].startswith(f"The link to the payment gateway has been down since {clock}. Every case is safe")
        page = broker.get(f"/payments/{payment}", headers={"Accept": "text/html", "Accept-Language": "zh-TW"}).text
        assert f"自 {clock} 起，與金流平台的連線中斷。案件安全無虞" in page
        kept = platform.sql("SELECT state, failures, error FROM link WHERE plugin = 'ecpay'")
        assert len(kept) == 1 and kept[0][0] == "down", kept
    await_("the gateway's form", lambda: broker.see(f"/payments/{payment}")["redirect"])
    await_("the link to be back", lambda: state(platform) == "up")
    shown = link(platform)
    assert (shown["failures"], shown["error"], shown["waiting"]) == (0, None, 0) and shown["last_ok"]
    assert broker.see(f"/payments/{payment}")["link"] is None
    await_("all messages", lambda: not platform.sql("SELECT 1 FROM inbox WHERE state IN ('ready', 'leased')"))


def test_the_pump_keeps_the_same_for_programs_and_monitors(platform):
    path = next(platform.folder.rglob("status.json"))
    snapshot = json.loads(path.read_text(encoding="utf-8"))
    assert {link["plugin"] for link in snapshot["links"]} >= {"ecpay", "mail"}
    assert "broker" not in path.read_text(encoding="utf-8")
    page = platform.of("admin").see("/admin/system")
    assert page["node"] == snapshot["node"] and page["disk"] and page["audit"]


def test_a_pump_that_reports_nothing_is_down(platform, admin):
    path = next(platform.folder.rglob("status.json"))

    def old():
        """Between two reports: the report is of yesterday."""
        text = path.read_text(encoding="utf-8")
        snapshot = json.loads(text)
        snapshot["at"] = "2026-01-01T00:00:00Z"
        path.write_text(json.dumps(snapshot), encoding="utf-8")
        return next(p for p in admin.see("/admin/system")["parts"] if p["name"] == "pump")["state"]["code"] == "down"
    await_("a pump that is called down", old)
    await_("a pump that is up again", lambda: next(
        p for p in admin.see("/admin/system")["parts"] if p["name"] == "pump")["state"]["code"] == "up")


# ---- held back ----

def test_paused_and_resumed(platform, broker, reviewers, admin):
    first = due(platform, broker, reviewers)
    begun = flow.begin_payment(broker, first)
    order = platform.order(broker.see(f"/payments/{begun}")["redirect"])
    case = due(platform, broker, reviewers)
    refused = admin.post("/admin/plugins/ecpay/pause")
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "reason"
    assert admin.post("/admin/plugins/nobody/pause", {"reason": "x"}).status_code == 404
    assert admin.post("/admin/plugins/ecpay/resume").status_code == 409
    admin.do("/admin/plugins/ecpay/pause", {"reason": "their night of maintenance"})
    assert admin.post("/admin/plugins/ecpay/pause", {"reason": "again"}).status_code == 409
    shown = link(platform)
    assert shown["state"]["code"] == "paused" and shown["resume_action"] and not shown["pause_action"]
    assert shown["pause"] == {"actor": "admin", "reason": "their night of maintenance"}
    payment = broker.do("/payments", {"case": [case], "method": "card"}, status=202)["answer"]
    platform.control("pay", order=order, method="card")
    await_("the gateway's notice", lambda: platform.sql("SELECT 1 FROM inbox WHERE state = 'ready'"))
    told = broker.see(f"/payments/{payment}")["link"]
    assert told["state"] == "paused" and told["since"] == shown["since"]
    # Another port's delivery goes through behind it: what waits here was passed over, and not tried.
    flow.filed(broker)
    await_("the other port", lambda: not waiting(platform, "notify"))
    assert waiting(platform) == [(0,)]
    assert platform.sql("SELECT state, attempt FROM inbox ORDER BY id DESC LIMIT 1") == [("ready", 0)]
    assert link(platform)["waiting"] == 1
    page = admin.get("/admin/system", headers={"Accept": "text/html"}).text
    assert "Paused by admin: their night of maintenance" in page and "/admin/plugins/ecpay/resume" in page
    admin.do("/admin/plugins/ecpay/resume", {})
    await_("the gateway's form", lambda: broker.see(f"/payments/{payment}")["redirect"])
    flow.issued(platform, broker, first)
    assert broker.see(f"/payments/{begun}")["is_paid"]
    assert commands(platform, "plugin:ecpay") == ["plugin.pause", "plugin.resume"]
    reason, = platform.sql("SELECT data FROM audit WHERE command = 'plugin.pause'")
    assert json.loads(reason[0]) == {"reason": "their night of maintenance"}


# ---- dead letters ----

SECRETS = ("s3cret-of-the-gateway", "lin.xiaoming@example.tw", "林小明", "0912345678", "C1234567")


@pytest.fixture
def letter(platform, broker):
    """A dead one: a notice of a case, with members of all kinds."""
    platform.expect("FWP2106 ")
    case = flow.filed(broker)
    await_("the notices", lambda: not waiting(platform, "notify"))
    key, = platform.sql("SELECT once_key, id FROM outbox WHERE port = 'notify' AND aggregate_id = ?", int(case))[:1]
    payload = {"what": "case.submit", "case": case, "token": SECRETS[0], "n": 3, "again": True,
               "person": {"email": SECRETS[1], "name": SECRETS[2], "phone": SECRETS[3], "passport_no": SECRETS[4]},
               "list": ["a", "b"]}
    platform.sql("UPDATE outbox SET state = 'dead', reason = '550 no such mailbox', ended = 1700000000000000, payload = ? "
                 "WHERE id = ?", json.dumps(payload, ensure_ascii=False), key[1])
    return {"id": str(key[1]), "key": key[0], "case": case}


def payload_of(platform, letter):
    (text,), = platform.sql("SELECT payload FROM outbox WHERE id = ?", int(letter["id"]))
    return json.loads(text)


def test_a_letter_is_shown_masked(platform, admin, letter):
    at = f"/admin/deadletters/{letter['id']}"
    line = next(x for x in admin.see("/admin")["dead"] if x["id"] == letter["id"])
    assert line["href"] == at and line["reason"] == "550 no such mailbox"
    page = admin.see(at)
    assert (page["key"], page["op"], page["port"], page["attempts"]) == (letter["key"], "notify.send", "notify", 1)
    assert [c["id"] for c in page["cases"]] == [letter["case"]] and page["ended"]["iso"] == "2023-11-14T22:13:20Z"
    assert page["payload"]["token"] == "***" and page["payload"]["what"] == "case.submit"
    assert page["payload"]["person"] == {"email": "l***@e***", "name": "林***", "phone": "0***", "passport_no": "***"}
    shown = {m["name"]: m for m in page["members"]}
    assert shown["person.email"] == {"name": "person.email", "value": "l***@e***", "is_masked": True}
    assert shown["n"]["value"] == "3" and shown["again"]["value"] == "true" and shown["list.1"]["value"] == "b"
    html = admin.get(at, headers={"Accept": "text/html"}).text
    assert 'name="payload.person.email"' in html
    for secret in SECRETS:
        assert secret not in html and secret not in json.dumps(page, ensure_ascii=False)
    assert link(platform, "mail")["dead"] == 1
    assert admin.get("/admin/deadletters/12").status_code == 404
    admin.do(f"{at}/drop", {"reason": "a test"})


def test_a_letter_is_mended_and_goes_out_under_its_key(platform, admin, letter):
    at = f"/admin/deadletters/{letter['id']}"
    before = payload_of(platform, letter)
    for fields, key in (({"payload.nothing": "x"}, "letter.no_member"), ({"payload.n": "three"}, "letter.other_type"),
                        ({"payload.again": "1"}, "letter.other_type"), ({}, "letter.nothing_changed"),
                        ({"payload.person": "x"}, "letter.no_member"),
                        ({"payload.person.email": "l***@e***", "payload.token": "***"}, "letter.nothing_changed")):
        refused = admin.post(f"{at}/mend", fields)
        assert refused.status_code == 422 and refused.json()["errors"][0]["key"] == key, (fields, refused.text)
    assert payload_of(platform, letter) == before
    admin.do(f"{at}/mend", {"payload.person.email": "lin@example.org", "payload.n": "4", "payload.list.1": "c",
                            "payload.token": "***", "payload.person.name": "林***"})
    assert payload_of(platform, letter) == {**before, "n": 4, "list": ["a", "c"],
                                            "person": {**before["person"], "email": "lin@example.org"}}
    (data,), = platform.sql("SELECT data FROM audit WHERE command = 'outbox.mend' AND aggregate = ?", f"outbox:{letter['id']}")
    assert json.loads(data) == {"key": letter["key"], "members": ["person.email", "n", "list.1"]}
    assert "lin@example.org" not in data
    other = str(int(letter["case"]) + 1)
    admin.do(f"{at}/mend", {"payload.case": other})
    admin.do(f"{at}/mend", {"payload.case": letter["case"]})
    aimed = [json.loads(d)["members"] for (d,) in platform.sql(
        "SELECT data FROM audit WHERE command = 'outbox.mend' AND aggregate = ? ORDER BY seq", f"outbox:{letter['id']}")[1:]]
    assert aimed == [[f"case: {letter['case']} > {other}"], [f"case: {other} > {letter['case']}"]]
    admin.do(f"{at}/replay", {})
    await_("the delivery", lambda: platform.sql("SELECT state, once_key FROM outbox WHERE id = ?", int(letter["id"]))
           == [("done", letter["key"])])
    assert admin.post(f"{at}/mend", {"payload.n": "5"}).status_code == 404  # it is no dead one any more
    assert commands(platform, f"outbox:{letter['id']}") == ["outbox.mend"] * 3 + ["outbox.replay"]


def test_a_letter_is_dropped_with_a_reason(platform, admin, letter):
    at = f"/admin/deadletters/{letter['id']}"
    assert admin.post(f"{at}/drop").status_code == 422
    assert admin.post(f"{at}/drop", data={"reason": "", "_csrf": admin.csrf}, headers={"Accept": "text/html"}).status_code == 422
    admin.do(f"{at}/drop", {"reason": "the mailbox is gone"})
    assert admin.get(at).status_code == 404
    assert letter["id"] not in {x["id"] for x in admin.see("/admin")["dead"]}
    assert platform.sql("SELECT state, reason FROM outbox WHERE id = ?", int(letter["id"])) == [("dropped", "the mailbox is gone")]
    (data,), = platform.sql("SELECT data FROM audit WHERE command = 'outbox.drop' AND aggregate = ?", f"outbox:{letter['id']}")
    assert json.loads(data) == {"key": letter["key"], "reason": "the mailbox is gone"}
    assert link(platform, "mail")["dead"] == 0


def test_a_dead_message_is_taken_up_again(platform, admin, broker, reviewers):
    case = due(platform, broker, reviewers)
    payment = flow.pay(platform, broker, case)
    await_("the message", lambda: not platform.sql("SELECT 1 FROM inbox WHERE state IN ('ready', 'leased')"))
    number, digest, body = platform.sql("SELECT id, body_hash, body FROM inbox WHERE state = 'done' ORDER BY id DESC LIMIT 1")[0]
    platform.sql("UPDATE inbox SET state = 'dead', reason = 'the plugin gave up' WHERE id = ?", number)
    shown = next(m for m in admin.see("/admin")["messages"] if m["id"] == str(number))
    assert (shown["plugin"], shown["channel"], shown["hash"], shown["reason"]) == ("ecpay", "paid", digest, "the plugin gave up")
    assert shown["size"].endswith(" B") and body[:40] not in json.dumps(admin.see("/admin"))
    assert link(platform)["dead"] == 1
    admin.do(f"/admin/messages/{number}/replay", {})
    await_("the message", lambda: platform.sql("SELECT state FROM inbox WHERE id = ?", number) == [("done",)])
    assert broker.see(f"/payments/{payment}")["is_paid"]  # the same notice twice is one payment
    assert admin.post(f"/admin/messages/{number}/replay").status_code == 404
    assert commands(platform, f"inbox:{number}") == ["inbox.replay"]
