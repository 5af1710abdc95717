"""Schedules of both clients against the live server."""

from __future__ import annotations

import pytest

from tasks.client import Client, errors
from tasks.models import Schedule, Task

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ECHO = {"type": "diagnostic.echo", "input": {"message": "x"}}


def test_client_makes_changes_and_deletes_schedules(portal: Client) -> None:
    made = portal.create_schedule(ECHO, name="nightly", cron="0 3 * * *", time_zone="Europe/Berlin")
    assert (made["status"], made["cron"], len(made["upcoming"])) == ("active", "0 3 * * *", 5)
    other = portal.create_schedule(ECHO, interval_seconds="2h30m", overlap="allow")
    assert [found["id"] for found in portal.schedules()] == [other["id"], made["id"]]
    changed = portal.change_schedule(made["id"], interval_seconds=3600, task=ECHO | {"tags": ["a"]})
    assert (changed["cron"], changed["interval_seconds"], changed["name"]) == (None, 3600, "nightly")
    assert portal.get_schedule(made["id"]) == changed
    assert changed["task"]["tags"] == ["a"]
    portal.delete_schedule(made["id"])
    with pytest.raises(errors.NotFound):
        portal.get_schedule(made["id"])


def test_client_pauses_resumes_and_runs_schedules(portal: Client) -> None:
    made = portal.create_schedule(ECHO, cron="0 3 1 1 *")
    assert portal.pause_schedule(made["id"])["status"] == "paused"
    assert portal.pause_schedule(made["id"])["status"] == "paused"
    assert portal.resume_schedule(made["id"])["status"] == "active"
    task = portal.run_schedule(made["id"], idempotency_key="now")
    assert portal.run_schedule(made["id"], idempotency_key="now")["id"] == task["id"]
    [run] = portal.schedule_runs(made["id"])
    assert (run["outcome"], run["by_hand"], run["task"]) == ("submitted", True, task["id"])


def test_repeated_key_makes_one_schedule(portal: Client) -> None:
    for _ in range(2):
        portal.create_schedule(ECHO, cron="@daily", idempotency_key="once")
    assert (Schedule.objects.count(), Task.objects.count()) == (1, 0)


def test_impossible_times_point_at_the_fault(portal: Client) -> None:
    with pytest.raises(errors.InvalidSchedule) as caught:
        portal.create_schedule(ECHO, cron="0 0 30 2 *")
    assert caught.value.errors[0]["pointer"] == "/cron"
