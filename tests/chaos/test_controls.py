"""The negative controls stand for the tree as it is: what moves or is renamed without them is noticed at once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.chaos.negative_controls import CONTROLS, Control

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.mechanism)
def test_control_names_its_place_and_tests_that_are_there(control: Control) -> None:
    assert (PROJECT / control.file).read_text().count(control.before) == control.times
    file, _, words = control.tests.partition(" -k ")
    functions = [
        item for item in ast.walk(ast.parse((PROJECT / file).read_text())) if isinstance(item, ast.FunctionDef)
    ]
    names = [function.name for function in functions if function.name.startswith("test_")]
    assert [word for word in words.split(" or ") if not any(word in name for name in names)] == [], names
