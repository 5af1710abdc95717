"""Keyset paging over UUIDv7 ids, newest first: a page costs the same at any depth, and nothing is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from portal.web.ids import first_uuid

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """`newer` and `older` are query strings of the neighbouring pages, empty at the ends."""

    items: list[Row]
    newer: str
    older: str


def read_page(rows: QuerySet[Row], request: HttpRequest, *, size: int = 50) -> Page[Row]:
    """Return the page that ``before`` or ``after`` in the query string asks for."""
    after, before = first_uuid(request.GET.get("after")), first_uuid(request.GET.get("before"))
    if after:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
        more_newer, more_older = len(found) > size, True
        items = found[:size][::-1]
    else:
        found = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: size + 1])
        more_newer, more_older = before is not None, len(found) > size
        items = found[:size]
    return Page(
        items,
        newer=_link(request, "after", items[0]) if items and more_newer else "",
        older=_link(request, "before", items[-1]) if items and more_older else "",
    )


def _link(request: HttpRequest, name: str, row: Any) -> str:
    query = request.GET.copy()
    query.pop("before", None)
    query.pop("after", None)
    query[name] = str(row.pk)
    return query.urlencode()
