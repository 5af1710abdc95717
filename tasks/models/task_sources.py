"""Where the tasks of a list are to be looked for: parts of the table that an index has in the order of the list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func

from tasks.models.task import Task, TaskQuerySet
from tasks.statuses import NOT_STARTED, TERMINAL, Status

# No more run than there are workers, with their threads.
MOST_RUNNING = 5_000
RUNNING_WORDS = frozenset({"running", "cancelling"})
UNSUCCESSFUL = TERMINAL - {Status.SUCCEEDED}


def task_sources(
    *, words: Iterable[str] = (), type: str = "", owners: Sequence[int] | None = None, **conditions: Any
) -> list[TaskQuerySet]:
    """Return where the tasks of a list are.

    Args:
        words: how they are shown (`statuses.SHOWN`); none means all.
        type: of one owner, an index knows those that have ended.
        owners: of these only; None is everybody.
        conditions: on the primary key, or the batch.
    """
    wanted = frozenset(words)
    if "batch" in conditions:
        # There are a thousand at most.
        return [Task.objects.filter(**conditions)]
    each: list[dict[str, Any]] = [{}] if owners is None else [{"owner": owner} for owner in owners]
    return [
        source.filter(**conditions)
        for whose in each
        for source in _of_one(Task.objects.filter(**whose), wanted, type if whose else "")
    ]


def _of_one(tasks: TaskQuerySet, words: frozenset[str], type: str) -> list[TaskQuerySet]:
    if not words and not type:
        return [tasks]
    ended = words & TERMINAL
    if type and (Status.SUCCEEDED in ended or not words):
        sources = [tasks.filter(type=type, status__in=TERMINAL)]
    elif Status.SUCCEEDED in ended:
        # Nearly all there are.
        return [tasks]
    else:
        sources = [tasks.filter(status__in=UNSUCCESSFUL)] if ended else []
    if not words or words - TERMINAL - RUNNING_WORDS:
        sources.append(tasks.filter(status__in=NOT_STARTED))
    if not words or words & RUNNING_WORDS:
        sources.append(tasks.filter(_is_running(tasks), status=Status.RUNNING))
    return sources


def _is_running(tasks: TaskQuerySet) -> Func:
    """Return the condition that a task is one of those that run.

    They are found by the statement of the list itself, at its moment: what starts or ends meanwhile is in one source.
    """
    # In the order of their index, so that no statistics talk anybody into another one. As an array, which is read
    # first: the tasks are looked up by it in the order of their keys.
    running = tasks.filter(status=Status.RUNNING).order_by("node").values("pk")[:MOST_RUNNING]
    is_any = {"template": "%(expressions)s)", "arg_joiner": " = ANY("}
    return Func(F("pk"), ArraySubquery(running), output_field=BooleanField(), **is_any)
