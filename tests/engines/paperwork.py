"""Makes pairs of business documents that say the same in other words and notations, but for planted differences."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from tests.engines import pdfs

# What documents call the fields; each draws one of a row. The held-out tests draw from HELD_OUT_LABELS.
LABELS = {
    "invoice": ["Invoice number", "Invoice no.", "Inv. No.", "Invoice #"],
    "order": ["Order number", "Order no.", "Number of the order"],
    "customer": ["Customer", "Client", "Buyer"],
    "iban": ["IBAN"],
    "email": ["E-mail", "Email", "Mail"],
    "invoiced": ["Invoice date", "Date of invoice", "Date of the invoice"],
    "delivered": ["Delivery date", "Date of delivery"],
    "net": ["Net amount", "Amount net"],
    "rate": ["VAT rate", "Rate of VAT"],
    "total": ["Total", "Sum"],
    "weight": ["Gross weight", "Weight (gross)"],
    "deposit": ["Deposit", "Deposit"],
}
HELD_OUT_LABELS = {
    "invoice": ["Booking number", "Booking nr", "Number of booking"],
    "order": ["Contract no.", "Contract number"],
    "customer": ["Tenant", "Tenant"],
    "iban": ["Account (IBAN)", "Account"],
    "email": ["Contact e-mail", "Contact mail"],
    "invoiced": ["Signed on", "Signed"],
    "delivered": ["Moving date", "Date of moving"],
    "net": ["Rent per month", "Rent per month (cold)"],
    "rate": ["Yearly increase", "Increase, yearly"],
    "total": ["Rent of the first year", "Rent first year"],
    "weight": ["Floor area", "Area of the floor"],
    "deposit": ["Deposit of the tenant", "Deposit, tenant"],
}
NAMES = ["Ingrid Solheim", "Duarte Figueira", "Maja Nowicka", "Clara Winter", "Amara Okafor", "Jonas Lindqvist"]
GOODS = [
    "Signal lamp",
    "Fresnel lens",
    "Brass bell",
    "Mooring rope",
    "Anchor chain",
    "Fog horn",
    "Chart table",
    "Oil can",
]


@dataclass
class Deal:
    """What a pair of documents is about. `items` are name, count and price each."""

    invoice: str
    order: str
    customer: str
    iban: str
    email: str
    invoiced: date
    delivered: date
    net: Decimal
    rate: Decimal
    total: Decimal
    weight: Decimal
    deposit: Decimal
    items: list[tuple[str, int, Decimal]] = field(default_factory=list)


@dataclass(frozen=True)
class Notation:
    number: Callable[[Decimal], str]
    day: Callable[[date], str]
    money: Callable[[str], str]


def english(value: Decimal) -> str:
    return f"{value:,.2f}"


def german(value: Decimal) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def spaced(value: Decimal) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",")


NOTATIONS = [
    Notation(english, lambda day: day.isoformat(), lambda written: f"{written} EUR"),
    Notation(english, lambda day: f"{day.day} {day:%B} {day.year}", lambda written: f"€ {written}"),
    Notation(english, lambda day: f"{day:%B} {day.day}, {day.year}", lambda written: f"€{written}"),
    Notation(german, lambda day: f"{day:%d.%m.%Y}", lambda written: f"EUR {written}"),
    Notation(spaced, lambda day: f"{day:%d.%m.%Y}", lambda written: f"{written} €"),
    Notation(english, lambda day: f"{day.day} {day:%b} {day.year}", lambda written: f"{written} euros"),
]


def make_deal(chance: random.Random) -> Deal:
    signed = date(2023, 1, 1) + timedelta(days=chance.randrange(900))
    amounts = chance.sample(range(2_000, 9_000_000), 4)
    net, total, deposit, weight = (Decimal(amount) / 100 for amount in amounts)
    goods = chance.sample(GOODS, 4)
    digits = "".join(chance.choices("0123456789", k=18))
    return Deal(
        invoice=f"INV-{signed.year}-{chance.randrange(10_000):04}",
        order=f"PO-{chance.randrange(1000, 99_999)}",
        customer=chance.choice(NAMES),
        iban=f"DE{digits[:2]} " + " ".join(digits[place : place + 4] for place in range(2, 18, 4)) + " 07",
        email=f"{chance.choice(['office', 'sales', 'post'])}{chance.randrange(100)}@example.com",
        invoiced=signed,
        delivered=signed + timedelta(days=chance.randrange(2, 60)),
        net=net,
        rate=Decimal(chance.choice(["7", "19", "20.5", "21"])),
        total=total,
        weight=weight,
        deposit=deposit,
        items=[(name, chance.randrange(1, 40), Decimal(chance.randrange(100, 99_999)) / 100) for name in goods],
    )


def changed(deal: Deal, chance: random.Random, count: int) -> tuple[Deal, set[str]]:
    """Return the deal with so many differences planted, and where: names of fields, or of items with price or count."""
    other = Deal(**{**deal.__dict__, "items": list(deal.items)})
    planted = set(chance.sample([*LABELS, "price", "count"], count))
    for name in planted & {"net", "total", "weight", "deposit"}:
        setattr(other, name, getattr(deal, name) + chance.choice([Decimal("0.01"), Decimal(-10), Decimal("900")]))
    for name in planted & {"invoiced", "delivered"}:
        setattr(other, name, getattr(deal, name) + timedelta(days=chance.choice([1, 10, 365])))
    for name in planted & {"invoice", "order", "iban"}:
        written = getattr(deal, name)
        setattr(other, name, written[:-1] + str((int(written[-1]) + 3) % 10))
    if "customer" in planted:
        other.customer = chance.choice([name for name in NAMES if name != deal.customer])
    if "email" in planted:
        other.email = "new." + deal.email
    if "rate" in planted:
        other.rate = deal.rate + 1
    for kind in ("price", "count"):
        if kind in planted:
            place = {"price": 0, "count": 1}[kind]
            name, number, price = other.items[place]
            other.items[place] = (name, number, price + 1) if kind == "price" else (name, number + 1, price)
    return other, planted


def lines_of(
    deal: Deal, labels: dict[str, list[str]], notation: Notation, chance: random.Random
) -> list[tuple[str, str]]:
    """Return the fields as (label, value), in an order of their own."""
    money = lambda value: notation.money(notation.number(value))  # noqa: E731
    values = {
        "invoice": deal.invoice,
        "order": deal.order,
        "customer": deal.customer,
        "iban": deal.iban if chance.random() < 0.5 else deal.iban.replace(" ", ""),
        "email": deal.email,
        "invoiced": notation.day(deal.invoiced),
        "delivered": notation.day(deal.delivered),
        "net": money(deal.net),
        "rate": f"{notation.number(deal.rate)} %",
        "total": money(deal.total),
        "weight": f"{notation.number(deal.weight)} kg",
        "deposit": money(deal.deposit),
    }
    lines = [(chance.choice(labels[name]), value) for name, value in values.items()]
    chance.shuffle(lines)
    return lines


def form(deal: Deal, labels: dict[str, list[str]], notation: Notation, chance: random.Random) -> str:
    return "\n".join(f"{label}: {value}" for label, value in lines_of(deal, labels, notation, chance))


def letter(deal: Deal, notation: Notation) -> str:
    """Running text; both of a pair have the same sentences."""
    money = lambda value: notation.money(notation.number(value))  # noqa: E731
    return (
        f"Dear partners, we confirm the agreement about the harbour lights. Payment of {money(deal.total)} is due on "
        f"{notation.day(deal.delivered)}. A deposit of {money(deal.deposit)} was received in advance. "
        f"The shipment weighs {notation.number(deal.weight)} kg in all and leaves under the number {deal.order}. "
        f"Interest of {notation.number(deal.rate)} % is charged on late payments. "
        f"Questions go to {deal.email} at any time."
    )


def pdf(path: Path, deal: Deal, labels: dict[str, list[str]], notation: Notation, chance: random.Random) -> Path:
    """A page with the fields as lines or as a ruled table, and the items as a table on it."""
    style = pdfs.TableStyle([pdfs.GRID])
    money = lambda value: notation.money(notation.number(value))  # noqa: E731
    fields = lines_of(deal, labels, notation, chance)
    head = ["Article", chance.choice(["Quantity", "Qty", "Count"]), chance.choice(["Unit price", "Price (unit)"])]
    items = [[name, str(number), money(price)] for name, number, price in deal.items]
    chance.shuffle(items)
    parts = (
        [pdfs.Paragraph(f"{label}: {value}", pdfs.STYLES["BodyText"]) for label, value in fields]
        if chance.random() < 0.5
        else [pdfs.Table([list(pair) for pair in fields], style=style)]
    )
    between = pdfs.Paragraph("The articles:", pdfs.STYLES["BodyText"])
    return pdfs.build(path, *parts, between, pdfs.Table([head, *items], style=style))
