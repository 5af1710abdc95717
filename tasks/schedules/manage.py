"""Schedules as their owners and operators handle them: create, change, pause, resume, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.models import User
from tasks import audit, errors, sql
from tasks.models import Schedule
from tasks.names import MOST_OF_A_REASON
from tasks.owned import get_owned
from tasks.schedules.check import check_draft
from tasks.schedules.draft import Draft, columns_of, draft_of
from tasks.schedules.times import Timing

MOST_SCHEDULES = 100
TIMES = frozenset({"cron", "time_zone", "interval_seconds", "start_at", "end_at", "most_runs"})


def create_schedule(owner: User, draft: Draft) -> Schedule:
    """Store a schedule that would be accepted as a submission now. Opens its own transaction.

    Raises:
        UnknownTaskType, InvalidInput: with a pointer to each fault; the submission's are below ``/task``.
        EngineUnavailable: nothing here can run the type.
        QuotaExceeded: the owner has the most schedules that a user may have.
    """
    check_draft(owner, draft)
    return store_schedule(owner, draft)


def store_schedule(owner: User, draft: Draft) -> Schedule:
    """Store a schedule that was checked: the part of `create_schedule` that asks nobody but the database."""
    now = read_clock()
    schedule = Schedule(owner=owner, created_at=now, run_count=0, **columns_of(draft))
    schedule.next_run_at = _first_time(schedule, now)
    with transaction.atomic():
        # Locks the user's counters: two at once must not both be the hundredth.
        sql.execute("lifecycle/lock_usage", {"user": owner.pk})
        if Schedule.objects.of(owner).count() >= MOST_SCHEDULES:
            raise errors.QuotaExceeded(
                f"A user may have {MOST_SCHEDULES} schedules. Delete one first.",
                policy="schedules",
                limit=MOST_SCHEDULES,
                retry_after_seconds=3600,
            )
        schedule.save(force_insert=True)
    return schedule


def change_schedule(schedule_id: UUID, changes: Mapping[str, Any], *, owner: User) -> Schedule:
    """Change fields of `Draft`. New times count from now: what was due before is not made up for.

    Setting one of `cron` and `interval_seconds` unsets the other.

    Raises:
        NotFound: no such schedule of theirs.
        UnknownTaskType, InvalidInput, EngineUnavailable: as `create_schedule`.
    """
    changed = dict(changes)
    for one, other in (("cron", "interval_seconds"), ("interval_seconds", "cron")):
        if changed.get(one) is not None:
            changed.setdefault(other, None)
    before = draft_of(get_owned(Schedule, schedule_id, owner=owner))
    draft = replace(before, **changed)
    check_draft(owner, draft, task="task" in changed)
    columns, old = columns_of(draft), columns_of(before)
    # Only what this request changes is written: another one may change the rest at the same time.
    written = {name: value for name, value in columns.items() if value != old[name]}
    with transaction.atomic():
        schedule = get_owned(Schedule, schedule_id, owner=owner, lock=True)
        for name, value in written.items():
            setattr(schedule, name, value)
        if TIMES & written.keys():
            now = read_clock()
            schedule.next_run_at = _first_time(schedule, now) if schedule.paused_at is None else None
            written["next_run_at"] = schedule.next_run_at
        schedule.save(update_fields=list(written))
    return schedule


def delete_schedule(schedule_id: UUID, *, by: User, owner: User | None = None) -> None:
    """Delete a schedule and the list of its runs. The tasks that it made stay.

    Raises:
        NotFound: no such schedule.
    """
    with transaction.atomic():
        schedule = get_owned(Schedule, schedule_id, owner=owner, lock=True)
        audit.record(by, "delete", "schedule", schedule_id, name=str(schedule), owner=schedule.owner_id)
        schedule.delete()


def pause_schedule(schedule_id: UUID, *, by: User, owner: User | None = None, reason: str = "") -> Schedule:
    """Let a schedule run no more until it is resumed. Repeating it changes nothing.

    Raises:
        NotFound: no such schedule.
    """
    with transaction.atomic():
        schedule = get_owned(Schedule, schedule_id, owner=owner, lock=True)
        if schedule.paused_at is None:
            stop(schedule, reason)
            audit.record(by, "pause", "schedule", schedule_id, name=str(schedule), reason=schedule.paused_reason)
    return schedule


def resume_schedule(schedule_id: UUID, *, by: User, owner: User | None = None) -> Schedule:
    """Let a paused schedule run again, from now on; what was missed is not made up for. Repeating it changes nothing.

    Raises:
        NotFound: no such schedule.
    """
    with transaction.atomic():
        schedule = get_owned(Schedule, schedule_id, owner=owner, lock=True)
        if schedule.paused_at is not None:
            schedule.paused_at, schedule.paused_reason, schedule.refusal_count = None, "", 0
            schedule.next_run_at = next_time(schedule, read_clock())
            schedule.save(update_fields=["paused_at", "paused_reason", "refusal_count", "next_run_at"])
            audit.record(by, "resume", "schedule", schedule_id, name=str(schedule))
    return schedule


def stop(schedule: Schedule, reason: str) -> None:
    """Pause a schedule whose row the open transaction has locked."""
    schedule.paused_at, schedule.paused_reason, schedule.next_run_at = read_clock(), reason[:MOST_OF_A_REASON], None
    schedule.save(update_fields=["paused_at", "paused_reason", "next_run_at"])


def read_clock() -> datetime:
    """Return the database's time: the clocks of nodes may differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


def next_time(schedule: Schedule, moment: datetime) -> datetime | None:
    """Return when a schedule runs next after `moment`, or None when it has had all its runs."""
    if schedule.most_runs is not None and schedule.run_count >= schedule.most_runs:
        return None
    return timing_of(schedule).after(moment)


def upcoming(schedule: Schedule, count: int = 5) -> list[datetime]:
    """Return the next times of a schedule; none when it is paused or has ended."""
    if schedule.most_runs is not None:
        count = min(count, schedule.most_runs - schedule.run_count)
    return timing_of(schedule).upcoming(schedule.next_run_at, count)


def timing_of(schedule: Schedule) -> Timing:
    """Return what decides the times of a schedule."""
    return Timing(
        anchor=schedule.created_at,
        cron=schedule.cron,
        time_zone=schedule.time_zone,
        interval_seconds=schedule.interval_seconds,
        start_at=schedule.start_at,
        end_at=schedule.end_at,
    )


def _first_time(schedule: Schedule, now: datetime) -> datetime:
    """Return the first time after new times were given.

    Raises:
        InvalidInput: there is none, so the times are a mistake.
    """
    found = next_time(schedule, now)
    if found is None:
        if schedule.most_runs is not None and schedule.run_count >= schedule.most_runs:
            field, detail = "most_runs", f"It has run {schedule.run_count} times already."
        elif timing_of(schedule).endless.after(now) is None:
            field, detail = "cron", "This expression names no time that ever comes."
        else:
            field, detail = "end_at", "No run would come before the end."
        raise errors.InvalidSchedule.at(f"/{field}", "never", detail)
    return found
