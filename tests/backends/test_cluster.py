"""The acceptance of model servers: real nodes, real model servers, one of them killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from django.test import Client

from accounts.models import User
from tasks.engines import smollm2
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, Backend, BackendCall, BackendLease, Duty, Task
from tasks.models.attempt import Outcome
from tests.backends.fake_server import FakeServer
from tests.cluster.conftest import RunningNode, environment, start_node, wait_for_end, wait_until  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

TASKS = 40


class ModelServer:
    """An embedded model server that can be killed, and started again at the same address."""

    def __init__(self) -> None:
        from portal.launch.run.ports import free_port

        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "portal.launch.run.model_server", "--port", str(self.port)]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, env=dict(os.environ), stdout=quiet, stderr=quiet)

    def answers(self) -> bool:
        assert self.process.poll() is None
        try:
            return httpx.get(f"{self.base_url}/models", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(120)


@pytest.fixture
def model_servers() -> Iterator[list[ModelServer]]:
    with ExitStack() as stack:
        both = [ModelServer(), ModelServer()]
        for server in both:
            stack.callback(server.kill)
        for server in both:
            wait_until(server.answers, what="a model server")
        yield both


@pytest.mark.timeout(1200)
def test_a_killed_model_server_costs_no_task_and_is_used_again_when_it_is_back(
    start_node: Callable[..., RunningNode],  # noqa: F811
    model_servers: list[ModelServer],
    add: Callable[..., Backend],
    make_user: Callable[..., User],
    olga: User,
    client: Client,
) -> None:
    rows = [add(server.base_url, models=[smollm2.MODEL], most_calls=8) for server in model_servers]
    Duty.objects.filter(name="check_backends").update(every_seconds=1)
    user = make_user("vera", plan="Internal")
    given = {"prompt": "Say a word.", "max_tokens": 6, "seed": 1}
    tasks = [submit_task(user, Submission("text.generate", given)).task for _ in range(TASKS)]
    start_node(workers=1)
    client.force_login(olga, backend="django.contrib.auth.backends.ModelBackend")

    def page() -> str:
        return client.get("/admin/tasks/backend/").content.decode()

    victim, row = model_servers[0], rows[0]
    wait_until(
        lambda: BackendLease.objects.filter(backend=row).exists() and BackendCall.objects.filter(failure="").exists(),
        what="calls under way",
    )
    victim.kill()
    # A call that ended well just before may close it once more.
    wait_until(lambda: "Breaker open" in page() or "Half open" in page(), what="the breaker to open")

    # The models compute.
    wait_for_end(*tasks, seconds=400)
    assert {task.status for task in tasks} == {"succeeded"}
    ended = Attempt.objects.filter(task__in=tasks, outcome=Outcome.SUCCEEDED)
    assert sorted(ended.values_list("task", flat=True)) == sorted(task.pk for task in tasks)
    # Another server did the work in the same attempt; where none had a place, it cost nothing.
    assert {task.attempts_charged for task in tasks} == {1}
    assert BackendCall.objects.filter(backend=row).exclude(failure="").exists()
    assert not BackendLease.objects.exists()

    victim.start()
    wait_until(lambda: Backend.objects.get(pk=row.pk).open_until is None, what="the breaker to close")
    assert "Breaker open" not in page()
    before = BackendCall.objects.filter(backend=row, failure="").count()
    more = [submit_task(user, Submission("text.generate", given)).task for _ in range(6)]
    wait_for_end(*more, seconds=400)
    assert {task.status for task in more} == {"succeeded"}
    assert BackendCall.objects.filter(backend=row, failure="").count() > before


def test_a_limit_of_two_calls_at_once_holds_across_two_nodes(
    start_node: Callable[..., RunningNode],  # noqa: F811
    serve: Callable[[], FakeServer],
    add: Callable[..., Backend],
    make_user: Callable[..., User],
) -> None:
    server = serve()
    server.seconds = 1.0
    add(server, most_calls=2)
    # Few enough at once that neither node takes everything.
    nodes = [start_node(workers=1, WORKER_THREADS="2") for _ in range(2)]
    users = [make_user(f"user{number}", plan="Internal") for number in range(2)]
    tasks = [
        submit_task(user, Submission("text.generate", {"prompt": "Why?"})).task for user in users for _ in range(3)
    ]

    wait_for_end(*tasks)
    assert {task.status for task in tasks} == {"succeeded"}
    assert server.most_busy == 2
    assert len(server.bodies) == len(tasks)
    attempts = Attempt.objects.filter(task__in=tasks)
    assert {attempt.node_id for attempt in attempts} == {node.row.pk for node in nodes}
    busy = attempts.filter(outcome=Outcome.BUSY)
    assert busy.exists()
    assert not busy.filter(charged=True).exists()
    assert not Task.objects.filter(pk__in=[task.pk for task in tasks]).exclude(attempts_charged=1).exists()


def test_a_server_of_the_environment_works_and_its_health_is_seen(
    start_node: Callable[..., RunningNode],  # noqa: F811
    serve: Callable[[], FakeServer],
    settings: pytest.FixtureRequest,
    alice: User,
) -> None:
    server = serve()
    named = server.base_url.replace("http://", "http://:the-secret-key@")
    settings.BACKENDS_CHAT = [named]  # type: ignore[attr-defined]
    node = start_node(workers=1, BACKENDS_CHAT=named)
    task = submit_task(alice, Submission("text.generate", {"prompt": "Why?"})).task

    wait_for_end(task)
    assert task.status == "succeeded"
    assert server.keys == ["Bearer the-secret-key"]
    wait_until(lambda: Backend.objects.filter(seen_models=["test-model"]).exists(), what="a check")
    row = Backend.objects.get()
    assert (row.base_url, row.from_environment) == (server.base_url, True)
    assert "secret-key" not in node.log.read_text()


def test_task_whose_only_model_server_is_dead_ends_and_the_overview_says_why(
    start_node: Callable[..., RunningNode],  # noqa: F811
    dead_address: str,
    alice: User,
    olga: User,
    client: Client,
    settings: pytest.FixtureRequest,
) -> None:
    settings.BACKENDS_CHAT = [dead_address]  # type: ignore[attr-defined]
    task = submit_task(alice, Submission("text.generate", {"prompt": "Write."})).task
    start_node(workers=1, BACKENDS_CHAT=dead_address, BACKEND_PATIENCE_SECONDS="3")
    wait_for_end(task)
    assert (task.status, task.error["code"]) == ("failed", "backend_unreachable")
    outcomes = list(task.attempts.order_by("number").values_list("outcome", "charged"))
    assert outcomes[0] == (Outcome.UNREACHABLE, False)
    assert [charged for _, charged in outcomes].count(True) == 1
    client.force_login(olga, "django.contrib.auth.backends.ModelBackend")
    wait_until(lambda: Backend.objects.get().open_until is not None, what="an open breaker")
    assert "No model server for chat answers." in client.get("/admin/").text
