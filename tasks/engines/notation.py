"""How a document writes numbers, days and money, told by what it writes unmistakably, its language and its currency."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.engines.written_language import language_of
from tasks.engines.written_numbers import DecimalMark, decimal_mark, month_comes_first

# A form has few of the words that tell a language, but some of these.
FORM_WORDS = {
    "en": "invoice amount total date number contract payment price delivery tax buyer seller due order quantity rent "
    "agreement account deposit fee",
    "de": "rechnung betrag gesamt gesamtbetrag summe datum nummer nr vertrag zahlung preis lieferung mwst käufer "
    "verkäufer fällig bestellung menge miete konto kaution rechnungsnummer rechnungsdatum einzelpreis kunde "
    "kundennummer lieferdatum netto brutto zwischensumme kaufpreis rechnungsbetrag auftrag bezeichnung "
    "artikel anzahl gebühr",
}
FORMS = {language: frozenset(words.split()) for language, words in FORM_WORDS.items()}
# How languages part decimals where nothing else tells.
MARKS: dict[str, DecimalMark] = {
    "en": ".", "zh": ".", "ja": ".", "ko": ".", "th": ".", "he": ".",
    "de": ",", "fr": ",", "es": ",", "it": ",", "pt": ",", "nl": ",", "ru": ",", "el": ",",
}  # fmt: skip
# Within so much of a document its language shows.
ENOUGH = 20_000


@dataclass(frozen=True)
class Notation:
    """How a document writes.

    `mark` parts decimals in its unmistakable numbers, `spoken_mark` in its language; empty where that does not show.
    `month_first`: whether 05/03/2024 is the third of May; None when it does not show. `yen` is what ¥ means here,
    `yuan` what 元 means: a currency's code, empty where it could be several.
    """

    mark: DecimalMark = ""
    spoken_mark: DecimalMark = ""
    month_first: bool | None = None
    yen: str = ""
    yuan: str = "CNY"


def notation_of(text: str) -> Notation:
    """Return how a document writes.

    >>> notation_of("Der Betrag ist bei der Übergabe fällig: 4.500 EUR").spoken_mark
    ','
    >>> notation_of("合同总价：¥4,500.00").yen, notation_of("Price: ¥4,500").yen
    ('CNY', '')
    """
    language = _language(text)
    return Notation(
        decimal_mark(text), MARKS.get(language, ""), month_comes_first(text), _yen(text, language), _yuan(text)
    )


def _language(text: str) -> str:
    language = language_of(text[:ENOUGH])
    if language not in ("und", "en", "de"):
        return language
    words = re.findall(r"[^\W\d_]+", text[:ENOUGH].lower())
    hits = {name: sum(word in known for word in words) for name, known in FORMS.items()}
    if language != "und" or hits["en"] == hits["de"]:
        return language
    return "en" if hits["en"] > hits["de"] else "de"


def _yen(text: str, language: str) -> str:
    yuan = bool(re.search(r"人民[币幣]|RMB|CNY|[Rr]enminbi|\b[Yy]uan\b|\b(?:PR )?China\b", text))
    yen = bool(re.search(r"日[元圆圓]|円|JPY|\b[Yy]en\b|\bJapan\b", text))
    if yuan != yen:
        return "CNY" if yuan else "JPY"
    return {"zh": "CNY", "ja": "JPY"}.get(language, "") if not yuan else ""


def _yuan(text: str) -> str:
    """Taiwan and Hong Kong call their dollars 元 too."""
    named = {
        "CNY": r"人民[币幣]|RMB|CNY|¥|￥",
        "TWD": r"新[台臺][币幣]|NT\$|TWD",
        "HKD": r"港[币幣元]|HK\$|HKD",
    }
    found = [code for code, pattern in named.items() if re.search(pattern, text)]
    return found[0] if len(found) == 1 else "CNY" if not found or "CNY" in found else ""
