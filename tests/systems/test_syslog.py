"""audit_syslog against a real rsyslogd, and against what is not one; then the platform's trail through it, killed everywhere."""
import contextlib
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import pytest

import receiver as rs

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/plugin"), str(ROOT / "tests/http")]

import contracts  # noqa: E402  pylint: disable=wrong-import-position
from host import BUILD, PLUGINS, Process  # noqa: E402  pylint: disable=wrong-import-position
from platform_under_test import Platform, await_  # noqa: E402  pylint: disable=wrong-import-position

VERIFY = ROOT / "plugins/audit_syslog/verify"
PORTS = range(26214, 26254, 4)
SILENCE = 5  # seconds: rsyslogd reads a megabyte within one, unless the machine has other work
EXAMPLE = contracts.SCHEMAS["audit"]["$defs"]["records.request"]["examples"][0]


def load_verify():
    loader = importlib.machinery.SourceFileLoader("verify", str(VERIFY))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("verify", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


verify = load_verify()


def free_ports(n):
    for first in PORTS:
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + n):
                    s = stack.enter_context(socket.socket())
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", port))
                return first
            except OSError:
                continue
    raise AssertionError("no free ports")


# ---- a trail that is made up, with hashes that are right

def text_of(micro):
    seconds, rest = divmod(micro, 1000000)
    return verify.time.strftime("%Y-%m-%dT%H:%M:%S", verify.time.gmtime(seconds)) + f".{rest:06d}Z"


class Chain:
    def __init__(self):
        self.n, self.before, self.last, self.id = 0, "", {}, 115842310478233600

    def record(self, data, aggregate="case:1", actor="officer1", command="case.approve"):
        seq, prev = self.last.get(aggregate, (0, ""))
        self.id += 1
        r = {"id": str(self.id), "aggregate": aggregate, "seq": seq + 1, "at": text_of(1795588200000000 + self.id % 1000000),
             "actor": actor, "actor_id": "17", "command": command, "data": data, "prev": prev}
        r["hash"] = verify.record_hash(r)
        self.last[aggregate] = (seq + 1, r["hash"])
        return r

    def seal(self, records):
        self.n += 1
        s = {"n": self.n, "at": text_of(1795588201000000 + self.n), "records": len(records), "prev": self.before}
        s["hash"] = verify.seal_hash({**s, "seal": s["n"]}, [r["hash"] for r in records])
        self.before = s["hash"]
        return {**s, "signature": "MEUCIQ=="}

    def request(self, *datas, **more):
        records = [self.record(d, **more) for d in datas]
        return {"seal": self.seal(records), "part": 1, "last": True, "records": records}


# ---- the plugin and its receiver

def settings(pki, port, **more):
    options = {"host": "127.0.0.1", "port": str(port), "server_name": "logs.test", "ca_file": str(pki / "ca.pem"),
               "cert_file": str(pki / "client.pem"), "enterprise": "32473", "hostname": "permit1.example", "silence": str(SILENCE), **more}
    return {k: v for k, v in options.items() if v is not None}


@pytest.fixture(scope="module", name="pki")
def certificates():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="trail"))
    rs.make_pki(folder)
    rs.make_ca(folder, "other")
    rs.make_cert(folder, "stranger", "platform.test", ca="other")
    rs.make_cert(folder, "expired", "platform.test", days=0)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(name="start")
def starter(pki):
    """Starts plugins that end with the test."""
    running = []

    def start(port, client="client", **more):
        running.append(Process(PLUGINS / "audit_syslog.so", "trail", settings(pki, port, cert_file=str(pki / f"{client}.pem"), **more),
                               {"key": (pki / f"{client}.key").read_text(encoding="ascii")}))
        return running[-1]

    yield start
    assert [process.stop() for process in running] == [0] * len(running)


@pytest.fixture(name="rsyslog")
def running_rsyslog(pki):
    for old in ("raw.log", "parsed.log"):
        (pki / old).unlink(missing_ok=True)
    receiver = rs.Receiver(pki, free_ports(1))
    receiver.start()
    yield receiver
    receiver.kill()


def deliver(plugin, request):
    rc, reply, answer = plugin.call("audit.records", request)
    assert rc == "ok", answer
    return reply["messages"]


def refused(plugin, request=None):
    """Its reason; nothing of that may count as delivered."""
    rc, _, answer = plugin.call("audit.records", request or Chain().request("{}"))
    assert rc == "tempfail", answer
    return answer["reason"]


def trail_of(receiver):
    return verify.verify([receiver.folder / "raw.log"])[0]


# ---- messages

def test_rsyslog_reads_every_property_and_nothing_is_cut(start, rsyslog):
    chain = Chain()
    odd = {"actor": 'a"b]c\\d\u200b移民官', "aggregate": "case:\U0001f600", "command": "case.[x]"}
    datas = ['{"名":"阮文英 \\"]\\\\"}', None, "{}", '{"n":"' + "\u00e9\U0001f600x" * 5000 + '"}', '{"a":"' + "b" * 8100 + '"}']
    request = chain.request(*datas, **odd)
    assert deliver(start(rsyslog.port), request) > len(datas) + 1
    trail = trail_of(rsyslog)
    assert [{**r, "seq": int(r["seq"])} for r in map(dict, trail.records.values())] == [
        {**r, "seal": "1", **({k: got[k] for k in ("from", "size") if k in got})}
        for r, got in zip(request["records"], trail.records.values())]
    lines = [json.loads(line) for line in rsyslog.parsed()]
    raw = rsyslog.raw().splitlines()
    assert len(lines) == len(raw)
    for line, bytes_ in zip(lines, raw):
        assert (line["protocol"], line["host"], line["app"], line["procid"]) == ("1", "permit1.example", "fwpermit", "-")
        assert line["pri"] == ("109" if line["msgid"] == "seal" else "110") and line["msgid"] in ("seal", "record")
        kind, values = verify.parse(bytes_.decode())
        assert kind == line["msgid"] and values["at"] == line["at"]
        assert line["sd"].startswith("[fwpermit@32473 ") and line["sd"].encode() in bytes_
        assert line["msg"] == ("" if values["data"] is None else "\ufeff" + values["data"])
        assert len(bytes_) <= 8192


def test_a_seal_in_parts_and_a_record_in_pieces_come_together(start, rsyslog):
    chain = Chain()
    data = '{"n":"' + "水" * 60000 + '"}'
    size = len(data.encode())
    whole = chain.request("{}", data, '{"end":1}')
    first, long, end = whole["records"]
    pieces = [{**long, "data": data[a:b], "cut": {"from": len(data[:a].encode()), "size": size}} for a, b in ((0, 40000), (40000, None))]
    plugin = start(rsyslog.port)
    deliver(plugin, {**whole, "last": False, "records": [first, pieces[0]]})
    with pytest.raises(verify.Broken, match="no seal"):
        trail_of(rsyslog)
    deliver(plugin, {**whole, "part": 2, "records": [pieces[1], end]})
    assert [r["data"] for r in trail_of(rsyslog).records.values()] == ["{}", data, '{"end":1}']


def test_what_the_settings_say_is_in_each_message(start, rsyslog):
    plugin = start(rsyslog.port, facility="10", app_name="permits", hostname="n2")
    deliver(plugin, Chain().request("{}"))
    assert [tuple(json.loads(line)[k] for k in ("pri", "host", "app")) for line in rsyslog.parsed()] == [
        ("86", "n2", "permits"), ("85", "n2", "permits")]


def test_a_request_that_breaks_the_contract_sends_nothing(start, rsyslog):
    plugin = start(rsyslog.port)
    for spoil in (lambda r: r["seal"].update(at="2026-11-25T06:30:00Z"), lambda r: r["seal"].update(hash="x"),
                  lambda r: r["records"][0].update(id="x y"), lambda r: r["records"][0].pop("data"), lambda r: r.pop("last"),
                  lambda r: r["records"][0].update(cut={"from": -1, "size": 1})):
        request = json.loads(json.dumps(EXAMPLE))
        spoil(request)
        rc, _, answer = plugin.call("audit.records", request, good=False)
        assert rc == "permfail", answer
    assert rsyslog.raw() == b""


@pytest.mark.parametrize("wrong, names", [
    ({"port": "0"}, "port"), ({"facility": "24"}, "facility"), ({"app_name": "two words"}, "app_name"), ({"enterprise": None}, "enterprise"),
    ({"host": None}, "host"), ({"silence": "0"}, "silence"), ({"tls": "no"}, "allow_plain"), ({"tls": "no", "allow_plain": "yes"}, "ca_file"),
    ({"ca_file": None}, "ca_file"), ({"ca_file": "/nowhere"}, "ca_file"), ({"cert_file": "/dev/null"}, "cert_file"),
    ({"nonsense": "1"}, "nonsense"), ({"key": "in the clear"}, "secret")])
def test_a_wrong_setting_is_named(pki, wrong, names):
    options = {k: v for k, v in {**settings(pki, 1), **wrong}.items() if v is not None}
    plugin = Process(PLUGINS / "audit_syslog.so", "trail", options, {"key": (pki / "client.key").read_text(encoding="ascii")})
    answer = plugin.raw("audit.records", EXAMPLE)
    plugin.stop()
    assert answer["rc"] == "misconfigured" and names in answer["reason"], answer


def test_a_key_of_another_certificate_is_named(pki):
    plugin = Process(PLUGINS / "audit_syslog.so", "trail", settings(pki, 1), {"key": (pki / "server.key").read_text(encoding="ascii")})
    answer = plugin.raw("audit.records", EXAMPLE)
    plugin.stop()
    assert answer["rc"] == "misconfigured" and "private key" in answer["reason"]
    assert "BEGIN" not in answer["reason"]


# ---- who is on the other side

def test_nobody_there_is_tried_again(start):
    assert "connect" in refused(start(free_ports(1)))


def test_a_receiver_of_another_authority_gets_nothing(start, pki, rsyslog):
    assert "certificate" in refused(start(rsyslog.port, ca_file=str(pki / "other.pem")))
    assert rsyslog.raw() == b""


def test_a_receiver_of_another_name_gets_nothing(start, rsyslog):
    assert "hostname mismatch" in refused(start(rsyslog.port, server_name="elsewhere.test"))
    assert "IP address mismatch" in refused(start(rsyslog.port, server_name="127.0.0.1"))
    assert rsyslog.raw() == b""


@pytest.mark.parametrize("client", ["expired", "stranger"])
def test_a_certificate_that_the_receiver_does_not_take_delivers_nothing(start, rsyslog, client):
    assert ("cert_file, is expired" in refused(start(rsyslog.port, client))) == (client == "expired")
    assert rsyslog.raw() == b""


@contextlib.contextmanager
def stand_in(serve):
    """A listener; `serve` gets each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: [serve(listener.accept()[0]) for _ in range(1)], daemon=True).start()
        yield listener.getsockname()[1]


def tls_server(pki, after):
    """Speaks TLS as the receiver, then does `after` with the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "server.pem", pki / "server.key")
    kept = []

    def serve(raw):
        with contextlib.suppress(OSError):
            kept.append(raw)
            after(context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False), kept)
    return serve


def test_a_receiver_that_accepts_and_reads_nothing_delivers_nothing(start):
    with stand_in(lambda s: None), socket.create_server(("127.0.0.1", 0)) as silent:
        assert "silent" in refused(start(silent.getsockname()[1], silence="1"))


def test_a_receiver_that_stops_reading_delivers_nothing(start, pki):
    request = Chain().request(*(['"' + "x" * 8000 + '"'] * 100))
    with stand_in(tls_server(pki, lambda s, kept: kept.append(s))) as port:
        assert "silent" in refused(start(port, silence="1"), request)


def read_all(s):
    with contextlib.suppress(ssl.SSLError):
        while s.recv(65536):
            pass


def test_an_end_that_nobody_signed_is_no_delivery_unless_the_settings_say_so(start, pki):
    def bare(s, _):
        read_all(s)
        s.shutdown(socket.SHUT_RDWR)
    with stand_in(tls_server(pki, bare)) as port:
        assert "to the end" in refused(start(port))
    with stand_in(tls_server(pki, bare)) as port:
        assert deliver(start(port, close="bare"), Chain().request("{}")) == 2


def test_without_tls_the_framing_is_the_same(pki):
    got = []

    def serve(s):
        while True:
            more = s.recv(65536)
            if not more:
                break
            got.append(more)
        s.close()
    with stand_in(serve) as port:
        plugin = Process(PLUGINS / "audit_syslog.so", "trail", {"host": "127.0.0.1", "port": str(port), "enterprise": "1", "tls": "no",
                                                               "allow_plain": "yes"})
        assert deliver(plugin, Chain().request("{}", '{"名":1}')) == 3
        plugin.stop()
    rest, messages = b"".join(got), []
    while rest:
        count, _, rest = rest.partition(b" ")
        messages.append(rest[:int(count)].decode())
        rest = rest[int(count):]
    assert [verify.parse(m)[0] for m in messages] == ["record", "record", "seal"]
    assert verify.parse(messages[1])[1]["data"] == '{"名":1}'


def test_no_time_left_sends_nothing(start, rsyslog):
    rc, _, answer = start(rsyslog.port).call("audit.records", Chain().request("{}"), deadline_ms=1)
    assert rc == "cancelled" and rsyslog.raw() == b"", answer


def test_probe_tells_step_by_step_and_sends_nothing(start, rsyslog, pki):
    def steps(plugin):
        answer = plugin.raw("probe")
        assert answer["rc"] == "ok", answer
        return [(s["name"], s["ok"]) for s in answer["reply"]["steps"]], json.dumps(answer["reply"])
    good, told = steps(start(rsyslog.port))
    assert [ok for _, ok in good] == [True] * 5 and "CN = logs.test, ends 20" in told and "TLSv1.3" in told
    bad, told = steps(start(rsyslog.port, "expired"))
    assert bad[0] == ("own certificate", False) and not bad[-1][1] and "ends" in told
    bad, told = steps(start(rsyslog.port, ca_file=str(pki / "other.pem")))
    assert not bad[-1][1] and "certificate" in told
    assert start(rsyslog.port).raw("health")["rc"] == "ok"
    assert start(free_ports(1)).raw("health")["rc"] == "tempfail"
    assert rsyslog.raw() == b""


# ---- the collector's side

def test_the_file_alone_shows_what_was_taken_out_or_altered(start, rsyslog, tmp_path):
    chain, plugin = Chain(), start(rsyslog.port)
    requests = [chain.request(f'{{"n":{n}}}', '{"x":1}', aggregate=f"case:{n % 2 + 5}") for n in range(4)]
    for request in requests[:2] + requests[1:]:
        deliver(plugin, request)
    trail = trail_of(rsyslog)
    assert (len(trail.records), trail.repeats) == (8, 3)
    lines = rsyslog.raw().splitlines(keepends=True)
    lines = [line for n, line in enumerate(lines) if line not in lines[:n]]

    def found(*changed):
        (tmp_path / "raw.log").write_bytes(b"".join(changed))
        with pytest.raises(verify.Broken) as why:
            verify.verify([tmp_path / "raw.log"])
        return str(why.value)
    assert "seal 2 is over" in found(*lines[:3], *lines[4:])  # a record
    assert "seal 2 is missing" in found(*lines[:5], *lines[6:])  # a seal
    assert "seal 2 is missing" in found(*lines[:3], *lines[6:])  # both
    assert "seal 1 is over" in found(lines[0].replace(b'"n":0', b'"n":9'), *lines[1:])
    assert "seal 1 is over" in found(lines[1], lines[0], *lines[2:])
    torn = b"".join([*lines[:3], lines[3][:200], *lines[3:]])  # killed within a line, then all of the seal again
    (tmp_path / "raw.log").write_bytes(torn)
    assert verify.verify([tmp_path / "raw.log"])[1:] == (1, 4)
    (tmp_path / "old.log").write_bytes(b"".join(lines[:5]))  # rotated within a seal
    (tmp_path / "raw.log").write_bytes(b"".join(lines[5:]))
    assert verify.verify([tmp_path / "old.log", tmp_path / "raw.log"])[1:] == (1, 4)
    stray = {**chain.record("{}"), "prev": "0" * 64}
    stray["hash"] = verify.record_hash(stray)
    deliver(plugin, {"seal": chain.seal([stray]), "part": 1, "last": True, "records": [stray]})
    with pytest.raises(verify.Broken, match="record 1 of case:1 does not follow"):
        trail_of(rsyslog)


# ---- the platform

class Trail:
    """A platform whose trail goes to a receiver."""

    def __init__(self, pki):
        port = free_ports(4)
        self.pki, self.port, self.chain = pki, port + 3, Chain()
        self.platform = Platform(pki / "platform", port, "--systems", "none", build=BUILD)
        extra = self.platform.folder / "extra"
        extra.mkdir(parents=True)
        lines = [f'FwPermitPlugin trail audit "{self.platform.folder}/lib/plugins/audit_syslog.so"',
                 f'FwPermitPluginSecret trail key "{pki}/client.key"',
                 *(f'FwPermitPluginOption trail {k} "{v}"' for k, v in settings(pki, self.port).items())]
        (extra / "trail.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def count(self, what, where=""):
        return self.platform.sql(f"SELECT count(*) FROM {what} {where}")[0][0]  # noqa: S608

    def make(self):
        """Reads; when they are sealed."""
        before = self.count("audit")
        self.platform.of("broker").see("/cases")
        self.platform.of("reviewer1").see("/desk")
        await_("the seal", lambda: self.count("audit") > before and not self.count("audit", "WHERE seal = 0"))

    def failing(self, why):
        """Once a delivery has failed and waits, for that reason; one before may have been that the plugin was not there yet."""
        await_(f"a failure: {why}", lambda: self.platform.sql("SELECT 1 FROM outbox WHERE port = 'audit' AND state = 'ready' "
                                                              "AND reason LIKE '%' || ? || '%'", why))

    def put(self, r, prev=None):
        """A record past the platform."""
        self.platform.sql("INSERT INTO audit (id, aggregate, seq, at, actor_id, actor, command, data, prev, hash) VALUES "
                          "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", int(r["id"]), r["aggregate"], r["seq"], verify.micro(r["at"]), 17,
                          r["actor"], r["command"], r["data"], r["prev"] if prev is None else prev, r["hash"])

    def done(self):
        return self.count("outbox", "WHERE port = 'audit' AND state = 'done'")

    def all_there(self):
        """Once all has come; no second is waited for the next attempt."""
        await_("the trail", lambda: self.hurry() and self.done() == self.count("audit_seal") > 0
               and not self.count("audit", "WHERE seal = 0"))

    def hurry(self):
        """What failed is tried again now, as when whoever puts something into the outbox wakes the pump; while that is away, nobody
        hears it."""
        self.platform.sql("UPDATE outbox SET not_before = 0 WHERE port = 'audit' AND state = 'ready' AND not_before > 0")
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as s:
            s.sendto(b"\0", str(self.platform.folder / "state/run/pump.wake"))
        return True

    def kill(self, *role):
        """kill -9; when its next process is there."""
        pid = self.pid(*role)
        os.kill(pid, signal.SIGKILL)
        await_("it to come back", lambda: self.pid(*role) not in (None, pid))

    def pid(self, *role):
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().decode().split("\0")
                    if words[0] == f"{self.platform.folder}/lib/fwpermit-worker" and tuple(words[1:1 + len(role)]) == role:
                        return int(entry.name)
        return None


@pytest.fixture(name="trail")
def platform_with_trail(pki):
    trail = Trail(pki)
    yield trail
    trail.platform.stop()
    print(trail.platform.error_log()[-4000:])  # told where the test failed


def killed_receiver(trail, receiver):
    trail.make()
    receiver.kill()
    trail.make()
    trail.failing("")
    receiver.start()


def half_open_receiver(trail, receiver):
    receiver.kill()
    with socket.create_server(("127.0.0.1", trail.port)):
        trail.make()
        trail.failing("silent")
    receiver.start()


def receiver_of_another_authority(trail, receiver):
    receiver.kill()
    rs.make_cert(trail.pki, "server", "logs.test", ca="other")
    receiver.start()
    trail.make()
    trail.failing("certificate")
    receiver.kill()
    rs.make_cert(trail.pki, "server", "logs.test")
    receiver.start()


def plugin_killed_for_a_certificate_that_ended(trail, _):
    trail.make()
    trail.failing("expired")
    rs.make_cert(trail.pki, "client", "platform.test")
    trail.kill("plugin", "trail")


def killed_pump(trail, _):
    """While records are on their way that are longer than one message, one piece, one call."""
    for n, data in enumerate(["ab" + "\u6c34\"" * 150000, "x" * 7900, *(["y" * 9000] * 99)]):
        trail.put(trail.chain.record(json.dumps({"n": n, "x": data}, ensure_ascii=False), aggregate="test:1"))
    done = trail.done()
    await_("its delivery", lambda: trail.platform.sql("SELECT 1 FROM outbox WHERE port = 'audit' AND state = 'leased'") or trail.done() > done)
    trail.kill("pump")


def refused_seal(trail, _):
    """Never given up, never passed over, told aloud; once it is mended, it goes on."""
    r = trail.chain.record("{}", aggregate="test:2")
    trail.put(r, prev="nonsense")
    trail.failing("prev")
    trail.make()
    waiting = "SELECT state, attempt > 0, reason FROM outbox WHERE port = 'audit' AND state <> 'done' ORDER BY id"
    rows = await_("the seal behind it", lambda: len(trail.platform.sql(waiting)) > 1 and trail.platform.sql(waiting))
    assert rows[0][0] in ("ready", "leased") and rows[0][1] and set(rows[1:]) == {("ready", 0, None)}, rows
    assert "FWP2202 audit:" in trail.platform.error_log()
    trail.platform.sql("UPDATE audit SET prev = '' WHERE aggregate = 'test:2'")


def plugin_that_was_configured_later(trail, _):
    """Gets all from the first seal on."""
    trail.platform.sql("DELETE FROM outbox WHERE port = 'audit'")
    trail.platform.sql("DELETE FROM counter WHERE name = 'audit.enqueued'")


def what_the_database_has(platform):
    records = platform.sql("SELECT id, aggregate, seq, actor_id, actor, command, data, prev, hash, seal FROM audit WHERE seal > 0 "
                           "ORDER BY seal, id")
    seals = platform.sql("SELECT n, records, prev, hash, signature FROM audit_seal ORDER BY n")
    return [tuple(map(str, r)) for r in records], [tuple(map(str, s)) for s in seals]


def what_the_receiver_has(trail):
    names = ("id", "aggregate", "seq", "actor_id", "actor", "command", "data", "prev", "hash", "seal")
    records = [tuple(str(r.get(k)) for k in names) for r in trail.records.values()]
    return records, [tuple(s[k] for k in ("seal", "records", "prev", "hash", "signature")) for s in trail.seals.values()]


def test_the_trail_comes_whole_and_in_order_whatever_is_killed(trail, pki):
    pki.chmod(0o755)
    for old in ("raw.log", "parsed.log"):
        (pki / old).unlink(missing_ok=True)
    platform, receiver = trail.platform, rs.Receiver(pki, trail.port)
    rs.make_cert(pki, "client", "platform.test", days=0)
    receiver.start()
    try:
        platform.start()
        for trouble in (plugin_killed_for_a_certificate_that_ended, killed_receiver, half_open_receiver,
                        receiver_of_another_authority, refused_seal, killed_pump, plugin_that_was_configured_later):
            trouble(trail, receiver)
            trail.all_there()
    finally:
        receiver.kill()
    came = verify.verify([pki / "raw.log"])[0]
    assert came.repeats >= len(came.records) + len(came.seals)
    assert what_the_receiver_has(came) == what_the_database_has(platform)
    assert "whole" in platform.ctl("audit", "verify").stdout
    cert = platform.folder / "secrets/keys/audit.crt"
    told = subprocess.run([VERIFY, pki / "raw.log", "--certificate", cert], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "") and told.stdout.startswith("whole: ")
    assert not trail.count("outbox", "WHERE port = 'audit' AND state = 'dead'")
    assert platform.unexpected("FWP2107", "FWP2202 audit:", "FWP0006", "client dropped: ",
                               "our own request breaks the contract: /records/0/prev") == []
