"""A node that claims, as in `tests.lifecycle`."""

from __future__ import annotations

from tests.lifecycle.conftest import claim, node

__all__ = ["claim", "node"]
