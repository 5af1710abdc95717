"""What pydantic finds wrong with a value, as faults with pointers: the first hundred of however many there are."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks.errors import MOST_FAULTS, Fault
from tasks.pointers import pointer_to

# Pydantic tells all faults or none, at about a kilobyte each; two megabytes of JSON may hold 200,000.
MOST_TOLD_APART = 20_000
# What pydantic puts before the words of validators, by type of fault.
BEFORE_OURS = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}


def faults_of(error: ValidationError, start: str = "") -> list[Fault]:
    """Return the first faults, with pointers below `start`.

    Of so many that telling them apart would take all memory, one fault says how many there are.
    """
    count = error.error_count()
    if count > MOST_TOLD_APART:
        detail = f"There are {count} faults, too many to be listed."
        return [Fault(start, "too_many_faults", detail)]
    found = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FAULTS]
    return [Fault(pointer_to(fault["loc"], start), *_told(fault)) for fault in found]


def summary_of(faults: Sequence[Fault], count: int) -> str:
    """Return the first of some faults as a sentence, and how many more there are of `count`."""
    first = faults[0]
    place = first.pointer or "the body"
    more = f" (and {count - 1} more)" if len(faults) > 1 else ""
    return f"{place}: {first.detail}{more}"


def _told(fault: ErrorDetails) -> tuple[str, str]:
    """Return code and detail; what a validator of ours said in its own words, without pydantic's around them."""
    if (before := BEFORE_OURS.get(fault["type"])) is not None:
        return "invalid_value", _sentence(fault["msg"].removeprefix(before))
    return fault["type"], fault["msg"]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
