"""What every page of the portal says about the installation (banner, maintenance, demo), and how much has ended."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from tasks.notices.ended import count_ended_lately


def portal(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    return {
        "banner": settings.BANNER,
        "maintenance": settings.MAINTENANCE,
        "demo": settings.PORTAL_DEMO,
        "sharing": settings.SHARING,
        "signup_open": settings.SIGNUP == "open",
        # Found out where a page shows it.
        "ended_count": partial(count_ended_lately, user) if user is not None and user.is_authenticated else 0,
    }
