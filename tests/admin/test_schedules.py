"""The schedules screen: what it shows and hides, and what operators do there, with a trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tasks.lifecycle.submit import Submission
from tasks.models import AuditEntry, Schedule, Task
from tasks.schedules.draft import Draft
from tasks.schedules.fire import fire_schedules, run_schedule_now
from tasks.schedules.manage import create_schedule, pause_schedule

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/tasks/schedule/"


@pytest.fixture
def schedule(alice: User) -> Schedule:
    task = Submission("diagnostic.echo", {"message": "a private message"}, metadata={"secret": "of alice"})
    return create_schedule(alice, Draft(task, name="nightly", cron="0 6 * * *", time_zone="Europe/Berlin"))


def address(schedule: Schedule, verb: str) -> str:
    return f"{LIST}{schedule.pk}/{verb}/"


def test_screen_shows_when_and_what_came_of_it_but_no_content(
    viewer: Client, alice: User, schedule: Schedule, make_user: Callable[..., User]
) -> None:
    task = run_schedule_now(schedule.pk, by=alice).task
    carol = make_user("carol", per_day=0)
    refused = create_schedule(carol, Draft(Submission("diagnostic.echo", {"message": "x"}), interval_seconds=7200))
    Schedule.objects.filter(pk=refused.pk).update(next_run_at=Now() - timedelta(seconds=1))
    fire_schedules()
    page = viewer.get(LIST).text
    assert "every day at 06:00 (Berlin)" in page
    assert "every 2 h" in page
    assert str(task.pk) in page
    assert "Your plan allows 0 tasks a day" in page
    one = viewer.get(address(schedule, "change")).text
    assert str(task.pk) in one
    for text in (page, one):
        assert "a private message" not in text
        assert "of alice" not in text


def test_operator_runs_a_schedule_as_its_owner(operator: Client, alice: User, schedule: Schedule) -> None:
    assert operator.get(address(schedule, "run")).context["question"].button == "Run now"
    assert not Task.objects.exists()
    operator.post(address(schedule, "run"))
    assert Task.objects.get().owner == alice
    entry = AuditEntry.objects.get(action="run", target_kind="schedule")
    assert (entry.target_id, entry.actor.email) == (str(schedule.pk), "operator@example.com")


def test_pausing_asks_for_the_reason_and_keeps_it(operator: Client, schedule: Schedule) -> None:
    assert operator.get(address(schedule, "pause")).context["question"].reason_label
    operator.post(address(schedule, "pause"), {"reason": "too much at six"})
    schedule.refresh_from_db()
    assert (schedule.status, schedule.paused_reason) == ("paused", "too much at six")
    assert AuditEntry.objects.get(action="pause").details == {"name": "nightly", "reason": "too much at six"}
    assert "too much at six" in operator.get(LIST).text
    operator.post(address(schedule, "resume"))
    schedule.refresh_from_db()
    assert schedule.status == "active"
    assert AuditEntry.objects.filter(action="resume", target_kind="schedule").exists()


def test_refusal_of_a_run_is_shown(operator: Client, alice: User, schedule: Schedule) -> None:
    Schedule.objects.update(input={"nope": 1})
    page = operator.post(address(schedule, "run"), follow=True)
    assert "The input does not fit diagnostic.echo" in page.text
    assert not Task.objects.exists()


@pytest.mark.parametrize("verb", ["run", "pause", "resume"])
def test_viewer_looks_only(viewer: Client, schedule: Schedule, verb: str) -> None:
    assert "Run now" not in viewer.get(LIST).text
    assert viewer.get(address(schedule, verb)).status_code == 403
    assert viewer.post(address(schedule, verb)).status_code == 403
    schedule.refresh_from_db()
    assert schedule.status == "active"
    assert not Task.objects.exists()


def test_nobody_edits_or_deletes_here(operator: Client, schedule: Schedule) -> None:
    assert operator.get(f"{LIST}add/").status_code == 403
    assert operator.post(address(schedule, "delete"), {"post": "yes"}).status_code == 403
    assert operator.post(address(schedule, "change"), {"name": "mine"}).status_code == 403
    schedule.refresh_from_db()
    assert schedule.name == "nightly"


@pytest.mark.parametrize(("standing", "count"), [("active", 1), ("paused", 1), ("ended", 0), ("refused", 0), ("", 2)])
def test_list_is_filtered_by_status(
    operator: Client, alice: User, schedule: Schedule, standing: str, count: int
) -> None:
    other = create_schedule(alice, Draft(Submission("diagnostic.echo", {"message": "x"}), interval_seconds=60))
    pause_schedule(other.pk, by=alice)
    page = operator.get(LIST, {"standing": standing} if standing else {})
    assert len(page.context["cl"].result_list) == count
    assert len(operator.get(LIST, {"q": "alice@"}).context["cl"].result_list) == 2


def test_number_of_queries_does_not_follow_the_number_of_rows(operator: Client, alice: User) -> None:
    counts = []
    for _ in range(2):
        for _ in range(3):
            made = create_schedule(alice, Draft(Submission("diagnostic.echo", {"message": "x"}), interval_seconds=60))
            run_schedule_now(made.pk, by=alice)
            run_schedule_now(made.pk, by=alice)
        operator.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            operator.get(LIST)
            operator.get(address(made, "change"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
