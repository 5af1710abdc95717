"""Trends: spans that lie where sums do, of all together and by label, for each period."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from tasks.figures import trends
from tasks.figures.roll_up import roll_up_attempts
from tasks.kept import forget_all
from tasks.models import Task
from tests.figures.test_ended import end

pytestmark = pytest.mark.django_db

Submit = Callable[..., Task]


@pytest.mark.parametrize("period", list(trends.SCALES))
def test_each_period_counts_what_ended_in_it_once(alice: User, submit: Submit, period: str) -> None:
    forget_all()
    echo, sleep, now = submit(alice), submit(alice), timezone.now()
    Task.objects.filter(pk=sleep.pk).update(type="diagnostic.sleep")
    scale = trends.SCALES[period]
    for task, outcome, share in ((echo, "succeeded", 0.1), (sleep, "failed", 0.5), (sleep, "succeeded", 1.2)):
        end(task, outcome, at=now - scale.length * share)
    for _ in range(2):
        found = trends.read_trends(period, "type")
        assert len(found.every.points) == scale.length / scale.span
        assert (found.every.whole.succeeded, found.every.whole.failed) == (1, 1)
        assert {trend.label: trend.whole.total for trend in found.by_label} == {
            "diagnostic.echo": 1, "diagnostic.sleep": 1,
        }  # fmt: skip
        last = found.every.points[-1][0]
        # A span may have begun meanwhile.
        assert last <= timezone.now()
        assert now < last + scale.span
        # The same from the sums as from the attempts.
        roll_up_attempts()
        forget_all()
    assert trends.read_trends(period, "queue", type="diagnostic.sleep").every.whole.total == 1
    assert trends.read_trends(period, "queue", queue="nothing").by_label == []


def test_spans_begin_where_sums_do() -> None:
    now = datetime(2026, 12, 1, 13, 47, 12, tzinfo=UTC)
    assert trends._end(now, timedelta(minutes=20)) == datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
    assert trends._end(now, timedelta(hours=3)) == datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
    assert trends._end(now, timedelta(days=1)) == datetime(2026, 12, 2, tzinfo=UTC)
