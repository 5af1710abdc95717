"""Task types: how each went in the last hour, and whether it is paused; pause and open."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.access import HX_REQUEST
from tasks.admin.carry_out import act_on_row, require_permission
from tasks.admin.charts import drawing, failed_percent, last_hour, pair_text
from tasks.figures.series import Sums
from tasks.figures.trends import Trend
from tasks.lifecycle.pause import pause_type, resume_type
from tasks.measures import NOTHING
from tasks.models import PausedType
from tasks.operations.action import Action
from tasks.registry import TaskType, all_types, every_type, known_type

# Whoever may pause a queue may pause a type: it is the same, across queues.
PERMISSION = "tasks.change_queue"
PAUSE = Action(
    name="pause",
    label=gettext_lazy("Pause"),
    title=gettext_lazy("Pause the task type {it}"),
    done=gettext_lazy("The task type {it} is paused."),
    permission=PERMISSION,
    text=gettext_lazy(
        "In every queue: what runs goes on; nothing new of this type starts until it is opened again. Its tasks stay "
        "in line, and their users see why."
    ),
    form=frozenset({"reason"}),
    reason_label=gettext_lazy("Reason, for the audit log and other operators"),
    act=lambda paused, by, choice: pause_type(paused.pk, by=by, reason=choice.reason),
)
RESUME = Action(
    name="resume",
    label=gettext_lazy("Open"),
    title=gettext_lazy("Open the task type {it} again"),
    done=gettext_lazy("The task type {it} is open."),
    text=gettext_lazy("Its tasks start as workers are free."),
    permission=PERMISSION,
    act=lambda paused, by, _choice: resume_type(paused.pk, by=by),
)
ACTIONS = (PAUSE, RESUME)


class Line(NamedTuple):
    """A type in the list. `definition` is None where no app has it any more; `paused` where it is open."""

    name: str
    definition: TaskType | None
    paused: PausedType | None
    trend: Trend | None

    @property
    def action(self) -> Action:
        return RESUME if self.paused else PAUSE

    @property
    def drawing(self) -> SafeString | str:
        return drawing(self.trend, gettext("last hour")) if self.trend else NOTHING

    @property
    def sums(self) -> Sums:
        return self.trend.whole if self.trend else Sums()

    @property
    def failed(self) -> str:
        return failed_percent(self.sums).text

    @property
    def ran(self) -> str:
        return pair_text(self.sums.run_percentile(0.5), self.sums.run_percentile(0.95))


class TypesView:
    """Addresses of the admin site that belong to no one table."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show all types: those that users submit, and then our own."""
        if not request.user.has_perm("tasks.view_task"):
            raise PermissionDenied
        lines = type_lines()
        context = self.site.each_context(request) | {
            "title": gettext("Task types"),
            "lines": [line for line in lines if line.definition is None or not line.definition.internal],
            "internal": [line for line in lines if line.definition and line.definition.internal],
            "may_act": request.user.has_perm(PERMISSION),
        }
        template = "live" if HX_REQUEST in request.headers else "page"
        return TemplateResponse(request, f"admin/types/{template}.html", context)

    def view(self, action: Action) -> Callable[..., HttpResponse]:
        """Return what asks before the action, and does it."""

        def answer(request: HttpRequest, type_name: str) -> HttpResponse:
            require_permission(request, action)
            paused = PausedType.objects.filter(pk=type_name).first()
            if paused is None and known_type(type_name) is None:
                raise Http404("There is no such task type.")
            return act_on_row(request, action, paused or PausedType(pk=type_name), back=reverse("admin:types"))

        return answer


def type_lines() -> list[Line]:
    """Return the types that are offered here, those that only our own code submits, and what else is paused."""
    trends = last_hour("type")
    paused = {row.pk: row for row in PausedType.objects.all()}
    definitions: dict[str, TaskType | None] = dict.fromkeys(paused)
    definitions |= {one.name: one for one in every_type() if one.name in paused or one.internal}
    definitions |= all_types()
    return [
        Line(name, definition, paused.get(name), trends.get(name)) for name, definition in sorted(definitions.items())
    ]
