"""Finds the values in a text that can be compared: amounts, dates, references, IBANs, e-mails, quantities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tasks.engines.written_numbers import MONTH, NUMBER, DecimalMark, read_day, read_number, same_day

ValueType = Literal[
    "amount", "date", "time", "reference", "iban", "email", "phone", "percentage", "quantity", "number", "text"
]

CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "us$": "USD", "usd": "USD", "dollars": "USD",
    "£": "GBP", "gbp": "GBP", "pounds": "GBP", "¥": "JPY", "jpy": "JPY", "chf": "CHF", "sek": "SEK", "nok": "NOK",
    "dkk": "DKK", "pln": "PLN", "czk": "CZK", "cad": "CAD", "aud": "AUD", "cny": "CNY", "inr": "INR", "₹": "INR",
}  # fmt: skip
# Unit: what it is converted to, and how many of that it is.
UNITS: dict[str, tuple[str, str]] = {
    "mg": ("g", "0.001"), "g": ("g", "1"), "kg": ("g", "1000"), "t": ("g", "1000000"), "tonnes": ("g", "1000000"),
    "mm": ("m", "0.001"), "cm": ("m", "0.01"), "m": ("m", "1"), "km": ("m", "1000"), "metres": ("m", "1"),
    "meters": ("m", "1"), "kilometres": ("m", "1000"), "feet": ("ft", "1"), "ft": ("ft", "1"), "miles": ("mi", "1"),
    "ml": ("l", "0.001"), "l": ("l", "1"), "litres": ("l", "1"), "liters": ("l", "1"),
    "min": ("min", "1"), "minutes": ("min", "1"), "h": ("min", "60"), "hours": ("min", "60"), "hour": ("min", "60"),
    "days": ("day", "1"), "day": ("day", "1"), "weeks": ("day", "7"), "nights": ("night", "1"),
    "months": ("month", "1"), "years": ("month", "12"), "kwh": ("kWh", "1"), "mwh": ("kWh", "1000"), "kw": ("kW", "1"),
    "pcs": ("piece", "1"), "pieces": ("piece", "1"), "units": ("piece", "1"), "items": ("piece", "1"),
    "°c": ("°C", "1"), "km/h": ("km/h", "1"), "m²": ("m²", "1"), "m2": ("m²", "1"), "m³": ("m³", "1"),
}  # fmt: skip
NUMERIC = {"amount", "percentage", "quantity", "number"}

_CURRENCY = "|".join(re.escape(name) for name in sorted(CURRENCIES, key=len, reverse=True))
_UNIT = "|".join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True))
_SIGN = r"(?<![\w.,-])[-−+]?\s?"
_NOT_IN_WORD, _WORD_END = r"(?<![\w.,@/-])", r"(?![\w@]|[-/]\w)"
# In this order: what one pattern took is not looked at by the next.
PATTERNS: list[tuple[ValueType, re.Pattern[str]]] = [
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")),
    ("date", re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:T[\d:.]+Z?)?\b")),
    ("date", re.compile(r"\b(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})\b")),
    (
        "date",
        re.compile(
            rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<m>{MONTH})\b\.?(?:,?\s+(?P<y>\d{{4}})\b)?",
            re.IGNORECASE,
        ),
    ),
    (
        "date",
        re.compile(
            rf"\b(?P<m>{MONTH})\b\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.,]\d)(?:,?\s+(?P<y>\d{{4}})\b)?",
            re.IGNORECASE,
        ),
    ),
    ("date", re.compile(r"(?<![\d./-])(?P<a>\d{1,2})(?P<s>[./-])(?P<b>\d{1,2})(?P=s)(?P<y>\d{4}|\d{2})(?![\d./-]*\d)")),
    ("time", re.compile(r"\b(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?\b(?:\s?[ap]\.?m\b\.?)?", re.IGNORECASE)),
    ("phone", re.compile(r"(?<![\w+])\+\d[\d ()/-]{6,18}\d\b")),
    ("amount", re.compile(rf"(?<!\w)(?P<c>{_CURRENCY})\s?(?P<n>[-−]?(?:{NUMBER}))(?!\w)", re.IGNORECASE)),
    ("amount", re.compile(rf"{_SIGN}(?P<n>{NUMBER})\s?(?P<c>{_CURRENCY})(?!\w)", re.IGNORECASE)),
    ("percentage", re.compile(rf"{_SIGN}(?P<n>{NUMBER})\s?(?:%|percent\b|per cent\b)", re.IGNORECASE)),
    ("reference", re.compile(r"(?<![\w.@/-])(?=[A-Z0-9/_-]*\d)(?=[\d/_-]*[A-Z])[A-Z0-9]+(?:[-/_][A-Z0-9]+)*(?![\w@])")),
    ("reference", re.compile(r"(?<![\w.,@/-])\d+(?:[-/]\d+)+(?![\w.,]*\d)")),
    ("quantity", re.compile(rf"{_SIGN}(?P<n>{NUMBER})[\s-]?(?P<u>{_UNIT})(?![\w²³])", re.IGNORECASE)),
    ("number", re.compile(rf"{_SIGN}(?P<n>{NUMBER})(?![\w@]|[-/]\w|[.,]\d)")),
]


@dataclass(frozen=True)
class TypedValue:
    """A value in a text at [start, end). `readings` are what it may mean; `unit` a currency, unit or %, if any."""

    type: ValueType
    start: int
    end: int
    written: str
    readings: frozenset[str]
    unit: str = ""

    @property
    def shown(self) -> str:
        """The value in one notation for all."""
        reading = min(self.readings, key=lambda one: (len(one), one)) if self.readings else self.written
        return f"{reading} {self.unit}".strip()


def find_values(text: str, *, mark: DecimalMark = "", month_first: bool | None = None) -> list[TypedValue]:
    """Return the typed values of a line in its order.

    Args:
        mark: how the document parts decimals.
        month_first: whether it writes 05/03/2024 for the third of May; None when it does not show.
    """
    taken, found = bytearray(len(text)), list[TypedValue]()
    for kind, pattern in PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span()
            start += len(match[0]) - len(match[0].lstrip())
            if any(taken[start:end]):
                continue
            value = _value(kind, match, start, mark, month_first)
            if value is not None:
                taken[start:end] = b"\1" * (end - start)
                found.append(value)
    return sorted(found, key=lambda value: value.start)


def _value(
    kind: ValueType, match: re.Match[str], start: int, mark: DecimalMark, month_first: bool | None
) -> TypedValue | None:
    written, parts = match[0].strip(), match.groupdict()
    readings, unit = frozenset[str](), ""
    if kind == "date":
        readings = frozenset(_days(parts, month_first))
        if not readings:
            return None
    elif kind in NUMERIC:
        sign = "-" if re.match(r"[-−]", written) or parts["n"].startswith(("-", "−")) else ""
        readings = frozenset(sign + number for number in read_number(parts["n"].lstrip("-−"), mark=mark))
        unit = "%" if kind == "percentage" else CURRENCIES.get((parts.get("c") or "").lower(), "")
        if parts.get("u"):
            unit, factor = UNITS[parts["u"].lower()]
            readings = frozenset(f"{(Decimal(number) * Decimal(factor)).normalize():f}" for number in readings)
    elif kind == "time":
        readings = frozenset({_clock(written)})
    else:
        compact = re.sub(r"[\s()]", "", written)
        readings = frozenset({compact.lower() if kind == "email" else compact.upper()})
    return TypedValue(kind, start, match.end(), written, readings, unit)


def _days(parts: dict[str, str | None], month_first: bool | None) -> Iterator[str]:
    if "a" not in parts:
        day = read_day(parts["y"] or "", parts["m"] or "", parts["d"] or "")
        yield from [day] if day else []
        return
    first, second, year = parts["a"] or "", parts["b"] or "", parts["y"] or ""
    # With points the day goes first everywhere.
    orders = [False] if parts["s"] == "." else [False, True] if month_first is None else [month_first]
    for order in orders:
        day = read_day(year, *((first, second) if order else (second, first)))
        if day:
            yield day


def _clock(written: str) -> str:
    numbers = [int(number) for number in re.findall(r"\d+", written)]
    afternoon = re.search(r"p\.?m", written, re.IGNORECASE) is not None
    morning = re.search(r"a\.?m", written, re.IGNORECASE) is not None
    if (afternoon and numbers[0] < 12) or (morning and numbers[0] == 12):
        numbers[0] = (numbers[0] + 12) % 24
    return ":".join(f"{number:02}" for number in numbers[:2])


def month_comes_first(text: str) -> bool | None:
    """Return whether dates with slashes name the month first, as far as days above 12 tell; else None."""
    pairs = re.findall(r"(?<!\d)(\d{1,2})[/-](\d{1,2})[/-](?:\d{4}|\d{2})(?!\d)", text)
    first = any(int(b) > 12 >= int(a) for a, b in pairs)
    last = any(int(a) > 12 >= int(b) for a, b in pairs)
    return None if first == last else first


def comparable(one: TypedValue, other: TypedValue) -> bool:
    """Return whether two values can mean the same kind of thing."""
    if one.type == other.type:
        return True
    if {one.type, other.type} <= NUMERIC:
        return not (one.unit and other.unit)
    return {one.type, other.type} <= {"reference", "number", "phone"}


def equal(one: TypedValue, other: TypedValue) -> bool:
    """Return whether two comparable values are the same, as far as both say: 12 may be 12 EUR, 3 May 3 May 2024."""
    if one.unit and other.unit and one.unit != other.unit:
        return False
    if one.type == other.type == "date":
        return any(same_day(a, b) for a in one.readings for b in other.readings)
    return not one.readings.isdisjoint(other.readings)
