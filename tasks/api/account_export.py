"""All that the portal keeps of a user, as one ZIP: for whoever leaves, or wants to know.

Packed as it is sent, a page of rows at a time: of thousands of tasks some are in memory, and of a file a piece.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.models import User
from tasks.api.batch_files import file_member
from tasks.api.objects.file import file_object
from tasks.api.objects.schedule import schedule_object
from tasks.api.objects.share import share_object
from tasks.api.objects.task import content_of, task_object
from tasks.api.objects.token import token_object
from tasks.api.objects.webhook import endpoint_object
from tasks.exports.zip_stream import stream_zip
from tasks.figures.usage import MOST_DAYS, first_day, read_usage
from tasks.lifecycle.explain import NOTHING
from tasks.models import Batch, File, SavedView, Schedule, Share, Task
from tasks.names import file_name

ROWS_AT_ONCE = 500
# Results may have megabytes.
BIG_ROWS_AT_ONCE = 20

Row = TypeVar("Row", bound=Model)


def account_archive(user: User) -> Iterator[bytes]:
    """Yield a ZIP: a line of JSON for each thing that is the user's, and the files; no secret is in it.

    What is made meanwhile may be in it or not. A file that cannot be read is told in its place.
    """
    return stream_zip(_members(user))


def _members(user: User) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "profile.json", _lines([_profile(user)])
    yield "tokens.ndjson", _lines(token_object(token, None) for token in user.api_tokens.order_by("created_at"))
    yield (
        "saved_views.ndjson",
        _lines(SavedView.objects.filter(owner=user).values("place", "name", "query", "created_at")),
    )
    yield "schedules.ndjson", _lines(map(schedule_object, Schedule.objects.filter(owner=user).order_by("pk")))
    yield "webhook_endpoints.ndjson", _lines(map(endpoint_object, user.webhook_endpoints.exclude(url="")))
    yield (
        "shares.ndjson",
        _lines(map(share_object, _each(Share.objects.filter(owner=user, revoked_at=None), ROWS_AT_ONCE))),
    )
    yield "usage.ndjson", _lines(row._asdict() for row in read_usage(user, since=first_day(MOST_DAYS)))
    yield "batches.ndjson", _lines(map(_batch, _each(Batch.objects.filter(owner=user), BIG_ROWS_AT_ONCE)))
    tasks = Task.objects.filter(owner=user).select_related("content")
    yield (
        "tasks.ndjson",
        _lines(task_object(task, content_of(task), NOTHING) for task in _each(tasks, BIG_ROWS_AT_ONCE)),
    )
    files = File.objects.filter(owner=user)
    yield "files.ndjson", _lines(map(file_object, _each(files, ROWS_AT_ONCE)))
    for file in _each(files, ROWS_AT_ONCE):
        yield file_member(f"files/{file.id}/{file_name(file.name) or 'file'}", file)


def _profile(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.name,
        "plan": user.plan.name,
        "time_zone": user.time_zone,
        "language": user.language,
        "joined_at": user.date_joined,
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {"id": batch.pk, "name": batch.name, "created_at": batch.created_at, "items": batch.items}


def _each(rows: QuerySet[Row], at_once: int) -> Iterator[Row]:
    """Yield rows as their index of owners has them, the newest first, so many at a time."""
    after: UUID | None = None
    while page := list((rows if after is None else rows.filter(pk__lt=after)).order_by("-pk")[:at_once]):
        yield from page
        after = page[-1].pk


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    for row in rows:
        yield (json.dumps(row, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace")
