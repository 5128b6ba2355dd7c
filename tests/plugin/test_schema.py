"""Two readers of the contracts: python3-jsonschema and ours say the same of values right and wrong."""
import copy
import json
import random
import subprocess

import jsonschema
import pytest

import contracts
from host import BUILD

ROUNDS = 300
JUNK = [None, True, False, 0, -1, 1, 7, 2 ** 40, 1.5, "", "x", "X", "a b", "居留證", "2026-11-25", "2026-11-25T06:30:00Z",
        "x\x7f", "x\ty", "../x", "..", "A" * 33, "a" * 300, [], {}, [1, 1], ["x", "x"], {"fact": "x"}, {"": 1}]


def places(value, place=()):
    yield place
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*place, name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from places(inner, (*place, i))


def changed(dice, value, pieces):
    """The value with one thing in it replaced, taken away, put in, or doubled."""
    value = copy.deepcopy(value)
    place = dice.choice(list(places(value)))
    if not place:
        return dice.choice(JUNK)
    holder = value
    for name in place[:-1]:
        holder = holder[name]
    last, kind = place[-1], dice.randrange(6)
    if kind == 0:
        del holder[last]
    elif kind == 1 and isinstance(holder, list):
        holder.extend(holder * dice.choice([1, 1, 60]))
    elif kind == 1:
        holder[dice.choice(["another", "fact", "kind", "state", "files", "case_no"])] = dice.choice(JUNK)
    elif kind == 2:
        holder[last] = copy.deepcopy(dice.choice(pieces))
    elif kind == 3 and isinstance(holder[last], str):
        holder[last] += dice.choice(["x", "9", " ", "/", "居", "\x01", "Z" * 200])
    elif kind == 3 and isinstance(holder[last], int):
        holder[last] += dice.choice([-1, 1, 2 ** 31])
    else:
        holder[last] = dice.choice(JUNK)
    return value


def exchanges(port):
    """(definition, value): the examples, and what comes of them by one to three changes."""
    dice = random.Random(port)
    schemas = {name: s for name, s in contracts.SCHEMAS[port]["$defs"].items() if "." in name}
    seeds = [(name, example) for name, schema in schemas.items() for example in schema["examples"]]
    pieces = [piece for _, seed in seeds for piece in inner_values(seed)]
    for name, seed in seeds:
        yield name, seed
        for _ in range(ROUNDS):
            value = seed
            for _ in range(dice.randint(1, 3)):
                value = changed(dice, value, pieces)
            yield name, value


def inner_values(value):
    yield value
    for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()):
        yield from inner_values(inner)


@pytest.fixture(scope="module", name="holds")
def built():
    program = BUILD / "tests/plugin/holds"
    assert program.exists()
    return program


def ours(program, asked):
    lines = "".join(json.dumps({"file": str(contracts.FOLDER / f"{port}.json"), "name": name, "value": value}) + "\n"
                    for port, name, value in asked)
    out = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout
    return out.split("\n")[:-1]


@pytest.mark.parametrize("port", sorted(contracts.SCHEMAS))
def test_two_readers(holds, port):
    asked = [(port, name, value) for name, value in exchanges(port)]
    told = ours(holds, asked)
    validators = {name: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": contracts.SCHEMAS[port]["$defs"]})
                  for name in contracts.SCHEMAS[port]["$defs"]}
    right = 0
    for (_, name, value), said in zip(asked, told, strict=True):
        good = validators[name].is_valid(value)
        assert good == (said == ""), (name, value, said)
        right += good
    assert right and right < len(asked)


def test_where_they_differ_on_purpose(holds):
    """Ours holds an integer to be written as one, and a text to end where its pattern ends."""
    assert ours(holds, [("notify", "send.request", {"to": "a@b.example", "subject": "x\n", "text": ""}),
                        ("card", "stock.reply", {"shelves": [{"store": "a", "at": "2026-12-17T06:00:00Z", "blanks": 1.0,
                                                              "reserved": 0, "spoiled": 0}]}),
                        ("scan", "scan.reply", {"verdict": "clean", "secret name": "of\na person"})]) == [
        "/subject: pattern", "/shelves/0/blanks: type", "/secret name: additionalProperties"]
