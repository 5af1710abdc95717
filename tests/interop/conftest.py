"""Functions of the tests are allowed, and run for a service account; nodes run them in real processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.cluster.conftest import RunningNode, environment, start_node

__all__ = ["environment", "start_node"]

ALLOWED = "tests.interop.functions"
SERVICE = "service@example.com"


@pytest.fixture
def service(make_user: Callable[..., User], settings: Any) -> User:
    """The account of TASK_USER."""
    settings.TASK_FUNCTIONS = [ALLOWED]
    settings.TASK_USER = SERVICE
    return make_user("service", plan="Internal")


@pytest.fixture
def node(service: User, start_node: Callable[..., RunningNode]) -> RunningNode:
    """A node that may run the functions of the tests."""
    return start_node(workers=3, TASK_FUNCTIONS=ALLOWED, TASK_USER=SERVICE)
