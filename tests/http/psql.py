"""What is asked of PostgreSQL past the platform."""
import json
import os
import subprocess

PSQL = "/usr/lib/postgresql/15/bin/psql"  # Debian's own in front of it takes a tenth of a second to find it


def psql(words, statement):
    done = subprocess.run([PSQL, "-qtAX", "-v", "ON_ERROR_STOP=1", "-d", words, "-c", statement], check=True, timeout=60,
                          capture_output=True, text=True, env={**os.environ, "PGTARGETSESSIONATTRS": "read-write"})
    return done.stdout


def quote(value):
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def rows_of(words, statement, values):
    """As sqlite3 gives them: a tuple for each row; none for a change. `?` in the statement are the values."""
    for value in values:
        statement = statement.replace("?", quote(value), 1)
    if not statement.startswith("SELECT"):
        psql(words, statement)
        return []
    told = psql(words, f"SELECT coalesce(json_agg(t), '[]') FROM ({statement}) t")
    return json.loads(told, object_pairs_hook=lambda pairs: tuple(v for _, v in pairs))
