"""What PDFs do to their text: ligatures, right to left, downwards, letters drawn twice, fonts without meaning."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from tasks.engines import contained
from tasks.engines.content_types import content_type_of
from tasks.engines.document import Page
from tasks.engines.pdf_characters import Character, _marks_behind, text_in_file_order
from tasks.engines.pdf_pages import open_pages
from tasks.engines.pdf_reader import open_reader
from tasks.errors import UnreadableFile
from tests.engines import evil_files, pdfs

PROSE = "The ferry leaves at six in the morning and comes back in the evening with the mail and the milk"


def read(path: Path) -> Page:
    with open_reader(path) as reader:
        return reader.read_page(1, use_ocr="never", check=lambda: None)


def page_of(path: Path, shown: bytes, font: bytes, *more: bytes) -> Page:
    """A page that shows a string in a font of its own; `more` are objects from number 6."""
    content = b"BT /F 20 Tf 72 700 Td %s Tj ET" % shown
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        evil_files.stream(content),
        font,
    )
    path.write_bytes(evil_files.pdf(*objects, *more))
    return read(path)


def meaning(codes: dict[int, str]) -> bytes:
    """Say by a ToUnicode map what the codes of a font stand for."""
    lines = "\n".join(f"<{code:02x}> <{text.encode('utf-16-be').hex()}>" for code, text in codes.items())
    return evil_files.stream(
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def /CMapType 2 def\n"
        b"1 begincodespacerange <00> <ff> endcodespacerange\n%d beginbfchar\n%s\nendbfchar\n"
        b"endcmap end end" % (len(codes), lines.encode())
    )


def test_ligatures_are_letters_of_their_words(tmp_path: Path) -> None:
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    codes = {ord(letter): letter for letter in "leOca d"} | {1: "fi", 2: "ffi"}

    page = page_of(tmp_path / "a.pdf", b"(\\001lled O\\002cial)", font, meaning(codes))
    assert page.text == "filled Official"


def test_text_from_right_to_left_is_in_the_order_of_reading(tmp_path: Path) -> None:
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    # As it is drawn, from the left: the second word first, and each word's letters from its end.
    codes = {1: "م", 2: "لا", 3: "س", 4: "ل", 5: "ك", 32: " "}

    page = page_of(tmp_path / "a.pdf", b"(\\005\\004 \\001\\002\\003)", font, meaning(codes))
    assert page.text == "سلام لك"


def test_writing_downwards_is_read_downwards(tmp_path: Path) -> None:
    font = b"<</Type/Font/Subtype/Type0/BaseFont/Sample/Encoding/Identity-V/DescendantFonts[6 0 R]>>"
    inner = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Sample/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)"
    # With the default width PDFium takes them for characters that are not there.
    inner += b"/Supplement 1>>/DW 1000/W[843[1030]3284[1030]]>>"

    shown = b"<0cd40e8a07a0> Tj -30 0 Td <034b034d034f03510353>"
    page = page_of(tmp_path / "a.pdf", shown, font, inner)
    assert [block.text for block in page.blocks] == ["日本語", "あいうえお"]


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.8])
def test_letters_drawn_twice_to_look_bold_are_read_once(tmp_path: Path, offset: float) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "a.pdf"))
    canvas.setFont("Helvetica", 14)
    for x in (72, 72 + offset):
        canvas.drawString(x, 700, "ANHUI fully offered")
    canvas.drawString(72, 680, "A book, too: Hannah")
    canvas.save()

    assert read(tmp_path / "a.pdf").text == "ANHUI fully offered\nA book, too: Hannah"


def test_characters_without_a_meaning_are_counted_and_never_text(tmp_path: Path) -> None:
    shapes = b"<</Type/Font/Subtype/Type3/FontBBox[0 0 750 750]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 85/LastChar 97"
    shapes += b"/Widths[%s]/Encoding<</Type/Encoding/Differences[85/g1 97/g2]>>/CharProcs<</g1 6 0 R/g2 6 0 R>>>>"
    drawn = evil_files.stream(b"750 0 0 0 750 750 d1 0 0 600 600 re f")

    page = page_of(tmp_path / "a.pdf", b"(Ua)", shapes % b" ".join([b"1000"] * 13), drawn)
    assert page.text == ""
    assert [(notice.kind, notice.count) for notice in page.notices] == [("no text", 2)]


def test_bullets_of_symbol_fonts_are_bullets_and_other_private_characters_left_out(tmp_path: Path) -> None:
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    codes = {1: "\uf0b7", 2: "\ue0a1"} | {ord(letter): letter for letter in "a rope"}

    page = page_of(tmp_path / "a.pdf", b"(\\001 a rope\\002)", font, meaning(codes))
    assert [(block.kind, block.text) for block in page.blocks] == [("list", "• a rope")]
    assert page.notices[0].kind == "left out"


def test_columns_of_unequal_shape_written_one_after_the_other_stay_apart(tmp_path: Path) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "a.pdf"))
    canvas.setFont("Helvetica", 9)
    words = PROSE.split()
    left = [" ".join(words[place : place + 6]) for place in range(0, len(words), 6)]
    for number, line in enumerate(left):
        canvas.drawString(60 + 14 * (number % 2), 700 - 12 * number, line)
    for number, line in enumerate(left):
        canvas.drawString(240 + 9 * (number % 3), 704 - 12 * number, line.upper())
    canvas.save()

    text = " ".join(read(tmp_path / "a.pdf").text.split())
    assert text == f"{PROSE} {PROSE.upper()}"


def test_labels_written_before_all_values_stand_beside_them(tmp_path: Path) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "a.pdf"))
    rows = [("Invoice number:", "RE-7731"), ("Total:", "1,204.50 EUR"), ("Due on:", "3 May 2024")]
    for x, column in ((72, 0), (250, 1)):
        for number, row in enumerate(rows):
            canvas.drawString(x, 700 - 20 * number, row[column])
    canvas.save()

    assert [" ".join(row) for row in rows] == read(tmp_path / "a.pdf").text.split("\n")


def test_headings_lists_and_captions_are_told_apart(tmp_path: Path) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "a.pdf"))
    for y, size, line in (
        (760, 20, "The harbour"),
        (730, 10, PROSE[:70]),
        (718, 10, PROSE[70:]),
        (690, 10, "• ropes"),
        (676, 10, "• paint"),
        (640, 10, "Table 3: What was bought"),
    ):
        canvas.setFont("Helvetica", size)
        canvas.drawString(72, y, line)
    canvas.save()

    blocks = read(tmp_path / "a.pdf").blocks
    assert [block.kind for block in blocks] == ["heading", "paragraph", "list", "list", "caption"]
    assert blocks[0].level == 1
    assert all(block.box and block.box[0] == pytest.approx(72, abs=1) for block in blocks)


def test_a_broken_page_is_a_notice_and_the_others_are_read(tmp_path: Path) -> None:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F 6 0 R>>>>>>"
    kids = b"<</Type/Pages/Kids[3 0 R 4 0 R 7 0 R]/Count 3>>"
    text = evil_files.stream(b"BT /F 20 Tf 72 700 Td (Here) Tj ET")
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    path = tmp_path / "a.pdf"
    path.write_bytes(evil_files.pdf(b"<</Type/Catalog/Pages 2 0 R>>", kids, page % 5, b"null", text, font, page % 5))

    with open_pages(path, check=contained.no_check) as pdf:
        pages = [pdf.read(number, use_ocr="never") for number in range(1, pdf.page_count + 1)]
    assert [page.text for page in pages] == ["Here", "", "Here"]
    assert [notice.kind for notice in pages[1].notices] == ["unreadable"]


def test_a_page_that_brings_its_reader_down_is_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contained, "MEMORY_BYTES", 1200 * 1024**2)
    bomb = evil_files.deflate_bomb(1536)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F 7 0 R>>>>>>"
    packed = evil_files.stream(zlib.compress(bomb, 9), b"/Filter[/FlateDecode/FlateDecode]")
    path = tmp_path / "a.pdf"
    path.write_bytes(
        evil_files.pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
            page % 5,
            page % 6,
            packed,
            evil_files.stream(b"BT /F 20 Tf 72 700 Td (Here) Tj ET"),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        )
    )
    contained._close_idle()

    with open_pages(path, check=contained.no_check) as pdf:
        pages = [pdf.read(number, use_ocr="never") for number in (1, 2)]
    contained._close_idle()
    assert [page.text for page in pages] == ["", "Here"]
    assert "memory" in pages[0].notices[0].text


def test_a_pdf_with_lines_before_its_mark_is_a_pdf(tmp_path: Path) -> None:
    path = tmp_path / "print.out"
    path.write_bytes(
        b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n" + pdfs.build(tmp_path / "a.pdf").read_bytes()
    )

    assert content_type_of(path, path.name) == "application/pdf"
    (tmp_path / "note.txt").write_bytes(b"A PDF begins with %PDF-1.4, they say.")
    assert content_type_of(tmp_path / "note.txt") == "text/plain"


def test_a_pdf_locked_in_a_way_that_nobody_knows_is_named_so(tmp_path: Path) -> None:
    whole = pdfs.encrypted_pdf(tmp_path / "a.pdf", password="").read_bytes()
    assert b"/Filter /Standard" in whole
    (tmp_path / "b.pdf").write_bytes(whole.replace(b"/Filter /Standard", b"/Filter /Acme.Lock"))

    with pytest.raises(UnreadableFile, match="in a way that is not known here"):
        read(tmp_path / "b.pdf")


@pytest.mark.parametrize(
    ("given", "right"),
    [
        # The letter, left, right and what comes before it, as PDFium has them, from right to left.
        ([("ي", 217, 221, ""), ("\u064b", 208, 210, " "), ("ض", 207, 217, ""), ("ا", 204, 207, "")], "يض\u064bا"),
        ([("ا", 513, 516, ""), ("\u064b", 500, 502, " "), ("ء", 498, 503, "")], "ا ء\u064b"),
        ([("ض", 207, 217, ""), ("\u064b", 208, 210, ""), ("ا", 204, 207, "")], "ض\u064bا"),
    ],
)
def test_a_vowel_mark_stands_behind_its_letter_and_parts_no_word(
    given: list[tuple[str, int, int, str]], right: str
) -> None:
    characters = [Character(text, left, 0, at, 10, 0, 0, before) for text, left, at, before in given]

    assert text_in_file_order(_marks_behind(characters)) == right
