"""Compares the facts of two or more documents: what they call the same must be the same.

Each document is laid over those before it. Values are paired first by what they are called, then by
the sentence that they stand in, and last by being equal. Only the first two can show a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from string import ascii_uppercase

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from tasks.engines.facts import Fact
from tasks.engines.labels import has_cjk, label_likeness, label_of_rate, normal_label
from tasks.engines.typed_values import comparable, equal

# Out of 100. Below, "net total" would be "total", and one sentence another.
SAME_LABEL, SAME_SENTENCE = 90.0, 88.0
WANTED_LABEL = 85.0
# A row's name alone is a little less than the names of row and column.
BY_ROW = 5.0
SAME_CELL = 94.0
# Two digits wrong, or one and two transposed.
SAME_ACCOUNT = 98.0
# In the short numbers of papers one digit or one transposition; their series is known by two letters, "PO-".
OF_SHORT, SHORTEST_SERIES = 2, 2
# A masked sentence shorter than this, in words, says too little to be known again.
SHORTEST_SENTENCE = 4
# Equal values of these types mean the same thing wherever they stand.
TELLING = {"iban", "email", "reference", "phone", "amount", "date"}
TYPE_NAMES = {
    "amounts": "amount", "dates": "date", "times": "time", "references": "reference", "ibans": "iban",
    "emails": "email", "phones": "phone", "percentages": "percentage", "quantities": "quantity", "numbers": "number",
    "names": "text", "name": "text", "texts": "text",
}  # fmt: skip


@dataclass
class Field:
    """One thing that documents speak of: its facts by document (their places in the list of documents)."""

    facts: dict[int, list[Fact]] = field(default_factory=dict)

    @property
    def first(self) -> Fact:
        return self.facts[min(self.facts)][0]

    @property
    def label(self) -> str:
        return next((fact.label for facts in self.facts.values() for fact in facts if fact.label), "")

    @property
    def agrees(self) -> bool:
        members = [fact for facts in self.facts.values() for fact in facts]
        return all(equal(one.value, other.value) for one in members for other in members)

    def add(self, document: int, fact: Fact) -> None:
        self.facts.setdefault(document, []).append(fact)


def compare(documents: Sequence[Sequence[Fact]]) -> list[Field]:
    """Return the fields of all documents in the order of their first mention."""
    fields: list[Field] = []
    for number, facts in enumerate(documents):
        own = _merged(number, facts)
        for mine in _pair(fields, own):
            fields.append(mine)
    return fields


def _merged(document: int, facts: Iterable[Fact]) -> list[Field]:
    """Make a document's facts into fields; one that it repeats (a total on each page) is one field."""
    fields: list[Field] = []
    known: dict[tuple[str, str, str], Field] = {}
    for fact in facts:
        name = f"{fact.label} {fact.cell}" if fact.label else f"{fact.context} {fact.place}"
        key = (fact.value.type, name, fact.value.shown)
        if key not in known:
            known[key] = Field()
            fields.append(known[key])
        known[key].add(document, fact)
    return fields


def _pair(fields: list[Field], own: list[Field]) -> list[Field]:
    """Add a document's own fields to those that they belong to; return the ones that are new."""
    left = own
    for score, least in SCORES:
        left = _pair_by(score, least, fields, left)
    taken: set[int] = set()
    new = []
    for mine in left:
        for place, theirs in enumerate(fields):
            if place not in taken and not _has(theirs, mine) and _same_value(theirs, mine):
                _join(theirs, mine)
                taken.add(place)
                break
        else:
            new.append(mine)
    return _pair_by(_account_score, SAME_ACCOUNT, fields, new)


def _pair_by(score: object, least: float, fields: list[Field], own: list[Field]) -> list[Field]:
    assert callable(score)
    found = []
    for place, mine in enumerate(own):
        for other, theirs in enumerate(fields):
            if comparable(theirs.first.value, mine.first.value) and not _has(theirs, mine):
                value = score(theirs.first, mine.first)
                if value >= least:
                    alike = equal(theirs.first.value, mine.first.value)
                    found.append((-value, not alike, abs(place - other), place, other))
    rivals_of_own = _counts(entry[3] for entry in found if entry[1])
    joined, taken = set[int](), set[int]()
    for _, differs, _, place, other in sorted(found):
        if place in joined or other in taken:
            continue
        if differs and rivals_of_own[place] > 1 and not _as_many(found, place, joined, taken):
            # Several things of one name, and not as many here as there: which is which cannot be told.
            continue
        _join(fields[other], own[place])
        joined.add(place)
        taken.add(other)
    return [mine for place, mine in enumerate(own) if place not in joined]


def _as_many(found: list[tuple[float, bool, int, int, int]], place: int, joined: set[int], taken: set[int]) -> bool:
    others = {entry[4] for entry in found if entry[3] == place and entry[4] not in taken}
    mine = {entry[3] for entry in found if entry[4] in others and entry[3] not in joined}
    return len(others) == len(mine)


def _counts(places: Iterable[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for place in places:
        counts[place] = counts.get(place, 0) + 1
    return counts


def _label_score(one: Fact, other: Fact) -> float:
    if one.value.type == other.value.type == "percentage":
        # "VAT rate: 19 %" is "19 % VAT" elsewhere.
        one, other = (
            replace(fact, label=label_of_rate(fact.label), row=label_of_rate(fact.row)) for fact in (one, other)
        )
    if one.cell and other.cell and not (" / " in one.label and " / " in other.label) and not (one.row or other.row):
        # A table without the names of its columns has their order.
        return SAME_CELL if one.cell == other.cell else 0.0
    if (one.row or other.row) and (" / " not in one.label or " / " not in other.label or (one.row and other.row)):
        # "Total | | 5 EUR" in a table is "Total: 5 EUR" elsewhere, whatever the column is called.
        row = label_likeness(one.row or one.label, other.row or other.label) - BY_ROW
        return max(label_likeness(one.label, other.label), row)
    return label_likeness(one.label, other.label)


def _sentence_score(one: Fact, other: Fact) -> float:
    if one.place != other.place or min(_words(one.context), _words(other.context)) < SHORTEST_SENTENCE:
        return 0.0
    if one.label and other.label:
        # Both have names, and other ones.
        return 0.0
    if has_cjk(one.context) and _parties(one.context) != _parties(other.context):
        return 0.0
    return fuzz.ratio(one.context, other.context)


def _words(context: str) -> float:
    # Two Chinese characters are about a word.
    return len(context.split()) + sum(map(has_cjk, context)) / 2


def _parties(context: str) -> list[str]:
    """What one character turns into its opposite: 甲方 and 乙方, 买方 and 卖方, 收 and 付."""
    return re.findall("[甲乙丙丁买卖收付借贷]", context)


def _account_score(one: Fact, other: Fact) -> float:
    """Accounts with no name that match but for a digit or two are one account, written wrongly in one place.

    So are numbers that begin with the same letters, "PO-7731", if their names have a word in common or one has none.
    """
    if one.value.type != other.value.type or one.value.type not in {"iban", "reference"}:
        return 0.0
    (mine,), (theirs,) = one.value.readings, other.value.readings
    if one.value.type == "reference":
        are_apart = one.label and other.label and set(one.label.split()).isdisjoint(other.label.split())
        if are_apart or _series(mine) != _series(theirs) or len(_series(mine)) < SHORTEST_SERIES:
            return 0.0
        return 100.0 - OF_SHORT * OSA.distance(mine, theirs)
    return 100.0 - OSA.distance(mine, theirs)


def _series(reference: str) -> str:
    """Return the letters that a number begins with."""
    return reference[: len(reference) - len(reference.lstrip(ascii_uppercase))]


# In this order: what is paired by its name is not paired by its sentence.
SCORES = ((_label_score, SAME_LABEL), (_sentence_score, SAME_SENTENCE))


def _same_value(one: Field, other: Field) -> bool:
    first, second = one.first, other.first
    if not comparable(first.value, second.value) or not equal(first.value, second.value):
        return False
    return first.value.type in TELLING and second.value.type in TELLING


def _has(theirs: Field, mine: Field) -> bool:
    return not theirs.facts.keys().isdisjoint(mine.facts)


def _join(theirs: Field, mine: Field) -> None:
    for document, facts in mine.facts.items():
        for fact in facts:
            theirs.add(document, fact)


def is_wanted(found: Field, wanted: str) -> bool:
    """Return whether a field is one that was asked for: by type (dates, amounts, …) or by what it is called."""
    kind = wanted.strip().lower()
    kind = TYPE_NAMES.get(kind, kind)
    if found.first.value.type == kind:
        return True
    label = normal_label(wanted)
    own = {fact.label for facts in found.facts.values() for fact in facts if fact.label}
    return any(label_likeness(label, part) >= WANTED_LABEL for name in own for part in (name, *name.split(" / ")))
