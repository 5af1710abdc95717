"""Alarms: what needed a person and when; what counts as an alarm, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.formats import between, moment
from tasks.admin.screen import AuditedScreen, ReadOnlyScreen
from tasks.alarms.receivers import reopen_webhook, set_webhook
from tasks.errors import TaskError
from tasks.lifecycle.outbox import check_webhook_url
from tasks.measures import NOTHING
from tasks.models import Alarm, AlarmKind, AlarmSettings
from tasks.outbound.mail import is_set_up
from tasks.ui.badge import status_badge

MOST_ADDRESSES = 50
TIME = {"type": "time", "class": "vIntegerField"}


class LastsFilter(SimpleListFilter):
    """What lasts, unless asked otherwise."""

    title = gettext_lazy("status")
    parameter_name = "lasts"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [("over", gettext_lazy("Over")), ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield first | {"display": gettext("Lasting")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(ended_at__isnull=self.value() != "over")


class AlarmScreen(ReadOnlyScreen[Alarm]):
    """What `tasks.alarms.watch` has noted, the newest first; kept for 90 days."""

    list_display = ("what", "standing", "began", "lasted", "told")
    list_display_links = None
    list_filter = (LastsFilter, "kind")
    ordering = ("-pk",)
    sortable_by = ()
    change_list_template = "admin/tasks/alarm/list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alarm]:
        return super().get_queryset(request).annotate(now=Now())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        may_look = request.user.has_perm("tasks.view_alarmsettings")
        settings = reverse("admin:tasks_alarmsettings_change", args=[1]) if may_look else ""
        return super().changelist_view(request, {"settings_url": settings} | (extra_context or {}))

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("alarm"))
    def what(self, alarm: Alarm) -> SafeString:
        kind = alarm.get_kind_display()
        return format_html('<a href="{}">{}</a><br><span class="muted small">{}</span>', alarm.path, alarm.text, kind)

    @admin.display(description=gettext_lazy("status"))
    def standing(self, alarm: Alarm) -> SafeString:
        if alarm.ended_at is not None:
            return status_badge("over")
        return status_badge("urgent" if alarm.is_bad else "lasting")

    @admin.display(description=gettext_lazy("began"))
    def began(self, alarm: Alarm) -> SafeString | str:
        return moment(alarm.began_at)

    @admin.display(description=gettext_lazy("lasted"))
    def lasted(self, alarm: Any) -> str:
        return between(alarm.began_at, alarm.ended_at or alarm.now)

    @admin.display(description=gettext_lazy("told"))
    def told(self, alarm: Alarm) -> SafeString | str:
        return moment(alarm.told_at)


class AlarmSettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at runtime
    """Who is told is written as people write it: addresses one a line, kinds that are ticked."""

    mail_to = forms.CharField(
        required=False, label=gettext_lazy("E-mail to"), widget=AdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("One address a line."),
    )  # fmt: skip
    webhook_url = forms.CharField(
        required=False, label=gettext_lazy("Webhook"), widget=AdminTextInputWidget, max_length=2_000,
        help_text=gettext_lazy("Each alarm is posted there, signed, as it begins and as it ends. Empty: none."),
    )  # fmt: skip
    told = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Tell of"), choices=AlarmKind.choices, widget=forms.CheckboxSelectMultiple
    )
    quiet_from = forms.TimeField(
        required=False, label=gettext_lazy("From"), widget=forms.TimeInput(attrs=TIME, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        required=False, label=gettext_lazy("Until"), widget=forms.TimeInput(attrs=TIME, format="%H:%M"),
        help_text=gettext_lazy("By the portal's own time zone; may be on the next day."),
    )  # fmt: skip
    urgent_always = forms.BooleanField(
        required=False, label=gettext_lazy("Tell of urgent ones in quiet hours as well"),
        help_text=gettext_lazy("All others wait until the quiet hours are over, and are not told if they end before."),
    )  # fmt: skip

    class Meta:
        model = AlarmSettings
        fields = (
            "oldest_wait_minutes", "failure_percent", "failure_least", "new_cause_hours", "disk_free_percent",
            "connections_percent", "transaction_minutes", "tell_after_seconds", "quiet_from", "quiet_until",
            "urgent_always", "portal_url",
        )  # fmt: skip
        widgets = {"portal_url": AdminTextInputWidget}
        # With their units; what the columns are called is for developers.
        labels = {
            "oldest_wait_minutes": gettext_lazy("Longest wait, in minutes"),
            "failure_percent": gettext_lazy("Failure rate, in percent"),
            "failure_least": gettext_lazy("Fewest failures"),
            "new_cause_hours": gettext_lazy("A cause is new for, in hours"),
            "disk_free_percent": gettext_lazy("Free disk, in percent"),
            "connections_percent": gettext_lazy("Connections, in percent"),
            "transaction_minutes": gettext_lazy("Open transaction, in minutes"),
            "tell_after_seconds": gettext_lazy("Told after, in seconds"),
        }
        help_texts = {"portal_url": gettext_lazy("As https://portal.example.com: for the links in what is sent.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.instance
        self.initial = {
            **self.initial,
            "mail_to": "\n".join(settings.mail_to),
            "webhook_url": settings.endpoint.url if settings.endpoint else "",
            "told": [kind for kind in AlarmKind.values if kind not in settings.not_told],
        }
        if self.is_given_up and "webhook_url" in self.fields:
            said = gettext("Nothing is posted there any more: {why} Save this page to try it again.")
            self.fields["webhook_url"].help_text = said.format(why=settings.endpoint.disabled_reason)

    @property
    def is_given_up(self) -> bool:
        """Say whether the address was disabled, for having failed for days."""
        return bool(self.instance.endpoint and self.instance.endpoint.disabled_at)

    def clean_mail_to(self) -> list[str]:
        addresses = list(dict.fromkeys(self.cleaned_data["mail_to"].split()))
        if len(addresses) > MOST_ADDRESSES:
            raise ValidationError(gettext("At most {most} addresses.").format(most=MOST_ADDRESSES))
        for address in addresses:
            validate_email(address)
        if addresses and not is_set_up():
            raise ValidationError(gettext("No server for e-mail is set up: set EMAIL_URL, here and for the nodes."))
        return addresses

    def clean_webhook_url(self) -> str:
        url: str = self.cleaned_data["webhook_url"].strip()
        if url and "webhook_url" in self.changed_data:
            try:
                check_webhook_url(url, "/url")
            except TaskError as error:
                raise ValidationError(error.message) from error
        return url

    def clean_portal_url(self) -> str:
        url: str = self.cleaned_data["portal_url"].strip()
        if url:
            URLValidator(schemes=["http", "https"])(url)
        return url

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if (cleaned.get("quiet_from") is None) != (cleaned.get("quiet_until") is None):
            self.add_error("quiet_until", gettext("Quiet hours need a beginning and an end."))
        elif cleaned.get("quiet_from") is not None and cleaned["quiet_from"] == cleaned["quiet_until"]:
            self.add_error("quiet_until", gettext("Quiet hours end at another time than they begin."))
        return cleaned


class AlarmSettingsScreen(AuditedScreen[AlarmSettings]):
    """One row, which is there from the beginning."""

    form = AlarmSettingsForm
    fieldsets = (
        (
            gettext_lazy("Work"),
            {"fields": ("oldest_wait_minutes", "failure_percent", "failure_least", "new_cause_hours")},
        ),
        (gettext_lazy("Machines"), {"fields": ("disk_free_percent", "connections_percent", "transaction_minutes")}),
        (
            gettext_lazy("Who is told"),
            {"fields": ("mail_to", "webhook_url", "portal_url", "told", "tell_after_seconds")},
        ),
        (gettext_lazy("Quiet hours"), {"fields": ("quiet_from", "quiet_until", "urgent_always")}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlarmSettings]:
        return super().get_queryset(request).select_related("endpoint")

    # What those see who may only look; the rest of an address may be as good as a password.

    @admin.display(description=gettext_lazy("webhook"))
    def webhook_url(self, settings: AlarmSettings) -> str:
        return str(settings.endpoint or NOTHING)

    @admin.display(description=gettext_lazy("tell of"))
    def told(self, settings: AlarmSettings) -> str:
        kinds = [str(kind.label) for kind in AlarmKind if kind not in settings.not_told]
        return ", ".join(kinds) or NOTHING

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AlarmSettings | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return HttpResponseRedirect(reverse("admin:tasks_alarmsettings_change", args=[1]))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        title = {"title": gettext("What counts as an alarm, and who is told"), "subtitle": None}
        return super().changeform_view(request, object_id, form_url, title | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: AlarmSettings, form: Any, change: bool) -> None:
        obj.mail_to = form.cleaned_data["mail_to"]
        obj.not_told = [kind for kind in AlarmKind.values if kind not in form.cleaned_data["told"]]
        # Only what the form knows: the duty writes the rest meanwhile.
        obj.save(update_fields=[*AlarmSettingsForm.Meta.fields, "mail_to", "not_told"])
        if "webhook_url" in form.changed_data:
            secret = set_webhook(form.cleaned_data["webhook_url"])
            if secret:
                said = gettext("What is posted there is signed with this secret, which is not shown again: {secret}")
                messages.warning(request, said.format(secret=secret))
        elif form.is_given_up:
            reopen_webhook()

    def response_post_save_change(self, request: HttpRequest, obj: AlarmSettings) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:tasks_alarm_changelist"))
