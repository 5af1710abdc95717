"""Every route below /api, found by walking Django's resolver: what a test cannot forget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

PREFIX = "api/"
METHODS = ("get", "head", "post", "put", "patch", "delete")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """One method of one address. `path` has its parameters in angle brackets, as the resolver knows them."""

    path: str
    method: str
    view: Any

    def __str__(self) -> str:
        path = PARAMETER.sub(r"{\1}", self.path)
        return f"{self.method.upper()} /{path}"

    @property
    def parameters(self) -> list[str]:
        return PARAMETER.findall(self.path)

    def address(self, things: dict[str, str]) -> str:
        """Return the address of these things.

        Raises:
            KeyError: nobody told what the parameter stands for.
        """
        return "/" + PARAMETER.sub(lambda found: things[found[1]], self.path)


def routes() -> list[Route]:
    """Return every method of every view, but for the last pattern, which answers what is unknown with 404."""
    return [
        Route(path, method, view)
        for path, view in _views(get_resolver().url_patterns, "")
        for method in METHODS
        if hasattr(view, method) or (method == "head" and hasattr(view, "get"))
    ]


def plain_paths() -> set[str]:
    """Return the addresses whose views are plain functions."""
    return {path for path, view in _views(get_resolver().url_patterns, "") if not isinstance(view, type)}


def _views(patterns: list[Any], before: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = before + str(pattern.pattern).removeprefix("^")
        if not (path.startswith(PREFIX) or PREFIX.startswith(path)):
            continue
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith(PREFIX):
            callback: Any = pattern.callback
            yield path, getattr(callback, "cls", None) or getattr(callback, "view_class", callback)
