"""What ended lately: which outcomes count, in which span of time, and no more rows than the cap allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from tasks.figures import ended, series
from tasks.figures.histogram import ERROR_FACTOR
from tasks.figures.roll_up import roll_up_attempts
from tasks.models import Attempt, Task
from tasks.models.attempt import FAILING, Outcome

pytestmark = pytest.mark.django_db

Submit = Callable[..., Task]
SPAN = timedelta(minutes=5)


def end(task: Task, outcome: str, *, at: datetime, seconds: float = 1.0) -> None:
    Attempt.objects.create(
        task=task, number=1, token=uuid4(), outcome=outcome, charged=True,
        started_at=at - timedelta(seconds=seconds), finished_at=at,
    )  # fmt: skip


@pytest.fixture
def start() -> datetime:
    return timezone.now() - ended.HOUR


def read(start: datetime) -> ended.Ended:
    return ended.ended_since(start, within=ended.HOUR, span=SPAN)


def test_nothing_has_ended(start: datetime) -> None:
    assert read(start) == ended.Ended()


def test_only_success_and_failure_are_ends(alice: User, submit: Submit, start: datetime) -> None:
    task = submit(alice)
    for outcome in Outcome:
        end(task, outcome, at=start + timedelta(minutes=1))
    found = read(start)
    assert (found.succeeded, found.failed, found.total) == (1, len(FAILING), 1 + len(FAILING))
    assert found.failed_percent == 80.0
    assert set(FAILING) == {"failed", "timed_out", "died", "lost"}


def test_times_are_of_what_succeeded_and_spans_are_counted_from_the_start(
    alice: User, submit: Submit, start: datetime
) -> None:
    task = submit(alice)
    end(task, "succeeded", at=start - timedelta(seconds=1), seconds=50)
    for minute, seconds in ((1, 2.0), (2, 4.0), (12, 9.0)):
        end(task, "succeeded", at=start + timedelta(minutes=minute), seconds=seconds)
    end(task, "failed", at=start + timedelta(minutes=12), seconds=100)
    found = read(start)
    assert found.median_seconds == pytest.approx(4.0, rel=ERROR_FACTOR - 1)
    assert found.slow_seconds == pytest.approx(8.5, rel=ERROR_FACTOR - 1)
    assert found.spans == {start: (2, 0), start + 2 * SPAN: (2, 1)}
    assert not found.is_cut


def test_ids_that_are_missing_hide_nothing(alice: User, submit: Submit, start: datetime) -> None:
    """The statement goes back by ids: gaps, of deleted attempts and of insertions that failed, are no end."""
    task = submit(alice)
    for minute in range(40):
        end(task, "succeeded", at=start + timedelta(minutes=minute + 1))
    newest = Attempt.objects.latest("id").pk
    Attempt.objects.filter(pk__range=(newest - 30, newest - 3)).delete()
    Attempt.objects.filter(pk=newest).update(id=newest + 5_000)
    assert read(start).succeeded == 40 - 28


def test_no_more_than_the_cap_is_read_and_that_is_told(
    alice: User, submit: Submit, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = submit(alice)
    rows = [
        Attempt(
            task=task, number=number, token=uuid4(), outcome="failed" if number < 100 else "succeeded", charged=True,
            started_at=start, finished_at=start + timedelta(seconds=number),
        )
        for number in range(1, 1_001)
    ]  # fmt: skip
    Attempt.objects.bulk_create(rows)
    whole = read(start)
    assert (whole.succeeded, whole.failed, whole.is_cut, whole.total_text) == (901, 99, False, "1,000")
    monkeypatch.setattr(series, "CAP", 500)
    cut = read(start)
    # The newest.
    assert (cut.failed, cut.succeeded, cut.is_cut) == (0, 500, True)
    assert cut.total_text == f"{cut.total:,}+"
    roll_up_attempts()
    counted = read(start)
    assert (counted.succeeded, counted.failed, counted.is_cut) == (901, 99, False)


def test_last_day_holds_the_last_hour(alice: User, submit: Submit) -> None:
    task, now = submit(alice), timezone.now()
    for hours in (0.5, 5, 23, 25):
        end(task, "succeeded", at=now - timedelta(hours=hours))
    hour, day, _ = ended.ended_lately()
    assert (hour.succeeded, day.succeeded) == (1, 3)
