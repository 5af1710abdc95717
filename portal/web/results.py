"""Decides how a result is shown: by the template that its type names, or in sections from names that all results share.

`text` wherever there is a text, `pages`, `tables` (rows of cells), `answer`, `passages`, `segments`,
`images` and `files` (ids), `caption`; whatever has no section of its own is described as it is.
"""

from __future__ import annotations

import logging
from functools import cache, partial
from typing import Any

from django.http import HttpRequest
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.utils.text import capfirst
from django.utils.translation import gettext

from portal.web.ids import first_uuid
from portal.web.numbered_pages import NumberedPage
from portal.web.result_findings import findings
from portal.web.result_readers import READERS, InputFile, Reading
from portal.web.result_shapes import MOST_ROWS, Section, shorten
from tasks.registry import all_types
from tasks.ui import words
from tasks.ui.sentences import in_language

# A list of objects is a table when it has no more columns than this.
MOST_COLUMNS = 8
NAMES = {"name", "title", "text", "kind"}
SAYING = ("warnings", "notices", "declined", "reason", "caption_reason", "answer_reason")
PLACES = ("left", "top", "width", "height")

logger = logging.getLogger(__name__)


def present(
    type_name: str, result: Any, *, request: HttpRequest, file: InputFile | None = None, has_parts: bool = False
) -> list[Section]:
    """Return the sections of a result, most wanted first.

    Args:
        request: its query says which page of a long result is to be shown.
        file: what it was made of, where whoever asks may see that.
        has_parts: the tasks that it started are shown as rows: what the result says of each of them is there.
    """
    if not isinstance(result, dict):
        return [Section("tree", gettext("Result"), shorten(result))]
    definition = all_types().get(type_name)
    if definition and definition.result_template and _is_usable(definition.result_template):
        return [Section("own", gettext("Result"), {"template": definition.result_template, "result": result})]
    engine = result.get("engine")
    # A language model writes Markdown. Text out of documents is none, and would be mangled as such.
    by_backend = isinstance(engine, dict) and engine.get("kind") == "backend"
    result = result | {name: _said(result[name]) for name in SAYING if name in result}
    reading = Reading(
        result, by_backend or bool(definition and definition.markdown), partial(NumberedPage.of, request), file
    )
    if has_parts:
        reading.taken |= {name for name, value in result.items() if _is_about_tasks(value)}
    found = findings(result)
    reading.taken |= found.keys()
    sections = [section for read in READERS if (section := read(reading))]
    sections += found.values()
    if rest := {name: value for name, value in result.items() if name not in reading.taken}:
        sections += describe(rest)
    return sections


def _said(value: Any) -> Any:
    """Return what the engine says about its work in the reader's language; all else in a result is what it found."""
    if isinstance(value, list):
        return [_said(part) for part in value]
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return value | {"text": in_language(value["text"])}
    return in_language(value) if isinstance(value, str) else value


@cache
def _is_usable(template: str) -> bool:
    """Say whether a type's own template can be loaded. Tried once, as Django keeps what it loads; told in the log."""
    try:
        get_template(template)
    except (TemplateDoesNotExist, TemplateSyntaxError) as fault:
        logger.error("The template %s cannot be used, the usual sections show the result: %r", template, fault)
        return False
    return True


def describe(rest: dict[str, Any]) -> list[Section]:
    """Plain values and flat objects as facts, lists of flat objects as tables, everything deeper as a tree."""
    rest = {name: value for name, value in rest.items() if value not in (None, [], {}, "")}
    facts, sections, deep = {}, [], {}
    for name, value in rest.items():
        if not isinstance(value, dict | list):
            facts[name] = words.value_in_words(name, shorten(value))
        elif isinstance(value, list) and not _is_nested(value):
            facts[name] = shorten(_cell(value))
        elif isinstance(value, dict) and value.keys() == {"width", "height"}:
            facts[name] = f"{value['width']} × {value['height']}"
        elif isinstance(value, dict) and not any(isinstance(member, dict | list) for member in value.values()):
            sections.append(Section("facts", _title(name), {key: shorten(member) for key, member in value.items()}))
        elif columns := _columns(value):
            rows = [[_cell(row.get(column)) for column in columns] for row in value[:MOST_ROWS]]
            sections.append(Section("records", _title(name), {"columns": columns, "rows": rows}, len(value)))
        else:
            deep[name] = shorten(value)
    if facts:
        sections.append(Section("facts", gettext("Facts"), facts))
    return sections + ([Section("tree", gettext("More"), deep)] if deep else [])


def _columns(value: Any) -> list[str]:
    """Return the columns of a list of flat objects, or none when it is not one."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return []
    # jsonb does not keep the order of keys, so what names a thing comes first and places come last.
    names = dict.fromkeys(key for row in value for key in row)
    columns = sorted(names, key=lambda name: (name in PLACES, name not in NAMES, name))
    is_flat = not any(_is_nested(member) for row in value for member in row.values())
    return columns if is_flat and len(columns) <= MOST_COLUMNS else []


def _is_nested(member: Any) -> bool:
    """Say whether a value has no place in a cell; a list of plain values has one."""
    if isinstance(member, list):
        return any(isinstance(part, dict | list) for part in member)
    return isinstance(member, dict)


def _cell(value: Any) -> Any:
    """Return a value for a cell: texts of a list beside each other, of ids only how many."""
    if not isinstance(value, list):
        return value
    return len(value) if any(first_uuid(part) for part in value) else ", ".join(map(str, value)) or None


def _is_about_tasks(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) and "task" in row for row in value)


def _title(name: str) -> str:
    return capfirst(in_language(name.replace("_", " ")))
