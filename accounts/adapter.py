"""Joins django-allauth to the portal: who may sign up, and under which address."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.models import Plan, User
from accounts.system import is_reserved


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Strangers sign up only where `SIGNUP=open` says so."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def new_user(self, request: HttpRequest) -> User:
        """Return an account to fill in, with the plan that new users get."""
        return User(plan=Plan.objects.get(is_default=True))

    def clean_email(self, email: str) -> str:
        """Refuse addresses that nobody can have: whoever had the system's would be the system.

        Raises:
            ValidationError: it is one.
        """
        if is_reserved(email):
            raise ValidationError("This is nobody's address.")
        return str(super().clean_email(email))
