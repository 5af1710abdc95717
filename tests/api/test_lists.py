"""GET /tasks: keyset pages, filters, the Link header."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from accounts.models import User
from tasks.api.objects.task import Task
from tasks.lifecycle.submit import Submission, submit_task
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.api.shapes import assert_shape

Submit = Callable[..., dict[str, Any]]


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [task["id"] for task in response.json()["data"]]


def test_list_is_newest_first_and_pages_to_the_end(api: MakeClient, alice: User, submit: Submit) -> None:
    made = [submit(alice)["id"] for _ in range(5)][::-1]
    client = api(alice)
    first = client.get("/api/v1/tasks?limit=2")
    assert (ids(first), first.json()["has_more"]) == (made[:2], True)
    assert_shape(first.json()["data"][0], Task)
    link = first["Link"]
    assert link.endswith('; rel="next"')
    second = client.get(link[1 : link.index(">")])
    assert ids(second) == made[2:4]
    third = client.get("/api/v1/tasks", {"limit": 2, "cursor": second.json()["next_cursor"]})
    assert (ids(third), third.json()["has_more"], third.json()["next_cursor"]) == (made[4:], False, None)
    assert "Link" not in third.headers


def test_full_last_page_has_no_next(api: MakeClient, alice: User, submit: Submit) -> None:
    for _ in range(2):
        submit(alice)
    assert api(alice).get("/api/v1/tasks?limit=2").json()["has_more"] is False


def test_new_tasks_do_not_move_the_next_page(api: MakeClient, alice: User, submit: Submit) -> None:
    made = [submit(alice)["id"] for _ in range(3)][::-1]
    client = api(alice)
    cursor = client.get("/api/v1/tasks?limit=1").json()["next_cursor"]
    submit(alice)
    assert ids(client.get("/api/v1/tasks", {"cursor": cursor})) == made[1:]


def test_filters_find_what_they_say(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    done = submit(alice, tags=["a", "b"], metadata={"customer": "42"})["id"]
    work()
    low = submit(alice, priority=2, tags=["a"], metadata={"customer": 42})["id"]
    sleep = submit(alice, type="diagnostic.sleep", input={"seconds": 1}, metadata={"customer": "43", "vip": True})["id"]
    client = api(alice)
    found: dict[str, list[str]] = {
        "status=succeeded": [done],
        "status=queued": [sleep, low],
        "status=succeeded&status=queued": [sleep, low, done],
        "status=succeeded,running": [done],
        "status=cancelling": [],
        "type=diagnostic.sleep": [sleep],
        "queue=diagnostics": [sleep, low, done],
        "queue=documents": [],
        "priority=2": [low],
        "tag=a": [low, done],
        "tag=b": [done],
        "metadata[customer]=42": [low, done],
        "metadata[vip]=true": [sleep],
        "metadata[customer]=43&metadata[vip]=true": [sleep],
        "metadata[customer]=42&tag=b&status=succeeded": [done],
        "created_after=2100-01-01T00:00:00Z": [],
        "created_before=2100-01-01T00:00:00Z": [sleep, low, done],
        "created_after=2020-01-01T00:00:00%2B02:00": [sleep, low, done],
        "batch=01900000-0000-7000-8000-000000000000": [],
    }
    assert {query: ids(client.get(f"/api/v1/tasks?{query}")) for query in found} == found


def test_numbers_in_metadata_are_compared_exactly(api: MakeClient, alice: User, submit: Submit) -> None:
    numbers = [2**53, 2**53 + 1, -(2**53) - 1, 10**40, 10**40 + 1, 0.1, 1e300, 12345678.25]
    ids = {number: submit(alice, metadata={"n": number})["id"] for number in numbers}
    text = submit(alice, metadata={"n": str(2**53 + 1)})["id"]

    def found(value: object) -> list[str]:
        answer = api(alice).get("/api/v1/tasks", {"metadata[n]": str(value)})
        assert answer.status_code == 200, answer.content
        return [task["id"] for task in answer.json()["data"]]

    for number in numbers:
        assert found(number) == ([text] if number == 2**53 + 1 else []) + [ids[number]]
    assert found("0.10") == [ids[0.1]]
    assert found("1E300") == [ids[1e300]]
    assert found("9007199254740993.0") == found("1e999") == found("0." + "1" * 400) == found(f"{2**53}.5") == []
    assert api(alice).get(f"/api/v1/tasks/{ids[2**53 + 1]}").json()["metadata"] == {"n": 2**53 + 1}


def test_list_takes_ten_filters_on_metadata_and_no_more(api: MakeClient, alice: User, submit: Submit) -> None:
    values = {f"k{number}": str(number) for number in range(11)}
    task = submit(alice, metadata=values)["id"]
    client = api(alice)
    queries = [f"metadata[{key}]={value}" for key, value in values.items()]
    assert ids(client.get("/api/v1/tasks?" + "&".join(queries[:10]))) == [task]
    refused = client.get("/api/v1/tasks?" + "&".join(queries))
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_parameter")
    assert refused.json()["errors"][0]["pointer"] == "/metadata"


def test_tasks_of_a_batch_are_listed(api: MakeClient, alice: User, submit: Submit) -> None:
    submit(alice)
    batch = api(alice).post("/api/v1/batches", {"tasks": [ECHO, ECHO]}, JSON).json()
    made = [item["id"] for item in batch["items"]]
    assert ids(api(alice).get("/api/v1/tasks", {"batch": batch["id"]})) == made[::-1]


def test_list_tells_why_each_task_waits(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    submit(alice, type="diagnostic.fail", input={"mode": "raise"})
    work()
    later = submit(alice, run_after="2100-01-01T00:00:00Z")["id"]
    slots = alice.plan.slots
    queued = [submit(alice)["id"] for _ in range(slots + 1)]
    whys = {task["id"]: task["queue"]["why"] for task in api(alice).get("/api/v1/tasks").json()["data"]}
    assert whys.pop(later) == "scheduled"
    assert [whys.pop(task) for task in queued] == ["waiting_for_a_worker"] * slots + ["waiting_for_a_slot"]
    assert list(whys.values()) == ["retry_backoff"]


@pytest.mark.parametrize("path", ["tasks", "files", "batches"])
def test_empty_list_has_the_shape_of_a_list(api: MakeClient, alice: User, path: str) -> None:
    assert api(alice).get(f"/api/v1/{path}").json() == {"data": [], "next_cursor": None, "has_more": False}


def test_large_inputs_are_left_out_of_lists_and_shown_by_themselves(api: MakeClient, alice: User) -> None:
    # Random, or it would be stored as next to nothing.
    message = Random(1).randbytes(30_000).hex()
    submit_task(alice, Submission("diagnostic.echo", {"message": message[:9000]}))
    submit_task(alice, Submission("diagnostic.echo", {"message": message}))
    large, small = api(alice).get("/api/v1/tasks").json()["data"]
    assert large["input"] is None
    assert small["input"] == {"message": message[:9000]}
    assert api(alice).get(large["urls"]["self"]).json()["input"] == {"message": message}
