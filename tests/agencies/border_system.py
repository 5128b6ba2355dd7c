"""The border's inspection system: the permits that it was told, arrivals and departures, and the messages that it has for whoever polls."""
import datetime

import agency
import books
import xroad
from agency import Refused, add, in_order, moment, told

NS = "urn:fwpermit:border:1"
MEMBERS = ("id", "direction", "state", "at", "port", "person", "entry", "permit_no")
PERSON = ("name_latin", "passport_no", "nationality", "birth", "sex")
IDENTITY = ("passport_no", "nationality", "birth")
MOST, MOST_NEAR, NEAR_DIFFERS = 200, 50, 2


class Books(books.Books):
    kinds = ("requests", "handshakes", "permits", "movements", "messages", "acks")
    all_switches = {**agency.SWITCHES, "find_most": MOST, "near_most": MOST_NEAR, "near_lies": False, "oldest_first": False}
    choices = xroad.CHOICES


def add_movements(parent, movements):
    inside = add(parent, "movements", {})
    for movement in movements:
        add(inside, "movement", in_order(MEMBERS, movement))
    return inside


def day_of(at):
    """In Taipei."""
    when = datetime.datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    return when.astimezone(books.TAIPEI).date().isoformat()


def differing(one, other):
    return [n for n in PERSON if one.get(n) != other.get(n)]


class System(agency.Agency):
    ns, schema_file, subsystem = NS, "border-1.xsd", ("TW", "GOV", "NIA", "border")
    name, root, plural, list = "border", "movementMessage", "Movements", "movements"
    Books = Books

    def own_services(self):
        return {"putPermit": self.put, "findMovements": self.find}

    def add_list(self, parent, things):
        add_movements(parent, things)

    # The services

    def put(self, element, _meta):
        """Keeps the highest version, and counts how often each was told."""
        permit = told(element)
        row = self.permit(permit["permit_no"]) or {"times": {}}
        row["times"][permit["version"]] = row["times"].get(permit["version"], 0) + 1
        if "permit" not in row or int(row["permit"]["version"]) < int(permit["version"]):
            row["permit"] = permit
        self.books.write("permits", row)
        answer = self.element("putPermitResponse")
        add(answer, "reference", f"B-{row['id']}")
        return answer

    def find(self, element, _meta):
        asked = told(element)
        exact, near = [], []
        for movement in sorted((r["movement"] for r in self.books.rows("movements")), key=lambda m: m["at"], reverse=True):
            differs = differing(movement["person"], asked["person"])
            if not asked.get("from", "") <= day_of(movement["at"]) <= asked.get("to", "9999-12-31") and not self.books.switch("mixed_up"):
                continue
            if not set(differs) & set(IDENTITY) or self.books.switch("mixed_up"):
                exact.append(movement)
            elif len(differs) <= NEAR_DIFFERS:
                near.append({"movement": movement, "differs": ["sex"] if self.books.switch("near_lies") else differs})
        return self.answer(exact, near)

    def answer(self, exact, near):
        answer = self.element("findMovementsResponse")
        order = -1 if self.books.switch("oldest_first") else 1
        add_movements(answer, exact[:self.books.switch("find_most")][::order])
        inside = add(answer, "near", {})
        for match in near[:self.books.switch("near_most")]:
            add(inside, "match", {**match, "movement": in_order(MEMBERS, match["movement"])})
        return answer

    # What a person at the border does

    def permit(self, number):
        return next((r for r in self.books.rows("permits") if r["permit"]["permit_no"] == number), None)

    def movement(self, name):
        return next((r for r in self.books.rows("movements") if r["movement"]["id"] == name), None)

    def report(self, push=True, **wanted):
        """Writes an arrival or a departure, or a newer record of its id. Whether it makes sense is not judged."""
        with self.books.lock:
            movement = {"direction": "arrival", "state": "current", "at": moment(), "port": "TPE", **wanted}
            movement = {k: v for k, v in movement.items() if v is not None}
            movement.setdefault("id", f"{movement['at'][:10]}/{movement['port']}/{len(self.books.rows('movements')) + 1:06d}")
            row = self.movement(movement["id"]) or {}
            row["movement"] = movement
            self.books.write("movements", row)
            if push:
                self.push([movement])
            return movement

    def cancel(self, name, push=True):
        row = self.movement(name)
        if not row:
            raise Refused(f"no movement {name}")
        if row["movement"]["state"] == "cancelled":
            raise Refused("it is cancelled already")
        return self.report(push, **{**row["movement"], "state": "cancelled"})
