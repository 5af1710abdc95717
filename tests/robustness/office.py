"""Word, Excel, PowerPoint and OpenDocument files that are odd or hostile."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.engines import evil_files, office_files
from tests.engines.office_files import drawn, paragraph, part, relations, word, zipped
from tests.robustness.cases import FIRST, FOURTH, SECOND, THIRD, Case, whole
from tests.robustness.mails import locked

OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><document><p><t>&x;</t></p></document>'
)
ODF = "application/vnd.oasis.opendocument."
NAMES = " ".join(f'xmlns:{name}="urn:{name}"' for name in ("office", "text", "table", "draw", "style", "dc"))


def cases(chance: Random) -> Iterator[Case]:
    yield from _word()
    yield from _odd_word()
    yield from _slides()
    yield from _open_documents()
    yield from _old(chance)


def _word() -> Iterator[Case]:
    table = f"<w:tbl><w:tr><w:tc>{paragraph(SECOND)}</w:tc><w:tc>{paragraph('7')}</w:tc></w:tr></w:tbl>"
    yield whole("word", "plain.docx", word(paragraph(FIRST) + table), FIRST, SECOND)
    notes = {
        "word/comments.xml": part("w:comments", f'<w:comment w:author="Ann">{paragraph(SECOND)}</w:comment>'),
        "word/footnotes.xml": part("w:footnotes", paragraph(THIRD)),
        "word/header1.xml": part("w:hdr", paragraph(FOURTH)),
    }
    yield whole("word", "margins.docx", word(paragraph(FIRST), {**notes}), FIRST, SECOND, THIRD, FOURTH)
    box = f"<mc:Choice><wps:txbx>{paragraph(SECOND)}</wps:txbx></mc:Choice>"
    box = f"<w:p><w:r><mc:AlternateContent>{box}</mc:AlternateContent></w:r></w:p>"
    yield whole("word", "box.docx", word(paragraph(FIRST) + box), FIRST, SECOND)
    yield whole(
        "word",
        "chart.docx",
        word(paragraph(FIRST), {"word/charts/chart1.xml": office_files.chart(SECOND, "s", {THIRD: "1"})}),
        FIRST,
        SECOND,
        THIRD,
    )
    yield whole(
        "word",
        "long-chart.docx",
        lambda: word(
            paragraph(FIRST),
            {
                "word/charts/chart1.xml": office_files.chart(
                    "a", "s", {f"p{n}": "1" for n in range(5000)} | {SECOND: "2"}
                )
            },
        ),
        FIRST,
        SECOND,
    )
    diagram = part("dgm:dataModel", drawn(SECOND))
    yield whole("word", "diagram.docx", word(paragraph(FIRST), {"word/diagrams/data1.xml": diagram}), FIRST, SECOND)
    chunk = {"word/_rels/document.xml.rels": relations(c="a.html"), "word/a.html": f"<p>{SECOND}</p>"}
    yield whole("word", "chunk.docx", word(f'{paragraph(FIRST)}<w:altChunk r:id="c"/>', {**chunk}), FIRST, SECOND)
    rtf = {"word/_rels/document.xml.rels": relations(c="a.rtf"), "word/a.rtf": "{\\rtf1 a}"}
    yield whole("word", "chunk-rtf.docx", word(f'{paragraph(FIRST)}<w:altChunk r:id="c"/>', {**rtf}), FIRST, told="rtf")
    control = f"<w:sdt><w:sdtContent>{paragraph(SECOND)}</w:sdtContent></w:sdt>"
    changed = f"<w:p><w:ins><w:r><w:t>{THIRD}</w:t></w:r></w:ins>"
    changed += f"<w:del><w:r><w:delText>{FOURTH}</w:delText></w:r></w:del></w:p>"
    yield whole("word", "changed.docx", word(paragraph(FIRST) + control + changed), FIRST, SECOND, THIRD, FOURTH)
    ruby = f"<w:rt><w:r><w:t>かもめ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>{SECOND}</w:t></w:r></w:rubyBase>"
    ruby = f"<w:p><w:r><w:ruby>{ruby}</w:ruby></w:r></w:p>"
    maths = f"<w:p><m:oMath xmlns:m='urn:m'><m:r><m:t>{THIRD}</m:t></m:r></m:oMath></w:p>"
    yield whole("word", "ruby.docx", word(ruby + maths), SECOND, THIRD)
    symbol = f'<w:p><w:r><w:t>{FIRST}</w:t><w:sym w:font="Wingdings" w:char="F04A"/><w:softHyphen/></w:r></w:p>'
    yield whole("word", "symbol.docx", word(symbol), FIRST)


def _odd_word() -> Iterator[Case]:
    yield whole("word", "laughs.docx", evil_files.docx(evil_files.LAUGHS), told="document type")
    yield whole("word", "outside.docx", evil_files.docx(OUTSIDE), told="document type")
    yield whole(
        "word",
        "deep-tables.docx",
        lambda: word("<w:tbl><w:tr><w:tc>" * 3000 + paragraph(FIRST) + "</w:tc></w:tr></w:tbl>" * 3000),
        FIRST,
        cost=2,
    )
    yield whole(
        "word",
        "deep.docx",
        lambda: word("<w:smartTag>" * 100_000 + paragraph(FIRST) + "</w:smartTag>" * 100_000),
        FIRST,
        cost=1,
    )
    yield whole("word", "long.docx", lambda: word(paragraph("gull " * 900_000 + FIRST)), FIRST, cost=1)
    yield whole("word", "many.docx", lambda: word(paragraph("gull") * 150_000 + paragraph(FIRST)), FIRST, cost=8)
    yield whole(
        "word",
        "bomb.docx",
        lambda: zipped({"word/document.xml": b"<document>" + bytes(300_000_000)}),
        told="unpacks to more than",
        cost=6,
    )
    yield whole(
        "word",
        "wide.docx",
        word(
            '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="999999999"/></w:tcPr>'
            + paragraph(FIRST)
            + "</w:tc></w:tr></w:tbl>"
        ),
        FIRST,
    )
    yield whole("word", "not-xml.docx", zipped({"word/document.xml": f"<document><p>{FIRST}"}), FIRST, told="broken")
    yield whole("word", "empty.docx", zipped({"word/document.xml": b""}), told=".")
    yield whole(
        "word",
        "in-utf-16.docx",
        zipped({"word/document.xml": part("w:document", paragraph(FIRST)).encode("utf-16")}),
        FIRST,
    )
    main = {
        "_rels/.rels": relations(m="word/document2.xml"),
        "word/document2.xml": part("w:document", paragraph(FIRST)),
    }
    yield whole("word", "elsewhere.docx", zipped({"[Content_Types].xml": "<Types/>", **main}), FIRST)
    yield whole("word", "broken-comments.docx", word(paragraph(FIRST), {"word/comments.xml": "<a"}), FIRST, told=".")
    yield whole("word", "picture.docx", word(paragraph(FIRST), {"word/media/a.png": b"x"}), FIRST, told="picture")
    yield whole(
        "word", "backslashes.docx", word(paragraph(FIRST)).replace(b"word/document.xml", b"word\\document.xml"), FIRST
    )
    yield whole("word", "locked-member.docx", locked(word(paragraph(FIRST))), FIRST, told="password")
    yield whole("word", "named.pdf", word(paragraph(FIRST)), FIRST, told="The name ends in")


def _slides() -> Iterator[Case]:
    def deck(*slides: str, more: dict[str, str | bytes] | None = None) -> bytes:
        parts: dict[str, str | bytes] = {"ppt/presentation.xml": part("p:presentation", "")}
        parts |= {f"ppt/slides/slide{n}.xml": part("p:sld", inside) for n, inside in enumerate(slides, 1)}
        return zipped(parts | (more or {}))

    yield whole("slides", "plain.pptx", deck(drawn(FIRST), drawn(SECOND)), FIRST, SECOND)
    notes: dict[str, str | bytes] = {
        "ppt/slides/_rels/slide1.xml.rels": relations(n="../notesSlides/notesSlide1.xml"),
        "ppt/notesSlides/notesSlide1.xml": part("p:notes", drawn(SECOND)),
    }
    yield whole("slides", "notes.pptx", deck(drawn(FIRST), more=notes), FIRST, SECOND)
    comments: dict[str, str | bytes] = {
        "ppt/comments/comment1.xml": f'<cmLst><cm authorId="0"><text>{SECOND}</text></cm></cmLst>'
    }
    yield whole("slides", "comments.pptx", deck(drawn(FIRST), more=comments), FIRST, SECOND)
    table = f"<a:tbl><a:tr><a:tc><a:txBody>{drawn(SECOND)}</a:txBody></a:tc></a:tr></a:tbl>"
    yield whole("slides", "table.pptx", deck(drawn(FIRST) + table), FIRST, SECOND)
    yield whole(
        "slides", "many.pptx", lambda: deck(*[drawn(f"s{n}") for n in range(3000)], drawn(FIRST)), FIRST, cost=4
    )
    yield whole(
        "slides", "broken-slide.pptx", deck(drawn(FIRST), "<", drawn(SECOND)), FIRST, SECOND, told="broken|slide"
    )
    yield whole("slides", "none.pptx", deck(), told=".")


def _open_documents() -> Iterator[Case]:
    def odf(kind: str, body: str, more: dict[str, str | bytes] | None = None) -> bytes:
        return zipped({"mimetype": ODF + kind, "content.xml": f"<office:x {NAMES}>{body}</office:x>", **(more or {})})

    yield whole("open", "plain.odt", odf("text", f"<text:p>{FIRST}</text:p>"), FIRST)
    margins: dict[str, str | bytes] = {
        "styles.xml": f"<office:x {NAMES}><style:header><text:p>{SECOND}</text:p></style:header></office:x>"
    }
    yield whole("open", "header.odt", odf("text", f"<text:p>{FIRST}</text:p>", margins), FIRST, SECOND)
    note = f"<office:annotation><text:p>{THIRD}</text:p></office:annotation></text:p>"
    note = f"<text:p>{FIRST}<text:note><text:note-body><text:p>{SECOND}</text:p></text:note-body></text:note>{note}"
    yield whole("open", "notes.odt", odf("text", note), FIRST, SECOND, THIRD)
    yield whole(
        "open", "locked.odt", odf("text", "x", {"META-INF/manifest.xml": "<encryption-data/>"}), told="password"
    )
    cell = '<table:table-cell table:number-columns-repeated="16384"/>'
    cell += f"<table:table-cell><text:p>{SECOND}</text:p></table:table-cell>"
    rows = "<table:table-cell><text:p>a</text:p></table:table-cell></table:table-row>"
    rows = f'<table:table-row table:number-rows-repeated="1048575">{rows}<table:table-row>{cell}</table:table-row>'
    one = f"<table:table-row><table:table-cell><text:p>{SECOND}</text:p></table:table-cell></table:table-row>"
    yield whole(
        "open",
        "repeated.ods",
        odf("spreadsheet", f'<table:table table:name="{FIRST}">{rows}</table:table>'),
        FIRST,
        SECOND,
        told="cells",
        cost=1,
    )
    yield whole(
        "open",
        "plain.ods",
        odf(
            "spreadsheet",
            f'<table:table table:name="{FIRST}">{one}</table:table>',
        ),
        FIRST,
        SECOND,
    )
    yield whole(
        "open",
        "plain.odp",
        odf(
            "presentation",
            f"<draw:page><text:p>{FIRST}</text:p></draw:page><draw:page><text:p>{SECOND}</text:p></draw:page>",
        ),
        FIRST,
        SECOND,
    )
    yield whole("open", "template.ott", odf("text-template", f"<text:p>{FIRST}</text:p>"), FIRST)
    yield whole("open", "drawing.odg", odf("graphics", f"<text:p>{FIRST}</text:p>"), FIRST)
    yield whole(
        "open",
        "deep.odt",
        lambda: odf("text", "<text:section>" * 100_000 + f"<text:p>{FIRST}</text:p>" + "</text:section>" * 100_000),
        FIRST,
        cost=1,
    )
    yield whole(
        "open",
        "flat.fodt",
        f'<?xml version="1.0"?><office:document {NAMES}><text:p>{FIRST}</text:p></office:document>'.encode(),
        FIRST,
    )


def _old(chance: Random) -> Iterator[Case]:
    streams = {
        "doc": "WordDocument",
        "xls": "Workbook",
        "ppt": "PowerPoint Document",
        "msg": "__properties_version1.0",
        "pub": "Quill",
        "vsd": "VisioDocument",
    }
    for end, stream in streams.items():
        yield whole("old office", f"old.{end}", office_files.ole("Root Entry", stream), told="save it as")
    yield whole("old office", "locked.docx", office_files.ole("EncryptionInfo", "EncryptedPackage"), told="password")
    yield whole("old office", "unknown.ole", office_files.ole("Whatever"), told="not looked into")
    yield whole("old office", "note.rtf", f"{{\\rtf1 {FIRST}}}".encode(), FIRST, told="save it as")
    yield whole(
        "old office",
        "book.epub",
        zipped({"mimetype": "application/epub+zip", "META-INF/container.xml": "<c/>"}),
        told="save it as",
    )
    yield whole("old office", "noise.doc", bytes.fromhex("d0cf11e0a1b11ae1") + chance.randbytes(5000), told=".")
