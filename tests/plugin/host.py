"""The process of a plugin, and a client that speaks with it as the pump does."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import contracts

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = (ROOT / os.environ.get("B", "build")).resolve()
PLUGINS = BUILD / "plugins"
LOOSE = ROOT / "tests/plugin/loose"  # contracts that let everything through
SECONDS = 20
BLOB_MAX = 524288
JSON_MAX = 1048576


def until(true_of, what="it"):
    """What `true_of` answers, once that is true."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        got = true_of()
        if got:
            return got
        time.sleep(0.01)
    raise AssertionError(f"{what} does not come")


def frame_of(text, blob=b""):
    return struct.pack(">I", len(text)) + text + struct.pack(">I", len(blob)) + blob


class Gone(Exception):
    """The process hung up."""


class Client:
    """One connection."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(SECONDS)
        self.socket.connect(str(path))

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None

    def _take(self, n):
        out = b""
        while len(out) < n:
            try:
                more = self.socket.recv(n - len(out))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Gone
            out += more
        return out

    def hear(self):
        text = self._take(struct.unpack(">I", self._take(4))[0])
        assert self._take(4) == b"\0\0\0\0", "an answer has no blob"
        return json.loads(text)

    def ask(self, frame, blob=b""):
        self.send(frame_of(json.dumps(frame).encode(), blob))
        return self.hear()

    def hung_up(self):
        """Whether the other end closes without a word."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()


class Process:
    """fwpermit-worker plugin NAME, on a run folder of its own, held to the contracts in `held_to`."""

    def __init__(self, path, name="it", options=None, secrets=None, folder=None, now=None,
                 held_to=None, no_memory_for=None, **more):
        self.made_of = (path, name, options, secrets, folder, now)
        self.lenient = None
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="plug"))
        self.run_dir, self.name = self.tmp / "run", name
        self.run_dir.mkdir(mode=0o700)
        self.port = None
        path = pathlib.Path(path)
        own = {"name": name, "path": str(path), "dir": str(folder or path.parent), "options": options or {},
               "secrets": secrets or {}, **more}
        self.settings = self.tmp / "settings.json"
        self.settings.write_text(json.dumps({"FwPermitRunDir": str(self.run_dir), "log_level": 7, "role_settings": own,
                                             "FwPermitContracts": str(held_to or contracts.FOLDER)}))
        self.environment = {"PATH": os.environ["PATH"]}
        if now is not None:
            self.environment.update(LD_PRELOAD=str(preloaded("clock")), CLOCK_NOW=str(now))
        if no_memory_for:
            self.environment.update(LD_PRELOAD=str(preloaded("nomemory")), NO_MEMORY_FOR=no_memory_for)
        self.log_path = self.tmp / "log"
        self.process = None
        self.start()

    @property
    def socket_path(self):
        return self.run_dir / f"plugin-{self.name}.sock"

    def start(self, wait=True):
        before = self.socket_path.stat().st_ino if self.socket_path.exists() else None
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["bash", "-c", 'exec 3<"$0"; exec "$@"', self.settings, BUILD / "fwpermit-worker", "plugin",
                 self.name], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        if wait:
            until(lambda: self.process.poll() is not None or
                  (self.socket_path.exists() and self.socket_path.stat().st_ino != before), "the socket")

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8")

    def client(self):
        return Client(self.socket_path)

    def raw(self, op, request=None, blob=b"", key="key-1", **more):
        """The whole answer, on a connection of its own, checked against no contract."""
        with contextlib.closing(self.client()) as client:
            return client.ask({"op": op, "key": key, "request": request or {}, **more}, blob)

    def call(self, op, request=None, blob=b"", key="key-1", good=True, **more):
        """(rc, reply, answer). Request and reply are held against the port's contract. A request that is meant to be wrong
        (`good` false) must be wrong there, too, and is refused by the host; the answer is then the plugin's own, in a
        process that lets everything through."""
        answer = self.raw(op, request, blob, key, **more)
        contracts.check(op, request or {}, blob, answer, good)
        if not good:
            assert answer["rc"] == "permfail" and "the request breaks the contract" in answer["reason"], answer
            if not self.lenient:
                self.lenient = Process(*self.made_of, held_to=LOOSE)
            answer = self.lenient.raw(op, request, blob, key, **more)
            contracts.check(op, request or {}, blob, answer, good)
        return answer["rc"], answer["reply"], answer

    def memory(self):
        """Resident KiB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def ended(self):
        """Its exit code, or minus the signal that ended it."""
        return self.process.wait(SECONDS)

    def stop(self):
        """Ends it; its exit code."""
        if self.lenient:
            assert self.lenient.stop() == 0
        code = self.process.poll()
        if code is None:
            code = self.kill(signal.SIGTERM)
        shutil.rmtree(self.tmp)
        return code


def compile_library(source, out, *flags, headers=None):
    out = pathlib.Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-fPIC", "-shared",
                    "-fvisibility=hidden", f"-I{headers or ROOT / 'plugins'}", str(source), *flags, "-o", str(out)], check=True)
    os.chmod(out, 0o755)
    return out


def preloaded(name):
    out, source = BUILD / f"tests/plugin/{name}.so", ROOT / f"tests/plugin/{name}.c"
    if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
        compile_library(source, out, "-fvisibility=default")
    return out
