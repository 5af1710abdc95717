"""Cancel: what waits ends at once, what runs is told to stop."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy, ngettext_lazy

from tasks import sql
from tasks.lifecycle.cancel import cancel_task, end_unstarted, tell_node
from tasks.models import Operation, Task
from tasks.operations.bulk_action import BulkAction, Step, find_bulk_action, register
from tasks.statuses import NOT_STARTED, Status


def cancel_page(operation: Operation, tasks: Sequence[UUID]) -> Step:
    """Ask for the end of those of the tasks that have a status of the operation's action."""
    sql.execute("lifecycle/lock_tasks", {"tasks": list(tasks)})
    statuses = find_bulk_action(operation.kind).statuses
    fitting = Task.objects.filter(pk__in=tasks, status__in=statuses, cancel_requested_at=None)
    rows = list(fitting.order_by().values_list("pk", "lane_id", "status"))
    ids = [task for task, _, _ in rows]
    Task.objects.filter(pk__in=ids).update(
        cancel_requested_at=Now(), cancelled_by=operation.made_by_id, version=F("version") + 1
    )

    def follow() -> None:
        if waiting := [(task, lane) for task, lane, status in rows if status in NOT_STARTED]:
            end_unstarted(waiting)
        for task, _, status in rows:
            if status == Status.RUNNING:
                tell_node(task)

    return Step(ids, after_commit=follow)


CANCEL = register(
    BulkAction(
        name="cancel",
        label=gettext_lazy("Cancel"),
        for_all_label=gettext_lazy("Cancel all"),
        title=gettext_lazy("Cancel {it}"),
        text=gettext_lazy("Those that wait end at once; those that run are told to stop."),
        done=ngettext_lazy("{it} was cancelled.", "{it} were cancelled.", "count"),
        tone="danger",
        icon="circle-slash",
        places=frozenset({"list", "task", "users"}),
        statuses=NOT_STARTED | {Status.RUNNING},
        for_owners=True,
        act=lambda task, by, _choice: cancel_task(task, by=by),
        act_on_page=cancel_page,
    )
)
