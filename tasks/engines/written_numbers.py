"""Reads numbers and dates in the notations of several countries; what can be read in two ways has two readings."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

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
    """Return how a document parts decimals, as far as its unmistakable numbers tell.

    >>> decimal_mark("Total 1.234,50 and 12,5"), decimal_mark("3.25 and 1,234"), decimal_mark("12")
    (',', '.', '')
    """
    commas = len(re.findall(r"\d,(?:\d{1,2}|\d{4,})(?![\d.,]*\d)", text))
    points = len(re.findall(r"(?<![\d.,])\d+(?:,\d{3})*\.(?:\d{1,2}|\d{4,})(?![\d.,]*\d)", text))
    if commas == points:
        return ""
    return "," if commas > points else "."


def _plain(written: str) -> frozenset[str]:
    try:
        number = Decimal(written)
    except InvalidOperation:
        return frozenset({written})
    # Without the zeros at the end, and without an exponent.
    return frozenset({f"{number.normalize():f}"})


def read_day(year: str, month: str, day: str) -> str | None:
    """Return a day as ``2024-05-03``, or ``--05-03`` where the year is not said; None for days that are none."""
    number = MONTHS.get(month.lower().rstrip("."), 0) if not month.isdigit() else int(month)
    full = _full_year(year) if year else 2000
    try:
        found = date(full, number, int(day))
    except ValueError:
        return None
    return found.isoformat() if year else f"--{found:%m-%d}"


def _full_year(year: str) -> int:
    number = int(year)
    return number if len(year) > 2 else number + (2000 if number < PIVOT else 1900)


def same_day(one: str, other: str) -> bool:
    """Return whether two days are the same, as far as both say.

    >>> same_day("2024-05-03", "--05-03"), same_day("2024-05-03", "2023-05-03")
    (True, False)
    """
    if one.startswith("--") or other.startswith("--"):
        return one[-5:] == other[-5:]
    return one == other
