"""The filter of the list of tasks, from its address, as an operation stores it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from tasks.admin.filters import PERIODS
from tasks.admin.keyset import BEFORE_VAR
from tasks.admin.search import ID_START, ids_from, users_like
from tasks.errors import InvalidInput
from tasks.operations.task_filter import TaskFilter

# Pages of the list, and Django's mark of a mistake: no filters.
NO_FILTERS = {BEFORE_VAR, "e"}
FILTERS = {"status", "type", "queue", "created", "error", "batch", "q"}


def filter_of(request: HttpRequest) -> TaskFilter:
    """Return what the list shows, for all its pages.

    Raises:
        InvalidInput: there is no filter, or one that cannot be told as an operation's.
    """
    address = request.GET
    if set(address) - NO_FILTERS - FILTERS:
        raise InvalidInput("This list has a filter that only the list itself knows. Use the filters beside it.")
    given = {name: address.get(name, "").replace("\0", "").strip() for name in FILTERS}
    if not any(given.values()):
        raise InvalidInput("Choose a filter first: every task of everybody is too many at once.")
    return TaskFilter(
        statuses=(given["status"],) if given["status"] else (),
        type=given["type"],
        queue=given["queue"],
        created_after=timezone.now() - PERIODS[given["created"]][1] if given["created"] in PERIODS else None,
        error_code=given["error"] or None,
        **(_searched(given["q"]) | _batch(given["batch"])),
    )


def _batch(text: str) -> dict[str, Any]:
    try:
        return {"batch": UUID(text)} if text else {}
    except ValueError:
        # As the list: there is no such batch.
        return {"owners": ()}


def _searched(text: str) -> dict[str, Any]:
    if not text:
        return {}
    if ID_START.fullmatch(text):
        first, last = ids_from(text)
        return {"id_from": first, "id_to": last}
    if text.lower().startswith("tag:"):
        return {"tag": text[4:].strip()}
    return {"owners": tuple(users_like(text))}
