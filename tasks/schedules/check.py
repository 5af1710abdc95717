"""Checks of a schedule before it is stored: all faults at once, each with its pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors
from tasks.errors import Fault
from tasks.lifecycle.validate import check_storable, validate_submission
from tasks.models.schedule import CatchUp, Overlap
from tasks.schedules.draft import Draft
from tasks.schedules.times import LEAST_INTERVAL_SECONDS, MOST_INTERVAL_SECONDS, check_cron, check_time_zone

MOST_NAME = 200
MOST_RUNS = 1_000_000


def check_draft(owner: User, draft: Draft, *, task: bool = True) -> None:
    """Refuse a schedule that could not be stored, or whose submission would be refused now.

    Args:
        task: False leaves the submission out, where it is as it was.

    Raises:
        InvalidInput: with all faults; those of the submission are below ``/task``.
        EngineUnavailable: nothing here can run the type.
    """
    faults = list(_time_faults(draft)) + list(_plain_faults(draft))
    if task:
        faults += _submission_faults(owner, draft)
    if faults:
        raise errors.InvalidSchedule(faults[0]["detail"], errors=faults)


def _time_faults(draft: Draft) -> Iterator[Fault]:
    if (draft.cron is None) == (draft.interval_seconds is None):
        yield Fault("/cron", "one_of", "Give either cron or interval_seconds.")
    if draft.cron is not None:
        cron = draft.cron
        yield from _faults_of(lambda: check_cron(cron))
    yield from _faults_of(lambda: check_time_zone(draft.time_zone))
    seconds = draft.interval_seconds
    if seconds is not None and not LEAST_INTERVAL_SECONDS <= seconds <= MOST_INTERVAL_SECONDS:
        limits = f"{LEAST_INTERVAL_SECONDS} to {MOST_INTERVAL_SECONDS}"
        yield Fault("/interval_seconds", "out_of_range", f"An interval is {limits} seconds.")
    if draft.start_at is not None and draft.end_at is not None and draft.end_at < draft.start_at:
        yield Fault("/end_at", "out_of_range", "end_at must not be earlier than start_at.")


def _plain_faults(draft: Draft) -> Iterator[Fault]:
    yield from _faults_of(lambda: check_storable(draft.name, "/name"))
    if len(draft.name) > MOST_NAME:
        yield Fault("/name", "out_of_range", f"At most {MOST_NAME} characters.")
    if draft.most_runs is not None and not 1 <= draft.most_runs <= MOST_RUNS:
        yield Fault("/most_runs", "out_of_range", f"The number of runs is 1 to {MOST_RUNS}.")
    if draft.catch_up not in CatchUp.values:
        yield Fault("/catch_up", "unknown", f"One of {', '.join(CatchUp.values)}.")
    if draft.overlap not in Overlap.values:
        yield Fault("/overlap", "unknown", f"One of {', '.join(Overlap.values)}.")


def _submission_faults(owner: User, draft: Draft) -> list[Fault]:
    try:
        validate_submission(owner, limits_of(owner), draft.task)
    except errors.InvalidInput as error:
        found = error.errors or [Fault("", error.code, error.message)]
        return [fault.moved(f"/task{fault.pointer}") for fault in found]
    return []


def _faults_of(check: Callable[[], object]) -> list[Fault]:
    try:
        check()
    except errors.InvalidInput as error:
        return error.errors
    return []
