"""PDFs that are odd or hostile."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.engines import evil_files, pdfs
from tests.engines.evil_files import pdf, stream
from tests.robustness.cases import FIRST, FOURTH, MARKS, SECOND, THIRD, Case, whole
from tests.robustness.pictures import page as picture_of

CATALOG, PAGES = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def cases(chance: Random) -> Iterator[Case]:
    yield from _plain()
    yield from _beside_the_text()
    yield from _loops()
    yield from _giants()
    yield from _fonts()
    yield from _locked()
    yield from _broken(chance)


def write(*pages: str, **options: object) -> bytes:
    """A PDF of pages with a line of text each."""
    stored = io.BytesIO()
    canvas = Canvas(stored, invariant=1, **options)
    for line in pages:
        canvas.drawString(72, 700, line)
        canvas.drawString(72, 680, "A second line stands below the first one on this page.")
        canvas.showPage()
    canvas.save()
    return stored.getvalue()


def one_page(content: bytes, *objects: bytes, page: bytes = b"", catalog: bytes = CATALOG) -> bytes:
    """A PDF made by hand: object 3 is its page, 4 the content, 5 a font, 6 and on what is given."""
    said = b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>%s" % (
        page or b">>/MediaBox[0 0 595 842]>>"
    )
    return pdf(catalog, PAGES, said, stream(content), FONT, *objects)


def shown(text: str, *, at: tuple[int, int] = (72, 700)) -> bytes:
    return b"BT /F 14 Tf %d %d Td (%s) Tj ET\n" % (*at, text.encode())


def _plain() -> Iterator[Case]:
    yield whole("pdf", "plain.pdf", partial(write, *MARKS[:3]), *MARKS[:3])
    yield whole("pdf", "by-hand.pdf", one_page(shown(FIRST)), FIRST)
    yield whole("pdf", "behind-lines.pdf", b"\x1b%-12345X@PJL\r\n" * 9 + one_page(shown(FIRST)), FIRST)
    yield whole("pdf", "junk-behind.pdf", one_page(shown(FIRST)) + b"\0" * 5000, FIRST)
    yield whole("pdf", "no-end.pdf", one_page(shown(FIRST)).replace(b"%%EOF", b""), FIRST)
    yield whole("pdf", "named.docx", one_page(shown(FIRST)), FIRST, told="The name ends in")

    def table() -> bytes:
        with TemporaryDirectory() as folder:
            return pdfs.table_pdf(Path(folder) / "a.pdf", [["Bird", "Count"], [FIRST, "7"], [SECOND, "9"]]).read_bytes()

    yield whole("pdf", "table.pdf", table, FIRST, SECOND)
    yield whole("pdf", "scan.pdf", partial(scanned, FIRST), FIRST, cost=3)
    yield whole("pdf", "scans.pdf", partial(scanned, *MARKS), *MARKS, cost=8)


def scanned(*lines: str) -> bytes:
    stored = io.BytesIO()
    canvas = Canvas(stored, pagesize=A4, invariant=1)
    for line in lines:
        picture = io.BytesIO()
        picture_of(line).save(picture, "PNG")
        canvas.drawImage(ImageReader(picture), 0, 400, A4[0], A4[0] * 230 / 900)
        canvas.drawImage(ImageReader(picture), 0, 100, A4[0], A4[0] * 230 / 900)
        canvas.showPage()
    canvas.save()
    return stored.getvalue()


def _beside_the_text() -> Iterator[Case]:
    """What a reader sees, or could open, that is no text of a page."""

    def annotated(kind: str, text: str) -> bytes:
        note = b"<</Type/Annot/Subtype/%s/Rect[72 500 300 540]/Contents(%s)/DA(/F 12 Tf)>>" % (
            kind.encode(),
            text.encode(),
        )
        return one_page(shown(FIRST), note, page=b">>/MediaBox[0 0 595 842]/Annots[6 0 R]>>")

    yield whole("pdf", "note.pdf", annotated("Text", SECOND), FIRST, SECOND)
    yield whole("pdf", "free-text.pdf", annotated("FreeText", SECOND), FIRST, SECOND)
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(%s)/Rect[72 500 300 540]/DA(/F 12 Tf)>>" % SECOND.encode()
    form = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]/NeedAppearances true>>>>"
    yield whole(
        "pdf",
        "form.pdf",
        one_page(shown(FIRST), field, page=b">>/MediaBox[0 0 595 842]/Annots[6 0 R]>>", catalog=form),
        FIRST,
        SECOND,
    )
    attached = b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(%s)6 0 R]>>>>>>" % b"a.txt"
    spec = b"<</Type/Filespec/F(%s)/EF<</F 7 0 R>>>>" % b"secret.txt"
    yield whole(
        "pdf",
        "attached.pdf",
        one_page(shown(FIRST), spec, stream(SECOND.encode(), b"/Type/EmbeddedFile"), catalog=attached),
        FIRST,
        SECOND,
        told="secret.txt|attach|embedded",
    )
    yield whole("pdf", "invisible.pdf", one_page(b"3 Tr " + shown(FIRST)), FIRST)
    yield whole("pdf", "off-page.pdf", one_page(shown(FIRST) + shown(SECOND, at=(5000, 5000))), FIRST)


def _loops() -> Iterator[Case]:
    yield whole("pdf", "pages-in-pages.pdf", pdf(CATALOG, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 4>>"), told=".")
    yield whole("pdf", "parent.pdf", one_page(shown(FIRST)).replace(b"/Parent 2 0 R", b"/Parent 3 0 R"), FIRST)
    form = stream(
        b"/X Do " + shown(SECOND),
        b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X 6 0 R>>/Font<</F 5 0 R>>>>",
    )
    yield whole(
        "pdf",
        "form-in-itself.pdf",
        one_page(shown(FIRST) + b"/X Do", form, page=b"/XObject<</X 6 0 R>>>>/MediaBox[0 0 595 842]>>"),
        FIRST,
        SECOND,
    )
    yield whole(
        "pdf", "table-of-itself.pdf", one_page(shown(FIRST)).replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev 15"), FIRST
    )
    outline = b"<</Type/Catalog/Pages 2 0 R/Outlines 6 0 R>>"
    yield whole(
        "pdf", "outline.pdf", one_page(shown(FIRST), b"<</First 6 0 R/Next 6 0 R/Title(a)>>", catalog=outline), FIRST
    )
    deep = b"[" * 50_000 + b"]" * 50_000
    yield whole("pdf", "deep-list.pdf", one_page(shown(FIRST), deep), FIRST)
    yield whole("pdf", "states.pdf", lambda: one_page(b"q " * 500_000 + shown(FIRST)), FIRST, cost=2)


def _giants() -> Iterator[Case]:
    yield whole(
        "pdf",
        "lines.pdf",
        lambda: one_page(
            b"".join(b"%d %d m %d %d l S\n" % (n % 595, n // 20, n % 595 + 9, n // 20) for n in range(10_000))
            + shown(FIRST)
        ),
        FIRST,
        cost=5,
    )
    yield whole(
        "pdf",
        "texts.pdf",
        lambda: one_page(
            b"".join(shown("gull", at=(n % 50 * 11, n // 50 * 4)) for n in range(10_000)) + shown(FIRST, at=(72, 830))
        ),
        FIRST,
        cost=8,
    )
    yield whole(
        "pdf", "one-place.pdf", lambda: one_page(shown("g") * 20_000 + shown(FIRST, at=(72, 400))), FIRST, cost=8
    )
    yield whole(
        "pdf",
        "one-line.pdf",
        lambda: one_page(b"".join(shown("gull", at=(n * 30, 700)) for n in range(8000)) + shown(FIRST, at=(72, 400))),
        FIRST,
        cost=8,
    )

    def boxes() -> bytes:
        drawn = b"".join(b"%d %d 9 9 re S\n" % (n % 100 * 10, n // 100 * 10) for n in range(8000))
        return one_page(drawn + shown(FIRST, at=(72, 30)))

    yield whole("pdf", "boxes.pdf", boxes, FIRST, cost=10)
    for name, box in (
        ("huge", b"0 0 1e7 1e7"),
        ("none", b"0 0 0 0"),
        ("upside", b"595 842 0 0"),
        ("away", b"-1e30 -1e30 1e30 1e30"),
        ("words", b"/a (b) null 1"),
    ):
        yield whole("pdf", f"box-{name}.pdf", one_page(shown(FIRST), page=b">>/MediaBox[%s]>>" % box), FIRST, cost=2)
    yield whole("pdf", "pages.pdf", partial(write, *[f"Page {n} of many" for n in range(1500)]), told="pages", cost=10)
    yield whole("pdf", "empty-pages.pdf", lambda: evil_files.pdf_of_pages(30_000), told="pages", cost=4)
    yield whole("pdf", "lying-count.pdf", one_page(shown(FIRST)).replace(b"/Count 1", b"/Count 9"), FIRST, cost=1)
    yield whole("pdf", "text-bomb.pdf", lambda: evil_files.pdf_bomb(1536), told=".", cost=25)
    yield whole("pdf", "picture-bomb.pdf", lambda: evil_files.pdf_with_picture(30_000, 30_000), told=".", cost=20)
    yield whole(
        "pdf",
        "long-string.pdf",
        lambda: one_page(shown("gull " * 200_000) + shown(FIRST, at=(72, 400))),
        FIRST,
        cost=10,
    )


def _fonts() -> Iterator[Case]:
    def unnamed(text: str) -> bytes:
        # Codes that are drawn with glyphs, and stand for characters of private use.
        mapping = b"beginbfrange <00> <FF> <E000> endbfrange"
        font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
        return pdf(
            CATALOG,
            PAGES,
            b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>/MediaBox[0 0 595 842]>>",
            stream(shown(text)),
            font,
            stream(b"1 begincodespacerange <00> <FF> endcodespacerange 1 " + mapping),
        )

    yield whole("pdf", "unmapped.pdf", unnamed(FIRST), FIRST, told=".", cost=4)
    yield whole("pdf", "no-font.pdf", one_page(shown(FIRST)).replace(b"/F 5 0 R", b"/G 5 0 R"), FIRST, cost=1)
    ligature = b"BT /F 12 Tf 72 700 Td (Kittiwake 7431 of\256ce) Tj ET"
    yield whole("pdf", "ligature.pdf", one_page(ligature), FIRST)
    bold = shown(FIRST) + b"BT /F 14 Tf 72.3 700 Td (%s) Tj ET\n" % FIRST.encode()
    yield whole("pdf", "fake-bold.pdf", one_page(bold), FIRST)


def _locked() -> Iterator[Case]:
    def encrypted() -> bytes:
        with TemporaryDirectory() as folder:
            return pdfs.encrypted_pdf(Path(folder) / "a.pdf", password="secret").read_bytes()

    yield whole("pdf", "locked.pdf", encrypted, told="password")
    yield whole(
        "pdf",
        "owner.pdf",
        partial(write, FIRST, encrypt=pdfs.pdfencrypt.StandardEncryption("", "owner", strength=128)),
        FIRST,
    )
    handler = one_page(shown(FIRST), b"<</Filter/Somebody/V 4>>").replace(b"/Root", b"/Encrypt 6 0 R/ID[(a)(b)]/Root")
    yield whole("pdf", "handler.pdf", handler, FIRST, told=".")


def _broken(chance: Random) -> Iterator[Case]:
    yield whole("pdf", "nothing.pdf", b"%PDF-1.7", told="broken")
    yield whole("pdf", "noise.pdf", b"%PDF-1.7\n" + chance.randbytes(5000), told="broken")
    yield whole("pdf", "no-pages.pdf", pdf(CATALOG, b"<</Type/Pages/Kids[]/Count 0>>"), told="no pages|broken")
    three = write(*MARKS[:3])
    yield whole("pdf", "one-of-three.pdf", three.replace(b"/Type /Page\n", b"/Type /Pig\n", 1), SECOND, THIRD)
    packed = zlib.compress(shown(FIRST) + b" " * 3000 + shown(SECOND, at=(72, 600)))
    for name, data in (
        ("cut", packed[:-8]),
        ("flipped", packed[:70] + b"\xff\xff" + packed[72:]),
        ("noise", chance.randbytes(300)),
    ):
        made = pdf(
            CATALOG,
            PAGES,
            b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>/MediaBox[0 0 595 842]>>",
            stream(data, b"/Filter/FlateDecode"),
            FONT,
        )
        yield whole("pdf", f"content-{name}.pdf", made, FIRST, SECOND, told=".")
    yield whole(
        "pdf",
        "filter.pdf",
        pdf(
            CATALOG,
            PAGES,
            b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>/MediaBox[0 0 595 842]>>",
            stream(shown(FOURTH), b"/Filter/Nobody"),
            FONT,
        ),
        FOURTH,
    )
