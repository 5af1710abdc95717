"""Races at the API: quotas and idempotency keys are exact, whatever comes at the same moment."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import User
from tasks.lifecycle.cancel_batch import cancel_batches
from tasks.models import File, Lane, Task
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


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_uploads_at_once_fill_the_storage_exactly(make_user: Callable[..., User], token_of: Callable[..., str]) -> None:
    user = make_user("carol", file_bytes=10_000)
    token = token_of(user)

    def send(number: int) -> tuple[int, str | None]:
        client = Client(headers={"Authorization": f"Bearer {token}"})
        response = client.post(f"/api/v1/files?name=f{number}", b"x" * 1000, "application/octet-stream")
        return response.status_code, response.json().get("policy")

    answers = Counter(together(AT_ONCE * 2, send))
    assert answers == {(201, None): 10, (429, "files"): AT_ONCE * 2 - 10}
    stored = list(File.objects.filter(owner=user))
    assert sum(file.size for file in stored) == 10_000
    # Bytes whose row was refused are gone again.
    kept = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert len(kept) == len(stored)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_batches_of_faults_at_once_cost_the_rate_exactly(
    make_user: Callable[..., User], token_of: Callable[..., str]
) -> None:
    user = make_user("carol", per_minute=5)
    token = token_of(user)

    def send(_number: int) -> int:
        client = Client(headers={"Authorization": f"Bearer {token}"})
        return client.post("/api/v1/batches", {"tasks": [{"type": "nope"}]}, JSON).status_code

    began = time.monotonic()
    answers = Counter(together(AT_ONCE, send))
    # More may fit in while they come: the rate refills, one in twelve seconds.
    assert 5 <= answers[202] <= 6 + (time.monotonic() - began) / 12
    assert answers[202] + answers[429] == AT_ONCE


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_batch_is_cancelled_once_by_many_at_once(alice: User, token_of: Callable[..., str]) -> None:
    token = token_of(alice)
    client = Client(headers={"Authorization": f"Bearer {token}"})
    batch = client.post("/api/v1/batches", {"tasks": [ECHO] * 50}, JSON).json()

    def send(_number: int) -> int:
        own = Client(headers={"Authorization": f"Bearer {token}"})
        return own.post(batch["urls"]["cancel"]).status_code

    assert set(together(AT_ONCE, send)) == {202}
    # What somebody else was just writing is passed over by a round, and left to the duty.
    cancel_batches()
    counts = client.get(batch["urls"]["self"]).json()["counts"]
    assert counts["cancelled"] == 50
    assert Lane.objects.get(user=alice).taken == 0
