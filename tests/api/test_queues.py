"""/queues: own depth and whether to hold back; figures of the whole system for operators only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import User
from tasks.api.objects.queue import Queue
from tasks.kept import forget_all
from tasks.models import Node, Task
from tasks.models import Queue as StoredQueue
from tests.api.conftest import MakeClient, Work
from tests.api.shapes import assert_shape

Submit = Callable[..., dict[str, Any]]
PATH = "/api/v1/queues/diagnostics"


def read(client: Any) -> dict[str, Any]:
    forget_all()
    found: dict[str, Any] = client.get(PATH).json()
    assert_shape(found, Queue)
    return found


def test_queues_are_listed_by_name(api: MakeClient, alice: User) -> None:
    listed = api(alice).get("/api/v1/queues").json()["data"]
    assert [queue["name"] for queue in listed] == sorted(StoredQueue.objects.values_list("name", flat=True))
    for queue in listed:
        assert_shape(queue, Queue)


def test_user_sees_their_own_depth_and_nothing_of_others(
    api: MakeClient, alice: User, bob: User, submit: Submit, claim: Callable[[], Any]
) -> None:
    for _ in range(3):
        submit(alice)
    claim()
    mine, his = read(api(alice)), read(api(bob))
    assert (mine["own"]["queued"], mine["own"]["running"]) == (2, 1)
    assert mine["own"]["oldest_seconds"] >= 0
    assert his["own"] == {"queued": 0, "running": 0, "oldest_seconds": None}
    assert mine["system"] is his["system"] is None


def test_operator_sees_the_system_with_the_scope_only(
    api: MakeClient, alice: User, olga: User, submit: Submit, work: Work
) -> None:
    for _ in range(alice.plan.slots + 3):
        submit(alice)
    work()
    system = read(api(olga))["system"]
    assert (system["held"], system["ready"], system["running"], system["workers"]) == (2, alice.plan.slots, 0, 1)
    assert (system["ended_per_minute"], system["failed_share"]) == (round(1 / 60, 2), 0.0)
    assert 0 <= system["waited"]["p50"] <= system["waited"]["p90"] < 60
    assert 0 <= system["ran"]["p50"] <= system["ran"]["p90"] < 60
    assert read(api(olga, "tasks:read"))["system"] is None


def test_statuses_that_were_not_counted_to_their_end_are_named(
    api: MakeClient, make_user: Callable[..., User], olga: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", slots=3)
    for _ in range(3):
        submit(carol)
    Task.objects.update(queue="text")
    assert read(api(olga))["system"]["partial"] == []
    monkeypatch.setattr("tasks.figures.depths.CAP", 3)
    system = read(api(olga))["system"]
    assert (system["ready"], system["oldest_seconds"], system["partial"]) == (0, None, ["ready"])


def test_wait_is_counted_from_when_a_task_was_due(
    api: MakeClient, alice: User, olga: User, submit: Submit, work: Work
) -> None:
    task = submit(alice, priority=2)
    # Submitted an hour ago, for now: it did not wait.
    Task.objects.filter(pk=task["id"]).update(created_at=Now() - timedelta(hours=1))
    work()
    assert read(api(olga))["system"]["waited"]["p50"] < 60


def test_paused_queue_says_so(api: MakeClient, alice: User) -> None:
    client = api(alice)
    assert (read(client)["paused"], read(client)["retry_after_seconds"]) == (False, None)
    StoredQueue.objects.filter(pk="diagnostics").update(paused_at=Now())
    assert (read(client)["paused"], read(client)["retry_after_seconds"]) == (True, 60)


def test_crowded_and_throttled_ask_to_hold_back(api: MakeClient, alice: User, node: Node, submit: Submit) -> None:
    client = api(alice)
    submit(alice)
    assert (read(client)["crowded"], read(client)["has_workers"]) == (False, True)
    Task.objects.filter(status="ready").update(ready_at=Now() - timedelta(seconds=100))
    found = read(client)
    assert (found["crowded"], 100 <= found["retry_after_seconds"] <= 110) == (True, True)
    Task.objects.filter(status="ready").update(ready_at=Now())
    Node.objects.update(throttled=True)
    found = read(client)
    assert (found["crowded"], found["throttled"], found["retry_after_seconds"]) == (False, True, 15)


def test_recommended_batch_follows_run_time_and_load(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    client = api(alice)
    path = "/api/v1/task-types/diagnostic.sleep"
    submit(alice, type="diagnostic.sleep", input={"seconds": 0.5})
    work()
    forget_all()
    before = client.get(path).json()["recommended_batch"]
    # A minute of all slots, of half a second each.
    assert 0.8 * 120 * alice.plan.slots < before <= 120 * alice.plan.slots
    StoredQueue.objects.filter(pk="diagnostics").update(paused_at=Now())
    forget_all()
    assert client.get(path).json()["recommended_batch"] in {before // 2, before // 2 + 1}


def test_unknown_queue_is_404(api: MakeClient, alice: User) -> None:
    assert api(alice).get("/api/v1/queues/nope").status_code == 404
