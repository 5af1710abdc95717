"""Takes the facts out of a document: typed values with what the document calls them, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tasks.engines.chinese_numbers import CJK, folded, is_in_capitals
from tasks.engines.document import Page
from tasks.engines.labels import has_cjk, is_total, normal_label
from tasks.engines.notation import Notation, notation_of
from tasks.engines.text_tables import tables_in
from tasks.engines.typed_values import NUMERIC, TypedValue, equal, find_values
from tasks.engines.written_numbers import MONTH

MAX_QUOTE = 300
MAX_LABEL_WORDS, MAX_TEXT_WORDS, MAX_LINE, MAX_SHARE_WORDS = 8, 8, 2000, 3
# What comes before a tax or a discount and is no part of its name.
ADDED = re.compile(r"^(?:plus|less|zuzüglich|zzgl|abzüglich|abzgl|另加|另计|加|减)\b\.?\s*", re.IGNORECASE)
PAGE_NUMBER = re.compile(r"^(?:page|seite|p\.)?\s*\d{1,4}(?:\s*(?:of|/|von)\s*\d{1,4})?$", re.IGNORECASE)
LABELLED_TEXT = re.compile(rf"^\s*([^\W\d][^:：\d]{{1,50}}?)\s*(?::\s+|：\s*|(?<=[{CJK}]):)(\S.{{0,100}}?)[\s.。]*$")
SENTENCES = re.compile(rf"(?<=[.!?;])\s+(?!(?i:{MONTH})\b)(?=[A-ZÄÖÜ(\"“])|(?<=[。；！？])\s*|\t|\s{{3,}}|\s\|\s")


@dataclass(frozen=True)
class Fact:
    """A value and its place. `label` is what the document calls it, empty in running text; there `context` tells:
    the sentence with its values left out, and the value's `place` among those of its type. In a table `row` is what the
    row is called, for the value that it is about, and `cell` that and where in the row it stands. `fault` tells what
    contradicts it in its own document.
    """

    value: TypedValue
    label: str
    context: str
    place: int
    page: int | None
    quote: str
    scanned: bool = False
    row: str = ""
    cell: str = ""
    fault: str = ""


def facts_of(pages: Sequence[Page]) -> list[Fact]:
    """Return the facts of a document in its order."""
    whole = "\n".join(page.text for page in pages)
    notation = notation_of(whole)
    return [fact for page in pages for fact in _facts_of_page(page, notation)]


def _facts_of_page(page: Page, notation: Notation) -> Iterator[Fact]:
    yield from _facts_of_tables((grid.rows for grid in page.tables), page, notation)
    in_tables = {" ".join(" ".join(row).split()) for grid in page.tables for row in grid.rows}
    lines = [line for line in page.text.splitlines() if " ".join(line.split()) not in in_tables]
    tables, prose = tables_in(lines)
    yield from _facts_of_tables(tables, page, notation)
    yield from _facts_of_lines(prose, page, notation)


def _facts_of_tables(tables: Iterable[list[list[str]]], page: Page, notation: Notation) -> Iterator[Fact]:
    for rows in tables:
        head = rows[0] if len(rows) > 1 and _is_head(rows, notation) else None
        for row in rows[1:] if head else rows:
            yield from _facts_of_row(row, head, page, notation)


def _is_head(rows: list[list[str]], notation: Notation) -> bool:
    """Return whether the first row names columns. Two columns may also be names and values, of many types."""
    first = rows[0]
    if sum(bool(cell) for cell in first) < 2 or any(_only_value(cell, notation) for cell in first):
        return False
    if len(first) > 2:
        return True
    values = [_only_value(row[-1], notation) for row in rows[1:] if row[-1]]
    return len({value.type if value else "text" for value in values}) == 1


def _facts_of_row(row: list[str], head: list[str] | None, page: Page, notation: Notation) -> Iterator[Fact]:
    quote = " | ".join(cell for cell in row if cell)
    names = [cell for cell in row if cell and not _only_value(cell, notation)]
    # A row without a name is called by its first cell: an article's number, a date.
    key = names[0] if names else next((cell for cell in row if cell), "")
    for column, cell in enumerate(row):
        if not cell or (cell == key and (names or head)):
            continue
        title = head[column] if head and column < len(head) else ""
        label = f"{normal_label(key) or key.lower()} / {normal_label(title)}".strip(" /")
        value = _only_value(cell, notation)
        if value is None and not re.search(r"\d", cell) and 0 < len(cell.split()) <= MAX_TEXT_WORDS:
            value = _text_value(cell, 0)
        if value is None:
            for found in find_values(cell, notation):
                yield Fact(found, "", f"{label} {_masked(cell, notation)}", 0, page.number, quote, page.source == "ocr")
            continue
        place = f"{normal_label(key)} {column} {len(row)}" if names else ""
        row_name = normal_label(key) if names and _is_about(column, row, key, notation) else ""
        yield Fact(value, label, "", 0, page.number, quote[:MAX_QUOTE], page.source == "ocr", row_name, place)


def _is_about(column: int, row: list[str], key: str, notation: Notation) -> bool:
    """Return whether a row is about this one of its cells: the only one with a value, or the last of a total's."""
    others = [place for place, cell in enumerate(row) if cell and cell != key]
    return others == [column] or (is_total(normal_label(key)) and others[-1] == column)


def _only_value(cell: str, notation: Notation) -> TypedValue | None:
    """Return the value that a cell is; None for a cell with words besides."""
    values = find_values(cell, notation)
    if len(values) != 1:
        return None
    rest = (cell[: values[0].start] + cell[values[0].end :]).strip(" .,:*()")
    return values[0] if not rest else None


def _facts_of_lines(lines: Iterable[str], page: Page, notation: Notation) -> Iterator[Fact]:
    before = ""
    for line in lines:
        if PAGE_NUMBER.match(line.strip()):
            continue
        for part in _parts(line[:MAX_LINE]):
            yield from _facts_of_part(part, before, page, notation)
        before = line.strip()


def _parts(line: str) -> list[str]:
    """Cut a line into sentences and columns; one or two words with a point are an abbreviation: "Inv. No.: 7".

    >>> _parts("Inv. No.: 7. It was paid.")
    ['Inv. No.: 7.', 'It was paid.']
    """
    parts: list[str] = []
    for part in (piece.strip() for piece in SENTENCES.split(line)):
        if parts and parts[-1].endswith(".") and len(parts[-1].split()) <= 2 and not re.search(r"\d", parts[-1]):
            parts[-1] += f" {part}"
        elif part:
            parts.append(part)
    return parts


def _facts_of_part(part: str, before: str, page: Page, notation: Notation) -> Iterator[Fact]:
    values = find_values(part, notation)
    if not values:
        labelled = LABELLED_TEXT.match(part)
        if (
            labelled
            and len(labelled[2].split()) <= MAX_TEXT_WORDS
            and (labelled[2][0].isupper() or has_cjk(labelled[2]))
        ):
            value = _text_value(labelled[2], labelled.start(2))
            yield Fact(value, normal_label(labelled[1]), "", 0, page.number, part[:MAX_QUOTE], page.source == "ocr")
        return
    context, seen, end, facts = _masked(part, notation), dict[str, int](), 0, list[Fact]()
    shared = _name_of_share(part, values)
    for number, value in enumerate(values):
        label = shared or _label(part, values, number, end, before)
        fault = ""
        if is_in_capitals(value.written) and number and values[number - 1].type == "amount":
            # A sum in figures, and again in words.
            figures = facts[-1]
            label = f"{figures.label} 大写".strip()
            fault = "" if equal(figures.value, value) else f"“{figures.value.written}” before it says something else"
        place = seen.get(value.type, 0)
        seen[value.type] = place + 1
        facts.append(
            Fact(value, label, context, place, page.number, part[:MAX_QUOTE], page.source == "ocr", fault=fault)
        )
        end = value.end
    yield from facts


def _label(part: str, values: list[TypedValue], number: int, end: int, before: str) -> str:
    """Return what a line calls a value: the words before its colon, or of a short line that ends with it."""
    text, value = folded(part[end : values[number].start]), values[number]
    if match := re.search(r"([^:;]+?)\s*[:=]\s*$", text):
        # "Increase, yearly: 7 %" is one label; in "5 EUR, total: 7 EUR" it begins behind the comma.
        whole = not number and len(match[1].split()) <= MAX_LABEL_WORDS
        return normal_label(match[1] if whole else re.split("[,，、。]", match[1])[-1])
    alone = len(values) == 1
    short = len(text.split()) <= MAX_LABEL_WORDS
    if alone and short and text.strip() and not part[value.end :].strip(" .)）"):
        # "Invoice date 3 May 2024", but not "He came on 3 May 2024."
        return normal_label(text) if not part.rstrip().endswith((".", "。")) else ""
    if alone and not text.strip() and not part[value.end :].strip(" .") and _is_label(before):
        return normal_label(before)
    return ""


def _name_of_share(part: str, values: list[TypedValue]) -> str:
    """Return what a line calls a percentage and what it comes to, if it holds nothing else: both are called so.

    >>> [_name_of_share(line, find_values(line)) for line in ("plus 19 % VAT: 237.50 EUR", "VAT (19 %) 237.50")]
    ['vat', 'vat']
    >>> [_name_of_share(line, find_values(line)) for line in ("19 % VAT", "He paid 5 % of it, which was 3 EUR.")]
    ['vat', '']
    """
    kinds = [value.type for value in values]
    if kinds[0] != "percentage" or kinds[1:] not in ([], ["amount"], ["number"]):
        return ""
    text = folded(part)
    before, after = text[: values[0].start], text[values[-1].end :].strip(" .)")
    if len(values) == 1:
        # Of a percentage alone the words before it are its name, as of any value.
        return _short_name(f"{before} {after}") if after else ""
    return "" if after else _short_name(f"{before} {text[values[0].end : values[1].start]}")


def _short_name(text: str) -> str:
    name = ADDED.sub("", re.sub(r"[:=@()\s]+", " ", text).strip(" -–,"))
    return normal_label(name) if 0 < len(name.split()) <= MAX_SHARE_WORDS else ""


def _is_label(line: str) -> bool:
    return 0 < len(line.split()) <= 4 and not re.search(r"\d|[.!?]$", line)


def _masked(part: str, notation: Notation) -> str:
    text, end = "", 0
    for value in find_values(part, notation):
        # Whether a number has its currency beside it is the writer's habit.
        kind = "number" if value.type in NUMERIC else value.type
        text += f"{part[end : value.start]} <{kind}> "
        end = value.end
    return " ".join(folded(text + part[end:]).lower().split())


def _text_value(text: str, start: int) -> TypedValue:
    plain = " ".join(sorted(re.findall(r"\w+", text.lower())))
    return TypedValue("text", start, start + len(text), text.strip(), frozenset({plain}))
