"""Finds the values in a text that can be compared: amounts, dates, references, IBANs, e-mails, quantities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tasks.engines.chinese_numbers import (
    CJK,
    DAY_NUMBER,
    NUMERALS,
    SCALE,
    SUM,
    YEAR_NUMBER,
    folded,
    read_numeral,
    read_sum,
)
from tasks.engines.ibans import IBAN, cut_iban
from tasks.engines.money_and_units import CURRENCIES, UNITS
from tasks.engines.notation import Notation
from tasks.engines.written_numbers import MONTH, NUMBER, read_day, read_number, same_day

ValueType = Literal[
    "amount", "date", "time", "reference", "iban", "email", "phone", "percentage", "quantity", "number", "text"
]
NUMERIC = {"amount", "percentage", "quantity", "number"}

# Letters and digits but for Chinese characters, which stand beside a number without a space.
_W = rf"[^\W{CJK}]"
_START, _END = rf"(?<!{_W})", rf"(?!{_W})"
_CURRENCY = "|".join(re.escape(name) for name in sorted(CURRENCIES, key=len, reverse=True))
_YUAN = "|".join(name for name in sorted(CURRENCIES, key=len, reverse=True) if re.match(f"[{CJK}]", name))
_UNIT = "|".join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True))
_SIGN = rf"(?<![.,-])(?<!{_W})[-−+]?\s?"
_ROUND = r"(?:,[-–—]{1,2})?"
# In this order: what one pattern took is not looked at by the next.
PATTERNS: list[tuple[ValueType, re.Pattern[str]]] = [
    ("email", re.compile(r"[A-Za-z0-9._%+\u00c0-\u024f-]+@[\w-]+(?:\.[\w-]+)+")),
    ("iban", re.compile(rf"{_START}{IBAN}(?!{_W})")),
    ("date", re.compile(rf"{_START}(?P<y>\d{{4}})-(?P<m>\d{{1,2}})-(?P<d>\d{{1,2}})(?:T[\d:.]+Z?)?{_END}")),
    ("date", re.compile(rf"{_START}(?P<y>\d{{4}})/(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}}){_END}")),
    ("date", re.compile(r"(?<![\d.])(?P<y>(?:19|20)\d\d)\.(?P<m>\d{1,2})\.(?P<d>\d{1,2})(?![\d.]*\d)")),
    (
        "date",
        re.compile(
            rf"(?<![\d{NUMERALS}])(?:(?P<y>{YEAR_NUMBER})\s*年\s*)?(?P<m>{DAY_NUMBER})\s*月\s*(?P<d>{DAY_NUMBER})\s*[日号號]"
        ),
    ),
    ("date", re.compile(rf"(?<![\d{NUMERALS}])(?P<y>{YEAR_NUMBER})\s*年\s*(?P<m>{DAY_NUMBER})\s*月(?P<d>)")),
    (
        "date",
        re.compile(
            rf"{_START}(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<m>{MONTH})\b\.?(?:,?\s+(?P<y>\d{{4}})\b)?",
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
    (
        "time",
        re.compile(
            rf"{_START}(?:(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?{_END}(?:\s?[ap]\.?m\b\.?)?"
            r"|(?:[01]?\d|2[0-3])\.[0-5]\d(?=\s?Uhr\b)|(?:[01]?\d|2[0-3])[时時點点][0-5]?\d分)",
            re.IGNORECASE,
        ),
    ),
    ("phone", re.compile(rf"(?<![+])(?<!{_W})\+\d[\d ()/-]{{6,22}}\d{_END}")),
    # Accounts and cards, in groups of four.
    ("reference", re.compile(rf"(?<![.,-])(?<!{_W})\d{{4}}(?: \d{{4}}){{2,}}(?: \d{{1,4}})?{_END}(?![.,]\d)")),
    (
        "phone",
        re.compile(
            rf"(?<![.,-])(?<!{_W})(?:0\d{{2,3}}[- ]\d{{3,4}}[ -]?\d{{4}}"
            rf"|1[3-9]\d(?P<gap>[ -]?)\d{{4}}(?P=gap)\d{{4}})(?![\d-])"
        ),
    ),
    # Of a land: a code that begins with 0, and what follows it; no number that counts begins so.
    (
        "phone",
        re.compile(
            rf"(?<![.,/-])(?<!{_W})(?:\(0[1-9]\d{{0,4}}\) ?|0[1-9]\d{{0,4}}(?: ?/ ?| )|0(?=[1-9]))"
            r"(?=(?:[ -]?\d){5,11}(?![ -]?\d))\d[\d -]*\d(?![.,/]\d)"
        ),
    ),
    ("amount", re.compile(rf"(?<![\d.,{NUMERALS}])(?P<c>人民[币幣])?\s?{SUM}")),
    (
        "amount",
        re.compile(
            rf"{_START}(?P<c>{_CURRENCY})\s?(?P<n>[-−]?(?:{NUMBER}){_ROUND})(?:\s?(?P<k>{SCALE}))?(?:\s?(?:{_YUAN})[整正]?)?{_END}",
            re.IGNORECASE,
        ),
    ),
    (
        "amount",
        re.compile(
            rf"{_SIGN}(?P<n>(?:{NUMBER}){_ROUND})\s?(?P<k>{SCALE})?\s?(?P<c>{_CURRENCY}){_END}[整正]?", re.IGNORECASE
        ),
    ),
    ("percentage", re.compile(rf"{_SIGN}(?P<n>{NUMBER})\s?(?:%|percent\b|per cent\b|Prozent\b)", re.IGNORECASE)),
    ("percentage", re.compile(rf"百分之(?P<n>{NUMBER}|[{NUMERALS}]+)")),
    (
        "reference",
        re.compile(rf"(?<![.@/-])(?<!{_W})(?=[A-Z0-9/_-]*\d)(?=[\d/_-]*[A-Z])[A-Z0-9]+(?:[-/_][A-Z0-9]+)*(?!@){_END}"),
    ),
    ("reference", re.compile(rf"(?<![.,@/-])(?<!{_W})\d+(?:[-/]\d+)+(?![.,]*\d){_END}")),
    (
        "quantity",
        re.compile(rf"{_SIGN}(?P<n>{NUMBER})(?P<k>{SCALE})?[\s-]?(?P<u>{_UNIT})(?![²³]){_END}", re.IGNORECASE),
    ),
    ("number", re.compile(rf"{_SIGN}(?P<n>{NUMBER})(?P<k>{SCALE})?(?!@|[-/]{_W}|[.,]\d){_END}")),
]


# A price for one of something may have three decimals: 1.499 EUR/l.
PER_UNIT = re.compile(r"\s*(?:/|per\b|pro\b|je\b|each\b)", re.IGNORECASE)
UNKNOWN = Notation()
# Signs that stand for several currencies, and which.
UNSETTLED = {"¥": {"CNY", "JPY"}, "元": {"CNY", "TWD", "HKD"}}


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
        """The value in one notation for all; what can be read in two ways is shown in both."""
        readings = sorted(self.readings, key=lambda one: (len(one), one)) or [self.written]
        return f"{' or '.join(readings)} {self.unit}".strip()

    @property
    def is_ambiguous(self) -> bool:
        """Whether the document leaves open what it means."""
        return len(self.readings) > 1 or self.unit in UNSETTLED


def find_values(text: str, notation: Notation = UNKNOWN) -> list[TypedValue]:
    """Return the typed values of a line in its order. `notation` is how its document writes."""
    plain = folded(text)
    taken, found = bytearray(len(text)), list[TypedValue]()
    for kind, pattern in PATTERNS:
        for match in pattern.finditer(plain):
            start, end = match.span()
            start += len(match[0]) - len(match[0].lstrip())
            if kind == "iban":
                end = start + len(cut_iban(match[0]))
            if any(taken[start:end]):
                continue
            readings, unit = _meaning(kind, match, plain[start:end], notation)
            if readings:
                taken[start:end] = b"\1" * (end - start)
                found.append(TypedValue(kind, start, end, text[start:end].strip(), readings, unit))
    return sorted(found, key=lambda value: value.start)


def _meaning(kind: ValueType, match: re.Match[str], written: str, notation: Notation) -> tuple[frozenset[str], str]:
    parts = match.groupdict()
    if kind == "date":
        return frozenset(_days(parts, notation.month_first)), ""
    if kind == "time":
        return frozenset({_clock(written)}), ""
    if kind not in NUMERIC:
        # The (0) is for those who call from inside the country.
        compact = re.sub(r"\(0\)|[\s()/-]" if kind == "phone" else r"[\s()]", "", written)
        return frozenset({compact.lower() if kind == "email" else compact.upper()}), ""
    unit = _currency(parts.get("c") or "元", notation) if kind == "amount" else "%" if kind == "percentage" else ""
    if "yuan" in parts:
        amount = read_sum(parts["yuan"] or "", parts["jiao"], parts["fen"])
        return frozenset() if amount is None else frozenset({_in_full(amount)}), unit
    readings = _numbers(kind, match, written, notation)
    factor = Decimal(read_numeral("一" + parts["k"]) or 1) if parts.get("k") else Decimal(1)
    if parts.get("u"):
        unit, by = UNITS[(parts["u"] or "").lower()]
        if parts["u"] == "年" and re.fullmatch(r"(?:19|20)\d\d", parts["n"] or ""):
            # A year, and not so many of them.
            return frozenset(), ""
        factor *= Decimal(by)
    return frozenset(_in_full(Decimal(number) * factor) for number in readings), unit


def _in_full(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _currency(written: str, notation: Notation) -> str:
    code = CURRENCIES[written.lower()]
    # What is left open stays the sign itself.
    return {"¥": notation.yen or "¥", "元": notation.yuan or "元"}.get(code, code)


def _numbers(kind: ValueType, match: re.Match[str], written: str, notation: Notation) -> frozenset[str]:
    """Return the readings of a number.

    4.500 is read as the document's other numbers say; where these are silent, as its language and, for money, its
    currency say, which has no three decimals; both readings stay where these contradict each other.
    """
    number = re.sub(r",[-–—]+$", "", match["n"].lstrip("-−"))
    if number[0] in NUMERALS:
        numeral = read_numeral(number)
        return frozenset() if numeral is None else frozenset({str(numeral)})
    readings = read_number(number)
    if len(readings) > 1:
        clues = {notation.mark or notation.spoken_mark} - {""}
        # Money has no three decimals; of a bare number a language alone is no proof.
        doubtful = kind == "amount" or (kind == "number" and not notation.mark)
        if doubtful and not PER_UNIT.match(match.string, match.end()) and (kind == "amount" or clues):
            clues.add("," if "." in number else ".")
        if len(clues) == 1:
            readings = read_number(number, mark="," if "," in clues else ".")
    sign = "-" if re.match(r"[-−]", written) or match["n"].startswith(("-", "−")) else ""
    return frozenset(sign + reading for reading in readings)


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


def comparable(one: TypedValue, other: TypedValue) -> bool:
    """Return whether two values can mean the same kind of thing."""
    if one.type == other.type:
        return True
    if {one.type, other.type} <= NUMERIC:
        return not (one.unit and other.unit)
    return {one.type, other.type} <= {"reference", "number", "phone"}


def equal(one: TypedValue, other: TypedValue) -> bool:
    """Return whether two comparable values are the same, as far as both say: 12 may be 12 EUR, 3 May 3 May 2024."""
    if one.unit and other.unit and not _same_unit(one.unit, other.unit):
        return False
    if one.type == other.type == "date":
        return any(same_day(a, b) for a in one.readings for b in other.readings)
    return not one.readings.isdisjoint(other.readings)


def _same_unit(one: str, other: str) -> bool:
    # ¥ may be yen or yuan, but no euro.
    return not UNSETTLED.get(one, {one}).isdisjoint(UNSETTLED.get(other, {other}))
