"""Compares an answer with the shape that the OpenAPI document promises: every key, and no other."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter


def assert_shape(answer: Any, shape: type[BaseModel]) -> None:
    """Fail when a key is missing or unknown, or a value is of another type."""
    TypeAdapter(shape).validate_python(answer, extra="forbid")
    assert set(answer) == set(shape.model_fields)
