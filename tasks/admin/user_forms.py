"""The forms of the users' screen: a new user with a password, a user, one changed limit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError

from accounts.models import Plan, PlanOverride, User
from accounts.models.plan import Limit


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
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        return email


class OverrideForm(forms.ModelForm):  # type: ignore[type-arg]
    """One limit changed for one user."""

    class Meta:
        model = PlanOverride
        fields = ("limit", "value", "reason", "ends_at")

    def clean(self) -> dict[str, Any]:
        """Refuse values that the limit cannot have: the database would, or tasks would get stuck."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        limit, value = cleaned.get("limit"), cleaned.get("value")
        if limit is None or value is None:
            return cleaned
        if limit == Limit.WEIGHT and not 0.1 <= value <= 1000:
            self.add_error("value", "A weight is between 0.1 and 1000.")
        elif limit == Limit.MAX_PRIORITY and value not in range(1, 11):
            self.add_error("value", "A priority is a whole number from 1 to 10.")
        elif limit != Limit.WEIGHT and (value < 0 or value != int(value)):
            self.add_error("value", "This limit is a whole number, not below zero.")
        return cleaned
