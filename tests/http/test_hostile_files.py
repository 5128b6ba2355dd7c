"""Files that are made to harm whoever opens them: each is refused with a reason that the applicant understands, or it is handed out so that
it harms nobody. Either way the case stays usable and nothing is left behind."""
import io
import re
import struct
import urllib.parse
import zipfile
import zlib

import flow
import pytest
import wire
from PIL import Image
from refusals import LANGUAGES, in_language, told

SCRIPT = b"<script>alert(1)</script>"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
INTERNAL = re.compile(r"[{}<>]|\bnull\b|[a-z]+[._][a-z_]+|magic|mime|vips|poppler|FW_|NULL|0x", re.I)


@pytest.fixture(scope="module")
def draft(broker):
    return flow.draft(broker)


# ---- files ----

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *chunks):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(mib):
    """Much that is written in little."""
    return zlib.compress(bytes(mib << 20), 9)


def photo_png():
    out = io.BytesIO()
    Image.open(io.BytesIO(flow.photo())).convert("RGB").save(out, "PNG")
    return out.getvalue()


def photo_png_with(*chunks):
    """A good photo with more chunks behind its header."""
    whole = photo_png()
    return whole[:33] + b"".join(chunks) + whole[33:]


def animated(kind):
    """A good photo, and behind it a frame that is none."""
    out = io.BytesIO()
    first = Image.open(io.BytesIO(flow.photo())).convert("RGB")
    first.save(out, kind, save_all=True, append_images=[Image.new("RGB", first.size, "red")], duration=100)
    return out.getvalue()


def jpeg_of_size(width, height):
    """A good JPEG whose header claims another size."""
    photo = bytearray(flow.photo())
    at = next(i for i in range(2, len(photo)) if photo[i] == 0xff and photo[i + 1] in (0xc0, 0xc1, 0xc2))
    photo[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(photo)


def jpeg_with_comment(text, times=1, photo=None):
    photo = photo or flow.photo()
    return photo[:2] + (b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text) * times + photo[2:]


def bmp_of_size(width, height):
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 200, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(146)


def archive(name, text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(name, text)
    return out.getvalue()


def pdf_that_acts(action):
    return flow.pdf().replace(b"<</Type/Catalog", b"<</Type/Catalog/OpenAction" + action)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>"
GIFAR = b"GIF89a\x01\0\x01\0\0\0\0;" + archive("A.class", b"\xca\xfe\xba\xbe")
EXE = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8" + bytes(43) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0L\x01" + bytes(400)
LATE = b" " * 1000 + flow.pdf()

REFUSED = [
    ("gifar", "a.gif", GIFAR, "file.type", "photo.format"),
    ("svg as png", "a.png", SVG, "file.type", "photo.format"),
    ("svg", "a.svg", SVG, "file.type", "photo.format"),
    ("html as pdf", "a.pdf", b"<!doctype html>" + SCRIPT, "file.type", "photo.format"),
    ("exe as pdf", "a.pdf", EXE, "file.type", "photo.format"),
    ("exe with a pdf behind it", "a.pdf", EXE + flow.pdf(), "file.type", "photo.format"),
    ("zip as pdf", "a.pdf", archive("a.pdf", flow.pdf()), "file.type", "photo.format"),
    ("zip with a pdf stored in it", "a.pdf", b"PK\x03\x04" + bytes(26) + flow.pdf(), "file.type", "photo.format"),
    ("pdf that begins late", "a.pdf", LATE, "file.type", "photo.format"),
    ("eicar", "a.pdf", EICAR, "file.type", "photo.format"),
    ("zip bomb", "a.pdf", archive("a", bytes(32 << 20)), "file.type", "photo.format"),
    ("animated webp", "a.webp", animated("WEBP"), "file.type", "photo.format"),
    ("bmp of 65535 x 65535", "a.bmp", bmp_of_size(65535, 65535), "file.type", "photo.too_many_pixels"),
    ("one byte", "a.pdf", b"%", "file.type", "photo.format"),
    ("nothing", "a.pdf", b"", "file.empty", "file.empty"),
]


def refused_well(person, case, slot, name, data, key):
    """Refused beside its field, in both languages, without a word that only programs have."""
    for lang in LANGUAGES:
        answer = person.post(f"/cases/{case}/files/{slot}", files={"file": (name, data)}, headers={"Accept-Language": lang})
        assert answer.status_code == 422, (answer.status_code, answer.text[:400])
        reasons = [e["reason"] for e in told(answer) if (e["field"], e["key"]) == (slot, key)]
        assert reasons, (key, told(answer))
        assert in_language(reasons[0], lang) and not INTERNAL.search(reasons[0]), reasons


def taken(person, case, slot, name, data):
    """Taken, and handed out as what it is; the bytes that come back."""
    line = person.upload(case, slot, name, data)["file"]
    answer = person.get(line["href"])
    given = answer.headers["Content-Disposition"]
    assert answer.status_code == 200 and given.startswith("attachment; "), given
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    ends = {"application/pdf": (".pdf",), "image/png": (".png",), "image/jpeg": (".jpg", ".jpeg")}
    assert name_of(given).lower().endswith(ends[answer.headers["Content-Type"]]), answer.headers
    return answer


def name_of(disposition):
    """What a browser saves it as."""
    found = re.fullmatch(r"attachment; filename=\"[ !#-\[\]-~]*\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)", disposition)
    assert found, disposition
    return urllib.parse.unquote(found[1], errors="strict")


def left_behind(platform):
    """What is there only while a file comes in: the vault's staging."""
    staging = platform.folder / "state/vault/staging"
    assert staging.is_dir()
    return sorted(p.name for p in staging.iterdir())


@pytest.mark.parametrize("name,data,key,photo_key", [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refused(platform, broker, draft, name, data, key, photo_key):
    with platform.nothing_changes():
        refused_well(broker, draft, "passport_page", name, data, key)
        refused_well(broker, draft, "photo", name, data, photo_key)
    assert left_behind(platform) == []


PICTURES = [
    ("png of 65535 x 65535", lambda: png(65535, 65535, chunk(b"IDAT", zeros(1))), "photo.too_many_pixels"),
    ("png of 2147483647 x 1", lambda: png(2147483647, 1, chunk(b"IDAT", zeros(1))), "photo.too_many_pixels"),
    ("png of no width", lambda: png(0, 10, chunk(b"IDAT", zeros(1))), "photo.unreadable"),
    ("png without pixels", lambda: png(826, 1062), "photo.unreadable"),
    ("jpeg of 65500 x 65500", lambda: jpeg_of_size(65500, 65500), "photo.too_many_pixels"),
    ("jpeg of 65535 x 65535", lambda: jpeg_of_size(65535, 65535), "photo.unreadable"),
    ("jpeg larger than its pixels", lambda: jpeg_of_size(4000, 5000), "photo.unreadable"),
    ("pdf", flow.pdf, "photo.format"),
]


@pytest.mark.parametrize("make,key", [p[1:] for p in PICTURES], ids=[p[0] for p in PICTURES])
def test_pictures_that_are_refused(platform, broker, draft, make, key):
    with platform.nothing_changes():
        refused_well(broker, draft, "photo", "a.jpg", make(), key)


ATTACHED = [
    ("png of 65535 x 65535", lambda: png(65535, 65535, chunk(b"IDAT", zeros(1))), "file.too_many_pixels"),
    ("jpeg of 65535 x 65535", lambda: jpeg_of_size(65535, 65535), "file.too_many_pixels"),
    ("png past the limit", lambda: png(10001, 10000, chunk(b"IDAT", zeros(1))), "file.too_many_pixels"),
    ("jpeg past the limit", lambda: jpeg_of_size(10001, 10000), "file.too_many_pixels"),
    ("jpeg with its size behind 3 MB", lambda: jpeg_with_comment(bytes(65533), 48, jpeg_of_size(10001, 10000)), "file.too_many_pixels"),
    ("png of no width", lambda: png(0, 10, chunk(b"IDAT", zeros(1))), "file.incomplete"),
    ("jpeg without a size", lambda: flow.photo()[:2] + b"\xff\xd9", "file.incomplete"),
    ("pdf that is cut off", lambda: flow.pdf()[:-10], "file.incomplete"),
    ("pdf with 1 KB behind its end", lambda: flow.pdf() + bytes(1024), "file.incomplete"),
]


@pytest.mark.parametrize("make,key", [a[1:] for a in ATTACHED], ids=[a[0] for a in ATTACHED])
def test_attachments_that_are_refused(platform, broker, draft, make, key):
    with platform.nothing_changes():
        refused_well(broker, draft, "passport_page", "a.pdf", make(), key)
    assert left_behind(platform) == []


@pytest.mark.parametrize("lang,words", [("en", "at most 100 million"), ("zh-Hant", "上限為 100 百萬像素")])
def test_the_limit_of_pixels_is_named(broker, draft, lang, words):
    answer = broker.post(f"/cases/{draft}/files/passport_page", files={"file": ("a.jpg", jpeg_of_size(65535, 65535))},
                         headers={"Accept-Language": lang})
    assert words in told(answer)[0]["reason"]


HARMLESS = [
    ("pdf and zip", "a.zip", lambda: flow.pdf() + archive("A.class", b"\xca\xfe\xba\xbe"), "application/pdf"),
    ("pdf and html", "a.html", lambda: b"%PDF-1.4\n%" + SCRIPT + flow.pdf()[8:], "application/pdf"),
    ("pdf with JavaScript", "a.js", lambda: pdf_that_acts(b"<</S/JavaScript/JS(app.alert\\(1\\))>>"), "application/pdf"),
    ("pdf that starts a program", "a.exe", lambda: pdf_that_acts(b"<</S/Launch/F(cmd.exe)>>"), "application/pdf"),
    ("eicar in a pdf", "a.pdf", lambda: flow.pdf() + EICAR, "application/pdf"),
    ("jpeg and php", "a.php", lambda: jpeg_with_comment(b"<?php system($_GET[0]); ?>"), "image/jpeg"),
    ("jpeg and html", "a.html", lambda: jpeg_with_comment(SCRIPT), "image/jpeg"),
    ("png at the limit", "a.png", lambda: png(10000, 10000, chunk(b"IDAT", zeros(1))), "image/png"),
    ("jpeg at the limit", "a.jpg", lambda: jpeg_of_size(10000, 10000), "image/jpeg"),
    ("pdf with a little behind its end", "a.pdf", lambda: flow.pdf() + bytes(1000), "application/pdf"),
    ("png with script", "a.svg", lambda: png(1, 1, chunk(b"tEXt", b"Comment\0" + SCRIPT)), "image/png"),
    ("animated png", "a.apng", lambda: animated("PNG"), "image/png"),
]


@pytest.mark.parametrize("name,make,mime", [h[1:] for h in HARMLESS], ids=[h[0] for h in HARMLESS])
def test_harmless(broker, draft, name, make, mime):
    """Kept byte for byte, as what was filed; no browser runs it, no name makes a system run it."""
    data = make()
    answer = taken(broker, draft, "passport_page", name, data)
    assert answer.headers["Content-Type"] == mime and answer.content == data


DRAWN_ANEW = [
    ("jpeg and php", lambda: jpeg_with_comment(b"<?php system($_GET[0]); ?>"), b"<?php"),
    ("jpeg with a zip behind it", lambda: flow.photo() + archive("A.class", b"\xca\xfe\xba\xbe"), b"PK\x03\x04"),
    ("animated png", lambda: animated("PNG"), b"acTL"),
    ("png with script", lambda: photo_png_with(chunk(b"tEXt", b"Comment\0" + SCRIPT)), b"<script"),
    ("png with a text of 64 MiB", lambda: photo_png_with(chunk(b"zTXt", b"Comment\0\0" + zeros(64))), b"zTXt"),
    ("png with a profile of 64 MiB", lambda: photo_png_with(chunk(b"iCCP", b"icc\0\0" + zeros(64))), b"iCCP"),
]


@pytest.mark.parametrize("make,evil", [d[1:] for d in DRAWN_ANEW], ids=[d[0] for d in DRAWN_ANEW])
def test_a_photo_is_drawn_anew(broker, draft, make, evil):
    data = make()
    assert evil in data
    answer = taken(broker, draft, "photo", "a.png", data)
    assert answer.headers["Content-Type"] == "image/jpeg" and evil not in answer.content
    Image.open(io.BytesIO(answer.content)).load()


@pytest.mark.parametrize("make", [flow.photo, photo_png], ids=["jpeg", "png"])
def test_photos_that_are_cut_off(platform, broker, draft, make):
    """Beyond its first bytes a part of a photo is a damaged picture; before them it is none."""
    whole = make()
    with platform.nothing_changes():
        for power in range(len(whole).bit_length()):
            part = whole[:2 ** power]
            refused_well(broker, draft, "photo", "a.jpg", part, "photo.format" if len(part) < 8 and (
                make is photo_png or len(part) < 3) else "photo.unreadable")


def test_papers_that_are_cut_off(platform, broker, draft):
    """What does not begin as a PDF is none, and what does not end as one is not whole."""
    whole = flow.pdf()
    with platform.nothing_changes():
        for power in range(len(whole).bit_length()):
            part = whole[:2 ** power]
            refused_well(broker, draft, "passport_page", "a.pdf", part, "file.type" if len(part) < 8 else "file.incomplete")
    assert taken(broker, draft, "passport_page", "a.pdf", whole).content == whole


# ---- names ----

NAMES = [
    ("../../../etc/passwd", "passwd", "passwd.pdf"),
    ("/etc/passwd", "passwd", "passwd.pdf"),
    ("C:\\Windows\\System32\\cmd.exe", "cmd.exe", "cmd.exe.pdf"),
    ("\\\\host\\share\\a.pdf", "a.pdf", "a.pdf"),
    ("..", "file", "file.pdf"), (".", "file", "file.pdf"), ("......", "file", "file.pdf"), ("", "file", "file.pdf"),
    (" . . ", "file", "file.pdf"), (".htaccess", "htaccess", "htaccess.pdf"), ("a.pdf.", "a.pdf", "a.pdf"),
    ("my passport.PDF", "my passport.PDF", "my passport.PDF"),
    ("\u202efdp.exe", "fdp.exe", "fdp.exe.pdf"), ("a\u2066b\u2069\u200b\ufeff.pdf", "ab.pdf", "ab.pdf"),
    ("a\u2028b.pdf", "ab.pdf", "ab.pdf"),
    ("😀👨‍👩‍👧.pdf", "😀👨‍👩‍👧.pdf", "😀👨‍👩‍👧.pdf"), ("護照 影本.pdf", "護照 影本.pdf", "護照 影本.pdf"),
    ("x" * 251 + ".pdf", "x" * 200, "x" * 200 + ".pdf"), ("x" * 252 + ".pdf", "x" * 200, "x" * 200 + ".pdf"),
    ("護" * 85, "護" * 66, "護" * 66 + ".pdf"), ("a;b%c.pdf", "a;b%c.pdf", "a;b%c.pdf"),
    ("=cmd|' /C calc'!A0.pdf", "C calc'!A0.pdf", "C calc'!A0.pdf"), ("<b>.pdf", "<b>.pdf", "<b>.pdf"),
]


def send_as(person, case, name):
    """`name` is bytes, as they stand between the quotes."""
    part = (b'Content-Disposition: form-data; name="file"; filename="' + name + b'"', flow.pdf())
    return person.post(f"/cases/{case}/files/passport_page", data=wire.multipart(part), headers={"Content-Type": wire.FORM_DATA})


@pytest.mark.parametrize("sent,kept,saved", NAMES, ids=range(len(NAMES)))
def test_names(broker, draft, sent, kept, saved):
    answer = send_as(broker, draft, sent.replace("\\", "\\\\").encode())
    assert answer.status_code == 200, answer.text
    line = answer.json()["file"]
    got = broker.get(line["href"])
    assert got.content == flow.pdf() and got.headers["Content-Type"] == "application/pdf"
    assert line["name"] == kept and name_of(got.headers["Content-Disposition"]) == saved


@pytest.mark.parametrize("name", [b"a\0b.pdf", b"a\nb.pdf", b"a\rb.pdf", b"a\r\nX-Evil: 1", b"\xff\xfe.pdf", b"\xc0\xaf.pdf",
                                  b"\xed\xa0\x80.pdf", b"\xc2\x85.pdf", b"a\x1b[2J.pdf"], ids=repr)
def test_names_that_no_browser_sends(platform, broker, draft, name):
    with platform.nothing_changes():
        answer = send_as(broker, draft, name)
        assert answer.status_code == 400 and told(answer)[0]["key"] == "body.malformed", answer.text[:300]


def test_after_all_that_a_good_file_is_taken(platform, broker, draft):
    assert left_behind(platform) == []
    assert taken(broker, draft, "photo", "photo.jpg", flow.photo()).headers["Content-Type"] == "image/jpeg"
    assert taken(broker, draft, "passport_page", "passport.pdf", flow.pdf()).content == flow.pdf()
    assert broker.see(f"/cases/{draft}/check")["missing"] == []
    assert flow.submit(broker, draft)
