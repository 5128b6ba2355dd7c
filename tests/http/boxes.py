"""The other sides of ports border and labour as folders (tests/plugin/box.c): a file is a message."""
import datetime
import itertools
import json
import os
import subprocess

from platform_under_test import ROOT, await_

SERIAL = itertools.count(1)


def build(platform):
    """The platform's two plugins, and where their messages lie; it is started anew with them."""
    for port, define in (("border", "-DBORDER"), ("labour", "-DLABOUR")):
        library, folder = platform.folder / f"lib/plugins/{port}_box.so", box(platform, port)
        subprocess.run(["gcc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-D_GNU_SOURCE", define,
                        f"-I{ROOT}/plugins", str(ROOT / "tests/plugin/box.c"), "-o", str(library), "-ljansson", "-lcrypto"], check=True)
        os.chmod(library, 0o644)
        folder.mkdir()
        folder.chmod(0o777)
        before = platform.folder / "before"
        before.mkdir(exist_ok=True)
        (before / f"{port}.conf").write_text(f'FwPermitPlugin {port} {port} "{library}"\n'
                                             f'FwPermitPluginOption {port} folder "{folder}"\n', encoding="utf-8")
    platform.stop()
    platform.start()


def box(platform, port):
    return platform.folder / f"box-{port}"


def put(platform, port, facts):
    """A message; its file's name."""
    name = f"{next(SERIAL):06d}.msg"
    folder = box(platform, port)
    text = facts if isinstance(facts, str) else json.dumps(facts, ensure_ascii=False)
    (folder / f".{name}").write_text(text, encoding="utf-8")
    (folder / f".{name}").rename(folder / name)
    return name


def taken(platform, port):
    """All that was put is acknowledged and has come to its end."""
    await_(f"{port} empty", lambda: not list(box(platform, port).glob("0*.msg")))
    await_(f"messages of {port} read", lambda: not platform.sql(f"SELECT 1 FROM inbox WHERE plugin = '{port}' AND state IN ('ready', 'leased')"))


def told(platform):
    """The permits as the border was told of them, in the order in which it was."""
    path = box(platform, "border") / "permits"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def told_of(platform, *numbers):
    """What it was told of these, once all is told."""
    await_("nothing left to tell", lambda: not platform.sql("SELECT 1 FROM outbox WHERE op = 'border.permit' AND state IN ('ready', 'leased')"))
    return [t for t in told(platform) if t["permit_no"] in numbers]


def brief(permits):
    return [(t["permit_no"], t["version"], t["state"], t.get("replaced_by")) for t in permits]


def moment(micros):
    """A time of the database as the contracts have it."""
    return datetime.datetime.fromtimestamp(micros // 1000000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def knows(platform, *facts):
    """What the labour agency answers with when it is asked: the permits of these facts."""
    folder = box(platform, "labour")
    (folder / ".letters").write_text(json.dumps([f["permit"] for f in facts], ensure_ascii=False), encoding="utf-8")
    (folder / ".letters").rename(folder / "letters")


def asked(platform):
    """[(key, request)], one for each question that reached the labour agency."""
    path = box(platform, "labour") / "asked"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(key, json.loads(text)) for key, text in (line.split(" ", 1) for line in lines)]


def person(passport, **changes):
    return {"name_latin": "NGUYEN VAN ANH", "passport_no": passport, "nationality": "VNM", "birth": "1990-03-15", "sex": "M", **changes}


def movement(passport, day, direction="arrival", state="current", name=None, **changes):
    at = datetime.datetime.combine(day, datetime.time(4), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"fact": "movement", "movement": {
        "id": name or f"{day}/TPE/{next(SERIAL):06d}", "direction": direction, "state": state, "at": at, "port": "TPE",
        "person": person(passport, **changes)}}


def letter(passport, begin, end, state="valid", number=None, ban="04595257", **changes):
    return {"fact": "permit", "permit": {
        "kind": "employment", "letter_no": number or f"勞動發事字第115{next(SERIAL):07d}號", "state": state, "issued": begin,
        "valid_from": begin, "valid_to": end, "employer": {"id": ban, "name": "宏遠精密股份有限公司"}, "worker": person(passport),
        "category": "manufacturing", "workplace": "桃園市龜山區文化一路1號", **changes}}
