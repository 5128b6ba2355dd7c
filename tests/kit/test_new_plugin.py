"""make new-plugin: what it makes for each port builds without a warning and passes its check at once; what it refuses."""
import os
import shutil
import subprocess

import pytest

from kit import BUILD, ROOT, STRICT, all_hold, compile_c, operations, run_check

NEW = ROOT / "plugins/template/new-plugin"


def new_plugin(*words):
    return subprocess.run([NEW, *words], capture_output=True, text=True, check=False)


@pytest.fixture(name="made", scope="module", params=operations())
def folder_of_a_port(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    done = new_plugin(request.param, "trial", folder)
    assert (done.returncode, done.stderr) == (0, "") and f"NAME={request.param}_trial" in done.stdout
    return request.param, folder / f"{request.param}_trial"


def test_it_builds_and_keeps_the_contract(made):
    port, folder = made
    flags = [*STRICT, "-O1", "-ljansson", "-lcrypto"]
    out = compile_c(folder / "trial.c", folder / "trial.so", *flags, compiler="clang")
    out = compile_c(folder / "trial.c", folder / "trial.so", *flags)
    held = all_hold(out, folder / "check", "--port", port)
    for op in operations()[port]:
        assert f"case {op}.json" in held and f"1000 times {op}" in held
    assert "kill -9 and again" in held and "health" in " ".join(held)


def test_it_is_written_as_the_house_writes(made):
    shutil.copy(ROOT / ".clang-format", made[1])
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", made[1] / "trial.c"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    readme = (made[1] / "README.md").read_text(encoding="utf-8")
    assert "@" not in readme and all(f"| `{op}` |" in readme for op in operations()[made[0]])
    assert "FwPermitPluginSecret trial token" in (made[1] / "httpd.conf").read_text(encoding="utf-8")


def test_the_goals_of_make(tmp_path):
    """As a newcomer calls them: in a tree with that plugin alone."""
    for name in ("Makefile.apxs", "mod_fwpermit", "docs/contracts", "plugins/check", "plugins/template", "plugins/fwpermit_plugin.h",
                 "plugins/fwpermit_plugin.map"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, tmp_path / name)
    (tmp_path / "build").mkdir()
    for name in ("obj", "fwpermit-plugin-check"):
        (shutil.copytree if (BUILD / name).is_dir() else shutil.copy2)(BUILD / name, tmp_path / "build" / name)
    environment = {k: v for k, v in os.environ.items() if k not in ("B", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")}

    def make(*words):
        return subprocess.run(["make", "-s", "-f", "Makefile.apxs", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    made = make("new-plugin", "PORT=scan", "NAME=clam")
    assert made.returncode == 0 and (tmp_path / "plugins/scan_clam/clam.c").exists(), made.stderr
    checked = make("check-plugin", "NAME=scan_clam")
    assert checked.returncode == 0 and checked.stdout.splitlines()[-1].endswith(" held, 0 failed"), checked.stdout + checked.stderr
    assert "nothing leaks" in checked.stdout, "the goal builds with sanitizers"
    assert make("new-plugin", "PORT=scan", "NAME=clam").returncode != 0
    assert make("check-plugin", "NAME=scan_nobody").returncode != 0


@pytest.mark.parametrize("words,why", [
    (("pigeons", "sms"), "there is no port pigeons; the ports are payment"), (("notify", "9x"), "no good name"),
    (("notify", "Sms"), "no good name"), (("notify", "../x"), "no good name"), (("notify", "a" * 40), "no good name"),
    (("notify", "sms"), "is there already"), (("", "sms"), "wanted"), (("notify", ""), "wanted"), (("notify",), "wanted")])
def test_what_it_refuses(tmp_path, words, why):
    (tmp_path / "notify_sms").mkdir()
    before = sorted(os.listdir(tmp_path))
    done = new_plugin(*words, *([tmp_path] if len(words) == 2 else []))
    assert done.returncode == 1 and why in done.stderr and done.stdout == "", done
    assert sorted(os.listdir(tmp_path)) == before


def test_a_wrong_exchange_of_it_is_found(tmp_path):
    assert new_plugin("notify", "trial", tmp_path).returncode == 0
    folder = tmp_path / "notify_trial"
    source = folder / "trial.c"
    source.write_text(source.read_text(encoding="utf-8").replace('"Idempotency-Key", 15', '"Idempotency-Kex", 15'), encoding="utf-8")
    _, failed, _, _ = run_check(compile_c(source, folder / "trial.so", "-ljansson", "-lcrypto"), folder / "check")
    assert "Idempotency-Key" in failed["case send.json"][0]
