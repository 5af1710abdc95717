"""Connections that break at the worst moment: the statement was committed, and its answer is lost; or half was done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection

from accounts.models import User
from tasks import errors
from tasks.lifecycle import ending, finish, recover, sweep
from tasks.lifecycle.claim import Claimed
from tasks.models import Attempt, Lane, Settlement, Task
from tests.chaos import laws
from tests.chaos.proxy import Proxy, connected_through
from tests.claims import claim_task

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]


def _cut_after(proxy: Proxy, committed: Callable[[], bool]) -> Callable[[], None]:
    """Lose the next answers, and cut the connection once a commit was seen; return how to wait for that."""

    def watch() -> None:
        deadline = time.monotonic() + 60
        while not committed() and time.monotonic() < deadline:
            time.sleep(0.005)
        was_committed.append(committed())
        connection.close()
        proxy.refuse()
        proxy.serve()

    def wait() -> None:
        thread.join()
        assert was_committed == [True]

    was_committed: list[bool] = []
    proxy.swallow_answers()
    thread = threading.Thread(target=watch)
    thread.start()
    return wait


def test_finish_that_was_committed_and_whose_answer_was_lost_is_known_by_its_token(
    alice: User, submit: Submit, claim: Claim, proxy: Proxy
) -> None:
    submit(alice), submit(alice)
    earlier, claimed = claim(), claim()
    assert earlier is not None
    assert claimed is not None
    with connected_through(proxy):
        # From the second time on, a hot statement is prepared: one message goes, and one answer comes.
        finish.finish_attempt(earlier, ending.succeeded({"engine": {}}))
        cut = _cut_after(proxy, lambda: Task.objects.filter(pk=claimed.id, status="succeeded").exists())
        assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}})), "taken for superseded"
        cut()
    assert Attempt.objects.filter(task=claimed.id).count() == 1
    assert Lane.objects.get(user=alice).taken == 0


def test_claim_that_was_committed_and_whose_answer_was_lost_goes_back_free_of_charge(
    alice: User, submit: Submit, node: UUID, proxy: Proxy
) -> None:
    with connected_through(proxy):
        assert claim_task(cluster="default", node=node, pid=1, token=uuid4()) is None
        task, token = submit(alice), uuid4()
        cut = _cut_after(proxy, lambda: Task.objects.filter(pk=task.pk, status="running").exists())
        with pytest.raises(DatabaseError):
            claim_task(cluster="default", node=node, pid=1, token=token)
        cut()
    # The worker has noted nothing but its next tokens by now.
    assert recover.recover_unknown(node, lambda: {uuid4()}) == 1
    task.refresh_from_db()
    assert (task.status, task.attempts_charged) == ("scheduled", 0)
    assert Lane.objects.get(user=alice).taken == 0


# What a settlement touches, in its order: until it has this lock it has done everything before and nothing after.
POINTS = {
    "before it has the lane": "SELECT FROM lane FOR UPDATE",
    "before it deletes what it settles": "SELECT FROM settlement FOR UPDATE",
    "before it lets go what waited": "SELECT FROM task WHERE status = 'waiting' FOR UPDATE",
    "before it fills the lane": "SELECT FROM task WHERE status = 'held' FOR UPDATE",
}


@pytest.mark.parametrize("point", POINTS)
def test_settlement_interrupted_at_any_point_is_made_up_for_once(
    point: str, make_user: Callable[..., User], submit: Submit, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", slots=1)
    first, held = submit(carol), submit(carol)
    child = submit(carol, after=[first.pk])
    claimed = claim()
    assert claimed is not None
    assert finish.record_ending(claimed, ending.failed(claimed, errors.GiveUp("no")))
    monkeypatch.setattr(sweep, "STALE", timedelta(0))
    with _holding(POINTS[point]):
        settling = threading.Thread(target=_settle_until_cut_off)
        settling.start()
        _end_whoever_waits()
        settling.join(120)
    laws.check(laws.take_picture(), accepted={first.pk, held.pk, child.pk})
    assert Settlement.objects.count() == 1, "half of it was committed"
    assert Lane.objects.get(user=carol).taken == 1
    sweep.settle_old()
    sweep.settle_old()
    assert not Settlement.objects.exists()
    laws.check(laws.take_picture(), accepted={first.pk, held.pk, child.pk})
    statuses = [Task.objects.get(pk=task.pk).status for task in (first, held, child)]
    assert statuses == ["failed", "ready", "held"]


def _settle_until_cut_off() -> None:
    try:
        with pytest.raises(DatabaseError):
            sweep.settle_old()
    finally:
        connection.close()


@contextmanager
def _holding(lock: str) -> Iterator[None]:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"BEGIN; {lock}")
            yield
    finally:
        other.close()


def _end_whoever_waits() -> None:
    """End the connection that waits for the lock, as a crash of its process would."""
    with connection.cursor() as cursor:
        for _ in range(2000):
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchall():
                return
            cursor.execute("SELECT pg_sleep(0.005)")
    raise AssertionError("nobody waited")
