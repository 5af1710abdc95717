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

from tasks.measures import NOTHING, duration_text

# What is no status of a task: of attempts, nodes and queues. Words, icon, tone.
OTHER_LOOKS = {
    "timed_out": ("Timed out", "timer", "bad"),
    "snoozed": ("Snoozed", "bed", "idle"),
    "busy": ("Model servers busy", "hourglass", "idle"),
    "unreachable": ("No model server answered", "triangle-alert", "warn"),
    "died": ("Worker died", "circle-x", "bad"),
    "lost": ("Lost", "circle-x", "bad"),
    "returned": ("Went back", "rotate-ccw", "idle"),
    "started_others": ("Started other tasks", "layers", "idle"),
    "alive": ("Alive", "circle-check", "ok"),
    "draining": ("Draining", "circle-slash", "warn"),
    "stopped": ("Stopped", "circle", "idle"),
    "silent": ("Silent", "triangle-alert", "bad"),
    "open": ("Open", "circle-check", "ok"),
    "paused": ("Paused", "pause", "warn"),
    "active": ("Active", "circle-check", "ok"),
    "held_user": ("Held", "pause", "warn"),
    "revoked": ("Revoked", "ban", "idle"),
    "well": ("Well", "circle-check", "ok"),
    "broken": ("Breaker open", "circle-x", "bad"),
    "trial": ("Half open", "timer", "warn"),
    "resting": ("Resting", "pause", "warn"),
    "failing": ("Failing", "triangle-alert", "warn"),
    "drained": ("Drained", "ban", "idle"),
    "unnamed": ("Named no more", "circle-dashed", "idle"),
    "unchecked": ("Not checked yet", "circle-dashed", "idle"),
    "disabled": ("Disabled", "ban", "bad"),
    "pending": ("Pending", "hourglass", "idle"),
    "past": ("Expired", "timer", "idle"),
    "ended": ("Ended", "circle-dashed", "idle"),
    "refused": ("Refused", "circle-x", "bad"),
    "skipped": ("Skipped", "ban", "idle"),
    "finished": ("Finished", "circle-check", "ok"),
    "submitted": ("Submitted", "circle-check", "ok"),
}


@cache
def status_tag(status: str) -> SafeString:
    """Return a status as the portal's pages show it: text, icon and colour."""
    label, icon, tone = OTHER_LOOKS.get(status, ("", "", ""))
    look = {"status": status, "label": label, "icon": icon, "tone": tone}
    return render_to_string("admin/parts/status.html", look)


def link_button(url: str, label: str) -> SafeString:
    return format_html('<a class="button small" href="{}">{}</a>', url, label)


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
