"""Bodies of JSON lines (jsonlines.org): one value a line, and a fault names its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tasks import errors
from tasks.api.parsers import StrictJSONParser
from tasks.api.strict_json import load_json


@dataclass(frozen=True)
class Line:
    """A line that is not empty: its number, from 1, and the value, or what is wrong with it."""

    number: int
    value: Any
    fault: errors.Refused | None = None

    @property
    def place(self) -> str:
        """What the detail of a fault begins with."""
        return f"Line {self.number}: "


class JsonLinesParser(StrictJSONParser):
    """`application/jsonl` in UTF-8: gives the lines."""

    media_type = "application/jsonl"

    def load(self, body: bytes) -> Any:
        return list(_lines(body))


def _lines(body: bytes) -> Iterator[Line]:
    for number, text in enumerate(body.split(b"\n"), 1):
        if not text.strip():
            continue
        try:
            yield Line(number, load_json(text, first_line=number))
        except errors.Refused as error:
            # The text, so that another one under the same key is told apart.
            yield Line(number, text.decode("utf-8", "replace"), error)
