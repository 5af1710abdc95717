"""One task: its page, live part, events and actions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from portal.web import results, snippets
from portal.web.conversation import with_conversation
from portal.web.file_answers import SOUNDS
from portal.web.ids import uuids_in
from portal.web.missing import missing_is_404
from portal.web.numbered_pages import NumberedPage
from portal.web.people import SignedInRequest
from portal.web.result_readers import InputFile
from portal.web.result_shapes import Section
from portal.web.task_lines import lines_of
from portal.web.views.own import own_task
from tasks import errors
from tasks.engines.page_picture import is_drawn
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.rename import rename_task
from tasks.lifecycle.retry import retry_task
from tasks.models import Event, File, Task, TaskContent
from tasks.notices.ended import mark_seen
from tasks.notices.wish import wished
from tasks.outbound import mail
from tasks.registry import all_types
from tasks.statuses import NOT_STARTED, REVIVABLE
from tasks.ui import words
from tasks.ui.look import waited

EVENTS_AT_ONCE = 500


@login_required
def show(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Show the page, or only its live part to the script that keeps it fresh."""
    task = own_task(request, task_id)
    if task.done:
        mark_seen(request.user, task)
    if request.headers.get("HX-Request"):
        return render(request, "web/task/live.html", _live_context(request, task))
    return _page(request, task)


@login_required
@require_POST
def rename(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Call the task by another name; by none: as what it is about."""
    name = request.POST.get("name", "").strip()
    try:
        with missing_is_404():
            rename_task(task_id, name, owner=request.user)
    except errors.InvalidInput as error:
        return _page(request, own_task(request, task_id), status=422, name=name, name_error=error.message)
    except errors.Refused as error:
        messages.error(request, error.message)
    return redirect("web:task", task_id=task_id)


def _page(request: SignedInRequest, task: Task, *, status: int = 200, **more: Any) -> HttpResponse:
    context = _live_context(request, task)
    content = context["content"]
    context |= {
        "events": _events(task, after=0),
        "input": _shown_input(task, content),
        "snippets": snippets.for_submission(request, task.type, content.input) if content else [],
        "name": content.name if content else "",
    }
    return render(request, "web/task/page.html", context | more, status=status)


@login_required
def read_events(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Return what the task said after the event ``?after=``, for the script that appends it."""
    task = own_task(request, task_id)
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


def _act(request: SignedInRequest, task_id: UUID, action: Any) -> HttpResponse:
    try:
        with missing_is_404():
            action(task_id, by=request.user, owner=request.user)
    except errors.Refused as error:
        messages.error(request, error.message)
    return redirect("web:task", task_id=task_id)


def _live_context(request: SignedInRequest, task: Task) -> dict[str, Any]:
    content = TaskContent.objects.filter(pk=task.pk).first()
    wait = None if task.done else explain_wait(task)
    if content:
        task.content = content
    result = content.result if content else None
    input_files = _input_files(request, task, content)
    task.file_names = [file.name for file in input_files]  # type: ignore[attr-defined]
    parts = _parts(request, task)
    attempts = list(task.attempts.select_related("node"))
    file = _shown_file(input_files)
    shown: list[Section] = []
    if content and result is not None:
        shown = results.present(task.type, result, request=request, file=file, has_parts=bool(parts))
        shown = with_conversation(shown, content.input, result)
    return {
        "task": task,
        "content": content,
        "wait": wait,
        "wait_words": words.WAITS.get(wait.why or "") if wait and task.status != "running" else None,
        "attempts": attempts,
        "parts": parts,
        # What it waited for its own tasks is no waiting in line.
        "waited": attempts[0].started_at - task.created_at if parts and attempts else waited(task),
        "worked": sum(attempt.seconds for attempt in attempts) if parts else None,
        "input_files": input_files,
        "sections": shown,
        "result_files": File.objects.filter(owner=request.user, task=task).order_by("id"),
        "can_cancel": not task.done and task.shown_status != "cancelling",
        "can_retry": task.status in REVIVABLE,
        # The work itself was given up; where a service was down, or a worker died, another try may succeed.
        "fails_again": task.status == "failed" and task.error is not None and task.error.get("retryable") is False,
        "not_started": task.status in NOT_STARTED,
        "can_mail": mail.is_set_up(),
        "wished": not task.done and wished(task),
        "purged": task.done and content is None,
        "known_type": task.type in all_types(),
    }


def _parts(request: SignedInRequest, task: Task) -> NumberedPage | None:
    """Return a page of the tasks that this one has started, in the order in which it did; None without."""
    started = Task.objects.filter(started_by=task.pk).order_by("pk")
    page = NumberedPage.of(request, started.count())
    rows = enumerate(lines_of(started[page.first : page.end]), page.first + 1)
    return page.with_rows([{"number": number, "task": row} for number, row in rows]) if page.total else None


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


def _shown_file(input_files: list[File]) -> InputFile | None:
    """Return the one file that the result was made of; of several it is not known which part is whose."""
    if len(input_files) != 1:
        return None
    [file] = input_files
    return InputFile(str(file.id), is_drawn=is_drawn(file.content_type), is_sound=file.content_type in SOUNDS)


def _shown_input(task: Task, content: TaskContent | None) -> list[Section]:
    """Return the input as sections, without its files, which are listed by name."""
    if content is None or not isinstance(content.input, dict):
        return []
    definition = all_types().get(task.type)
    files = definition.file_fields() if definition else {}
    return results.describe({name: value for name, value in content.input.items() if name not in files})
