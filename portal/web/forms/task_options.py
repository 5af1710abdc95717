"""The options of a submission: priority with what it costs, timeout, attempts, start, name, tags."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from accounts.limits import Limits
from tasks.errors import Fault
from tasks.lifecycle import admit
from tasks.names import MOST_OF_A_LINE
from tasks.registry import TaskType
from tasks.ui.sentences import in_language

PRIORITY_NAMES = {1: "background", 3: "low", 5: "normal", 7: "high", 9: "urgent"}


class OptionsForm(forms.Form):
    """What every task type has in common. Empty means: as the task type says."""

    name = forms.CharField(
        required=False,
        max_length=MOST_OF_A_LINE,
        help_text=gettext_lazy("Empty: its file, or the beginning of its text."),
    )
    priority = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)
    on_quota = forms.BooleanField(
        label=gettext_lazy("Lower the priority when the allowance is used up"),
        help_text=gettext_lazy("Otherwise the task is refused, and you can choose again."),
        required=False,
    )
    run_after = forms.DateTimeField(
        label=gettext_lazy("Start no earlier than"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    timeout = forms.IntegerField(label=gettext_lazy("Timeout in seconds"), required=False, min_value=1)
    max_attempts = forms.IntegerField(label=gettext_lazy("Attempts"), required=False, min_value=1, max_value=20)
    tags = forms.CharField(required=False, help_text=gettext_lazy("To find the task again; separated by commas."))

    def __init__(self, definition: TaskType, limits: Limits, quota: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"prefix": "options"})
        self.quota = quota
        self.fields["priority"].choices = _priority_choices(definition, limits, quota)  # type: ignore[attr-defined]
        self.fields["priority"].help_text = gettext(
            "A higher one starts earlier among your own tasks and a little earlier among everyone's. "
            "Your plan goes up to {highest}."
        ).format(highest=limits.max_priority)
        self.fields["timeout"].help_text = gettext("For one attempt; {usual} if left empty, {most} at most.").format(
            usual=min(definition.timeout, limits.longest_timeout), most=limits.longest_timeout
        )
        self.fields["max_attempts"].help_text = gettext("{usual} if left empty.").format(usual=definition.max_attempts)
        if limits.max_priority <= admit.HIGHEST_FREE:
            del self.fields["on_quota"]

    def clean_tags(self) -> list[str]:
        return [tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()]

    @property
    def chosen(self) -> dict[str, Any]:
        """The options as arguments of `Submission`."""
        values = dict(self.cleaned_data)
        values["on_quota"] = "downgrade" if values.get("on_quota") else "reject"
        return values

    def add_faults(self, faults: list[Fault]) -> None:
        """Show each fault at its field, or above all fields."""
        for fault in faults:
            name = fault.pointer.strip("/").split("/")[0]
            self.add_error(name if name in self.fields else None, fault.detail)


def _priority_choices(definition: TaskType, limits: Limits, quota: dict[str, Any]) -> list[tuple[Any, str]]:
    usual = min(definition.priority, limits.max_priority)
    choices: list[tuple[Any, str]] = [("", gettext("{priority} – usual for this type").format(priority=usual))]
    for level in range(limits.max_priority, 0, -1):
        name = f" {in_language(PRIORITY_NAMES[level])}" if level in PRIORITY_NAMES else ""
        choices.append((level, f"{level}{name}{_cost(level, quota)}"))
    return choices


def _cost(level: int, quota: dict[str, Any]) -> str:
    if (band := admit.band(level)) == "none":
        return ""
    allowance = quota["allowances"][band]
    if allowance["limit"] is None:
        return gettext(" · {allowance}, no limit").format(allowance=in_language(band))
    left = max(0, allowance["limit"] - allowance["used"])
    words = gettext(" · costs 1 of {left} {allowance} left today") if left else gettext(" · no {allowance} left today")
    return words.format(left=f"{left:,}", allowance=in_language(band))
