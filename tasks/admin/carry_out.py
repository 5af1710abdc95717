"""Carries out actions on rows: who may, the entry in the audit log, and what is said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.translation import gettext

from tasks import audit
from tasks.admin.access import operator_of
from tasks.admin.confirm import Question, confirm_page
from tasks.errors import TaskError
from tasks.names import MOST_OF_A_REASON
from tasks.operations.action import Action, Choice


def require_permission(request: HttpRequest, action: Action) -> None:
    """Let nobody pass who may only look.

    Raises:
        PermissionDenied: the person may look only.
    """
    if not request.user.has_perm(action.permission):
        raise PermissionDenied("You may look at this, but not change anything about it.")


def act_on_row(request: HttpRequest, action: Action, row: Model, *, back: str) -> HttpResponse:
    """Ask about one row, or do it when that is confirmed. Whoever calls has looked whether the person may."""
    if request.method == "POST":
        carry_out(request, action, [row])
        return HttpResponseRedirect(back)
    if not action.text:
        return HttpResponseNotAllowed(["POST"])
    return confirm_page(request, Question(action, str(row), back=back, row=row, names=str(row)))


def carry_out(request: HttpRequest, action: Action, rows: Sequence[Any]) -> None:
    """Do it to each of the rows, and say what came of it."""
    by, choice = operator_of(request), choice_of(request, action)
    counted = bool(action.things) and not action.reports_each
    refused: Counter[str] = Counter()
    for row in rows:
        try:
            result = _act(action, row, by, choice)
        except TaskError as error:
            refused[error.message] += 1
        else:
            if action.done and not counted:
                messages.success(request, action.done_text(row, choice, result=result))
    if not rows:
        messages.warning(request, gettext("Nothing to {it}.").format(it=str(action.label).lower()))
    if counted:
        report(request, action, choice, len(rows) - refused.total(), refused)
    else:
        for message in refused:
            messages.error(request, message)


def report(request: HttpRequest, action: Action, choice: Choice, done: int, refused: Mapping[str, int]) -> None:
    """Say how many were acted on, and why others were not."""
    if done:
        messages.success(request, action.done_text(action.things_text(done), choice, count=done))
    for message, count in refused.items():
        messages.error(request, f"{count:,} not: {message}")


def choice_of(request: HttpRequest, action: Action) -> Choice:
    """Return what was chosen on the page that asked."""
    return Choice(
        action.name,
        to_queue=request.POST.get("queue", "").replace("\0", "") if "queue" in action.form else "",
        to_priority=number_of(request, "priority") if "priority" in action.form else None,
        reason=request.POST.get("reason", "").replace("\0", "").strip()[:MOST_OF_A_REASON],
    )


def number_of(request: HttpRequest, name: str) -> int | None:
    """Return a number that was posted; None for what is none."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _act(action: Action, row: Any, by: Any, choice: Choice) -> object:
    assert action.act is not None, "only an operation does it"
    if action.audits is None:
        # The verb opens its own transactions, and writes the entry in them.
        return action.act(row, by, choice)
    with transaction.atomic():
        result = action.act(row, by, choice)
        audit.record(by, action.name, row._meta.model_name, row.pk, **action.audits(row))
    return result
