"""Reads numbers and dates in the notations of several countries; what can be read in two ways has two readings."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

from tasks.engines.chinese_numbers import read_numeral

DecimalMark = Literal[",", ".", ""]

# Digits with separators: 1,234.50 · 1.234,50 · 1 234,50 · 1'234.50 · 12.5
NUMBER = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?(?!\d)|\d{1,3}(?:['’]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)*"
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio",
            "february feb februar février fevrier febrero febbraio",
            "march mar märz maerz mars marzo",
            "april apr avril abril aprile",
            "may mai mayo maggio",
            "june jun juni juin junio giugno",
            "july jul juli juillet julio luglio",
            "august aug août aout agosto",
            "september sep sept septembre septiembre settembre",
            "october oct okt oktober octobre octubre ottobre",
            "november nov novembre noviembre",
            "december dec dez dezember décembre decembre diciembre dicembre",
        ),
        start=1,
    )
    for name in names.split()
}
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
# What looks like decimals and is none: hours (14.30 Uhr) and the numbers of sections (3.2 Delivery).
NO_DECIMALS = re.compile(
    r"\b\d{1,2}\.\d\d(?=\s?Uhr\b)|^\s*(?:§\s*)?\d{1,2}(?:\.\d{1,2})+\.?(?=\s+(?!Euro)[A-ZÄÖÜ][a-zäöüß]{2})",
    re.MULTILINE,
)
_BEFORE, _AFTER = r"(?<![\d.,])", r"(?![\d.,]*\d)"
UNMISTAKABLE = {
    ",": rf"{_BEFORE}(?:\d+(?:\.\d{{3}})*,(?:\d{{1,2}}|\d{{4,}}){_AFTER}|\d{{1,3}}(?:\.\d{{3}}){{2,}}+{_AFTER}|\d+,-)",
    ".": rf"{_BEFORE}(?:\d+(?:,\d{{3}})*\.(?:\d{{1,2}}|\d{{4,}}){_AFTER}|\d{{1,3}}(?:,\d{{3}}){{2,}}+{_AFTER})",
}
# Two-digit years before this are of this century.
PIVOT = 70


def read_number(written: str, *, mark: DecimalMark = "") -> frozenset[str]:
    """Return what a number may mean, each as a plain decimal. `mark` is how its document parts decimals, if known.

    >>> sorted(read_number("1.234,50")), sorted(read_number("1,234")), sorted(read_number("1,234", mark=","))
    (['1234.5'], ['1.234', '1234'], ['1.234'])
    """
    bare = re.sub(r"[ \u00a0\u202f'’]", "", written)
    marks = [letter for letter in bare if letter in ".,"]
    if len(set(marks)) == 2:
        # The last one parts the decimals.
        return _plain(bare.replace(marks[0], "").replace(marks[-1], "."))
    if len(marks) > 1:
        return _plain(bare.replace(marks[0], ""))
    if not marks:
        return _plain(bare)
    whole, decimals = bare.split(marks[0])
    as_decimal = _plain(f"{whole}.{decimals}")
    could_be_thousands = len(decimals) == 3 and 0 < len(whole) <= 3 and whole != "0"
    if not could_be_thousands or mark == marks[0]:
        return as_decimal
    as_thousands = _plain(whole + decimals)
    return as_thousands if mark else as_decimal | as_thousands


def decimal_mark(text: str) -> DecimalMark:
    """Return how a document parts decimals, as far as its unmistakable numbers tell; days, hours and sections do not.

    >>> decimal_mark("Total 1.234,50 and 12,5"), decimal_mark("3.25 and 1,234"), decimal_mark("12 at 14.30 Uhr")
    (',', '.', '')
    >>> decimal_mark("1.234.567 EUR"), decimal_mark("5,- EUR")
    (',', ',')
    """
    text = NO_DECIMALS.sub(" ", text)
    counts = {mark: len(re.findall(pattern, text)) for mark, pattern in UNMISTAKABLE.items()}
    if counts[","] == counts["."]:
        return ""
    return "," if counts[","] > counts["."] else "."


def _plain(written: str) -> frozenset[str]:
    try:
        number = Decimal(written)
    except InvalidOperation:
        return frozenset({written})
    # Without the zeros at the end, and without an exponent.
    return frozenset({f"{number.normalize():f}"})


def read_day(year: str, month: str, day: str) -> str | None:
    """Return a day as ``2024-05-03``, or ``--05-03`` where the year is not said, or ``2024-05`` for a whole month.

    None for days that are none. The parts are digits, a month's name, or Chinese numerals.
    """
    number = MONTHS.get(month.lower().rstrip(".")) or read_numeral(month)
    full = read_numeral(year) if year else 2000
    on = read_numeral(day) if day else 1
    if number is None or full is None or on is None:
        return None
    try:
        found = date(_full_year(year, full), number, on)
    except ValueError:
        return None
    return f"--{found:%m-%d}" if not year else found.isoformat() if day else f"{found:%Y-%m}"


def _full_year(written: str, number: int) -> int:
    return number if len(written) != 2 else number + (2000 if number < PIVOT else 1900)


def month_comes_first(text: str) -> bool | None:
    """Return whether dates with slashes name the month first, as far as days above 12 tell; else None."""
    pairs = re.findall(r"(?<!\d)(\d{1,2})[/-](\d{1,2})[/-](?:\d{4}|\d{2})(?!\d)", text)
    first = any(int(b) > 12 >= int(a) for a, b in pairs)
    last = any(int(a) > 12 >= int(b) for a, b in pairs)
    return None if first == last else first


def same_day(one: str, other: str) -> bool:
    """Return whether two days are the same, as far as both say.

    >>> same_day("2024-05-03", "--05-03"), same_day("2024-05-03", "2023-05-03")
    (True, False)
    >>> same_day("2024-05", "2024-05-03")
    True
    """
    if one.startswith("--") or other.startswith("--"):
        return one[-5:] == other[-5:]
    return one.startswith(other) or other.startswith(one)
