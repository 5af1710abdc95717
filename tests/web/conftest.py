"""Signed-in browsers (Django's test client) and tasks in each status, made by the real lifecycle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Node, Task, TaskContent
from tests.claims import claim_task

Submit = Callable[..., Task]
Finish = Callable[..., Task]
SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in() -> SignIn:
    """Give a client that is signed in as this user."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return client

    return make


@pytest.fixture
def page(sign_in: SignIn, alice: User) -> Client:
    """Alice's browser."""
    return sign_in(alice)


@pytest.fixture
def submit() -> Submit:
    """Submit a task; an echo unless told otherwise."""

    def make(user: User, type_name: str = "diagnostic.echo", task_input: Any = None, **options: Any) -> Task:
        given = {"message": "hello"} if task_input is None else task_input
        return submit_task(user, Submission(type_name, given, **options)).task

    return make


@pytest.fixture
def claim(db: None) -> Callable[[], Claimed]:
    """Take the next task, as a worker does."""

    def take() -> Claimed:
        node = Node.objects.create(
            id=uuid4(), name="test", cluster_id="default", host="secret-host", pid=1, version="0", workers=4
        )
        claimed = claim_task(cluster="default", node=node.pk, pid=1, token=uuid4())
        assert claimed is not None
        return claimed

    return take


@pytest.fixture
def finished(submit: Submit, claim: Callable[[], Claimed]) -> Finish:
    """Submit a task and finish it with a result of any type, so that its page can be looked at."""

    def make(user: User, result: dict[str, Any], *, as_type: str = "diagnostic.echo", **task_input: Any) -> Task:
        task = submit(user)
        engine = {"name": "test engine", "version": "1", "kind": "embedded"}
        finish.finish_attempt(claim(), ending.succeeded({"engine": engine} | result))
        # The pages of types whose engines are slow are shown without running them.
        Task.objects.filter(pk=task.pk).update(type=as_type)
        if task_input:
            TaskContent.objects.filter(pk=task.pk).update(input=task_input)
        task.refresh_from_db()
        return task

    return make
