"""The demo starts by itself, keeps what it has, restarts what has ended, and goes away."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pytest

from conftest import BUILD, ROOT

PORTS = {"--port": 25720, "--gateway-port": 25721, "--smtp-port": 25722}


def serve(goal, folder, *more, code=0, **changes):
    args = [str(x) for pair in {**PORTS, "--dir": folder, "--build": BUILD, **changes}.items() for x in pair]
    # To a file: what it starts would hold a pipe open.
    with tempfile.TemporaryFile("w+") as out:
        done = subprocess.run([ROOT / "conf/demo/serve", goal, *args, *more], stdout=out, stderr=out,
                              stdin=subprocess.DEVNULL, check=False, timeout=120)
        out.seek(0)
        text = out.read()
    assert done.returncode == code, text
    return text


def get(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.status, answer.headers, answer.read().decode()


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def pid(folder, name):
    return int((folder / f"{name}.pid").read_text())


def worker(folder, role):
    """The process of that role, or None."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_text().split("\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if len(words) > 1 and words[0] == f"{folder}/lib/fwpermit-worker" and " ".join(words[1:]).startswith(role):
            return int(entry.name)
    return None


@pytest.fixture
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="fwserve-"))
    path.chmod(0o755)
    yield path / "demo"
    serve("stop", path / "demo")
    shutil.rmtree(path, ignore_errors=True)


def test_the_whole_way(folder):
    out = serve("start", folder)
    assert "http://127.0.0.1:25720/" in out and "http://127.0.0.1:25721/" in out
    assert "broker" in out and "demo-permit-2026" in out
    status, headers, page = get(25720)
    assert status == 200 and "stylesheet" in page
    for name in ("X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy", "Permissions-Policy"):
        assert len(headers.get_all(name)) == 1, (name, headers.get_all(name))
    assert headers["Server"] == "Apache"
    style = page.split('rel="stylesheet" href="')[1].split('"')[0]
    status, headers, _ = get(25720, style)
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable" and headers["Content-Type"].startswith("text/css")
    with pytest.raises(urllib.error.HTTPError) as missing:
        get(25720, style + ".none")
    assert missing.value.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert missing.value.headers["X-Content-Type-Options"] == "nosniff"
    assert get(25721, "/mails")[0] == 200
    ctl = [folder / "lib/fwpermitctl", "-c", folder / "httpd.conf"]
    found = subprocess.run([*ctl, "doctor"], capture_output=True, text=True, check=False)
    assert found.returncode == 0 and found.stdout.endswith("\n0 faults\n"), found.stdout
    assert "httpd: ServerTokens Prod" in found.stdout

    # A second start leaves alone what runs, and starts what has ended.
    subprocess.run([*ctl, "account", "disable", "cashier"], check=True, capture_output=True)
    first = pid(folder, "httpd"), pid(folder, "standin")
    os.kill(first[1], signal.SIGKILL)
    until = time.monotonic() + 20
    while answers(25721) and time.monotonic() < until:
        time.sleep(0.05)
    serve("start", folder)
    assert pid(folder, "httpd") == first[0] and pid(folder, "standin") != first[1]

    # A secret that was changed is read by the server that runs.
    plugin, secret = worker(folder, "plugin ecpay"), folder / "secrets/ecpay_hash_key"
    serve("start", folder)
    assert plugin and worker(folder, "plugin ecpay") == plugin
    secret.write_text("0123456789abcdef")
    serve("start", folder)
    until = time.monotonic() + 20
    while worker(folder, "plugin ecpay") in (plugin, None) and time.monotonic() < until:
        time.sleep(0.05)
    assert worker(folder, "plugin ecpay") not in (plugin, None) and pid(folder, "httpd") == first[0]
    assert secret.read_text() == "0123456789abcdef"
    serve("stop", folder)
    assert not answers(25720) and not answers(25721)
    serve("start", folder)
    listed = subprocess.run([*ctl, "account", "list"], check=True, capture_output=True, text=True).stdout
    assert "cashier\tdisabled" in listed
    serve("reset", folder)
    assert not folder.exists() and not answers(25720) and not answers(25721)


def test_without_the_stand_in_and_with_directives_of_a_test(folder):
    (folder / "extra").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "extra/a.conf").write_text("FwPermitAgencyEn \"Agency of a test\"\n")
    out = serve("start", folder, **{"--systems": "none"})
    assert "25721" not in out and not answers(25721)
    request = urllib.request.Request("http://127.0.0.1:25720/", headers={"Accept-Language": "en"})
    assert "Agency of a test" in urllib.request.urlopen(request, timeout=20).read().decode()


def test_with_postgresql(folder):
    home = pathlib.Path(tempfile.mkdtemp(prefix="fwpg-"))
    home.chmod(0o755)
    try:
        words = subprocess.run([ROOT / "tests/lib/pgsql", "start", home, "25750", "25759"], capture_output=True, text=True,
                               check=True).stdout.strip()
        serve("start", folder, **{"--systems": "none", "--driver": "pgsql", "--database": words})
        ctl = [folder / "lib/fwpermitctl", "-c", folder / "httpd.conf"]
        assert len(subprocess.run([*ctl, "account", "list"], check=True, capture_output=True, text=True).stdout.splitlines()) == 8
        for command in (["doctor", "--quiet", "--httpd", folder / "httpd.conf"], ["audit", "verify"]):
            done = subprocess.run([*ctl, *command], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        serve("stop", folder)
        subprocess.run([ROOT / "tests/lib/pgsql", "stop", home], check=False)
        away = subprocess.run([*ctl, "doctor", "--quiet", "--httpd", folder / "httpd.conf"], capture_output=True, text=True,
                              check=False)
        assert away.returncode == 1 and "the database does not answer" in away.stdout and "postgresql" in away.stdout
        assert subprocess.run([*ctl, "account", "list"], capture_output=True, check=False).returncode == 4
    finally:
        subprocess.run([ROOT / "tests/lib/pgsql", "stop", home], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


PAGES = {25723: "Test labour agency", 25724: "Test fines system", 25725: "Test border", 25726: "Test card bureau"}
ALL = {"--systems": "all", "--systems-port": "25723"}


def processes_of(folder):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [line for line in [entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")] if f"{folder}/" in line]
        except OSError:
            continue
    return [line for line in found if "pytest" not in line]


def test_all_systems(folder):
    out = serve("start", folder, **ALL)
    for port, title in PAGES.items():
        assert f"http://127.0.0.1:{port}/\n" in out and title in get(port)[2]
    assert "uploads are scanned:" in out
    ctl = [folder / "lib/fwpermitctl", "-c", folder / "httpd.conf"]
    for plugin in ("labour", "fines", "border", "bureau"):
        done = subprocess.run([*ctl, "plugin", "test", plugin], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    os.kill(pid(folder, "labour"), signal.SIGKILL)
    first = pid(folder, "card-bureau")
    serve("start", folder, **ALL)
    assert get(25723)[0] == 200 and pid(folder, "card-bureau") == first
    old = time.time() - 21 * 86400
    os.utime(folder / "pki/client.pem", (old, old))
    serve("start", folder, **ALL)
    assert (folder / "pki/client.pem").stat().st_mtime > old + 86400
    assert subprocess.run([*ctl, "plugin", "test", "labour"], capture_output=True, check=False).returncode == 0
    serve("stop", folder)
    assert processes_of(folder) == []
    assert (folder / "labour.json").exists()
    serve("reset", folder)
    assert not folder.exists()


def test_without_sshd_the_bureau_is_left_out(folder, monkeypatch):
    monkeypatch.setenv("SSHD", "/no/sshd")
    out = serve("start", folder, **ALL)
    assert "left out, as there is no sshd" in out and not answers(25726) and get(25724)[0] == 200


def test_a_taken_port_is_told(folder):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 25720))
        s.listen(1)
        assert "apache2 does not start" in serve("start", folder, code=1, **{"--systems": "none"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as another user")
def test_a_folder_that_the_server_may_not_enter(folder):
    folder.mkdir()
    folder.chmod(0o700)
    try:
        assert "www-data may not enter" in serve("start", folder / "in", code=1)
    finally:
        folder.chmod(0o755)


def test_usage(folder):
    assert "start, stop or reset" in serve("fly", folder, code=1)
    assert "no option" in serve("start", folder, "--nonsense", "1", code=1)
    assert "--systems gateway, all or none" in serve("start", folder, code=1, **{"--systems": "some"})
    assert "too long a path" in serve("start", folder / ("x" * 90), code=1)
