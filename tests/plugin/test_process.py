"""The process of a plugin: what it survives, what ends it, what it refuses; with a plugin that misbehaves."""
import base64
import contextlib
import http.server
import json
import os
import re
import signal
import struct
import threading

import pytest

from host import BLOB_MAX, BUILD, JSON_MAX, LOOSE, ROOT, Client, Gone, compile_library, frame_of, until

ODD = BUILD / "tests/plugin/odd"
SOURCE = ROOT / "tests/plugin/odd.c"


def odd(name="odd", *flags, first=None):
    """`first`: the folder of another header."""
    return compile_library(SOURCE, ODD / f"{name}.so", "-D_GNU_SOURCE", *flags, headers=first)


@pytest.fixture(name="start")
def held_to_little(start):
    """What such a plugin is told to do wrong stands in the request."""
    return lambda *args, **more: start(*args, **{"held_to": LOOSE, **more})


@pytest.fixture(scope="module", name="library")
def the_odd_plugin():
    return odd()


@pytest.fixture(name="process")
def running(start, library):
    return start(library, options={"a": "1"}, secrets={"b": "a secret thing"}, deadline_ms=5000, grace_ms=200)


def do(process, what, **more):
    return process.raw("notify.send", {"do": what}, **more)


# ---- what a call gets ----

def test_what_a_call_gets(process):
    told = do(process, "tell", key="k1")["reply"]
    assert (told["calls"], told["key"], told["zero"], told["size"], told["minor"]) == (1, "k1", 0, 1, 2)
    assert 0 < told["left"] <= 5000
    assert do(process, "tell", deadline_ms=1000)["reply"]["left"] <= 1000
    assert 1000 < do(process, "tell", deadline_ms=600000)["reply"]["left"] <= 5000  # never more than the settings say
    for odd_one in (0, -5, "x", None):
        assert do(process, "tell", deadline_ms=odd_one)["reply"]["left"] > 1000
    with contextlib.closing(process.client()) as client:
        assert client.ask({"op": "notify.send", "request": {}})["reply"]["key"] == ""
        assert client.ask({"op": "notify.send"})["rc"] == "ok"


def test_the_attempt_comes_back(process):
    assert do(process, "tell", attempt=7)["attempt"] == 7
    assert do(process, "tell")["attempt"] == 0


def test_the_bytes_of_a_message(process):
    for blob in (b"\0", b"ab", b"\xff" * 1000, b"x" * BLOB_MAX):
        told = process.raw("notify.send", {"do": "echo", "n": 1}, blob)
        assert base64.b64decode(told["reply"]["body_base64"]) == blob and told["reply"]["n"] == 1
    assert "body_base64" not in process.raw("notify.send", {"do": "echo"})["reply"]


@pytest.mark.parametrize("what,rc,reason", [
    ("nothing", "ok", ""), ("pending", "pending", ""), ("unknown", "unknown", "who knows"), ("later", "tempfail", "later"),
    ("list", "permfail", "not a JSON object"), ("no_json", "permfail", "cut off"),
    ("twice", "permfail", "a name occurs twice"), ("no_utf8", "permfail", "not UTF-8"), ("nul", "permfail", "a NUL"),
    ("trailing", "permfail", "bytes behind its end"), ("text", "permfail", "not JSON"), ("huge", "permfail", "too large"),
    ("null", "permfail", "nowhere"), ("bigger", "permfail", "more than 1048576 bytes"),
    ("100mb", "permfail", "more than 1048576 bytes"), ("body_and_no", "permfail", "a body beside a code that has none"),
    ("own_files", "permfail", "/files: the host's own"), ("no_reason", "rejected", "the plugin gave no reason"),
    ("rc99", "permfail", "not known"), ("bad_reason", "rejected", "not UTF-8"), ("lines", "rejected", "one two"),
    ("long_chinese", "rejected", "x" + 166 * "陳"),
    ("swell", "permfail", "too long")])
def test_answers_against_the_contract(process, what, rc, reason):
    answer = do(process, what)
    assert answer["rc"] == rc and reason in answer["reason"] and answer["reply"] == {}, answer
    assert answer["retry_after_ms"] == (1234 if what == "later" else 0)
    assert do(process, "tell")["rc"] == "ok"
    assert "\x1b" not in process.log


@pytest.mark.parametrize("reply,reason", [
    ({"type": "object", "additionalProperties": False, "properties": {}}, "/calls: additionalProperties"),
    ({"type": "object", "properties": {"calls": {"type": "string"}}}, "/calls: type"),
    ({"type": "object", "required": ["message_id"]}, "required")])
def test_answers_of_another_form(start, library, tmp_path, reply, reason):
    """An unknown member, a wrong type, one that is missing: it is no answer, and the process goes on."""
    for name in ("plugin", "notify"):
        contract = json.loads((LOOSE / f"{name}.json").read_text(encoding="utf-8"))
        if name == "notify":
            contract["$defs"]["send.reply"] = reply
        (tmp_path / f"{name}.json").write_text(json.dumps(contract), encoding="utf-8")
    process = start(library, held_to=tmp_path)
    answer = do(process, "tell")
    assert (answer["rc"], answer["reply"]) == ("permfail", {}) and reason in answer["reason"], answer
    assert process.raw("describe")["rc"] == "ok"


def test_the_longest_answer(process):
    answer = do(process, "big")
    assert answer["rc"] == "ok" and len(json.dumps(answer["reply"], separators=(",", ":"))) == 1048576
    answer = do(process, "long_reason")
    assert answer["reason"] == "r" * 500


def test_health_and_description(start, process):
    answer = process.raw("health")
    assert answer["rc"] == "ok" and "cannot say" in answer["reason"]
    told = process.raw("describe")["reply"]
    assert told == {"port": "notify", "name": "odd", "version": "0.0.1", "ops": ["notify.send"]}
    answer = start(odd("health", "-DHEALTH")).raw("health")
    assert answer["rc"] == "tempfail" and answer["reason"] == "the far side is down"


# ---- requests that are none ----

def test_requests_that_cannot_be(process):
    for frame in ({}, {"op": 5}, {"op": "notify.send", "key": "k" * 201}, {"op": "notify.send", "request": [1]},
                  {"op": "notify.send", "request": "x"}):
        with contextlib.closing(process.client()) as client:
            assert client.ask(frame)["rc"] == "permfail", frame
            assert client.ask({"op": "notify.send", "key": "k" * 200})["rc"] == "ok"
    for op in ("payment.begin", "notify.receive", "notify", "", "../x"):
        answer = process.raw(op)
        assert answer["rc"] == "permfail" and "does not support" in answer["reason"]


@pytest.mark.parametrize("data", [
    struct.pack(">I", JSON_MAX * 2) + b"{", b"\xff\xff\xff\xff", frame_of(b"no JSON"), frame_of(b"[1]"), frame_of(b""),
    frame_of(b'{"op":"notify.send","op":"x"}'), frame_of(b'{"op":"\xff"}'),
    frame_of(b'{"op":"describe"}', b"x" * (BLOB_MAX + 1))])
def test_frames_that_are_none(process, data):
    with contextlib.closing(process.client()) as client:
        with contextlib.suppress(Gone):
            client.send(data)
        assert client.hung_up()
    assert do(process, "tell")["rc"] == "ok"
    assert "client dropped" in process.log


@pytest.mark.parametrize("cut", [1, 3, 4, 10, 30, -1])
def test_a_client_that_goes_in_the_middle(process, cut):
    client = process.client()
    client.send(frame_of(b'{"op":"notify.send","request":{}}', b"blob")[:cut])
    client.close()
    assert do(process, "tell")["rc"] == "ok"


def test_a_client_that_sends_a_byte_now_and_then(process):
    with contextlib.closing(process.client()) as slow:
        slow.send(struct.pack(">I", 100000))

        def dropped():
            try:
                slow.send(b" ")
            except Gone:
                return True
            return False

        until(dropped, "the end of the slow client")
    assert "client dropped" in process.log
    assert process.raw("describe")["rc"] == "ok"


def test_a_request_that_is_too_long(process):
    text = json.dumps({"op": "notify.send", "request": {"a": "x" * 1000000}}).encode()
    with contextlib.closing(process.client()) as client:
        client.send(frame_of(text, b"x" * BLOB_MAX))
        answer = client.hear()
        assert answer["rc"] == "permfail" and "too long" in answer["reason"]


def test_many_clients(process):
    clients = [process.client() for _ in range(16)]
    try:
        for _ in range(3):
            for i, client in enumerate(clients):
                client.send(frame_of(json.dumps({"op": "notify.send", "key": f"c{i}", "request": {}}).encode()))
            assert sorted(client.hear()["reply"]["key"] for client in clients) == sorted(f"c{i}" for i in range(16))
        extra = process.client()
        assert extra.hung_up()
        extra.close()
        clients.pop().close()

        def room():
            with contextlib.closing(process.client()) as client, contextlib.suppress(Gone):
                return client.ask({"op": "describe"})["rc"] == "ok"
            return False

        until(room, "room for one more")
    finally:
        for client in clients:
            client.close()


# ---- ends ----

def test_a_crash_ends_one_process(start, process):
    other = start(process.tmp / "none.so", name="other", folder=process.tmp)
    with pytest.raises(Gone):
        do(process, "crash")
    assert process.ended() == -signal.SIGBUS
    assert other.raw("describe")["rc"] == "misconfigured"
    with pytest.raises(ConnectionRefusedError):
        process.client()
    process.start()
    assert do(process, "tell")["reply"]["calls"] == 1


def test_a_hang_is_ended(process):
    with pytest.raises(Gone):
        do(process, "hang", deadline_ms=100)
    assert process.ended() == -signal.SIGALRM
    process.start()
    assert do(process, "tell")["rc"] == "ok"


def test_a_call_that_keeps_its_time_is_not_ended(process):
    answer = do(process, "wait", deadline_ms=50)
    assert answer["rc"] == "cancelled" and process.process.poll() is None
    assert do(process, "tell")["rc"] == "ok"


def test_memory_of_a_call(process):
    before = process.memory()
    for _ in range(30):
        assert do(process, "half")["rc"] == "ok"
    assert process.memory() - before < 65536, "KiB kept of 30 calls with 32 MiB each"
    with pytest.raises(Gone):
        do(process, "much")
    assert process.ended() == -signal.SIGABRT and "took more than" in process.log


def test_killed_in_the_middle(process):
    """Of a call that was under way the client hears nothing; the next process takes the place."""
    client = process.client()
    client.send(frame_of(b'{"op":"notify.send","request":{"do":"hang"}}'))
    assert process.kill() == -signal.SIGKILL
    assert client.hung_up()
    for _ in range(3):
        process.start()
        assert do(process, "tell")["reply"]["calls"] == 1
        process.kill()
    process.start()
    leftovers = sorted(p.name for p in process.run_dir.iterdir())
    assert leftovers == ["plugin-it.sock"]


def test_term_ends_it_in_order(process):
    do(process, "tell")
    assert process.kill(signal.SIGTERM) == 0
    assert "destroyed after 1 calls" in process.log


def test_the_socket_is_its_owners(process):
    assert os.stat(process.socket_path).st_mode & 0o777 == 0o600


def test_no_secret_in_the_log(process):
    do(process, "lines")
    assert "a secret thing" not in process.log and "made with 2 settings and a second line" in process.log


# ---- what the contract forbids ----

def test_a_plugin_starts_no_process_and_signals_nobody(process):
    assert do(process, "processes")["reply"] == {"threads": 1, "forks": 0, "runs": 0, "kills": 0, "shell": 0}


def test_a_leak_ends_with_its_process(start, library):
    process = start(library, options={"process.memory_mb": "64"})
    with pytest.raises((Gone, ConnectionRefusedError)):
        for _ in range(100):  # it may still be able to say that it has none
            do(process, "leak")
            do(process, "half")
    assert process.ended() != 0
    process.start()
    assert do(process, "tell")["rc"] == "ok"
    for wrong in ("63", "x", "", "-1", "64x", "99999999", "65537"):
        assert_misconfigured(start(library, options={"process.memory_mb": wrong}), "option process.memory_mb is 64 to 65536")


def test_exit_is_the_end_of_one_process(process):
    with pytest.raises(Gone):
        do(process, "exit")
    assert process.ended() == 0
    process.start()
    assert do(process, "tell")["reply"]["calls"] == 1


def test_closed_descriptors_end_it(process):
    with pytest.raises(Gone):
        do(process, "close_all")
    assert process.ended() == 1


def test_no_signal_that_is_taken_away_keeps_it(process):
    with pytest.raises(Gone):
        do(process, "deafen", deadline_ms=100)
    assert process.ended() == -signal.SIGKILL


def test_what_a_call_changed_is_mended(process):
    assert do(process, "change")["rc"] == "ok"
    status = dict(line.split(":\t") for line in
                  open(f"/proc/{process.process.pid}/status", encoding="ascii").read().splitlines())
    assert status["Umask"] == "0077" and int(status["SigBlk"], 16) == 0
    assert int(status["SigIgn"], 16) >> (signal.SIGPIPE - 1) & 1
    with pytest.raises(Gone):
        do(process, "hang", deadline_ms=100)
    assert process.ended() == -signal.SIGALRM
    process.start()
    do(process, "change")
    assert process.kill(signal.SIGTERM) == 0


def test_what_it_prints_is_in_the_log(process):
    assert do(process, "print")["rc"] == "ok"
    process.kill(signal.SIGTERM)
    log = process.log
    assert "plugin it: prints: to standard output" in log and "plugin it: prints: to standard error, without an end" in log
    assert "and  [31mcolours" in log
    assert all(line.startswith("fwpermit-worker plugin it [") for line in log.splitlines())


@pytest.mark.parametrize("what", ["flood", "flood_print"])
def test_a_flood_of_the_log_is_cut(process, what):
    assert do(process, what)["rc"] == "ok"
    process.kill(signal.SIGTERM)
    lines = [line for line in process.log.splitlines() if "flood" in line]
    left_out = [int(n) for n in re.findall(r"plugin it: (\d+) lines of it are left out here", process.log)]
    assert 90 <= len(lines) < 400 and len(lines) + sum(left_out) >= 20000


# ---- what is not loaded ----

def assert_misconfigured(process, reason):
    answer = process.raw("notify.send")
    assert answer["rc"] == "misconfigured" and reason in answer["reason"], answer
    assert reason in process.log
    assert process.kill(signal.SIGTERM) == 0


@pytest.mark.parametrize("flags,reason", [
    (["-DMAJOR=2"], "made for interface 2, not 1"), (["-DMAJOR=0"], "made for interface 0, not 1"),
    (["-DNONE"], "does not serve interface"), (["-DENTRY=another_name"], "exports no fwpermit_plugin"),
    (['-DPORT="weather"'], "port weather, which is not known"), (["-DSIZE=4"], "gives no size"),
    (["-DSIZE=sizeof(uint32_t)*2"], "leaves out what it must have"), (["-DPORT=NULL"], "leaves out")])
def test_plugins_of_another_kind(start, flags, reason):
    assert_misconfigured(start(odd("kind", *flags)), reason)


def test_older_and_newer_plugins(start):
    """What an older one lacks reads as nothing; what a newer one has more is not looked at."""
    old = start(odd("old", "-DHEALTH", "-DSIZE=offsetof(fwp_plugin,check_config)", "-DOPS_SIZE=offsetof(fwp_notify_ops,send)"))
    assert old.raw("describe")["reply"]["ops"] == []
    assert old.raw("notify.send")["rc"] == "permfail" and old.raw("health")["rc"] == "tempfail"
    new = start(odd("new", "-DMINOR=9", "-DSIZE=sizeof(fwp_plugin)+64", "-DOPS_SIZE=sizeof(fwp_notify_ops)+64"))
    assert do(new, "tell")["rc"] == "ok" and new.raw("describe")["reply"]["ops"] == ["notify.send"]


def header_of_tomorrow(folder):
    """Interface 1.3: every struct has more members behind those of today."""
    text = (ROOT / "plugins/fwpermit_plugin.h").read_text(encoding="utf-8")
    text = text.replace("#define FWP_ABI_MINOR 2u", "#define FWP_ABI_MINOR 3u")
    text = text.replace("fwp_op send, message;", "fwp_op send, message, recall;")
    text = text.replace("    fwp_op probe;\n}", "    fwp_op probe;\n    fwp_op rehearse;\n}")
    text = text.replace("} fwp_reply;", "    const char *advice;\n} fwp_reply;")
    folder.mkdir()
    (folder / "fwpermit_plugin.h").write_text(text, encoding="utf-8")
    assert text.count("recall") == text.count("rehearse") == text.count("advice;") == 1
    return folder


@pytest.mark.parametrize("minor", [0, 3])
def test_plugins_built_with_another_header(start, tmp_path, minor):
    """1.0 as it was printed, which lacks message and probe; and one of tomorrow, which has more."""
    folder = header_of_tomorrow(tmp_path / "abi") if minor else ROOT / "tests/plugin/abi-1.0"
    process = start(odd(f"abi{minor}", first=folder))
    told = do(process, "tell")["reply"]
    assert (told["minor"], told["key"]) == (2, "key-1")
    assert process.raw("describe")["reply"]["ops"] == ["notify.send"]
    assert process.raw("notify.message")["rc"] == "permfail"
    answer = process.raw("probe")
    assert answer["reply"] == {"steps": [{"name": "health", "ok": True, "detail": "the plugin cannot say"}]}


def test_a_library_that_is_missing(start, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    compile_library(ROOT / "tests/plugin/clock.c", folder / "libneeded.so", "-Wl,-soname,libneeded.so", "-fvisibility=default")
    plugin = compile_library(SOURCE, folder / "odd.so", "-D_GNU_SOURCE", "-Wl,--no-as-needed", str(folder / "libneeded.so"))
    (folder / "libneeded.so").unlink()
    assert_misconfigured(start(plugin), "libneeded.so: cannot open shared object file")


def test_a_contract_that_is_missing(start, library, tmp_path):
    assert_misconfigured(start(library, held_to=tmp_path), "plugin.json")
    (tmp_path / "plugin.json").write_text((LOOSE / "plugin.json").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "notify.json").write_text('{"$defs": {"send.request": {"maxlen": 1}}}', encoding="utf-8")
    assert_misconfigured(start(library, held_to=tmp_path), "/$defs/send.request/maxlen: the keyword is not known")


@pytest.mark.parametrize("mode,where,reason", [
    (0o775, "file", "writable by others"), (0o757, "file", "writable by others"), (0o666, "file", "writable by others"),
    (0o777, "folder", "writable by others"), (0o770, "folder", "writable by others")])
def test_files_that_others_may_change(start, library, tmp_path, mode, where, reason):
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    file = folder / "odd.so"
    file.write_bytes(library.read_bytes())
    os.chmod(file, 0o755)
    os.chmod(file if where == "file" else folder, mode)
    assert_misconfigured(start(file), reason)


def test_files_from_elsewhere(start, library, tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside, inside / "deeper"):
        folder.mkdir(mode=0o755)
    for file in (outside / "odd.so", inside / "deeper/odd.so"):
        file.write_bytes(library.read_bytes())
        os.chmod(file, 0o755)
    (inside / "link.so").symlink_to(outside / "odd.so")
    (inside / "folder.so").mkdir()
    (inside / "text.so").write_text("no library")
    assert_misconfigured(start(outside / "odd.so", folder=inside), "is not in")
    assert_misconfigured(start(inside / "deeper/odd.so", folder=inside), "is not in")
    assert_misconfigured(start(inside / "link.so", folder=inside), "is not in")
    assert_misconfigured(start(inside / "../out/odd.so", folder=inside), "is not in")
    assert_misconfigured(start(inside / "folder.so", folder=inside), "is not a file")
    assert_misconfigured(start(inside / "text.so", folder=inside), "text.so")
    assert_misconfigured(start(inside / "none.so", folder=inside), "none.so")
    assert_misconfigured(start(outside / "odd.so", folder=tmp_path / "nowhere"), "nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_another_person(start, library, tmp_path):
    file = tmp_path / "odd.so"
    file.write_bytes(library.read_bytes())
    os.chmod(tmp_path, 0o755)
    os.chmod(file, 0o755)
    os.chown(file, 12345, 12345)
    assert_misconfigured(start(file), "belongs neither to root nor to us")


def test_create_that_fails(start, library):
    assert_misconfigured(start(library, options={"create": "wrong"}), "option create is wrong and this is a second line")
    later = start(library, options={"create": "later"})  # what a later start may mend ends the process
    assert later.ended() == 1 and "not yet" in later.log
    assert start(library, options={"create": "crash"}).ended() == -signal.SIGBUS
    assert start(library, options={"create": "hang"}, deadline_ms=100, grace_ms=100).ended() == -signal.SIGALRM


def test_settings_of_the_host(start, library):
    assert_misconfigured(start(library, options={"a": 5}), "option a is not a text")
    assert_misconfigured(start(library, options={"http.speed": "1"}), "option http.speed is not known")
    for name in ("", "A", "a/b", "x" * 33):
        assert start(library, name=name).ended() == 1


# ---- HTTP of the host ----

class Site:
    """Answers by path, and keeps what it was sent."""

    def __init__(self):
        self.seen = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.seen.append((self.path, dict(self.headers)))
                size = {"/full": JSON_MAX, "/over": JSON_MAX + 1}.get(self.path, 2)
                self.send_response(302 if self.path == "/away" else 200)
                if self.path == "/away":
                    self.send_header("Location", "/target")
                if self.path.startswith("/headers"):  # beside Server, Date and Content-Length
                    self.send_header("X-Answer", " first and last ")
                    for i in range(int(self.path[len("/headers"):]) - 4):
                        self.send_header(f"X-{i}", "x")
                self.send_header("Content-Length", str(size + (5 if self.path == "/cut" else 0)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(b"x" * size)

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture(name="site")
def one_site():
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


def fetching(start, library, url, plain=True):
    process = start(library, options={"http.allow_plain": "yes"} if plain else {})
    process.kill()
    process.environment.update(ODD_URL=url, http_proxy="http://127.0.0.1:1", HTTPS_PROXY="http://127.0.0.1:1")
    process.start()
    return process


OK, NOT_SENT, LOST, REFUSED = range(4)


@pytest.mark.parametrize("path,plain,told", [
    ("/", True, (OK, 200, 2)), ("/away", True, (OK, 302, 2)), ("/full", True, (OK, 200, JSON_MAX)),
    ("/over", True, (LOST, 0, 0)), ("/cut", True, (LOST, 0, 0)), ("/", False, (REFUSED, 0, 0))])
def test_http(start, library, site, path, plain, told):
    process = fetching(start, library, site.url + path, plain)
    got = do(process, "fetch")["reply"]
    assert (got["http"], got["status"], got["bytes"]) == told and got["error"] == (told[0] != OK)
    paths = [p for p, _ in site.seen]
    assert paths == ([path] if plain else [])  # no redirect is followed, no proxy of the environment used
    if plain:
        assert site.seen[0][1]["X-Test"] == "a" and site.seen[0][1]["User-Agent"].startswith("fwpermit/")


@pytest.mark.parametrize("n,told", [(64, (OK, 64, "first and last")), (65, (LOST, 0, ""))])
def test_headers_of_a_response(start, library, site, n, told):
    got = do(fetching(start, library, f"{site.url}/headers{n}"), "fetch")["reply"]
    assert (got["http"], got["headers"], got["told"]) == told


def test_http_that_is_refused(start, library, site):
    process = fetching(start, library, site.url)
    assert do(process, "inject")["reply"]["http"] == REFUSED
    assert do(process, "file")["reply"]["http"] == REFUSED
    assert site.seen == []
    gone = fetching(start, library, "http://127.0.0.1:1")
    assert do(gone, "fetch")["reply"]["http"] == NOT_SENT


def test_no_growth(process):
    def work(n):
        for i in range(n):
            do(process, ("tell", "list", "nothing", "lines")[i % 4])

    work(200)
    before = process.memory()
    work(1000)
    assert process.memory() - before < 512, "KiB grown over 1,000 calls"


def test_a_path_that_is_too_long(start, library):
    process = start(library)
    process.kill()
    deep = process.tmp / ("d" * 100)
    deep.mkdir(mode=0o700)
    told = json.loads(process.settings.read_text())
    told["FwPermitRunDir"] = str(deep)
    process.settings.write_text(json.dumps(told))
    process.start(wait=False)
    assert process.ended() == 1 and "too long" in process.log


def test_the_client_of_the_tests_is_strict(process):
    client = Client(process.socket_path)
    client.send(frame_of(b'{"op":"describe"}'))
    assert set(client.hear()) == {"rc", "reason", "retry_after_ms", "attempt", "reply"}
    client.close()
