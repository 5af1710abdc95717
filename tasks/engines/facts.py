"""Takes the facts out of a document: typed values with what the document calls them, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from tasks.engines.any_file import PageText
from tasks.engines.typed_values import CURRENCIES, NUMERIC, TypedValue, find_values, month_comes_first
from tasks.engines.written_numbers import decimal_mark

MAX_QUOTE = 300
MAX_LABEL_WORDS, MAX_TEXT_WORDS, MAX_LINE = 8, 8, 2000
# Said in several ways; the first stands for all.
SYNONYMS = {
    "number": "no nr num numero nummer n° №",
    "quantity": "qty menge count",
    "amount": "amt betrag",
    "total": "sum summe gesamt",
    "invoice": "inv rechnung",
    "date": "datum",
    "vat": "mwst ust",
    "customer": "client buyer",
    "supplier": "vendor seller",
    "email": "mail",
    "phone": "tel telephone telefon",
    "reference": "ref",
}
STANDS_FOR = {word: first for first, words in SYNONYMS.items() for word in words.split()}
SILENT = {"the", "a", "an", "of", "is", "was", "are", "at", "on", "for", "in", "to", "by", "our", "your", "and", "per"}
PAGE_NUMBER = re.compile(r"^(?:page|seite|p\.)?\s*\d{1,4}(?:\s*(?:of|/|von)\s*\d{1,4})?$", re.IGNORECASE)
LABELLED_TEXT = re.compile(r"^\s*([^\W\d][^:\d]{1,50}?)\s*:\s+(\S.{0,100}?)[\s.]*$")
SENTENCES = re.compile(r"(?<=[.!?;])\s+(?=[A-Z(\"“])|\t|\s{3,}|\s\|\s")


@dataclass(frozen=True)
class Fact:
    """A value and its place. `label` is what the document calls it, empty in running text; there `context` tells:
    the sentence with its values left out, and the value's `place` among those of its type.
    """

    value: TypedValue
    label: str
    context: str
    place: int
    page: int | None
    quote: str
    scanned: bool = False


def facts_of(pages: Sequence[PageText]) -> list[Fact]:
    """Return the facts of a document in its order."""
    whole = "\n".join(page.text for page in pages)
    notation = _Notation(whole)
    return [fact for page in pages for fact in (*_facts_of_tables(page, notation), *_facts_of_lines(page, notation))]


class _Notation:
    """How a document writes numbers and dates."""

    def __init__(self, text: str) -> None:
        self._mark, self._month_first = decimal_mark(text), month_comes_first(text)

    def values(self, text: str) -> list[TypedValue]:
        return find_values(text, mark=self._mark, month_first=self._month_first)


def normal_label(text: str) -> str:
    """Return a label as it is compared: known words for their synonyms, in one order, without what says nothing.

    What stands in brackets comes after a bracket: it may be missing in another document.

    >>> normal_label("Date of the invoice:"), normal_label("Inv. No."), normal_label("Unit price (EUR)")
    ('date invoice', 'invoice number', 'price unit')
    >>> normal_label("Weight (gross)")
    'weight (gross'
    """
    text = text.lower().replace("e-mail", "email").replace("#", " number ")
    aside = " ".join(re.findall(r"[(\[]([^)\]]*)[)\]]?", text))
    words, asides = _words(re.sub(r"[(\[][^)\]]*[)\]]?", " ", text)), _words(aside)
    if not words:
        return " ".join(asides)
    return " ".join(words) + (f" ({' '.join(asides)}" if asides else "")


def label_likeness(one: str, other: str) -> float:
    """Return how alike two labels are, from 0 to 100; one that only adds something in brackets is nearly the same.

    >>> label_likeness("rent", "rent (cold"), label_likeness("gross weight", "weight (gross")
    (95.0, 100.0)
    """
    if not one or not other:
        return 0.0
    (bare, _, aside), (other_bare, _, other_aside) = one.partition(" ("), other.partition(" (")
    if bare == other_bare and not (aside and other_aside):
        return 100.0 if aside == other_aside else 95.0
    whole, other_whole = (" ".join(sorted(label.replace("(", "").split())) for label in (one, other))
    return float(fuzz.ratio(whole, other_whole))


def _words(text: str) -> list[str]:
    words = {STANDS_FOR.get(word, word) for word in re.findall(r"[^\W\d_]+|№|n°", text)}
    return sorted(word for word in words if word not in SILENT and word not in CURRENCIES and len(word) > 1)


def _facts_of_tables(page: PageText, notation: _Notation) -> Iterator[Fact]:
    for rows in page.tables:
        head = rows[0] if len(rows) > 1 and _is_head(rows, notation) else None
        for row in rows[1:] if head else rows:
            yield from _facts_of_row(row, head, page, notation)


def _is_head(rows: list[list[str]], notation: _Notation) -> bool:
    """Return whether the first row names columns. Two columns may also be names and values, of many types."""
    first = rows[0]
    if sum(bool(cell) for cell in first) < 2 or any(_only_value(cell, notation) for cell in first):
        return False
    if len(first) > 2:
        return True
    values = [_only_value(row[-1], notation) for row in rows[1:] if row[-1]]
    return len({value.type if value else "text" for value in values}) == 1


def _facts_of_row(row: list[str], head: list[str] | None, page: PageText, notation: _Notation) -> Iterator[Fact]:
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
            for found in notation.values(cell):
                yield Fact(found, "", f"{label} {_masked(cell, notation)}", 0, page.number, quote, page.scanned)
            continue
        yield Fact(value, label, "", 0, page.number, quote[:MAX_QUOTE], page.scanned)


def _only_value(cell: str, notation: _Notation) -> TypedValue | None:
    """Return the value that a cell is; None for a cell with words besides."""
    values = notation.values(cell)
    if len(values) != 1:
        return None
    rest = (cell[: values[0].start] + cell[values[0].end :]).strip(" .,:*()")
    return values[0] if not rest else None


def _facts_of_lines(page: PageText, notation: _Notation) -> Iterator[Fact]:
    in_tables = {" ".join(" ".join(row).split()) for rows in page.tables for row in rows}
    before = ""
    for line in page.text.splitlines():
        if " ".join(line.split()) in in_tables or PAGE_NUMBER.match(line.strip()):
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


def _facts_of_part(part: str, before: str, page: PageText, notation: _Notation) -> Iterator[Fact]:
    values = notation.values(part)
    if not values:
        labelled = LABELLED_TEXT.match(part)
        if labelled and len(labelled[2].split()) <= MAX_TEXT_WORDS and labelled[2][0].isupper():
            value = _text_value(labelled[2], labelled.start(2))
            yield Fact(value, normal_label(labelled[1]), "", 0, page.number, part[:MAX_QUOTE], page.scanned)
        return
    context, seen, end = _masked(part, notation), dict[str, int](), 0
    for number, value in enumerate(values):
        label = _label(part, values, number, end, before)
        place = seen.get(value.type, 0)
        seen[value.type] = place + 1
        yield Fact(value, label, context, place, page.number, part[:MAX_QUOTE], page.scanned)
        end = value.end


def _label(part: str, values: list[TypedValue], number: int, end: int, before: str) -> str:
    """Return what a line calls a value: the words before its colon, or of a short line that ends with it."""
    text, value = part[end : values[number].start], values[number]
    if match := re.search(r"([^:;]+?)\s*[:=]\s*$", text):
        # "Increase, yearly: 7 %" is one label; in "5 EUR, total: 7 EUR" it begins behind the comma.
        whole = not number and len(match[1].split()) <= MAX_LABEL_WORDS
        return normal_label(match[1] if whole else match[1].rpartition(",")[2])
    alone = len(values) == 1
    short = len(text.split()) <= MAX_LABEL_WORDS
    if alone and short and text.strip() and not part[value.end :].strip(" .)"):
        # "Invoice date 3 May 2024", but not "He came on 3 May 2024."
        return normal_label(text) if not part.rstrip().endswith(".") else ""
    if alone and not text.strip() and not part[value.end :].strip(" .") and _is_label(before):
        return normal_label(before)
    return ""


def _is_label(line: str) -> bool:
    return 0 < len(line.split()) <= 4 and not re.search(r"\d|[.!?]$", line)


def _masked(part: str, notation: _Notation) -> str:
    text, end = "", 0
    for value in notation.values(part):
        # Whether a number has its currency beside it is the writer's habit.
        kind = "number" if value.type in NUMERIC else value.type
        text += f"{part[end : value.start]} <{kind}> "
        end = value.end
    return " ".join((text + part[end:]).lower().split())


def _text_value(text: str, start: int) -> TypedValue:
    plain = " ".join(sorted(re.findall(r"\w+", text.lower())))
    return TypedValue("text", start, start + len(text), text.strip(), frozenset({plain}))
