"""Pointers and faults: what they say, and that a client's long keys and many faults cost little memory."""

from __future__ import annotations

import functools
import json
import tracemalloc
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks import errors
from tasks.api.bodies import check_body
from tasks.api.strict_json import load_json
from tasks.api.views.tasks import SubmitTask
from tasks.errors import MOST_FAULTS
from tasks.faults import faults_of
from tasks.handlers.pdf_batch import PdfBatchInput
from tasks.lifecycle.validate import check_storable
from tasks.pointers import LONGEST_POINTER, pointer_to, walk
from tasks.references import find_references

MEGA = 1024 * 1024
LONG = "k" * 4_000
ZEROS = {LONG: [0] * 50_000}
NOTHING: Any = 0
NESTED = functools.reduce(lambda inner, _: {"k" * 30_000: inner}, range(60), NOTHING)


def memory_of(action: Callable[[], object]) -> int:
    """Return the most bytes that Python allocated while something was done, or refused."""
    tracemalloc.start()
    try:
        action()
    except (errors.TaskError, ValidationError):
        pass
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most


@pytest.mark.parametrize(
    "action",
    [
        lambda: load_json(json.dumps(ZEROS).encode()),
        lambda: check_storable(NESTED, "/input"),
        lambda: find_references(NESTED),
        lambda: find_references({LONG: [{"$from": str(uuid4())} for _ in range(2_000)]}),
    ],
    ids=["reading", "checking", "finding no references", "finding references"],
)
def test_long_keys_are_not_copied_for_each_member_below_them(action: Callable[[], object]) -> None:
    assert memory_of(action) < 8 * MEGA


@pytest.mark.parametrize("read", [load_json, lambda body: check_storable(json.loads(body), "")])
def test_fault_below_a_long_key_has_a_short_pointer(read: Callable[[bytes], object]) -> None:
    with pytest.raises(errors.Refused) as refused:
        read(b'{"a": {"%s": "\\u0000"}}' % (b"k" * MEGA))
    [fault] = refused.value.errors  # type: ignore[attr-defined]
    assert fault["pointer"] == ("/a/" + "k" * LONGEST_POINTER)[:LONGEST_POINTER] + "…"


def test_walk_tells_the_keys_of_each_member_in_order() -> None:
    seen = [(tuple(keys), member) for keys, member in walk({"a": [1, {}], "b": ()})]
    assert seen == [
        ((), {"a": [1, {}], "b": ()}), (("a",), [1, {}]), (("a", 0), 1), (("a", 1), {}), (("b",), ()),
    ]  # fmt: skip
    assert pointer_to(["a/b", "~", 3], "/input") == "/input/a~1b/~0/3"


@pytest.mark.parametrize(
    ("value", "pointer", "code"),
    [
        ({"a": [1, {"b": "x\0"}]}, "/input/a/1/b", "nul_character"),
        ({"a": {"x\0": 1}}, "/input/a", "nul_character"),
        (["\ud800"], "/input/0", "lone_surrogate"),
        ({"a": float("inf")}, "/input/a", "not_a_number"),
    ],
)
def test_what_cannot_be_stored_is_pointed_at(value: Any, pointer: str, code: str) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        check_storable(value, "/input")
    assert [(fault["pointer"], fault["code"]) for fault in refused.value.errors] == [(pointer, code)]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "x", "metadata": {str(number): {} for number in range(100_000)}},
        {"type": "x", "tags": [{}] * 100_000},
        {"type": "x"} | {f"k{number}": 0 for number in range(100_000)},
    ],
    ids=["metadata", "tags", "unknown fields"],
)
def test_flood_of_faults_takes_little_memory(body: dict[str, Any]) -> None:
    assert memory_of(lambda: check_body(body, SubmitTask)) < 5 * MEGA
    with pytest.raises(errors.InvalidInput) as refused:
        check_body(body, SubmitTask)
    assert refused.value.errors
    assert len(refused.value.errors) <= MOST_FAULTS


def test_many_faults_are_counted_and_the_first_are_told() -> None:
    with pytest.raises(errors.InvalidInput, match=r"^/k0: There is no such field\. \(and 9999 more\)$") as refused:
        check_body({"type": "x"} | {f"k{number}": 0 for number in range(10_000)}, SubmitTask)
    assert [fault["pointer"] for fault in refused.value.errors] == [f"/k{number}" for number in range(MOST_FAULTS)]


def test_too_many_faults_are_only_counted() -> None:
    with pytest.raises(ValidationError) as refused:
        Closed.model_validate({str(number): 0 for number in range(30_000)})
    [fault] = faults_of(refused.value, "/input")
    assert (fault["pointer"], fault["code"]) == ("/input", "too_many_faults")
    assert "30000" in fault["detail"]


def test_long_name_of_a_material_is_refused_before_what_is_below_it() -> None:
    with pytest.raises(ValidationError) as refused:
        PdfBatchInput.model_validate({"materials": {"m" * 201: ["no file"] * 1_000}})
    assert [fault["loc"] for fault in refused.value.errors()] == [("materials",)]
