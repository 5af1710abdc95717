"""A token that may submit and not read is shown no content by what it submits or changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tasks.api.objects.schedule import Schedule
from tasks.api.objects.task import UNTOLD, Task
from tasks.backends import directory
from tasks.backends.servers import NewServer, add_server
from tasks.models import Task as StoredTask
from tasks.models import TaskContent
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.api.shapes import assert_shape

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SECRET = {"input": {"message": "a secret"}, "metadata": {"customer": "a secret"}}
Submit = Callable[..., dict[str, Any]]


@pytest.fixture
def blind(api: MakeClient, alice: User) -> Client:
    """A client of alice's that may submit, cancel and retry only."""
    return api(alice, "tasks:write")


def assert_blind(answer: Any) -> None:
    assert answer.status_code < 300, answer.content
    shown = answer.json()
    assert_shape(shown, Task)
    assert (shown["input"], shown["result"], shown["metadata"], shown["tags"]) == (None, None, {}, [])
    assert b"a secret" not in answer.content
    assert shown["status"]
    assert shown["queue"]["name"] == "diagnostics"


def test_cancel_and_retry_show_no_content(
    api: MakeClient, alice: User, submit: Submit, work: Work, blind: Client
) -> None:
    urls = submit(alice, **SECRET)["urls"]
    work()
    assert api(alice).post(urls["cancel"]).json()["result"]["text"] == "a secret"
    assert_blind(blind.post(urls["cancel"]))
    other = submit(alice, **SECRET)["urls"]
    assert_blind(blind.post(other["cancel"]))
    assert_blind(blind.post(other["retry"]))
    seen = api(alice).post(other["retry"]).json()
    assert (seen["input"], seen["metadata"]) == (SECRET["input"], SECRET["metadata"])


def test_submission_and_its_replay_show_no_content(
    api: MakeClient, alice: User, submit: Submit, work: Work, blind: Client
) -> None:
    body, key = ECHO | SECRET | {"tags": ["a secret"]}, {"Idempotency-Key": "once"}
    assert_blind(blind.post("/api/v1/tasks", body, JSON, headers=key))
    work()
    replayed = blind.post("/api/v1/tasks", body, JSON, headers=key)
    assert replayed["Idempotency-Replayed"] == "true"
    assert_blind(replayed)
    assert api(alice).post("/api/v1/tasks", body, JSON, headers=key).json()["result"]["text"] == "a secret"


def test_failure_tells_its_code_and_not_its_words(
    api: MakeClient, alice: User, submit: Submit, work: Work, blind: Client
) -> None:
    failing = {"type": "diagnostic.fail", "input": {"mode": "give_up"}}
    urls = submit(alice, **failing)["urls"]
    work()
    assert api(alice).post(urls["cancel"]).json()["error"]["message"] != UNTOLD
    answer = blind.post(urls["cancel"])
    assert_blind(answer)
    assert answer.json()["error"] == {"code": "gave_up", "message": UNTOLD, "retryable": False, "attempt": 1}


def test_schedule_shows_no_content_when_it_is_changed_or_run(api: MakeClient, alice: User, blind: Client) -> None:
    body = {"task": ECHO | SECRET, "interval_seconds": 3600}
    made = api(alice).post("/api/v1/schedules", body, JSON).json()
    assert made["task"]["input"] == SECRET["input"]
    urls = made["urls"]
    answers = [
        blind.post("/api/v1/schedules", body, JSON),
        blind.patch(urls["self"], {}, JSON),
        blind.post(urls["pause"]),
        blind.post(urls["resume"]),
    ]
    for answer in answers:
        assert_shape(answer.json(), Schedule)
        assert (answer.json()["task"]["input"], answer.json()["task"]["metadata"]) == (None, {})
        assert b"a secret" not in answer.content
    assert_blind(blind.post(urls["run"]))
    seen = api(alice).patch(urls["self"], {}, JSON).json()["task"]
    assert (seen["input"], seen["metadata"]) == (SECRET["input"], SECRET["metadata"])


def test_cancel_by_system_a_shows_no_result(
    api: MakeClient, alice: User, submit: Submit, work: Work, blind: Client
) -> None:
    task = submit(alice, **SECRET)
    work()
    address = f"/api/async/task/{task['id']}"
    assert api(alice).delete(address).json()["result"]["text"] == "a secret"
    answer = blind.delete(address)
    assert (answer.json()["status"], answer.json()["result"]) == ("finished", None)


@pytest.fixture
def chat_server(db: None) -> Iterator[None]:
    """A chat server that is known, and never called."""
    directory.forget()
    add_server(NewServer(kind="chat", address="http://127.0.0.1:9/v1", models=["test-model"]))
    yield
    directory.forget()


@pytest.mark.usefixtures("chat_server")
def test_replayed_prompt_of_system_d_shows_no_result(api: MakeClient, alice: User, blind: Client) -> None:
    body, key = {"prompt": "my own words"}, {"Idempotency-Key": "once"}
    made = blind.post("/api/v1/tasks", body, JSON, headers=key).json()
    TaskContent.objects.filter(pk=made["id"]).update(result={"text": "a secret", "model": "its model"}, engine={"a": 1})
    shown = blind.post("/api/v1/tasks", body, JSON, headers=key).json()
    assert (shown["id"], shown["prompt"]) == (made["id"], "my own words")
    assert (shown["result"], shown["model"], shown["engine"]) == (None, None, None)
    assert api(alice).post("/api/v1/tasks", body, JSON, headers=key).json()["model"] == "its model"
    # A tombstone has nothing to show to anybody.
    TaskContent.objects.filter(pk=made["id"]).delete()
    purged = api(alice).post("/api/v1/tasks", body, JSON, headers=key)
    assert (purged.status_code, purged.json()["model"]) == (200, None)


def test_task_that_cannot_be_written_down_is_answered_all_the_same(
    api: MakeClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise AttributeError("a mistake in a shape")

    monkeypatch.setattr("tasks.api.views.tasks.task_object", write)
    answer = api(alice, "tasks:write").post("/api/v1/tasks", ECHO, JSON)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert str(StoredTask.objects.get().pk) == answer.json()["id"]
