"""card_bureau through its process, against the card bureau's stand-in behind a real sshd."""
import base64
import contextlib
import copy
import datetime
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import threading

import PIL.Image
import pytest

import contracts
from cards_program import Bureau
from host import PLUGINS, ROOT, Process, frame_of, until

PORT = contracts.SCHEMAS["card"]["$defs"]
JOB = PORT["order.request"]["examples"][0]
NO = JOB["job_no"]
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK
LIMIT = 65536  # bytes of a message: CARD_MESSAGE_BYTES
EARLIER, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"


def picture(width=413, height=531, kind="JPEG"):
    out = io.BytesIO()
    PIL.Image.effect_noise((width, height), 40).convert("RGB").save(out, kind)
    return out.getvalue()


PHOTO = picture()


# ---- the two ends

@pytest.fixture(scope="module", name="one_bureau")
def running_bureau():
    bureau = Bureau()
    yield bureau
    assert bureau.stop() == 0


@pytest.fixture(name="bureau")
def empty_bureau(one_bureau):
    one_bureau.control("reset")
    yield one_bureau
    if one_bureau.process.poll() is None:
        assert one_bureau.books()["faults_of_stock"] == []


def options(bureau, **more):
    own = {"host": "127.0.0.1", "port": str(bureau.port), "user": bureau.told["user"], "host_key": bureau.told["host_key"],
           "schemas": str(ROOT / "docs/contracts"), **more}
    return {k: v for k, v in own.items() if v is not None}


@pytest.fixture(scope="module", name="process")
def one_process(one_bureau):
    process = Process(PLUGINS / "card_bureau.so", "card", options(one_bureau), {"key": one_bureau.key})
    yield process
    log = process.log
    assert "NGUYEN" not in log and "C1234567" not in log and "PRIVATE KEY" not in log
    assert process.stop() == 0


@pytest.fixture(name="card")
def card_and_bureau(process, bureau):
    assert bureau
    return process


def memory(content):
    fd = os.memfd_create("t", os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    return fd


def named(name, content):
    return {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def order(process, files=None, good=True, **changes):
    """The answer to an order with these files and members."""
    files = {"photo.jpg": PHOTO} if files is None else files
    request = {**copy.deepcopy(JOB), **changes, "files": [named(*pair) for pair in files.items()]}
    sent = {k: v for k, v in request.items() if k != "files"}
    fds = [memory(content) for content in files.values()]
    with contextlib.closing(process.client()) as client:
        more = {"files": request["files"]} if fds else {}
        client.send(frame_of(json.dumps({"op": "card.order", "key": "k", "request": {**sent, **more}}).encode()))
        if fds:
            socket.send_fds(client.socket, [b"F"], fds)
        answer = client.hear()
    for fd in fds:
        os.close(fd)
    contracts.check("card.order", request, b"", answer, good)
    return answer


def find(process, job_no=NO):
    rc, reply, answer = process.call("card.find", {"job_no": job_no})
    assert rc == "ok", answer
    return reply["job"]


def poll(process, most=100):
    rc, reply, answer = process.call("card.poll", {"max": most})
    assert rc == "ok", answer
    return [(m["id"], base64.b64decode(m["body_base64"])) for m in reply["messages"]]


def say(process, data):
    """(rc, facts, answer) of a message."""
    rc, reply, answer = process.call("card.message", {"channel": "poll"}, data)
    return rc, reply.get("facts"), answer


def facts(process, of="job"):
    """All that the messages say of jobs, or of stock, in order."""
    said = [say(process, data) for _, data in poll(process)]
    return [fact for rc, told, _ in said if rc == "ok" for fact in told if fact["fact"] == of]


def ack(process, ids):
    assert process.call("card.ack", {"ids": ids})[0] == "ok"


def waiting(bureau):
    return sorted(p.name for p in (bureau.home / "in").iterdir())


# ---- a card's life

def test_a_card_from_order_to_station(card, bureau):
    assert order(card)["rc"] == "pending"
    assert bureau.books()["jobs"][NO]["state"] is None
    assert find(card) is None
    states = ["accept", "make", "spoil", "accept", "make", "send", "arrive"]
    for n, move in enumerate(states, 1):
        bureau.move(NO, move)
        assert find(card)["seq"] == n
    told = [fact["job"] for fact in facts(card)]
    assert [(j["seq"], j["state"], j["spoiled"]) for j in told] == [
        (1, "accepted", 0), (2, "made", 0), (3, "spoiled", 1), (4, "accepted", 1), (5, "made", 1), (6, "sent", 1), (7, "arrived", 1)]
    assert told[-1] == find(card) and told[-1]["station"] == "TXG1" and told[2]["reason"] == "printed badly"
    assert told[4]["card_no"] == told[6]["card_no"] != told[1]["card_no"] and told[5]["tracking"]
    books = bureau.books()
    assert books["faults_of_stock"] == [] and books["stock"]["delivered"] == 1 and books["stock"]["spoiled"] == 1
    assert books["stock"]["blanks"] == 998 and books["stock"]["reserved"] == 0


def test_all_that_is_printed_is_in_the_package(card, bureau):
    changes = {"replaces": "TW00000001", "card": {**JOB["card"], "reason": "依親 <&\"' >", "person": {
        **JOB["card"]["person"], "name_zh": "阮文英", "name_native": "Nguyễn Văn Ánh"}}}
    assert order(card, {"a letter.pdf": b"%PDF", "photo.jpg": PHOTO, "空": b""}, **changes)["rc"] == "pending"
    what = bureau.books()["jobs"][NO]["what"]
    person = what["card"].pop("person")
    assert person == changes["card"]["person"]
    assert what["card"] == {k: v for k, v in changes["card"].items() if k != "person"}
    assert {k: what[k] for k in ("job_no", "case_no", "permit_no", "deliver_to", "due", "replaces")} == {
        k: v for k, v in {**JOB, **changes}.items() if isinstance(v, str) and k != "photo"}
    assert what["files"] == ["file-1", "file-3", "photo.jpg"]
    assert (bureau.folder / "taken" / NO / "photo.jpg").read_bytes() == PHOTO
    assert (bureau.folder / "taken" / NO / "file-1").read_bytes() == b"%PDF"
    assert subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=bureau.folder / "taken" / NO, check=False).returncode == 0


def test_eight_files_and_a_large_one(card, bureau):
    files = {"photo.jpg": PHOTO, **{f"f{n}": bytes([n]) * 10 for n in range(6)}, "large": os.urandom(5 * 1024 * 1024)}
    assert order(card, files)["rc"] == "pending"
    assert len(bureau.books()["jobs"][NO]["what"]["files"]) == 8
    assert (bureau.folder / "taken" / NO / "file-8").read_bytes() == files["large"]


def test_ordered_again(card, bureau):
    """It lies there; the bureau took it; it is under way; it arrived: one job, whatever happens."""
    bureau.control("rounds", on=0)
    for _ in range(3):
        assert order(card)["rc"] == "pending"
    assert bureau.books()["again"] == []
    assert order(card)["rc"] == "pending"  # it is taken, and the books say nothing yet
    bureau.move(NO, "accept")
    answer = order(card)
    assert answer["rc"] == "ok" and answer["reply"]["job"]["state"] == "accepted"
    bureau.move(NO, "make")
    assert order(card)["reply"]["job"]["state"] == "made"
    books = bureau.books()
    assert list(books["jobs"]) == [NO] and books["again"] == [NO] and books["stock"]["blanks"] == 999


def test_two_attempts_at_a_time(start, bureau):
    """Slow enough that both upload at once; one of them comes first, and there is one package."""
    two = [start(PLUGINS / "card_bureau.so", "card", options(bureau), {"key": bureau.key}) for _ in range(2)]
    for process in two:
        assert process.call("health")[0] == "ok"
    bureau.switch(slow_ms=20)
    answers = []
    threads = [threading.Thread(target=lambda p=p: answers.append(order(p))) for p in two]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bureau.switch(slow_ms=0)
    assert [a["rc"] for a in answers] == ["pending", "pending"], answers
    books = bureau.books()
    assert list(books["jobs"]) == [NO] and books["jobs"][NO]["what"] and waiting(bureau) == []


def test_a_blank_for_each_card_and_none_left(card, bureau):
    bureau.control("stock", blanks=2, low_at=1)
    bureau.control("automatic", on=1)
    for n in range(3):
        assert order(card, job_no=f"J{n}")["rc"] == "pending"
        until(lambda n=n: find(card, f"J{n}"))
    bureau.control("automatic", on=0)
    shelf = card.call("card.stock")[1]["shelves"][0]
    assert (shelf["blanks"], shelf["reserved"], shelf["low_at"]) == (2, 2, 1)
    assert find(card, "J2")["state"] == "cancelled" and find(card, "J2")["reason"] == "no blank is left"
    answer = order(card, job_no="J2")
    assert answer["rc"] == "rejected" and "will not make it" in answer["reason"]


def test_stock(card, bureau):
    bureau.control("stock", blanks=640, low_at=500)
    shelf = {"store": "bureau", "blanks": 640, "reserved": 0, "spoiled": 0, "delivered": 0, "low_at": 500}
    told = card.call("card.stock")[1]["shelves"]
    assert [{k: v for k, v in s.items() if k != "at"} for s in told] == [shelf]
    assert card.call("card.stock", {"store": "bureau"})[1]["shelves"] == told
    assert card.call("card.stock", {"store": "TXG1"})[1]["shelves"] == []
    assert [f["shelf"] for f in facts(card, "stock")] == told
    (bureau.home / "books/stock.xml").write_bytes(b"<stock")
    answer = card.call("card.stock")[2]
    assert answer["rc"] == "tempfail" and "inventory" in answer["reason"]
    (bureau.home / "books/stock.xml").write_text(state(), encoding="utf-8")
    assert card.call("card.stock")[0] == "tempfail"
    (bureau.home / "books/stock.xml").unlink()
    assert card.call("card.stock")[0] == "misconfigured"


# ---- cancelling

CANCEL = {"job_no": NO, "reason": "case withdrawn <&>"}


def test_cancelled_before_it_is_made(card, bureau):
    assert order(card)["rc"] == "pending"
    bureau.control("move", job=NO, what="accept")
    assert card.call("card.cancel", CANCEL)[0] == "pending"
    until(lambda: bureau.books()["jobs"][NO]["state"] == "cancelled")
    rc, reply, _ = card.call("card.cancel", CANCEL)
    assert rc == "ok" and reply["job"]["state"] == "cancelled" and reply["job"]["reason"] == CANCEL["reason"]
    assert bureau.books()["stock"]["reserved"] == 0 and bureau.books()["stock"]["blanks"] == 1000
    assert order(card)["reply"]["job"]["state"] == "cancelled"  # not refused: it was cancelled
    assert [f["job"]["state"] for f in facts(card)] == ["accepted", "cancelled"]


def test_cancelled_too_late(card, bureau):
    assert order(card)["rc"] == "pending"
    for move in ("accept", "make"):
        bureau.move(NO, move)
        answer = card.call("card.cancel", CANCEL)[2] if move == "make" else None
    assert answer["rc"] == "rejected" and "made already" in answer["reason"]
    for move in ("send", "arrive"):
        bureau.move(NO, move)
        assert card.call("card.cancel", CANCEL)[0] == "rejected"
    assert bureau.books()["cancels"] == {}


def test_cancelled_before_the_job_is_there(card, bureau):
    """What overtakes the order is kept for it, and again is no other."""
    assert card.call("card.cancel", CANCEL)[0] == "pending"
    assert card.call("card.cancel", CANCEL)[0] == "pending"
    until(lambda: bureau.books()["cancels"] == {NO: CANCEL["reason"]})
    assert order(card)["rc"] == "pending"
    until(lambda: bureau.books()["jobs"][NO]["state"] == "cancelled")
    assert bureau.books()["faults"] == []


# ---- messages

def state(inner="", space="urn:fwpermit:card:1", root="state", **changes):
    """A state as the bureau writes it, with changes; None leaves an attribute out."""
    own = {"version": "1", "job_no": NO, "seq": "1", "state": "accepted", "at": LATER, "spoiled": "0", **changes}
    attributes = "".join(f' {k}="{v}"' for k, v in own.items() if v is not None)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{space}"{attributes}>{inner}</{root}>\n'


def before(state="accepted", at=EARLIER, spoiled="0"):  # pylint: disable=redefined-outer-name
    return f'<before state="{state}" at="{at}" spoiled="{spoiled}"/>'


def stock(*shelves, at=LATER, **more):
    own = {"version": "1", "at": at, **more}
    inner = "".join("<shelf" + "".join(f' {k}="{v}"' for k, v in shelf.items()) + "/>" for shelf in shelves)
    return state(inner, root="stock", **{k: None for k in ("job_no", "seq", "state", "spoiled")}, **own)


SHELF = {"store": "TXG1", "blanks": "40", "reserved": "3", "spoiled": "1"}


def test_messages_are_polled_as_they_are_and_go_when_acknowledged(card, bureau):
    sent = [f"message {n}".encode() + bytes([n, 255]) for n in range(7)]
    for data in sent:
        bureau.control("raw", data)
    for path in (bureau.home / "out").iterdir():
        os.utime(path, (1, 1))
    assert [data for _, data in poll(card, 3)] == sent[:3] == [data for _, data in poll(card, 3)]
    got = poll(card)
    assert [data for _, data in got] == sent
    ack(card, [got[0][0], got[2][0]])
    ack(card, [got[0][0], "000000000099.xml", "../books/stock.xml", "nothing", "../../../etc/passwd", "."])
    assert [data for _, data in poll(card)] == [sent[1], *sent[3:]]
    assert (bureau.home / "books/stock.xml").exists()


def test_more_than_fits_one_answer(card, bureau):
    """A hundred at most; and fewer where they are large."""
    for n in range(102):
        bureau.control("raw", state(job_no=f"J{n}").encode())
    assert [say(card, data)[1][0]["job"]["job_no"] for _, data in poll(card)] == [f"J{n}" for n in range(100)]
    bureau.control("reset")
    for n in range(14):
        bureau.control("raw", padded(LIMIT))
    got = poll(card)
    assert 9 < len(got) < 14 and all(len(data) == LIMIT for _, data in got)
    ack(card, [name for name, _ in got])
    assert len(poll(card)) == 14 - len(got)


def padded(n, text=None):
    """A message of n bytes."""
    text = text or state()
    return (text + " " * (n - len(text))).encode()


def test_the_largest_message_and_one_byte_more(card, bureau):
    assert say(card, padded(LIMIT))[0] == "ok"
    rc, _, answer = say(card, padded(LIMIT + 1))
    assert rc == "rejected" and "too long" in answer["reason"]
    bureau.control("raw", padded(LIMIT + 1))
    with open(bureau.home / "out/000000000777.xml", "wb") as large:
        large.truncate(100 * 1024 * 1024)
    bureau.control("raw", padded(LIMIT))
    assert [len(data) for _, data in poll(card)] == [LIMIT]
    assert "000000000777.xml is passed over: it is too long" in card.log and "000000000001.xml is passed over" in card.log


def test_a_folder_that_nobody_tidies(card, bureau):
    """With . and .. 20,000 names are looked at, and not one more; what is found comes."""
    for n in range(19995):
        (bureau.home / f"out/.{n}").touch()
    for n in range(1, 3):
        bureau.control("raw", state(job_no=f"J{n}").encode())
    words = "out: 20000 names were looked at"
    assert len(poll(card)) == 2 and words not in card.log
    for name in (".more", ".and-more"):
        (bureau.home / "out" / name).touch()
    assert len(poll(card)) <= 2 and words in card.log


def test_names_that_are_no_messages_are_left_alone(card, bureau):
    for name in (".000000000001.xml", "000000000001.xml.part", "1.xml", "00000000001x.xml", "a", "0000000000001.xml"):
        (bureau.home / "out" / name).write_text(state(), encoding="utf-8")
    (bureau.home / "out/000000000005.xml").mkdir()
    bureau.control("raw", state().encode())
    assert [name for name, _ in poll(card)] == ["000000000001.xml"]
    (bureau.home / "out/000000000005.xml").rmdir()


def test_what_the_bureau_still_writes_is_waited_for(card, bureau):
    """Half a file: the ones behind it wait with it; after a minute it is handed on, to be refused."""
    order(card)
    bureau.control("fault", what="half")
    bureau.move(NO, "accept")
    bureau.move(NO, "make")
    assert poll(card) == [] and find(card)["state"] == "made"
    half = bureau.home / "out/000000000001.xml"
    os.utime(half, (1, 1))
    got = poll(card)
    assert [say(card, data)[0] for _, data in got] == ["rejected", "ok"]


@pytest.mark.parametrize("fault,seqs", [("nonsense", [2]), ("twice", [1, 1, 2]), ("reorder", [2, 1])])
def test_faults_of_the_bureau(card, bureau, fault, seqs):
    order(card)
    bureau.control("fault", what=fault)
    bureau.move(NO, "accept")
    for path in (bureau.home / "out").iterdir():
        os.utime(path, (1, 1))
    bureau.move(NO, "make")
    assert [fact["job"]["seq"] for fact in facts(card)] == seqs
    assert [fact["job"]["seq"] for fact in facts(card)] == seqs  # asked again, the same


def test_messages_by_another_way_are_not_the_bureau_s(card):
    rc, _, answer = card.call("card.message", {"channel": "push"}, state().encode())
    assert rc == "rejected" and "polled" in answer["reason"]
    assert card.call("card.message", {"channel": "poll"})[0] == "rejected"


def test_what_a_state_may_say(card):
    full = {"bureau_no": "55 <b>", "card_no": "TW1", "tracking": "RR 1", "station": "TXG1", "reason": "破損 &amp; more"}
    rc, said, answer = say(card, state(before("sent", spoiled="2"), seq="6", state="arrived", spoiled="2", **{
        **full, "bureau_no": "55 &lt;b>"}).encode())
    assert rc == "ok", answer
    assert said == [{"fact": "job", "job": {"job_no": NO, "seq": 6, "state": "arrived", "at": LATER, "spoiled": 2, **full,
                                            "reason": "破損 & more"}}]
    assert say(card, state(seq="1", state="cancelled", reason="no").encode())[0] == "ok"
    assert say(card, stock().encode())[1] == []
    assert say(card, stock(*[{**SHELF, "store": f"S{n}"} for n in range(100)]).encode())[0] == "ok"
    assert say(card, stock({**SHELF, "reserved": "40"}).encode())[1] == [{"fact": "stock", "shelf": {
        "store": "TXG1", "at": LATER, "blanks": 40, "reserved": 40, "spoiled": 1}}]


SPOILED = {"state": "spoiled", "spoiled": "1", "seq": "2", "reason": "x"}


@pytest.mark.parametrize("text,named_", [
    (state(state="lost"), "state"), (state(state="ACCEPTED"), "state"), (state(version="2"), "version"), (state(version=None), "state"),
    (state(space="urn:fwpermit:card:2"), "state"), (state(space=""), "state"), (state(root="card"), "card"),
    (state(job_no="../x"), "job_no"), (state(job_no="J" * 33), "job_no"), (state(job_no=""), "job_no"), (state(seq="0"), "seq"),
    (state(seq="-1"), "seq"), (state(seq="1000000"), "seq"), (state(seq="1.5"), "seq"), (state(spoiled="101"), "spoiled"),
    (state(spoiled="-1"), "spoiled"), (state(at="2026-02-30T00:00:00Z"), "at"), (state(at="2026-01-02T03:04:05+08:00"), "at"),
    (state(at="yesterday"), "at"), (state(at=" " + LATER), "at: spaces"), (state(at=LATER + " "), "at: spaces"), (stock(at=LATER + " "), "at: spaces"),
    (state(before(at=LATER + " "), seq="2", state="made", card_no="A"), "at: spaces"), (state(more="1"), "more"), (state("<x/>"), "x"), (state("text"), "state"),
    (state(reason="a&#10;b"), "reason"), (state(reason="x" * 201), "reason"), (state(station="taipei"), "station"),
    (state(before(), seq="1"), "seq 1"), (state(seq="2"), "no step before"),
    (state(before(), seq="2", state="made"), "card_no"), (state(before("made"), seq="3", state="sent"), "card_no"),
    (state(before("sent"), seq="4", state="arrived", card_no="A"), "station"), (state(state="cancelled"), "reason"),
    (state(before(), **{**SPOILED, "reason": None}), "reason"),
    (state(before("accepted", spoiled="2"), seq="4", state="made", spoiled="1", card_no="A"), "spoiled: fewer"),
    (state(before(), **{**SPOILED, "spoiled": "0"}), "spoiled: not more"),
    (state(before(), seq="2", state="made", spoiled="1", card_no="A"), "spoiled: more"),
    (state(before(at="2026-01-02T03:04:07Z"), seq="2", state="made", card_no="A"), "at: before"),
    (state(before("arrived"), seq="5", state="made", card_no="A"), "state: it cannot"),
    (state(before("made"), seq="3", state="cancelled", reason="x"), "state: it cannot"),
    (state(before("cancelled"), seq="3", state="accepted"), "state: it cannot"),
    (state(before(), seq="2", state="sent", card_no="A"), "state: it cannot"),
    (state(state="made", card_no="A"), "state: it cannot"), (state(state="arrived", card_no="A", station="TXG1"), "state: it cannot"),
    (stock({**SHELF, "reserved": "41"}), "reserved"), (stock({**SHELF, "blanks": "10000001"}), "blanks"),
    (stock({**SHELF, "blanks": "-1"}), "blanks"), (stock(SHELF, SHELF), "shelf"), (stock({"store": "A"}), "shelf"),
    (stock(*[{**SHELF, "store": f"S{n}"} for n in range(101)]), "shelf"), (stock(at="2999-01-01T00:00:00Z"), "at: not yet"),
    (state(at="2999-01-01T00:00:00Z"), "at: not yet"),
    ("", "empty"), ("{}", "well-formed"), (state()[:-9], "well-formed"), (state() + state(), "well-formed"), ("\ufffe", "XML"), ("\0", "not UTF-8"),
    ('<!DOCTYPE state><state/>', "DOCTYPE"), ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + state("&x;").split("\n")[1], "DOCTYPE"),
    ("<a>" * 25 + "</a>" * 25, "too deep"), (state("&x;"), "well-formed"),
    (state().replace("<state", "<?xml-stylesheet href='http://127.0.0.1:1/'?><state").replace("accepted", "nowhere"), "processing instruction")])
def test_messages_that_are_refused(card, text, named_):
    rc, _, answer = say(card, text.encode("utf-8", "surrogatepass"))
    assert rc == "rejected" and named_ in answer["reason"], answer


def test_a_bomb_of_entities(card):
    bomb = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)) + "]>"
    grown = card.memory()
    for text in (bomb + "<state>&j;</state>", bomb + '<state reason="&j;"/>'):
        for encoding in ("utf-8", "utf-16"):
            assert say(card, text.encode(encoding))[0] == "rejected"
    assert card.memory() - grown < 8192


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-7", "utf-32"])
def test_other_encodings_hide_nothing(card, encoding):
    text = '<?xml version="1.0" encoding="%s"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>' % encoding.upper()
    rc, _, answer = say(card, text.encode(encoding))
    assert rc == "rejected" and any(word in answer["reason"] for word in ("not UTF-8", "XML", "DOCTYPE")), answer


def test_the_bureau_s_clock_may_be_ten_minutes_ahead(start, bureau):
    at = datetime.datetime(2026, 1, 2, 3, 4, 6, tzinfo=datetime.timezone.utc).timestamp()
    for now, rc in ((at - 600, "ok"), (at - 601, "rejected")):
        process = start(PLUGINS / "card_bureau.so", "card", options(bureau), {"key": bureau.key}, now=int(now))
        assert say(process, state().encode())[0] == rc


def test_a_reason_tells_no_value(card):
    for text in (state(job_no="NGUYEN VAN ANH"), state(reason="NGUYEN VAN ANH" * 20), state("NGUYEN VAN ANH")):
        rc, _, answer = say(card, text.encode())
        assert rc == "rejected" and "NGUYEN" not in answer["reason"]


# ---- orders that are not right

@pytest.mark.parametrize("files,changes,good,named_", [
    ({}, {}, False, ""), ({"other.jpg": PHOTO}, {}, True, "photo"),
    (None, {"card": {**JOB["card"], "reason": "\ufffe"}}, True, "XML"),
    (None, {"job_no": "../J"}, False, "")])
def test_orders_that_can_never_be(card, bureau, files, changes, good, named_):
    answer = order(card, files, good, **changes)
    assert answer["rc"] == "permfail" and named_ in answer["reason"], answer
    assert bureau.books()["jobs"] == {} and waiting(bureau) == []


@pytest.mark.parametrize("photo,reason", [
    (b"", "photo: no picture"), (b"GIF89a", "photo: no picture"), (picture(kind="PNG"), "photo: no JPEG"),
    (picture(531, 413), "photo: not 35 to 45"), (picture(350, 450), "photo: not 35 to 45")])
def test_photos_that_the_bureau_refuses(card, bureau, photo, reason):
    assert order(card, {"photo.jpg": photo})["rc"] == "pending"
    until(lambda: bureau.books()["jobs"][NO]["state"] == "cancelled")
    assert find(card)["reason"].startswith(reason)
    assert order(card)["rc"] == "rejected"


@pytest.mark.parametrize("name,reason", [
    ("photo.jpg", "checksum of photo.jpg"), ("job.xml", "checksum of job.xml"), ("SHA256SUMS", "SHA256SUMS names other files")])
def test_packages_that_came_otherwise_than_they_went(card, bureau, name, reason):
    """The bureau looks at its checksums itself."""
    package = ready_package(bureau)
    data = bytearray((package / name).read_bytes())
    data[len(data) // 2] ^= 1
    (package / name).write_bytes(data if name != "SHA256SUMS" else b"")
    package.rename(bureau.home / "in" / NO)
    until(lambda: bureau.books()["jobs"][NO]["state"] == "cancelled")
    assert reason in find(card)["reason"]


def ready_package(bureau):
    """A package made by hand, not yet in place."""
    package = bureau.home / "in" / f".{NO}"
    package.mkdir()
    (package / "photo.jpg").write_bytes(PHOTO)
    (package / "job.xml").write_text("<job/>", encoding="ascii")
    sums = "".join(f"{hashlib.sha256((package / n).read_bytes()).hexdigest()}  {n}\n" for n in ("job.xml", "photo.jpg"))
    (package / "SHA256SUMS").write_text(sums, encoding="ascii")
    return package


# ---- books that are not right

@pytest.mark.parametrize("text", ["", "<state", state(job_no="J2"), state(state="lost"), stock(SHELF)])
def test_books_that_say_nothing_of_use(card, bureau, text):
    (bureau.home / f"books/{NO}.xml").write_text(text, encoding="utf-8")
    for op, request in (("card.find", {"job_no": NO}), ("card.cancel", CANCEL)):
        rc, _, answer = card.call(op, request)
        assert rc == "tempfail" and "books" in answer["reason"]
    assert order(card)["rc"] == "tempfail" and waiting(bureau) == []


# ---- connections that break

@pytest.mark.parametrize("which,at,rc,jobs", [
    ("cut_up", "in/.new-*", "tempfail", 0),  # the folder is there, and nothing in it
    ("cut_down", "in/.new-*/photo.jpg", "tempfail", 0),
    ("cut_up", "in/.new-*/job.xml", "tempfail", 0),
    ("cut_down", "in/.new-*/SHA256SUMS", "tempfail", 0),
    ("cut_down", f"in/{NO}", "unknown", 1)])  # renamed, and the answer is lost
def test_an_order_whose_connection_breaks(card, bureau, which, at, rc, jobs):
    bureau.switch(**{which: at})
    answer = order(card)
    assert answer["rc"] == rc, answer
    assert (answer["retry_after_ms"] > 0) == (rc == "unknown")
    bureau.switch(**{which: ""})
    assert len(bureau.books()["jobs"]) == jobs
    assert order(card)["rc"] == "pending"
    books = bureau.books()
    assert list(books["jobs"]) == [NO] and books["jobs"][NO]["what"], books
    bureau.move(NO, "accept")
    assert order(card)["rc"] == "ok" and bureau.books()["stock"]["reserved"] == 1


def test_a_connection_that_breaks_between_upload_and_rename(card, bureau):
    """The last file is written, flushed and closed: three requests after it is there. The fourth is the rename."""
    bureau.switch(cut_up="in/.new-*/SHA256SUMS", skip=3)
    assert order(card)["rc"] == "unknown"
    assert bureau.books()["jobs"] == {}
    left = [bureau.home / "in" / name for name in waiting(bureau)]
    assert len(left) == 1 and left[0].name.startswith(f".new-{NO}-")
    assert {p.name for p in left[0].iterdir()} == {"SHA256SUMS", "job.xml", "photo.jpg"}
    assert subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=left[0], check=False).returncode == 0
    shutil.rmtree(left[0])
    bureau.switch(skip=4)
    assert order(card)["rc"] == "pending" and list(bureau.books()["jobs"]) == [NO]


@pytest.mark.parametrize("which,at,rc", [
    ("cut_down", "in/.new-*", "tempfail"), ("cut_down", f"in/{NO}.cancel.xml", "unknown")])
def test_a_cancel_whose_connection_breaks(card, bureau, which, at, rc):
    order(card)
    bureau.books()
    bureau.switch(**{which: at})
    assert card.call("card.cancel", CANCEL)[0] == rc
    bureau.switch(**{which: ""})
    assert card.call("card.cancel", CANCEL)[0] in ("pending", "ok")
    until(lambda: bureau.books()["jobs"][NO]["state"] == "cancelled")
    assert card.call("card.cancel", CANCEL)[0] == "ok" and len(bureau.books()["jobs"][NO]["steps"]) == 1


def test_what_reads_is_asked_again_after_a_break(card, bureau):
    """The connection of the call before is gone: a new one is made."""
    for op, request in (("card.find", {"job_no": NO}), ("card.stock", {}), ("card.poll", {"max": 1}), ("health", {})):
        assert card.call(op, request)[0] == "ok"
        bureau.control("cut")
        assert card.call(op, request)[0] == "ok"
    bureau.switch(down=True)
    assert card.call("card.find", {"job_no": NO})[0] == "tempfail"
    bureau.switch(down=False)
    assert card.call("card.find", {"job_no": NO})[0] == "ok"


def test_an_acknowledgement_that_breaks(card, bureau):
    for _ in range(2):
        bureau.control("raw", b"x")
    for path in (bureau.home / "out").iterdir():
        os.utime(path, (1, 1))
    ids = [name for name, _ in poll(card)]
    bureau.switch(cut_down="out/000000000002.xml")
    answer = card.call("card.ack", {"ids": ids})[2]
    assert answer["rc"] == "tempfail", answer
    bureau.switch(cut_down="")
    ack(card, ids)
    assert poll(card) == []


@pytest.mark.parametrize("changes", [{"mute": True}, {"slow_ms": 400}])
def test_all_within_the_time_of_the_call(start, bureau, changes):
    process = start(PLUGINS / "card_bureau.so", "card", options(bureau), {"key": bureau.key}, deadline_ms=700)
    bureau.switch(**changes)
    for op, request in (("card.find", {"job_no": NO}), ("card.stock", {}), ("card.poll", {"max": 1}), ("health", {}),
                        ("card.cancel", CANCEL), ("card.ack", {"ids": ["000000000001.xml"]})):
        assert process.call(op, request)[0] in ("tempfail", "cancelled", "unknown")
    assert order(process)["rc"] in ("tempfail", "cancelled", "unknown")
    assert process.process.poll() is None and bureau.books()["jobs"] == {}
    bureau.switch(mute=False, slow_ms=0)
    until(lambda: order(process)["rc"] == "pending")


# ---- a bureau that says no

def test_a_disk_that_is_full(card, bureau):
    bureau.switch(full=20000)
    answer = order(card, {"photo.jpg": PHOTO + b"\0" * 60000})
    assert answer["rc"] == "tempfail" and "package" in answer["reason"]
    assert bureau.books()["jobs"] == {} and waiting(bureau) == []  # nothing of it is left
    bureau.switch(full=0)
    assert order(card)["rc"] == "pending"


def test_a_folder_that_may_not_be_written(card, bureau):
    bureau.switch(read_only=True)
    for answer in (order(card), card.call("card.cancel", CANCEL)[2]):
        assert answer["rc"] == "misconfigured" and "permission" in answer["reason"]
    steps = {s["name"]: s["ok"] for s in card.call("probe")[1]["steps"]}
    assert not steps["write"] and steps["folder_in"]
    bureau.switch(read_only=False)
    assert order(card)["rc"] == "pending"


def test_a_key_that_is_refused(card, bureau):
    bureau.switch(key_refused=True)
    for answer in (order(card), card.call("health")[2]):
        assert answer["rc"] == "misconfigured" and "key" in answer["reason"] and "PRIVATE" not in answer["reason"]
    steps = card.call("probe")[1]["steps"]
    assert [s["name"] for s in steps] == ["schemas", "reach", "host key", "log in"] and not steps[-1]["ok"]
    bureau.switch(key_refused=False)
    assert card.call("health")[0] == "ok"


def test_another_host_key(card, bureau, start):
    bureau.switch(other_host_key=True)
    answer = order(card)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", bureau.ssh / "other_key.pub"], check=True, capture_output=True, text=True).stdout
    assert answer["rc"] == "misconfigured" and "host_key" in answer["reason"] and shown.split()[1] in answer["reason"]
    steps = card.call("probe")[1]["steps"]
    assert [s["name"] for s in steps] == ["schemas", "reach", "host key"] and not steps[-1]["ok"]
    both = f"{bureau.told['host_key']} {shown.split()[1]}"
    process = start(PLUGINS / "card_bureau.so", "card", options(bureau, host_key=both), {"key": bureau.key})
    assert process.call("health")[0] == "ok"
    bureau.switch(other_host_key=False)
    assert process.call("health")[0] == "ok"


def test_another_key_of_ours(start, bureau, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "p"], check=True)
    for name, words in (("k", "not let in"), ("p", "passphrase")):
        key = (tmp_path / name).read_text(encoding="ascii")
        answer = start(PLUGINS / "card_bureau.so", "card", options(bureau), {"key": key}).call("health")[2]
        assert answer["rc"] == "misconfigured" and "key" in answer["reason"] and words in answer["reason"], answer


@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
def test_kinds_of_keys(start, bureau, tmp_path, kind):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", tmp_path / "k"], check=True)
    mine = bureau.ssh / "authorized_keys"
    was = mine.read_text(encoding="ascii")
    mine.write_text(was + (tmp_path / "k.pub").read_text(encoding="ascii"), encoding="ascii")
    process = start(PLUGINS / "card_bureau.so", "card", options(bureau), {"key": (tmp_path / "k").read_text(encoding="ascii")})
    answer = process.call("health")[2]
    mine.write_text(was, encoding="ascii")
    assert answer["rc"] == "ok", answer


@pytest.mark.parametrize("option", ["folder_in", "folder_out", "folder_books"])
def test_a_folder_that_is_not_there(start, bureau, option):
    process = start(PLUGINS / "card_bureau.so", "card", options(bureau, **{option: "elsewhere"}), {"key": bureau.key})
    answer = process.call("health")[2]
    assert answer["rc"] == "misconfigured" and "elsewhere" in answer["reason"]
    assert not {s["name"]: s["ok"] for s in process.call("probe")[1]["steps"]}[option]
    if option == "folder_books":
        assert process.call("card.find", {"job_no": NO})[0] == order(process)["rc"] == "misconfigured"
    if option == "folder_out":
        assert process.call("card.poll", {"max": 1})[0] == "misconfigured"


def test_a_probe_tells_step_by_step_and_leaves_nothing(card, bureau):
    rc, reply, _ = card.call("probe")
    assert rc == "ok" and all(s["ok"] for s in reply["steps"])
    assert [s["name"] for s in reply["steps"]] == ["schemas", "reach", "host key", "log in", "folder_in", "folder_out",
                                                    "folder_books", "write", "remove", "messages"]
    assert reply["steps"][2]["detail"] == bureau.told["host_key"] and waiting(bureau) == []


def test_nobody_there(start, bureau):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    process = start(PLUGINS / "card_bureau.so", "card", options(bureau, port=str(port)), {"key": bureau.key})
    answer = process.call("card.find", {"job_no": NO})[2]
    assert answer["rc"] == "tempfail" and "not reached" in answer["reason"]
    steps = process.call("probe")[1]["steps"]
    assert [s["name"] for s in steps] == ["schemas", "reach"] and not steps[-1]["ok"]


@pytest.mark.parametrize("option,value", [
    ("host", "a b"), ("port", "0"), ("port", "65536"), ("user", "a b"), ("host_key", "SHA256:abc"), ("host_key", "MD5:00"),
    ("host_key", "SHA256:" + "A" * 44), ("folder_in", "../x"), ("folder_out", "a b"), ("schemas", "relative"),
    ("schemas", "/nowhere"), ("schemas", "/"), ("no_such", "x"), ("host_key", None), ("user", None), ("host", None)])
def test_settings_that_are_wrong(start, bureau, option, value):
    process = start(PLUGINS / "card_bureau.so", "card", options(bureau, **{option: value}), {"key": bureau.key})
    answer = process.raw("health")
    assert answer["rc"] == "misconfigured" and option in answer["reason"], answer


@pytest.mark.parametrize("secrets", [{}, {"key": "x"}, {"key": ""}])
def test_keys_that_are_none(start, bureau, secrets):
    answer = start(PLUGINS / "card_bureau.so", "card", options(bureau), secrets).raw("health")
    assert answer["rc"] == "misconfigured" and "key" in answer["reason"]


def test_every_kind_of_answer_is_held_to_the_contract():
    ops = {op for op, _ in contracts.seen}
    assert {f"card.{op}" for op in ("order", "find", "cancel", "stock", "poll", "ack", "message")} <= ops
    assert re.search("card_bureau", (ROOT / "docs/integrators/card-bureau.md").read_text(encoding="utf-8"))
