"""Shared results: links made, listed and taken back by their owner; and what whoever has a link sees."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal.web import results
from portal.web.file_answers import PICTURES, serve_file
from portal.web.missing import missing_is_404
from portal.web.people import SignedInRequest
from portal.web.result_downloads import KINDS, as_table
from portal.web.shown_once import show_next, shown_now
from tasks import errors
from tasks.models import File, Task
from tasks.shares.links import find_shared, share_task, shares_of, unshare
from tasks.ui.input_files import name_files

SESSION_KEY = "new_share"
# To be chosen from; the API takes any number.
DAYS = (1, 7, 30, 90)


@login_required
@require_POST
def share(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Make a link, which the page that follows shows."""
    days = request.POST.get("days", "")
    try:
        with missing_is_404():
            _, secret = share_task(task_id, by=request.user, days=int(days) if days in map(str, DAYS) else DAYS[1])
    except errors.Refused as error:
        messages.error(request, error.message)
        return redirect("web:task", task_id=task_id)
    show_next(request, SESSION_KEY, secret)
    return redirect("web:shares")


@login_required
@never_cache
def list_shares(request: SignedInRequest) -> HttpResponse:
    """Show the links that are good now; of the one that was just made, its address, for a minute."""
    shares = shares_of(request.user)
    name_files(share.task for share in shares)
    secret = shown_now(request, SESSION_KEY)
    address = request.build_absolute_uri(reverse("web:shared", args=[secret])) if secret else ""
    return render(request, "web/shares/page.html", {"shares": shares, "address": address})


@login_required
@require_POST
def revoke(request: SignedInRequest, share_id: UUID) -> HttpResponse:
    with missing_is_404():
        unshare(share_id, by=request.user)
    messages.success(request, gettext("The link leads nowhere any more."))
    return redirect("web:shares")


# --- Whoever has a link ----------------------------------------------------------------------------


def _shared(answer: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Find the task of a link. Whoever is signed in sees what anybody sees, and nobody learns why a link is no good."""

    @wraps(answer)
    @require_safe
    @never_cache
    def view(request: HttpRequest, secret: str, **more: Any) -> HttpResponseBase:
        request.user = AnonymousUser()
        task = find_shared(secret)
        try:
            if task is None:
                raise Http404("The link leads nowhere.")
            response = answer(request, task, secret=secret, **more)
        except Http404:
            response = render(request, "web/shares/gone.html", status=404)
        # The address is the key: it is to be in no index, and in no log of a site that is linked to.
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return view


@_shared
def show(request: HttpRequest, task: Task, *, secret: str) -> HttpResponseBase:
    """Show the result, and nothing else of the task: neither its input nor how it came about."""
    context = {
        "task": task,
        "share_secret": secret,
        "sections": results.present(task.type, task.content.result, request=request),
        "result_files": _files_of(task).order_by("pk"),
    }
    return render(request, "web/shares/shared.html", context)


@_shared
def download(request: HttpRequest, task: Task, *, secret: str, kind: str) -> HttpResponseBase:
    return KINDS[kind](task, _result_of(task))


@_shared
def download_table(request: HttpRequest, task: Task, *, secret: str, number: int) -> HttpResponseBase:
    return as_table(task, _result_of(task), number)


@_shared
def download_file(request: HttpRequest, task: Task, *, secret: str, file_id: UUID) -> HttpResponseBase:
    return serve_file(_file_of(task, file_id), as_attachment=True)


@_shared
def show_picture(request: HttpRequest, task: Task, *, secret: str, file_id: UUID) -> HttpResponseBase:
    file = _file_of(task, file_id)
    if file.content_type not in PICTURES:
        raise Http404("This file is not a picture that can be shown.")
    return serve_file(file, as_attachment=False)


def _result_of(task: Task) -> dict[str, Any]:
    return dict(task.content.result or {})


def _files_of(task: Task) -> Any:
    return File.objects.filter(owner=task.owner_id, task=task)


def _file_of(task: Task, file_id: UUID) -> File:
    file: File | None = _files_of(task).filter(pk=file_id).first()
    if file is None:
        raise Http404("There is no such file.")
    return file
