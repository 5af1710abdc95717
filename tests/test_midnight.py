"""No test begins at the end of a day."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tests import midnight


@pytest.mark.parametrize(
    ("hour", "minute", "second", "waited"),
    [(12, 0, 0, []), (0, 0, 0, []), (23, 59, 30, []), (23, 59, 45, [15.0]), (23, 59, 59.5, [0.5])],
)
def test_only_the_end_of_a_day_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, hour: int, minute: int, second: float, waited: list[float]
) -> None:
    slept: list[float] = []
    now = datetime(2027, 2, 28, hour, minute, tzinfo=UTC).timestamp() + second
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "sleep", slept.append)
    midnight.wait_for_midnight()
    assert slept == waited
