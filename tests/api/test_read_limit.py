"""The limit of reading: out of the way of everybody who polls well, and a clear refusal for a loop that runs wild."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tasks.api import authentication, read_limit
from tasks.api.objects.problem import Problem
from tasks.api.read_limit import BURST_SECONDS, ReadLimit
from tasks.api.refusals import RateLimited
from tasks.api.streams import application
from tasks.api.streams.ask import Answer
from tests.api.conftest import ECHO, JSON, MakeClient
from tests.api.shapes import assert_shape

AT_ONCE = int(BURST_SECONDS)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> ReadLimit:
    """A limit of this test's own, at a time that stands still."""
    own = ReadLimit()
    monkeypatch.setattr(authentication, "reads", own)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    return own


@pytest.fixture
def one_a_second(limit: ReadLimit, settings: Any) -> None:
    settings.MAX_READS_PER_SECOND = 1


def count(limit: ReadLimit, user_id: int, times: int) -> int:
    """Read so many times, and return how many were refused."""
    refused = 0
    for _ in range(times):
        try:
            limit.check(user_id)
        except RateLimited:
            refused += 1
    return refused


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/quota", "{self}", "{result}", "/api/v1/tasks?task_id={id}"])
@pytest.mark.usefixtures("one_a_second")
def test_read_too_many_is_a_429_that_says_when_to_try_again(
    api: MakeClient, alice: User, bob: User, submit: Callable[..., dict[str, Any]], path: str
) -> None:
    task = submit(alice)
    client = api(alice)
    address = path.format(id=task["id"], **task["urls"])
    for _ in range(AT_ONCE):
        assert client.get(address).status_code != 429
    refused = client.get(address)
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "rate_limited", "1")
    assert_shape(refused.json(), Problem)
    # Others read on, and whoever reads too much may still submit.
    assert api(bob).get("/api/v1/tasks").status_code == 200
    assert client.post("/api/v1/tasks", ECHO, JSON).status_code == 202


@pytest.mark.usefixtures("one_a_second")
def test_all_tokens_and_the_session_of_a_user_read_from_one_limit(api: MakeClient, alice: User) -> None:
    session = Client()
    session.force_login(alice)
    clients = [api(alice), api(alice), session]
    for number in range(AT_ONCE):
        assert clients[number % 3].get("/api/v1/tasks").status_code == 200
    assert {client.get("/api/v1/tasks").status_code for client in clients} == {429}


def test_time_makes_room_for_as_many_reads_as_are_allowed(
    limit: ReadLimit, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_READS_PER_SECOND = 100
    assert count(limit, 1, 100 * AT_ONCE + 1) == 1
    monkeypatch.setattr(time, "monotonic", lambda: 1002.0)
    assert count(limit, 1, 201) == 1


def test_default_lets_a_thousand_tasks_be_polled_each_second(limit: ReadLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = 0
    for second in range(30):
        monkeypatch.setattr(time, "monotonic", lambda at=1000.0 + second: at)
        refused += count(limit, 1, 1000)
    assert refused == 0


def test_users_who_read_no_more_are_forgotten(limit: ReadLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_limit, "MOST_REMEMBERED", 5)
    for user_id in range(5):
        limit.check(user_id)
    monkeypatch.setattr(time, "monotonic", lambda: 1001.0)
    limit.check(5)
    assert set(limit._over_at) == {5}


def test_stream_goes_on_while_its_user_reads_too_much_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(status: int) -> Answer:
        return Answer(status, [], b"")

    going_on = {}
    for status in (200, 401, 403, 404, 429, 503):
        monkeypatch.setattr(application, "ask", lambda *_, status=status: answer(status))
        going_on[status] = asyncio.run(application._may_go_on(None, {"headers": []}))
    assert going_on == {200: True, 401: False, 403: False, 404: False, 429: True, 503: True}


@pytest.mark.django_db
def test_document_tells_it_of_every_read_by_somebody_and_of_nothing_else() -> None:
    document = Client().get("/api/schema").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = "rate_limited" in operation["responses"].get("429", {}).get("$ref", "")
            assert told == (method == "get" and "401" in operation["responses"]), (method, path)
    # `policy` and `limit` belong to the limits of the plan.
    [answer] = [found for name, found in document["components"]["responses"].items() if name == "429.rate_limited"]
    assert "policy" not in answer["content"]["application/problem+json"]["schema"]["properties"]
