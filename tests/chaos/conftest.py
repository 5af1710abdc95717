"""Real nodes, as in `tests/cluster`, and how long and with which dice the chaos goes on."""

from __future__ import annotations

import os
import random
import sys
import time

import pytest

from tests.cluster.conftest import environment, start_node

__all__ = ["environment", "start_node"]


@pytest.fixture
def chaos_seconds() -> float:
    """CHAOS_SECONDS: some in `make test`, many in `make chaos`."""
    return float(os.environ.get("CHAOS_SECONDS", "12"))


@pytest.fixture
def dice() -> random.Random:
    """Chance, from CHAOS_SEED, which `make chaos` sets. Processes go at their own pace: it is no exact replay."""
    seed = os.environ.get("CHAOS_SEED", "1")
    say(f"CHAOS_SEED={seed}")
    return random.Random(seed)


def say(text: str) -> None:
    """Show progress: in the captured output of a test that fails, and at once under `make chaos` (pytest -s)."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()
