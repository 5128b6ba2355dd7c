"""The databases that the bench fills: SQLite's file, or a PostgreSQL 15 of its own for each server; both from the same rows."""
import itertools
import json
import random
import shutil
import sqlite3
import subprocess

from measure import ROOT, sh

PGSQL = ROOT / "tests/lib/pgsql"
PORTS = (26600, 26649)
STATIONS = 25
SURNAMES = "NGUYEN TRAN LE PHAM HOANG SANTOSO WIDODO SARI PUTRI LESTARI SOMCHAI CHAIYA REYES CRUZ SANTOS GARCIA".split()
GIVEN = ("VAN ANH MINH DUC HUNG LAN MAI THU HOA LINH BUDI DEWI AGUS RINA EKO WATI NARONG SUDA MALEE PRASIT JOSE MARIA LUZ RAMON NOEL "
         "CARLA DIEGO ROSA").split()
BARE_TABLES = "CREATE TABLE bare_case (id {key}, data TEXT); CREATE TABLE bare_file (id {key}, name TEXT, sha256 TEXT, size BIGINT);"
END = "---"
TEMPLATE = "state = 'initial_review' AND station = 'TAO' ORDER BY id LIMIT 1"


def made(like, officers, count, seed):
    """Rows of `cases` made from a seed, in the order of `like`'s columns: one of forty waits for each of the two reviews, one of
    twenty-five is this station's, a name is shared by three in a million, a worker has four."""
    chance = random.Random(seed)
    names = [" ".join(n) for n in itertools.product(SURNAMES, GIVEN, GIVEN, GIVEN)]
    columns = list(like)
    at = {c: columns.index(c) for c in columns}
    row = [None if c == "second_reviewer" else v for c, v in like.items()]
    row[at["second_reviewer"]], row[at["data"]] = 0, "{}"
    states = ["initial_review", "second_review"] + ["issued"] * 38
    for n in range(count):
        station = chance.randrange(STATIONS)
        row[at["id"]] = 1000000000 + n
        row[at["case_no"]] = f"B{n}"
        row[at["worker_id"]] = 2000000000 + n // 4
        row[at["state"]] = chance.choice(states)
        row[at["station"]] = f"ST{station}" if station else "TAO"
        row[at["first_reviewer"]] = chance.choice(officers) if station == 0 else station
        row[at["created"]] = like["created"] - n * 1000
        row[at["due"]] = like["due"] + chance.randrange(count) * 1000000
        row[at["passport_no"]] = f"P{n}"
        row[at["name_latin"]] = chance.choice(names)
        yield tuple(row)


class Sqlite:
    """The platform's file; the bare server has a copy."""
    name, driver = "SQLite", "sqlite3"

    def __init__(self, folder):
        self.path = folder / "site/state/fwpermit.db"
        self.options = []
        self.beside = [], []  # processes that count as well: of the platform, of the bare server

    def rows(self, statement):
        with sqlite3.connect(self.path, timeout=60) as db:
            return db.execute(statement).fetchall()

    def fill(self, count, seed, officers):
        with sqlite3.connect(self.path) as db:
            db.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;")
            db.row_factory = sqlite3.Row
            like = dict(db.execute(f"SELECT * FROM cases WHERE {TEMPLATE}").fetchone())
            indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'cases' AND sql LIKE 'CREATE %INDEX%'").fetchall()
            for index in indexes:
                db.execute(f"DROP INDEX {index['name']}")
            marks = ",".join("?" * len(like))
            db.executemany(f"INSERT INTO cases VALUES ({marks})", made(like, officers, count, seed))
            for index in indexes:
                db.execute(index["sql"])
            db.execute("ANALYZE")

    def copy(self, bare):
        """What BareDatabase names."""
        to = bare / "bare.db"
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.path, to)
        with sqlite3.connect(to) as db:
            db.executescript(BARE_TABLES.format(key="INTEGER PRIMARY KEY"))
        return f"sqlite3 {to}"

    def stop(self):
        """Nothing runs."""


class Postgres:
    """A cluster for the platform, and a copy of it for the bare server, so that each one's CPU can be told."""
    name, driver = "PostgreSQL", "pgsql"

    def __init__(self, folder):
        self.homes = [folder / "pg", folder / "pgbare"]
        self.homes[0].mkdir()
        self.words = sh(PGSQL, "start", self.homes[0], *PORTS).strip()
        self.options = ["--driver", "pgsql", "--database", self.words]
        self.asks = None  # psql, that answers rows()

    @property
    def beside(self):
        return [[int((home / "data/postmaster.pid").read_text().split()[0])] for home in self.homes]

    def psql(self, statement, words=None, **more):
        return sh("psql", "-qtA", "-v", "ON_ERROR_STOP=1", "-d", words or self.words, "-c", statement, **more)

    def rows(self, statement):
        """As SQLite gives them: numbers as numbers. By one connection that stays: the server's CPU for a new one would be counted."""
        if not self.asks or self.asks.poll() is not None:
            self.asks = subprocess.Popen(["psql", "-qtA", "-d", self.words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.asks.stdin.write(f"SELECT row_to_json(r) FROM ({statement}) r;\n\\echo {END}\n")
        self.asks.stdin.flush()
        lines = list(itertools.takewhile(lambda line: line != f"{END}\n", self.asks.stdout))
        return [tuple(json.loads(line).values()) for line in lines]

    def fill(self, count, seed, officers):
        like = json.loads(self.psql(f"SELECT row_to_json(c) FROM cases c WHERE {TEMPLATE}"))
        indexes = self.psql("SELECT indexname || '|' || indexdef FROM pg_indexes WHERE tablename = 'cases' AND indexname <> 'cases_pkey'"
                            ).splitlines()
        self.psql(";".join("DROP INDEX " + i.split("|")[0] for i in indexes))
        # replica: foreign keys are not looked at, they are the template's
        command = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.words, "-c", "SET session_replication_role = replica",
                   "-c", "COPY cases FROM STDIN"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as psql:
            for row in made(like, officers, count, seed):
                psql.stdin.write("\t".join("\\N" if v is None else str(v) for v in row) + "\n")
        if psql.returncode:
            raise SystemExit("PostgreSQL did not take the rows")
        self.psql("SET maintenance_work_mem = '512MB';" + ";".join(i.split("|", 1)[1] for i in indexes))
        self.psql("VACUUM (ANALYZE)")

    def copy(self, bare):
        """The cluster as it lies on disk, started once more from another folder."""
        home, other = self.homes
        self.hang_up()
        self.psql("CHECKPOINT")
        sh(PGSQL, "stop", home)
        sh("cp", "-a", home, other)
        for file in (other / "data/postgresql.conf", other / "data/postmaster.opts"):
            file.write_text(file.read_text().replace(str(home), str(other)))
        for each in self.homes:
            sh(PGSQL, "restart", each)
        words = self.words.replace(str(home), str(other))
        self.psql(BARE_TABLES.format(key="BIGSERIAL PRIMARY KEY"), words)
        return f'pgsql "{words}"'

    def hang_up(self):
        if self.asks:
            self.asks.communicate()
            self.asks = None

    def stop(self):
        self.hang_up()
        for home in self.homes:
            if (home / "data/postmaster.pid").exists():
                subprocess.run([PGSQL, "stop", home], check=False)
        for home in self.homes:
            shutil.rmtree(home, ignore_errors=True)
