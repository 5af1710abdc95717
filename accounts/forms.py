"""Forms of allauth: those where somebody might be guessing have our counters instead of its own.

Its own are kept in Django's cache, which each process has for itself.
"""

from __future__ import annotations

import struct
from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, SignupForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, LoginWebAuthnForm
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy

from accounts.guessing import count_sign_up, one_try
from accounts.sessions import REMEMBERED


class RememberingLoginForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """An address with its password; counted by the adapter, which sees every password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["remember"].label = gettext_lazy("Remember me on this device")

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponseBase:
        response: HttpResponseBase = super().login(request, redirect_url)
        # Where a second factor is asked for, the session stays the same until that is right.
        request.session[REMEMBERED] = self.cleaned_data["remember"]
        return response


class CountedAuthenticateForm(AuthenticateForm):  # type: ignore[misc]
    """The code of a second factor, behind a right password."""

    def clean_code(self) -> str:
        with one_try(context.request, "code", self.user.email) as tried:
            code = str(super().clean_code())
            tried.succeeded()
        return code


class CountedReauthenticateForm(ReauthenticateForm):  # type: ignore[misc]
    """The code of a second factor, before something that a stolen session must not do."""

    def clean_code(self) -> str:
        with one_try(context.request, "code", self.user.email) as tried:
            code = str(super().clean_code())
            tried.succeeded()
        return code


class CountedChangePasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """A new password for who knows the old one."""

    def clean_oldpassword(self) -> str:
        with one_try(context.request, "password", self.user.email) as tried:
            password = str(super().clean_oldpassword())
            tried.succeeded()
        return password


class CountedSignupForm(SignupForm):  # type: ignore[misc]
    """A new account."""

    def clean(self) -> dict[str, Any]:
        count_sign_up(context.request)
        return dict(super().clean())


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey; without the tick a key that is only asked for beside the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = gettext_lazy("Name")
        self.fields["name"].help_text = gettext_lazy("To tell it from others: “My phone”, “Key at the office”.")
        self.fields["passwordless"].label = gettext_lazy("Sign in with it alone, without the password")
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].help_text = gettext_lazy(
            "The device asks for your finger, face or PIN. Take the tick away for a key that has none of them."
        )


class PasskeySignInForm(LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey's answer, which anybody may send: what cannot be one is no other than a wrong one."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except (LookupError, AttributeError, RecursionError, struct.error) as error:
            # The library that takes it apart leaves these to its callers.
            raise get_adapter().validation_error("incorrect_code") from error
