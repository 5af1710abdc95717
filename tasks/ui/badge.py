"""A status as every page shows it, and every column of the operators' lists."""

from __future__ import annotations

from functools import cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tasks.ui.words import look_of_status


@cache
def status_badge(status: str) -> SafeString:
    """Return a status as text, icon and colour."""
    return render_to_string("ui/status.html", {"look": look_of_status(status)})
