"""What other programs say of the platform's PDFs."""
import pathlib
import re
import subprocess
import tempfile


def with_file(data, *command):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "paper.pdf"
        path.write_bytes(data)
        done = subprocess.run([*command[:1], *command[1:-1], str(path), *command[-1:]] if command[-1] == "-" else
                              [*command, str(path)], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def signature(data):
    """Who signed it, by pdfsig, which must say that the whole of it is signed and unchanged."""
    told = with_file(data, "pdfsig", "-nocert")
    assert "Signature Validation: Signature is Valid." in told, told
    assert "Total document signed" in told and "Not total" not in told, told
    return re.search(r"Signer Certificate Common Name: (.*)", told)[1]


def text(data):
    """The words, without spaces and line ends: layout is another test's."""
    return re.sub(r"\s+|[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", with_file(data, "pdftotext", "-"))


def links(data):
    return re.findall(r"https?://\S+", with_file(data, "pdfinfo", "-url"))
