"""One task: its page, live part, events, actions and downloads."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from portal.web import results, snippets
from portal.web.csv_export import write_csv
from portal.web.ids import uuids_in
from portal.web.missing import missing_is_404
from portal.web.people import SignedInRequest
from portal.web.result_shapes import Section, tables_in
from portal.web.views.files import PICTURES
from tasks import errors
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.retry import retry_task
from tasks.models import Event, File, Task, TaskContent
from tasks.names import is_slug
from tasks.owned import get_owned
from tasks.registry import all_types
from tasks.statuses import NOT_STARTED, REVIVABLE
from tasks.ui import words

EVENTS_AT_ONCE = 500


@login_required
def show(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Show the page, or only its live part to the script that keeps it fresh."""
    task = _own_task(request, task_id)
    context = _live_context(request, task)
    if request.headers.get("HX-Request"):
        return render(request, "web/task/live.html", context)
    content = context["content"]
    context |= {
        "events": _events(task, after=0),
        "input": _shown_input(task, content),
        "snippets": snippets.for_submission(request, task.type, content.input) if content else [],
    }
    return render(request, "web/task/page.html", context)


@login_required
def read_events(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Return what the task said after the event ``?after=``, for the script that appends it."""
    task = _own_task(request, task_id)
    text = request.GET.get("after", "0")
    if not text.isdecimal() or len(text) > 18:
        return HttpResponse("after must be the id of an event.", status=400, content_type="text/plain")
    return JsonResponse(_events(task, after=int(text)) | {"status": task.shown_status, "done": task.done})


@login_required
@require_POST
def cancel(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Cancel; a finished task stays as it is."""
    return _act(request, task_id, cancel_task)


@login_required
@require_POST
def retry(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Queue a failed, cancelled or expired task again."""
    return _act(request, task_id, retry_task)


@login_required
def download_result(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    task, result = _result(request, task_id)
    body = json.dumps(result, ensure_ascii=False, indent=2)
    return _attachment(body, "application/json", f"{_stem(task)}.json")


@login_required
def download_text(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    task, result = _result(request, task_id)
    text = result.get("text") or result.get("answer")
    if not isinstance(text, str):
        raise Http404("The result has no text.")
    return _attachment(text, "text/plain; charset=utf-8", f"{_stem(task)}.txt")


@login_required
def download_table(request: SignedInRequest, task_id: UUID, number: int) -> HttpResponse:
    task, result = _result(request, task_id)
    tables = tables_in(result)
    if not 1 <= number <= len(tables):
        raise Http404("The result has no such table.")
    return _attachment(write_csv(tables[number - 1].rows), "text/csv; charset=utf-8", f"{task.id}-table-{number}.csv")


def _act(request: SignedInRequest, task_id: UUID, action: Any) -> HttpResponse:
    try:
        with missing_is_404():
            action(task_id, by=request.user, owner=request.user)
    except errors.Refused as error:
        messages.error(request, error.message)
    return redirect("web:task", task_id=task_id)


def _live_context(request: SignedInRequest, task: Task) -> dict[str, Any]:
    content = TaskContent.objects.filter(pk=task.pk).first()
    wait = None if task.done or task.status == "running" else explain_wait(task)
    result = content.result if content else None
    input_files = _input_files(request, task, content)
    picture = next((str(file.id) for file in input_files if file.content_type in PICTURES), None)
    return {
        "task": task,
        "content": content,
        "wait": wait,
        "wait_words": words.WAITS.get(wait.why or "") if wait else None,
        "attempts": list(task.attempts.select_related("node")),
        "input_files": input_files,
        "sections": results.present(task.type, result, picture=picture) if result is not None else [],
        "result_files": File.objects.filter(owner=request.user, task=task).order_by("id"),
        "can_cancel": not task.done and task.shown_status != "cancelling",
        "can_retry": task.status in REVIVABLE,
        "not_started": task.status in NOT_STARTED,
        "purged": task.done and content is None,
        "known_type": task.type in all_types(),
    }


def _events(task: Task, *, after: int) -> dict[str, Any]:
    """Return log lines and streamed text after an event. Text of an earlier attempt is left out."""
    found = Event.objects.filter(task=task, id__gt=after, kind__in=["log", "output"])
    rows = list(found.order_by("id")[:EVENTS_AT_ONCE])
    last = rows[-1].id if rows else after
    attempt = max((row.attempt for row in rows if row.kind == "output"), default=0)
    pieces = [row.data for row in rows if row.kind == "output" and row.attempt == attempt]
    # Another model server started the text over: what was written before is void.
    restart = max((place for place, data in enumerate(pieces) if data.get("restart")), default=None)
    output = "".join(str(data.get("text", "")) for data in pieces[restart or 0 :])
    log = [
        {"at": row.created_at.isoformat(), "attempt": row.attempt, "text": str(row.data.get("text", ""))}
        for row in rows
        if row.kind == "log"
    ]
    more = len(rows) == EVENTS_AT_ONCE
    said = {"attempt": attempt, "output": output, "restart": restart is not None, "log": log}
    return {"last": last, "more": more} | said


def _input_files(request: SignedInRequest, task: Task, content: TaskContent | None) -> list[File]:
    definition = all_types().get(task.type)
    if definition is None or content is None:
        return []
    ids: list[Any] = []
    for name in definition.file_fields():
        value = content.input.get(name)
        ids += value if isinstance(value, list) else [value]
    return list(File.objects.filter(owner=request.user, pk__in=list(uuids_in(ids))))


def _shown_input(task: Task, content: TaskContent | None) -> list[Section]:
    """Return the input as sections, without its files, which are listed by name."""
    if content is None or not isinstance(content.input, dict):
        return []
    definition = all_types().get(task.type)
    files = definition.file_fields() if definition else {}
    return results.describe({name: value for name, value in content.input.items() if name not in files})


def _own_task(request: SignedInRequest, task_id: UUID) -> Task:
    with missing_is_404():
        return get_owned(Task.objects.select_related("queue", "node"), task_id, owner=request.user)


def _result(request: SignedInRequest, task_id: UUID) -> tuple[Task, dict[str, Any]]:
    task = _own_task(request, task_id)
    content = TaskContent.objects.filter(pk=task.pk).first()
    if content is None or content.result is None:
        raise Http404("There is no result.")
    return task, content.result


def _stem(task: Task) -> str:
    # A type of an older installation may be called as no file can be.
    return f"{task.type}-{task.id}" if is_slug(task.type) else str(task.id)


def _attachment(body: str, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
