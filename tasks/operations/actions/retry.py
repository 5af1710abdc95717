"""Retry: what ended without success goes back to its lane."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import admit
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.retry import Revived, retry_task
from tasks.models import Dependency, Operation, Task
from tasks.operations.bulk_action import BulkAction, Step, register
from tasks.statuses import REVIVABLE, Status

PURGED = "The content of this task was purged, so it cannot be run again."
BROKEN = "It needs a task that has not succeeded: retry that one first."


def _retry(operation: Operation, tasks: Sequence[UUID]) -> Step:
    step = Step()
    owner = operation.owner
    if owner is not None:
        # The usage row first: usage → tasks.
        sql.execute("lifecycle/lock_usage", {"user": owner.pk})
    needed = set(Dependency.objects.filter(task__in=tasks, key=None).values_list("needs", flat=True))
    sql.execute("lifecycle/lock_tasks", {"tasks": sorted({*tasks, *needed})})
    revived = _revive(tasks) if owner is None else _revive_at_cost(owner, tasks, step)
    sql.execute("lifecycle/mark_needs", {"tasks": sorted(needed)})
    step.changed = [row.id for row in revived]
    started = Dependency.objects.filter(task__in=step.changed, key__isnull=False)
    started.exclude(needs__status=Status.SUCCEEDED).delete()
    left = Task.objects.filter(pk__in=tasks[: step.covered], status__in=REVIVABLE)
    step.reasons[PURGED] = left.filter(content=None).count()
    step.reasons[BROKEN] = left.exclude(content=None).count()
    step.reasons = +step.reasons
    step.after_commit = lambda: fill_soon({row.lane for row in revived}, newcomers=step.changed)
    return step


def _revive(tasks: Sequence[UUID]) -> list[Revived]:
    revived: list[Revived] = []
    # A task that needs another of them can come back once that one has.
    while rows := sql.run("lifecycle/revive", {"tasks": list(tasks)}, row=Revived):
        revived += rows
    return revived


def _revive_at_cost(owner: User, tasks: Sequence[UUID], step: Step) -> list[Revived]:
    """Revive one after the other, counted like submissions; the first that does not fit the quota ends the step."""
    limits = limits_of(owner)
    revived: list[Revived] = []
    for number, task in enumerate(tasks):
        try:
            with transaction.atomic():
                admit.count_one_more(owner, limits)
                rows = sql.run("lifecycle/revive", {"tasks": [task]}, row=Revived)
                if not rows:
                    transaction.set_rollback(True)
        except errors.QuotaExceeded as error:
            step.covered, step.error = number, error.message
            # A rate, or room among what waits, comes by itself; tomorrow is for a person to decide.
            step.pause = error.policy not in {"burst", "waiting"}
            break
        revived += rows
    return revived


RETRY = register(
    BulkAction(
        name="retry",
        label=gettext_lazy("Retry"),
        for_all_label=gettext_lazy("Retry all"),
        title=gettext_lazy("Retry {it}"),
        text=gettext_lazy("They go back to their owners' lanes under the same ids, with all their attempts again."),
        done=ngettext_lazy("{it} was put back in line.", "{it} were put back in line.", "count"),
        tone="primary",
        icon="rotate-ccw",
        places=frozenset({"list", "task", "failures"}),
        statuses=frozenset(REVIVABLE),
        for_owners=True,
        act=lambda task, by, _choice: retry_task(task, by=by),
        act_on_page=_retry,
    )
)
