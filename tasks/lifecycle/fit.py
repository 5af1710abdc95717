"""How much work a submission is, and whether that fits into its time: told before it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from accounts.limits import Limits
from tasks import files
from tasks.errors import Fault
from tasks.lifecycle import estimate
from tasks.lifecycle.submission import Submission
from tasks.models import File
from tasks.registry import TaskType, Work

# An attempt may take so many times what is expected: machines are busy, recordings differ.
SLACK = 3.0


def work_of(definition: TaskType, data: Mapping[str, Any], owned: Mapping[UUID, File]) -> Work | None:
    """Return how much work an input is, by its files' heads; None where the type or the files do not tell."""
    if definition.measure is None:
        return None
    # What is in another machine's storage would be fetched whole.
    near = {str(id_): path for id_, file in owned.items() if (path := files.path_here(file)) is not None}
    try:
        return definition.measure(data, near)
    except OSError:
        # It cannot be read just now: whoever does the work says so, and is tried again.
        return None


def bucket_of(work: Work | None, size: int, owned: Mapping[UUID, File]) -> int:
    """Return the size class of an input: by how much work it is where that is known, else by its bytes.

    Of two recordings of a megabyte one may be fifty times as long as the other.
    """
    return estimate.size_bucket(size, owned) if work is None else estimate.work_bucket(work.seconds)


def expected_seconds(definition: TaskType, work: Work | None, bucket: int) -> float | None:
    """Return how long an attempt at this work takes: as those of its size took here, else as its type says.

    None where its type measures nothing.
    """
    if work is None:
        return None
    learned = estimate.learned_for(definition.name, bucket, near=False)
    return learned.p90 if learned else work.seconds


def est_seconds(definition: TaskType, work: Work | None, bucket: int) -> float:
    """Return how long a task is expected to take: by its work where that is known, else as others of its type."""
    return expected_seconds(definition, work, bucket) or estimate.est_seconds(definition, bucket)


def timeout_of(definition: TaskType, limits: Limits, submission: Submission, work: Work | None, bucket: int) -> int:
    """Return how long an attempt may take: as asked for, else as much as the work needs, within the plan's longest."""
    if submission.timeout and not submission.may_take_longer:
        return submission.timeout
    needed = SLACK * (expected_seconds(definition, work, bucket) or 0.0)
    return min(max(submission.timeout or definition.timeout, round(needed)), limits.longest_timeout)


def fit_faults(
    definition: TaskType, limits: Limits, submission: Submission, work: Work | None, bucket: int
) -> Iterator[Fault]:
    """Yield a fault where the work is more than one task does, or than fits into the time of all its attempts."""
    if work is None:
        return
    if work.too_much:
        yield Fault(work.pointer, "too_much_work", work.too_much)
        return
    seconds = expected_seconds(definition, work, bucket) or 0.0
    attempts = submission.max_attempts or definition.max_attempts
    timeout = timeout_of(definition, limits, submission, work, bucket)
    if seconds > timeout * attempts:
        tried = "one attempt of {} is" if attempts == 1 else f"{attempts} attempts of {{}} are"
        detail = (
            f"{work.amount} takes about {_spoken(seconds)} here, and {tried.format(_spoken(timeout))} too short. "
            "Allow more time, or submit it in parts."
        )
        is_asked_for = submission.timeout and not submission.may_take_longer
        yield Fault("/timeout" if is_asked_for else work.pointer, "does_not_fit", detail)


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
