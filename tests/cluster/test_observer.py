"""Who is lost, whom a signal is for, and what was taken back: decided by what this node itself has seen."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from tasks import errors
from tasks.cluster import observer
from tasks.cluster import worker as worker_module
from tasks.cluster.interrupts import WorkerInterrupts
from tasks.cluster.observer import LOST_AFTER_SECONDS, Observer
from tasks.cluster.shared import SharedMemory, WorkerRecord
from tasks.lifecycle.claim import Claimed
from tasks.models import Node
from tasks.models.ids import new_id


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(observer, "time", made)
    return made


@pytest.fixture
def other(db: None) -> UUID:
    """Another node, whose heart stands still."""
    row = {"name": "other", "cluster_id": "default", "host": "h", "pid": 1, "version": "0", "workers": 1}
    return Node.objects.create(id=new_id(), **row).pk


def watch(observer: Observer, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds)):
        observer.observe()
        clock.now += 1.0


def test_heartbeats_that_are_all_old_after_an_outage_make_nobody_lost(clock: Clock, other: UUID) -> None:
    mine = Observer(uuid4())
    watch(mine, clock, 3)
    clock.now += 600.0
    watch(mine, clock, LOST_AFTER_SECONDS)
    assert Node.objects.get(pk=other).status == "alive", "the outage was counted"
    # It had its chance to beat again, while this node looked on.
    watch(mine, clock, 3)
    assert Node.objects.get(pk=other).status == "lost"


def test_heart_that_beats_again_after_the_outage_is_not_lost(clock: Clock, other: UUID) -> None:
    mine = Observer(uuid4())
    watch(mine, clock, LOST_AFTER_SECONDS - 1)
    clock.now += 600.0
    for beat in range(1, 40):
        watch(mine, clock, 1)
        Node.objects.filter(pk=other).update(beat=beat)
    assert Node.objects.get(pk=other).status == "alive"


@pytest.fixture
def worker() -> Iterator[tuple[SharedMemory, WorkerRecord, WorkerInterrupts]]:
    """This process as the worker of a node, with its real signal handler."""
    memory = SharedMemory(1, grace_seconds=5)
    record = memory.take_record()
    interrupts = WorkerInterrupts(memory, record)
    before = signal.signal(signal.SIGUSR1, interrupts.on_signal)
    yield memory, record, interrupts
    signal.signal(signal.SIGUSR1, before)
    memory._lock_file.close()


def test_late_signal_does_not_hit_the_task_that_the_worker_already_runs(
    worker: tuple[SharedMemory, WorkerRecord, WorkerInterrupts],
) -> None:
    memory, record, interrupts = worker
    first, second = uuid4(), uuid4()
    record.begin(first, uuid4(), timeout_seconds=60, alone=False)
    assert memory.request_cancel(first)
    # Before the signal comes, the first has ended and the next has begun.
    interrupts.end()
    record.begin(second, uuid4(), timeout_seconds=60, alone=False)
    interrupts.arm()
    os.kill(os.getpid(), signal.SIGUSR1)
    interrupts.disarm()
    assert memory.request_cancel(second)
    interrupts.arm()
    with pytest.raises(errors.CancelRequested):
        os.kill(os.getpid(), signal.SIGUSR1)
    interrupts.disarm()


def test_signal_never_raises_outside_the_handlers_code(
    worker: tuple[SharedMemory, WorkerRecord, WorkerInterrupts],
) -> None:
    memory, record, interrupts = worker
    token = uuid4()
    record.begin(token, uuid4(), timeout_seconds=60, alone=False)
    assert memory.request_cancel(token)
    os.kill(os.getpid(), signal.SIGUSR1)  # not armed: the driver may be in the midst of a statement
    interrupts.arm()
    with pytest.raises(errors.CancelRequested):
        interrupts.check()
    interrupts.disarm()


def test_member_of_a_claim_that_was_taken_back_is_not_started_by_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SharedMemory(1, grace_seconds=5)
    before = signal.getsignal(signal.SIGUSR1)
    worker = worker_module.Worker(SimpleNamespace(memory=memory))  # type: ignore[arg-type]
    monkeypatch.setattr(worker_module, "run_handler", lambda claimed, _interrupts: started.append(claimed.token))
    started: list[UUID] = []
    members = [_claimed(uuid4()) for _ in range(3)]
    worker.record.note([member.token for member in members])
    try:
        assert worker._start(0, members[0])
        assert memory.take_back_unstarted(worker.record) == [member.token for member in members[1:]]
        assert not worker._start(1, members[1])
    finally:
        signal.signal(signal.SIGUSR1, before)
        memory._lock_file.close()
    assert started == [members[0].token]


def _claimed(token: UUID) -> Claimed:
    return Claimed(
        id=uuid4(), token=token, owner_id=1, type="diagnostic.echo", lane_id=1, attempt_number=1, attempts_charged=0,
        max_attempts=1, timeout_seconds=60, input={},
    )  # fmt: skip
