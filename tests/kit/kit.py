"""What the tests of the plugin kit share."""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = (ROOT / os.environ.get("B", "build")).resolve()
CHECK = BUILD / "fwpermit-plugin-check"
sys.path.insert(0, str(ROOT / "tests/plugin"))

STRICT = ("-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings "
          "-Wswitch-enum -Werror").split()


def compile_c(source, out, *flags, compiler="gcc"):
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-std=gnu11", "-g", "-fPIC", "-shared", "-fvisibility=hidden", f"-I{ROOT}/plugins",
                    str(source), "-o", str(out), *flags], check=True)
    return out


def run_check(plugin, fixtures, *options):
    """(exit code, {check: [its lines that failed]}, names of checks that hold, all that it said)."""
    done = subprocess.run([CHECK, plugin, "--fixtures", fixtures, "--contracts", ROOT / "docs/contracts", "--json", *options],
                          capture_output=True, text=True, check=False, timeout=900)
    assert done.stdout, (done.returncode, done.stderr)
    report = json.loads(done.stdout)
    failed, held = {}, []
    for line in report["checks"]:
        if line["state"] == "FAIL":
            failed.setdefault(line["check"], []).append(line["text"])
        elif line["state"] == "ok":
            held.append(line["check"])
    assert (done.returncode == 0) == (not failed)
    return done.returncode, failed, held, done.stdout


def all_hold(plugin, fixtures, *options):
    code, failed, held, said = run_check(plugin, fixtures, *options)
    assert (code, failed) == (0, {}), said
    return held


def operations():
    """port → its operations, as the header has them."""
    header = (ROOT / "plugins/fwpermit_plugin.h").read_text(encoding="utf-8")
    found = re.findall(r"typedef struct fwp_(\w+)_ops \{\s*uint32_t size;\s*fwp_op ([^;]+);", header)
    return {port: [op.strip() for op in ops.split(",")] for port, ops in found}
