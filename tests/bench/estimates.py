"""How good the estimates of a start are: floods of a type that nobody knows yet, and once more; for `make bench`.

While a flood is worked off, each waiting task is asked again and again when it will start; afterwards it is known. A
perfect median has half of the starts before it; p50 to p90 should hold most of the others, and few should be later.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import Plan, User
from tasks.lifecycle import estimate
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.submit import Submission, submit_batch
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


class Said(NamedTuple):
    """What was said of a task at a moment; the earliest and latest start that p50 and p90 mean."""

    task: UUID
    asked_at: datetime
    p50: float
    p90: float


def run(child: StartChild, wait_for: Callable[..., None]) -> None:
    """Measure floods of both kinds, each unknown at first and known then, and print the figures."""
    plan = Plan.objects.create(name="bench estimates", slots=4, weight=1, max_waiting=1000, max_priority=5, keep_days=1)
    user = User.objects.create_user("estimates@example.com", "bench", plan=plan)
    print(
        f"\n{'estimates of starts':34}{'asked':>8}{'null':>8}{'≤ p50':>8}{'p50–p90':>9}{'> p90':>8}{'p50 off by':>13}"
    )
    with child("qcluster", [sys.executable, "manage.py", "qcluster"], WORKERS=str(WORKERS)):
        wait_for(lambda: Node.objects.filter(status="alive", beat__gt=0).exists())
        for kind, work in KINDS.items():
            for flood in ("first", "known"):
                estimate.forget_cache()
                said, unknown = _flood(user, work)
                _report(f"{kind}, {flood} flood of {FLOOD}", said, unknown)
                estimate.learn_estimates()


def _flood(user: User, work: Submission) -> tuple[list[Said], int]:
    """Submit a flood and ask until the last task has started; return what was said, and how often it was nothing."""
    batch = submit_batch(user, [work] * FLOOD).batch
    said: list[Said] = []
    unknown = 0
    while waiting := list(batch.tasks.filter(status__in=QUEUED)):
        for task in waiting:
            asked_at, wait = _now(), explain_wait(task)
            if wait.starts_in is None:
                unknown += wait.why is not None  # else it has started meanwhile
            else:
                said.append(Said(task.pk, asked_at, *wait.starts_in))
        time.sleep(ASK_SECONDS)
    while batch.tasks.unfinished().exists():
        time.sleep(ASK_SECONDS)
    return said, unknown


def _report(what: str, said: list[Said], unknown: int) -> None:
    started = dict(Task.objects.filter(pk__in={one.task for one in said}).values_list("pk", "started_at"))
    early = inside = late = 0
    off: list[float] = []
    for one in said:
        actual = started[one.task]
        assert actual is not None
        if actual < one.asked_at + timedelta(seconds=one.p50):
            early += 1
        elif actual <= one.asked_at + timedelta(seconds=one.p90):
            inside += 1
        else:
            late += 1
        off.append(abs((actual - one.asked_at).total_seconds() - one.p50))
    shares = (f"{100 * count / max(1, len(said)):.0f} %" for count in (early, inside, late))
    early_share, inside_share, late_share = shares
    median = f"{statistics.median(off):.2f} s" if off else "—"
    asked = len(said) + unknown
    print(f"{what:34}{asked:>8}{unknown:>8}{early_share:>8}{inside_share:>9}{late_share:>8}{median:>13}", flush=True)


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
