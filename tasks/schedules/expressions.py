"""Cron expressions as croniter is given them, and what is wrong with one in words of our own.

Croniter reads a range of one value (`23-23`) as every value. Where a day of the month stands beside a numbered weekday
(`fri#2`), it wants both, while cron wants either (docs/decisions/0043-croniter-stays.md).
"""

from __future__ import annotations

import re
from functools import lru_cache

from croniter import croniter
from croniter.croniter import CroniterError

ALIASES = "@hourly, @daily (or @midnight), @weekly, @monthly and @yearly (or @annually)"
FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or l for the last one"),
    ("month", "1 to 12, or jan to dec"),
    ("day of the week", "0 to 7, where 0 and 7 are Sunday, or sun to sat, with #1 to #5 for the first to the fifth"),
    ("second", "0 to 59"),
    ("year", "1970 to 2099"),
)
LEAST_FIELDS = 5
DAY, WEEKDAY = 2, 4
MOST_QUOTED = 40
RANGE = re.compile(r"(\w+)-(\w+)(?:/[1-9]\d*)?")
VALUES = {
    name: str(number)
    for names, first in (("sun mon tue wed thu fri sat", 0), ("jan feb mar apr may jun jul aug sep oct nov dec", 1))
    for number, name in enumerate(names.split(), first)
}


@lru_cache(maxsize=4096)
def normal(expression: str) -> str:
    """Return the expression with each range of one value as that value.

    >>> normal("5-5/2,30-40 23-23 * feb-2 *")
    '5,30-40 23 * feb *'
    """
    return " ".join(",".join(_without_range(part) for part in field.split(",")) for field in expression.split())


def _without_range(part: str) -> str:
    found = RANGE.fullmatch(part)
    return found[1] if found and _value(found[1]) == _value(found[2]) else part


def _value(word: str) -> str:
    return VALUES.get(word.lower(), word.lower().lstrip("0") or "0")


@lru_cache(maxsize=4096)
def either_day(expression: str) -> tuple[str, ...]:
    """Return the expressions whose times together are those of this one.

    >>> either_day("0 6 13 * fri#2")
    ('0 6 13 * *', '0 6 * * fri#2')

    Raises:
        CroniterError: it cannot be read.
    """
    values, numbered_weekdays = croniter.expand(expression)
    if not numbered_weekdays or values[DAY] == ["*"]:
        return (expression,)
    fields = expression.split()
    return tuple(" ".join([*fields[:place], "*", *fields[place + 1 :]]) for place in (WEEKDAY, DAY))


def fault_of(expression: str) -> str:
    """Return a sentence on the field that cannot be read, or nothing where all can."""
    fields = expression.split()
    if len(fields) == 1 and expression.strip().startswith("@"):
        return "" if _is_read(expression) else f"Names are {ALIASES}."
    if not LEAST_FIELDS <= len(fields) <= len(FIELDS):
        names = ", ".join(name for name, _ in FIELDS[:LEAST_FIELDS])
        return f"It has five fields ({names}), with six the second, with seven the year; this has {len(fields)}."
    for place, field in enumerate(fields):
        if not _is_read(" ".join([*["*"] * place, field, *["*"] * (len(fields) - place - 1)])):
            name, takes = FIELDS[place]
            quoted = field if len(field) <= MOST_QUOTED else f"{field[:MOST_QUOTED]}…"
            return f"The {name} takes {takes}; {quoted} cannot be read."
    return "" if _is_read(expression) else "Its fields cannot be read together."


def _is_read(expression: str) -> bool:
    try:
        croniter.expand(expression)
    except CroniterError:
        return False
    return True
