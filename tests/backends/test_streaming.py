"""Text that one server broke off and another one starts over: what the handler, the events and the page make of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from tasks.backends.pool import BalancedPool
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Backend, Event
from tasks.testing import FolderContext, run
from tests.backends.fake_server import FakeServer
from tests.handlers.chat_server import PIECES

pytestmark = pytest.mark.django_db


class PooledContext(FolderContext):
    """Its chat servers are those of a real balancer."""

    def __init__(self, folder: Path, pool: BalancedPool) -> None:
        super().__init__(folder)
        self._pool = pool
        self.restarts = 0

    def backend(self, kind: str, *, demo: bool = False) -> BalancedPool:  # type: ignore[override]
        return self._pool

    def restart_output(self) -> None:
        super().restart_output()
        self.restarts += 1


def test_the_next_server_starts_the_text_over(
    serve: Callable[[], FakeServer],
    add: Callable[..., Backend],
    pool_of: Callable[..., BalancedPool],
    alice: User,
    tmp_path: Path,
) -> None:
    bad, good = serve(), serve()
    bad.always = "truncated"
    add(bad, weight=1000), add(good, weight=0.01)
    ctx = PooledContext(tmp_path, pool_of(alice))
    result = run("text.generate", ctx, prompt="Why?")

    assert result["text"] == "".join(PIECES)
    assert (ctx.restarts, "".join(ctx.emitted)) == (1, result["text"])
    assert len(bad.bodies) == len(good.bodies) == 1


def test_the_page_drops_what_was_written_before_a_restart(alice: User, client: Client) -> None:
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"})).task
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    def say(text: str, **more: object) -> None:
        Event.objects.create(task=task, attempt=1, kind="output", data={"text": text} | more)

    say("The ti")
    address = f"/tasks/{task.pk}/events"
    first = client.get(address).json()
    assert (first["output"], first["restart"]) == ("The ti", False)
    say("", restart=True)
    say("The tide")
    after = client.get(address, {"after": first["last"]}).json()
    assert (after["output"], after["restart"]) == ("The tide", True)
    assert client.get(address).json()["output"] == "The tide"
