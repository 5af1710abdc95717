"""What fails, by cause: counted once each, told apart exactly, and what operators said of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from tasks.figures.causes import note_causes
from tasks.figures.failing import Failing, failing_causes
from tasks.figures.fingerprint import fingerprint_of
from tasks.lifecycle.retry import retry_task
from tasks.models import AlarmSettings, AuditEntry, Cause, CauseSum, Failure, Node, Task
from tasks.operations import causes
from tasks.operations.task_filter import TaskFilter
from tests.admin.conftest import fail_one, node

__all__ = ["node"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def note(*, again: bool = False) -> None:
    if again:
        AlarmSettings.objects.update(failures_noted_until=Now() - timedelta(days=1))
    note_causes()


def of(cause: Cause) -> set[Any]:
    return set(TaskFilter(cause=cause.pk).matching().values_list("pk", flat=True))


def shown(period: str = "day", **which: Any) -> list[Failing]:
    return failing_causes(period, **which)


def test_each_task_is_of_the_cause_that_it_failed_of_last_and_counted_once(alice: User, bob: User, node: Node) -> None:
    first, second = (fail_one(alice, node, f"Page {number} is empty.") for number in (1, 2))
    other = fail_one(bob, node, "Page 1 is odd.")
    note()
    note(again=True)
    empty, odd = Cause.objects.order_by("pk")
    assert (of(empty), of(odd)) == ({first, second}, {other})
    assert [(one.tasks, one.users_text, one.example) for one in shown()] == [
        (2, "1", "Page 2 is empty."),
        (1, "1", "Page 1 is odd."),
    ]
    retry_task(first, by=alice)
    assert of(empty) == {second}
    # It fails anew, of something else.
    failed_at = timezone.now()
    Task.objects.filter(pk=first).update(
        status="failed", rank=None, finished_at=failed_at, error={"code": odd.code, "message": "Page 9 is odd."}
    )
    assert of(empty) == {second}
    note()
    assert (of(empty), of(odd)) == ({second}, {first, other})
    assert {one.cause.id: (one.tasks, one.users_text) for one in shown()} == {empty.pk: (2, "1"), odd.pk: (2, "2")}


def test_purged_messages_keep_their_cause(alice: User, node: Node) -> None:
    task = fail_one(alice, node, "Page 1 of a secret is empty.")
    note()
    Task.objects.filter(pk=task).update(error={"code": "unreadable_file", "message": ""})
    note(again=True)
    assert [one.example for one in shown()] == ["Page <n> of a secret is empty."]
    assert of(Cause.objects.get()) == {task}


def test_retries_of_a_cause_are_those_whose_messages_have_its_fingerprint(alice: User, node: Node) -> None:
    """Compared with every message that there is: what the statement finds is what the fingerprint says."""
    for message in ("Page 1 is empty.", "Page 22 is empty.", "Page x is empty.", "Page 1 is empty", ""):
        fail_one(alice, node, message)
    note()
    # As a finish leaves them that is to be tried again.
    Task.objects.update(status="scheduled", finished_at=None, run_after=Now() + timedelta(hours=1))
    texts = dict(Task.objects.values_list("pk", "error__message"))
    found = {cause.fingerprint: TaskFilter(retries_of=cause.pk).matching() for cause in Cause.objects.all()}
    assert len(found) == 4
    for fingerprint, tasks in found.items():
        alike = {task for task, text in texts.items() if fingerprint_of(text) == fingerprint}
        assert set(tasks.values_list("pk", flat=True)) == alike
    assert not TaskFilter(retries_of=10**9).matching().exists()


def test_what_operators_say_is_shown_and_audited(alice: User, olga: User, node: Node) -> None:
    for message in ("Page 1 is empty.", "Page 1 is odd."):
        fail_one(alice, node, message)
    note()
    empty, odd = Cause.objects.order_by("pk")
    olga.is_staff = True
    olga.save(update_fields=["is_staff"])
    assert [one.standing for one in shown()] == ["new_cause", "new_cause"]
    causes.acknowledge(empty.pk, by=olga, note="A broken scanner.")
    causes.assign(empty.pk, by=olga, to=olga)
    causes.mute(odd.pk, by=olga, days=1)
    assert [(one.cause.id, one.standing, one.cause.assignee) for one in shown(muted=False)] == [
        (empty.pk, "acknowledged", olga.email)
    ]
    assert [(one.cause.id, one.standing) for one in shown(muted=True)] == [(odd.pk, "muted")]
    assert [one.cause.id for one in shown(of=olga)] == [empty.pk]
    Cause.objects.filter(pk=odd.pk).update(muted_until=Now() - timedelta(seconds=1), first_at=Now() - timedelta(days=2))
    assert [one.standing for one in shown(muted=False)] == ["open_cause", "acknowledged"]
    assert [one.cause.id for one in shown(only_new=True)] == [empty.pk]
    causes.reopen(empty.pk, by=olga, note="Still there.")
    told = AuditEntry.objects.filter(target_kind="cause", target_id=str(empty.pk)).order_by("pk")
    assert [(entry.action, entry.details.get("note")) for entry in told] == [
        ("acknowledge", "A broken scanner."),
        ("assign", None),
        ("reopen", "Still there."),
    ]


def test_mute_until_it_changes_ends_when_many_more_fail(alice: User, olga: User, node: Node) -> None:
    fail_one(alice, node, "Page 1 is empty.")
    note()
    cause = Cause.objects.get()
    causes.mute(cause.pk, by=olga, days=None)
    cause.refresh_from_db()
    assert cause.muted_above == 2 + causes.LEAST_CHANGE
    CauseSum.objects.update(tasks=cause.muted_above - 1)
    fail_one(alice, node, "Page 2 is empty.")
    note()
    assert [one.standing for one in shown()] == ["muted"]
    fail_one(alice, node, "Page 3 is empty.")
    note()
    cause.refresh_from_db()
    assert cause.muted_above is None
    assert cause.reopened_at is not None


def test_cause_that_comes_back_after_weeks_is_as_good_as_new(alice: User, olga: User, node: Node) -> None:
    fail_one(alice, node, "Page 1 is empty.")
    note()
    causes.acknowledge(Cause.objects.get().pk, by=olga)
    long_ago = Now() - timedelta(days=15)
    Cause.objects.update(first_at=long_ago, last_at=long_ago)
    Failure.objects.update(failed_at=long_ago)
    Task.objects.update(finished_at=long_ago)
    assert shown() == []
    fail_one(alice, node, "Page 2 is empty.")
    note()
    cause = Cause.objects.get()
    assert (cause.acknowledged_at, cause.reopened_at) == (None, cause.last_at)
