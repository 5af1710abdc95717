"""Screens whose rows can be acted on: the buttons, their addresses, the menu above the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.carry_out import act_on_row, carry_out, number_of, require_permission
from tasks.admin.confirm import Question, confirm_page
from tasks.admin.formats import link_button
from tasks.admin.screen import Screen
from tasks.admin.task_actions import ask_for_all
from tasks.errors import InvalidInput, TaskError
from tasks.operations.action import Action, say
from tasks.operations.bulk_action import BulkAction, Place, bulk_actions
from tasks.operations.task_filter import TaskFilter
from tasks.ui.sentences import in_language

M = TypeVar("M", bound=Model)
A = TypeVar("A", bound=Action)

# Each is a transaction or two within the request. Of more, none is done, and that is said.
MOST_AT_ONCE = 3_000
MOST_NAMES = 10
CHANGED = gettext_lazy("When you were asked, there were {before:,}; now there are {now:,}. Nothing has been done yet.")
# Ends the addresses of what is done to a row's tasks: apps name those actions, and must not hide ours or Django's own.
OF_TASKS = "-tasks"


class ActingScreen(Screen[M]):
    """Each row has buttons for its own actions and for those on its tasks; a selection has the menu above the list.

    `row_actions` are all that a row may be offered, `selected_actions` those for a selection. A `tasks_place` offers
    what the registry has for it, on all the tasks that `tasks_of` finds.
    """

    row_actions: tuple[Action, ...] = ()
    selected_actions: tuple[Action, ...] = ()
    tasks_place: Place | None = None

    def actions_for(self, row: M) -> Iterable[Action]:
        """Return what makes sense for this row."""
        return self.row_actions

    def tasks_of(self, rows: Sequence[M]) -> TaskFilter:
        """Return what finds the tasks of these rows."""
        raise NotImplementedError

    def chosen(self, request: HttpRequest, action: Action, rows: QuerySet[M]) -> Sequence[M]:
        """Return those of the selected rows that are to be acted on; more than `MOST_AT_ONCE` are refused later.

        Raises:
            InvalidInput: the action is not for so many.
        """
        return list(rows.order_by("pk")[: MOST_AT_ONCE + 1])

    def may_act(self, request: HttpRequest, action: Action, row: M) -> bool:
        """Say whether the person, who may do this to others, may do it to this row."""
        return True

    def address(self, row: M) -> str:
        """Return where to go when it is done."""
        return reverse(f"{self._info}_changelist")

    def missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer for a row that is not there."""
        raise Http404(f"There is no such {self.opts.verbose_name}.")

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = tuple(super().get_list_display(request))
        permitted = [action for action in self._all_actions if request.user.has_perm(action.permission)]

        @admin.display(description=gettext_lazy("actions"))
        def act(row: M) -> SafeString:
            actions = [*self.actions_for(row), *self._task_actions]
            buttons = self.draw(row, [action for action in actions if action in permitted])
            return format_html('<div class="row">{}</div>', buttons)

        return (*shown, act) if permitted else shown

    def get_urls(self) -> list[URLPattern]:
        try:
            actions = self._all_actions
        except ImproperlyConfigured:
            # `manage.py check` reads the addresses, too, and reports the app itself; all that serves refuses to start.
            actions = [*self.row_actions]
        return [
            path(
                f"<str:object_id>/{self._name(action)}/",
                self._view(action),
                name=f"{self._info[6:]}_{self._name(action)}",
            )
            for action in actions
        ] + super().get_urls()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        def ask(request: HttpRequest, action: BulkAction, rows: QuerySet[M]) -> HttpResponse:
            back = request.get_full_path()
            try:
                return ask_for_all(
                    request, action, self.tasks_of(not_too_many(list(rows[: MOST_AT_ONCE + 1]))), back=back
                )
            except InvalidInput as error:
                messages.error(request, in_language(error.message))
                return HttpResponseRedirect(back)

        if self.actions is None:
            return {}
        its = gettext("all tasks of the selected {things}").format(things=self.opts.verbose_name_plural)
        on_tasks = menu(request, self._task_actions, ask, its, suffix="tasks_of_selected")
        return super().get_actions(request) | menu(request, self.selected_actions, self._act_on_selected) | on_tasks

    def draw(self, row: M, actions: Iterable[Action]) -> SafeString:
        """Draw the buttons. In their addresses the row's key is quoted as in Django's own; old names may have none."""
        if str(row.pk) in {"", ".", ".."}:
            return SafeString("")
        links = ((reverse(f"{self._info}_{self._name(action)}", args=[quote(row.pk)]), action) for action in actions)
        buttons = ((link_button(url, f"{getattr(action, 'for_all_label', action.label)}…"),) for url, action in links)
        return format_html_join(" ", "{}", buttons)

    @property
    def _info(self) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}"

    @property
    def _task_actions(self) -> list[BulkAction]:
        return bulk_actions(self.tasks_place) if self.tasks_place else []

    @property
    def _all_actions(self) -> list[Action]:
        return [*self.row_actions, *self._task_actions]

    def _name(self, action: Action) -> str:
        return f"{action.name}{OF_TASKS}" if isinstance(action, BulkAction) else action.name

    def _view(self, action: Action) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            require_permission(request, action)
            row = self.get_object(request, unquote(object_id))
            if row is None:
                return self.missing(request, object_id)
            if not self.may_act(request, action, row):
                raise PermissionDenied("You may do this to others, but not here.")
            if isinstance(action, BulkAction):
                return ask_for_all(request, action, self.tasks_of([row]), back=self.address(row))
            return act_on_row(request, action, row, back=self.address(row))

        return self.admin_site.admin_view(view)

    def _act_on_selected(self, request: HttpRequest, action: Action, queryset: QuerySet[M]) -> HttpResponse | None:
        """Ask, then do it. What was chosen by a filter is found anew, and done if it is as many as were asked about."""
        try:
            rows = not_too_many(self.chosen(request, action, queryset))
        except TaskError as error:
            messages.error(request, in_language(error.message))
            return None
        is_filter = request.POST.get("select_across") == "1"
        is_confirmed, asked = "confirmed" in request.POST, number_of(request, "count")
        if not rows or (is_confirmed and asked in {None, len(rows)}) or not (action.text or is_filter):
            carry_out(request, action, rows)
            return None
        keys = request.POST.getlist(ACTION_CHECKBOX_NAME)
        hidden = [("action", f"{action.name}_selected"), ("confirmed", "yes"), ("count", str(len(rows)))]
        # Django wants some row to be selected, even so.
        hidden += [("select_across", "1"), (ACTION_CHECKBOX_NAME, keys[0])] if is_filter else []
        hidden += [] if is_filter else [(ACTION_CHECKBOX_NAME, str(row.pk)) for row in rows]
        names = ", ".join(map(str, rows[:MOST_NAMES])) + (gettext(" and others") if len(rows) > MOST_NAMES else "")
        it = action.things_text(len(rows))
        note = CHANGED.format(before=asked, now=len(rows)) if is_confirmed else ""
        question = Question(action, it, back=request.get_full_path(), hidden=hidden, names=names, note=note)
        return confirm_page(request, question)


def not_too_many(rows: Sequence[M]) -> Sequence[M]:
    """Return rows that can be acted on within a request.

    Raises:
        InvalidInput: they are too many.
    """
    if len(rows) > MOST_AT_ONCE:
        raise InvalidInput(f"More than {MOST_AT_ONCE:,} are selected; nothing was done. Use a filter that finds fewer.")
    return rows


def menu(
    request: HttpRequest,
    actions: Iterable[A],
    act: Callable[[HttpRequest, A, Any], HttpResponse | None],
    it: str = "",
    suffix: str = "selected",
) -> dict[str, Any]:
    """Return the entries of the menu above a list, as Django wants them, of the actions that this person may do."""

    def runs(action: A) -> Callable[..., HttpResponse | None]:
        return lambda _screen, request, queryset: act(request, action, queryset)

    names = {action: f"{action.name}_{suffix}" for action in actions if request.user.has_perm(action.permission)}
    return {
        name: (runs(action), name, say(action.title, it=it or say(action.things, 2, count=gettext("the selected"))))
        for action, name in names.items()
    }
