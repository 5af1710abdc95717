"""Damage in a PDF that PDFium passes over."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

import pytest

from tasks.engines.pdf_damage import damage_of
from tasks.testing import SAMPLES
from tests.engines import evil_files, pdfs
from tests.engines.evil_files import pdf, stream

PACKED = zlib.compress(b"BT (Gulls) Tj ET" + bytes(range(256)) * 8)
BESIDE = b"/Filter/FlateDecode/DecodeParms<</Predictor 1>>"


def told(folder: Path, data: bytes) -> list[str]:
    (path := folder / "a.pdf").write_bytes(data)
    return [notice.text for notice in damage_of(path)]


@pytest.mark.parametrize("name", ["report.pdf", "handbook.pdf", "scan.pdf"])
def test_whole_files_are_whole(name: str, tmp_path: Path) -> None:
    data = (SAMPLES / name).read_bytes()
    assert told(tmp_path, data) == []
    assert told(tmp_path, b"a line of a printer\n" + data + b"\0" * 1000) == []


def test_each_packed_part_that_is_damaged_is_counted(tmp_path: Path) -> None:
    parts = [PACKED, PACKED[:-9], PACKED[:40] + b"\xff\xff" + PACKED[42:], b"no packed data"]
    made = pdf(*[stream(part, BESIDE) for part in parts], stream(b"as it is"))
    assert told(tmp_path, made) == ["3 packed parts of the PDF are damaged: what stood there may be missing or wrong."]
    report = (SAMPLES / "report.pdf").read_bytes()
    place = report.index(b"stream\n", report.index(b"/ASCII85Decode")) + 60
    assert "A packed part" in told(tmp_path, report[:place] + b"!!" + report[place + 2 :])[0]


def test_a_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    whole = pdf(stream(PACKED, BESIDE), stream(b"as it is"))
    assert "cut off" in told(tmp_path, whole[:-60])[0]
    assert "cut off" in told(tmp_path, whole.replace(b"startxref\n", b"startxref\n9"))[0]


def test_what_is_locked_is_not_looked_into(tmp_path: Path) -> None:
    data = pdfs.encrypted_pdf(tmp_path / "locked.pdf", password="secret").read_bytes()
    assert told(tmp_path, data) == []


@pytest.mark.parametrize(
    "data",
    [
        b"/Filter/FlateDecode" * 50_000,
        b"/Filter/FlateDecode" + b">" * 500_000,
        b"/Filter/FlateDecode>a" * 50_000,
        b"/Filter [" + b" " * 500_000,
    ],
    ids=["names", "ends", "pieces", "spaces"],
)
def test_time_grows_with_the_length_alone(data: bytes, tmp_path: Path) -> None:
    began = time.process_time()
    told(tmp_path, data)
    assert time.process_time() - began < 20


def test_a_bomb_is_unpacked_as_far_as_the_limit_only(tmp_path: Path) -> None:
    bomb = evil_files.deflate_bomb(1024)
    began = time.process_time()
    assert told(tmp_path, pdf(stream(bomb, BESIDE))) == []
    assert time.process_time() - began < 20
