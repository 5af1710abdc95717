"""What a task may not call is known when it runs: model servers that operators added, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.models import User
from tasks.backends import directory
from tasks.backends.servers import NewServer, add_server
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Task
from tasks.outbound import own_parts
from tests.attempts import run_attempt
from tests.lifecycle.test_run import Quiet
from tests.outbound.receiver import ANY_PORT_OF_LOOPBACK, running_receiver

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    directory.forget()
    yield
    directory.forget()
    own_parts.know_servers([])


def test_task_cannot_call_a_model_server(alice: User, claim: Callable[[], Claimed | None], settings: Any) -> None:
    settings.OUTBOUND_ALLOW = [ANY_PORT_OF_LOOPBACK]
    with running_receiver() as server:

        def call() -> Task:
            task = submit_task(alice, Submission("http.request", {"url": f"{server.url}slots"}, max_attempts=1)).task
            claimed = claim()
            assert claimed is not None
            run_attempt(claimed, Quiet())
            task.refresh_from_db()
            return task

        assert call().status == "succeeded"
        add_server(NewServer(kind="chat", address=f"http://127.0.0.1:{server.port}/v1", models=["m"]))
        refused = call()
        assert refused.error is not None
        assert (refused.status, refused.error["code"]) == ("failed", "url_refused")
        assert len(server.received) == 1
