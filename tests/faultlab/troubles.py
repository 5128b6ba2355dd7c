"""What can go wrong with a system, or a process, and how the lab brings it about. A trouble is (of whom, what)."""
import collections
import contextlib
import os
import random
import signal
import time

from cards_sshd import SWITCHES as DOOR
from lives import life

Trouble = collections.namedtuple("Trouble", "of what")

# Of those behind X-Road. What has `times` ends by itself, all else when the lab lifts it.
XROAD = {"slow": {"slow_ms": 2500}, "500": {"fail": "http500", "times": 2}, "503": {"fail": "http503", "times": 2},
         "reset": {"fail": "reset", "times": 2}, "half an answer": {"fail": "half", "times": 2}, "nonsense": {"fail": "nonsense", "times": 2},
         "off its schema": {"fail": "off_schema", "times": 1}, "its answer lost": {"fail": "http500", "after": True, "times": 1},
         "reset when done": {"fail": "reset", "after": True, "times": 1}, "twice": {"twice": True}, "newest first": {"newest_first": True},
         "down": {"fail": "down"}}
XROAD_CALM = {"slow_ms": 0, "fail": "none", "after": False, "times": 0, "twice": False, "newest_first": False}
BUREAU = {"slow": {"slow_ms": 20}, "down": {"down": True}, "mute": {"mute": True}, "key refused": {"key_refused": True},
          "read only": {"read_only": True}, "disk full": {"full": 64}, "cut off": "cut", "half a message": "half", "nonsense": "nonsense",
          "twice": "twice", "reordered": "reorder"}
GATEWAY = {"slow": {"slow_ms": 2000}, "500": {"fail": "http500"}, "hangs up": {"fail": "close"}, "nonsense": {"fail": "nonsense"},
           "twice": {"twice": True}, "no notice": {"drop_callbacks": True}, "out of order": {"out_of_order": True}}
GATEWAY_CALM = {"slow_ms": 0, "fail": "none", "twice": False, "drop_callbacks": False, "out_of_order": False}
SCANNER = ("down", "silent", "killed")
ALL = {"border": XROAD, "labour": XROAD, "fines": XROAD, "bureau": BUREAU, "gateway": GATEWAY, "scanner": SCANNER}
AT_MOST = 0.6  # seconds into a step at which a process is killed


class Troubles:
    """Of one platform and its systems."""

    def __init__(self, site, systems):
        self.site, self.systems = site, systems

    def bring(self, trouble):
        of, what = trouble
        if of == "kill":
            self.kill(what)
        elif of == "bureau":
            self.bring_bureau(BUREAU[what])
        elif of == "gateway":
            self.site.switch(**GATEWAY[what])
        elif of == "scanner":
            self.bring_scanner(what)
        else:
            getattr(self.systems, of).switch(**XROAD[what])

    def lift(self, trouble):
        """Whether it was met."""
        of, what = trouble
        met = True
        if of == "bureau":
            self.systems.bureau.switch(**DOOR)
        elif of == "gateway":
            self.site.switch(**GATEWAY_CALM)
        elif of == "scanner":
            self.lift_scanner()
        elif of != "kill":
            one = getattr(self.systems, of)
            met = "times" not in XROAD[what] or one.books()["switches"]["times"] < XROAD[what]["times"]
            one.switch(**XROAD_CALM)
        return met

    def bring_bureau(self, how):
        bureau = self.systems.bureau
        if how == "cut":
            bureau.control("cut")
        elif isinstance(how, str):
            bureau.control("fault", what=how)
        else:
            bureau.switch(**how)

    def bring_scanner(self, what):
        clamd = self.systems.clamd
        if what == "down":
            clamd.stop()
        else:
            clamd.process.send_signal(signal.SIGSTOP if what == "silent" else signal.SIGKILL)

    def lift_scanner(self):
        clamd = self.systems.clamd
        if clamd.process.poll() is None:
            clamd.process.send_signal(signal.SIGCONT)
        if not clamd.answers():
            clamd.restart()

    def kill(self, kind):
        """In the middle of something; nobody where it is being started just then."""
        time.sleep(random.uniform(0, AT_MOST))
        if kind == "postmaster":
            return self.site.cluster.kill_postmaster()()
        with contextlib.suppress(ProcessLookupError):
            for pid in life.children(self.site, kind)[:1]:
                os.kill(pid, signal.SIGKILL)
        return None
