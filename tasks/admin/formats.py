"""How values look on the operators' screens: times, counts, links."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from tasks.measures import NOTHING, size_text
from tasks.ui.words import ago, duration


def link_button(url: str, label: str) -> SafeString:
    return format_html('<a class="button small" href="{}">{}</a>', url, label)


def between(start: datetime | None, end: datetime | None) -> str:
    """Return the time from start to end; a dash when either is missing."""
    return duration((end - start).total_seconds()) if start and end else NOTHING


def moment(when: datetime | None) -> SafeString | str:
    """Return a time to the second, in the reader's time zone; the year only when it is another one."""
    if when is None:
        return NOTHING
    local = timezone.localtime(when)
    day = date_format(local, "MONTH_DAY_FORMAT" if local.year == timezone.localtime().year else "SHORT_DATE_FORMAT")
    full = local.strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html(
        '<time class="nowrap" datetime="{}" title="{}">{}</time>', local.isoformat(), full, f"{day} {local:%H:%M:%S}"
    )


def value_text(name: str, value: Any) -> Any:
    """Return a value of a table's column as people read it.

    >>> value_text("file_bytes", 1_200_000), value_text("slots", 1000), value_text("weight", 2.0), value_text("x", [])
    ('1.2 MB', '1,000', '2', '–')
    """
    if value is None or value in ("", []):
        return NOTHING
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, int | float):
        return size_text(value) if name.endswith("_bytes") else f"{value:,.4g}" if value % 1 else f"{value:,.0f}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def percent_text(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f} %"


def capped_text(count: int, cap: int) -> str:
    """Return a count that was not counted beyond `cap`.

    >>> capped_text(7, 10), capped_text(10_001, 10_000)
    ('7', '10,000+')
    """
    return f"{cap:,}+" if count > cap else f"{count:,}"


def task_link(task_id: UUID | str | None) -> SafeString | str:
    """Return a link to a task; ids sort by time, so both ends are needed to tell two apart."""
    if not task_id:
        return NOTHING
    text = str(task_id)
    return format_html(
        '<a class="id" href="{}" title="{}">{}…{}</a>',
        reverse("admin:tasks_task_change", args=[text]),
        text,
        text[:8],
        text[-6:],
    )


def user_link(user: Any) -> SafeString | str:
    """Return a link to what the user's tasks do; their account is one step further."""
    if user is None:
        return NOTHING
    return format_html('<a href="{}">{}</a>', reverse("admin:accounts_user_work", args=[user.pk]), user.email)


def age(when: datetime | None, now: datetime) -> str:
    """Return how long ago something was."""
    return ago(max(timedelta(), now - when).total_seconds()) if when else NOTHING
