"""Workers claim and finish as in the tests of the lifecycle."""

from __future__ import annotations

from tests.lifecycle.conftest import claim, node, submit

__all__ = ["claim", "node", "submit"]
