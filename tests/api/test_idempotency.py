"""`Idempotency-Key` on everything that makes something: once under one key, and a replay that gives no secret away."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test import Client

from accounts.delegation import MOST_TOKENS
from accounts.models import ApiToken, User
from accounts.tokens import create_token
from tasks.lifecycle.cancel import cancel_task
from tasks.models import (
    File,
    IdempotencyKey,
    Schedule,
    Share,
    Task,
    TaskContent,
    Usage,
    WebhookDelivery,
    WebhookEndpoint,
)
from tasks.models.ids import new_id
from tasks.schedules.manage import MOST_SCHEDULES
from tasks.statuses import Status
from tasks.webhooks.endpoints import MOST_ENDPOINTS, MOST_TESTS, create_endpoint, send_test
from tests.api.conftest import ECHO, JSON, MakeClient
from tests.api.routes import routes
from tests.locks import wait_for_waiters

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

URL = "https://93.184.216.34/hooks"
DAILY = {"task": {"type": "diagnostic.echo", "input": {"message": "hello"}}, "cron": "@daily"}
Made = Callable[[], int]


@dataclass(frozen=True)
class Post:
    """A request that makes something, `count` of it so far; `secret` is the field that is shown once."""

    path: str
    body: Any
    count: Made
    secret: str | None = None

    def send(self, client: Client, **headers: str) -> Any:
        body = self.body() if callable(self.body) else self.body
        kind: dict[str, Any] = {} if "file" in body else {"content_type": JSON}
        return client.post(self.path, body, headers=headers, **kind)


def upload(content: bytes = b"some words") -> dict[str, Any]:
    return {"file": SimpleUploadedFile("a.txt", content)}


def count_secrets() -> int:
    return len(set(WebhookEndpoint.objects.values_list("secret", flat=True)))


def _succeeded(client: Client) -> Any:
    task: Any = client.post("/api/v1/tasks", ECHO | {"run_after": "2100-01-01T00:00:00Z"}, JSON).json()["id"]
    Task.objects.filter(pk=task).update(status=Status.SUCCEEDED, run_after=None, finished_at=Now())
    TaskContent.objects.filter(pk=task).update(result={"message": "hello"})
    return task


@pytest.fixture
def posts(api: MakeClient, alice: User) -> dict[str, Post]:
    """Every operation that takes the key and is no submission of POST /tasks and the like."""
    client = api(alice)
    endpoint = client.post("/api/v1/webhook-endpoints", {"url": URL}, JSON).json()
    delivery = client.post(f"{endpoint['urls']['self']}/test").json()
    schedule = client.post("/api/v1/schedules", DAILY, JSON).json()
    ended = client.post("/api/v1/tasks", ECHO, JSON).json()
    client.post(ended["urls"]["cancel"])
    return {
        "create_schedule": Post("/api/v1/schedules", DAILY, Schedule.objects.count),
        "run_schedule": Post(f"{schedule['urls']['self']}/run", {}, Task.objects.count),
        "retry_task": Post(ended["urls"]["retry"], {}, Task.objects.unfinished().count),
        "make_token": Post(
            "/api/v1/tokens", {"name": "another", "scopes": ["files"]}, ApiToken.objects.count, secret="token"
        ),
        "create_webhook_endpoint": Post(
            "/api/v1/webhook-endpoints", {"url": f"{URL}/2"}, WebhookEndpoint.objects.count, secret="secret"
        ),
        "rotate_webhook_secret": Post(
            f"{endpoint['urls']['self']}/rotate-secret", {"overlap_hours": 1}, count_secrets, secret="secret"
        ),
        "test_webhook_endpoint": Post(f"{endpoint['urls']['self']}/test", {}, WebhookDelivery.objects.count),
        "redeliver_webhook": Post(f"{delivery['urls']['self']}/redeliver", {}, WebhookDelivery.objects.count),
        "make_share": Post("/api/v1/shares", {"task": _succeeded(client)}, Share.objects.count, secret="url"),
        "upload_file": Post("/api/v1/files", upload, File.objects.count),
    }


SUBMITTING = {"submit_task", "submit_batch", "copy_task"}
# They change nothing when they are repeated, or make nothing that is kept.
WITHOUT = {"cancel_task", "cancel_batch", "retry_batch", "pause_schedule", "resume_schedule", "make_file_link"}
OPERATIONS = (
    "create_schedule", "run_schedule", "retry_task", "make_token", "create_webhook_endpoint", "rotate_webhook_secret",
    "test_webhook_endpoint", "redeliver_webhook", "upload_file", "make_share",
)  # fmt: skip


def test_every_post_is_known_here(posts: dict[str, Post]) -> None:
    assert set(posts) == set(OPERATIONS)
    named = [route for route in routes() if route.method == "post" and "/api/v1/" in f"/{route.path}"]
    own = [route for route in named if not route.path.endswith("/async")]
    assert len(own) == len(SUBMITTING | WITHOUT | set(OPERATIONS)), [str(route) for route in own]


@pytest.mark.parametrize("name", OPERATIONS)
def test_repeated_key_makes_one_and_tells_no_secret_again(
    api: MakeClient, alice: User, posts: dict[str, Post], name: str
) -> None:
    client, post = api(alice), posts[name]
    before = post.count()
    first = post.send(client, Idempotency_Key="once")
    made = post.count()
    again = post.send(client, Idempotency_Key="once")
    assert first.status_code == again.status_code < 300, (first.content, again.content)
    assert post.count() == made >= before
    assert first.json()["id"] == again.json()["id"]
    assert first.get("Location") == again.get("Location")
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    if post.secret:
        assert len(first.json()[post.secret]) > 30
        assert again.json()[post.secret] is None
        stored = json.dumps(list(IdempotencyKey.objects.values()), default=str)
        assert first.json()[post.secret] not in stored


@pytest.mark.parametrize("name", OPERATIONS)
def test_key_of_another_request_is_refused(api: MakeClient, alice: User, posts: dict[str, Post], name: str) -> None:
    client, post = api(alice), posts[name]
    client.post("/api/v1/tasks", ECHO, JSON, headers={"Idempotency-Key": "once"})
    before = post.count()
    refused = post.send(client, Idempotency_Key="once")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert post.count() == before


@pytest.mark.parametrize("name", ["create_schedule", "make_token", "upload_file", "create_webhook_endpoint"])
def test_same_key_at_once_makes_one(alice: User, api: MakeClient, posts: dict[str, Post], name: str) -> None:
    post = posts[name]
    clients = [api(alice) for _ in range(4)]
    before = post.count()

    def send(client: Client) -> Any:
        try:
            return post.send(client, Idempotency_Key="once")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(send, clients))
    assert [answer.status_code for answer in answers] == [201] * 4, [answer.content for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert post.count() == before + 1
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1


def fill_up(name: str, user: User) -> None:
    """Leave room for one more of what the operation makes."""
    match name:
        case "create_schedule":
            schedule = Schedule.objects.of(user).get()
            for _ in range(MOST_SCHEDULES - 2):
                schedule.pk = new_id()
                schedule.save(force_insert=True)
        case "make_token":
            for _ in range(MOST_TOKENS - 1 - ApiToken.objects.filter(user=user).count()):
                create_token(user, name="one of many", scopes=["files"])
        case "create_webhook_endpoint":
            for number in range(MOST_ENDPOINTS - 2):
                create_endpoint(user, url=f"{URL}/{number}")
        case "test_webhook_endpoint":
            for _ in range(MOST_TESTS - 2):
                send_test(WebhookEndpoint.objects.get(owner=user).pk, owner=user)
        case "run_schedule" | "retry_task":
            user.plan.per_day = Usage.objects.get(user=user).day_count + 1
        case "upload_file":
            user.plan.file_bytes = len(b"some words")
    user.plan.save()


@pytest.mark.parametrize(
    "name",
    ["create_schedule", "make_token", "create_webhook_endpoint", "the only endpoint", "test_webhook_endpoint",
     "run_schedule", "retry_task", "upload_file"],
)  # fmt: skip
def test_same_key_at_once_is_replayed_where_there_is_room_for_one(
    alice: User, api: MakeClient, posts: dict[str, Post], name: str
) -> None:
    only = Post("/api/v1/webhook-endpoints", {"url": None}, WebhookEndpoint.objects.count, secret="secret")
    post = (posts | {"the only endpoint": only})[name]
    clients = [api(alice) for _ in range(2)]
    fill_up(name, alice)

    def send(client: Client) -> Any:
        try:
            return post.send(client, Idempotency_Key="once")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        with transaction.atomic():
            # Whatever it is that each locks to count: both have looked for the key by then, and found none.
            for model in (User, Usage, Schedule, WebhookEndpoint):
                list(model._default_manager.select_for_update(no_key=True))
            sent = [threads.submit(send, client) for client in clients]
            wait_for_waiters(2)
        answers = [future.result() for future in sent]
    assert {answer.status_code for answer in answers} in ({201}, {202}), [answer.content for answer in answers]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 1
    assert not post.secret or sum(answer.json()[post.secret] is None for answer in answers) == 1
    # There was room for one. (The task that was retried is under way.)
    assert name == "retry_task" or post.send(clients[0], Idempotency_Key="another").status_code >= 400


def test_retry_repeated_after_the_task_has_ended_again_changes_nothing(
    api: MakeClient, alice: User, posts: dict[str, Post]
) -> None:
    client, post = api(alice), posts["retry_task"]
    task_id = post.send(client, Idempotency_Key="once").json()["id"]
    cancel_task(task_id, by=alice, owner=alice)
    again = post.send(client, Idempotency_Key="once")
    assert (again.status_code, again.json()["status"]) == (202, "cancelled")
    assert post.send(client, Idempotency_Key="another").json()["status"] == "queued"


def test_retry_that_had_nothing_to_do_is_done_all_the_same(
    api: MakeClient, alice: User, posts: dict[str, Post]
) -> None:
    client, post = api(alice), posts["retry_task"]
    task_id = post.send(client).json()["id"]
    before = Usage.objects.get(user=alice).day_count
    first = post.send(client, Idempotency_Key="once")
    assert (first.status_code, "Idempotency-Replayed" in first) == (202, False)
    cancel_task(task_id, by=alice, owner=alice)
    again = post.send(client, Idempotency_Key="once")
    assert (again.json()["status"], again["Idempotency-Replayed"]) == ("cancelled", "true")
    assert Usage.objects.get(user=alice).day_count == before


def test_key_of_an_upload_stands_for_its_content(api: MakeClient, alice: User) -> None:
    client = api(alice)
    first = client.post("/api/v1/files", upload(), headers={"Idempotency-Key": "once"})
    assert first.status_code == 201
    other = client.post("/api/v1/files", upload(b"other words"), headers={"Idempotency-Key": "once"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert File.objects.count() == 1


def test_replay_of_what_was_deleted_is_404(api: MakeClient, alice: User) -> None:
    client = api(alice)
    first = client.post("/api/v1/schedules", DAILY, JSON, headers={"Idempotency-Key": "once"}).json()
    client.delete(first["urls"]["self"])
    again = client.post("/api/v1/schedules", DAILY, JSON, headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
