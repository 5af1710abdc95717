"""The workers and tasks of the lifecycle's tests."""

from tests.lifecycle.conftest import claim, node, submit

__all__ = ["claim", "node", "submit"]
