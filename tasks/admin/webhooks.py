"""Webhooks: whose endpoints answer and whose fail, every delivery with its tries, and sending one again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from tasks.admin.acting import ActingScreen
from tasks.admin.filters import Choices, CreatedFilter, WordFilter
from tasks.admin.formats import moment, task_link
from tasks.admin.keyset import Places
from tasks.admin.owned import OwnedScreen
from tasks.measures import NOTHING
from tasks.models import WebhookDelivery, WebhookEndpoint
from tasks.models.webhook import DeliveryStatus, host_text
from tasks.operations.action import Action
from tasks.ui.badge import status_badge
from tasks.ui.sentences import in_language
from tasks.ui.words import duration
from tasks.webhooks.redelivery import redeliver

REDELIVER = Action(
    name="redeliver",
    label=gettext_lazy("Send again"),
    title=gettext_lazy("Send {it} again"),
    permission="tasks.operate_webhooks",
    text=gettext_lazy(
        "Receivers get the same message under the same id once more; those still being tried are tried now."
    ),
    done=ngettext_lazy("{it} is sent again.", "{it} are sent again.", "count"),
    things=ngettext_lazy("{count} event", "{count} events", "count"),
    act=lambda delivery, by, _choice: redeliver(delivery.pk, by=by),
)


class StandingFilter(WordFilter):
    title = gettext_lazy("status")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [
            ("active", gettext("Active")),
            ("failing", gettext("Failing")),
            ("disabled", gettext("Disabled")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "active":
                return queryset.filter(disabled_at=None, failing_since=None)
            case "failing":
                return queryset.filter(disabled_at=None, failing_since__isnull=False)
            case "disabled":
                return queryset.filter(disabled_at__isnull=False)
        return queryset


class DeliveryStatusFilter(WordFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, str(label)) for name, label in DeliveryStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class EndpointFilter(WordFilter):
    """Shown only when a link from the endpoints has set it."""

    title = gettext_lazy("endpoint")
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        chosen = request.GET.get(self.parameter_name)
        return [(chosen, chosen)] if chosen else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            return queryset.filter(endpoint=UUID(self.value() or "")) if self.value() else queryset
        except ValueError:
            return queryset.none()


class EndpointScreen(OwnedScreen[WebhookEndpoint]):
    """Of an address only the host is shown: the rest may be as good as a password."""

    list_display = ("title", "owner_email", "standing", "hears", "deliveries", "created")
    list_filter = (StandingFilter,)
    actions = None
    fields = ("id", "title", "owner_email", "description", "hears", "standing", "deliveries", "created")
    readonly_fields = ("title", "owner_email", "hears", "standing", "deliveries", "created")

    @admin.display(description=gettext_lazy("receiver"))
    def title(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint)

    @admin.display(description=gettext_lazy("status"))
    def standing(self, endpoint: WebhookEndpoint) -> SafeString:
        if endpoint.disabled_at is not None:
            return format_html(
                '{}<br><span class="muted small">{} · {} {}</span>',
                status_badge("disabled"),
                in_language(endpoint.disabled_reason),
                gettext("since"),
                moment(endpoint.disabled_at),
            )
        if endpoint.failing_since is not None:
            return format_html(
                '{}<br><span class="muted small">{} {}</span>',
                status_badge("failing"),
                gettext("since"),
                moment(endpoint.failing_since),
            )
        return status_badge("active")

    @admin.display(description=gettext_lazy("events"))
    def hears(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(in_language(event.removeprefix("task.")) for event in endpoint.events)

    @admin.display(description=gettext_lazy("deliveries"))
    def deliveries(self, endpoint: WebhookEndpoint) -> SafeString:
        address = reverse("admin:tasks_webhookdelivery_changelist")
        return format_html('<a href="{}?endpoint={}">{}</a>', address, endpoint.pk, gettext("Show them"))


class DeliveryScreen(ActingScreen[WebhookDelivery], OwnedScreen[WebhookDelivery]):
    audit_kind = "webhook_delivery"
    list_display = (
        "event",
        "owner_email",
        "receiver",
        "shown",
        "try_count",
        "last_answer",
        "next_try",
        "task",
        "created",
    )
    list_filter = (DeliveryStatusFilter, CreatedFilter, EndpointFilter)
    selected_actions = (REDELIVER,)
    fields = ("id", "event", "owner_email", "receiver", "task", "shown", "error", "all_tries", "next_try", "created")
    readonly_fields = ("owner_email", "receiver", "task", "shown", "all_tries", "next_try", "created")

    def places(self, given: Mapping[str, str]) -> Places:
        if given.get("endpoint"):
            with suppress(ValueError):
                return Places([WebhookDelivery.objects.filter(endpoint=UUID(given["endpoint"]))])
        return super().places(given)

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("receiver"))
    def receiver(self, delivery: WebhookDelivery) -> str:
        return host_text(delivery.url)

    @admin.display(description=gettext_lazy("status"))
    def shown(self, delivery: WebhookDelivery) -> SafeString:
        return status_badge(delivery.status)

    @admin.display(description=gettext_lazy("tries"))
    def try_count(self, delivery: WebhookDelivery) -> str:
        return str(len(delivery.tries))

    @admin.display(description=gettext_lazy("last answer"))
    def last_answer(self, delivery: WebhookDelivery) -> str:
        return _answer(delivery.tries[-1]) if delivery.tries else NOTHING

    @admin.display(description=gettext_lazy("next try"))
    def next_try(self, delivery: WebhookDelivery) -> SafeString | str:
        return gettext("under way") if delivery.trying_task_id else moment(delivery.next_try_at)

    @admin.display(description=gettext_lazy("task"))
    def task(self, delivery: WebhookDelivery) -> SafeString | str:
        return task_link(delivery.task_id)

    @admin.display(description=gettext_lazy("tries"))
    def all_tries(self, delivery: WebhookDelivery) -> SafeString | str:
        if not delivery.tries:
            return NOTHING
        rows = (
            (
                moment(datetime.fromisoformat(made["at"])),
                duration(made["seconds"]),
                _answer(made),
                task_link(made["task"]),
            )
            for made in delivery.tries
        )
        return format_html(
            "<table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>{}</tbody></table>",
            gettext("at"),
            gettext("took"),
            gettext("answer"),
            gettext("made by"),
            format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows),
        )


def _answer(made: dict[str, Any]) -> str:
    return str(made["error"] or f"HTTP status {made['http_status']}")
