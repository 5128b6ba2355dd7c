"""The stand-in agencies, and a process for each plugin."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "agencies"))

import pki  # noqa: E402  pylint: disable=wrong-import-position
import xroad_end  # noqa: E402  pylint: disable=wrong-import-position
from host import PLUGINS, Process  # noqa: E402  pylint: disable=wrong-import-position
from play import Labour  # noqa: E402  pylint: disable=wrong-import-position
from shop import Program  # noqa: E402  pylint: disable=wrong-import-position

KEY, IV = "pwFHCqoQZGmho4w6", "EkRm7iFT261dpevs"
SITE = "http://127.0.0.1:25899"


@pytest.fixture(scope="session", name="program")
def running_program():
    program = Program("--retry-seconds", "0.2", "--callback-timeout", "2")
    yield program
    code, out, err = program.stop()
    assert (code, out, err) == (0, "", "")


@pytest.fixture(name="standin")
def empty_standin(program):
    assert program.post("/control/reset")[0] == 200
    return program


def ecpay_options(program, **more):
    options = {"merchant_id": "3002607", "api_url": program.url, "return_url": SITE + "/in/paid",
               "info_url": SITE + "/in/info", "back_url": SITE + "/payments", "http.allow_plain": "yes", **more}
    return {k: v for k, v in options.items() if v is not None}


def ecpay_secrets(**more):
    secrets = {"hash_key": KEY, "hash_iv": IV, **more}
    return {k: v for k, v in secrets.items() if v is not None}


@pytest.fixture(name="start")
def starter():
    """Starts processes that end with the test."""
    running = []

    def start(*args, **more):
        running.append(Process(*args, **more))
        return running[-1]

    yield start
    for process in running:
        process.stop()


@pytest.fixture(scope="module", name="ecpay_process")
def one_ecpay(program):
    process = Process(PLUGINS / "payment_ecpay.so", "pay", ecpay_options(program), ecpay_secrets())
    yield process
    log = process.log
    assert KEY not in log and IV not in log, "a secret in the log"
    assert process.stop() == 0


@pytest.fixture(name="ecpay")
def ecpay_and_standin(ecpay_process, standin):
    assert standin
    return ecpay_process


def mail_options(program, **more):
    options = {"url": f"smtp://127.0.0.1:{program.smtp_port}", "tls": "none", "from": "permit@agency.test",
               "from_name": "移民署 Permits", "reply_to": "help@agency.test", **more}
    return {k: v for k, v in options.items() if v is not None}


@pytest.fixture(scope="module", name="mail_process")
def one_mail(program):
    process = Process(PLUGINS / "notify_mail.so", "mail", mail_options(program))
    yield process
    assert process.stop() == 0


@pytest.fixture(name="mail")
def mail_and_standin(mail_process, standin):
    assert standin
    return mail_process


@pytest.fixture(scope="session", name="labour_program")
def running_labour(tmp_path_factory):
    program = Labour(pki.make(tmp_path_factory.mktemp("pki")))
    yield program
    code, out, err = program.stop()
    assert (code, out, err) == (0, "", "")


@pytest.fixture(name="agency")
def empty_agency(labour_program):
    """Emptied before each test; after it, it has nothing to complain of but what the test asked for (`agency.forgive`)."""
    labour_program.done("reset")
    labour_program.forgive = []
    yield labour_program
    faults = [f for r in labour_program.requests() for f in r["faults"]]
    assert [f for f in faults if not any(word in f for word in labour_program.forgive)] == []


@pytest.fixture(scope="module", name="ends")
def one_of_each(labour_program):
    both = {protocol: xroad_end.End(labour_program, protocol=protocol) for protocol in ("rest", "soap")}
    yield both
    for end in both.values():
        log = end.log
        assert "C1234567" not in log and "NGUYEN" not in log and "王" not in log, "personal data in the log"
        assert end.stop() == 0


@pytest.fixture(params=["rest", "soap"], name="end")
def by_both_protocols(ends, request, agency):
    assert agency
    return ends[request.param]


@pytest.fixture(name="more_ends")
def further_ends(agency):
    """Makes ends with other settings, which end with the test."""
    running = []

    def start(**more):
        running.append(xroad_end.End(agency, **more))
        return running[-1]

    yield start
    for process in running:
        process.stop()
