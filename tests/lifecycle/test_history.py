"""What was kept long enough goes: content, what was said, result files, and nodes that nobody remembers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors, files
from tasks.lifecycle import ending, finish, purge
from tasks.lifecycle.claim import Claimed
from tasks.models import Attempt, Event, File, Node, Task
from tasks.models.ids import new_id

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_purge_takes_along_what_a_task_said_and_made(
    alice: User, submit: Callable[..., Task], claim: Callable[[], Claimed | None]
) -> None:
    task = submit(alice)
    kept = files.store_file(alice, name="own.txt", chunks=[b"mine"])
    files.store_file(alice, name="result.txt", chunks=[b"made"], task_id=task.pk)
    Event.objects.create(task=task, attempt=1, kind="output", data={"text": "secret"})
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.failed(claimed, errors.GiveUp("no"), traceback="secret"))
    assert purge.forget_history() == 0
    Task.objects.update(keep_until=Now() - timedelta(seconds=1))
    purge.purge_content()
    assert purge.forget_history() == 1
    assert list(File.objects.all()) == [kept]
    assert not Event.objects.exists()
    # Of a node of before the note was taken.
    files.store_file(alice, name="late.txt", chunks=[b"made"], task_id=task.pk)
    assert (purge.forget_history(), purge.find_leftover_files()) == (0, 1)
    assert list(File.objects.all()) == [kept]
    attempt, ended = Attempt.objects.get(), Task.objects.get()
    assert (attempt.traceback, ended.status) == ("", "failed")
    assert [error["message"] for error in (attempt.error, ended.error)] == ["", ""]
    assert ended.error["code"] == attempt.error["code"] != ""


def test_node_is_forgotten_though_attempts_name_it(
    alice: User, node: UUID, submit: Callable[..., Task], claim: Callable[[], Claimed | None]
) -> None:
    done, running = submit(alice), submit(alice)
    claimed = claim()
    assert claimed is not None
    assert claim() is not None
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    Node.objects.filter(pk=node).update(status="lost", stopped_at=Now() - timedelta(days=31))
    assert purge.forget_history() == 0, "what runs on it is still to be recovered"
    Task.objects.filter(pk=running.pk).update(status="held", token=None)
    assert purge.forget_history() == 1
    assert Attempt.objects.select_related("node").get(task=done.pk).node is None


def test_nodes_are_forgotten_a_month_after_their_end(node: UUID) -> None:
    old = Node.objects.create(
        id=new_id(), name="old", cluster_id="default", host="h", pid=1, version="0", workers=1, status="lost",
        stopped_at=Now() - timedelta(days=31),
    )  # fmt: skip
    recent = Node.objects.create(
        id=new_id(), name="r", cluster_id="default", host="h", pid=1, version="0", workers=1, status="stopped",
        stopped_at=Now() - timedelta(days=1),
    )  # fmt: skip
    assert purge.forget_history() == 1
    assert set(Node.objects.values_list("pk", flat=True)) == {node, recent.pk}
    assert old.pk not in {node, recent.pk}
