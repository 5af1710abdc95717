"""How many pages a PDF says to have is read from its ends; what is broken or made to hurt says nothing, and at once."""

from __future__ import annotations

import io
import random
import zlib

import pypdfium2 as pdfium
import pytest
from PIL import Image

from tasks.engines.pdf_length import SaidPages, said_pages
from tasks.testing import SAMPLES
from tests.engines import evil_files


def said(data: bytes) -> SaidPages | None:
    return said_pages(io.BytesIO(data))


def scan(count: int) -> bytes:
    stored, page = io.BytesIO(), Image.new("1", (60, 80), 1)
    page.save(stored, "PDF", save_all=True, append_images=[page] * (count - 1))
    return stored.getvalue()


@pytest.mark.parametrize("name", ["report.pdf", "handbook.pdf", "scan.pdf"])
def test_pages_are_as_many_as_a_parser_finds(name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    assert said(data) == SaidPages(len(pdfium.PdfDocument(data)), scanned=False)


def test_scans_and_packed_and_long_trees() -> None:
    assert said(scan(40)) == SaidPages(40, scanned=True)
    assert said(evil_files.pdf_of_pages(5000)) == SaidPages(5000, scanned=False)
    tree = zlib.compress(b"2 0 <</Type/Pages/Kids[3 0 R]/Count 77>> <</Font<</F1 4 0 R>>>>")
    assert said(b"%PDF-1.5\n1 0 obj <</Type/ObjStm/N 1>> stream\n" + tree) == SaidPages(77, scanned=False)
    first = b"%PDF-1.4\n1 0 obj <</Linearized 1/L 9/H [1 2]/O 3/E 4/N 12/T 5>>"
    assert said(first + bytes(900_000)) == SaidPages(12, scanned=False)


def test_what_is_broken_or_hostile_breaks_nothing() -> None:
    chance, whole = random.Random(7), scan(3)
    for _ in range(200):
        broken = bytearray(whole[: chance.choice([0, 5, 40, 500, len(whole)])])
        for _ in range(chance.randrange(12)):
            if broken:
                broken[chance.randrange(len(broken))] = chance.choice([0, 255, chance.randrange(256)])
        found = said(bytes(broken))
        assert found is None or found.count > 0
    packed = b"<</Type/ObjStm>> stream\n" + evil_files.deflate_bomb(64)
    for evil in (
        b"/Type /Pages" * 30_000,
        b"/ObjStm " * 40_000,
        b"<<" * 150_000,
        packed * 20,
        b"<</Type/Pages/Count 9",
    ):
        said(b"%PDF-1.5\n" + evil)
    assert said(b"%PDF-1.5 <</Type/Pages/Count 999999>>") is None
    assert said(b"no PDF /Type/Pages/Count 3") is None
