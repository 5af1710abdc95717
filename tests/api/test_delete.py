"""DELETE /tasks/{id}: the content goes for good, a tombstone stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from accounts.models import User
from tasks import files
from tasks.api.objects.task import Task
from tasks.lifecycle.purge import purge_task
from tasks.models import Attempt, AuditEntry, Event, File, TaskContent
from tasks.models import Task as StoredTask
from tests.api.conftest import MakeClient, Work
from tests.api.shapes import assert_shape

Submit = Callable[..., dict[str, Any]]


def result_file(owner: User, task: dict[str, Any]) -> File:
    return files.store_file(owner, name="result.txt", chunks=[b"secret result"], task_id=UUID(task["id"]))


def test_delete_leaves_a_tombstone_without_content(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice, type="diagnostic.sleep", input={"seconds": 0.6}, tags=["a"], metadata={"customer": "42"})
    work()
    file, client = result_file(alice, task), api(alice)
    assert Event.objects.exists()
    version = client.get(task["urls"]["self"]).json()["version"]
    response = client.delete(task["urls"]["self"])
    assert (response.status_code, response.content) == (204, b"")
    tombstone = client.get(task["urls"]["self"]).json()
    assert_shape(tombstone, Task)
    assert (tombstone["status"], tombstone["input"], tombstone["result"]) == ("succeeded", None, None)
    assert (tombstone["tags"], tombstone["metadata"], tombstone["keep_until"]) == ([], {}, None)
    assert tombstone["version"] > version
    assert client.get(task["urls"]["result"]).status_code == 410
    assert client.get(f"/api/v1/files/{file.pk}").status_code == 404
    assert not default_storage.exists(str(file.data.name))
    assert not TaskContent.objects.exists()
    assert not Event.objects.exists()


def test_delete_may_be_repeated(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice)
    work()
    client = api(alice)
    assert client.delete(task["urls"]["self"]).status_code == 204
    etag = client.get(task["urls"]["self"])["ETag"]
    assert client.delete(task["urls"]["self"]).status_code == 204
    assert client.get(task["urls"]["self"])["ETag"] == etag


def test_delete_forgets_tracebacks(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice, type="diagnostic.fail", input={"mode": "raise"}, max_attempts=1)
    work()
    assert Attempt.objects.get().traceback
    assert api(alice).delete(task["urls"]["self"]).status_code == 204
    assert Attempt.objects.get().traceback == ""


def test_delete_forgets_what_errors_say_and_keeps_their_codes(
    api: MakeClient, alice: User, submit: Submit, work: Work
) -> None:
    task = submit(alice, type="diagnostic.fail", input={"mode": "raise"}, max_attempts=1)
    work()
    client = api(alice)
    before = client.get(task["urls"]["self"]).json()["error"]
    assert "asked to raise" in before["message"]
    assert client.delete(task["urls"]["self"]).status_code == 204
    assert client.get(task["urls"]["self"]).json()["error"] == before | {"message": ""}
    [attempt] = client.get(f"{task['urls']['self']}/attempts").json()["data"]
    assert (attempt["error"]["code"], attempt["error"]["message"]) == (before["code"], "")
    # A tombstone from before messages were forgotten loses them by a repetition.
    StoredTask.objects.update(error=before)
    assert client.delete(task["urls"]["self"]).status_code == 204
    assert client.get(task["urls"]["self"]).json()["error"]["message"] == ""


@pytest.mark.parametrize("status", ["queued", "scheduled", "running"])
def test_unfinished_task_is_409_and_names_cancel(
    api: MakeClient, alice: User, submit: Submit, claim: Callable[[], Any], status: str
) -> None:
    task = submit(alice, **({"run_after": "2100-01-01T00:00:00Z"} if status == "scheduled" else {}))
    if status == "running":
        claim()
    response = api(alice).delete(task["urls"]["self"])
    assert (response.status_code, response.json()["code"]) == (409, "wrong_status")
    assert "cancel" in response.json()["detail"]
    assert status in response.json()["detail"]
    assert TaskContent.objects.exists()


def test_uploads_are_kept(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    upload = files.store_file(alice, name="a.txt", chunks=[b"mine"])
    task = submit(alice)
    work()
    api(alice).delete(task["urls"]["self"])
    assert File.objects.filter(pk=upload.pk).exists()


def test_delete_that_was_cut_off_is_completed_by_a_repetition(
    api: MakeClient, alice: User, submit: Submit, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = submit(alice)
    work()
    first, second = result_file(alice, task), result_file(alice, task)
    delete = files.delete_file_for_good

    def cut_off(file: File) -> None:
        monkeypatch.setattr(files, "delete_file_for_good", delete)
        raise ConnectionError("the storage is away")

    monkeypatch.setattr(files, "delete_file_for_good", cut_off)
    with pytest.raises(ConnectionError):
        purge_task(UUID(task["id"]), by=alice, owner=alice)
    # The rows still name the bytes.
    assert File.objects.filter(pk__in=[first.pk, second.pk]).count() == 2
    purge_task(UUID(task["id"]), by=alice, owner=alice)
    assert not File.objects.exists()
    assert not any(default_storage.exists(str(file.data.name)) for file in (first, second))


def test_purge_by_an_operator_is_audited_and_that_of_the_owner_is_not(
    alice: User, olga: User, submit: Submit, work: Work
) -> None:
    for by, owner in ((alice, alice), (olga, None)):
        task = submit(alice)
        work()
        purge_task(UUID(task["id"]), by=by, owner=owner)
    [entry] = AuditEntry.objects.filter(action="purge")
    assert (entry.actor_id, entry.target_id) == (olga.pk, task["id"])


@pytest.mark.usefixtures("new_tables")
def test_statement_that_purges_uses_indexes(alice: User, submit: Submit, work: Work) -> None:
    from tasks import sql

    task = submit(alice)
    work()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + sql.statement("lifecycle/purge_task").decode(), {"task": task["id"]})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan, plan
