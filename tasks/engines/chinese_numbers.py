"""Reads numbers in Chinese characters, as contracts write them: days, sums in words (大写), full-width digits."""

from __future__ import annotations

import re
from decimal import Decimal

# Characters of Chinese, Japanese and Korean: between them and a number there is no space.
CJK = r"\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
DIGITS = {
    letter: value
    for value, letters in enumerate(
        ("零〇", "一壹", "二贰貳兩两", "三叁參", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
    )
    for letter in letters
}
TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
SCALES = {"万": 10_000, "萬": 10_000, "亿": 10**8, "億": 10**8}
NUMERALS = "".join((*DIGITS, *TENS, *SCALES))
# Stands behind digits: 120万, 3.5亿.
SCALE = "|".join(("百万", "千万", "万", "萬", "亿", "億"))
_CAPITALS = "壹贰貳叁參肆伍陆陸柒捌玖拾佰仟"
# A sum in words; what is called yuan also with a common numeral (一百元), angles and cents with either.
SUM = rf"(?P<yuan>[{NUMERALS}]+)[元圆圓](?:(?P<jiao>[{NUMERALS}])角)?(?:零?(?P<fen>[{NUMERALS}])分)?[整正]?"
DAY_NUMBER = r"\d{1,2}|[〇零一二三四五六七八九十]{1,3}"
YEAR_NUMBER = r"\d{4}|[〇零一二三四五六七八九]{4}"
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if code != 0xFF0C} | {0x3000: 0x20, 0xFFE5: 0xA5}


def folded(text: str) -> str:
    """Return a text with its full-width digits, letters and marks as plain ones, each at its place.

    A full-width comma parts clauses, unless it stands before three digits.

    >>> folded("总价：￥１７８，１２１．３８，含税")
    '总价:¥178,121.38，含税'
    """
    return re.sub(r"(?<=\d)，(?=\d{3}(?!\d))", ",", text.translate(_FULL_WIDTH))


def read_numeral(written: str) -> int | None:
    """Return the number that Chinese numerals or digits say; None where they say none.

    >>> read_numeral("壹拾柒万捌仟壹佰贰拾壹"), read_numeral("二〇二四"), read_numeral("十五"), read_numeral("万万")
    (178121, 2024, 15, None)
    """
    if written.isdecimal():
        return int(written)
    if written and all(letter in DIGITS for letter in written):
        return int("".join(str(DIGITS[letter]) for letter in written))
    total = part = 0
    digit: int | None = None
    for letter in written:
        if letter in DIGITS:
            digit = DIGITS[letter]
        elif letter in TENS:
            # 十五 is ten and five: a ten without a digit counts once.
            part, digit = part + (1 if digit is None else digit) * TENS[letter], None
        else:
            part += digit or 0
            if letter not in SCALES or not (part or total):
                return None
            total, part, digit = _scaled(total, part, SCALES[letter]), 0, None
    return total + part + (digit or 0)


def _scaled(total: int, part: int, scale: int) -> int:
    # 一万亿 is ten thousand of 亿, but 三亿二千万 is 亿 and 万 beside each other.
    return (total + part) * scale if total < scale else total + part * scale


def read_sum(yuan: str, jiao: str | None, fen: str | None) -> Decimal | None:
    """Return the amount that a sum in words says.

    >>> read_sum("壹佰贰拾壹", "叁", "捌")
    Decimal('121.38')
    """
    whole = read_numeral(yuan)
    return (
        None
        if whole is None
        else whole + Decimal(DIGITS.get(jiao or "", 0)) / 10 + Decimal(DIGITS.get(fen or "", 0)) / 100
    )


def is_in_capitals(written: str) -> bool:
    """Return whether an amount is written in the numerals that cannot be altered: 壹佰元整."""
    return any(letter in _CAPITALS for letter in written)
