"""Lists that are longer than a page: every line is reached by `next`, each once, in the order of the list."""
import flow
import pytest
from browser import Browser

ROWS = 120
STATES = ["initial_review", "second_review", "submitted"]


def copies(platform, case, state):
    """Cases like this one in a state, of which seven share each due time."""
    columns = [c[1] for c in platform.sql("SELECT * FROM pragma_table_info('cases')")]
    changed = {"id": "id + ?1", "case_no": "'99' || ?2 || ?1", "state": "?2", "due": "due + ?1 % 1000 / 7 * 1000000",
               "passport_no": "'L' || ?1"}
    for i in range(1, ROWS + 1):
        platform.sql(f"INSERT INTO cases ({', '.join(columns)}) SELECT {', '.join(changed.get(c, c) for c in columns)} "
                     "FROM cases WHERE id = ?3", i + 1000 * STATES.index(state), state, int(case))


def pages(person, path):
    lists = []
    while path:
        assert len(lists) < 9, path
        shown = person.see(path)
        lists.append([line["id"] for line in shown["cases"]])
        path = shown["next"]
    return lists


@pytest.fixture(name="officers", scope="module")
def two_with_long_lists(platform, broker, reviewers):
    """The first reviewer of all the cases, and the other."""
    case = flow.filed(broker)
    for state in STATES:
        copies(platform, case, state)
    return sorted(reviewers, key=lambda p: not p.see("/desk?list=mine")["cases"])


def check(platform, person, path, state):
    ids = [str(row[0]) for row in platform.sql("SELECT id FROM cases WHERE state = ? ORDER BY due, id", state)]
    lists = pages(person, path)
    assert [len(page) for page in lists] == [50, 50, len(ids) - 100]
    assert [one for page in lists for one in page] == ids


def test_desk(platform, officers):
    first, other = officers
    check(platform, first, "/desk?list=mine", "initial_review")
    check(platform, other, "/desk?list=second", "second_review")


def test_dispatch(platform, officers):
    assert officers
    dispatcher = platform.of("dispatcher")
    check(platform, dispatcher, "/dispatch", "submitted")
    check(platform, dispatcher, "/dispatch?state=initial_review", "initial_review")


def test_a_case_that_goes_does_not_hide_another(platform, officers):
    """The last of a page is decided while it is read: the next page begins where it would have."""
    shown = officers[0].see("/desk?list=mine")
    before = officers[0].see(shown["next"])["cases"]
    platform.sql("UPDATE cases SET state = 'withdrawn' WHERE id = ?", int(shown["cases"][-1]["id"]))
    assert officers[0].see(shown["next"])["cases"] == before


def test_the_next_page_by_its_link(platform, officers):
    browser = Browser(platform.base, login=officers[0].login)
    link = next(href for href in browser.get("/desk?list=mine").links if "after=" in str(href))
    assert officers[0].see("/desk?list=mine")["next"] == link and browser.get(link).status == 200


def test_both_tabs_of_the_dispatcher_and_both_languages_of_an_account(platform):
    dispatcher = platform.of("dispatcher")
    for path, current in (("/dispatch", [True, False, False]), ("/dispatch?state=initial_review", [False, True, False]),
                          ("/dispatch?state=held", [False, False, True])):
        tabs = dispatcher.see(path)["tabs"]
        assert [t["href"] for t in tabs] == ["/dispatch", "/dispatch?state=initial_review", "/dispatch?state=held"] and [t["current"] for t in tabs] == current
    assert [(lang["code"], lang["selected"]) for lang in dispatcher.see("/account")["languages"]] == [("zh-Hant", False), ("en", True)]
