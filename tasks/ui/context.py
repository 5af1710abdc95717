"""What the frame of every page knows: the theme the user chose, the user's time zone, what its scripts say."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from tasks.ui.script_words import script_words

THEMES = ("light", "dark")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the variables of the page frame. Also used where there is no user yet (errors in middleware)."""
    theme = request.COOKIES.get("theme", "")
    return {
        "theme": theme if theme in THEMES else "",
        "user_time_zone": time_zone_of(getattr(request, "user", None)),
        "script_words": script_words(get_language() or settings.LANGUAGE_CODE),
        "languages": settings.LANGUAGES,
    }


def time_zone_of(user: Any) -> Any:
    """Return the user's time zone, or the portal's."""
    try:
        return ZoneInfo(getattr(user, "time_zone", "") or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return timezone.get_default_timezone()
