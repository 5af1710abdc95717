"""Acting on tasks that an operator chose: the page that asks first, and carrying out what was confirmed.

A selection is done task by task within the request; all that a filter finds becomes an operation in the background.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import OperationalError
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy

from tasks.admin.access import operator_of
from tasks.admin.carry_out import carry_out, choice_of, number_of, report, require_permission
from tasks.admin.confirm import Question, confirm_page
from tasks.errors import TaskError
from tasks.figures.bounded import bounded_queries
from tasks.models import Operation, Task
from tasks.models.operation import OperationStatus
from tasks.operations.action import Choice
from tasks.operations.bulk_action import BulkAction, Place, bulk_actions
from tasks.operations.manage import MOST_PACE, MOST_TASKS, PACE, count_fitting, run_for, start_operation
from tasks.operations.task_filter import MOST_IDS, TaskFilter, read_filter
from tasks.owned import get_owned
from tasks.statuses import Status, shown_status

# Each is a transaction or two; more than this would keep the request open for too long. A page of the list has fifty.
MOST_AT_ONCE = 100
# An operation begins within the request, so that a small one is over when the answer comes.
FIRST_SECONDS = 1.0
SLOW = gettext_lazy("Counting took the database too long. Choose a shorter time, or more filters.")
Kinds = list[tuple[str, str, int]]


def ask(request: HttpRequest, action: BulkAction, tasks: QuerySet[Task], *, back: str) -> HttpResponse:
    """Show how many of some selected tasks the action would change, and ask.

    Args:
        back: the address to return to.

    Raises:
        PermissionDenied: the person may look only.
    """
    require_permission(request, action)
    fitting = tasks.filter(status__in=action.statuses).order_by("pk").select_related(None)
    ids = list(fitting.values_list("pk", flat=True)[:MOST_IDS])
    if ids and (action.act is None or len(ids) > MOST_AT_ONCE):
        return ask_for_all(request, action, TaskFilter(ids=tuple(ids)), back=back)
    fields = [("ids", ",".join(str(task_id) for task_id in ids))]
    return _question(request, action, len(ids), Task.objects.filter(pk__in=ids), fields, back=back)


def ask_for_all(request: HttpRequest, action: BulkAction, wanted: TaskFilter, *, back: str) -> HttpResponse:
    """Show how many tasks of a filter the action would change, exactly, and ask.

    Raises:
        PermissionDenied: the person may look only.
    """
    require_permission(request, action)
    choice = Choice(action.name)
    try:
        with bounded_queries():
            count, last = count_fitting(choice, wanted)
            if count > MOST_TASKS:
                messages.error(
                    request, f"More than {MOST_TASKS:,} tasks match. Choose a shorter time, or more filters."
                )
                return HttpResponseRedirect(back)
            fitting = action.fitting(wanted.matching(), choice)
            tasks = fitting.filter(pk__lte=last) if last else fitting.none()
            fields = [("filter", json.dumps(wanted.as_json())), ("last_id", str(last))]
            return _question(request, action, count, tasks, fields, back=back, asks_pace=count > PACE)
    except OperationalError:
        messages.error(request, SLOW)
        return HttpResponseRedirect(back)


def act_on_tasks(request: HttpRequest, action: BulkAction) -> HttpResponse:
    """Do what the confirmed page says and report; for a filter, start the operation and lead to its page.

    Raises:
        PermissionDenied: the person may look only.
    """
    require_permission(request, action)
    back = safe_back(request, request.POST.get("back", ""))
    if "filter" not in request.POST:
        if action.act is not None:
            carry_out(request, action, _posted_ids(request))
        return HttpResponseRedirect(back)
    choice = choice_of(request, action)
    try:
        operation = _start(request, choice)
    except TaskError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(back)
    except OperationalError:
        messages.error(request, SLOW)
        return HttpResponseRedirect(back)
    run_for(operation.pk, FIRST_SECONDS)
    operation = get_owned(Operation, operation.pk, owner=None)
    if operation.status != OperationStatus.FINISHED:
        return HttpResponseRedirect(reverse("admin:tasks_operation_change", args=[operation.pk]))
    report(request, action, choice, operation.changed, operation.reasons)
    return HttpResponseRedirect(back)


def posted_action(request: HttpRequest, name: str, *, place: Place | None = None) -> BulkAction | None:
    """Return the action that a POST names; None for what is none, or not offered in the place."""
    found = {action.name: action for action in bulk_actions(place)}
    return found.get(name) if request.method == "POST" else None


def safe_back(request: HttpRequest, address: str) -> str:
    """Return the address if it is one of ours, else the list of tasks."""
    if url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return address
    return reverse("admin:tasks_task_changelist")


def _question(
    request: HttpRequest,
    action: BulkAction,
    count: int,
    tasks: QuerySet[Task],
    fields: list[tuple[str, str]],
    *,
    back: str,
    asks_pace: bool = False,
) -> HttpResponse:
    if not count:
        messages.warning(request, action.nothing_text)
        return HttpResponseRedirect(back)
    question = Question(
        action,
        action.things_text(count),
        back=back,
        hidden=[*fields, ("back", back)],
        url=reverse("admin:tasks_task_act", args=[action.name]),
    )
    pace = {"asks_pace": asks_pace, "pace": PACE, "most_pace": MOST_PACE}
    return confirm_page(request, question, count=count, kinds=_kinds(tasks), **pace)


def _start(request: HttpRequest, choice: Choice) -> Operation:
    last = _uuids(request.POST.get("last_id", ""))
    return start_operation(
        choice,
        read_filter(_json(request.POST["filter"])),
        by=operator_of(request),
        last_id=last[0] if last else None,
        pace=number_of(request, "pace") or PACE,
    )


def _posted_ids(request: HttpRequest) -> list[UUID]:
    return _uuids(*[text for text in request.POST.get("ids", "").split(",") if text][:MOST_AT_ONCE])


def _uuids(*texts: str) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        return []


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _kinds(tasks: QuerySet[Task]) -> Kinds:
    """Return (type, shown status, count) of the tasks, so that the page says what is about to change."""
    counts: Counter[tuple[str, str]] = Counter()
    asked = ExpressionWrapper(Q(cancel_requested_at__isnull=False), BooleanField())
    groups = tasks.order_by().annotate(asked=asked).values_list("type", "status", "asked").annotate(Count("pk"))
    for type_name, status, is_asked, count in groups:
        shown = "cancelling" if is_asked and status == Status.RUNNING else shown_status(status, None)
        counts[type_name, shown] += count
    return [(kind, status, count) for (kind, status), count in sorted(counts.items())]
