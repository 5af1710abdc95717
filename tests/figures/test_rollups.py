"""Sums of attempts: each is counted once, whoever commits late, breaks off or counts at the same time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import numpy
import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from tasks.figures import roll_up
from tasks.figures.histogram import ERROR_FACTOR, percentile
from tasks.figures.roll_up import KEPT, count_next, forget_rollups, roll_up_attempts
from tasks.figures.series import Series, read_series
from tasks.models import Attempt, Rollup, RollupMark, Task
from tasks.models.attempt import FAILING, Outcome

pytestmark = pytest.mark.django_db

Submit = Callable[..., Task]
HOUR = timedelta(hours=1)
NOON = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
numbers = count(1)


def end(task: Task, outcome: str = "succeeded", *, at: datetime = NOON, seconds: float = 1.0, **more: Any) -> Attempt:
    return Attempt.objects.create(
        **{"task": task, "number": next(numbers), "token": uuid4(), "outcome": outcome, "charged": True,
           "started_at": at - timedelta(seconds=seconds), "finished_at": at} | more
    )  # fmt: skip


def read(since: datetime = NOON, *, hours: int = 1, span: timedelta = HOUR, **filters: Any) -> Series:
    return read_series(since, since + timedelta(hours=hours), span=span, **filters)


@pytest.fixture(params=["counted", "not yet"])
def settle(request: pytest.FixtureRequest) -> Callable[[], object]:
    """Count what there is, or leave it to the reader: the answer must be the same."""
    return roll_up_attempts if request.param == "counted" else lambda: None


def test_what_ended_is_told_by_span_and_outcome(alice: User, submit: Submit, settle: Callable[[], object]) -> None:
    task = submit(alice)
    for outcome in Outcome:
        end(task, outcome, at=NOON + timedelta(minutes=1), seconds=2)
    end(task, at=NOON + timedelta(minutes=31), seconds=4)
    end(task, at=NOON - timedelta(minutes=1))
    end(task, at=NOON + HOUR)
    settle()
    series = read(span=timedelta(minutes=10))
    points = series.points()
    assert [start for start, _ in points] == [NOON + timedelta(minutes=10 * number) for number in range(6)]
    assert [(sums.succeeded, sums.failed, sums.others) for _, sums in points] == [
        (1, len(FAILING), len(Outcome) - len(FAILING) - 1), (0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 0, 0), (0, 0, 0),
    ]  # fmt: skip
    whole = series.total()
    assert (whole.total, whole.run_seconds) == (2 + len(FAILING), 2 * len(Outcome) + 4)
    assert whole.run.total() == 2
    assert (series.is_cut, series.whole_since) == (False, None)


def test_filters_and_labels(alice: User, bob: User, submit: Submit, settle: Callable[[], object]) -> None:
    one, other, his = submit(alice), submit(alice), submit(bob)
    Task.objects.filter(pk=other.pk).update(type="diagnostic.sleep", queue="documents")
    for task, times in ((one, 1), (other, 2), (his, 4)):
        for _ in range(times):
            end(task)
    settle()

    def total(**filters: Any) -> int:
        return read(**filters).total().succeeded

    assert total() == 7
    assert (total(queue="documents"), total(queue="nothing")) == (2, 0)
    assert (total(type="diagnostic.echo"), total(owner=alice), total(owner=bob)) == (5, 3, 4)
    assert total(owner=alice, type="diagnostic.echo") == 1
    by_queue = read(by="queue")
    assert {label: by_queue.total(label).succeeded for label in by_queue.by_label} == {"diagnostics": 5, "documents": 2}
    assert set(read(by="type", owner=bob).by_label) == {"diagnostic.echo"}


def test_wait_is_that_of_first_attempts_since_the_task_was_due(
    alice: User, submit: Submit, settle: Callable[[], object]
) -> None:
    task = submit(alice, priority=3)
    due = NOON.timestamp() - 30
    Task.objects.filter(pk=task.pk).update(line_key=due - (task.priority - 5) * 60)
    end(task, seconds=10, number=1)
    end(task, seconds=1, number=2)
    settle()
    sums = read().total()
    assert (sums.waits, sums.wait_seconds) == (1, pytest.approx(20.0))
    assert sums.wait_percentile(0.5) == pytest.approx(20.0, rel=ERROR_FACTOR - 1)


@pytest.mark.parametrize("spread", ["even", "log-normal", "two humps", "few"])
def test_percentiles_are_right_up_to_the_error_that_is_promised(
    alice: User, submit: Submit, settle: Callable[[], object], spread: str
) -> None:
    dice = random.Random(spread)
    draw: dict[str, Callable[[], float]] = {
        "even": lambda: dice.uniform(0.01, 600),
        "log-normal": lambda: dice.lognormvariate(0, 2),
        "two humps": lambda: dice.choice([dice.gauss(0.05, 0.01), dice.gauss(900, 50)]),
        "few": lambda: dice.uniform(0.5, 5),
    }
    # Attempts are kept to the microsecond.
    times = [max(0.001, round(draw[spread](), 6)) for _ in range(5 if spread == "few" else 400)]
    task = submit(alice)
    Attempt.objects.bulk_create(
        Attempt(task=task, number=number + 2, token=uuid4(), outcome="succeeded", charged=True,
                started_at=NOON - timedelta(seconds=seconds), finished_at=NOON)
        for number, seconds in enumerate(times)
    )  # fmt: skip
    settle()
    sums = read().total()
    for share in (0.0, 0.05, 0.5, 0.9, 0.95, 0.99, 1.0):
        exact, told = float(numpy.percentile(times, share * 100)), sums.run_percentile(share)
        assert told is not None
        assert exact / ERROR_FACTOR * 0.999 <= told <= exact * ERROR_FACTOR * 1.001, share


def test_extremes_have_a_place() -> None:
    assert percentile(Counter({0: 1}), 0.5) == 0.0005
    assert percentile(Counter({120: 1}), 0.5) == pytest.approx(2**29.875 / 1000)


# --- Once ------------------------------------------------------------------------------------------


def counted() -> dict[int, int]:
    """Return how many attempts the sums of each width have; the widths of all users together are negative."""
    of_all = Rollup.objects.filter(owner=None).values_list("seconds").annotate(Sum("attempts"))
    of_users = Rollup.objects.exclude(owner=None).values_list("seconds").annotate(Sum("attempts"))
    return {-seconds: total for seconds, total in of_all} | dict(of_users)


EACH = {width.seconds if width.is_own else -width.seconds for width in KEPT}


def test_counting_again_counts_only_what_is_new(alice: User, submit: Submit) -> None:
    task = submit(alice)
    for expected in range(1, 4):
        end(task, at=NOON + timedelta(seconds=expected))
        assert roll_up_attempts() == 1
        assert roll_up_attempts() == 0
        assert counted() == dict.fromkeys(EACH, expected)
        assert read().total().succeeded == expected


def test_many_are_counted_in_steps(alice: User, submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_up, "LIMIT", 3)
    task = submit(alice)
    for _ in range(7):
        end(task)
    assert [count_next() for _ in range(4)] == [3, 3, 1, 0]
    assert counted() == dict.fromkeys(EACH, 7)


def test_step_that_is_undone_is_done_again(alice: User, submit: Submit) -> None:
    end(submit(alice))
    with transaction.atomic():
        assert count_next() == 1
        transaction.set_rollback(True)
    assert counted() == {}
    assert read().total().succeeded == 1
    assert count_next() == 1
    assert read().total().succeeded == 1


def test_id_that_was_missing_is_counted_when_it_appears(alice: User, submit: Submit) -> None:
    """Transactions commit in another order than they take their ids."""
    task = submit(alice)
    first, late, last = (end(task, at=NOON + timedelta(minutes=1)) for _ in range(3))
    Attempt.objects.filter(pk=late.pk).update(id=last.pk + 1_000)
    Attempt.objects.filter(pk=last.pk + 1_000).delete()
    assert roll_up_attempts() == 2
    end(task, id=late.pk, at=NOON + timedelta(minutes=1))
    assert roll_up_attempts() == 1
    assert roll_up_attempts() == 0
    assert counted() == dict.fromkeys(EACH, 3)
    mark = RollupMark.objects.get()
    assert mark.counted_to == last.pk
    assert not any(late.pk in gap or first.pk in gap for gap in mark.gaps)


def test_gap_is_watched_for_an_hour_at_least_and_then_given_up(alice: User, submit: Submit) -> None:
    task = submit(alice)
    ids = [end(task).pk for _ in range(5)]
    Attempt.objects.filter(pk__in=ids[1:4:2]).delete()
    roll_up_attempts()
    for _ in range(2):
        RollupMark.objects.update(gaps_since=timezone.now() - HOUR - timedelta(seconds=1))
        mark = RollupMark.objects.get()
        assert {ids[1], ids[3]} <= {gap.lower for gap in (*mark.gaps, *mark.older_gaps)}
        roll_up_attempts()
    mark = RollupMark.objects.get()
    assert (mark.gaps, mark.older_gaps) == ([], [])


# --- Upgrading -------------------------------------------------------------------------------------


def test_attempts_of_before_are_counted_newest_first_and_that_is_told(
    alice: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll_up, "LIMIT", 2)
    task = submit(alice)
    long_ago = [end(task, at=NOON - timedelta(days=50)) for _ in range(3)]
    ids = [end(task, at=NOON + timedelta(minutes=number)).pk for number in range(5)]
    # As the migration leaves it.
    RollupMark.objects.update(counted_to=ids[-1], counted_from=ids[-1] + 1, counted_since=timezone.now())
    assert read().total().succeeded == 0
    assert read().whole_since is not None
    new = end(task, at=NOON + timedelta(minutes=50))
    found = []
    for _ in range(4):
        count_next()
        series = read()
        found.append((series.total().succeeded, series.whole_since))
    minutes = [NOON + timedelta(minutes=number) for number in range(5)]
    assert found == [(3, minutes[3]), (5, minutes[1]), (6, None), (6, None)]
    assert counted() == dict.fromkeys(EACH, 6)
    assert RollupMark.objects.get().counted_to == new.pk
    assert long_ago


def test_past_is_counted_although_something_ends_all_the_time(
    alice: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll_up, "LIMIT", 3)
    task = submit(alice)
    ids = [end(task).pk for _ in range(7)]
    RollupMark.objects.update(counted_to=ids[-1], counted_from=ids[-1] + 1, counted_since=timezone.now())
    for _ in range(3):
        end(task)
    assert count_next() == 3
    assert RollupMark.objects.get().counted_from == ids[-1] + 1, "new ones come first"
    steps = []
    while RollupMark.objects.get().counted_from:
        end(task)
        steps.append(count_next())
    assert steps == [1 + 3, 1 + 3, 1 + 1]
    assert counted() == dict.fromkeys(EACH, 7 + 3 + 3)


# --- Keeping ---------------------------------------------------------------------------------------


def test_sums_are_kept_as_long_as_is_said(alice: User, submit: Submit) -> None:
    task = submit(alice)
    now = timezone.now()
    ages = [timedelta(hours=1), timedelta(days=3), timedelta(days=20), timedelta(days=200), timedelta(days=1_200)]
    for age in ages:
        end(task, at=now - age)
    roll_up_attempts()
    assert counted() == dict.fromkeys(EACH, 5)
    assert forget_rollups() == 4 + 3 + 2 + 1 + 3 + 1
    assert counted() == {-60: 1, -600: 2, -3_600: 3, -86_400: 4, 3_600: 2, 86_400: 4}


def test_spans_that_no_sums_serve_are_refused(alice: User) -> None:
    with pytest.raises(ValueError, match="No sums"):
        read(span=timedelta(seconds=90))
    with pytest.raises(ValueError, match="No sums"):
        read(span=timedelta(minutes=1), owner=alice)
    with pytest.raises(ValueError, match="No sums"):
        read(hours=24 * 30, span=timedelta(minutes=10))


# --- Several at once -------------------------------------------------------------------------------


@pytest.fixture
def another_session(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    settings = connection.settings_dict
    with closing(
        psycopg.connect(dbname=settings["NAME"], user=settings["USER"], host=settings["HOST"], port=settings["PORT"])
    ) as other:
        yield other


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_only_one_counts_at_a_time(alice: User, submit: Submit, another_session: psycopg.Connection[Any]) -> None:
    end(submit(alice))
    another_session.execute("SELECT FROM rollup_mark FOR UPDATE")
    assert roll_up_attempts() == 0
    another_session.rollback()
    assert roll_up_attempts() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_transaction_that_commits_late_is_counted_once(
    alice: User, submit: Submit, another_session: psycopg.Connection[Any]
) -> None:
    task = submit(alice)
    another_session.execute(
        "INSERT INTO attempt (task_id, number, token, outcome, charged, started_at, finished_at)"
        " VALUES (%s, 99, %s, 'failed', true, %s, %s)",
        [task.pk, uuid4(), NOON, NOON],
    )
    end(task)
    assert roll_up_attempts() == 1
    assert read().total().failed == 0
    another_session.commit()
    roll_up_attempts()
    roll_up_attempts()
    assert (read().total().failed, read().total().succeeded) == (1, 1)
