"""Keyset lists: `{data, next_cursor, has_more}` and a Link header. No total counts, no offsets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.bodies import Query
from tasks.api.refusals import InvalidParameter
from tasks.models.newest import find

Row = TypeVar("Row", bound=Model)
Value = TypeVar("Value")

# Cursors are places in hexadecimal: what the document says of them is all that is asked of them.
CURSOR_OF_ID = r"^[0-9a-f]{32}$"
CURSOR_OF_NUMBER = r"^[0-7][0-9a-f]{15}$"
CURSOR_OF_NAME = r"^([0-9a-f]{2}){1,250}$"


class PageQuery(Query):
    """The parameters of every list."""

    limit: int = Field(default=20, ge=1, le=100, description="how many a page")
    cursor: str | None = Field(
        default=None,
        description="`next_cursor` of the page before",
        json_schema_extra={"pattern": CURSOR_OF_ID},
    )


class NumberedPageQuery(PageQuery):
    """The parameters of a list of what is numbered."""

    cursor: str | None = Field(
        default=None,
        description="`next_cursor` of the page before",
        json_schema_extra={"pattern": CURSOR_OF_NUMBER},
    )


class NamedPageQuery(PageQuery):
    """The parameters of a list in order of names."""

    cursor: str | None = Field(
        default=None,
        description="`next_cursor` of the page before",
        json_schema_extra={"pattern": CURSOR_OF_NAME},
    )


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of a page, and the cursor of the next one if there may be one."""

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
    return Page(found, cursor_of(found[-1].pk) if more else None)


def page_among(
    rows: QuerySet[Row], sources: Sequence[QuerySet[Row]], query: PageQuery, *, by_index: QuerySet[Any] | None = None
) -> Page[Row]:
    """Return a page of rows that match, newest first, looking at a limited number of rows (`tasks.models.newest`).

    Raises:
        InvalidParameter: the cursor is not one of this list.
    """
    after = None if query.cursor is None else _place(query.cursor, rows.model)
    found = find(rows, sources, most=query.limit, after=after, by_index=by_index)
    return Page(found.rows, None if found.end is None else cursor_of(found.end))


def page_by_name(named: Mapping[str, Value], query: PageQuery) -> tuple[list[Value], str | None]:
    """Return a page of the few things that live in memory, in order of their names, and the next cursor."""
    after = _name(query.cursor) if query.cursor is not None else ""
    names = sorted(name for name in named if name > after)
    shown = names[: query.limit]
    return [named[name] for name in shown], cursor_of(shown[-1]) if len(names) > len(shown) else None


def answer_page(request: Request, data: list[Any], next_cursor: str | None) -> Response:
    """Answer a page; the Link header (RFC 8288) repeats the filters."""
    response = Response({"data": data, "next_cursor": next_cursor, "has_more": next_cursor is not None})
    if next_cursor is not None:
        query = request.query_params.copy()
        query["cursor"] = next_cursor
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return response


def cursor_of(place: UUID | int | str) -> str:
    """Return the cursor that goes on after this id, number or name; opaque to clients.

    >>> cursor_of(19)
    '0000000000000013'
    """
    match place:
        case UUID():
            return place.hex
        case int():
            return f"{place:016x}"
        case _:
            return place.encode().hex()


def id_of_cursor(cursor: str | None) -> UUID | None:
    """Return the id that a cursor goes on behind; None without one.

    Raises:
        InvalidParameter: it is no cursor of a list of ids.
    """
    if cursor is None:
        return None
    if not re.fullmatch(CURSOR_OF_ID, cursor):
        raise _not_a_cursor()
    return UUID(cursor)


def _place(cursor: str, model: type[Model]) -> UUID | int:
    is_id = model._meta.pk.get_internal_type() == "UUIDField"
    if not re.fullmatch(CURSOR_OF_ID if is_id else CURSOR_OF_NUMBER, cursor):
        raise _not_a_cursor()
    return UUID(cursor) if is_id else int(cursor, 16)


def _name(cursor: str) -> str:
    if not re.fullmatch(CURSOR_OF_NAME, cursor):
        raise _not_a_cursor()
    return bytes.fromhex(cursor).decode("utf-8", "replace")


def _not_a_cursor() -> InvalidParameter:
    detail = "The cursor is not one of this list."
    return InvalidParameter.at("/cursor", "invalid_cursor", detail)
