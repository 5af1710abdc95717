"""Fills in what tasks are found by, behind what happens to them: submitting and finishing write nothing for it.

New tasks and results are looked for every few seconds, by id; a slow walk through everything finds what slipped
through, and what there was before there were words.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from tasks import sql
from tasks.models import SearchMark, Task
from tasks.models.ids import first_id
from tasks.periodic import duty
from tasks.registry import internal_types
from tasks.search.document import BREAK, text_of
from tasks.search.words import words_of
from tasks.statuses import Status
from tasks.ui.input_files import name_files

AT_ONCE = 20
LIMIT = 2_000
# Ids come from several clocks, and transactions commit later than others that began after them.
LOOK_AGAIN = 1_000
# A duty shares its thread with all the others.
ROUND_SECONDS = 1.0
WALK_AGAIN = timedelta(days=1)
LAST_ID = UUID(int=2**128 - 1)
# A search reads so many of its owner's newest tasks itself, where nobody has yet.
NEWEST, MOST_READ_BY_A_SEARCH = 200, 50


class TaskId(NamedTuple):
    id: UUID


class Unread(NamedTuple):
    """Which tasks are to be read, newest first, and the first and last that were looked at."""

    first: UUID | None
    last: UUID | None
    tasks: list[UUID]


class Ends(NamedTuple):
    """The last end that was looked at, and whose results are to be read."""

    until: int | None
    tasks: list[UUID]


def read_words(ids: Iterable[UUID], *, until: float = float("inf")) -> int:
    """Store what these tasks are found by; return how many were read before the monotonic clock was past `until`."""
    left = list(ids)
    count = 0
    while left and time.monotonic() < until:
        some, left = left[:AT_ONCE], left[AT_ONCE:]
        tasks = Task.objects.filter(pk__in=some).exclude(content=None).select_related("content")
        entries = [_entry(task) for task in name_files(tasks)]
        with transaction.atomic():
            for entry in entries:
                sql.execute("search/put_entry", entry)
        count += len(some)
    return count


def _entry(task: Task) -> dict[str, object]:
    names, text = text_of(task, task.file_names)  # type: ignore[attr-defined]
    place = f"{task.owner_id}.{str(task.pk)[:5]}."
    return {
        "task": task.pk,
        "owner": task.owner_id,
        "has_result": task.status == Status.SUCCEEDED,
        "text": f"{names}{BREAK}{text}",
        "words": [place + word for word in words_of(names, text)],
    }


def catch_up(owner_id: int) -> None:
    """Read of an owner's newest tasks those that no duty has come to yet, so that a search finds what is new."""
    asked = {"owner": owner_id, "newest": NEWEST, "limit": MOST_READ_BY_A_SEARCH, "left_out": internal_types()}
    read_words(row.id for row in sql.run("search/unread_of_owner", asked, row=TaskId))


@duty(every=5)
def read_tasks_for_search() -> int:
    """Read new tasks and results, then some more of the walk. Returns how many were read."""
    until = time.monotonic() + ROUND_SECONDS
    mark = SearchMark.objects.get()
    return _read_new(mark, until) + _read_results(mark, until) + _walk_on(mark, until)


def _read_new(mark: SearchMark, until: float) -> int:
    found = _unread(mark.tasks_until, up=LIMIT, down=LOOK_AGAIN)
    read = read_words(found.tasks, until=until)
    # What was not come to is new the next time as well. No id of a clock that is ahead hides those behind it.
    last = min(found.last or mark.tasks_until, first_id(timezone.now()))
    if read == len(found.tasks) and last > mark.tasks_until:
        SearchMark.objects.update(tasks_until=last)
    return read


def _read_results(mark: SearchMark, until: float) -> int:
    asked = {"behind": mark.attempts_until, "again": LOOK_AGAIN, "limit": LIMIT, "left_out": internal_types()}
    [ends] = sql.run("search/new_results", asked, row=Ends)
    read = read_words(ends.tasks, until=until)
    if read == len(ends.tasks) and ends.until is not None and ends.until > mark.attempts_until:
        SearchMark.objects.update(attempts_until=ends.until)
    return read


def _walk_on(mark: SearchMark, until: float) -> int:
    """Go down to older tasks; at the end rest for a day, and begin again."""
    if time.monotonic() > until or (mark.walk is None and timezone.now() < mark.walk_at + WALK_AGAIN):
        return 0
    begin = mark.walk or LAST_ID
    found = _unread(begin, up=0, down=LIMIT)
    read = read_words(found.tasks, until=until)
    walk: UUID | None
    if read < len(found.tasks):
        walk = found.tasks[read - 1] if read else begin
    else:
        walk = None if found.first in (None, begin) else found.first
    SearchMark.objects.update(walk=walk, walk_at=timezone.now())
    return read


def _unread(id_: UUID, *, up: int, down: int) -> Unread:
    asked = {"id": id_, "up": up, "down": down, "left_out": internal_types()}
    [found] = sql.run("search/unread", asked, row=Unread)
    return found
