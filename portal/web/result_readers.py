"""Reads known fields out of a result, one section each: answer, text, tables, pages, boxes and so on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext

from portal.web.document_facts import document_facts
from portal.web.numbered_pages import NumberedPage
from portal.web.result_document import contents_of, pages_in
from portal.web.result_shapes import Section, cut, shorten, table_of, text_of
from tasks.exports.tables import tables_in

PAGES_AT_ONCE, SEGMENTS_AT_ONCE = 10, 500
HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class InputFile:
    """The file that a result was made of, for those who may see it."""

    id: str
    is_drawn: bool
    is_sound: bool


@dataclass
class Reading:
    """What is left of the result's fields while sections take theirs.

    `pager` finds which of so many things, so many a page, are to be shown.
    """

    result: dict[str, Any]
    is_markdown: bool
    pager: Callable[[int, int], NumberedPage]
    file: InputFile | None
    has_passages: bool = False
    taken: set[str] = field(default_factory=lambda: {"engine"})

    def take(self, name: str) -> Any:
        self.taken.add(name)
        return self.result.get(name)


def _answer(reading: Reading) -> Section | None:
    answer, declined = reading.take("answer"), reading.take("declined")
    if isinstance(declined, bool):
        declined = reading.take("reason") if declined else None
    if not answer and not declined:
        # A question that was not asked has no answer to show; one that found none says why.
        return None if "passages" not in reading.result else Section("answer", gettext("Answer"), {"declined": ""})
    if reading.result.get("text") == answer:
        reading.take("text")
    text = text_of(answer, markdown=reading.is_markdown) if answer else None
    return Section("answer", gettext("Answer"), {"text": text, "declined": declined})


def _caption(reading: Reading) -> Section | None:
    if caption := reading.take("caption"):
        reading.take("caption_reason")
        return Section("caption", gettext("Caption"), caption)
    return None


def _texts(reading: Reading) -> Section | None:
    if "text" in reading.taken or "text" not in reading.result:
        return None
    text = reading.take("text")
    if not text:
        return Section("text", gettext("Text"), None)
    shown = text_of(text, markdown=reading.is_markdown)
    return Section("text", gettext("Text"), replace(shown, is_repeated=reading.has_passages))


def _pictures(reading: Reading) -> Section | None:
    images = reading.take("images")
    return Section("pictures", gettext("Images"), [_id_of(image) for image in images], len(images)) if images else None


def _tables(reading: Reading) -> Section | None:
    tables = [table_of(table) for table in tables_in(reading.result)]
    reading.take("tables")
    return Section("tables", gettext("Tables"), tables, len(tables)) if tables else None


def _pages(reading: Reading) -> Section | None:
    """The document's pages with their passages, beside their pictures where the reader may see the file."""
    pages = pages_in(reading.result)
    for name in ("pages", "blocks", "boxes"):
        reading.take(name)
    is_drawn = reading.file is not None and reading.file.is_drawn
    for page in pages:
        page.picture = bool(is_drawn and page.width and page.height)
    if not any(page.picture or page.text or page.passages for page in pages):
        return None
    reading.has_passages = any(page.text or page.passages for page in pages)
    shown = reading.pager(len(pages), PAGES_AT_ONCE)
    data = {
        "file": reading.file,
        "page": shown.with_rows(pages[shown.first : shown.end]),
        "contents": [(heading, heading.place // PAGES_AT_ONCE + 1) for heading in contents_of(pages)],
        "on_pages": len(pages) > 1,
    }
    title = gettext("Pages") if len(pages) > 1 or "page_count" in reading.result else gettext("Found in the file")
    return Section("document", title, data, len(pages) if len(pages) > 1 else None)


def _passages(reading: Reading) -> Section | None:
    passages = reading.take("passages")
    if not isinstance(passages, list) or not passages:
        return None
    shown = [
        {
            "text": passage.get("text") or passage.get("quote", ""),
            "source": next((passage[key] for key in ("file_name", "name", "source") if passage.get(key)), ""),
            "page": passage.get("page"),
            "score": passage.get("score"),
        }
        for passage in passages
        if isinstance(passage, dict)
    ]
    return Section("passages", gettext("Quoted passages"), shown, len(shown))


def _segments(reading: Reading) -> Section | None:
    segments = reading.take("segments")
    if not isinstance(segments, list) or not segments:
        return None
    for name in ("srt", "vtt"):
        # The same once more, and among the files.
        reading.take(name)
    reading.has_passages = True
    shown = reading.pager(len(segments), SEGMENTS_AT_ONCE)
    data = {
        "file": reading.file if reading.file and reading.file.is_sound else None,
        "page": shown.with_rows([_segment(one) for one in segments[shown.first : shown.end]]),
    }
    return Section("segments", gettext("Transcript"), data, len(segments))


def _segment(segment: Any) -> dict[str, Any]:
    told = segment if isinstance(segment, dict) else {"text": segment}
    start = told.get("start")
    known = isinstance(start, int | float) and start >= 0
    return {"start": start if known else None, "text": cut(str(told.get("text", "")))}


def _palette(reading: Reading) -> Section | None:
    palette = reading.result.get("palette")
    if not isinstance(palette, list) or not palette:
        return None
    reading.take("palette")
    colours = [
        {"colour": str(entry["color"]), "share": entry.get("share")}
        for entry in palette
        if isinstance(entry, dict) and HEX_COLOUR.fullmatch(str(entry.get("color")))
    ]
    return Section("palette", gettext("Colours"), colours)


def _document(reading: Reading) -> Section | None:
    """What a document tells about itself, with its number of pages."""
    metadata = reading.result.get("metadata")
    if not isinstance(metadata, dict) or "page_count" not in reading.result:
        return None
    reading.take("metadata")
    facts = {gettext("Pages"): reading.take("page_count")} | document_facts(metadata)
    return Section("facts", gettext("Document"), {name: shorten(value) for name, value in facts.items()})


def _id_of(image: Any) -> str:
    return str(image.get("id", "") if isinstance(image, dict) else image)


READERS: list[Callable[[Reading], Section | None]] = [
    _answer, _caption, _pictures, _passages, _segments, _pages, _texts, _tables, _palette, _document,
]  # fmt: skip
