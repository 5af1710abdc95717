"""Ends recorded together, in real workers: one killed between running and recording, one with a slow neighbour."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from accounts.models import User
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Attempt, Lane, Task
from tests.chaos import laws

from .conftest import RunningNode, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]
ECHO = Submission("diagnostic.echo", {"message": "x"})


@pytest.fixture
def carol(make_user: Callable[..., User]) -> User:
    return make_user("carol", slots=64, per_minute=None)


def submit_short(user: User, submissions: list[Submission]) -> list[UUID]:
    """Submit what is thought to be so short that it is claimed together, before a node is there."""
    batch = submit_batch(user, submissions).batch
    Task.objects.filter(batch=batch.pk).update(est_seconds=0.0001)
    return list(Task.objects.filter(batch=batch.pk).order_by("id").values_list("pk", flat=True))


def test_worker_killed_in_the_midst_of_a_claim_loses_and_doubles_nothing(carol: User, start_node: StartNode) -> None:
    killer = Submission("diagnostic.fail", {"mode": "segfault", "times": 9})
    ids = submit_short(carol, [ECHO] * 16 + [killer] + [ECHO] * 15)
    start_node(workers=1)
    wait_until(lambda: not Task.objects.unfinished().exists(), what="all to end")
    killed = Task.objects.get(pk=ids[16])
    assert killed.status == "failed"
    others = Task.objects.filter(pk__in=ids).exclude(pk=killed.pk)
    assert set(others.values_list("status", flat=True)) == {"succeeded"}
    assert set(others.values_list("attempts_charged", flat=True)) == {1}
    assert Attempt.objects.filter(outcome="succeeded").count() == 31
    wait_until(lambda: Lane.objects.get(user=carol).taken == 0, what="the last slot to come back")
    laws.check(laws.take_picture(), accepted=set(ids))


def test_each_of_a_claim_ends_in_its_own_way(carol: User, start_node: StartNode) -> None:
    """In the midst of thirty-two one raises, and others wait for two of them."""
    raises = Submission("diagnostic.fail", {"mode": "raise"}, max_attempts=1)
    ids = submit_short(carol, [ECHO] * 16 + [raises] + [ECHO] * 15)
    needing = [
        submit_task(carol, Submission("diagnostic.echo", {"message": "x"}, needs=[needed])).task.pk
        for needed in (ids[10], ids[16])
    ]
    start_node(workers=1)
    wait_until(lambda: not Task.objects.unfinished().exists(), what="all to end")
    ended = dict(Task.objects.values_list("pk", "status"))
    assert [ended.pop(task) for task in (ids[16], *needing)] == ["failed", "succeeded", "failed"]
    assert set(ended.values()) == {"succeeded"}
    wait_until(lambda: Lane.objects.get(user=carol).taken == 0, what="the last slot to come back")
    laws.check(laws.take_picture(), accepted={*ids, *needing})


def test_result_does_not_wait_for_a_neighbour_that_takes_longer_than_thought(
    carol: User, start_node: StartNode
) -> None:
    slow = Submission("diagnostic.fail", {"mode": "cpu", "seconds": 600})
    *first, last = submit_short(carol, [ECHO] * 3 + [slow])
    start_node(workers=1)
    wait_until(lambda: Task.objects.get(pk=last).status == "running", what="the slow one to start")
    wait_until(
        lambda: set(Task.objects.filter(pk__in=first).values_list("status", flat=True)) == {"succeeded"},
        what="its neighbours' results",
    )
    assert Task.objects.get(pk=last).status == "running"
