"""What a backup is made of and restored on: a platform that people use, and another machine, without data."""
import contextlib
import os
import pathlib
import shutil
import tempfile
import threading

import flow
from conftest import ALWAYS, free_ports, processes_of
from platform_under_test import Platform

CLIENTS = 3


@contextlib.contextmanager
def busy(platform):
    """People who file cases without pause; the list grows by what was acknowledged. Whatever they meet ends the test."""
    done, failed, end = [], [], threading.Event()

    def work():
        try:
            person = platform.person("broker")
            while not end.is_set():
                case = flow.draft(person)
                flow.submit(person, case)
                done.append(case)
        except Exception as e:  # pylint: disable=broad-except
            failed.append(e)

    flow.photo()  # drawn once, before several want it
    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        end.set()
        for thread in threads:
            thread.join()
    assert not failed, failed


class Elsewhere(Platform):
    """`empty` makes the database empty where it is no file."""

    def __init__(self, *options, empty=lambda: None):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="fw-http-"))
        folder.chmod(0o755)
        super().__init__(folder, free_ports(), *options, build=os.environ.get("B"))
        (folder / "extra").mkdir()
        (folder / "extra/test.conf").write_text(ALWAYS, encoding="utf-8")
        self.expect(r"FWP2107 plugin \w+: reading a frame")  # it is stopped right after it began
        self.start()  # for the settings and the folders
        self.stop()
        self.clear()
        empty()

    def clear(self):
        """As on the first day, but for the settings."""
        for path in (self.folder / "state").iterdir():
            if path.name == "vault":
                for inner in path.iterdir():
                    shutil.rmtree(inner) if inner.is_dir() else inner.unlink()
            else:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (self.folder / "logs/error.log").unlink(missing_ok=True)

    def take_keys(self, platform):
        """The copy that was kept apart."""
        shutil.copy(platform.folder / "secrets/vault.keys", self.folder / "secrets/vault.keys")
        shutil.rmtree(self.folder / "secrets/keys")
        shutil.copytree(platform.folder / "secrets/keys", self.folder / "secrets/keys")

    def end(self):
        if processes_of(self.folder):
            self.serve("stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
