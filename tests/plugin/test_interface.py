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


@pytest.mark.parametrize("port", sorted(contracts.SCHEMAS))
def test_contracts_are_schemas(port):
    schema = contracts.SCHEMAS[port]
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for name in schema["$defs"]:
        if "." not in name:
            assert f"#/$defs/{name}" in text, f"{name} is used by nobody"
    header = (ROOT / "plugins/fwpermit_plugin.h").read_text(encoding="utf-8")
    assert f"docs/contracts/{port}.json" in header
    slots = {name.split(".")[0] for name in schema["$defs"] if "." in name}
    assert all(f"{slot}.request" in schema["$defs"] and f"{slot}.reply" in schema["$defs"] for slot in slots)
