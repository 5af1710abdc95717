"""Template filters about people and what they use."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext

from accounts.browsers import browser_of, system_of

register = template.Library()


@register.filter
def browser(user_agent: str) -> str:
    """Return what a browser is called: “Firefox 140 on Windows”."""
    name, system = browser_of(user_agent) or gettext("Unknown browser"), system_of(user_agent)
    return gettext("{browser} on {system}").format(browser=name, system=system) if system else name
