"""Signing keys: what `key init` and `key rotate-signing` leave in FwPermitKeys, asked of openssl."""
import hashlib
import re
import shutil
import ssl
import stat
import subprocess

import pytest

NAMES = ("permit", "receipt", "audit", "seal")


def openssl(*args, ok=True):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False, timeout=60)
    assert not ok or done.returncode == 0, (args, done.stderr)
    return done.stdout if ok else done


def kid(crt):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(crt.read_text())).hexdigest()[:16]


def belongs(key, crt):
    return openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", crt, "-noout", "-pubkey")


def subject(crt):
    return openssl("x509", "-in", crt, "-noout", "-subject", "-nameopt", "RFC2253").strip()


def serial(crt):
    return openssl("x509", "-in", crt, "-noout", "-serial").strip().removeprefix("serial=")


@pytest.fixture
def keys(bare):
    """The folder of keys; bare.ctl is at hand as keys.ctl."""
    bare.ctl("key", "init")
    return bare.dir / "etc/keys"


# ---- the key of visible seals ----

def test_a_seal_is_named_by_two_letters_each_and_a_short_serial(bare, keys):
    assert subject(keys / "seal.crt") == "subject=CN=NI,C=TW"
    assert re.fullmatch("[1-9A-F][0-9A-F]{7}", serial(keys / "seal.crt"))
    openssl("verify", "-x509_strict", "-CAfile", keys / "ca.crt", keys / "seal.crt")
    bare.write(FwPermitSealSigner="UTIM")
    bare.ctl("key", "rotate-signing", "seal")
    assert subject(keys / "seal.crt") == "subject=CN=IM,C=UT"


def test_an_installation_of_before_gets_the_key_of_seals(bare, keys):
    for ending in ("key", "crt"):
        (keys / f"seal.{ending}").unlink()
    before = {p: p.read_bytes() for p in keys.iterdir()}
    bare.ctl("key", "init")
    assert {p.name for p in keys.iterdir()} - {p.name for p in before} == {"seal.key", "seal.crt"}
    assert all(p.read_bytes() == b for p, b in before.items())


# ---- rotation ----

@pytest.mark.parametrize("name", NAMES)
def test_a_rotation_by_the_ca_for_trials(bare, keys, name):
    old = {e: (keys / f"{name}.{e}").read_text() for e in ("key", "crt")}
    before = {p.name: p.read_bytes() for p in keys.iterdir()}
    out = bare.ctl("key", "rotate-signing", name)
    assert "reload" in out and "PRIVATE" not in out
    retired = f"{name}-{kid_of(old['crt'])}.crt"
    assert {p.name for p in keys.iterdir()} == {*before, retired}
    assert (keys / retired).read_text() == old["crt"]
    assert (keys / f"{name}.key").read_text() != old["key"] and belongs(keys / f"{name}.key", keys / f"{name}.crt")
    assert subject(keys / f"{name}.crt") == subject(keys / retired)
    assert stat.S_IMODE((keys / f"{name}.key").stat().st_mode) == 0o600
    changed = {n for n, b in before.items() if (keys / n).read_bytes() != b}
    assert changed == {f"{name}.key", f"{name}.crt"}
    bare.ctl("key", "rotate-signing", name)
    assert len(list(keys.glob(f"{name}-*.crt"))) == 2


def kid_of(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()[:16]


def test_the_old_key_is_kept_where_that_is_asked(bare, keys):
    old = (keys / "permit.key").read_bytes()
    name = f"permit-{kid(keys / 'permit.crt')}.key"
    assert name in bare.ctl("key", "rotate-signing", "permit", "--keep")
    assert (keys / name).read_bytes() == old and stat.S_IMODE((keys / name).stat().st_mode) == 0o600
    bare.ctl("key", "rotate-signing", "permit")
    assert len(list(keys.glob("permit-*.key"))) == 1


def own_ca(folder):
    folder.mkdir()
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "root.key",
            "-out", folder / "root.crt", "-subj", "/CN=Own root", "-days", "99")
    return folder


def certify(ca, csr, out):
    openssl("x509", "-req", "-in", csr, "-CA", ca / "root.crt", "-CAkey", ca / "root.key", "-CAcreateserial", "-days", "9",
            "-out", out)


def test_a_rotation_by_another_ca(bare):
    bare.ctl("key", "init", "--csr")
    keys, ca = bare.dir / "etc/keys", own_ca(bare.dir / "ca")
    certify(ca, keys / "permit.csr", keys / "permit.crt")
    shutil.copy(ca / "root.crt", keys / "permit.chain")
    old = (keys / "permit.crt").read_text(), (keys / "permit.key").read_text()
    assert "--csr" in bare.ctl("key", "rotate-signing", "permit", code=1)
    assert not (keys / "permit.next.key").exists()
    assert "permit.next.csr" in bare.ctl("key", "rotate-signing", "permit", "--csr")
    assert "is there" in bare.ctl("key", "rotate-signing", "permit", "--csr")
    assert (keys / "permit.key").read_text() == old[1]
    assert "--csr" in bare.ctl("key", "rotate-signing", "permit", code=1)
    certify(ca, keys / "permit.csr", keys / "permit.next.crt")  # of another key
    assert "not the key's" in bare.ctl("key", "rotate-signing", "permit", code=3)
    certify(ca, keys / "permit.next.csr", keys / "permit.next.crt")
    bare.ctl("key", "rotate-signing", "permit")
    base = f"permit-{kid_of(old[0])}"
    assert (keys / f"{base}.crt").read_text() == old[0] and (keys / f"{base}.chain").exists()
    assert belongs(keys / "permit.key", keys / "permit.crt") and not list(keys.glob("*.next.*"))
    assert not (keys / "permit.chain").exists()  # the new one came without


def test_no_rotation_by_a_ca_that_the_key_was_not_certified_by(bare, keys):
    certify(own_ca(bare.dir / "ca"), csr_of(bare, keys / "permit.key"), keys / "permit.crt")
    assert "was not certified by" in bare.ctl("key", "rotate-signing", "permit", code=1)
    assert not list(keys.glob("permit.next.*"))


def csr_of(bare, key):
    openssl("req", "-new", "-key", key, "-subj", "/CN=x", "-out", bare.dir / "csr")
    return bare.dir / "csr"


def test_a_rotation_that_was_broken_off_is_finished(bare, keys):
    bare.ctl("key", "rotate-signing", "permit")
    new = (keys / "permit.crt").read_text()
    old = next(keys.glob("permit-*.crt"))
    (keys / "permit.crt").rename(keys / "permit.next.crt")  # as it lies between the key and its certificate
    shutil.copy(old, keys / "permit.crt")
    (keys / "permit.chain").write_text(old.read_text())
    bare.ctl("key", "init")
    assert (keys / "permit.crt").read_text() == new and not list(keys.glob("*.next.*"))
    assert not (keys / "permit.chain").exists()


def test_a_rotation_needs_a_name(bare, keys):
    assert "no signing key ca" in bare.ctl("key", "rotate-signing", "ca", code=2)
    bare.ctl("key", "rotate-signing", code=2)


# ---- keys in tokens ----

URI = "pkcs11:token=fwpermit;object=permit?module-path=/usr/lib/softhsm/libsofthsm2.so\n"


def test_a_key_in_a_token_is_rotated_to_by_hand(bare, keys):
    crt = (keys / "permit.crt").read_text()
    (keys / "permit.next.key").write_text(URI)
    (keys / "permit.next.key").chmod(0o600)
    shutil.copy(keys / "seal.crt", keys / "permit.next.crt")
    (keys / "permit.next.pin").write_text("1234")
    bare.ctl("key", "rotate-signing", "permit")
    assert (keys / "permit.key").read_text() == URI and (keys / "permit.pin").exists()
    assert (keys / f"permit-{kid_of(crt)}.crt").read_text() == crt
    assert "names the key of a token" in bare.ctl("key", "init")
    (keys / "permit.crt").unlink()
    assert "put the certificate of that key" in bare.ctl("key", "init")
