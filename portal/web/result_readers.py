"""Reads known fields out of a result, one section each: answer, text, tables, pages, boxes and so on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from portal.web.document_facts import document_facts
from portal.web.result_shapes import MOST_MEMBERS, MOST_ROWS, Section, cut, shorten, table_of, text_of
from tasks.exports.tables import tables_in

MOST_BOXES = 1000
HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass
class Reading:
    """What is left of the result's fields while sections take theirs."""

    result: dict[str, Any]
    is_markdown: bool
    picture: str | None
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
    return Section("text", gettext("Text"), text_of(text, markdown=reading.is_markdown) if text else None)


def _pictures(reading: Reading) -> Section | None:
    images = reading.take("images")
    return Section("pictures", gettext("Images"), [_id_of(image) for image in images], len(images)) if images else None


def _boxes(reading: Reading) -> Section | None:
    """Texts found in a picture, drawn over it together with faces and codes."""
    texts = [box for box in map(_box, reading.take("boxes") or []) if box]
    others = [box for name in ("faces", "codes") for box in map(_box, reading.result.get(name) or []) if box]
    size = reading.result.get("size")
    if not isinstance(size, dict) or not (texts or others):
        return None
    # Lines are enough where engines name lines and words.
    lines = [box for box in texts if box["level"] != "word"] or texts
    data = {
        "boxes": lines[:MOST_BOXES],
        "others": others[:MOST_BOXES],
        "width": size.get("width"),
        "height": size.get("height"),
        "picture": reading.picture,
    }
    return Section("boxes", gettext("Found in the picture"), data, len(lines) + len(others))


def _tables(reading: Reading) -> Section | None:
    tables = [table_of(table) for table in tables_in(reading.result)]
    reading.take("tables")
    return Section("tables", gettext("Tables"), tables, len(tables)) if tables else None


def _pages(reading: Reading) -> Section | None:
    pages = reading.take("pages")
    if not isinstance(pages, list):
        return None
    shown = [
        {
            "number": page.get("number", page.get("page", place)) if isinstance(page, dict) else place,
            "text": cut(str(page.get("text", "") if isinstance(page, dict) else page)),
            "ocr": isinstance(page, dict) and page.get("source") == "ocr",
        }
        for place, page in enumerate(pages[:MOST_MEMBERS], start=1)
    ]
    return Section("pages", gettext("Pages"), shown, len(pages)) if shown else None


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
    return Section("segments", gettext("Transcript"), segments[:MOST_ROWS], len(segments))


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


def _box(box: Any) -> dict[str, Any] | None:
    """Return where a box is and what is in it, or None when it is not a box."""
    if not isinstance(box, dict):
        return None
    places = [box.get(side) for side in ("left", "top", "width", "height")]
    if not all(isinstance(place, int | float) for place in places):
        return None
    left, top, width, height = places
    known = {name: box.get(name, "") for name in ("text", "kind", "level", "confidence")}
    return {"left": left, "top": top, "width": width, "height": height} | known


def _id_of(image: Any) -> str:
    return str(image.get("id", "") if isinstance(image, dict) else image)


READERS: list[Callable[[Reading], Section | None]] = [
    _answer, _caption, _pictures, _texts, _passages, _tables, _segments, _pages, _boxes, _palette, _document,
]  # fmt: skip
