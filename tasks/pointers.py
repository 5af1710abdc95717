"""JSON pointers (RFC 6901) to the members of a value, written out only for those that something is said about.

A client chooses the keys: one of a megabyte above a hundred thousand members must not be copied for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

LONGEST_POINTER = 1_000


def escape(key: object) -> str:
    """Return a key as a part of a JSON pointer (RFC 6901, section 3)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def pointer_to(keys: Iterable[object], start: str = "") -> str:
    """Return the pointer of these keys, below another one; after 1,000 characters it is cut off with an ellipsis.

    >>> pointer_to(["a/b", 0], "/input")
    '/input/a~1b/0'
    """
    pointer = start
    for key in keys:
        # No longer part of it can be seen.
        pointer += "/" + escape(key[:LONGEST_POINTER] if isinstance(key, str) else key)
        if len(pointer) > LONGEST_POINTER:
            return pointer[:LONGEST_POINTER] + "…"
    return pointer


def walk(value: Any) -> Iterator[tuple[list[Any], Any]]:
    """Yield the keys and the value of each member at any depth, the value itself first, without recursion.

    The list of keys is the walk's own: it changes with the next step. It is as long as the member is deep.
    """
    keys: list[Any] = []
    yield keys, value
    levels = [_members(value)]
    while levels:
        member = next(levels[-1], None)
        if member is None:
            levels.pop()
            if keys:
                keys.pop()
            continue
        keys.append(member[0])
        yield keys, member[1]
        # An empty level for what has no members would cost as much as looking.
        if isinstance(member[1], dict | list | tuple):
            levels.append(_members(member[1]))
        else:
            keys.pop()


def _members(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        return iter(value.items())
    return iter(enumerate(value)) if isinstance(value, list | tuple) else iter(())
