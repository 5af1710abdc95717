"""POST /tasks/{id}/copy and ?validate_only=true: the same again, and what would happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from tasks.api.objects.preview import Preview
from tasks.api.objects.task import Task
from tasks.lifecycle import outbox
from tasks.models import Lane, Node, TaskContent, Usage, WebhookEndpoint
from tasks.models import Task as StoredTask
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.api.shapes import assert_shape

Submit = Callable[..., dict[str, Any]]
KEPT = ("type", "input", "metadata", "tags", "timeout")


def test_copy_is_the_same_work_as_a_new_task(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice, metadata={"customer": "42"}, tags=["a"], timeout=33, priority=3, max_attempts=2)
    work()
    response = api(alice).generic("POST", task["urls"]["copy"])
    copy = response.json()
    assert response.status_code == 202
    assert_shape(copy, Task)
    assert copy["id"] != task["id"]
    assert (copy["copy_of"], copy["status"], copy["priority"]["requested"]) == (task["id"], "queued", 3)
    assert {name: copy[name] for name in KEPT} == {name: task[name] for name in KEPT}
    assert copy["attempts"]["max"] == 2
    assert response["Location"] == copy["urls"]["self"]
    assert '"day";r=' in response["RateLimit"]


def test_copy_takes_other_fields_from_the_body(api: MakeClient, alice: User, submit: Submit) -> None:
    task = submit(alice, tags=["a"], metadata={"customer": "42"})
    changes = {"input": {"message": "other"}, "priority": 7, "tags": [], "run_after": "2100-01-01T00:00:00Z"}
    copy = api(alice).post(task["urls"]["copy"], changes, JSON).json()
    assert (copy["input"], copy["tags"], copy["metadata"]) == ({"message": "other"}, [], {"customer": "42"})
    assert (copy["status"], copy["priority"]["effective"]) == ("scheduled", 7)


def test_copy_does_not_take_times_over(api: MakeClient, alice: User, submit: Submit) -> None:
    task = submit(alice, run_after="2100-01-01T00:00:00Z", start_before="2101-01-01T00:00:00Z")
    copy = api(alice).post(task["urls"]["copy"], {}, JSON).json()
    assert (copy["status"], copy["run_after"], copy["start_before"]) == ("queued", None, None)


def test_copy_is_lowered_to_what_the_plan_still_allows(api: MakeClient, make_user: Callable[..., User]) -> None:
    carol = make_user("carol", max_priority=8, longest_timeout=500)
    task = api(carol).post("/api/v1/tasks", ECHO | {"priority": 8, "timeout": 500}, JSON).json()
    carol.plan.max_priority, carol.plan.longest_timeout = 4, 100
    carol.plan.save(update_fields=["max_priority", "longest_timeout"])
    copy = api(carol).post(task["urls"]["copy"], {}, JSON).json()
    assert (copy["priority"]["requested"], copy["timeout"]) == (4, 100)
    refused = api(carol).post(task["urls"]["copy"], {"priority": 8}, JSON)
    assert refused.json()["errors"][0]["pointer"] == "/priority"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"type": "diagnostic.sleep"}, "/type"), ({"input": {"nope": 1}}, "/input/message"), ({"input": 5}, "/input")],
)
def test_faulty_copy_is_refused_with_a_pointer(
    api: MakeClient, alice: User, submit: Submit, body: dict[str, Any], pointer: str
) -> None:
    response = api(alice).post(submit(alice)["urls"]["copy"], body, JSON)
    assert response.status_code == 422
    assert pointer in [fault["pointer"] for fault in response.json()["errors"]]
    assert StoredTask.objects.count() == 1


def test_purged_task_is_copied_only_with_an_input(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice)
    work()
    TaskContent.objects.all().delete()
    client = api(alice)
    refused = client.post(task["urls"]["copy"], {}, JSON)
    assert (refused.status_code, refused.json()["code"]) == (410, "content_purged")
    assert client.post(task["urls"]["copy"], {"input": {"message": "new"}}, JSON).status_code == 202


def test_repeated_copy_gives_the_first_answer_again(api: MakeClient, alice: User, submit: Submit) -> None:
    task, key = submit(alice), {"Idempotency-Key": "abc"}
    client = api(alice)
    first = client.post(task["urls"]["copy"], {"priority": 4}, JSON, headers=key)
    again = client.post(task["urls"]["copy"], {"priority": 4}, JSON, headers=key)
    assert (again.json()["id"], again["Idempotency-Replayed"]) == (first.json()["id"], "true")
    assert client.post(task["urls"]["copy"], {}, JSON, headers=key).json()["code"] == "idempotency_key_reused"


def test_repeated_copy_is_answered_though_the_first_task_is_purged(
    api: MakeClient, alice: User, submit: Submit, work: Work
) -> None:
    task, key = submit(alice), {"Idempotency-Key": "abc"}
    work()
    first = api(alice).post(task["urls"]["copy"], {}, JSON, headers=key)
    assert api(alice).delete(task["urls"]["self"]).status_code == 204
    again = api(alice).post(task["urls"]["copy"], {}, JSON, headers=key)
    assert again.status_code == 202, again.content
    assert (again.json()["id"], again["Idempotency-Replayed"]) == (first.json()["id"], "true")
    blind = api(alice, "tasks:write").post(task["urls"]["copy"], {}, JSON, headers=key)
    assert (blind.status_code, blind.json()["code"]) == (403, "missing_scope")
    other = api(alice).post(task["urls"]["copy"], {}, JSON, headers={"Idempotency-Key": "another"})
    assert (other.status_code, other.json()["code"]) == (410, "content_purged")


@pytest.mark.parametrize("priority", [3, 5, 6])
def test_preview_tells_what_submitting_then_does(
    api: MakeClient, alice: User, submit: Submit, node: Node, priority: int
) -> None:
    client = api(alice)
    for _ in range(alice.plan.slots + 2):
        submit(alice)
    body = ECHO | {"priority": priority}
    preview = client.post("/api/v1/tasks?validate_only=true", body, JSON)
    assert preview.status_code == 200
    assert_shape(preview.json(), Preview)
    task = client.get(client.post("/api/v1/tasks", body, JSON)["Location"]).json()
    kept = ("type", "status", "priority", "timeout")
    assert [preview.json()[name] for name in kept] == [task[name] for name in kept]
    placed = ("name", "position", "why")
    assert [preview.json()["queue"][name] for name in placed] == [task["queue"][name] for name in placed]
    assert preview.json()["cost"] == {"burst": 1, "day": 1, "high-day": 0, "urgent-day": 0, "waiting": 1}


def test_preview_makes_nothing_and_takes_from_the_rate_alone(api: MakeClient, make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_minute=60)
    preview = api(carol).post("/api/v1/tasks?validate_only=true", ECHO | {"priority": 8}, JSON)
    assert preview.status_code == 200
    assert not StoredTask.objects.exists()
    assert not Lane.objects.exists()
    usage = Usage.objects.get(user=carol)
    assert (usage.day_count, usage.high_count, usage.urgent_count, usage.waiting_bound) == (0, 0, 0, 0)
    assert '"burst";r=59' in preview["RateLimit"]


def test_preview_costs_rate_whatever_it_answers(api: MakeClient, make_user: Callable[..., User]) -> None:
    client = api(make_user("carol", per_minute=3, high_per_day=0))
    bodies = [ECHO, {"type": "nope"}, ECHO | {"priority": 8}, ECHO]
    answers = [client.post("/api/v1/tasks?validate_only=true", body, JSON) for body in bodies]
    assert [answer.status_code for answer in answers] == [200, 422, 429, 429]
    assert [answer.json()["policy"] for answer in answers[2:]] == ["high-day", "burst"]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_preview_looks_names_up_before_its_transaction(
    api: MakeClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = []
    outbox.look_up.forget()
    monkeypatch.setattr(outbox, "check_url", lambda *_, **__: inside.append(connection.in_atomic_block))
    body = ECHO | {"webhook": "https://hooks.example.com/"}
    assert api(alice).post("/api/v1/tasks?validate_only=true", body, JSON).status_code == 200
    outbox.look_up.forget()
    assert inside == [False]
    assert not WebhookEndpoint.objects.exists()


def test_preview_shows_a_downgrade_and_refuses_as_submitting_would(
    api: MakeClient, make_user: Callable[..., User]
) -> None:
    client = api(make_user("carol", high_per_day=0))
    lowered = client.post("/api/v1/tasks?validate_only=true", ECHO | {"priority": 8, "on_quota": "downgrade"}, JSON)
    assert lowered.json()["priority"] == {"requested": 8, "effective": 6, "reason": "high_allowance_used"}
    assert lowered.json()["cost"]["high-day"] == 0
    refused = client.post("/api/v1/tasks?validate_only=true", ECHO | {"priority": 8}, JSON)
    assert (refused.status_code, refused.json()["policy"]) == (429, "high-day")
    faulty = client.post("/api/v1/tasks?validate_only=true", {"type": "nope"}, JSON)
    assert (faulty.status_code, faulty.json()["code"]) == (422, "unknown_task_type")
