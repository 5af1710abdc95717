"""The times of a schedule as a form: at a time of day in some zone, at an interval, or by a cron expression."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from tasks.errors import Fault
from tasks.models import Schedule
from tasks.models.schedule import CatchUp, Overlap
from tasks.rhythm import DAILY, MONTHLY, ON_WEEKDAYS, WEEK, WEEKLY, Rhythm, rhythm_of, weekday_name
from tasks.schedules.times import time_zones

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

CRON, INTERVAL = "cron", "interval"
RHYTHMS = (DAILY, ON_WEEKDAYS, WEEKLY, MONTHLY)
HOW = [
    (DAILY, gettext_lazy("every day")),
    (ON_WEEKDAYS, gettext_lazy("on weekdays")),
    (WEEKLY, gettext_lazy("weekly")),
    (MONTHLY, gettext_lazy("monthly")),
    (INTERVAL, gettext_lazy("at an interval")),
    (CRON, gettext_lazy("by a cron expression")),
]
# They are told as an expression.
FOR_PEOPLE = frozenset({"how", "at", "weekdays", "day"})
KEPT = ("name", "time_zone", "start_at", "end_at", "overlap", "catch_up", "most_runs")
UNITS = {
    "1": gettext_lazy("seconds"),
    "60": gettext_lazy("minutes"),
    "3600": gettext_lazy("hours"),
    "86400": gettext_lazy("days"),
}
LOCAL_TIME = "%Y-%m-%dT%H:%M"


def _moment(label: StrPromise, help_text: StrPromise) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL_TIME)
    return forms.DateTimeField(label=label, required=False, widget=widget, help_text=help_text)


class TimesForm(forms.Form):
    """When it runs. What the lifecycle refuses is shown at the field that means it."""

    name = forms.CharField(max_length=200, required=False, help_text=gettext_lazy("For your list."))
    how = forms.ChoiceField(
        label=gettext_lazy("How often"), choices=HOW, widget=forms.RadioSelect, required=False, initial=DAILY
    )
    at = forms.TimeField(
        label=gettext_lazy("At"),
        required=False,
        initial="09:00",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On"),
        coerce=int,
        required=False,
        choices=[(day, weekday_name(day)) for day in WEEK],
        widget=forms.CheckboxSelectMultiple,
        initial=[],
    )
    day = forms.IntegerField(
        label=gettext_lazy("On day"),
        required=False,
        initial=1,
        min_value=1,
        max_value=31,
        help_text=gettext_lazy("Of the month; months without it are left out."),
    )
    cron = forms.CharField(
        label=gettext_lazy("Cron expression"),
        initial="",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "0 6 * * mon-fri", "class": "code", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Minute, hour, day, month, weekday. “0 6 * * mon-fri” is at six from Monday to "
            "Friday, “30 8 1 * *” at half past eight on the first of each month; “@daily” works, too."
        ),
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), help_text=gettext_lazy("Of these times."))
    every = forms.IntegerField(
        label=gettext_lazy("Every"),
        initial=1,
        required=False,
        min_value=1,
        max_value=100_000_000,
    )
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=list(UNITS.items()), initial="3600", required=False)
    start_at = _moment(gettext_lazy("Start"), gettext_lazy("No run before."))
    end_at = _moment(gettext_lazy("End"), gettext_lazy("No run after."))
    most_runs = forms.IntegerField(
        label=gettext_lazy("Number of runs"), required=False, min_value=1, help_text=gettext_lazy("Then it ends.")
    )
    overlap = forms.ChoiceField(
        label=gettext_lazy("While the previous task has not ended"), choices=Overlap.choices, initial=Overlap.SKIP
    )
    catch_up = forms.ChoiceField(
        label=gettext_lazy("After an outage, make up for"), choices=CatchUp.choices, initial=CatchUp.ONE
    )

    def __init__(self, zone: ZoneInfo, *args: Any, **options: Any) -> None:
        """`zone` is the reader's: what start and end are written in, and what the times start with."""
        super().__init__(*args, **options | {"prefix": "times"})
        self._zone = zone
        field = self.fields["time_zone"]
        field.choices = [(name, name) for name in sorted(time_zones())]  # type: ignore[attr-defined]
        field.initial = zone.key if zone.key in time_zones() else "UTC"

    def full_clean(self) -> None:
        with timezone.override(self._zone):
            super().full_clean()

    def clean(self) -> dict[str, Any]:
        """Turn what was chosen into an expression; what was typed beside it does not count."""
        values = super().clean() or self.cleaned_data
        how = values.get("how")
        for kind, field in ((CRON, "cron"), (INTERVAL, "every")):
            if how and how != kind:
                values[field] = "" if kind == CRON else None
        if how in RHYTHMS and not self.errors:
            self._check_rhythm(how, values)
            if not self.errors:
                at = values["at"]
                weekdays = tuple(values["weekdays"]) if how == WEEKLY else ()
                day = values["day"] if how == MONTHLY else 0
                values["cron"] = Rhythm(how, at.hour, at.minute, weekdays=weekdays, day=day).cron
        return values

    def _check_rhythm(self, how: str, values: dict[str, Any]) -> None:
        if values["at"] is None:
            self.add_error("at", gettext("Choose a time of day."))
        if how == WEEKLY and not values["weekdays"]:
            self.add_error("weekdays", gettext("Choose a day of the week."))
        if how == MONTHLY and values["day"] is None:
            self.add_error("day", gettext("Choose a day of the month."))

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        """Those that most schedules leave as they are."""
        return [self[name] for name in ("start_at", "end_at", "most_runs", "overlap", "catch_up")]

    @property
    def chosen(self) -> dict[str, Any]:
        """The times as arguments of `Draft`."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in FOR_PEOPLE}
        every, unit = values.pop("every"), values.pop("unit")
        interval = every * int(unit or 3600) if every else None
        return values | {"cron": values["cron"].strip() or None, "interval_seconds": interval}

    def add_faults(self, faults: list[Fault]) -> None:
        """Show each fault at its field, or above all fields."""
        for fault in faults:
            name = fault.pointer.strip("/").split("/")[0]
            field = {"interval_seconds": "every"}.get(name, name)
            detail = fault.detail
            if fault.code == "one_of":
                detail = "Fill in one of the two: times, or an interval."
            self.add_error(field if field in self.fields else None, detail)


def times_of(schedule: Schedule) -> dict[str, Any]:
    """Return what the form shows of a schedule that there is."""
    given = {name: getattr(schedule, name) for name in KEPT}
    if schedule.cron is None:
        seconds = schedule.interval_seconds or 0
        unit = next((unit for unit in sorted(UNITS, key=int, reverse=True) if seconds % int(unit) == 0), "1")
        return given | {"how": INTERVAL, "every": seconds // int(unit), "unit": unit}
    rhythm = rhythm_of(schedule.cron)
    if rhythm is None:
        return given | {"how": CRON, "cron": schedule.cron}
    at = time(rhythm.hour, rhythm.minute)
    return given | {"how": rhythm.how, "at": at, "weekdays": rhythm.weekdays, "day": rhythm.day or None}
