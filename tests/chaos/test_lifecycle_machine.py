"""Any order of things that can happen to tasks, on real Postgres: what must always hold, holds after every step."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Plan, User
from tasks import errors
from tasks.lifecycle import finish, recover, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed, claim_task
from tasks.lifecycle.limits import apply_limits
from tasks.lifecycle.pause import pause_queue, resume_queue
from tasks.lifecycle.retry import retry_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Attempt, Lane, Node, Queue, Settlement, Task
from tasks.models.ids import new_id
from tasks.statuses import MOVES, Status

QUEUES = ("diagnostics", "text")
WIPED = ("settlement", "attempt", "event", "task_content", "task", "batch", "node", "lane", "usage", "audit_entry")
people = st.integers(0, 1)
picks = st.integers(0, 10_000)


class LifecycleMachine(RuleBasedStateMachine):
    """Two users with few slots, a node that may be lost, and transactions that may be lost between two halves."""

    def __init__(self) -> None:
        super().__init__()
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(WIPED)} CASCADE")
        Queue.objects.update(paused_at=None)
        self.users = [self._user(f"u{number}@example.com", slots=2 + number) for number in range(2)]
        self.accepted: set[UUID] = set()
        self.held_by_worker: list[Claimed] = []
        self.ended: list[Claimed] = []
        self.versions: dict[UUID, tuple[int, str]] = {}
        self.most_slots: Counter[int] = Counter()

    @staticmethod
    def _user(email: str, *, slots: int) -> User:
        plan = Plan.objects.get(name="Pro")
        plan.pk, plan.name, plan.slots, plan.per_minute, plan.per_day = None, email, slots, None, None
        plan, _ = Plan.objects.update_or_create(
            name=email, defaults={name: getattr(plan, name) for name in _limits()} | {"is_default": False}
        )
        return User.objects.filter(email=email).first() or User.objects.create_user(email, None, plan=plan)

    @initialize()
    def start_node(self) -> None:
        self.node = Node.objects.create(
            id=new_id(), name="n", cluster_id="default", host="h", pid=1, version="0", workers=4
        ).pk

    # --- What people do ---------------------------------------------------------------------------

    @rule(who=people, priority=st.integers(1, 8))
    def submit(self, who: int, priority: int) -> None:
        submission = Submission("diagnostic.echo", {"message": "x"}, priority=priority)
        self.accepted.add(submit_task(self.users[who], submission).task.pk)

    @rule(who=people, count=st.integers(1, 4))
    def submit_many(self, who: int, count: int) -> None:
        batch = submit_batch(self.users[who], [Submission("diagnostic.echo", {"message": "x"})] * count).batch
        self.accepted |= {UUID(item["id"]) for item in batch.items}

    @precondition(lambda self: self.accepted)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        cancel_task(self._pick(pick), by=self.users[0])

    @precondition(lambda self: self.accepted)
    @rule(pick=picks)
    def ask_to_cancel_and_crash(self, pick: int) -> None:
        Task.objects.unfinished().filter(pk=self._pick(pick), cancel_requested_at=None).update(
            cancel_requested_at=Now() - timedelta(seconds=9), version=F("version") + 1
        )

    @precondition(lambda self: self.accepted)
    @rule(pick=picks)
    def retry(self, pick: int) -> None:
        try:
            retry_task(self._pick(pick), by=self.users[0])
        except errors.WrongStatus:
            assert Task.objects.get(pk=self._pick(pick)).status == Status.SUCCEEDED

    @rule(who=people, slots=st.integers(0, 4))
    def change_plan(self, who: int, slots: int) -> None:
        user = self.users[who]
        user.plan.slots = slots
        user.plan.save(update_fields=["slots"])
        apply_limits(user)

    @rule(name=st.sampled_from(QUEUES))
    def pause(self, name: str) -> None:
        pause_queue(name, by=self.users[0])

    @rule(name=st.sampled_from(QUEUES))
    def resume(self, name: str) -> None:
        resume_queue(name, by=self.users[0])

    @precondition(lambda self: self.accepted)
    @rule(pick=picks)
    def be_late(self, pick: int) -> None:
        Task.objects.filter(pk=self._pick(pick), status__in=["held", "ready"]).update(
            start_before=Now() - timedelta(seconds=1)
        )

    # --- What workers do --------------------------------------------------------------------------

    @rule()
    def claim(self) -> None:
        claimed = claim_task(cluster="default", node=self.node, pid=1, token=uuid4())
        if claimed is not None:
            self.held_by_worker.append(claimed)

    @precondition(lambda self: self.held_by_worker)
    @rule(pick=picks, how=st.sampled_from(["succeeded", "failed", "gave up", "returned", "died"]), crash=st.booleans())
    def finish(self, pick: int, how: str, crash: bool) -> None:
        claimed = self.held_by_worker.pop(pick % len(self.held_by_worker))
        ending = {
            "succeeded": finish.succeeded({"engine": {}}),
            "failed": finish.failed(claimed, errors.HandlerError("x")),
            "gave up": finish.failed(claimed, errors.GiveUp("x")),
            "returned": finish.returned(),
            "died": finish.vanished(claimed, finish.Outcome.DIED),
        }[how]
        record = finish.record_ending if crash else finish.finish_attempt
        if record(claimed, ending):
            assert claimed.token not in {one.token for one in self.ended}
        self.ended.append(claimed)

    @precondition(lambda self: self.ended)
    @rule(pick=picks)
    def finish_again_with_an_old_token(self, pick: int) -> None:
        claimed = self.ended[pick % len(self.ended)]
        assert not finish.finish_attempt(claimed, finish.succeeded({"engine": {}}))

    @rule()
    def lose_the_node(self) -> None:
        beat = Node.objects.get(pk=self.node).beat
        assert recover.declare_lost(self.node, beat=beat)
        self.start_node()

    @rule()
    def recover_lost_nodes(self) -> None:
        recover.recover_gone_nodes()

    # --- What time does ---------------------------------------------------------------------------

    @rule(duty=st.sampled_from(sorted(sweep.all_duties())))
    def sweep(self, duty: str) -> None:
        Settlement.objects.update(created_at=F("created_at") - timedelta(seconds=5))
        sweep.all_duties()[duty]()

    @rule()
    def let_backoff_pass(self) -> None:
        Task.objects.filter(status="scheduled").update(run_after=Now())

    # --- What always holds ------------------------------------------------------------------------

    @invariant()
    def no_accepted_task_is_lost(self) -> None:
        assert set(Task.objects.values_list("pk", flat=True)) == self.accepted

    @invariant()
    def taken_slots_are_those_of_ready_and_running_tasks_and_of_open_settlements(self) -> None:
        for lane in Lane.objects.all():
            busy = Task.objects.filter(lane=lane, status__in=["ready", "running"]).count()
            assert lane.taken == busy + Settlement.objects.filter(lane=lane).count()
            self.most_slots[lane.pk] = max(self.most_slots[lane.pk], lane.slots)
            assert lane.taken <= self.most_slots[lane.pk]

    @invariant()
    def every_attempt_is_recorded_once(self) -> None:
        recorded = Counter(Attempt.objects.values_list("task_id", flat=True))
        for task in Task.objects.all():
            assert recorded[task.pk] == task.attempt_number - (task.status == Status.RUNNING)
        assert all(
            count == 1
            for count in Counter(Attempt.objects.filter(outcome="succeeded").values_list("task_id", flat=True)).values()
        )

    @invariant()
    def versions_rise_and_only_legal_moves_are_made(self) -> None:
        for task in Task.objects.all():
            version, status = self.versions.get(task.pk, (0, task.status))
            assert task.version >= version
            if task.status != status:
                assert task.version > version
                assert _reachable(Status(status), Status(task.status))
            self.versions[task.pk] = (task.version, task.status)

    def teardown(self) -> None:
        """Whatever happened: with open queues, slots and a node, everything ends and all slots come back."""
        if not hasattr(self, "node"):
            return
        for name in QUEUES:
            resume_queue(name, by=self.users[0])
        for who in range(2):
            self.change_plan(who, 4)
        recover.declare_lost(self.node, beat=Node.objects.get(pk=self.node).beat)
        self.start_node()
        for _ in range(200):
            recover.recover_gone_nodes()
            self.let_backoff_pass()
            for duty in sweep.all_duties():
                self.sweep(duty)
            claimed = claim_task(cluster="default", node=self.node, pid=1, token=uuid4())
            if claimed is not None:
                assert finish.finish_attempt(claimed, finish.succeeded({"engine": {}}))
            elif not Task.objects.unfinished().exists():
                break
        assert not Task.objects.unfinished().exists()
        assert set(Lane.objects.values_list("taken", flat=True)) <= {0}

    def _pick(self, pick: int) -> UUID:
        return sorted(self.accepted)[pick % len(self.accepted)]


def _reachable(before: Status, after: Status) -> bool:
    """Several moves may be made between two looks."""
    seen, front = {before}, {before}
    while front:
        front = {following for status in front for following in MOVES[status]} - seen
        seen |= front
    return after in seen


def _limits() -> list[str]:
    return [field.name for field in Plan._meta.fields if field.name not in {"id", "name", "is_default"}]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_whatever_happens_in_whatever_order_the_invariants_hold() -> None:
    run_state_machine_as_test(
        LifecycleMachine,
        settings=settings(
            max_examples=int(os.environ.get("CHAOS_EXAMPLES", "25")),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
