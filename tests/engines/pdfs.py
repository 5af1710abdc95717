"""Makes PDFs of many kinds for the tests: tables, columns, turned pages, scans, broken files."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image
from reportlab.lib import colors, pdfencrypt
from reportlab.lib.pagesizes import A4, letter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

Cells = list[list[str]]

STYLES = getSampleStyleSheet()
GRID = ("GRID", (0, 0), (-1, -1), 0.7, colors.black)
LEFT = (
    "Salt marshes lie between the land and the sea. Twice a day the tide fills their creeks and drains them again. "
    "Few plants bear so much salt, and those that do grow in belts. Samphire stands lowest, sea lavender higher up."
)
RIGHT = (
    "Birds come for the snails and worms. In winter whole flocks of geese graze on the upper marsh. Farmers once cut "
    "hay here, and their ditches still show from the air. Today most marshes on this coast are protected."
)


def build(path: Path, *parts: Flowable, pagesize: tuple[float, float] = A4) -> Path:
    SimpleDocTemplate(str(path), pagesize=pagesize, invariant=1).build(list(parts))
    return path


def table_pdf(path: Path, rows: Cells, *styles: tuple[object, ...], font: str = "Helvetica", size: int = 10) -> Path:
    """A page with a paragraph and one table; its cells wrap where they are long."""
    style = TableStyle([*(styles or (GRID,)), ("FONT", (0, 0), (-1, -1), font, size)])
    return build(path, Paragraph("The table below was counted by hand.", STYLES["BodyText"]), Table(rows, style=style))


def wrapped_cell(text: str) -> Paragraph:
    return Paragraph(text, STYLES["BodyText"])


def columns_pdf(path: Path, *, interleaved: bool, size: float = 10) -> Path:
    """Two columns of prose under a title; `interleaved` writes them line by line, as typesetters may."""
    canvas = Canvas(str(path), pagesize=letter, invariant=1)
    canvas.setFont("Times-Bold", 18)
    canvas.drawString(60, 720, "The salt marshes of the northern coast and their birds")
    canvas.setFont("Times-Roman", size)
    lines = [
        (x, 680 - number * size * 1.25, line)
        for x, text in ((60, LEFT), (320, RIGHT))
        for number, line in enumerate(textwrap.wrap(text, 42))
    ]
    for x, y, line in sorted(lines, key=lambda line: -line[1]) if interleaved else lines:
        canvas.drawString(x, y, line)
    canvas.save()
    return path


def turned_pdf(path: Path, source: Path, degrees: int) -> Path:
    """The same pages, to be shown turned by `degrees` although their content is not."""
    document = pdfium.PdfDocument(source)
    for page in document:
        page.set_rotation(degrees)
    document.save(path)
    document.close()
    return path


def scanned_pdf(path: Path, *pages: Image.Image, title: str = "") -> Path:
    """Pages that are nothing but pictures; `title` is a little real text above each."""
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    for page in pages:
        stored = io.BytesIO()
        page.save(stored, "JPEG", quality=70)
        canvas.drawImage(ImageReader(stored), 0, 0, *A4)
        if title:
            canvas.drawString(40, 820, title)
        canvas.showPage()
    canvas.save()
    return path


def encrypted_pdf(path: Path, *, password: str) -> Path:
    encryption = pdfencrypt.StandardEncryption(password, ownerPassword="owner", strength=128)
    canvas = Canvas(str(path), encrypt=encryption, invariant=1)
    canvas.drawString(72, 700, "Known to the few")
    canvas.save()
    return path
