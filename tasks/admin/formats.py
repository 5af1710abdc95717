"""How values look on the operators' screens: statuses, times, ids, sizes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = "–"

# What is no status of a task: of attempts, nodes and queues. Words, icon, tone.
OTHER_LOOKS = {
    "timed_out": ("Timed out", "timer", "bad"),
    "snoozed": ("Snoozed", "bed", "idle"),
    "busy": ("Model servers busy", "hourglass", "idle"),
    "died": ("Worker died", "circle-x", "bad"),
    "lost": ("Lost", "circle-x", "bad"),
    "returned": ("Went back", "rotate-ccw", "idle"),
    "alive": ("Alive", "circle-check", "ok"),
    "draining": ("Draining", "circle-slash", "warn"),
    "stopped": ("Stopped", "circle", "idle"),
    "silent": ("Silent", "triangle-alert", "bad"),
    "open": ("Open", "circle-check", "ok"),
    "paused": ("Paused", "pause", "warn"),
    "active": ("Active", "circle-check", "ok"),
    "held_user": ("Held", "pause", "warn"),
    "revoked": ("Revoked", "ban", "idle"),
    "past": ("Expired", "timer", "idle"),
}


@cache
def status_tag(status: str) -> SafeString:
    """Return a status as the portal's pages show it: text, icon and colour."""
    label, icon, tone = OTHER_LOOKS.get(status, ("", "", ""))
    look = {"status": status, "label": label, "icon": icon, "tone": tone}
    return render_to_string("admin/parts/status.html", look)


def link_button(url: str, label: str) -> SafeString:
    return format_html('<a class="button small" href="{}">{}</a>', url, label)


def duration_text(seconds: float | None) -> str:
    """Return a duration, in the words of the portal's pages.

    >>> duration_text(0.0423), duration_text(5.25), duration_text(75), duration_text(7300)
    ('42 ms', '5.2 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def between(start: datetime | None, end: datetime | None) -> str:
    """Return the time from start to end; a dash when either is missing."""
    return duration_text((end - start).total_seconds()) if start and end else NOTHING


def moment(when: datetime | None) -> SafeString | str:
    """Return a time to the second, in the reader's time zone; the year only when it is another one."""
    if when is None:
        return NOTHING
    local = timezone.localtime(when)
    pattern = "%-d %b %H:%M:%S" if local.year == timezone.localtime().year else "%-d %b %Y %H:%M:%S"
    full = local.strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html(
        '<time class="nowrap" datetime="{}" title="{}">{}</time>', local.isoformat(), full, local.strftime(pattern)
    )


def size_text(size: float | None) -> str:
    """Return a number of bytes, in the words of the portal's pages: powers of 1,000.

    >>> size_text(999), size_text(1200), size_text(5_368_709_120)
    ('999 B', '1.2 kB', '5.4 GB')
    """
    if size is None:
        return NOTHING
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"
    return f"{size / 1000:.1f} TB"


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
    if user is None:
        return NOTHING
    return format_html('<a href="{}">{}</a>', reverse("admin:accounts_user_change", args=[user.pk]), user.email)


def age(when: datetime | None, now: datetime) -> str:
    return duration_text(max(timedelta(), now - when).total_seconds()) if when else NOTHING
