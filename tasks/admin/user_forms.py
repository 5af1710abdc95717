"""The forms of people and their limits: a new user, a user, a plan, one changed limit, a boost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Plan, PlanOverride, User
from accounts.models.plan import Limit
from tasks.admin.size_field import SizeField

LONGEST = timedelta(days=3653)
# Of one lane, seconds of an attempt, days and bytes; and what a count may be in its column.
MOST = {
    Limit.SLOTS: 10_000,
    Limit.LONGEST_TIMEOUT: 30 * 24 * 3600,
    Limit.KEEP_DAYS: 36_500,
    Limit.FILE_BYTES: 10**15,
}
MOST_COUNT = 2_147_483_647


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """Makes a user with a password, or without one for people who sign in otherwise."""

    class Meta:
        model = User
        fields = ("email", "name", "plan")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].initial = Plan.objects.filter(is_default=True).first()

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is a user with this address.")
        return email


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    # How a password is stored is nobody's business: the page says whether there is one.
    password = None  # type: ignore[assignment]

    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        return email

    def clean_time_zone(self) -> str:
        """Refuse what is no time zone: every page of the user shows times in it."""
        name: str = self.cleaned_data["time_zone"]
        if name and name not in available_timezones():
            raise ValidationError("There is no such time zone. They are named as Europe/Berlin.")
        return name


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """Django's, with titles as all other forms have them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    """A plan, within the bounds of each limit."""

    file_bytes = SizeField(
        label=gettext_lazy("File storage"),
        initial=5 * 2**30,
        help_text=gettext_lazy("What a user's files may take: 500 MB, 10 GB."),
    )

    class Meta:
        model = Plan
        fields = ("name", *Limit.values)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for limit in Limit.values:
            if fault := fault_of(limit, cleaned.get(limit)):
                self.add_error(limit, fault)
        return cleaned


class OverrideForm(forms.ModelForm):  # type: ignore[type-arg]
    """One limit changed for one user."""

    class Meta:
        model = PlanOverride
        fields = ("limit", "value", "reason", "ends_at")

    def clean(self) -> dict[str, Any]:
        """Refuse values that the limit cannot have, and what would be over before it begins."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if fault := fault_of(cleaned.get("limit"), cleaned.get("value")):
            self.add_error("value", fault)
        ends_at = cleaned.get("ends_at")
        if ends_at and self.has_changed():
            if ends_at <= timezone.now():
                self.add_error("ends_at", "This is in the past: the change would have no effect.")
            elif ends_at > timezone.now() + LONGEST:
                self.add_error(
                    "ends_at", "This is more than ten years from now. Leave it empty for one without an end."
                )
        return cleaned


LENGTHS = [(1, gettext_lazy("a day")), (7, gettext_lazy("a week")), (30, gettext_lazy("30 days"))]


class BoostForm(forms.Form):
    """A limit changed for a while, as operators give it."""

    limit = forms.ChoiceField(choices=Limit.choices, initial=Limit.SLOTS)
    value = forms.FloatField()
    days = forms.TypedChoiceField(
        coerce=int,
        label=gettext_lazy("For"),
        initial=1,
        choices=LENGTHS,
    )
    reason = forms.CharField(max_length=200, widget=AdminTextInputWidget, help_text=gettext_lazy("For the audit log."))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if fault := fault_of(cleaned.get("limit"), cleaned.get("value")):
            self.add_error("value", fault)
        return cleaned


def fault_of(limit: str | None, value: float | None) -> str:
    """Say what is wrong with a value of a limit; nothing where it may be so, or there is none to look at."""
    if limit is None or value is None:
        return ""
    if limit == Limit.WEIGHT:
        return "" if 0.1 <= value <= 1000 else gettext("A weight is between 0.1 and 1000.")
    if limit == Limit.MAX_PRIORITY:
        return "" if value in range(1, 11) else gettext("A priority is a whole number from 1 to 10.")
    if value < 0 or value != int(value):
        return "This limit is a whole number, not below zero."
    most = MOST.get(Limit(limit), MOST_COUNT)
    return f"This limit is at most {most:,}." if value > most else ""
