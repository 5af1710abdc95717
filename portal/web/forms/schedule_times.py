"""The times of a schedule as a form: a cron expression in the local time of a zone, or an interval."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from tasks.errors import Fault
from tasks.models.schedule import CatchUp, Overlap
from tasks.schedules.times import time_zones

UNITS = {"60": "minutes", "3600": "hours", "86400": "days"}
LOCAL_TIME = "%Y-%m-%dT%H:%M"


def _moment(label: str, help_text: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL_TIME)
    return forms.DateTimeField(label=label, required=False, widget=widget, help_text=help_text)


class TimesForm(forms.Form):
    """When it runs. What the lifecycle refuses is shown at the field that means it."""

    field_order = (
        "cron", "time_zone", "every", "unit", "start_at", "end_at", "overlap", "catch_up", "most_runs", "name",
    )  # fmt: skip

    name = forms.CharField(max_length=200, required=False, help_text="For your list.")
    cron = forms.CharField(
        label="At times",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "0 6 * * mon-fri", "class": "code", "spellcheck": "false"}),
        help_text="A cron expression: minute, hour, day, month, weekday. “0 6 * * mon-fri” is at six from Monday to "
        "Friday, “30 8 1 * *” at half past eight on the first of each month; “@daily” works, too.",
    )
    time_zone = forms.ChoiceField(label="Time zone", help_text="Of these times.")
    every = forms.IntegerField(
        label="Or every", required=False, min_value=1, max_value=100_000, help_text="Instead of times: an interval."
    )
    unit = forms.ChoiceField(label="Unit", choices=list(UNITS.items()), initial="3600", required=False)
    start_at = _moment("Start", "No run before.")
    end_at = _moment("End", "No run after.")
    most_runs = forms.IntegerField(label="Number of runs", required=False, min_value=1, help_text="Then it ends.")
    overlap = forms.ChoiceField(
        label="While the previous task has not ended", choices=Overlap.choices, initial=Overlap.SKIP
    )
    catch_up = forms.ChoiceField(label="After an outage, make up for", choices=CatchUp.choices, initial=CatchUp.ONE)

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

    @property
    def chosen(self) -> dict[str, Any]:
        """The times as arguments of `Draft`."""
        values = dict(self.cleaned_data)
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
