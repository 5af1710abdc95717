"""The corpus through a real worker: it outlives every file, its neighbour waits for none, nothing is lost in silence.

`make test` takes the cheapest file of each kind and some others, about a minute of processor time;
`make chaos` (CHAOS_SECONDS) as many as it has time for, by its seed. To see one file:
`CORPUS=name make test ARGS=tests/robustness`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest

from accounts.models import User
from tasks import errors, files
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, Task
from tests.chaos.conftest import say
from tests.cluster.conftest import RunningNode, environment, start_node, wait_until
from tests.robustness.cases import Case
from tests.robustness.corpus import make_corpus, slice_of
from tests.robustness.verdict import MIB, MOST_MEMORY, faults_of

__all__ = ["environment", "start_node"]

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.slow,
    pytest.mark.timeout(100_000),
]

SEED, SHORT_SECONDS = 1, 45.0
# By the clock, of one file on a machine that has much else to do.
PATIENCE = 900.0
AT_ONCE = 20


def chosen() -> list[Case]:
    # The same files every day, and the same of them, lest a build fail by its date; `make chaos` reads others.
    seed = int(os.environ.get("CHAOS_SEED") or SEED)
    corpus = make_corpus(seed)
    if name := os.environ.get("CORPUS"):
        return [case for case in corpus if name in case.name or name == case.kind]
    seconds = float(os.environ.get("CHAOS_SECONDS") or SHORT_SECONDS)
    cases = slice_of(corpus, seed, seconds=seconds)
    say(f"{len(cases)} of {len(corpus)} files, CHAOS_SEED={seed}")
    return cases


def test_no_file_harms_the_worker_or_its_neighbour_or_is_lost_in_silence(
    start_node: Callable[..., RunningNode], make_user: Callable[..., User]
) -> None:
    user, neighbour = make_user("alice", slots=AT_ONCE), make_user("bob")
    node = start_node(workers=2)
    workers = {process.pid for process in node.processes}
    cases, peaks, faults, echoes = chosen(), dict[str, int](), list[str](), list[Task]()
    for some in _portions(cases):
        submitted = dict[UUID, Case]()
        for case in some:
            try:
                submitted[_submit(user, case).pk] = case
            except errors.TaskError as refused:
                faults += [] if case.data == b"" else [f"{case.name}: refused at the door: {refused.message}"]
        echoes.append(submit_task(neighbour, Submission("diagnostic.echo", {"message": "still there"})).task)
        _wait(list(submitted), node, peaks)
        for task in Task.objects.filter(pk__in=submitted).select_related("content"):
            case = submitted[task.pk]
            result = task.content.result if task.status == "succeeded" else None
            error = None if result is not None else task.error or {"code": task.status}
            faults += [f"{case.name}: {fault}" for fault in faults_of(case, result, error)]
    assert faults == []
    assert max(peaks.values(), default=0) < MOST_MEMORY, _largest(peaks)
    assert workers <= {process.pid for process in node.processes}, "a worker was ended"
    assert set(Attempt.objects.values_list("outcome", flat=True)) <= {"succeeded", "failed"}
    for echo in echoes:
        echo.refresh_from_db()
    assert {echo.status for echo in echoes} == {"succeeded"}
    say(f"all as they must be; most memory of one process: {_largest(peaks)}")


def _portions(cases: list[Case]) -> Iterator[list[Case]]:
    for start in range(0, len(cases), AT_ONCE):
        yield cases[start : start + AT_ONCE]


def _submit(user: User, case: Case) -> Task:
    stored = str(files.store_file(user, name=case.name, chunks=[case.data]).pk)
    data: dict[str, Any] = {"files": [stored]} if case.type == "rag.query" else {"file": stored}
    return submit_task(user, Submission(case.type, data | case.options)).task


def _wait(tasks: list[UUID], node: RunningNode, peaks: dict[str, int]) -> None:
    def ended() -> bool:
        for process in node.processes:
            _note_peak(process, peaks)
        return not Task.objects.filter(pk__in=tasks).unfinished().exists()

    wait_until(ended, seconds=PATIENCE, what="the files to be read")


def _note_peak(process: psutil.Process, peaks: dict[str, int]) -> None:
    """Keep the most memory that a process ever held; it may have ended meanwhile."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
        name = f"{process.pid} {process.name()}"
    except (OSError, psutil.Error):
        return
    if "VmHWM:" in status:
        peaks[name] = max(peaks.get(name, 0), int(status.partition("VmHWM:")[2].split()[0]) * 1024)


def _largest(peaks: dict[str, int]) -> str:
    return ", ".join(f"{name}: {size // MIB} MiB" for name, size in sorted(peaks.items(), key=lambda one: -one[1])[:3])
