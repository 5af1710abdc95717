"""Plain cron expressions as people say them: each day, on weekdays, weekly or monthly, at a time of day."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext

DAILY, ON_WEEKDAYS, WEEKLY, MONTHLY = "daily", "weekdays", "weekly", "monthly"
NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# As a week begins; cron counts from Sunday.
WEEK = (1, 2, 3, 4, 5, 6, 0)
WORKING_DAYS = (1, 2, 3, 4, 5)
ALIASES = {"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
EVERY_MINUTES = re.compile(r"\*/([1-9]\d?) \* \* \* \*")
EVERY_HOUR = re.compile(r"([1-5]?\d) \* \* \* \*")


@dataclass(frozen=True)
class Rhythm:
    """A time of day on some days: `weekdays` as cron counts them from Sunday, or a `day` of the month."""

    how: str
    hour: int
    minute: int
    weekdays: tuple[int, ...] = ()
    day: int = 0

    @property
    def cron(self) -> str:
        """The expression.

        >>> Rhythm(ON_WEEKDAYS, 9, 0).cron, Rhythm(WEEKLY, 7, 30, weekdays=(1, 0)).cron
        ('0 9 * * 1-5', '30 7 * * 1,0')
        >>> Rhythm(MONTHLY, 0, 5, day=31).cron
        '5 0 31 * *'
        """
        weekdays = {ON_WEEKDAYS: "1-5", WEEKLY: ",".join(map(str, self.weekdays))}.get(self.how, "*")
        return f"{self.minute} {self.hour} {self.day or '*'} * {weekdays}"


def rhythm_of(cron: str) -> Rhythm | None:
    """Return the rhythm that an expression is, or None where it takes an expression to say it.

    >>> rhythm_of("0 6 * * mon-fri").how, rhythm_of("@daily").how, rhythm_of("*/5 * * * *"), rhythm_of("0 6 1 * fri")
    ('weekdays', 'daily', None, None)
    """
    fields = ALIASES.get(cron.strip().lower(), cron).lower().split()
    if len(fields) != 5 or fields[3] != "*" or not _is_below(fields[0], 60) or not _is_below(fields[1], 24):
        return None
    minute, hour, day, weekdays = int(fields[0]), int(fields[1]), fields[2], _weekdays_in(fields[4])
    if day == "*" and fields[4] == "*":
        return Rhythm(DAILY, hour, minute)
    if day == "*" and weekdays == WORKING_DAYS:
        return Rhythm(ON_WEEKDAYS, hour, minute)
    if day == "*" and weekdays:
        return Rhythm(WEEKLY, hour, minute, weekdays=weekdays)
    if fields[4] == "*" and _is_below(day, 32) and int(day):
        return Rhythm(MONTHLY, hour, minute, day=int(day))
    return None


def in_words(cron: str) -> str:
    """Return an expression as people say it, and as it is where nobody would.

    >>> in_words("0 9 * * 1-5"), in_words("30 7 * * sun,tue"), in_words("0 8 31 * *")
    ('weekdays at 09:00', 'Tuesday, Sunday at 07:30', 'monthly on day 31 at 08:00')
    >>> in_words("*/15 * * * *"), in_words("5 * * * *"), in_words("0 6 1 * fri")
    ('every 15 minutes', 'every hour at 5 minutes past', '0 6 1 * fri')
    """
    rhythm = rhythm_of(cron)
    if rhythm is None:
        return _of_the_hour(" ".join(cron.split())) or cron
    time = f"{rhythm.hour:02}:{rhythm.minute:02}"
    match rhythm.how:
        case "daily":
            return gettext("every day at {time}").format(time=time)
        case "weekdays":
            return gettext("weekdays at {time}").format(time=time)
        case "weekly":
            days = ", ".join(str(weekday_name(day)) for day in rhythm.weekdays)
            return gettext("{days} at {time}").format(days=days, time=time)
    return gettext("monthly on day {day} at {time}").format(day=rhythm.day, time=time)


def place_of(time_zone: str) -> str:
    """Return a time zone as people call it.

    >>> place_of("Asia/Shanghai"), place_of("America/Argentina/Buenos_Aires"), place_of("UTC")
    ('Shanghai', 'Buenos Aires', 'UTC')
    """
    return time_zone.rpartition("/")[2].replace("_", " ")


def weekday_name(day: int) -> str:
    """Return the name of a weekday as cron counts them."""
    return WEEKDAYS[(day - 1) % 7]


def _of_the_hour(cron: str) -> str:
    if (found := EVERY_MINUTES.fullmatch(cron)) and 60 % int(found[1]) == 0:
        return gettext("every {count} minutes").format(count=found[1])
    if found := EVERY_HOUR.fullmatch(cron):
        return gettext("every hour at {minute} minutes past").format(minute=found[1])
    return ""


def _weekdays_in(field: str) -> tuple[int, ...]:
    """Return the weekdays of a field in the order of a week; none where it says more than which."""
    found: set[int] = set()
    for part in field.split(","):
        ends = [_weekday(word) for word in part.split("-")]
        if None in ends or len(ends) > 2:
            return ()
        first, last = ends[0], ends[-1]
        assert first is not None
        assert last is not None
        if first > last:
            return ()
        found |= {day % 7 for day in range(first, last + 1)}
    return tuple(day for day in WEEK if day in found)


def _weekday(word: str) -> int | None:
    if word in NAMES:
        return NAMES.index(word)
    return int(word) if _is_below(word, 8) else None


def _is_below(text: str, limit: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 3 and int(text) < limit
