"""The fence: an attempt's end is recorded once, by its token, and its slot given back once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models.functions import Now

from accounts.models import User
from tasks.lifecycle import ending, finish, recover, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.fill import settle
from tasks.models import Attempt, Lane, Node, Settlement, Task
from tasks.models.attempt import Outcome
from tasks.statuses import Status

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]
RESULT = {"text": "done", "engine": {"name": "test", "version": "1"}}


def taken(user: User) -> int:
    return Lane.objects.get(user=user).taken


def test_finished_task_has_its_result_and_gives_its_slot_back(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    assert finish.finish_attempt(claimed, ending.succeeded(RESULT))
    task = Task.objects.select_related("content").get(pk=claimed.id)
    assert (task.status, task.content.result, task.token) == ("succeeded", RESULT, None)
    assert taken(alice) == 0
    assert not Settlement.objects.exists()


def test_stale_attempt_cannot_record_its_result(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    stale = replace(claimed, token=uuid4())
    assert not finish.finish_attempt(stale, ending.succeeded(RESULT))
    assert Task.objects.get(pk=claimed.id).status == "running"
    assert not Attempt.objects.exists()


def test_attempt_finished_twice_is_recorded_once(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    assert finish.finish_attempt(claimed, ending.succeeded(RESULT))
    assert not finish.finish_attempt(claimed, ending.returned())
    assert Attempt.objects.count() == 1
    assert taken(alice) == 0


def test_settlement_applied_twice_gives_one_slot_back(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice), submit(alice)
    claimed = claim()
    assert claimed is not None
    assert finish.record_ending(claimed, ending.succeeded(RESULT))
    assert taken(alice) == 2
    settle([(claimed.token, claimed.lane_id)], dependents=False)
    settle([(claimed.token, claimed.lane_id)], dependents=False)
    assert taken(alice) == 1


def test_slot_of_a_crashed_settlement_comes_back_by_the_sweep(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    finish.record_ending(claimed, ending.succeeded(RESULT))
    Settlement.objects.update(created_at=Now() - timedelta(seconds=5))
    assert sweep.settle_old() == 1
    assert taken(alice) == 0


def test_lane_is_charged_the_time_that_was_used(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    Task.objects.filter(pk=claimed.id).update(started_at=Now() - timedelta(seconds=500))
    finish.finish_attempt(claimed, ending.succeeded(RESULT))
    lane = Lane.objects.get(user=alice)
    assert lane.vfinish == pytest.approx(500 / lane.weight, abs=30)


def test_node_that_is_not_alive_claims_nothing(alice: User, submit: Submit, claim: Claim, node: UUID) -> None:
    submit(alice)
    Node.objects.filter(pk=node).update(status="draining")
    assert claim() is None


def test_attempt_that_fails_waits_in_scheduled_and_comes_back_when_due(
    alice: User, submit: Submit, claim: Claim
) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, replace(ending.returned(), delay_seconds=60))
    task = Task.objects.get(pk=claimed.id)
    assert (task.status, taken(alice)) == ("scheduled", 0)
    assert sweep.start_due() == 0
    Task.objects.filter(pk=task.pk).update(run_after=Now())
    assert sweep.start_due() == 1
    assert Task.objects.get(pk=task.pk).status == "ready"


def test_failure_after_a_cancel_request_is_cancelled_not_tried_again(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    assert cancel_task(claimed.id, by=alice).shown_status == "cancelling"
    finish.finish_attempt(claimed, ending.vanished(claimed, Outcome.DIED))
    task = Task.objects.get(pk=claimed.id)
    assert (task.status, task.error["code"]) == ("cancelled", "cancelled")


def test_work_that_was_complete_when_cancelled_counts_as_succeeded(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    cancel_task(claimed.id, by=alice)
    finish.finish_attempt(claimed, ending.succeeded(RESULT))
    assert Task.objects.get(pk=claimed.id).status == "succeeded"


def test_lost_node_with_a_newer_heartbeat_is_not_declared_lost(node: UUID) -> None:
    Node.objects.filter(pk=node).update(beat=7)
    assert not recover.declare_lost(node, beat=6)
    assert Node.objects.get(pk=node).status == "alive"


def test_tasks_of_a_lost_node_go_back_and_the_old_worker_is_fenced_off(
    alice: User, submit: Submit, claim: Claim, node: UUID
) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    assert recover.declare_lost(node, beat=0)
    assert recover.recover_gone_nodes() == 1
    assert Task.objects.get(pk=claimed.id).status == "scheduled"
    assert not finish.finish_attempt(claimed, ending.succeeded(RESULT))


def test_running_task_whose_token_no_worker_knows_goes_back_free_of_charge(
    alice: User, submit: Submit, claim: Claim, node: UUID
) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    assert recover.recover_unknown(node, lambda: {claimed.token}) == 0
    assert recover.recover_unknown(node, set) == 1
    task = Task.objects.get(pk=claimed.id)
    assert (task.status, task.attempts_charged) == (Status.SCHEDULED, 0)
