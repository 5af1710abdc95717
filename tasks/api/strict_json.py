"""Reads JSON (RFC 8259) that means one thing and can be stored: what is doubtful is refused, with its place."""

from __future__ import annotations

import json
import math
from typing import Any

from tasks.api.refusals import BodyTooLarge, InvalidEncoding, InvalidJson
from tasks.pointers import pointer_to, walk

MAX_DEPTH = 64
MAX_VALUES = 200_000


def load_json(body: bytes, *, first_line: int = 1) -> Any:
    """Return the value. `first_line` is the number of its first line, where it is part of something.

    Raises:
        InvalidEncoding: not UTF-8.
        InvalidJson: broken (with line and column), NaN, duplicate keys, NUL characters, lone
            surrogates, numbers out of range, nested more than 64 levels.
        BodyTooLarge: more than 200,000 values.
    """
    try:
        # A byte order mark may be ignored (RFC 8259, section 8.1).
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidEncoding(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    try:
        value = json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        if not text.strip():
            raise InvalidJson("The body is empty; JSON was expected.") from error
        raise InvalidJson(
            f"The body is not valid JSON: {error.msg}, line {error.lineno + first_line - 1}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    _check(value)
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidJson(f"The key {key[:100]!r} comes twice in one object.")
            seen.add(key)
    return found


def _no_constant(name: str) -> Any:
    raise InvalidJson(f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidJson(f"The number {text[:40]} is out of range.")
    return number


def _whole(text: str) -> int:
    # Python converts longer ones in quadratic time, or refuses to.
    if len(text) > 300:
        raise InvalidJson(f"The number {text[:40]}… is out of range.")
    return int(text)


def _too_deep() -> InvalidJson:
    return InvalidJson(f"The body is nested more than {MAX_DEPTH} levels deep.")


def _check(value: Any) -> None:
    for seen, (keys, member) in enumerate(walk(value), 1):
        if len(keys) > MAX_DEPTH:
            raise _too_deep()
        if seen > MAX_VALUES:
            raise BodyTooLarge(f"The body has more than {MAX_VALUES} values.")
        if isinstance(member, str):
            _check_text(member, keys)
        elif isinstance(member, dict):
            for key in member:
                _check_text(key, keys)


def _check_text(text: str, keys: list[Any]) -> None:
    if "\0" in text:
        raise InvalidJson("A string holds a NUL character.", pointer=pointer_to(keys))
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidJson("A string holds half of a surrogate pair.", pointer=pointer_to(keys))
