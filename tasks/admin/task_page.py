"""One task: its times, attempts, events, error, files; and its content for those who may see it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from tasks import audit
from tasks.admin.access import operator_of
from tasks.admin.formats import between, moment
from tasks.figures.bounded import bounded_queries
from tasks.lifecycle.explain import explain_wait
from tasks.models import Attempt, AuditEntry, Event, Task, TaskContent
from tasks.models.event import EventKind
from tasks.operations.bulk_action import bulk_actions
from tasks.statuses import NOT_STARTED
from tasks.ui.badge import status_badge

CONTENT_PERMISSION = "tasks.view_task_content"
MOST_ATTEMPTS = 50
MOST_EVENTS = 200
MOST_AUDIT = 50
MOST_CONTENT = 200_000

WHY = {
    "waiting_for_a_slot": "The owner's slots are all taken; the next that frees goes to the first task of the lane.",
    "waiting_for_a_worker": "It has its slot and waits for a worker to be free.",
    "queue_paused": "Its queue is paused.",
    "no_workers": "No node of its cluster is alive. Start one: python manage.py qcluster",
    "scheduled": "It is to start later.",
    "retry_backoff": "An attempt failed; it is tried again after a pause.",
}


class Step(NamedTuple):
    """A point of the timeline; `after` is the time since the step before."""

    name: str
    at: SafeString | str
    after: str


def show(screen: Any, request: HttpRequest, task_id: str, *, reveal: bool) -> HttpResponse:
    """Return the page. With `reveal` the content is on it, and that it was looked at is audited.

    Raises:
        PermissionDenied: may not see tasks, or not their content.
        Http404: no such task.
    """
    if not screen.has_view_permission(request):
        raise PermissionDenied
    may_reveal = request.user.has_perm(CONTENT_PERMISSION)
    if reveal and not may_reveal:
        raise PermissionDenied("You may look at tasks, but not at what is in them.")
    if reveal:
        # Before anything is shown: what cannot be recorded is not revealed.
        _get_task(task_id)
        audit.record(operator_of(request), "view_content", "task", task_id)
    with bounded_queries():
        context = screen.admin_site.each_context(request) | _facts(_get_task(task_id), reveal=reveal)
    context["verbs"] = [action for action in context["verbs"] if request.user.has_perm(action.permission)]
    context |= {
        "opts": screen.opts,
        "reveal": reveal,
        "may_reveal": may_reveal,
    }
    return TemplateResponse(request, "admin/tasks/task/page.html", context)


def _get_task(task_id: str) -> Task:
    related = ("owner", "owner__plan", "queue", "node", "batch")
    try:
        return Task.objects.select_related(*related).annotate(now=Now()).get(pk=UUID(task_id))
    except (Task.DoesNotExist, ValueError) as error:
        raise Http404("There is no such task.") from error


def _facts(task: Task, *, reveal: bool) -> dict[str, Any]:
    content = TaskContent.objects.filter(pk=task.pk)
    kept = (content if reveal else content.defer("input", "result", "metadata")).first()
    wait = explain_wait(task) if task.status in NOT_STARTED else None
    return {
        "title": f"Task {task.type}",
        "task": task,
        "status": status_badge(task.shown_status),
        "steps": _steps(task),
        "wait": wait,
        "why": WHY.get(wait.why or "", wait.why) if wait else None,
        "attempts": _attempts(task),
        "events": _events(task, reveal=reveal),
        "files": list(task.files.all()[:100]),
        "content": kept,
        "input": _as_text(kept.input) if kept and reveal else "",
        "result": _as_text(kept.result) if kept and reveal and kept.result is not None else "",
        "metadata": _as_text(kept.metadata) if kept and reveal and kept.metadata else "",
        "verbs": [action for action in bulk_actions("task") if task.status in action.statuses],
        "entries": AuditEntry.objects.filter(target_kind="task", target_id=str(task.pk)).select_related("actor")[
            :MOST_AUDIT
        ],
    }


def _steps(task: Task) -> list[Step]:
    times = [
        ("submitted", task.created_at),
        ("starts after", task.run_after),
        ("got a slot", task.ready_at),
        ("started", task.started_at),
        ("cancel asked for", task.cancel_requested_at),
        ("ended", task.finished_at),
        ("content kept until", task.keep_until),
    ]
    known = sorted(((name, at) for name, at in times if at is not None), key=lambda step: step[1])
    steps = []
    before = None
    for name, at in known:
        steps.append(Step(name, moment(at), between(before, at) if before else ""))
        before = at
    return steps


def _attempts(task: Task) -> list[Attempt]:
    rows = Attempt.objects.filter(task=task).select_related("node").order_by("-number")[:MOST_ATTEMPTS]
    return list(rows)


def _events(task: Task, *, reveal: bool) -> list[Event]:
    """Return the newest events, oldest first. What a task puts out is content."""
    rows = Event.objects.filter(task=task).order_by("-id")
    if not reveal:
        rows = rows.exclude(kind=EventKind.OUTPUT)
    return list(rows[:MOST_EVENTS])[::-1]


def _as_text(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if len(text) > MOST_CONTENT:
        return f"{text[:MOST_CONTENT]}\n… {len(text) - MOST_CONTENT:,} characters more"
    return text
