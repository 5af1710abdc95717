"""What operators do to tasks: to one, to a selection, or to all that a filter finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.move import move_task, set_priority
from tasks.lifecycle.retry import retry_task
from tasks.models import Task
from tasks.operations.actions import STATUSES, Action
from tasks.statuses import Status

PERMISSION = "tasks.operate_tasks"


@dataclass(frozen=True)
class Verb:
    """Something done to tasks where their status allows it; `name` is the kind of the operation on many.

    `goal` is what has to be chosen with it. `done` follows "were", `explanation` is for the page that asks.
    """

    name: str
    title: str
    done: str
    explanation: str
    act: Callable[[UUID, User, Action], Task]
    goal: Literal["", "queue", "priority"] = ""
    is_dangerous: bool = False

    @property
    def label(self) -> str:
        """Return it as it stands on a button."""
        return self.title.removesuffix(" of")

    @property
    def words(self) -> str:
        """Return it as it stands in a sentence."""
        return self.label.lower()

    @property
    def statuses(self) -> frozenset[Status]:
        return STATUSES[self.name]


def _cancel(task_id: UUID, by: User, _action: Action) -> Task:
    return cancel_task(task_id, by=by)


VERBS = {
    "retry": Verb(
        name="retry",
        title="Retry",
        done="put back in line",
        explanation="They go back to their owners' lanes under the same ids, with all their attempts again.",
        act=lambda task_id, by, _action: retry_task(task_id, by=by),
    ),
    "move": Verb(
        name="move",
        title="Move",
        done="moved",
        explanation="They keep their place: in the line of the other queue they are as old as they are. What has "
        "started stays where it is.",
        act=lambda task_id, by, action: move_task(task_id, action.to_queue, by=by),
        goal="queue",
    ),
    "set_priority": Verb(
        name="set_priority",
        title="Change priority of",
        done="given the priority",
        explanation="They take the place that they would have had with it from the beginning. It costs their owners no "
        "allowance. What has started stays as it is.",
        act=lambda task_id, by, action: set_priority(task_id, action.to_priority or 0, by=by),
        goal="priority",
    ),
    "cancel": Verb(
        name="cancel",
        title="Cancel",
        done="cancelled",
        explanation="Those that wait end at once; those that run are told to stop.",
        act=_cancel,
        is_dangerous=True,
    ),
}

PURGE = Verb(
    name="purge",
    title="Cancel",
    done="cancelled",
    explanation="Everything in the queue that has not started ends as cancelled. What runs goes on.",
    act=_cancel,
    is_dangerous=True,
)

# What may be asked for all tasks of a filter.
FOR_ALL = VERBS | {"purge": PURGE}
