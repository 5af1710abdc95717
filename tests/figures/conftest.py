"""Figures are read anew in each test; workers claim and finish as in the tests of the lifecycle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.kept import forget_all
from tests.lifecycle.conftest import claim, node, submit

__all__ = ["claim", "node", "submit"]


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> Iterator[None]:
    forget_all()
    yield
    forget_all()
