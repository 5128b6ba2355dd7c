"""Over TLS, by the sample as it is installed: names, ports and the certificate's place are all that is changed in it."""
import re
import socket
import ssl
import subprocess

import pytest
import requests

import flow
from platform_under_test import ROOT, Person


def tls_port(platform):
    return platform.port + 3


def prepare(platform):
    """A certificate of its own, and the sample, on ports of the test."""
    # Debian's ssl.conf, which sets the cache, is not here; the other one tells of this machine's OpenSSL.
    platform.expect(r"\[ssl:warn\].*(AH01873: Init: Session Cache is not configured|AH01882: )")
    folder = platform.folder
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "site.key", "-out", folder / "site.pem"],
                   check=True, capture_output=True)
    sample = (ROOT / "conf/samples/tls.conf").read_text(encoding="utf-8")
    for was, now in (("*:80>", f"*:{platform.port}>"), ("*:443>", f"*:{tls_port(platform)}>"),
                     ("https://permit.example.gov.tw/", f"https://127.0.0.1:{tls_port(platform)}/"), ("permit.example.gov.tw\n", "127.0.0.1\n"),
                     ("/etc/ssl/certs/permit.example.gov.tw.pem", f"{folder}/site.pem"),
                     ("/etc/ssl/private/permit.example.gov.tw.key", f"{folder}/site.key"), ("${APACHE_LOG_DIR}", f"{folder}/logs")):
        assert was in sample, was
        sample = sample.replace(was, now)
    modules = "/usr/lib/apache2/modules"
    (folder / "extra/tls.conf").write_text(
        f"LoadModule ssl_module {modules}/mod_ssl.so\nLoadModule http2_module {modules}/mod_http2.so\nListen 127.0.0.1:{tls_port(platform)}\n"
        f"FwPermitBaseURL https://127.0.0.1:{tls_port(platform)}\nFwPermitCookieSecure On\n{sample}", encoding="utf-8")


@pytest.fixture(name="safe")
def somebody_who_trusts_the_certificate(platform):
    person = Person(f"https://127.0.0.1:{tls_port(platform)}")
    person.http.trust_env = False  # which may name other authorities
    person.http.verify = str(platform.folder / "site.pem")
    return person


def shake(platform, **changes):
    context = ssl.create_default_context(cafile=str(platform.folder / "site.pem"))
    for name, value in changes.items():
        getattr(context, name)(value) if callable(getattr(context, name)) else setattr(context, name, value)
    with socket.create_connection(("127.0.0.1", tls_port(platform)), timeout=30) as s:
        with context.wrap_socket(s, server_hostname="127.0.0.1") as t:
            return t.version(), t.cipher()[0], t.selected_alpn_protocol()


def test_only_what_is_modern_is_spoken(platform):
    assert shake(platform)[0] == "TLSv1.3"
    version, cipher, _ = shake(platform, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2" and re.match("ECDHE-.*(GCM|CHACHA20)", cipher), cipher
    assert shake(platform, set_alpn_protocols=["h2", "http/1.1"])[2] == "h2"
    old = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{tls_port(platform)}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert old.returncode != 0 and "Cipher is (NONE)" in old.stdout


def test_hsts_under_tls_alone(platform, safe):
    for path, status in (("/", 200), ("/nothing", 404), ("/assets/0/none.css", 404)):
        answer = safe.get(path)
        assert (answer.status_code, answer.headers["Strict-Transport-Security"]) == (status, "max-age=31536000; includeSubDomains")
    plain = requests.get(f"{platform.base}/verify?no=1", allow_redirects=False, timeout=30)
    assert plain.status_code == 301 and plain.headers["Location"] == f"https://127.0.0.1:{tls_port(platform)}/verify?no=1"
    assert "Strict-Transport-Security" not in plain.headers and "Set-Cookie" not in plain.headers


def test_cookies_are_for_tls_alone_and_the_platform_works(safe):
    answer = safe.post("/login", {"login": "broker", "password": "demo-permit-2026"})
    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-fwpermit=") and {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    safe.csrf = answer.json()["csrf"]
    case = flow.draft(safe)
    assert flow.submit(safe, case)


def test_the_log_of_the_site_hides_what_the_platform_s_own_hides(platform, safe):
    safe.get("/verify/EP1/SECRETCODE")
    text = platform.logged("/verify/", "permit_access.log")
    line = [line for line in text.splitlines() if "/verify/" in line][-1]
    assert '"GET /verify/- HTTP/1.1" 404' in line and re.search(r'" [\w@-]{20,}$', line) and "SECRET" not in text
