"""Says what a cross-check could not be sure of: values with two readings, and those that are wrong in themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tasks.engines.crosscheck import Field
from tasks.engines.facts import Fact
from tasks.engines.ibans import fault_of
from tasks.engines.typed_values import UNSETTLED

# Of each kind so many are told by name for a document, the rest counted.
MOST_TOLD = 5


def doubts_about(fields: Iterable[Field], names: Sequence[str]) -> list[str]:
    """Return a sentence for each value that is in doubt; `names` are the documents'."""
    faults: dict[int, dict[str, None]] = defaultdict(dict)
    unsure: dict[int, dict[str, None]] = defaultdict(dict)
    for field in fields:
        for document, facts in field.facts.items():
            for fact in facts:
                if fault := _fault(fact):
                    faults[document][f"“{fact.value.written}”: {fault}."] = None
                elif fact.value.is_ambiguous:
                    unsure[document][f"“{fact.value.written}” may mean {_readings(fact)}"] = None
    sentences = []
    for number, name in enumerate(names):
        sentences += [f"{name}: {fault}" for fault in _first(faults[number])]
        sentences += [f"{name}: {doubt}; it was compared as any of these." for doubt in _first(unsure[number])]
        left = sum(max(0, len(told[number]) - MOST_TOLD) for told in (faults, unsure))
        sentences += [f"{name}: {left} more values are in doubt."] if left else []
    return sentences


def _first(told: Iterable[str]) -> list[str]:
    return list(told)[:MOST_TOLD]


def _fault(fact: Fact) -> str:
    if fact.value.type == "iban":
        (account,) = fact.value.readings
        fault = fault_of(account)
        return f"{fault}, it is no valid IBAN" if fault else ""
    return fact.fault


def _readings(fact: Fact) -> str:
    units = sorted(UNSETTLED.get(fact.value.unit, {fact.value.unit}))
    readings = sorted(fact.value.readings, key=lambda one: (len(one), one))
    return " or ".join(f"{reading} {unit}".strip() for reading in readings for unit in units)
