"""Finds the tasks of one user by their words, or by the beginning of an id, newest first."""

from __future__ import annotations

import re
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from tasks import sql
from tasks.models import Task
from tasks.models.newest import WINDOW, Found
from tasks.search.index import LAST_ID, catch_up
from tasks.search.words import Asked

FIRST_ID = UUID(int=0)
# As pages shorten them, and longer.
BEGINNING_OF_AN_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{0,4}-?[0-9a-f]{0,4}-?[0-9a-f]{0,4}-?[0-9a-f]{0,12}")


class Hit(NamedTuple):
    task_id: UUID


def find_by_words(
    wanted: QuerySet[Task],
    asked: Asked,
    *,
    owner_id: int,
    most: int,
    after: UUID | None = None,
    since: UUID | None = None,
) -> Found[Task]:
    """Return the owner's tasks that have all words and are wanted besides, of the next 2,000 that have the words.

    Args:
        after: the primary key behind which to look: `Found.end` of the page before.
        since: the oldest id that comes into question.
    """
    if not asked.words:
        return Found([], None)
    catch_up(owner_id)
    hits: list[UUID] = []
    for window in (WINDOW // 10, WINDOW):
        hits = _hits(asked, owner_id, before=after or LAST_ID, since=since or FIRST_ID, limit=window)
        rows = list(wanted.filter(pk__in=hits).order_by("-pk")[: most + 1])
        if len(rows) > most:
            return Found(rows[:most], rows[most - 1].pk)
        if len(hits) < window:
            return Found(rows, None)
    return Found(rows, hits[-1])


def count_by_words(wanted: QuerySet[Task], asked: Asked, *, owner_id: int, most: int) -> tuple[int, bool]:
    """Return how many there are, `most` at most, and whether that is all: of as many as `find_by_words` looks at."""
    if not asked.words:
        return 0, True
    hits = _hits(asked, owner_id, before=LAST_ID, since=FIRST_ID, limit=WINDOW)
    found = wanted.filter(pk__in=hits).order_by()[: most + 1].count()
    return min(found, most), found <= most and len(hits) < WINDOW


def find_by_id(wanted: QuerySet[Task], text: str, *, most: int) -> list[Task]:
    """Return the tasks whose id begins with this text; none where it is no beginning of an id."""
    text = text.strip().lower()
    if not BEGINNING_OF_AN_ID.fullmatch(text):
        return []
    digits = text.replace("-", "")
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return list(wanted.filter(pk__gte=first, pk__lte=last).order_by("-pk")[:most])


def _hits(asked: Asked, owner_id: int, *, before: UUID, since: UUID, limit: int) -> list[UUID]:
    given = {"owner": owner_id, "query": asked.query, "before": before, "since": since, "limit": limit}
    return [hit.task_id for hit in sql.run("search/find_tasks", given, row=Hit)]
