"""Move: what has not started goes to another queue, also of another cluster."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.utils.translation import gettext_lazy, ngettext_lazy

from tasks.lifecycle.fill import settle
from tasks.lifecycle.move import move_locked, move_task, open_lanes
from tasks.models import Operation, Task
from tasks.operations.action import Choice
from tasks.operations.bulk_action import BulkAction, Step, register
from tasks.owned import find_queue
from tasks.statuses import NOT_STARTED


def _move(operation: Operation, tasks: Sequence[UUID]) -> Step:
    goal = find_queue(operation.to_queue)
    # A page read anew can have a task whose owner was given no lane there: up to it, and the next step makes the lane.
    without_lane = Task.objects.filter(pk__in=tasks).exclude(owner__lanes__cluster=goal.cluster_id)
    left_out = set(without_lane.values_list("pk", flat=True))
    covered = next((number for number, task in enumerate(tasks) if task in left_out), len(tasks))
    moved = move_locked(tasks[:covered], goal)
    follow = partial(settle, moved.settlements, dependents=True) if moved.settlements else None
    return Step(moved.tasks, covered=covered, after_commit=follow)


def _open_lanes(tasks: Sequence[UUID], choice: Choice) -> None:
    """Make the lanes that the tasks will move to: new rows wait for other transactions, which a step must not."""
    open_lanes(tasks, find_queue(choice.to_queue))


MOVE = register(
    BulkAction(
        name="move",
        label=gettext_lazy("Move"),
        for_all_label=gettext_lazy("Move tasks"),
        title=gettext_lazy("Move {it} to another queue"),
        operation_title=gettext_lazy("Move {it} to {queue}"),
        text=gettext_lazy(
            "They keep their age, and with it their place in the other queue's line. What has started stays "
            "where it is."
        ),
        done=ngettext_lazy("{it} was moved to {queue}.", "{it} were moved to {queue}.", "count"),
        icon="send",
        form=frozenset({"queue"}),
        places=frozenset({"list", "task", "queue"}),
        statuses=NOT_STARTED,
        would_change=lambda tasks, choice: tasks.exclude(queue=choice.to_queue),
        prepare=_open_lanes,
        act=lambda task, by, choice: move_task(task, choice.to_queue, by=by),
        act_on_page=_move,
    )
)
