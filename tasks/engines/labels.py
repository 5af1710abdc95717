"""What documents call their values: labels as they are compared, in English, German and Chinese."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from tasks.engines.chinese_numbers import CJK, folded
from tasks.engines.money_and_units import CURRENCIES

# Said in several ways; the first stands for all.
SYNONYMS = {
    "number": "no nr num numero nummer n° №",
    "quantity": "qty menge count anzahl",
    "amount": "amt betrag",
    "total": "sum summe gesamt insgesamt",
    "invoice": "inv rechnung",
    "date": "datum",
    "vat": "mwst ust mehrwertsteuer umsatzsteuer",
    "rate": "satz",
    "customer": "client buyer kunde käufer",
    "supplier": "vendor seller lieferant verkäufer",
    "email": "mail",
    "phone": "tel telephone telefon",
    "reference": "ref",
}
# German joins words.
COMPOUNDS = {
    "invoice number": "rechnungsnummer rechnungsnr", "invoice date": "rechnungsdatum", "order number": "bestellnummer",
    "delivery date": "lieferdatum liefertermin",
    "total amount": "gesamtbetrag gesamtsumme", "contract number": "vertragsnummer",
    "vat rate": "mehrwertsteuersatz umsatzsteuersatz", "tax rate": "steuersatz",
    "customer number": "kundennummer", "invoice amount": "rechnungsbetrag", "unit price": "einzelpreis stückpreis",
    "total price": "gesamtpreis", "contract date": "vertragsdatum", "amount net": "nettobetrag",
}  # fmt: skip
# Any other word that ends so: Angebotsnummer is the number of an Angebot.
COMPOUND = re.compile(r"([^\W\d_]{4,}?)s?(nummer|nr|datum|betrag)")
STANDS_FOR = {word: first for first, words in (SYNONYMS | COMPOUNDS).items() for word in words.split()}
# In Chinese words are joined as well: these stand for the others wherever they are part of a label.
CJK_SYNONYMS = {
    "编号": "号码 編號", "总额": "合计金额 总计金额 总金额 总价款 总价 总计 合计 總計 合計 總額",
    "日期": "时间", "签订": "签署 签约",
    "电子邮箱": "电子邮件 邮箱", "电话": "联系电话", "账号": "帐号 银行账户 账户",
}  # fmt: skip
# The number of a paper, 合同号, is written shorter than 合同编号.
CJK_NUMBER = re.compile("(合同|协议|订单|发票|单据|文件|报价|项目)号(?!码)")
CJK_SPACE = re.compile(rf"(?<=[{CJK}])\s+(?=[{CJK}])")
TOTALS = frozenset(
    [
        "total",
        "subtotal",
        "sum",
        "总额",
        "小计",
        "税额",
        "vat",
        "tax",
        "net",
        "gross",
        "grand",
        "zwischensumme",
        "endbetrag",
        "netto",
        "brutto",
    ]
)
SILENT = {
    "the",
    "a",
    "an",
    "of",
    "is",
    "was",
    "are",
    "at",
    "on",
    "for",
    "in",
    "to",
    "by",
    "our",
    "your",
    "and",
    "per",
    "der",
    "die",
    "das",
    "des",
    "von",
    "am",
    "im",
    "und",
}


def normal_label(text: str) -> str:
    """Return a label as it is compared: known words for their synonyms, in one order, without what says nothing.

    What stands in brackets comes after a bracket: it may be missing in another document.

    >>> normal_label("Date of the invoice:"), normal_label("Inv. No."), normal_label("Unit price (EUR)")
    ('date invoice', 'invoice number', 'price unit')
    >>> normal_label("Rechnungsdatum"), normal_label("合　同 号码"), normal_label("合计金额（含税）")
    ('date invoice', '合同编号', '总额 (含税')
    >>> normal_label("Angebotsnummer"), normal_label("Angebot Nr."), normal_label("合同号")
    ('angebot number', 'angebot number', '合同编号')
    >>> normal_label("Weight (gross)")
    'weight (gross'
    """
    text = folded(text).lower().replace("e-mail", "email").replace("#", " number ")
    text = CJK_NUMBER.sub(r"\1编号", CJK_SPACE.sub("", text))
    for first, others in CJK_SYNONYMS.items():
        text = re.sub("|".join(others.split()), first, text)
    aside = " ".join(re.findall(r"[(\[]([^)\]]*)[)\]]?", text))
    words, asides = _words(re.sub(r"[(\[][^)\]]*[)\]]?", " ", text)), _words(aside)
    if not words:
        return " ".join(asides)
    return " ".join(words) + (f" ({' '.join(asides)}" if asides else "")


def label_of_rate(label: str) -> str:
    """Return what a percentage is called, whether its document says that it is a rate or not.

    >>> label_of_rate("rate vat"), label_of_rate("增值税税率"), label_of_rate("税率"), label_of_rate("rate")
    ('vat', '增值税', '税率', 'rate')
    """
    words = [word for word in label.split() if word != "rate"]
    return re.sub("(?<=.税)税?率$", "", " ".join(words)) or label


def label_likeness(one: str, other: str) -> float:
    """Return how alike two labels are, from 0 to 100; one that only adds something in brackets is nearly the same.

    >>> label_likeness("rent", "rent (cold"), label_likeness("gross weight", "weight (gross")
    (95.0, 100.0)
    >>> label_likeness("买方开户银行", "卖方开户银行")
    0.0
    """
    if not one or not other:
        return 0.0
    (bare, _, aside), (other_bare, _, other_aside) = one.partition(" ("), other.partition(" (")
    if bare == other_bare and not (aside and other_aside):
        return 100.0 if aside == other_aside else 95.0
    if has_cjk(one) or has_cjk(other):
        # One character makes the buyer (买方) of the seller (卖方).
        return 100.0 if one == other else 0.0
    whole, other_whole = (" ".join(sorted(label.replace("(", "").split())) for label in (one, other))
    return float(fuzz.ratio(whole, other_whole))


def _words(text: str) -> list[str]:
    words = {part for word in re.findall(r"[^\W\d_]+|№|n°", text) for part in _parted(word)}
    return sorted(
        word for word in words if word not in SILENT and word not in CURRENCIES and (len(word) > 1 or has_cjk(word))
    )


def _parted(word: str) -> list[str]:
    if word not in STANDS_FOR and (compound := COMPOUND.fullmatch(word)):
        return [STANDS_FOR.get(part, part) for part in compound.groups()]
    return STANDS_FOR.get(word, word).split()


def has_cjk(text: str) -> bool:
    """Return whether a text has Chinese, Japanese or Korean characters."""
    return re.search(f"[{CJK}]", text) is not None


def is_total(label: str) -> bool:
    """Return whether a row is called like the sum of a table, of its taxes or its net."""
    return not TOTALS.isdisjoint(label.replace("(", "").split())
