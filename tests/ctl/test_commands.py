"""Every command with what it prints, refuses and leaves behind."""
import json
import os
import pathlib
import stat

import pytest

PASSWORD = "a-long-enough-pw"


def row(site, login):
    names = ("roles", "station", "active", "failures", "locked_until", "must_change", "pw_hash", "pw_old", "org_id")
    found = site.sql(f"SELECT {', '.join(names)} FROM account WHERE login = ?", login)
    return dict(zip(names, found[0])) if found else None


def commands(site):
    return [c for (c,) in site.sql("SELECT command FROM audit ORDER BY id")]


# ---- help, usage, exit codes ----

def test_help_names_every_command(bare):
    out = bare.ctl("help")
    for name in ("migrate", "account create", "org list", "delegation grant", "audit verify", "deadletter replay", "key rotate",
                 "key rotate-signing", "doctor", "demo", "lifecycle"):
        assert f"  {name} " in out
    assert "--station CODE" in bare.ctl("help", "account", "create")
    assert bare.ctl("help", "key").count("fwpermitctl key") == 5
    assert "no command nonsense" in bare.ctl("help", "nonsense", code=2)
    for spelt in ("--help", "-h"):
        assert bare.ctl(spelt) == out
        assert bare.ctl(spelt, "key") == bare.ctl("help", "key")


@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["account"], ["account", "fly"], ["account", "show"], ["account", "show", "a", "b"],
    ["account", "list", "--limit"], ["account", "list", "--limit", "0"], ["account", "list", "--limit", "1e3"],
    ["account", "list", "--nonsense"], ["account", "list", "--limit=2", "--limit=3"], ["migrate", "now"],
    ["account", "password", "a", "--generate=yes"], ["deadletter", "show", "x"], ["audit", "list", "--before", "-1"]])
def test_usage_is_2(site, args):
    assert site.ctl(*args, code=2).startswith("fwpermitctl: ")


def test_configuration_is_3(bare):
    bare.file.unlink()
    assert "cannot be opened" in bare.ctl("migrate", code=3)
    bare.write(FwPermitBaseURL=None)
    assert "FwPermitBaseURL is missing" in bare.ctl("migrate", code=3)
    bare.write(FwPermitBaseURL="http://127.0.0.1", FwPermitDatabaseMax="many")
    err = bare.ctl("migrate", code=3)
    assert "fwpermit.conf:" in err and "FwPermitDatabaseMax is a number" in err
    bare.write(FwPermitDatabaseMax="8", FwPermitServices=bare.dir / "none")
    assert "none" in bare.ctl("migrate", code=3)


def test_a_database_that_is_away_is_4(bare):
    bare.write(FwPermitDatabaseDriver="pgsql", FwPermitDatabase="host=127.0.0.1 port=25798 dbname=none connect_timeout=2")
    bare.ctl("migrate", code=4)


def test_the_database_may_be_named_by_a_file(bare):
    words = bare.dir / "etc/database"
    words.write_text(f"# where it lies\n  {bare.conf['FwPermitDatabase']}  \n")
    bare.write(FwPermitDatabase=f"file:{words}")
    assert bare.ctl("migrate").startswith("schema ")
    assert (bare.dir / "state/fw.db").exists()
    words.write_text("# nothing\n\n")
    assert "is empty" in bare.ctl("migrate", code=3)


# ---- migrate, keys ----

def test_migrate_twice(bare):
    newest = len(list((bare.share / "sql/schema").glob("*.sql")))
    assert bare.ctl("migrate") == f"schema {newest}, {newest} migrations run\n"
    assert bare.ctl("migrate") == f"schema {newest}, 0 migrations run\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives rights up")
def test_no_file_of_root_lies_among_the_servers(demo):
    owners = {p.owner() for p in (demo.dir / "state").rglob("*")}
    assert owners == {"www-data"}


def test_key_init_makes_each_once(bare):
    out = bare.ctl("key", "init")
    keys = bare.dir / "etc/keys"
    made = {p.name for p in keys.iterdir()}
    assert made == {f"{n}.{e}" for n in ("ca", "permit", "receipt", "audit", "seal") for e in ("key", "crt")}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    for path in [bare.dir / "etc/vault.keys", *keys.glob("*.key")]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    before = {p: p.read_bytes() for p in [bare.dir / "etc/vault.keys", *keys.iterdir()]}
    assert "PRIVATE" not in out and before[bare.dir / "etc/vault.keys"].split()[-1].decode() not in out
    (keys / "receipt.key").unlink()
    (keys / "receipt.crt").unlink()
    bare.ctl("key", "init")
    after = {p: p.read_bytes() for p in before}
    changed = {p.name for p in before if before[p] != after[p]}
    assert changed == {"receipt.key", "receipt.crt"}


def test_certificates_verify_by_openssl(bare):
    import subprocess
    bare.ctl("key", "init")
    keys = bare.dir / "etc/keys"
    for name in ("permit", "receipt", "audit", "seal"):
        done = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", keys / "ca.crt", keys / f"{name}.crt"],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    text = subprocess.run(["openssl", "x509", "-noout", "-text", "-in", keys / "permit.crt"], capture_output=True,
                          text=True, check=True).stdout
    for part in ("prime256v1", "CA:FALSE", "Digital Signature, Non Repudiation", "CN = Residence permits"):
        assert part in text, part


def test_key_init_asks_a_ca(bare):
    import subprocess
    bare.ctl("key", "init", "--csr")
    keys = bare.dir / "etc/keys"
    assert not list(keys.glob("*.crt")) and not (keys / "ca.key").exists()
    assert len(list(keys.glob("*.csr"))) == 4
    subprocess.run(["openssl", "req", "-verify", "-noout", "-in", keys / "permit.csr"], check=True, capture_output=True)


def test_a_certificate_without_its_key_stops_key_init(bare):
    bare.ctl("key", "init")
    (bare.dir / "etc/keys/permit.key").unlink()
    assert "without its key" in bare.ctl("key", "init", code=1)


# ---- accounts ----

def test_account_create(demo):
    out = demo.ctl("account", "create", "new.officer", "--roles", "initial,second", "--station", "TAO", "--name", "王小明",
                   "--email", "new@permit.example.gov.tw", "--lang=en", data=PASSWORD + "\n")
    assert out.startswith("account new.officer: ")
    made = row(demo, "new.officer")
    assert made["must_change"] == 1 and made["active"] == 1 and made["roles"] == "initial,second"
    assert made["pw_hash"].startswith("$argon2id$")
    assert commands(demo)[-1] == "account.create"
    shown = demo.ctl("account", "show", "new.officer")
    assert "王小明" in shown and "must change  yes" in shown and "argon2" not in shown
    assert "new.officer\tactive" in demo.ctl("account", "list")
    assert len(demo.ctl("account", "list", "--limit", "3").splitlines()) == 3
    demo.ctl("account", "create", "agent2", "--roles=agent", "--org=22099131", "--keep", data=PASSWORD)
    assert row(demo, "agent2")["must_change"] == 0
    org = row(demo, "agent2")["org_id"]
    out = demo.ctl("account", "create", "agent3", "--roles=agent", f"--org={org}", "--generate")
    word = out.splitlines()[0].removeprefix("password: ")
    assert len(word) == 20 and word not in json.dumps(demo.sql("SELECT * FROM account"))


@pytest.mark.parametrize("args, word", [
    (["bad login", "--roles", "admin"], "a login is"), (["x" * 65, "--roles", "admin"], "a login is"),
    (["a"], "--roles"), (["a", "--roles", "king"], "--roles"), (["a", "--roles", "system"], "--roles"),
    (["a", "--roles", "admin,agent", "--org", "22099131"], "applicant's or an officer's"),
    (["a", "--roles", "agent"], "--org"), (["a", "--roles", "initial"], "--station"),
    (["a", "--roles", "initial", "--station", "XYZ"], "no station XYZ"), (["a", "--roles", "admin", "--email", "x"], "mail"),
    (["a", "--roles", "admin", "--lang", "tlh"], "no language")])
def test_account_create_refuses(demo, args, word):
    assert word in demo.ctl("account", "create", *args, data=PASSWORD, code=2)
    assert len(demo.sql("SELECT id FROM account")) == 8


def test_account_create_judges_the_password_and_the_login(demo):
    for password in ("", "short", "Password-2026!!", "tab\there-and-more"):
        demo.ctl("account", "create", "x1", "--roles=admin", data=password + "\n", code=2)
    demo.ctl("account", "create", "x1", "--roles=admin", data="", code=2)
    assert "exists already" in demo.ctl("account", "create", "broker", "--roles=admin", data=PASSWORD, code=1)
    assert "no organisation" in demo.ctl("account", "create", "x1", "--roles=agent", "--org=99999999", data=PASSWORD, code=1)
    assert row(demo, "x1") is None


def test_account_changes(demo):
    demo.sql("UPDATE account SET failures = 5, locked_until = 4102444800000000 WHERE login = 'broker'")
    assert "broker\tlocked" in demo.ctl("account", "list")
    before = row(demo, "broker")["pw_hash"]
    demo.ctl("account", "unlock", "broker")
    after = row(demo, "broker")
    assert (after["failures"], after["locked_until"], after["pw_hash"]) == (0, 0, before)

    account = demo.sql("SELECT id FROM account WHERE login = 'broker'")[0][0]
    demo.sql("INSERT INTO session (token_hash, account_id, csrf, created, seen, expires) VALUES ('t', ?, 'c', 1, 1, 1)", account)
    demo.ctl("account", "disable", "broker")
    assert row(demo, "broker")["active"] == 0 and demo.sql("SELECT * FROM session") == []
    assert row(demo, "broker")["roles"] == "agent"
    demo.ctl("account", "enable", "broker")
    assert row(demo, "broker")["active"] == 1

    demo.sql("INSERT INTO session (token_hash, account_id, csrf, created, seen, expires) VALUES ('t', ?, 'c', 1, 1, 1)", account)
    demo.ctl("account", "password", "broker", data=PASSWORD)
    after = row(demo, "broker")
    assert after["must_change"] == 1 and after["pw_hash"] != before and json.loads(after["pw_old"]) == [before]
    assert demo.sql("SELECT * FROM session") == []
    for old in (PASSWORD, "demo-permit-2026"):
        demo.ctl("account", "password", "broker", data=old, code=2)
    assert row(demo, "broker") == after
    demo.ctl("account", "password", "broker", "--generate", "--keep")
    assert row(demo, "broker")["must_change"] == 0
    assert commands(demo)[-5:] == ["account.unlock", "account.update", "account.update", "account.password", "account.password"]
    for verb in ("show", "unlock", "disable", "enable", "password"):
        assert "no account nobody" in demo.ctl("account", verb, "nobody", data=PASSWORD, code=1)


# ---- organisations ----

def test_org_and_delegation(demo):
    demo.ctl("org", "create", "employer", "04595252", "--name-zh", "新廠", "--address", "臺中市豐原區中山路1號", "--phone",
             "04-25261234", "--email", "a@b.example")
    assert demo.sql("SELECT county FROM org WHERE ban = '04595252'") == [["TXG"]]
    assert "\temployer\t04595252\t新廠\t-" in demo.ctl("org", "list")
    assert "already" in demo.ctl("org", "create", "employer", "04595252", "--name-zh", "x", code=1)
    assert demo.ctl("delegation", "grant", "04595252", "22099131").startswith("delegation ")
    assert "04595252" in demo.ctl("delegation", "list", "22099131")
    assert "遠帆" in demo.ctl("delegation", "list", "04595252")
    demo.ctl("delegation", "grant", "04595252", "22099131", code=1)
    demo.ctl("delegation", "revoke", "04595252", "22099131")
    assert "04595252" not in demo.ctl("delegation", "list", "22099131")
    assert "has not delegated" in demo.ctl("delegation", "revoke", "04595252", "22099131", code=1)
    demo.ctl("delegation", "grant", "04595252", "22099131")
    assert commands(demo)[-4:] == ["org.create", "delegation.grant", "delegation.revoke", "delegation.grant"]


@pytest.mark.parametrize("args", [
    ["bank", "04595252", "--name-zh=x"], ["employer", "04595253", "--name-zh=x"], ["agency", "A123456789", "--name-zh=x"],
    ["agency", "04595252", "--name-zh=x"], ["employer", "04595252"], ["employer", "04595252", "--name-zh=x", "--email=x"],
    ["employer", "04595252", "--name-zh=x", "--phone=call me"]])
def test_org_create_refuses(demo, args):
    demo.ctl("org", "create", *args, code=2)
    assert len(demo.sql("SELECT id FROM org")) == 4


def test_delegation_needs_an_employer_and_an_agency(demo):
    assert "no agency" in demo.ctl("delegation", "grant", "04595257", "10458575", code=2)
    assert "no employer" in demo.ctl("delegation", "grant", "22099131", "22099131", code=2)
    assert "no organisation" in demo.ctl("delegation", "grant", "1", "22099131", code=1)


# ---- demo ----

def test_demo_is_a_world_and_idempotent(demo):
    assert len(demo.sql("SELECT id FROM account")) == 8 and len(demo.sql("SELECT id FROM org")) == 4
    assert len(demo.ctl("delegation", "list", "22099131").splitlines()) == 2
    before = demo.sql("SELECT * FROM account"), demo.sql("SELECT * FROM audit")
    out = demo.ctl("demo")
    assert "demo-permit-2026" in out
    assert (demo.sql("SELECT * FROM account"), demo.sql("SELECT * FROM audit")) == before
    for login in ("broker", "employer", "reviewer1", "reviewer2", "dispatcher", "cashier", "admin", "auditor"):
        assert login in out and row(demo, login)["must_change"] == 0
    assert row(demo, "reviewer1")["roles"] == "initial,second" and row(demo, "reviewer1")["station"] == "TAO"


def test_demo_refuses_where_it_is_off(site):
    site.write(FwPermitDemo="Off")
    assert "FwPermitDemo is Off" in site.ctl("demo", code=1)
    assert site.sql("SELECT id FROM account") == []


# ---- audit, dead letters ----

def test_audit_list(demo):
    lines = demo.ctl("audit", "list", "--limit", "4").splitlines()
    assert len(lines) == 4 and all("fwpermitctl\taccount.create\taccount:" in line for line in lines)
    older = demo.ctl("audit", "list", "--limit", "1", "--before", lines[-1].split("\t")[0]).splitlines()
    assert int(older[0].split("\t")[0]) < int(lines[-1].split("\t")[0])


def test_audit_verify_whole_and_not(demo):
    out = demo.ctl("audit", "verify")
    assert out.startswith("whole\n") and "records 14" in out
    demo.sql("UPDATE audit SET actor = 'nobody' WHERE command = 'org.create'")
    out = demo.ctl("audit", "verify", code=1)
    assert out.startswith("edited\n") and "org:" in out


def test_audit_verify_sees_a_record_taken_out(demo):
    demo.ctl("account", "disable", "broker")
    demo.ctl("account", "enable", "broker")
    demo.sql("DELETE FROM audit WHERE id = (SELECT min(id) FROM audit WHERE command = 'account.update')")
    assert demo.ctl("audit", "verify", code=1).startswith("removed\n")


def test_audit_verify_needs_its_key(demo):
    assert "none.crt" in demo.ctl("audit", "verify", "--key", demo.dir / "none.crt", code=3)
    demo.ctl("audit", "verify", "--key", demo.dir / "etc/keys/audit.crt")


def put_letter(site, number, state="dead"):
    payload = {"order": "FW1", "hash_key": "topsecret", "deep": [{"Password": "topsecret", "amount": 5}], "cardNo": "4311"}
    site.sql("INSERT INTO outbox (id, port, op, once_key, payload, aggregate_id, bulk, state, attempt, not_before, created,"
             " ended, reason) VALUES (?, 'payment', 'payment.begin', ?, ?, 7, 0, ?, 4, 0, 1790000000000000, 1, 'gateway: no')",
             number, f"k{number}", json.dumps(payload), state)


def test_deadletter(demo):
    put_letter(demo, 41)
    put_letter(demo, 42, state="ready")
    assert demo.ctl("deadletter", "list").startswith("41\tpayment.begin\t")
    shown = demo.ctl("deadletter", "show", "41")
    assert "topsecret" not in shown and "4311" not in shown and '"amount": 5' in shown and "gateway: no" in shown
    for number in ("42", "43"):
        demo.ctl("deadletter", "show", number, code=1)
        demo.ctl("deadletter", "replay", number, code=1)
    demo.ctl("deadletter", "replay", "41")
    assert demo.sql("SELECT state, once_key FROM outbox WHERE id = 41") == [["ready", "k41"]]
    assert commands(demo)[-1] == "outbox.replay"
    assert demo.ctl("deadletter", "list") == ""


# ---- lifecycle ----

def test_lifecycle_is_the_page(bare):
    page = pathlib.Path(__file__).resolve().parents[2] / "docs/lifecycle.md"
    assert bare.ctl("lifecycle") == page.read_text(encoding="utf-8")
