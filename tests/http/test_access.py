"""Every route × every role × own, delegated and another's thing, against the permissions table."""
import flow
import pytest
import tables
from platform_under_test import PASSWORD, await_, said

MISSING = "999999999999999999"
ROLES_OF = {"broker": {"agent"}, "broker2": {"agent"}, "employer": {"employer"}, "hongyuan": {"employer"},
            "reviewer1": {"initial", "second"}, "reviewer2": {"initial", "second"}, "tpe": {"initial", "second"},
            "only1": {"initial"}, "only2": {"second"}, "dispatcher": {"dispatcher"}, "cashier": {"cashier"},
            "admin": {"admin"}, "auditor": {"auditor"}, "nobody": {"anyone"}}
# What is answered although the person may: there is no such dead letter, no such delegation, no right password.
OF_ITSELF = {("POST", "/admin/deadletters/#/replay"): {404}, ("POST", "/admin/deadletters/#/mend"): {404},
             ("POST", "/admin/deadletters/#/drop"): {404}, ("GET", "/admin/deadletters/#"): {404}, ("POST", "/admin/messages/#/replay"): {404},
             ("POST", "/admin/plugins/*/pause"): {404}, ("POST", "/admin/plugins/*/resume"): {404},
             ("POST", "/account/delegations/#/revoke"): {404},
             ("POST", "/arrivals/#/link"): {404}, ("POST", "/refunds/#/again"): {404}, ("GET", "/settlements/*"): {404}, ("POST", "/refunds/#/pay-out"): {404},
             # no worker is named: test_things_in_bodies names some
             ("POST", "/cases"): {404}, ("POST", "/login"): {401}}
SKIPPED = {("POST", "/logout")}  # it would end the session that is walked with: test_log_out_is_for_all


def make_accounts(platform):
    def create(login, roles, *more):
        platform.ctl("account", "create", login, "--roles", roles, "--keep", *more, text=PASSWORD + "\n")
    platform.ctl("org", "create", "agency", "70541237", "--name-en", "Other Agency Ltd.", "--licence", "99")
    # for the same employer as the first agency: its cases are not the other's business all the same
    platform.ctl("delegation", "grant", "04595257", "70541237")
    create("broker2", "agent", "--org", "70541237")
    create("hongyuan", "employer", "--org", "04595257")
    create("tpe", "initial,second", "--station", "TPE")
    create("only1", "initial", "--station", "TAO")
    create("only2", "second", "--station", "TAO")
    # who has more open cases gets none: the case below is the first two's
    platform.ctl("account", "disable", "only1")
    platform.ctl("account", "enable", "only1")


class World:
    """A case that the broker filed for the employer "hongyuan", issued, and the employer's own of "employer"."""

    def __init__(self, platform):
        self.platform = platform
        broker, employer = platform.of("broker"), platform.of("employer")
        everyone = [platform.of(p) for p in ("reviewer1", "reviewer2", "only1")]
        self.things = {}
        for name, person in (("agency's", broker), ("employer's", employer)):
            case = flow.filed(person)
            first = next(p for p in everyone if any(c["id"] == case for c in p.see("/desk?list=mine")["cases"]))
            second = next(p for p in (platform.of("reviewer1"), platform.of("reviewer2")) if p is not first)
            flow.decide(first, case, "approve")
            flow.decide(second, case, "confirm")
            payment = flow.pay(platform, person, case)
            page = flow.issued(platform, person, case)
            await_("all papers", lambda p=person, c=case: len(p.see(f"/cases/{c}")["documents"]) == 3)
            page = person.see(f"/cases/{case}")
            self.things[name] = {
                "case": case, "worker": self.worker_of(case), "payment": payment,
                "file": page["files"][0]["id"], "document": next(d["id"] for d in page["documents"] if d["kind"] == "receipt"),
                "permit": page["permit"], "reviewers": {first.login, second.login}}
        self.accounts = {a["login"]: a["id"] for a in platform.of("admin").see("/admin")["accounts"]}

    def worker_of(self, case):
        return str(self.platform.sql("SELECT worker_id FROM cases WHERE id = ?", int(case))[0][0])

    def relations(self, login, kind, owner):
        """What the person is to the thing: the facts above, not the server's reckoning."""
        out = set()
        thing = self.things[owner]
        if owner == "agency's" and login == "broker":
            out.add("delegated")
        if (owner, login) in (("agency's", "hongyuan"), ("employer's", "employer")):
            out.add("own")
        if kind == "case" and login in thing["reviewers"]:
            out.add("assigned")
        if kind == "case" and login in ("reviewer1", "reviewer2", "only1", "only2"):
            out.add("station")
        if kind == "payment" and owner == "agency's":
            out = {"own", "delegated"} if login == "broker" else set()
        return out or {"other"}


@pytest.fixture(scope="module")
def world(platform):
    platform.expect("FWP0301: a message to ecpay/paid was refused: a field without a name")
    make_accounts(platform)
    return World(platform)


def fill(route, thing, world):
    """The route's address for a thing; a missing one where `thing` is None."""
    kind = {"FWH_CASE": "case", "FWH_WORKER": "worker", "FWH_PAYMENT": "payment"}.get(route.load)
    first = thing[kind] if thing and kind else MISSING
    if route.load == "FWH_ACCOUNT" and thing:
        first = world.accounts["only2"]
    sub = {"/documents/": "document", "/files/": "file"}
    path, used = "", False
    for segment in route.path.split("/")[1:]:
        if segment == "#" and not used:
            segment, used = first, True
        elif segment == "#":
            name = next((v for k, v in sub.items() if path.endswith(k[:-1])), None)
            segment = thing[name] if name and thing else "1"
        elif segment == "*":
            segment = {"/language": "en", "/inbox": "ecpay", "/inbox/ecpay": "paid"}.get(path, "passport_page")
            if path.startswith("/verify") or path == "/admin/permits":
                permit = thing["permit"] if thing else {"permit_no": "X", "code": "Y"}
                segment = permit["permit_no"] if path in ("/verify", "/admin/permits") else permit["code"]
        path += "/" + segment
    return path


def ask(platform, login, route, path):
    person = platform.of(login) if login != "nobody" else platform.of(None)
    if route.method == "GET":
        return person.get(path)
    if "files/" in path and path.endswith("passport_page"):
        return person.post(path, files={"file": ("a.pdf", flow.pdf())})
    return person.post(path, {})


def wanted(route, roles, relations):
    """yes, or how it is refused."""
    if "anyone" in roles and (route.path == "/session" or not tables.may(route.access, roles, tables.ANY)):
        return 401
    if not tables.may(route.access, roles, tables.ANY):
        return 403
    return "yes" if tables.may(route.access, roles, relations) else 404


def judge(route, want, status):
    if want == "yes":
        return status not in {401, 403, 404} - OF_ITSELF.get((route.method, route.path), set()) and status < 500
    return status == want


KINDS = {"FWH_CASE": "case", "FWH_WORKER": "worker", "FWH_PAYMENT": "payment"}


@pytest.mark.parametrize("route", tables.routes(), ids=lambda r: f"{r.method} {r.path}")
def test_route_by_role_and_relation(platform, world, route):
    if (route.method, route.path) in SKIPPED:
        return
    wrong = []
    owners = ["agency's", "employer's"] if route.load in KINDS else ["agency's"]
    for login, roles in ROLES_OF.items():
        for owner in owners:
            relations = world.relations(login, KINDS[route.load], owner) if route.load in KINDS else tables.ANY
            if route.load == "FWH_ACCOUNT":
                relations = {"own"} if login == "only2" else {"other"}
            want = wanted(route, roles, relations)
            path = fill(route, world.things[owner], world)
            answer = ask(platform, login, route, path)
            if not judge(route, want, answer.status_code):
                wrong.append((login, owner, path, "wanted", want, "got", answer.status_code, answer.text[:120]))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("route", [r for r in tables.routes() if r.load in KINDS], ids=lambda r: f"{r.method} {r.path}")
def test_anothers_and_a_missing_thing_look_the_same(platform, world, route):
    for login, roles in ROLES_OF.items():
        for owner in ("agency's", "employer's"):
            if wanted(route, roles, world.relations(login, KINDS[route.load], owner)) != 404:
                continue
            anothers = ask(platform, login, route, fill(route, world.things[owner], world))
            missing = ask(platform, login, route, fill(route, None, world))
            assert anothers.status_code == missing.status_code == 404, (login, owner)
            assert said(anothers) == said(missing), (login, owner)


# ---- from another page, from another site ----

CHANGES = [r for r in tables.routes() if r.method == "POST" and r.access != "page.inbox"]
FROM = {"problem.cross_site": {"Origin": "https://evil.example"}, "problem.csrf": {"X-CSRF-Token": ""}}


@pytest.mark.parametrize("what", list(FROM))
@pytest.mark.parametrize("route", CHANGES, ids=lambda r: r.path)
def test_no_change_from_elsewhere(platform, world, route, what):
    """Whoever may, and whoever may not: without the page's token, or from another site, nobody changes anything."""
    if what == "problem.csrf" and "FWH_OPEN" in route.flags:
        return
    path = fill(route, world.things["agency's"], world)
    for login in ROLES_OF:
        person = platform.of(None if login == "nobody" else login)
        body = {"files": {"file": ("a.pdf", flow.pdf())}} if path.endswith("passport_page") else {}
        answer = person.post(path, headers=FROM[what], **body)
        if login == "nobody" and what == "problem.csrf":
            assert answer.status_code == 401, (login, path, answer.text[:200])
        elif what == "problem.csrf" and "FWH_RAW" in route.flags and login not in ("broker", "hongyuan"):
            # its token comes with the body, which is not read for a stranger
            assert answer.json()["type"] in ("/problems/problem.forbidden", "/problems/problem.not_found"), (login, path)
        else:
            assert answer.status_code == 403 and answer.json()["type"] == f"/problems/{what}", (login, path, answer.text[:200])


def test_openapi_tells_the_same_roles(platform):
    paths = platform.of("admin").see("/api/openapi.json")["paths"]
    told = {(m.upper(), p): set(o["x-roles"]) for p, ms in paths.items() for m, o in ms.items()}
    for route in tables.routes():
        path, n = "", 0
        for segment in route.path.split("/")[1:]:
            n += segment in "#*"
            path += "/" + (f"{{p{n}}}" if segment in "#*" and segment else segment)
        roles = set().union(*(r for w, r, _ in tables.ROWS if w == route.access))
        assert told.pop((route.method, path)) == roles - {"system"}, route
    assert not told


def test_log_out_is_for_all(platform, world):
    assert world
    for login in ROLES_OF:
        person = platform.person(None if login == "nobody" else login)
        answer = person.post("/logout")
        assert answer.status_code == (401 if login == "nobody" else 200), (login, answer.text)


# ---- what is named in a body or a query ----

def test_things_in_bodies(platform, world):
    mine, theirs = world.things["agency's"], world.things["employer's"]
    for login, thing in (("broker", theirs), ("employer", mine), ("broker2", mine), ("hongyuan", theirs)):
        person = platform.of(login)
        for path, fields in (("/cases", {"service": "epermit", "worker": thing["worker"]}),
                             ("/payments", {"case": [thing["case"]], "method": "card"})):
            missing = person.post(path, {**fields, **({"worker": MISSING} if "worker" in fields else {"case": [MISSING]})})
            anothers = person.post(path, fields)
            assert anothers.status_code == missing.status_code == 404, (login, path, anothers.text, missing.text)
            assert said(anothers) == said(missing)
        answer = person.get(f"/pay?case={thing['case']}")
        assert answer.status_code == 404 and said(answer) == said(person.get(f"/pay?case={MISSING}"))


def test_a_worker_for_an_employer_who_did_not_delegate(platform, world):
    admin = platform.of("admin")
    orgs = {o["label"]: o["id"] for o in admin.see("/admin")["orgs"]}
    fields = flow.worker_fields(flow.passport())
    for login, org in (("broker", "Hai Tian Fishery"), ("employer", "Hong Yuan Precision Industry Co., Ltd."),
                       ("broker2", "Evergreen Care Centre")):
        answer = platform.of(login).post("/workers", {**fields, "employer": orgs[org]})
        assert answer.status_code == 404, (login, org, answer.text)
    assert world and not platform.sql("SELECT 1 FROM worker WHERE passport_no = ?", fields["passport_no"])


def test_files_and_papers_of_another_case(platform, world):
    """A file's number under a case that is one's own."""
    mine, theirs = world.things["agency's"], world.things["employer's"]
    broker, first = platform.of("broker"), platform.of(sorted(mine["reviewers"])[0])
    for person, root in ((broker, "/cases"), (first, "/review")):
        for kind, number in (("files", theirs["file"]), ("documents", theirs["document"]), ("files", MISSING)):
            answer = person.get(f"{root}/{mine['case']}/{kind}/{number}")
            assert answer.status_code == 404, (root, kind, answer.status_code)


def test_lists_hold_ones_own(platform, world):
    mine, theirs = world.things["agency's"], world.things["employer's"]

    def cases(login, path="/cases"):
        return {c["id"] for c in platform.of(login).see(path)["cases"]}

    def workers(login):
        return {w["id"] for w in platform.of(login).see("/workers")["workers"]}
    assert mine["case"] in cases("broker") and theirs["case"] not in cases("broker")
    assert theirs["case"] in cases("employer") and mine["case"] not in cases("employer")
    assert mine["case"] in cases("hongyuan") and not cases("broker2") & {mine["case"], theirs["case"]}
    assert mine["worker"] in workers("broker") and theirs["worker"] not in workers("broker")
    assert mine["worker"] in workers("hongyuan") and theirs["worker"] in workers("employer")
    assert not workers("broker2") & {mine["worker"], theirs["worker"]}


def test_a_desk_shows_its_station_alone(platform, world):
    case = flow.filed(platform.of("broker"))
    people = [platform.of(p) for p in ("reviewer1", "reviewer2", "only1")]
    first = next(p for p in people if any(c["id"] == case for c in p.see("/desk?list=mine")["cases"]))
    for other in ("tpe", *(p.login for p in people if p is not first)):
        assert case not in {c["id"] for c in platform.of(other).see("/desk?list=mine")["cases"]}, other
    flow.decide(first, case, "approve")
    assert case in {c["id"] for c in platform.of("only2").see("/desk?list=second")["cases"]}
    assert case not in {c["id"] for c in platform.of("tpe").see("/desk?list=second")["cases"]}
    assert world


def test_initial_review_belongs_to_the_assigned(platform, world):
    """Of the same station, yet not given the case: sees it, and may not decide it."""
    case = flow.filed(platform.of("broker"))
    people = [platform.of(p) for p in ("reviewer1", "reviewer2", "only1")]
    first = next(p for p in people if any(c["id"] == case for c in p.see("/desk?list=mine")["cases"]))
    other = next(p for p in people if p is not first)
    assert other.get(f"/review/{case}").status_code == 200
    assert flow.ask_to(other, case, "approve").status_code in (403, 404)
    assert flow.ask_to(platform.of("only2"), case, "approve").status_code == 403
    assert flow.ask_to(platform.of("tpe"), case, "approve").status_code == 404
    assert flow.state(platform.of("broker"), case) == "initial_review" and world


def test_dispatcher_gives_it_to_another(platform, world):
    case = flow.filed(platform.of("broker"))
    page = platform.of("dispatcher").see("/dispatch?state=initial_review")
    assert case in {c["id"] for c in page["cases"]}
    only1 = world.accounts["only1"]
    assert only1 in {o["id"] for o in page["officers"]}
    platform.of("dispatcher").do(f"/dispatch/{case}/assign", {"officer": only1})
    assert case in {c["id"] for c in platform.of("only1").see("/desk?list=mine")["cases"]}
    for wrong in (world.accounts["tpe"], world.accounts["only2"], world.accounts["broker"], MISSING):
        refused = platform.of("dispatcher").do(f"/dispatch/{case}/assign", {"officer": wrong}, status=422)
        assert refused["errors"][0]["field"] == "officer"


# ---- one payment for cases of two employers ----

def test_a_receipt_of_many_is_the_payers(platform, world):
    broker = platform.of("broker")
    employers = [e["id"] for e in broker.see("/workers/new")["employers"]]
    assert len(employers) == 2 and world
    cases = []
    for n, employer in enumerate(employers):
        fields = {**flow.worker_fields(flow.passport(), surname="TRAN", given="THI " + "AB"[n]), "employer": employer}
        case = flow.fill(broker, flow.open_case(broker, broker.do("/workers", fields)["answer"]))
        flow.submit(broker, case)
        first = next(platform.of(p) for p in ("reviewer1", "reviewer2", "only1")
                     if any(c["id"] == case for c in platform.of(p).see("/desk?list=mine")["cases"]))
        flow.decide(first, case, "approve")
        flow.decide(next(platform.of(p) for p in ("reviewer1", "reviewer2") if platform.of(p) is not first), case, "confirm")
        cases.append(case)
    payment = flow.begin_payment(broker, *cases)
    platform.control("pay", order=platform.order(broker.see(f"/payments/{payment}")["redirect"]), method="card")
    href = await_("the receipt", lambda: (broker.see(f"/payments/{payment}")["receipt"] or {}).get("href"))
    assert broker.get(href).status_code == 200
    hongyuan = platform.of("hongyuan")
    own = next(c for c in cases if hongyuan.get(f"/cases/{c}").status_code == 200)
    number = href.rsplit("/", 1)[1]
    assert hongyuan.get(f"/cases/{own}/documents/{number}").status_code == 404, "it names another employer's worker"
    assert not [d for d in hongyuan.see(f"/cases/{own}")["documents"] if d["kind"] == "receipt"]


# ---- reading changes nothing ----

def test_get_changes_nothing(platform, world):
    for login in ROLES_OF:
        platform.of(None if login == "nobody" else login)
    await_("quiet", lambda: not platform.sql("SELECT 1 FROM outbox WHERE state NOT IN ('done', 'dead')"))
    before = platform.kept(), platform.sql("SELECT * FROM account")
    for route in tables.routes():
        if route.method == "GET":
            for login in ROLES_OF:
                path = fill(route, world.things["agency's"], world)
                answer = ask(platform, login, route, path)
                assert answer.status_code < 500, (login, path)
                platform.of(None if login == "nobody" else login).http.head(platform.base + path, allow_redirects=False)
    assert before == (platform.kept(), platform.sql("SELECT * FROM account"))


def test_reads_of_personal_data_are_audited(platform, world):
    case = world.things["agency's"]["case"]
    platform.of("cashier").see("/search?q=" + case)
    platform.of("auditor").see(f"/review/{case}")

    def read():
        """On any page of the trail: looking is a read as well, and buries what came before."""
        page, found = "/audit", []
        while page and not found:
            model = platform.of("auditor").see(page)
            page, found = model["next"], [r for r in model["records"] if r["what"] == "read.review"
                                          and r["about"] == f"case:{case}" and r["who"] == "auditor"]
        return found
    await_("the read in the audit trail", read)


# ---- delegation ----

def test_a_revoked_delegation_takes_the_cases_away_at_once(platform, world):
    mine = world.things["agency's"]
    broker, employer = platform.of("broker"), platform.of("hongyuan")
    draft = flow.open_case(broker, mine["worker"])
    line = [d for d in employer.see("/account")["delegations"] if d["agency"].startswith("Far Sail")][0]
    assert platform.of("employer").post(line["action"]).status_code == 404
    employer.do(line["action"])
    for path in (f"/cases/{mine['case']}", f"/workers/{mine['worker']}", f"/cases/{draft}/edit",
                 f"/cases/{mine['case']}/documents/{mine['document']}", f"/cases/{mine['case']}/files/{mine['file']}"):
        assert broker.get(path).status_code == 404, path
    for path, fields in ((f"/cases/{draft}/edit", {"visa_no": "V1"}), (f"/cases/{draft}/submit", {}),
                         ("/cases", {"service": "epermit", "worker": mine["worker"]})):
        assert broker.post(path, fields).status_code == 404, path
    assert broker.post(f"/cases/{draft}/files/photo", files={"file": ("p.jpg", b"x")}).status_code == 404
    assert not {c["id"] for c in broker.see("/cases")["cases"]} & {mine["case"], draft}
    assert mine["worker"] not in {w["id"] for w in broker.see("/workers")["workers"]}
    page = broker.get(f"/payments/{mine['payment']}")
    assert page.status_code == 200 and page.json()["is_paid"], "what it paid it still sees"
    assert "NGUYEN" not in page.text and mine["case"] not in {c["id"] for c in page.json()["cases"]}, "whom for not"
    assert {c["id"] for c in employer.see("/cases")["cases"]} >= {mine["case"], draft}
    agency = [a["id"] for a in employer.see("/account")["agencies"] if a["label"].startswith("Far Sail")][0]
    employer.do("/account/delegations", {"agency": agency})
    assert broker.get(f"/cases/{mine['case']}").status_code == 200
    employer.do("/account/delegations", {"agency": agency}, status=409)
    employer.do(line["action"], status=404)
