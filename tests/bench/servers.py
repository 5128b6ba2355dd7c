"""The two servers that are measured side by side: the platform, and the bare handler over a copy of its database."""
import sys

from measure import ROOT, sh

sys.path.insert(0, str(ROOT / "tests/http"))
import conftest  # noqa: E402
import flow  # noqa: E402
from platform_under_test import Platform, await_  # noqa: E402

STATIC_BYTES = 12060  # a file as long as the progress page
LIMITS = "FwPermitLoginRate 100000\n"


class Bare:
    """An httpd with the settings of the platform's, whose pages come from bare.c."""

    def __init__(self, folder, port, like, module, database):
        self.folder, self.base = folder, f"http://127.0.0.1:{port}"
        for name in ("files", "logs", "state"):
            (folder / name).mkdir()
        conf = (like.folder / "httpd.conf").read_text()
        head = conf.split("LoadModule fwpermit_module")[0].replace(str(like.folder), str(folder)).replace(f":{like.port}", f":{port}")
        middle = conf.split("StartServers")[1].split("CustomLog")[0]
        (folder / "httpd.conf").write_text(
            f"{head}LoadModule bare_module {module}\nStartServers{middle}\nBareDatabase {database}\nBareFiles {folder}/files\n"
            "<Location /bare>\nSetHandler bare\n</Location>\n")
        sh("chmod", "-R", "a+rwX", folder)

    def serve(self, what):
        sh("apache2", "-d", self.folder, "-f", self.folder / "httpd.conf", "-k", what)

    def start(self):
        self.serve("start")
        await_("the bare server", (self.folder / "httpd.pid").exists)

    def stop(self):
        if (self.folder / "httpd.pid").exists():
            self.serve("stop")
            await_("the bare server's end", lambda: not (self.folder / "httpd.pid").exists())


def httpd(server):
    return int((server.folder / "httpd.pid").read_text())


class Pair:
    """Platform and bare server over the same cases, both running; what the jobs ask for."""

    def __init__(self, folder, store, build, cases, seed):
        self.store, self.cases = store, cases
        self.site = Platform(folder / "site", conftest.free_ports(), *store.options, build=build)
        (self.site.folder / "extra").mkdir(parents=True)
        (self.site.folder / "extra/bench.conf").write_text(LIMITS)
        self.bare = None
        try:
            self.prepare(folder, build, seed)
        except BaseException:
            self.stop()
            raise

    def prepare(self, folder, build, seed):
        site = self.site
        site.start()
        self.broker = site.person("broker")
        self.officers = {self.store.rows(f"SELECT id FROM account WHERE login = '{login}'")[0][0]: site.person(login)
                         for login in ("reviewer1", "reviewer2")}
        self.case = flow.filed(self.broker)
        flow.approve(site, self.case, list(self.officers.values()))
        flow.pay(site, self.broker, self.case)
        flow.issued(site, self.broker, self.case)
        flow.filed(self.broker)
        site.stop()
        self.store.fill(self.cases, seed, list(self.officers))
        (folder / "bare").mkdir()
        database = self.store.copy(folder / "bare")
        self.bare = Bare(folder / "bare", conftest.free_ports(), site, build / "tests/bench/bare.so", database)
        self.bare.start()
        site.start()
        (site.folder / "share/assets/bench.html").write_bytes(b"x" * STATIC_BYTES)

    def roots(self, server):
        """The processes whose trees count for it; httpd first."""
        return [httpd(server), *self.store.beside[server is self.bare]]

    def count(self, where):
        return self.store.rows(f"SELECT count(*) FROM {where}")[0][0]

    def is_audited(self):
        """Whether all that was read is in the trail and sealed: the work of a page that is audited ends there."""
        def taken(journal):
            note = journal.with_name(journal.name + ".taken")
            return int(note.read_text()) if note.exists() else 0
        journals = (self.site.folder / "state/journal").glob("*.journal")
        return all(j.stat().st_size == taken(j) for j in journals) and self.count("audit WHERE seal = 0") == 0

    def cookie(self, person):
        return f"fwpermit={person.http.cookies['fwpermit']}"

    def stop(self):
        if (self.site.folder / "httpd.conf").exists():
            self.site.serve("stop", check=False)
        if self.bare:
            self.bare.stop()
        self.store.stop()
