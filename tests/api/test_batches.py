"""Batches: item by item, or all or none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import User
from tasks.api.objects.batch import Batch, BatchWithItems
from tasks.models import Task, Usage
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.api.shapes import assert_shape


def test_batch_answers_item_by_item_in_order(api: MakeClient, alice: User) -> None:
    items = [ECHO, {"type": "nope"}, ECHO | {"priority": "5"}, 5, ECHO | {"input": {}}, ECHO]
    response = api(alice).post("/api/v1/batches", {"name": "mine", "tasks": items}, JSON)
    batch = response.json()
    assert response.status_code == 202
    assert_shape(batch, BatchWithItems)
    assert response["Location"] == batch["urls"]["self"]
    assert "RateLimit" in response.headers
    codes = [item["problem"]["code"] if "problem" in item else "" for item in batch["items"]]
    assert codes == ["", "unknown_task_type", "invalid_body", "invalid_body", "invalid_input", ""]
    assert batch["items"][2]["problem"]["errors"][0]["pointer"] == "/priority"
    assert (batch["total"], batch["refused"], batch["counts"]["queued"]) == (6, 4, 2)
    assert {str(id_) for id_ in Task.objects.values_list("id", flat=True)} == {
        batch["items"][0]["id"], batch["items"][5]["id"],
    }  # fmt: skip


def test_atomic_batch_with_a_fault_submits_nothing(api: MakeClient, alice: User) -> None:
    body = {"atomic": True, "tasks": [ECHO, {"type": "nope"}, ECHO | {"tags": 5}]}
    response = api(alice).post("/api/v1/batches", body, JSON)
    assert response.status_code == 422
    pointers = [fault["pointer"] for fault in response.json()["errors"]]
    assert pointers == ["/tasks/1/type", "/tasks/2/tags"]
    assert not Task.objects.exists()


def test_batch_counts_once_a_minute_and_n_times_a_day(api: MakeClient, make_user: Any) -> None:
    user = make_user("carol", per_minute=60, per_day=100)
    response = api(user).post("/api/v1/batches", {"tasks": [ECHO] * 10}, JSON)
    assert '"burst";r=59' in response["RateLimit"]
    assert '"day";r=90' in response["RateLimit"]
    assert Usage.objects.get(user=user).day_count == 10


def test_batch_over_the_quota_is_refused_whole(api: MakeClient, make_user: Any) -> None:
    response = api(make_user("carol", max_waiting=5)).post("/api/v1/batches", {"tasks": [ECHO] * 6}, JSON)
    assert (response.status_code, response.json()["policy"]) == (429, "waiting")
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/tasks"),
        ({"tasks": []}, "/tasks"),
        ({"tasks": "x"}, "/tasks"),
        ({"tasks": [ECHO] * 1001}, "/tasks"),
        ({"tasks": [ECHO], "nope": 1}, "/nope"),
        ({"tasks": [ECHO], "atomic": "yes"}, "/atomic"),
        ({"tasks": [ECHO], "name": "x" * 201}, "/name"),
    ],
)
def test_faulty_batch_is_refused_with_a_pointer(
    api: MakeClient, alice: User, body: dict[str, Any], pointer: str
) -> None:
    response = api(alice).post("/api/v1/batches", body, JSON)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_body")
    assert response.json()["errors"][0]["pointer"] == pointer


def test_thousand_tasks_fit_in_one_batch(api: MakeClient, alice: User) -> None:
    batch = api(alice).post("/api/v1/batches", {"tasks": [ECHO] * 1000}, JSON).json()
    assert (batch["total"], batch["refused"], batch["counts"]["queued"]) == (1000, 0, 1000)
    assert Task.objects.count() == 1000


def test_batch_counts_follow_its_tasks(api: MakeClient, alice: User, work: Work) -> None:
    client = api(alice)
    batch = client.post("/api/v1/batches", {"tasks": [ECHO, ECHO]}, JSON).json()
    work()
    client.post(f"/api/v1/tasks/{batch['items'][1]['id']}/cancel")
    read = client.get(batch["urls"]["self"]).json()
    assert_shape(read, BatchWithItems)
    assert (read["counts"]["succeeded"], read["counts"]["cancelled"], read["done"]) == (1, 1, True)
    [listed] = client.get("/api/v1/batches").json()["data"]
    assert_shape(listed, Batch)
    assert listed["counts"] == read["counts"]


def test_repeated_batch_gives_the_first_answer_again(api: MakeClient, alice: User) -> None:
    client, key = api(alice), {"Idempotency-Key": "abc"}
    first = client.post("/api/v1/batches", {"tasks": [ECHO]}, JSON, headers=key)
    again = client.post("/api/v1/batches", {"tasks": [ECHO]}, JSON, headers=key)
    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotency-Replayed"] == "true"
    assert Task.objects.count() == 1


def test_batch_looks_up_few_webhooks(api: MakeClient, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> None:
        pytest.fail("nothing is looked up for a batch that is refused")

    monkeypatch.setattr("tasks.lifecycle.outbox.check_url", look_up)
    items = [ECHO | {"webhook": f"https://hooks{number}.example.com/"} for number in range(11)]
    refused = api(alice).post("/api/v1/batches", {"tasks": items}, JSON)
    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/tasks"]
    monkeypatch.setattr("tasks.lifecycle.outbox.check_url", lambda *_, **__: None)
    assert api(alice).post("/api/v1/batches", {"tasks": items[:10] * 3}, JSON).json()["refused"] == 0


LINES = "application/jsonl"


def lines(*items: Any) -> str:
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in items)


def test_batch_of_lines_is_one_task_a_line(api: MakeClient, alice: User) -> None:
    body = lines(ECHO, "", ECHO | {"priority": 3}, "  ") + json.dumps(ECHO)
    response = api(alice).post("/api/v1/batches?name=mine", body, f"{LINES}; charset=utf-8")
    batch = response.json()
    assert response.status_code == 202, batch
    assert_shape(batch, BatchWithItems)
    assert (batch["name"], batch["total"], batch["refused"]) == ("mine", 3, 0)
    assert sorted(Task.objects.values_list("priority", flat=True)) == [3, 5, 5]


def test_faulty_line_is_named_and_does_not_stop_the_others(api: MakeClient, alice: User) -> None:
    body = lines(
        ECHO, '{"type": "diagnostic.echo"', {"type": "nope"}, "", ECHO | {"priority": "5"}, "[]", '{"a":1,"a":2}'
    )
    batch = api(alice).post("/api/v1/batches", body, LINES).json()
    problems = [item["problem"] for item in batch["items"] if "problem" in item]
    assert [problem["code"] for problem in problems] == [
        "invalid_json", "unknown_task_type", "invalid_body", "invalid_body", "invalid_json",
    ]  # fmt: skip
    assert [problem["detail"].partition(":")[0] for problem in problems] == [
        "Line 2", "Line 3", "Line 5", "Line 6", "Line 7",
    ]  # fmt: skip
    assert "line 2, column 27" in problems[0]["detail"]
    assert problems[2]["errors"][0]["pointer"] == "/priority"
    assert Task.objects.count() == 1
    again = api(alice).get(batch["urls"]["self"]).json()
    assert [item.get("problem") for item in again["items"]] == [item.get("problem") for item in batch["items"]]


def test_atomic_batch_of_lines_is_refused_as_a_whole(api: MakeClient, alice: User) -> None:
    answer = api(alice).post("/api/v1/batches?atomic=true", lines(ECHO, "nonsense", {"type": "nope"}), LINES)
    faults = answer.json()["errors"]
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in faults] == ["/tasks/1", "/tasks/2/type"]
    assert faults[0]["detail"].startswith("Line 2: ")
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("body", "query", "status", "pointer"),
    [
        ("\n\n", "", 422, "/tasks"),
        (lines(*[ECHO] * 1001), "", 422, "/tasks"),
        (lines(ECHO), "?name=" + "x" * 201, 400, "/name"),
        (lines(ECHO), "?nom=x", 400, "/nom"),
    ],
)
def test_impossible_batch_of_lines_is_refused(
    api: MakeClient, alice: User, body: str, query: str, status: int, pointer: str
) -> None:
    answer = api(alice).post(f"/api/v1/batches{query}", body, LINES)
    assert answer.status_code == status
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer], answer.content
    assert not Task.objects.exists()


def test_name_of_a_json_batch_stands_in_its_body(api: MakeClient, alice: User) -> None:
    answer = api(alice).post("/api/v1/batches?atomic=true", {"tasks": [ECHO]}, JSON)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/atomic")


def test_key_of_lines_stands_for_what_they_mean(api: MakeClient, alice: User) -> None:
    client, key = api(alice), {"Idempotency-Key": "once"}
    first = client.post("/api/v1/batches", lines(ECHO, "broken"), LINES, headers=key)
    spaced = "\n" + json.dumps(ECHO, indent=None, separators=(" , ", " : ")) + "\r\nbroken\n"
    again = client.post("/api/v1/batches", spaced, LINES, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    for body, query in ((lines(ECHO, "other"), ""), (lines(ECHO, "broken"), "?name=x")):
        other = client.post(f"/api/v1/batches{query}", body, LINES, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Task.objects.count() == 1
