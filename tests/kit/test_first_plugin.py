"""docs/integrators/first-plugin.md, followed word for word: its commands and files, in a copy of the tree that knows no such plugin
yet, against a real platform. Only ports and the demo's folder are another, so that several can run on one machine."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from kit import BUILD, ROOT

PAGE = ROOT / "docs/integrators/first-plugin.md"
ELSEWHERE = {"8080": "9240", "8090": "9241", "8025": "9242", "8099": "9243"}
SECONDS = 120
LEFT_OUT = shutil.ignore_patterns("build", ".git", "node_modules", "run")


def blocks():
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(name="tree", scope="module")
def copy_of_the_tree():
    """With what is built, so that only the plugin is."""
    folder = pathlib.Path(subprocess.run(["mktemp", "-d", "/tmp/first.XXXXXX"], capture_output=True, text=True, check=True).stdout.strip())
    folder.chmod(0o755)
    shutil.copytree(ROOT, folder / "t", ignore=LEFT_OUT, symlinks=True)
    shutil.copytree(BUILD, folder / "t/build", symlinks=True, ignore=shutil.ignore_patterns("*.log", "replay", "fuzz", "sanitized", "tests"))
    subprocess.run([ROOT / "tests/photos/make"], check=True, stdout=subprocess.DEVNULL)
    shutil.copytree(ROOT / "build/tests/photos", folder / "t/build/tests/photos")
    shutil.copytree(ROOT / "node_modules", folder / "t/node_modules", symlinks=True)
    yield folder / "t"
    subprocess.run(["conf/demo/serve", "reset", "--dir", folder / "demo"], cwd=folder / "t", check=False)
    shutil.rmtree(folder)


@pytest.fixture(name="said", scope="module")
def followed(tree):
    """What each block said, in order. Before the last one, which removes all, the logs are put aside."""
    parts = [f"echo '=== {i}'\n{block}" for i, block in enumerate(blocks())]
    parts.insert(-1, "cp $demo/webhook.log $demo/logs/error.log ..\n")
    script = "".join(parts)
    for page, here in {**ELSEWHERE, "/var/lib/fwpermit-first": str(tree.parent / "demo")}.items():
        assert page in script
        script = script.replace(page, here)
    environment = {k: v for k, v in os.environ.items() if k not in ("B", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    out = tree.parent / "said"
    with open(out, "wb") as to:
        shell = subprocess.Popen(  # pylint: disable=consider-using-with
            ["bash", "-eu", "-o", "pipefail", "-c", script], cwd=tree, env=environment,
            stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        code = shell.wait(SECONDS)
    except subprocess.TimeoutExpired:
        code = None
    with contextlib.suppress(ProcessLookupError):  # the webhook, where the page did not come to its end
        os.killpg(shell.pid, signal.SIGKILL)
    text = out.read_text(encoding="utf-8")
    log = tree.parent / "demo/logs/error.log"
    assert code == 0, text[-6000:] + (log.read_text(encoding="utf-8")[-3000:] if log.exists() else "")
    return re.split(r"^=== \w+\n", text, flags=re.M)[1:]


def test_the_page_shows_each_step():
    assert len(blocks()) == 9


def test_the_folder_passes_its_check_at_once(said):
    assert re.search(r"^\d+ held, 0 failed$", said[1], re.M), said[1]


def test_the_changed_plugin_passes_too(said):
    assert re.search(r"^\d+ held, 0 failed$", said[3], re.M) and "ok   case send.json: send: ok" in said[3]


def test_the_link_is_tried(said):
    assert "http://127.0.0.1:9240/" in said[5] and "health" in said[5], said[5]


def test_the_message_is_delivered_once(said):
    filed = re.search(r"^filed (\S+)$", said[6], re.M)[1]
    lines = re.findall(r"^(\d+) (\S+) (\S+@\S+) (.*)$", said[6], re.M)
    assert len(lines) == 1 and lines[0][0] == "1" and filed in lines[0][3], said[6]


def test_what_was_refused_is_delivered_once_when_replayed(said, tree):
    filed = re.search(r"^filed (\S+)$", said[7], re.M)[1]
    assert "notify.send" in said[7] and "422" in said[7]
    lines = (tree.parent / "webhook.log").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 and len({line.split()[1] for line in lines}) == 2
    assert filed in lines[1], lines


def test_the_log_has_no_secret(said, tree):
    assert said
    log = (tree.parent / "error.log").read_text(encoding="utf-8")
    assert "plugin webhook" in log and "token-of-the-webhook" not in log


def test_nothing_is_left(said, tree):
    assert said and not (tree.parent / "demo").exists()
