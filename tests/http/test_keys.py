"""Signing keys on a running platform: one is put in the place of another, one lies in a token; what was signed stays valid."""
import json
import os
import pwd
import re
import shutil
import subprocess

import pytest
import flow
import papers
from platform_under_test import await_

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "4711"


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, check=False, **more)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def prepare(platform):
    """The token's module finds its tokens by the environment of the server."""
    folder = platform.folder / "token"
    (folder / "tokens").mkdir(parents=True)
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")


def keys_of(platform):
    return platform.folder / "secrets/keys"


def seals(platform):
    told = platform.ctl("audit", "verify", ok=False).stdout
    return int(told.split(", seals ")[1].split(",")[0]) if told.startswith("whole") else 0


def paper(person, case, kind):
    lines = await_(f"the {kind}", lambda: [d for d in person.see(f"/cases/{case}")["documents"] if d["kind"] == kind])
    return person.get(lines[0]["href"]).content


def permit(platform, broker, reviewers, between=lambda: None):
    """From filing to the signed paper; `between` comes while it is on its way."""
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    between()
    flow.issued(platform, broker, case)
    return paper(broker, case, "permit")


def trusts(data, root, folder):
    """By openssl: the bytes that are signed, the certificate, and a root that is trusted. The certificate's fingerprint."""
    a, b, c, d = [int(n) for n in re.findall(rb"/ByteRange \[([\d ]+)\]", data)[-1].split()]
    assert a == 0 and c + d == len(data)
    (folder / "content").write_bytes(data[:b] + data[c:])
    (folder / "cms").write_bytes(bytes.fromhex(data[b + 1:c - 1].decode()))
    run("openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", folder / "cms", "-content", folder / "content",
        "-CAfile", root, "-purpose", "any", "-signer", folder / "signer.crt", "-out", "/dev/null")
    return kid(folder / "signer.crt")


def kid(crt):
    told = run("openssl", "x509", "-in", crt, "-noout", "-fingerprint", "-sha256")
    return told.split("=")[1].strip().replace(":", "").lower()[:16]


@pytest.fixture(scope="module")
def rotated(platform, broker, reviewers):
    """A permit of before, one on its way through the rotation, one of after; and the kids of before."""
    keys = keys_of(platform)
    names = ("permit", "receipt", "audit", "seal")
    kids = {name: kid(keys / f"{name}.crt") for name in names}
    before = permit(platform, broker, reviewers)
    await_("a seal by the key of before", lambda: seals(platform))

    def rotate():
        for name in names:
            platform.ctl("key", "rotate-signing", name)
        platform.reload()
        kids["seals"] = seals(platform)
    during = permit(platform, broker, reviewers, rotate)
    return {"kids": kids, "seals": kids.pop("seals"), "papers": (before, during, permit(platform, broker, reviewers))}


def test_permits_of_before_and_after_a_rotation_are_valid(platform, rotated, tmp_path):
    keys = keys_of(platform)
    now = kid(keys / "permit.crt")
    by = [trusts(data, keys / "ca.crt", tmp_path) for data in rotated["papers"]]
    assert now != rotated["kids"]["permit"]
    assert by[0] == rotated["kids"]["permit"] and by[1] in (by[0], now) and by[2] == now, (by, now)
    for data in rotated["papers"]:
        assert papers.signature(data) == "Residence permits"


def test_the_trust_list_has_both(platform, rotated):
    def listed():
        path = platform.folder / "state/public/trust.json"
        told = json.loads(path.read_text()) if path.exists() else {"signers": []}
        return told if len(told["signers"]) == 6 else None
    told = await_("the trust list", listed)
    assert told["format"] == "fwpermit-trust/1" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["issued"])
    assert told["roots"] == [(keys_of(platform) / "ca.crt").read_text()]
    for name in ("permit", "receipt", "seal"):
        mine = {s["kid"]: s for s in told["signers"] if s["use"] == name}
        assert {k: s["current"] for k, s in mine.items()} == {
            rotated["kids"][name]: False, kid(keys_of(platform) / f"{name}.crt"): True}
        assert all(("seal_id" in s) == (name == "seal") for s in mine.values())
    serial = run("openssl", "x509", "-in", keys_of(platform) / "seal.crt", "-noout", "-serial").strip().split("=")[1]
    assert f"TWNI:{serial}" in [s.get("seal_id") for s in told["signers"] if s["current"]]


def into_token(platform):
    """The permit's key goes into a token that belongs to the server's user; URI and PIN are root's."""
    keys, folder = keys_of(platform), platform.folder / "token"
    run("softhsm2-util", "--init-token", "--free", "--label", "fwpermit", "--so-pin", "0000", "--pin", PIN)
    run("softhsm2-util", "--import", keys / "permit.key", "--token", "fwpermit", "--label", "permit", "--id", "01", "--pin", PIN)
    if os.geteuid() == 0:
        user = pwd.getpwnam("www-data")
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid)
    (keys / "permit.key").write_text(f"pkcs11:token=fwpermit;object=permit?module-path={MODULE}\n")
    (keys / "permit.pin").write_text(PIN + "\n")
    (keys / "permit.pin").chmod(0o600)


def test_a_key_in_a_token_signs_permits(platform, broker, reviewers, rotated, tmp_path):
    into_token(platform)
    platform.reload()
    data = permit(platform, broker, reviewers)
    assert trusts(data, keys_of(platform) / "ca.crt", tmp_path) == kid(keys_of(platform) / "permit.crt")
    assert papers.signature(data) == "Residence permits"
    assert b"PRIVATE" not in (keys_of(platform) / "permit.key").read_bytes()


def test_a_permit_waits_for_its_token(platform, broker, reviewers):
    platform.expect(r"no token fwpermit|the signer refuses|FWP2301")
    tokens, away = platform.folder / "token/tokens", platform.folder / "token/away"
    tokens.rename(away)
    tokens.mkdir()
    if os.geteuid() == 0:
        shutil.chown(tokens, "www-data", "www-data")
    data = []

    def back():
        await_("the signer's word", lambda: "key permit: there is no token fwpermit" in platform.error_log())
        tokens.rmdir()
        away.rename(tokens)
    data.append(permit(platform, broker, reviewers, back))
    assert papers.signature(data[0]) == "Residence permits"


def test_the_trail_is_whole_over_a_rotation(platform, rotated):
    # The sealer of before holds its lease for 15 s: so this stands last.
    await_("a seal by the new key", lambda: seals(platform) > rotated["seals"])
    retired = keys_of(platform) / f"audit-{rotated['kids']['audit']}.crt"
    away = retired.with_suffix(".away")
    retired.rename(away)
    try:
        told = platform.ctl("audit", "verify", ok=False)
        assert told.stdout.startswith("forged"), (told.returncode, told.stdout, told.stderr)
    finally:
        away.rename(retired)
    assert seals(platform) > rotated["seals"]
