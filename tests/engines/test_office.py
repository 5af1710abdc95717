"""Office files: what stands beside the body, cells far away, merged cells, locked files and old ones."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tasks.engines import office_text, sheets
from tasks.engines.any_file import read_document
from tasks.engines.contained import no_tell
from tasks.engines.content_types import content_type_of
from tasks.engines.document import Document, Span, document_of
from tasks.engines.document_views import markdown_of
from tasks.errors import UnreadableFile
from tests.engines import office_files
from tests.engines.office_files import drawn, paragraph, part, relations

TABLE = "application/vnd.oasis.opendocument.spreadsheet"


def read(path: Path, data: bytes) -> Document:
    path.write_bytes(data)
    return read_document(path, content_type_of(path, path.name), most_pages=10, most_scans=1)


def kinds_of(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for page in document.pages for block in page.blocks]


def test_what_stands_beside_the_text_of_a_word_file_is_read(tmp_path: Path) -> None:
    box = paragraph("In the box")
    body = (
        paragraph("Offer", '<w:pStyle w:val="H1"/>')
        + paragraph("ropes", '<w:numPr><w:ilvl w:val="1"/></w:numPr>')
        + f"<w:p><w:r><w:t>Before</w:t><mc:AlternateContent><mc:Choice><wps:txbx>{box}</wps:txbx></mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
        + '<w:altChunk r:id="c1"/>'
        + paragraph("Last")
    )
    style = '<w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    comment = f'<w:comment w:author="Ada">{paragraph("Too dear?")}</w:comment>'
    more: office_files.Parts = {
        "word/styles.xml": part("w:styles", style),
        "word/_rels/document.xml.rels": relations(c1="chunk.html"),
        "word/chunk.html": "<html><body><h2>Read in</h2><p>from a page</p></body></html>",
        "word/comments.xml": part("w:comments", comment),
        "word/footnotes.xml": part("w:footnotes", f"<w:footnote>{paragraph('Net of tax.')}</w:footnote>"),
        "word/header1.xml": part("w:hdr", paragraph("Lighthouse Works")),
        "word/charts/chart1.xml": office_files.chart("Sales", "2024", {"Lamps": "14", "Lenses": "9"}),
        "word/diagrams/data1.xml": part("dgm:dataModel", drawn("Step one")),
        "word/media/image1.png": b"png",
        "word/media/image2.png": b"png",
        "word/embeddings/oleObject1.bin": b"ole",
    }
    data = office_files.word(body, more)
    document = read(tmp_path / "offer.docx", data)

    assert kinds_of(document) == [
        ("heading", "Offer"),
        ("list", "ropes"),
        ("paragraph", "In the box"),
        ("paragraph", "Before"),
        ("heading", "Read in"),
        ("paragraph", "from a page"),
        ("paragraph", "Last"),
        ("caption", "Sales"),
        ("table", " 2024\nLamps 14\nLenses 9".strip()),
        ("paragraph", "Step one"),
        ("note", "Net of tax."),
        ("header", "Lighthouse Works"),
        ("note", "Ada: Too dear?"),
    ]
    assert [(notice.kind, notice.count) for notice in document.notices] == [("left out", 2), ("left out", 1)]
    assert "# Offer\n\n  - ropes" in markdown_of(document)


def test_a_part_in_a_format_that_is_not_read_is_told(tmp_path: Path) -> None:
    more: office_files.Parts = {
        "word/_rels/document.xml.rels": relations(c1="chunk.rtf"),
        "word/chunk.rtf": b"{\\rtf1 text}",
    }
    data = office_files.word('<w:altChunk r:id="c1"/>', more)

    assert "another format (rtf)" in read(tmp_path / "a.docx", data).warnings()[0]


def test_merged_cells_and_head_rows_of_a_word_table_keep_their_places(tmp_path: Path) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"

    wide = cell("Visitors", '<w:gridSpan w:val="2"/>')
    head = f"<w:tr><w:trPr><w:tblHeader/></w:trPr>{cell('Year')}{wide}</w:tr>"
    row = f"<w:tr>{cell('2024')}{cell('410')}{cell('96')}</w:tr>"
    document = read(tmp_path / "a.docx", office_files.word(f"<w:tbl>{head}{row}</w:tbl>"))

    [grid] = document.pages[0].tables
    assert grid.rows == [["Year", "Visitors", ""], ["2024", "410", "96"]]
    assert (grid.head, grid.spans) == (1, (Span(0, 1, 1, 2),))


@pytest.mark.parametrize("place", ["XFD1048576", "A900000", "ZZZ3"])
def test_a_cell_far_away_is_read_and_the_gap_told(tmp_path: Path, place: str) -> None:
    data = office_files.excel({"Far": office_files.sheet({"A1": "near", "B1": "two", place: "far"})})
    document = read(tmp_path / "a.xlsx", data)

    assert "far" in document.text
    assert any("far" in row for row in document.pages[0].tables[0].rows)
    assert ("left out" in [notice.kind for notice in document.all_notices()]) == (place[0] != "A")


def test_a_workbook_begun_on_a_macintosh_has_its_own_days(tmp_path: Path) -> None:
    cell = '<worksheet><sheetData><row r="1"><c r="A1" s="0"><v>43844</v></c></row></sheetData></worksheet>'
    styles = '<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>'
    data = office_files.excel({"S": cell}, {"xl/styles.xml": styles})
    assert read(tmp_path / "a.xlsx", data).pages[0].tables[0].rows == [["2020-01-14"]]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts: office_files.Parts = {name: archive.read(name) for name in archive.namelist()}
        book = archive.read("xl/workbook.xml").decode()
    parts["xl/workbook.xml"] = book.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    assert read(tmp_path / "b.xlsx", office_files.zipped(parts)).pages[0].tables[0].rows == [["2024-01-15"]]


def test_all_gaps_of_a_sheet_are_told_at_once(tmp_path: Path) -> None:
    data = office_files.excel({"S": office_files.sheet({"A1": "1", "CA1": "2", "EA1": "3"})})
    [notice] = read(tmp_path / "a.xlsx", data).all_notices()
    assert (notice.kind, notice.count) == ("left out", 77 + 51)
    assert "the empty columns at 2 places, the first between A and CA, are left out" in notice.text


def test_what_an_open_sheet_repeats_too_often_is_counted(tmp_path: Path) -> None:
    def sheet(columns: int, rows: int) -> bytes:
        cell = f'<table:table-cell table:number-columns-repeated="{columns}"><text:p>x</text:p></table:table-cell>'
        row = f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
        names = 'xmlns:office="urn:o" xmlns:table="urn:t" xmlns:text="urn:x"'
        content = f'<office:spreadsheet {names}><table:table table:name="S">{row}</table:table></office:spreadsheet>'
        return office_files.zipped({"mimetype": TABLE, "content.xml": content})

    [notice] = read(tmp_path / "a.ods", sheet(1_500, 1)).all_notices()
    assert (notice.kind, notice.count) == ("limit", 500)
    [notice] = read(tmp_path / "b.ods", sheet(2, 1_500)).all_notices()
    assert (notice.kind, notice.count) == ("limit", 1_000)
    # A thousand rows of a thousand cells, and one more.
    [notice] = read(tmp_path / "c.ods", sheet(1_000, 1_001)).all_notices()
    assert (notice.kind, notice.count) == ("limit", 1_000)


def test_formulas_without_values_are_counted(tmp_path: Path) -> None:
    cells = '<c r="A1"><v>1</v></c><c r="B1"><f>A1+1</f></c><c r="C1"><f>A1+2</f><v>3</v></c>'
    cells += '<c r="D1" t="str"><f>""</f><v/></c>'
    data = office_files.excel({"S": f'<worksheet><sheetData><row r="1">{cells}</row></sheetData></worksheet>'})
    [notice] = read(tmp_path / "a.xlsx", data).all_notices()
    assert (notice.kind, notice.count, notice.page) == ("left out", 1, 1)
    assert "one formula without its value" in notice.text


def test_more_cells_than_are_read_are_counted_and_the_first_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(office_files.excel({"S": office_files.sheet({f"A{number}": "x" for number in range(1, 8)})}))
    monkeypatch.setattr(sheets, "MAX_CELLS", 5)
    document = document_of(office_text.read_office(no_tell, path=str(path), kind="spreadsheet"))
    [notice] = document.all_notices()
    assert (notice.kind, notice.count, notice.page) == ("limit", 2, 1)
    assert "A6" in notice.text


def test_comments_charts_and_boxes_of_a_workbook_are_read_on_their_sheet(tmp_path: Path) -> None:
    comments = (
        "<comments><authors><author>Ada</author></authors><commentList><comment ref='A1' authorId='0'><text><r>"
        "<t>Check</t></r></text></comment></commentList></comments>"
    )
    data = office_files.excel(
        {"One": office_files.sheet({"A1": "1"}), "Two": office_files.sheet({"A1": "2"})},
        {
            "xl/worksheets/_rels/sheet2.xml.rels": relations(d="../drawings/drawing1.xml", c="../comments1.xml"),
            "xl/drawings/drawing1.xml": part("xdr:wsDr", drawn("In a box")),
            "xl/drawings/_rels/drawing1.xml.rels": relations(c="../charts/chart1.xml"),
            "xl/charts/chart1.xml": office_files.chart("Sales", "2024", {"Lamps": "14"}),
            "xl/comments1.xml": comments,
        },
    )
    one, two = read(tmp_path / "a.xlsx", data).pages

    assert one.text == "One\n1"
    assert two.text == "Two\n2\n\nSales\n\n2024\nLamps 14\nIn a box\n\nAda: Check"


def test_speakers_notes_belong_to_their_slides_in_the_order_of_the_show(tmp_path: Path) -> None:
    def slide(title: str) -> str:
        shape = f"<p:nvPr><p:ph type='title'/></p:nvPr><p:txBody>{drawn(title)}</p:txBody>"
        return part("p:sld", f"<p:sp>{shape}</p:sp>")

    order = '<p:sldId id="9" r:id="b"/><p:sldId id="8" r:id="a"/>'
    data = office_files.zipped(
        {
            "ppt/presentation.xml": part("p:presentation", order),
            "ppt/_rels/presentation.xml.rels": relations(a="slides/slide1.xml", b="slides/slide2.xml"),
            "ppt/slides/slide1.xml": slide("Last"),
            "ppt/slides/slide2.xml": slide("First"),
            "ppt/slides/_rels/slide1.xml.rels": relations(n="../notesSlides/notesSlide1.xml"),
            "ppt/notesSlides/notesSlide1.xml": part("p:notes", drawn("Thank them")),
        }
    )
    document = read(tmp_path / "a.pptx", data)

    assert kinds_of(document) == [("heading", "First"), ("heading", "Last"), ("note", "Thank them")]
    assert [page.title for page in document.pages] == ["First", "Last"]


def test_repeated_cells_and_comments_of_open_documents_are_read(tmp_path: Path) -> None:
    def cell(inside: str, times: int = 1) -> str:
        return f'<table:table-cell table:number-columns-repeated="{times}">{inside}</table:table-cell>'

    note = "<office:annotation><dc:creator>Ada</dc:creator><text:p>Check</text:p></office:annotation>"
    rows = f"<table:table-row>{cell('<text:p>7</text:p>', 2)}{cell(f'{note}<text:p>8</text:p>')}{cell('', 16000)}"
    rows += (
        f'</table:table-row><table:table-row table:number-rows-repeated="1048000">{cell("", 16384)}</table:table-row>'
    )
    names = 'xmlns:office="urn:o" xmlns:table="urn:t" xmlns:text="urn:x" xmlns:dc="urn:d"'
    content = f'<office:x {names}><table:table table:name="Costs">{rows}</table:table></office:x>'
    document = read(tmp_path / "a.ods", office_files.zipped({"mimetype": TABLE, "content.xml": content}))

    assert document.pages[0].title == "Costs"
    assert document.pages[0].tables[0].rows == [["7", "7", "8"]]
    assert kinds_of(document)[-1] == ("note", "Check")


def test_a_locked_open_document_is_named_so(tmp_path: Path) -> None:
    data = office_files.zipped(
        {
            "mimetype": TABLE,
            "content.xml": b"\x07\x9a locked",
            "meta.xml": b"\x01\x02",
            "META-INF/manifest.xml": "<manifest><encryption-data/></manifest>",
        }
    )
    with pytest.raises(UnreadableFile, match="password"):
        read(tmp_path / "a.ods", data)


@pytest.mark.parametrize(
    ("streams", "says"),
    [
        (("EncryptedPackage", "EncryptionInfo"), "protected by a password"),
        (("WordDocument", "Workbook"), "Word file of before 2007"),
        (("Workbook",), "Excel file of before 2007"),
        (("PowerPoint Document",), "PowerPoint file of before 2007"),
        (("__properties_version1.0", "WordDocument"), "Outlook message"),
        (("Quill", "Contents"), "Publisher file"),
    ],
)
def test_locked_and_old_office_files_are_told_as_what_they_are(
    tmp_path: Path, streams: tuple[str, ...], says: str
) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(tmp_path / "a.docx", office_files.ole("Root Entry", *streams))
