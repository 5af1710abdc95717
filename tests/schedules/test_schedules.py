"""Schedules: made, due, fired exactly once, refused, paused; all on the database's clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors
from tasks.lifecycle import accept as accepting
from tasks.lifecycle import sweep
from tasks.lifecycle.apply_limits import apply_limits
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission
from tasks.models import AuditEntry, Schedule, ScheduleRun, Task, Usage
from tasks.schedules import fire
from tasks.schedules.check import check_draft
from tasks.schedules.draft import Draft
from tasks.schedules.fire import fire_schedules, forget_runs, run_schedule_now
from tasks.schedules.manage import (
    MOST_SCHEDULES,
    change_schedule,
    create_schedule,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    upcoming,
)
from tasks.schedules.missed import MOST_NOTED

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ECHO = Submission("diagnostic.echo", {"message": "hello"}, priority=6, timeout=30, tags=["t"], metadata={"a": 1})
Make = Callable[..., Schedule]


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def make(alice: User) -> Make:
    """Make a schedule of alice's, hourly unless told otherwise."""

    def create(task: Submission = ECHO, **fields: Any) -> Schedule:
        return create_schedule(fields.pop("owner", alice), Draft(task, **{"interval_seconds": 3600} | fields))

    return create


def make_due(schedule: Schedule, **ago: float) -> datetime:
    """Set the next time to the past; return it."""
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=Now() - timedelta(**ago or {"seconds": 1}))
    schedule.refresh_from_db()
    assert schedule.next_run_at is not None
    return schedule.next_run_at


def the_run(schedule: Schedule) -> ScheduleRun:
    return schedule.runs.get()


# --- Firing -----------------------------------------------------------------------------------------


def test_due_schedule_submits_its_task_with_its_options(make: Make, alice: User) -> None:
    schedule = make(name="mine")
    due_at = make_due(schedule)
    assert fire_schedules() == 1
    task = Task.objects.select_related("content").get()
    assert (task.owner, task.type, task.priority, task.timeout_seconds) == (alice, "diagnostic.echo", 6, 30)
    assert task.status == "ready"
    assert task.content.input == {"message": "hello"}
    assert (task.content.tags, task.content.metadata) == (["t"], {"a": 1})
    run = the_run(schedule)
    assert (run.due_at, run.outcome, run.task_id, run.by_hand) == (due_at, "submitted", task.pk, False)
    schedule.refresh_from_db()
    assert (schedule.run_count, schedule.last_task_id, schedule.last_error) == (1, task.pk, None)
    assert schedule.last_run_at is not None
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > schedule.last_run_at
    assert Usage.objects.get(user=alice).day_count == 1


def test_what_is_not_due_paused_or_ended_is_not_fired(make: Make, alice: User) -> None:
    make()
    paused, ended = make(), make(most_runs=1)
    pause_schedule(paused.pk, by=alice)
    make_due(ended)
    fire_schedules()
    assert ended.runs.count() == 1
    ended.refresh_from_db()
    assert (ended.status, ended.next_run_at) == ("ended", None)
    assert fire_schedules() == 0
    assert Task.objects.count() == 1


def test_kill_at_any_point_neither_loses_nor_doubles_a_run(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = make()
    due_at = make_due(schedule)
    for point in ("accept", "_lock", "store", "_note", "_move_on"):
        original = getattr(fire, point)

        def killed_after(*args: Any, _original: Any = original, **options: Any) -> Any:
            _original(*args, **options)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(fire, point, killed_after)
            with pytest.raises(Killed):
                fire_schedules()
        schedule.refresh_from_db()
        assert (schedule.next_run_at, schedule.run_count) == (due_at, 0), point
        assert not Task.objects.exists()
        assert not ScheduleRun.objects.exists()
    assert fire_schedules() == 1
    assert fire_schedules() == 0
    assert Task.objects.count() == 1


def test_kill_before_the_lane_is_filled_leaves_a_task_that_the_sweep_starts(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_due(make())

    def killed(*_args: object, **_options: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(fire, "fill_soon", killed)
        with pytest.raises(Killed):
            fire_schedules()
    assert Task.objects.get().status == "held"
    assert fire_schedules() == 0
    sweep.fill_idle()
    assert Task.objects.get().status == "ready"


def test_turn_that_has_taken_long_enough_leaves_the_rest_to_the_next(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fire, "BUDGET_SECONDS", 0.0)
    for schedule in [make(), make()]:
        make_due(schedule)
    assert [fire_schedules() for _ in range(3)] == [1, 1, 0]


def test_two_nodes_at_once_fire_each_schedule_once(make: Make) -> None:
    schedules = [make() for _ in range(6)]
    for schedule in schedules:
        make_due(schedule)
    start, fired = threading.Barrier(3), []

    def node() -> None:
        start.wait(120)
        try:
            fired.append(fire_schedules())
        finally:
            connection.close()

    threads = [threading.Thread(target=node) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sum(fired) == 6
    assert [schedule.runs.count() for schedule in schedules] == [1] * 6
    assert Task.objects.count() == 6


def test_node_that_read_a_schedule_long_ago_does_not_fire_it_again(make: Make) -> None:
    make_due(make())
    stale = Schedule.objects.select_related("owner__plan").get()
    assert fire_schedules() == 1
    assert not fire.fire_schedule(stale, stale.created_at)
    assert Task.objects.count() == 1


def test_somebody_who_holds_a_users_counters_does_not_hold_up_other_users(
    make: Make, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fire, "LOCK_TIMEOUT", "50ms")
    mine, theirs = make(), make(owner=bob)
    make_due(mine, seconds=60)
    make_due(theirs)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM usage WHERE user_id = %s FOR UPDATE", [alice.pk])
            fire_schedules()
    finally:
        other.close()
    assert (mine.runs.count(), theirs.runs.count()) == (0, 1)
    assert fire_schedules() == 1
    assert mine.runs.count() == 1


# --- Missed runs and runs that overlap ----------------------------------------------------------------


def next_of(schedule: Schedule) -> datetime:
    schedule.refresh_from_db()
    assert schedule.next_run_at is not None
    return schedule.next_run_at


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def test_any_number_of_missed_runs_is_made_up_for_by_one(make: Make) -> None:
    schedule = make(interval_seconds=60)
    make_due(schedule, hours=5)
    assert fire_schedules() == 1
    assert timedelta() < next_of(schedule) - database_now() <= timedelta(seconds=60)
    assert schedule.runs.count() == 1


def test_every_missed_run_is_made_up_for_where_that_is_wanted(make: Make) -> None:
    schedule = make(catch_up="all", overlap="allow")
    ago = timedelta(hours=4, minutes=30)
    Schedule.objects.update(created_at=F("created_at") - ago, next_run_at=F("next_run_at") - ago)
    assert fire_schedules() == 4
    due = list(schedule.runs.order_by("due_at").values_list("due_at", flat=True))
    assert [later - earlier for earlier, later in pairwise(due)] == [timedelta(hours=1)] * 3
    assert next_of(schedule) > database_now()
    assert Task.objects.count() == len(due)


def test_no_missed_run_is_made_up_for_where_none_is_wanted(make: Make) -> None:
    schedule = make(catch_up="none")
    Schedule.objects.update(created_at=F("created_at") - timedelta(minutes=90))
    due_at = make_due(schedule, minutes=5)
    assert fire_schedules() == 1
    assert not Task.objects.exists()
    run = the_run(schedule)
    assert (run.due_at, run.outcome, run.task_id) == (due_at, "skipped", None)
    assert run.error["code"] == "missed"
    assert next_of(schedule) > database_now()
    schedule.refresh_from_db()
    assert (schedule.run_count, schedule.refusal_count, schedule.last_error) == (0, 0, None)
    make_due(schedule, seconds=5)
    fire_schedules()
    assert Task.objects.count() == 1


def test_each_run_that_is_left_out_leaves_a_note_and_what_is_hardly_late_runs(make: Make) -> None:
    schedule = make(catch_up="none", interval_seconds=60)
    # Every minute, the last of them half a minute ago.
    ago = timedelta(minutes=10, seconds=30)
    Schedule.objects.update(created_at=Now() - ago, next_run_at=Now() - ago + timedelta(seconds=60))
    fire_schedules()
    runs = list(schedule.runs.order_by("due_at"))
    assert [run.outcome for run in runs] == ["skipped"] * 9 + ["submitted"]
    assert [later.due_at - earlier.due_at for earlier, later in pairwise(runs)] == [timedelta(minutes=1)] * 9
    assert [run.pk for run in runs] == sorted(run.pk for run in runs), "they are listed in order"
    assert Task.objects.count() == 1
    assert next_of(schedule) > database_now()


def test_runs_left_out_over_a_week_are_noted_within_bounds(make: Make) -> None:
    schedule = make(catch_up="none", interval_seconds=60)
    ago = timedelta(days=7)
    Schedule.objects.update(created_at=Now() - ago, next_run_at=Now() - ago + timedelta(seconds=60))
    fire_schedules()
    skipped = list(schedule.runs.filter(outcome="skipped").order_by("due_at"))
    assert len(skipped) == MOST_NOTED
    assert "runs until then are not made up for" in skipped[-1].error["message"]
    assert next_of(schedule) > database_now()


def test_runs_that_a_disabled_user_missed_leave_no_notes(make: Make, alice: User) -> None:
    schedule = make(catch_up="none")
    make_due(schedule, minutes=5)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    fire_schedules()
    assert not schedule.runs.exists()
    assert next_of(schedule) > database_now()


def test_run_is_skipped_while_the_task_before_has_not_ended(make: Make, alice: User) -> None:
    schedule = make()
    make_due(schedule)
    fire_schedules()
    make_due(schedule)
    fire_schedules()
    assert list(schedule.runs.order_by("id").values_list("outcome", flat=True)) == ["submitted", "skipped"]
    schedule.refresh_from_db()
    assert (schedule.run_count, schedule.last_error) == (1, None)
    cancel_task(Task.objects.get().pk, by=alice)
    make_due(schedule)
    fire_schedules()
    assert Task.objects.count() == 2


def test_runs_overlap_where_that_is_allowed(make: Make) -> None:
    schedule = make(overlap="allow")
    for _ in range(2):
        make_due(schedule)
        fire_schedules()
    assert Task.objects.count() == 2


# --- Refusals -----------------------------------------------------------------------------------------


def test_refused_run_is_noted_and_the_schedule_goes_on(make: Make, make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_day=1)
    schedule = make(owner=carol, overlap="allow")
    for _ in range(2):
        make_due(schedule)
        assert fire_schedules() == 1
    schedule.refresh_from_db()
    assert schedule.last_error is not None
    assert schedule.last_error["code"] == "quota_exceeded"
    assert (schedule.refusal_count, schedule.status) == (1, "active")
    refused = schedule.runs.get(outcome="refused")
    assert (refused.error, refused.task_id) == (schedule.last_error, None)
    assert Usage.objects.get(user=carol).day_count == 1


def test_ten_refusals_in_a_row_pause_the_schedule_with_the_reason(make: Make) -> None:
    schedule = make()
    Schedule.objects.update(input={"nope": 1})
    for _ in range(10):
        make_due(schedule)
        fire_schedules()
    schedule.refresh_from_db()
    assert schedule.status == "paused"
    assert schedule.paused_reason.startswith("10 runs in a row were refused. The input does not fit diagnostic.echo")
    assert schedule.runs.count() == 10


def test_accepted_run_starts_the_count_of_refusals_anew(make: Make) -> None:
    schedule = make()
    Schedule.objects.update(refusal_count=9)
    make_due(schedule)
    fire_schedules()
    schedule.refresh_from_db()
    assert (schedule.refusal_count, schedule.status) == (0, "active")


def test_schedule_that_breaks_the_portal_does_not_hold_up_the_others(
    make: Make, bob: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, fine = make(), make(owner=bob)
    make_due(broken, minutes=1)
    make_due(fine)
    accept = accepting.accept

    def breaks(user: User, *args: Any) -> Any:
        if user == broken.owner:
            raise ZeroDivisionError("a bug")
        return accept(user, *args)

    monkeypatch.setattr(fire, "accept", breaks)
    assert fire_schedules() == 2
    assert the_run(broken).error == fire.FAILED
    assert the_run(fine).outcome == "submitted"
    assert "ZeroDivisionError: a bug" in caplog.text


def test_schedule_of_a_disabled_user_is_not_fired_and_goes_on_when_they_return(make: Make, alice: User) -> None:
    schedule = make()
    make_due(schedule, days=1)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    fire_schedules()
    assert not Task.objects.exists()
    assert not schedule.runs.exists()
    assert next_of(schedule) > database_now()
    alice.refresh_from_db()
    with pytest.raises(errors.UserDisabled):
        run_schedule_now(schedule.pk, by=alice)
    User.objects.filter(pk=alice.pk).update(is_active=True)
    apply_limits(alice)
    make_due(schedule)
    fire_schedules()
    assert Task.objects.count() == 1


def test_nothing_is_fired_in_maintenance(make: Make, alice: User, settings: Any) -> None:
    schedule = make()
    due_at = make_due(schedule)
    settings.MAINTENANCE = True
    assert fire_schedules() == 0
    with pytest.raises(errors.Maintenance):
        run_schedule_now(schedule.pk, by=alice)
    assert next_of(schedule) == due_at
    settings.MAINTENANCE = False
    assert fire_schedules() == 1


def test_schedule_whose_times_can_no_longer_be_computed_is_paused(make: Make) -> None:
    schedule = make(interval_seconds=None, cron="0 6 * * *")
    Schedule.objects.update(time_zone="Mars/Olympus")
    make_due(schedule)
    fire_schedules()
    schedule.refresh_from_db()
    assert schedule.status == "paused"
    assert "cannot be computed" in schedule.paused_reason
    assert Task.objects.count() == 1


# --- By hand ------------------------------------------------------------------------------------------


def test_run_by_hand_comes_besides_the_times(make: Make, alice: User) -> None:
    schedule = make(most_runs=5)
    before = schedule.next_run_at
    task = run_schedule_now(schedule.pk, by=alice, owner=alice).task
    assert task.status == "ready"
    run = the_run(schedule)
    assert (run.by_hand, run.task_id) == (True, task.pk)
    schedule.refresh_from_db()
    assert (schedule.next_run_at, schedule.run_count, schedule.last_task_id) == (before, 0, task.pk)
    assert AuditEntry.objects.filter(action="run", target_kind="schedule", actor=alice).exists()


def test_refused_run_by_hand_leaves_nothing(make: Make, alice: User, make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_day=0)
    schedule = make(owner=carol)
    with pytest.raises(errors.QuotaExceeded):
        run_schedule_now(schedule.pk, by=carol)
    assert not schedule.runs.exists()
    assert not Task.objects.exists()
    with pytest.raises(errors.NotFound):
        run_schedule_now(schedule.pk, by=alice, owner=alice)


def test_paused_schedule_starts_from_now_when_it_is_resumed(make: Make, alice: User, olga: User) -> None:
    schedule = make()
    paused = pause_schedule(schedule.pk, by=olga, reason="too much")
    assert (paused.status, paused.paused_reason, paused.next_run_at) == ("paused", "too much", None)
    assert upcoming(paused) == []
    again = pause_schedule(schedule.pk, by=alice)
    assert again.paused_reason == "too much"
    resumed = resume_schedule(schedule.pk, by=alice, owner=alice)
    assert resumed.status == "active"
    assert next_of(schedule) > database_now()
    actions = AuditEntry.objects.filter(target_kind="schedule").order_by("id").values_list("action", "actor")
    assert list(actions) == [("pause", olga.pk), ("resume", alice.pk)]


def test_deleted_schedule_leaves_its_tasks(make: Make, alice: User) -> None:
    schedule = make()
    task = run_schedule_now(schedule.pk, by=alice).task
    delete_schedule(schedule.pk, by=alice, owner=alice)
    assert not ScheduleRun.objects.exists()
    assert Task.objects.filter(pk=task.pk).exists()


def test_runs_are_forgotten_after_thirty_days(make: Make, alice: User) -> None:
    schedule = make()
    for _ in range(3):
        run_schedule_now(schedule.pk, by=alice)
    old = schedule.runs.order_by("id")[:2]
    ScheduleRun.objects.filter(pk__in=[run.pk for run in old]).update(created_at=Now() - timedelta(days=31))
    assert forget_runs() == 2
    assert schedule.runs.count() == 1
    assert Task.objects.count() == 3


# --- Making and changing ------------------------------------------------------------------------------


def test_user_has_a_hundred_schedules_at_most_also_when_two_come_at_once(make: Make, alice: User) -> None:
    Schedule.objects.bulk_create(
        Schedule(owner=alice, type="diagnostic.echo", input={}, interval_seconds=60)
        for _ in range(MOST_SCHEDULES - 1)
    )  # fmt: skip
    outcomes: list[str] = []

    def create() -> None:
        try:
            make()
            outcomes.append("made")
        except errors.QuotaExceeded as error:
            outcomes.append(error.policy)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(outcomes) == ["made", "schedules"]
    assert Schedule.objects.of(alice).count() == MOST_SCHEDULES


def test_change_of_the_times_counts_from_now(make: Make, alice: User) -> None:
    schedule = make()
    make_due(schedule, hours=3)
    changed = change_schedule(schedule.pk, {"cron": "@daily", "time_zone": "Asia/Tokyo"}, owner=alice)
    assert (changed.cron, changed.interval_seconds) == ("@daily", None)
    assert next_of(schedule) > database_now()
    assert (next_of(schedule).hour, next_of(schedule).minute) == (15, 0)


def test_change_of_the_task_leaves_the_times_alone(make: Make, alice: User) -> None:
    schedule = make()
    before = next_of(schedule)
    task = Submission("diagnostic.echo", {"message": "changed"})
    change_schedule(schedule.pk, {"task": task, "name": "renamed"}, owner=alice)
    schedule.refresh_from_db()
    assert (schedule.name, schedule.input, schedule.tags) == ("renamed", {"message": "changed"}, [])
    assert schedule.next_run_at == before
    make_due(schedule)
    fire_schedules()
    assert Task.objects.select_related("content").get().content.input == {"message": "changed"}


def test_changes_of_different_fields_at_the_same_time_are_both_kept(
    make: Make, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.schedules import manage as module

    schedule = make()
    check = check_draft

    def change_meanwhile(*args: Any, **options: Any) -> None:
        monkeypatch.setattr(module, "check_draft", check)
        change_schedule(schedule.pk, {"most_runs": 7}, owner=alice)
        check(*args, **options)

    monkeypatch.setattr(module, "check_draft", change_meanwhile)
    change_schedule(schedule.pk, {"name": "both"}, owner=alice)
    schedule.refresh_from_db()
    assert (schedule.name, schedule.most_runs) == ("both", 7)


def test_paused_schedule_stays_paused_when_it_is_changed(make: Make, alice: User) -> None:
    schedule = make()
    pause_schedule(schedule.pk, by=alice)
    changed = change_schedule(schedule.pk, {"interval_seconds": 120}, owner=alice)
    assert (changed.status, changed.next_run_at) == ("paused", None)


def test_schedule_that_has_had_its_runs_goes_on_when_it_may_have_more(make: Make, alice: User) -> None:
    schedule = make(most_runs=1)
    make_due(schedule)
    fire_schedules()
    with pytest.raises(errors.InvalidInput) as caught:
        change_schedule(schedule.pk, {"interval_seconds": 60}, owner=alice)
    assert caught.value.errors[0]["pointer"] == "/most_runs"
    assert change_schedule(schedule.pk, {"most_runs": 4}, owner=alice).status == "active"
    assert len(upcoming(Schedule.objects.get())) == 3


def test_start_is_the_first_run_of_an_interval(make: Make) -> None:
    start = datetime(2100, 1, 1, 12, tzinfo=UTC)
    schedule = make(start_at=start, end_at=start + timedelta(hours=2, minutes=30))
    assert upcoming(schedule) == [start + timedelta(hours=hours) for hours in range(3)]


def test_another_user_finds_nothing(make: Make, bob: User) -> None:
    schedule = make()
    for act in (
        lambda: change_schedule(schedule.pk, {"name": "x"}, owner=bob),
        lambda: delete_schedule(schedule.pk, by=bob, owner=bob),
        lambda: pause_schedule(schedule.pk, by=bob, owner=bob),
        lambda: resume_schedule(schedule.pk, by=bob, owner=bob),
    ):
        with pytest.raises(errors.NotFound):
            act()
    schedule.refresh_from_db()
    assert (schedule.name, schedule.status) == ("", "active")


def test_table_refuses_a_paused_schedule_with_a_next_time(make: Make, alice: User) -> None:
    schedule = make()
    with pytest.raises(Exception, match="schedule_paused_has_no_next"), transaction.atomic():
        Schedule.objects.filter(pk=schedule.pk).update(paused_at=Now())
