"""The life of a card, which passes all six systems, in steps. What a person at another system does is done at its desk, which is never
in trouble; what is awaited is what the platform makes of it."""
import contextlib
import datetime

import flow
import requests
from lives import life
from platform_under_test import await_

PATIENCE = 150.0  # seconds; a lease is of 120
HEARD_SOON = 25.0
LATE_DAYS = 70
TYPED = ("arrived", "entry_date", "permit_letter", "contract_from", "contract_to")  # border and labour agency say them


class Card:
    """`late`: it is applied for after its last day."""

    def __init__(self, site, systems, late):
        self.site, self.systems, self.late = site, systems, late
        self.log_in()
        self.passport = flow.passport()
        self.worker = flow.register(self.broker, self.passport)
        self.case = self.case_no = self.permit_no = None

    def log_in(self):
        self.broker = life.log_in(self.site, "broker")
        self.officers = [life.log_in(self.site, "reviewer1"), life.log_in(self.site, "reviewer2")]

    def until(self, what, probe):
        return await_(f"{what} of {self.passport}", probe, PATIENCE)

    def stay(self):
        return self.broker.see(f"/workers/{self.worker}")["stay"]

    def state(self):
        return flow.state(self.broker, self.case)

    def reaches(self, *states):
        self.until(" or ".join(states), lambda: self.state() in states)

    def person(self):
        return {"name_latin": "NGUYEN VAN ANH", "passport_no": self.passport, "nationality": "VNM", "birth": "1990-03-15", "sex": "M"}

    # the steps

    def reported(self):
        at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=LATE_DAYS if self.late else 2)
        self.systems.border.done("report", direction="arrival", person=self.person(), at=at.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def arrived(self):
        self.until("arrival", lambda: self.stay()["entered"])

    def written(self):
        self.systems.labour.done("issue", permit={
            "kind": "employment", "state": "valid", "issued": flow.iso(-1), "valid_from": flow.iso(-1), "valid_to": flow.iso(700),
            "category": "manufacturing", "employer": {"id": "04595257", "name": "宏遠精密股份有限公司"}, "worker": self.person()})

    def permitted(self):
        self.until("letter", lambda: self.stay()["letters"])

    def filed(self, nothing_said=False):
        self.case = flow.open_case(self.broker, self.worker, "card")
        flow.fill_with(self.broker, self.case, {k: v for k, v in flow.card_fields().items() if nothing_said or k not in TYPED})
        self.case_no = flow.submit(self.broker, self.case)

    def told(self, fee):
        """The fines system has it so."""
        def book():
            found = [r["told"] for r in self.systems.fines.books()["cases"] if r["told"]["case_no"] == self.case_no]
            return found and found[0]["fee"]["state"] == fee
        self.until(f"fee {fee} in the fines system's books", book)

    def assigned(self):
        self.reaches("initial_review")

    def scanned(self):
        self.assigned()
        self.told("none")

    def reviewed(self):
        flow.approve(self.site, self.case, self.officers)

    def ordered(self, payment):
        """The payer comes to the gateway, again until it lets them in."""
        with contextlib.suppress(requests.exceptions.ConnectionError, AssertionError):
            order = self.site.order(self.broker.see(f"/payments/{payment}")["redirect"])
            return order if any(o["order"] == order for o in self.site.books()["orders"]) else None
        return None

    def pays(self):
        """At the gateway; what the platform hears of it is another thing."""
        payment = self.broker.do("/payments", {"case": [self.case], "method": "card"}, status=202)["answer"]
        self.until("form of the gateway", lambda: self.broker.see(f"/payments/{payment}")["redirect"])
        order = self.until("order at the gateway", lambda: self.ordered(payment))
        self.site.control("pay", order=order, method="card")

    def gone_on(self):
        self.reaches("producing", "held")
        self.told("paid")

    def settled(self):
        if not self.late:
            return
        self.until("fine", lambda: self.broker.see(f"/cases/{self.case}")["penalty"]["owed"])
        fine = next(r["fine"] for r in self.systems.fines.books()["fines"] if r["fine"]["case_no"] == self.case_no)
        assert self.state() == "held"
        self.systems.fines.done("change", fine_no=fine["fine_no"], state="paid")
        self.reaches("producing")

    def job(self):
        rows = life.rows(self.site, f"SELECT job_no FROM card_job WHERE case_id = {int(self.case)}")
        return rows[0][0] if rows else None

    def made(self):
        job = self.until("job", self.job)
        self.until("job at the bureau", lambda: job in self.systems.bureau.books()["jobs"])
        for what in ("accept", "make", "spoil", "accept", "make", "send", "arrive"):
            self.systems.bureau.move(job, what)
        with contextlib.suppress(AssertionError):
            return await_("what the bureau said", lambda: self.state() == "issued", HEARD_SOON)
        # Its last message may be the one that was lost. Hours later the clock asks; here it is that hour.
        self.site.sql(f"UPDATE card_job SET ask_at = 1 WHERE case_id = {int(self.case)}")
        return self.until("card", lambda: self.state() == "issued")

    def collected(self):
        card = self.broker.see(f"/cases/{self.case}")["card"]
        hand = self.officers[0].see(f"/handout/{self.case}")
        self.officers[0].do(hand["action"], {"code": card["code"], "version": hand["version"]})
        self.permit_no = self.broker.see(f"/cases/{self.case}")["permit"]["permit_no"]

        def book():
            return any(r["permit"]["permit_no"] == self.permit_no for r in self.systems.border.books()["permits"])
        self.until("permit in the border's books", book)


# A step's name: what is done in it.
STEPS = {"arrive": (Card.reported, Card.arrived), "letter": (Card.written, Card.permitted), "file": (Card.filed, Card.scanned),
         "hear": (Card.arrived, Card.permitted), "scan": (Card.scanned,), "review": (Card.reviewed,), "pay": (Card.pays, Card.gone_on),
         "settle": (Card.gone_on,), "fine": (Card.settled,), "make": (Card.made,), "collect": (Card.collected,)}
LIFE = ("arrive", "letter", "file", "review", "pay", "fine", "make", "collect")
# Who takes part in it, beside httpd and the pump.
SYSTEMS = {"arrive": ("border",), "letter": ("labour",), "file": ("scanner", "fines"), "pay": ("gateway", "fines"), "fine": ("fines",),
           "make": ("bureau",), "collect": ("border",)}
