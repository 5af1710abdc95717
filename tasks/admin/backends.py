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
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from tasks.admin.acting import ActingScreen
from tasks.admin.formats import age, between, moment
from tasks.admin.screen import AuditedScreen
from tasks.backends import directory, servers
from tasks.backends.addresses import BadAddress, parse_address
from tasks.backends.figures import Figures, health_of, read_figures
from tasks.errors import EngineUnavailable, InvalidInput
from tasks.measures import NOTHING
from tasks.models import Backend, BackendPool
from tasks.models.backend import Strategy
from tasks.operations.action import Action, Choice
from tasks.ui.badge import status_badge
from tasks.ui.words import duration

MOST_SHOWN = 3
# Each test may take a few seconds, and the page waits for it.
MOST_TESTED = 20
EDITED = ("kind", "name", "base_url", "model_names", "weight", "most_calls", "enabled")


def _test(backend: Backend, _by: object, _choice: Choice) -> str:
    check = servers.test_server(backend)
    if check.failure:
        raise EngineUnavailable(f"{backend}: {check.failure}")
    return duration(check.seconds)


PERMISSION = "tasks.change_backend"
SERVERS = ngettext_lazy("{count} server", "{count} servers", "count")
ENABLE = Action(
    name="enable",
    label=gettext_lazy("Enable"),
    title=gettext_lazy("Enable: call {it} again"),
    things=SERVERS,
    permission=PERMISSION,
    done=gettext_lazy("{it} is called again."),
    reports_each=True,
    act=lambda backend, _by, _choice: servers.enable_server(backend),
    audits=lambda backend: {"name": str(backend)},
)
DRAIN = Action(
    name="drain",
    label=gettext_lazy("Drain"),
    title=gettext_lazy("Drain: start no more calls on {it}"),
    things=SERVERS,
    permission=PERMISSION,
    done=gettext_lazy("No more calls start on {it}; those that run end by themselves."),
    reports_each=True,
    act=lambda backend, _by, _choice: servers.drain_server(backend),
    audits=lambda backend: {"name": str(backend)},
)
TEST = Action(
    name="test", label=gettext_lazy("Test"), title=gettext_lazy("Test {it} now"), things=SERVERS, permission=PERMISSION,
    done=gettext_lazy("{it} answers in {result}."), reports_each=True, act=_test,
)  # fmt: skip


def strategy_of(kind: str) -> Strategy:
    """Return how a server of a kind is chosen."""
    pool = BackendPool.objects.filter(kind=kind).first()
    return Strategy(pool.strategy) if pool else Strategy.LEAST_BUSY


class BackendForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at runtime
    """Keys are written, and never shown again."""

    model_names = SimpleArrayField(
        forms.CharField(max_length=200),
        required=False,
        label=gettext_lazy("Models"),
        widget=AdminTextInputWidget,
        help_text=gettext_lazy(
            "With commas between them. Only these are used; empty: those that the server names itself."
        ),
    )
    weight = forms.FloatField(
        label=gettext_lazy("Weight"),
        min_value=0.01,
        max_value=1000,
        initial=1,
        help_text=gettext_lazy("Its share of the calls, against the others."),
    )
    most_calls = forms.IntegerField(
        min_value=1,
        max_value=10_000,
        initial=4,
        label=gettext_lazy("Most calls at once"),
        help_text=gettext_lazy("Counted across all nodes."),
    )
    strategy = forms.ChoiceField(
        choices=Strategy.choices, help_text=gettext_lazy("How a server is chosen; for all servers of this kind.")
    )
    new_keys = forms.CharField(
        required=False,
        label=gettext_lazy("New keys"),
        widget=AdminTextareaWidget(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One a line; they replace those that are stored. The next is used when one is over its rate."
        ),
    )
    drop_keys = forms.BooleanField(required=False, label=gettext_lazy("Remove the stored keys"))

    class Meta:
        model = Backend
        fields = EDITED
        widgets = {"name": AdminTextInputWidget, "base_url": AdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["strategy"].initial = strategy_of(self.instance.kind)

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
    readonly_fields = ("health", "checked", "trouble", "offered", "stored_keys", "source", "how_chosen")
    fieldsets = (
        (None, {"fields": ("kind", "name", "base_url", "source", "enabled")}),
        (gettext_lazy("How it is used"), {"fields": ("model_names", "weight", "most_calls", "strategy")}),
        (gettext_lazy("Keys"), {"fields": ("stored_keys", "new_keys", "drop_keys")}),
        (gettext_lazy("How it is"), {"fields": ("health", "checked", "trouble", "offered")}),
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
        if obj and not self.has_change_permission(request, obj):
            # Django shows fields that only the form has as None.
            used = (gettext("How it is used"), {"fields": ("model_names", "weight", "most_calls", "how_chosen")})
            return (self.fieldsets[0], used, (gettext("Keys"), {"fields": ("stored_keys",)}), self.fieldsets[3])
        if obj is None:
            # By whom it was added, and which keys it has, is nothing to ask of a new one.
            named = (None, {"fields": ("kind", "name", "base_url", "enabled")})
            return (named, self.fieldsets[1], (gettext("Keys"), {"fields": ("new_keys",)}))
        return self.fieldsets

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
        servers = list(rows)
        if action is TEST and len(servers) > MOST_TESTED:
            raise InvalidInput(f"At most {MOST_TESTED} servers are tested at once; {len(servers)} are selected.")
        return servers

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("health"))
    def health(self, backend: Any) -> SafeString | str:
        tag = status_badge(health_of(backend, backend.now))
        until: datetime | None = backend.open_until
        if until is None or until <= backend.now or not backend.enabled:
            return tag
        return format_html(
            '{}<br><span class="muted small">{}</span>',
            tag,
            gettext("next try in {time}").format(time=between(backend.now, until)),
        )

    @admin.display(description=gettext_lazy("busy now"))
    def busy(self, backend: Any) -> str:
        return gettext("{count} of {most}").format(count=backend.figures.busy, most=backend.most_calls)

    @admin.display(description=gettext_lazy("calls, errors (last hour)"))
    def calls(self, backend: Any) -> str:
        return f"{backend.figures.calls:,}, {backend.figures.errors:,}"

    @admin.display(description=gettext_lazy("p50, p95 (last hour)"))
    def latency(self, backend: Any) -> str:
        return f"{duration(backend.figures.p50)}, {duration(backend.figures.p95)}"

    @admin.display(description=gettext_lazy("last check"))
    def checked(self, backend: Any) -> SafeString | str:
        if backend.checked_at is None:
            return NOTHING
        took = duration(backend.check_seconds)
        return format_html(
            '{}<br><span class="muted small">{}</span>',
            age(backend.checked_at, backend.now),
            took,
        )

    @admin.display(description=gettext_lazy("last error"))
    def trouble(self, backend: Backend) -> SafeString | str:
        if not backend.last_error:
            return NOTHING
        return format_html(
            '{}<br><span class="muted small">{}</span>', backend.last_error[:200], moment(backend.last_error_at)
        )

    @admin.display(description=gettext_lazy("models"))
    def offered(self, backend: Backend) -> str:
        names = backend.model_names or backend.seen_models or []
        more = gettext(" and {count} more").format(count=len(names) - MOST_SHOWN) if len(names) > MOST_SHOWN else ""
        return ", ".join(names[:MOST_SHOWN]) + more or NOTHING

    @admin.display(description=gettext_lazy("strategy"))
    def how_chosen(self, backend: Backend) -> str:
        return str(strategy_of(backend.kind).label)

    @admin.display(description=gettext_lazy("stored keys"))
    def stored_keys(self, backend: Backend) -> str:
        return ", ".join(map(str, backend.keys.all())) or gettext("none")

    @admin.display(description=gettext_lazy("added by"))
    def source(self, backend: Backend) -> str:
        return gettext("the environment") if backend.from_environment else gettext("an operator")
