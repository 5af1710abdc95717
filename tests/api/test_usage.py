"""/usage: what was used, by day and type; each attempt counted once, before and after it is rolled up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from accounts.models import User
from tasks import sql
from tasks.api.objects.usage import Usage, UsageItem
from tasks.figures.usage import roll_up_usage
from tasks.models import Attempt, Task, TaskContent, UsageDay, UsageMark
from tasks.models.attempt import FAILING
from tests.api.conftest import MakeClient, Work
from tests.api.shapes import assert_shape

Submit = Callable[..., dict[str, Any]]
LONG_AGO = timedelta(minutes=10)


@pytest.fixture
def end(submit: Submit) -> Callable[..., Attempt]:
    """Give a user an attempt that ended some time ago."""

    def make(user: User, *, ago: timedelta, outcome: str = "succeeded", seconds: float = 2.0) -> Attempt:
        task = submit(user)
        TaskContent.objects.filter(pk=task["id"]).update(usage={"tokens": {"prompt": 10, "completion": None}})
        finished = datetime.now(UTC) - ago
        return Attempt.objects.create(
            task_id=task["id"], number=1, token=uuid4(), outcome=outcome, charged=True,
            started_at=finished - timedelta(seconds=seconds), finished_at=finished,
        )  # fmt: skip

    return make


def used(client: Any, days: int = 90) -> list[dict[str, Any]]:
    response = client.get("/api/v1/usage", {"days": days})
    assert response.status_code == 200, response.content
    assert_shape(response.json(), Usage)
    found: list[dict[str, Any]] = response.json()["data"]
    return found


def test_usage_is_up_to_the_moment(api: MakeClient, alice: User, bob: User, submit: Submit, work: Work) -> None:
    submit(alice)
    work()
    [item] = used(api(alice))
    assert_shape(item, UsageItem)
    ended = Attempt.objects.get().finished_at
    assert (item["day"], item["type"]) == (ended.astimezone(UTC).date().isoformat(), "diagnostic.echo")
    assert (item["attempts"], item["succeeded"], item["failed"]) == (1, 1, 0)
    assert item["worker_seconds"] > 0
    assert used(api(bob)) == []


def test_rolling_up_changes_no_figure(api: MakeClient, alice: User, bob: User, end: Callable[..., Attempt]) -> None:
    for outcome in ("succeeded", "succeeded", "failed", "timed_out", "died", "cancelled", "returned"):
        end(alice, ago=LONG_AGO, outcome=outcome)
    end(alice, ago=timedelta(days=3), outcome="succeeded")
    end(alice, ago=timedelta(0))
    end(bob, ago=LONG_AGO)
    client = api(alice)
    before = used(client)
    assert sum(item["attempts"] for item in before) == 9
    # Of two days or of three: ten minutes ago may have been yesterday.
    assert (sum(item["failed"] for item in before), sum(item["cancelled"] for item in before)) == (3, 1)
    for item in before:
        assert item["tokens"] == {"prompt": 10 * item["succeeded"], "completion": 0}
    roll_up_usage()
    assert UsageDay.objects.filter(owner=alice).exists()
    assert used(client) == before
    # Nothing is counted twice, however often it is done.
    roll_up_usage()
    assert used(client) == before


def test_rolled_up_days_outlive_their_tasks(api: MakeClient, alice: User, end: Callable[..., Attempt]) -> None:
    end(alice, ago=LONG_AGO)
    roll_up_usage()
    Attempt.objects.all().delete()
    Task.objects.all().delete()
    assert [item["attempts"] for item in used(api(alice))] == [1]


def test_mark_stays_behind_what_may_still_commit(alice: User, end: Callable[..., Attempt]) -> None:
    end(alice, ago=timedelta(seconds=30))
    roll_up_usage()
    assert not UsageDay.objects.exists()
    assert datetime.now(UTC) - UsageMark.objects.get().counted_until >= timedelta(minutes=2)


def test_one_round_reaches_what_ended_last(alice: User, end: Callable[..., Attempt]) -> None:
    """The mark goes forward a day at a time: from an odd hour of the day it does not stop short of now."""
    UsageMark.objects.update(counted_until=datetime.now(UTC) - timedelta(days=2, minutes=25))
    end(alice, ago=LONG_AGO)
    roll_up_usage()
    assert UsageDay.objects.filter(owner=alice).exists()


def test_window_begins_on_its_first_day(api: MakeClient, alice: User, end: Callable[..., Attempt]) -> None:
    end(alice, ago=timedelta(days=5))
    client = api(alice)
    for _ in range(2):
        assert used(client, days=1) == []
        assert len(used(client, days=7)) == 1
        roll_up_usage()


@pytest.mark.parametrize("days", ["0", "91", "many", ""])
def test_impossible_window_is_refused(api: MakeClient, alice: User, days: str) -> None:
    response = api(alice).get("/api/v1/usage", {"days": days})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/days")


@pytest.mark.usefixtures("new_tables")
def test_reading_usage_reads_only_new_attempts_and_own_days(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        given: dict[str, Any] = {
            "owner": alice.pk,
            "first_day": datetime.now(UTC).date(),
            "failing": list(FAILING),
            "counted_until": datetime.now(UTC),
        }
        cursor.execute("EXPLAIN " + sql.statement("figures/read_usage_days").decode(), given)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using usage_day_once" in plan or "Bitmap Index Scan on usage_day_once" in plan, plan
    assert "attempt_finished" in plan, plan
    assert "Seq Scan on attempt" not in plan, plan
