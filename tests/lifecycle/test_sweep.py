"""The upkeep: it finds what is owed, whatever the size of the tables and the jumps of the clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import PlanOverride, User
from tasks import idempotency, periodic, sql
from tasks.cluster.maintenance import TakenDuty, register_duties
from tasks.duties import all_duties
from tasks.lifecycle import pause, purge, sweep
from tasks.lifecycle.pause import pause_queue, resume_queue
from tasks.models import Cluster, Duty, IdempotencyKey, Lane, Queue, Task, TaskContent
from tests.locks import wait_for_waiters

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., Task]


def test_duty_taken_in_the_future_is_due_after_the_clock_was_set_back() -> None:
    register_duties()
    Duty.objects.filter(name="start_due").update(taken_at=Now() + timedelta(hours=1))
    assert [row.name for row in sql.run("cluster/take_duties", {"names": ["start_due"]}, row=TakenDuty)] == [
        "start_due"
    ]


def test_node_writes_down_how_often_each_duty_is_due() -> None:
    Duty.objects.all().delete()
    Duty.objects.create(name="start_due", every_seconds=77)
    register_duties()
    assert dict(Duty.objects.values_list("name", "every_seconds")) == {
        name: duty.every_seconds for name, duty in all_duties().items()
    }


def test_nodes_of_two_versions_that_start_at_once_lock_the_duties_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    register_duties()
    first, *_, last = sorted(all_duties())
    monkeypatch.setattr(periodic, "_declared", {name: all_duties()[name] for name in (last, first)})

    def other_version() -> None:
        register_duties()
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Duty.objects.filter(name=first).update(every_seconds=77)
            registered = pool.submit(other_version)
            wait_for_waiters(1)
            Duty.objects.filter(name=last).update(every_seconds=77)
        registered.result(120)


def test_every_duty_that_is_declared_is_found() -> None:
    sources = [path.read_text() for app in ("tasks", "accounts") for path in (settings.BASE_DIR / app).rglob("*.py")]
    written = re.findall(r"^@duty\(every=.+\)\ndef (\w+)|^duty\(every=.+\)\((\w+)\)", "\n".join(sources), re.M)
    assert {one or other for one, other in written} == set(all_duties())


def test_held_task_of_a_queue_that_moved_to_another_cluster_still_starts(
    make_user: Callable[..., User], submit: Submit
) -> None:
    carol = make_user("carol", slots=1)
    submit(carol)
    held = submit(carol)
    Cluster.objects.create(name="gpu")
    Queue.objects.filter(name="diagnostics").update(cluster="gpu")
    Lane.objects.filter(user=carol).update(slots=2)
    sweep.fill_idle()
    held.refresh_from_db()
    assert held.status == "ready"


def test_paused_queue_gives_its_slots_to_the_users_other_queues(
    make_user: Callable[..., User], olga: User, submit: Submit
) -> None:
    carol = make_user("carol", slots=1)
    first = submit(carol)
    other = submit(carol)
    Task.objects.filter(pk=other.pk).update(queue="text")
    pause_queue("diagnostics", by=olga)
    first.refresh_from_db()
    other.refresh_from_db()
    assert (first.status, other.status) == ("held", "ready")
    assert Lane.objects.get(user=carol).taken == 1
    resume_queue("diagnostics", by=olga)
    assert Lane.objects.get(user=carol).taken == 1


def test_reopened_queue_fills_some_lanes_at_once_and_the_sweep_the_others(
    make_user: Callable[..., User], olga: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pause, "LANES_AT_ONCE", 2)
    monkeypatch.setattr(pause, "LANES_A_FILL", 1)
    monkeypatch.setattr(sweep, "LIMIT", 1)
    users = [make_user(f"user{number}", slots=1) for number in range(4)]
    pause_queue("diagnostics", by=olga)
    for user in users:
        submit(user)
    resume_queue("diagnostics", by=olga)
    assert Task.objects.filter(status="ready").count() == 2
    sweep.fill_idle()
    assert Task.objects.filter(status="ready").count() == 4


def test_lanes_follow_an_override_that_has_ended(alice: User, submit: Submit) -> None:
    override = PlanOverride.objects.create(user=alice, limit="slots", value=9, reason="test")
    submit(alice)
    sweep.refresh_lanes()
    assert Lane.objects.get(user=alice).slots == 9
    PlanOverride.objects.filter(pk=override.pk).update(ends_at=Now())
    assert sweep.refresh_lanes() == 1
    assert Lane.objects.get(user=alice).slots == alice.plan.slots
    assert sweep.refresh_lanes() == 0


def test_lane_of_a_user_who_was_disabled_elsewhere_gets_no_slots(alice: User, submit: Submit) -> None:
    submit(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert sweep.refresh_lanes() == 1
    assert Lane.objects.get(user=alice).slots == 0


def test_more_old_keys_than_one_statement_takes_are_all_forgotten(alice: User) -> None:
    keys = [
        IdempotencyKey(owner=alice, key=str(n), body_sha256="", task_ids=[]) for n in range(idempotency.LIMIT * 2 + 1)
    ]
    IdempotencyKey.objects.bulk_create(keys)
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=25))
    idempotency.forget_keys()
    assert not IdempotencyKey.objects.exists()


def test_purged_task_is_not_looked_at_again_and_its_version_rises(alice: User, submit: Submit) -> None:
    task = submit(alice)
    Task.objects.filter(pk=task.pk).update(
        status="failed", rank=None, finished_at=Now(), keep_until=Now() - timedelta(days=1)
    )
    assert purge.purge_content() == 1
    purged = Task.objects.get(pk=task.pk)
    assert not TaskContent.objects.filter(pk=task.pk).exists()
    assert purged.version > task.version
    assert purged.keep_until is None
