"""A status as every page shows it, and every column of the operators' lists."""

from __future__ import annotations

from functools import cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from tasks.ui.words import look_of_status


def status_badge(status: str) -> SafeString:
    """Return a status as text, icon and colour, in the reader's language."""
    return _badge(status, get_language())


@cache
def _badge(status: str, language: str | None) -> SafeString:
    # A list has fifty of these.
    return render_to_string("ui/status.html", {"look": look_of_status(status)})
