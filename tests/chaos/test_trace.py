"""The checker of traces: what happened is explained, and a doctored trace is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.ending import succeeded
from tasks.lifecycle.finish import finish_attempt, record_ending
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Task
from tests.chaos import trace
from tests.chaos.trace import Entry, Trace, Unexplained
from tests.lifecycle.conftest import claim, node

__all__ = ["claim", "node"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
ECHO = {"message": "x"}


@pytest.fixture
def happened(alice: User, claim: Callable[[], Claimed]) -> Trace:
    """Two tasks that end, the settlement of the second still owed, one that needs them, and one that is cancelled."""
    with trace.recorded():
        first, second = (submit_task(alice, Submission("diagnostic.echo", ECHO)).task for _ in range(2))
        submit_task(alice, Submission("diagnostic.echo", ECHO, needs=[first.pk, second.pk]))
        claimed = [claim(), claim()]
        finish_attempt(claimed[0], succeeded({"engine": {}}))
        record_ending(claimed[1], succeeded({"engine": {}}))
        cancel_task(submit_task(alice, Submission("diagnostic.echo", ECHO)).task.pk, by=alice)
        return trace.read()


def _all(kind: str, happened: Trace) -> list[Entry]:
    return [entry for entry in happened.entries if entry.kind == kind]


def _without(kind: str, happened: Trace) -> Trace:
    [first, *_] = _all(kind, happened)
    return replace(happened, entries=[entry for entry in happened.entries if entry is not first])


def _changed(change: Callable[[Entry], Entry | None], happened: Trace) -> Trace:
    changed = [(entry, change(entry)) for entry in happened.entries]
    assert any(new is not None for _, new in changed), "there is something to doctor"
    return replace(happened, entries=[new or entry for entry, new in changed])


def _finish(**columns: object) -> Callable[[Entry], Entry | None]:
    return lambda entry: entry._replace(**columns) if entry.before == "running" else None  # type: ignore[arg-type]


DOCTORED: dict[str, Callable[[Trace], Trace]] = {
    "a move is missing": lambda it: _without("move", it),
    "a settlement is missing": lambda it: _without("settled", it),
    "a settlement is paid twice": lambda it: replace(it, entries=it.entries + _all("settled", it)),
    "slots are taken for nothing": lambda it: _without("taken", it),
    "it ends without a settlement": lambda it: _without("owed", it),
    "no such move": lambda it: _changed(_finish(after="held"), it),
    "another token": lambda it: _changed(_finish(token=uuid4()), it),
    "it succeeds, its attempt does not": lambda it: replace(it, attempts=[(*one[:3], "failed") for one in it.attempts]),
    "an attempt too many": lambda it: replace(it, attempts=[*it.attempts, (uuid4(), 1, uuid4(), "lost")]),
    "attempts in another order": lambda it: replace(it, attempts=[(one[0], 2, *one[2:]) for one in it.attempts]),
    "an event of no attempt": lambda it: replace(it, events=[(next(iter(it.statuses)), 7)]),
    "a status of its own": lambda it: replace(it, statuses=dict.fromkeys(it.statuses, "held")),
    "a settlement from nowhere": lambda it: replace(it, settlements={uuid4()}),
}  # fmt: skip


def test_what_happened_is_explained(happened: Trace) -> None:
    made = trace.replay(happened)
    assert made["claim"] == made["finish_succeeded"] == 2
    assert made["submit_waiting"] == made["release_ready_cancelled"] + made["release_held_cancelled"] == 1


def test_doctored_traces_are_not(happened: Trace) -> None:
    believed = []
    for name, doctor in DOCTORED.items():
        try:
            trace.replay(doctor(happened))
        except Unexplained:
            continue
        believed.append(name)
    assert believed == []


def test_write_past_the_lifecycle_is_not(alice: User) -> None:
    @trace.recorded()
    def write_past() -> None:
        task = submit_task(alice, Submission("diagnostic.echo", ECHO)).task
        Task.objects.filter(pk=task.pk, status="ready").update(status="held", rank=None)

    with pytest.raises(Unexplained, match="slots that nothing explains"):
        write_past()
