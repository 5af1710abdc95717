"""Who is at the operators' pages."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User

# Sent by pages that renew themselves: `operations.js`, htmx.
HX_REQUEST = "HX-Request"


def operator_of(request: HttpRequest) -> User:
    """Return the person who is signed in.

    Raises:
        PermissionDenied: nobody is; the site lets nobody in who is not.
    """
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
