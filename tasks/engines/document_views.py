"""A view of a document: Markdown."""

from __future__ import annotations

import re

from tasks.engines.document import Block, Document, Grid

DEEPEST_HEADING = 6


def markdown_of(document: Document) -> str:
    """Return a document as Markdown (CommonMark with tables)."""
    parts: list[str] = []
    before = ""
    for block in (block for page in document.pages for block in page.blocks):
        if written := _block(block):
            gap = "\n" if before == block.kind == "list" else "\n\n"
            parts += [gap, written] if parts else [written]
            before = block.kind
    return "".join(parts)


def _block(block: Block) -> str:
    if block.grid is not None:
        return table_markdown(block.grid)
    text = block.text.strip()
    if not text:
        return ""
    match block.kind:
        case "heading":
            return f"{'#' * min(block.level or 1, DEEPEST_HEADING)} {' '.join(text.lstrip('#').split())}"
        case "list":
            item = re.sub(r"^[-*•·–▪◦]\s+", "", text)
            return f"{'  ' * ((block.level or 1) - 1)}- {item}"
        case "code":
            return text if text.startswith(("```", "~~~")) else f"```\n{text}\n```"
        case "caption":
            return f"*{' '.join(text.split())}*"
        case "note":
            return "\n".join(f"> {line}" for line in text.splitlines())
        case _:
            return text


def table_markdown(grid: Grid) -> str:
    """Return a table; Markdown has one row of column names, which is empty where the table has none.

    >>> print(table_markdown(Grid([["Boat", "Crew"], ["A|B", "4"]], head=1)))
    | Boat | Crew |
    | --- | --- |
    | A\\|B | 4 |
    """
    width = max((len(row) for row in grid.rows), default=0)
    if not width:
        return ""
    rows = [[*row, *[""] * (width - len(row))] for row in grid.rows]
    if not grid.head:
        rows.insert(0, [""] * width)
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    lines.insert(1, f"| {' | '.join(['---'] * width)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
