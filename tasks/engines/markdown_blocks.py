"""Reads Markdown into blocks that keep its marks: headings, list items, code, tables and paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tasks.engines.document import Block, Grid

HEADING = re.compile(r"(#{1,6})\s+\S")
ITEM = re.compile(r"(\s*)(?:[-*+]|\d{1,3}[.)])\s+\S")
FENCE = re.compile(r"\s*(```|~~~)")
RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*:?-*:?\s*$")


def markdown_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a text; their texts with the gaps between them are the text."""
    lines: list[str] = []
    gap, fence = "", ""
    for line in text.replace("\r\n", "\n").rstrip().split("\n"):
        mark = FENCE.match(line)
        if not fence and (not line.strip() or (lines and _begins_anew(lines, line))):
            if lines:
                yield _block(lines, gap)
                gap, lines = "\n", []
            if not line.strip():
                gap += f"{line}\n"
                continue
        lines.append(line)
        if mark and (not fence or mark[1] == fence):
            fence = "" if fence else mark[1]
    if lines:
        yield _block(lines, gap)


def _begins_anew(lines: list[str], line: str) -> bool:
    before = lines[0]
    if FENCE.match(line) or HEADING.match(line) or ITEM.match(line) or HEADING.match(before):
        return True
    # Behind a code block's end.
    return len(lines) > 1 and bool(FENCE.match(before)) and bool(FENCE.match(lines[-1]))


def _block(lines: list[str], gap: str) -> Block:
    text = "\n".join(lines)
    if FENCE.match(text):
        return Block("code", text, gap=gap)
    if heading := HEADING.match(text):
        return Block("heading", text, level=len(heading[1]), gap=gap)
    if item := ITEM.match(text):
        return Block("list", text, level=1 + len(item[1].expandtabs(4)) // 2, gap=gap)
    if len(lines) > 1 and any(RULE.match(after) and "|" in before for before, after in pairwise(lines[:2])):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in (lines[0], *lines[2:])]
        return Block("table", text, grid=Grid(rows, head=1), gap=gap)
    return Block("paragraph", text, gap=gap)
