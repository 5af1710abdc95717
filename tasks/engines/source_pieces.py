"""Turns what was read of a file into sources for questions: its pages, with headings, paragraphs and rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tasks.engines.document import Block, Document, Grid, Page
from tasks.engines.passages import Cells, Piece, Source
from tasks.engines.table_head import head_rows, is_value

# What people call the lines of an e-mail's head.
MAIL_HINTS = {
    "from": "e-mail sender, who sent it and wrote it 邮件 发件人 发送 发信人 发",
    "to": "recipient 收件人",
    "cc": "copy to 抄送",
    "subject": "e-mail subject, what it is about 邮件 主题 标题",
    "date": "e-mail sent on, date, when 邮件 日期 发送时间",
}

# A column's name stands in each of its rows. What is longer is no name, but a text, and is not repeated.
LONGEST_NAME = 200


def sources_of(document: Document) -> list[Source]:
    """Return a source for each page; a page goes on under the headings that the page before it ends with."""
    title = str(document.metadata.get("title") or "")
    title = "" if title.lower() in {"untitled", "page"} else title
    sources = []
    for page in document.pages:
        pieces = tuple(piece for block in page.blocks for piece in _pieces(block))
        sources.append(Source(title=page.title or title, page=page.number, pieces=pieces))
        title = title or _first_heading(page)
    return sources


def _first_heading(page: Page) -> str:
    return next((" ".join(block.text.split()) for block in page.blocks if block.kind == "heading"), "")


def _pieces(block: Block) -> Iterator[Piece]:
    if block.grid is not None:
        for text, cells in _rows(block.grid):
            yield Piece("row", text, box=block.box, cells=cells)
    elif block.kind == "heading":
        yield Piece("heading", block.text, block.level or 1, block.box)
    elif block.kind == "header" and ": " in block.text:
        for line in block.text.splitlines():
            hint = MAIL_HINTS.get(line.partition(":")[0].lower(), "")
            yield Piece("text", line, box=block.box, hint=hint)
    elif block.text.strip():
        yield Piece("text", block.text, box=block.box)


def _rows(grid: Grid) -> Iterator[tuple[str, Cells]]:
    """Yield the rows of a table as sentences, with their cells by the columns' names."""
    rows = [[" ".join(cell.split()) for cell in row] for row in grid.rows]
    width = max((len(row) for row in rows), default=0)
    head = grid.head or head_rows(rows)
    if not head and width > 2 and len(rows) > 1 and not any(is_value(cell) for cell in rows[0]):
        head = 1
    if any(len(cell) > LONGEST_NAME for row in rows[:head] for cell in row):
        head = 0
    names = [_joined(row[place] for row in rows[:head] if place < len(row)) for place in range(width)]
    for row in rows[head:]:
        cells = tuple((names[place], cell) for place, cell in enumerate(row) if cell)
        if width == 2 and not head and len(cells) == 2:
            # A form: what is said of the left cell stands in the right one.
            cells = ((cells[0][1], cells[1][1]),)
        if cells:
            yield "; ".join(f"{name}: {cell}" if name else cell for name, cell in cells), cells


def _joined(parts: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(part for part in parts if part))
