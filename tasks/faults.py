"""What pydantic finds wrong with a value, as faults with pointers: the first hundred of however many there are."""

from __future__ import annotations

from pydantic import ValidationError

from tasks.errors import MOST_FAULTS
from tasks.pointers import pointer_to

# Pydantic tells all faults or none, at about a kilobyte each; two megabytes of JSON may hold 200,000.
MOST_TOLD_APART = 20_000


def faults_of(error: ValidationError, start: str = "") -> list[dict[str, str]]:
    """Return the first faults, as ``{"pointer": …, "code": …, "detail": …}`` with pointers below `start`.

    Of so many that telling them apart would take all memory, one fault says how many there are.
    """
    count = error.error_count()
    if count > MOST_TOLD_APART:
        detail = f"There are {count} faults, too many to be told apart."
        return [{"pointer": start, "code": "too_many_faults", "detail": detail}]
    found = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FAULTS]
    return [
        {"pointer": pointer_to(fault["loc"], start), "code": fault["type"], "detail": fault["msg"]} for fault in found
    ]
