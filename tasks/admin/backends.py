"""Backends: the model servers with their health and figures; added, changed, drained, tested, given keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.contrib.postgres.forms import SimpleArrayField
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext_lazy

from tasks.admin.acting import ActingScreen
from tasks.admin.formats import age, moment
from tasks.admin.screen import AuditedScreen
from tasks.backends import directory, servers
from tasks.backends.addresses import BadAddress, parse_address
from tasks.backends.figures import Figures, health_of, read_figures
from tasks.errors import EngineUnavailable
from tasks.measures import NOTHING, duration_text
from tasks.models import Backend, BackendPool
from tasks.models.backend import Strategy
from tasks.operations.action import Action, Choice
from tasks.ui.badge import status_badge

MOST_SHOWN = 3
# Each test may take a few seconds, and the page waits for it.
MOST_TESTED = 20
EDITED = ("kind", "name", "base_url", "model_names", "weight", "most_calls", "enabled")


def _test(backend: Backend, _by: object, _choice: Choice) -> str:
    check = servers.test_server(backend)
    if check.failure:
        raise EngineUnavailable(f"{backend}: {check.failure}")
    return duration_text(check.seconds)


PERMISSION = "tasks.change_backend"
SERVERS = ngettext_lazy("{count} server", "{count} servers", "count")
ENABLE = Action(
    name="enable", label="Enable", title="Enable: call {it} again", things=SERVERS, permission=PERMISSION,
    done="{it} is called again.", reports_each=True,
    act=lambda backend, _by, _choice: servers.enable_server(backend), audits=lambda backend: {"name": str(backend)},
)  # fmt: skip
DRAIN = Action(
    name="drain", label="Drain", title="Drain: start no more calls on {it}", things=SERVERS, permission=PERMISSION,
    done="No more calls start on {it}; those that run end by themselves.", reports_each=True,
    act=lambda backend, _by, _choice: servers.drain_server(backend), audits=lambda backend: {"name": str(backend)},
)  # fmt: skip
TEST = Action(
    name="test", label="Test", title="Test {it} now", things=SERVERS, permission=PERMISSION,
    done="{it} answers in {result}.", reports_each=True, act=_test,
)  # fmt: skip


class BackendForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at runtime
    """Keys are written, and never shown again."""

    model_names = SimpleArrayField(
        forms.CharField(max_length=200),
        required=False,
        label="Models",
        widget=AdminTextInputWidget,
        help_text="With commas between them. Only these are used; empty: those that the server names itself.",
    )
    weight = forms.FloatField(
        min_value=0.01, max_value=1000, initial=1, help_text="Its share of the calls, against the others."
    )
    most_calls = forms.IntegerField(
        min_value=1, max_value=10_000, initial=4, label="Most calls at once", help_text="Counted across all nodes."
    )
    strategy = forms.ChoiceField(
        choices=Strategy.choices, help_text="How a server is chosen; for all servers of this kind."
    )
    new_keys = forms.CharField(
        required=False,
        label="New keys",
        widget=AdminTextareaWidget(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text="One a line; they replace those that are stored. The next is used when one is over its rate.",
    )
    drop_keys = forms.BooleanField(required=False, label="Remove the stored keys")

    class Meta:
        model = Backend
        fields = EDITED
        widgets = {"name": AdminTextInputWidget, "base_url": AdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pool = BackendPool.objects.filter(kind=self.instance.kind).first()
        self.fields["strategy"].initial = pool.strategy if pool else Strategy.LEAST_BUSY

    def clean_base_url(self) -> str:
        try:
            address = parse_address(self.cleaned_data["base_url"])
        except BadAddress as error:
            raise forms.ValidationError(str(error)) from error
        if address.key:
            raise forms.ValidationError("Give the key below: addresses are shown to everyone who may look.")
        return address.base_url

    def clean(self) -> dict[str, Any]:
        """Refuse to take stored keys along to another address: they would be sent to whoever is there."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_answered = cleaned.get("new_keys", "").split() or cleaned.get("drop_keys")
        if self.instance.pk and "base_url" in self.changed_data and not is_answered and self.instance.keys.exists():
            before = Backend.objects.values_list("base_url", flat=True).get(pk=self.instance.pk)
            if cleaned.get("base_url", before) != before:
                self.add_error(
                    "new_keys", "The stored keys are for the former address. Give them again, or remove them."
                )
        return cleaned


class FigureChangeList(ChangeList):
    """Reads all figures at once; a column is asked for one row at a time."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        figures = read_figures()
        for row in rows:
            row.figures = figures.get(row.pk, Figures())
        self.result_list = rows


class BackendScreen(ActingScreen[Backend], AuditedScreen[Backend]):
    form = BackendForm
    list_display = ("name", "kind", "health", "busy", "calls", "latency", "checked", "trouble", "offered")
    list_filter = ("kind",)
    sortable_by = ()
    selected_actions = (ENABLE, DRAIN, TEST)
    readonly_fields = ("health", "checked", "trouble", "offered", "stored_keys", "source")
    fieldsets = (
        (None, {"fields": ("kind", "name", "base_url", "source", "enabled")}),
        ("How it is used", {"fields": ("model_names", "weight", "most_calls", "strategy")}),
        ("Keys", {"fields": ("stored_keys", "new_keys", "drop_keys")}),
        ("How it is", {"fields": ("health", "checked", "trouble", "offered")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Backend]:
        return super().get_queryset(request).annotate(now=Now()).prefetch_related("keys")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FigureChangeList

    def get_readonly_fields(self, request: HttpRequest, obj: Backend | None = None) -> tuple[str, ...]:
        # The environment says where it is; the row only where it is found again.
        fixed = ("kind", "base_url") if obj and obj.from_environment else ()
        return (*self.readonly_fields, *fixed)

    def get_fieldsets(self, request: HttpRequest, obj: Backend | None = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:3]

    def has_delete_permission(self, request: HttpRequest, obj: Backend | None = None) -> bool:
        if obj is not None and obj.from_environment:
            return False
        return super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Backend, form: Any, change: bool) -> None:
        if change:
            # Only what the form knows: health and turn change meanwhile.
            obj.save(update_fields=[name for name in EDITED if name in form.fields])
        else:
            super().save_model(request, obj, form, change)
        keys = form.cleaned_data.get("new_keys", "").split()
        if keys or form.cleaned_data.get("drop_keys"):
            servers.set_keys(obj, keys)
        if strategy := form.cleaned_data.get("strategy"):
            servers.set_strategy(obj.kind, strategy)
        transaction.on_commit(directory.forget)

    def chosen(self, request: HttpRequest, action: Action, rows: QuerySet[Backend]) -> list[Backend]:
        return list(rows[:MOST_TESTED] if action is TEST else rows)

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description="health")
    def health(self, backend: Any) -> SafeString | str:
        tag = status_badge(health_of(backend, backend.now))
        until: datetime | None = backend.open_until
        if until is None or until <= backend.now or not backend.enabled:
            return tag
        return format_html('{}<br><span class="muted small">next try in {}</span>', tag, age(backend.now, until))

    @admin.display(description="busy now")
    def busy(self, backend: Any) -> str:
        return f"{backend.figures.busy} of {backend.most_calls}"

    @admin.display(description="calls, errors (last hour)")
    def calls(self, backend: Any) -> str:
        return f"{backend.figures.calls:,}, {backend.figures.errors:,}"

    @admin.display(description="p50, p95 (last hour)")
    def latency(self, backend: Any) -> str:
        return f"{duration_text(backend.figures.p50)}, {duration_text(backend.figures.p95)}"

    @admin.display(description="last check")
    def checked(self, backend: Any) -> SafeString | str:
        if backend.checked_at is None:
            return NOTHING
        took = duration_text(backend.check_seconds)
        return format_html('{} ago<br><span class="muted small">{}</span>', age(backend.checked_at, backend.now), took)

    @admin.display(description="last error")
    def trouble(self, backend: Backend) -> SafeString | str:
        if not backend.last_error:
            return NOTHING
        return format_html(
            '{}<br><span class="muted small">{}</span>', backend.last_error[:200], moment(backend.last_error_at)
        )

    @admin.display(description="models")
    def offered(self, backend: Backend) -> str:
        names = backend.model_names or backend.seen_models or []
        more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
        return ", ".join(names[:MOST_SHOWN]) + more or NOTHING

    @admin.display(description="stored keys")
    def stored_keys(self, backend: Backend) -> str:
        # A backend that is being added has no id to look for keys with.
        return ", ".join(map(str, backend.keys.all())) or "none" if backend.pk else "none"

    @admin.display(description="added by")
    def source(self, backend: Backend) -> str:
        return "the environment" if backend.from_environment else "an operator"
