"""Demands a second factor of operators, where `STAFF_SECOND_FACTOR` says so: without one, they are led to set it up.

Whoever has one is asked for it at sign-in, by allauth. What is here is for those who have none: with a password alone
they reach the pages below `account/`, and nothing else, so that no token can be made with a password alone either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.core.checks import CheckMessage, Warning
from django.db.models import Exists, OuterRef, QuerySet
from django.db.utils import DatabaseError
from django.http import HttpRequest, HttpResponseBase, HttpResponseForbidden
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Recovery codes stand in for one of these.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
FREE = ("/account/", "/static/", "/health/")
API = "/api/"
DEMANDED = gettext_lazy("Operators of this portal sign in with a second factor. Set one up here; then you can go on.")
MOST_NAMES = 10


class FactorDemanded(HttpResponseForbidden):
    """A refusal that says why; the API makes a problem of it (`tasks.api.middleware`)."""

    detail = DEMANDED


class SecondFactorMiddleware:
    """Leads operators who have no second factor to where they set it up. Comes after sessions, users and messages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not settings.STAFF_SECOND_FACTOR or request.path_info.startswith(FREE) or not _session_lacks_factor(request):
            return self.get_response(request)
        if request.path_info.startswith(API):
            return FactorDemanded(str(DEMANDED))
        # Parts of pages that refresh themselves would heap it up.
        if "HX-Request" not in request.headers:
            messages.warning(request, str(DEMANDED))
        return redirect(reverse("mfa_activate_totp"))


def lacks_factor(user: User) -> bool:
    """Say whether a session of this user is good for nothing: a factor is demanded of them, and they have none."""
    if not settings.STAFF_SECOND_FACTOR or not user.is_staff:
        return False
    return not Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def staff_without_factor() -> QuerySet[User]:
    """Return the operators who could sign in with a password alone."""
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    return User.objects.filter(~Exists(factors), is_staff=True, is_active=True).order_by("email")


def remove_factors(user: User) -> int:
    """Remove all second factors of a user, recovery codes included; return how many there were."""
    count, _ = Authenticator.objects.filter(user=user).delete()
    return int(count)


def check_staff(*, databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Say whose account a password alone opens: for `manage.py check --database default`."""
    if not databases or not settings.STAFF_SECOND_FACTOR:
        return []
    try:
        names = list(staff_without_factor().values_list("email", flat=True)[: MOST_NAMES + 1])
    except DatabaseError:
        # No tables yet: that is for migrations to say.
        return []
    if not names:
        return []
    shown = ", ".join(names[:MOST_NAMES]) + (" and others" if len(names) > MOST_NAMES else "")
    return [
        Warning(
            f"STAFF_SECOND_FACTOR is on, and these operators have none yet: {shown}.",
            hint="They are led to set one up when they sign in. Until then their password alone opens the account.",
            id="accounts.W001",
        )
    ]


def _session_lacks_factor(request: HttpRequest) -> bool:
    if SESSION_KEY not in request.session:
        return False
    # Programs come with tokens, which were made by somebody who had signed in. What the API is given there counts in
    # place of the session, or is refused; every other page takes the session, whatever stands beside it.
    if request.path_info.startswith(API) and request.headers.get("Authorization"):
        return False
    return isinstance(request.user, User) and lacks_factor(request.user)
