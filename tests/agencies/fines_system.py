"""The fines system: what it is told of cases, its fines by dated bands, and the messages that it has for whoever polls. It judges every
document by the schema itself."""
import datetime

import agency
import books
import xroad
from agency import Refused, add, in_order, moment, told

NS = "urn:fwpermit:penalty:1"
# From a day on: fines by days late, NT$ 2,000 to 10,000 (Immigration Act art. 85(2)). The true bands are not public; these are assumed.
BANDS = [("2016-01-01", ((10, 2000), (30, 4000), (60, 6000), (90, 8000), (36500, 10000))),
         ("2024-03-01", ((10, 2000), (30, 4000), (60, 6000), (90, 8000), (36500, 10000)))]
PAY_HOW = "持繳款單至超商、郵局繳納 / With the payment slip at any convenience store or post office"
MEMBERS = ("fine_no", "case_no", "version", "state", "reason", "amount", "set", "pay_by", "paid_at", "rule", "pay_how")
SETTLED = ("paid", "waived", "cancelled")


class Books(books.Books):
    kinds = ("requests", "handshakes", "cases", "fines", "messages", "acks")
    all_switches = {**agency.SWITCHES, "decides": "at_once"}
    choices = {**xroad.CHOICES, "decides": ("at_once", "later", "never")}


def today():
    return datetime.datetime.now(books.TAIPEI).date()


def band_of(filed, days):
    """(amount, rule) for so many days late on that day."""
    bands = [rows for begin, rows in BANDS if begin <= filed][-1]
    least = 1
    for most, amount in bands:
        if days <= most:
            return amount, f"入出國及移民法第85條第2款，逾期 {least}–{most} 日 / Immigration Act art. 85(2), {least} to {most} days"
        least = most + 1
    raise Refused("no band")


def add_fines(parent, fines):
    inside = add(parent, "fines", {})
    for fine in fines:
        add(inside, "fine", in_order(MEMBERS, fine))


class System(agency.Agency):
    ns, schema_file, subsystem = NS, "penalty-1.xsd", ("TW", "GOV", "NIA", "fines")
    name, root, plural, list = "fines", "fineMessage", "Fines", "fines"
    Books = Books

    def own_services(self):
        return {"putCase": self.put, "findFines": self.find}

    def add_list(self, parent, things):
        add_fines(parent, things)

    def put(self, element, _meta):
        case = told(element)
        known = self.case(case["case_no"])
        if known and int(known["told"]["version"]) >= int(case["version"]):
            return self.fines_of(case["case_no"], "putCaseResponse")
        row = known or {}
        row["told"] = case
        self.books.write("cases", row)
        late, decides = int(case["days_late"]), self.books.switch("decides")
        if late and decides == "at_once" and not self.rows_of(case["case_no"]):
            self.set_fine(case["case_no"], push=False)
        if late and decides == "later" and not self.rows_of(case["case_no"]):
            answer = self.element("putCaseResponse")
            add(answer, "pending", "true")
            return answer
        return self.fines_of(case["case_no"], "putCaseResponse")

    def find(self, element, _meta):
        return self.fines_of(element[0].text, "findFinesResponse")

    def fines_of(self, case_no, name):
        answer = self.element(name)
        rows = [r["fine"] for r in self.books.rows("fines")] if self.books.switch("mixed_up") else self.rows_of(case_no)
        add_fines(answer, rows)
        return answer

    # What a person at the desk does

    def case(self, case_no):
        return next((r for r in self.books.rows("cases") if r["told"]["case_no"] == case_no), None)

    def rows_of(self, case_no):
        return [r["fine"] for r in self.books.rows("fines") if r["fine"]["case_no"] == case_no]

    def set_fine(self, case_no, push=True, **wanted):
        """Sets a fine, by its band where no amount is said; `wanted` is of a fine. Whether it makes sense is not judged."""
        with self.books.lock:
            case = self.case(case_no)
            fine = {"case_no": case_no, "version": 1, "state": "open", "reason": "late_filing", "set": today().isoformat(),
                    "pay_by": (today() + datetime.timedelta(days=30)).isoformat(), "pay_how": PAY_HOW}
            if "amount" not in wanted:
                if not case or int(case["told"]["days_late"]) == 0:
                    raise Refused(f"case {case_no} is not late")
                fine["amount"], fine["rule"] = band_of(case["told"]["filed"], int(case["told"]["days_late"]))
            fine["fine_no"] = f"F{today().year - 1911:03d}-{len(self.books.rows('fines')) + 1:06d}"
            fine.update(wanted)
            fine = {k: v for k, v in fine.items() if v is not None}
            self.books.write("fines", {"fine": fine})
            if push:
                self.push([fine])
            return fine

    def change(self, fine_no, state, push=True):
        """Paid, waived, cancelled; or open again."""
        with self.books.lock:
            row = next((r for r in self.books.rows("fines") if r["fine"]["fine_no"] == fine_no), None)
            if not row:
                raise Refused(f"no fine {fine_no}")
            if row["fine"]["state"] == state or state not in (*SETTLED, "open"):
                raise Refused(f"it cannot become {state}")
            fine = {**row["fine"], "state": state, "version": int(row["fine"]["version"]) + 1}
            fine.pop("paid_at", None)
            if state == "paid":
                fine["paid_at"] = moment()
            row["fine"] = fine
            self.books.write("fines", row)
            if push:
                self.push([fine])
            return fine
