"""Whatever needs a person is found, with a page that is there; what does not, is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tasks.alarms import facts, machine
from tasks.alarms.find import find_troubles
from tasks.alarms.trouble import Trouble
from tasks.figures.causes import note_causes
from tasks.kept import forget_all
from tasks.lifecycle.submit import Submission
from tasks.models import (
    AlarmKind,
    AlarmSettings,
    Attempt,
    Backend,
    Cluster,
    Node,
    Operation,
    PausedType,
    Queue,
    Schedule,
    Task,
    WebhookEndpoint,
)
from tasks.schedules.draft import Draft
from tasks.schedules.manage import create_schedule
from tasks.storage import Space
from tests.admin.conftest import fail_one, submit_echo

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Patch = pytest.MonkeyPatch
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _a_node_is_there(node: Node) -> None:
    """Else that there is none is an alarm in each test."""


def found() -> list[Trouble]:
    return find_troubles(facts.read_facts())


def backend(name: str, **more: Any) -> Backend:
    return Backend.objects.create(kind="chat", name=name, base_url=f"http://{name}/v1", checked_at=Now(), **more)


def no_node(alice: User, _patch: Patch) -> None:
    submit_echo(alice)
    Node.objects.update(status="stopped", stopped_at=Now())


def lost_node(alice: User, _patch: Patch) -> None:
    Node.objects.create(
        id=uuid4(), name="b", cluster_id="default", host="h", pid=2, version="0", workers=1, status="lost",
        stopped_at=Now() - 5 * MINUTE, running=[{"pid": 3, "task": str(uuid4()), "since_seconds": 1}],
    )  # fmt: skip


def silent_node(alice: User, _patch: Patch) -> None:
    Node.objects.create(
        id=uuid4(), name="b", cluster_id="default", host="h", pid=2, version="0", workers=1,
        heartbeat_at=Now() - MINUTE,
    )  # fmt: skip


def draining_node(alice: User, _patch: Patch) -> None:
    Node.objects.create(
        id=uuid4(), name="b", cluster_id="default", host="h", pid=2, version="0", workers=1, status="draining"
    )


def broken_backend(alice: User, _patch: Patch) -> None:
    backend("gpu1", open_until=Now() + MINUTE, failure_count=9, last_error="Connection refused.")
    backend("gpu2")


def silent_kind(alice: User, _patch: Patch) -> None:
    backend("gpu1", open_until=Now() + MINUTE, failure_count=9)


def drained_backend(alice: User, _patch: Patch) -> None:
    backend("gpu1", enabled=False)


def paused_queue(alice: User, _patch: Patch) -> None:
    Queue.objects.filter(pk="images").update(paused_at=Now(), paused_reason="new weights")


def paused_type(alice: User, _patch: Patch) -> None:
    PausedType.objects.create(type="image.generate", reason="new weights")


def long_wait(alice: User, _patch: Patch) -> None:
    task = submit_echo(alice)
    Task.objects.filter(pk=task.pk).update(line_key=timezone.now().timestamp() - 16 * 60)


def failing_webhook(alice: User, _patch: Patch) -> None:
    WebhookEndpoint.objects.create(
        owner=alice, url="https://hooks.example.com/secret", events=["task.failed"], secret="s",
        failing_since=Now() - 11 * MINUTE,
    )  # fmt: skip


def disabled_webhook(alice: User, _patch: Patch) -> None:
    failing_webhook(alice, _patch)
    WebhookEndpoint.objects.update(disabled_at=Now(), disabled_reason="Every delivery failed for three days.")


def silenced_alarms(alice: User, _patch: Patch) -> None:
    disabled_webhook(alice, _patch)
    WebhookEndpoint.objects.update(disabled_at=Now() - timedelta(days=30))
    AlarmSettings.objects.update(endpoint=WebhookEndpoint.objects.get())


def refused_schedule(alice: User, _patch: Patch) -> None:
    create_schedule(alice, Draft(Submission("diagnostic.echo", {"message": "x"}), cron="0 6 * * *", name="nightly"))
    Schedule.objects.update(refusal_count=1, last_error={"code": "quota", "message": "The plan is used up."})


def paused_operation(alice: User, _patch: Patch) -> None:
    Operation.objects.create(
        kind="cancel", status="paused", filter={"type": "x"}, cursor=uuid4(), last_id=uuid4(), total=1, pace=1,
        error="The action fails.",
    )  # fmt: skip


def failures(alice: User, _patch: Patch) -> None:
    task, now = submit_echo(alice), timezone.now()
    outcomes = ["failed"] * 5 + ["succeeded"] * 10
    Attempt.objects.bulk_create(
        Attempt(
            task=task, number=number, token=uuid4(), outcome=outcome, charged=True, started_at=now, finished_at=now
        )
        for number, outcome in enumerate(outcomes)
    )  # fmt: skip


def new_cause(alice: User, _patch: Patch) -> None:
    fail_one(alice, Node.objects.get(name="default"), "Page 7 of /srv/x.pdf could not be read.")
    note_causes()


def full_disk(alice: User, patch: Patch) -> None:
    patch.setattr(machine, "disk_of_files", lambda: Space(total=100_000_000_000, free=9_000_000_000))


def no_room(alice: User, patch: Patch) -> None:
    patch.setattr(machine, "storage_trouble", lambda: "has 1 MiB of room left")
    full_disk(alice, patch)


def no_connections(alice: User, patch: Patch) -> None:
    patch.setattr(facts, "read_facts", _with_database(facts.read_facts, facts.DatabaseFacts(80, 100, 0, age=1)))


def open_transaction(alice: User, patch: Patch) -> None:
    patch.setattr(
        facts, "read_facts", _with_database(facts.read_facts, facts.DatabaseFacts(1, 100, oldest_seconds=700, age=1))
    )


def old_rows(alice: User, patch: Patch) -> None:
    patch.setattr(facts, "read_facts", _with_database(facts.read_facts, facts.DatabaseFacts(1, 100, 0, 1_100_000_000)))


def _with_database(read: Callable[[], facts.Facts], database: facts.DatabaseFacts) -> Callable[[], facts.Facts]:
    def reading() -> facts.Facts:
        return facts.Facts(**vars(read()) | {"database": database})

    return reading


CASES: list[tuple[Callable[[User, Patch], None], AlarmKind, bool, str]] = [
    (no_node, AlarmKind.NO_WORKERS, True, "No node of the cluster default takes work. 1 task waits for one."),
    (lost_node, AlarmKind.LOST_NODE, True, "b (h:2) was lost 5 min ago; it ran 1 task."),
    (silent_node, AlarmKind.LOST_NODE, True, "b (h:2) has been silent for 1 min"),
    (draining_node, AlarmKind.PAUSED, False, "b (h:2) is draining: it takes nothing new."),
    (broken_backend, AlarmKind.BACKEND, False, "The model server chat gpu1 is out of order: Connection refused."),
    (silent_kind, AlarmKind.BACKEND, True, "No model server for chat answers."),
    (drained_backend, AlarmKind.PAUSED, False, "The model server chat gpu1 is drained: no calls start on it."),
    (paused_queue, AlarmKind.PAUSED, False, "The queue images is paused (new weights); 0 wait in it."),
    (paused_type, AlarmKind.PAUSED, False, "The task type image.generate is paused (new weights)."),
    (long_wait, AlarmKind.OLDEST_WAIT, False, "The oldest task in diagnostics has waited for 16 min"),
    (failing_webhook, AlarmKind.WEBHOOK, False, "Nothing has reached the webhook at hooks.example.com for more"),
    (disabled_webhook, AlarmKind.WEBHOOK, False, "ten minutes. Every delivery failed for three days."),
    (silenced_alarms, AlarmKind.WEBHOOK, False, "ten minutes. Every delivery failed for three days."),
    (refused_schedule, AlarmKind.SCHEDULE, False, "schedule nightly was refused. The plan is used up."),
    (paused_operation, AlarmKind.OPERATION, False, "The operation cancel is paused. The action fails."),
    (failures, AlarmKind.FAILURE_RATE, True, "33 % of the attempts of"),
    (new_cause, AlarmKind.NEW_CAUSE, False, ": Page <n> of <path> could not be read."),
    (full_disk, AlarmKind.DISK, False, "The disk of files has 9 % of its room left (9.0 GB)."),
    (no_room, AlarmKind.DISK, True, "The folder of files has 1 MiB of room left: uploads and results fail."),
    (no_room, AlarmKind.DISK, False, "The disk of files has 9 % of its room left (9.0 GB)."),
    (no_connections, AlarmKind.DATABASE, True, "connections of the database are in use."),
    (open_transaction, AlarmKind.DATABASE, False, "has been open for 11 min 40 s"),
    (old_rows, AlarmKind.DATABASE, True, "autovacuum"),
]


@pytest.mark.parametrize(("make", "kind", "is_bad", "text"), CASES, ids=[case[0].__name__ for case in CASES])
def test_trouble_is_found_and_its_page_is_there(
    alice: User, operator: Client, monkeypatch: Patch,
    make: Callable[[User, Patch], None], kind: AlarmKind, is_bad: bool, text: str,
) -> None:  # fmt: skip
    assert found() == []
    make(alice, monkeypatch)
    forget_all()
    said = [trouble for trouble in found() if trouble.kind == kind and trouble.is_bad == is_bad]
    assert [trouble for trouble in said if text in trouble.text], found()
    [trouble] = [trouble for trouble in said if text in trouble.text]
    assert operator.get(trouble.path).status_code == 200
    assert "secret" not in trouble.text
    # What is sent away by its key is the same the next time.
    assert trouble.about in {again.about for again in found()}


def test_alarm_that_becomes_urgent_is_another_one(alice: User, monkeypatch: Patch) -> None:
    """Else whoever was told that little is left would not be told that nothing is."""
    no_room(alice, monkeypatch)
    mild, urgent = {trouble.about: trouble.is_bad for trouble in found()}.items()
    assert {mild[1], urgent[1]} == {True, False}


def test_cluster_has_workers_however_many_nodes_there_are_before_them(node: Node, monkeypatch: Patch) -> None:
    monkeypatch.setattr(facts, "MOST_NODES", 1)
    Node.objects.create(
        id=uuid4(), name="a", cluster_id=Cluster.objects.create(name="a").pk, host="h", pid=2, version="0", workers=1
    )
    assert found() == []


def test_single_failure_and_an_old_cause_are_no_alarm(alice: User, node: Node) -> None:
    fail_one(alice, node, "Page 7 could not be read.")
    note_causes()
    AlarmSettings.objects.update(causes_since=Now())
    forget_all()
    fail_one(alice, node, "Page 9 could not be read.")
    note_causes()
    assert found() == []


def test_thresholds_are_what_operators_set(alice: User, monkeypatch: Patch) -> None:
    long_wait(alice, monkeypatch)
    failures(alice, monkeypatch)
    full_disk(alice, monkeypatch)
    new_cause(alice, monkeypatch)
    AlarmSettings.objects.update(oldest_wait_minutes=30, failure_percent=90, disk_free_percent=5, new_cause_hours=0)
    forget_all()
    assert found() == []
    AlarmSettings.objects.update(failure_percent=30, failure_least=7)
    assert found() == []


def test_what_an_owner_disabled_or_paused_is_their_own_affair(alice: User, monkeypatch: Patch) -> None:
    failing_webhook(alice, monkeypatch)
    WebhookEndpoint.objects.update(disabled_at=Now(), disabled_reason="Disabled by its owner.")
    refused_schedule(alice, monkeypatch)
    Schedule.objects.update(paused_at=Now(), next_run_at=None)
    assert found() == []


def test_overview_names_the_first_few_of_a_kind_and_counts_the_rest(
    alice: User, operator: Client, monkeypatch: Patch
) -> None:
    for _ in range(5):
        paused_operation(alice, monkeypatch)
    page = operator.get("/admin/").text
    assert page.count("The operation cancel is paused.") == 3
    assert "2 more: operation paused" in page
