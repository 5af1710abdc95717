"""The model in its smallest form: each shape with one fault, and that a lock and a fence are missed."""

from __future__ import annotations

import pytest

from tests.model.run import BROKEN, SHAPES, Variant, check

MISSED = {"NO_TOKEN": "an attempt is recorded twice", "OWN_LANE_FIRST": "deadlock"}


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_goes_wrong_with_one_fault(shape: str) -> None:
    verdict = check(Variant(shape))
    assert (verdict.fault, verdict.story) == ("", [])


@pytest.mark.parametrize("variant", [one for one in BROKEN if one.broken in MISSED], ids=lambda variant: variant.name)
def test_what_is_taken_out_is_missed(variant: Variant) -> None:
    verdict = check(variant)
    assert verdict.fault == MISSED[variant.broken]
    assert any("claim" in line for line in verdict.story), "its story tells how it came to it"
