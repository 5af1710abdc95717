"""Turns what a sheet's XML writes into what people see: names of columns, numbers, dates, headers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

DAY_ZERO = datetime(1899, 12, 30)
# Of workbooks that were begun on a Macintosh.
DAY_ZERO_1904 = datetime(1904, 1, 1)
LAST_DAY = 2_958_465
# ECMA-376 part 1, 18.3.1.46: what stands left, in the middle, right; fonts, sizes and colours; page numbers and dates.
MARGIN_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d{1,3}|[A-Z])')


def margin_text(written: str) -> str:
    """Return what a header or footer says, without its codes.

    >>> margin_text('&L&"Arial,Bold"&12Tides && winds&RPage &P')
    'Tides & winds Page'
    """
    plain = [MARGIN_CODES.sub(" ", part) for part in written.split("&&")]
    return " ".join("&".join(plain).split())


def column_name(number: int) -> str:
    """Return how Excel calls a column.

    >>> column_name(1), column_name(28), column_name(16384)
    ('A', 'AB', 'XFD')
    """
    name = ""
    while number > 0:
        number, letter = divmod(number - 1, 26)
        name = chr(65 + letter) + name
    return name


def column_number(reference: str) -> int:
    """Return the number of a cell's column, from 1.

    >>> column_number("A1"), column_number("AB7"), column_number("")
    (1, 28, 0)
    """
    number = 0
    for letter in re.match(r"[A-Z]{0,3}", reference)[0]:  # type: ignore[index]
        number = number * 26 + ord(letter) - 64
    return number


def number_of(text: str | None) -> int:
    """Return a count that an attribute says; 0 where it says none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def date_text(value: str, day_zero: datetime = DAY_ZERO) -> str:
    """Return a serial day as ISO 8601, a part of a day as a time.

    >>> date_text("45306"), date_text("45306.5")
    ('2024-01-15', '2024-01-15 12:00')
    >>> date_text("0.5"), date_text("0", DAY_ZERO_1904)
    ('12:00', '1904-01-01')
    """
    try:
        days = float(value)
    except ValueError:
        return value
    # What begins in 1900 has no day 0: it is a time of day. The other way of counting begins with it.
    first = 1 if day_zero == DAY_ZERO else 0
    if not 0 <= days < LAST_DAY - (day_zero - DAY_ZERO).days:
        return value
    moment = day_zero + timedelta(minutes=round(days * 24 * 60))
    if days < first:
        return moment.strftime("%H:%M")
    return moment.strftime("%Y-%m-%d" if days == int(days) else "%Y-%m-%d %H:%M")


def number_text(value: str) -> str:
    """Return a number without what binary fractions add.

    >>> number_text("0.1000000000000000055"), number_text("1200"), number_text("1E3")
    ('0.1', '1200', '1000')
    """
    try:
        return f"{float(value):.15g}" if re.search(r"[.eE]", value) else value.strip()
    except ValueError:
        return value.strip()
