"""Checks account numbers: the length that a country's IBAN has, and its check digits (ISO 13616, ISO 7064 mod 97)."""

from __future__ import annotations

import re

LENGTHS = {
    country: int(length)
    for length, countries in (
        entry.split(":")
        for entry in (
            "15:NO", "16:BE", "18:DK FI FO GL NL SD FK", "19:MK SI", "20:AT BA EE KZ LT LU XK MN",
            "21:CH HR LI LV", "22:BG BH CR DE GB GE IE ME RS VA SO", "23:AE GI IL IQ TL OM YE",
            "24:AD CZ ES MD PK RO SA SE SK TN VG", "25:LY PT ST", "26:IS TR", "27:BI DJ FR GR IT MC MR SM",
            "28:AL AZ BY CY DO GT HN HU LB PL SV NI", "29:BR EG PS QA UA", "30:JO KW MU", "31:MT SC", "32:LC", "33:RU",
        )
    )
    for country in countries.split()
}  # fmt: skip
IBAN = r"[A-Z]{2}\d{2}(?:[ \u00a0]?[A-Z0-9]){11,30}"


def cut_iban(written: str) -> str:
    """Return the part of a text that is an IBAN: words in capitals may stand behind it.

    >>> cut_iban("AT61 1904 3002 3457 3201 BIC OPSKATWW")
    'AT61 1904 3002 3457 3201'
    """
    length, seen = LENGTHS.get(written[:2], 34), 0
    for place, letter in enumerate(written):
        seen += not letter.isspace()
        if seen == length:
            rest = written[place + 1 :]
            # Letters that go on without a space belong to it: then it is too long, and said to be.
            return written[: place + 1] + (re.match(r"[A-Z0-9]*", rest) or [""])[0]
    return written


def fault_of(iban: str) -> str:
    """Return what is wrong with an IBAN without spaces; empty for nothing.

    >>> fault_of("DE89370400440532013000"), fault_of("DE88370400440532013000"), fault_of("DE8937040044053201300")
    ('', 'its check digits are wrong', 'it has 21 characters instead of 22')
    """
    length = LENGTHS.get(iban[:2])
    if length and len(iban) != length:
        return f"it has {len(iban)} characters instead of {length}"
    digits = "".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])
    return "" if int(digits) % 97 == 1 else "its check digits are wrong"
