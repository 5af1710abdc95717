"""One task: its times, attempts, events, error, files; and its content for those who may see it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from tasks import audit, tracing
from tasks.admin.access import operator_of
from tasks.admin.formats import between, moment
from tasks.admin.task_attempts import attempts_of, events_of
from tasks.admin.task_links import deliveries_of, needed_by, needs_of, slot_holders
from tasks.errors import InvalidInput
from tasks.figures.bounded import bounded_queries
from tasks.lifecycle.explain import explain_wait
from tasks.models import AuditEntry, Failure, Task, TaskContent
from tasks.operations.bulk_action import bulk_actions
from tasks.registry import all_types
from tasks.statuses import NOT_STARTED
from tasks.ui.badge import status_badge
from tasks.ui.sentences import in_language
from tasks.ui.words import WAITS

CONTENT_PERMISSION = "tasks.view_task_content"
MOST_AUDIT = 50
MOST_CONTENT = 200_000


class Step(NamedTuple):
    """A point of the timeline; `after` is the time since the step before."""

    name: str
    at: SafeString | str
    after: str


class Edited(NamedTuple):
    """An input that an operator wrote for the next try, and what is wrong with it."""

    text: str
    faults: Sequence[str] = ()


def show(
    screen: Any, request: HttpRequest, task_id: str, *, reveal: bool, edited: Edited | None = None
) -> HttpResponse:
    """Return the page. With `reveal` the content is on it, and that it was looked at is audited.

    Args:
        edited: what was written in place of the input, to go on with.

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
    if reveal and _is_editable(context):
        context["edited"] = edited or Edited(context["input"])
    return TemplateResponse(request, "admin/tasks/task/page.html", context)


def read_input(text: str) -> Any:
    """Return what somebody wrote as an input.

    Raises:
        InvalidInput: it is no JSON; the message says where.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"This is not valid JSON: {error.msg}, {place}.") from error
    except (RecursionError, ValueError) as error:
        raise InvalidInput("This is not JSON that can be read: too deep, or a number with too many digits.") from error


def _is_editable(context: Mapping[str, Any]) -> bool:
    """Say whether the person may retry it with another input: one that is whole on the page, of a type for people."""
    task, content = context["task"], context["content"]
    definition = all_types().get(task.type)
    may_retry = any(action.name == "retry" for action in context["verbs"])
    return bool(may_retry and content and definition and len(context["input"]) <= MOST_CONTENT)


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
        "title": gettext("Task {type}").format(type=task.type),
        "task": task,
        "status": status_badge(task.shown_status),
        "steps": _steps(task),
        "wait": wait,
        "why": WAITS[wait.why].told_to_operators if wait and wait.why else None,
        "error": task.error if task.done else None,
        "cause": Failure.objects.filter(task=task, failed_at=task.finished_at).first() if task.finished_at else None,
        "attempts": attempts_of(task),
        "events": events_of(task, reveal=reveal),
        "usage": _usage(kept.usage) if kept else [],
        "trace_url": _trace_url(kept.traceparent) if kept else "",
        "needs": needs_of(task),
        "needed_by": needed_by(task),
        "slots": slot_holders(task) if wait and wait.why == "waiting_for_a_slot" else [],
        "deliveries": deliveries_of(task),
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


def _trace_url(parent: str | None) -> str:
    """Return where operators look at a trace; empty where that is nowhere, or it was not recorded."""
    trace_id = tracing.trace_id_of(parent)
    return str(settings.TRACE_URL).replace("{trace_id}", trace_id) if trace_id else ""


def _steps(task: Task) -> list[Step]:
    times = [
        (gettext("submitted"), task.created_at),
        (gettext("starts after"), task.run_after),
        (gettext("got a slot"), task.ready_at),
        (gettext("started"), task.started_at),
        (gettext("cancel asked for"), task.cancel_requested_at),
        (gettext("ended"), task.finished_at),
        (gettext("content kept until"), task.keep_until),
    ]
    known = sorted(((name, at) for name, at in times if at is not None), key=lambda step: step[1])
    steps = []
    before = None
    for name, at in known:
        steps.append(Step(name, moment(at), between(before, at) if before else ""))
        before = at
    return steps


def _usage(usage: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was used as (name, text).

    >>> _usage({"tokens": {"prompt": 1200, "completion": 7}, "pages": 3})
    [('Tokens', '1,200 prompt, 7 completion'), ('Pages', '3')]
    """
    return [(capfirst(in_language(name.replace("_", " "))), _amounts(value)) for name, value in usage.items()]


def _amounts(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_amounts(amount)} {in_language(name.replace('_', ' '))}" for name, amount in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _as_text(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if len(text) > MOST_CONTENT:
        more = gettext("… {count} characters more").format(count=f"{len(text) - MOST_CONTENT:,}")
        return f"{text[:MOST_CONTENT]}\n{more}"
    return text
