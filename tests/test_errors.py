"""Errors are called by the name that everybody imports them under, whichever file they stand in."""

from __future__ import annotations

import json
import pickle

import pytest

from tasks import errors
from tasks.errors import Fault, InvalidInput

KINDS = [kind for name in errors.__all__ if isinstance(kind := getattr(errors, name), type)]


@pytest.mark.parametrize("kind", KINDS)
def test_error_goes_by_its_public_name(kind: type) -> None:
    assert f"{kind.__module__}.{kind.__qualname__}" == f"tasks.errors.{kind.__name__}"
    assert pickle.loads(pickle.dumps(kind)) is kind


def test_fault_is_the_json_of_problems() -> None:
    [fault] = InvalidInput.at("/tags", "out_of_range", "Too many.").errors
    assert json.loads(json.dumps(fault)) == {"pointer": "/tags", "code": "out_of_range", "detail": "Too many."}
    assert fault.moved("/task/tags") == Fault("/task/tags", "out_of_range", "Too many.")
