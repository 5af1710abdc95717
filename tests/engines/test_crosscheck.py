"""The cross-check finds all planted differences and no others: on forms, letters and tables in several notations."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tasks.engines.crosscheck import Field, compare, is_wanted
from tasks.engines.document import text_page
from tasks.engines.facts import facts_of
from tasks.engines.labels import normal_label
from tasks.engines.typed_values import equal, find_values
from tests.engines import paperwork
from tests.engines.paperwork import HELD_OUT_LABELS, LABELS, NOTATIONS, Deal
from tests.engines.scores import show

SEEDS, HELD_OUT = range(30), range(1000, 1030)


def fields_of(*texts: str) -> list[Field]:
    return compare([facts_of([text_page(text)]) for text in texts])


def differing(fields: Sequence[Field]) -> list[Field]:
    return [one for one in fields if len(one.facts) > 1 and not one.agrees]


def name_of(found: Field, labels: dict[str, list[str]]) -> str:
    """Return which field of a deal a difference is about."""
    names = [name for name, written in labels.items() if found.label in {normal_label(one) for one in written}]
    return names[0] if names else found.label


@pytest.mark.parametrize(("seeds", "labels"), [(SEEDS, LABELS), (HELD_OUT, HELD_OUT_LABELS)], ids=["known", "held out"])
def test_forms_in_other_words_and_notations_differ_only_where_planted(
    seeds: range, labels: dict[str, list[str]]
) -> None:
    planted_count = agreeing = 0
    for seed in seeds:
        chance = random.Random(seed)
        deal = paperwork.make_deal(chance)
        other, planted = paperwork.changed(deal, chance, chance.randrange(5))
        texts = [paperwork.form(one, labels, chance.choice(NOTATIONS), chance) for one in (deal, other)]
        fields = fields_of(*texts)

        expected = planted - {"price", "count"}
        assert {name_of(one, labels) for one in differing(fields)} == expected, (seed, texts)
        assert len(differing(fields)) == len(expected)
        shared = [one for one in fields if len(one.facts) > 1]
        assert len(shared) == len(labels), (seed, texts)
        planted_count, agreeing = planted_count + len(expected), agreeing + len(shared) - len(expected)
    show(f"forms: {planted_count} planted differences found, {agreeing} values agree, in {len(seeds)} pairs")


@pytest.mark.parametrize("seeds", [SEEDS, HELD_OUT], ids=["known", "held out"])
def test_letters_with_the_same_sentences_differ_only_where_planted(seeds: range) -> None:
    said = {"total", "delivered", "deposit", "weight", "order", "rate", "email"}
    for seed in seeds:
        chance = random.Random(seed)
        deal = paperwork.make_deal(chance)
        other, planted = paperwork.changed(deal, chance, chance.randrange(5))
        texts = [paperwork.letter(one, chance.choice(NOTATIONS)) for one in (deal, other)]
        fields = fields_of(*texts)

        assert len(differing(fields)) == len(planted & said), (seed, texts, planted)
        assert len([one for one in fields if len(one.facts) > 1]) == len(said)


def test_three_documents_are_compared_at_once() -> None:
    fields = fields_of("Total: 10.00 EUR\nDate: 2024-05-03", "Date: 3 May 2024\nTotal: 10,00 €", "Total: EUR 12.00")

    [total] = differing(fields)
    assert (total.label, sorted(total.facts)) == ("total", [0, 1, 2])
    assert [one.label for one in fields if len(one.facts) == 2] == ["date"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,234.50 EUR", "€ 1.234,50"),
        ("1 234,50 EUR", "EUR 1234.5"),
        ("3 May 2024", "03.05.2024"),
        ("May 3rd, 2024", "2024-05-03"),
        ("3. Mai 2024", "2024/5/3"),
        ("3 May", "3 May 2024"),
        ("03/05/2024", "5 March 2024"),
        ("03/05/2024", "3 May 2024"),
        ("8:45 pm", "20:45"),
        ("19 %", "19.0 percent"),
        ("2.5 kg", "2,500 g"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("Post@Example.com", "post@example.com"),
        ("12 hours", "720 min"),
        ("$5", "5.00"),
    ],
)
def test_the_same_value_is_known_in_any_notation(one: str, other: str) -> None:
    [first], [second] = find_values(one), find_values(other)

    assert equal(first, second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,234.50 EUR", "1,234.50 USD"),
        ("1.234,50 EUR", "1,234.05 EUR"),
        ("3 May 2024", "4 May 2024"),
        ("3 May 2024", "3 May 2023"),
        ("31.12.2024", "12/30/2024"),
        ("2.5 kg", "2.5 g"),
        ("-5.00 EUR", "5.00 EUR"),
        ("INV-2024-01", "INV-2024-10"),
    ],
)
def test_other_values_are_not_the_same(one: str, other: str) -> None:
    [first], [second] = find_values(one), find_values(other)

    assert not equal(first, second)


def test_what_one_document_repeats_or_lacks_is_no_difference() -> None:
    fields = fields_of("Total: 10 EUR\nDiscount: 2 EUR\nPage 1 of 2\nTotal: 10 EUR", "Total: 10.00 EUR\nPage 1 of 1")

    assert differing(fields) == []
    assert [len(one.facts) for one in fields] == [2, 1]


def test_names_are_compared_whatever_their_order_and_case() -> None:
    assert differing(fields_of("Customer: Solheim, Ingrid", "Client: Ingrid SOLHEIM")) == []
    assert len(differing(fields_of("Customer: Solheim, Ingrid", "Client: Ingrid Holm"))) == 1


def test_things_of_one_name_are_told_apart_by_their_number_or_left_alone() -> None:
    assert differing(fields_of("Fee: 10 EUR\nFee: 20 EUR", "Fee: 10 EUR\nFee: 20 EUR\nFee: 30 EUR")) == []
    [found] = differing(fields_of("Fee: 10 EUR\nFee: 20 EUR", "Fee: 25 EUR\nFee: 10 EUR"))
    assert sorted(fact.value.shown for facts in found.facts.values() for fact in facts) == ["20 EUR", "25 EUR"]


def test_fields_are_chosen_by_type_or_by_what_they_are_called() -> None:
    fields = fields_of("Invoice no: A-1\nTotal: 5 EUR", "Invoice number: A-1\nTotal: 6 EUR")

    assert [[one.label for one in fields if is_wanted(one, name)] for name in ("amounts", "Inv. number", "Weight")] == [
        ["total"],
        ["invoice number"],
        [],
    ]


def test_a_deal_has_all_labels() -> None:
    assert set(LABELS) == set(HELD_OUT_LABELS) == set(Deal.__dataclass_fields__) - {"items"}
