"""Clients that guess, hold on to what is not theirs, send their bytes one by one, or frame a request in two ways at once."""
import os
import re
import select
import socket
import subprocess
import types

import conftest
import pytest
import wire
from platform_under_test import PASSWORD, ROOT, SLOW, await_, said
from test_accounts import MINUTE, NEW, From, line_of, log_in, make, roles_kept

DIRECTIVES = "FwPermitLoginRate 200\n"
HASHES = "state/hashes"
SLOW_CLIENTS = 20  # of each kind
MARK = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def prepare(platform):
    """Passwords that are hashed are counted: the library stands before the real one."""
    library = platform.folder / "hashes.so"
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Werror", "-O1", "-fPIC", "-shared", str(ROOT / "tests/http/hashes.c"), "-o", str(library)],
                   check=True)
    platform.given = os.environ.get("FW_SERVER_ENV")
    words = (platform.given or "").split()
    before = [w for w in words if w.startswith("LD_PRELOAD=")]  # a sanitizer's, which must be the first
    preload = (before[0] + ":" if before else "LD_PRELOAD=") + str(library)
    os.environ["FW_SERVER_ENV"] = " ".join([w for w in words if w not in before] + [preload, f"HASHES={platform.folder}/{HASHES}"])


@pytest.fixture(scope="module", autouse=True)
def environment_as_before(platform):
    yield
    os.environ.pop("FW_SERVER_ENV")
    if platform.given:
        os.environ["FW_SERVER_ENV"] = platform.given


# ---- who guesses ----

def hashed(platform):
    path = platform.folder / HASHES
    return path.stat().st_size if path.exists() else 0


def whole(answer):
    """All of an answer but when it was given and its number in the log."""
    return answer.status_code, said(answer), {n: v for n, v in answer.headers.items() if n != "Date"}


def guess(platform, login, password):
    before = hashed(platform)
    answer = whole(log_in(platform, login, password))
    assert hashed(platform) - before == 1, (login, "as much work as for any other")
    return answer


def test_no_answer_tells_which_accounts_there_are(platform):
    make(platform, "present")
    make(platform, "disabled")
    platform.ctl("account", "disable", "disabled")
    wrong = [guess(platform, *who) for who in (("present", "wrong"), ("absent", "wrong"), ("disabled", "wrong"), ("disabled", NEW[0]),
                                              ("absent", PASSWORD), ("absent", "x" * 600), ("a" * 101, "wrong"))]
    assert all(answer == wrong[0] for answer in wrong) and wrong[0][0] == 401
    for login in ("present", "absent", "disabled"):
        for _ in range(5):
            guess(platform, login, "wrong")
    locked = [guess(platform, *who) for who in (("present", "wrong"), ("present", NEW[0]), ("absent", "wrong"), ("disabled", "wrong"))]
    assert all(answer == locked[0] for answer in locked) and locked[0][1]["type"] == "/problems/login.locked"


def test_a_name_that_is_none_is_locked_for_as_long_as_an_account(platform):
    """Whoever comes back later to compare learns nothing: four failures are kept, and the fifth is the one that the lock counts from."""
    make(platform, "compared")

    def both(minutes):
        """What the next failure says, that much later."""
        platform.sql("UPDATE account SET locked_until = max(locked_until - ?, 0) WHERE login = 'compared'", minutes * MINUTE)
        platform.sql("UPDATE rate SET since = since - ? WHERE name LIKE 'nobody:%'", minutes * MINUTE)
        told = {guess(platform, login, "wrong")[1]["type"].rsplit("/", 1)[-1] for login in ("compared", "never-there")}
        assert len(told) == 1, told
        return told.pop()

    assert [both(0) for _ in range(4)] == ["login.wrong"] * 4
    assert both(16) == "login.locked"
    assert both(14) == "login.locked"
    assert [both(2) for _ in range(4)] == ["login.wrong"] * 4
    assert both(0) == "login.locked"


def test_the_last_of_an_address_and_one_more(platform):
    def left(n, address):
        platform.sql("UPDATE rate SET hits = ? WHERE name = ?", 200 - n, f"login:{address}")

    assert log_in(platform, "broker", address="127.0.0.81").status_code == 200
    left(1, "127.0.0.81")
    assert log_in(platform, "broker", address="127.0.0.81").status_code == 200
    before = hashed(platform)
    answer = log_in(platform, "broker", address="127.0.0.81")
    assert answer.status_code == 429 and "Set-Cookie" not in answer.headers and hashed(platform) == before
    assert log_in(platform, "broker", address="127.0.0.82").status_code == 200


# ---- what a session's token is worth ----

def test_a_token_from_before_is_none_after_a_change_of_rights(platform, admin):
    admin.do("/admin/accounts", {"login": "begins", "name": "x", "role": ["cashier"], "station": "TAO", "lang": "en", "password": NEW[0]})
    person, thief = platform.person("begins", password=NEW[0]), platform.person()
    thief.http.cookies.update(person.http.cookies)
    before = person.http.cookies["fwpermit"]
    person.do("/account/password", {"old": NEW[0], "new": NEW[1], "again": NEW[1]})
    assert person.http.cookies["fwpermit"] != before and person.get("/receipts").status_code == 200
    assert thief.get("/receipts").status_code == 401
    admin.do(line_of(admin, "begins")["href"], {**roles_kept(admin, "begins"), "role": ["auditor"]})
    assert person.get("/audit").status_code == 401
    assert platform.person("begins", password=NEW[1]).get("/audit").status_code == 200


def test_the_last_second_of_a_session_and_one_more(platform):
    make(platform, "lasting")
    person = platform.person("lasting", password=NEW[0])
    now = "CAST(strftime('%s', 'now') AS INTEGER) * 1000000"

    def status(column, seconds):
        platform.sql(f"UPDATE session SET {column} = {now} + ? WHERE account_id = (SELECT id FROM account WHERE login = 'lasting')",
                     seconds * 10**6)
        return person.get("/receipts").status_code

    idle = 30 * 60
    assert (status("seen", 20 * SLOW - idle), status("seen", -1 - idle)) == (200, 401)
    assert (status("seen", 0), status("expires", 20 * SLOW), status("expires", -1)) == (200, 200, 401)


def test_a_log_out_ends_it_wherever_it_is_used(platform):
    here, there = platform.person("broker"), platform.person()
    there.http.cookies.update(here.http.cookies)
    assert there.get("/cases").status_code == 200
    here.do("/logout")
    assert there.get("/cases").status_code == here.get("/cases").status_code == 401


# ---- who is slow ----

def trickle(platform, data):
    s = socket.create_connection(("127.0.0.1", platform.port))
    s.sendall(data)
    return s


def test_slow_clients_are_ended_and_others_served_meanwhile(platform):
    """A header byte by byte and a body at a trickle, by the times of the sample that the demo has too."""
    head = wire.head("POST", "/login", Content_Type="application/json", Content_Length="400")
    slow = {trickle(platform, data) for data in [b"GET / HTTP/1.1\r\nX: "] * SLOW_CLIENTS + [head] * SLOW_CLIENTS}
    others = platform.person("broker")

    def ended():
        for s in list(slow):
            try:
                s.sendall(b"a")
                if select.select([s], [], [], 0)[0]:
                    raise ConnectionResetError
            except (BrokenPipeError, ConnectionResetError):
                s.close()
                slow.remove(s)
        assert others.get("/cases").status_code == 200
        return not slow

    await_("the end of all that are slow", ended, 60)


# ---- who frames a request in two ways ----

def post(*lines, body=b"", ends=b"\r\n"):
    return ends.join([b"POST /login HTTP/1.1", b"Host: x", b"Content-Type: application/x-www-form-urlencoded", *lines, b"", b""]) + body


LENGTH = b"Content-Length: %d" % len(MARK)
CHUNKED = b"Transfer-Encoding: chunked"
HIDDEN = b"%x\r\n%s\r\n0\r\n\r\n" % (len(MARK), MARK)
ODD = {
    "length with chunks, which end first": post(b"Content-Length: %d" % (len(MARK) + 5), CHUNKED, body=b"0\r\n\r\n" + MARK),
    "length with chunks, and ends first": post(b"Content-Length: 4", CHUNKED, body=HIDDEN),
    "chunks with length": post(CHUNKED, b"Content-Length: %d" % (len(MARK) + 5), body=b"0\r\n\r\n" + MARK),
    "two lengths": post(b"Content-Length: 0", LENGTH, body=MARK),
    "two lengths, the other way": post(LENGTH, b"Content-Length: 0", body=MARK),
    "a list of lengths": post(b"Content-Length: 0, %d" % len(MARK), body=MARK),
    "a length with a sign": post(b"Content-Length: +0", body=MARK),
    "a negative length": post(b"Content-Length: -1", body=MARK),
    "a length in hexadecimal": post(b"Content-Length: 0x0", body=MARK),
    "an empty length": post(b"Content-Length: ", body=MARK),
    "a length too long": post(b"Content-Length: 18446744073709551616", body=MARK),
    "a space before the colon": post(b"Transfer-Encoding : chunked", LENGTH, body=b"0\r\n\r\n" + MARK),
    "a length with a space before the colon": post(b"Content-Length : 0", body=MARK),
    "another coding": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + MARK),
    "chunked and then another": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + MARK),
    "chunked twice": post(CHUNKED, CHUNKED, LENGTH, body=b"0\r\n\r\n" + MARK),
    "a folded header": post(b"Transfer-Encoding:\r\n chunked", LENGTH, body=b"0\r\n\r\n" + MARK),
    "a folded header without a name": post(b" Transfer-Encoding: chunked", body=b"0\r\n\r\n" + MARK),
    "bare line feeds": post(b"Content-Length: 0", body=MARK, ends=b"\n"),
    "a bare carriage return": post(b"X: y\rContent-Length: %d" % len(MARK), b"Content-Length: 0", body=MARK),
    "a NUL in a header": post(b"Content-Length: 0\0", body=MARK),
    "a chunk with an extension": post(CHUNKED, body=HIDDEN.replace(b"\r\n", b";a=b\r\n", 1)),
    "a chunk's extension with a line feed": post(CHUNKED, body=b"0;a\n\r\n" + MARK),
    "a chunk's size that overflows": post(CHUNKED, body=b"10000000000000000\r\n" + MARK),
    "a chunk's size in two words": post(CHUNKED, body=b"0 0\r\n\r\n" + MARK),
    "a chunk's size with a prefix": post(CHUNKED, body=b"0x0\r\n\r\n" + MARK),
    "chunks that end with line feeds": post(CHUNKED, body=b"0\n\n" + MARK),
    "a trailer that is a request": post(CHUNKED, body=b"0\r\n" + MARK),
    "a body on GET": b"GET /login HTTP/1.1\r\nHost: x\r\n" + LENGTH + b"\r\n\r\n" + MARK,
    "chunks on GET": b"GET /login HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"\r\n\r\n" + HIDDEN,
    "a body on HEAD": b"HEAD /login HTTP/1.1\r\nHost: x\r\n" + LENGTH + b"\r\n\r\n" + MARK,
    "another version": b"GET /smuggled HTTP/1.1.1\r\nHost: x\r\n\r\n",
    "words after the version": b"GET /smuggled HTTP/1.1 x\r\nHost: x\r\n\r\n",
    "two hosts": b"GET /smuggled HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "an upgrade with a request behind it": b"GET /login HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n" + MARK,
}
# What an older proxy may speak with its clients; it is one request more then, and not two in one.
OLD = {
    "chunks in HTTP/1.0": b"POST /login HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n" + CHUNKED + b"\r\n\r\n0\r\n\r\n" + MARK,
    "HTTP/0.9": b"GET /smuggled\r\n",
    "HTTP/0.9 behind a request": b"GET /login HTTP/1.1\r\nHost: x\r\n\r\nGET /smuggled\r\n",
}
# These leave no doubt of what they are: a body that ends, and then another request.
HONEST = {"two requests at once": b"GET /login HTTP/1.1\r\nHost: x\r\n\r\n" + MARK,
          "a request behind chunks": post(CHUNKED, body=b"0\r\n\r\n" + MARK)}


@pytest.fixture(scope="module")
def doors(platform):
    """The platform's own port, and a proxy's before it."""
    folder, port = platform.folder / "proxy", platform.port + 3
    folder.mkdir()
    modules = "\n".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in ("mpm_event", "authz_core", "proxy", "proxy_http"))
    user = "User www-data\nGroup www-data\n" if os.getuid() == 0 else ""
    (folder / "httpd.conf").write_text(
        f'ServerRoot "{folder}"\nServerName proxy\nListen 127.0.0.1:{port}\nPidFile "{folder}/httpd.pid"\nDefaultRuntimeDir "{folder}"\n'
        f'ErrorLog "{folder}/error.log"\n{user}{modules}\nProxyPass "/" "http://127.0.0.1:{platform.port}/"\nProxyPreserveHost On\n',
        encoding="utf-8")
    command = ["apache2", "-d", str(folder), "-f", str(folder / "httpd.conf"), "-k"]
    subprocess.run([*command, "start"], check=True)
    yield {"directly": platform, "behind a proxy": types.SimpleNamespace(port=port)}
    subprocess.run([*command, "stop"], check=True)
    await_("the proxy's end", lambda: not [p for p in conftest.processes_of(folder)])


def served(platform, door):
    """How often the marked request was served, by the platform's own log as it is when one more request has got into it by that door; one
    that was refused as malformed was not."""
    def log(path):
        lines = (platform.folder / "logs/access.log").read_text(encoding="utf-8")
        return len(re.findall(rf'"\w+ {path}\S* \S+" (?!400)\d', lines))

    before = log("/later")
    wire.talk(door, wire.head("GET", "/later"))
    await_("what came later", lambda: log("/later") > before)
    return log("/smuggled")


@pytest.mark.parametrize("door,name", [("directly", n) for n in (*ODD, *OLD)] + [("behind a proxy", n) for n in ODD])
def test_a_request_framed_in_two_ways_brings_no_other(platform, doors, name, door):
    before = served(platform, doors[door])
    answer = wire.talk(doors[door], {**ODD, **OLD}[name], half_close=True)
    assert served(platform, doors[door]) == before, answer


@pytest.mark.parametrize("door", ["directly", "behind a proxy"])
@pytest.mark.parametrize("name", HONEST)
def test_a_second_request_is_seen_in_the_log(platform, doors, name, door):
    before = served(platform, doors[door])
    assert len(wire.answers(wire.talk(doors[door], HONEST[name], half_close=True))) == 2
    assert served(platform, doors[door]) == before + 1
