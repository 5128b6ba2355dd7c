"""A plugin in C++ and one in Rust: one symbol, the whole check, and a notice that arrives through the real process."""
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import pytest

from kit import ROOT, all_hold
from host import BUILD, Process  # tests/plugin, by kit's path

sys.path.insert(0, str(ROOT / "tests/http"))

import flow  # noqa: E402  pylint: disable=wrong-import-position
from platform_under_test import Platform, await_  # noqa: E402  pylint: disable=wrong-import-position

PORTS = range(26710, 26790, 4)

HERE = pathlib.Path(__file__).resolve().parent / "languages"
CPP = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror", "-O1", "-fPIC", "-shared",
       f"-I{ROOT}/plugins", f"-Wl,--version-script={ROOT}/plugins/fwpermit_plugin.map"]
COMPILERS = {
    "g++": ["g++", *CPP, HERE / "plugin.cc", "-o"],
    "clang++": ["clang++", *CPP, HERE / "plugin.cc", "-o"],
    "rustc": ["/usr/bin/rustc", "--crate-type", "cdylib", "--crate-name", "plugin", "--edition", "2021", "-O", "-D", "warnings",
              HERE / "plugin.rs", "-o"],
}


def is_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


class Receiver:
    """A far side: what it was asked, and a status to answer with."""

    def __init__(self):
        self.seen, self.status = [], 200
        seen = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen.seen.append((self.path, dict(self.headers), body))
                self.send_response(seen.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/notices"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(name="receiver")
def far_side():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(name="plugin", scope="module", params=COMPILERS)
def compiled(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("languages") / "plugin.so"
    subprocess.run([*COMPILERS[request.param], out], check=True)
    return out


def test_it_keeps_the_contract(plugin):
    held = all_hold(plugin, HERE / "check")
    assert {"symbols", "settings", "case send.json", "kill -9 and again", "1000 times send", "manners", "secrets"} <= set(held)


def test_it_delivers_through_the_real_process(plugin, receiver):
    notice = {"to": "mai.tran@example.org", "subject": "Đã nhận", "text": "It was received.\n"}
    process = Process(plugin, "told", {"url": receiver.url, "http.allow_plain": "yes"}, {"token": "nobodys-token-42"})
    try:
        rc, reply, _ = process.call("notify.send", notice, key="key-77")
        assert (rc, reply) == ("ok", {"message_id": "key-77"})
        path, headers, body = receiver.seen.pop()
        assert (path, json.loads(body), headers["Idempotency-Key"], headers["Authorization"]) == (
            "/notices", notice, "key-77", "Bearer nobodys-token-42")
        receiver.status = 503
        assert process.call("notify.send", notice)[0] == "tempfail"
        receiver.status = 404
        assert process.call("notify.send", notice)[0] == "rejected"
        assert "nobodys-token-42" not in process.log
    finally:
        assert process.stop() == 0


# ---- for a running platform ----

def start_with(site, plugin, url):
    """The platform, its notices by that plugin: the one of `before/` is the first of its port."""
    site.start()
    site.stop()
    shutil.copy(plugin, site.folder / "lib/plugins/told.so")
    (site.folder / "secrets/told").write_text("nobodys-token-42")
    (site.folder / "before").mkdir()
    (site.folder / "before/told.conf").write_text(
        f"FwPermitPlugin told notify {site.folder}/lib/plugins/told.so\nFwPermitPluginOption told url {url}\n"
        f"FwPermitPluginOption told http.allow_plain yes\nFwPermitPluginSecret told token {site.folder}/secrets/told\n")
    site.start()


def test_one_in_rust_delivers_the_notices_of_a_running_platform(receiver, tmp_path):
    """Once each: also what came while the far side was down, and what a kill of the plugin's process interrupted."""
    plugin = tmp_path / "plugin.so"
    subprocess.run([*COMPILERS["rustc"], plugin], check=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="told"))
    folder.chmod(0o755)
    site = Platform(folder / "site", next(p for p in PORTS if all(is_free(p + i) for i in range(3))), build=BUILD)
    try:
        start_with(site, plugin, receiver.url)
        broker = site.person("broker")
        flow.filed(broker)
        await_("the first notice", lambda: receiver.seen)
        receiver.status = 503
        flow.filed(broker)
        await_("a refusal", lambda: site.sql("SELECT 1 FROM outbox WHERE port = 'notify' AND state = 'ready' AND attempt > 0"))
        process = subprocess.run(["pgrep", "-f", "fwpermit-worker plugin told", "-P", (site.folder / "httpd.pid").read_text().strip()],
                                 capture_output=True, text=True, check=True).stdout
        os.kill(int(process), signal.SIGKILL)
        receiver.status = 200
        await_("both", lambda: site.sql("SELECT count(*) FROM outbox WHERE port = 'notify' AND state = 'done'") == [(2,)])
        keys = [key for (key,) in site.sql("SELECT once_key FROM outbox WHERE port = 'notify' ORDER BY id")]
        assert {headers["Idempotency-Key"] for _, headers, _ in receiver.seen} == set(keys)
        assert [json.loads(body)["to"] for _, _, body in receiver.seen][0] == "broker@demo.example"
        assert "nobodys-token-42" not in site.error_log()
    finally:
        site.stop()
        shutil.rmtree(folder)
