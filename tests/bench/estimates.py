"""How good the estimates of a start and an end are: floods of a type that nobody knows yet, and of known; and a hundred
mixed tasks of three users; for `make bench`.

While tasks are worked off, each waiting task is asked again and again when it will start and end; afterwards both are
known. Of good ranges eight of ten hold what came, one is too late and one too early.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import Plan, User
from tasks.lifecycle import estimate
from tasks.lifecycle.expected import Range
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.submit import Submission, submit_task
from tasks.lifecycle.submit_batch import submit_batch
from tasks.models import Node, Task
from tasks.statuses import QUEUED

FLOOD = 20
ASK_SECONDS = 0.5
WORKERS = 2
# Of the workers themselves, and of their threads, of which the user's slots leave four.
KINDS = {
    "workers": Submission("diagnostic.fail", {"mode": "cpu", "seconds": 1.0}),
    "threads": Submission("diagnostic.sleep", {"seconds": 2.0}),
}

StartChild = Callable[..., AbstractContextManager["subprocess.Popen[bytes]"]]


MIXED = 100
# What the mixed tasks are known by.
MIXED_BEFORE = 40


class Said(NamedTuple):
    """What was said of a task at a moment."""

    task: UUID
    asked_at: datetime
    starts_in: Range
    ends_in: Range


class Answers:
    """What was said of tasks while they waited, and how often nothing."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.unknown = 0

    def ask(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            asked_at, wait = _now(), explain_wait(task)
            if wait.starts_in is None or wait.ends_in is None:
                self.unknown += wait.why is not None  # else it has started meanwhile
            else:
                self.said.append(Said(task.pk, asked_at, wait.starts_in, wait.ends_in))

    @property
    def first(self) -> list[Said]:
        """What was said of each task when it was asked first: right after it was submitted."""
        return list({one.task: one for one in reversed(self.said)}.values())


def run(child: StartChild, wait_for: Callable[..., None]) -> None:
    """Measure floods of both kinds, each unknown at first and known then, and a mixture, and print the figures."""
    plan = Plan.objects.create(name="bench estimates", slots=4, weight=1, max_waiting=1000, max_priority=5, keep_days=1)
    users = [
        User.objects.create_user(f"{name}@example.com", "bench", plan=plan) for name in ("estimates", "second", "third")
    ]
    print(f"\n{'estimates':42}{'asked':>8}{'null':>8}{'< p10':>8}{'inside':>8}{'> p90':>8}{'p50 off by':>13}")
    with child("qcluster", [sys.executable, "manage.py", "qcluster"], WORKERS=str(WORKERS)):
        wait_for(lambda: Node.objects.filter(status="alive", beat__gt=0).exists())
        for kind, work in KINDS.items():
            for flood in ("first", "known"):
                estimate.forget_cache()
                _report(f"{kind}, {flood} flood of {FLOOD}", *_flood(users[0], work))
                estimate.learn_estimates()
        chance = random.Random(80)
        _mix(users, chance, MIXED_BEFORE)
        estimate.learn_estimates()
        estimate.forget_cache()
        answers = _mix(users, chance, MIXED)
        _report(f"{MIXED} mixed, when submitted", answers.first, answers.unknown)
        _report(f"{MIXED} mixed, asked twice a second", answers.said, answers.unknown)


def _flood(user: User, work: Submission) -> tuple[list[Said], int]:
    """Submit a flood and ask until the last task has started; return what was said, and how often it was nothing."""
    batch = submit_batch(user, [work] * FLOOD).batch
    answers = Answers()
    while waiting := list(batch.tasks.filter(status__in=QUEUED)):
        answers.ask(waiting)
        time.sleep(ASK_SECONDS)
    while batch.tasks.unfinished().exists():
        time.sleep(ASK_SECONDS)
    return answers.said, answers.unknown


def _mix(users: Sequence[User], chance: random.Random, count: int) -> Answers:
    """Submit tasks of all kinds for users by chance, a little faster than they are worked off, and ask meanwhile."""
    answers = Answers()
    own = Task.objects.filter(owner__in=users)
    for _ in range(count):
        seconds = round(chance.uniform(0.2, 2.0), 2)
        work = chance.choice([
            Submission("diagnostic.fail", {"mode": "cpu", "seconds": seconds}),
            Submission("diagnostic.sleep", {"seconds": seconds * 2}),
            Submission("diagnostic.echo", {"message": "mixed"}),
        ])  # fmt: skip
        answers.ask([submit_task(chance.choice(users), work).task])
        time.sleep(chance.expovariate(1 / 0.2))
        answers.ask(own.filter(status__in=QUEUED))
    while own.unfinished().exists():
        answers.ask(own.filter(status__in=QUEUED))
        time.sleep(ASK_SECONDS)
    return answers


def _report(what: str, said: list[Said], unknown: int) -> None:
    tasks = Task.objects.in_bulk({one.task for one in said})
    starts = [(one.starts_in, one.asked_at, tasks[one.task].started_at) for one in said]
    ends = [(one.ends_in, one.asked_at, tasks[one.task].finished_at) for one in said]
    for which, found in (("start", starts), ("end", ends)):
        early = inside = late = 0
        off: list[float] = []
        for expected, asked_at, at in found:
            assert at is not None
            actual = (at - asked_at).total_seconds()
            early += actual < expected.p10
            inside += expected.p10 <= actual <= expected.p90
            late += actual > expected.p90
            off.append(abs(actual - expected.p50))
        shares = [f"{100 * count / max(1, len(said)):.0f} %" for count in (early, inside, late)]
        median = f"{statistics.median(off):.2f} s" if off else "—"
        figures = "".join(f"{each:>8}" for each in (len(said) + unknown, unknown, *shares))
        print(f"{what + ': ' + which:42}{figures}{median:>13}", flush=True)


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
