"""The header and what a plugin shows of itself."""
import json
import re
import subprocess

import jsonschema
import pytest

import contracts
from host import PLUGINS, ROOT

STRICT = ("-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings "
          "-Wswitch-enum -Werror -fsyntax-only").split()
CPP = [flag for flag in STRICT if "prototypes" not in flag] + ["-Wold-style-cast", "-Wuseless-cast"]
PROGRAM = '#include "fwpermit_plugin.h"\n#include "fwpermit_plugin.h"\n'


@pytest.mark.parametrize("compiler,language,flags", [
    ("gcc", "c", ["-std=c11", *STRICT]), ("clang", "c", ["-std=c11", *STRICT]), ("gcc", "c", ["-std=c17", *STRICT]),
    ("g++", "c++", ["-std=c++17", *CPP]), ("g++", "c++", ["-std=c++11", *CPP]),
    ("clang++", "c++", ["-std=c++17", *CPP[:-1]])])
def test_the_header_stands_alone(compiler, language, flags):
    done = subprocess.run([compiler, "-x", language, *flags, f"-I{ROOT}/plugins", "-"], input=PROGRAM, text=True,
                          capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["payment_ecpay", "notify_mail"])
def test_one_symbol(name):
    out = subprocess.run(["nm", "-D", "--defined-only", PLUGINS / f"{name}.so"], capture_output=True, text=True,
                         check=True).stdout
    assert [line.split()[-1] for line in out.splitlines()] == ["fwpermit_plugin"]


@pytest.mark.parametrize("name", ["payment_ecpay", "notify_mail"])
def test_what_it_asks_of_the_system(name):
    """No function that the contract takes from a plugin."""
    out = subprocess.run(["nm", "-D", "--undefined-only", PLUGINS / f"{name}.so"], capture_output=True, text=True,
                         check=True).stdout
    wanted = {line.split()[-1].split("@")[0] for line in out.splitlines()}
    assert not wanted & {"fork", "vfork", "exit", "_exit", "abort", "signal", "sigaction", "setlocale", "umask", "chdir",
                         "printf", "puts", "system", "popen", "setenv", "putenv", "dlopen", "alarm", "setitimer"}


@pytest.mark.parametrize("name", ["payment_ecpay", "notify_mail"])
def test_each_has_its_page(name):
    text = (ROOT / "plugins" / name / "README.md").read_text(encoding="utf-8")
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "plugins" / name).glob("*.c"))
    options = re.findall(r"OPTION\((\w+), (?:true|false)", source)
    assert len(options) >= 8
    for option in options:
        assert f"`{option}`" in text, option


HEADER = (ROOT / "plugins/fwpermit_plugin.h").read_text(encoding="utf-8")
OPERATIONS = {port: ops.replace(" ", "").split(",") for ops, port in
              re.findall(r"fwp_op ([a-z, ]+);\n} fwp_([a-z]+)_ops;", HEADER)}
PORTS = sorted(contracts.SCHEMAS)


def test_each_port_has_its_contract():
    named = re.findall(r'#define FWP_PORT_[A-Z]+ +"([a-z]+)"', HEADER)
    assert len(named) == 12 and set(named) == set(OPERATIONS)
    assert PORTS == sorted([*named, "plugin"])


@pytest.mark.parametrize("port", PORTS)
def test_contracts_are_schemas(port):
    schema = contracts.SCHEMAS[port]
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for name in schema["$defs"]:
        if "." not in name:
            assert f"#/$defs/{name}" in text, f"{name} is used by nobody"
    assert f"docs/contracts/{port}.json" in HEADER
    operations = OPERATIONS.get(port, ["health", "probe"])
    assert [name for name in schema["$defs"] if "." in name] == [
        f"{op}.{side}" for op in operations for side in ("request", "reply")]


def parts(schema, place=""):
    """All schemas within one, with their places."""
    if isinstance(schema, dict):
        yield place, schema
        for word in ("properties", "$defs"):
            for name, inner in schema.get(word, {}).items():
                yield from parts(inner, f"{place}/{name}")
        for word in ("items", "if", "then", "else"):
            yield from parts(schema.get(word), f"{place}/{word}")
        for word in ("prefixItems", "anyOf", "oneOf", "allOf"):
            for i, inner in enumerate(schema.get(word, [])):
                yield from parts(inner, f"{place}/{word}/{i}")


@pytest.mark.parametrize("port", PORTS)
def test_contracts_are_closed_and_capped(port):
    for place, schema in parts(contracts.SCHEMAS[port]):
        types = schema.get("type", [])
        if "object" in types:
            assert schema.get("additionalProperties") is False, place
        if "array" in types:
            assert "maxItems" in schema or schema.get("items") is False, place
        if "string" in types:
            bounded = re.fullmatch(r"\^(?!.*([^\\]\*|\+)).*\$", schema.get("pattern", "*"))
            assert "maxLength" in schema or bounded, place


@pytest.mark.parametrize("port", PORTS)
def test_contracts_have_examples(port):
    for name, schema in contracts.SCHEMAS[port]["$defs"].items():
        if "." not in name:
            continue
        assert schema["examples"], name
        for example in schema["examples"]:
            assert contracts.faults(port, name, example) == [], name
            assert contracts.faults(port, name, {**example, "another": 1}), name
