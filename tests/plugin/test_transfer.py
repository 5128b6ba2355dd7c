"""payment_transfer through its process, against a bank that writes its files by a program of its own."""
import base64
import datetime
import os
import pathlib
import random

import pytest

from bank import TAIPEI, Bank, Refused
from host import PLUGINS

HERE = pathlib.Path(__file__).resolve().parent
ORDER = {"order_no": "FW7K2M9QXW3R5T8Y1Z02", "amount": 1000, "item": "居留證規費", "method": "atm", "created": "2026-11-25T06:30:00Z"}
PAID = datetime.datetime(2026, 11, 25, 14, 0, 5, tzinfo=TAIPEI)


def options(tmp_path, **more):
    for name in ("in", "done"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name).chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents):
        if os.access(folder, os.W_OK) and str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    return {"bank": "004", "prefix": "98712", "holder": "12345678901234", "folder": str(tmp_path / "in"),
            "done": str(tmp_path / "done"), **more}


@pytest.fixture(name="bank")
def one_bank(tmp_path):
    (tmp_path / "in").mkdir()
    return Bank(tmp_path / "in")


@pytest.fixture(name="plugin")
def one_plugin(start, bank, tmp_path):
    assert bank
    return start(PLUGINS / "payment_transfer.so", "bank", options(tmp_path), {})


def account_of(plugin, **more):
    return plugin.call("payment.begin", {**ORDER, **more})[1]["code"]["account"]


def poll(plugin, most=100):
    return plugin.call("payment.poll", {"max": most})[1]["messages"]


def facts(plugin, messages):
    out = []
    for message in messages:
        out.append(plugin.call("payment.message", {"channel": "poll"}, base64.b64decode(message["body_base64"]))[1])
    return out


def ack(plugin, messages):
    assert plugin.call("payment.ack", {"ids": [m["id"] for m in messages]})[0] == "ok"


# ---- accounts ----

def test_an_account_at_once(plugin, bank):
    rc, reply, _ = plugin.call("payment.begin", ORDER)
    assert rc == "ok" and "redirect" not in reply and reply["code"]["bank"] == "004"
    assert reply["gateway_no"] == reply["code"]["account"] and reply["code"]["expires"] == "2026-11-28T15:59:59Z"
    assert plugin.call("payment.begin", ORDER)[1] == reply, "the same order has the same account"
    assert bank.transfer(reply["code"]["account"], 1000)
    assert plugin.call("payment.begin", {**ORDER, "expires": "2026-11-26T00:00:00Z"})[1]["code"]["expires"] == "2026-11-26T00:00:00Z"


def test_the_scheme_is_as_documented(plugin):
    """The example of docs/integrators/transfer.md."""
    text = (HERE.parent.parent / "docs/integrators/transfer.md").read_text(encoding="utf-8")
    account = account_of(plugin)
    assert ORDER["order_no"] in text and account in text


def test_each_order_has_its_account_and_no_typing_error_passes(plugin, bank):
    chance = random.Random(7)
    accounts = {account_of(plugin, order_no=f"FW{n:018d}") for n in range(300)}
    assert len(accounts) == 300
    for account in list(accounts)[:50]:
        at = chance.randrange(5, 16)
        wrong = account[:at] + str((int(account[at]) + chance.randrange(1, 10)) % 10) + account[at + 1:]
        with pytest.raises(Refused):
            bank.transfer(wrong, 1000)


@pytest.mark.parametrize("method", ["card", "cvs"])
def test_other_ways_are_not_its_own(plugin, method):
    answer = plugin.call("payment.begin", {**ORDER, "method": method})[2]
    assert answer["rc"] == "rejected" and "atm" in answer["reason"]


# ---- files ----

def test_a_file_is_taken_whole(plugin, bank, tmp_path):
    assert poll(plugin) == []
    accounts = [account_of(plugin, order_no=f"FW{n:018d}") for n in range(5)]
    for i, account in enumerate(accounts):
        bank.transfer(account, 1000 + i, PAID)
    path = bank.day()
    first = poll(plugin, 3)
    assert [f["gateway_no"] for f in facts(plugin, first)] == accounts[:3]
    assert facts(plugin, first)[0] == {"fact": "paid", "gateway_no": accounts[0], "gateway_code": "000000000001", "method": "atm",
                                       "amount": 1000, "paid_at": "2026-11-25T06:00:05Z"}
    assert poll(plugin, 3) == first, "to poll changes nothing"
    ack(plugin, first)
    rest = poll(plugin, 3)
    assert [f["amount"] for f in facts(plugin, rest)] == [1003, 1004] and path.exists()
    ack(plugin, rest)
    ack(plugin, rest)
    assert poll(plugin) == [] and not path.exists() and (tmp_path / "done/20261125-0001.txt").exists()


def test_a_process_that_died_begins_the_file_anew(start, bank, tmp_path):
    """What was acknowledged comes once more: the platform has it already, and knows it by its bytes."""
    first = start(PLUGINS / "payment_transfer.so", "bank", options(tmp_path), {})
    for n in range(3):
        bank.transfer(account_of(first, order_no=f"FW{n:018d}"), 1000, PAID)
    bank.day()
    messages = poll(first)
    ack(first, messages[:2])
    second = start(PLUGINS / "payment_transfer.so", "bank", options(tmp_path), {})
    assert poll(second) == messages
    ack(second, messages)
    assert poll(second) == [] and poll(first) == []


def spoil(lines, how):
    if how == "cut":
        return lines[:-1]
    if how == "half":
        return [*lines[:-1], lines[-1][:20]]
    if how == "holder":
        return [lines[0].replace("12345678901234", "99999999999999"), *lines[1:]]
    if how == "sum":
        return [*lines[:-1], lines[-1][:19] + "7" + lines[-1][20:]]
    if how == "count":
        return [lines[0], *lines[2:]]
    if how == "account":
        return [lines[0], lines[1][:16] + str((int(lines[1][16]) + 1) % 10) + lines[1][17:], *lines[2:]]
    if how == "twice":
        return [lines[0], lines[1], lines[1], *lines[3:]]
    if how == "amount":
        return [lines[0], lines[1][:17] + "0" * 11 + lines[1][28:], *lines[2:]]
    if how == "time":
        return [lines[0], lines[1][:28] + "20260231" + lines[1][36:], *lines[2:]]
    if how == "behind":
        return [*lines, lines[1]]
    return {"empty": [], "binary": ["\x00" * 60]}[how]


FAULTS = [("cut", "there is no trailer: it is cut off"), ("half", "line 4 is cut off"), ("holder", "another account holder's"),
          ("sum", "the payments' sum is not the trailer's"), ("count", "not as many payments"), ("account", "line 2: no account of ours"),
          ("twice", "a number of the bank's stands twice"), ("amount", "line 2: no amount"), ("time", "line 2: no time"),
          ("behind", "bytes behind the trailer"), ("empty", "line 1 is cut off"), ("binary", "the first line is no header")]


@pytest.mark.parametrize("how,words", FAULTS)
def test_a_file_that_is_no_good_is_not_taken_at_all(plugin, bank, how, words):
    payments = [(account_of(plugin, order_no=f"FW{n:018d}"), 1000, PAID, f"{n:012d}") for n in range(2)]
    good = bank.lines("20261125", 1, payments)
    bank.write(spoil(good, how), "BAD.txt")
    answer = plugin.call("payment.poll", {"max": 10})[2]
    assert answer["rc"] == "tempfail" and "the file BAD.txt: " in answer["reason"] and words in answer["reason"], answer
    bank.write(good, "BAD.txt", end="\n")
    assert len(poll(plugin)) == 2, "mended, it is taken; lines may end with LF alone"


def test_the_same_file_twice(plugin, bank, tmp_path):
    bank.transfer(account_of(plugin), 1000, PAID)
    again = bank.day().read_bytes()
    ack(plugin, poll(plugin))
    (tmp_path / "in/COPY.txt").write_bytes(again)
    answer = plugin.call("payment.poll", {"max": 10})[2]
    assert answer["rc"] == "tempfail" and "COPY.txt: 20261125-0001 was taken before: the same file twice" in answer["reason"]


def test_limits(plugin, bank, tmp_path):
    (tmp_path / "in/HUGE.txt").write_bytes(b"1" * 1048577)
    assert "more than 1 MiB" in plugin.call("payment.poll", {"max": 10})[2]["reason"]
    (tmp_path / "in/HUGE.txt").unlink()
    (tmp_path / "in/LINK.txt").symlink_to("/etc/passwd")
    assert plugin.call("payment.poll", {"max": 10})[0] == "tempfail", "no link leads out of the folder"
    (tmp_path / "in/LINK.txt").unlink()
    for name in (".hidden.txt", "a.part", "b txt", "c;d.txt"):
        (tmp_path / "in" / name).write_bytes(b"x")
    assert poll(plugin) == []
    account = account_of(plugin)
    for n, fits in ((10000, True), (10001, False)):
        lines = bank.lines("20261125", 1, [(account, 1, PAID, f"{i:012d}") for i in range(n)])
        bank.write(lines, "MANY.txt", end="\n")
        answer = plugin.call("payment.poll", {"max": 2})[2]
        assert (answer["rc"] == "ok") == fits and (fits or "too many payments" in answer["reason"])


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b.replace(b"2", b"9", 1), lambda b: b"",
                                    lambda b: b[:61] + b"3" + b[62:], lambda b: b[:5] + b"0" + b[6:], lambda b: b[:60] + b" " + b[61:]])
def test_a_message_that_is_none(plugin, bank, change):
    bank.transfer(account_of(plugin), 1000, PAID)
    bank.day()
    body = base64.b64decode(poll(plugin)[0]["body_base64"])
    assert plugin.call("payment.message", {"channel": "poll"}, change(body))[0] == "rejected"


def test_what_it_knows_of_an_order(plugin, bank):
    ask = {"order_no": ORDER["order_no"]}
    account = account_of(plugin)
    assert plugin.call("payment.query", ask)[1] == {"state": "unpaid", "order_no": ORDER["order_no"], "gateway_no": account, "gateway_code": ""}
    bank.transfer(account, 1000, PAID)
    bank.day()
    for _ in range(2):
        told = plugin.call("payment.query", {**ask, "refunds": True})[1]
        assert told["state"] == "paid" and told["amount"] == 1000 and told["gateway_no"] == account and "refunded" not in told
        ack(plugin, poll(plugin) or [{"id": "none"}])


def test_a_transfer_is_paid_back_by_hand(plugin):
    request = {"order_no": "A1", "gateway_no": "1", "amount": 1, "method": "atm"}
    answer = plugin.call("payment.refund", request)[2]
    assert answer["rc"] == "permfail" and "does not support" in answer["reason"]


@pytest.mark.parametrize("channel", ["paid", "info"])
def test_what_is_pushed_is_refused(plugin, bank, channel):
    """Nothing in a line proves where it is from but the folder that it lay in."""
    bank.transfer(account_of(plugin), 1000, PAID)
    bank.day()
    body = base64.b64decode(poll(plugin)[0]["body_base64"])
    answer = plugin.call("payment.message", {"channel": channel}, body)[2]
    assert answer["rc"] == "rejected" and "pushed" in answer["reason"]


# ---- settings ----

@pytest.mark.parametrize("name,value", [("bank", "4"), ("bank", None), ("prefix", "1234"), ("prefix", None), ("holder", "1"), ("holder", None),
                                        ("folder", "in"), ("folder", None), ("done", "/x/"), ("done", None), ("days", "0"), ("days", "61"),
                                        ("colour", "red")])
def test_settings_are_judged(start, tmp_path, name, value):
    wanted = {k: v for k, v in options(tmp_path, **{name: value}).items() if v is not None}
    process = start(PLUGINS / "payment_transfer.so", "bank", wanted, {})
    answer = process.raw("payment.poll", {"max": 1})
    assert answer["rc"] == "misconfigured" and name in answer["reason"], answer


def test_a_folder_that_is_not_there(start, tmp_path):
    process = start(PLUGINS / "payment_transfer.so", "bank", options(tmp_path, folder=str(tmp_path / "gone")), {})
    assert process.raw("health")["rc"] == "tempfail" and process.call("payment.poll", {"max": 1})[0] == "tempfail"
