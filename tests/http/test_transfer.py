"""Payment by transfer: a code at once instead of a gateway's page, and money that is known by the account alone."""
import base64
import datetime
import hashlib
import sys

import flow
import pytest
from platform_under_test import ROOT, await_

sys.path.insert(0, str(ROOT / "tests/agencies"))
from bank import TAIPEI, Bank  # noqa: E402  pylint: disable=wrong-import-position

BODY = 121


@pytest.fixture(scope="module", name="bank")
def a_bank_in_place_of_the_gateway(platform):
    """Of two plugins of a port the first one is asked."""
    folders = [platform.folder / "state" / name for name in ("bank-in", "bank-done")]
    for folder in folders:
        folder.mkdir()
        folder.chmod(0o777)
    (platform.folder / "before").mkdir()
    (platform.folder / "before/bank.conf").write_text(
        f'FwPermitPlugin bank payment "{platform.folder}/lib/plugins/payment_transfer.so"\n'
        "FwPermitPluginOption bank bank 004\nFwPermitPluginOption bank prefix 98712\n"
        "FwPermitPluginOption bank holder 12345678901234\n"
        f'FwPermitPluginOption bank folder "{folders[0]}"\nFwPermitPluginOption bank done "{folders[1]}"\n', encoding="utf-8")
    platform.stop()
    platform.start()
    return Bank(folders[0])


@pytest.fixture
def due(platform, broker, reviewers, bank):
    assert bank
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    return case


def begin(person, case):
    """(payment, account), once the account is there."""
    payment = person.do("/payments", {"case": [case], "method": "atm"}, status=202)["answer"]
    code = await_("the account", lambda: person.see(f"/payments/{payment}")["code"])
    return payment, code["account"]


def fetched(platform, bank, payments, channel="poll"):
    """The messages of a file as the pump stores what it polled: by the bytes that the plugin hands over, each once."""
    header = bank.lines("20261125", 1, payments)[0]
    for payment in payments:
        body = (header + "\n" + bank.payment(*payment)).encode()
        assert len(body) == BODY
        key = hashlib.sha256(channel.encode() + b"\n" + body).hexdigest()
        number = int(key[:14], 16)
        platform.sql("INSERT INTO inbox (id, plugin, about, body_hash, body, state, not_before, received) VALUES (?, 'bank', ?, ?, ?, "
                     "'ready', 0, 1) ON CONFLICT (plugin, body_hash) DO NOTHING", number, channel, key, base64.b64encode(body).decode())


def test_an_account_at_once_and_the_money_by_it(platform, broker, due, bank):
    payment, account = begin(broker, due)
    page = broker.see(f"/payments/{payment}")
    assert page["redirect"] is None and page["state"]["code"] == "code" and page["code"]["bank"] == "004"
    await_("the mail", lambda: [m for m in platform.mails() if account in str(m)])
    number = bank.transfer(account, 1000)
    line = (account, 1000, datetime.datetime.now(TAIPEI), number)
    bank.day()
    await_("the payment", lambda: broker.see(f"/payments/{payment}")["is_paid"])
    fetched(platform, bank, [line])
    flow.issued(platform, broker, due)
    rows = platform.sql("SELECT state, gateway_no FROM payment WHERE id = ?", int(payment))
    assert rows == [("paid", account)]


def test_another_amount_and_an_account_of_nobody_pay_nothing(platform, broker, due, bank):
    platform.expect("FWP2101 order|FWP2102 order")
    payment, account = begin(broker, due)
    when = datetime.datetime.now(TAIPEI)
    nobody = "98712000000000"
    nobody = next(f"{nobody}{a}{b}" for a in "0123456789" for b in "0123456789" if is_good(f"{nobody}{a}{b}") and f"{nobody}{a}{b}" != account)
    fetched(platform, bank, [(account, 999, when, "900000000001"), (nobody, 1000, when, "900000000002")])
    await_("both looked at", lambda: not platform.sql("SELECT 1 FROM inbox WHERE state IN ('ready', 'leased')"))
    assert not broker.see(f"/payments/{payment}")["is_paid"] and flow.state(broker, due) == "awaiting_payment"
    fetched(platform, bank, [(account, 1000, when, "900000000003")])
    await_("the payment", lambda: broker.see(f"/payments/{payment}")["is_paid"])


def is_good(account):
    return account[-1] == str(-sum(int(d) * (3, 7, 1)[i % 3] for i, d in enumerate(account[:-1])) % 10)


def test_nobody_pushes_a_payment(platform, broker, due, bank):
    platform.expect("FWP0301: a message to bank/paid was refused")
    payment, account = begin(broker, due)
    line = bank.payment(account, 1000, datetime.datetime.now(TAIPEI), "900000000004")
    body = bank.lines("20261125", 1, [])[0] + "\n" + line
    with platform.nothing_changes():
        person = platform.of(None)
        assert person.http.post(f"{platform.base}/inbox/bank/poll", data=body, timeout=30).status_code == 404
        answer = person.http.post(f"{platform.base}/inbox/bank/paid", data=body, timeout=30)
        assert answer.status_code == 200 and answer.text == ""
    assert not broker.see(f"/payments/{payment}")["is_paid"]


def test_a_card_is_not_its_own(platform, broker, due):
    """The payer may choose again."""
    platform.expect("FWP2106 payment.begin")
    payment = broker.do("/payments", {"case": [due], "method": "card"}, status=202)["answer"]
    await_("its end", lambda: broker.see(f"/payments/{payment}")["is_ended"])
    assert begin(broker, due)[1]


def test_what_goes_back_goes_by_hand(platform, broker, due, bank):
    platform.expect("FWP2112 payment.refund")
    payment, account = begin(broker, due)
    fetched(platform, bank, [(account, 1000, datetime.datetime.now(TAIPEI), "900000000005")])
    await_("the payment", lambda: broker.see(f"/payments/{payment}")["is_paid"])
    cashier = platform.of("cashier")
    cashier.do(f"/refunds/payments/{payment}", {"amount": "1000", "reason": "r"}, status=202)
    manual = await_("by hand", lambda: (lambda r: r if r["state"]["code"] == "manual" else None)(
        cashier.see(f"/refunds/payments/{payment}")["refunds"][-1]))
    cashier.do(manual["pay_out"], {"reference": "T1"})
    assert broker.see(f"/payments/{payment}")["is_void"]
