"""The other systems as a platform's demo starts them (--systems all), in the words of their own tests, and a real clamd."""
import pathlib
import subprocess
import sys

from platform_under_test import ROOT

sys.path[:0] = [str(ROOT / "tests/agencies"), str(ROOT / "tests/lib")]

from cards_program import Bureau  # noqa: E402  pylint: disable=wrong-import-position
from clamd import Clamd  # noqa: E402  pylint: disable=wrong-import-position
from play import Border, Fines, Labour  # noqa: E402  pylint: disable=wrong-import-position

PORT = 3  # of the first one, after the platform's


def running(kind, **known):
    """One that somebody else has started."""
    one = object.__new__(kind)
    vars(one).update(known)
    return one


class Systems:
    """Each by its name."""

    def __init__(self, platform):
        self.platform = platform
        at = [f"http://127.0.0.1:{platform.port + PORT + i}" for i in range(4)]
        self.labour, self.fines, self.border = (running(kind, desk=url) for kind, url in zip((Labour, Fines, Border), at))
        self.bureau = running(Bureau, url=at[3])
        self.clamd = Clamd(platform.folder / "clamd")

    def add_scanner(self):
        """Before the platform starts."""
        before = self.platform.folder / "before"
        before.mkdir(exist_ok=True)
        (before / "scanner.conf").write_text(f'FwPermitPlugin scanner scan "{self.platform.folder}/lib/plugins/scan_clamav.so"\n'
                                             f'FwPermitPluginOption scanner socket "{self.clamd.socket}"\n', encoding="utf-8")
        self.clamd.start()

    def test(self, plugin):
        """`fwpermitctl plugin test`."""
        folder = pathlib.Path(self.platform.folder)
        return subprocess.run([folder / "lib/fwpermitctl", "-c", folder / "httpd.conf", "plugin", "test", plugin],
                              capture_output=True, text=True, timeout=60, check=False)
