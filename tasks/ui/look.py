"""Template tags for how things look and read: icons, statuses, times, sizes, progress."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.measures import duration_text, size_text
from tasks.models import Task
from tasks.registry import TaskType, all_types
from tasks.ui import words
from tasks.ui.badge import status_badge
from tasks.ui.icon_files import UnusableIcon, shapes_of

register = template.Library()

UUID_LENGTH = 36


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
    definition = all_types().get(name)
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
    return duration_text(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)


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
        local.strftime("%-d %B %Y, %H:%M:%S %Z"),
        words.ago((timezone.now() - moment).total_seconds()),
    )


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
    return code.replace("_", " ")


@register.simple_tag
def task_note(task: Task) -> str:
    """Say in a line what a task is about: its stage, its error, the first text or the files of its input."""
    if task.status == "running" and task.progress_stage:
        return str(task.progress_stage)
    if task.error and task.status == "failed":
        return str(task.error.get("message", ""))
    content = getattr(task, "content", None)
    values = content.input.values() if content and isinstance(content.input, dict) else ()
    texts = [" ".join(value[:300].split()) for value in values if isinstance(value, str) and len(value) != UUID_LENGTH]
    # A single word is more often a choice, such as a language, than what the task is about.
    sentences = [text for text in texts if " " in text]
    files = ", ".join(getattr(task, "file_names", [])[:3])
    return next((words for words in (*sentences, files, *texts) if words), str(task.id))


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
        return "yes" if value else "no"
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
