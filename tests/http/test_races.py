"""Many at the same instant, with the same version of a thing in hand: one outcome, and the rest are told so, on both databases."""
import concurrent.futures
import contextlib
import threading

import flow
import pytest
import requests
from cluster import Cluster
from conftest import serving
from platform_under_test import await_


@pytest.fixture(scope="module", name="platform", params=["sqlite3", "pgsql"])
def platform_on_each(request):
    with contextlib.ExitStack() as stack:
        options = ()
        if request.param == "pgsql":
            cluster = Cluster()
            stack.callback(cluster.end)
            options = cluster.options
        yield stack.enter_context(serving(request, *options))


def at_once(jobs):
    """What (status, problem's type) each of the jobs, (person, path, fields, key), got; all start together."""
    start = threading.Barrier(len(jobs))

    def do(job):
        person, path, fields, key = job
        headers = {"Accept": "application/json", "X-CSRF-Token": person.csrf, "Idempotency-Key": key}
        start.wait()
        answer = requests.post(person.base + path, json=fields, headers=headers, cookies=person.http.cookies, timeout=120)
        return answer.status_code, answer.json().get("type")
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(do, jobs))


def history(person, case):
    return [h["kind"] for h in person.see(f"/cases/{case}")["history"]]


def refused_kinds(answers):
    assert {status for status, _ in answers} <= {200, 202, 409}, answers
    return {kind for status, kind in answers if status == 409}


def is_whole(platform):
    told = await_("a seal", lambda: (lambda d: d.stdout if d.returncode == 0 else "")(platform.ctl("audit", "verify", ok=False)))
    assert told.startswith("whole"), told


def filed(broker):
    """A case that nothing changes any more by itself: its receipt of filing is there."""
    case = flow.filed(broker)
    await_("the receipt of filing", lambda: broker.see(f"/cases/{case}")["documents"])
    return case


def test_a_hundred_submits(platform, broker):
    case = flow.draft(broker)
    answers = at_once([(broker, f"/cases/{case}/submit", {}, f"s{n}-{case}") for n in range(100)])
    assert [s for s, _ in answers].count(200) == 1 and len(refused_kinds(answers)) == 1
    assert history(broker, case).count("case.submit") == 1
    filings = await_("the receipt of filing", lambda: broker.see(f"/cases/{case}")["documents"])
    assert [d["kind"] for d in filings] == ["filing"]
    assert platform.sql("SELECT count(*) FROM cases WHERE id = ? AND case_no IS NOT NULL", int(case)) == [(1,)]


def test_fifty_confirmations_by_two_officers(platform, broker, reviewers):
    """One may not, for it was who approved: neither a click too many nor a race lets one person decide twice."""
    case = filed(broker)
    first, second = flow.reviewer_of(platform, reviewers, case)
    flow.decide(first, case, "approve")
    version = second.see(f"/review/{case}")["case"]["version"]
    answers = at_once([((first, second)[n % 2], f"/review/{case}/confirm", {"version": version}, f"c{n}-{case}") for n in range(50)])
    assert [s for s, _ in answers[1::2]].count(200) == 1 and 200 not in [s for s, _ in answers[::2]], answers
    assert history(broker, case).count("case.confirm") == 1
    rows = platform.sql("SELECT first_reviewer, second_reviewer FROM cases WHERE id = ?", int(case))
    assert len(set(rows[0])) == 2 and 0 not in rows[0]


def test_approval_return_and_rejection_at_once(platform, broker, reviewers):
    case = filed(broker)
    first, _ = flow.reviewer_of(platform, reviewers, case)
    version = first.see(f"/review/{case}")["case"]["version"]
    what = [("approve", {}), ("reject", {"reason": "The employer has ended the contract."}),
            ("return", {"mark.photo": "It is too dark."})]
    answers = at_once([(first, f"/review/{case}/{verb}", {"version": version, **fields}, f"{verb}{n}-{case}")
                       for n in range(15) for verb, fields in what])
    assert [s for s, _ in answers].count(200) == 1 and refused_kinds(answers), answers
    kinds = [h["kind"] for h in first.see(f"/review/{case}")["history"]]  # applicants do not read of a rejection that is but proposed
    assert sum(kinds.count(k) for k in ("case.approve", "case.reject", "case.return")) == 1, kinds


def test_fifty_notices_of_one_payment(platform, broker, reviewers):
    case = filed(broker)
    flow.approve(platform, case, reviewers)
    payment = flow.begin_payment(broker, case)
    order = platform.order(broker.see(f"/payments/{payment}")["redirect"])
    platform.switch(drop_callbacks=True)
    platform.control("pay", order=order, method="card")
    platform.switch(drop_callbacks=False)
    platform.control("callback", order=order, times="50", together="1")
    flow.issued(platform, broker, case)
    await_("all messages", lambda: not platform.sql("SELECT 1 FROM inbox WHERE state IN ('ready', 'leased')"))
    kinds = history(broker, case)
    assert kinds.count("payment.settle") == 1 and kinds.count("permit.issue") == 1
    assert platform.sql("SELECT count(*) FROM payment p JOIN payment_case c ON c.payment_id = p.id "
                        "WHERE c.case_id = ? AND p.receipt_no > 0", int(case)) == [(1,)]


@pytest.mark.parametrize("stage", ["approve", "confirm"])
def test_a_withdrawal_against_a_decision(platform, broker, reviewers, stage):
    """Twelve cases, so that both win now and then; whoever wins, the case is where the table says, once."""
    ended = set()
    for n in range(12):
        case = filed(broker)
        first, second = flow.reviewer_of(platform, reviewers, case)
        if stage == "confirm":
            flow.decide(first, case, "approve")
        officer = first if stage == "approve" else second
        version = officer.see(f"/review/{case}")["case"]["version"]
        jobs = [(broker, f"/cases/{case}/withdraw", {}, f"w-{case}"),
                (officer, f"/review/{case}/{stage}", {"version": version}, f"d-{case}")]
        (gone, _), (decided, _) = answers = at_once(jobs if n % 2 else jobs[::-1])[:: 1 if n % 2 else -1]
        assert {gone, decided} <= {200, 409}, answers
        state = flow.state(broker, case)
        kinds = history(broker, case)
        assert kinds.count("case.withdraw") == (gone == 200) and kinds.count(f"case.{stage}") == (decided == 200)
        assert gone == 200 or decided == 200
        if gone == 200:
            assert state == "withdrawn" and (decided == 409 or kinds.index("case.withdraw") < kinds.index(f"case.{stage}"))
        ended.add((gone, decided))
    assert ended
    is_whole(platform)
