"""Keys and certificates: which the signer tells, keys in a token (softhsm2), what the signature is made of, many at once. Run
by tests/worker/run, which gives its helpers as `h`."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import ssl
import threading

from live import until

TESTS = []
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
SPY = next(pathlib.Path("/usr/lib").glob("*/pkcs11-spy.so"), "no pkcs11-spy.so")  # of opensc-pkcs11
PIN = "4711"


def test(function):
    TESTS.append(function)
    return function


def der(pem):
    return ssl.PEM_cert_to_DER_cert(pem)


def kid(pem):
    return hashlib.sha256(der(pem)).hexdigest()[:16]


def certs(h, run):
    with h.connect(run) as s:
        s.sendall(h.frame({"op": "certs"}))
        body, blob = h.answer(s)
    h.check(body == {"ok": True}, body)
    return json.loads(blob)


# ---- what is told ----

@test
def all_certificates_are_told_current_and_retired(h):
    files = {"permit": {"key": "permit.key", "cert": "permit.crt", "chain": "mid.crt",
                        "retired": [{"cert": "receipt.crt", "chain": "mid.crt"}, {"cert": "seal.crt"}]},
             "receipt": {"key": "none.key", "cert": "receipt.crt"}, "audit": {"key": "audit.key"}}
    text = {n: (h.TMP / f"{n}.crt").read_text() for n in ("permit", "receipt", "seal", "mid", "ca")}
    with h.another_signer("told", **files) as run:
        told = certs(h, run)
        h.check(h.ask("cert", "receipt", run=run).decode() == text["receipt"], "a key that is away hides its certificate")
    h.check({der(p) for p in told["roots"]} == {der(text["ca"]), der(text["mid"])}, told["roots"])
    seen = [(c["use"], c["current"], c.get("ready"), c["kid"]) for c in told["certs"]]
    h.check(seen == [("permit", True, True, kid(text["permit"])), ("permit", False, None, kid(text["receipt"])),
                     ("permit", False, None, kid(text["seal"])), ("receipt", True, False, kid(text["receipt"]))], seen)
    h.check([der(c["cert"]) for c in told["certs"]] == [der(text[n]) for n in ("permit", "receipt", "seal", "receipt")])
    h.check([[der(p) for p in c["chain"]] for c in told["certs"]] == [[der(text["mid"])], [der(text["mid"])], [], []])


@test
def a_self_signed_root_of_a_chain_is_told_alone(h):
    (h.TMP / "whole.chain").write_text((h.TMP / "mid.crt").read_text() + (h.TMP / "ca.crt").read_text())
    with h.another_signer("rooted", permit={"key": "permit.key", "cert": "permit.crt", "chain": "whole.chain"}) as run:
        h.check([der(p) for p in certs(h, run)["roots"]] == [der((h.TMP / "ca.crt").read_text())])


@test
def the_next_certificate_counts_where_a_rotation_was_broken_off(h):
    files = {"key": "permit.key", "cert": "receipt.crt", "chain": "mid.crt", "next": {"cert": "permit.crt"}}
    with h.another_signer("broken", permit=files, seal={"key": "seal.key", "cert": "seal.crt", "next": {"cert": "permit.crt"}},
                          both={"key": "seal.key", "cert": "permit.crt", "next": {"cert": "receipt.crt"}}) as run:
        first = h.ask("cert", "permit", run=run).decode()
        h.check(first == (h.TMP / "permit.crt").read_text() + (h.TMP / "mid.crt").read_text(), first)
        h.check(h.ask("cms", "permit", run=run))
        h.check(der(h.ask("cert", "seal", run=run).decode()) == der((h.TMP / "seal.crt").read_text()))
        h.check("not the key's" in h.ask("cms", "both", run=run, code=h.UNAVAILABLE))


# ---- the baseline ----

@test
def the_signed_attributes_are_the_baselines_and_no_other(h):
    h.driver("seal", h.RUN, "permit", h.TMP / "permit.pdf", h.TMP / "base.pdf", h.WHEN)
    data = (h.TMP / "base.pdf").read_bytes()
    _, b, c, _ = h.byte_range(data)
    (h.TMP / "base.der").write_bytes(bytes.fromhex(data[b + 1:c - 1].decode()))
    printed = h.sh("openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", h.TMP / "base.der").stdout
    signed = printed[printed.index("signedAttrs"):printed.index("signatureAlgorithm", printed.index("signedAttrs"))]
    h.check(sorted(re.findall(r"object: (\S+)", signed)) ==
            ["contentType", "id-smime-aa-signingCertificateV2", "messageDigest"], signed)
    h.check(re.search(r"unsignedAttrs:\s+<ABSENT>\s*$", printed), "there are unsigned attributes", printed[-300:])
    h.check(hashlib.sha256(der((h.TMP / "permit.crt").read_text())).hexdigest().upper() in signed,
            "signingCertificateV2 names another certificate", signed)


# ---- many at once ----

@test
def many_papers_signed_at_once_are_not_mixed_up(h):
    """Each of 24 papers, by four processes at a time with two keys, has its own digest and is valid."""
    kinds = [("permit", "permit"), ("receipt", "receipt"), ("filing", "permit")]
    failures = []

    def client(n):
        kind, key = kinds[n % 3]
        source, out = h.TMP / f"many{n}.pdf", h.TMP / f"many{n}-signed.pdf"
        source.write_bytes((h.TMP / f"{kind}.pdf").read_bytes() + b"%% paper %d\n" % n)
        done = h.sh(h.DRIVER, "seal", h.RUN, key, source, out, h.WHEN, ok=False)
        told = h.sh("pdfsig", "-nocert", out, ok=False).stdout if done.returncode == 0 else done.stderr
        whole = out.read_bytes() if out.exists() else b""
        if "Signature is Valid" not in told or "Total document signed" not in told or f"Common Name: {key} seal" not in told \
                or not whole.startswith(source.read_bytes()):
            failures.append((n, told))

    def lane(first):
        for n in range(first, 24, 4):
            client(n)
    threads = [threading.Thread(target=lane, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    h.check(not failures and len(list(h.TMP.glob("many*-signed.pdf"))) == 24, failures)


# ---- tokens ----

def token(h, name, label="fwpermit", keys=("permit", "receipt")):
    """A token in a folder of its own; the environment that lets the module find it."""
    folder = h.TMP / name
    (folder / "tokens").mkdir(parents=True)
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    h.ENV["SOFTHSM2_CONF"] = str(folder / "conf")
    h.sh("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "0000", "--pin", PIN, env=h.ENV)
    for n, key in enumerate(keys, 1):
        h.sh("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", h.TMP / f"{key}.key", "-out", folder / "p8")
        h.sh("softhsm2-util", "--import", folder / "p8", "--token", label, "--label", key, "--id", f"0{n}", "--pin", PIN, env=h.ENV)
    (folder / "p8").unlink(missing_ok=True)
    return folder


def uri(h, name, text, pin=PIN):
    """The files of a key in a token."""
    for ending, content in (("key", text + "\n"), ("pin", f"{pin}\n")):
        (h.TMP / f"{name}.{ending}").write_text(content)
        os.chmod(h.TMP / f"{name}.{ending}", 0o600)
    return {"key": f"{name}.key", "pin": f"{name}.pin"}


def of(object_, label="fwpermit", module=MODULE):
    return f"pkcs11:token={label};object={object_};type=private?module-path={module}"


@test
def keys_in_a_token_sign(h):
    token(h, "hsm")
    files = {"permit": {**uri(h, "hsm-permit", of("permit")), "cert": "permit.crt", "chain": "mid.crt"},
             "receipt": {**uri(h, "hsm-receipt", f"pkcs11:token=fw%70ermit;id=%02?module-path={MODULE}"), "cert": "receipt.crt"},
             "audit": {"key": "audit.key"}}
    with h.another_signer("hsmrun", **files) as run:
        h.check({c["use"]: c["ready"] for c in certs(h, run)["certs"]} == {"permit": True, "receipt": True}, certs(h, run))
        for key in ("permit", "receipt"):
            out = h.TMP / f"hsm-{key}.pdf"
            h.driver("seal", run, key, h.TMP / f"{key}.pdf", out, h.WHEN)
            told = h.assert_valid(out)
            h.check(f"Common Name: {key} seal" in told, told)
        (h.TMP / "hsm.sig").write_bytes(h.ask("sign", "permit", b"a seal", run=run))
        (h.TMP / "hsm.what").write_bytes(b"a seal")
        h.sh("openssl", "pkey", "-in", h.TMP / "permit.key", "-pubout", "-out", h.TMP / "hsm.pub")
        h.sh("openssl", "dgst", "-sha256", "-verify", h.TMP / "hsm.pub", "-signature", h.TMP / "hsm.sig", h.TMP / "hsm.what")
    h.check("FWP" not in (h.TMP / "hsmrun.log").read_text(), (h.TMP / "hsmrun.log").read_text())


@test
def what_is_wrong_with_a_token_is_named(h):
    token(h, "faulty")
    wrong = {"a": (of("permit", label="other"), PIN, "there is no token other"),
             "b": (of("nobody"), PIN, "no such private key: nobody"),
             "c": (of("permit", module="/usr/lib/none.so"), PIN, "cannot be loaded: /usr/lib/none.so"),
             "d": ("pkcs11:token=fwpermit;object=permit", PIN, "lacks module-path"),
             "e": (of("permit") + "&colour=red", PIN, '"colour" is not known'),
             "f": (of("per%4"), PIN, "no %XX")}
    files = {n: {**uri(h, f"wrong-{n}", text, pin), "cert": "permit.crt"} for n, (text, pin, _) in wrong.items()}
    files["g"] = {**uri(h, "wrong-g", of("receipt")), "cert": "permit.crt"}
    files["h"] = {**uri(h, "wrong-h", of("permit")), "cert": "permit.crt"}
    os.chmod(h.TMP / "wrong-h.pin", 0o644)
    whys = {**{n: why for n, (_, _, why) in wrong.items()}, "g": "certificate is not the key's", "h": "others may open"}
    with h.another_signer("faultyrun", audit={"key": "audit.key"}, **files) as run:
        for name, why in whys.items():
            h.check(why in h.ask("sign", name, run=run, code=h.UNAVAILABLE), name, why)
        h.check(h.ask("sign", "audit", run=run), "the others do not serve")
    told = (h.TMP / "faultyrun.log").read_text()
    for name, why in whys.items():
        h.check(re.search(f"3 FWP2301 signer: key {name}: .*{re.escape(why)}", told), name, told)


@test
def a_wrong_pin_is_tried_once(h):
    """A token counts. What the module is asked is written down by one that stands before it."""
    spied = token(h, "locked") / "asked"
    h.ENV.update(PKCS11SPY=MODULE, PKCS11SPY_OUTPUT=str(spied))
    files = {**uri(h, "locked-permit", of("permit", module=SPY), pin="0815"), "cert": "permit.crt"}
    with h.another_signer("lockedrun", permit=files) as run:
        for _ in range(3):
            h.check("locked-permit.pin: the PIN is wrong" in h.ask("cms", "permit", run=run, code=h.UNAVAILABLE))
    h.check(spied.read_text().count("C_Login\n") == 1, spied.read_text()[-2000:])


@test
def a_token_goes_away_and_comes_back(h):
    folder = token(h, "moved")
    tokens, away = folder / "tokens", folder / "away"
    files = {"permit": {**uri(h, "moved-permit", of("permit")), "cert": "permit.crt"},
             "receipt": {**uri(h, "moved-receipt", of("receipt")), "cert": "receipt.crt"}}
    tokens.rename(away)
    tokens.mkdir()
    with h.another_signer("movedrun", **files) as run:  # it begins without
        h.check("no token" in h.ask("cms", "permit", run=run, code=h.UNAVAILABLE))
        for _ in range(2):
            tokens.rmdir()
            away.rename(tokens)
            until(lambda: h.sh(h.DRIVER, "ask", run, "cms", "permit", h.TMP / "ask.in", h.TMP / "ask.out", ok=False).returncode == 0,
                  lambda: (h.TMP / "movedrun.log").read_text())
            for key in ("permit", "receipt"):
                h.check(h.ask("cms", key, run=run), key)
            tokens.rename(away)
            tokens.mkdir()
            for key in ("permit", "receipt"):
                h.check("the signer refuses" in h.ask("cms", key, run=run, code=h.UNAVAILABLE))
    shutil.rmtree(folder)
