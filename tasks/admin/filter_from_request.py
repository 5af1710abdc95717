"""The filter of the list of tasks, from its address, as an operation stores it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from tasks.admin.filters import PERIODS, cause_id, hides_system
from tasks.admin.keyset import BEFORE_VAR
from tasks.admin.search import MOST_USERS, read_search
from tasks.admin.typed_filter import TYPED, read_typed
from tasks.errors import InvalidInput
from tasks.models import Task
from tasks.operations.task_filter import MOST_IDS, TaskFilter

# Pages of the list, and Django's mark of a mistake: no filters.
NO_FILTERS = {BEFORE_VAR, "e"}
FILTERS = {"status", "type", "queue", "created", *TYPED, "cause", "batch", "q"}
# Which says nothing of which tasks are meant.
OPTIONS = {"system"}


def filter_of(request: HttpRequest) -> TaskFilter:
    """Return what the list shows, for all its pages.

    Raises:
        InvalidInput: there is no filter, or one that cannot be told as an operation's.
    """
    address = request.GET
    if set(address) - NO_FILTERS - OPTIONS - FILTERS:
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
        node=given["node"],
        without_system=hides_system(address),
        **(_searched(given["q"]) | _batch(given["batch"]) | _cause(given["cause"]) | _ended(request)),
    )


def _cause(text: str) -> dict[str, Any]:
    # As the list: what is no cause has no tasks.
    return {} if not text else {"cause": found} if (found := cause_id(text)) else {"owners": ()}


def _batch(text: str) -> dict[str, Any]:
    try:
        return {"batch": UUID(text)} if text else {}
    except ValueError:
        # As the list: there is no such batch.
        return {"owners": ()}


def _ended(request: HttpRequest) -> dict[str, Any]:
    typed = read_typed(request)
    # As the list: what is no time has no tasks.
    return {"owners": ()} if typed.wrong else {"ended_after": typed.ended_after, "ended_before": typed.ended_before}


def _searched(text: str) -> dict[str, Any]:
    search = read_search(text)
    if search.id_end:
        return {"ids": tuple(Task.objects.filter(search.condition).values_list("pk", flat=True)[:MOST_IDS])}
    found: dict[str, Any] = {"id_from": search.ids[0], "id_to": search.ids[1]} if search.ids else {}
    if search.tag:
        found["tag"] = search.tag
    if search.owners is None:
        return found
    if len(search.owners) >= MOST_USERS:
        # The list leaves the others out; what is done to "all" must not.
        raise InvalidInput(f"{MOST_USERS} users or more have “{text.strip()}” in their address. Write more of it.")
    return found | {"owners": tuple(search.owners)}
