"""A document beside its text: each page's passages, and where they stand on its picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from portal.web.result_shapes import cut

MOST_PASSAGES = 1000
MOST_HEADINGS = 300
# A list of fewer is longer than what it leads to.
FEWEST_HEADINGS = 3


@dataclass(frozen=True)
class Frame:
    """Where something stands on a page, in the page's unit, from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Passage:
    """A piece of a page's text. `id` names it and its frame on the web page; `level` is a heading's, from 1."""

    id: str
    text: str
    kind: str = "paragraph"
    level: int | None = None
    frame: Frame | None = None


@dataclass
class Page:
    """A page: its passages, or else its text as one. `others` are frames of what is no text."""

    number: int | None
    title: str = ""
    text: str = ""
    ocr: bool = False
    width: float = 0.0
    height: float = 0.0
    passages: list[Passage] = field(default_factory=list)
    others: list[Frame] = field(default_factory=list)
    left_out: int = 0
    picture: bool = False

    @property
    def character_count(self) -> int:
        return len(self.text) or sum(len(passage.text) for passage in self.passages)


@dataclass(frozen=True)
class Heading:
    """A line of the contents. `place` is the page's, counted from 0."""

    id: str
    text: str
    level: int
    place: int


def pages_in(result: dict[str, Any]) -> list[Page]:
    """Return the pages of a result that has `pages`, `blocks` or, as one of a picture has, `boxes`; else none."""
    pages = [_page(page, place) for place, page in enumerate(_list(result.get("pages")), start=1)]
    by_number = {page.number: page for page in pages}
    for block in _dicts(result.get("blocks")):
        number = _whole(block.get("page"))
        if number not in by_number:
            by_number[number] = Page(number)
            pages.append(by_number[number])
        _add(by_number[number], block)
    if not pages and (picture := _picture(result)):
        pages = [picture]
    return pages


def contents_of(pages: Iterable[Page]) -> list[Heading]:
    """Return the headings, as many as are worth a list."""
    found = (
        Heading(passage.id, passage.text, min(passage.level or 1, 6), place)
        for place, page in enumerate(pages)
        for passage in page.passages
        if passage.kind == "heading"
    )
    headings = list(islice(found, MOST_HEADINGS))
    return headings if len(headings) >= FEWEST_HEADINGS else []


def frames_in(found: Any) -> Iterator[tuple[Frame, dict[str, Any]]]:
    """Yield the frames of a list of boxes that say left, top, width and height."""
    for box in _dicts(found):
        places = [box.get(side) for side in ("left", "top", "width", "height")]
        if all(isinstance(place, int | float) for place in places):
            yield Frame(*(float(place) for place in places if place is not None)), box


def _page(page: Any, place: int) -> Page:
    if not isinstance(page, dict):
        return Page(place, text=cut(str(page)))
    return Page(
        _whole(page.get("number", page.get("page", place))),
        title=str(page.get("title") or ""),
        text=cut(str(page.get("text") or "")),
        ocr=page.get("source") == "ocr",
        width=_size(page.get("width")),
        height=_size(page.get("height")),
    )


def _add(page: Page, block: dict[str, Any]) -> None:
    if len(page.passages) >= MOST_PASSAGES:
        page.left_out += 1
        return
    box = block.get("box")
    frame = None
    if isinstance(box, list) and len(box) == 4 and all(isinstance(side, int | float) for side in box):
        left, top, right, bottom = map(float, box)
        frame = Frame(left, top, max(0.0, right - left), max(0.0, bottom - top))
    text, kind = cut(str(block.get("text") or "")), str(block.get("kind") or "paragraph")
    if text or frame:
        page.passages.append(Passage(_name(page), text, kind, _whole(block.get("level")), frame))


def _picture(result: dict[str, Any]) -> Page | None:
    """Return a picture as a page: its lines of text; frames of faces, and of codes with what they say."""
    size = result.get("size")
    lines = list(frames_in(result.get("boxes")))
    # Lines are enough where engines name lines and words.
    lines = [line for line in lines if line[1].get("level") != "word"] or lines
    codes, faces = list(frames_in(result.get("codes"))), [frame for frame, _ in frames_in(result.get("faces"))]
    if not isinstance(size, dict) or not (lines or codes or faces):
        return None
    page = Page(1, ocr=bool(lines), width=_size(size.get("width")), height=_size(size.get("height")), others=faces)
    for frame, box in [*lines, *codes][:MOST_PASSAGES]:
        page.passages.append(
            Passage(_name(page), cut(str(box.get("text") or "")), str(box.get("kind") or ""), None, frame)
        )
    page.left_out = max(0, len(lines) + len(codes) - MOST_PASSAGES)
    return page


def _name(page: Page) -> str:
    return f"{page.number or 0}-{len(page.passages) + 1}"


def _size(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (member for member in _list(value) if isinstance(member, dict))
