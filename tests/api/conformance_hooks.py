"""What schemathesis is told about this API: loaded by its command line, see `conformance.py`."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import positive_data_acceptance

# The id of the token that everything is asked with, and where each answer is noted: a line of operation and status.
OWN_TOKEN = os.environ["CONFORMANCE_TOKEN_ID"]
ANSWERS = Path(os.environ["CONFORMANCE_ANSWERS"])

# Of the cases of an operation's coverage: so many at first, and then one in so many.
FEW, ONE_IN = 20, 40
_offered: Counter[str] = Counter()

# What is refused although its form is right, by code: it depends on what is there, on the plan, or on other fields.
PROBLEMS = {
    "engine_unavailable", "unknown_task_type", "idempotency_key_reused", "input_too_large", "above_plan",
    "range_not_satisfiable", "content_purged",
}  # fmt: skip
FAULTS = {
    # what is there
    "unknown_file", "wrong_file_kind", "unknown_task", "dependency_failed", "content_purged", "unknown_model",
    "language_unavailable", "unknown_endpoint", "endpoint_disabled", "url_refused", "fetch_failed", "exists",
    "too_many", "not_changeable", "unknown_task_type", "priority_above_plan", "timeout_above_plan",
    # how many bytes a part of a form has
    "empty_file",
    # the document has the very patterns, and engines differ on what is white space
    "string_pattern_mismatch",
    # two times, and now
    "in_the_past", "not_later", "never", "one_of", "document_count",
    # languages that no pattern can say
    "invalid_cron", "too_often", "invalid_time_zone",
    # a body that is the file itself has its name in the query
    "no_name",
}  # fmt: skip
# The same by place, where a code has other causes, too: the plan's longest timeout, how long "10m" is, two times,
# what a batch has in its query as lines and in its body as JSON, pictures of system A, and inputs of a task type that
# the document leaves open: that of a schedule, and that of whichever task is copied.
PLACES = re.compile(
    r".* (/tasks/\d+)?(/task)?/(timeout|keep) out_of_range|.* (/tasks/\d+)?/start_before out_of_range"
    r"|.*/async/\S+ /image_(url|base64) \S+"
    r"|.*/(timeout|keep|interval_seconds|expires_in) (less|greater)_than_equal"
    r"|.* /input/materials/[\s\S]* \S+"
    r"|.*/batches /(atomic|name) unknown_field"
    r"|.*/schedules\S* /task/input\S* \S+|.*/copy /input\S* \S+"
)


@schemathesis.deserializer("application/jsonl")
def read_lines(_context: Any, response: Any) -> list[Any]:
    """Read JSONL: the document describes the lines as a list."""
    return [json.loads(line) for line in response.content.splitlines()]


@schemathesis.serializer("application/jsonl")
def write_line(_context: Any, value: Any) -> bytes:
    """Write a body of JSONL, which the document describes by one of its lines."""
    return json.dumps(value).encode()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Keep the run from revoking the token that it uses."""
    if case.method == "DELETE" and case.path_parameters.get("token_id") == OWN_TOKEN:
        case.path_parameters["token_id"] = OWN_TOKEN[::-1]


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    with ANSWERS.open("a") as answers:
        answers.write(f"{case.operation.label}\t{response.status_code}\n")


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Of the thousands of bodies that the document's coverage offers where there are many fields, take some.

    The same ones on every machine; `make chaos` takes all.
    """
    if "CHAOS_SECONDS" in os.environ or case.meta is None or case.meta.phase.name != TestPhase.COVERAGE:
        return True
    _offered[case.operation.label] += 1
    count = _offered[case.operation.label]
    return count <= FEW or count % ONE_IN == 0


@schemathesis.check
def takes_what_the_document_allows(context: Any, response: Any, case: Any) -> None:
    """As schemathesis' own check; what depends on more than the form of the request may be refused."""
    try:
        positive_data_acceptance(context, response, case)
    except RejectedPositiveData:
        if not _depends_on_more(response.json(), case.operation.label):
            raise


def _depends_on_more(problem: Any, operation: str) -> bool:
    faults = problem["errors"]
    return problem["code"] in PROBLEMS or (bool(faults) and all(_depends(fault, operation) for fault in faults))


def _depends(fault: dict[str, str], operation: str) -> bool:
    place = f"{operation} {fault['pointer']} {fault['code']}"
    return fault["code"] in FAULTS or PLACES.fullmatch(place) is not None
