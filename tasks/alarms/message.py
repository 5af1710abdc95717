"""What is sent of alarms: a mail of several, an event of each to a webhook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings as portal_settings
from django.utils.translation import gettext, ngettext

from tasks.measures import duration_text
from tasks.models import Alarm, AlarmSettings

BEGAN, ENDED = "alarm.began", "alarm.ended"
EVENTS = [BEGAN, ENDED]
SETTINGS_PATH = "/admin/tasks/alarmsettings/1/change/"
MOST_IN_A_MAIL = 100


def link(settings: AlarmSettings, path: str) -> str:
    """Return the address of a page; its path alone where nobody has said where the portal is."""
    return f"{settings.portal_url.rstrip('/')}{path}"


def runbook(alarm: Alarm) -> str | None:
    """Return the address of what to do about an alarm; None where nobody has said where the runbook is."""
    return f"{portal_settings.RUNBOOK_URL}#{alarm.kind}" if portal_settings.RUNBOOK_URL else None


def event(settings: AlarmSettings, alarm: Alarm, kind: str, now: datetime) -> dict[str, Any]:
    """Return the body of a webhook: `{"type", "timestamp", "data"}` as those of tasks."""
    return {
        "type": kind,
        "timestamp": _text(now),
        "data": {
            "id": alarm.pk,
            "kind": alarm.kind,
            "about": alarm.about,
            "text": alarm.text,
            "urgent": alarm.is_bad,
            "url": link(settings, alarm.path),
            "runbook": runbook(alarm),
            "began_at": _text(alarm.began_at),
            "ended_at": _text(alarm.ended_at),
        },
    }


def subject(began: Sequence[Alarm], ended: Sequence[Alarm]) -> str:
    """Return the subject of a mail.

    >>> subject([Alarm(text="No node takes work.")], []), subject([], [Alarm(text="No node takes work.")])
    ('[Portal] No node takes work.', '[Portal] Over: No node takes work.')
    """
    if len(began) + len(ended) == 1:
        text = began[0].text if began else gettext("Over: {text}").format(text=ended[0].text)
    elif began:
        text = ngettext("{count} alarm", "{count} alarms", len(began)).format(count=len(began))
    else:
        text = ngettext("{count} alarm is over", "{count} alarms are over", len(ended)).format(count=len(ended))
    return f"[Portal] {' '.join(text.split())[:150]}"


def body(settings: AlarmSettings, began: Sequence[Alarm], ended: Sequence[Alarm]) -> str:
    """Return the text of a mail, the urgent ones first."""
    lines = []
    for alarm in sorted(began, key=lambda alarm: not alarm.is_bad)[:MOST_IN_A_MAIL]:
        lines += [alarm.text, f"    {link(settings, alarm.path)}"]
        if what_to_do := runbook(alarm):
            lines.append(f"    {what_to_do}")
        lines.append("")
    if len(began) > MOST_IN_A_MAIL:
        lines += [gettext("… and {count} more").format(count=len(began) - MOST_IN_A_MAIL), ""]
    for alarm in ended[:MOST_IN_A_MAIL]:
        lasted = duration_text((alarm.ended_at - alarm.began_at).total_seconds()) if alarm.ended_at else ""
        lines += [gettext("Over after {duration}: {text}").format(duration=lasted, text=alarm.text), ""]
    lines += [gettext("Who is told, and of what:"), f"    {link(settings, SETTINGS_PATH)}"]
    return "\n".join(lines)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
