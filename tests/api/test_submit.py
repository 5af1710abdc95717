"""POST /tasks: what comes back, and what the headers say."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import PlanOverride, User
from tasks import sql
from tasks.api.objects.problem import Problem
from tasks.api.objects.task import Task
from tasks.models import Node, PausedType, Queue
from tasks.models import Task as StoredTask
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.api.shapes import assert_shape


def test_submit_answers_202_with_the_whole_task(api: MakeClient, alice: User) -> None:
    response = api(alice).post("/api/v1/tasks", ECHO | {"metadata": {"customer": "42"}, "tags": ["a"]}, JSON)
    task = response.json()
    assert response.status_code == 202
    assert_shape(task, Task)
    assert response["Location"] == task["urls"]["self"] == f"/api/v1/tasks/{task['id']}"
    assert response["Retry-After"] == "1"
    assert response["ETag"] == f'"v{task["version"]}-queued-0"'
    assert (task["status"], task["done"], task["input"]) == ("queued", False, {"message": "hello"})
    assert (task["metadata"], task["tags"]) == ({"customer": "42"}, ["a"])
    assert StoredTask.objects.get(pk=task["id"]).owner == alice


def test_submit_takes_every_field_of_the_contract(api: MakeClient, alice: User) -> None:
    body = ECHO | {
        "priority": 8,
        "run_after": "2100-01-31T12:00:00+02:00",
        "start_before": "2100-02-01T00:00:00Z",
        "timeout": 30,
        "max_attempts": 2,
        "metadata": {"text": "x", "number": 1, "half": 0.5, "yes": True, "nothing": None},
        "tags": ["a", "b"],
        "on_quota": "downgrade",
    }
    task = api(alice).post("/api/v1/tasks", body, JSON).json()
    assert task["status"] == "scheduled"
    assert task["queue"]["why"] == "scheduled"
    assert task["run_after"] == "2100-01-31T10:00:00Z"
    assert task["start_before"] == "2100-02-01T00:00:00Z"
    assert (task["timeout"], task["attempts"]["max"]) == (30, 2)
    assert task["priority"] == {"requested": 8, "effective": 8, "reason": None}
    assert task["metadata"] == body["metadata"]


def test_submit_tells_what_is_left_of_the_plan(api: MakeClient, make_user: Any) -> None:
    user = make_user("carol", per_minute=60, per_day=10, high_per_day=3, urgent_per_day=None, max_waiting=7)
    response = api(user).post("/api/v1/tasks", ECHO, JSON)
    policies = '"burst";q=60;w=60, "day";q=10;w=86400, "high-day";q=3;w=86400, "waiting";q=7'
    assert response["RateLimit-Policy"] == policies
    assert '"day";r=9;t=' in response["RateLimit"]
    assert response["RateLimit"].endswith('"waiting";r=6')


def test_answer_says_why_the_task_waits_and_counts_nothing(
    api: MakeClient, alice: User, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api(alice)
    statements: list[str] = []
    run = sql.run
    monkeypatch.setattr(sql, "run", lambda name, params, **row: statements.append(name) or run(name, params, **row))
    first = client.post("/api/v1/tasks", ECHO, JSON).json()
    assert first["queue"] == {
        "name": "diagnostics", "position": None, "why": "waiting_for_a_worker", "starts_in": None,
    }  # fmt: skip
    assert "lifecycle/explain_wait" not in statements
    assert client.get(first["urls"]["self"]).json()["queue"]["position"] == 1
    Queue.objects.filter(pk="diagnostics").update(paused_at=Now())
    assert client.post("/api/v1/tasks", ECHO, JSON).json()["queue"]["why"] == "queue_paused"
    Queue.objects.filter(pk="diagnostics").update(paused_at=None)
    PausedType.objects.create(type="diagnostic.echo")
    assert client.post("/api/v1/tasks", ECHO, JSON).json()["queue"]["why"] == "type_paused"
    PausedType.objects.all().delete()
    Node.objects.all().delete()
    assert client.post("/api/v1/tasks", ECHO, JSON).json()["queue"]["why"] == "no_workers"


def test_headers_tell_what_was_counted_and_ask_nothing_more(
    api: MakeClient, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", per_day=50, per_minute=60, max_waiting=40)
    client = api(carol)
    client.post("/api/v1/tasks", ECHO, JSON)
    statements: list[str] = []
    run = sql.run
    monkeypatch.setattr(sql, "run", lambda name, params, **row: statements.append(name) or run(name, params, **row))
    second = client.post("/api/v1/tasks", ECHO, JSON)
    assert "lifecycle/read_usage" not in statements
    refused = client.post("/api/v1/tasks", ECHO | {"input": {}}, JSON)
    assert "lifecycle/read_usage" in statements
    for response, day, waiting in ((second, 48, 38), (refused, 48, 38)):
        assert f'"day";r={day};t=' in response["RateLimit"]
        assert f'"waiting";r={waiting}' in response["RateLimit"]
    batch = client.post("/api/v1/batches", {"tasks": [ECHO] * 3}, JSON)
    assert '"day";r=45;t=' in batch["RateLimit"]


def test_override_of_the_plan_is_what_the_headers_tell(api: MakeClient, alice: User) -> None:
    PlanOverride.objects.create(user=alice, limit="per_day", value=7, reason="a busy day")
    response = api(alice).post("/api/v1/tasks", ECHO, JSON)
    assert response.status_code == 202, response.content
    assert '"day";q=7;w=86400' in response["RateLimit-Policy"]
    assert '"day";r=6;t=' in response["RateLimit"]


def test_spent_allowance_is_a_429_that_names_the_policy(api: MakeClient, make_user: Any) -> None:
    client = api(make_user("carol", high_per_day=0))
    refused = client.post("/api/v1/tasks", ECHO | {"priority": 8}, JSON)
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["policy"], problem["limit"]) == (
        429, "quota_exceeded", "high-day", 0,
    )  # fmt: skip
    assert int(refused["Retry-After"]) > 0
    assert '"high-day";r=0' in refused["RateLimit"]
    lowered = client.post("/api/v1/tasks", ECHO | {"priority": 8, "on_quota": "downgrade"}, JSON).json()
    assert lowered["priority"] == {"requested": 8, "effective": 6, "reason": "high_allowance_used"}


@pytest.mark.parametrize("header", ["abc", '"abc"', '"with \\"quotes\\" inside"', "x" * 255])
def test_idempotency_key_gives_the_first_answer_again(api: MakeClient, alice: User, header: str) -> None:
    client = api(alice)
    first = client.post("/api/v1/tasks", ECHO, JSON, headers={"Idempotency-Key": header})
    # The order of keys and white space do not make another body.
    again = client.post(
        "/api/v1/tasks",
        '{ "input": {"message": "hello"},   "type": "diagnostic.echo" }',
        JSON,
        headers={"Idempotency-Key": header},
    )
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    assert "Idempotency-Replayed" not in first.headers
    assert again["Idempotency-Replayed"] == "true"
    assert StoredTask.objects.count() == 1


def test_quoted_and_bare_keys_are_the_same_key(api: MakeClient, alice: User) -> None:
    client = api(alice)
    first = client.post("/api/v1/tasks", ECHO, JSON, headers={"Idempotency-Key": "abc"})
    again = client.post("/api/v1/tasks", ECHO, JSON, headers={"Idempotency-Key": '"abc"'})
    assert first.json()["id"] == again.json()["id"]


def test_key_of_another_body_is_refused(api: MakeClient, alice: User) -> None:
    client = api(alice)
    client.post("/api/v1/tasks", ECHO, JSON, headers={"Idempotency-Key": "abc"})
    other = client.post("/api/v1/tasks", ECHO | {"tags": ["x"]}, JSON, headers={"Idempotency-Key": "abc"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    batch = client.post("/api/v1/batches", {"tasks": [ECHO]}, JSON, headers={"Idempotency-Key": "abc"})
    assert (batch.status_code, batch.json()["code"]) == (422, "idempotency_key_reused")


def test_same_key_of_another_user_is_another_key(api: MakeClient, alice: User, bob: User) -> None:
    key = {"Idempotency-Key": "abc"}
    first = api(alice).post("/api/v1/tasks", ECHO, JSON, headers=key).json()
    other = api(bob).post("/api/v1/tasks", ECHO, JSON, headers=key).json()
    assert first["id"] != other["id"]


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "é"])
def test_impossible_idempotency_key_is_refused(api: MakeClient, alice: User, key: str) -> None:
    response = api(alice).post("/api/v1/tasks", ECHO, JSON, HTTP_IDEMPOTENCY_KEY=key)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
    assert response.json()["errors"][0]["pointer"] == "/Idempotency-Key"


def test_maintenance_refuses_and_says_when_to_try_again(api: MakeClient, alice: User, settings: Any) -> None:
    settings.MAINTENANCE = True
    response = api(alice).post("/api/v1/tasks", ECHO, JSON)
    assert (response.status_code, response.json()["code"]) == (503, "maintenance")
    assert response["Retry-After"] == "60"
    assert api(alice).get("/api/v1/tasks").status_code == 200


def test_session_may_submit_with_the_csrf_token(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    refused = client.post("/api/v1/tasks", ECHO, JSON)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert_shape(refused.json(), Problem)
    client.cookies["csrftoken"] = "a" * 32
    accepted = client.post("/api/v1/tasks", ECHO, JSON, headers={"X-CSRFToken": "a" * 32})
    assert accepted.status_code == 202


def test_answer_that_is_done_names_no_time_to_ask_again(api: MakeClient, alice: User, work: Work) -> None:
    client, body, key = api(alice), ECHO | {"reuse": True}, {"Idempotency-Key": "abc"}
    assert client.post("/api/v1/tasks", body, JSON, headers=key)["Retry-After"] == "1"
    work()
    reused, replayed = client.post("/api/v1/tasks", body, JSON), client.post("/api/v1/tasks", body, JSON, headers=key)
    assert (reused.status_code, reused["Reused"], replayed["Idempotency-Replayed"]) == (201, "true", "true")
    assert ("Retry-After" in reused, "Retry-After" in replayed) == (False, False)
