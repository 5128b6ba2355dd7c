"""The shim of shim.c as tests see it: built on demand, told by the platform's "fault.ctl" which call meets what."""
import errno
import mmap
import os
import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
# shim.c has the same lists in the same order.
KINDS = ("write", "sync", "rename", "link", "unlink", "open", "truncate", "read", "connect", "send", "recv", "database")
ROLES = ("httpd", "pump", "sealer", "signer", "pictures", "parent", "plugin ecpay", "plugin mail", "other")
CONDITIONS = {"disk full": 1, "read-only": 2, "no descriptors": 4, "no names": 8}
SHORT, SLOW, LOST = -1, -2, -3
HOWS = {"short": SHORT, "slow": SLOW, "lost": LOST, "IOERR": 10, "BUSY": 5, "FULL": 13,
        **{name: getattr(errno, name) for name in ("EIO", "ENOSPC", "EDQUOT", "EMFILE", "ECONNRESET", "EINTR", "ECONNREFUSED")}}
ARMED, ROLE, KIND, LEFT, TIMES, HOW, HITS, STATE, BACK, BACK_ROLE, CALLS = range(11)


def build(folder):
    """The library's path."""
    out = pathlib.Path(folder) / "fault-shim.so"
    out.parent.mkdir(parents=True, exist_ok=True)
    flags = subprocess.run(["pkg-config", "--cflags", "apr-1", "apr-util-1"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror",
                    "-O2", "-g", "-fPIC", "-shared", *flags, "-o", str(out), str(HERE / "shim.c"), "-ldl"], check=True)
    return out


class Shim:
    """What the library shares with tests. Made before the platform starts, which inherits it by FW_SERVER_ENV."""

    def __init__(self, site, library):
        site.folder.mkdir(parents=True, exist_ok=True)
        path = site.folder / "fault.ctl"
        path.write_bytes(bytes(4 * (CALLS + len(ROLES) * len(KINDS))))
        path.chmod(0o666)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)
        os.environ["FW_SERVER_ENV"] = f"LD_PRELOAD={library} FW_FAULT={site.folder}"

    def _get(self, field):
        return struct.unpack_from("i", self.map, 4 * field)[0]

    def _set(self, field, value):
        struct.pack_into("i", self.map, 4 * field, value)

    def calls(self):
        """How many there were, by role and kind."""
        return {(r, k): self._get(CALLS + i * len(KINDS) + j) for i, r in enumerate(ROLES) for j, k in enumerate(KINDS)}

    def order(self, role, kind, nth, how, times=1):
        """The nth call from now, and the times - 1 that follow it."""
        self.rest()
        for field, value in ((ROLE, ROLES.index(role)), (KIND, KINDS.index(kind)), (LEFT, nth), (TIMES, times),
                             (HOW, HOWS[how]), (HITS, 0), (ARMED, 1)):
            self._set(field, value)

    def rest(self):
        """Ends the order; tells whether it hit."""
        self._set(ARMED, 0)
        return self._get(HITS) > 0

    def hits(self):
        return self._get(HITS)

    def set(self, *conditions):
        self._set(STATE, sum(CONDITIONS[c] for c in conditions))

    def set_back(self, seconds, role=None):
        """The clock of one role or of all, by so much; 0 for as it is."""
        self._set(BACK_ROLE, ROLES.index(role) if role else -1)
        self._set(BACK, seconds)
