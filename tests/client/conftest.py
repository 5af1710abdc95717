"""Both clients, and a live server to use them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.models import User
from tasks.client import Client
from tests.client.both import Awaited, Connect

KINDS: list[Any] = [Client, Awaited]


@pytest.fixture(params=KINDS, ids=["blocking", "awaited"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Connect a client to an address with a token: one that blocks, then one that is awaited."""
    made: Connect = request.param
    return made


@pytest.fixture
def portal(live_server: Any, alice: User, token_of: Callable[..., str], connect: Connect) -> Iterator[Client]:
    with connect(live_server.url, token_of(alice)) as client:
        yield client
