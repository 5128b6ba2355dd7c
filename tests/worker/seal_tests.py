"""Seals: built through the signer, read back by a decoder of our own, drawn on the permit and photographed from it. Run by
tests/worker/run, which gives its helpers as `h`."""
import base64
import datetime
import io
import json
import os
import pathlib
import re

import live_tests
from live import until
from PIL import Image, ImageFilter

TESTS = []
LIVE = []  # these take a platform of live.py
MM = 300 / 25.4  # dots of 300 in an inch
HOLDER = {"signer": "TWNI", "permit_no": "EP1150000123", "issued": "2026-03-02", "valid_from": "2026-03-02",
          "valid_to": "2029-03-01", "passport_no": "C1234567", "surname": "Nguyễn", "given": "Văn Ánh", "nationality": "VNM",
          "birth": "1994-07-21", "sex": "F"}
NOTE = {"zh": "數位印章：以預先存好的下列網頁掃描，不連線也能查驗。",
        "en": "Digital seal. To check it without a network, show it to the page at this address, saved beforehand:"}


def test(function):
    TESTS.append(function)
    return function


# ---- what another program makes of the bytes ----

def c40(data):
    out = ""
    for at in range(0, len(data), 2):
        pair = data[at] << 8 | data[at + 1]
        if data[at] == 0xFE:
            out += chr(data[at + 1] - 1)
            continue
        values = [(pair - 1) // 1600, (pair - 1) // 40 % 40, (pair - 1) % 40]
        out += "".join(" 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[v - 3] for v in values if v)
    return out


def date(data):
    number = int.from_bytes(data, "big")
    return f"{number % 10000:04d}-{number // 1000000:02d}-{number // 10000 % 100:02d}"


def digit(text):
    return str(sum((0 if c == "<" else int(c, 36)) * (7, 3, 1)[i % 3] for i, c in enumerate(text)) % 10)


def td2(first, number, nation, birth, sex, expiry):
    line = f"{number[:9]}<{nation}{birth}{digit(birth)}{sex}{expiry}{digit(expiry)}" + f"{number[9:]}{digit(number)}".ljust(7, "<")
    return first.ljust(36, "<") + line + digit(line[:10] + line[13:20] + line[21:35])


def read(seal):
    assert seal[:2] == b"\xdc\x03", seal
    text = c40(seal[4:8])
    length = int(text[4:], 16)
    at = 8 + 2 * -(-length // 3)
    out = {"country": c40(seal[2:4]), "signer": text[:4], "reference": c40(seal[8:at]), "issued": date(seal[at:at + 3]),
           "signed": date(seal[at + 3:at + 6]), "type": seal[at + 6:at + 8].hex(), "tags": {}}
    at += 8
    while seal[at] != 0xFF:
        out["tags"][seal[at]] = seal[at + 2:at + 2 + seal[at + 1]]
        at += 2 + seal[at + 1]
    out["part"], out["signature"] = seal[:at], seal[at + 2:]
    assert seal[at + 1] == 64 == len(out["signature"]), seal[at:]
    return out


def integer(data):
    data = data.lstrip(b"\0")
    data = b"\0" + data if data[0] & 0x80 else data
    return b"\x02" + bytes([len(data)]) + data


def verifies(h, seal, cert):
    """As docs/integrators/seal.md tells it: r and s as DER, then openssl."""
    told = read(seal)
    numbers = integer(told["signature"][:32]) + integer(told["signature"][32:])
    (h.TMP / "seal.sig").write_bytes(b"\x30" + bytes([len(numbers)]) + numbers)
    (h.TMP / "seal.part").write_bytes(told["part"])
    (h.TMP / "seal.pub").write_text(h.sh("openssl", "x509", "-in", h.TMP / cert, "-noout", "-pubkey").stdout)
    return h.sh("openssl", "dgst", "-sha256", "-verify", h.TMP / "seal.pub", "-signature", h.TMP / "seal.sig", h.TMP / "seal.part",
                ok=False).returncode == 0


def stamp(h, run=None, code=0, **more):
    (h.TMP / "holder.json").write_text(json.dumps({**HOLDER, **more}))
    done = h.driver("stamp", run or h.RUN, h.TMP / "holder.json", h.TMP / "seal.bin", code=code)
    return done.stderr if code else (h.TMP / "seal.bin").read_bytes()


@test
def a_seal_says_who_may_stay_until_when(h):
    seal = stamp(h)
    told = read(seal)
    serial = h.sh("openssl", "x509", "-in", h.TMP / "seal.crt", "-noout", "-serial").stdout.strip().split("=")[1]
    today = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).date().isoformat()
    wanted = {"country": "TWN", "signer": "TWNI", "reference": serial.lstrip("0"), "issued": "2026-03-02", "type": "e106",
              "signed": today}
    h.check({k: told[k] for k in wanted} == wanted, told)
    h.check(list(told["tags"]) == [2, 3, 4, 5, 6], told["tags"])
    h.check(c40(told["tags"][2]).replace(" ", "<") == td2("ARTWNNGUYEN<<VAN<ANH", "EP1150000123", "VNM", "940721", "F", "290301"),
            c40(told["tags"][2]))
    h.check((c40(told["tags"][3]), c40(told["tags"][4])) == ("C1234567", "EP1150000123"), told["tags"])
    h.check((date(told["tags"][5]), date(told["tags"][6])) == ("2026-03-02", "2029-03-01"), told["tags"])
    h.check(verifies(h, seal, "seal.crt"), "the signature does not verify")
    for at in (3, 40, len(told["part"]) - 1, len(seal) - 1):
        h.check(not verifies(h, seal[:at] + bytes([seal[at] ^ 1]) + seal[at + 1:], "seal.crt"), "a changed byte passes:", at)
    h.check(not verifies(h, seal, "permit.crt"), "another key verifies it")


@test
def the_documents_example_is_true(h):
    """docs/integrators/seal.md: what the example says, and the commands that verify it."""
    page = (h.ROOT / "docs/integrators/seal.md").read_text()
    seal, key = (block.strip("`\n") for block in re.findall(r"```\n.*?```", page, re.S))
    folder = h.TMP / "by-hand"
    folder.mkdir()
    (folder / "seal.bin").write_bytes(bytes.fromhex(seal))
    (folder / "seal.pub").write_text(key + "\n")
    told = read(bytes.fromhex(seal))
    h.check((told["issued"], told["signed"], told["signer"], told["reference"]) == ("2026-03-02", "2026-11-26", "TWNI", "1A2B"), told)
    said = {int(tag, 16): text.replace("`", "").replace(" ", "") for tag, text in
            re.findall(r"^\| `(0\d)` \| (.*) \|$", page[page.index("## An example"):], re.M)}
    h.check(said == {tag: date(v) if tag > 4 else c40(v).replace(" ", "<") for tag, v in told["tags"].items()}, said, told)
    commands = "\n".join(line.strip() for line in page[page.index("By hand"):page.index("## An example")].splitlines()
                         if line.startswith("    "))
    done = h.sh("bash", "-ec", commands, cwd=folder)
    h.check("Verified OK" in done.stdout, done.stdout, done.stderr)
    (folder / "seal.bin").write_bytes(bytes.fromhex(seal[:60] + "00" + seal[62:]))
    h.check("Verified OK" not in h.sh("bash", "-c", commands, cwd=folder, ok=False).stdout, "a changed seal verifies")


@test
def signatures_keep_their_width(h):
    """One number in 256 begins with a zero, which DER drops."""
    for _ in range(20):
        h.check(verifies(h, stamp(h), "seal.crt"), "a seal that does not verify")


@test
def a_seal_without_a_holder_says_the_rest(h):
    (h.TMP / "holder.json").write_text(json.dumps({k: HOLDER[k] for k in ("signer", "permit_no", "issued", "valid_from", "valid_to")}))
    h.driver("stamp", h.RUN, h.TMP / "holder.json", h.TMP / "seal.bin")
    told = read((h.TMP / "seal.bin").read_bytes())
    h.check(list(told["tags"]) == [4, 5, 6], told)


@test
def what_no_seal_can_say_is_refused(h):
    for more in ({"passport_no": "c-1"}, {"permit_no": "EP-1"}, {"surname": "王"}, {"birth": "1994-13-01"}, {"valid_to": "2029"}):
        stamp(h, code=h.INPUT, **more)


@test
def a_key_that_is_not_the_agencys_seals_nothing(h):
    h.check("FwPermitSealSigner is TWXX" in stamp(h, code=h.CONFIG, signer="TWXX"))
    h.check("the signer is away" in stamp(h, run=h.TMP / "nowhere", code=h.UNAVAILABLE))
    h.make_key("p384", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
    for name, key, subject, why in (("bits", "p384", "/C=TW/CN=NI", "not on P-256"), ("rsa", "rsaaudit", "/C=TW/CN=NI", "not on P-256"),
                                    ("long", "audit", "/C=TW/CN=NIA", "subject"), ("more", "audit", "/C=TW/O=X/CN=NI", "subject"),
                                    ("none", "audit", None, "refuses")):
        files = {"key": f"{key}.key"}
        if subject:
            h.sh("openssl", "req", "-x509", "-new", "-key", h.TMP / f"{key}.key", "-subj", subject, "-days", "9", "-out",
                 h.TMP / f"{name}.crt")
            files["cert"] = f"{name}.crt"
        with h.another_signer(f"seal-{name}", seal=files) as run:
            h.check(why in stamp(h, run=run, code=h.CONFIG), name)
    with h.another_signer("seal-other", permit={"key": "permit.key", "cert": "permit.crt"}) as run:
        h.check("refuses" in stamp(h, run=run, code=h.CONFIG))


# ---- on paper ----

def sealed(h, code, **more):
    return {**h.papers.permit(), "seal": base64.b64encode(code).decode(), "seal_url": "https://permit.example.gov.tw/public/verify.html",
            "seal_note": NOTE, **more}


def page(h, name, dpi):
    h.sh("pdftoppm", "-r", dpi, "-f", 1, "-l", 1, "-png", "-singlefile", h.TMP / f"{name}.pdf", h.TMP / f"{name}-page")
    return Image.open(h.TMP / f"{name}-page.png").convert("RGB")


def panel(image):
    """The left half of the page's foot: as a reader would hold the camera."""
    w, h = image.size
    return image.crop((0, int(h * 0.72), int(w * 0.5), int(h * 0.94)))


def scan(h, image):
    image.save(h.TMP / "scan.png")
    return h.sh("dmtxread", "-N1", "-m", "20000", h.TMP / "scan.png", ok=False, text=False).stdout


@test
def the_seal_is_read_from_the_page(h):
    seal = stamp(h)
    facts = h.render("sealed", sealed(h, seal), h.TMP / "face.jpg")
    h.check(facts == {"pages": 1, "unknown": 0}, facts)
    h.assert_all_text("sealed", sealed(h, seal))
    h.check(scan(h, panel(page(h, "sealed", 300))) == seal, "read otherwise")
    told = h.sh("pdfinfo", "-url", h.TMP / "sealed.pdf").stdout
    h.check("/public/verify.html" in told and h.papers.URL in told, told)
    h.check(h.sh("pdfinfo", "-struct-text", h.TMP / "sealed.pdf").stdout.count("Figure") == 3, "photo, seal and code")


@test
def modules_are_as_large_as_printers_need(h):
    """The frame's solid side, in dots of 600 in an inch, over the count of modules; and white around it."""
    foot = panel(page(h, "sealed", 600)).convert("L")
    dark = foot.point(lambda v: 255 if v < 20 else 0)
    w = dark.size[0]
    left = next(x for x in range(int(w * 0.17), w) if sum(1 for v in dark.crop((x, 0, x + 1, dark.size[1])).getdata() if v) > 400)
    column = [y for y, v in enumerate(dark.crop((left + 3, 0, left + 4, dark.size[1])).getdata()) if v]
    side = column[-1] - column[0] + 1
    modules = 48 if len(stamp(h)) <= 172 else 52
    mm = side / modules / 600 * 25.4
    h.check(side == len(column) and 0.34 <= mm <= 0.7, "no solid side, or modules of", mm, "mm")
    quiet = int(1.5 * side / modules)
    around = foot.crop((left - quiet, column[0] - quiet, left - 1, column[-1] + quiet))
    h.check(min(around.getdata()) > 200, "the quiet zone is not quiet")


def photographed(image, angle, tilt, blur, quality):
    """As a telephone sees a print: turned, from aside, out of focus, with its noise, as a JPEG."""
    image = image.rotate(angle, expand=True, fillcolor="white", resample=Image.BICUBIC)
    w, h = image.size
    image = image.transform((w, h), Image.QUAD, (-tilt * w, 0, tilt * w / 2, h, w - tilt * w / 2, h, w + tilt * w, 0), Image.BICUBIC,
                            fillcolor="white")
    image = image.filter(ImageFilter.GaussianBlur(blur))
    noise = Image.effect_noise(image.size, 30).convert("RGB")
    image = Image.blend(image, noise, 0.18).point(lambda v: 20 + v * 0.8)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out)


@test
def the_seal_is_read_from_a_photo_of_the_print(h):
    seal = (h.TMP / "seal.bin").read_bytes()
    h.render("sealed", sealed(h, seal), h.TMP / "face.jpg")
    foot = panel(page(h, "sealed", 300))
    for angle, tilt, blur, quality in ((3, 0, 1.2, 70), (7, 0.02, 1, 60), (-5, 0.02, 1.2, 60), (91, 0.02, 1, 50)):
        got = scan(h, photographed(foot, angle, tilt, blur, quality))
        h.check(got == seal, "turned by", angle, "it is read as", got[:20])
        h.check(verifies(h, got, "seal.crt"), "and does not verify")


@test
def bad_seals_in_models_are_refused(h):
    seal = stamp(h)
    for more, code in (({"seal": "no base64!"}, h.INPUT), ({"seal": ""}, h.INPUT), ({"seal": 7}, h.INPUT),
                       ({"seal_url": None}, h.INPUT), ({"seal_url": "file:///x"}, h.INPUT), ({"seal_note": {}}, h.INPUT),
                       ({"seal": base64.b64encode(b"x" * 520).decode()}, h.LIMIT), ({"seal": "A" * 2000}, h.LIMIT)):
        h.render("badseal", sealed(h, seal, **more), code=code)
    os.remove(h.TMP / "badseal.json")


# ---- a permit as the press makes it ----

def live(function):
    LIVE.append(function)
    return function


def paid(site):
    case = site.payable()
    payment = site.begin(case)
    live_tests.control(site, "pay", site.order_at_gateway(payment), method="card")
    return case


@live
def a_permit_carries_its_seal(site):
    case = paid(site)
    path = site.paper(case, "permit")
    h, permit = site.helpers, site.rows("SELECT * FROM permit WHERE case_id = ?", int(case))[0]
    (h.TMP / "live.pdf").write_bytes(pathlib.Path(path).read_bytes())
    seal = scan(h, panel(page(h, "live", 300)))
    told = read(seal)
    told["tags"] = {tag: date(v) if tag > 4 else c40(v).replace(" ", "<") for tag, v in told["tags"].items()}
    ends = permit["valid_to"]
    h.check(told["tags"] == {
        2: td2("ARTWNNGUYEN<VAN<ANH", permit["permit_no"], "VNM", "900504", "M", ends[2:4] + ends[5:7] + ends[8:]),
        3: site.case(case)["passport_no"], 4: permit["permit_no"], 5: permit["valid_from"], 6: ends}, told)
    h.check(verifies(h, seal, site.roles[("signer",)]["keys"]["seal"]["cert"]), "the seal does not verify")


@live
def permits_wait_for_the_key_that_settings_name(site):
    site.kill("pump")
    site.settings["FwPermitSealSigner"] = "TWXX"
    site.start("pump")
    case = paid(site)
    until(lambda: "FWP2120" in site.log_of("pump").read_text(), site.told)
    wanted = "FwPermitSealSigner is TWXX, the certificate's subject TWNI"
    site.helpers.check(wanted in site.log_of("pump").read_text() and not site.case(case, "issued"), "issued all the same")
    site.kill("pump")
    del site.settings["FwPermitSealSigner"]
    site.start("pump")
    live_tests.at_once(site)
    until(lambda: site.case(case, "issued"), site.told)
