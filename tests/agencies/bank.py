"""A bank with virtual accounts: takes transfers, and lays a file of them into a folder each day; its books are its own.

Written from docs/integrators/transfer.md alone. A file is written under another name first, as banks' programs do."""
import datetime
import os
import pathlib

TAIPEI = datetime.timezone(datetime.timedelta(hours=8))
LINE = 60


class Refused(Exception):
    """No account of this bank's."""


def check_digit(digits):
    total = sum(int(d) * (3, 7, 1)[i % 3] for i, d in enumerate(digits))
    return str(-total % 10)


class Bank:
    def __init__(self, folder, prefix="98712", holder="12345678901234"):
        self.folder, self.prefix, self.holder = pathlib.Path(folder), prefix, holder
        self.taken = []  # (account, amount, when, number)
        self.told = 0
        self.files = 0

    def transfer(self, account, amount, when=None):
        """Somebody pays; a mistyped account is refused at the counter."""
        if len(account) != 16 or not account.startswith(self.prefix) or account[-1] != check_digit(account[:-1]):
            raise Refused(account)
        number = f"{len(self.taken) + 1:012d}"
        self.taken.append((account, amount, when or datetime.datetime.now(TAIPEI), number))
        return number

    def payment(self, account, amount, when, number):
        return f"2{account}{amount:011d}{when:%Y%m%d%H%M%S}{number}".ljust(LINE)

    def lines(self, day, serial, payments):
        total = sum(amount for _, amount, _, _ in payments)
        return [f"1{self.holder}{day}{serial:04d}".ljust(LINE), *(self.payment(*p) for p in payments),
                f"3{len(payments):06d}{total:013d}".ljust(LINE)]

    def write(self, lines, name=None, end="\r\n"):
        self.files += 1
        path = self.folder / (name or f"VA{self.files:04d}.txt")
        part = path.with_suffix(".part")
        part.write_bytes("".join(line + end for line in lines).encode("ascii"))
        os.replace(part, path)
        return path

    def day(self, day="20261125", name=None):
        """The file of what came since the last one."""
        payments, self.told = self.taken[self.told:], len(self.taken)
        return self.write(self.lines(day, self.files + 1, payments), name)
