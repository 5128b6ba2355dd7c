"""A PostgreSQL of its own for tests, in a folder of its own; and a second one that follows it."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from platform_under_test import ROOT, await_

PORTS = ("25900", "25949")


class Cluster:
    """`follows`: what another one has this one has before it is acknowledged."""

    def __init__(self, follows=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fw-pg-"))
        self.folder.chmod(0o755)
        self.words = (self._tool("standby", follows.folder, *PORTS) if follows else self._tool("start", *PORTS)).stdout.strip()
        self.options = ("--driver", "pgsql", "--database", self.words)

    def _tool(self, goal, *more, check=True):
        return subprocess.run([ROOT / "tests/lib/pgsql", goal, self.folder, *more], check=check, timeout=120, capture_output=True, text=True)

    def restart(self):
        self._tool("restart")

    def stop(self):
        self._tool("stop")

    def end(self):
        self._tool("stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def postmaster(self):
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "data/postmaster.pid").read_text().split()[0])
        return None

    def backends(self):
        """Those that serve somebody."""
        found, parent = [], self.postmaster()
        with contextlib.suppress(OSError):
            for pid in pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
                with contextlib.suppress(OSError):
                    if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"postgres: fwpermit "):
                        found.append(int(pid))
        return found

    def _children(self):
        parent = self.postmaster()
        return [int(pid) for pid in pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]

    def signal(self, number):
        """To all of its processes."""
        for pid in (self.postmaster(), *self._children()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def promote(self):
        self._tool("promote")

    def kill_postmaster(self):
        """Returns what starts another, once all of its processes have seen it."""
        left = [pathlib.Path(f"/proc/{pid}") for pid in self._children()]
        os.kill(self.postmaster(), signal.SIGKILL)
        return lambda: self._another(left)

    def _another(self, left):
        await_("the end of the database", lambda: not any(p.exists() for p in left))
        await_("another database", lambda: self._tool("restart", check=False).returncode == 0)
