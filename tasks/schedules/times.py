"""When a schedule runs: cron expressions in a time zone, or intervals. Pure functions; nothing here asks a clock.

A cron expression names wall-clock times, and twice a year the wall clock departs from real time. With fixed hours, a
time that the clocks skip is run once right after the gap, and one that comes twice is run once, the
first time. An expression of every hour (``*/15 * * * *``) is a rhythm instead: it goes on through both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from heapq import merge
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

from tasks import errors
from tasks.schedules.expressions import either_day, fault_of, normal

MOST_CRON_LENGTH = 200
LEAST_INTERVAL_SECONDS = 60
MOST_INTERVAL_SECONDS = 366 * 86_400
# The longest distance of two runs that calendars make: 29 February around the year 2100, on a weekday.
MOST_YEARS_BETWEEN = 50
# No clock is set back by more than this at once.
LONGEST_FOLD = timedelta(hours=4)
# croniter draws a new number for each R whenever it reads the expression.
RANDOM_FIELD = re.compile(r"r(\(.*\))?(/.*)?", re.IGNORECASE)
# Names of files beside the zones of the tz database, which mean something else on each machine, or nothing.
NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Timing:
    """What decides the times of a schedule: `cron` on the wall of `time_zone`, or every `interval_seconds`.

    `start_at` and `end_at` bound both. Intervals are counted from `anchor`, whatever was missed.
    """

    anchor: datetime
    cron: str | None = None
    time_zone: str = "UTC"
    interval_seconds: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time of the schedule strictly after `moment`, in UTC, or None when there is none left."""
        if self.start_at is not None and moment < self.start_at:
            # The start itself counts.
            moment = self.start_at - timedelta(microseconds=1)
        if self.cron is not None:
            found = next_cron_time(self.cron, self.time_zone, moment)
        else:
            assert self.interval_seconds is not None, "a constraint of the table"
            found = next_interval_time(self.start_at or self.anchor, self.interval_seconds, moment)
        return None if found is None or (self.end_at is not None and found > self.end_at) else found

    @property
    def endless(self) -> Timing:
        """The same without its end."""
        return replace(self, end_at=None)

    def upcoming(self, first: datetime | None, count: int) -> list[datetime]:
        """Return `first` and the times after it, `count` in all or fewer."""
        times: list[datetime] = []
        while first is not None and len(times) < count:
            times.append(first)
            first = self.after(first)
        return times


def check_cron(expression: str) -> None:
    """Refuse an expression that croniter does not read, that is random, or that runs more than once a minute.

    Raises:
        InvalidInput: at ``/cron``.
    """
    if len(expression) > MOST_CRON_LENGTH:
        raise errors.InvalidSchedule.at("/cron", "invalid_cron", f"At most {MOST_CRON_LENGTH} characters.")
    if any(RANDOM_FIELD.fullmatch(field) for field in expression.split()):
        raise errors.InvalidSchedule.at(
            "/cron", "invalid_cron", "R (random) would mean different times at each reading; name them."
        )
    if fault := fault_of(expression):
        raise errors.InvalidSchedule.at("/cron", "invalid_cron", f"This is no cron expression. {fault}")
    fields, _ = croniter.expand(normal(expression))
    if len(fields) > 5 and (len(fields[5]) != 1 or fields[5][0] == "*"):
        raise errors.InvalidSchedule.at(
            "/cron", "too_often", "At most once a minute: the sixth field must be one second, such as 0."
        )


def check_time_zone(name: str) -> None:
    """Refuse what is not a name of the tz database.

    Raises:
        InvalidInput: at ``/time_zone``.
    """
    if name not in time_zones():
        detail = f"There is no time zone {name[:100]!r}. Write it as in the tz database: Europe/Berlin, UTC."
        raise errors.InvalidSchedule.at("/time_zone", "invalid_time_zone", detail)


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones: read once, for it walks through a folder tree."""
    return frozenset(available_timezones() - NO_ZONES)


def next_interval_time(anchor: datetime, seconds: int, moment: datetime) -> datetime:
    """Return the first of ``anchor + n × seconds`` (n from 0) strictly after `moment`.

    >>> next_interval_time(datetime(2030, 1, 1, tzinfo=UTC), 3600, datetime(2030, 1, 1, 5, tzinfo=UTC)).isoformat()
    '2030-01-01T06:00:00+00:00'
    """
    if moment < anchor:
        return anchor
    step = timedelta(seconds=seconds)
    return anchor + ((moment - anchor) // step + 1) * step


@lru_cache(maxsize=4096)
def next_cron_time(expression: str, time_zone: str, moment: datetime) -> datetime | None:
    """Return the first instant strictly after `moment` that an expression means, or None when there is none.

    The clocks of Berlin skip from two to three on 31 March 2030:

    >>> def after(expression, *moment):
    ...     return next_cron_time(expression, "Europe/Berlin", datetime(*moment, tzinfo=UTC)).isoformat()
    >>> after("30 2 * * *", 2030, 3, 31), after("30 2 * * *", 2030, 3, 31, 1)
    ('2030-03-31T01:00:00+00:00', '2030-04-01T00:30:00+00:00')

    Raises:
        InvalidInput: an expression or zone that `check_cron` and `check_time_zone` would refuse, too.
    """
    try:
        zone = ZoneInfo(time_zone)
        expression = normal(expression)
        is_rhythm = _names_every_hour(expression)
        best: datetime | None = None
        for wall in _walls(expression, _first_wall(moment, zone, is_rhythm=is_rhythm)):
            instants = [instant for instant in _instants(wall, zone, is_rhythm=is_rhythm) if instant > moment]
            if instants:
                best = min(instants) if best is None else min(best, *instants)
            # Whatever is on the wall later is, at its first pass, later than this.
            if best is not None and best <= wall.replace(tzinfo=zone).astimezone(UTC):
                break
    except (CroniterError, KeyError) as error:
        fault = fault_of(expression) or f"There is no time zone {time_zone}."
        raise errors.InvalidSchedule.at("/cron", "invalid_cron", f"The times cannot be computed. {fault}") from error
    return best


@lru_cache(maxsize=4096)
def _names_every_hour(expression: str) -> bool:
    return bool(croniter.expand(expression)[0][1] == ["*"])


def _first_wall(moment: datetime, zone: ZoneInfo, *, is_rhythm: bool) -> datetime:
    """Return what the wall shows at the moment; less when it will soon show the same once more."""
    local = moment.astimezone(zone)
    soon = (moment + LONGEST_FOLD).astimezone(zone)
    rewind = (local.utcoffset() or timedelta()) - (soon.utcoffset() or timedelta())
    wall = local.replace(tzinfo=None, fold=0)
    return wall - rewind - SECOND if is_rhythm and rewind > timedelta() else wall


def _walls(expression: str, wall: datetime) -> Iterator[datetime]:
    """Yield the times that an expression names after `wall`; naive, so that croniter knows of no gaps and folds."""
    for named, _ in groupby(merge(*(_times(part, wall) for part in either_day(expression)))):
        yield named


def _times(expression: str, wall: datetime) -> Iterator[datetime]:
    times = croniter(expression, wall, ret_type=datetime, max_years_between_matches=MOST_YEARS_BETWEEN)
    try:
        while True:
            yield times.get_next()
    except CroniterBadDateError:
        return


def _instants(wall: datetime, zone: ZoneInfo, *, is_rhythm: bool) -> list[datetime]:
    """Return when the wall shows this time and it counts: once, or twice of a rhythm in a fold, or in a gap."""
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    offsets = first.utcoffset() or timedelta(), second.utcoffset() or timedelta()
    if offsets[0] == offsets[1]:
        return [first.astimezone(UTC)]
    # PEP 495: in a fold the first pass has the larger offset, in a gap it would have had the smaller one.
    if offsets[0] > offsets[1]:
        return [first.astimezone(UTC), second.astimezone(UTC)] if is_rhythm else [first.astimezone(UTC)]
    return [] if is_rhythm else [_end_of_gap(second.astimezone(UTC), first.astimezone(UTC), zone)]


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant between two at which the clocks go forward, to the second."""
    old = before.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
