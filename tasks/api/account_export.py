"""All that the portal keeps of a user, as one ZIP: for whoever leaves, or wants to know.

Packed as it is sent, a page of rows at a time: of thousands of tasks some are in memory, and of a file a piece.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from accounts.models import User
from tasks.api.batch_files import file_member
from tasks.api.objects.file import file_object
from tasks.api.objects.schedule import schedule_object
from tasks.api.objects.task import content_of, task_object
from tasks.api.objects.token import token_object
from tasks.exports.zip_stream import stream_zip
from tasks.figures.usage import MOST_DAYS, first_day, read_usage
from tasks.lifecycle.explain import NOTHING
from tasks.models import File, Schedule, Task
from tasks.names import file_name

# Results may have megabytes.
TASKS_AT_ONCE = 20
FILES_AT_ONCE = 500


def account_archive(user: User) -> Iterator[bytes]:
    """Yield a ZIP: profile, tokens (not their secrets), schedules and usage, each task as a line of JSON, the files.

    What is made meanwhile may be in it or not. A file that cannot be read is told in its place.
    """
    return stream_zip(_members(user))


def _members(user: User) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "profile.json", _lines([_profile(user)])
    yield "tokens.ndjson", _lines(token_object(token, None) for token in user.api_tokens.order_by("created_at"))
    yield "schedules.ndjson", _lines(map(schedule_object, Schedule.objects.filter(owner=user).order_by("pk")))
    yield "usage.ndjson", _lines(row._asdict() for row in read_usage(user, since=first_day(MOST_DAYS)))
    yield "tasks.ndjson", _lines(task_object(task, content_of(task), NOTHING) for task in _tasks(user))
    yield "files.ndjson", _lines(map(file_object, _files(user)))
    for file in _files(user):
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


def _tasks(user: User) -> Iterator[Task]:
    after: UUID | None = None
    while page := list(_behind(Task.objects.filter(owner=user).select_related("content"), after)[:TASKS_AT_ONCE]):
        yield from page
        after = page[-1].pk


def _files(user: User) -> Iterator[File]:
    after: UUID | None = None
    while page := list(_behind(File.objects.filter(owner=user), after)[:FILES_AT_ONCE]):
        yield from page
        after = page[-1].pk


def _behind(rows: Any, after: UUID | None) -> Any:
    """Return rows as their index of owners has them, the newest first, behind the last that was read."""
    return (rows if after is None else rows.filter(pk__lt=after)).order_by("-pk")


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    for row in rows:
        yield (json.dumps(row, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace")
