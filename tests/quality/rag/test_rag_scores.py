"""Retrieval answers and declines on documents held out from its tuning as well as it did."""

from __future__ import annotations

import pytest

from tests.engines.scores import show
from tests.quality.rag.scoring import score


@pytest.mark.parametrize(("language", "right", "declined"), [("english", 0.82, 0.88), ("chinese", 0.82, 0.85)])
def test_questions_held_out_are_answered_on_the_point_or_declined(language: str, right: float, declined: float) -> None:
    figures = score([language], together=False)
    show(str(figures))

    assert figures[f"{language} right"] >= right
    assert figures[f"{language} off the point"] <= 0.1
    assert figures[f"{language} declined"] >= declined
