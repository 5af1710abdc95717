"""What was promised durably stays promised when the second transaction cannot be had at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models.functions import Now

from accounts.models import User
from tasks import sql
from tasks.lifecycle import ending, fill, finish, recover, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.retry import retry_task
from tasks.models import Lane, Settlement, Task, Usage
from tests.locks import passing_over_lanes, wait_for_waiters

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., Task]


@contextmanager
def somebody_holds_the_lanes(
    *, of: User | None = None, also: str = "SELECT", lock_timeout: str = "200ms"
) -> Iterator[None]:
    """Somebody keeps lanes locked, and this connection waits so long for them."""
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [lock_timeout])
    whose = "true" if of is None else f"user_id = {of.pk}"
    try:
        with other.cursor() as cursor:
            cursor.execute(f"BEGIN; SELECT FROM lane WHERE {whose} FOR UPDATE; {also}")
            yield
    finally:
        other.close()


def test_submission_is_accepted_while_somebody_holds_the_users_lane(alice: User, submit: Submit) -> None:
    submit(alice)
    with somebody_holds_the_lanes():
        task = submit(alice)
    assert task.status == "held"
    sweep.fill_idle()
    task.refresh_from_db()
    assert task.status == "ready"


def test_second_transaction_within_one_of_the_caller_is_refused(alice: User, submit: Submit) -> None:
    """The slip of a programmer, which left to the sweep would cost each task seconds and be seen by nobody."""
    lane = submit(alice).lane_id
    with pytest.raises(RuntimeError, match="durable atomic block cannot be nested"), transaction.atomic():
        fill.fill_soon([lane], newcomers=())


def test_cancel_is_accepted_while_somebody_holds_the_users_lane(alice: User, submit: Submit) -> None:
    task = submit(alice)
    with somebody_holds_the_lanes():
        assert cancel_task(task.pk, by=alice, owner=alice).cancel_requested_at is not None


def test_retry_asked_for_twice_at_once_is_counted_once(alice: User, submit: Submit) -> None:
    task = submit(alice)
    cancel_task(task.pk, by=alice)

    def retry() -> None:
        retry_task(task.pk, by=alice, owner=alice)
        connection.close()

    threads = [threading.Thread(target=retry) for _ in range(2)]
    with transaction.atomic():
        Usage.objects.select_for_update().get(user=alice)
        for thread in threads:
            thread.start()
        wait_for_waiters(2)
    for thread in threads:
        thread.join(120)
    assert Task.objects.get(pk=task.pk).status == "ready"
    assert Usage.objects.get(user=alice).day_count == 2
    assert Lane.objects.get(user=alice).taken == 1


def test_lane_of_whoever_falls_silent_under_its_lock_comes_free(alice: User, submit: Submit) -> None:
    """As a frozen node does: the server ends its transaction. It only times a client that has sent a Sync."""
    submit(alice)
    lane = Lane.objects.get(user=alice)
    other = connection.copy()
    given: list[bool] = []

    def settle_in_silence() -> None:
        with fill._pipelined_lanes([lane.pk]) as lanes, other.cursor() as cursor:
            sql.run("lifecycle/settle", {"tokens": [], "lanes": lanes}, row=fill.Settled)
            cursor.execute("SET lock_timeout = '5s'; SELECT FROM lane FOR UPDATE")
            given.append(True)
            sql.run("lifecycle/fill", {"lanes": lanes, "newcomers": None}, row=fill.Filled)

    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '200ms'")
    try:
        with pytest.raises(DatabaseError):
            settle_in_silence()
    finally:
        other.close()
        connection.close()
    assert given


def test_nothing_of_one_trip_is_sent_before_all_of_it_is_there(alice: User, submit: Submit) -> None:
    """Whoever freezes in its midst holds nothing; a failure undoes all; rows are there when it has ended."""
    submit(alice)
    lane = Lane.objects.get(user=alice)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
            with sql.one_trip():
                locked = sql.send("lifecycle/lock_free_lanes", {"lanes": [lane.pk]}, row=fill.FreeLanes)
                for _ in range(10):
                    # Were it sent, it would be there by now.
                    time.sleep(0.02)
                    cursor.execute("SELECT FROM lane FOR UPDATE NOWAIT")
                with pytest.raises(RuntimeError):
                    locked()
        assert locked()[0].lanes == [lane.pk]
    finally:
        other.close()
    owed = Settlement.objects.create(token=uuid4(), task_id=uuid4(), lane=lane, charge_seconds=0.0)

    def settle_and_fail() -> None:
        with sql.one_trip():
            sql.execute("lifecycle/settle", {"tokens": [owed.token], "lanes": [lane.pk]})
            sql.execute("lifecycle/settle", {"tokens": ["no token"], "lanes": [lane.pk]})

    with pytest.raises(DatabaseError):
        settle_and_fail()
    assert Settlement.objects.filter(pk=owed.pk).exists()
    with pytest.raises(RuntimeError), transaction.atomic(), sql.one_trip():
        pass


def test_submission_is_accepted_although_its_connection_is_cut_before_the_lane_is_filled(
    alice: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(alice)
    monkeypatch.setattr(sql, "execute", _cut_before_lanes_are_locked)
    with passing_over_lanes():
        task = submit(alice)
    assert task.status == "held"


def test_finish_is_recorded_although_its_connection_is_cut_before_the_slot_is_given_back(
    alice: User, submit: Submit, claim: Callable[[], Claimed | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    with monkeypatch.context() as cut:
        cut.setattr(sql, "execute", _cut_before_lanes_are_locked)
        assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    monkeypatch.setattr(sweep, "STALE", timedelta(0))
    assert sweep.settle_old() == 1
    assert Lane.objects.get(user=alice).taken == 0


def test_connection_stays_open_when_a_slot_cannot_be_given_back_for_now(
    alice: User, submit: Submit, claim: Callable[[], Claimed | None]
) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    with somebody_holds_the_lanes():
        before = connection.connection
        assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert Settlement.objects.count() == 1
    assert connection.connection is before


def test_whatever_goes_wrong_after_the_commit_the_end_is_recorded(
    alice: User,
    submit: Submit,
    claim: Callable[[], Claimed | None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None

    def mistaken(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(finish, "settle", mistaken)
    assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert f"settling {claimed.id} is left to the sweep" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text


def _cut_before_lanes_are_locked(name: str, params: Mapping[str, Any]) -> None:
    """What psycopg makes of a connection that ends between a statement and its rows (`psycopg.rows.no_result`)."""
    if name == "lifecycle/lock_lanes":
        connection.connection.close()
        with connection.wrap_database_errors:
            raise psycopg.InterfaceError("the cursor doesn't have a result")
    _execute(name, params)


_execute = sql.execute


# --- A lane that somebody keeps locked delays nobody else --------------------------------------------


def due(user: User, submit: Submit) -> Task:
    task = submit(user, run_after=datetime.now(UTC) + timedelta(hours=1))
    Task.objects.filter(pk=task.pk).update(run_after=Now() - timedelta(seconds=9))
    return task


def owed(user: User, submit: Submit) -> Task:
    """The user has one slot, which an ended task had."""
    task = submit(user)
    Task.objects.filter(pk=task.pk).update(status="held", rank=None)
    lane = Lane.objects.get(user=user)
    Lane.objects.filter(user=user).update(taken=lane.slots)
    Settlement.objects.create(token=uuid4(), task_id=uuid4(), lane=lane, charge_seconds=0)
    Settlement.objects.update(created_at=Now() - timedelta(seconds=9))
    return task


def held(user: User, submit: Submit) -> Task:
    """Held until `test_upkeep…` frees the slots."""
    task = submit(user)
    Task.objects.filter(pk=task.pk).update(status="held", rank=None)
    lane = Lane.objects.get(user=user)
    Lane.objects.filter(user=user).update(taken=lane.slots)
    return task


def late(user: User, submit: Submit) -> Task:
    task = submit(user, start_before=datetime.now(UTC) + timedelta(hours=1))
    Task.objects.filter(pk=task.pk).update(start_before=Now())
    return task


@pytest.mark.parametrize(
    ("make", "duty", "status"),
    [
        (due, sweep.start_due, "ready"),
        (owed, sweep.settle_old, "ready"),
        (held, sweep.fill_idle, "ready"),
        (late, sweep.end_cancelled_and_expired, "expired"),
    ],
)
def test_upkeep_goes_on_without_the_lane_that_somebody_holds(
    make: Callable[[User, Submit], Task],
    duty: Callable[[], int],
    status: str,
    alice: User,
    bob: User,
    submit: Submit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweep, "LIMIT", 2)
    # More than a portion stands before bob's, in a lane that comes first.
    alices = [make(alice, submit) for _ in range(3)]
    bobs = make(bob, submit)
    if make == held:
        Lane.objects.update(taken=0)
    with somebody_holds_the_lanes(of=alice):
        assert duty() >= 1
    bobs.refresh_from_db()
    assert bobs.status == status
    assert not Task.objects.filter(pk__in=[task.pk for task in alices], status=status).exists()
    while duty():
        pass
    assert Task.objects.filter(pk__in=[task.pk for task in alices], status=status).count() == 3


def test_recovery_waits_for_no_lane(
    alice: User, bob: User, submit: Submit, claim: Callable[[], Claimed | None], node: UUID
) -> None:
    for user in (alice, bob):
        submit(user)
        assert claim() is not None
    assert recover.declare_lost(node, beat=0)
    with somebody_holds_the_lanes(of=alice, lock_timeout="20s"):
        began = time.monotonic()
        assert recover.recover_gone_nodes() == 2
        assert time.monotonic() - began < 20
    assert set(Task.objects.values_list("status", flat=True)) == {"scheduled"}
    assert (Lane.objects.get(user=alice).taken, Lane.objects.get(user=bob).taken) == (1, 0)
    Settlement.objects.update(created_at=Now() - timedelta(seconds=9))
    assert sweep.settle_old() == 1
    assert Lane.objects.get(user=alice).taken == 0


def test_recovery_of_a_task_that_somebody_holds_keeps_no_other_waiting(
    alice: User, bob: User, submit: Submit, claim: Callable[[], Claimed | None], node: UUID
) -> None:
    """As a node does that froze while it finished an attempt."""
    held, other = submit(alice), submit(bob)
    assert claim() is not None
    assert claim() is not None
    assert recover.declare_lost(node, beat=0)
    with (
        somebody_holds_the_lanes(of=alice, also=f"SELECT FROM task WHERE id = '{held.pk}' FOR UPDATE"),
        pytest.raises(OperationalError),
    ):
        recover.recover_gone_nodes()
    assert [Task.objects.get(pk=task.pk).status for task in (held, other)] == ["running", "scheduled"]
    assert recover.recover_gone_nodes() == 1
