"""Actions that operators carry out on many tasks, and the registry of them.

Each is one file of `tasks.operations.actions`, or stands in an app's module `bulk_actions`. The lists, pages and
operations all read the registry: nothing else names an action.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy, ngettext_lazy

from tasks import errors
from tasks.discovery import import_from_apps
from tasks.lifecycle.move import check_priority
from tasks.models import Operation
from tasks.models.task import TaskQuerySet
from tasks.names import is_slug
from tasks.operations.action import Action, Choice, Words, say
from tasks.operations.task_filter import TaskFilter
from tasks.owned import find_queue
from tasks.statuses import TERMINAL, Status

# The list of tasks, the page of one, a queue, a group of failures, users.
Place = Literal["list", "task", "queue", "failures", "users"]
PERMISSION = "tasks.operate_tasks"
TASKS = ngettext_lazy("{count} task", "{count} tasks", "count")
_TONES = ("primary", "", "danger")


@dataclass
class Step:
    """What a step has done. `covered` is how many tasks of the page it came to: all of them, unless a quota said no."""

    changed: Sequence[UUID] = ()
    reasons: Counter[str] = field(default_factory=Counter)
    covered: int | None = None
    error: str = ""
    pause: bool = False
    after_commit: Callable[[], object] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class BulkAction(Action):
    """What is done to tasks: to one, to a selection, or to all that a filter finds.

    Args:
        statuses: those in which it can do something; whatever else a filter finds is left alone.
        act_on_page: does it to a page of tasks, in the transaction of a step, which holds no lane; they may have gone
            on since they were looked up. What it says is changed has an entry in the audit log each.
        act: does it to one task, for a selection; without it, a selection is an operation, too.
        places: where it is offered.
        for_all_label: on the button for all tasks of a queue, a user or a group of failures.
        operation_title: heads the operation's page, where `title` is not enough.
        for_owners: whether an owner may start it for their own tasks.
        entry: the name in the audit log, where it is another action's.
        would_change: narrows tasks of these statuses to those that it changes.
        check: refuses what cannot be meant, before an operation starts.
        prepare: makes what a step needs before its transaction.
    """

    statuses: frozenset[Status]
    act_on_page: Callable[[Operation, Sequence[UUID]], Step]
    permission: str = PERMISSION
    things: Words = TASKS
    places: frozenset[Place] = frozenset({"list", "task"})
    for_all_label: Words = ""
    operation_title: Words = ""
    for_owners: bool = False
    entry: str = ""
    would_change: Callable[[TaskQuerySet, Choice], TaskQuerySet] | None = None
    check: Callable[[TaskFilter, Choice], None] | None = None
    prepare: Callable[[Sequence[UUID], Choice], None] | None = None

    def fitting(self, tasks: TaskQuerySet, choice: Choice) -> TaskQuerySet:
        """Return those of the tasks that it would change now. What is being cancelled is changed no more."""
        found = tasks.filter(Q(cancel_requested_at=None) | Q(status__in=TERMINAL), status__in=self.statuses)
        return self.would_change(found, choice) if self.would_change else found

    def check_choice(self, wanted: TaskFilter, choice: Choice) -> None:
        """Refuse what is not complete.

        Raises:
            NotFound: no such queue.
            InvalidInput: the priority is none, or the filter is not one for this.
        """
        if "queue" in self.form:
            find_queue(choice.to_queue)
        if "priority" in self.form:
            check_priority(choice.to_priority or 0)
        if self.check is not None:
            self.check(wanted, choice)

    @property
    def is_for_ended(self) -> bool:
        return self.statuses <= TERMINAL

    @property
    def nothing_text(self) -> str:
        """Say that there is nothing to do."""
        words = gettext_lazy("Nothing to {it}: none of these tasks has a status that allows it.")
        return say(words, it=str(self.label).lower())


_registered: dict[str, BulkAction] = {}


def register(action: BulkAction) -> BulkAction:
    """Add an action.

    Raises:
        ValueError: its name is no slug, or taken.
    """
    if not is_slug(action.name) or action.name in _registered:
        raise ValueError(f"The name of the action {action.name!r} is no slug, or taken.")
    _registered[action.name] = action
    return action


def bulk_actions(place: Place | None = None) -> list[BulkAction]:
    """Return the actions, or those offered in one place: what is likely first, what is dangerous last."""
    import_from_apps("bulk_actions")
    found = [action for action in _registered.values() if place is None or place in action.places]
    return sorted(found, key=lambda action: (_TONES.index(action.tone), action.name))


def find_bulk_action(name: str) -> BulkAction:
    """Return an action.

    Raises:
        NotFound: there is none of that name: an operation may be older, or newer, than this code.
    """
    import_from_apps("bulk_actions")
    if name not in _registered:
        raise errors.NotFound(f"There is no action {name} here.")
    return _registered[name]
