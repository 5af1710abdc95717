"""Real nodes fire schedules: soon, once, and each on time when there are two of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from accounts.models import User
from tasks.lifecycle.submit import Submission
from tasks.models import Schedule, ScheduleRun, Task
from tasks.schedules.draft import Draft
from tasks.schedules.manage import create_schedule
from tests.cluster.conftest import RunningNode, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def test_due_schedules_run_soon_and_once_beside_two_nodes(start_node: Callable[..., RunningNode], alice: User) -> None:
    for _ in range(2):
        start_node(workers=1)
    task = Submission("diagnostic.echo", {"message": "hello"})
    schedules = [create_schedule(alice, Draft(task, interval_seconds=3600)) for _ in range(10)]
    Schedule.objects.update(next_run_at=Now() - timedelta(seconds=1))
    wait_until(lambda: Task.objects.filter(status="succeeded").count() == 10, what="the tasks")
    runs = list(ScheduleRun.objects.select_related("task"))
    assert {run.schedule_id for run in runs} == {schedule.pk for schedule in schedules}
    assert len(runs) == Task.objects.count() == 10
