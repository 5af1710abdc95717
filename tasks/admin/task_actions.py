"""Acting on tasks that an operator chose: the page that asks first, and carrying out what was confirmed.

A selection is done task by task within the request; all that a filter finds becomes an operation in the background.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from tasks.admin.access import operator_of
from tasks.admin.bounded import bounded_queries
from tasks.admin.bulk_actions import PERMISSION, Verb
from tasks.errors import TaskError
from tasks.models import Operation, Queue, Task
from tasks.models.operation import OperationStatus
from tasks.operations.actions import Action
from tasks.operations.manage import MOST_PACE, MOST_TASKS, PACE, count_fitting, find_operation, run_for, start_operation
from tasks.operations.task_filter import TaskFilter, read_filter
from tasks.statuses import Status, shown_status

# Each is a transaction or two; more than this would keep the request open for too long. A page of the list has fifty.
MOST_AT_ONCE = 100
# An operation begins within the request, so that a small one is over when the answer comes.
FIRST_SECONDS = 1.0
SLOW = "Counting took the database too long. Choose a shorter time, or more filters."
Kinds = list[tuple[str, str, int]]


@dataclass(frozen=True)
class Chosen:
    """What is about to be changed: how many, of which types and statuses, and the fields that say which."""

    count: int
    kinds: Kinds
    fields: list[tuple[str, str]]
    is_filter: bool


def ask(request: HttpRequest, verb: Verb, tasks: QuerySet[Task], *, back: str) -> HttpResponse:
    """Show how many of some selected tasks the verb would change, and ask.

    Args:
        back: the address to return to.

    Raises:
        PermissionDenied: the person may look only.
    """
    require_permission(request)
    fitting = tasks.filter(status__in=verb.statuses).order_by("pk").select_related(None)
    ids = list(fitting.values_list("pk", flat=True)[:MOST_AT_ONCE])
    fields = [("ids", ",".join(str(task_id) for task_id in ids))]
    chosen = Chosen(len(ids), _kinds(Task.objects.filter(pk__in=ids)), fields, is_filter=False)
    return _question(request, verb, chosen, back=back)


def ask_for_all(request: HttpRequest, verb: Verb, wanted: TaskFilter, *, back: str) -> HttpResponse:
    """Show how many tasks of a filter the verb would change, exactly, and ask.

    Raises:
        PermissionDenied: the person may look only.
    """
    require_permission(request)
    action = Action(verb.name)
    try:
        with bounded_queries():
            count, last = count_fitting(action, wanted)
            kinds = _kinds(action.fitting(wanted.matching()).filter(pk__lte=last)) if 0 < count <= MOST_TASKS else []
    except OperationalError:
        messages.error(request, SLOW)
        return HttpResponseRedirect(back)
    if count > MOST_TASKS:
        messages.error(request, f"More than {MOST_TASKS:,} tasks match. Choose a shorter time, or more filters.")
        return HttpResponseRedirect(back)
    fields = [("filter", json.dumps(wanted.as_json())), ("last_id", str(last))]
    return _question(request, verb, Chosen(count, kinds, fields, is_filter=True), back=back)


def carry_out(request: HttpRequest, verb: Verb) -> HttpResponse:
    """Do what the confirmed page says and report; for a filter, start the operation and lead to its page.

    Raises:
        PermissionDenied: the person may look only.
    """
    require_permission(request)
    back = safe_back(request, request.POST.get("back", ""))
    action = Action(verb.name, request.POST.get("queue", "").replace("\0", ""), _number(request, "priority"))
    if "filter" not in request.POST:
        return _act_on_each(request, verb, action, back)
    try:
        operation = _start(request, action)
    except TaskError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(back)
    except OperationalError:
        messages.error(request, SLOW)
        return HttpResponseRedirect(back)
    run_for(operation.pk, FIRST_SECONDS)
    operation = find_operation(operation.pk, owner=None)
    if operation.status != OperationStatus.FINISHED:
        return HttpResponseRedirect(reverse("admin:tasks_operation_change", args=[operation.pk]))
    _report(request, verb, action, operation.changed, operation.reasons)
    return HttpResponseRedirect(back)


def safe_back(request: HttpRequest, address: str) -> str:
    """Return the address if it is one of ours, else the list of tasks."""
    if url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return address
    return reverse("admin:tasks_task_changelist")


def require_permission(request: HttpRequest) -> None:
    """Let nobody pass who may only look.

    Raises:
        PermissionDenied: the person may look only.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied("You may look at tasks, but not change anything about them.")


def _question(request: HttpRequest, verb: Verb, chosen: Chosen, *, back: str) -> HttpResponse:
    if not chosen.count:
        messages.warning(request, f"Nothing to {verb.words}: none of these tasks has a status that allows it.")
        return HttpResponseRedirect(back)
    context = admin.site.each_context(request) | {
        "title": f"{verb.title} {chosen.count:,} {'task' if chosen.count == 1 else 'tasks'}?",
        "verb": verb,
        "chosen": chosen,
        "count": chosen.count,
        "kinds": chosen.kinds,
        "queues": Queue.objects.all() if verb.goal == "queue" else (),
        "priorities": range(10, 0, -1) if verb.goal == "priority" else (),
        "asks_pace": chosen.is_filter and chosen.count > PACE,
        "pace": PACE,
        "most_pace": MOST_PACE,
        "url": reverse("admin:tasks_task_act", args=[verb.name]),
        "back": back,
    }
    return TemplateResponse(request, "admin/tasks/confirm_tasks.html", context)


def _act_on_each(request: HttpRequest, verb: Verb, action: Action, back: str) -> HttpResponse:
    ids = _posted_ids(request)
    by = operator_of(request)
    refused: Counter[str] = Counter()
    for task_id in ids:
        try:
            verb.act(task_id, by, action)
        except TaskError as error:
            refused[error.message] += 1
    _report(request, verb, action, len(ids) - refused.total(), refused)
    return HttpResponseRedirect(back)


def _start(request: HttpRequest, action: Action) -> Operation:
    last = _uuids(request.POST.get("last_id", ""))
    return start_operation(
        action,
        read_filter(_json(request.POST["filter"])),
        by=operator_of(request),
        last_id=last[0] if last else None,
        pace=_number(request, "pace") or PACE,
    )


def _report(request: HttpRequest, verb: Verb, action: Action, done: int, refused: dict[str, int]) -> None:
    if done:
        goal = " ".join(str(value) for value in action.goal.values())
        where = f" to {goal}" if verb.goal == "queue" else f" {goal}" if goal else ""
        messages.success(request, f"{done:,} {'task was' if done == 1 else 'tasks were'} {verb.done}{where}.")
    for message, count in refused.items():
        messages.error(request, f"{count:,} not: {message}")


def _posted_ids(request: HttpRequest) -> list[UUID]:
    return _uuids(*[text for text in request.POST.get("ids", "").split(",") if text][:MOST_AT_ONCE])


def _uuids(*texts: str) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        return []


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


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
