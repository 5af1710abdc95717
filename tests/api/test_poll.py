"""GET /tasks/{id}: the hot path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiToken, User
from tasks import sql
from tasks.api.objects.task import Task
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.models import Node, TaskContent
from tests.api.conftest import MakeClient, Work
from tests.api.shapes import assert_shape

Submit = Callable[..., dict[str, Any]]


def test_poll_shows_the_task_from_queue_to_result(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    client, task = api(alice), submit(alice)
    queued = client.get(task["urls"]["self"])
    assert queued["Retry-After"] == "1"
    assert queued.json() == task | {"queue": queued.json()["queue"]}
    assert queued.json()["queue"] == {
        "name": "diagnostics", "position": 1, "why": "waiting_for_a_worker", "starts_in": None,
    }  # fmt: skip
    work()
    done = client.get(task["urls"]["self"])
    assert "Retry-After" not in done.headers
    assert_shape(done.json(), Task)
    assert done.json()["done"] is True
    assert (done.json()["status"], done.json()["result"]["text"]) == ("succeeded", "hello")
    assert done.json()["attempts"] == {"made": 1, "max": 3, "next_at": None}
    assert done.json()["engine"]["name"] == "portal"
    assert done.json()["keep_until"] > done.json()["finished_at"]


def test_running_task_counts_its_attempt(
    api: MakeClient, alice: User, submit: Submit, claim: Callable[[], Claimed]
) -> None:
    task = submit(alice)
    claim()
    running = api(alice).get(task["urls"]["self"]).json()
    assert_shape(running, Task)
    assert (running["status"], running["attempts"]["made"]) == ("running", 1)
    assert running["queue"] == {"name": "diagnostics", "position": None, "why": None, "starts_in": None}


def test_running_task_that_is_cancelled_is_shown_as_cancelling(
    api: MakeClient, alice: User, submit: Submit, claim: Callable[[], Claimed]
) -> None:
    task = submit(alice)
    claimed = claim()
    cancel_task(claimed.id, by=alice, owner=alice)
    response = api(alice).get(task["urls"]["self"])
    assert response.json()["status"] == "cancelling"
    assert "-cancelling-1" in response["ETag"]


def test_failed_task_tells_its_error_and_never_a_traceback(
    api: MakeClient, alice: User, submit: Submit, work: Work
) -> None:
    task = submit(alice, type="diagnostic.fail", input={"mode": "give_up"})
    work()
    failed = api(alice).get(task["urls"]["self"])
    assert_shape(failed.json(), Task)
    assert set(failed.json()["error"]) == {"code", "message", "retryable", "attempt"}
    assert failed.json()["error"]["code"] == "gave_up"
    assert b"Traceback" not in failed.content


def test_task_between_attempts_says_when_it_goes_on(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice, type="diagnostic.fail", input={"mode": "raise"})
    work()
    between = api(alice).get(task["urls"]["self"]).json()
    assert (between["status"], between["queue"]["why"]) == ("scheduled", "retry_backoff")
    assert between["attempts"]["next_at"] == between["run_after"]
    assert between["attempts"]["made"] == 1


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_matching_etag_gives_304_without_a_body(api: MakeClient, alice: User, submit: Submit, form: str) -> None:
    client, task = api(alice), submit(alice)
    etag = client.get(task["urls"]["self"])["ETag"]
    unchanged = client.get(task["urls"]["self"], headers={"If-None-Match": form.format(etag)})
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", etag)


def test_changed_task_is_sent_whole(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    client, task = api(alice), submit(alice)
    etag = client.get(task["urls"]["self"])["ETag"]
    work()
    changed = client.get(task["urls"]["self"], headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.json()["result"]["text"] == "hello"


def test_same_version_under_another_status_is_sent_with_its_content(
    api: MakeClient, alice: User, submit: Submit
) -> None:
    client, task = api(alice), submit(alice)
    etag = f'"v{task["version"]}-running-1"'
    changed = client.get(task["urls"]["self"], headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()["input"]) == (200, {"message": "hello"})


def test_purged_content_leaves_a_tombstone(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice, metadata={"a": "b"})
    work()
    TaskContent.objects.all().delete()
    tombstone = api(alice).get(task["urls"]["self"]).json()
    assert_shape(tombstone, Task)
    assert (tombstone["status"], tombstone["input"], tombstone["result"]) == ("succeeded", None, None)
    assert (tombstone["metadata"], tombstone["tags"]) == ({}, [])


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_poll_of_an_ended_task_is_one_statement(
    api: MakeClient, alice: User, submit: Submit, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = submit(alice)
    work()
    client = api(alice)
    client.get(task["urls"]["self"])
    statements: list[str] = []
    run = sql.run
    monkeypatch.setattr(sql, "run", lambda name, params, **row: statements.append(name) or run(name, params, **row))
    with CaptureQueriesContext(connection) as by_orm:
        assert client.get(task["urls"]["self"]).status_code == 200
    assert (statements, len(by_orm)) == (["lifecycle/read_task"], 0)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("before", [0, 10])
def test_poll_of_a_queued_task_is_two_statements(
    api: MakeClient, alice: User, submit: Submit, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    for _ in range(before):
        submit(alice)
    task = submit(alice)
    client = api(alice)
    client.get(task["urls"]["self"])
    statements: list[str] = []
    run = sql.run
    monkeypatch.setattr(sql, "run", lambda name, params, **row: statements.append(name) or run(name, params, **row))
    with CaptureQueriesContext(connection) as by_orm:
        assert client.get(task["urls"]["self"]).json()["status"] == "queued"
    assert statements == ["lifecycle/read_task", "lifecycle/explain_wait"]
    assert [query["sql"] for query in by_orm if "estimate" not in query["sql"]] == []


def test_use_of_a_token_is_noted_once_a_minute(api: MakeClient, alice: User, submit: Submit, node: Node) -> None:
    task = submit(alice)
    client = api(alice, "tasks:read")
    token = ApiToken.objects.get(scopes=["tasks:read"])
    assert token.last_used_at is None
    client.get(task["urls"]["self"])
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    client.get(task["urls"]["self"])
    token.refresh_from_db()
    assert token.last_used_at == first


def test_session_may_poll(alice: User, submit: Submit) -> None:
    task = submit(alice)
    client = Client()
    client.force_login(alice)
    assert client.get(task["urls"]["self"]).json()["id"] == task["id"]


@pytest.mark.parametrize("method", ["put", "post", "options"])
def test_other_methods_are_a_clear_405(api: MakeClient, alice: User, submit: Submit, method: str) -> None:
    task = submit(alice)
    response = getattr(api(alice), method)(task["urls"]["self"])
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD, PATCH, DELETE"


def test_content_is_sent_as_it_is_stored_whatever_its_words(
    api: MakeClient, alice: User, submit: Submit, work: Work
) -> None:
    """The content is put into the text of the answer: nothing in it may pass for the place where it belongs."""
    sly = '"input":null,"result":null, "engine":null,"usage":{},"metadata":{}, \\ \u2028 ü'
    task = submit(alice, input={"message": sly}, metadata={sly[:60]: sly, "n": 10**40}, tags=[sly[:90]])
    queued = api(alice).get(task["urls"]["self"]).json()
    assert (queued["input"], queued["result"], queued["engine"]) == ({"message": sly}, None, None)
    assert (queued["metadata"], queued["tags"], queued["usage"]) == ({sly[:60]: sly, "n": 10**40}, [sly[:90]], {})
    work()
    ended = api(alice).get(task["urls"]["self"]).json()
    stored = TaskContent.objects.get(pk=task["id"])
    assert (ended["input"], ended["result"]) == (stored.input, stored.result)
    assert (ended["engine"], ended["usage"], ended["metadata"]) == (stored.engine, stored.usage, stored.metadata)
    assert list(ended) == list(queued)
