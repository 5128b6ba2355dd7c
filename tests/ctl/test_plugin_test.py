"""fwpermitctl plugin test NAME: what it says of other systems that are well, and of those that are not."""
import pathlib
import shutil
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/agencies"))

import pki  # noqa: E402  pylint: disable=wrong-import-position
from play import Labour  # noqa: E402  pylint: disable=wrong-import-position
from shop import Program  # noqa: E402  pylint: disable=wrong-import-position

KEY, IV = "pwFHCqoQZGmho4w6", "EkRm7iFT261dpevs"


@pytest.fixture(scope="module", name="program")
def running_program():
    program = Program()
    yield program
    assert program.stop()[0] == 0


@pytest.fixture(name="linked")
def a_site_with_links(site, program):
    """Plugins that speak with the stand-in; `linked.set(...)` changes an option."""
    lib = site.share / "lib/plugins"
    secrets = {"hash_key": KEY, "hash_iv": IV}
    for name, text in secrets.items():
        (site.dir / "etc" / name).write_text(text + "\n")
        (site.dir / "etc" / name).chmod(0o600)

    def set_options(**changes):
        options = {"ecpay merchant_id": "3002607", "ecpay api_url": program.url, "ecpay http.allow_plain": "yes",
                   "ecpay return_url": "http://a.test/paid", "ecpay info_url": "http://a.test/info",
                   "ecpay back_url": "http://a.test/cases", "ecpay inbox.ok": "1|OK",
                   "mail url": f"smtp://127.0.0.1:{program.smtp_port}", "mail tls": "none",
                   "mail from": "a@b.test", **changes}
        site.plugins = False
        site.write()
        lines = [f"FwPermitPlugin ecpay payment {lib}/payment_ecpay.so",
                 f"FwPermitPlugin mail notify {lib}/notify_mail.so",
                 *(f"FwPermitPluginSecret ecpay {name} {site.dir}/etc/{name}" for name in secrets),
                 *(f'FwPermitPluginOption {name} "{value}"' for name, value in options.items())]
        site.file.write_text(site.file.read_text() + "\n".join(lines) + "\n")
    site.set = set_options
    set_options()
    return site


def test_both_are_well_and_nothing_is_altered_there(linked, program):
    program.post("/control/reset")
    assert linked.ctl("plugin", "test", "ecpay").startswith("ok    query of an order")
    assert linked.ctl("plugin", "test", "mail").startswith("ok    greeting and log-in")
    books = program.books()
    assert not books["orders"] and not books["mails"] and not books["actions"]
    assert books["requests"], "the gateway was not asked"


def test_wrong_keys_are_told(linked):
    (linked.dir / "etc/hash_key").write_text("0123456789abcdef")
    said = linked.ctl("plugin", "test", "ecpay", code=1)
    assert said.startswith("FAIL") and "hash_key, hash_iv" in said


@pytest.mark.parametrize("name, option, value, words", [
    ("ecpay", "ecpay api_url", "http://127.0.0.1:1", "connect"),
    ("ecpay", "ecpay http.allow_plain", "no", "http"),
    ("ecpay", "ecpay merchant_id", "zz", "misconfigured: not a good value of merchant_id"),
    ("mail", "mail url", "smtp://127.0.0.1:1", "connect"),
    ("mail", "mail tls", "starttls", "SSL"),
    ("mail", "mail from", "nobody", "misconfigured: not a good value of from"),
])
def test_what_is_wrong_is_named(linked, name, option, value, words):
    linked.set(**{option: value})
    done = linked.run("plugin", "test", name)
    said = done.stdout
    assert done.returncode == 1 and said.startswith("FAIL") and words in said, said
    assert KEY not in said and IV not in said


def test_a_secret_that_is_not_there_is_named(linked):
    (linked.dir / "etc/hash_iv").unlink()
    assert f"{linked.dir}/etc/hash_iv: No such file" in linked.ctl("plugin", "test", "ecpay", code=3)


def test_a_name_that_is_not_there(linked):
    assert "no FwPermitPlugin is named nobody" in linked.ctl("plugin", "test", "nobody", code=1)


def test_nothing_is_left_behind(linked):
    before = set(pathlib.Path(tempfile.gettempdir()).glob("fwpermit-test-*"))
    linked.ctl("plugin", "test", "mail")
    assert set(pathlib.Path(tempfile.gettempdir()).glob("fwpermit-test-*")) == before


@pytest.fixture(scope="module", name="agency")
def running_labour_agency():
    """Its certificate for us is read by the server's user, who is not who runs this."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pki"))
    folder.chmod(0o755)
    agency = Labour(pki.make(folder))
    (folder / "client.pem").chmod(0o644)
    yield agency
    assert agency.stop()[0] == 0
    shutil.rmtree(folder)


@pytest.mark.parametrize("change,said", [
    ({}, ["ok    security server", "ok    x-road", "ok    service"]),
    ({"provider": "TW/GOV/MOL/fines"}, ["ok    security server", "FAIL  x-road"]),
    ({"http.cert_file": "/nowhere.pem"}, ["FAIL  security server: could not load PEM client certificate"])])
def test_the_labour_agency(site, agency, change, said):
    """Over mutual TLS, as far as each setting lets it come; nothing is fetched away."""
    options = {"url": agency.url, "client": "TW/GOV/NIA/permit", "provider": "TW/GOV/MOL/labour",
               "schema": ROOT / "docs/contracts/labour-1.xsd", "http.ca_file": agency.pki / "ca.pem",
               "http.cert_file": agency.pki / "client.pem", **change}
    site.plugins = False
    site.write()
    lines = [f"FwPermitPlugin labour labour {site.share}/lib/plugins/labour_xroad.so",
             *(f'FwPermitPluginOption labour {name} "{value}"' for name, value in options.items())]
    site.file.write_text(site.file.read_text() + "\n".join(lines) + "\n")
    told = site.ctl("plugin", "test", "labour", code=int("FAIL" in said[-1])).splitlines()
    assert len(told) == len(said) and all(line.startswith(word) for line, word in zip(told, said)), told
    assert agency.books()["acks"] == []
