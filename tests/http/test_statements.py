"""What a page asks of the database does not grow with what it shows: counted for each page, with little and with much.
The note fwpermit-statements has the count of each request."""
import flow
import pytest
from platform_under_test import await_

DIRECTIVES = 'CustomLog "@DIR@/logs/statements.log" "%m %U %>s %{fwpermit-statements}n"\n'
MUCH = 12
# The statements that a page may take, whatever it shows. A page that needs one more has a reason for it: the
# identity check looks at nine things, on the review and on the dispatcher's list.
MOST = {"/cases": 3, "/cases/{case}": 9, "/workers": 3, "/workers/{worker}": 6, "/pay?case={waits}": 4, "/payments/{payment}": 5,
        "/desk?list=mine": 3, "/review/{case}": 20, "/dispatch": 8, "/arrivals": 4, "/receipts": 4, "/search?q=NGUYEN": 3, "/admin": 7,
        "/admin/system": 9, "/admin/accounts/{account}": 3, "/audit": 3, "/handout": 3, "/handout/{case}": 7}
LOGINS = {"/desk": "reviewer1", "/review": "reviewer1", "/search": "reviewer1", "/dispatch": "dispatcher", "/arrivals": "dispatcher",
          "/receipts": "cashier", "/admin": "admin", "/audit": "auditor",
          "/handout": "reviewer1"}


def login_of(path):
    return next((login for start, login in LOGINS.items() if path.startswith(start)), "broker")


def count(platform, path):
    """The least of three: once a minute a session is noted as used."""
    person, counts = platform.of(login_of(path)), []

    def logged():
        lines = (platform.folder / "logs/statements.log").read_text().splitlines()
        return [int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"GET {path.split('?')[0]} 200 ")]
    for _ in range(3):
        before = len(logged())
        person.see(path)
        counts.append(await_("its line in the log", lambda n=before: len(logged()) > n and logged()[-1]))
    return min(counts)


def measure(platform, things):
    return {pattern: count(platform, pattern.format(**things)) for pattern in MOST}


def paid_for(platform, broker, reviewers, n):
    """So many cases under one payment, and one more that waits for its own."""
    cases = [flow.filed(broker) for _ in range(n + 1)]
    for case in cases:
        flow.approve(platform, case, reviewers)
    payment = flow.begin_payment(broker, *cases[:n])
    platform.control("pay", order=platform.order(broker.see(f"/payments/{payment}")["redirect"]), method="card")
    for case in cases[:n]:
        flow.issued(platform, broker, case)
    worker = broker.see("/workers")["workers"][0]["href"].rsplit("/", 1)[1]
    account = platform.of("admin").see("/admin")["accounts"][0]["href"].rsplit("/", 1)[1]
    return {"case": cases[0], "payment": payment, "worker": worker, "account": account, "waits": cases[n]}


@pytest.fixture(scope="module", name="counted")
def with_little_and_with_much(platform, broker, reviewers):
    things = paid_for(platform, broker, reviewers, 1)
    little = measure(platform, things)
    more = paid_for(platform, broker, reviewers, MUCH)
    for _ in range(MUCH):
        flow.filed(broker)
    return little, measure(platform, more)


@pytest.mark.parametrize("page", list(MOST))
def test_a_page_asks_as_often_for_much_as_for_little(counted, page):
    little, much = counted
    assert much[page] == little[page]
    assert much[page] <= MOST[page], f"{much[page]} statements"


def test_to_pay_for_many_asks_as_often_as_for_one(platform, broker, reviewers):
    cases = [flow.filed(broker) for _ in range(4)]
    for case in cases:
        flow.approve(platform, case, reviewers)
    one, all_of_them = (count(platform, "/pay?" + "&".join(f"case={c}" for c in some)) for some in (cases[:1], cases))
    assert one == all_of_them <= MOST["/pay?case={waits}"]
