"""Reads what stands beside the body of an office file: comments, notes, charts, diagrams; counts what is not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tasks.engines.document import Block, BlockKind, Grid, Notice
from tasks.engines.office_body import BodyReader
from tasks.engines.xml_events import XmlReader
from tasks.engines.zip_members import ZipMembers

# Parts by their names, with what their text is called. Headers and footers come once, however many pages have them.
COMMENTS = re.compile(
    r"(?:word/comments|xl/comments\d*|xl/comments/comment\d+|xl/threadedComments/.*|ppt/comments/.*)\.xml"
)
FOOTNOTES = re.compile(r"word/(?:foot|end)notes\.xml")
MARGINS = re.compile(r"word/(header|footer)\d*\.xml")
DRAWINGS = re.compile(r"(?:xl/drawings/drawing\d+|xl/drawings/vmlDrawing\d+)\.(?:xml|vml)")
DIAGRAMS = re.compile(r"(?:word|xl|ppt)/diagrams/data\d*\.xml")
CHARTS = re.compile(r"(?:word|xl|ppt)/charts/chart\d*\.xml")
NOT_READ = (
    (re.compile(r"(?:word|xl|ppt)/media/.*|Pictures/.*"), "A picture", "{count} pictures"),
    (re.compile(r"(?:word|xl|ppt)/embeddings/.*\.(?!xlsx$)\w+"), "An embedded object", "{count} embedded objects"),
    (re.compile(r"(?:word|xl|ppt)/charts/chartEx\d*\.xml"), "A chart of a new kind", "{count} charts of a new kind"),
    (re.compile(r"(?:word|xl|ppt)/vbaProject\.bin"), "A macro project", "{count} macro projects"),
)


@dataclass
class _Series:
    name: str = ""
    categories: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)


class _Comments(XmlReader):
    """Comments with their authors, of Word, Excel and PowerPoint alike."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._authors: list[str] = []
        self._author, self._parts, self._inside, self._text = "", list[str](), "", False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in {"comment", "cm", "threadedComment"}:
            number = attributes.get("authorId", "")
            known = self._authors[int(number)] if number.isdigit() and int(number) < len(self._authors) else ""
            self._author, self._inside, self._parts = attributes.get("author") or known, name, []
        elif name == "author":
            self._authors.append("")
        self._text = name in {"t", "text", "author"}

    def end(self, name: str) -> None:
        self._text = False
        if name == "p" and self._parts:
            self._parts.append("\n")
        if self._inside and name == self._inside:
            text = "".join(self._parts).strip()
            if text:
                self.found.append(f"{self._author}: {text}" if self._author else text)
            self._inside = ""

    def text(self, text: str) -> None:
        if self._inside and self._text:
            self._parts.append(text)
        elif self._text and self._authors:
            self._authors[-1] += text


class _Chart(XmlReader):
    """A chart's title, and its series as the file last showed them."""

    def __init__(self) -> None:
        self.title = ""
        self.series: list[_Series] = []
        self._open: list[str] = []
        self._value = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._open.append(name)
        self._value = ""
        if name == "ser":
            self.series.append(_Series())

    def text(self, text: str) -> None:
        self._value += text

    def end(self, name: str) -> None:
        self._open.pop()
        if name == "t" and "title" in self._open and "ser" not in self._open and "valAx" not in self._open:
            self.title += self._value
        if name != "v" or not self.series:
            return
        series = self.series[-1]
        if "tx" in self._open:
            series.name += self._value
        elif {"cat", "xVal"} & set(self._open):
            series.categories.append(self._value)
        elif {"val", "yVal"} & set(self._open):
            series.values.append(self._value)


def comments_of(archive: ZipMembers, parts: set[str]) -> Iterator[Block]:
    """Yield the comments in these parts as notes. Excel keeps each threaded one twice: its copy is left out."""
    names = sorted(name for name in parts if COMMENTS.fullmatch(name))
    if any("threadedComments" in name for name in names):
        names = [name for name in names if "threadedComments" in name or not name.startswith("xl/")]
    for name in names:
        reader = _Comments()
        reader.read(archive.read(name))
        yield from (Block("note", text) for text in reader.found)


def margins_of(archive: ZipMembers) -> Iterator[Block]:
    """Yield headers, footers, footnotes and endnotes of a Word file."""
    seen: set[str] = set()
    for name in sorted(archive.names):
        margin = MARGINS.fullmatch(name)
        if not margin and not FOOTNOTES.fullmatch(name):
            continue
        kind: BlockKind = "note" if not margin else "header" if margin[1] == "header" else "footer"
        for text in texts_in(archive.read(name)):
            if text not in seen:
                seen.add(text)
                yield Block(kind, text)


def charts_and_diagrams_of(archive: ZipMembers, parts: set[str]) -> Iterator[Block]:
    """Yield the charts among these parts as tables, and the texts of diagrams (SmartArt) and of drawings' boxes."""
    for name in sorted(parts):
        if CHARTS.fullmatch(name):
            chart = _Chart()
            chart.read(archive.read(name))
            yield from _blocks_of_chart(chart)
        elif DIAGRAMS.fullmatch(name) or DRAWINGS.fullmatch(name):
            yield from (Block("paragraph", text, gap="\n") for text in texts_in(archive.read(name)))


def texts_in(data: bytes) -> list[str]:
    """Return the paragraphs of any part."""
    body = BodyReader(letters="t")
    body.read(data)
    return [block.text for block in body.blocks]


def _blocks_of_chart(chart: _Chart) -> Iterator[Block]:
    if chart.title.strip():
        yield Block("caption", chart.title.strip())
    length = max((len(one.values) for one in chart.series), default=0)
    if not length:
        return
    categories = next((one.categories for one in chart.series if one.categories), [])
    columns = [["", *categories], *([one.name, *one.values] for one in chart.series)]
    rows = [[column[row] if row < len(column) else "" for column in columns] for row in range(length + 1)]
    yield Block("table", "\n".join(" ".join(cell for cell in row if cell) for row in rows), grid=Grid(rows, head=1))


def not_read(archive: ZipMembers) -> list[Notice]:
    """Return how many pictures, embedded objects and the like the file holds, which are not looked into."""
    notices = []
    for pattern, one, many in NOT_READ:
        if count := sum(bool(pattern.fullmatch(name)) and not name.endswith("/") for name in archive.names):
            many = many.format(count=count)
            told = f"{many} in the file were not read." if count > 1 else f"{one} in the file was not read."
            notices.append(Notice("left out", told, count))
    return notices
