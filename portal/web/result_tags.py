"""Template tags of results: addresses of their files, one's own or those below a link that was given away."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

register = template.Library()

# Addresses below a task's own; files have theirs.
OF_TASK = frozenset({"result", "result-text", "result-markdown", "table", "workbook"})


@register.simple_tag(takes_context=True)
def result_url(context: template.Context, name: str, *args: Any) -> str:
    """Return where something of the shown result is, for whoever looks at it."""
    if secret := context.get("share_secret"):
        return reverse(f"web:shared-{name}", args=[secret, *args])
    return reverse(f"web:{name}", args=[context["task"].pk, *args] if name in OF_TASK else args)
