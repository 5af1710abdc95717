"""Tasks: the list with its filters in the URL, and actions on several at once."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from portal.web.ids import first_uuid, uuids_in
from portal.web.input_files import name_files
from portal.web.paging import read_page
from portal.web.people import SignedInRequest
from tasks import errors
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.retry import retry_task
from tasks.models import Task
from tasks.models.task import TaskQuerySet
from tasks.registry import all_types
from tasks.statuses import SHOWN

# Tabs of the page → the words they stand for.
TABS = {
    "": [],
    "unfinished": ["waiting", "scheduled", "queued", "running", "cancelling"],
    "succeeded": ["succeeded"],
    "failed": ["failed", "expired"],
    "cancelled": ["cancelled"],
}
MOST_AT_ONCE = 100


@login_required
def list_tasks(request: SignedInRequest) -> HttpResponse:
    """Show the user's tasks, newest first; only the rows to the script that keeps them fresh."""
    if task_id := _searched_id(request):
        found = Task.objects.of(request.user).filter(pk=task_id).exists()
        if found:
            return redirect("web:task", task_id=task_id)
    page = read_page(_filtered(request), request)
    name_files(page.items)
    context = {
        "page": page,
        "tabs": [(name, name.capitalize() or "All", _link(request, status=name)) for name in TABS],
        "status": request.GET.get("status", ""),
        "type": request.GET.get("type", ""),
        "tag": request.GET.get("tag", ""),
        "query": request.GET.get("q", ""),
        "types": all_types().values(),
        "is_filtered": any(request.GET.get(name) for name in ("status", "type", "tag", "q")),
    }
    template = "web/tasks/rows.html" if request.headers.get("HX-Request") else "web/tasks/page.html"
    return render(request, template, context)


@login_required
@require_POST
def act_on_many(request: SignedInRequest) -> HttpResponse:
    """Cancel or retry the ticked tasks; those of other users, or in a wrong status, are left alone."""
    ids = list(uuids_in(request.POST.getlist("task")))[:MOST_AT_ONCE]
    action = request.POST.get("action", "")
    if not ids:
        messages.warning(request, "Select the tasks first.")
    elif action in ("cancel", "retry"):
        done, problems = _act(request, action, ids)
        word = "cancelled" if action == "cancel" else "queued again"
        if done:
            messages.success(request, f"{done} {'task' if done == 1 else 'tasks'} {word}.")
        for problem in sorted(set(problems)):
            messages.error(request, problem)
    return redirect(_way_back(request))


def _act(request: SignedInRequest, action: str, ids: list[UUID]) -> tuple[int, list[str]]:
    done, problems = 0, []
    act = cancel_task if action == "cancel" else retry_task
    # What has nothing to do is skipped, so that the count says what happened.
    fitting = Task.objects.of(request.user).filter(pk__in=ids)
    words = TABS["unfinished"] if action == "cancel" else ["failed", "cancelled", "expired"]
    for task_id in fitting.shown_as(words).values_list("pk", flat=True):
        try:
            act(task_id, by=request.user, owner=request.user)
            done += 1
        except errors.Refused as error:
            problems.append(error.message)
    if not done and not problems:
        problems.append(f"None of these tasks can be {'cancelled' if action == 'cancel' else 'retried'} now.")
    return done, problems


def _filtered(request: SignedInRequest) -> TaskQuerySet:
    rows = Task.objects.of(request.user).select_related("content")
    wanted = request.GET.get("status", "")
    words = TABS.get(wanted) or ([wanted] if wanted in SHOWN else [])
    if words:
        rows = rows.shown_as(words)
    if name := request.GET.get("type", "").replace("\0", ""):
        rows = rows.filter(type=name)
    if tag := request.GET.get("tag", "").replace("\0", ""):
        rows = rows.filter(content__tags__contains=[tag])
    if request.GET.get("q", "") and not _searched_id(request):
        # Words that are no id look for a tag: the one thing that users name tasks by.
        rows = rows.filter(content__tags__contains=[request.GET["q"].strip().replace("\0", "")])
    return rows


def _searched_id(request: SignedInRequest) -> UUID | None:
    return first_uuid(request.GET.get("q", "").strip())


def _link(request: SignedInRequest, **changes: str) -> str:
    query = request.GET.copy()
    for name in ("before", "after"):
        query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return query.urlencode()


def _way_back(request: SignedInRequest) -> str:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else reverse("web:tasks")
