"""The list of tasks: its filters, and what of each task it shows."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from pydantic import Field

from accounts.models import User
from tasks import models
from tasks.api.bodies import Time, read_query
from tasks.api.objects.task import Shown, content_of
from tasks.api.pagination import Page, PageQuery, cursor_of, id_of_cursor, page_among
from tasks.api.refusals import InvalidParameter
from tasks.models.ids import first_id
from tasks.models.small_json import if_small
from tasks.models.task_sources import task_sources
from tasks.search.find import find_by_id, find_by_words
from tasks.search.words import MOST_OF_A_QUERY, parse_search

# As JSON writes them; none that a submission takes is longer.
NUMBER = re.compile(r"-?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?")
METADATA = re.compile(r"metadata\[(.{1,200})\]", re.DOTALL)
# Each is a condition of its own on the content of every task that is looked at.
MOST_METADATA_FILTERS = 10
CLOCKS_APART = timedelta(days=1)
BY_METADATA = OpenApiParameter(
    "metadata",
    {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "propertyNames": {"minLength": 1, "maxLength": 200},
        "maxProperties": MOST_METADATA_FILTERS,
    },
    OpenApiParameter.QUERY,
    style="deepObject",
    description=f"metadata[customer]=42: tasks with this value; at most {MOST_METADATA_FILTERS} keys",
)


class TaskFilters(PageQuery):
    """The parameters of the list of tasks."""

    status: list[Shown] = Field(default=[], description="one or several")
    type: str | None = None
    queue: str | None = None
    priority: int | None = Field(default=None, ge=1, le=10, description="the effective one")
    tag: str | None = None
    batch: UUID | None = None
    created_after: Time | None = None
    created_before: Time | None = None
    q: str | None = Field(
        default=None,
        max_length=MOST_OF_A_QUERY,
        description="words that all begin so in its name, files, tags, input or result; or the beginning of its id",
    )


def read_filters(query: QueryDict) -> tuple[TaskFilters, dict[str, str]]:
    """Return the filters, and those on metadata by key.

    Raises:
        InvalidParameter: one is unknown or impossible, or there are too many on metadata.
    """
    plain = query.copy()
    metadata = {}
    for name in list(plain):
        if found := METADATA.fullmatch(name):
            metadata[found[1]] = str(plain.pop(name)[-1])
    if len(metadata) > MOST_METADATA_FILTERS:
        detail = f"A list is filtered by at most {MOST_METADATA_FILTERS} keys of metadata."
        raise InvalidParameter.at("/metadata", "too_many", detail)
    if any("\0" in text for pair in metadata.items() for text in pair):
        raise InvalidParameter("A filter on metadata holds a NUL character.")
    return read_query(plain, TaskFilters), metadata


def find_tasks(user: User, filters: TaskFilters, metadata: dict[str, str]) -> models.task.TaskQuerySet:
    """Return the tasks of a user that match, with their content but for large inputs and results (`listed_content`)."""
    tasks = models.Task.objects.of(user).select_related("content").defer("content__input", "content__result")
    tasks = tasks.annotate(small_input=if_small("content__input"), small_result=if_small("content__result"))
    if filters.status:
        tasks = tasks.shown_as(list(filters.status))
    plain: dict[str, str | int | UUID | datetime | list[str] | None] = {
        "type": filters.type,
        "queue_id": filters.queue,
        "priority": filters.priority,
        "batch_id": filters.batch,
        "created_at__gt": filters.created_after,
        "created_at__lt": filters.created_before,
        "content__tags__contains": [filters.tag] if filters.tag is not None else None,
    }
    tasks = tasks.filter(**{name: value for name, value in plain.items() if value is not None})
    for key, text in metadata.items():
        tasks = tasks.filter(_has_metadata(key, text))
    return tasks


def page_of_tasks(user: User, filters: TaskFilters, metadata: dict[str, str]) -> Page[models.Task]:
    """Return a page of a user's tasks that match."""
    conditions: dict[str, Any] = {} if filters.batch is None else {"batch": filters.batch}
    # Ids are of the same time, by other clocks.
    if filters.created_after is not None:
        conditions["pk__gte"] = first_id(filters.created_after, moved=-CLOCKS_APART)
    if filters.created_before is not None:
        conditions["pk__lt"] = first_id(filters.created_before, moved=CLOCKS_APART)
    sources = task_sources(words=filters.status, type=filters.type or "", owners=[user.pk], **conditions)
    wanted = find_tasks(user, filters, metadata)
    if filters.q is not None:
        return _page_by_words(user, wanted, filters, since=conditions.get("pk__gte"))
    by_index = _by_content(filters, metadata) if filters.tag is not None or metadata else None
    return page_among(wanted, sources, filters, by_index=by_index)


def _page_by_words(
    user: User, wanted: QuerySet[models.Task], filters: TaskFilters, *, since: UUID | None
) -> Page[models.Task]:
    text = filters.q or ""
    if filters.cursor is None and (rows := find_by_id(wanted, text, most=filters.limit)):
        return Page(rows, None)
    asked = parse_search(text)
    after = id_of_cursor(filters.cursor)
    found = find_by_words(wanted, asked, owner_id=user.pk, most=filters.limit, after=after, since=since)
    return Page(found.rows, None if found.end is None else cursor_of(found.end))


def _by_content(filters: TaskFilters, metadata: dict[str, str]) -> QuerySet[models.TaskContent]:
    content = models.TaskContent.objects.all()
    if filters.tag is not None:
        content = content.filter(tags__contains=[filters.tag])
    for key, text in metadata.items():
        content = content.filter(_has_metadata(key, text, of=""))
    return content


def listed_content(task: models.Task) -> models.TaskContent | None:
    """Return the content of a task of `find_tasks`; None when it was purged."""
    content = content_of(task)
    if content is not None:
        content.input, content.result = task.small_input, task.small_result  # type: ignore[attr-defined]
    return content


def _has_metadata(key: str, text: str, *, of: str = "content__") -> Q:
    """Match the text, and the number or truth value that is written so."""
    values: list[str | float | bool | None] = [text]
    if text in {"true", "false", "null"}:
        values.append({"true": True, "false": False, "null": None}[text])
    elif (number := _number(text)) is not None:
        values.append(number)
    match = Q()
    for value in values:
        match |= Q(**{f"{of}metadata__contains": {key: value}})
    return match


def _number(text: str) -> int | float | None:
    """Return the number that is written so; None where there is none, or where it could only be met rounded.

    >>> _number("9007199254740993"), _number("0.10"), _number("9007199254740993.0"), _number("1e999"), _number("soon")
    (9007199254740993, 0.1, None, None, None)
    """
    if not NUMBER.fullmatch(text):
        return None
    if text.lstrip("-").isdigit():
        return int(text)
    # Fractions are kept as floats: one with more digits than those have is equal to none that is stored.
    rounded = float(text)
    return rounded if math.isfinite(rounded) and Decimal(text) == Decimal(repr(rounded)) else None
