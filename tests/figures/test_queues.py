"""How fast queues go: by the time of which all is known, where that is less than an hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from tasks.figures import series
from tasks.figures.queues import read_queues
from tasks.kept import forget_all
from tasks.models import Attempt, RollupMark, Task

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("why", "expected"), [("all is counted", 20 / 60), ("an upgrade", 1.0), ("more than is read", 1.0)]
)
def test_rate_is_of_the_time_that_is_known(
    alice: User, submit: Callable[..., Task], monkeypatch: pytest.MonkeyPatch, why: str, expected: float
) -> None:
    task, now = submit(alice), timezone.now()
    for minutes in range(20, 0, -1):
        at = now - minutes * MINUTE + MINUTE / 2
        own = {"number": 21 - minutes, "token": uuid4(), "started_at": at, "finished_at": at}
        Attempt.objects.create(task=task, outcome="succeeded", charged=True, **own)
    if why == "an upgrade":
        old = Attempt.objects.order_by("id")[15].pk
        RollupMark.objects.update(counted_to=old - 1, counted_from=old, counted_since=now - 5 * MINUTE)
    elif why == "more than is read":
        monkeypatch.setattr(series, "CAP", 5)
    forget_all()
    [figures] = [one for one in read_queues(alice) if one.queue.name == task.queue_id]
    assert figures.system.ended_per_minute == pytest.approx(expected, abs=0.02)
