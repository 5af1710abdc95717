"""Documents for questions, as a few lines each, written as the kind of file that their names say."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from pathlib import Path

from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle

from tests.engines import office_files, pdfs

Rows = list[list[str]]
FONT = "STSong-Light"


@dataclass(frozen=True)
class Paper:
    """A document: headings begin with #, items with *, tables are rows. `questions` have what a right answer must hold,
    one of several with | between them, or None where the document does not say it.
    """

    name: str
    parts: list[str | Rows]
    questions: dict[str, str | None]

    def file(self) -> bytes:
        """Return the document as a file of its kind."""
        return WRITERS[self.name.rpartition(".")[2]](self.parts)


def _level(text: str) -> int:
    return len(text) - len(text.lstrip("#"))


def _bare(text: str) -> str:
    return re.sub(r"^(?:#+|\*) ", "", text)


def _word(parts: list[str | Rows]) -> bytes:
    body = ""
    for part in parts:
        if isinstance(part, str):
            style = f'<w:outlineLvl w:val="{_level(part) - 1}"/>' if _level(part) else ""
            body += "".join(office_files.paragraph(escape(line), style) for line in _bare(part).splitlines())
            continue
        cells = ["".join(f"<w:tc>{office_files.paragraph(escape(cell))}</w:tc>" for cell in row) for row in part]
        body += f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"
    return office_files.word(body)


def _web_page(parts: list[str | Rows]) -> bytes:
    body = ""
    for part in parts:
        if not isinstance(part, str):
            first, *rest = part
            body += f"<table><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in first)}</tr>"
            body += "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rest)
            body += "</table>"
        elif level := _level(part):
            body += f"<h{level}>{escape(_bare(part))}</h{level}>"
        elif part.startswith("* "):
            body += f"<ul><li><span>{escape(_bare(part))}</span></li></ul>"
        else:
            body += f'<p class="text">{escape(part).replace(chr(10), "<br>")}</p>'
    page = (
        "<!doctype html><html><head><meta charset='utf-8'><title>Page</title><style>p { margin: 0 }</style>"
        "<script>var price = 12; function ask() { return 'contact' }</script></head><body>"
        "<nav><a href='/'>Home</a> <a href='/shop'>Shop</a> <a href='/contact'>Contact</a></nav>"
        f"<main>{body}</main><footer>&copy; 2025 · <a href='/privacy'>Privacy</a></footer></body></html>"
    )
    return page.encode()


def _pdf(parts: list[str | Rows]) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    flow: list[Flowable] = []
    for part in parts:
        if isinstance(part, str):
            name = ("BodyText", "Title", "Heading2", "Heading3")[_level(part)]
            style = ParagraphStyle(name, parent=pdfs.STYLES[name])
            if _is_chinese(part):
                style.fontName, style.wordWrap = FONT, "CJK"
            flow.append(Paragraph(escape(_bare(part)).replace("\n", "<br/>"), style))
        else:
            font = FONT if _is_chinese(str(part)) else "Helvetica"
            table = TableStyle([("GRID", (0, 0), (-1, -1), 0.7, colors.black), ("FONT", (0, 0), (-1, -1), font, 10)])
            flow += [Spacer(1, 6), Table(part, style=table), Spacer(1, 6)]
    with tempfile.TemporaryDirectory() as folder:
        return pdfs.build(Path(folder) / "paper.pdf", *flow).read_bytes()


def _is_chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def _mail(parts: list[str | Rows]) -> bytes:
    head, *body = [str(part) for part in parts]
    message = EmailMessage()
    for line in head.splitlines():
        name, _, said = line.partition(": ")
        message[name] = said
    message.set_content("\n\n".join(body))
    return message.as_bytes()


def _workbook(parts: list[str | Rows]) -> bytes:
    name = next((_bare(part) for part in parts if isinstance(part, str)), "Sheet 1")
    rows = next(part for part in parts if not isinstance(part, str))
    cells = {f"{chr(65 + column)}{row}": cell for row, line in enumerate(rows, 1) for column, cell in enumerate(line)}
    return office_files.excel({name: office_files.sheet(cells)})


def _slides(parts: list[str | Rows]) -> bytes:
    slides: list[list[str]] = []
    for part in map(str, parts):
        if _level(part):
            slides.append([])
        slides[-1].append(office_files.drawn(escape(_bare(part))))
    ids = "".join(f'<p:sldId r:id="s{number}"/>' for number in range(1, len(slides) + 1))
    links = {f"s{number}": f"slides/slide{number}.xml" for number in range(1, len(slides) + 1)}
    files: office_files.Parts = {
        "ppt/presentation.xml": office_files.part("p:presentation", f"<p:sldIdLst>{ids}</p:sldIdLst>"),
        "ppt/_rels/presentation.xml.rels": office_files.relations(**links),
    }
    for number, lines in enumerate(slides, start=1):
        shapes = "".join(f"<p:sp><p:txBody>{line}</p:txBody></p:sp>" for line in lines)
        files[f"ppt/slides/slide{number}.xml"] = office_files.part("p:sld", shapes)
    return office_files.zipped(files)


def _csv(parts: list[str | Rows]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(row for part in parts if not isinstance(part, str) for row in part)
    return written.getvalue().encode()


def _text(parts: list[str | Rows]) -> bytes:
    return "\n\n".join(_bare(str(part)) for part in parts).encode()


WRITERS = {
    "docx": _word,
    "html": _web_page,
    "pdf": _pdf,
    "eml": _mail,
    "xlsx": _workbook,
    "pptx": _slides,
    "csv": _csv,
    "txt": _text,
}
