"""The route table and the permissions table, read from the source: what is tested is that the server keeps them."""
import re
from typing import NamedTuple

from platform_under_test import ROOT

ROLES = {"EMPLOYER": "employer", "AGENT": "agent", "INITIAL": "initial", "SECOND": "second",
         "DISPATCHER": "dispatcher", "CASHIER": "cashier", "ADMIN": "admin", "AUDITOR": "auditor", "SYSTEM": "system"}
APPLICANTS, OFFICERS = {"employer", "agent"}, {"initial", "second", "dispatcher", "cashier", "admin", "auditor"}
GROUPS = {"FW_ROLES_APPLICANT": APPLICANTS, "FW_ROLES_OFFICER": OFFICERS, "LOGGED_IN": APPLICANTS | OFFICERS,
          "EVERYBODY": APPLICANTS | OFFICERS | {"anyone"}, "FW_ROLE_ANYONE": {"anyone"}}
ANY = {"own", "delegated", "assigned", "station", "other"}
RELATIONS = {"OWN": {"own"}, "DELEGATED": {"delegated"}, "ASSIGNED": {"assigned"},
             "STATION": {"station", "assigned"}, "ANY": ANY}


class Route(NamedTuple):
    method: str
    path: str
    access: str
    load: str
    flags: str


def roles_of(text):
    out = set()
    for word in text.split("|"):
        word = word.strip()
        out |= GROUPS[word] if word in GROUPS else {ROLES[word]}
    return out


def permissions():
    """[(what, roles, relations)]"""
    source = (ROOT / "mod_fwpermit/core/fw_access.c").read_text(encoding="utf-8")
    table = re.search(r"static const fw_access table\[\] = \{\n(.*?)\n\};", source, re.S)[1]
    rows = []
    for line in re.sub(r"\s*/\*.*?\*/", "", table).splitlines():
        both = re.fullmatch(r'\s+APPLICANTS\("([a-z_.]+)"\),', line)
        one = re.fullmatch(r'\s+\{"([a-z_.]+)", ([A-Z_| ]+), ([A-Z_| ]+)\},', line)
        assert both or one or not line.strip(), line
        if both:
            rows += [(both[1], {"employer"}, {"own"}), (both[1], {"agent"}, {"delegated"})]
        if one:
            rows.append((one[1], roles_of(one[2]), set().union(*(RELATIONS[w.strip()] for w in one[3].split("|")))))
    assert len(rows) > 60
    return rows


def routes():
    source = (ROOT / "mod_fwpermit/httpd/fwh_routes.c").read_text(encoding="utf-8")
    table = re.search(r"static const fwh_route routes\[\] = \{\n(.*?)\n\};", source, re.S)[1]
    out = []
    for entry in re.findall(r"GET\([^()]*\)|POST\([^()]*\)|\{M_[^{}]*\}", table):
        words = [w.strip() for w in re.sub(r"\s+", " ", entry).strip("{})").replace("(", ",").split(",")]
        method = words[0].removeprefix("M_")
        path, access = (w.strip('"') for w in words[1:3])
        out.append(Route(method, path, access, words[3], words[4]))
    assert len(out) == table.count("fwh_do_") + len(re.findall(r"^\s+(?:GET|POST)\(", table, re.M))
    return out


ROWS = permissions()


def may(what, roles, relations):
    return any(w == what and roles & r and relations & rel for w, r, rel in ROWS)
