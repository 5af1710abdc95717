"""Types for views behind sign-in."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """What a view under `login_required` gets: its user is never anonymous."""

    user: User


def origin_of(request: HttpRequest) -> str:
    """Return where the person reaches the portal: a scheme and a host, which Django has checked."""
    return request.build_absolute_uri("/").rstrip("/")
