"""Makes the document's schemas such that generators of clients get one class for each thing (decision 0033)."""

from __future__ import annotations

import json
from typing import Any


def make_plain(document: dict[str, Any]) -> None:
    """Change the components: their titles are their names, fields have none, and defaults are said in words.

    Generators take titles for names of classes, of which two are one too many, and a field with a `default` for one
    that is always there: right in answers, wrong in what a client sends.
    """
    for name, schema in document["components"]["schemas"].items():
        _simplify(schema)
        schema["title"] = name


def _simplify(schema: Any) -> None:
    """Take titles and defaults off a schema and what is in it."""
    if isinstance(schema, list):
        for member in schema:
            _simplify(member)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("title"), str):
        del schema["title"]
    if text := with_default(schema):
        schema["description"] = text
    schema.pop("default", None)
    for key, value in schema.items():
        if key in {"properties", "patternProperties"}:
            for part in value.values():
                _simplify(part)
        elif key not in {"examples", "example", "enum", "const", "required", "discriminator"}:
            _simplify(value)


def with_default(schema: dict[str, Any]) -> str:
    """Return the description of a field with its default, where that says something.

    >>> with_default({"description": "how many a page", "default": 20})
    'how many a page; default: 20'
    """
    text, default = str(schema.get("description", "")), schema.get("default")
    if default in (None, "", [], {}):
        return text
    words = f"default: {json.dumps(default, ensure_ascii=False)}"
    return f"{text.rstrip('.')}; {words}" if text else words
