"""Keyset paging over UUIDv7 ids, newest first: a page costs the same at any depth, and nothing is counted.

A page whose filter few rows pass looks at a limited number of them, and leads on to where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from portal.web.ids import first_uuid
from tasks.models.newest import Found, find

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """`newer` and `older` are query strings of the neighbouring pages, empty at the ends."""

    items: list[Row]
    newer: str
    older: str


def read_page(
    rows: QuerySet[Row],
    request: HttpRequest,
    *,
    sources: Sequence[QuerySet[Row]],
    size: int = 50,
    by_index: QuerySet[Any] | None = None,
) -> Page[Row]:
    """Return the page that ``before`` or ``after`` in the query string asks for.

    Args:
        sources, by_index: where the rows are looked for (`tasks.models.newest`).
    """
    return page_of(request, partial(find, rows, sources, by_index=by_index), size=size)


def page_of(request: HttpRequest, look: Callable[..., Found[Row]], *, size: int = 50) -> Page[Row]:
    """Return such a page of what `look` finds: it is called as `find`, with `most`, `after` and `newest_first`."""
    after, before = first_uuid(request.GET.get("after")), first_uuid(request.GET.get("before"))
    if after:
        found = look(most=size, after=after, newest_first=False)
        items = found.rows[::-1]
        newer, older = found.end, items[-1].pk if items else after
    else:
        found = look(most=size, after=before)
        items = found.rows
        newer, older = (items[0].pk if items else before) if before else None, found.end
    return Page(
        items,
        newer=_link(request, "after", newer) if newer else "",
        older=_link(request, "before", older) if older else "",
    )


def one_way_page(request: HttpRequest, found: Found[Row]) -> Page[Row]:
    """Return the page of what was found behind ``before``, where a list goes one way only: back is its beginning."""
    first = request.GET.copy()
    newer = first.pop("before", None) and first.urlencode()
    return Page(found.rows, newer=newer or "", older=_link(request, "before", found.end) if found.end else "")


def _link(request: HttpRequest, name: str, key: Any) -> str:
    query = request.GET.copy()
    query.pop("before", None)
    query.pop("after", None)
    query[name] = str(key)
    return query.urlencode()
