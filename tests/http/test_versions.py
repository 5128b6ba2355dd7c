"""A service is changed while cases are under way: each keeps the version that it was opened with, to its document."""

import flow
import papers
import pytest
from platform_under_test import ROOT, await_

DIRECTIVES = 'FwPermitServices "@DIR@/services"\n'
SECTION = "<title><zh>工作</zh><en>Work</en></title>\n"
FIELD = ('    <field name="dormitory" type="text" required="yes" max="40">\n'
         "      <label><zh>宿舍</zh><en>Dormitory</en></label>\n    </field>\n")
ROW = '    <row field="name_zh"/>\n'
CHANGES = [(SECTION, SECTION + FIELD), (ROW, ROW + '    <row field="dormitory"/>\n'),
           ("<en>Electronic Residence Permit, Republic of China (Taiwan)</en>", "<en>Permit of the Second Layout</en>")]
OLD, NEW = "ElectronicResidencePermit", "PermitoftheSecondLayout"


def write(platform, changes):
    text = (ROOT / "conf/services/epermit.xml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (platform.folder / "services/epermit.xml").write_text(text, encoding="utf-8")


def prepare(platform):
    (platform.folder / "services").mkdir()
    (platform.folder / "services").chmod(0o755)
    write(platform, [])


def names(sections, inner):
    return [f["name"] for s in sections for f in s[inner]]


def asked(person, case):
    return names(person.see(f"/cases/{case}/edit")["form"]["sections"], "fields")


def open_newer(platform):
    """A case of the changed service, once it is in force; over a connection of its own, for the old ones end."""
    def probe():
        person = platform.person("broker")
        case = flow.open_case(person, flow.register(person))
        return "dormitory" in asked(person, case) and case
    return await_("a form of the changed service", probe)


def permit_text(platform, person, case, reviewers):
    """The words of the permit, after review and payment."""
    flow.approve(platform, case, reviewers)
    flow.pay(platform, person, case)
    flow.issued(platform, person, case)
    line = await_("the permit's paper", lambda: [d for d in person.see(f"/cases/{case}")["documents"] if d["kind"] == "permit"])[0]
    return papers.text(person.get(line["href"]).content)


@pytest.fixture(name="cases", scope="module")
def before_and_after(platform, broker):
    """A draft and a filed case of the service as it was, and a draft of the changed one."""
    drafted, filed = flow.open_case(broker, flow.register(broker)), flow.filed(broker)
    write(platform, CHANGES)
    platform.expect(r"FWP2107|FWP0102")  # a role is away while it is started again
    platform.reload()
    newer = open_newer(platform)
    for person in platform.people.values():
        person.http.close()  # the old connections end
    return {"drafted": drafted, "filed": filed, "newer": newer}


def test_an_old_draft_keeps_its_form_to_the_end(platform, broker, reviewers, cases):
    case = cases["drafted"]
    assert "dormitory" not in asked(broker, case)
    flow.submit(broker, flow.fill(broker, case))
    words = permit_text(platform, broker, case, reviewers)
    assert OLD in words and NEW not in words


def test_a_filed_case_is_reviewed_and_issued_as_it_was(platform, broker, reviewers, cases):
    case = cases["filed"]
    first, _ = flow.reviewer_of(platform, reviewers, case)
    shown = names(first.see(f"/review/{case}")["sections"], "rows")
    assert "category" in shown and "dormitory" not in shown
    words = permit_text(platform, broker, case, reviewers)
    assert OLD in words and NEW not in words and "Dormitory" not in words


def test_a_new_case_needs_the_new_field(platform, broker, reviewers, cases):
    case = flow.fill(broker, cases["newer"])
    with platform.nothing_changes():
        answer = broker.post(f"/cases/{case}/submit")
        assert answer.status_code == 422 and "dormitory" in answer.text
    flow.fill(broker, case, dormitory="Blue House 7")
    flow.submit(broker, case)
    words = permit_text(platform, broker, case, reviewers)
    assert NEW in words and "BlueHouse7" in words and OLD not in words
