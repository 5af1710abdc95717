"""The API under Granian's WSGI server, beside the event loop's: the same answers, and it hears of revoked tokens."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.db import connection

from accounts import tokens
from accounts.models import ApiToken, User
from tasks.models import Task
from tests.cluster.conftest import wait_until
from tests.web.conftest import Submit
from tests.web.live import GRANIAN, LiveServer, environment_of_test

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(scope="module")
def granian_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("granian")
    running = LiveServer(log=folder / "web.log", environment=environment_of_test(media=Path(folder)), module=GRANIAN)
    yield running
    running.stop()


@pytest.fixture
def granian(transactional_db: None, granian_process: LiveServer) -> LiveServer:
    """A web process without an event loop, on the test database."""
    return granian_process


@pytest.fixture
def task(alice: User, submit: Submit) -> Task:
    return submit(alice)


def poll(server: LiveServer, task: Task, token: str, method: str = "GET", **headers: str) -> httpx.Response:
    given = {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(method, f"{server.url}/api/v1/tasks/{task.pk}", headers=given)


def test_poll_answers_as_everywhere(
    granian: LiveServer, alice: User, bob: User, task: Task, token_of: Callable[..., str]
) -> None:
    mine, theirs = token_of(alice), token_of(bob)
    found = poll(granian, task, mine)
    assert (found.status_code, found.json()["id"]) == (200, str(task.pk))
    assert found.headers["Cache-Control"] == "private, no-cache"
    assert len(found.headers["X-Request-Id"]) == 32
    unchanged = poll(granian, task, mine, If_None_Match=found.headers["ETag"])
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = poll(granian, task, mine, "HEAD")
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", found.headers["ETag"])
    refused = poll(granian, task, theirs)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert poll(granian, task, "nonsense").status_code == 401


def test_preference_to_wait_is_not_honoured_and_no_thread_waits(
    granian: LiveServer, alice: User, task: Task, token_of: Callable[..., str]
) -> None:
    answer = poll(granian, task, token_of(alice), Prefer="wait=30")
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


def test_stream_is_sent_elsewhere(granian: LiveServer, alice: User, task: Task, token_of: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {token_of(alice)}", "Accept": "text/event-stream"}
    answer = httpx.get(f"{granian.url}/api/v1/tasks/{task.pk}/events", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


def test_revoked_token_ends_before_it_would_be_looked_up_again(
    granian: LiveServer, alice: User, task: Task, token_of: Callable[..., str]
) -> None:
    token = token_of(alice)
    wait_until(_somebody_listens, what="the LISTEN connection")
    assert poll(granian, task, token).status_code == 200
    tokens.revoke_token(ApiToken.objects.get())
    # Less than the time that tokens are kept.
    wait_until(lambda: poll(granian, task, token).status_code == 401, seconds=3, what="the revocation")


def _somebody_listens() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_stat_activity WHERE application_name = 'portal-listen' AND datname = current_database()"
        )
        return cursor.fetchone() is not None


def test_foreign_host_is_refused(granian: LiveServer, alice: User, task: Task, token_of: Callable[..., str]) -> None:
    answer = poll(granian, task, token_of(alice), Host="evil.example")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_stops_when_told(granian: LiveServer, tmp_path: Path) -> None:
    running = LiveServer(log=tmp_path / "web.log", environment=granian.environment, module=GRANIAN)
    with socket.create_connection(("127.0.0.1", running.port)):
        running.stop()
    assert "Traceback" not in running.log()
