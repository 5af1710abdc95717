"""What every page of the portal says about the installation: the banner, maintenance, whether it is a demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    return {"banner": settings.BANNER, "maintenance": settings.MAINTENANCE, "demo": settings.PORTAL_DEMO}
