"""Makes the office samples, where openpyxl, python-docx, python-pptx and odfpy are installed."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

HERE = Path(__file__).parent
WHEN = datetime(2024, 3, 1, 9, 0)


def make_budget(path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.properties.title, book.properties.creator = "Harbour budget", "Lighthouse Works"
    book.properties.created = book.properties.modified = WHEN
    sheet = book.active
    sheet.title = "Costs"
    for row in (["Item", "Paid on", "Amount"], ["Quay repair", date(2024, 1, 15), 12400.5], ["Lamps", None, 980]):
        sheet.append(row)
    sheet.append(["Dredging", datetime(2024, 2, 29, 14, 30), 0.1])
    sheet["C5"] = "=SUM(C2:C4)"
    notes = book.create_sheet("Notes")
    notes["B2"] = "Approved by the board"
    notes["B3"] = True
    book.save(path)


def make_letter(path: Path) -> None:
    from docx import Document

    letter = Document()
    letter.core_properties.title, letter.core_properties.author = "Offer", "Maja Nowicka"
    letter.core_properties.created = letter.core_properties.modified = WHEN
    letter.add_heading("Offer for signal lamps", 1)
    letter.add_paragraph("Dear Ms Solheim, we offer the lamps below. The offer holds until 31 May 2024.")
    table = letter.add_table(rows=0, cols=3)
    for row in (["Lamp", "Count", "Price"], ["HX-200", "12", "140.00 EUR"], ["HX-300", "", "210.00 EUR"]):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    letter.add_paragraph("With kind regards\nMaja Nowicka")
    letter.save(str(path))


def make_talk(path: Path) -> None:
    from pptx import Presentation

    talk = Presentation()
    talk.core_properties.title = "Lamps"
    for title, text in (("Lamps of the year", "Brighter\nand cheaper"), ("Where they shine", "In 214 harbours")):
        slide = talk.slides.add_slide(talk.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
    talk.save(str(path))


def make_memo(path: Path) -> None:
    from odf.opendocument import OpenDocumentText
    from odf.table import Table, TableCell, TableRow
    from odf.text import H, P, S

    memo = OpenDocumentText()
    memo.text.addElement(H(outlinelevel=1, text="Memo to the crew"))
    paragraph = P(text="The tide is at 6:40,")
    paragraph.addElement(S())
    paragraph.addText("so be there at six.")
    memo.text.addElement(paragraph)
    table = Table()
    for cells in (["Boat", "Crew"], ["Sea Sparrow", "4"]):
        row = TableRow()
        for text in cells:
            cell = TableCell()
            cell.addElement(P(text=text))
            row.addElement(cell)
        table.addElement(row)
    memo.text.addElement(table)
    memo.save(str(path))


if __name__ == "__main__":
    make_budget(HERE / "budget.xlsx")
    make_letter(HERE / "office" / "letter.docx")
    make_talk(HERE / "office" / "talk.pptx")
    make_memo(HERE / "office" / "memo.odt")
