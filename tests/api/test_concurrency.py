"""Races at the API: quotas and idempotency keys are exact, whatever comes at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from tasks.models import Task
from tests.api.conftest import ECHO, JSON

AT_ONCE = 20


def together(count: int, call: Callable[[int], Any]) -> list[Any]:
    """Call from many threads, each group of them starting at the same moment."""
    barrier = Barrier(AT_ONCE)

    def run(number: int) -> Any:
        barrier.wait(timeout=60)
        try:
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_hundred_submits_at_once_fill_ten_places_exactly(
    make_user: Callable[..., User], token_of: Callable[..., str]
) -> None:
    user = make_user("carol", max_waiting=10)
    token = token_of(user)

    def send(_number: int) -> tuple[int, str | None]:
        response = Client(headers={"Authorization": f"Bearer {token}"}).post("/api/v1/tasks", ECHO, JSON)
        if response.status_code == 429:
            assert int(response["Retry-After"]) > 0
            return 429, response.json()["policy"]
        return response.status_code, None

    answers = Counter(together(100, send))
    assert answers == {(202, None): 10, (429, "waiting"): 90}
    assert Task.objects.of(user).count() == 10


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_one_key_from_many_at_once_makes_one_task(alice: User, token_of: Callable[..., str]) -> None:
    token = token_of(alice)

    def send(_number: int) -> tuple[int, str, bool]:
        client = Client(headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "abc"})
        response = client.post("/api/v1/tasks", ECHO, JSON)
        return response.status_code, response.json()["id"], "Idempotency-Replayed" in response.headers

    answers = together(AT_ONCE * 2, send)
    assert {(status, id_) for status, id_, _ in answers} == {(202, str(Task.objects.get().pk))}
    assert [replayed for _, _, replayed in answers].count(False) == 1
