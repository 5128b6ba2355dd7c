"""A real clamd with signatures of the test's own: no freshclam, no network. What it finds is EICAR's test string, which is harmless, wherever
it stands; here it is put together from two halves, so that no scanner trips over this file."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
NAME = "Test.Eicar.UNOFFICIAL"
SECONDS = 30


class Clamd:
    """`more`: settings of clamd.conf beside those that a test needs."""

    def __init__(self, folder, **more):
        self.folder = pathlib.Path(folder)
        self.socket = self.folder / "clamd.sock"
        self.more, self.process = more, None
        for name in ("db", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        (self.folder / "db/test.ndb").write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n", encoding="ascii")

    def start(self, **more):
        self.more.update(more)
        settings = {"DatabaseDirectory": self.folder / "db", "TemporaryDirectory": self.folder / "tmp", "LocalSocket": self.socket,
                    "LocalSocketMode": 666, "FixStaleSocket": "yes", "Foreground": "yes", "LogFile": self.folder / "clamd.log",
                    "AlertExceedsMax": "yes", **self.more}
        conf = self.folder / "clamd.conf"
        conf.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="ascii")
        self.process = subprocess.Popen(["clamd", "-c", str(conf)], stdin=subprocess.DEVNULL,  # pylint: disable=consider-using-with
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + SECONDS
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < end, (self.folder / "clamd.log").read_text(encoding="utf-8")
            time.sleep(0.02)
        return self

    def answers(self):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as s:
            s.settimeout(SECONDS)
            try:
                s.connect(str(self.socket))
                s.sendall(b"nPING\n")
                return s.recv(16) == b"PONG\n"
            except OSError:
                return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(SECONDS)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)

    def restart(self, **more):
        self.stop()
        return self.start(**more)

    @contextlib.contextmanager
    def away(self):
        self.stop()
        yield
        self.start()

    @contextlib.contextmanager
    def frozen(self):
        """It takes connections, and says nothing."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)


if __name__ == "__main__":  # clamd.py FOLDER: until it is told to end
    daemon = Clamd(sys.argv[1]).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(daemon.stop()))
    while daemon.process.poll() is None:
        time.sleep(1)
