"""How long a task waits for its model servers: without limit for busy ones, a limited time for silent ones."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Max
from django.db.models.functions import Now

from tasks import errors
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.ending import Ending, describe, put_off
from tasks.measures import duration_text
from tasks.models import Attempt
from tasks.models.attempt import Outcome
from tasks.statuses import Status

# How long a task waits whose model servers are busy: twice as long each time. With the jitter at most half a minute.
BUSY_SECONDS = 2.0
LONGEST_BUSY_SECONDS = 25.0


def busy_ending(claimed: Claimed, busy: errors.BackendBusy) -> Ending:
    """Every model server is busy: again soon, free of charge."""
    return put_off(claimed, busy, outcome=Outcome.BUSY, seconds=_busy_seconds(claimed))


def unreachable_ending(claimed: Claimed, silence: errors.BackendUnreachable) -> Ending:
    """No model server answers: again, free of charge, as long as there is patience; then the task has failed.

    Patience begins with the first attempt of an unbroken row of those that reached no server. Needs the database.
    """
    left = settings.BACKEND_PATIENCE_SECONDS - _silent_seconds(claimed)
    if left <= 0:
        patience = duration_text(settings.BACKEND_PATIENCE_SECONDS)
        said = f"{silence.message} It was tried for {patience}; retry the task when one is there again."
        error = describe(claimed, silence.code, said, retryable=True)
        return Ending(Outcome.UNREACHABLE, Status.FAILED, error=error)
    again = f"{silence.message} It is tried for another {duration_text(left)}, and fails then."
    seconds = min(_busy_seconds(claimed), left)
    return put_off(claimed, errors.BackendUnreachable(again), outcome=Outcome.UNREACHABLE, seconds=seconds)


def _silent_seconds(claimed: Claimed) -> float:
    earlier = Attempt.objects.filter(task=claimed.id)
    # A person's retry begins anew: the attempt that it follows was charged.
    other = earlier.exclude(outcome=Outcome.UNREACHABLE, charged=False).aggregate(last=Max("number"))["last"] or 0
    first = earlier.filter(number__gt=other).order_by("number").annotate(age=Now() - F("started_at")).first()
    age: timedelta = first.age if first else timedelta(0)
    return age.total_seconds()


def _busy_seconds(claimed: Claimed) -> float:
    """Return how long a task waits now, before jitter: its attempts that were free of charge tell how often it did."""
    free_of_charge = claimed.attempt_number - 1 - claimed.attempts_charged
    return min(LONGEST_BUSY_SECONDS, BUSY_SECONDS * 2.0 ** min(free_of_charge, 10))
