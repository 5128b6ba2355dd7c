"""The master key changes and every file stays readable."""
import os
import socket
import subprocess

from conftest import BUILD


def vault(site, verb, what, keys=None, code=0):
    done = subprocess.run([BUILD / "tests/ctl/vault", verb, site.dir / "state/vault",
                           keys or site.dir / "etc/vault.keys", what], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    site.own(site.dir / "state/vault")
    return done.stdout.strip()


def lines(site):
    return [x for x in (site.dir / "etc/vault.keys").read_text().splitlines() if not x.startswith("#")]


def alone(site, number):
    """A key file of one key of the site's."""
    path = site.dir / f"etc/only{number}"
    path.write_text(lines(site)[number] + "\n")
    return path


def put_many(site):
    return {vault(site, "put", text): text for text in ("one", "two", "x" * 70000)}


def test_rotate_with_the_server_stopped(site):
    files = put_many(site)
    old = lines(site)
    out = site.ctl("key", "rotate")
    new = lines(site)
    assert len(new) == 2 and new[1:] == old and new[0] != old[0]
    assert f"{new[0].split()[0]} is the current master key" in out and "3 files are wrapped" in out
    assert new[0].split()[1] not in out
    for name, text in files.items():
        assert vault(site, "get", name) == text
        assert vault(site, "get", name, keys=alone(site, 0)) == text
        vault(site, "get", name, keys=alone(site, 1), code=1)
    site.ctl("key", "rotate")
    assert len(lines(site)) == 3
    for name, text in files.items():
        assert vault(site, "get", name) == text
    assert oct((site.dir / "etc/vault.keys").stat().st_mode)[-3:] == "600"


def test_rotate_while_the_server_runs(site):
    files = put_many(site)
    old = lines(site)
    run = site.dir / "run"
    run.mkdir()
    site.own(run)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(run / "signer.sock"))
        s.listen(8)
        site.own(run)
        assert "key prepare" in site.ctl("key", "rotate", code=1)
        assert lines(site) == old
        site.ctl("key", "prepare")
        prepared = lines(site)
        assert prepared[0] == old[0] and len(prepared) == 2
        assert vault(site, "get", vault(site, "put", "under the old one"), keys=alone(site, 0)) == "under the old one"
        assert "prepared key already" in site.ctl("key", "prepare", code=1)
        out = site.ctl("key", "rotate")
        assert lines(site) == [prepared[1], prepared[0]] and "key rewrap" in out
        for name, text in files.items():
            assert vault(site, "get", name, keys=alone(site, 0)) == text
        late = vault(site, "put", "late", keys=alone(site, 1))
        site.ctl("key", "rewrap")
        assert vault(site, "get", late, keys=alone(site, 0)) == "late"


def test_a_file_that_cannot_be_wrapped_is_told_and_the_rest_is_done(site):
    files = put_many(site)
    name = next(iter(files))
    path = site.dir / "state/vault" / name[:2] / name
    assert path.exists()
    path.write_bytes(b"nonsense" * 20)
    out = site.ctl("key", "rotate", code=1)
    assert name in out and "2 files are wrapped" in out and "1 could not be" in out
    for other, text in files.items():
        if other != name:
            assert vault(site, "get", other, keys=alone(site, 0)) == text


def test_rotate_needs_a_key_file(bare):
    assert "vault.keys" in bare.ctl("key", "rotate", code=3)
    (bare.dir / "etc/vault.keys").write_text("nonsense\n")
    assert "vault.keys:1" in bare.ctl("key", "rotate", code=3)
    assert (bare.dir / "etc/vault.keys").read_text() == "nonsense\n"
    assert os.listdir(bare.dir / "state/vault") == []
