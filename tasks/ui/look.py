"""Template tags for how things look and read: icons, statuses, times, sizes, progress."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeData, SafeString
from django.utils.translation import gettext

from tasks.measures import NOTHING, size_text
from tasks.models import Task
from tasks.registry import TaskType, known_type
from tasks.rhythm import place_of
from tasks.ui import sentences, words
from tasks.ui.badge import status_badge
from tasks.ui.icon_files import UnusableIcon, shapes_of
from tasks.ui.subject import subject

register = template.Library()


@register.simple_tag
def icon(name: str | Path, label: str = "") -> SafeString:
    """Draw an icon (Lucide, ISC licence; or a file of an app) as inline SVG.

    Without a label it is hidden from screen readers.
    """
    naming = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9" '
        'stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        naming,
        shapes_of(name),
    )


@register.simple_tag
def type_icon(name: str) -> SafeString:
    """Draw the icon of a task type; a plain one for those of an older installation, and where its own is no good."""
    definition = known_type(name)
    try:
        return icon(definition.icon if definition else TaskType.icon)
    except UnusableIcon:
        # The checks at start have told the operators; nobody else need see a page fail.
        return icon(TaskType.icon)


@register.filter
def type_title(name: str) -> str:
    return words.title_of_type(name)


register.simple_tag(status_badge)


@register.filter
def duration(seconds: float | timedelta | None) -> str:
    """Return a duration for people."""
    return words.duration(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)


@register.filter
def span(expected: tuple[float, float, float]) -> str:
    """Return a range of seconds, such as that in which a task starts: from its 10th percentile to its 90th."""
    least, _, most = expected
    return words.span(least, most)


register.filter("size", size_text)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString:
    """Say how long ago, or how soon, with the exact time as title; a script keeps it current."""
    if moment is None:
        return SafeString("–")
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        moment.isoformat(),
        f"{date_format(local, 'DATE_FORMAT')}, {local:%H:%M:%S %Z}",
        words.ago((timezone.now() - moment).total_seconds()),
    )


@register.simple_tag
def at_place(moment: datetime | None, time_zone: str = "") -> str:
    """Return a moment as the wall shows it in a time zone, or in the reader's: “Tue 1 Dec 09:00 (Shanghai)”."""
    if moment is None:
        return NOTHING
    zone = ZoneInfo(time_zone) if time_zone else timezone.get_current_timezone()
    local = moment.astimezone(zone)
    this_year = timezone.now().astimezone(zone).year
    day = date_format(local, "MONTH_DAY_FORMAT" if local.year == this_year else "SHORT_DATE_FORMAT")
    return f"{date_format(local, 'D')} {day} {local:%H:%M} ({place_of(str(zone))})"


@register.filter
def percent(fraction: float | None) -> int:
    """Return 0–100 of a fraction; never 100 before the end."""
    return 0 if fraction is None else min(99, max(0, int(fraction * 100)))


@register.filter
def share(used: float, limit: float | None) -> str:
    """Return the class of a meter: high from 80 %, full at the limit."""
    if not limit:
        return ""
    return "full" if used >= limit else "high" if used >= 0.8 * limit else ""


@register.filter
def unlocalized(number: Any) -> str:
    """Return a number for an attribute: never with a decimal comma or thousands separators."""
    return str(number)


@register.filter
def clock(moment: str) -> str:
    """Return the local time of day of an ISO time."""
    return timezone.localtime(datetime.fromisoformat(moment)).strftime("%H:%M:%S")


@register.filter
def play_time(seconds: float) -> str:
    """Return a place in a recording as players write it.

    >>> play_time(7.9), play_time(3725)
    ('0:07', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def waited(task: Task) -> timedelta | None:
    """Return how long a task waited before it started last."""
    return max(timedelta(0), task.started_at - task.created_at) if task.started_at else None


@register.filter
def ran(task: Task) -> timedelta | None:
    if task.started_at is None or task.finished_at is None:
        return None
    return max(timedelta(0), task.finished_at - task.started_at)


@register.filter
def engine(of: dict[str, Any]) -> str:
    """Return the names and versions of what did the work."""
    return words.engine_text(of)


@register.filter(name="words")
def words_of(code: str) -> str:
    """Return a code such as ``urgent_allowance_used`` as words."""
    return sentences.in_language(code.replace("_", " "))


@register.filter(name="in_language")
def in_language(sentence: Any) -> str:
    """Return what is stored in English in the reader's language. Safe HTML stays safe: its values are escaped in it."""
    said = sentences.in_language(str(sentence))
    return SafeString(said) if isinstance(sentence, SafeData) else said


register.filter("subject", subject)


@register.filter
def called(task: Task) -> str:
    """Return what a task is about, or where nothing is known of that the title of its type."""
    return subject(task) or words.title_of_type(task.type)


@register.simple_tag
def task_note(task: Task) -> str:
    """Say in a line what there is to say of a task: what it does just now, or what went wrong."""
    if task.status == "running" and task.progress_stage:
        return sentences.in_language(task.progress_stage)
    return sentences.in_language(task.error.get("message", "")) if task.error and task.status == "failed" else ""


@register.filter
def is_object(value: Any) -> bool:
    return isinstance(value, dict)


@register.filter
def is_deep(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


@register.filter
def plain(value: Any) -> str:
    """Return a JSON value for people: yes and no, a dash for null, texts as they are."""
    if value is None or value in ([], {}):
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return f"{value:g}" if isinstance(value, float) else str(value)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """Look a key up, which Django's dot cannot do with a variable key."""
    return mapping.get(key) if mapping else None


@register.simple_tag(takes_context=True)
def current(context: template.Context, *names: str) -> SafeString:
    """Mark a navigation link whose page this is."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    return SafeString('aria-current="page"') if match and match.view_name in names else SafeString("")
