"""What people do to tasks: cancel and retry, each once, with slots and quotas kept straight."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import User
from tasks import errors
from tasks.lifecycle import ending, finish, read, sweep
from tasks.lifecycle.apply_limits import apply_limits
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.fill import fill_lanes
from tasks.lifecycle.retry import retry_task
from tasks.models import AuditEntry, Lane, Task
from tests.locks import wait_for_waiters

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]


def test_cancelled_ready_task_gives_its_slot_to_the_next(make_user: Callable[..., User], submit: Submit) -> None:
    carol = make_user("carol", slots=1)
    first, second = submit(carol), submit(carol)
    assert cancel_task(first.pk, by=carol, owner=carol).status == "cancelled"
    second.refresh_from_db()
    assert second.status == "ready"
    assert Lane.objects.get(user=carol).taken == 1


def test_cancelling_twice_changes_nothing(alice: User, submit: Submit) -> None:
    task = submit(alice)
    first = cancel_task(task.pk, by=alice, owner=alice)
    second = cancel_task(task.pk, by=alice, owner=alice)
    assert first.version == second.version
    assert AuditEntry.objects.filter(action="cancel").count() == 1


def test_an_ended_task_is_never_answered_without_its_result(
    alice: User, submit: Submit, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was changed, so that it cannot be read is an error like any other."""
    task = submit(alice)
    assert finish.finish_attempt(claim(), ending.succeeded({"engine": {}}))

    def fails(*_args: object) -> None:
        raise OperationalError("the connection was cut")

    monkeypatch.setattr(read, "read_task", fails)
    with pytest.raises(OperationalError):
        cancel_task(task.pk, by=alice, owner=alice)


def test_another_users_task_is_not_found(alice: User, bob: User, submit: Submit) -> None:
    task = submit(alice)
    with pytest.raises(errors.NotFound):
        cancel_task(task.pk, by=bob, owner=bob)
    with pytest.raises(errors.NotFound):
        retry_task(task.pk, by=bob, owner=bob)


def test_cancelled_task_does_not_come_back_to_life_in_a_fill_that_waited(
    make_user: Callable[..., User], submit: Submit
) -> None:
    """The fill waits for the lane that the cancel holds; after waiting it must see what the cancel did."""
    carol = make_user("carol", slots=1)
    blocker, victim = submit(carol), submit(carol)
    lane = Lane.objects.get(user=carol)
    cancel_task(blocker.pk, by=carol)
    Task.objects.filter(pk=victim.pk).update(status="held", rank=None)
    Lane.objects.filter(pk=lane.pk).update(taken=0)
    started = threading.Event()

    def fill() -> None:
        started.set()
        fill_lanes([lane.pk])
        connection.close()

    thread = threading.Thread(target=fill)
    with transaction.atomic():
        Lane.objects.select_for_update(no_key=True).get(pk=lane.pk)
        thread.start()
        started.wait()
        wait_for_waiters()
        Task.objects.filter(pk=victim.pk).update(
            status="cancelled", cancel_requested_at="2026-01-01T00:00Z", finished_at="2026-01-01T00:00Z"
        )
    thread.join(120)
    victim.refresh_from_db()
    assert victim.status == "cancelled"
    assert Lane.objects.get(pk=lane.pk).taken == 0


def test_cancel_whose_second_transaction_was_lost_is_completed_by_the_sweep(alice: User, submit: Submit) -> None:
    task = submit(alice)
    Task.objects.filter(pk=task.pk).update(cancel_requested_at="2026-01-01T00:00Z")
    assert sweep.end_cancelled_and_expired() == 1
    task.refresh_from_db()
    assert task.status == "cancelled"
    assert Lane.objects.get(user=alice).taken == 0


def test_task_that_did_not_start_in_time_expires(alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice)
    Task.objects.filter(pk=task.pk).update(start_before="2026-01-01T00:00Z")
    assert claim() is None
    sweep.end_cancelled_and_expired()
    task.refresh_from_db()
    assert (task.status, task.error["code"]) == ("expired", "expired")
    assert Lane.objects.get(user=alice).taken == 0


def test_retry_revives_a_cancelled_task_under_its_id(alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice)
    cancel_task(task.pk, by=alice)
    revived = retry_task(task.pk, by=alice, owner=alice)
    assert (revived.status, revived.attempts_charged, revived.error) == ("ready", 0, None)
    again = retry_task(task.pk, by=alice, owner=alice)
    assert again.version == revived.version
    claimed = claim()
    assert claimed is not None
    assert claimed.id == task.pk


def test_succeeded_task_cannot_be_retried(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    with pytest.raises(errors.WrongStatus):
        retry_task(claimed.id, by=alice, owner=alice)


def test_owners_retry_counts_against_the_quota_and_an_operators_does_not(
    make_user: Callable[..., User], olga: User, submit: Submit
) -> None:
    carol = make_user("carol", per_day=1)
    task = submit(carol)
    cancel_task(task.pk, by=carol)
    with pytest.raises(errors.QuotaExceeded):
        retry_task(task.pk, by=carol, owner=carol)
    assert retry_task(task.pk, by=olga).status == "ready"


def test_maintenance_refuses_an_owners_retry_and_not_an_operators(
    alice: User, olga: User, submit: Submit, settings: Any
) -> None:
    task = submit(alice)
    cancel_task(task.pk, by=alice)
    settings.MAINTENANCE = True
    with pytest.raises(errors.Maintenance):
        retry_task(task.pk, by=alice, owner=alice)
    task.refresh_from_db()
    assert task.status == "cancelled"
    assert retry_task(task.pk, by=olga).status == "ready"


def test_disabled_user_has_no_slots_until_enabled_again(alice: User, submit: Submit) -> None:
    for _ in range(6):
        submit(alice)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    apply_limits(alice)
    assert (Lane.objects.get(user=alice).slots, Lane.objects.get(user=alice).taken) == (0, 0)
    assert set(Task.objects.of(alice).values_list("status", flat=True)) == {"held"}
    alice.is_active = True
    alice.save(update_fields=["is_active"])
    apply_limits(alice)
    assert (Lane.objects.get(user=alice).slots, Lane.objects.get(user=alice).taken) == (4, 4)


def test_raised_slots_start_held_tasks(make_user: Callable[..., User], submit: Submit) -> None:
    carol = make_user("carol", slots=1)
    ids: list[UUID] = [submit(carol).pk for _ in range(3)]
    carol.plan.slots = 3
    carol.plan.save(update_fields=["slots"])
    apply_limits(carol)
    assert set(Task.objects.filter(pk__in=ids).values_list("status", flat=True)) == {"ready"}
