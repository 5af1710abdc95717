"""Pages by number, for lists that are short: a few thousand rows at most, all of one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest

SIZE = 50


@dataclass(frozen=True)
class NumberedPage:
    """`newer` and `older` are query strings of the neighbouring pages, as of `paging.Page`; empty at the ends."""

    first: int
    end: int
    total: int
    newer: str
    older: str
    items: Sequence[Any] = ()

    @classmethod
    def of(cls, request: HttpRequest, total: int, size: int = SIZE) -> NumberedPage:
        """Return the page that ``?page=`` asks for, the last one where there are not so many."""
        asked = request.GET.get("page", "")
        last = max(0, (total - 1) // size)
        number = min(int(asked) - 1 if asked.isdecimal() and len(asked) < 8 and int(asked) else 0, last)
        return cls(
            number * size,
            min(total, (number + 1) * size),
            total,
            newer=_link(request, number) if number else "",
            older=_link(request, number + 2) if number < last else "",
        )

    def with_rows(self, rows: Sequence[Any]) -> NumberedPage:
        return replace(self, items=rows)


def _link(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()
    query["page"] = str(number)
    return query.urlencode()
