"""Says in JSON Schema what validators of input models enforce: one of two fields, web addresses.

By `if` and `then`, which generators of clients pass over: with `oneOf` they would make two classes of one input.
"""

from __future__ import annotations

from typing import Any

# What is taken for a web address: a host, no password, ASCII alone. Blank is as good as none.
_ADDRESS = r"[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9._-]+(:[0-9]{1,4})?([/?#][!-~]*)?"
WEB_ADDRESS = rf"^{_ADDRESS}$"
WEB_ADDRESS_OR_BLANK = rf"^\s*({_ADDRESS})?\s*$"


def exactly_one_of(first: str, second: str) -> dict[str, Any]:
    """Return the keywords that ask for one of two fields: not both, and not none."""
    return {"if": _given(first), "then": {"not": _given(second)}, "else": _given(second)}


def at_least_one_of(first: str, second: str) -> dict[str, Any]:
    """Return the keywords that ask for one of two fields, or for both."""
    return {"if": {"not": _given(first)}, "then": _given(second)}


def at_most_one_of(first: str, second: str) -> dict[str, Any]:
    """Return the keywords that refuse two fields together."""
    return {"if": _given(first), "then": {"not": _given(second)}}


def _given(name: str) -> dict[str, Any]:
    """Return what fits an object with something in this field: null, blanks and empty lists are nothing."""
    nothing = [
        {"type": "null"},
        {"type": "string", "pattern": r"^\s*$"},
        {"type": "array", "maxItems": 0},
        {"type": "object", "maxProperties": 0},
    ]
    return {"required": [name], "properties": {name: {"not": {"anyOf": nothing}}}}
