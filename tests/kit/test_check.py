"""fwpermit-plugin-check: holds of what keeps the contract, fails of each thing that breaks it, and says which."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from kit import BUILD, CHECK, ROOT, all_hold, compile_c, run_check

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures/check"
OURS = sorted(p.parent.parent.name for p in ROOT.glob("plugins/*/check/settings.json"))
SANITIZE = ["-fsanitize=address", "-fno-omit-frame-pointer"]

# What is planted → the check that fails, and words that it says.
PLANTED = {
    "MANY_SYMBOLS": ("symbols", "one_more"),
    "NO_SYMBOL": ("symbols", "not exported"),
    "TAKES_ANY_MAJOR": ("versions", "return NULL"),
    "TAKES_ONE_MINOR": ("versions", "999"),
    "ODD_SIZE": ("sizes", "sizeof"),
    "WRONG_NAME": ("name", "notify_"),
    "WRONG_VERSION": ("name", "three numbers"),
    "NO_OPERATION": ("name", "no operation"),
    "UNKNOWN_PORT": ("loads", "pigeons"),
    "NAMES_NOTHING": ("settings", "does not name"),
    "WRONG_RC": ("settings", "not misconfigured"),
    "TAKES_UNKNOWN": ("settings", "no_such_option"),
    "TAKES_GARBAGE": ("settings", "url is garbage"),
    "TAKES_EMPTY": ("settings", "token is empty"),
    "NEEDS_LESS": ("settings", "token is missing"),
    "CHECKS_OTHERWISE": ("settings", "check_config"),
    "NEEDS_NEW_HOST": ("old host", "host->size"),
    "KEEPS_CONFIG": ("case send.json", "neither https"),
    "SAYS_TWICE": ("case send.json", "name twice"),
    "NOT_UTF8": ("case send.json", "UTF-8"),
    "BREAKS_CONTRACT": ("case send.json", "contract"),
    "TOO_LONG": ("case send.json", "FWP_MAX_BODY"),
    "ASKS_TWICE": ("case send.json", "request 2"),
    "CRASHES": ("case send.json", "SIGSEGV"),
    "EXITS": ("case send.json", "exit code 3"),
    "OVERRUNS": ("case send.json", "beyond the 10 bytes"),
    "NO_REASON": ("case send-refused.json", "no reason"),
    "REASON_NOT_UTF8": ("case send-refused.json", "UTF-8"),
    "BODY_WITH_NO": ("case send-refused.json", "body with an answer that has none"),
    "HANGS": ("1 ms, nothing sent", "grace"),
    "CALLS_UNREACHED_DONE": ("not reached", "answers ok"),
    "CALLS_LOST_DONE": ("1 ms, no answer", "answers ok"),
    "CALLS_LOST_NOT_SENT": ("answer lost", "answers permfail"),
    "CALLS_ERRORS_DONE": ("far side's error", "answers ok"),
    "TRUSTS_ANSWERS": ("nonsense", "JSON object"),
    "SENDS_NO_KEY": ("kill -9 and again", "does not see"),
    "SENDS_A_NEW_KEY": ("kill -9 and again", "does not see"),
    "SENDS_ONE_KEY": ("kill -9 and again", "another key"),
    "LOCKS": ("two at a time", "permfail"),
    "LEAKS_INSTANCES": ("1000 instances", "heap grew"),
    "LEAKS_FILES": ("1000 instances", "files stay open"),
    "LEAKS_CALLS": ("1000 times send", "heap grew"),
    "LEAKS_THREADS": ("1000 times send", "threads stay"),
    "CHANGES_FOLDER": ("manners", "working directory"),
    "CHANGES_UMASK": ("manners", "umask"),
    "CHANGES_LOCALE": ("manners", "locale"),
    "CHANGES_SIGNALS": ("manners", "signal"),
    "FORKS": ("manners", "started a process"),
    "PRINTS": ("manners", "hello"),
    "LOGS_SECRET": ("secrets", "token in a log line"),
    "SECRET_IN_REASON": ("secrets", "token in a reason"),
}


@pytest.fixture(name="planted", scope="session")
def compiler(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")

    def build(name, *flags):
        define = [f'-DLOCKS="{folder}/lock"'] if name == "LOCKS" else [f"-D{name}"] if name else []
        return compile_c(HERE / "planted.c", folder / f"{name or 'good'}.so", "-O0", *define, *flags)

    return build


def test_what_keeps_the_contract_passes(planted):
    held = all_hold(planted(""), FIXTURES)
    assert {check for check, _ in PLANTED.values()} <= set(held), "a check that is not there cannot fail"


@pytest.mark.parametrize("name", PLANTED)
def test_what_breaks_it_is_found(planted, name):
    check, words = PLANTED[name]
    code, failed, _, said = run_check(planted(name), FIXTURES)
    assert code == 1 and check in failed, said
    assert any(words in text for text in failed[check]), failed


def test_a_sanitized_plugin(planted):
    """The checker starts again with the sanitizer's library, and finds what only that sees."""
    assert "nothing leaks" in run_check(planted("", *SANITIZE), FIXTURES)[3]
    _, failed, _, said = run_check(planted("OVERRUNS_HEAP", *SANITIZE), FIXTURES)
    assert "heap-buffer-overflow" in failed["case send.json"][0], said
    _, failed, _, said = run_check(planted("LEAKS_INSTANCES", *SANITIZE), FIXTURES)
    assert "LeakSanitizer" in failed["1000 instances"][0], said


@pytest.mark.parametrize("plugin", OURS)
def test_our_own_plugins_pass(plugin):
    all_hold(BUILD / f"plugins/{plugin}.so", ROOT / "plugins" / plugin / "check")


@pytest.mark.parametrize("plugin", OURS)
def test_our_own_plugins_leak_nothing(plugin):
    """Built with sanitizers, as a newcomer is told to do with his own."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", "-s", "-f", "Makefile.apxs", f"B={BUILD}", "check-plugin", f"NAME={plugin}"], cwd=ROOT,
                          env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1000 instances: nothing leaks" in done.stdout, done.stdout + done.stderr


def test_each_of_our_plugins_has_its_exchanges():
    there = {p.parent.name for p in ROOT.glob("plugins/*/*.c")} - {"check", "kit"}
    assert there == set(OURS)


def change(tmp_path, name, **values):
    """A copy of the fixtures with a file changed."""
    shutil.copytree(HERE / "fixtures", tmp_path / "f")
    path = tmp_path / "f/check" / name
    whole = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**whole, **values}), encoding="utf-8")
    return tmp_path / "f/check"


@pytest.mark.parametrize("values,words", [
    ({"request": {"to": "mai.tran@example.org", "subject": "Received"}}, "request breaks the contract"),
    ({"expect": {"rc": "pending"}}, "answers ok"),
    ({"expect": {"rc": "ok", "reply": {"message_id": "m-2"}}}, "m-2"),
    ({"http": [{"expect": {"method": "PUT"}, "respond": {"status": 200, "body": {}}}]}, "method"),
    ({"http": [{"expect": {"url": "https://far.example/other"}, "respond": {"status": 200}}]}, "address"),
    ({"http": [{"expect": {"headers": {"X-Token": "no"}}, "respond": {"status": 200}}]}, "X-Token"),
    ({"http": [{"expect": {"body": {}}, "respond": {"status": 200}}]}, "body"),
    ({"http": [{"expect": {"body_has": ["nowhere"]}, "respond": {"status": 200}}]}, "body"),
    ({"http": []}, "not recorded")])
def test_what_differs_from_the_record_is_told(planted, tmp_path, values, words):
    _, failed, _, said = run_check(planted(""), change(tmp_path, "send.json", **values))
    assert any(words in text for text in failed["case send.json"]), said


@pytest.mark.parametrize("program", [{}, {"run": []}, {"run": ["sh"]}, {"run": [], "taken": "x"}, {"run": "sh", "taken": "x"},
                                     {"run": ["sh"], "taken": []}, {"run": ["sh"], "taken": "x", "more": 1}, "sh"])
def test_a_program_that_is_not_as_it_must_be(planted, tmp_path, program):
    _, failed, _, said = run_check(planted(""), change(tmp_path, "send.json", program=program))
    assert '"run"' in failed["fixtures"][0], said


@pytest.mark.parametrize("changes,check,words", [
    ({"program": {"run": ["sh", "bureau"], "taken": "in/J9"}}, "kill -9 and again", "never had its request"),
    ({"program": {"run": ["sh", "bureau"], "taken": "!in"}}, "kill -9 and again", "never had its request"),
    ({"program": {"run": ["sh", "no such script"], "taken": "in/J1150000012"}}, "case order.json", "answers tempfail"),
    ({"identity": {"find": "(nothing of it)", "of": "request"}}, "kill -9 and again", "does not see")])
def test_a_program_at_the_far_side(tmp_path, changes, check, words):
    """The card bureau's exchanges, whose far side is a real sshd, with one of them altered."""
    ours = ROOT / "plugins/card_bureau"
    shutil.copytree(ours / "check", tmp_path / "p/check")
    shutil.copy(ours / "README.md", tmp_path / "p")
    for path in (tmp_path / "p/check").glob("*.json"):
        if path.name not in ("order.json", "settings.json"):
            path.unlink()
    whole = json.loads((tmp_path / "p/check/order.json").read_text(encoding="utf-8"))
    (tmp_path / "p/check/order.json").write_text(json.dumps({**whole, **changes}), encoding="utf-8")
    _, failed, held, said = run_check(BUILD / "plugins/card_bureau.so", tmp_path / "p/check", "--set", f"schemas={ROOT}/docs/contracts")
    assert any(words in text for text in failed[check]), said
    assert "not reached" in held


def test_an_operation_without_a_record_is_told(planted, tmp_path):
    folder = change(tmp_path, "send.json", expect={"rc": "ok"})
    (folder / "send.json").unlink()
    _, failed, _, said = run_check(planted(""), folder)
    assert "send" in failed["cases"][0], said


def test_an_operation_that_is_not_there_is_skipped_and_said(planted, tmp_path):
    folder = change(tmp_path, "message.json", op="message", request={}, expect={"rc": "ok"})
    code, failed, _, said = run_check(planted(""), folder)
    assert (code, failed) == (0, {}) and "does not support message" in said


def test_a_page_that_leaves_a_setting_out(planted, tmp_path):
    folder = change(tmp_path, "send.json")
    (folder / "../README.md").write_text("`url`\n", encoding="utf-8")
    _, failed, _, said = run_check(planted(""), folder)
    assert "`token`" in failed["page"][0], said


def test_the_command_line(planted, tmp_path):
    plugin = planted("")
    (tmp_path / "token").write_text("another-secret-9", encoding="utf-8")
    _, failed, _, _ = run_check(plugin, FIXTURES, "--secret", f"token={tmp_path / 'token'}")
    assert "another-secret-9" in failed["case send.json"][0]
    _, failed, _, _ = run_check(plugin, FIXTURES, "--set", "url=https://else.example/")
    assert "https://else.example/" in failed["case send.json"][0]
    _, failed, _, _ = run_check(plugin, FIXTURES, "--port", "payment")
    assert "not payment" in failed["name"][0]
    plain = subprocess.run([CHECK, plugin, "--fixtures", FIXTURES], capture_output=True, text=True, check=False, cwd=ROOT)
    assert plain.returncode == 0 and plain.stdout.splitlines()[-1].endswith(" held, 0 failed")
    quiet = subprocess.run([CHECK, plugin, "--fixtures", FIXTURES, "--quiet"], capture_output=True, text=True, check=False,
                           cwd=ROOT)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    bare = subprocess.run([CHECK, plugin], capture_output=True, text=True, check=False, cwd=ROOT)
    assert bare.returncode == 1 and "FAIL fixtures" in bare.stdout
    for wrong in ([], ["no-such.so"], [plugin, "--set", "url"], [plugin, "--no-such-option"]):
        done = subprocess.run([CHECK, *wrong], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "usage:" in done.stderr


def test_what_is_no_plugin(tmp_path):
    (tmp_path / "text.so").write_text("hello\n" * 100, encoding="utf-8")
    for path in (tmp_path / "text.so", CHECK):
        done = subprocess.run([CHECK, path, "--fixtures", FIXTURES], capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 1 and "FAIL" in done.stdout, done.stdout
    whole = (BUILD / "plugins/notify_mail.so").read_bytes()
    for n in (10, 64, 1000, len(whole) // 2):
        (tmp_path / "cut.so").write_bytes(whole[:n])
        done = subprocess.run([CHECK, tmp_path / "cut.so"], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "FAIL" in done.stdout, (n, done)
