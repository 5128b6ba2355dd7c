"""What the card bureau finds in its folder of jobs: a package or a request to cancel, believed in nothing."""
import hashlib
import io
import pathlib

import lxml.etree
import PIL.Image

SCHEMA = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/contracts/card-job-1.xsd"
NAMESPACE = "{urn:fwpermit:card:1}"
FILE_MAX = 20 * 1024 * 1024
JPEG = b"\xff\xd8\xff"
WIDTH_MM, HEIGHT_MM, LEAST_WIDTH = 35, 45, 413  # of a photo, and in pixels at 300 dpi


class Refused(Exception):
    """Why the bureau will not make it."""


def parse(data):
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = lxml.etree.fromstring(data, parser)
    except lxml.etree.XMLSyntaxError as error:
        raise Refused(f"no XML: {error}") from None
    if tree.getroottree().docinfo.doctype:
        raise Refused("a DOCTYPE")
    schema = lxml.etree.XMLSchema(lxml.etree.parse(str(SCHEMA)))
    if not schema.validate(tree):
        raise Refused(f"schema: {schema.error_log[0].message}")
    return tree


def contents(folder):
    files = {}
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > FILE_MAX:
            raise Refused(f"{path.name} is no file, or too long")
        files[path.name] = path.read_bytes()
    return files


def check_sums(files):
    lines = files["SHA256SUMS"].decode("ascii", "replace").splitlines()
    sums = dict(reversed(line.split("  ", 1)) for line in lines if "  " in line)
    if set(sums) != set(files) - {"SHA256SUMS"}:
        raise Refused("SHA256SUMS names other files")
    for name, wanted in sums.items():
        if hashlib.sha256(files[name]).hexdigest() != wanted:
            raise Refused(f"checksum of {name}")


def check_photo(data):
    try:
        with PIL.Image.open(io.BytesIO(data)) as photo:
            photo.load()
            kind, (width, height) = photo.format, photo.size
    except (OSError, SyntaxError):
        raise Refused("photo: no picture") from None
    if kind != "JPEG" or not data.startswith(JPEG):
        raise Refused("photo: no JPEG")
    if width < LEAST_WIDTH or abs(width * HEIGHT_MM - height * WIDTH_MM) > 2 * max(WIDTH_MM, HEIGHT_MM):
        raise Refused("photo: not 35 to 45, or too small")


def read_job(folder):
    """The job in that folder as a dict of all its attributes."""
    files = contents(folder)
    for name in ("job.xml", "SHA256SUMS", "photo.jpg"):
        if name not in files:
            raise Refused(f"{name} is missing")
    check_sums(files)
    job = parse(files["job.xml"])
    if job.tag != NAMESPACE + "job":
        raise Refused("job.xml is no job")
    if job.get("job_no") != folder.name:
        raise Refused("the folder has another number")
    named = {e.get("name"): e for e in job if e.tag != NAMESPACE + "card"}
    if set(named) != set(files) - {"job.xml", "SHA256SUMS"}:
        raise Refused("job.xml names other files")
    for name, e in named.items():
        if (int(e.get("size")), e.get("sha256")) != (len(files[name]), hashlib.sha256(files[name]).hexdigest()):
            raise Refused(f"{name} is not as job.xml has it")
    check_photo(files["photo.jpg"])
    card = job.find(NAMESPACE + "card")
    return {**job.attrib, "card": {**card.attrib, "person": dict(card[0].attrib)}, "files": sorted(named)}


def read_cancel(path):
    """(job number, reason)."""
    if path.stat().st_size > 65536:
        raise Refused("too long")
    cancel = parse(path.read_bytes())
    if cancel.tag != NAMESPACE + "cancel" or path.name != cancel.get("job_no") + ".cancel.xml":
        raise Refused("no request to cancel")
    return cancel.get("job_no"), cancel.get("reason")
