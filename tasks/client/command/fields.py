"""Reads an input from words of the command line: ``field=text``, ``field:=JSON``, ``field=@file``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .usage import UsageError

FIELD = re.compile(r"(?P<name>[^\s=:\[\]]+)(?P<many>\[\])?(?P<sign>:?=)(?P<value>.*)", re.DOTALL)
# A path, or bytes from standard input; gives the id of the file.
Upload = Callable[[Path | bytes], str]


def read_fields(words: Iterable[str], upload: Upload) -> dict[str, Any]:
    r"""Return the input that the words spell.

    A name that comes twice, or with ``[]``, is a list. Nothing is uploaded before all words were understood.

    >>> read_fields(["text=2 + 2", "most:=3", "tags[]=a"], upload=lambda path: "")
    {'text': '2 + 2', 'most': 3, 'tags': ['a']}

    Raises:
        UsageError: a word is no field, its JSON is broken, or its file cannot be read.
    """
    found = [_read_word(word) for word in words]
    fields: dict[str, Any] = {}
    for name, is_many, value in found:
        if isinstance(value, Path | bytes):
            value = upload(value)
        if is_many or name in fields:
            former = fields.get(name, [])
            fields[name] = [*(former if isinstance(former, list) else [former]), value]
        else:
            fields[name] = value
    return fields


def _read_word(word: str) -> tuple[str, bool, Any]:
    match = FIELD.fullmatch(word)
    if match is None:
        raise UsageError(f"{word!r} is not a field: write name=text, name:=JSON or name=@file.")
    name, value = match["name"], match["value"]
    if match["sign"] == ":=":
        return name, bool(match["many"]), _read_json(name, value)
    if value.startswith("@"):
        return name, bool(match["many"]), _read_place(value[1:])
    return name, bool(match["many"]), value


def _read_json(name: str, text: str) -> Any:
    if text.startswith("@"):
        place = _read_place(text[1:])
        try:
            text = (place if isinstance(place, bytes) else place.read_bytes()).decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"{text[1:]} is not UTF-8.") from error
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{name} is not JSON ({error}): text is written {name}=text.") from error


def _read_place(name: str) -> Path | bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    path = Path(name).expanduser()
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    return path
