"""Graceful restarts while people work: nobody's request fails."""
import contextlib
import itertools
import threading
import uuid

import requests

import flow
from platform_under_test import await_

RESTARTS = 5


def once_more(ask):
    """As browsers do: a connection that the server had closed before anything was sent on it is opened anew, once."""
    try:
        return ask()
    except requests.exceptions.ConnectionError:
        return ask()


@contextlib.contextmanager
def four_at_work(platform):
    """Two read pages, two save drafts; of each two, one keeps its connection, and one has a new one for each request, which may
    never fail. What was saved, in order, for each."""
    flow.photo()
    people = [platform.person("broker") for _ in range(4)]
    cases = [flow.draft(p) for p in people]
    answers, failed, end = [[] for _ in people], [], threading.Event()
    for person in people[2:]:
        person.http.headers["Connection"] = "close"
        person.http.close()  # the one it logged in by

    def read(person, case, n):
        return person.get(("/cases", f"/cases/{case}", f"/cases/{case}/edit", "/workers")[n % 4]), None

    def save(person, case, n):
        name = f"阮{n}"
        return person.post(f"/cases/{case}/edit", {**flow.case_fields(), "name_zh": name}, key=str(uuid.uuid4())), name

    def work(i, step):
        try:
            for n in itertools.count():
                if end.is_set():
                    return
                keeps = i < 2
                answer, name = once_more(lambda n=n: step(people[i], cases[i], n)) if keeps else step(people[i], cases[i], n)
                assert answer.status_code == 200, (answer.status_code, answer.text[:300])
                answers[i].append(name)
        except Exception as e:  # pylint: disable=broad-except
            failed.append((i, n, e))

    threads = [threading.Thread(target=work, args=(i, save if i % 2 else read)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield cases, answers, failed
    finally:
        end.set()
        for thread in threads:
            thread.join()
    assert not failed, failed


def test_no_request_fails_over_five_graceful_restarts(platform, broker):
    with four_at_work(platform) as (cases, answers, failed):
        for _ in range(RESTARTS):
            before = [len(a) for a in answers]
            platform.reload()
            await_("work of everybody after it", lambda b=before: failed or all(len(a) > n + 2 for a, n in zip(answers, b)))
    for i in (1, 3):
        ((data,),) = platform.sql("SELECT data FROM cases WHERE id = ?", int(cases[i]))
        assert f'"{answers[i][-1]}"' in data, "the last draft that was acknowledged is the one that is kept"
    assert broker.see("/cases")
