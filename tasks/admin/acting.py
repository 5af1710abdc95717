"""Carries out actions on rows: who may, the page that asks, the entry in the audit log, and what is said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from tasks import audit
from tasks.admin.access import operator_of
from tasks.admin.confirm import Question, confirm_page
from tasks.admin.formats import link_button
from tasks.admin.screen import Screen
from tasks.errors import TaskError
from tasks.operations.action import Action, Choice, Words, say

M = TypeVar("M", bound=Model)
A = TypeVar("A", bound=Action)

MOST_REASON = 200
MOST_AT_ONCE = 1_000
MOST_NAMES = 10


class ActingScreen(Screen[M]):
    """A screen whose rows can be acted on: each by buttons, several by the menu above the list.

    `row_actions` are all that a row may be offered, `selected_actions` those for a selection.
    """

    row_actions: tuple[Action, ...] = ()
    selected_actions: tuple[Action, ...] = ()

    def actions_for(self, row: M) -> Iterable[Action]:
        """Return what makes sense for this row."""
        return self.row_actions

    def chosen(self, request: HttpRequest, action: Action, rows: QuerySet[M]) -> Sequence[M]:
        """Return those of the selected rows that are to be acted on."""
        return list(rows.order_by("pk")[:MOST_AT_ONCE])

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = tuple(super().get_list_display(request))
        return (*shown, self.buttons(request)) if self._permitted(request) else shown

    def get_urls(self) -> list[URLPattern]:
        info = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path(f"<str:object_id>/{action.name}/", self._view(action), name=f"{info}_{action.name}")
            for action in self.row_actions
        ] + super().get_urls()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) | menu(request, self.selected_actions, self._act_on_selected)

    def buttons(self, request: HttpRequest) -> Callable[[M], SafeString]:
        """Return the column of buttons, of which each leads to the page that asks."""
        permitted = self._permitted(request)

        @admin.display(description="")
        def act(row: M) -> SafeString:
            return self.draw(row, [action for action in self.actions_for(row) if action in permitted])

        return act

    def draw(self, row: M, actions: Iterable[Action]) -> SafeString:
        """Draw the buttons; in their addresses the row's key is quoted as in Django's own."""
        if not has_address(row):
            return SafeString("")
        info = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        links = ((reverse(f"{info}_{action.name}", args=[quote(row.pk)]), action.label) for action in actions)
        return format_html_join(" ", "{}", ((link_button(url, f"{label}…"),) for url, label in links))

    def _permitted(self, request: HttpRequest) -> list[Action]:
        return [action for action in self.row_actions if request.user.has_perm(action.permission)]

    def _view(self, action: Action) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            require_permission(request, action)
            row = self.get_object(request, unquote(object_id))
            if row is None:
                return self.missing(request, object_id)
            return act_on_row(request, action, row, back=self.address(row))

        return self.admin_site.admin_view(view)

    def address(self, row: M) -> str:
        """Return where to go when it is done."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer for a row that is not there."""
        raise Http404(f"There is no such {self.opts.verbose_name}.")

    def _act_on_selected(self, request: HttpRequest, action: Action, queryset: QuerySet[M]) -> HttpResponse | None:
        try:
            rows = self.chosen(request, action, queryset)
        except TaskError as error:
            messages.error(request, error.message)
            return None
        if not rows or not action.text or "confirmed" in request.POST:
            carry_out(request, action, rows)
            return None
        hidden = [("action", f"{action.name}_selected"), ("confirmed", "yes")]
        hidden += [("_selected_action", str(row.pk)) for row in rows]
        names = ", ".join(map(str, rows[:MOST_NAMES])) + (" and others" if len(rows) > MOST_NAMES else "")
        it = action.things_text(len(rows))
        return confirm_page(request, Question(action, it, back=request.get_full_path(), hidden=hidden, names=names))


def has_address(row: Model) -> bool:
    """Tell whether there can be an address with the row's key in it: old names may be any."""
    return str(row.pk) not in {"", ".", ".."}


def menu(
    request: HttpRequest,
    actions: Iterable[A],
    act: Callable[[HttpRequest, A, Any], HttpResponse | None],
    it: Words = "",
    suffix: str = "selected",
) -> dict[str, Any]:
    """Return the entries of the menu above a list, as Django wants them, of the actions that this person may do."""

    def runs(action: A) -> Callable[..., HttpResponse | None]:
        return lambda _screen, request, queryset: act(request, action, queryset)

    names = {action: f"{action.name}_{suffix}" for action in actions if request.user.has_perm(action.permission)}
    return {
        name: (runs(action), name, say(action.title, it=it or say(action.things, 2, count="the selected")))
        for action, name in names.items()
    }


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
    return confirm_page(request, Question(action, str(row), back=back, row=row))


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
        messages.warning(request, f"Nothing to {str(action.label).lower()}.")
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
        reason=request.POST.get("reason", "").replace("\0", "").strip()[:MOST_REASON],
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
