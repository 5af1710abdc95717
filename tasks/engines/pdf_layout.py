"""Makes blocks of a PDF page's characters: headings, paragraphs, list items and tables in reading order.

The order is PDFium's, which is the file's. Where the file jumps back up the page, what it wrote before and after
are columns if both are prose; else they are one thing written in parts (labels, then values), read line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tasks.engines.document import Block, BlockKind, Grid
from tasks.engines.pdf_characters import Character, apart, is_below, joined, text_in_file_order
from tasks.engines.pdf_tables import Table
from tasks.engines.reading_order import (
    GUTTER,
    LEAST_LINES,
    PARAGRAPH_GAP,
    Box,
    Line,
    Piece,
    blocks_in_order,
    is_prose,
    is_right_to_left,
    lines_of,
)

# In heights of the body's text.
LARGE = 1.15
HEADING_WORDS, HEADING_LINES, BOLD = 16, 3, 600
ITEM = re.compile(r"[-*•·–▪◦‣●■□○]\s|\(?\d{1,2}[.)]\s|\(?[a-z][.)]\s")
CAPTION = re.compile(r"(?:fig(?:ure|\.)|table|tab\.|abbildung|tabelle|图|表|図)\s*\d", re.IGNORECASE)


@dataclass(slots=True)
class Segment(Piece):
    """A line, or the part of one up to a wide gap. `table` stands in the place of a table's characters."""

    bold: bool = False
    downwards: bool = False
    table: Table | None = None


def blocks_of(characters: Sequence[Character], tables: Sequence[Table]) -> list[Block]:
    """Return the page's blocks in reading order; text that runs another way than most comes last."""
    level, slanting = [c for c in characters if c.level], [c for c in characters if not c.level]
    segments = _with_tables(level, tables)
    sizes = [segment.height for segment in segments if segment.table is None and not segment.downwards]
    body = median(sizes) if sizes else 1.0
    blocks = [block for group in _groups(segments) for block in _blocks_of_group(group, body)]
    if text := text_in_file_order(slanting):
        blocks.append(Block("paragraph", text, _rounded(joined(slanting))))
    return blocks


def _with_tables(characters: list[Character], tables: Sequence[Table]) -> list[Segment]:
    """Cut characters into segments; a table stands where the file has its first character."""
    segments: list[Segment] = []
    loose: list[Character] = []
    waiting = list(tables)
    for character in characters:
        inside = next((table for table in tables if _within(character, table)), None)
        if inside is None:
            loose.append(character)
        elif inside in waiting:
            segments += [*_segments(loose), _of_table(inside)]
            waiting.remove(inside)
            loose = []
    return [*segments, *_segments(loose), *(_of_table(table) for table in waiting)]


def _of_table(table: Table) -> Segment:
    return Segment("\n".join(" ".join(cell for cell in row if cell) for row in table.rows), *table.box, table=table)


def _segments(characters: list[Character]) -> list[Segment]:
    segments: list[Segment] = []
    current: list[Character] = []
    for character in characters:
        if current and _parts(current[-1], character):
            segments.append(_segment(current))
            current = []
        current.append(character)
    return [*segments, _segment(current)] if current else segments


def _segment(characters: list[Character]) -> Segment:
    piece = joined(characters)
    downwards = len(characters) > 1 and is_below(characters[0], characters[1])
    bold = characters[0].weight >= BOLD
    return Segment(piece.text, piece.left, piece.top, piece.right, piece.bottom, bold, downwards)


def _parts(before: Character, after: Character) -> bool:
    """Return whether a line, or a part of one, ends between two characters that follow each other."""
    if "\n" in after.before:
        return True
    height = max(before.height, after.height)
    if abs(after.middle - before.middle) > 0.7 * height:
        return not is_below(before, after)
    # Where Latin words stand in a right-to-left line, the order of reading jumps to and fro.
    return apart(before, after) > GUTTER * height and not is_right_to_left([before, after])


def _groups(segments: list[Segment]) -> list[list[Segment]]:
    """Cut the file's order into runs down the page, and put those together that are parts of one thing."""
    groups: list[list[Segment]] = []
    for run in _runs(segments):
        partner = next((group for group in reversed(groups) if _belong_together(group, run)), None)
        if partner is None:
            groups.append(run)
        else:
            partner += run
    return groups


def _runs(segments: list[Segment]) -> list[list[Segment]]:
    runs: list[list[Segment]] = []
    for segment in _columns_turned(segments):
        if not runs or segment.downwards or runs[-1][-1].downwards or _is_above(segment, runs[-1][-1]):
            runs.append([])
        runs[-1].append(segment)
    return runs


def _columns_turned(segments: list[Segment]) -> Iterator[Segment]:
    """Yield the segments; of those written downwards beside each other the right ones first, which PDFium has last."""
    beside: list[Segment] = []
    for segment in segments:
        if beside and not (segment.downwards and segment.top < beside[-1].bottom and beside[-1].top < segment.bottom):
            yield from sorted(beside, key=lambda column: -column.right)
            beside = []
        if segment.downwards:
            beside.append(segment)
        else:
            yield segment
    yield from sorted(beside, key=lambda column: -column.right)


def _is_above(segment: Segment, before: Segment) -> bool:
    return segment.middle < before.top - 0.2 * min(segment.height, before.height)


def _belong_together(group: list[Segment], run: list[Segment]) -> bool:
    """Return whether a run was written over or beside a group as a part of it, rather than as a column of its own."""
    if run[0].downwards or group[0].downwards:
        return False
    beside, mine = _at_height_of(run, group), _at_height_of(group, run)
    if not beside or not mine:
        return False
    if _right(mine) > _left(beside) + 1 and _right(beside) > _left(mine) + 1:
        return True
    return not is_prose(beside) and not is_prose(mine)


def _at_height_of(others: list[Segment], segments: list[Segment]) -> list[Segment]:
    top, bottom = min(other.top for other in others), max(other.bottom for other in others)
    return [segment for segment in segments if segment.table is None and top <= segment.middle <= bottom]


def _left(segments: list[Segment]) -> float:
    return min(segment.left for segment in segments)


def _right(segments: list[Segment]) -> float:
    return max(segment.right for segment in segments)


def _blocks_of_group(group: list[Segment], body: float) -> list[Block]:
    if group[0].downwards:
        return [Block("paragraph", segment.text, _rounded(segment)) for segment in group]
    loose, tables = [s for s in group if s.table is None], [s for s in group if s.table is not None]
    lines = lines_of(loose)
    # Only where several lines have a wide gap can there be columns side by side.
    columns = blocks_in_order(loose) if sum(len(line) > 1 for line in lines) >= LEAST_LINES else [lines]
    blocks: list[Block] = []
    for column in columns:
        before: Line[Segment] | None = None
        for part in _paragraphs(column):
            while tables and tables[0].middle < part[0][0].top:
                blocks.append(_table_block(tables.pop(0)))
                before = None
            is_close = before is not None and _gap(before, part[0]) <= _paragraph_gap(before, part[0])
            blocks.append(_block(part, body, gap="\n" if is_close else "\n\n"))
            before = part[-1]
    return blocks + [_table_block(table) for table in tables]


def _table_block(segment: Segment) -> Block:
    assert segment.table is not None
    return Block(
        "table", segment.text, _rounded(segment), grid=Grid(segment.table.rows, segment.table.head, segment.table.spans)
    )


def _paragraphs(lines: list[Line[Segment]]) -> list[list[Line[Segment]]]:
    """Put lines together that stand close to each other and look alike; a list item begins anew."""
    parts: list[list[Line[Segment]]] = []
    for line in lines:
        if parts and _goes_on(parts[-1][-1], line):
            parts[-1].append(line)
        else:
            parts.append([line])
    return parts


def _goes_on(before: Line[Segment], line: Line[Segment]) -> bool:
    height, other = _height(line), _height(before)
    if _gap(before, line) > _paragraph_gap(before, line) or ITEM.match(line[0].text):
        return False
    return max(height, other) < LARGE * min(height, other) and before[0].bold == line[0].bold


def _block(lines: list[Line[Segment]], body: float, *, gap: str) -> Block:
    text = "\n".join(" ".join(segment.text for segment in line) for line in lines)
    whole = [segment for line in lines for segment in line]
    box = (_left(whole), min(s.top for s in whole), _right(whole), max(s.bottom for s in whole))
    kind = _kind(text, lines, body)
    level = _level(lines, body) if kind == "heading" else None
    return Block(kind, text, _rounded(Piece("", *box)), level=level, gap=gap)


def _kind(text: str, lines: list[Line[Segment]], body: float) -> BlockKind:
    words = len(text.split())
    if ITEM.match(text):
        return "list"
    if CAPTION.match(text) and len(lines) <= HEADING_LINES:
        return "caption"
    stands_out = _height(lines[0]) > LARGE * body or all(line[0].bold for line in lines)
    short = words <= HEADING_WORDS and len(lines) <= HEADING_LINES
    if stands_out and short and any(c.isalpha() for c in text) and not text.endswith((".", ",", ";", ":", "。")):
        return "heading"
    return "paragraph"


def _level(lines: list[Line[Segment]], body: float) -> int:
    size = _height(lines[0]) / body
    return 1 if size > 1.6 else 2 if size > 1.3 else 3


def _height(line: Line[Segment]) -> float:
    return max(segment.height for segment in line)


def _paragraph_gap(before: Line[Segment], line: Line[Segment]) -> float:
    return PARAGRAPH_GAP * min(_height(before), _height(line))


def _gap(before: Line[Segment], line: Line[Segment]) -> float:
    return min(segment.top for segment in line) - max(segment.bottom for segment in before)


def _within(character: Character, table: Table) -> bool:
    left, top, right, bottom = table.box
    return left <= (character.left + character.right) / 2 <= right and top <= character.middle <= bottom


def _rounded(piece: Piece) -> Box:
    return (round(piece.left, 1), round(piece.top, 1), round(piece.right, 1), round(piece.bottom, 1))
