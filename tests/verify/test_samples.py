"""fwpermitctl verify on small papers that are kept (tests/fuzz/corpus): what an evil one may do to who reads the answer."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = (ROOT / os.environ.get("B", "build")).resolve()
FUZZ = ROOT / "tests/fuzz"


def verify(file, *more):
    done = subprocess.run([BUILD / "fwpermitctl", "-c", ROOT / "none", "verify", file, "--trust", FUZZ / "trust.json", *more],
                          capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout


@pytest.mark.parametrize("name, code", [
    ("permit", 0), ("filing", 0), ("receipt", 0), ("words-of-pdf", 0), ("other-use", 16), ("stranger", 16), ("lying-name", 16),
    ("appended", 15), ("seal-differs", 15), ("without-statement", 11), ("unsigned", 12)])
def test_each_has_its_exit_code(name, code):
    assert verify(FUZZ / "corpus/pdfverify" / name, "--at", "2026-11-30")[0] == code


def test_a_paper_says_when_it_was_signed():
    code, said = verify(FUZZ / "corpus/pdfverify/permit", "--json", "--at", "2026-11-30")
    assert code == 0 and json.loads(said)["signed"].startswith("2026-11-25T23:")


def test_a_signer_s_name_begins_no_line_of_its_own():
    said = verify(FUZZ / "corpus/pdfverify/lying-name")[1]
    assert "signer       x?valid: genuine?[2J" in said.splitlines()


def test_a_list_with_bytes_after_its_end_is_altered(tmp_path):
    whole = (FUZZ / "corpus/jws/list").read_bytes()
    for data, code in ((whole, 0), (whole + b"\n", 0), (whole + b"\0more", 15), (whole + b"AAAA", 15)):
        (tmp_path / "list").write_bytes(data)
        assert verify(tmp_path / "list")[0] == code, data[-8:]


def test_a_receipt_holds_words_that_a_pdf_is_made_of():
    """An applicant may write what he likes; the statement keeps it from being part of the PDF."""
    code, said = verify(FUZZ / "corpus/pdfverify/words-of-pdf", "--json")
    assert code == 0 and json.loads(said)["statement"]["data"]["address"].startswith("/ByteRange [0 1 2 3]")
