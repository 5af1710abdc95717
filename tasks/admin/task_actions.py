"""Retry and cancel: what they do to tasks that an operator chose, and the page that asks first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from tasks.admin.access import operator_of
from tasks.errors import TaskError
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.retry import retry_task
from tasks.models import Task
from tasks.statuses import NOT_STARTED, REVIVABLE, Status

# Each is a transaction or two; more than this would keep the request open for too long.
MOST_AT_ONCE = 1_000
PERMISSION = "tasks.operate_tasks"


@dataclass(frozen=True)
class Verb:
    """Something done to one task after the other, where its status allows."""

    name: str
    title: str
    done: str
    explanation: str
    statuses: frozenset[Status]
    act: Callable[[UUID, User], Task]


VERBS = {
    "retry": Verb(
        name="retry",
        title="Retry",
        done="put back in line",
        explanation="They go back to their owners' lanes under the same ids, with all their attempts again.",
        statuses=frozenset(REVIVABLE),
        act=lambda task_id, by: retry_task(task_id, by=by),
    ),
    "cancel": Verb(
        name="cancel",
        title="Cancel",
        done="cancelled",
        explanation="Those that wait end at once; those that run are told to stop.",
        statuses=NOT_STARTED | {Status.RUNNING},
        act=lambda task_id, by: cancel_task(task_id, by=by),
    ),
}


def ask(request: HttpRequest, verb: Verb, tasks: QuerySet[Task], *, back: str) -> HttpResponse:
    """Show how many of the tasks the verb would change, and ask.

    Args:
        back: the address to return to.

    Raises:
        PermissionDenied: the person may look only.
    """
    _require_permission(request)
    fitting = tasks.filter(status__in=verb.statuses).order_by("pk").select_related(None)
    ids = list(fitting.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    chosen = ids[:MOST_AT_ONCE]
    if not chosen:
        messages.warning(request, f"Nothing to {verb.name}: none of these tasks has a status that allows it.")
        return HttpResponseRedirect(back)
    context = admin.site.each_context(request) | {
        "title": f"{verb.title} {len(chosen):,} {'task' if len(chosen) == 1 else 'tasks'}?",
        "verb": verb,
        "ids": ",".join(str(task_id) for task_id in chosen),
        "count": len(chosen),
        "has_more": len(ids) > MOST_AT_ONCE,
        "kinds": _kinds(chosen),
        "url": reverse("admin:tasks_task_act", args=[verb.name]),
        "back": back,
    }
    return TemplateResponse(request, "admin/tasks/confirm_tasks.html", context)


def carry_out(request: HttpRequest, verb: Verb) -> HttpResponse:
    """Do it to the tasks of the confirmed page, one by one, and report.

    Raises:
        PermissionDenied: the person may look only.
    """
    _require_permission(request)
    ids = _posted_ids(request)
    back = safe_back(request, request.POST.get("back", ""))
    by = operator_of(request)
    refused: Counter[str] = Counter()
    for task_id in ids:
        try:
            verb.act(task_id, by)
        except TaskError as error:
            refused[error.message] += 1
    if done := len(ids) - refused.total():
        messages.success(request, f"{done:,} {'task was' if done == 1 else 'tasks were'} {verb.done}.")
    for message, count in refused.items():
        messages.error(request, f"{count:,} not: {message}")
    return HttpResponseRedirect(back)


def safe_back(request: HttpRequest, address: str) -> str:
    """Return the address if it is one of ours, else the list of tasks."""
    if url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return address
    return reverse("admin:tasks_task_changelist")


def _require_permission(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied("You may look at tasks, but not retry or cancel them.")


def _posted_ids(request: HttpRequest) -> list[UUID]:
    texts = [text for text in request.POST.get("ids", "").split(",") if text][:MOST_AT_ONCE]
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        return []


def _kinds(ids: Sequence[UUID]) -> list[tuple[str, str, int]]:
    """Return (type, shown status, count) of the tasks, so that the page says what is about to change."""
    rows = Task.objects.filter(pk__in=ids).only("type", "status", "cancel_requested_at")
    counts = Counter((task.type, task.shown_status) for task in rows)
    return [(kind, status, count) for (kind, status), count in sorted(counts.items())]
