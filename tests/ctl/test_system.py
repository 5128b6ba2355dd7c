"""What a sysadmin sees and does of parts, links and dead letters; the server is not running."""
import json
import pathlib

import jsonschema
from test_commands import commands, put_letter

CONTRACT = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/contracts/monitor.json").read_text(encoding="utf-8"))


def test_status_with_the_server_stopped(demo):
    out = demo.ctl("status", code=1)
    lines = out.splitlines()
    for part in ("pump", "signer", "pictures", "plugin-ecpay"):
        assert any(line.startswith("down ") and f" {part} " in line for line in lines), (part, out)
    for part in ("database", "vault", "sealer"):
        assert any(line.startswith("up ") and f" {part} " in line for line in lines), (part, out)
    assert "fwpermitctl doctor" in out and "late cases  0" in out
    assert any(line.startswith("unused") and "ecpay" in line for line in lines)


def test_status_as_json_is_what_the_contract_says(demo):
    put_letter(demo, 41)
    put_letter(demo, 42, state="ready")
    snapshot = json.loads(demo.ctl("status", "--json"))  # who asks for all of it judges by himself
    jsonschema.validate(snapshot, {**CONTRACT, "$ref": "#/$defs/report.request"})
    link = next(x for x in snapshot["links"] if x["plugin"] == "ecpay")
    assert (link["waiting"], link["dead"], link["advice"]) == (1, 1, "link.dead")
    assert link["oldest"] == "2026-09-21T14:13:20Z"
    queue, = snapshot["queues"]
    assert (queue["port"], queue["waiting"], queue["dead"]) == ("payment", 1, 1) and queue["oldest_s"] > 0
    assert snapshot["audit"]["unsealed"] == len(demo.sql("SELECT 1 FROM audit WHERE seal = 0"))
    assert snapshot["certificates"] == []  # the keys' folder is for the signer alone, and there is no trust list
    assert {"vault", "database"} <= {d["name"] for d in snapshot["disk"]}


def test_certificates_by_the_trust_list(demo):
    cert = (demo.dir / "etc/keys/permit.crt").read_text(encoding="ascii")
    (demo.dir / "state/public").mkdir(exist_ok=True)
    (demo.dir / "state/public/trust.json").write_text(json.dumps({"signers": [
        {"use": "permit", "current": False, "cert": "old"}, {"use": "permit", "current": True, "cert": cert}]}))
    demo.own(demo.dir / "state")
    certificate, = json.loads(demo.ctl("status", "--json"))["certificates"]
    assert certificate["name"] == "permit" and certificate["expires"] > "2028"


def test_status_with_the_database_away(demo):
    demo.write(FwPermitDatabase=demo.dir / "nowhere/fw.db")
    lines = demo.ctl("status", code=1).splitlines()
    assert any(line.startswith("down ") and " database " in line for line in lines), lines
    assert any(line.startswith("up ") and " vault " in line for line in lines), lines


def test_pause_and_resume(demo):
    assert "reason" in demo.ctl("plugin", "pause", "ecpay", code=2)
    demo.ctl("plugin", "pause", "nobody", "--why", "x", code=1)
    demo.ctl("plugin", "resume", "ecpay", code=1)
    demo.ctl("plugin", "pause", "ecpay", "--why", "their maintenance")
    demo.ctl("plugin", "pause", "ecpay", "--why", "again", code=1)
    assert demo.ctl("plugin", "list").startswith("paused")
    assert commands(demo)[-1] == "plugin.pause"
    assert json.loads(demo.sql("SELECT data FROM audit ORDER BY id DESC LIMIT 1")[0][0]) == {"reason": "their maintenance"}
    demo.ctl("plugin", "resume", "ecpay")
    assert demo.ctl("plugin", "list").startswith("unused")
    assert commands(demo)[-1] == "plugin.resume"


def test_mend_and_drop(demo):
    put_letter(demo, 41)
    for words, code in ((("41", "nothing=x"), 2), (("41", "deep.0.amount=five"), 2), (("41", "hash_key=***"), 2),
                        (("41", "order"), 2), (("43", "order=x"), 1)):
        demo.ctl("deadletter", "mend", *words, code=code)
    demo.ctl("deadletter", "mend", "41", "deep.0.amount=6", "deep.0.Password=new one", "cardNo=***")
    payload = json.loads(demo.sql("SELECT payload FROM outbox WHERE id = 41")[0][0])
    assert payload == {"order": "FW1", "hash_key": "topsecret", "deep": [{"Password": "new one", "amount": 6}], "cardNo": "4311"}
    data = demo.sql("SELECT data FROM audit ORDER BY id DESC LIMIT 1")[0][0]
    assert json.loads(data) == {"key": "k41", "members": ["deep.0.amount", "deep.0.Password"]}
    demo.ctl("deadletter", "drop", "41", code=2)
    demo.ctl("deadletter", "drop", "41", "--why", "paid at the counter")
    assert demo.sql("SELECT state, reason FROM outbox WHERE id = 41") == [["dropped", "paid at the counter"]]
    assert commands(demo)[-2:] == ["outbox.mend", "outbox.drop"]
    demo.ctl("deadletter", "replay", "41", code=1)


def test_a_dead_message(demo):
    demo.sql("INSERT INTO inbox (id, plugin, about, body_hash, body, state, attempt, not_before, received, ended, reason)"
             " VALUES (51, 'ecpay', 'paid', 'abc', 'c2VjcmV0', 'dead', 9, 0, 1790000000000000, 1, 'too long away')")
    assert demo.ctl("deadletter", "list").startswith("51\tmessage of ecpay\t")
    shown = demo.ctl("deadletter", "show", "51")
    assert "abc" in shown and "too long away" in shown and "c2VjcmV0" not in shown and "secret" not in shown
    demo.ctl("deadletter", "mend", "51", "a=b", code=1)
    demo.ctl("deadletter", "replay", "51")
    assert demo.sql("SELECT state, tried_before FROM inbox WHERE id = 51") == [["ready", 9]]
    assert commands(demo)[-1] == "inbox.replay"
