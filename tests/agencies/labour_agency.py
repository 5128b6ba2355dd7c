"""The labour agency: its letters, and the messages that it has for whoever polls. It judges every document by the schema itself."""
import datetime

from lxml import etree

import agency
import books
import xroad
from agency import Refused, add, in_order

NS = "urn:fwpermit:labour:1"
PREFIX = "勞動發事字第"
ORDER = {
    "recruitment": ("kind", "letter_no", "state", "issued", "valid_from", "valid_to", "grace_to", "employer", "category", "nationalities",
                    "quota", "used", "workplace"),
    "employment": ("kind", "letter_no", "state", "issued", "valid_from", "valid_to", "ended", "employer", "worker", "category",
                   "workplace", "recruitment_no"),
}
SORT_OF = {"recruitment": "recruitment", "introduction": "recruitment", "replacement": "recruitment",
           "employment": "employment", "extension": "employment", "takeover": "employment"}
MOST = 200


class Books(books.Books):
    kinds = ("requests", "handshakes", "letters", "messages", "acks")
    all_switches = {**agency.SWITCHES, "find_most": MOST}
    choices = xroad.CHOICES


def add_permit(parent, permit):
    sort = SORT_OF.get(permit.get("kind"), "recruitment")
    return add(parent, sort, in_order(ORDER[sort], permit))


class Agency(agency.Agency):
    ns, schema_file, subsystem = NS, "labour-1.xsd", ("TW", "GOV", "MOL", "labour")
    name, root, plural, list = "labour", "permitMessage", "Permits", "permits"
    Books = Books

    def own_services(self):
        return {"findPermits": self.find}

    def add_list(self, parent, things):
        inside = add(parent, "permits", {})
        for permit in things:
            add_permit(inside, permit)
        return inside

    def find(self, element, _meta):
        asked = {etree.QName(c).localname: c for c in element}
        if not asked:
            raise xroad.Fault("NOTHING_ASKED", "a number, a worker or an employer")
        permits = [r["permit"] for r in self.books.rows("letters")]
        permits = permits[::-1] if self.books.switch("mixed_up") else [p for p in permits if fits(p, asked)]
        answer = self.element("findPermitsResponse")
        most = self.books.switch("find_most")
        self.add_list(answer, permits[:most])
        if len(permits) > most:
            add(answer, "more", "true")
        return answer

    # What a person at the agency does

    def next_number(self):
        """A letter's number of this year of the Republic."""
        year = datetime.date.today().year - 1911
        return f"{PREFIX}{year:03d}{9000000 + len(self.books.rows('letters')):07d}號"

    def letter(self, number):
        return next((r for r in self.books.rows("letters") if r["permit"]["letter_no"] == number), None)

    def issue(self, permit, push=None):
        """Writes a letter, or a newer one of its number; an employment permit is pushed. Whether it makes sense is not judged."""
        with self.books.lock:
            permit = {"letter_no": self.next_number(), **permit}
            known = self.letter(permit["letter_no"])
            if known:
                known["permit"] = permit
                self.books.write("letters", known)
            else:
                self.books.write("letters", {"permit": permit})
            if push if push is not None else SORT_OF.get(permit.get("kind")) == "employment":
                self.push([permit])
            return permit

    def revoke(self, number, push=True):
        known = self.letter(number)
        if not known:
            raise Refused(f"no letter {number}")
        if known["permit"]["state"] == "revoked":
            raise Refused("it is revoked already")
        permit = {**known["permit"], "state": "revoked"}
        if SORT_OF[permit["kind"]] == "employment":
            permit["ended"] = datetime.date.today().isoformat()
        return self.issue(permit, push)


def fits(permit, asked):
    if "letter_no" in asked and permit["letter_no"] != asked["letter_no"].text:
        return False
    if "employer_id" in asked and permit["employer"]["id"] != asked["employer_id"].text:
        return False
    if "worker" in asked:
        worker = permit.get("worker", {})
        return all(worker.get(etree.QName(c).localname) == c.text for c in asked["worker"] if etree.QName(c).localname != "ui_no")
    return True
