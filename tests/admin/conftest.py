"""People of the three groups, signed in; and tasks that ended, made by the lifecycle itself."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from tasks import errors
from tasks.admin import overview
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Cluster, Node, Task
from tests.claims import claim_task


@pytest.fixture(autouse=True)
def _overview_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it is as it was up to three seconds ago."""
    monkeypatch.setattr(overview, "overview", overview.overview._function)


@pytest.fixture
def make_operator(make_user: Callable[..., User]) -> Callable[[str], User]:
    """Make someone who may sign in to the admin, of one group; named after it."""

    def make(group: str) -> User:
        user = make_user(group)
        user.is_staff = True
        user.save(update_fields=["is_staff"])
        user.groups.add(Group.objects.get(name=group))
        return user

    return make


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def viewer(make_operator: Callable[[str], User], signed_in: Callable[[User], Client]) -> Client:
    return signed_in(make_operator("viewer"))


@pytest.fixture
def operator(make_operator: Callable[[str], User], signed_in: Callable[[User], Client]) -> Client:
    return signed_in(make_operator("operator"))


@pytest.fixture
def administrator(make_operator: Callable[[str], User], signed_in: Callable[[User], Client]) -> Client:
    return signed_in(make_operator("administrator"))


@pytest.fixture
def node(db: None) -> Node:
    """A node that lives in the table only; tests claim in its name."""
    return Node.objects.create(
        id=uuid4(),
        name="default",
        cluster=Cluster.objects.get(name="default"),
        host="worker-1",
        pid=4242,
        version="0.1.0",
        workers=4,
    )


def submit_echo(user: User, message: str = "a private message") -> Task:
    return submit_task(user, Submission("diagnostic.echo", {"message": message})).task


def claim(node: Node) -> Claimed:
    claimed = claim_task(cluster="default", node=node.pk, pid=4243, token=uuid4())
    assert claimed is not None
    return claimed


def fail_one(user: User, node: Node, message: str = "The page could not be read.") -> UUID:
    """Submit a task and let its only attempt fail for good."""
    submit_echo(user)
    claimed = claim(node)
    unreadable = errors.UnreadableFile(message)
    failure = ending.failed(claimed, unreadable, traceback="Traceback: IndexError")
    assert finish.finish_attempt(claimed, failure)
    return claimed.id


def succeed_one(user: User, node: Node) -> UUID:
    """Submit a task and let it succeed."""
    submit_echo(user)
    claimed = claim(node)
    result = {"text": "a private result", "engine": {"name": "portal", "version": "1"}}
    assert finish.finish_attempt(claimed, ending.succeeded(result))
    return claimed.id
