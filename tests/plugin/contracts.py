"""docs/contracts: every exchange of the tests is held against them."""
import base64
import json
import pathlib

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/contracts"
ANSWERS = {"ok", "rejected", "tempfail", "permfail", "misconfigured", "cancelled", "pending", "unknown"}
seen = {}  # (definition, answer) → how many exchanges


def load(port):
    return json.loads((FOLDER / f"{port}.json").read_text(encoding="utf-8"))


SCHEMAS = {path.stem: load(path.stem) for path in sorted(FOLDER.glob("*.json"))}


def validator(port, definition):
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": SCHEMAS[port]["$defs"]})


def faults(port, definition, value):
    return [e.message for e in validator(port, definition).iter_errors(value)]


def check(op, request, blob, answer, good):
    port, _, slot = op.partition(".")
    assert set(answer) == {"rc", "reason", "retry_after_ms", "attempt", "reply"}, answer
    assert answer["rc"] in ANSWERS and isinstance(answer["retry_after_ms"], int)
    if port not in SCHEMAS:
        return
    if blob:
        request = {**request, "body_base64": base64.b64encode(blob).decode()}
    wrong = faults(port, f"{slot}.request", request)
    if good:
        assert not wrong, (wrong, request)
    else:
        assert wrong and answer["rc"] in ("permfail", "misconfigured"), (request, answer)
    if answer["rc"] == "ok" or (answer["rc"] == "pending" and answer["reply"]):
        wrong = faults(port, f"{slot}.reply", answer["reply"])
        assert not wrong, (wrong, answer["reply"])
    else:
        assert answer["reply"] == {} and answer["reason"], answer
    seen[op, answer["rc"]] = seen.get((op, answer["rc"]), 0) + 1
