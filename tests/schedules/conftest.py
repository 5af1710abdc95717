"""Schedules are fired to the last one, however busy the machine is."""

from __future__ import annotations

import pytest

from tasks.schedules import fire


@pytest.fixture(autouse=True)
def _a_turn_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # Else what is due after half a second would be left to the next turn, which tests do not wait for.
    monkeypatch.setattr(fire, "BUDGET_SECONDS", 60.0)
