"""A set-up of its own for each test that asks: a folder with configuration, state and secrets, as `install` lays it."""
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("B", "build"))
BUILD = BUILD if BUILD.is_absolute() else ROOT / BUILD
SHARED = ("conf", "sql", "pages", "assets", "locale", "lib")


class Site:
    """One installation: `site.conf`, a dict of directives to change, and `site.ctl(...)`."""

    def __init__(self, folder, share):
        self.dir = folder
        self.share = share
        self.plugins = True
        self.conf = {
            "FwPermit": "On", "FwPermitBaseURL": "http://127.0.0.1:25799", "FwPermitCookieSecure": "Off",
            "FwPermitDemo": "On", "FwPermitConf": share / "conf", "FwPermitServices": share / "conf/services",
            "FwPermitPages": share / "pages", "FwPermitAssets": share / "assets", "FwPermitLocale": share / "locale",
            "FwPermitSQL": share / "sql", "FwPermitWorker": share / "lib/fwpermit-worker",
            "FwPermitPluginDir": share / "lib/plugins", "FwPermitRunDir": folder / "run",
            "FwPermitVault": folder / "state/vault", "FwPermitVaultKeys": folder / "etc/vault.keys",
            "FwPermitKeys": folder / "etc/keys", "FwPermitAnchor": folder / "state/anchor",
            "FwPermitJournal": folder / "state/journal", "FwPermitPublic": folder / "state/public",
            "FwPermitContracts": share / "contracts",
            "FwPermitDatabase": folder / "state/fw.db"}
        for name in ("state", "state/vault", "etc"):
            (folder / name).mkdir(mode=0o700)
        (folder / "etc/secret").write_text("0123456789abcdef")
        (folder / "etc/secret").chmod(0o600)
        self.own(folder / "state")
        self.write()

    @staticmethod
    def own(folder):
        """Gives it to the server's user, where we are root."""
        if os.geteuid() == 0:
            user = pwd.getpwnam("www-data")
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, user.pw_uid, user.pw_gid)

    @property
    def file(self):
        return self.dir / "fwpermit.conf"

    def write(self, **changes):
        self.conf.update(changes)
        lines = ["# a site", "<IfModule fwpermit_module>"]
        lines += [f'    {name} "{value}"' for name, value in self.conf.items() if value is not None]
        if self.plugins:
            lib = self.share / "lib/plugins"
            lines += [f"FwPermitPlugin ecpay payment {lib}/payment_ecpay.so",
                      f"FwPermitPluginSecret ecpay hash_key {self.dir}/etc/secret",
                      f"FwPermitPlugin mail notify {lib}/notify_mail.so"]
        self.file.write_text("\n".join(lines + ["</IfModule>", ""]))

    def run(self, *args, data=""):
        return subprocess.run([BUILD / "fwpermitctl", "-c", self.file, *map(str, args)], input=data, text=True,
                              capture_output=True, check=False, timeout=120)

    def ctl(self, *args, data="", code=0):
        """Standard output, or standard error where a failure is expected."""
        done = self.run(*args, data=data)
        assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 or not done.stderr else done.stderr

    def sql(self, statement, *values):
        """Straight into the database, behind the platform's back."""
        script = ("import sqlite3, sys, json\n"
                  "db = sqlite3.connect(sys.argv[1])\n"
                  "rows = db.execute(sys.argv[2], json.loads(sys.argv[3])).fetchall()\n"
                  "db.commit()\n"
                  "print(json.dumps(rows))\n")
        import json
        out = subprocess.run(["/usr/bin/python3", "-c", script, self.conf["FwPermitDatabase"], statement,
                              json.dumps(values)], capture_output=True, text=True, check=True,
                             user="www-data" if os.geteuid() == 0 else None, group="www-data" if os.geteuid() == 0 else None,
                             cwd="/").stdout
        return json.loads(out)


def free_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fwctl-"))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def share():
    """What `install` puts into share and lib: copied, so that the server's user may read it wherever the build lies."""
    folder = free_folder()
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copytree(ROOT / "sql", folder / "sql")
    shutil.copytree(ROOT / "htdocs/pages", folder / "pages")
    shutil.copytree(ROOT / "docs/contracts", folder / "contracts")
    for name in ("assets", "locale"):
        shutil.copytree(BUILD / name, folder / name)
    (folder / "lib").mkdir()
    for name in ("plugins", "fonts"):
        shutil.copytree(BUILD / name, folder / "lib" / name)
    for name in ("fwpermit-worker", "fwpermit-pictures"):
        shutil.copy(BUILD / name, folder / "lib")
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", folder], check=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def bare(share):
    """Folders alone: no key, no database."""
    folder = free_folder()
    yield Site(folder, share)
    shutil.rmtree(folder)


@pytest.fixture
def site(bare):
    """Keys and schema are there."""
    bare.ctl("key", "init")
    bare.ctl("migrate")
    return bare


@pytest.fixture
def demo(site):
    site.ctl("demo")
    return site
