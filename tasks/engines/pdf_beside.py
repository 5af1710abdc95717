"""Reads what a PDF shows beside the text of its pages: filled-in fields and notes; names the files it carries."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tasks.engines.document import Block, Notice
from tasks.engines.reading_order import Box

# A document may be made to have millions.
MAX_ANNOTATIONS, MAX_LENGTH, MAX_NAMES = 5000, 100_000, 10
WITH_NOTE = {
    raw.FPDF_ANNOT_TEXT, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_HIGHLIGHT, raw.FPDF_ANNOT_UNDERLINE,
    raw.FPDF_ANNOT_SQUIGGLY, raw.FPDF_ANNOT_STRIKEOUT, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_CARET,
    raw.FPDF_ANNOT_SQUARE, raw.FPDF_ANNOT_CIRCLE, raw.FPDF_ANNOT_LINE, raw.FPDF_ANNOT_INK,
}  # fmt: skip
WITH_VALUE = {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}


def blocks_beside(document: pdfium.PdfDocument, page: pdfium.PdfPage) -> list[Block]:
    """Return a page's filled-in fields as paragraphs and its notes as notes, with their boxes, from top to bottom."""
    found = []
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, number)
        if not annotation:
            continue
        try:
            block = _block(document, page, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
        found += [block] if block else []
    return sorted(found, key=lambda block: (block.box[1], block.box[0]) if block.box else (0.0, 0.0))


def not_read_beside(document: pdfium.PdfDocument) -> Iterator[Notice]:
    """Yield what the whole document carries that is not read."""
    count = raw.FPDFDoc_GetAttachmentCount(document.raw)
    if count > 0:
        names = [_name_of(document, number) for number in range(min(count, MAX_NAMES))]
        shown = ", ".join(name for name in names if name) + (", …" if count > MAX_NAMES else "")
        what = "A file that is attached to the PDF was" if count == 1 else f"{count} files attached to the PDF were"
        yield Notice("left out", f"{what} not read: {shown}.", count)


def _block(document: pdfium.PdfDocument, page: pdfium.PdfPage, annotation: Any) -> Block | None:
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind == raw.FPDF_ANNOT_WIDGET and document.formenv:
        form = document.formenv.raw
        if raw.FPDFAnnot_GetFormFieldType(form, annotation) not in WITH_VALUE:
            return None
        value = _text(lambda *into: raw.FPDFAnnot_GetFormFieldValue(form, annotation, *into))
        name = _text(lambda *into: raw.FPDFAnnot_GetFormFieldAlternateName(form, annotation, *into))
        text = f"{name}: {value}" if name and value else value
        return Block("paragraph", text, box=_box(page, annotation), gap="\n") if text else None
    if kind not in WITH_NOTE:
        return None
    text = _text(lambda *into: raw.FPDFAnnot_GetStringValue(annotation, b"Contents", *into))
    return Block("note", text, box=_box(page, annotation), gap="\n") if text else None


def _name_of(document: pdfium.PdfDocument, number: int) -> str:
    attachment = raw.FPDFDoc_GetAttachment(document.raw, number)
    return _text(lambda *into: raw.FPDFAttachment_GetName(attachment, *into)) if attachment else ""


def _text(ask: Callable[..., int]) -> str:
    """Return a text that PDFium gives as UTF-16 with a zero behind it; `ask` takes a buffer and its bytes."""
    size = min(ask(None, 0), 2 * MAX_LENGTH)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    ask(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0").replace("\r\n", "\n").replace("\r", "\n").strip()


def _box(page: pdfium.PdfPage, annotation: Any) -> Box | None:
    edges = raw.FS_RECTF()
    # Of a turned page the corners would have to be turned, too.
    if not raw.FPDFAnnot_GetRect(annotation, edges) or page.get_rotation():
        return None
    height = page.get_height()
    return edges.left, height - edges.top, edges.right, height - edges.bottom
