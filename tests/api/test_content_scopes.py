"""Scopes follow content: what a token may not read reaches it by no route, and leaves by no submission of its.

Both walks begin at what there is (the table of addresses, the task types), so nothing new can be forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiToken, User
from tasks import registry
from tasks.models import Batch, File, IdempotencyKey, Schedule, Task, TaskContent, WebhookEndpoint
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.api.made_once import Made, _connection_outlives_answers, _files_in_a_folder_of_the_test, alice, made
from tests.api.routes import routes

__all__ = ["_connection_outlives_answers", "_files_in_a_folder_of_the_test", "alice", "made"]

SCOPES = ("tasks:read", "tasks:write", "files", "webhooks", "account")
# Each alone, and all but one: a pair that shows more than its two alone would show it among four.
SETS = [chosen for count in (1, len(SCOPES) - 1) for chosen in combinations(SCOPES, count)]
PUBLIC = {"api/schema", "api/docs", "api/health"}
ROUTES = [route for route in routes() if route.path not in PUBLIC]
# What a token may see only with this scope.
MARKS = {
    "tasks:read": "words-of-a-task",
    "files": "words-of-a-file",
    "webhooks": "words-of-a-hook",
    "account": "words-of-a-token",
}

Things = dict[str, str]


@pytest.fixture
def things(made: Made, db: None) -> Things:
    """One of each that alice has, with the marks of what they hold in every place that holds words."""
    mark = MARKS["tasks:read"]
    error = {"code": "gave_up", "message": mark, "retryable": False, "attempt": 1}
    words: dict[str, Any] = {"a": mark}
    TaskContent.objects.update(
        input={"message": mark}, result={"text": mark}, engine=words, usage=words, metadata=words, tags=[mark]
    )
    Task.objects.update(error=error, progress_stage=mark)
    Batch.objects.update(name=mark)
    Schedule.objects.update(
        name=mark, input={"message": mark}, metadata=words, tags=[mark], last_error=error, paused_reason=mark
    )
    File.objects.update(name=MARKS["files"])
    WebhookEndpoint.objects.update(description=MARKS["webhooks"])
    ApiToken.objects.update(name=MARKS["account"])
    return dict(made.things)


# --- What comes out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scopes", SETS, ids="+".join)
def test_no_route_shows_what_the_token_may_not_read(
    api: MakeClient, alice: User, things: Things, scopes: tuple[str, ...]
) -> None:
    client = api(alice, *scopes)
    shown = set()
    # What is deleted can show nothing any more.
    for route in sorted(ROUTES, key=lambda route: route.method == "delete"):
        body: Any = {"data": {}, "content_type": JSON} if route.method in {"post", "put", "patch"} else {}
        answer = getattr(client, route.method)(route.address(things), **body)
        said = b"".join(answer) if answer.streaming else answer.content
        shown |= {(scope, str(route)) for scope, mark in MARKS.items() if mark.encode() in said}
    assert {(scope, route) for scope, route in shown if scope not in scopes} == set()
    # The walk would see it: with its scope, content is shown.
    assert {scope for scope, _ in shown} == set(scopes) & set(MARKS)


# --- What goes in -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """How a route takes a submission: `wrap` makes its body; `fields` are those that it takes besides the input."""

    route: str
    wrap: Callable[[dict[str, Any]], Any]
    fields: frozenset[str] = frozenset({"webhook", "reuse"})
    query: str = ""
    kind: str = JSON


WAYS = [
    Way("POST /api/v1/tasks", lambda task: task),
    Way("POST /api/v1/tasks", lambda task: task, query="?validate_only=true"),
    Way("POST /api/v1/batches", lambda task: {"tasks": [ECHO, task]}),
    Way("POST /api/v1/batches", lambda task: [ECHO, task], kind="application/jsonl"),
    Way("POST /api/v1/schedules", lambda task: {"task": task, "cron": "0 6 * * *"}, frozenset()),
    Way("PATCH /api/v1/schedules/{schedule_id}", lambda task: {"task": task}, frozenset()),
    Way(
        "POST /api/v1/tasks/{task_id}/copy",
        lambda task: {name: value for name, value in task.items() if name != "type"},
        frozenset({"webhook"}),
    ),
]
# Routes in the words of other systems, with what they are sent and the scope that it takes; None: nothing besides.
TRANSLATED: list[tuple[str, dict[str, Any], str | None]] = [
    ("POST /api/async/query", {"query": "What is in my files?"}, "files"),
    ("POST /api/async/query", {"query": "Who?", "image_url": "there.png"}, "files"),
    ("POST /api/async/query", {"query": "Who?", "image_url": "not-there.png"}, "files"),
    # Its reference is ours: it takes from a task that the same request has made, to where nobody chose.
    ("POST /api/async/query", {"query": "Who?", "image_url": "https://93.184.216.34/a.png"}, None),
    ("POST /api/async/analyze-image", {"image_url": "there.png"}, "files"),
    ("POST /api/async/analyze-image", {"image_url": "not-there.png"}, "files"),
    ("POST /api/async/analyze-image", {"image_url": "https://93.184.216.34/a.png"}, None),
    ("POST /api/async/complete-answer", {"query": "Who?", "context": "Clara."}, None),
    ("POST /api/v1/speech/async", {"file": "{file_id}"}, "files"),
    ("POST /api/v1/speech/async", {"audio_url": "https://93.184.216.34/a.ogg"}, None),
    ("POST /api/v1/image/async", {"prompt": "a tower"}, None),
]
# These take no submission: what they make or change holds nothing that is there already, or starts it where it was.
OTHERS = {
    "DELETE /api/async/task/{task_id}",
    "DELETE /api/v1/files/{file_id}",
    "DELETE /api/v1/schedules/{schedule_id}",
    "DELETE /api/v1/shares/{share_id}",
    "DELETE /api/v1/tasks/{task_id}",
    "DELETE /api/v1/tokens/{token_id}",
    "DELETE /api/v1/webhook-endpoints/{endpoint_id}",
    "PATCH /api/v1/webhook-endpoints/{endpoint_id}",
    "PATCH /api/v1/files/{file_id}",
    "PATCH /api/v1/tasks/{task_id}",
    "POST /api/v1/batches/{batch_id}/cancel",
    "POST /api/v1/batches/{batch_id}/retry",
    "POST /api/v1/files",
    "POST /api/v1/files/{file_id}/link",
    "POST /api/v1/schedules/{schedule_id}/pause",
    "POST /api/v1/schedules/{schedule_id}/resume",
    "POST /api/v1/schedules/{schedule_id}/run",
    "POST /api/v1/shares",
    "POST /api/v1/tasks/{task_id}/cancel",
    "POST /api/v1/tasks/{task_id}/retry",
    "POST /api/v1/tokens",
    "POST /api/v1/webhook-deliveries/{delivery_id}/redeliver",
    "POST /api/v1/webhook-endpoints",
    "POST /api/v1/webhook-endpoints/{endpoint_id}/rotate-secret",
    "POST /api/v1/webhook-endpoints/{endpoint_id}/test",
}


def test_every_route_that_changes_something_is_sorted() -> None:
    """A new one must be: does it take a submission, or what else could carry content?"""
    changing = {str(route) for route in ROUTES if route.method not in {"get", "head"}}
    assert changing == {way.route for way in WAYS} | {route for route, _, _ in TRANSLATED} | OTHERS


@dataclass(frozen=True)
class Case:
    """A submission that takes content, and the scopes that it needs."""

    name: str
    type: str
    needs: frozenset[str]
    input: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def cases() -> Iterator[Case]:
    reference = {"$from": "{task_id}", "path": "text"}
    own, files = frozenset({"tasks:read"}), frozenset({"files"})
    url = "https://93.184.216.34/take"
    yield Case("sent on", "http.request", own, {"method": "POST", "url": url, "json": {"deep": [reference]}})
    yield Case("sent as a url", "http.request", own, {"url": reference})
    yield Case("sent as a header", "http.request", own, {"url": url, "headers": {"X-Take": reference}})
    yield Case("reused", "diagnostic.echo", own, {"message": "hello"}, {"reuse": True})
    for receiver in (url, "{endpoint_id}"):
        told = {"webhook": receiver}
        yield Case(f"told to {receiver}", "diagnostic.echo", frozenset({"webhooks"}), {"message": "x"}, told)
    yield Case("searched", "rag.query", files, {"question": "What?"})
    yield Case("searched by an empty list", "rag.query", files, {"question": "What?", "files": []})
    for name, definition in registry.all_types().items():
        takes = definition.file_fields()
        whole = own | (files if takes else frozenset())
        yield Case(f"{name} by a reference as a whole", name, whole, reference)
        for place in takes:
            for value in ("{file_id}", {"a": ["{file_id}"]}):
                yield Case(f"{name}.{place} {value}", name, files, {place: value})
            yield Case(f"{name}.{place} by a reference", name, whole, {place: reference})


def filled(value: Any, things: Things) -> Any:
    match value:
        case str():
            return things.get(value.strip("{}"), value) if value.startswith("{") else value
        case dict():
            return {key: filled(member, things) for key, member in value.items()}
        case list():
            return [filled(member, things) for member in value]
    return value


def rows() -> list[Any]:
    """What a refused submission must leave as it is."""
    counted = (Task, Schedule, Batch, IdempotencyKey, WebhookEndpoint)
    return [model._default_manager.count() for model in counted] + list(Schedule.objects.values("type", "input"))


def send(client: Client, way: Way, case: Case, things: Things) -> Any:
    method, path = way.route.split(" ")
    task = {"type": case.type, "input": case.input, **case.options}
    address = path.format(**things) + way.query
    body = way.wrap(filled(task, things))
    if way.kind != JSON:
        body = "".join(json.dumps(line) + "\n" for line in body)
    return getattr(client, method.lower())(address, body, way.kind)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.route}{way.query} {way.kind}")
def test_no_submission_takes_what_the_token_may_not_read(
    api: MakeClient, alice: User, things: Things, way: Way
) -> None:
    copying = frozenset({"tasks:read"}) if way.route.endswith("/copy") else frozenset[str]()
    client = cache(lambda scopes: api(alice, *scopes))
    before = rows()
    for case in cases():
        if not set(case.options) <= way.fields:
            continue
        if copying:
            # The copy keeps the type.
            Task.objects.filter(pk=things["task_id"]).update(type=case.type)
        needs = case.needs | copying
        for missing in needs:
            answer = send(client(frozenset(SCOPES) - {missing}), way, case, things)
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), case
            assert f"scope {missing}" in answer.json()["detail"], case
            assert f'scope="{missing}"' in answer["WWW-Authenticate"]
        assert rows() == before, case
        # Nothing else is asked for: whatever is wrong with it now, it is not the scope.
        assert "missing_scope" not in send(client(needs | {"tasks:write"}), way, case, things).content.decode(), case
        before = rows()


@pytest.mark.parametrize(("route", "given", "scope"), TRANSLATED)
def test_other_systems_words_take_no_more(
    api: MakeClient, alice: User, things: Things, route: str, given: dict[str, Any], scope: str | None
) -> None:
    File.objects.update(name="there.png", content_type="image/png")
    method, path = route.split(" ")
    before = rows()

    def ask(*scopes: str) -> Any:
        return getattr(api(alice, *scopes), method.lower())(path, filled(given, things), JSON)

    if scope is not None:
        # The same whether or not the thing is there.
        answer = ask(*set(SCOPES) - {scope})
        assert (answer.status_code, answer.json()["code"], rows()) == (403, "missing_scope", before)
    assert ask("tasks:write", *([scope] if scope else [])).status_code != 403


# --- What is learnt in between ----------------------------------------------------------------------


def test_reuse_says_nothing_of_earlier_work(api: MakeClient, alice: User, work: Work) -> None:
    blind, body = api(alice, *set(SCOPES) - {"tasks:read"}), ECHO | {"reuse": True}

    def answer() -> dict[str, Any]:
        said: dict[str, Any] = blind.post("/api/v1/tasks", body, JSON).json()
        return said | {"request_id": ""}

    before = answer()
    api(alice).post("/api/v1/tasks", ECHO, JSON)
    work()
    assert api(alice).post("/api/v1/tasks", body, JSON)["Reused"] == "true"
    assert answer() == before
    assert before["errors"][0]["pointer"] == "/reuse"


@pytest.mark.parametrize("path", ["tasks", "batches"])
def test_replay_by_a_token_with_fewer_scopes_is_refused_like_the_submission(
    api: MakeClient, alice: User, things: Things, path: str
) -> None:
    task = {"type": "rag.query", "input": {"question": "What?"}}
    body = task if path == "tasks" else {"tasks": [task]}
    key = {"Idempotency-Key": "once"}
    assert api(alice).post(f"/api/v1/{path}", body, JSON, headers=key).status_code == 202
    answer = api(alice, "tasks:write").post(f"/api/v1/{path}", body, JSON, headers=key)
    assert (answer.status_code, "Idempotency-Replayed" in answer) == (403, False)


def test_order_among_tasks_is_no_content(api: MakeClient, alice: User, things: Things) -> None:
    body = ECHO | {"needs": [things["task_id"]], "after": [things["task_id"]]}
    assert api(alice, "tasks:write").post("/api/v1/tasks", body, JSON).status_code == 202


def test_schedule_of_a_blind_token_changes_its_times(api: MakeClient, alice: User, things: Things) -> None:
    Schedule.objects.update(type="rag.query", input={"question": "What?"})
    client = api(alice, "tasks:write")
    assert client.patch(f"/api/v1/schedules/{things['schedule_id']}", {"cron": "@daily"}, JSON).status_code == 200
