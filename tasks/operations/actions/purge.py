"""Purge: a queue is emptied of what has not started."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, ngettext_lazy

from tasks import errors
from tasks.operations.action import Choice
from tasks.operations.actions.cancel import cancel_page
from tasks.operations.bulk_action import BulkAction, register
from tasks.operations.task_filter import TaskFilter
from tasks.statuses import NOT_STARTED


def _check(wanted: TaskFilter, _choice: Choice) -> None:
    if not wanted.queue:
        raise errors.InvalidInput("Name the queue to be purged.")


PURGE = register(
    BulkAction(
        name="purge",
        label=gettext_lazy("Purge"),
        for_all_label=gettext_lazy("Purge"),
        title=gettext_lazy("Cancel {it}"),
        operation_title=gettext_lazy("Purge: cancel {it}"),
        text=gettext_lazy("Everything in the queue that has not started ends as cancelled. What runs goes on."),
        done=ngettext_lazy("{it} was cancelled.", "{it} were cancelled.", "count"),
        tone="danger",
        icon="trash-2",
        places=frozenset({"queue"}),
        statuses=NOT_STARTED,
        entry="cancel",
        check=_check,
        act_on_page=cancel_page,
    )
)
