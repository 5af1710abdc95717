"""Joins django-allauth to the portal: who may sign up, under which address, and how often one may guess."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase

from accounts.guessing import one_try
from accounts.known_browsers import remember_browser
from accounts.languages import remember
from accounts.models import Plan, User
from accounts.system import is_reserved

logger = logging.getLogger(__name__)


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

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return whose password this is. Every way to sign in by password comes here, the admin's included.

        Raises:
            ValidationError: there were too many wrong ones; the password was not looked at.
        """
        with one_try(request, "password", credentials.get("email", "")) as tried:
            user: User | None = super().authenticate(request, **credentials)
            if user is not None:
                tried.succeeded()
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        # Not for whom: people write their password into the wrong field.
        logger.info("Wrong password from %s.", request.META.get("REMOTE_ADDR", ""))

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponseBase:
        """Answer somebody who has signed in, and know their browser from now on."""
        response: HttpResponseBase = super().post_login(request, user, **options)
        remember_browser(request, response, user.email)
        if user.language:
            remember(response, user.language)
        return response
