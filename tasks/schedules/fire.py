"""Fires due schedules: each due time exactly once, no matter what crashes where.

The task, the note of the run and the schedule's next time are one durable transaction under the lock of the
schedule's row. So a crash leaves either nothing of it, and any node does it again, or all of it. Only the
filling of the lane comes after, as at every submission; the sweep makes up for what is lost of that.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from accounts.limits import limits_of
from accounts.models import User
from tasks import audit, errors
from tasks.idempotency import Once, do_once
from tasks.lifecycle.accept import accept
from tasks.lifecycle.as_stored import as_stored
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.read import get_task
from tasks.lifecycle.store import Stored, store
from tasks.lifecycle.submission import Accepted, Submitted
from tasks.models import Schedule, ScheduleRun, Task
from tasks.models.schedule import Outcome, Overlap
from tasks.owned import get_owned
from tasks.periodic import duty
from tasks.schedules.draft import submission_of
from tasks.schedules.manage import next_time, read_clock, stop
from tasks.schedules.missed import is_missed, looks_from, note_missed

logger = logging.getLogger(__name__)

Problem = dict[str, str]

# A duty shares its thread with all the others: it stops after this time, and goes on a second later.
BUDGET_SECONDS = 0.5
AT_ONCE = 20
LOCK_TIMEOUT = "1s"
MOST_REFUSALS = 10
KEEP_RUNS = timedelta(days=30)
FORGET_AT_ONCE = 1_000

UNFINISHED = {"code": "previous_unfinished", "message": "The task of the previous run had not ended."}
FAILED = {"code": "internal_error", "message": "The portal failed to submit this run; its log says why."}


@duty(every=1)
def fire_schedules() -> int:
    """Fire what is due, the longest due first; return how many times. The duty of every second."""
    if settings.MAINTENANCE:
        # Nothing is accepted now; what is due waits, like anything else that is missed.
        return 0
    deadline = time.monotonic() + BUDGET_SECONDS
    total = 0
    while True:
        now = read_clock()
        due = list(Schedule.objects.due(now).select_related("owner__plan")[:AT_ONCE])
        fired = 0
        for schedule in due:
            fired += fire_schedule(schedule, now)
            if time.monotonic() > deadline:
                return total + fired
        total += fired
        # Nothing could be fired: another node is at it.
        if not fired:
            return total


def fire_schedule(schedule: Schedule, now: datetime) -> bool:
    """Do what one due time asks for, as it was read, and move the schedule on. False: somebody else did.

    Opens its own transactions.
    """
    missed = is_missed(schedule, now)
    is_wanted = schedule.owner.is_active and not missed
    # Outside the transaction: a type's readiness may ask a server.
    prepared = _prepare(schedule) if is_wanted else None
    try:
        with transaction.atomic(durable=True):
            locked = _lock(schedule)
            if locked is None:
                return False
            task = _run(locked, prepared) if prepared is not None else None
            if missed and schedule.owner.is_active:
                note_missed(locked, now)
            _move_on(locked, now)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            # Somebody holds this user's counters: the others' schedules go first.
            return False
        raise
    if task is not None:
        fill_soon([task.lane], newcomers=[task.id])
    return True


def run_schedule_now(schedule_id: UUID, *, by: User, owner: User | None = None, once: Once | None = None) -> Submitted:
    """Submit what a schedule submits, at once and besides its times. Paused ones run, too.

    Raises:
        NotFound: no such schedule.
        Refused: as `submit_task`; nothing is noted then, for who asked is told.
    """
    if once is not None and (earlier := once.earlier()) is not None:
        return Submitted(get_task(UUID(earlier)), replayed=True)
    schedule = get_owned(Schedule, schedule_id, owner=owner)
    if settings.MAINTENANCE:
        raise errors.Maintenance
    if not schedule.owner.is_active:
        raise errors.UserDisabled
    accepted = accept(schedule.owner, limits_of(schedule.owner), submission_of(schedule))

    def insert_and_note() -> Stored | Task:
        locked = get_owned(Schedule, schedule_id, owner=owner, lock=True)
        locked.owner = schedule.owner
        stored = _insert(locked, accepted)
        _note(locked, read_clock(), Outcome.SUBMITTED, task=accepted.id, by_hand=True)
        audit.record(by, "run", "schedule", schedule_id, name=str(locked))
        return stored

    made: Stored | Task
    made, _ = do_once(once, insert_and_note, id_of=lambda _: str(accepted.id), find=lambda id_: get_task(UUID(id_)))
    if isinstance(made, Task):
        # What the key gave before is there as a row, not just accepted.
        return Submitted(made, replayed=True)
    [task] = made.tasks
    arrived = fill_soon([task.lane], newcomers=[task.id])
    return Submitted(as_stored(schedule.owner, task, made.created_at, arrived), usage=made.usage)


@duty(every=600)
def forget_runs() -> int:
    """Delete the notes of runs after thirty days. The tasks they made have their own time."""
    old = ScheduleRun.objects.filter(created_at__lt=Now() - KEEP_RUNS).order_by("created_at").values("pk")
    total = 0
    while count := ScheduleRun.objects.filter(pk__in=old[:FORGET_AT_ONCE]).delete()[0]:
        total += count
    return total


# --- One due time -----------------------------------------------------------------------------------


def _prepare(schedule: Schedule) -> Accepted | Problem:
    """Validate what is to be submitted now; what it refers to may have gone since the schedule was made."""
    try:
        return accept(schedule.owner, limits_of(schedule.owner), submission_of(schedule))
    except Exception as error:
        return _problem(schedule, error)


def _lock(schedule: Schedule) -> Schedule | None:
    """Return the schedule with its row locked, if it is still due as it was read and nobody else has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
    due = Schedule.objects.filter(pk=schedule.pk, next_run_at=schedule.next_run_at)
    locked = due.select_for_update(no_key=True, skip_locked=True).first()
    if locked is not None:
        locked.owner = schedule.owner
    return locked


def _run(schedule: Schedule, prepared: Accepted | Problem) -> Accepted | None:
    """Submit, or note why not. Needs the transaction that has locked the schedule."""
    due_at = schedule.next_run_at
    assert due_at is not None, "it is due"
    if schedule.overlap == Overlap.SKIP and _is_busy(schedule):
        _note(schedule, due_at, Outcome.SKIPPED, error=UNFINISHED)
        return None
    schedule.run_count += 1
    try:
        if isinstance(prepared, Accepted):
            [task] = _insert(schedule, prepared).tasks
            _note(schedule, due_at, Outcome.SUBMITTED, task=task.id)
            return task
    except Exception as error:
        prepared = _problem(schedule, error)
    _note(schedule, due_at, Outcome.REFUSED, error=prepared)
    return None


def _insert(schedule: Schedule, accepted: Accepted) -> Stored:
    """Count the task against its owner's plan and insert it; a refusal undoes only that."""
    owner = schedule.owner
    with transaction.atomic():
        stored = store(owner, limits_of(owner), [accepted])
    assert stored is not None, "there was a task"
    return stored


def _is_busy(schedule: Schedule) -> bool:
    last = schedule.last_task_id
    return last is not None and Task.objects.filter(pk=last).unfinished().exists()


def _note(
    schedule: Schedule,
    due_at: datetime,
    outcome: Outcome,
    *,
    task: UUID | None = None,
    error: Problem | None = None,
    by_hand: bool = False,
) -> None:
    """Write down a run, and on its schedule what came of it."""
    ScheduleRun(schedule=schedule, due_at=due_at, outcome=outcome, task_id=task, error=error, by_hand=by_hand).save(
        force_insert=True
    )
    if outcome == Outcome.SKIPPED:
        return
    schedule.last_run_at, schedule.last_error = read_clock(), error
    if task is not None:
        schedule.last_task_id, schedule.refusal_count = task, 0
    else:
        schedule.refusal_count += 1
    schedule.save(update_fields=["last_run_at", "last_error", "last_task", "refusal_count", "run_count"])


def _move_on(schedule: Schedule, now: datetime) -> None:
    """Set the next time, or stop after too many refusals."""
    if schedule.refusal_count >= MOST_REFUSALS:
        message = (schedule.last_error or FAILED)["message"]
        return stop(schedule, f"{MOST_REFUSALS} runs in a row were refused. {message}")
    try:
        schedule.next_run_at = next_time(schedule, looks_from(schedule, now))
    except errors.InvalidInput as error:
        # It could be computed once: the library or the tz database has changed.
        return stop(schedule, error.message)
    return schedule.save(update_fields=["next_run_at"])


def _problem(schedule: Schedule, error: Exception) -> Problem:
    """Return why a submission failed. Whatever is wrong with one schedule must not keep the others from running.

    Raises:
        OperationalError, InterfaceError: the database is away; the schedule stays due.
    """
    if isinstance(error, errors.Refused):
        return {"code": error.code, "message": error.message}
    if isinstance(error, OperationalError | InterfaceError):
        raise error
    logger.error("The task of schedule %s could not be submitted", schedule.pk, exc_info=error)
    return FAILED
