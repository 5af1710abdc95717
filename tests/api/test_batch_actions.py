"""Batches: cancelled as a whole, and their results as JSON lines."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now

from accounts.models import User
from tasks.api.batch_results import read_results
from tasks.api.objects.batch import Batch, ItemResult
from tasks.lifecycle import cancel_batch as batches
from tasks.lifecycle.cancel_batch import cancel_batch, cancel_batches
from tasks.models import AuditEntry, Task, TaskContent, Usage
from tasks.models import Batch as StoredBatch
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.api.shapes import assert_shape


def make_batch(client: Any, *tasks: Any, **options: Any) -> dict[str, Any]:
    batch: dict[str, Any] = client.post("/api/v1/batches", {"tasks": tasks} | options, JSON).json()
    return batch


def lines(response: Any) -> list[dict[str, Any]]:
    assert (response.status_code, response["Content-Type"]) == (200, "application/jsonl")
    return [json.loads(line) for line in b"".join(response).decode().splitlines()]


def test_cancel_ends_what_waits_and_leaves_what_has_ended(api: MakeClient, alice: User, work: Work) -> None:
    client = api(alice)
    batch = make_batch(client, *[ECHO] * 6)
    work()
    response = client.post(batch["urls"]["cancel"])
    assert response.status_code == 202
    assert_shape(response.json(), Batch)
    counts = response.json()["counts"]
    assert (counts["succeeded"], counts["cancelled"], response.json()["done"]) == (1, 5, True)
    assert StoredBatch.objects.get().cancel_wanted_at is None
    assert client.post(batch["urls"]["cancel"]).json() == response.json()
    assert AuditEntry.objects.filter(action="cancel", target_kind="batch").count() == 1


def test_large_results_are_read_one_by_one_and_inputs_not_at_all(
    api: MakeClient, alice: User, django_assert_num_queries: Any
) -> None:
    client = api(alice)
    made = make_batch(client, *[ECHO] * 13)
    ids = [item["id"] for item in made["items"]]
    large = {"text": "".join(str(number) for number in range(300_000))}
    Task.objects.all().update(status="succeeded", finished_at=Now())
    TaskContent.objects.filter(pk__in=ids[:10]).update(input=large, result=large)
    TaskContent.objects.filter(pk=ids[10]).update(input=large, result={"text": "small"})
    TaskContent.objects.filter(pk=ids[12]).delete()
    tracemalloc.start()
    try:
        # The batch, one page of tasks, and each of ten large results.
        with django_assert_num_queries(12):
            results = [item.result and len(item.result["text"]) for item in read_results(StoredBatch.objects.get())]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert results == [len(large["text"])] * 10 + [5, None, None]
    assert most < 5 * len(large["text"])


def test_running_member_is_asked_to_stop(api: MakeClient, alice: User, claim: Callable[[], Any]) -> None:
    client = api(alice)
    batch = make_batch(client, ECHO, ECHO)
    claim()
    counts = client.post(batch["urls"]["cancel"]).json()["counts"]
    assert (counts["cancelling"], counts["cancelled"]) == (1, 1)


def test_other_tasks_of_the_user_go_on(api: MakeClient, alice: User, submit: Callable[..., Any]) -> None:
    other, client = submit(alice), api(alice)
    client.post(make_batch(client, ECHO)["urls"]["cancel"])
    assert client.get(other["urls"]["self"]).json()["status"] == "queued"


def test_large_batch_is_cancelled_to_the_end_by_the_duty(
    api: MakeClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "ROUND", 3)
    monkeypatch.setattr(batches, "ROUNDS_AT_ONCE", 2)
    batch = make_batch(api(alice), *[ECHO] * 20)
    cancelled = cancel_batch(UUID(batch["id"]), by=alice, owner=alice)
    assert cancelled.cancel_wanted_at is not None
    assert Task.objects.filter(status="cancelled").count() == 6
    rounds = [cancel_batches() for _ in range(4)]
    assert rounds == [6, 6, 2, 0]
    assert Task.objects.filter(status="cancelled").count() == 20
    assert StoredBatch.objects.get().cancel_wanted_at is None


def test_wish_outlives_a_request_that_was_cut_off(
    api: MakeClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(api(alice), ECHO, ECHO)

    def killed(*_args: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_cancel_rounds", killed)
        with pytest.raises(KeyboardInterrupt):
            cancel_batch(UUID(batch["id"]), by=alice, owner=alice)
    assert not Task.objects.filter(status="cancelled").exists()
    assert cancel_batches() == 2
    assert Task.objects.filter(status="cancelled").count() == 2


def test_results_are_a_line_an_item_in_their_order(api: MakeClient, alice: User, work: Work) -> None:
    client = api(alice)
    batch = make_batch(client, ECHO, {"type": "nope"}, {"type": "diagnostic.fail", "input": {"mode": "give_up"}}, ECHO)
    for _ in range(2):
        work()
    found = lines(client.get(batch["urls"]["results"]))
    for line in found:
        assert_shape(line, ItemResult)
    assert [line["index"] for line in found] == [0, 1, 2, 3]
    assert [line["id"] for line in found] == [item.get("id") for item in batch["items"]]
    assert [line["status"] for line in found] == ["succeeded", "refused", "failed", "queued"]
    assert (found[0]["result"]["text"], found[0]["error"]) == ("hello", None)
    assert (found[1]["result"], found[1]["error"]["code"]) == (None, "unknown_task_type")
    assert (found[2]["error"]["code"], found[3]["result"]) == ("gave_up", None)


@pytest.mark.parametrize("accept", ["application/jsonl", "application/json", "*/*"])
def test_results_come_whatever_of_theirs_is_accepted(api: MakeClient, alice: User, accept: str) -> None:
    client = api(alice)
    batch = make_batch(client, *[ECHO] * 120)
    found = lines(client.get(batch["urls"]["results"], headers={"Accept": accept}))
    # More than a page of tasks.
    assert [line["index"] for line in found] == list(range(120))


def test_results_in_another_form_are_406(api: MakeClient, alice: User) -> None:
    client = api(alice)
    response = client.get(make_batch(client, ECHO)["urls"]["results"], headers={"Accept": "text/csv"})
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_result_text_cannot_break_a_line(api: MakeClient, alice: User, work: Work) -> None:
    client = api(alice)
    text = "a\nb\u2028c\u0085d\r\n"
    batch = make_batch(client, ECHO | {"input": {"message": text}})
    work()
    whole = b"".join(client.get(batch["urls"]["results"])).decode()
    assert whole.count("\n") == 1
    assert json.loads(whole)["result"]["text"] == text


@pytest.mark.parametrize("atomic", [False, True])
def test_batch_of_nothing_but_faults_costs_the_rate(
    api: MakeClient, make_user: Callable[..., User], atomic: bool
) -> None:
    user = make_user("carol", per_minute=2)
    client = api(user)
    answers = [client.post("/api/v1/batches", {"tasks": [{"type": "nope"}], "atomic": atomic}, JSON) for _ in range(3)]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [422 if atomic else 202] * 2 + [429]
    assert answers[2].json()["policy"] == "burst"
    assert Usage.objects.get(user=user).day_count == 0
