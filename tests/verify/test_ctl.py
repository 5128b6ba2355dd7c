"""fwpermitctl verify, on papers of a real platform, good and bad, without a network; then the same papers, and a permit printed
and photographed, on the page that the platform publishes."""
import base64
import datetime
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest
import requests
from PIL import Image, ImageEnhance, ImageFilter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/http"))

import flow  # noqa: E402  pylint: disable=wrong-import-position
from platform_under_test import Platform, await_  # noqa: E402  pylint: disable=wrong-import-position

BUILD = (ROOT / os.environ.get("B", "build")).resolve()
PORTS = range(26610, 26690, 4)
WORDS = "桃園市 /ByteRange [0 1 2 3] <</Type/EmbeddedFile/Subtype/application#2Fjson/Length 9"
LATER = "2027-01-15"  # within the term of a permit that was issued today
CODES = {"valid": 0, "unreadable": 11, "unsigned": 12, "several": 13, "resaved": 14, "altered": 15, "unknown_signer": 16,
         "not_yet": 17, "expired": 18, "superseded": 19, "revoked": 20}


def free_ports():
    import socket
    for port in PORTS:
        socks = [socket.socket() for _ in range(3)]
        try:
            for i, s in enumerate(socks):
                s.bind(("127.0.0.1", port + i))
            return port
        except OSError:
            continue
        finally:
            for s in socks:
                s.close()
    raise AssertionError("no free ports")


class Papers:
    """What a platform handed out: files in a folder, and `verify()` on any of them."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return self.folder / name

    def bytes(self, name):
        return self.path(name).read_bytes()

    def put(self, name, data):
        self.path(name).write_bytes(data)
        return name

    def verify(self, name, *more, trust="trust.json", revocations="revocations.jws", at=LATER):
        """(verdict, the whole answer); the exit code is the verdict's."""
        command = [BUILD / "fwpermitctl", "-c", self.folder / "none", "verify", self.path(name), *more, "--json",
                   "--trust", self.path(trust), "--at", at]
        command += ["--revocations", self.path(revocations)] if revocations else []
        done = subprocess.run(["unshare", "-n", *map(str, command)] if os.geteuid() == 0 else [str(c) for c in command],
                              capture_output=True, text=True, check=False, timeout=60)
        answer = json.loads(done.stdout)
        missing = done.returncode == 1 and any(f["field"] is None for f in answer["files"])
        assert done.returncode == CODES[answer["verdict"]] or missing, (done.returncode, answer)
        return answer["verdict"], answer


def collect(site, folder):
    public = site.folder / "state/public"
    await_("the lists", (public / "verify.html").exists)
    broker = site.person("broker")
    officers = [site.person("reviewer1"), site.person("reviewer2")]
    worker = flow.register(broker)
    for name in ("superseded", "later", "permit", "revoked"):
        if name in ("superseded", "later"):
            case = flow.fill(broker, flow.open_case(broker, worker))
            flow.submit(broker, case)
        else:
            case = flow.filed(broker, address=WORDS)
        flow.approve(site, case, officers)
        flow.pay(site, broker, case)
        documents = flow.issued(site, broker, case)["documents"]
        for document in documents:
            kind = name if document["kind"] == "permit" else f"{name}-{document['kind']}"
            (folder / f"{kind}.pdf").write_bytes(broker.get(document["href"]).content)
        if name == "permit":
            for item in broker.see(f"/cases/{case}")["files"]:
                (folder / f"attachment-{item['slot']}").write_bytes(broker.get(item["href"]).content)
        elif name == "revoked":
            number = next(d["number"] for d in documents if d["kind"] == "permit")
            shutil.copy(public / "revocations.jws", folder / "before.jws")
            site.person("admin").do(f"/admin/permits/{number}/revoke", {"reason": "wrong employer"})

    def listed():
        payload = (public / "revocations.jws").read_text().split(".")[1]
        return len(json.loads(base64.urlsafe_b64decode(payload + "=="))["permits"]) == 2
    await_("both that ended", listed)
    heads = {}
    for name in ("trust.json", "revocations.jws", "verify.html"):
        answer = requests.get(f"{site.base}/public/{name}", timeout=10)
        heads[name] = [answer.status_code, *(answer.headers.get(h) for h in (
            "Content-Type", "Cache-Control", "X-Content-Type-Options", "Set-Cookie"))]
        (folder / name).write_bytes(answer.content)
        again = requests.get(f"{site.base}/public/{name}", headers={"If-None-Match": answer.headers.get("ETag", "")}, timeout=10)
        since = requests.get(f"{site.base}/public/{name}", timeout=10, headers={
            "If-Modified-Since": answer.headers.get("Last-Modified", "")})
        heads[f"{name} again"] = [again.status_code, len(again.content), since.status_code, len(since.content)]
        heads[f"{name} policy"] = [answer.headers.get(h) for h in ("Content-Security-Policy", "Permissions-Policy")]
    (folder / "heads.json").write_text(json.dumps(heads))


@pytest.fixture(scope="session", name="papers")
def papers_of_a_platform():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="verify"))
    folder.chmod(0o755)
    for name in ("site", "foreign"):
        (folder / name).mkdir()
        site = Platform(folder / name / "p", free_ports(), build=BUILD)
        site.start()
        try:
            if name == "site":
                collect(site, folder)
            else:
                await_("its trust list", (site.folder / "state/public/trust.json").exists)
                shutil.copy(site.folder / "state/public/trust.json", folder / "foreign.json")
        finally:
            site.stop()
    yield Papers(folder)
    if "FW_KEEP" not in os.environ:
        shutil.rmtree(folder)


# ---- good ones ----

@pytest.mark.parametrize("name, kind", [("permit.pdf", "permit"), ("permit-filing.pdf", "filing"),
                                        ("permit-receipt.pdf", "receipt")])
def test_what_the_platform_hands_out_is_valid(papers, name, kind):
    verdict, answer = papers.verify(name)
    assert (verdict, answer["kind"]) == ("valid", kind) and "warning" not in answer
    assert answer["statement"]["format"] == f"fwpermit-{kind}/1"


def test_an_applicant_s_words_are_never_taken_for_the_pdf_s_own(papers):
    assert papers.verify("permit-filing.pdf")[1]["statement"]["data"]["address"] == WORDS
    assert papers.bytes("permit-filing.pdf").count(b"/ByteRange") == 1


def test_the_list_is_valid_and_small(papers):
    verdict, answer = papers.verify("revocations.jws")
    assert (verdict, answer["kind"]) == ("valid", "revocations")
    assert len(papers.bytes("revocations.jws")) < 2048


def test_anyone_fetches_the_lists_and_may_keep_them(papers):
    heads = {name: head for name, head in json.loads(papers.bytes("heads.json")).items() if " " not in name}
    types = {name: head[1].split(";")[0] for name, head in heads.items()}
    assert types == {"trust.json": "application/json", "revocations.jws": "application/jose", "verify.html": "text/html"}
    for name, (status, _, cache, sniff, cookie) in heads.items():
        assert (status, cache, sniff, cookie) == (200, "public, max-age=300", "nosniff", None), name


def test_who_has_the_newest_is_told_so_in_a_word(papers):
    heads = json.loads(papers.bytes("heads.json"))
    for name in ("trust.json", "revocations.jws", "verify.html"):
        assert heads[f"{name} again"] == [304, 0, 304, 0], name


def test_the_page_alone_may_ask_for_the_camera(papers):
    """Its own policy, in the page, names its script by hash and forbids each request; the server's does not stand in its way."""
    heads = json.loads(papers.bytes("heads.json"))
    policy, permissions = heads["verify.html policy"]
    assert policy == "frame-ancestors 'none'" and "camera=(self)" in permissions
    for name in ("trust.json", "revocations.jws"):
        policy, permissions = heads[f"{name} policy"]
        assert "default-src" in policy and "camera=()" in permissions, name
    own = re.search(rb'http-equiv="Content-Security-Policy" content="([^"]+)"', papers.bytes("verify.html"))[1].decode()
    rules = dict(rule.strip().split(" ", 1) for rule in own.split(";") if rule.strip())
    assert rules["default-src"] == "'none'" and "sha256-" in rules["script-src"] and "unsafe-inline" not in rules["script-src"]
    assert "http" not in own


def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def integer(data):
    data = data.lstrip(b"\0")
    data = b"\0" + data if data[0] & 0x80 else data
    return b"\x02" + bytes([len(data)]) + data


def test_the_list_is_a_jws_that_others_verify(papers):
    """What it says of itself and of permits; its signature by openssl, with the certificate in it, under the agency's root."""
    head, payload, signature = papers.bytes("revocations.jws").decode().strip().split(".")
    header, said = json.loads(part(head)), json.loads(part(payload))
    assert (header["alg"], header["typ"], said["format"]) == ("ES256", "fwpermit-revocations", "fwpermit-revocations/1")
    issued, following = (datetime.datetime.fromisoformat(said[m].replace("Z", "+00:00")) for m in ("issued", "next_update"))
    assert following - issued == datetime.timedelta(hours=24)
    numbers = {papers.verify(f"{name}.pdf")[1]["statement"]["no"]: name for name in ("revoked", "superseded")}
    assert [(p["no"], p["state"]) for p in said["permits"]] == sorted(numbers.items())
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", p["since"]) for p in said["permits"])
    papers.put("list.der", base64.b64decode(header["x5c"][0]))
    papers.put("root.pem", json.loads(papers.bytes("trust.json"))["roots"][0].encode())
    raw = part(signature)
    both = integer(raw[:32]) + integer(raw[32:])
    papers.put("list.sig", b"\x30" + bytes([len(both)]) + both)
    papers.put("list.said", f"{head}.{payload}".encode())

    def openssl(*words):
        return subprocess.run(["openssl", *words], cwd=papers.folder, check=True, capture_output=True, text=True).stdout
    papers.put("list.crt", openssl("x509", "-inform", "DER", "-in", "list.der").encode())
    papers.put("list.pub", openssl("x509", "-in", "list.crt", "-noout", "-pubkey").encode())
    openssl("verify", "-CAfile", "root.pem", "-purpose", "any", "list.crt")
    openssl("dgst", "-sha256", "-verify", "list.pub", "-signature", "list.sig", "list.said")
    kid = openssl("x509", "-in", "list.crt", "-noout", "-fingerprint", "-sha256").split("=")[1].replace(":", "").lower()
    assert header["kid"] == kid[:16]


def test_what_is_printed_in_the_square_is_valid_too(papers):
    seal = base64.b64decode(papers.verify("permit.pdf")[1]["statement"]["seal"])
    papers.put("seal.bin", seal)
    papers.put("seal.txt", base64.b64encode(seal) + b"\n")
    for name in ("seal.bin", "seal.txt"):
        verdict, answer = papers.verify(name)
        assert verdict == "valid"
        permit = papers.verify("permit.pdf")[1]["statement"]
        for member in ("no", "passport_no", "valid_from", "valid_to"):
            assert answer["statement"][member] == permit[member]


def test_a_filing_knows_its_attachments(papers):
    files = sorted(papers.folder.glob("attachment-*"))
    assert len(files) == 3
    verdict, answer = papers.verify("permit-filing.pdf", *files)
    assert verdict == "valid"
    fields = [f["field"] for f in answer["files"]]  # two of them are the same file
    assert "photo" in fields and set(fields) <= {f.name.removeprefix("attachment-") for f in files}
    papers.put("changed", papers.bytes(files[0].name) + b" ")
    verdict, answer = papers.verify("permit-filing.pdf", papers.path("changed"))
    assert verdict == "valid" and answer["files"][0]["field"] is None


# ---- dates and lists ----

def test_its_term_counts(papers):
    term = papers.verify("permit.pdf")[1]["statement"]
    for day, verdict in ((term["valid_from"], "valid"), (term["valid_to"], "valid"), ("2020-01-01", "not_yet"),
                         ("2028-01-01", "expired")):
        assert papers.verify("permit.pdf", at=day)[0] == verdict, day


def test_a_revoked_one_says_since_when(papers):
    verdict, answer = papers.verify("revoked.pdf")
    assert verdict == "revoked" and re.fullmatch(r"\d{4}-\d\d-\d\d", answer["since"])
    assert papers.verify("revoked.pdf", revocations="before.jws")[0] == "valid"


def test_a_superseded_one_says_since_when(papers):
    verdict, answer = papers.verify("superseded.pdf")
    assert verdict == "superseded" and re.fullmatch(r"\d{4}-\d\d-\d\d", answer["since"])
    assert papers.verify("later.pdf")[0] == "valid"
    assert papers.verify("superseded.pdf", revocations=None)[0] == "valid"


def test_without_a_list_it_warns(papers):
    verdict, answer = papers.verify("revoked.pdf", revocations=None)
    assert verdict == "valid" and "revoked" in answer["warning"]


# ---- altered ----

def test_no_changed_byte_stays_unseen(papers):
    for name in ("permit.pdf", "permit-filing.pdf"):
        whole = papers.bytes(name)
        spots = list(range(7, len(whole), max(1, len(whole) // 25)))
        for word in (b"/ByteRange", b"/Contents <30", b"/EmbeddedFile", b"/M (D:", b"%%EOF"):
            spots.append(whole.rindex(word) + len(word) // 2)
        for spot in spots:
            changed = bytearray(whole)
            changed[spot] ^= 1
            verdict, _ = papers.verify(papers.put("flipped.pdf", bytes(changed)))
            assert verdict in ("altered", "unreadable", "unsigned", "resaved", "unknown_signer"), (name, spot, verdict)


def test_the_kinds_of_alteration_are_told_apart(papers):
    whole = papers.bytes("permit.pdf")
    papers.put("appended.pdf", whole + b"\n% more\n")
    verdict, answer = papers.verify("appended.pdf")
    assert verdict == "altered" and "8 bytes were appended" in answer["why"]
    assert papers.verify(papers.put("short.pdf", whole[:-1]))[0] == "altered"
    body = bytearray(whole)
    body[2000] ^= 1
    assert papers.verify(papers.put("body.pdf", bytes(body)))[0] == "altered"
    for how in ([], ["--object-streams=generate"], ["--linearize"]):
        subprocess.run(["qpdf", *how, papers.path("permit.pdf"), papers.path("resaved.pdf")], check=True)
        assert papers.verify("resaved.pdf")[0] == "resaved", how
    start = whole.rindex(b"<< /Type /Sig")
    second = whole[start:whole.index(b"endobj", start)]
    papers.put("twice.pdf", whole + b"\n999 0 obj\n" + second + b"endobj\nstartxref\n0\n%%EOF\n")
    assert papers.verify("twice.pdf")[0] == "several"
    assert papers.verify(papers.put("plain.pdf", flow.pdf()))[0] == "unsigned"


def test_what_is_no_paper(papers):
    for data in (b"", b"%PDF-", b"hello", b"\x00" * 100, b"ey.ey.", os.urandom(5000)):
        assert papers.verify(papers.put("junk", data))[0] in ("unreadable", "unsigned", "altered"), data


def test_a_signer_whom_the_list_does_not_name(papers):
    for name in ("permit.pdf", "permit-filing.pdf", "seal.bin"):
        assert papers.verify(name, trust="foreign.json", revocations=None)[0] == "unknown_signer", name


def test_a_receipt_s_key_signs_no_permit(papers):
    """The trust list says what each certificate is for."""
    trust = json.loads(papers.bytes("trust.json"))
    for signer in trust["signers"]:
        signer["use"] = {"permit": "receipt", "receipt": "permit"}.get(signer["use"], signer["use"])
    papers.put("swapped.json", json.dumps(trust).encode())
    assert papers.verify("permit.pdf", trust="swapped.json", revocations=None)[0] == "unknown_signer"


# ---- the list ----

def test_a_list_with_one_byte_changed_is_refused(papers):
    jws = papers.bytes("revocations.jws")
    for spot in (10, len(jws) // 2, jws.rindex(b".") + 5):
        changed = bytearray(jws)
        changed[spot] = ord("A") if changed[spot] != ord("A") else ord("B")
        papers.put("changed.jws", bytes(changed))
        assert papers.verify("changed.jws")[0] == "altered"
        done = subprocess.run([BUILD / "fwpermitctl", "verify", papers.path("permit.pdf"), "--trust", papers.path("trust.json"),
                               "--revocations", papers.path("changed.jws")], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "revocation list" in done.stderr


# ---- the seal ----

def test_a_cut_seal_and_one_that_was_changed(papers):
    seal = papers.bytes("seal.bin")
    for n in range(1, len(seal)):
        assert papers.verify(papers.put("cut", seal[:n]))[0] == "unreadable", n
        if n > 40:
            break
    for n in (60, 100, len(seal) - 66, len(seal) - 1):
        assert papers.verify(papers.put("cut", seal[:n]))[0] == "unreadable", n
    for spot in range(20, len(seal) - 1, 9):
        changed = bytearray(seal)
        changed[spot] ^= 1
        assert papers.verify(papers.put("changed", bytes(changed)))[0] in ("altered", "unreadable"), spot


# ---- printed, photographed, and on the page that the platform published ----

def printed(papers, name):
    """The permit's page as a telephone sees the print: turned, out of focus, with noise, as a JPEG."""
    subprocess.run(["pdftoppm", "-r", "300", "-l", "1", "-png", "-singlefile", papers.path(f"{name}.pdf"), papers.path(name)], check=True)
    image = Image.open(papers.path(f"{name}.png")).convert("RGB")
    image = image.rotate(4, expand=True, fillcolor="grey", resample=Image.BICUBIC).filter(ImageFilter.GaussianBlur(1.2))
    image = Image.blend(image, Image.effect_noise(image.size, 30).convert("RGB"), 0.15).point(lambda v: 20 + v * 0.8)
    image.save(papers.path(f"{name}.jpg"), "JPEG", quality=60)
    return f"{name}.jpg"


def jpeg(image, quality):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


def worse_and_worse(papers):
    """The same print straight, turned by 8 degrees and seen from below, in dim light, and sent on twice by messengers."""
    image = Image.open(papers.path("permit.png")).convert("RGB")
    turned = image.rotate(8, expand=True, fillcolor="grey", resample=Image.BICUBIC)
    w, h = turned.size
    corners = (-0.06 * w, -0.04 * h, 0, h, w, h, 1.06 * w, -0.04 * h)
    dim = ImageEnhance.Contrast(ImageEnhance.Brightness(image).enhance(0.35)).enhance(0.7).filter(ImageFilter.GaussianBlur(1))
    small = image.resize((image.width * 3 // 4, image.height * 3 // 4))
    photos = {"straight": image, "turned": turned.transform((w, h), Image.QUAD, corners, Image.BICUBIC, fillcolor="grey"),
              "dim": dim, "twice": jpeg(jpeg(small, 40), 45)}
    for name, photo in photos.items():
        photo.save(papers.path(f"{name}.jpg"), "JPEG", quality=60)
    return [f"{name}.jpg" for name in photos]


def test_the_published_page_says_the_same_of_papers_and_of_photos_of_them(papers):
    photos = [printed(papers, name) for name in ("permit", "revoked", "superseded")]
    flipped = bytearray(papers.bytes("permit.pdf"))
    flipped[2000] ^= 1
    papers.put("spoilt.pdf", bytes(flipped))
    wanted = dict(zip(photos, ("Genuine and valid", "Revoked", "Superseded")))
    grades = worse_and_worse(papers)
    wanted |= dict.fromkeys(grades, "Genuine and valid")
    wanted |= {"permit.pdf": "Genuine and valid", "permit-filing.pdf": "Genuine", "permit-receipt.pdf": "Genuine", "spoilt.pdf": "Altered",
               "revoked.pdf": "Revoked", "superseded.pdf": "Superseded", "later.pdf": "Genuine and valid"}
    done = subprocess.run(["node", ROOT / "tests/verify/printed.mjs", papers.path("verify.html"), f"{LATER}T04:00:00Z",
                           *map(papers.path, wanted)], capture_output=True, text=True, check=True, timeout=120)
    told = json.loads(done.stdout)
    assert {name: said[0] for name, said in told["said"].items()} == wanted
    assert told["asked"] == []
    permit = papers.verify("permit.pdf")[1]["statement"]
    for name in ("permit.jpg", "permit.pdf", *grades):
        assert permit["no"] in told["said"][name][1] and permit["passport_no"] in told["said"][name][1]
