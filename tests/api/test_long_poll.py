"""`Prefer: wait=N`: answers come when something happened, and waiting costs no thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from django.db import connection

from accounts import tokens
from accounts.models import ApiToken, User
from tasks.api.streams.long_poll import wanted_seconds
from tasks.lifecycle.attempt_context import AttemptContext
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.ending import succeeded
from tasks.lifecycle.finish import finish_attempt
from tests.api.conftest import ECHO, Undisturbed
from tests.cluster.conftest import wait_until
from tests.web.live import LiveServer, environment_of_test

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., dict[str, Any]]
Claim = Callable[[], Claimed]
Ask = Callable[..., Future[httpx.Response]]


@pytest.fixture
def ask(server: LiveServer, alice: User, token_of: Callable[..., str]) -> Iterator[Ask]:
    """Send a request in a thread, as alice unless told otherwise."""
    token = token_of(alice)
    with ThreadPoolExecutor(20) as threads:

        def send(path: str, *, method: str = "GET", on: LiveServer = server, json: Any = None, **headers: str) -> Any:
            given = {"Authorization": f"Bearer {token}"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            return threads.submit(httpx.request, method, on.url + path, headers=given, json=json, timeout=40)

        yield send


def finish(claimed: Claimed) -> None:
    engine = {"name": "test", "version": "1", "kind": "embedded"}
    finish_attempt(claimed, succeeded({"text": "hello", "attempt": 1, "engine": engine}))


def wait_until_it_waits() -> None:
    """Give the server time for its first look at the task."""
    time.sleep(0.5)


def test_changed_task_is_answered_at_once(ask: Ask, alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice)
    etag = ask(task["urls"]["self"]).result().headers["ETag"]
    waiting = ask(task["urls"]["self"], If_None_Match=etag, Prefer="wait=20")
    wait_until_it_waits()
    assert not waiting.done()
    claim()
    answer = waiting.result(19)
    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert answer.headers["ETag"] != etag


def test_unchanged_task_is_304_when_the_time_is_up(ask: Ask, alice: User, submit: Submit) -> None:
    task = submit(alice)
    etag = ask(task["urls"]["self"]).result().headers["ETag"]
    began = time.monotonic()
    answer = ask(task["urls"]["self"], If_None_Match=etag, Prefer="wait=1").result(19)
    assert time.monotonic() - began >= 1
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_task_that_has_changed_already_is_answered_without_waiting(ask: Ask, alice: User, submit: Submit) -> None:
    task = submit(alice)
    answer = ask(task["urls"]["self"], If_None_Match='"v1-held-0"', Prefer="wait=30").result(29)
    assert (answer.status_code, answer.json()["id"]) == (200, task["id"])


def test_without_an_etag_only_the_end_is_answered(ask: Ask, alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice)
    waiting = ask(task["urls"]["self"], Prefer="respond-async, wait=20")
    wait_until_it_waits()
    claimed = claim()
    context = AttemptContext(claimed, Undisturbed())
    context.progress(0.5, "half")
    context.flush()
    wait_until_it_waits()
    assert not waiting.done()
    finish(claimed)
    answer = waiting.result(19)
    assert (answer.status_code, answer.json()["done"]) == (200, True)


def test_wait_for_the_end_tells_what_the_task_has_become_meanwhile(
    ask: Ask, alice: User, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    waiting = ask(task["urls"]["self"], Prefer="wait=1")
    claim()
    assert waiting.result(19).json()["status"] == "running"


def test_submission_that_is_done_in_time_is_201(ask: Ask, claim: Claim, alice: User, submit: Submit) -> None:
    submit(alice)
    finish(claim())
    waiting = ask("/api/v1/tasks", method="POST", json=ECHO, Prefer="wait=20")
    wait_until(lambda: _finish_next(claim), what="the submitted task")
    answer = waiting.result(19)
    task = answer.json()
    assert (answer.status_code, task["done"], task["result"]["text"]) == (201, True, "hello")
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert answer.headers["Location"] == task["urls"]["self"]
    assert "-succeeded-" in answer.headers["ETag"]
    assert answer.headers["RateLimit-Policy"]
    assert "Retry-After" not in answer.headers


def _finish_next(claim: Claim) -> bool:
    try:
        finish(claim())
    except AssertionError:
        return False
    return True


def test_submission_that_takes_longer_is_202(ask: Ask, claim: Claim) -> None:
    answer = ask("/api/v1/tasks", method="POST", json=ECHO, Prefer="wait=1").result(19)
    assert (answer.status_code, answer.json()["done"]) == (202, False)
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert answer.headers["Location"] == answer.json()["urls"]["self"]
    assert answer.headers["Retry-After"] == "1"


def test_replayed_submission_waits_for_the_first_one(ask: Ask, claim: Claim) -> None:
    first = ask("/api/v1/tasks", method="POST", json=ECHO, Idempotency_Key="once").result(19)
    waiting = ask("/api/v1/tasks", method="POST", json=ECHO, Idempotency_Key="once", Prefer="wait=20")
    wait_until_it_waits()
    finish(claim())
    again = waiting.result(19)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.headers["Idempotency-Replayed"] == "true"


def test_token_that_may_not_read_is_not_made_to_wait(ask: Ask, alice: User, token_of: Callable[..., str]) -> None:
    writer = f"Bearer {token_of(alice, 'tasks:write')}"
    answer = ask("/api/v1/tasks", method="POST", json=ECHO, Prefer="wait=20", Authorization=writer).result(19)
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "json", "status"),
    [
        ("GET", "/api/v1/tasks/01900000-0000-7000-8000-000000000000", None, 404),
        ("POST", "/api/v1/tasks", {"type": "nope"}, 422),
    ],
)
def test_refusals_do_not_wait(ask: Ask, method: str, path: str, json: Any, status: int) -> None:
    answer = ask(path, method=method, json=json, Prefer="wait=30").result(29)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert "Preference-Applied" not in answer.headers


def test_another_users_task_is_not_waited_for(
    ask: Ask, alice: User, bob: User, submit: Submit, token_of: Callable[..., str]
) -> None:
    theirs = f"Bearer {token_of(bob)}"
    answer = ask(submit(alice)["urls"]["self"], Prefer="wait=30", Authorization=theirs).result(29)
    assert answer.status_code == 404


def test_token_that_is_revoked_meanwhile_is_told(
    ask: Ask, alice: User, submit: Submit, token_of: Callable[..., str]
) -> None:
    task = submit(alice)
    doomed = f"Bearer {token_of(alice, 'tasks:read')}"
    waiting = ask(task["urls"]["self"], Prefer="wait=30", Authorization=doomed)
    wait_until_it_waits()
    tokens.revoke_token(ApiToken.objects.get(scopes=["tasks:read"]))
    assert waiting.result(29).status_code == 401


def test_waiting_holds_no_thread_and_no_connection(
    ask: Ask, server: LiveServer, tmp_path: Path, alice: User, submit: Submit, claim: Claim
) -> None:
    environment = environment_of_test(media=tmp_path) | {"WEB_THREADS": "2", "WEB_DB_POOL": "2"}
    small = LiveServer(log=tmp_path / "web.log", environment=environment)
    try:
        task = submit(alice)
        waiting = [ask(task["urls"]["self"], Prefer="wait=30", on=small) for _ in range(15)]
        wait_until_it_waits()
        assert ask(task["urls"]["self"], on=small).result(29).status_code == 200
        assert not any(one.done() for one in waiting)
        finish(claim())
        assert {one.result(19).json()["status"] for one in waiting} == {"succeeded"}
    finally:
        small.stop()


def test_waiting_ends_when_the_server_stops(
    ask: Ask, server: LiveServer, tmp_path: Path, alice: User, submit: Submit
) -> None:
    stopping = LiveServer(log=tmp_path / "web.log", environment=environment_of_test(media=tmp_path))
    waiting = ask(submit(alice)["urls"]["self"], Prefer="wait=30", on=stopping)
    wait_until(lambda: _is_connected_to(stopping), what="the connection")
    # What came later is answered, so it has read the request.
    httpx.get(f"{stopping.url}/health/live")
    wait_until_it_waits()
    began = time.monotonic()
    stopping.stop()
    assert time.monotonic() - began < 25
    assert waiting.result(19).json()["status"] == "queued"


def _is_connected_to(server: LiveServer) -> bool:
    connections = psutil.Process().net_connections("tcp")
    return any(one.raddr and one.raddr.port == server.port and one.status == "ESTABLISHED" for one in connections)


def test_lost_listen_connection_does_not_lose_the_change(ask: Ask, alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice)
    waiting = ask(task["urls"]["self"], Prefer="wait=30")
    wait_until_it_waits()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'portal-listen' AND datname = current_database()"
        )
    finish(claim())
    assert waiting.result(19).json()["done"] is True


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=10", 10), ("respond-async, wait=5", 5), ('Wait = "7"; foo', 7), ("wait=3600", 30),
        ("handling=strict", 0), ("wait=0", 0), ("wait=-1", 0), ("wait=", 0), ("wait=soon", 0), ("await=5", 0), ("", 0),
    ],
)  # fmt: skip
def test_preference_is_read_as_the_standard_says(prefer: str, seconds: int) -> None:
    assert wanted_seconds(prefer) == seconds
