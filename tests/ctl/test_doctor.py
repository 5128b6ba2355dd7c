"""The doctor finds each planted fault, and none where there is none."""
import datetime
import os
import shutil
import socket
import subprocess
import time

import pytest

HTTPD = """ServerRoot "{root}"
LoadModule alias_module {modules}/mod_alias.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule reqtimeout_module {modules}/mod_reqtimeout.so
LoadModule setenvif_module {modules}/mod_setenvif.so
LoadModule unique_id_module {modules}/mod_unique_id.so
Include more/*.conf
"""
MORE = """LoadModule fwpermit_module {module}
HttpProtocolOptions Strict
TraceEnable off
ServerTokens Prod
ErrorLogFormat "[%{{u}}t] [%-m:%l] [%L] %M"
<IfModule reqtimeout_module>
  RequestReadTimeout header=20
</IfModule>
LimitRequestBody 1000
"""


def write_httpd(site, main=HTTPD, more=MORE):
    module = site.dir / "mod_fwpermit.so"
    module.touch()
    values = {"root": site.dir, "modules": "/usr/lib/apache2/modules", "module": module}
    (site.dir / "more").mkdir(exist_ok=True)
    (site.dir / "httpd.conf").write_text(main.format(**values))
    (site.dir / "more/a.conf").write_text(more.format(**values))


@pytest.fixture
def well(demo):
    write_httpd(demo)
    return demo


def doctor(site, *args):
    """The faults with what mends each."""
    done = site.run("doctor", "--httpd", site.dir / "httpd.conf", *args)
    lines = done.stdout.splitlines()
    faults = [f"{line}\n{lines[n + 1].strip()}" for n, line in enumerate(lines) if line.startswith("FAULT")]
    assert all("\nmend: " in f for f in faults), done.stdout
    assert done.returncode == (1 if faults else 0), (done.stdout, done.stderr)
    assert lines[-1] == f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"
    return faults


def only(site, *words):
    """There is one fault, and it reads so."""
    faults = doctor(site)
    assert len(faults) == 1, faults
    for word in words:
        assert word in faults[0], faults[0]


def test_all_is_well(well):
    assert doctor(well) == []
    assert well.ctl("doctor", "--httpd", well.dir / "httpd.conf", "--quiet") == "0 faults\n"


# ---- settings ----

def test_settings_that_cannot_be_read(well):
    well.write(FwPermitBaseURL=None)
    only(well, "FwPermitBaseURL is missing", "mend: edit ")


def test_off(well):
    well.write(FwPermit="Off")
    only(well, "FwPermit is Off", "FwPermit On")


def test_cookies_for_http_on_https(well):
    well.write(FwPermitBaseURL="https://127.0.0.1:25799")
    only(well, "FwPermitCookieSecure is Off", "FwPermitCookieSecure On")


def test_a_demo_and_no_tls_for_the_world(well):
    well.write(FwPermitBaseURL="http://permit.example.gov.tw")
    faults = doctor(well)
    assert len(faults) == 2 and "clear" in faults[0] and "tls.md" in faults[0] and "FwPermitDemo is On" in faults[1]


def test_demo_accounts_left_over(well):
    well.write(FwPermitDemo="Off")
    only(well, "8 demo accounts", "account disable")


def test_a_password_in_the_configuration(well):
    well.write(FwPermitDatabaseDriver="pgsql", FwPermitDatabase="host=127.0.0.1 port=25798 connect_timeout=1 password=x")
    faults = doctor(well)
    assert "the database's password stands in" in faults[0] and "file:PATH" in faults[0]
    assert "the database does not answer" in faults[1] and "postgresql" in faults[1] and len(faults) == 2


# ---- files ----

def test_data_not_there(well):
    well.write(FwPermitPages=well.dir / "none")
    only(well, "FwPermitPages", "is not there or empty", "install")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_data_not_open_to_the_server(well):
    closed = well.dir / "closed"
    shutil.copytree(well.share / "pages", closed / "pages")
    closed.chmod(0o700)
    well.write(FwPermitPages=closed / "pages")
    only(well, "FwPermitPages", f"chmod o+rx {closed}")


def test_data_that_others_may_write(well):
    pages = well.dir / "pages"
    shutil.copytree(well.share / "pages", pages)
    pages.chmod(0o777)
    well.write(FwPermitPages=pages)
    only(well, "may be written by others", f"chmod go-w {pages}")


def test_a_broken_service(well):
    services = well.dir / "services"
    shutil.copytree(well.share / "conf/services", services)
    services.chmod(0o755)
    (services / "broken.xml").write_text("<service>")
    well.write(FwPermitServices=services)
    only(well, "broken.xml")


def test_a_service_that_is_not_offered_is_noted(well):
    assert doctor(well) == []
    assert "note  service card is not offered: it needs a plugin of port card" in well.ctl("doctor", "--httpd", well.dir / "httpd.conf")


def test_a_year_that_the_calendar_does_not_know(well):
    conf = well.dir / "conf"
    shutil.copytree(well.share / "conf", conf)
    conf.chmod(0o755)
    year = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).year
    for later in conf.glob("calendar/*.csv"):
        if int(later.stem) >= year:
            later.unlink()
    well.write(FwPermitConf=conf)
    only(well, "does not know this year", f"calendar of {year} into {conf}/calendar")


def test_no_worker(well):
    well.write(FwPermitWorker=well.dir / "none")
    faults = doctor(well)
    assert len(faults) == 3 and all("FwPermitWorker: " in f and "install" in f for f in faults), faults


def test_a_worker_without_the_program_for_pictures(well):
    alone = well.dir / "alone"
    alone.mkdir()
    alone.chmod(0o755)
    shutil.copy(well.share / "lib/fwpermit-worker", alone)
    shutil.copytree(well.share / "lib/fonts", alone / "fonts")
    well.write(FwPermitWorker=alone / "fwpermit-worker")
    only(well, f"FwPermitWorker: {alone}/fwpermit-pictures is not there", "install")


def test_a_worker_without_the_fonts_of_papers(well):
    lib = well.dir / "lib"
    shutil.copytree(well.share / "lib", lib)
    lib.chmod(0o755)
    well.write(FwPermitWorker=lib / "fwpermit-worker")
    (lib / "fonts").chmod(0o700)
    only(well, f"FwPermitWorker: {lib}/fonts is not open to user", f"chmod o+rx {lib}/fonts")
    shutil.rmtree(lib / "fonts")
    only(well, f"FwPermitWorker: the fonts of papers are not at {lib}/fonts", "install")


def test_the_vault(well):
    vault = well.dir / "state/vault"
    vault.chmod(0o755)
    only(well, "FwPermitVault", f"chmod 0700 {vault}")
    vault.chmod(0o700)
    shutil.rmtree(vault)
    faults = doctor(well)
    assert f"{vault} is not there" in faults[0] and "install -d" in faults[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own what the server may not write")
def test_the_database_of_another_user(well):
    os.chown(well.dir / "state/fw.db", 0, 0)
    faults = doctor(well)
    assert any("may not write" in f and f"chown www-data {well.dir}/state/fw.db" in f for f in faults), faults


def test_the_database_open_to_others(well):
    (well.dir / "state/fw.db").chmod(0o644)
    only(well, "is open to others", "chmod 0600")


# ---- keys ----

def test_the_master_key(well):
    keys = well.dir / "etc/vault.keys"
    keys.chmod(0o644)
    only(well, "FwPermitVaultKeys", f"chmod 0600 {keys}")
    keys.chmod(0o600)
    keys.write_text("# nothing\n")
    only(well, "no key", "safe copy")
    keys.unlink()
    only(well, "is not there", "fwpermitctl key init")


def test_a_signing_key(well):
    keys = well.dir / "etc/keys"
    (keys / "receipt.key").chmod(0o644)
    only(well, "receipt.key is open to others", "chmod 0600")
    (keys / "receipt.key").chmod(0o600)
    (keys / "receipt.crt").unlink()
    only(well, "receipt.crt is not there")
    shutil.copy(keys / "permit.crt", keys / "receipt.crt")
    only(well, "not the key's")
    keys.chmod(0o755)
    shutil.rmtree(keys)
    only(well, "FwPermitKeys", "key init")


def test_the_key_of_seals(well):
    keys = well.dir / "etc/keys"
    away = {e: (keys / f"seal.{e}").read_bytes() for e in ("key", "crt")}
    for ending in away:
        (keys / f"seal.{ending}").unlink()
    only(well, "seal.key is not there", "mend: fwpermitctl key init")
    for ending, data in away.items():
        (keys / f"seal.{ending}").write_bytes(data)
    (keys / "seal.key").chmod(0o600)
    assert doctor(well) == []
    well.write(FwPermitSealSigner="TWIM")
    only(well, "not C=TW, CN=IM", "set FwPermitSealSigner to it")
    well.write(FwPermitSealSigner="UTNI")
    only(well, "not C=UT, CN=NI")
    well.ctl("key", "rotate-signing", "seal")
    assert doctor(well) == []
    subprocess.run(["openssl", "req", "-x509", "-key", keys / "seal.key", "-subj", "/C=UT/O=x/CN=NI", "-days", "60", "-out",
                    keys / "seal.crt"], check=True, capture_output=True)
    only(well, "not C=UT, CN=NI")


def test_a_rotation_that_was_broken_off(well):
    keys = well.dir / "etc/keys"
    well.ctl("key", "rotate-signing", "receipt")
    shutil.copy(keys / "receipt.crt", keys / "receipt.next.crt")
    only(well, "receipt.next.crt is left over", "mend: fwpermitctl key init")
    well.ctl("key", "init")
    assert doctor(well) == []


def test_a_key_in_a_token(well):
    keys, module = well.dir / "etc/keys", well.dir / "module.so"
    (keys / "permit.key").write_text(f"pkcs11:token=a;object=b?module-path={module}\n")
    only(well, f"the PKCS#11 module of permit is not there: {module}", "permit.key")
    module.touch()
    assert doctor(well) == []
    pin = keys / "permit.pin"
    pin.write_text("1234")
    pin.chmod(0o644)
    only(well, "the PIN of permit", f"chmod 0600 {pin}")
    pin.chmod(0o600)
    pin.write_text("")
    only(well, "permit.pin is empty", "write it into")
    pin.write_text("1234")
    assert doctor(well) == []
    (keys / "permit.key").write_text("pkcs11:token=a;object=b\n")
    only(well, "none is named")


CA = """[ca]
default_ca = one
[one]
database = {0}/index
serial = {0}/serial
new_certs_dir = {0}
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def certify(site, start, end):
    """A certificate for the permits' key, valid between two days (from now)."""
    key, work = site.dir / "etc/keys/permit", site.dir / "ca"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    (work / "index").touch()
    (work / "serial").write_text("01")
    (work / "conf").write_text(CA.format(work))
    span = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 86400 * d)) for d in (start, end)]
    for command in (["req", "-new", "-key", f"{key}.key", "-subj", "/CN=x", "-out", work / "csr"],
                    ["ca", "-batch", "-selfsign", "-notext", "-config", work / "conf", "-keyfile", f"{key}.key",
                     "-in", work / "csr", "-out", f"{key}.crt", "-startdate", span[0], "-enddate", span[1]]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)


def test_certificates_by_date(well):
    certify(well, -1, 29)
    only(well, "the certificate of permit ends within 30 days")
    certify(well, -9, -1)
    only(well, "the certificate of permit has expired")
    certify(well, 1, 90)
    only(well, "the certificate of permit is not valid yet")
    certify(well, -1, 31)
    assert doctor(well) == []


# ---- plugins ----

def test_plugins(well):
    plugins = well.dir / "plugins"
    shutil.copytree(well.share / "lib/plugins", plugins)
    plugins.chmod(0o755)
    well.plugins = False
    well.write(FwPermitPluginDir=plugins)
    faults = doctor(well)
    assert len(faults) == 2 and "nobody can pay" in faults[0] and "nobody is notified" in faults[1]

    well.plugins = True
    well.write()
    faults = doctor(well)
    assert len(faults) == 2 and all("does not lie in FwPermitPluginDir" in f for f in faults)

    well.share = well.dir / "lib"  # plugins of its own from here on
    well.share.mkdir()
    (well.share / "lib").mkdir()
    shutil.move(plugins, well.share / "lib/plugins")
    mine = well.share / "lib/plugins"
    well.write(FwPermitPluginDir=mine)
    assert doctor(well) == []
    (mine / "notify_mail.so").chmod(0o666)
    only(well, "plugin mail", "chmod go-w")
    (mine / "notify_mail.so").chmod(0o644)
    (mine / "notify_mail.so").write_bytes(b"no library")
    only(well, "plugin mail", "cannot be loaded")
    (mine / "notify_mail.so").unlink()
    only(well, "plugin mail", "is not there")


def test_http_that_a_plugin_may_not_speak(well):
    said = well.file.read_text()
    option = "FwPermitPluginOption ecpay {} {}\n"
    well.file.write_text(said + option.format("return_url", "http://127.0.0.1:25799/inbox/ecpay/paid"))
    assert doctor(well) == []
    said += option.format("api_url", "http://gateway.example")
    well.file.write_text(said)
    only(well, "plugin ecpay: api_url is http", "FwPermitPluginOption ecpay http.allow_plain yes")
    well.file.write_text(said + option.format("http.allow_plain", "yes"))
    assert doctor(well) == []


def test_secrets(well):
    secret = well.dir / "etc/secret"
    secret.chmod(0o644)
    only(well, "plugin ecpay, secret hash_key", "chmod 0600")
    secret.write_text("")
    secret.chmod(0o600)
    only(well, "is empty")
    secret.unlink()
    only(well, "is not there", "write it into")


# ---- httpd ----

@pytest.mark.parametrize("gone, words", [
    ("HttpProtocolOptions Strict\n", ("HttpProtocolOptions is not set", "a2enconf zz-fwpermit")),
    ("TraceEnable off\n", ("TraceEnable",)), ("ServerTokens Prod\n", ("ServerTokens",)),
    (" [%L]", ("ErrorLogFormat",)),
    ("  RequestReadTimeout header=20\n", ("RequestReadTimeout", "slow clients")),
    ("LimitRequestBody 1000\n", ("LimitRequestBody",)),
    ("LoadModule fwpermit_module {module}\n", ("fwpermit_module is not loaded", "a2enmod fwpermit"))])
def test_httpd_lacks_something(well, gone, words):
    assert gone in MORE
    write_httpd(well, more=MORE.replace(gone, ""))
    only(well, *words)


def test_the_last_word_in_httpds_configuration_counts(well):
    (well.dir / "more/z.conf").write_text("ServerTokens OS\n# TraceEnable On\n")
    only(well, "ServerTokens is OS, not Prod")


def test_modules_of_httpd(well):
    write_httpd(well, main=HTTPD.replace("LoadModule headers_module {modules}/mod_headers.so\n", ""))
    only(well, "headers_module is not loaded", "a2enmod headers")
    write_httpd(well, more=MORE.replace("{module}", "/none/mod_fwpermit.so"))
    only(well, "/none/mod_fwpermit.so is not there", "install")


def test_a_file_that_loads_the_module_is_httpds_configuration(well):
    write_httpd(well, more=MORE.replace("TraceEnable off\n", ""))
    well.file.write_text(f"LoadModule fwpermit_module {well.dir}/mod_fwpermit.so\nInclude httpd.conf\n{well.file.read_text()}")
    out = well.ctl("doctor", "--quiet", code=1)
    assert out.count("FAULT") == 1 and "FAULT httpd: TraceEnable is not set" in out, out
    write_httpd(well)
    assert well.ctl("doctor", "--quiet") == "0 faults\n"


# ---- the database and what lies in it ----

def test_no_schema(bare):
    bare.ctl("key", "init")
    write_httpd(bare)
    only(bare, "the database has schema 0", "fwpermitctl migrate")


def test_a_newer_schema(well):
    well.sql("INSERT INTO fw_schema (version, applied) VALUES (99, 0)")
    only(well, "of a newer version")


def test_no_administrator(well):
    well.ctl("account", "disable", "admin")
    only(well, "no administrator", "account create")


def put(site, state, created):
    site.sql("INSERT INTO outbox (id, port, op, once_key, payload, aggregate_id, bulk, state, not_before, created)"
             " VALUES (?, 'notify', 'notify.send', ?, '{}', 1, 1, ?, 0, ?)", created, str(created), state, created)


def test_queues(well):
    now = int(time.time() * 1e6)
    put(well, "ready", now)
    assert doctor(well) == []
    put(well, "ready", now - 3600_000_000)
    only(well, "notify: 2 deliveries wait, the oldest for 60 minutes")
    well.sql("DELETE FROM outbox")
    put(well, "dead", now)
    only(well, "notify: 1 deliveries failed for good", "deadletter list")


def test_the_sealer_is_late(well):
    well.sql("UPDATE audit SET at = at - 600000000")
    only(well, "wait for their seal, the oldest for 10 minutes")


def test_the_clock_was_ahead(well):
    well.sql("UPDATE audit SET at = at + 6000000000")
    only(well, "ahead")


# ---- the running processes ----

def test_roles_that_do_not_answer(well):
    run = well.dir / "run"
    run.mkdir(mode=0o700)
    sockets = []
    for name in ("signer", "pictures", "plugin-ecpay", "plugin-mail"):
        s = socket.socket(socket.AF_UNIX)
        s.bind(str(run / f"{name}.sock"))
        s.listen(8)
        sockets.append(s)
    pump = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    pump.bind(str(run / "pump.wake"))
    well.own(run)
    assert doctor(well) == []
    sockets[3].close()
    only(well, "plugin-mail does not answer")
    pump.close()
    faults = doctor(well)
    assert len(faults) == 2 and "pump does not answer" in faults[0]
    run.chmod(0o755)
    assert any("FwPermitRunDir" in f and "chmod 0700" in f for f in doctor(well))
    for s in sockets[:3]:
        s.close()
