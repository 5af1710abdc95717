"""Servers, rows for them, and attempts that call them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from accounts.models import User
from tasks.backends import directory
from tasks.backends.pool import BalancedPool, Caller
from tasks.backends.servers import NewServer, add_server
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Backend, Node
from tests.backends.fake_server import FakeServer, running
from tests.claims import claim_task


@pytest.fixture(autouse=True)
def _directory_of_this_test() -> Iterator[None]:
    directory.forget()
    yield
    directory.forget()


@pytest.fixture
def serve() -> Iterator[Callable[[], FakeServer]]:
    """Start servers; they end with the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(running())


@pytest.fixture
def dead_address() -> Iterator[str]:
    """The address of a server that is not there."""
    with socket.socket() as held:
        # Bound and not listened at: connections are refused, and nobody else gets the port.
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


@pytest.fixture
def add() -> Callable[..., Backend]:
    """Give a server its row."""

    def make(server: FakeServer | str, kind: str = "chat", **options: object) -> Backend:
        address = server if isinstance(server, str) else server.base_url
        # Not told: else a server on this machine would count as the demo model.
        options.setdefault("models", ["test-model"])
        return add_server(NewServer(kind=kind, address=address, **options))  # type: ignore[arg-type]

    return make


@pytest.fixture
def caller_of(db: None) -> Callable[[User], Caller]:
    """Make a running attempt of a user, which calls."""
    node = Node.objects.create(id=uuid4(), name="n", cluster_id="default", host="here", pid=1, version="0", workers=4)

    def make(user: User) -> Caller:
        submit_task(user, Submission("diagnostic.echo", {"message": "hello"}))
        claimed = claim_task(cluster="default", node=node.pk, pid=1, token=uuid4())
        assert claimed is not None
        return Caller(task=claimed.id, token=claimed.token, owner=claimed.owner_id)

    return make


@pytest.fixture
def pool_of(caller_of: Callable[[User], Caller]) -> Callable[..., BalancedPool]:
    """Open a pool for a new attempt of a user."""

    def make(user: User, kind: str = "chat") -> BalancedPool:
        return BalancedPool(kind, caller_of(user), patiently=lambda ask: ask())

    return make
