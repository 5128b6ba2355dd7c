"""For the tests: the card bureau run as a program."""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

from shop import fetch

HERE = pathlib.Path(__file__).resolve().parent


class Bureau:
    """tests/agencies/card-bureau on a folder of its own."""

    def __init__(self, *options, folder=None):
        self.given = folder
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="bureau"))
        self.folder.chmod(0o755)
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(HERE / "card-bureau"), "--folder", str(self.folder), *options], stdout=subprocess.PIPE, text=True)
        self.told = json.loads(self.process.stdout.readline())
        self.url, self.port = self.told["url"], self.told["port"]
        self.home, self.ssh = pathlib.Path(self.told["home"]), self.folder / "ssh"
        self.key = pathlib.Path(self.told["key"]).read_text(encoding="ascii")

    def books(self):
        status, text, _ = fetch(self.url + "/books")
        assert status == 200
        return json.loads(text)

    def control(self, name, body=b"", /, **query):
        """What it answers; a refusal of its own is an AssertionError."""
        status, text, _ = fetch(f"{self.url}/control/{name}?{urllib.parse.urlencode(query)}", body, "application/octet-stream")
        assert status == 200, (status, text)
        return json.loads(text)

    def switch(self, **changes):
        self.control("switch", json.dumps(changes).encode())

    def move(self, job, what, **more):
        self.control("move", job=job, what=what, **more)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        if not self.given:
            shutil.rmtree(self.folder)
        return code
