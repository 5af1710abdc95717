"""Tasks: the list with its filters in the URL, and actions on several at once."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.models import User
from portal.web.forms.task_filter import TABS, TaskFilter, label_of, read_filter
from portal.web.found_places import show_places
from portal.web.groups import group
from portal.web.ids import first_uuid, uuids_in
from portal.web.paging import Page, one_way_page, page_of, read_page
from portal.web.people import SignedInRequest
from portal.web.top_level import find_work
from tasks import errors
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.retry import retry_task
from tasks.models import Task
from tasks.models.newest import count
from tasks.registry import all_types
from tasks.search.find import count_by_words, find_by_id, find_by_words
from tasks.search.saved_views import views_of
from tasks.ui.context import time_zone_of
from tasks.ui.input_files import name_files

MOST_AT_ONCE = 100
# Of a search, with the places where its words stand: texts are read for those.
MOST_FOUND = 20
COUNT_CAP = 1_000


@login_required
def list_tasks(request: SignedInRequest) -> HttpResponse:
    """Show the user's tasks, newest first; only the rows to the script that keeps them fresh."""
    if task_id := _searched_id(request):
        found = Task.objects.of(request.user).filter(pk=task_id).exists()
        if found:
            return redirect("web:task", task_id=task_id)
    wanted = read_filter(request.GET, time_zone_of(request.user))
    page = _page(request, wanted)
    context = {
        "page": page,
        "rows": _rows(request, wanted, page),
        "folded_query": _link(request, open=""),
        "filter": wanted,
        "count": _count(request.user, wanted, page) if wanted.is_set and page.items else None,
        "tabs": [(name, label_of(name), wanted.link(status=name)) for name in TABS],
    }
    if request.headers.get("HX-Request"):
        return render(request, "web/tasks/rows.html", context)
    context |= {"types": all_types().values(), "views": views_of(request.user)}
    return render(request, "web/tasks/page.html", context)


@login_required
@require_POST
def act_on_many(request: SignedInRequest) -> HttpResponse:
    """Cancel or retry the ticked tasks; those of other users, or in a wrong status, are left alone."""
    ids = list(uuids_in(request.POST.getlist("task")))[:MOST_AT_ONCE]
    action = request.POST.get("action", "")
    if not ids:
        messages.warning(request, gettext("Select the tasks first."))
    elif action in ("cancel", "retry"):
        done, problems = _act(request, action, ids)
        if done:
            messages.success(request, _report(action, done))
        for problem in sorted(set(problems)):
            messages.error(request, problem)
    return redirect(_way_back(request))


def _report(action: str, done: int) -> str:
    if action == "cancel":
        words = ngettext("{count} task cancelled.", "{count} tasks cancelled.", done)
    else:
        words = ngettext("{count} task queued again.", "{count} tasks queued again.", done)
    return words.format(count=done)


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


def _page(request: SignedInRequest, wanted: TaskFilter) -> Page[Any]:
    if not wanted.is_set:
        return page_of(request, partial(find_work, request.user))
    rows = wanted.rows(request.user).with_content()
    if wanted.asked is None:
        return read_page(rows, request, sources=wanted.sources(request.user), by_index=wanted.by_index)
    before = first_uuid(request.GET.get("before"))
    if before is None and (named := find_by_id(rows, wanted.text, most=MOST_FOUND)):
        return Page(named, newer="", older="")
    found = find_by_words(
        rows, wanted.asked, owner_id=request.user.pk, most=MOST_FOUND, after=before, since=wanted.oldest_id
    )
    return one_way_page(request, found)


def _rows(request: SignedInRequest, wanted: TaskFilter, page: Page[Any]) -> list[Any]:
    if wanted.asked is None:
        # A list that is looked through shows what it found, in the row of the batch or the starter that it belongs to.
        return group(page.items, unfold=first_uuid(request.GET.get("open")))
    # What has the words shows where.
    found = name_files(page.items)
    show_places(found, wanted.asked.words)
    return found


def _count(user: User, wanted: TaskFilter, page: Page[Any]) -> tuple[int, bool]:
    """Return how many there are, as far as is looked, and whether that is all."""
    if not (page.newer or page.older):
        return len(page.items), True
    rows = wanted.rows(user)
    if wanted.asked is not None:
        return count_by_words(rows, wanted.asked, owner_id=user.pk, most=COUNT_CAP)
    return count(rows, wanted.sources(user), most=COUNT_CAP)


def _searched_id(request: SignedInRequest) -> UUID | None:
    return first_uuid(request.GET.get("q", "").strip())


def _link(request: SignedInRequest, **changes: str) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return query.urlencode()


def _way_back(request: SignedInRequest) -> str:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else reverse("web:tasks")
