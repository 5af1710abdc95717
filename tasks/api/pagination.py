"""Keyset lists: `{data, next_cursor, has_more}` and a Link header. No total counts, no offsets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.bodies import Query
from tasks.api.refusals import InvalidParameter

Row = TypeVar("Row", bound=Model)
Value = TypeVar("Value")

MAX_ID = 2**63 - 1


class PageQuery(Query):
    """The parameters of every list."""

    limit: int = Field(default=20, ge=1, le=100, description="how many a page")
    cursor: str | None = Field(default=None, max_length=500, description="`next_cursor` of the page before")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of a page, and the cursor of the next one if there is one."""

    rows: list[Row]
    next_cursor: str | None


def page_by_id(rows: QuerySet[Row], query: PageQuery, *, newest_first: bool = True) -> Page[Row]:
    """Return a page of rows whose primary key is in order of creation (UUIDv7 or a sequence).

    Raises:
        InvalidParameter: the cursor is not one of this list.
    """
    if query.cursor is not None:
        place = _place(query.cursor, rows.model)
        rows = rows.filter(pk__lt=place) if newest_first else rows.filter(pk__gt=place)
    found = list(rows.order_by("-pk" if newest_first else "pk")[: query.limit + 1])
    more = len(found) > query.limit
    found = found[: query.limit]
    return Page(found, encode_cursor(str(found[-1].pk)) if more else None)


def page_by_name(named: Mapping[str, Value], query: PageQuery) -> tuple[list[Value], str | None]:
    """Return a page of the few things that live in memory, in order of their names, and the next cursor."""
    after = decode_cursor(query.cursor) if query.cursor is not None else ""
    names = sorted(name for name in named if name > after)
    shown = names[: query.limit]
    return [named[name] for name in shown], encode_cursor(shown[-1]) if len(names) > len(shown) else None


def answer_page(request: Request, data: list[Any], next_cursor: str | None) -> Response:
    """Answer a page; the Link header (RFC 8288) repeats the filters."""
    response = Response({"data": data, "next_cursor": next_cursor, "has_more": next_cursor is not None})
    if next_cursor is not None:
        query = request.query_params.copy()
        query["cursor"] = next_cursor
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return response


def encode_cursor(place: str) -> str:
    """Return an opaque cursor."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Return what `encode_cursor` was given.

    Raises:
        InvalidParameter: it is none of ours.
    """
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise _not_a_cursor() from error


def _place(cursor: str, model: type[Model]) -> UUID | int:
    convert: Callable[[str], UUID | int] = UUID if model._meta.pk.get_internal_type() == "UUIDField" else int
    try:
        place = convert(decode_cursor(cursor))
    except ValueError as error:
        raise _not_a_cursor() from error
    if isinstance(place, int) and not 0 <= place <= MAX_ID:
        raise _not_a_cursor()
    return place


def _not_a_cursor() -> InvalidParameter:
    detail = "The cursor is not one of this list."
    return InvalidParameter(detail, errors=[{"pointer": "/cursor", "code": "invalid_cursor", "detail": detail}])
