"""What `install` puts into a tree is a configuration that httpd takes, alone and with each sample."""
import pathlib
import shutil
import subprocess

import pytest

from conftest import BUILD, ROOT, free_folder

MODULES = pathlib.Path("/usr/lib/apache2/modules")
# Debian's own, and what docs/sysadmins/tls.md enables; the rest is what fwpermit.load names for a2enmod
LOADED = ["mpm_event", "authz_core", "ssl", "http2"]
LOAD = "etc/apache2/mods-available/fwpermit.load"


@pytest.fixture(scope="module")
def tree():
    folder = free_folder()
    subprocess.run(["make", "-s", "-f", "Makefile.apxs", f"B={BUILD}", f"DESTDIR={folder}", "install"], cwd=ROOT, check=True,
                   capture_output=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=permit.example.gov.tw", "-keyout", folder / "site.key", "-out", folder / "site.pem"],
                   check=True, capture_output=True)
    yield folder
    shutil.rmtree(folder)


def here(tree, installed):
    """A copy of an installed file that looks for everything in the tree, and for the site's certificate beside it."""
    text = (tree / installed).read_text()
    for path in ("/usr/lib/apache2", "/usr/lib/fwpermit", "/usr/share/fwpermit", "/var/lib/fwpermit", "/etc/fwpermit"):
        text = text.replace(path, f"{tree}{path}")
    text = text.replace("/etc/ssl/certs/permit.example.gov.tw.pem", f"{tree}/site.pem")
    text = text.replace("/etc/ssl/private/permit.example.gov.tw.key", f"{tree}/site.key")
    copy = tree / f"here-{pathlib.Path(installed).name}"
    copy.write_text(text)
    return copy


def httpd_says(tree, *samples, more=()):
    lines = [f'ServerRoot "{tree}"', "ServerName 127.0.0.1", "Listen 127.0.0.1:25790", f'ErrorLog "{tree}/error.log"',
             f'DefaultRuntimeDir "{tree}"', f'PidFile "{tree}/httpd.pid"', f'Define APACHE_LOG_DIR "{tree}"',
             'LogFormat "%h %>s" combined', "TypesConfig /dev/null"]
    depends = (tree / LOAD).read_text().split("# Depends: ")[1].splitlines()[0].split()
    lines += [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in [*LOADED, *depends, *more]]
    installed = [LOAD, "etc/apache2/mods-available/fwpermit.conf"]
    installed += sorted(str(p.relative_to(tree)) for p in (tree / "etc/apache2/conf-available").glob("*.conf"))
    installed += [f"usr/share/fwpermit/samples/{name}" for name in samples]
    lines += [f'Include "{here(tree, name)}"' for name in installed]
    (tree / "httpd.conf").write_text("\n".join(lines) + "\n")
    done = subprocess.run(["apache2", "-t", "-d", tree, "-f", tree / "httpd.conf"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


def test_what_is_installed(tree):
    for name in ("usr/lib/apache2/modules/mod_fwpermit.so", "usr/lib/fwpermit/fwpermit-worker", "usr/lib/fwpermit/fwpermit-pictures",
                 "usr/lib/fwpermit/fonts/common-regular.otf", "usr/lib/fwpermit/fonts/common-bold.otf",
                 "usr/lib/fwpermit/fwpermitctl",
                 "usr/sbin/fwpermit-plugin-check", "usr/share/fwpermit/fwpermit_plugin.h", "usr/share/fwpermit/fwpermit_plugin.map",
                 "usr/lib/fwpermit/plugins/payment_ecpay.so", "usr/lib/fwpermit/plugins/notify_mail.so",
                 "usr/lib/fwpermit/plugins/labour_xroad.so", "usr/share/fwpermit/contracts/labour-1.xsd",
                 "usr/share/fwpermit/httpd/pages.conf", "usr/share/fwpermit/conf/services/epermit.xml",
                 "usr/share/fwpermit/locale/zh-Hant.mo", "usr/share/fwpermit/assets/site.css",
                 "etc/apache2/conf-available/zz-fwpermit.conf"):
        assert (tree / name).stat().st_size > 0, name
    for name, mode in (("etc/fwpermit", 0o750), ("etc/fwpermit/secrets", 0o700), ("var/lib/fwpermit/vault", 0o700)):
        assert (tree / name).stat().st_mode & 0o777 == mode, name
    helped = subprocess.run([tree / "usr/sbin/fwpermitctl", "help"], capture_output=True, text=True, check=False)
    assert helped.returncode == 0 and "doctor" in helped.stdout


@pytest.mark.parametrize("samples", [(), ("postgresql.conf",), ("tls.conf",), ("audit_syslog.conf",), ("labour_xroad.conf",), ("border_xroad.conf",), ("card_bureau.conf",)], ids=lambda s: s[0] if s else "alone")
def test_httpd_takes_it(tree, samples):
    assert httpd_says(tree, *samples) == "Syntax OK"


def test_httpd_takes_the_sample_with_a_certificate_by_acme(tree):
    """As the sample's comment says: its MD lines, without the two of SSLCertificate."""
    text = (tree / "usr/share/fwpermit/samples/tls.conf").read_text()
    assert text.count("\n# MD") == 3 and text.count("    SSLCertificate") == 2
    lines = [line.removeprefix("# ") if line.startswith("# MD") else line for line in text.splitlines()
             if not line.startswith("    SSLCertificate")]
    (tree / "usr/share/fwpermit/samples/acme.conf").write_text("\n".join([*lines, ""]))
    assert httpd_says(tree, "acme.conf", more=["md"]) == "Syntax OK"


def test_the_database_lines_of_the_settings_are_those_of_the_sample(tree):
    settings = (tree / "etc/apache2/mods-available/fwpermit.conf").read_text()
    sample = (tree / "usr/share/fwpermit/samples/postgresql.conf").read_text()
    commented = [line[1:].split() for line in settings.splitlines() if line.startswith("#FwPermitDatabase")]
    assert commented == [line.split() for line in sample.splitlines() if line.startswith(("FwPermitDatabaseDriver", "FwPermitDatabase "))]


def test_httpd_tells_a_directive_that_is_none(tree):
    sample = tree / "usr/share/fwpermit/samples/wrong.conf"
    sample.write_text("FwPermitNonsense On\n")
    assert "FwPermitNonsense" in httpd_says(tree, "wrong.conf")


def test_settings_that_are_there_are_kept(tree):
    settings = tree / "etc/apache2/mods-available/fwpermit.conf"
    fresh = settings.read_text()
    settings.write_text(fresh + "# ours\n")
    try:
        subprocess.run(["make", "-s", "-f", "Makefile.apxs", f"B={BUILD}", f"DESTDIR={tree}", "install"], cwd=ROOT, check=True,
                       capture_output=True)
        assert settings.read_text() == fresh + "# ours\n"
        assert settings.with_name("fwpermit.conf.new").read_text() == fresh
    finally:
        settings.write_text(fresh)
