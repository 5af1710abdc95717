"""Set the priority: what has not started takes the place that it would have had with another one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.utils.translation import gettext_lazy, ngettext_lazy

from tasks.lifecycle.move import set_priority, set_priority_locked
from tasks.models import Operation
from tasks.models.task import TaskQuerySet
from tasks.operations.action import Choice
from tasks.operations.bulk_action import BulkAction, Step, register
from tasks.statuses import NOT_STARTED


def _set_priority(operation: Operation, tasks: Sequence[UUID]) -> Step:
    assert operation.to_priority is not None, "a constraint of the table"
    return Step(set_priority_locked(tasks, operation.to_priority))


def _with_another(tasks: TaskQuerySet, choice: Choice) -> TaskQuerySet:
    # Before a priority is chosen, all of them are counted.
    return tasks if choice.to_priority is None else tasks.exclude(priority=choice.to_priority)


SET_PRIORITY = register(
    BulkAction(
        name="set_priority",
        label=gettext_lazy("Change priority"),
        for_all_label=gettext_lazy("Change priorities"),
        title=gettext_lazy("Change the priority of {it}"),
        operation_title=gettext_lazy("Give {it} the priority {priority}"),
        text=gettext_lazy(
            "They take the place that they would have had with it from the beginning. It costs their owners no "
            "allowance. What has started stays as it is."
        ),
        done=ngettext_lazy(
            "{it} was given the priority {priority}.", "{it} were given the priority {priority}.", "count"
        ),
        icon="sliders-horizontal",
        form=frozenset({"priority"}),
        statuses=NOT_STARTED,
        would_change=_with_another,
        act=lambda task, by, choice: set_priority(task, choice.to_priority or 0, by=by),
        act_on_page=_set_priority,
    )
)
