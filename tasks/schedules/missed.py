"""Runs that no node fired in time, and that their schedule no longer wants (`catch_up` none)."""

from __future__ import annotations

from datetime import datetime, timedelta

from tasks import errors
from tasks.models import Schedule, ScheduleRun
from tasks.models.schedule import CatchUp, Outcome
from tasks.schedules.manage import next_time

# With `catch_up` none, a run that is later than this is left out.
MISSED_AFTER = timedelta(seconds=60)
# After a long time away the rest is one note: a schedule of every minute would have thousands.
MOST_NOTED = 50

LATE = "No node fired schedules at this time, and this one makes up for no missed run (catch_up: none)."
LATE_ALL = "No node fired schedules from this time to {until:%Y-%m-%d %H:%M} UTC; runs until then are not made up for."


def is_missed(schedule: Schedule, now: datetime) -> bool:
    """Return whether the run that is due is too late to be wanted."""
    due_at = schedule.next_run_at
    return schedule.catch_up == CatchUp.NONE and due_at is not None and now - due_at > MISSED_AFTER


def looks_from(schedule: Schedule, now: datetime) -> datetime:
    """Return after which moment the next time is looked for, once the run that is due is dealt with."""
    due_at = schedule.next_run_at
    assert due_at is not None, "it is due"
    if schedule.catch_up == CatchUp.ALL:
        return due_at
    # What is late by less is wanted still.
    return max(due_at, now - MISSED_AFTER) if schedule.catch_up == CatchUp.NONE else now


def note_missed(schedule: Schedule, now: datetime) -> None:
    """Write down the runs that are left out. Needs the transaction that has locked the schedule."""
    last = now - MISSED_AFTER
    due_at = schedule.next_run_at
    times: list[datetime] = []
    while due_at is not None and due_at < last and len(times) <= MOST_NOTED:
        times.append(due_at)
        try:
            due_at = next_time(schedule, due_at)
        except errors.InvalidInput:
            break  # its times cannot be computed any more; who moves it on stops it
    more = len(times) > MOST_NOTED
    runs = [_note(schedule, time, LATE) for time in times[:MOST_NOTED]]
    if more:
        runs[-1] = _note(schedule, times[MOST_NOTED - 1], LATE_ALL.format(until=last))
    ScheduleRun.objects.bulk_create(runs)


def _note(schedule: Schedule, due_at: datetime, message: str) -> ScheduleRun:
    error = {"code": "missed", "message": message}
    return ScheduleRun(schedule=schedule, due_at=due_at, outcome=Outcome.SKIPPED, error=error)
