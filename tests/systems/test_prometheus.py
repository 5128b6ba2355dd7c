"""monitor_prometheus: what it writes, by promtool; the alert rules, by promtool; and a real Prometheus over a running platform."""
import copy
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest
import requests
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/plugin"), str(ROOT / "tests/http")]

import contracts  # noqa: E402  pylint: disable=wrong-import-position
from host import BUILD, PLUGINS, Process  # noqa: E402  pylint: disable=wrong-import-position
from platform_under_test import Platform, await_  # noqa: E402  pylint: disable=wrong-import-position

PORTS = range(26500, 26600, 4)

RULES = ROOT / "conf/prometheus/fwpermit.rules.yml"
REPORT = contracts.SCHEMAS["monitor"]["$defs"]["report.request"]["examples"][0]


def promtool(*words, text=None):
    done = subprocess.run(["promtool", *map(str, words)], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(name="plugin", scope="module")
def running_plugin():
    process = Process(PLUGINS / "monitor_prometheus.so", "prometheus")
    yield process
    assert process.stop() == 0


def page_of(plugin, report):
    rc, reply, answer = plugin.call("monitor.report", report)
    assert rc == "ok", answer
    return reply["page"]


def samples(text):
    """{name and labels: value}; each once."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, value = line.rsplit(" ", 1)
        assert name not in found, name
        found[name] = int(value)
    return found


# ---- the text ----

def test_promtool_has_nothing_to_say(plugin):
    page = page_of(plugin, REPORT)
    assert page["type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert promtool("check", "metrics", text=page["text"]) == (0, "")


def test_an_empty_platform_is_clean_too(plugin):
    bare = {"at": REPORT["at"], "node": "n", "parts": [], "links": [], "queues": []}
    assert promtool("check", "metrics", text=page_of(plugin, bare)["text"]) == (0, "")


def test_every_number_of_the_report_is_a_sample(plugin):
    got = samples(page_of(plugin, REPORT)["text"])
    link = 'plugin="ecpay",port="payment"'
    assert got == {
        "fwpermit_report_timestamp_seconds": 1795588200,
        'fwpermit_part_state{name="signer",state="up"}': 1,
        'fwpermit_part_state{name="signer",state="degraded"}': 0,
        'fwpermit_part_state{name="signer",state="down"}': 0,
        'fwpermit_part_since_timestamp_seconds{name="signer"}': 1795568400,
        **{f'fwpermit_link_state{{{link},state="{s}"}}': int(s == "down")
           for s in ("up", "failing", "down", "paused", "unused")},
        f"fwpermit_link_since_timestamp_seconds{{{link}}}": 1795587120,
        f"fwpermit_link_last_success_timestamp_seconds{{{link}}}": 1795587091,
        f"fwpermit_link_failures{{{link}}}": 9,
        f"fwpermit_link_waiting{{{link}}}": 4,
        f"fwpermit_link_waiting_cases{{{link}}}": 4,
        f"fwpermit_link_oldest_age_seconds{{{link}}}": 1080,
        f"fwpermit_link_dead_letters{{{link}}}": 0,
        'fwpermit_queue_waiting{port="payment"}': 4,
        'fwpermit_queue_oldest_age_seconds{port="payment"}': 1080,
        'fwpermit_queue_dead_letters{port="payment"}': 0,
        "fwpermit_audit_unsealed_records": 0,
        "fwpermit_audit_oldest_unsealed_age_seconds": 0,
        "fwpermit_audit_seals_total": 8120,
        'fwpermit_cases{state="submitted"}': 12,
        "fwpermit_late_cases": 0,
        'fwpermit_certificate_expiry_timestamp_seconds{name="permit"}': 1858636800,
        'fwpermit_card_blanks_free{store="bureau"}': 4063,
        'fwpermit_card_blanks_low_at{store="bureau"}': 500,
        'fwpermit_disk_free_bytes{name="vault"}': 1000000000,
        'fwpermit_disk_size_bytes{name="vault"}': 2000000000,
    }


def test_what_is_not_known_is_left_out_and_the_error_is_no_label(plugin):
    report = copy.deepcopy(REPORT)
    report["links"][0].update(oldest=None, last_ok=None, error='a "quoted"\nline with B123456789')
    del report["late"]
    text = page_of(plugin, report)["text"]
    assert "oldest_age_seconds{plugin" not in text and "last_success_timestamp_seconds{" not in text
    assert "fwpermit_late_cases " not in text.replace("# TYPE fwpermit_late_cases gauge", "").replace(
        "# HELP fwpermit_late_cases Open", "")
    assert "quoted" not in text and "B123456789" not in text
    assert promtool("check", "metrics", text=text) == (0, "")


def test_any_option_is_refused_by_name():
    process = Process(PLUGINS / "monitor_prometheus.so", "prometheus", {"port": "9"})
    answer = process.raw("monitor.report", REPORT)
    process.stop()
    assert answer["rc"] == "misconfigured" and "port" in answer["reason"]


# ---- the rules ----

def firing(rules):
    """What must fire after five hours of illness, written from the rules' own labels."""
    labels = {"FwpermitAway": {"instance": "a", "job": "fwpermit"}, "FwpermitReportOld": {"instance": "a"},
              "FwpermitPartDown": {"instance": "a", "name": "signer", "state": "down"},
              "FwpermitPartDegraded": {"instance": "a", "name": "pictures", "state": "degraded"},
              "FwpermitLinkDown": {"instance": "a", "plugin": "ecpay", "port": "payment", "state": "down"},
              "FwpermitLinkPausedLong": {"instance": "a", "plugin": "mail", "port": "notify", "state": "paused"},
              "FwpermitDeliveryOld": {"instance": "a", "port": "notify"}, "FwpermitPressLate": {"instance": "a"},
              "FwpermitDeadLetters": {"instance": "a", "port": "notify"}, "FwpermitAuditUnsealed": {"instance": "a"},
              "FwpermitAuditNotShipped": {"instance": "a", "port": "audit"},
              "FwpermitCertificateEnds": {"instance": "a", "name": "permit"},
              "FwpermitDiskFull": {"instance": "a", "name": "vault"}, "FwpermitCasesLate": {"instance": "a"},
              "FwpermitBlankCardsLow": {"instance": "a", "store": "bureau"}}
    assert set(labels) == {rule["alert"] for rule in rules}
    return labels


def rule_tests(tmp_path):
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    text = (ROOT / "tests/systems/alerts.yml").read_text(encoding="utf-8")
    cases = yaml.safe_load(text.replace("@RULES@", str(tmp_path / "rules.yml")))
    wanted = firing(rules)
    severity = {rule["alert"]: rule["labels"]["severity"] for rule in rules}
    cases["tests"][1]["alert_rule_test"] = [
        {"eval_time": "5h", "alertname": name, "exp_alerts": [{"exp_labels": {"severity": severity[name], **more}}]}
        for name, more in wanted.items()]
    for rule in rules:  # what an alert says is compared elsewhere
        assert set(rule.pop("annotations")) == {"summary", "action"}, rule["alert"]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "fwpermit", "rules": rules}]}))
    return cases


def test_every_alert_fires_when_it_should_and_not_before(tmp_path):
    cases = rule_tests(tmp_path)
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(cases))
    code, said = promtool("test", "rules", tmp_path / "tests.yml")
    assert code == 0, said


@pytest.mark.parametrize("series", ["fwpermit_part_state", "fwpermit_late_cases", "fwpermit_disk_free_bytes"])
def test_the_test_of_the_alerts_can_fail(tmp_path, series):
    cases = rule_tests(tmp_path)
    for one in cases["tests"][1]["input_series"]:
        if one["series"].startswith(series):
            one["values"] = re.sub(r"^\d+", "0" if series != "fwpermit_disk_free_bytes" else "50", one["values"])
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(cases))
    assert promtool("test", "rules", tmp_path / "tests.yml")[0] == 1


def test_rules_are_clean_and_each_metric_of_theirs_exists(plugin):
    assert promtool("check", "rules", RULES)[0] == 0
    known = set(re.findall(r"^# TYPE (\S+)", page_of(plugin, REPORT)["text"], re.M)) | {"up"}
    for rule in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]:
        used = set(re.findall(r"fwpermit_[a-z_]+|\bup\b", rule["expr"]))
        assert used and used <= known, rule["alert"]
        json.dumps(rule)


# ---- a real Prometheus over a running platform ----

def is_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def free_ports():
    """The first of four in a row."""
    return next(port for port in PORTS if all(is_free(port + i) for i in range(4)))


@pytest.fixture(name="watched", scope="module")
def a_watched_platform():
    """(platform, ask): ask(query) is {labels: value} of Prometheus' answer."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="watched"))
    folder.chmod(0o755)
    site = Platform(folder / "site", free_ports(), build=BUILD)
    port = site.port + 3
    (folder / "prometheus.yml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "fwpermit", "static_configs": [{"targets": [f"127.0.0.1:{site.port}"]}]}]}))
    site.start()
    with open(folder / "log", "wb") as log:
        prometheus = subprocess.Popen(  # pylint: disable=consider-using-with
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def ask(query):
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": query}, timeout=5)
        except requests.ConnectionError:
            return {}
        if answer.status_code != 200:  # not yet
            return {}
        return {tuple(sorted((k, v) for k, v in one["metric"].items() if k not in ("__name__", "instance", "job"))):
                float(one["value"][1]) for one in answer.json()["data"]["result"]}
    yield site, ask
    prometheus.terminate()
    prometheus.wait(20)
    site.stop()
    shutil.rmtree(folder)


def test_prometheus_sees_the_parts_and_links_of_a_running_platform(watched):
    site, ask = watched
    await_("a scrape", lambda: ask('up{job="fwpermit"} == 1'))
    up = await_("the parts", lambda: ask('fwpermit_part_state{state="up"} == 1'))
    assert {dict(labels)["name"] for labels in up} >= {"signer", "pictures", "pump", "sealer", "database", "vault"}
    assert promtool("check", "metrics", text=requests.get(site.base + "/metrics", timeout=5).text) == (0, "")
    site.ctl("plugin", "pause", "ecpay", "--why", "the gateway moves")
    await_("the pause", lambda: ask('fwpermit_link_state{plugin="ecpay",state="paused"} == 1'))
    site.ctl("plugin", "resume", "ecpay")


def test_a_page_that_nobody_renews_is_a_503_and_an_alert(watched):
    site, ask = watched
    page = site.folder / "state/run/metrics.json"
    await_("a scrape", lambda: ask('up{job="fwpermit"} == 1'))
    pump = int(subprocess.run(["pgrep", "-P", (site.folder / "httpd.pid").read_text().strip(), "-f", "fwpermit-worker pump"],
                              capture_output=True, text=True, check=True).stdout)
    os.kill(pump, signal.SIGSTOP)
    try:
        os.utime(page, (time.time() - 61, time.time() - 61))
        assert requests.get(site.base + "/metrics", timeout=5).status_code == 503
        await_("the fall", lambda: ask('up{job="fwpermit"} == 0'))
        await_("the alert", lambda: ask('ALERTS{alertname="FwpermitAway",alertstate="pending"}'))
    finally:
        os.kill(pump, signal.SIGCONT)
    await_("the return", lambda: ask('up{job="fwpermit"} == 1'))


def test_strangers_may_not_read_metrics(watched):
    """Only this machine, unless the sysadmin names others."""
    conf = (watched[0].folder / "share/httpd/pages.conf").read_text(encoding="utf-8")
    assert re.search(r'<Location "/metrics">\s+Require local\s+</Location>', conf)
