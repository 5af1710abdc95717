"""System D's shape at the portal's own addresses. The whole way with real nodes: test_compat_live.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tasks.api.compat.urls import routes, task_view, tasks_view
from tasks.backends import directory
from tasks.backends.servers import NewServer, add_server
from tasks.models import Task, TaskContent
from tests.api.conftest import ECHO, JSON, MakeClient

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def chat_server(db: None) -> Iterator[None]:
    """A chat server that is known to have one model; these tests do not get as far as calling it."""
    directory.forget()
    add_server(NewServer(kind="chat", address="http://127.0.0.1:9/v1", models=["test-model"]))
    yield
    directory.forget()


def submit(client: Client, body: Any, **headers: str) -> Any:
    return client.post("/api/v1/tasks", body, JSON, headers=headers)


def test_prompt_is_our_task(api: MakeClient, alice: User) -> None:
    answer = submit(api(alice), {"prompt": "Write a line."})
    assert answer.status_code == 200, answer.content
    made = answer.json()
    assert (made["status"], made["prompt"]) == ("PENDING", "Write a line.")
    assert made["created_at"].endswith("Z")
    assert answer["RateLimit"]
    task = Task.objects.get(pk=made["id"])
    assert (task.type, task.content.input, task.content.metadata) == (
        "text.generate", {"prompt": "Write a line."}, {},
    )  # fmt: skip


def test_task_made_this_way_is_read_this_way(api: MakeClient, alice: User) -> None:
    client = api(alice)
    made = submit(client, {"prompt": "Write a line."}).json()
    waiting = client.get(f"/api/v1/tasks/{made['id']}")
    assert (waiting.json()["status"], waiting["Retry-After"]) == ("PENDING", "1")
    client.post(f"/api/v1/tasks/{made['id']}/cancel")
    ended = client.get(f"/api/v1/tasks/{made['id']}").json()
    assert (ended["status"], ended["error"], ended["result"]) == ("FAILED", "The task was cancelled.", None)
    # Purged, it is a tombstone in the same shape.
    TaskContent.objects.filter(pk=made["id"]).delete()
    assert client.get(f"/api/v1/tasks/{made['id']}").json()["prompt"] is None


def test_our_own_tasks_keep_their_shape(api: MakeClient, alice: User) -> None:
    client = api(alice)
    own = submit(client, {"type": "text.generate", "input": {"prompt": "Write a line."}})
    assert (own.status_code, own.json()["status"]) == (202, "queued")
    assert client.get(f"/api/v1/tasks/{own.json()['id']}").json()["type"] == "text.generate"
    made = submit(client, {"prompt": "Write a line."}).json()
    assert [task["status"] for task in client.get("/api/v1/tasks").json()["data"]] == ["queued", "queued"]
    copy = client.post(f"/api/v1/tasks/{made['id']}/copy", {}, JSON).json()
    assert client.get(f"/api/v1/tasks/{copy['id']}").json()["copy_of"] == made["id"]


def test_unknown_model_gives_way_to_the_default(api: MakeClient, alice: User) -> None:
    client = api(alice)
    made = submit(client, {"prompt": "Write a line.", "model": "gpt-of-yesterday"})
    assert made.status_code == 200, made.content
    assert Task.objects.get(pk=made.json()["id"]).content.input == {"prompt": "Write a line."}
    known = submit(client, {"prompt": "Write a line.", "model": "test-model"}).json()
    assert Task.objects.get(pk=known["id"]).content.input["model"] == "test-model"
    own = submit(client, {"type": "text.generate", "input": {"prompt": "x", "model": "gpt-of-yesterday"}})
    assert (own.status_code, own.json()["errors"][0]["code"]) == (422, "unknown_model")


def test_unknown_model_costs_one_submission(api: MakeClient, make_user: Any) -> None:
    answer = submit(api(make_user("carol", per_minute=60)), {"prompt": "Write a line.", "model": "gpt-of-yesterday"})
    assert '"burst";r=59' in answer["RateLimit"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"prompt": ""}, ""), ({"prompt": 5}, "/prompt"), ({"prompt": "x", "model": 5}, "/model")],
)
def test_faults_point_at_what_was_sent(api: MakeClient, alice: User, body: Any, pointer: str) -> None:
    answer = submit(api(alice), body)
    assert (answer.status_code, answer.json()["code"]) in {(422, "invalid_input"), (422, "invalid_body")}
    assert "/input/" not in json.dumps(answer.json()["errors"])
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)


@pytest.mark.parametrize(
    "body",
    [
        '{"prompt"', '["prompt"]', '"prompt"', '{"type": 5, "prompt": "x"}', "{}",
        '{"typ": "text.generate", "prompt": "x", "priority": 3}', '{"prompt": "x", "user_id": 7}',
    ],
)  # fmt: skip
def test_other_bodies_are_ours_to_refuse(api: MakeClient, alice: User, body: str) -> None:
    answer = api(alice).generic("POST", "/api/v1/tasks", body, JSON)
    assert answer.status_code in {400, 422}
    assert answer.json()["code"] in {"invalid_json", "invalid_body"}


def test_prompt_is_guarded_as_our_own(api: MakeClient, alice: User, bob: User) -> None:
    body = {"prompt": "Write a line."}
    assert submit(Client(), body).status_code == 401
    assert submit(api(alice, "tasks:read"), body).json()["code"] == "missing_scope"
    made = submit(api(alice), body).json()
    assert api(bob).get(f"/api/v1/tasks/{made['id']}").status_code == 404
    assert Client().get(f"/api/v1/tasks/{made['id']}").status_code == 401
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    assert submit(strict, body).json()["code"] == "csrf_failed"


def test_body_of_a_stranger_is_not_read() -> None:
    class Unread:
        def read(self, *_: int) -> bytes:
            pytest.fail("nobody is signed in")

        readline = read

    given: dict[str, Any] = {"wsgi.input": Unread(), "CONTENT_LENGTH": "1000"}
    answer = Client().generic("POST", "/api/v1/tasks", b"", JSON, **given)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_repeated_key_submits_once(api: MakeClient, alice: User) -> None:
    first = submit(api(alice), {"prompt": "x", "model": "gone"}, Idempotency_Key="once")
    again = submit(api(alice), {"prompt": "x", "model": "gone"}, Idempotency_Key="once")
    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotency-Replayed"] == "true"
    assert Task.objects.count() == 1


def test_switched_off_nothing_is_there() -> None:
    def own() -> None: ...

    assert routes([]) == []
    assert tasks_view(own, []) is own
    assert task_view(own, ["A", "C"]) is own
    assert {pattern.name for pattern in routes(["C"])} == {"compat-c-image", "compat-c-speech", "compat-c-result"}


def test_submission_of_ours_with_a_prompt_beside_its_type_is_ours(api: MakeClient, alice: User) -> None:
    answer = submit(api(alice), ECHO | {"prompt": "x"})
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/prompt"]
