"""Arguments and return values as plain JSON; what would come back as something else is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def plain_json(value: Any) -> Any:
    """Return the value in JSON's types: tuples and other sequences become lists.

    Raises:
        TypeError: JSON has no such type (dates, sets, objects, bytes, keys that are no strings).
        ValueError: JSON or Postgres cannot hold it: NaN, infinity, NUL characters, lone surrogates.
    """
    match value:
        case None | bool() | int():
            return value
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value!r} is not a JSON number.")
            return value
        case str():
            if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
                raise ValueError("A string holds a NUL character or half of a surrogate pair.")
            return str(value)
        case Mapping():
            return {_key(key): plain_json(member) for key, member in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [plain_json(member) for member in value]
        case _:
            raise TypeError(f"{type(value).__qualname__} is not a type of JSON: pass and return plain values.")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"The key {key!r} of a mapping is not a string, as JSON wants it.")
    return str(plain_json(key))
