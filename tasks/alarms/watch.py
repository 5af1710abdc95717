"""Watches for alarms: notes when each begins and ends, and tells those who want to know, once each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from tasks.alarms.facts import read_facts
from tasks.alarms.find import find_troubles
from tasks.alarms.quiet import may_tell
from tasks.alarms.receivers import open_endpoint
from tasks.alarms.tell import tell
from tasks.alarms.trouble import Trouble
from tasks.lifecycle.fill import fill_soon
from tasks.models import Alarm, AlarmSettings
from tasks.periodic import duty

# Gone for so long, it is over: what comes and goes is one alarm.
CALM = timedelta(seconds=60)
KEEP = timedelta(days=90)
# What ended while nobody wanted to know is no news when somebody does; quiet hours are shorter.
NEWS = timedelta(days=1)

Key = tuple[str, str]


@duty(every=10)
def watch_alarms() -> int:
    """Note what has begun and ended since the last time, and tell of it; return how many alarms were told of.

    Without a database nobody is told: watch `/health/ready` from outside.
    """
    found = {(trouble.kind.value, trouble.about): trouble for trouble in find_troubles(read_facts())}
    with transaction.atomic(durable=True):
        locked = AlarmSettings.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        settings = locked.select_related("endpoint").annotate(now=Now()).filter(pk=1).first()
        if settings is None:
            # Another node is at it.
            return 0
        now: datetime = settings.now
        _note(found, now)
        began, ended = _to_tell(settings, now)
        stored = tell(settings, began, ended, now)
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in began]).update(told_at=now)
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in ended]).update(end_told_at=now)
    if stored:
        fill_soon([one.lane for one in stored], newcomers=[one.id for one in stored])
    return len(began) + len(ended)


def _note(found: Mapping[Key, Trouble], now: datetime) -> None:
    standing = {(alarm.kind, alarm.about): alarm for alarm in Alarm.objects.filter(ended_at=None)}
    new = [
        Alarm(
            kind=trouble.kind, about=trouble.about, text=trouble.text, path=trouble.path, is_bad=trouble.is_bad,
            began_at=now, seen_at=now,
        )
        for key, trouble in found.items() if key not in standing
    ]  # fmt: skip
    Alarm.objects.bulk_create(new)
    seen = [(alarm, found[key]) for key, alarm in standing.items() if key in found]
    for alarm, trouble in seen:
        alarm.seen_at, alarm.text, alarm.path, alarm.is_bad = now, trouble.text, trouble.path, trouble.is_bad
    Alarm.objects.bulk_update([alarm for alarm, _ in seen], ["seen_at", "text", "path", "is_bad"])
    Alarm.objects.filter(ended_at=None, seen_at__lt=now - CALM).update(ended_at=now)


def _to_tell(settings: AlarmSettings, now: datetime) -> tuple[Sequence[Alarm], Sequence[Alarm]]:
    """Return the beginnings and the ends that are to be told now; what was over before it was told is not."""
    if not settings.mail_to and open_endpoint(settings) is None:
        return [], []
    wanted = Alarm.objects.exclude(kind__in=settings.not_told).order_by("pk")
    settled = now - timedelta(seconds=settings.tell_after_seconds)
    began = wanted.filter(ended_at=None, told_at=None, began_at__lte=settled)
    ended = wanted.filter(ended_at__gt=now - NEWS, told_at__isnull=False, end_told_at=None)
    return _unless_quiet(settings, began, now), _unless_quiet(settings, ended, now)


def _unless_quiet(settings: AlarmSettings, alarms: Iterable[Alarm], now: datetime) -> list[Alarm]:
    return [alarm for alarm in alarms if may_tell(settings, now, is_urgent=alarm.is_bad)]


@duty(every=86_400)
def forget_alarms() -> int:
    """Forget alarms that ended long ago."""
    return Alarm.objects.filter(ended_at__lt=Now() - KEEP).delete()[0]
