"""What a node sees of its workers from outside, at whatever moment it looks."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.models import User
from tasks.cluster import shared
from tasks.cluster.django_q.tickets import TicketPipe
from tasks.cluster.interrupts import ThreadInterrupts
from tasks.cluster.node import Node
from tasks.cluster.shared import SharedMemory, WorkerRecord, WorkerState
from tasks.cluster.worker import Worker
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import Attempt, Task
from tasks.sql.turns import SharedConnections

Trace = Callable[[FrameType, str, object], Any]


@pytest.fixture
def worker(db: None) -> Iterator[Worker]:
    """This process as the worker of a node that is alive."""
    before = signal.getsignal(signal.SIGUSR1)
    here = Node(cluster="default", workers=1, tickets=TicketPipe())
    here.register()
    yield Worker(here)
    signal.signal(signal.SIGUSR1, before)


def submit_short(user: User, count: int) -> None:
    submit_batch(user, [Submission("diagnostic.echo", {"message": "x"})] * count)
    Task.objects.update(est_seconds=0.0005)


def look_at_each_line(look: Callable[[FrameType], None]) -> Trace:
    """A trace function that looks before each line of what notes and forgets tokens."""
    files = {shared.__file__, sys.modules[Worker.__module__].__file__}

    def trace(frame: FrameType, event: str, _: object) -> Trace | None:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            look(frame)
        return trace

    return trace


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_token_of_what_runs_is_known_at_each_step_of_its_worker(make_user: Any, worker: Worker) -> None:
    """Or the node would take it for a claim whose answer was lost, and have it run a second time."""
    submit_short(make_user("carol", slots=10), 3)
    outside = connection.copy()
    unknown: list[str] = []
    looks = 0

    def look(frame: FrameType) -> None:
        nonlocal looks
        with outside.cursor() as cursor:
            cursor.execute("SELECT token FROM task WHERE status = 'running'")
            running = {UUID(str(row[0])) for row in cursor.fetchall()}
        looks += bool(running)
        if running - worker.node.memory.tokens():
            unknown.append(f"{frame.f_code.co_name}:{frame.f_lineno}")

    sys.settrace(look_at_each_line(look))
    try:
        assert worker.work()
    finally:
        sys.settrace(None)
        outside.close()
    assert looks > 10
    assert unknown == []
    assert Task.objects.filter(status="succeeded").count() == 3


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_was_taken_back_while_it_was_claimed_does_not_start(make_user: Any, worker: Worker) -> None:
    submit_short(make_user("carol", slots=10), 3)

    def take_back(frame: FrameType) -> None:
        if Task.objects.filter(status="running").exists():
            worker.record.taken_back = 1
            sys.settrace(None)

    sys.settrace(look_at_each_line(take_back))
    try:
        worker.work()
    finally:
        sys.settrace(None)
    assert list(Attempt.objects.values_list("outcome", "charged")) == [("returned", False)] * 3


@pytest.fixture
def memory() -> SharedMemory:
    return SharedMemory(1, grace_seconds=5, threads=2)


def test_token_that_passes_from_a_worker_to_its_thread_is_seen_here_or_there(memory: SharedMemory) -> None:
    thread, main = memory.records[0], memory.records[1]
    token = uuid4()
    main.note([token])
    main.state = WorkerState.CLAIMING

    class Records:
        """Passes it on just when the first record has been looked at."""

        def __iter__(self) -> Iterator[WorkerRecord]:
            for number, record in enumerate(records):
                if number == 1 and main.noted_tokens() == [token]:
                    thread.is_thread = 1
                    thread.begin(token, uuid4(), timeout_seconds=60, alone=False)
                    main.note([uuid4()])
                yield record

    records = memory.records
    memory.records = Records()  # type: ignore[assignment]
    assert token in memory.tokens()


def test_what_was_taken_back_is_nobodys_until_it_has_gone_back(memory: SharedMemory) -> None:
    """Were it still known as the worker's, it would stay with it where giving it back failed."""
    record = memory.take_record()
    tokens = [uuid4() for _ in range(4)]
    record.note(tokens)
    record.current = 1
    record.begin(tokens[1], uuid4(), timeout_seconds=60, alone=False)
    assert memory.tokens() == set(tokens)
    assert memory.take_back_unstarted(record) == tokens[2:]
    assert memory.tokens() == set(tokens[:2])


def test_thread_that_is_over_is_not_interrupted_for_whoever_has_its_record_now(memory: SharedMemory) -> None:
    record = memory.take_record(is_thread=True)
    interrupts = ThreadInterrupts(memory, record, threading.get_ident())
    interrupts.close()
    token = uuid4()
    record.begin(token, uuid4(), timeout_seconds=60, alone=False)
    record.armed = 1
    assert memory.request_cancel(token)
    # It would raise here.
    interrupts.deliver()
    sum(range(1000))


def test_place_at_the_connections_is_given_back_when_none_could_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    places = SharedConnections(1)

    def fail() -> None:
        raise MemoryError

    monkeypatch.setattr(places, "_make", fail)
    for _ in range(2):  # the second would wait for ever
        with pytest.raises(MemoryError), places.turn():
            raise AssertionError("there is no connection")
