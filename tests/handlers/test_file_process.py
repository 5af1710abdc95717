"""file.process end to end: files of every kind, named wrongly, broken, cut off."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import random
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import pytest
from PIL import Image

from tasks.errors import InputTooLarge, UnreadableFile
from tasks.testing import SAMPLES, FolderContext, run
from tests.engines import evil_files, office_files
from tests.engines.scores import show
from tests.samples.make import SALES, SCAN, STAFF

# OCR of a damaged photo takes its time.
SEEDS = {"photo.jpg": 2}
# A red field on white, 64 × 48, as telephones store it: no encoder is installed.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j"
    "AAAAAERAAAEAAQAAAAABoQABAAAAAAAAAF4AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/Wlw"
    "cnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AA"
    "AAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAA"
    "QAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWB"
    "AgMFhAAAAGZtZGF0AAAAWigBr1j5jyc3CuT/3+a3esyS0R1Uc2G0JvigFhsycCiwt3QLdgGH1EOR4ByD9ZQzJibv1D66kAOVZnfMG+yMYA+R"
    "IziR7lrkORtYoemMI0L7cCWEDelfV+CVUA=="
)
OFFICE = ["budget.xlsx", "office/letter.docx", "office/talk.pptx", "office/memo.odt"]


def process(ctx: FolderContext, name: str, data: bytes, **options: object) -> dict[str, Any]:
    return run("file.process", ctx, file=str(ctx.add(name.rpartition("/")[2], data)), **options)


def sample(ctx: FolderContext, name: str, **options: object) -> dict[str, Any]:
    return process(ctx, name, (SAMPLES / name).read_bytes(), **options)


def test_a_pdf_gives_text_tables_metadata_checksum_and_thumbnail(ctx: FolderContext) -> None:
    result = sample(ctx, "report.pdf")

    assert (result["file_type"], result["kind"], result["page_count"]) == ("application/pdf", "pdf", 3)
    assert result["sha256"] == hashlib.sha256((SAMPLES / "report.pdf").read_bytes()).hexdigest()
    assert [(table["page"], table["rows"]) for table in result["tables"]] == [(1, SALES), (2, STAFF)]
    assert result["metadata"]["title"] == "Annual report"
    with Image.open(ctx.local_path(UUID(result["thumbnail"]))) as thumbnail:
        assert (thumbnail.format, max(thumbnail.size)) == ("PNG", 320)
    assert result["files"] == [result["thumbnail"]]
    assert sample(ctx, "report.pdf", thumbnail=False)["thumbnail"] is None


def test_pictures_and_scans_are_read_by_ocr(ctx: FolderContext) -> None:
    photo, scan = sample(ctx, "photo.jpg"), sample(ctx, "scan.pdf")

    assert "Departs daily 08:45" in photo["text"]
    assert (photo["metadata"]["width"], photo["metadata"]["Model"]) == (1200, "Sample camera")
    assert photo["thumbnail"]
    assert SCAN[8] in scan["text"]
    assert "tesseract" in scan["engine"]["name"]


def test_a_workbook_gives_its_sheets_with_dates_as_dates(ctx: FolderContext) -> None:
    result = sample(ctx, "budget.xlsx")

    assert (result["kind"], result["page_count"]) == ("spreadsheet", 2)
    assert result["tables"][0]["page"] == 1
    assert result["tables"][0]["rows"] == [
        ["Item", "Paid on", "Amount"],
        ["Quay repair", "2024-01-15", "12400.5"],
        ["Lamps", "", "980"],
        ["Dredging", "2024-02-29 14:30", "0.1"],
    ]
    assert result["text"].endswith("Notes\nApproved by the board\ntrue")
    assert result["metadata"]["title"] == "Harbour budget"


def test_office_texts_give_paragraphs_tables_and_slides(ctx: FolderContext) -> None:
    letter, talk, memo = (sample(ctx, name) for name in OFFICE[1:])

    assert letter["text"].splitlines()[1].startswith("Dear Ms Solheim")
    assert letter["tables"][0]["rows"][2] == ["HX-300", "", "210.00 EUR"]
    assert letter["metadata"]["creator"] == "Maja Nowicka"
    assert (talk["kind"], talk["page_count"]) == ("presentation", 2)
    assert talk["text"] == "Lamps of the year\nBrighter\nand cheaper\n\nWhere they shine\nIn 214 harbours"
    assert memo["text"].startswith("Memo to the crew\nThe tide is at 6:40, so be there at six.")
    assert memo["tables"][0]["rows"] == [["Boat", "Crew"], ["Sea Sparrow", "4"]]


def test_texts_of_several_kinds_are_told_apart(ctx: FolderContext) -> None:
    page = b"<!DOCTYPE html><title>Tides</title><script>x=1</script><p>High at <b>6:40</b></p>"
    page += b"<table><tr><td>A<td>B</table>"
    mail = b"From: a@example.com\r\nSubject: =?utf-8?q?F=C3=A4hre?=\r\n"
    mail += b"Content-Type: text/plain\r\n\r\nIt leaves at six.\r\n"

    web = process(ctx, "tides", page)
    assert (web["file_type"], web["text"], web["metadata"]) == ("text/html", "High at 6:40\n\nA B", {"title": "Tides"})
    table = process(ctx, "a.csv", "Ort;Höhe\nKai;1,5\n".encode("cp1252"))
    assert (table["kind"], table["tables"][0]["rows"]) == ("table", [["Ort", "Höhe"], ["Kai", "1,5"]])
    assert process(ctx, "a.json", b'{"a": [1]}')["metadata"] == {"valid": "yes", "kind": "object", "size": "1"}
    assert process(ctx, "letter.eml", mail)["text"].endswith("Subject: Fähre\n\nIt leaves at six.")
    assert process(ctx, "notes", "Möwen über dem Kai".encode("utf-16"))["text"] == "Möwen über dem Kai"
    assert process(ctx, "blob", bytes(range(256)))["kind"] == "other"


def test_sound_tells_its_length_and_where_it_is_written_down(ctx: FolderContext) -> None:
    result = sample(ctx, "notice.ogg")

    assert (result["kind"], result["metadata"]["audio_codec"], result["text"]) == ("sound", "opus", "")
    assert result["metadata"]["seconds"] == pytest.approx(12.6, abs=0.2)
    assert "speech.transcribe" in result["warnings"][0]


def test_archives_are_listed_and_bombs_named(ctx: FolderContext) -> None:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as made:
        made.add(SAMPLES / "report.pdf", "docs/report.pdf")
    listed = process(ctx, "docs.tgz", tar.getvalue())["archive"]
    assert listed["entries"] == [{"name": "docs/report.pdf", "size": (SAMPLES / "report.pdf").stat().st_size}]
    assert (listed["entry_count"], listed["suspicious"], listed["encrypted"]) == (1, False, False)
    assert process(ctx, "a.txt.bz2", bz2.compress(b"hello"))["archive"]["unpacked_size"] == 5
    assert process(ctx, "a.txt.gz", gzip.compress(b"hello"))["archive"]["entries"] == [{"name": "a.txt", "size": 5}]

    bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\3" + evil_files.deflate_bomb(1024)[2:]
    named = process(ctx, "bomb.gz", bomb)["archive"]
    assert (named["suspicious"], named["unpacked_size"]) == (True, None)


def test_pictures_of_telephones_are_read(ctx: FolderContext) -> None:
    result = process(ctx, "holiday.heic", HEIC)

    assert (result["file_type"], result["metadata"]["width"]) == ("image/heic", 64)
    with Image.open(ctx.local_path(UUID(result["thumbnail"]))) as thumbnail:
        levels = thumbnail.convert("RGB").getpixel((20, 20))
    assert isinstance(levels, tuple)
    assert levels[0] > 200 > 60 > max(levels[1:])


def test_a_film_with_plain_sound_tells_its_length(ctx: FolderContext, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.avi"), "w") as film:
        sound = film.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=8000)
        frame.sample_rate = 8000
        film.mux(sound.encode(frame))
        film.mux(sound.encode(None))
    result = process(ctx, "a.avi", (tmp_path / "a.avi").read_bytes())

    assert (result["kind"], result["metadata"]["audio_codec"]) == ("video", "pcm_s16le")


@pytest.mark.parametrize(("stream", "kind"), [("WordDocument", "document"), ("PowerPoint Document", "presentation")])
def test_an_office_file_of_before_2007_is_told_as_what_it_is(ctx: FolderContext, stream: str, kind: str) -> None:
    result = process(ctx, "old.bin", office_files.ole(stream))

    assert (result["kind"], result["text"]) == (kind, "")
    assert "before 2007" in result["warnings"][0]
    assert result["notices"][0]["kind"] == "left out"


def test_blocks_and_markdown_come_when_they_are_asked_for(ctx: FolderContext) -> None:
    plain = sample(ctx, "handbook.pdf")
    result = sample(ctx, "handbook.pdf", include=["blocks", "markdown"])

    assert (plain["blocks"], plain["markdown"]) == (None, None)
    assert result["markdown"].startswith("## Visitor handbook of the Ferrand Observatory\n\nThe Ferrand")
    first = result["blocks"][0]
    assert (first["page"], first["kind"], first["level"]) == (1, "heading", 2)
    assert first["box"][0] == pytest.approx(78, abs=1)
    assert [(page["number"], page["source"]) for page in result["pages"]] == [(1, "text"), (2, "text")]


def test_a_wrong_end_of_name_is_told_and_does_not_matter(ctx: FolderContext) -> None:
    result = process(ctx, "holiday.png", (SAMPLES / "report.pdf").read_bytes())

    assert (result["kind"], result["page_count"]) == ("pdf", 3)
    assert result["warnings"] == ["The name ends in .png, but the content is application/pdf."]


@pytest.mark.parametrize(
    ("name", "make", "error", "says"),
    [
        ("laughs.docx", lambda: evil_files.docx(evil_files.LAUGHS), UnreadableFile, "document type"),
        (
            "bomb.docx",
            lambda: evil_files.docx(b"<document><p><t>" + b" " * 250_000_000),
            InputTooLarge,
            "unpacks to more",
        ),
        ("nested.docx", lambda: evil_files.docx(b"<document>" + b"<p>" * 200_000), UnreadableFile, "not XML"),
        ("empty.docx", lambda: evil_files.docx(b""), UnreadableFile, "not XML"),
        ("giant.png", lambda: evil_files.png(30_000, 30_000), InputTooLarge, "million pixels"),
    ],
)
def test_files_made_to_hurt_fail_clearly(
    ctx: FolderContext, name: str, make: Callable[[], bytes], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        process(ctx, name, make())
    assert process(ctx, "after.txt", b"still here")["text"] == "still here"


def test_an_archive_with_a_password_is_named_so(ctx: FolderContext) -> None:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    data = bytearray(stored.getvalue())
    for place in (6, data.find(b"PK\1\2") + 8):
        data[place] |= 1

    with pytest.raises(UnreadableFile, match="password"):
        process(ctx, "locked.docx", bytes(data))


@pytest.mark.parametrize("name", ["report.pdf", "photo.jpg", "notice.ogg", *OFFICE])
def test_a_damaged_file_is_read_as_far_as_it_goes_or_named_unreadable(ctx: FolderContext, name: str) -> None:
    whole, ends = (SAMPLES / name).read_bytes(), Counter[str]()
    for seed in range(SEEDS.get(name, 4)):
        chance = random.Random(f"{name} {seed}")
        data = bytearray(whole)
        if seed % 2:
            del data[chance.randrange(len(data)) :]
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            process(ctx, name, bytes(data), thumbnail=False)
            ends["read"] += 1
        except (UnreadableFile, InputTooLarge):
            ends["refused"] += 1
    show(f"{name} damaged: {dict(ends)}")
    assert ends.total() == SEEDS.get(name, 4)
