"""Types for views behind sign-in."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """What a view under `login_required` gets: its user is never anonymous."""

    user: User
