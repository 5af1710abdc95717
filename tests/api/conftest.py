"""A client of the API for a user, and a worker in this process for what needs an ended task."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from tasks.lifecycle.claim import Claimed
from tasks.models import Node
from tests.api.known_things import known_things
from tests.attempts import run_attempt
from tests.claims import claim_task

MakeClient = Callable[..., Client]
Work = Callable[[], Claimed]

JSON = "application/json"
ECHO = {"type": "diagnostic.echo", "input": {"message": "hello"}}


@pytest.fixture
def api(token_of: Callable[..., str]) -> MakeClient:
    """Make a client that sends a token of this user: of all scopes, or of those given."""

    def make(user: User, *scopes: str) -> Client:
        return Client(headers={"Authorization": f"Bearer {token_of(user, *scopes)}"})

    return make


@pytest.fixture
def submit(api: MakeClient) -> Callable[..., dict[str, Any]]:
    """Submit a task of a user by the API and return it."""

    def send(user: User, **changes: Any) -> dict[str, Any]:
        response = api(user).post("/api/v1/tasks", ECHO | changes, content_type=JSON)
        assert response.status_code == 202, response.content
        task: dict[str, Any] = response.json()
        return task

    return send


@pytest.fixture
def things(api: MakeClient, alice: User) -> dict[str, str]:
    """What alice has. A route with a new parameter fails until there is one of hers to ask for."""
    client = api(alice)

    def post(path: str, body: Any) -> dict[str, Any]:
        response = client.post(path, body, "application/octet-stream" if isinstance(body, bytes) else JSON)
        assert response.status_code < 400, response.content
        made: dict[str, Any] = response.json()
        return made

    return known_things(post)


class Undisturbed:
    """Interrupts of a worker that nobody interrupts."""

    def arm(self) -> None: ...

    def end(self) -> None: ...

    def disarm(self) -> bool:
        return False

    def check(self) -> None: ...


@pytest.fixture
def node(db: None) -> Node:
    """A node that is alive, as `manage.py qcluster` would announce it."""
    return Node.objects.create(
        id=uuid4(), name="here", cluster_id="default", host="host", pid=os.getpid(), version="1", workers=1
    )


@pytest.fixture
def claim(node: Node) -> Callable[[], Claimed]:
    """Claim the next ready task, as a worker does."""

    def take() -> Claimed:
        claimed = claim_task(cluster="default", node=node.id, pid=os.getpid(), token=uuid4())
        assert claimed is not None
        return claimed

    return take


@pytest.fixture
def work(claim: Callable[[], Claimed]) -> Work:
    """Claim the next ready task and run it to its end, as a worker does."""

    def run() -> Claimed:
        claimed = claim()
        assert run_attempt(claimed, Undisturbed())
        return claimed

    return run
