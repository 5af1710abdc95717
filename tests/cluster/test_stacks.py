"""The stack of a running handler comes from its worker, and shows no value that it works with."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from accounts.models import User
from tasks.cluster import stacks
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Task, WorkerStack
from tasks.operations.stacks import ask_for_stack

from .conftest import RunningNode, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]


def answered(asked: UUID) -> WorkerStack:
    wait_until(lambda: WorkerStack.objects.get(pk=asked).answered_at is not None, what="the answer")
    return WorkerStack.objects.get(pk=asked)


def test_stack_of_a_running_handler_is_sent_without_its_values(
    alice: User, olga: User, start_node: Callable[..., RunningNode]
) -> None:
    node = start_node(workers=1).row
    task = submit_task(alice, Submission("diagnostic.sleep", {"seconds": 61.25})).task
    wait_until(lambda: Task.objects.get(pk=task.pk).status == "running", what="the handler")
    worker = Task.objects.get(pk=task.pk).worker_pid
    told = answered(ask_for_stack(node.pk, worker, by=olga).pk)
    assert told.error == ""
    assert "diagnostic" in told.text
    assert "most recent call first" in told.text
    assert "61.25" not in told.text
    # The attempt goes on, and another question has an answer of its own.
    again = answered(ask_for_stack(node.pk, worker, by=olga).pk)
    assert again.text.count("Current thread") == 1
    assert Task.objects.get(pk=task.pk).status == "running"
    unknown = answered(ask_for_stack(node.pk, os.getpid(), by=olga).pk)
    assert (unknown.text, unknown.error) == ("", stacks.GONE)


@pytest.fixture
def deaf() -> Iterator[None]:
    before = signal.signal(stacks.STACK_SIGNAL, signal.SIG_DFL)
    yield
    signal.signal(stacks.STACK_SIGNAL, before)


def test_process_that_the_signal_would_end_is_not_sent_it(deaf: None, tmp_path: Path) -> None:
    assert not stacks._takes_signal(os.getpid())
    try:
        stacks.write_stack_on_signal(tmp_path)
        assert stacks._takes_signal(os.getpid())
        os.kill(os.getpid(), stacks.STACK_SIGNAL)
        written = (tmp_path / str(os.getpid())).read_text()
        assert "test_process_that_the_signal_would_end_is_not_sent_it" in written
    finally:
        faulthandler.unregister(stacks.STACK_SIGNAL)
        stacks._file.close()


def test_what_is_written_is_cut_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MOST_BYTES", 10)
    monkeypatch.setattr(stacks, "ANSWER_SECONDS", 0.2)
    path = tmp_path / "1"
    path.write_text("before")
    assert stacks._written(path, 6) == ""
    path.write_text("before" + "x" * 11)
    assert stacks._written(path, 6) == "x" * 10 + "\n… the rest is left out"
