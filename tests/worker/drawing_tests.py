"""What papers are drawn with: the fonts cut for them, and photos as they are kept. Run by tests/worker/run, which gives its helpers as `h`."""
import io

import papers
from PIL import Image

TESTS = []
RARE = "陳堃𠮷"  # of the second level of Big5, and of none


def test(function):
    TESTS.append(function)
    return function


# ---- fonts ----

def chinese_fonts(h, name):
    return sorted(line.split()[0].split("+")[1] for line in h.sh("pdffonts", h.TMP / f"{name}.pdf").stdout.splitlines()
                  if "NotoSansCJKtc" in line)


@test
def a_paper_is_drawn_with_the_cut_fonts(h):
    h.render("cut", papers.permit())
    bare = h.TMP / "no-fonts"
    bare.mkdir()
    h.render("whole", papers.permit(), fonts="-")
    h.check(chinese_fonts(h, "cut") == chinese_fonts(h, "whole") == ["NotoSansCJKtc-Bold", "NotoSansCJKtc-Regular"])
    cut, whole = ((h.TMP / f"{name}.pdf").stat().st_size for name in ("cut", "whole"))
    h.check(cut * 2 < whole, cut, whole)
    h.check(h.text_of("cut") == h.text_of("whole"))


@test
def rare_names_come_from_the_whole_font(h):
    facts = h.render("rare", papers.permit_of(RARE, "CHEN, KUN"))
    h.check(facts["unknown"] == 0 and RARE in h.text_of("rare"), facts)
    h.check(chinese_fonts(h, "rare") == ["NotoSansCJKtc-Bold", "NotoSansCJKtc-Regular", "NotoSansCJKtc-Regular"])


@test
def a_folder_without_fonts_is_told(h):
    done = h.sh(h.DRIVER, "render", h.TMP / "cut.json", "-", h.TMP / "no-fonts", h.TMP / "never.pdf", ok=False)
    h.check(done.returncode == 1 and not (h.TMP / "never.pdf").exists(), done)


# ---- the photo ----

def mended(h):
    h.driver("mend", h.TMP / "face.jpg", h.TMP / "mended.jpg")
    return (h.TMP / "mended.jpg").read_bytes()


def drawn(h, photo):
    """The JPEG that the paper has of that photo."""
    (h.TMP / "given.jpg").write_bytes(photo)
    h.render("drawn", papers.permit(), h.TMP / "given.jpg")
    h.sh("pdfimages", "-all", h.TMP / "drawn.pdf", h.TMP / "drawn")
    return (h.TMP / "drawn-000.jpg").read_bytes()


def as_jpeg(image, **more):
    out = io.BytesIO()
    image.save(out, "JPEG", **more)
    return out.getvalue()


@test
def a_mended_photo_is_on_the_paper_as_it_is(h):
    photo = mended(h)
    h.check(drawn(h, photo) == photo)


@test
def what_is_not_as_mended_is_written_anew(h):
    photo = mended(h)
    image = Image.open(io.BytesIO(photo))
    remark = photo[:2] + b"\xff\xfe\x00\x0cWHEREABOUTS"[:14] + photo[2:]
    for name, given, size in (("with a remark", remark, (700, 900)), ("grey", as_jpeg(image.convert("L")), (700, 900)),
                              ("of more pixels", as_jpeg(image.resize((1240, 1594))), (827, 1063))):
        got = drawn(h, given)
        there = Image.open(io.BytesIO(got))
        h.check(got != given and b"WHEREABOUT" not in got and there.mode == "RGB", name)
        h.check(abs(there.size[0] - size[0]) <= 1 and there.size[1] == size[1], name, there.size)


@test
def a_photo_that_was_cut_off_is_refused(h):
    photo = mended(h)
    for length in (len(photo) - 1, len(photo) // 2, 200, 4, 3):
        (h.TMP / "given.jpg").write_bytes(photo[:length])
        h.render("cutoff", papers.permit(), h.TMP / "given.jpg", code=h.INPUT)


@test
def a_wider_photo_is_cut_to_its_middle(h):
    """Its frame shows 700 of the 724 pixels: of the red edges, 10 wide, nothing is left, nor does the picture reach beyond the frame."""
    image = Image.open(io.BytesIO(mended(h)))
    wide = Image.new("RGB", (724, 900), (200, 0, 0))
    wide.paste(image, (12, 0))
    drawn(h, as_jpeg(wide, quality=95))
    h.sh("pdftoppm", "-r", "144", "-f", "1", "-l", "1", "-png", h.TMP / "drawn.pdf", h.TMP / "wide")
    page = Image.open(h.TMP / "wide-1.png").convert("RGB")
    h.check([page.getpixel((x, 300)) for x in (892, 1098)] == [(255, 255, 255)] * 2, "the photo leaves its frame")
    row = [page.getpixel((x, 250)) for x in range(900, 1092)]
    h.check(not [p for p in row if p[0] > 150 and p[1] < 90], row[:4], row[-4:])
